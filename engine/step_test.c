/*
 * step_test - jobs through the whole step with a fake forward pass: the same text in any
 * company, order, pool size; sharing; samples; scores; cancels; failures; no page lost.
 */
#include "tests/harness/step_bench.h"

#include "base/clock.h"
#include "tests/harness/sanitized.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifdef COHORT_HARD
enum { IS_HARD = 1 }; /* preempted at every step: more is computed than need be */
#else
enum { IS_HARD = 0 };
#endif
static void one_job_alone(void **state)
{
    (void)state;
    struct step_bench *bench = step_bench_open(32, 4, 64);
    token_id prompt[100];
    step_bench_random = 1;
    step_bench_fill(prompt, 100);
    const struct engine_job ask = {.prompt = prompt, .prompt_tokens = 100, .max_tokens = 20};
    step_bench_submit(bench, &ask);
    step_bench_run(bench);
    assert_int_equal(bench->output_counts[0][0], 20);
    assert_int_equal(bench->done[0][0].finish, ENGINE_LENGTH);
    assert_int_equal(bench->step.stats.computed_prompt_tokens, 100);
    step_bench_expect(bench, &ask, 0);
    step_bench_close(bench);
}

/* Nearly the same jobs at once, in pools from ample to tiny, steps from large to tiny. */
static void any_company_any_pool(void **state)
{
    (void)state;
    static const struct {
        uint32_t pages, sequences, rows, shared, own;
    } cases[] = {{2000, 96, 512, 300, 100}, {60, 16, 64, 300, 100}, {40, 7, 33, 250, 60},
                 {16, 4, 20, 100, 20},      {8, 3, 7, 40, 20},      {4, 2, 5, 10, 8},
                 {4, 96, 512, 10, 8},       {30, 1, 1, 150, 60}};
    struct step_bench_family *family = calloc(1, sizeof *family);
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++)
        for (uint32_t round = 0; round < 6; round++) {
            step_bench_random = 100 * c + round;
            const uint32_t jobs = 20 + step_bench_below(40);
            struct step_bench *bench =
                step_bench_open(cases[c].pages, cases[c].sequences, cases[c].rows);
            step_bench_family_make(family, jobs, cases[c].shared, cases[c].own);
            step_bench_trickle(bench, family->asks, jobs);
            step_bench_run(bench);
            step_bench_family_expect(bench, family, jobs);
            step_bench_close(bench);
        }
    free(family);
}

/* Sequences that end when nobody could know: what was computed for them past their end is in
 * nobody's way, in pools of any size. */
static void unforeseen_ends(void **state)
{
    (void)state;
    struct step_bench_family *family = calloc(1, sizeof *family);
    for (uint32_t round = 0; round < 60; round++) {
        step_bench_random = 4000 + round;
        const uint32_t jobs = 30;
        struct step_bench *bench = step_bench_open_drawn();
        bench->fake.none_of = 11;
        step_bench_family_make(family, jobs, 80, 20);
        step_bench_trickle(bench, family->asks, jobs);
        step_bench_run(bench);
        uint32_t early = 0;
        for (uint32_t i = 0; i < jobs; i++)
            for (uint32_t s = 0; s < family->asks[i].sample_count; s++) {
                const bool is_told = bench->done[i][s].finish != ENGINE_FAILED;
                step_bench_expect(bench, &family->asks[i], s);
                assert_int_equal(bench->done[i][s].kind, ENGINE_DONE);
                early += !is_told && bench->output_counts[i][s] > 0;
            }
        assert_true(early > 0);
        step_bench_close(bench);
    }
    free(family);
}

/* Cancels at any time leave the others' text as it is and lose no page. */
static void cancels(void **state)
{
    (void)state;
    struct step_bench_family *family = calloc(1, sizeof *family);
    for (uint32_t round = 0; round < 400; round++) {
        step_bench_random = 7000 + round;
        const uint32_t jobs = 30;
        struct step_bench *bench = step_bench_open_drawn();
        step_bench_family_make(family, jobs, 80, 20);
        for (uint32_t i = 0; i < jobs; i++) {
            step_bench_submit(bench, &family->asks[i]);
            for (uint32_t t = step_bench_below(4); t > 0; t--)
                step_turn(&bench->step);
            if (step_bench_below(2))
                step_cancel(&bench->step, 1 + step_bench_below(i + 1));
            step_check(&bench->step);
        }
        if (round % 2)
            step_cancel_all(&bench->step);
        step_bench_run(bench);
        step_bench_family_expect(bench, family, jobs);
        step_bench_close(bench);
    }
    free(family);
}

