/*
 * step_test - jobs through the whole step with a fake forward pass: the same text in any
 * company, order, pool size; sharing; samples; scores; cancels; failures; no page lost.
 */
#include "engine/step_fake.h"

#include "base/clock.h"

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
enum { OUTPUT_MAX = 80, SAMPLES_MAX = 16, JOBS_MAX = 256 };

static uint64_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(random_state >> 33) % limit;
}

/* One engine without a thread, and what came out of it. */
struct bench {
    struct arena arena;
    struct queue outbox;
    struct step_fake fake;
    struct step step;
    token_id outputs[JOBS_MAX][SAMPLES_MAX][OUTPUT_MAX];
    uint32_t output_counts[JOBS_MAX][SAMPLES_MAX];
    struct engine_event done[JOBS_MAX][SAMPLES_MAX];
    uint32_t done_count, jobs_given, next_id;
};

/* partials 0: room enough. */
static struct bench *bench_open_tight(uint32_t pages, uint32_t sequences, uint32_t rows,
                                      uint32_t partials)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    struct step_options options = {
        .limits = {.rows_max = rows,
                   .heads_max = sequences + 16,
                   .partials_max = partials ? partials : 8 * rows + 64,
                   .split = ATTENTION_SPLIT},
        .sequences_max = sequences,
        .page_count = pages,
        .tokens_max = pages * KV_PAGE_TOKENS < STEP_FAKE_CONTEXT ? pages * KV_PAGE_TOKENS
                                                                 : STEP_FAKE_CONTEXT,
        .jobs_max = JOBS_MAX,
        .outbox = &bench->outbox,
        .run = step_fake_run,
        .run_context = &bench->fake,
    };
    struct error err;
    assert_int_equal(arena_init(&bench->arena, (size_t)64 << 20, &err), OK);
    assert_int_equal(queue_init(&bench->outbox, 1 << 14, sizeof(struct step_event), &err), OK);
    assert_true(step_fake_init(&bench->fake, (int32_t)pages));
    assert_int_equal(step_init(&bench->step, &options, &bench->arena, &err), OK);
    return bench;
}

static struct bench *bench_open(uint32_t pages, uint32_t sequences, uint32_t rows)
{
    return bench_open_tight(pages, sequences, rows, 0);
}

static void bench_drain(struct bench *bench)
{
    struct step_event item;
    while (queue_pull(&bench->outbox, &item, 0)) {
        const struct engine_event *event = &item.event;
        const uint32_t job = (uint32_t)event->tag;
        if (event->kind == ENGINE_TOKEN) {
            uint32_t *count = &bench->output_counts[job][event->sample];
            assert_true(*count < OUTPUT_MAX);
            bench->outputs[job][event->sample][(*count)++] = event->token;
            continue;
        }
        bench->done[job][event->sample] = *event;
        bench->done_count++;
        assert_int_equal(item.job != NULL, event->samples_left == 0);
        if (item.job) {
            bench->jobs_given--;
            free(item.job);
        }
    }
}

static void bench_run(struct bench *bench)
{
    while (step_turn(&bench->step)) {
        step_check(&bench->step);
        bench_drain(bench);
    }
    bench_drain(bench);
}

/* All jobs ended: every page must be free again once the tree is emptied. */
static void bench_close(struct bench *bench)
{
    assert_int_equal(bench->jobs_given, 0);
    assert_int_equal(bench->step.running_count, 0);
    step_check(&bench->step);
    kv_prefix_clear(&bench->step.prefix);
    assert_int_equal(bench->step.pool.free_count, bench->step.pool.page_count);
    step_deinit(&bench->step);
    queue_deinit(&bench->outbox);
    step_fake_deinit(&bench->fake);
    arena_deinit(&bench->arena);
    free(bench);
}

static uint64_t bench_submit(struct bench *bench, const struct engine_job *ask)
{
    struct engine_job copy = *ask;
    const uint32_t room = bench->step.options.tokens_max - ask->prompt_tokens;
    if (copy.sample_count == 0)
        copy.sample_count = 1;
    struct seq_job *job =
        seq_job_new(&copy, ++bench->next_id, copy.max_tokens < room ? copy.max_tokens : room);
    assert_non_null(job);
    bench->jobs_given++;
    step_submit(&bench->step, job);
    return job->id;
}

