/*
 * engine_company_test - five hundred jobs through the GPU's kernels on the emulator, untraced:
 * each job's tokens, log-probabilities and score are the same bits among all of them, in
 * another order and a pool of few pages, with no row of the attention's work list grouped with
 * another, and alone. The emulated machine's exp2 and reciprocal are off as far as they may be:
 * nothing may hang on their last bits.
 */
#include "engine/model_run.h"
#include "kernels/device_emu.h"
#include "kernels/ops.h"
#include "tests/harness/engine_jobs.h"
#include "tests/harness/tiny_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { JOBS = 500, GROUP = 20, ALONE_EVERY = 20, PROMPT_MAX = 96, POOL_PAGES = 14 };

static token_id prompts[JOBS][PROMPT_MAX];
static struct engine_job jobs[JOBS];
static struct engine_jobs_outcome company;
static char model_path[32];
static int model_fd = -1;

/* Every kind in every group of twenty: greedy, sampled in four ways, three samples, shaped,
 * scored. Each group shares a beginning of a length of its own; each fifth job shares none. */
static void job_make(uint32_t i)
{
    const uint32_t group = i / GROUP, kind = i % GROUP;
    const uint32_t shared = kind % 5 == 4 ? 0 : 13 + group * 7 % 60;
    const uint32_t own = 2 + engine_jobs_mix(i, 2) % 20;
    for (uint32_t t = 0; t < shared + own; t++)
        prompts[i][t] = (token_id)((t < shared ? engine_jobs_mix(group + 7, t)
                                               : engine_jobs_mix(i + 777, t)) %
                                   256);
    struct engine_job *job = &jobs[i];
    *job = (struct engine_job){.prompt = prompts[i],
                               .prompt_tokens = shared + own,
                               .sample_count = kind == 3 ? ENGINE_JOBS_SAMPLES : 1,
                               .max_tokens = 2 + engine_jobs_mix(i, 3) % 6,
                               .ignore_end = kind % 2 == 0,
                               .seed = group % 3,
                               .job_key = i,
                               .tag = i};
    if (kind % 3 != 0 || kind == 3)
        job->temperature = 0.4f + 0.1f * (float)(kind % 8);
    job->top_k = kind == 1 ? 20 : 0;
    job->top_p = kind == 2 || kind == 8 ? 0.8f : 0.0f;
    job->min_p = kind == 10 ? 0.1f : 0.0f;
    job->typical_p = kind == 4 || kind == 11 ? 0.7f : 0.0f;
    if (kind == 5) {
        job->format = ENGINE_FORMAT_SCHEMA;
        job->format_source = text_of(engine_job_output_schema);
        job->chunk = TEXT("a word and another");
        job->max_tokens = 52;
    }
    if (kind == 7 || kind == 14) {
        job->kind = ENGINE_SCORE;
        job->score_tokens = 1 + engine_jobs_mix(i, 4) % (own - 1);
    }
}

static struct engine_options options_of(void)
{
    return (struct engine_options){
        .model_path = model_path, .device = ENGINE_EMU, .precision = ENGINE_INT8, .threads = 1};
}

static void same_all(const struct engine_jobs_outcome *other, const char *who)
{
    uint32_t tokens = 0;
    for (uint32_t i = 0; i < JOBS; i++)
        tokens += engine_jobs_same(&company, other, i, who);
    print_message("%s: %d jobs, %u tokens, the same bits\n", who, JOBS, tokens);
}

/* How many items the lists had, and how many after each row had its own. */
static struct {
    const struct ops *ops;
    uint64_t items, rows;
} ungrouped;

static enum status attend_list(struct device *device, const struct attention_args *args,
                               const struct attention_item *items, int32_t count)
{
    const size_t bytes = (size_t)count * sizeof *items;
    struct error err;
    struct attention_item *there = device_alloc(device, bytes);
    struct attention_work work = *args->work;
    struct attention_args changed = *args;
    assert_non_null(there);
    work.items = there;
    work.item_count = count;
    changed.work = &work;
    assert_int_equal(device_upload(device, there, items, bytes), OK);
    const enum status status = ungrouped.ops->attention(device, &changed);
    assert_int_equal(device_wait(device, &err), OK);
    device_free(device, there, bytes);
    return status;
}