/* Who computes a prefix that others wait for is cancelled: another goes on with it. */
static void owners_that_leave(void **state)
{
    (void)state;
    for (uint32_t turns = 1; turns < 16; turns++)
        for (uint32_t cancelled = 1; cancelled < 8; cancelled++) {
            struct step_bench *bench =
                step_bench_open_tight(400, 8, 512, 24); /* 24 rows in a step */
            token_id prompts[8][150];
            struct engine_job asks[8];
            step_bench_random = 21;
            step_bench_fill(prompts[0], 150);
            for (uint32_t i = 0; i < 8; i++) { /* each leaves the first a little later */
                memcpy(prompts[i], prompts[0], sizeof prompts[0]);
                step_bench_fill(prompts[i] + 90 + i * 5, 60 - i * 5);
                asks[i] = (struct engine_job){
                    .prompt = prompts[i], .prompt_tokens = 150, .max_tokens = 5, .tag = i};
                step_bench_submit(bench, &asks[i]);
            }
            for (uint32_t t = 0; t < turns; t++)
                step_turn(&bench->step);
            for (uint32_t bit = 0; bit < 3; bit++)
                if (cancelled >> bit & 1)
                    step_cancel(&bench->step, 1 + bit);
            step_check(&bench->step);
            step_bench_run(bench);
            for (uint32_t i = 0; i < 8; i++)
                step_bench_expect(bench, &asks[i], 0);
            assert_int_equal(bench->output_counts[7][0], 5);
            step_bench_close(bench);
        }
}

/* A failing step ends what runs, and what comes later is computed from nothing again. */
static void step_failures(void **state)
{
    (void)state;
    struct step_bench_family *family = calloc(1, sizeof *family);
    for (int32_t at = 1; at < 30; at++) {
        step_bench_random = 900;
        struct step_bench *bench = step_bench_open(100, 8, 64);
        bench->fake.fail_at = at;
        bench->fake.fail_with = ERR_LIMIT;
        step_bench_family_make(family, 30, 200, 50);
        for (uint32_t i = 0; i < 30; i++)
            step_bench_submit(bench, &family->asks[i]);
        step_bench_run(bench);
        step_bench_family_expect(bench, family, 30);
        step_bench_close(bench);
    }
    free(family);
}

/* A device that has failed is of no more use: all that runs, waits or comes later ends. */
static void a_lost_device_ends_everything(void **state)
{
    (void)state;
    struct step_bench_family *family = calloc(1, sizeof *family);
    struct step_bench *bench = step_bench_open(100, 8, 64);
    struct error err = {0};
    bench->fake.fail_at = 5;
    bench->fake.fail_with = ERR_DEVICE;
    step_bench_family_make(family, 30, 200, 50);
    for (uint32_t i = 0; i < 29; i++)
        step_bench_submit(bench, &family->asks[i]);
    assert_int_equal(step_failure(&bench->step, &err), OK);
    step_bench_run(bench);
    assert_int_equal(bench->fake.steps, 5);
    assert_int_equal(step_failure(&bench->step, &err), ERR_DEVICE);
    assert_string_equal(err.text, "the fake device fails at step 5");
    step_bench_submit(bench, &family->asks[29]);
    step_bench_drain(bench);
    assert_false(step_turn(&bench->step));
    for (uint32_t i = 0; i < 30; i++)
        for (uint32_t s = 0; s < family->asks[i].sample_count; s++)
            assert_int_equal(bench->done[i][s].finish, ENGINE_FAILED);
    step_bench_close(bench);
    free(family);
}