/* Submits jobs with up to two steps between them. */
static void bench_trickle(struct bench *bench, const struct engine_job *asks, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        bench_submit(bench, &asks[i]);
        for (uint32_t t = random_below(3); t > 0 && step_turn(&bench->step); t--)
            step_check(&bench->step);
    }
}

static void fill_random(token_id *tokens, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        tokens[i] = (token_id)random_below(STEP_FAKE_VOCAB);
}

/* What the job must say, from the definition. */
static void expect_output(const struct bench *bench, const struct engine_job *ask,
                          uint32_t sample)
{
    token_id tokens[STEP_FAKE_CONTEXT];
    memcpy(tokens, ask->prompt, ask->prompt_tokens * sizeof *tokens);
    const uint32_t count = bench->output_counts[ask->tag][sample];
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t at = ask->prompt_tokens + i;
        tokens[at] = step_fake_next(tokens, at, ask->seed, sample);
        assert_int_equal(bench->outputs[ask->tag][sample][i], tokens[at]);
    }
}

/* Prompts that share beginnings of odd lengths with each other. */
struct family {
    token_id shared[4][300];
    token_id prompts[JOBS_MAX][400];
    struct engine_job asks[JOBS_MAX];
};

static void family_make(struct family *family, uint32_t count, uint32_t shared_max,
                        uint32_t own_max)
{
    for (int i = 0; i < 4; i++)
        fill_random(family->shared[i], 300);
    memcpy(family->shared[1], family->shared[0], 37 * sizeof(token_id)); /* a header */
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t shared = random_below(shared_max + 1);
        const uint32_t own = 1 + random_below(own_max);
        memcpy(family->prompts[i], family->shared[random_below(4)], shared * sizeof(token_id));
        fill_random(family->prompts[i] + shared, own);
        family->asks[i] = (struct engine_job){
            .kind = random_below(5) == 0 && shared + own > 1 ? ENGINE_SCORE : ENGINE_GENERATE,
            .prompt = family->prompts[i],
            .prompt_tokens = shared + own,
            .max_tokens = 1 + random_below(40),
            .sample_count = 1 + (random_below(4) == 0 ? random_below(SAMPLES_MAX) : 0),
            .seed = random_below(3),
            .tag = i,
        };
        if (family->asks[i].kind == ENGINE_SCORE) {
            family->asks[i].sample_count = 1;
            family->asks[i].score_tokens = 1 + random_below(shared + own - 1);
        }
    }
}

static void family_expect(const struct bench *bench, const struct family *family,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t s = 0; s < family->asks[i].sample_count; s++) {
            const struct engine_event *done = &bench->done[i][s];
            expect_output(bench, &family->asks[i], s);
            assert_int_equal(done->kind, ENGINE_DONE);
            if (family->asks[i].kind == ENGINE_GENERATE && done->finish == ENGINE_LENGTH)
                assert_int_equal(bench->output_counts[i][s], done->output_tokens);
        }
}

static void one_job_alone(void **state)
{
    (void)state;
    struct bench *bench = bench_open(32, 4, 64);
    token_id prompt[100];
    random_state = 1;
    fill_random(prompt, 100);
    const struct engine_job ask = {.prompt = prompt, .prompt_tokens = 100, .max_tokens = 20};
    bench_submit(bench, &ask);
    bench_run(bench);
    assert_int_equal(bench->output_counts[0][0], 20);
    assert_int_equal(bench->done[0][0].finish, ENGINE_LENGTH);
    assert_int_equal(bench->step.stats.computed_prompt_tokens, 100);
    expect_output(bench, &ask, 0);
    bench_close(bench);
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
    struct family *family = calloc(1, sizeof *family);
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++)
        for (uint32_t round = 0; round < 6; round++) {
            random_state = 100 * c + round;
            const uint32_t jobs = 20 + random_below(40);
            struct bench *bench = bench_open(cases[c].pages, cases[c].sequences, cases[c].rows);
            family_make(family, jobs, cases[c].shared, cases[c].own);
            bench_trickle(bench, family->asks, jobs);
            bench_run(bench);
            family_expect(bench, family, jobs);
            bench_close(bench);
        }
    free(family);
}

