/*
 * eval_questions - see eval.h. A line is a JSON object:
 *
 *   question   text
 *   documents  a path, or an array of them; relative ones from the file's folder
 *   answer     text, a number, true or false (yes or no), or an array of these: any is right.
 *              With options: the letter or the text of the right one; "correct" is the same
 *   options    an array of texts, or an object from letters to texts; answer_a, answer_b, ...
 *              are the same
 *   id         text or a number (default: the line's number)
 *
 * Other members are ignored.
 */
#include "tools/eval.h"

#include "base/file_map.h"
#include "base/json.h"
#include "protocol/api/batch_file.h"
#include "protocol/minions/round.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES ((size_t)1 << 20)
#define FILE_MAX_BYTES ((size_t)512 << 20)
enum { ANSWERS_MAX = 64, PATH_BYTES_MAX = 4000 };

struct reader {
    struct eval *eval;
    struct eval_question *question;
    const struct json *root;
};

static enum status keep(struct reader *reader, struct text text, struct text *out,
                        struct error *err)
{
    *out = text_copy(text, &reader->eval->arena);
    if (!out->data)
        FAIL(err, ERR_MEMORY, "no memory for the questions");
    return OK;
}

/* ---- documents ---- */

/* The path from where the command stands, NUL-terminated. */
static enum status take_path(struct reader *reader, struct text path, struct error *err)
{
    struct eval *eval = reader->eval;
    struct eval_question *question = reader->question;
    const char *slash = strrchr(eval->questions_path, '/');
    const size_t folder = slash ? (size_t)(slash - eval->questions_path) + 1 : 0;
    const bool is_whole = text_starts(path, TEXT("/"));
    struct text_buf joined = {.size_max = PATH_BYTES_MAX};
    struct text kept = {0};
    if (path.size == 0 || memchr(path.data, '\0', path.size))
        FAIL(err, ERR_FORMAT, "a document's path is empty or holds a NUL");
    if (!is_whole)
        text_buf_add(&joined, (struct text){eval->questions_path, folder});
    text_buf_add(&joined, path);
    enum status status = OK;
    if (joined.failed)
        status = error_set(err, ERR_LIMIT, __FILE__, __LINE__,
                           "a document's path has %zu bytes, at most %d are taken", path.size,
                           PATH_BYTES_MAX);
    if (status == OK)
        status = keep(reader, text_buf_text(&joined), &kept, err);
    text_buf_deinit(&joined);
    TRY(status);
    if (access(kept.data, R_OK) != 0)
        FAIL(err, ERR_IO, "document %.120s: %s", kept.data, strerror(errno));
    question->paths[question->path_count++] = kept.data;
    return OK;
}

static enum status take_documents(struct reader *reader, struct error *err)
{
    const struct json *documents = json_get(reader->root, "documents");
    const bool is_list = json_type(documents) == JSON_ARRAY;
    const size_t count = is_list ? json_count(documents) : 1;
    struct text path = {0};
    if (count == 0 || count > DOCUMENTS_MAX)
        FAIL(err, ERR_LIMIT, "documents: %zu of them, 1 to %d are taken", count, DOCUMENTS_MAX);
    reader->question->paths = ARENA_NEW(&reader->eval->arena, const char *, count);
    if (!reader->question->paths)
        FAIL(err, ERR_MEMORY, "no memory for the questions");
    const struct json *item = is_list ? json_first(documents) : documents;
    for (size_t i = 0; i < count; i++, item = json_next(item)) {
        if (!json_text(item, &path))
            FAIL(err, ERR_FORMAT, "documents: want a path, or an array of paths");
        TRY(take_path(reader, path, err));
    }
    return OK;
}

/* ---- options ---- */

static enum status take_option(struct reader *reader, const struct json *value,
                               struct text *options, struct error *err)
{
    struct judge_expected *expected = &reader->question->expected;
    struct text text = {0};
    if (expected->option_count == JUDGE_OPTIONS_MAX)
        FAIL(err, ERR_LIMIT, "options: more than %d", JUDGE_OPTIONS_MAX);
    if (!json_text(value, &text) && !json_number_text(value, &text))
        FAIL(err, ERR_FORMAT, "options: option %c is no text",
             'A' + (int)expected->option_count);
    return keep(reader, text_trim(text), &options[expected->option_count++], err);
}

