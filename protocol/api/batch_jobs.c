/* batch_jobs - see batch_jobs.h. */
#include "protocol/api/batch_jobs.h"

#include "base/clock.h"
#include "protocol/api/openai_reply.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PARSE_BYTES = 64 << 20 };

enum status batch_jobs_init(struct batch_jobs *jobs, struct engine *engine,
                            struct engine_port *port, struct error *err)
{
    *jobs = (struct batch_jobs){.engine = engine, .port = port};
    jobs->table = calloc(BATCH_JOBS_MAX, sizeof *jobs->table);
    if (!jobs->table)
        FAIL(err, ERR_MEMORY, "no memory for %d requests in flight", BATCH_JOBS_MAX);
    return arena_init(&jobs->arena, PARSE_BYTES, err);
}

static void clear(struct batch_job *job)
{
    ask_run_deinit(&job->run);
    text_buf_deinit(&job->custom_id);
    free(job->engine_ids);
    *job = (struct batch_job){0};
}

void batch_jobs_deinit(struct batch_jobs *jobs)
{
    for (uint32_t i = 0; jobs->table && i < BATCH_JOBS_MAX; i++)
        clear(&jobs->table[i]);
    free(jobs->table);
    arena_deinit(&jobs->arena);
    *jobs = (struct batch_jobs){0};
}

void batch_jobs_free(struct batch_jobs *jobs, struct batch_job *job)
{
    jobs->running--;
    jobs->samples -= job->run.reply.choice_count;
    clear(job);
}

static void write_error(struct batch_jobs_answer *answer, const struct reply_error *error)
{
    text_buf_clear(&answer->body);
    openai_reply_error_whole(error, &answer->body);
    answer->status_code = error->status;
}

static void refuse(struct batch_jobs_answer *answer, const struct endpoint *endpoint,
                   const struct error *why)
{
    write_error(answer,
                &(struct reply_error){.status = 400,
                                      .text = text_of(why->text),
                                      .param = field_of_refusal(endpoint->fields, why->text)});
}

/* batch_file_takes it, so that there is one. */
static const struct endpoint *endpoint_of(struct text url)
{
    const struct endpoint *endpoint = endpoints_own(0);
    for (uint32_t i = 0; endpoint; endpoint = endpoints_own(++i))
        if (endpoint->kind == ENDPOINT_ASK && text_equal(text_of(endpoint->path), url))
            break;
    assert(endpoint);
    return endpoint;
}

static struct batch_job *take_free(struct batch_jobs *jobs)
{
    struct batch_job *job = jobs->table;
    while (job->is_used)
        job++;
    return job;
}

/* A request that the server would take. */
static enum status read_request(struct batch_jobs *jobs, const struct endpoint *endpoint,
                                const struct batch_file_request *request, struct ask *ask,
                                struct error *err)
{
    TRY(endpoint->parse(request->body, &jobs->arena, ask, err));
    TRY(ask_settle(ask, engine_tokenizer(jobs->engine), false, &jobs->arena, err));
    if (!ask->has_seed)
        ask->job.job_key = (uint32_t)id_set_hash(request->custom_id);
    ask->lowered = -jobs->priority;
    return OK;
}

static enum status fill(const struct batch_jobs *jobs, struct batch_job *job,
                        const struct ask *ask, struct text custom_id, struct error *err)
{
    TRY(ask_run_init(&job->run, jobs->engine, ask, err));
    job->engine_ids =
        calloc(ASK_RUN_JOBS_MAX * (size_t)ask->prompt_count, sizeof *job->engine_ids);
    text_buf_add(&job->custom_id, custom_id);
    if (!job->engine_ids || job->custom_id.failed)
        FAIL(err, ERR_MEMORY, "no memory for a request");
    return OK;
}

static enum status submit_prompt(struct batch_jobs *jobs, struct batch_job *job,
                                 struct ask_run_jobs *made, struct error *err)
{
    for (uint32_t i = 0; i < made->count; i++) {
        made->jobs[i].port = jobs->port;
        made->jobs[i].tag |= (uint64_t)(job - jobs->table) << 32;
        TRY(engine_submit(jobs->engine, &made->jobs[i], &job->engine_ids[job->submitted], err));
        job->submitted++;
        job->open_ends += made->ends[i];
    }
    return OK;
}