/* Cancels at any time leave the others' text as it is and lose no page. */
static void cancels(void **state)
{
    (void)state;
    struct family *family = calloc(1, sizeof *family);
    for (uint32_t round = 0; round < 400; round++) {
        random_state = 7000 + round;
        const uint32_t jobs = 30;
        struct bench *bench =
            bench_open(8 + random_below(80), 1 + random_below(20), 1 + random_below(100));
        family_make(family, jobs, 80, 20);
        for (uint32_t i = 0; i < jobs; i++) {
            bench_submit(bench, &family->asks[i]);
            for (uint32_t t = random_below(4); t > 0; t--)
                step_turn(&bench->step);
            if (random_below(2))
                step_cancel(&bench->step, 1 + random_below(i + 1));
            step_check(&bench->step);
        }
        if (round % 2)
            step_cancel_all(&bench->step);
        bench_run(bench);
        family_expect(bench, family, jobs);
        bench_close(bench);
    }
    free(family);
}

/* Who computes a prefix that others wait for is cancelled: another goes on with it. */
static void owners_that_leave(void **state)
{
    (void)state;
    for (uint32_t turns = 1; turns < 16; turns++)
        for (uint32_t cancelled = 1; cancelled < 8; cancelled++) {
            struct bench *bench = bench_open_tight(400, 8, 512, 24); /* 24 rows in a step */
            token_id prompts[8][150];
            struct engine_job asks[8];
            random_state = 21;
            fill_random(prompts[0], 150);
            for (uint32_t i = 0; i < 8; i++) { /* each leaves the first a little later */
                memcpy(prompts[i], prompts[0], sizeof prompts[0]);
                fill_random(prompts[i] + 90 + i * 5, 60 - i * 5);
                asks[i] = (struct engine_job){
                    .prompt = prompts[i], .prompt_tokens = 150, .max_tokens = 5, .tag = i};
                bench_submit(bench, &asks[i]);
            }
            for (uint32_t t = 0; t < turns; t++)
                step_turn(&bench->step);
            for (uint32_t bit = 0; bit < 3; bit++)
                if (cancelled >> bit & 1)
                    step_cancel(&bench->step, 1 + bit);
            step_check(&bench->step);
            bench_run(bench);
            for (uint32_t i = 0; i < 8; i++)
                expect_output(bench, &asks[i], 0);
            assert_int_equal(bench->output_counts[7][0], 5);
            bench_close(bench);
        }
}

/* A failing step ends what runs, and what comes later is computed from nothing again. */
static void step_failures(void **state)
{
    (void)state;
    struct family *family = calloc(1, sizeof *family);
    for (int32_t at = 1; at < 30; at++) {
        random_state = 900;
        struct bench *bench = bench_open(100, 8, 64);
        bench->fake.fail_at = at;
        bench->fake.fail_with = ERR_LIMIT;
        family_make(family, 30, 200, 50);
        for (uint32_t i = 0; i < 30; i++)
            bench_submit(bench, &family->asks[i]);
        bench_run(bench);
        family_expect(bench, family, 30);
        bench_close(bench);
    }
    free(family);
}