/* chunks x jobs; each chunk's shared tokens are computed once, whatever the order. */
static double computed_over_ideal(uint32_t chunks, uint32_t jobs, uint32_t shared, uint32_t own,
                                  bool by_task)
{
    struct step_bench *bench =
        step_bench_open(1100, 96, 512); /* room for a sixth of the jobs */
    token_id *tokens =
        calloc((size_t)chunks * (shared + jobs * (size_t)(shared + own)), sizeof *tokens);
    token_id *prompts = tokens + (size_t)chunks * shared;
    step_bench_fill(tokens, chunks * shared);
    for (uint32_t i = 0; i < chunks * jobs; i++) {
        const uint32_t chunk = by_task ? i % chunks : i / jobs;
        token_id *prompt = prompts + (size_t)i * (shared + own);
        memcpy(prompt, tokens + (size_t)chunk * shared, shared * sizeof *prompt);
        step_bench_fill(prompt + shared, own);
        const struct engine_job ask = {
            .prompt = prompt, .prompt_tokens = shared + own, .max_tokens = 64, .tag = i};
        step_bench_submit(bench, &ask);
        if (i % 5 == 4) /* jobs trickle in while the first run already */
            step_turn(&bench->step);
    }
    step_bench_run(bench);
    const double ideal = chunks * (double)(shared + jobs * own);
    const double computed = (double)bench->step.stats.computed_prompt_tokens;
    print_message("%u x %u, %u + %u, %s order: %.4f of the ideal, %lu steps, %lu rows\n",
                  chunks, jobs, shared, own, by_task ? "task" : "chunk", computed / ideal,
                  (unsigned long)bench->fake.steps, (unsigned long)bench->fake.rows);
    free(tokens);
    step_bench_close(bench);
    return computed / ideal;
}

static void leave_out_when_hard(void)
{
    if (!IS_HARD)
        return;
    print_message("left out: counts what is computed, and preempted jobs are computed again\n");
    skip();
}

static void prefixes_are_computed_once(void **state)
{
    (void)state;
    SANITIZED_SKIP();
    step_bench_random = 5;
    leave_out_when_hard();
    for (int by_task = 0; by_task < 2; by_task++) {
        assert_true(computed_over_ideal(32, 3, 800, 250, by_task) <= 1.0001);
        assert_true(computed_over_ideal(16, 3, 807, 250, by_task) <= 1.003);
        assert_true(computed_over_ideal(8, 8, 415, 50, by_task) <= 1.02);
        assert_true(computed_over_ideal(40, 2, 15, 5, by_task) <= 1.02);
    }
}

/* Samples of one job share the prompt and split by copy. */
static void samples_share_the_prompt(void **state)
{
    (void)state;
    leave_out_when_hard();
    struct step_bench *bench = step_bench_open(200, 16, 64);
    token_id prompt[90];
    step_bench_random = 3;
    step_bench_fill(prompt, 90);
    const struct engine_job ask = {
        .prompt = prompt, .prompt_tokens = 90, .max_tokens = 20, .sample_count = 12};
    step_bench_submit(bench, &ask);
    step_bench_run(bench);
    assert_int_equal(bench->step.stats.computed_prompt_tokens, 90);
    assert_int_equal(bench->fake.copies, 11);
    for (uint32_t s = 0; s < 12; s++)
        step_bench_expect(bench, &ask, s);
    assert_int_not_equal(bench->outputs[0][0][0], bench->outputs[0][1][0]);
    step_bench_close(bench);
}

/* A conversation goes on: what was written is found again, not only what was asked. */
static void outputs_are_found_again(void **state)
{
    (void)state;
    struct step_bench *bench = step_bench_open(64, 4, 64);
    token_id prompt[200];
    step_bench_random = 8;
    step_bench_fill(prompt, 50);
    struct engine_job ask = {.prompt = prompt, .prompt_tokens = 50, .max_tokens = 60};
    step_bench_submit(bench, &ask);
    step_bench_run(bench);
    memcpy(prompt + 50, bench->outputs[0][0], 60 * sizeof *prompt);
    step_bench_fill(prompt + 110, 30);
    ask.prompt_tokens = 140;
    ask.tag = 1;
    step_bench_submit(bench, &ask);
    step_bench_run(bench);
    step_bench_expect(bench, &ask, 0);
    assert_int_equal(bench->done[1][0].cached_tokens, 96); /* whole pages of 109 tokens */
    step_bench_close(bench);
}

