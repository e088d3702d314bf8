/* batch_workers - see batch_workers.h. */
#include "tools/batch_workers.h"

#include "base/json.h"
#include "protocol/api/openai_reply.h"

#include <stdio.h>
#include <stdlib.h>

enum { WINDOW = 4096, GROUP_BYTES = 2048 };

/* A request that the fleet has. */
struct item {
    struct worker_fleet_request request;
    struct text_buf custom_id, body;
    struct item *next_free;
};

struct run {
    struct batch_file_lines *lines;
    struct batch_file_output *out;
    struct batch_workers_counts *counts;
    struct worker_fleet *fleet;
    bool is_named; /* --worker-model stands for the requests' own */
    struct item *items, *free;
};

/* ---- requests ---- */

/* The body's members, without the model's where another is put in front. */
static void write_body(const struct run *run, const struct json *body, struct text_buf *out)
{
    const char *before = "{";
    for (const struct json *item = json_first(body); item; item = json_next(item)) {
        struct json_writer key = {.out = out}, value = {.out = out};
        if (run->is_named && text_equal(json_key(item), TEXT("model")))
            continue;
        text_buf_add(out, text_of(before));
        json_write_text(&key, json_key(item));
        text_buf_byte(out, ':');
        json_write_value(&value, item);
        before = ",";
    }
    text_buf_byte(out, '}');
}

static uint64_t group_of(const struct json *body)
{
    struct text_buf messages = {0};
    struct json_writer w = {.out = &messages};
    json_write_value(&w, json_get(body, "messages"));
    const uint64_t group =
        worker_fleet_hash(text_slice(text_buf_text(&messages), 0, GROUP_BYTES));
    text_buf_deinit(&messages);
    return group;
}

/* What is wrong with a request is its result. */
static enum status refuse(struct run *run, struct text custom_id, int status_code,
                          struct text why, struct error *err)
{
    struct text_buf body = {0};
    struct json_writer w = {.out = &body};
    openai_reply_error(&w, &(struct reply_error){.status = status_code, .text = why});
    const struct batch_file_result result = {custom_id, status_code, text_buf_text(&body)};
    const enum status status = batch_file_append(run->out, &result, err);
    text_buf_deinit(&body);
    run->counts->refused++;
    return status;
}

static enum status send_line(struct run *run, const struct batch_file_request *asked,
                             struct error *err)
{
    struct item *item = run->free;
    bool is_streamed = false;
    if (!text_equal(asked->url, TEXT("/v1/chat/completions")))
        return refuse(run, asked->custom_id, 400,
                      TEXT("url: --workers are sent to /v1/chat/completions alone"), err);
    if (!json_get(asked->body, "messages"))
        return refuse(run, asked->custom_id, 400, TEXT("messages: missing"), err);
    if (json_bool(json_get(asked->body, "stream"), &is_streamed) && is_streamed)
        return refuse(run, asked->custom_id, 400, TEXT("stream: a batch has no stream"), err);
    run->free = item->next_free;
    text_buf_clear(&item->custom_id);
    text_buf_clear(&item->body);
    text_buf_add(&item->custom_id, asked->custom_id);
    write_body(run, asked->body, &item->body);
    if (item->custom_id.failed || item->body.failed)
        FAIL(err, ERR_MEMORY, "no memory for a request");
    item->request = (struct worker_fleet_request){.ticket.group = group_of(asked->body),
                                                  .body = text_buf_text(&item->body),
                                                  .is_named = run->is_named,
                                                  .user = item};
    return worker_fleet_add(run->fleet, &item->request, err);
}

static enum status start_line(struct run *run, struct text line, struct error *err)
{
    struct batch_file_request asked;
    enum status status = OK;
    TRY(batch_file_parse(line, run->lines->number, &asked, err));
    if (id_set_has(&run->out->done, asked.custom_id))
        run->counts->skipped++;
    else
        status = send_line(run, &asked, err);
    json_free(asked.root);
    return status;
}

/* ---- replies ---- */

/* Written anew: a reply may have line breaks between its members. */
static enum status write_reply(struct run *run, const struct item *item, struct error *err)
{
    const struct text reply = text_buf_text(&item->request.reply);
    struct json *root = NULL;
    struct text_buf body = {0};
    struct json_writer w = {.out = &body};
    if (json_parse(reply, 0, &root, NULL) == OK)
        json_write_value(&w, root);
    else
        openai_reply_error(&w, &(struct reply_error){.status = (int)item->request.status,
                                                     .text = text_slice(reply, 0, 1000)});
    json_free(root);
    enum status status = OK;
    const struct batch_file_result result = {text_buf_text(&item->custom_id),
                                             (int)item->request.status, text_buf_text(&body)};
    if (body.failed)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "no memory for a reply");
    else
        status = batch_file_append(run->out, &result, err);
    text_buf_deinit(&body);
    return status;
}

static enum status finish(struct run *run, struct item *item, struct error *err)
{
    const enum worker_fleet_end end = item->request.end;
    if (end != WORKER_FLEET_FAILED)
        TRY(write_reply(run, item, err));
    run->counts->written += end == WORKER_FLEET_ANSWERED;
    run->counts->refused += end == WORKER_FLEET_REFUSED;
    run->counts->failed += end == WORKER_FLEET_FAILED;
    if (end == WORKER_FLEET_FAILED)
        (void)snprintf(run->counts->reason, sizeof(run->counts->reason), "%s",
                       item->request.reason);
    text_buf_deinit(&item->request.reply);
    item->next_free = run->free;
    run->free = item;
    return OK;
}

static enum status run_lines(struct run *run, struct error *err)
{
    struct worker_fleet_request *request;
    struct text line;
    do {
        while (run->free && batch_file_next_line(run->lines, &line))
            TRY(start_line(run, line, err));
        TRY(worker_fleet_next(run->fleet, &request, err));
        if (request)
            TRY(finish(run, request->user, err));
    } while (request);
    return OK;
}

enum status batch_workers_run(struct batch_file_lines *lines, struct batch_file_output *out,
                              const struct worker_fleet_options *options,
                              struct batch_workers_counts *counts, struct error *err)
{
    struct run run = {.lines = lines, .out = out, .counts = counts};
    struct worker_fleet_options asked = *options;
    run.is_named = options->model != NULL;
    asked.asks_no_model = true;
    TRY(worker_fleet_open(&run.fleet, &asked, err));
    run.items = calloc(WINDOW, sizeof(*run.items));
    enum status status = OK;
    for (uint32_t i = 0; run.items && i < WINDOW; i++)
        run.items[i].next_free = i + 1 < WINDOW ? &run.items[i + 1] : NULL;
    run.free = run.items;
    if (!run.items)
        status =
            error_set(err, ERR_MEMORY, __FILE__, __LINE__, "no memory for %d requests", WINDOW);
    else
        status = run_lines(&run, err);
    worker_fleet_bytes(run.fleet, &counts->bytes);
    worker_fleet_close(run.fleet);
    for (uint32_t i = 0; run.items && i < WINDOW; i++) {
        text_buf_deinit(&run.items[i].custom_id);
        text_buf_deinit(&run.items[i].body);
        text_buf_deinit(&run.items[i].request.reply);
    }
    free(run.items);
    return status;
}