/* A device that has failed is of no more use: all that runs, waits or comes later ends. */
static void a_lost_device_ends_everything(void **state)
{
    (void)state;
    struct family *family = calloc(1, sizeof *family);
    struct bench *bench = bench_open(100, 8, 64);
    struct error err = {0};
    bench->fake.fail_at = 5;
    bench->fake.fail_with = ERR_DEVICE;
    family_make(family, 30, 200, 50);
    for (uint32_t i = 0; i < 29; i++)
        bench_submit(bench, &family->asks[i]);
    assert_int_equal(step_failure(&bench->step, &err), OK);
    bench_run(bench);
    assert_int_equal(bench->fake.steps, 5);
    assert_int_equal(step_failure(&bench->step, &err), ERR_DEVICE);
    assert_string_equal(err.text, "the fake device fails at step 5");
    bench_submit(bench, &family->asks[29]);
    bench_drain(bench);
    assert_false(step_turn(&bench->step));
    for (uint32_t i = 0; i < 30; i++)
        for (uint32_t s = 0; s < family->asks[i].sample_count; s++)
            assert_int_equal(bench->done[i][s].finish, ENGINE_FAILED);
    bench_close(bench);
    free(family);
}

/* chunks x jobs; each chunk's shared tokens are computed once, whatever the order. */
static double computed_over_ideal(uint32_t chunks, uint32_t jobs, uint32_t shared, uint32_t own,
                                  bool by_task)
{
    struct bench *bench = bench_open(1100, 96, 512); /* room for a sixth of the jobs */
    token_id *tokens =
        calloc((size_t)chunks * (shared + jobs * (size_t)(shared + own)), sizeof *tokens);
    token_id *prompts = tokens + (size_t)chunks * shared;
    fill_random(tokens, chunks * shared);
    for (uint32_t i = 0; i < chunks * jobs; i++) {
        const uint32_t chunk = by_task ? i % chunks : i / jobs;
        token_id *prompt = prompts + (size_t)i * (shared + own);
        memcpy(prompt, tokens + (size_t)chunk * shared, shared * sizeof *prompt);
        fill_random(prompt + shared, own);
        const struct engine_job ask = {
            .prompt = prompt, .prompt_tokens = shared + own, .max_tokens = 64, .tag = i};
        bench_submit(bench, &ask);
        if (i % 5 == 4) /* jobs trickle in while the first run already */
            step_turn(&bench->step);
    }
    bench_run(bench);
    const double ideal = chunks * (double)(shared + jobs * own);
    const double computed = (double)bench->step.stats.computed_prompt_tokens;
    print_message("%u x %u, %u + %u, %s order: %.4f of the ideal, %lu steps, %lu rows\n",
                  chunks, jobs, shared, own, by_task ? "task" : "chunk", computed / ideal,
                  (unsigned long)bench->fake.steps, (unsigned long)bench->fake.rows);
    free(tokens);
    bench_close(bench);
    return computed / ideal;
}

static void prefixes_are_computed_once(void **state)
{
    (void)state;
    random_state = 5;
    if (IS_HARD)
        skip();
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
    if (IS_HARD)
        skip();
    struct bench *bench = bench_open(200, 16, 64);
    token_id prompt[90];
    random_state = 3;
    fill_random(prompt, 90);
    const struct engine_job ask = {
        .prompt = prompt, .prompt_tokens = 90, .max_tokens = 20, .sample_count = 12};
    bench_submit(bench, &ask);
    bench_run(bench);
    assert_int_equal(bench->step.stats.computed_prompt_tokens, 90);
    assert_int_equal(bench->fake.copies, 11);
    for (uint32_t s = 0; s < 12; s++)
        expect_output(bench, &ask, s);
    assert_int_not_equal(bench->outputs[0][0][0], bench->outputs[0][1][0]);
    bench_close(bench);
}

/* A conversation goes on: what was written is found again, not only what was asked. */
static void outputs_are_found_again(void **state)
{
    (void)state;
    struct bench *bench = bench_open(64, 4, 64);
    token_id prompt[200];
    random_state = 8;
    fill_random(prompt, 50);
    struct engine_job ask = {.prompt = prompt, .prompt_tokens = 50, .max_tokens = 60};
    bench_submit(bench, &ask);
    bench_run(bench);
    memcpy(prompt + 50, bench->outputs[0][0], 60 * sizeof *prompt);
    fill_random(prompt + 110, 30);
    ask.prompt_tokens = 140;
    ask.tag = 1;
    bench_submit(bench, &ask);
    bench_run(bench);
    expect_output(bench, &ask, 0);
    assert_int_equal(bench->done[1][0].cached_tokens, 96); /* whole pages of 109 tokens */
    bench_close(bench);
}

