/* jobs - see jobs.h. */
#include "protocol/minions/jobs.h"

#include "base/clock.h"
#include "protocol/minions/prompts.h"

#include <stdlib.h>

#define JOBS_SAMPLE_TEMPERATURE 0.7f

enum status jobs_repeat(struct dsl_jobs *jobs, uint32_t samples, struct arena *arena,
                        struct error *err)
{
    if (samples <= 1)
        return OK;
    if (jobs->count > JOBS_MAX / samples)
        FAIL(err, ERR_LIMIT, "jobs: %u jobs with %u samples each are more than %d", jobs->count,
             samples, JOBS_MAX);
    const uint32_t count = jobs->count * samples;
    struct dsl_job *list = ARENA_NEW(arena, struct dsl_job, count);
    if (!list)
        FAIL(err, ERR_MEMORY, "jobs: no room for %u jobs", count);
    for (uint32_t i = 0; i < count; i++)
        list[i] = jobs->list[i / samples];
    *jobs = (struct dsl_jobs){list, count};
    return OK;
}

struct entry {
    int32_t chunk_id, task_id;
    uint32_t position;
};

static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    if (a->chunk_id != b->chunk_id)
        return a->chunk_id < b->chunk_id ? -1 : 1;
    if (a->task_id != b->task_id)
        return a->task_id < b->task_id ? -1 : 1;
    return a->position < b->position ? -1 : a->position > b->position;
}

void jobs_order(const struct dsl_jobs *jobs, uint32_t *order)
{
    const uint32_t count = jobs->count;
    struct entry *entries = calloc(count ? count : 1, sizeof(*entries));
    for (uint32_t i = 0; i < count; i++) {
        if (entries)
            entries[i] = (struct entry){jobs->list[i].chunk_id, jobs->list[i].task_id, i};
        order[i] = i; /* without memory for sorting the program's own order must do */
    }
    if (!entries)
        return;
    qsort(entries, count, sizeof(*entries), compare);
    for (uint32_t i = 0; i < count; i++)
        order[i] = entries[i].position;
    free(entries);
}

static void show_done(const struct jobs_context *context, const struct worker_job *job)
{
    if (!context->progress)
        return;
    atomic_fetch_add(&context->progress->tokens,
                     job->prompt_tokens - job->cached_tokens + job->output_tokens);
    atomic_fetch_add(&context->progress->jobs_done, 1);
    const struct news news = {.kind = NEWS_JOB_DONE, .round = context->round, .job = job->key};
    if (job->kind == WORKER_WRITE && job->is_output)
        news_tell(context->news, &news, TEXT(""));
}

/* Drops from the list those that the journal knows, and fills what came of them. */
static enum status drop_known(const struct jobs_context *context, struct worker_job **jobs,
                              uint32_t *count, struct error *err)
{
    uint32_t unknown = 0;
    for (uint32_t i = 0; i < *count; i++) {
        bool is_known = false;
        TRY(journal_find_job(context->journal, jobs[i], context->arena, &is_known, err));
        if (is_known)
            show_done(context, jobs[i]);
        else
            jobs[unknown++] = jobs[i];
    }
    *count = unknown;
    return OK;
}

/* Has the worker do jobs; each is in the journal before the next is waited for. */
static enum status do_jobs(const struct jobs_context *context, struct worker_job *const *jobs,
                           uint32_t count, struct error *err)
{
    const struct worker *worker = context->worker;
    struct ledger_times *times = &context->ledger->times;
    struct worker_job *done = NULL;
    double at_s = clock_now_s();
    TRY(worker->start(worker->self, jobs, count, context->arena, err));
    for (uint32_t i = 0; i <= count; i++) {
        TRY(worker->next(worker->self, &done, err));
        clock_lap_s(&at_s, &times->model_s);
        if (!done)
            return OK;
        if (context->journal && !done->is_failed) /* one that failed is tried again */
            TRY(journal_put_job(context->journal, done, err));
        show_done(context, done);
        clock_lap_s(&at_s, &times->journal_s);
    }
    return OK;
}

