/*
 * step_draft_test - how many guesses a row carries: the page, the output and what agreed set
 * the bounds; and what is learnt when the shape's guesses were right or wrong.
 */
#include "engine/step_draft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { PROMPT = 40, OUTPUT = 10 };

static token_id prompt[PROMPT], outputs[OUTPUT];
static struct seq_job job;
static struct seq seq;
static struct step step;

/* A sequence whose output has copied prompt[0 .. copied - 1], and may take outputs_max. */
static void make(uint32_t copied, uint32_t outputs_max)
{
    for (uint32_t i = 0; i < PROMPT; i++)
        prompt[i] = (token_id)(i + 100);
    for (uint32_t i = 0; i < copied; i++)
        outputs[i] = prompt[i];
    job = (struct seq_job){
        .ask = {.kind = ENGINE_GENERATE, .prompt = prompt, .prompt_tokens = PROMPT},
        .output_max = outputs_max};
    seq = (struct seq){.job = &job,
                       .outputs = outputs,
                       .output_count = copied,
                       .draft = {.at = copied, .agreed = copied},
                       .forced_next = 7,
                       .result = SEQ_NO_RESULT};
    seq.ready = seq_total(&seq) - 1;
    step = (struct step){.options = {.has_drafts = true}};
}

static void guesses_keep_to_page_output_and_agreement(void **state)
{
    (void)state;
    make(6, 100); /* the row is token 45 of 48 in the third page: two may follow */
    assert_int_equal(step_draft_plan(&step, &seq), 2);
    assert_int_equal(seq.drafted[0], prompt[6]);
    assert_int_equal(seq.drafted[1], prompt[7]);
    assert_int_equal(seq.forced_next, TOKEN_NONE); /* there is no shape */
    make(9, 100);                                  /* the first of its page */
    assert_int_equal(step_draft_plan(&step, &seq), 9);
    make(9, 14); /* five are wanted: a row's own and four */
    assert_int_equal(step_draft_plan(&step, &seq), 4);
    make(9, 10);
    assert_int_equal(step_draft_plan(&step, &seq), 0);
    assert_int_equal(seq.forced_next, TOKEN_NONE);
}

static void some_sequences_have_no_guesses(void **state)
{
    (void)state;
    make(9, 100);
    seq.seen.grows = true;
    assert_int_equal(step_draft_plan(&step, &seq), 0);
    make(9, 100);
    step.options.has_drafts = false;
    assert_int_equal(step_draft_plan(&step, &seq), 0);
    make(9, 100);
    seq.ready--; /* there are two rows to compute */
    assert_int_equal(step_draft_plan(&step, &seq), 0);
    make(9, 100);
    job.ask.kind = ENGINE_SCORE;
    assert_int_equal(step_draft_plan(&step, &seq), 0);
}

static void results_are_awaited_where_copying_pays(void **state)
{
    (void)state;
    make(4, 100);
    assert_false(step_draft_is_awaited(&seq)); /* nothing is on its way */
    seq.result = 0;
    assert_true(step_draft_is_awaited(&seq));
    seq.draft.agreed = 3;
    assert_false(step_draft_is_awaited(&seq));
}

static void trust_follows_what_was_right(void **state)
{
    static const struct {
        bool is_forced;
        uint32_t trust, drafted, right;
        token_id next, token;
        uint32_t after;
    } cases[] = {
        {true, 4, 4, 4, 7, 7, 8},                    /* all: twice as many */
        {true, 12, 12, 12, 7, 7, DRAFT_MAX},         /* up to a page */
        {true, 4, 4, 2, 7, 8, 2},                    /* some: as many */
        {true, 4, 4, 0, 7, 8, 0},                    /* none */
        {false, 0, 0, 0, 7, 7, 1},                   /* one would have been */
        {false, 0, 0, 0, 7, 8, 0},                   /* or not */
        {false, 0, 0, 0, TOKEN_NONE, TOKEN_NONE, 0}, /* nothing was forced */
        {false, 4, 3, 3, 7, 7, 4},                   /* copied ones tell nothing of forced */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        make(6, 100);
        seq.draft_forced = cases[i].is_forced;
        seq.forced_trust = cases[i].trust;
        seq.forced_next = cases[i].next;
        step_draft_learn(&seq, cases[i].drafted, cases[i].right, cases[i].token);
        if (seq.forced_trust != cases[i].after)
            fail_msg("case %zu: %u instead of %u", i, seq.forced_trust, cases[i].after);
        assert_int_equal(seq.forced_next, TOKEN_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guesses_keep_to_page_output_and_agreement),
        cmocka_unit_test(some_sequences_have_no_guesses),
        cmocka_unit_test(results_are_awaited_where_copying_pays),
        cmocka_unit_test(trust_follows_what_was_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
