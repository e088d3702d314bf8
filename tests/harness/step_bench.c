/* step_bench - see step_bench.h. */
#include "tests/harness/step_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

uint64_t step_bench_random;
bool step_bench_is_ahead;
double step_bench_now_s;
static struct step_bench *closed; /* the last one, to be opened again; NULL: none */

uint32_t step_bench_below(uint32_t limit)
{
    step_bench_random = step_bench_random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(step_bench_random >> 33) % limit;
}

static double step_bench_now(void)
{
    return step_bench_now_s;
}

/* One that was closed, else a new one. */
static struct step_bench *take(void)
{
    struct step_bench *bench = closed;
    struct error err;
    closed = NULL;
    if (bench) {
        const size_t kept = offsetof(struct step_bench, arena);
        memset((char *)bench + kept, 0, sizeof *bench - kept);
        return bench;
    }
    bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    assert_int_equal(queue_init(&bench->outbox, 1 << 14, sizeof(struct step_event), &err), OK);
    return bench;
}

struct step_bench *step_bench_open_tight(uint32_t pages, uint32_t sequences, uint32_t rows,
                                         uint32_t partials)
{
    struct step_bench *bench = take();
    struct step_options options = {
        .limits = {.rows_max = rows,
                   .heads_max = sequences + 16,
                   .partials_max = partials ? partials : 8 * rows + 64,
                   .split = ATTENTION_SPLIT},
        .sequences_max = sequences,
        .page_count = pages,
        .tokens_max = pages * KV_PAGE_TOKENS < STEP_FAKE_CONTEXT ? pages * KV_PAGE_TOKENS
                                                                 : STEP_FAKE_CONTEXT,
        .jobs_max = STEP_BENCH_JOBS,
        .outbox = &bench->outbox,
        .now_s = step_bench_now,
        .has_drafts = true,
        .device = {.rows = step_fake_rows,
                   .samples = step_fake_samples,
                   .results = step_fake_results,
                   .hidden = step_fake_hidden,
                   .context = &bench->fake,
                   .is_ahead = step_bench_is_ahead},
    };
    struct error err;
    assert_int_equal(arena_init(&bench->arena, (size_t)64 << 20, &err), OK);
    assert_true(step_fake_init(&bench->fake, (int32_t)pages));
    assert_int_equal(step_init(&bench->step, &options, &bench->arena, &err), OK);
    return bench;
}

struct step_bench *step_bench_open(uint32_t pages, uint32_t sequences, uint32_t rows)
{
    return step_bench_open_tight(pages, sequences, rows, 0);
}

struct step_bench *step_bench_open_drawn(void)
{
    const uint32_t pages = 8 + step_bench_below(80);
    const uint32_t sequences = 1 + step_bench_below(20);
    return step_bench_open(pages, sequences, 1 + step_bench_below(100));
}

void step_bench_drain(struct step_bench *bench)
{
    struct step_event item;
    while (queue_pull(&bench->outbox, &item, 0)) {
        const struct engine_event *event = &item.event;
        const uint32_t job = (uint32_t)event->tag;
        if (event->kind == ENGINE_TOKEN) {
            uint32_t *count = &bench->output_counts[job][event->sample];
            assert_true(*count < STEP_BENCH_OUTPUT);
            bench->outputs[job][event->sample][(*count)++] = event->token;
            continue;
        }
        bench->done[job][event->sample] = *event;
        bench->done_count++;
        if (event->vector)
            memcpy(bench->vectors[job], event->vector, sizeof bench->vectors[job]);
        assert_int_equal(item.job != NULL, event->samples_left == 0);
        if (item.job) {
            bench->jobs_given--;
            free(item.job);
        }
    }
}

void step_bench_run(struct step_bench *bench)
{
    while (step_turn(&bench->step)) {
        step_check(&bench->step);
        step_bench_drain(bench);
    }
    step_bench_drain(bench);
}

void step_bench_close(struct step_bench *bench)
{
    assert_int_equal(bench->jobs_given, 0);
    assert_int_equal(bench->step.running_count, 0);
    step_check(&bench->step);
    kv_prefix_clear(&bench->step.prefix);
    assert_int_equal(bench->step.pool.free_count, bench->step.pool.page_count);
    step_deinit(&bench->step);
    step_fake_deinit(&bench->fake);
    arena_deinit(&bench->arena);
    assert_null(closed);
    closed = bench;
}

uint64_t step_bench_submit(struct step_bench *bench, const struct engine_job *ask)
{
    struct engine_job copy = *ask;
    const uint32_t room = bench->step.options.tokens_max - ask->prompt_tokens;
    if (copy.sample_count == 0)
        copy.sample_count = 1;
    struct seq_job *job =
        seq_job_new(&copy, ++bench->next_id, copy.max_tokens < room ? copy.max_tokens : room,
                    STEP_FAKE_HIDDEN);
    assert_non_null(job);
    bench->jobs_given++;
    step_submit(&bench->step, job);
    return job->id;
}

void step_bench_trickle(struct step_bench *bench, const struct engine_job *asks, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        step_bench_submit(bench, &asks[i]);
        for (uint32_t t = step_bench_below(3); t > 0 && step_turn(&bench->step); t--)
            step_check(&bench->step);
    }
}

void step_bench_fill(token_id *tokens, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        tokens[i] = (token_id)step_bench_below(STEP_FAKE_VOCAB);
}

void step_bench_expect(const struct step_bench *bench, const struct engine_job *ask,
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

void step_bench_family_make(struct step_bench_family *family, uint32_t count,
                            uint32_t shared_max, uint32_t own_max)
{
    for (int i = 0; i < 4; i++)
        step_bench_fill(family->shared[i], 300);
    memcpy(family->shared[1], family->shared[0], 37 * sizeof(token_id)); /* a header */
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t shared = step_bench_below(shared_max + 1);
        const uint32_t own = 1 + step_bench_below(own_max);
        memcpy(family->prompts[i], family->shared[step_bench_below(4)],
               shared * sizeof(token_id));
        step_bench_fill(family->prompts[i] + shared, own);
        family->asks[i] = (struct engine_job){
            .kind =
                step_bench_below(5) == 0 && shared + own > 1 ? ENGINE_SCORE : ENGINE_GENERATE,
            .prompt = family->prompts[i],
            .prompt_tokens = shared + own,
            .max_tokens = 1 + step_bench_below(40),
            .sample_count =
                1 + (step_bench_below(4) == 0 ? step_bench_below(STEP_BENCH_SAMPLES) : 0),
            .seed = step_bench_below(3),
            .tag = i,
        };
        if (family->asks[i].kind == ENGINE_SCORE) {
            family->asks[i].sample_count = 1;
            family->asks[i].score_tokens = 1 + step_bench_below(shared + own - 1);
        }
    }
}

void step_bench_family_expect(const struct step_bench *bench,
                              const struct step_bench_family *family, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t s = 0; s < family->asks[i].sample_count; s++) {
            const struct engine_event *done = &bench->done[i][s];
            step_bench_expect(bench, &family->asks[i], s);
            assert_int_equal(done->kind, ENGINE_DONE);
            if (family->asks[i].kind == ENGINE_GENERATE && done->finish == ENGINE_LENGTH)
                assert_int_equal(bench->output_counts[i][s], done->output_tokens);
        }
}
