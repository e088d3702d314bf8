/* batch_jobs - see batch_jobs.h. */
#include "protocol/api/batch_jobs.h"

#include "base/clock.h"
#include "protocol/api/openai.h"
#include "protocol/api/openai_reply.h"
#include "tokenizer/tokenizer.h"

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
    reply_deinit(&job->reply);
    text_buf_deinit(&job->custom_id);
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
    jobs->samples -= job->reply.choice_count;
    clear(job);
}

static void write_refusal(struct text_buf *body, int status_code, struct text why)
{
    struct json_writer w = {.out = body};
    openai_reply_error(&w, &(struct reply_error){.status = status_code, .text = why});
}

static int32_t priority_of(const struct batch_jobs *jobs, const struct engine_job *job)
{
    const int64_t sum = (int64_t)job->priority + jobs->priority;
    return sum < -ENGINE_PRIORITY_MAX  ? -ENGINE_PRIORITY_MAX
           : sum > ENGINE_PRIORITY_MAX ? ENGINE_PRIORITY_MAX
                                       : (int32_t)sum;
}

/* A failure is the request's own. */
static enum status submit(struct batch_jobs *jobs, const struct ask *ask, struct batch_job *job,
                          struct error *err)
{
    struct engine_job asked = ask->job;
    struct token_list ids = {0};
    const uint32_t room = engine_info(jobs->engine)->context_max;
    enum status status =
        tokenizer_encode_chat(engine_tokenizer(jobs->engine), ask->prompts[0].messages,
                              ask->prompts[0].message_count, true, &ids, err);
    if (ask->prompts[0].chunk.data)
        asked.chunk = ask->prompts[0].chunk;
    asked.prompt = ids.ids;
    asked.prompt_tokens = (uint32_t)ids.count;
    if (asked.max_tokens == 0)
        asked.max_tokens = ids.count < room ? room - (uint32_t)ids.count : 1;
    asked.job_key = ask->has_seed ? 0 : (uint32_t)id_set_hash(text_buf_text(&job->custom_id));
    if (jobs->priority != 0 && asked.priority >= -ENGINE_PRIORITY_MAX &&
        asked.priority <= ENGINE_PRIORITY_MAX) /* others the engine refuses by name */
        asked.priority = priority_of(jobs, &asked);
    asked.port = jobs->port;
    asked.tag = (uint64_t)(job - jobs->table);
    if (status == OK)
        status = engine_submit(jobs->engine, &asked, &job->engine_id, err);
    token_list_deinit(&ids);
    return status;
}

static struct batch_job *take_free(struct batch_jobs *jobs)
{
    struct batch_job *job = jobs->table;
    while (job->is_used)
        job++;
    return job;
}

/* A request that the server would take, but for tools: replies here are texts. */
static enum status read_request(struct batch_jobs *jobs, const struct json *body,
                                struct ask *ask, struct error *err)
{
    TRY(openai_chat_parse(body, &jobs->arena, ask, err));
    if (ask->tools.list)
        FAIL(err, ERR_LIMIT, "tools: not taken in a batch");
    return ask_settle(ask, engine_tokenizer(jobs->engine), false, &jobs->arena, err);
}

static enum status fill(const struct batch_jobs *jobs, struct batch_job *job,
                        const struct ask *ask, struct text custom_id, struct error *err)
{
    TRY(reply_init(&job->reply, ask->job.sample_count, err));
    job->reply.model = text_of(engine_info(jobs->engine)->model_name);
    job->reply.has_logprobs = ask->logprobs;
    job->is_used = true;
    text_buf_add(&job->custom_id, custom_id);
    if (job->custom_id.failed)
        FAIL(err, ERR_MEMORY, "no memory for a request");
    return OK;
}

enum status batch_jobs_start(struct batch_jobs *jobs, const struct batch_file_request *request,
                             size_t line, struct text_buf *refusal, struct error *err)
{
    struct batch_job *job = take_free(jobs);
    struct error why = {0};
    struct ask ask;
    enum status status = OK;
    if (read_request(jobs, request->body, &ask, &why) != OK) {
        write_refusal(refusal, 400, text_of(why.text));
    } else if (fill(jobs, job, &ask, request->custom_id, err) != OK) {
        clear(job);
        status = ERR_MEMORY;
    } else if (submit(jobs, &ask, job, &why) != OK) {
        clear(job);
        status = engine_failure(jobs->engine, err);
        if (status == OK)
            write_refusal(refusal, 400, text_of(why.text));
    } else {
        job->line = line;
        jobs->running++;
        jobs->samples += job->reply.choice_count;
    }
    arena_rewind(&jobs->arena, 0);
    return status;
}

struct batch_job *batch_jobs_take(struct batch_jobs *jobs, const struct engine_event *event)
{
    struct batch_job *job = &jobs->table[event->tag];
    struct reply *reply = &job->reply;
    struct reply_choice *choice = &reply->choices[event->sample];
    if (event->kind == ENGINE_TOKEN) {
        text_buf_add(&choice->text, event->text);
        if (reply->has_logprobs)
            logprob_list_add(&choice->logprobs, engine_tokenizer(jobs->engine), event);
        return NULL;
    }
    choice->finish = event->finish;
    reply->prompt_tokens = event->prompt_tokens;
    reply->completion_tokens += event->output_tokens;
    if (event->sample == 0)
        reply->cached_tokens = event->cached_tokens;
    return event->samples_left == 0 ? job : NULL;
}

static bool has_finish(const struct batch_job *job, enum engine_finish finish)
{
    bool has = false;
    for (uint32_t i = 0; i < job->reply.choice_count; i++)
        has |= job->reply.choices[i].finish == finish;
    return has;
}

bool batch_jobs_was_cancelled(const struct batch_job *job)
{
    return has_finish(job, ENGINE_CANCELLED);
}

enum status batch_jobs_word(struct batch_jobs *jobs, struct batch_job *job,
                            struct text_buf *body, int *status_code, struct error *err)
{
    struct json_writer w = {.out = body};
    struct reply *reply = &job->reply;
    TRY(engine_failure(jobs->engine, err));
    if (reply_has_failed(reply))
        FAIL(err, ERR_MEMORY, "no memory for an answer");
    *status_code = has_finish(job, ENGINE_FAILED) ? 500 : 200;
    if (*status_code == 500) {
        write_refusal(body, 500, TEXT("the model's numbers are not numbers"));
        return OK;
    }
    (void)snprintf(reply->id, sizeof reply->id, "chatcmpl-%016" PRIx64,
                   id_set_hash(text_buf_text(&job->custom_id)));
    reply->created = clock_unix_s();
    openai_reply_chat(&w, reply);
    return OK;
}

void batch_jobs_cancel(struct batch_jobs *jobs)
{
    for (uint32_t i = 0; i < BATCH_JOBS_MAX; i++)
        if (jobs->table[i].is_used)
            engine_cancel(jobs->engine, jobs->table[i].engine_id);
}