static enum status submit(struct batch_jobs *jobs, struct batch_job *job, const struct ask *ask,
                          struct error *err)
{
    struct ask_run_jobs made = {0};
    enum status status = OK;
    for (uint32_t i = 0; status == OK && i < ask->prompt_count; i++) {
        status = ask_run_jobs(&job->run, ask, i, &made, err);
        if (status == OK)
            status = submit_prompt(jobs, job, &made, err);
    }
    token_list_deinit(&made.ids);
    return status == OK ? OK : ask_refused(ask, err);
}

static void cancel(struct batch_jobs *jobs, const struct batch_job *job)
{
    for (uint32_t i = 0; i < job->submitted; i++)
        engine_cancel(jobs->engine, job->engine_ids[i]);
}

/* The job is the engine's, or it is answered. */
static enum status launch(struct batch_jobs *jobs, struct batch_job *job, const struct ask *ask,
                          struct batch_jobs_answer *answer, struct error *err)
{
    struct error why = {0};
    enum status status = OK;
    job->is_used = true;
    jobs->running++;
    jobs->samples += job->run.reply.choice_count;
    if (submit(jobs, job, ask, &why) != OK) {
        status = engine_failure(jobs->engine, err);
        if (status == OK)
            refuse(answer, job->endpoint, &why);
        job->is_refused = true;
        cancel(jobs, job);
    } else if (job->open_ends == 0) {
        ask_run_end(&job->run);
        status = batch_jobs_word(jobs, job, answer, err);
    }
    if (job->open_ends == 0)
        batch_jobs_free(jobs, job);
    return status;
}

enum status batch_jobs_start(struct batch_jobs *jobs, const struct batch_file_request *request,
                             size_t line, struct batch_jobs_answer *answer, struct error *err)
{
    struct batch_job *job = take_free(jobs);
    struct error why = {0};
    struct ask ask;
    *job = (struct batch_job){.endpoint = endpoint_of(request->url), .line = line};
    enum status status = read_request(jobs, job->endpoint, request, &ask, &why);
    if (status == OK)
        status = fill(jobs, job, &ask, request->custom_id, &why);
    if (status == OK) {
        status = launch(jobs, job, &ask, answer, err);
    } else if (status == ERR_MEMORY) {
        clear(job);
        (void)error_set(err, status, why.file, why.line, "%s", why.text);
    } else {
        refuse(answer, job->endpoint, &why);
        clear(job);
        status = OK;
    }
    arena_rewind(&jobs->arena, 0);
    return status;
}

struct batch_job *batch_jobs_take(struct batch_jobs *jobs, const struct engine_event *event)
{
    struct batch_job *job = &jobs->table[event->tag >> 32];
    const struct ask_run_news news = ask_run_take(&job->run, event);
    if (!news.is_end)
        return NULL;
    job->is_cancelled |= event->finish == ENGINE_CANCELLED;
    if (--job->open_ends > 0)
        return NULL;
    ask_run_end(&job->run);
    if (!job->is_refused)
        return job;
    batch_jobs_free(jobs, job);
    return NULL;
}

bool batch_jobs_was_cancelled(const struct batch_job *job)
{
    return job->is_cancelled;
}

enum status batch_jobs_word(struct batch_jobs *jobs, struct batch_job *job,
                            struct batch_jobs_answer *answer, struct error *err)
{
    const struct reply_wire *wire = job->endpoint->wire;
    struct reply *reply = &job->run.reply;
    TRY(engine_failure(jobs->engine, err));
    if (reply_has_failed(reply))
        FAIL(err, ERR_MEMORY, "no memory for an answer");
    (void)snprintf(reply->id, sizeof reply->id, "%s%016" PRIx64,
                   wire->id_prefix ? wire->id_prefix : "chatcmpl-",
                   id_set_hash(text_buf_text(&job->custom_id)));
    reply->created = clock_unix_s();
    answer->status_code = 200;
    if (job->run.has_failed)
        write_error(answer,
                    &(struct reply_error){.status = 500,
                                          .text = TEXT("the model's numbers are not numbers")});
    else
        wire->whole(reply, &answer->body);
    if (answer->body.failed)
        FAIL(err, ERR_MEMORY, "no memory for an answer");
    return OK;
}

void batch_jobs_cancel(struct batch_jobs *jobs)
{
    for (uint32_t i = 0; i < BATCH_JOBS_MAX; i++)
        if (jobs->table[i].is_used)
            cancel(jobs, &jobs->table[i]);
}