/* A score is the same alone and in chunks, and does not compute the last token. */
static void scores_add_up(void **state)
{
    (void)state;
    token_id prompt[150];
    step_bench_random = 4;
    step_bench_fill(prompt, 150);
    double expected = 0;
    for (uint32_t p = 99; p < 149; p++)
        expected -=
            (double)((float)((step_fake_next(prompt, p + 1, 9, 0) * 7 + prompt[p + 1]) % 97) /
                     16);
    for (uint32_t rows = 1; rows < 200; rows += 33) {
        struct step_bench *bench = step_bench_open(40, 2, rows);
        const struct engine_job ask = {.kind = ENGINE_SCORE,
                                       .prompt = prompt,
                                       .prompt_tokens = 150,
                                       .score_tokens = 50,
                                       .seed = 9};
        step_bench_submit(bench, &ask);
        step_bench_run(bench);
        assert_int_equal(bench->done[0][0].finish, ENGINE_STOP);
        assert_true(bench->done[0][0].score == expected);
        assert_int_equal(bench->fake.rows, 149);
        step_bench_close(bench);
    }
}

/* The line is served in order of first arrivals: an early job does not end last. */
static void nobody_starves(void **state)
{
    (void)state;
    struct step_bench *bench = step_bench_open(64, 4, 32);
    token_id shared[64];
    token_id prompts[STEP_BENCH_JOBS][80];
    step_bench_random = 11;
    step_bench_fill(shared, 64);
    for (uint32_t i = 0; i < STEP_BENCH_JOBS; i++) {
        step_bench_fill(prompts[i], 80);
        if (i != 5)
            memcpy(prompts[i], shared, sizeof shared);
        const struct engine_job ask = {
            .prompt = prompts[i], .prompt_tokens = 80, .max_tokens = 4, .tag = i};
        step_bench_submit(bench, &ask);
        if (i >= 16)
            step_turn(&bench->step);
        step_bench_drain(bench);
    }
    step_bench_run(bench);
    assert_int_equal(bench->done_count, STEP_BENCH_JOBS);
    step_bench_close(bench);
}

/* What the host itself costs: 96 sequences decoding, and prefill to fill 512 rows. */
static void host_overhead(void **state)
{
    (void)state;
    SANITIZED_SKIP();
    struct step_bench *bench = step_bench_open(8000, 96, 512);
    bench->fake.checks = false;
    token_id *prompts = calloc(STEP_BENCH_JOBS * 1050u, sizeof *prompts);
    step_bench_random = 12;
    for (uint32_t i = 0; i < 200; i++) {
        step_bench_fill(prompts + i * 1050u, 1050);
        memcpy(prompts + i * 1050u, prompts + i / 3 * 3 * 1050u, 800 * sizeof *prompts);
        const struct engine_job ask = {
            .prompt = prompts + i * 1050u, .prompt_tokens = 1050, .max_tokens = 64, .tag = i};
        step_bench_submit(bench, &ask);
    }
    double worst = 0;
    const double start = clock_now_s();
    for (;;) {
        const double turn = clock_now_s();
        if (!step_turn(&bench->step))
            break;
        const double took = clock_now_s() - turn;
        worst = took > worst ? took : worst;
        step_bench_drain(bench);
    }
    step_bench_drain(bench);
    const double steps = (double)bench->fake.steps;
    print_message("host: %.0f us per step of %.0f rows, worst %.0f us\n",
                  (clock_now_s() - start) / steps * 1e6, (double)bench->fake.rows / steps,
                  worst * 1e6);
    free(prompts);
    step_bench_close(bench);
}

/* Planned ahead, a sequence that ends by a stop has had one row too many, one that ends by its
 * length none. */
static void ahead_wastes_a_row_at_most(void **state)
{
    (void)state;
    leave_out_when_hard();
    struct step_bench *bench = step_bench_open(64, 4, 64);
    token_id prompt[40];
    step_bench_random = 15;
    step_bench_fill(prompt, 40);
    const struct engine_job ask = {.prompt = prompt, .prompt_tokens = 40, .max_tokens = 30};
    step_bench_submit(bench, &ask);
    step_bench_run(bench);
    step_bench_expect(bench, &ask, 0);
    assert_int_equal(bench->output_counts[0][0], 30);
    assert_int_equal(bench->fake.rows, 40 + 29);
    assert_int_equal(bench->fake.ahead, step_bench_is_ahead ? 29 : 0);
    step_bench_close(bench);
}

