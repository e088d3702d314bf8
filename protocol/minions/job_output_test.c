/* job_output_test - every way a worker replies, well or badly. */
#include "protocol/minions/job_output.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static uint8_t memory[1 << 16];
static const char CHUNK[] = "Sales rose to $4.2\n  million in 2019. Costs fell.";

static struct job_output parse(const char *reply, bool is_cut)
{
    struct arena arena = {.base = memory, .size = sizeof(memory)};
    struct job_output output;
    job_output_parse(text_of(reply), is_cut, text_of(CHUNK), &arena, &output);
    return output;
}

static void an_answer_with_its_place(void **state)
{
    (void)state;
    const struct job_output output =
        parse("{\"explanation\": \"it says so\", \"citation\": \"Sales rose to $4.2 million in "
              "2019.\", \"answer\": \"$4.2 million\"}",
              false);
    assert_int_equal(output.kind, JOB_OUTPUT_ANSWER);
    assert_true(text_equal(output.answer, TEXT("$4.2 million")));
    assert_int_equal(output.citation_offset, 0);
    assert_true(text_equal(output.citation, TEXT("Sales rose to $4.2\n  million in 2019.")));
}

static void prose_fences_and_quotes(void **state)
{
    (void)state;
    const struct job_output output =
        parse("Sure:\n```json\n{\"answer\": \"yes\", \"citation\": \"\\\"Costs fell...\\\"\"}\n"
              "```\nDone.",
              false);
    assert_int_equal(output.kind, JOB_OUTPUT_ANSWER);
    assert_true(text_equal(output.citation, TEXT("Costs fell")));
    assert_int_equal(output.explanation.size, 0);
}

static void a_made_up_citation_is_dropped(void **state)
{
    (void)state;
    const struct job_output output =
        parse("{\"explanation\":\"\",\"citation\":\"Sales fell\",\"answer\":\"4\"}", false);
    assert_int_equal(output.kind, JOB_OUTPUT_UNGROUNDED);
    assert_int_equal(output.citation.size, 0);
    assert_int_equal(parse("{\"answer\": \"4\"}", false).kind, JOB_OUTPUT_UNGROUNDED);
}

static void none_in_all_spellings(void **state)
{
    (void)state;
    assert_int_equal(parse("{\"answer\": null}", false).kind, JOB_OUTPUT_NONE);
    assert_int_equal(parse("{\"answer\": \"None.\"}", false).kind, JOB_OUTPUT_NONE);
    assert_int_equal(parse("{\"answer\": \" \"}", false).kind, JOB_OUTPUT_NONE);
    assert_true(job_output_is_none(TEXT("'N/A'")));
    assert_false(job_output_is_none(TEXT("None of the parties")));
}

static void what_cannot_be_read(void **state)
{
    (void)state;
    assert_int_equal(parse("", false).kind, JOB_OUTPUT_UNREADABLE);
    assert_int_equal(parse("no braces", false).kind, JOB_OUTPUT_UNREADABLE);
    assert_int_equal(parse("}{", false).kind, JOB_OUTPUT_UNREADABLE);
    assert_int_equal(parse("{\"answer\": 4}", false).kind, JOB_OUTPUT_UNREADABLE);
    assert_int_equal(parse("{\"citation\": null}", false).kind, JOB_OUTPUT_UNREADABLE);
    assert_int_equal(parse("{\"answer\": \"ye", true).kind, JOB_OUTPUT_TRUNCATED);
    struct arena tiny = {.base = memory, .size = 4};
    struct job_output output;
    job_output_parse(TEXT("{\"answer\": \"long enough\"}"), false, text_of(CHUNK), &tiny,
                     &output);
    assert_int_equal(output.kind, JOB_OUTPUT_UNREADABLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_with_its_place),
        cmocka_unit_test(prose_fences_and_quotes),
        cmocka_unit_test(a_made_up_citation_is_dropped),
        cmocka_unit_test(none_in_all_spellings),
        cmocka_unit_test(what_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
