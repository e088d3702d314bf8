/* worker_engine - see worker_engine.h. */
#include "protocol/minions/worker_engine.h"

#include "tokenizer/tokenizer.h"

#include <stdlib.h>
#include <string.h>

enum {
    IN_FLIGHT_MAX = 512, /* jobs handed to the engine and not done: whole cohorts fit */
    EVENTS_MAX = 64
};

/* The worker, with the list of jobs that it has in hand. */
struct run {
    struct engine *engine;
    struct engine_port *port;
    struct worker_job *const *jobs; /* [count] */
    struct text_buf *replies;       /* [count] */
    uint32_t count, submitted, in_flight;
    struct arena *arena;
    struct engine_event events[EVENTS_MAX]; /* polled, [event_at, event_count) not looked at */
    size_t event_at, event_count;
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

/* Submits the next job; one that does not fit the model fails alone. */
static enum status submit_next(struct run *run, bool *is_refused, struct error *err)
{
    struct worker_job *job = run->jobs[run->submitted];
    TRY(encode_job(run, job, err));
    const struct engine_job request = {
        .kind = job->kind == WORKER_SCORE ? ENGINE_SCORE : ENGINE_GENERATE,
        .format = job->is_output ? ENGINE_FORMAT_SCHEMA : ENGINE_FORMAT_TEXT,
        .format_source = text_of(job->is_output ? engine_job_output_schema : ""),
        .chunk = job->chunk,
        .prompt = run->tokens.ids,
        .prompt_tokens = (uint32_t)run->tokens.count,
        .score_tokens = job->target_tokens,
        .sample_count = 1,
        .max_tokens = job->max_tokens,
        .temperature = job->temperature,
        .seed = job->seed,
        .job_key = job->key,
        .port = run->port,
        .tag = run->submitted,
    };
    uint64_t id = 0;
    struct error why = {0};
    run->submitted++;
    const enum status status = engine_submit(run->engine, &request, &id, &why);
    *is_refused = status != OK;
    if (status == OK)
        run->in_flight++;
    else if (status != ERR_LIMIT && status != ERR_FORMAT)
        FAIL(err, status, "%.200s", why.text);
    else
        job->is_failed = true;
    return OK;
}

/* A job's last event: what came of it. */
static enum status end_job(struct run *run, const struct engine_event *event, struct error *err)
{
    struct worker_job *job = run->jobs[event->tag];
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
    struct text_buf *said = &run->replies[event->tag];
    const struct text reply = text_buf_text(said);
    job->reply = text_copy(reply, run->arena);
    if (said->failed || (reply.size > 0 && !job->reply.data))
        FAIL(err, ERR_MEMORY, "worker: no room for the reply of job %u", (unsigned)event->tag);
    text_buf_deinit(said);
    return OK;
}

/* Fills the engine up; stops early at a job that it refuses, which is over then. */
static enum status submit(struct run *run, struct worker_job **done, struct error *err)
{
    while (!*done && run->submitted < run->count && run->in_flight < IN_FLIGHT_MAX) {
        bool is_refused = false;
        TRY(submit_next(run, &is_refused, err));
        if (is_refused)
            *done = run->jobs[run->submitted - 1];
    }
    return OK;
}

static enum status take_events(struct run *run, struct worker_job **done, struct error *err)
{
    if (run->event_at == run->event_count) {
        run->event_at = 0;
        run->event_count = engine_port_poll(run->port, run->events, EVENTS_MAX, -1);
        if (run->event_count == 0)
            FAIL(err, ERR_DEVICE, "worker: the engine stopped with %u jobs unanswered",
                 run->in_flight);
    }
    while (!*done && run->event_at < run->event_count) {
        const struct engine_event *event = &run->events[run->event_at++];
        if (event->kind == ENGINE_TOKEN) {
            text_buf_add(&run->replies[event->tag], event->text);
            continue;
        }
        TRY(end_job(run, event, err));
        *done = run->jobs[event->tag];
    }
    return OK;
}

static void drop_list(struct run *run)
{
    for (uint32_t i = 0; run->replies && i < run->count; i++)
        text_buf_deinit(&run->replies[i]);
    free(run->replies);
    run->replies = NULL;
    run->jobs = NULL;
    run->count = run->submitted = 0;
}

static enum status start(void *self, struct worker_job *const *jobs, uint32_t count,
                         struct arena *arena, struct error *err)
{
    struct run *run = self;
    drop_list(run);
    run->replies = calloc(count > 0 ? count : 1, sizeof(*run->replies));
    if (!run->replies)
        FAIL(err, ERR_MEMORY, "worker: no memory for %u jobs", count);
    run->jobs = jobs;
    run->count = count;
    run->arena = arena;
    return OK;
}

static enum status next(void *self, struct worker_job **done, struct error *err)
{
    struct run *run = self;
    *done = NULL;
    while (!*done && (run->submitted < run->count || run->in_flight > 0)) {
        TRY(submit(run, done, err));
        if (!*done && run->in_flight > 0)
            TRY(take_events(run, done, err));
    }
    return OK;
}

enum status worker_engine_init(struct worker *worker, struct engine *engine, struct error *err)
{
    if (!engine_tokenizer(engine))
        FAIL(err, ERR_LIMIT, "worker: the model has no tokenizer");
    struct run *run = calloc(1, sizeof(*run));
    if (!run)
        FAIL(err, ERR_MEMORY, "worker: no memory");
    run->engine = engine;
    const enum status status = engine_port_open(engine, &run->port, err);
    if (status != OK) {
        free(run);
        return status;
    }
    *worker = (struct worker){.self = run,
                              .start = start,
                              .next = next,
                              .parameters = engine_info(engine)->parameters};
    return OK;
}

void worker_engine_deinit(struct worker *worker)
{
    struct run *run = worker->self;
    if (!run)
        return;
    engine_port_close(run->port);
    drop_list(run);
    token_list_deinit(&run->tokens);
    token_list_deinit(&run->prefix);
    text_buf_deinit(&run->whole);
    free(run);
    *worker = (struct worker){0};
}
