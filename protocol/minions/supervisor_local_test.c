/* supervisor_local_test - the built-in program's text, and what may be shown as an answer. */
#include "protocol/minions/supervisor_local.h"

#include "protocol/dsl/dsl.h"
#include "tests/harness/scripted_worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint8_t memory[1 << 16];
static const char *scripted;
static bool scripted_cut;

static void write_scripted(void *self, struct worker_job *job, struct arena *arena)
{
    (void)self;
    assert_true(text_find(job->prompt, TEXT("You have 30 days."), 0) != SIZE_MAX);
    job->reply = text_copy(text_of(scripted), arena);
    job->is_cut = scripted_cut;
}

static const struct text PASSAGES[] = {{"You have 30\n  days.", 19},
                                       {"Violations end the license.", 27}};

static const char *answer_to(const char *reply, bool is_cut, bool *is_quoted)
{
    static char kept[256];
    struct arena arena = {.base = memory, .size = sizeof(memory)};
    struct scripted_worker writer = {.answer = write_scripted};
    const struct worker worker = scripted_worker(&writer);
    struct ledger ledger = {0};
    const struct jobs_context context = {.worker = &worker, .arena = &arena, .ledger = &ledger};
    const struct supervisor_local_sources sources = {
        .question = TEXT("How many days to cure a violation?"),
        .passages = PASSAGES,
        .count = 2};
    struct text_buf answer = {0};
    scripted = reply;
    scripted_cut = is_cut;
    assert_int_equal(supervisor_local_answer(&context, &sources, &answer, is_quoted, NULL), OK);
    assert_int_equal(ledger.jobs, 1);
    snprintf(kept, sizeof(kept), "%.*s", TEXT_ARG(text_buf_text(&answer)));
    text_buf_deinit(&answer);
    return kept;
}

static void grounded_words_are_shown(void **state)
{
    (void)state;
    bool is_quoted = true;
    assert_string_equal(answer_to("You have 30 days to cure\na violation.", false, &is_quoted),
                        "You have 30 days to cure a violation.");
    assert_false(is_quoted);
    assert_string_equal(
        answer_to("The answer to this is: You have 30 days.", false, &is_quoted),
        "You have 30 days.");
    assert_false(is_quoted);
    assert_string_equal(answer_to("You have 30 days. Lawyers like it.", false, &is_quoted),
                        "You have 30 days.");
    assert_false(is_quoted);
    assert_string_equal(answer_to("You have 30 days. The license may en", true, &is_quoted),
                        "You have 30 days.");
    assert_false(is_quoted);
}

static void made_up_words_are_not(void **state)
{
    (void)state;
    bool is_quoted = false;
    assert_string_equal(answer_to("You have 60 days.", false, &is_quoted), "You have 30 days.");
    assert_true(is_quoted);
    assert_string_equal(answer_to("Ask your favourite lawyer tomorrow.", false, &is_quoted),
                        "You have 30 days.");
    assert_true(is_quoted);
    assert_string_equal(answer_to("  ", false, &is_quoted), "You have 30 days.");
    assert_true(is_quoted);
    assert_string_equal(answer_to("You do not have 30 days.", false, &is_quoted),
                        "You have 30 days.");
    assert_true(is_quoted);
    assert_string_equal(answer_to("How many days to cure a violation", false, &is_quoted),
                        "You have 30 days.");
    assert_true(is_quoted);
    assert_string_equal(answer_to("You have", true, &is_quoted), "You have 30 days.");
}

static bool is_grounded(const char *written, const char *question, const char *passage)
{
    const struct text passages[] = {text_of(passage)};
    const struct supervisor_local_sources sources = {
        .question = text_of(question), .passages = passages, .count = 1};
    return supervisor_local_is_grounded(text_of(written), &sources);
}

static void known_words_in_other_company_are_not(void **state)
{
    (void)state;
    static const char question[] = "When do patent licenses terminate?";
    static const char passage[] =
        "If You institute patent litigation against any entity, then "
        "any patent licenses granted to You shall terminate as of the "
        "date such litigation is filed.";
    assert_true(is_grounded("Patent licenses terminate as of the date litigation is filed.",
                            question, passage));
    assert_false(is_grounded("Patent licenses terminate when the licenses are filed.", question,
                             passage));
}

static void denials_are_kept(void **state)
{
    (void)state;
    static const char question[] = "Are patents waived?";
    static const char passage[] = "No patents are waived by this document, at a price of 5.";
    assert_true(is_grounded("No patents are waived by this document.", question, passage));
    assert_false(is_grounded("Patents are waived by this document.", question, passage));
    assert_false(is_grounded("The document does not cost 5.", question, "Documents cost 5."));
    assert_true(is_grounded("It is valid for 5 years.", "How long?",
                            "An offer valid for 5 years, at no more than your cost."));
}

