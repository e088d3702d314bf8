/* worker_remote - see worker_remote.h. */
#include "protocol/minions/worker_remote.h"

#include "base/json.h"
#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>

/* JobOutput, as job_output.h describes it. With lengths, as the engine's own schema has them: a
 * small model that repeats itself fills a string until its tokens are used up, and a reply that
 * is cut is lost (a server of llama.cpp with SmolLM2-135M: 3 of 5). */
static const char FORMAT[] =
    "\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":\"JobOutput\","
    "\"strict\":true,\"schema\":{\"type\":\"object\",\"properties\":{"
    "\"explanation\":{\"type\":\"string\",\"maxLength\":300},"
    "\"citation\":{\"anyOf\":[{\"type\":\"string\",\"maxLength\":400},{\"type\":\"null\"}]},"
    "\"answer\":{\"anyOf\":[{\"type\":\"string\",\"maxLength\":300},{\"type\":\"null\"}]}},"
    "\"required\":[\"explanation\",\"citation\",\"answer\"],"
    "\"additionalProperties\":false}}},";

/* A job of the list in hand. */
struct item {
    struct worker_fleet_request request;
    struct text_buf body, own_format;
};

struct run {
    struct worker_fleet *fleet;
    struct item *items; /* [count] */
    uint32_t count;
    struct arena *arena;
    uint32_t failed; /* jobs of all lists */
    char reason[WORKER_FLEET_REASON_BYTES];
};

/* Servers keep 32 bits of a seed at most, some of them signed. */
static int64_t seed_of(const struct worker_job *job)
{
    const uint64_t mixed = (job->seed + 1) * 0x9e3779b97f4a7c15u + job->key;
    return (int64_t)((mixed ^ (mixed >> 32)) & 0x7fffffffu);
}

void worker_remote_write(const struct worker_job *job, struct text_buf *body)
{
    struct json_writer w = {.out = body};
    json_write_object(&w);
    json_write_key(&w, "messages");
    json_write_array(&w);
    json_write_object(&w);
    json_write_key_text(&w, "role", TEXT("user"));
    json_write_key_text(&w, "content", job->prompt);
    json_write_object_end(&w);
    json_write_array_end(&w);
    json_write_key_i64(&w, "max_tokens", job->max_tokens);
    json_write_key_double(&w, "temperature", (double)job->temperature);
    json_write_key_i64(&w, "seed", seed_of(job));
    json_write_object_end(&w);
}

static uint32_t count_of(const struct json *object, const char *key)
{
    int64_t value = 0;
    (void)json_i64(json_get(object, key), &value);
    return value > 0 && value <= INT32_MAX ? (uint32_t)value : 0;
}

static enum status keep_reply(struct text content, struct worker_job *job, struct arena *arena,
                              struct error *err)
{
    if (text_starts(content, job->opening))
        content = text_slice(content, job->opening.size, SIZE_MAX);
    job->reply = text_copy(content, arena);
    if (content.size > 0 && !job->reply.data)
        FAIL(err, ERR_MEMORY, "workers: no room for a reply of %zu bytes", content.size);
    return OK;
}

enum status worker_remote_read(struct text body, struct worker_job *job, struct arena *arena,
                               struct error *err)
{
    struct json *root = NULL;
    struct text content = {0}, finish = {0};
    if (json_parse(body, 0, &root, NULL) != OK) {
        job->is_failed = true;
        return OK;
    }
    const struct json *choice = json_first(json_get(root, "choices"));
    const struct json *usage = json_get(root, "usage");
    job->is_failed = !json_text(json_get(json_get(choice, "message"), "content"), &content);
    job->is_cut = json_text(json_get(choice, "finish_reason"), &finish) &&
                  text_equal(finish, TEXT("length"));
    job->prompt_tokens = count_of(usage, "prompt_tokens");
    job->output_tokens = count_of(usage, "completion_tokens");
    job->cached_tokens = count_of(json_get(usage, "prompt_tokens_details"), "cached_tokens");
    if (job->cached_tokens > job->prompt_tokens)
        job->cached_tokens = job->prompt_tokens;
    const enum status status = keep_reply(content, job, arena, err);
    json_free(root);
    return status;
}