/* What copies from the prompt is guessed: the same text in fewer steps, no row more than was
 * drafted; a guess is dropped where it would pass the page or the output. */
static void copies_are_drafted(void **state)
{
    (void)state;
    leave_out_when_hard();
    uint64_t steps[2];
    for (int drafts = 0; drafts < 2; drafts++) {
        struct step_bench *bench = step_bench_open(400, 8, 256);
        token_id prompt[8][300];
        bench->step.options.has_drafts = drafts == 1;
        step_bench_random = 31;
        for (uint32_t i = 0; i < 8; i++) {
            step_bench_fill(prompt[i], 300);
            const struct engine_job ask = {.prompt = prompt[i],
                                           .prompt_tokens = 250 + i,
                                           .max_tokens = 70,
                                           .seed = STEP_FAKE_COPIES,
                                           .tag = i};
            step_bench_submit(bench, &ask);
        }
        step_bench_run(bench);
        for (uint32_t i = 0; i < 8; i++) {
            const struct engine_job ask = {.prompt = prompt[i],
                                           .prompt_tokens = 250 + i,
                                           .seed = STEP_FAKE_COPIES,
                                           .tag = i};
            step_bench_expect(bench, &ask, 0);
            assert_int_equal(bench->output_counts[i][0], 70);
        }
        const struct engine_stats *stats = &bench->step.stats;
        steps[drafts] = stats->steps;
        assert_true(stats->accepted_tokens <= stats->drafted_tokens);
        assert_int_equal(stats->accepted_tokens > 100, drafts);
        print_message("%s drafts: %lu steps, %lu tokens drafted, %lu rightly\n",
                      drafts ? "with" : "without", (unsigned long)stats->steps,
                      (unsigned long)stats->drafted_tokens,
                      (unsigned long)stats->accepted_tokens);
        step_bench_close(bench);
    }
    assert_true(steps[1] < steps[0]);
}

/* Jobs past their deadline end, those that wait as those that run; the others' text stays as it
 * is, and no page is lost. */
static void deadlines(void **state)
{
    (void)state;
    struct step_bench_family *family = calloc(1, sizeof *family);
    uint32_t late = 0, in_time = 0;
    for (uint32_t round = 0; round < 100; round++) {
        step_bench_random = 9000 + round;
        const uint32_t jobs = 30;
        struct step_bench *bench = step_bench_open_drawn();
        step_bench_now_s = 1000;
        step_bench_family_make(family, jobs, 80, 20);
        for (uint32_t i = 0; i < jobs; i++) {
            family->asks[i].deadline_ms = step_bench_below(2) ? 1 + step_bench_below(40000) : 0;
            step_bench_submit(bench, &family->asks[i]);
        }
        while (step_turn(&bench->step)) {
            step_check(&bench->step);
            step_bench_now_s += 1;
            step_bench_drain(bench);
        }
        step_bench_drain(bench);
        step_bench_family_expect(bench, family, jobs);
        for (uint32_t i = 0; i < jobs; i++) {
            const bool is_late = bench->done[i][0].finish == ENGINE_DEADLINE;
            assert_true(!is_late || family->asks[i].deadline_ms > 0);
            late += is_late;
            in_time += !is_late && family->asks[i].deadline_ms > 0;
        }
        assert_true(bench->step.next_deadline_s <= 0 ||
                    bench->step.next_deadline_s > step_bench_now_s - 2);
        step_bench_close(bench);
    }
    assert_true(late > 100 && in_time > 100);
    free(family);
}