/* options in any of their shapes; none at all is well. */
static enum status take_options(struct reader *reader, struct error *err)
{
    const struct json *list = json_get(reader->root, "options");
    struct text *options = ARENA_NEW(&reader->eval->arena, struct text, JUDGE_OPTIONS_MAX);
    const enum json_type type = json_type(list);
    if (!options)
        FAIL(err, ERR_MEMORY, "no memory for the questions");
    reader->question->expected.options = options;
    if (type == JSON_ARRAY || type == JSON_OBJECT) {
        for (const struct json *item = json_first(list); item; item = json_next(item)) {
            const char letter[2] = {(char)('A' + (int)reader->question->expected.option_count)};
            const struct text key = json_key(item);
            if (type == JSON_OBJECT && (key.size != 1 || (key.data[0] & ~0x20) != letter[0]))
                FAIL(err, ERR_FORMAT, "options: member %.*s, want letters in order from A",
                     TEXT_ARG(text_slice(key, 0, 40)));
            TRY(take_option(reader, item, options, err));
        }
        return OK;
    }
    if (type != JSON_NULL)
        FAIL(err, ERR_FORMAT, "options: want an array or an object of texts");
    for (int letter = 0; letter < JUDGE_OPTIONS_MAX; letter++) {
        const char name[] = {'a', 'n', 's', 'w', 'e', 'r', '_', (char)('a' + letter), '\0'};
        const struct json *item = json_get(reader->root, name);
        if (!item)
            break;
        TRY(take_option(reader, item, options, err));
    }
    return OK;
}

/* ---- answers ---- */

static enum status take_answer(struct reader *reader, const struct json *value,
                               struct text *answer, struct error *err)
{
    struct text text = {0};
    bool truth = false;
    double number = 0;
    char spelled[40];
    if (json_bool(value, &truth))
        text = truth ? TEXT("yes") : TEXT("no");
    else if (!json_text(value, &text) && !json_number_text(value, &text)) {
        if (!json_double(value, &number))
            FAIL(err, ERR_FORMAT, "answer: want text, a number, true or false");
        snprintf(spelled, sizeof(spelled), "%.15g", number);
        text = text_of(spelled);
    }
    text = text_trim(text);
    if (text.size == 0)
        FAIL(err, ERR_FORMAT, "answer: it is empty");
    return keep(reader, text, answer, err);
}

static enum status take_answers(struct reader *reader, struct error *err)
{
    struct judge_expected *expected = &reader->question->expected;
    const struct json *answer = json_get(reader->root, "answer");
    if (!answer)
        answer = json_get(reader->root, "correct");
    if (!answer)
        FAIL(err, ERR_FORMAT, "answer: it is missing");
    const bool is_list = json_type(answer) == JSON_ARRAY;
    const size_t count = is_list ? json_count(answer) : 1;
    if (count == 0 || count > ANSWERS_MAX)
        FAIL(err, ERR_LIMIT, "answer: %zu of them, 1 to %d are taken", count, ANSWERS_MAX);
    struct text *answers = ARENA_NEW(&reader->eval->arena, struct text, count);
    if (!answers)
        FAIL(err, ERR_MEMORY, "no memory for the questions");
    const struct json *item = is_list ? json_first(answer) : answer;
    for (size_t i = 0; i < count; i++, item = json_next(item))
        TRY(take_answer(reader, item, &answers[i], err));
    expected->answers = answers;
    expected->answer_count = (uint32_t)count;
    expected->option = JUDGE_NO_OPTION;
    if (expected->option_count == 0)
        return OK;
    if (count == 1)
        expected->option = judge_option(expected->options, expected->option_count, answers[0]);
    if (expected->option == JUDGE_NO_OPTION)
        FAIL(err, ERR_FORMAT, "answer: %.*s names none of the %u options",
             TEXT_ARG(text_slice(answers[0], 0, 60)), expected->option_count);
    return OK;
}

/* ---- the question ---- */

static enum status take_question(struct reader *reader, struct error *err)
{
    struct eval_question *question = reader->question;
    const struct judge_expected *expected = &question->expected;
    struct text_buf asked = {0};
    struct text text = {0};
    if (!json_text(json_get(reader->root, "question"), &text) || text_trim(text).size == 0)
        FAIL(err, ERR_FORMAT, "question: it is missing or no text");
    text_buf_add(&asked, text_trim(text));
    for (uint32_t i = 0; i < expected->option_count; i++)
        text_buf_format(&asked, "%s%c. %.*s\n", i == 0 ? "\n\nOptions:\n" : "", 'A' + (int)i,
                        TEXT_ARG(expected->options[i]));
    if (expected->option_count > 0)
        text_buf_add(&asked, TEXT("\nAnswer with the letter of the right option."));
    enum status status = OK;
    if (asked.failed || asked.size > ROUND_QUESTION_BYTES_MAX)
        status = error_set(err, ERR_LIMIT, __FILE__, __LINE__,
                           "question: %zu bytes with its options, at most %d are taken",
                           asked.size, ROUND_QUESTION_BYTES_MAX);
    if (status == OK)
        status = keep(reader, text_buf_text(&asked), &question->question, err);
    text_buf_deinit(&asked);
    question->expected.question = question->question;
    return status;
}

