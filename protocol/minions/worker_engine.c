/* worker_engine - see worker_engine.h. */
#include "protocol/minions/worker_engine.h"

#include "tokenizer/tokenizer.h"

#include <stdlib.h>
#include <string.h>

enum {
    IN_FLIGHT_MAX = 512, /* jobs handed to the engine and not done: whole cohorts fit */
    EVENTS_MAX = 64
};

/* One call of worker_run. */
struct run {
    struct engine *engine;
    struct worker_job *jobs;
    struct text_buf *replies; /* [count] */
    uint32_t count, submitted, in_flight;
    struct arena *arena;
    struct worker_progress *progress;
    struct token_list tokens, prefix; /* of the job being submitted */
    struct text_buf whole;
};

static enum status encode_write(struct run *run, const struct worker_job *job,
                                struct error *err)
{
    const struct tokenizer *tokenizer = engine_tokenizer(run->engine);
    if (tokenizer_has_chat(tokenizer)) {
        const struct tokenizer_message message = {.role = TEXT("user"), .content = job->prompt};
        TRY(tokenizer_encode_chat(tokenizer, &message, 1, true, &run->tokens, err));
    } else {
        TRY(tokenizer_encode(tokenizer, job->prompt, TOKENIZER_BOUNDS, &run->tokens, err));
    }
    return tokenizer_encode(tokenizer, job->opening, TOKENIZER_PLAIN, &run->tokens, err);
}

/* Encodes prompt and target in one piece, for some tokenizers put a space before each piece;
 * what differs from the prompt's own tokens is the target. */
static enum status encode_score(struct run *run, struct worker_job *job, struct error *err)
{
    const struct tokenizer *tokenizer = engine_tokenizer(run->engine);
    text_buf_clear(&run->whole);
    text_buf_add(&run->whole, job->prompt);
    text_buf_add(&run->whole, job->target);
    if (run->whole.failed)
        FAIL(err, ERR_MEMORY, "worker: no memory for a prompt");
    run->prefix.count = 0;
    TRY(tokenizer_encode(tokenizer, job->prompt, TOKENIZER_BOUNDS, &run->prefix, err));
    TRY(tokenizer_encode(tokenizer, text_buf_text(&run->whole), TOKENIZER_BOUNDS, &run->tokens,
                         err));
    size_t same = 0;
    while (same < run->prefix.count && same < run->tokens.count &&
           run->prefix.ids[same] == run->tokens.ids[same])
        same++;
    job->target_tokens = (uint32_t)(run->tokens.count - same);
    return OK;
}

static enum status encode_job(struct run *run, struct worker_job *job, struct error *err)
{
    run->tokens.count = 0;
    return job->kind == WORKER_SCORE ? encode_score(run, job, err)
                                     : encode_write(run, job, err);
}

static void job_done(struct run *run)
{
    if (run->progress)
        atomic_fetch_add(&run->progress->jobs_done, 1);
}

/* Submits the next job; one that does not fit the model fails alone. */
static enum status submit_next(struct run *run, struct error *err)
{
    struct worker_job *job = &run->jobs[run->submitted];
    TRY(encode_job(run, job, err));
    const struct engine_job request = {
        .kind = job->kind == WORKER_SCORE ? ENGINE_SCORE : ENGINE_GENERATE,
        .format = job->is_output ? ENGINE_FORMAT_JOB_OUTPUT : ENGINE_FORMAT_TEXT,
        .prompt = run->tokens.ids,
        .prompt_tokens = (uint32_t)run->tokens.count,
        .score_tokens = job->target_tokens,
        .sample_count = 1,
        .max_tokens = job->max_tokens,
        .temperature = job->temperature,
        .seed = job->seed,
        .job_key = job->key,
        .tag = run->submitted,
    };
    uint64_t id = 0;
    struct error why = {0};
    run->submitted++;
    const enum status status = engine_submit(run->engine, &request, &id, &why);
    if (status == OK) {
        run->in_flight++;
        return OK;
    }
    if (status != ERR_LIMIT && status != ERR_FORMAT)
        FAIL(err, status, "%.200s", why.text);
    job->is_failed = true;
    job_done(run);
    return OK;
}

static enum status take_event(struct run *run, const struct engine_event *event,
                              struct error *err)
{
    struct worker_job *job = &run->jobs[event->tag];
    if (event->kind == ENGINE_TOKEN) {
        text_buf_add(&run->replies[event->tag], event->text);
        return OK;
    }
    run->in_flight--;
    job->is_cut = event->finish == ENGINE_LENGTH;
    job->is_failed = event->finish == ENGINE_FAILED || event->finish == ENGINE_CANCELLED;
    if (job->is_failed)
        TRY(engine_failure(run->engine, err)); /* no job's own doing: the round ends */
    job->prompt_tokens = event->prompt_tokens;
    job->cached_tokens = event->cached_tokens;
    job->output_tokens = event->output_tokens;
    if (job->kind == WORKER_SCORE)
        job->score = event->score / job->target_tokens;
    const struct text reply = text_buf_text(&run->replies[event->tag]);
    job->reply = text_copy(reply, run->arena);
    if (run->replies[event->tag].failed || (reply.size > 0 && !job->reply.data))
        FAIL(err, ERR_MEMORY, "worker: no room for the reply of job %u", (unsigned)event->tag);
    text_buf_deinit(&run->replies[event->tag]);
    if (run->progress)
        atomic_fetch_add(&run->progress->tokens,
                         event->prompt_tokens - event->cached_tokens + event->output_tokens);
    job_done(run);
    return OK;
}

static enum status run_all(struct run *run, struct error *err)
{
    struct engine_event events[EVENTS_MAX];
    while (run->submitted < run->count || run->in_flight > 0) {
        while (run->submitted < run->count && run->in_flight < IN_FLIGHT_MAX)
            TRY(submit_next(run, err));
        if (run->in_flight == 0)
            continue;
        const size_t count = engine_poll(run->engine, events, EVENTS_MAX, -1);
        if (count == 0)
            FAIL(err, ERR_DEVICE, "worker: the engine stopped with %u jobs unanswered",
                 run->in_flight);
        for (size_t i = 0; i < count; i++)
            TRY(take_event(run, &events[i], err));
    }
    return OK;
}

static enum status run_jobs(void *self, struct worker_job *jobs, uint32_t count,
                            struct arena *arena, struct worker_progress *progress,
                            struct error *err)
{
    if (count == 0)
        return OK;
    struct run run = {
        .engine = self, .jobs = jobs, .count = count, .arena = arena, .progress = progress};
    run.replies = calloc(count, sizeof(*run.replies));
    if (!run.replies)
        FAIL(err, ERR_MEMORY, "worker: no memory for %u jobs", count);
    const enum status status = run_all(&run, err);
    for (uint32_t i = 0; i < count; i++)
        text_buf_deinit(&run.replies[i]);
    free(run.replies);
    token_list_deinit(&run.tokens);
    token_list_deinit(&run.prefix);
    text_buf_deinit(&run.whole);
    return status;
}

enum status worker_engine_init(struct worker *worker, struct engine *engine, struct error *err)
{
    if (!engine_tokenizer(engine))
        FAIL(err, ERR_LIMIT, "worker: the model has no tokenizer");
    *worker = (struct worker){
        .self = engine, .run = run_jobs, .parameters = engine_info(engine)->parameters};
    return OK;
}