static void drop_list(struct run *run)
{
    for (uint32_t i = 0; i < run->count; i++) {
        text_buf_deinit(&run->items[i].body);
        text_buf_deinit(&run->items[i].own_format);
        text_buf_deinit(&run->items[i].request.reply);
    }
    free(run->items);
    run->items = NULL;
    run->count = 0;
}

/* For a server of ours: citations are copied from the chunk, as the engine here has them. */
static void write_own_format(const struct worker_job *job, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    text_buf_add(out, TEXT("\"chunk\":"));
    json_write_text(&w, job->chunk);
    text_buf_format(out,
                    ",\"response_format\":{\"type\":\"json_schema\",\"json_schema\":{\"name\":"
                    "\"JobOutput\",\"strict\":true,\"schema\":%s}},",
                    engine_job_output_schema);
}

static enum status add_job(struct run *run, struct worker_job *job, struct item *item,
                           struct error *err)
{
    if (job->kind == WORKER_SCORE)
        FAIL(err, ERR_LIMIT, "workers: servers elsewhere write replies, they give no scores");
    worker_remote_write(job, &item->body);
    if (job->is_output)
        write_own_format(job, &item->own_format);
    if (item->body.failed || item->own_format.failed)
        FAIL(err, ERR_MEMORY, "workers: no memory for a prompt of %zu bytes", job->prompt.size);
    const uint64_t group = worker_fleet_hash(job->chunk.size > 0 ? job->chunk : job->prompt);
    item->request = (struct worker_fleet_request){
        .ticket.group = group,
        .body = text_buf_text(&item->body),
        .format = job->is_output ? text_of(FORMAT) : (struct text){0},
        .own_format = text_buf_text(&item->own_format),
        .is_named = true,
        .user = job,
    };
    return worker_fleet_add(run->fleet, &item->request, err);
}

static enum status start(void *self, struct worker_job *const *jobs, uint32_t count,
                         struct arena *arena, struct error *err)
{
    struct run *run = self;
    drop_list(run);
    run->items = calloc(count > 0 ? count : 1, sizeof(*run->items));
    if (!run->items)
        FAIL(err, ERR_MEMORY, "workers: no memory for %u jobs", count);
    run->count = count;
    run->arena = arena;
    for (uint32_t i = 0; i < count; i++)
        TRY(add_job(run, jobs[i], &run->items[i], err));
    return OK;
}

static enum status next(void *self, struct worker_job **done, struct error *err)
{
    struct run *run = self;
    struct worker_fleet_request *request = NULL;
    *done = NULL;
    TRY(worker_fleet_next(run->fleet, &request, err));
    if (!request)
        return OK;
    struct worker_job *job = request->user;
    if (request->end == WORKER_FLEET_ANSWERED)
        TRY(worker_remote_read(text_buf_text(&request->reply), job, run->arena, err));
    else
        job->is_failed = true;
    if (job->is_failed) {
        run->failed++;
        (void)snprintf(run->reason, sizeof(run->reason), "%s",
                       request->end == WORKER_FLEET_ANSWERED ? "a reply has no content"
                                                             : request->reason);
    }
    text_buf_deinit(&request->reply);
    *done = job;
    return OK;
}

enum status worker_remote_init(struct worker *worker,
                               const struct worker_fleet_options *options, struct error *err)
{
    struct worker_fleet *fleet = NULL;
    TRY(worker_fleet_open(&fleet, options, err));
    struct run *run = calloc(1, sizeof(*run));
    if (!run) {
        worker_fleet_close(fleet);
        FAIL(err, ERR_MEMORY, "workers: no memory");
    }
    run->fleet = fleet;
    *worker =
        (struct worker){.self = run, .start = start, .next = next, .parameters = UINT64_MAX};
    return OK;
}

void worker_remote_deinit(struct worker *worker)
{
    struct run *run = worker->self;
    if (!run)
        return;
    worker_fleet_close(run->fleet); /* first: it borrows from the list */
    drop_list(run);
    free(run);
    *worker = (struct worker){0};
}

uint32_t worker_remote_failed(const struct worker *worker, const char **reason)
{
    const struct run *run = worker->self;
    *reason = run->reason;
    return run->failed;
}

void worker_remote_bytes(const struct worker *worker, struct worker_fleet_bytes *bytes)
{
    const struct run *run = worker->self;
    worker_fleet_bytes(run->fleet, bytes);
}