static enum status take_id(struct reader *reader, struct error *err)
{
    const struct json *id = json_get(reader->root, "id");
    struct text text = {0};
    int64_t number = reader->question->line;
    char spelled[24];
    if (!json_text(id, &text)) {
        (void)json_i64(id, &number);
        snprintf(spelled, sizeof(spelled), "%lld", (long long)number);
        text = text_of(spelled);
    }
    if (text.size > EVAL_ID_MAX)
        FAIL(err, ERR_LIMIT, "id: %zu bytes, at most %d are taken", text.size, EVAL_ID_MAX);
    return keep(reader, text, &reader->question->id, err);
}

static enum status take_line(struct reader *reader, struct error *err)
{
    if (json_type(reader->root) != JSON_OBJECT)
        FAIL(err, ERR_FORMAT, "it is no JSON object");
    TRY(take_id(reader, err));
    TRY(take_options(reader, err));
    TRY(take_question(reader, err));
    TRY(take_answers(reader, err));
    return take_documents(reader, err);
}

/* One line; ERR_MEMORY apart, an error is the line's own. */
static enum status read_line(struct eval *eval, struct text line, size_t number,
                             struct error *err)
{
    struct json *root = NULL;
    struct eval_question *question = &eval->questions[eval->count];
    struct reader reader = {.eval = eval, .question = question};
    *question = (struct eval_question){.line = (uint32_t)number};
    TRY(json_parse(line, LINE_MAX_BYTES, &root, err));
    reader.root = root;
    enum status status = take_line(&reader, err);
    json_free(root);
    if (status == OK)
        status = keep(&reader, line, &question->source, err);
    if (status == OK)
        eval->count++;
    return status;
}

/* A line that stands twice would be one unit twice. */
static enum status read_new_line(struct eval *eval, struct id_set *seen, struct text line,
                                 size_t number, struct error *err)
{
    bool is_new = false;
    TRY(id_set_add(seen, line, &is_new, err));
    if (!is_new)
        FAIL(err, ERR_FORMAT, "the same line stands before");
    return read_line(eval, line, number, err);
}

static enum status read_all(struct eval *eval, struct id_set *seen, struct text source,
                            struct error *err)
{
    struct batch_file_lines lines = {.source = source};
    struct text line;
    while (batch_file_next_line(&lines, &line)) {
        struct error why = {0};
        const enum status status = read_new_line(eval, seen, line, lines.number, &why);
        if (status == ERR_MEMORY)
            FAIL(err, status, "%.200s", why.text);
        if (status == OK)
            continue;
        eval->malformed++;
        eval_say("cohort eval: %.200s line %zu: %s", eval->questions_path, lines.number,
                 why.text);
    }
    return OK;
}

static enum status read_lines(struct eval *eval, struct text source, struct error *err)
{
    struct batch_file_lines lines = {.source = source};
    struct id_set seen = {0};
    struct text line;
    size_t count = 0;
    while (batch_file_next_line(&lines, &line))
        count++;
    if (count > EVAL_QUESTIONS_MAX)
        FAIL(err, ERR_LIMIT, "%.150s: %zu questions, at most %d are taken",
             eval->questions_path, count, EVAL_QUESTIONS_MAX);
    eval->questions = ARENA_NEW(&eval->arena, struct eval_question, count + 1);
    if (!eval->questions)
        FAIL(err, ERR_MEMORY, "no memory for %zu questions", count);
    const enum status status = read_all(eval, &seen, source, err);
    id_set_deinit(&seen);
    return status;
}

enum status eval_questions_read(struct eval *eval, struct error *err)
{
    struct text_buf file = {0};
    enum status status = file_map_read(&file, eval->questions_path, FILE_MAX_BYTES, err);
    if (status == OK)
        status = read_lines(eval, text_buf_text(&file), err);
    text_buf_deinit(&file);
    TRY(status);
    if (eval->malformed > 0 && !eval->skip_malformed)
        FAIL(err, ERR_FORMAT,
             "%.120s: %u malformed lines, nothing was asked; --skip-malformed asks the rest",
             eval->questions_path, eval->malformed);
    if (eval->count == 0)
        FAIL(err, ERR_FORMAT, "%.150s: it holds no questions", eval->questions_path);
    return OK;
}
