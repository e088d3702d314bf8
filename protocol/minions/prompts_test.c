/* prompts_test - what a supervisor is told of the documents. */
#include "protocol/minions/prompts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void many_documents_are_counted(void **state)
{
    (void)state;
    enum { COUNT = 203 };
    struct text *names = calloc(COUNT, sizeof(*names)), *texts = calloc(COUNT, sizeof(*texts));
    assert_true(names && texts);
    for (size_t i = 0; i < COUNT; i++) {
        names[i] = TEXT("a.txt");
        texts[i] = TEXT("never shown");
    }
    struct documents documents = {.names = names, .texts = texts, .count = COUNT};
    struct text_buf prompt = {0};
    prompts_advice(&prompt, TEXT("Why?"), &documents);
    assert_non_null(
        strstr(prompt.data, "- document 199: a.txt, 11 bytes of text\n- and 3 more\n"));
    assert_null(strstr(prompt.data, "document 200"));
    assert_null(strstr(prompt.data, "never shown"));
    text_buf_clear(&prompt);
    documents.count = 2;
    prompts_advice(&prompt, TEXT("Why?"), &documents);
    assert_non_null(strstr(prompt.data, "- document 1: a.txt"));
    assert_null(strstr(prompt.data, " more\n"));
    text_buf_deinit(&prompt);
    free(names);
    free(texts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(many_documents_are_counted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