/* A job that has not begun by its deadline is ended in the turn in which that passes. */
static void a_deadline_is_kept_to_the_turn(void **state)
{
    (void)state;
    struct step_bench *bench = step_bench_open(32, 1, 64);
    token_id prompt[20];
    step_bench_random = 1;
    step_bench_now_s = 50;
    step_bench_fill(prompt, 20);
    struct engine_job ask = {.prompt = prompt, .prompt_tokens = 20, .max_tokens = 20};
    step_bench_submit(bench, &ask);
    ask.tag = 1;
    ask.deadline_ms = 5000;
    step_bench_submit(bench, &ask); /* waits for the only place */
    step_bench_now_s = 54.9;
    assert_true(step_turn(&bench->step));
    step_bench_drain(bench);
    assert_int_equal(bench->done_count, 0);
    step_bench_now_s = 55;
    assert_true(step_turn(&bench->step));
    step_bench_drain(bench);
    assert_int_equal(bench->done_count, 1);
    assert_int_equal(bench->done[1][0].finish, ENGINE_DEADLINE);
    assert_int_equal(bench->output_counts[1][0], 0);
    step_bench_run(bench);
    assert_int_equal(bench->output_counts[0][0], 20);
    step_bench_close(bench);
}

static void expect_vector(const struct step_bench *bench, const struct engine_job *ask)
{
    double sums[STEP_FAKE_HIDDEN] = {0};
    const uint32_t last = ask->prompt_tokens;
    const uint32_t first = ask->pooling == ENGINE_POOL_MEAN ? 1 : last;
    for (uint32_t i = first; i <= last; i++) {
        float hidden[STEP_FAKE_HIDDEN];
        step_fake_state(ask->prompt, i, hidden);
        for (int d = 0; d < STEP_FAKE_HIDDEN; d++)
            sums[d] += (double)hidden[d];
    }
    assert_int_equal(bench->done[ask->tag][0].finish, ENGINE_STOP);
    assert_int_equal(bench->done[ask->tag][0].vector_size, STEP_FAKE_HIDDEN);
    for (int d = 0; d < STEP_FAKE_HIDDEN; d++)
        assert_true(bench->vectors[ask->tag][d] == (float)(sums[d] / (last - first + 1)));
}

/* Vectors among texts, in pools of any size: each position once, in its order. */
static void embeddings(void **state)
{
    (void)state;
    struct step_bench_family *family = calloc(1, sizeof *family);
    for (uint32_t round = 0; round < 100; round++) {
        step_bench_random = 12000 + round;
        const uint32_t jobs = 30;
        struct step_bench *bench = step_bench_open_drawn();
        step_bench_family_make(family, jobs, 80, 20);
        for (uint32_t i = 0; i < jobs; i += 2) {
            family->asks[i].kind = ENGINE_EMBED;
            family->asks[i].pooling = i % 4 ? ENGINE_POOL_MEAN : ENGINE_POOL_LAST;
            family->asks[i].sample_count = family->asks[i].max_tokens = 1;
        }
        step_bench_trickle(bench, family->asks, jobs);
        step_bench_run(bench);
        step_bench_family_expect(bench, family, jobs);
        for (uint32_t i = 0; i < jobs; i += 2)
            expect_vector(bench, &family->asks[i]);
        step_bench_close(bench);
    }
    free(family);
}

static int settled_at_once(void **state)
{
    (void)state;
    step_bench_is_ahead = false;
    return 0;
}

static int planned_ahead(void **state)
{
    (void)state;
    step_bench_is_ahead = true;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_job_alone),
        cmocka_unit_test(samples_share_the_prompt),
        cmocka_unit_test(outputs_are_found_again),
        cmocka_unit_test(scores_add_up),
        cmocka_unit_test(any_company_any_pool),
        cmocka_unit_test(unforeseen_ends),
        cmocka_unit_test(cancels),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(embeddings),
        cmocka_unit_test(a_deadline_is_kept_to_the_turn),
        cmocka_unit_test(owners_that_leave),
        cmocka_unit_test(step_failures),
        cmocka_unit_test(a_lost_device_ends_everything),
        cmocka_unit_test(prefixes_are_computed_once),
        cmocka_unit_test(nobody_starves),
        cmocka_unit_test(host_overhead),
        cmocka_unit_test(ahead_wastes_a_row_at_most),
        cmocka_unit_test(copies_are_drafted),
    };
    const int failed =
        cmocka_run_group_tests_name("settled at once", tests, settled_at_once, NULL);
    return failed + cmocka_run_group_tests_name("planned ahead", tests, planned_ahead, NULL);
}