enum status jobs_run(const struct jobs_context *context, struct worker_job *jobs,
                     uint32_t count, struct error *err)
{
    uint32_t unknown_count = count;
    struct worker_job **unknown = ARENA_NEW(context->arena, struct worker_job *, count);
    if (!unknown)
        FAIL(err, ERR_MEMORY, "jobs: no room for %u jobs", count);
    for (uint32_t i = 0; i < count; i++)
        unknown[i] = &jobs[i];
    if (context->progress)
        atomic_fetch_add(&context->progress->jobs_total, count);
    double at_s = clock_now_s();
    if (context->journal)
        TRY(drop_known(context, unknown, &unknown_count, err));
    clock_lap_s(&at_s, &context->ledger->times.journal_s);
    if (unknown_count > 0)
        TRY(do_jobs(context, unknown, unknown_count, err));
    context->ledger->jobs += count;
    for (uint32_t i = 0; i < count; i++) {
        context->ledger->local_prompt_tokens += jobs[i].prompt_tokens;
        context->ledger->local_cached_tokens += jobs[i].cached_tokens;
        context->ledger->local_output_tokens += jobs[i].output_tokens;
    }
    return OK;
}

static enum status make_job(const struct jobs_context *context, const struct dsl_job *job,
                            struct worker_job *out, struct error *err)
{
    struct text_buf prompt = {0};
    prompts_worker(&prompt, job);
    const struct text kept = text_copy(text_buf_text(&prompt), context->arena);
    const bool failed = prompt.failed || !kept.data;
    text_buf_deinit(&prompt);
    if (failed)
        FAIL(err, ERR_MEMORY, "jobs: no room for a worker's prompt of %zu bytes",
             job->chunk.size);
    *out = (struct worker_job){.kind = WORKER_WRITE,
                               .prompt = kept,
                               .is_output = true,
                               .chunk = job->chunk,
                               .max_tokens = JOBS_OUTPUT_TOKENS_MAX,
                               .seed = context->seed};
    return OK;
}

enum status jobs_generate(const struct jobs_context *context, const struct dsl_jobs *jobs,
                          struct jobs_outcome *outcomes, struct error *err)
{
    const uint32_t count = jobs->count;
    const struct dsl_job *list = jobs->list;
    struct worker_job *work = ARENA_NEW(context->arena, struct worker_job, count);
    uint32_t *order = ARENA_NEW(context->arena, uint32_t, count);
    double at_s = clock_now_s();
    if (!work || !order)
        FAIL(err, ERR_MEMORY, "jobs: no room for %u jobs", count);
    jobs_order(jobs, order);
    for (uint32_t i = 0; i < count; i++) {
        TRY(make_job(context, &list[order[i]], &work[i], err));
        work[i].key = order[i];
        /* The first of several samples is the likeliest reply; the others must differ. */
        const struct dsl_job *job = &list[order[i]], *before = i ? &list[order[i - 1]] : NULL;
        if (before && before->chunk_id == job->chunk_id && before->task_id == job->task_id)
            work[i].temperature = JOBS_SAMPLE_TEMPERATURE;
    }
    clock_lap_s(&at_s, &context->ledger->times.schedule_s);
    TRY(jobs_run(context, work, count, err));
    for (uint32_t i = 0; i < count; i++) {
        struct jobs_outcome *outcome = &outcomes[order[i]];
        *outcome = (struct jobs_outcome){.output.kind = JOB_OUTPUT_UNREADABLE};
        if (work[i].is_failed)
            continue;
        outcome->sample = job_output_find_object(work[i].reply);
        job_output_parse(work[i].reply, work[i].is_cut, list[order[i]].chunk, context->arena,
                         &outcome->output);
    }
    return OK;
}

enum status jobs_readable(const struct dsl_jobs *jobs, const struct jobs_outcome *outcomes,
                          struct arena *arena, struct dsl_finished *finished, struct error *err)
{
    struct dsl_job *kept = ARENA_NEW(arena, struct dsl_job, jobs->count);
    struct dsl_output *outputs = ARENA_NEW(arena, struct dsl_output, jobs->count);
    uint32_t readable = 0;
    if (!kept || !outputs)
        FAIL(err, ERR_MEMORY, "jobs: no room for %u outputs", jobs->count);
    for (uint32_t i = 0; i < jobs->count; i++) {
        const struct job_output *output = &outcomes[i].output;
        if (output->kind == JOB_OUTPUT_TRUNCATED || output->kind == JOB_OUTPUT_UNREADABLE)
            continue;
        kept[readable] = jobs->list[i];
        outputs[readable++] = (struct dsl_output){
            .sample = outcomes[i].sample,
            .explanation = output->explanation,
            .citation = output->citation,
            .answer = output->answer,
            .has_citation = output->citation.size > 0,
            .has_answer = output->kind != JOB_OUTPUT_NONE,
            .grade = text_of(job_output_grade(output->kind)),
        };
    }
    *finished = (struct dsl_finished){kept, outputs, readable};
    return OK;
}
