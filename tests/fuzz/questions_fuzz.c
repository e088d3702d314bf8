/*
 * questions_fuzz - libFuzzer target: any bytes as a file of questions (eval_questions). What is
 * taken has what the rest of eval counts on: a question, documents, an expected answer.
 *
 *     questions_fuzz -max_len=4096 -timeout=1 CORPUS
 */
#include "tools/eval.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ROOM_BYTES = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is wrong with a line would be printed: the sentence is what is of interest. */
void eval_say(const char *format, ...)
{
    assert(format[0] != '\0');
}

static void check(const struct eval_question *question)
{
    const struct judge_expected *expected = &question->expected;
    assert(question->question.size > 0 && question->source.size > 0);
    assert(question->path_count > 0);
    for (uint32_t i = 0; i < question->path_count; i++)
        assert(question->paths[i][0] != '\0');
    assert(expected->option_count <= JUDGE_OPTIONS_MAX);
    assert(expected->answer_count > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[ROOM_BYTES];
    char path[40];
    struct error err = {0};
    const int file = memfd_create("questions", MFD_CLOEXEC);
    assert(file >= 0);
    const ssize_t written = write(file, data, size);
    assert(written == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
    struct eval eval = {.questions_path = path,
                        .skip_malformed = true,
                        .results = -1,
                        .arena = {.base = room, .size = sizeof(room)}};
    const enum status status = eval_questions_read(&eval, &err);
    assert(status == OK || err.text[0] != '\0');
    assert(status != OK || eval.count > 0);
    for (uint32_t i = 0; status == OK && i < eval.count; i++)
        check(&eval.questions[i]);
    close(file);
    return 0;
}