/* The device's own attention, from a list in which each item has one row, last item first. */
static enum status attend_ungrouped(struct device *device, const struct attention_args *args)
{
    const int32_t before = args->work->item_count, most = args->work->partial_count + before;
    struct attention_item *items = calloc((size_t)(before + most), sizeof *items);
    struct attention_item *ones = items + before;
    int32_t count = 0;
    assert_non_null(items);
    assert_int_equal(
        device_download(device, items, args->work->items, (size_t)before * sizeof *items), OK);
    for (int32_t i = before - 1; i >= 0; i--) {
        ungrouped.items += items[i].row_count > 0;
        for (int32_t r = items[i].row_count - 1; r >= 0; r--) {
            assert_true(count < most);
            ones[count] = items[i];
            ones[count].rows_first += r;
            ones[count++].row_count = 1;
        }
    }
    ungrouped.rows += (uint64_t)count;
    const enum status status = attend_list(device, args, ones, count);
    free(items);
    return status;
}

static int open_all(void **state)
{
    (void)state;
    const struct device_emu_options fast = {.seed = 1, .approximation = 1};
    const struct tiny_model_options tiny = {
        .seed = 11, .hidden = 128, .heads = 2, .kv_heads = 1, .context = 256};
    model_fd = tiny_model_open(&tiny, model_path, sizeof model_path);
    for (uint32_t i = 0; i < JOBS; i++)
        job_make(i);
    device_emu_configure(&fast);
    const struct engine_options options = options_of();
    engine_jobs_init(&company, JOBS);
    engine_jobs_run(&options, jobs, JOBS, &company, NULL);
    for (uint32_t i = 0; i < JOBS; i++)
        if (jobs[i].format == ENGINE_FORMAT_SCHEMA)
            assert_int_equal(company.samples[i][0].done.finish, ENGINE_STOP);
    return model_fd < 0;
}

static int close_all(void **state)
{
    (void)state;
    engine_jobs_deinit(&company);
    if (device_emu_findings() > 0)
        print_error("%s\n", device_emu_report());
    return close(model_fd) != 0 || device_emu_findings() > 0;
}

/* A fresh engine for each: nothing is there to share with. */
static void alone(void **state)
{
    (void)state;
    struct engine_jobs_outcome other;
    const struct engine_options options = options_of();
    uint32_t count = 0, tokens = 0;
    engine_jobs_init(&other, JOBS);
    for (uint32_t i = 0; i < JOBS; i += ALONE_EVERY, count++) {
        const uint32_t job = i + i / ALONE_EVERY % GROUP; /* another kind in each group */
        engine_jobs_run(&options, &jobs[job], 1, &other, NULL);
        tokens += engine_jobs_same(&company, &other, job, "alone");
    }
    print_message("alone: %u jobs, %u tokens, the same bits\n", count, tokens);
    engine_jobs_deinit(&other);
}

/* Prompts in several chunks, sequences that give their pages back and are computed again. */
static void in_a_small_pool(void **state)
{
    (void)state;
    static struct engine_job shuffled[JOBS];
    struct engine_jobs_outcome other;
    struct engine_options options = options_of();
    struct engine_stats stats;
    options.step_tokens = 40;
    options.kv_pages = POOL_PAGES;
    for (uint32_t i = 0; i < JOBS; i++)
        shuffled[i] = jobs[i * 173 % JOBS];
    engine_jobs_init(&other, JOBS);
    engine_jobs_run(&options, shuffled, JOBS, &other, &stats);
    print_message("%llu preemptions\n", (unsigned long long)stats.preemptions);
    assert_true(stats.preemptions > 0);
    same_all(&other, "in a small pool, in another order");
    engine_jobs_deinit(&other);
}

static void not_grouped(void **state)
{
    (void)state;
    struct engine_jobs_outcome other;
    struct engine_options options = options_of();
    struct ops ops = *ops_of(DEVICE_EMU);
    ungrouped.ops = ops_of(DEVICE_EMU);
    ops.attention = attend_ungrouped;
    options.ops = &ops;
    engine_jobs_init(&other, JOBS);
    engine_jobs_run(&options, jobs, JOBS, &other, NULL);
    print_message("%llu items of several rows became %llu of one\n",
                  (unsigned long long)ungrouped.items, (unsigned long long)ungrouped.rows);
    assert_true(ungrouped.rows > 2 * ungrouped.items);
    same_all(&other, "not grouped");
    engine_jobs_deinit(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone),
        cmocka_unit_test(in_a_small_pool),
        cmocka_unit_test(not_grouped),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