/* A score is the same alone and in chunks, and does not compute the last token. */
static void scores_add_up(void **state)
{
    (void)state;
    token_id prompt[150];
    random_state = 4;
    fill_random(prompt, 150);
    double expected = 0;
    for (uint32_t p = 99; p < 149; p++)
        expected -=
            (double)((float)((step_fake_next(prompt, p + 1, 9, 0) * 7 + prompt[p + 1]) % 97) /
                     16);
    for (uint32_t rows = 1; rows < 200; rows += 33) {
        struct bench *bench = bench_open(40, 2, rows);
        const struct engine_job ask = {.kind = ENGINE_SCORE,
                                       .prompt = prompt,
                                       .prompt_tokens = 150,
                                       .score_tokens = 50,
                                       .seed = 9};
        bench_submit(bench, &ask);
        bench_run(bench);
        assert_int_equal(bench->done[0][0].finish, ENGINE_STOP);
        assert_true(bench->done[0][0].score == expected);
        assert_int_equal(bench->fake.rows, 149);
        bench_close(bench);
    }
}

/* The line is served in order of first arrivals: an early job does not end last. */
static void nobody_starves(void **state)
{
    (void)state;
    struct bench *bench = bench_open(64, 4, 32);
    token_id shared[64];
    token_id prompts[JOBS_MAX][80];
    random_state = 11;
    fill_random(shared, 64);
    for (uint32_t i = 0; i < JOBS_MAX; i++) {
        fill_random(prompts[i], 80);
        if (i != 5)
            memcpy(prompts[i], shared, sizeof shared);
        const struct engine_job ask = {
            .prompt = prompts[i], .prompt_tokens = 80, .max_tokens = 4, .tag = i};
        bench_submit(bench, &ask);
        if (i >= 16)
            step_turn(&bench->step);
        bench_drain(bench);
    }
    bench_run(bench);
    assert_int_equal(bench->done_count, JOBS_MAX);
    bench_close(bench);
}

/* What the host itself costs: 96 sequences decoding, and prefill to fill 512 rows. */
static void host_overhead(void **state)
{
    (void)state;
    struct bench *bench = bench_open(8000, 96, 512);
    bench->fake.checks = false;
    token_id *prompts = calloc(JOBS_MAX * 1050u, sizeof *prompts);
    random_state = 12;
    for (uint32_t i = 0; i < 200; i++) {
        fill_random(prompts + i * 1050u, 1050);
        memcpy(prompts + i * 1050u, prompts + i / 3 * 3 * 1050u, 800 * sizeof *prompts);
        const struct engine_job ask = {
            .prompt = prompts + i * 1050u, .prompt_tokens = 1050, .max_tokens = 64, .tag = i};
        bench_submit(bench, &ask);
    }
    double worst = 0;
    const double start = clock_now_s();
    for (;;) {
        const double turn = clock_now_s();
        if (!step_turn(&bench->step))
            break;
        const double took = clock_now_s() - turn;
        worst = took > worst ? took : worst;
        bench_drain(bench);
    }
    const double steps = (double)bench->fake.steps;
    print_message("host: %.0f us per step of %.0f rows, worst %.0f us\n",
                  (clock_now_s() - start) / steps * 1e6, (double)bench->fake.rows / steps,
                  worst * 1e6);
    free(prompts);
    bench_close(bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_job_alone),
        cmocka_unit_test(samples_share_the_prompt),
        cmocka_unit_test(outputs_are_found_again),
        cmocka_unit_test(scores_add_up),
        cmocka_unit_test(any_company_any_pool),
        cmocka_unit_test(cancels),
        cmocka_unit_test(owners_that_leave),
        cmocka_unit_test(step_failures),
        cmocka_unit_test(a_lost_device_ends_everything),
        cmocka_unit_test(prefixes_are_computed_once),
        cmocka_unit_test(nobody_starves),
        cmocka_unit_test(host_overhead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