static bool is_grounded_in(const char *question, struct text passage, const char *written)
{
    const struct supervisor_local_sources sources = {
        .question = text_of(question), .passages = &passage, .count = 1};
    return supervisor_local_is_grounded(text_of(written), &sources);
}

static void names_and_rows_are_not_made_up(void **state)
{
    (void)state;
    const struct text passage =
        TEXT("The board of the company met in the spring and elected the "
             "chair for one year.");
    assert_true(is_grounded_in("Who was elected?", passage,
                               "The board of the company met and elected the chair."));
    assert_false(is_grounded_in("Who was elected?", passage,
                                "The board (DENP) of the company met and elected the chair."));
    assert_true(is_grounded_in("How long is the chair elected?",
                               TEXT("The chair is elected for 12 months."),
                               "The chair is elected for 12 months."));
    assert_false(is_grounded_in("What was the net income of the company?",
                                TEXT("The company bought shares for $900 million."),
                                "The net income of the company was $900 million."));
    const struct text row = TEXT("Effective tax rate      24.6%");
    assert_true(
        is_grounded_in("What is the tax rate?", row, "The effective tax rate is 24.6%."));
    assert_false(is_grounded_in("What are the earnings?", row, "The earnings are 24.6%."));
}

static void what_is_not_there_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *question;
        bool bears;
    } cases[] = {{"How many moons has Jupiter?", false},
                 {"How many days are left?", true}, /* one of two */
                 {"How many days has a Martian year?", false},
                 {"How many days after a violation of rules?", true},
                 {"Why?", true}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct supervisor_local_sources sources = {
            .question = text_of(cases[i].question), .passages = PASSAGES, .count = 2};
        if (supervisor_local_bears_on(&sources) != cases[i].bears)
            fail_msg("%s", cases[i].question);
    }
    const struct supervisor_local_sources noted = {.question = TEXT("How many moons?"),
                                                   .passages = PASSAGES,
                                                   .count = 2,
                                                   .notes = TEXT("- four moons")};
    assert_true(supervisor_local_bears_on(&noted));
}

static void the_question_is_a_literal(void **state)
{
    (void)state;
    struct text_buf program = {0};
    struct prompts_wishes wishes = {0};
    supervisor_local_program(&program, TEXT(" Who said \"no\\yes\"\n\"\"\" ? "), &wishes);
    assert_non_null(strstr(program.data, "question = \"Who said \\\"no\\\\yes\\\" "
                                         "\\\"\\\"\\\" ?\"\n"));
    assert_non_null(strstr(program.data, "size = 4000\n"));
    assert_null(strstr(program.data, "bm25"));
    wishes = (struct prompts_wishes){.chunk_size = 500, .chunks_max = 7};
    text_buf_clear(&program);
    supervisor_local_program(&program, TEXT("Who?"), &wishes);
    text_buf_byte(&program, '\0');
    assert_non_null(strstr(program.data, "size = 500\n    chunks = "));
    assert_non_null(strstr(program.data, "([question], chunks, k=7)"));
    text_buf_deinit(&program);
}

/* The jobs that the program makes of count documents of so many bytes each. */
static uint32_t count_jobs(uint32_t count, size_t bytes)
{
    struct text texts[32];
    struct text_buf program = {0}, document = {0};
    struct dsl_program *opened = NULL;
    struct dsl_jobs jobs;
    struct dsl_fault fault;
    while (document.size < bytes)
        text_buf_add(&document, TEXT("words and words. "));
    for (uint32_t i = 0; i < count; i++)
        texts[i] = text_buf_text(&document);
    const struct prompts_wishes wishes = {0};
    supervisor_local_program(&program, TEXT("What is said?"), &wishes);
    const struct dsl_options options = {
        .source = text_buf_text(&program), .documents = texts, .document_count = count};
    assert_int_equal(dsl_open(&opened, &options, &fault, NULL), OK);
    assert_int_equal(dsl_prepare_jobs(opened, NULL, &jobs, &fault, NULL), OK);
    const uint32_t made = jobs.count;
    dsl_close(opened);
    text_buf_deinit(&program);
    text_buf_deinit(&document);
    return made;
}

static void chunks_grow_with_the_documents(void **state)
{
    (void)state;
    assert_int_equal(count_jobs(1, 100), 1);
    assert_int_equal(count_jobs(2, 25000), 18);   /* one begins every 2800 characters */
    const uint32_t many = count_jobs(30, 300000); /* 9 MB: 3,240 of those would be too many */
    assert_true(many >= 1000 && many <= 1030);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grounded_words_are_shown),
        cmocka_unit_test(made_up_words_are_not),
        cmocka_unit_test(known_words_in_other_company_are_not),
        cmocka_unit_test(denials_are_kept),
        cmocka_unit_test(names_and_rows_are_not_made_up),
        cmocka_unit_test(what_is_not_there_is_told),
        cmocka_unit_test(the_question_is_a_literal),
        cmocka_unit_test(chunks_grow_with_the_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
