/* batch_calls - see batch_calls.h. */
#include "protocol/api/batch_calls.h"

#include "base/json.h"
#include "protocol/api/batch_file.h"
#include "protocol/api/multipart.h"
#include "protocol/api/refusal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    LIST_DEFAULT = 20,
    PURPOSE_MAX = 64,
    NAME_MAX_BYTES = 512,
    METADATA_MAX = 16, /* pairs, and the bytes of each: OpenAI's limits */
    METADATA_KEY_MAX = 64,
    METADATA_VALUE_MAX = 512
};

struct body {
    struct text file, endpoint, window;
    const struct json *metadata;
};

static const struct field batch_fields[] = {
    {"input_file_id", FIELD_TEXT, 0, 0, 64, offsetof(struct body, file),
     "A file of purpose batch: one request a line."},
    {"endpoint", FIELD_TEXT, 0, 0, 64, offsetof(struct body, endpoint),
     "Where all of its requests go: /v1/chat/completions, /v1/completions, /v1/embeddings or "
     "/v1/responses."},
    {"completion_window", FIELD_TEXT, 0, 0, 16, offsetof(struct body, window), "24h."},
    {"metadata", FIELD_JSON, FIELD_IS_OBJECT, 0, 0, offsetof(struct body, metadata),
     "Up to 16 strings by name, told back."},
};
const struct field_list batch_calls_fields = FIELD_LIST(batch_fields);

/* What a call has found. */
struct answer {
    struct text_buf body;
    const char *content_type; /* NULL: JSON */
    int refused; /* the status of HTTP, where the failure's own says less; else 0 */
};

/* ---- objects ---- */

static void write_id(struct json_writer *w, const char *key, const char *kind, int64_t id)
{
    char name[32];
    (void)snprintf(name, sizeof name, "%s%016" PRIx64, kind, (uint64_t)id);
    json_write_key_text(w, key, text_of(name));
}

/* 0: it is no id of that kind. */
static int64_t read_id(struct text name, const char *kind)
{
    int64_t id = 0;
    if (!text_starts(name, text_of(kind)) || name.size != strlen(kind) + 16)
        return 0;
    for (size_t i = strlen(kind); i < name.size; i++) {
        const char c = name.data[i];
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                                 : -1;
        if (digit < 0 || id > INT64_MAX >> 4)
            return 0;
        id = id << 4 | digit;
    }
    return id;
}

static void write_file(struct json_writer *w, const struct store_file *file)
{
    json_write_object(w);
    write_id(w, "id", "file-", file->id);
    json_write_key_text(w, "object", TEXT("file"));
    json_write_key_i64(w, "bytes", file->bytes);
    json_write_key_i64(w, "created_at", file->created);
    json_write_key_text(w, "filename", file->name);
    json_write_key_text(w, "purpose", file->purpose);
    json_write_key_text(w, "status", TEXT("processed"));
    json_write_object_end(w);
}

static void write_time(struct json_writer *w, const char *key, int64_t at)
{
    if (at > 0)
        json_write_key_i64(w, key, at);
}

static void write_batch(struct json_writer *w, const struct store_batch *batch)
{
    static const struct {
        const char *name, *ended_at;
    } states[] = {[STORE_VALIDATING] = {"validating", NULL},
                  [STORE_IN_PROGRESS] = {"in_progress", NULL},
                  [STORE_FINALIZING] = {"finalizing", NULL},
                  [STORE_CANCELLING] = {"cancelling", NULL},
                  [STORE_COMPLETED] = {"completed", "completed_at"},
                  [STORE_FAILED] = {"failed", "failed_at"},
                  [STORE_CANCELLED] = {"cancelled", "cancelled_at"}};
    json_write_object(w);
    write_id(w, "id", "batch_", batch->id);
    json_write_key_text(w, "object", TEXT("batch"));
    json_write_key_text(w, "endpoint", batch->endpoint);
    if (batch->errors.size > 0) {
        json_write_key(w, "errors");
        json_write_raw(w, batch->errors);
    }
    write_id(w, "input_file_id", "file-", batch->file);
    json_write_key_text(w, "completion_window", TEXT("24h"));
    json_write_key_text(w, "status", text_of(states[batch->state].name));
    if (batch->output_file)
        write_id(w, "output_file_id", "file-", batch->output_file);
    if (batch->error_file)
        write_id(w, "error_file_id", "file-", batch->error_file);
    json_write_key_i64(w, "created_at", batch->created);
    write_time(w, "in_progress_at", batch->begun);
    write_time(w, "finalizing_at", batch->finalizing);
    write_time(w, "cancelling_at", batch->cancelling);
    if (states[batch->state].ended_at)
        write_time(w, states[batch->state].ended_at, batch->ended);
    json_write_key(w, "request_counts");
    json_write_object(w);
    json_write_key_i64(w, "total", batch->total);
    json_write_key_i64(w, "completed", batch->completed);
    json_write_key_i64(w, "failed", batch->failed);
    json_write_object_end(w);
    json_write_key(w, "metadata");
    json_write_raw(w, batch->metadata.size > 0 ? batch->metadata : TEXT("null"));
    json_write_object_end(w);
}

/* ---- what calls have in common ---- */

static enum status refuse(struct answer *answer, int status, const char *sentence,
                          struct error *err)
{
    answer->refused = status;
    FAIL(err, ERR_LIMIT, "%s", sentence);
}

static enum status no_file(struct answer *answer, struct error *err)
{
    return refuse(answer, 404, "id: there is no file of that name", err);
}

static enum status no_batch(struct answer *answer, struct error *err)
{
    return refuse(answer, 404, "id: there is no batch of that name", err);
}

/* The value of a query's field; empty: it is not there. */
static struct text query_value(struct text query, const char *name)
{
    const size_t size = strlen(name);
    for (size_t at = 0; at < query.size;) {
        size_t end = text_find(query, TEXT("&"), at);
        end = end == SIZE_MAX ? query.size : end;
        const struct text pair = text_slice(query, at, end);
        if (text_starts(pair, text_of(name)) && pair.size > size && pair.data[size] == '=')
            return text_slice(pair, size + 1, pair.size);
        at = end + 1;
    }
    return TEXT("");
}

static enum status read_page(const struct batch_call *call, const char *kind,
                             struct store_page *page, struct error *err)
{
    const struct text query = http_exchange_request(call->exchange)->query;
    const struct text limit = query_value(query, "limit"), after = query_value(query, "after");
    *page = (struct store_page){.limit = limit.size > 0 ? 0 : LIST_DEFAULT,
                                .purpose = query_value(query, "purpose")};
    for (size_t i = 0; i < limit.size; i++) {
        if (limit.data[i] < '0' || limit.data[i] > '9' || page->limit > STORE_LIST_MAX)
            FAIL(err, ERR_LIMIT, "limit: want 1 to %d", STORE_LIST_MAX);
        page->limit = page->limit * 10 + (uint32_t)(limit.data[i] - '0');
    }
    if (page->limit < 1 || page->limit > STORE_LIST_MAX)
        FAIL(err, ERR_LIMIT, "limit: want 1 to %d", STORE_LIST_MAX);
    if (after.size > 0 && (page->before = read_id(after, kind)) == 0)
        FAIL(err, ERR_FORMAT, "after: no id");
    if (text_equal(query_value(query, "order"), TEXT("asc")))
        FAIL(err, ERR_LIMIT, "order: only desc is served");
    return OK;
}

static void begin_list(struct json_writer *w)
{
    json_write_object(w);
    json_write_key_text(w, "object", TEXT("list"));
    json_write_key(w, "data");
    json_write_array(w);
}

struct list_end {
    const char *kind;
    int64_t first, last; /* 0: the list is empty */
    bool has_more;
};

static void end_list(struct json_writer *w, const struct list_end *end)
{
    json_write_array_end(w);
    if (end->first) {
        write_id(w, "first_id", end->kind, end->first);
        write_id(w, "last_id", end->kind, end->last);
    } else {
        json_write_key_text(w, "first_id", TEXT(""));
        json_write_key_text(w, "last_id", TEXT(""));
    }
    json_write_key_bool(w, "has_more", end->has_more);
    json_write_object_end(w);
}

/* ---- files ---- */

typedef enum status call_function(struct batches *batches, const struct batch_call *call,
                                  struct answer *answer, struct error *err);

static enum status add_file(struct batches *batches, const struct batch_call *call,
                            struct answer *answer, struct error *err)
{
    const struct http_request *request = http_exchange_request(call->exchange);
    struct multipart form;
    struct json_writer w = {.out = &answer->body};
    TRY(multipart_parse(request->headers[HTTP_CONTENT_TYPE], request->body, &form, err));
    const struct multipart_part *file = multipart_find(&form, "file");
    const struct multipart_part *purpose = multipart_find(&form, "purpose");
    if (!file)
        FAIL(err, ERR_FORMAT, "file: missing");
    if (!purpose || purpose->content.size == 0 || purpose->content.size > PURPOSE_MAX)
        FAIL(err, ERR_FORMAT, "purpose: want a text of 1 to %d bytes", PURPOSE_MAX);
    if (text_equal(purpose->content, TEXT("batch_output")))
        FAIL(err, ERR_LIMIT, "purpose: batch_output is what batches write");
    if (file->file_name.size > NAME_MAX_BYTES)
        FAIL(err, ERR_LIMIT, "file: its name has %zu bytes, at most %d are taken",
             file->file_name.size, NAME_MAX_BYTES);
    struct store_file kept = {
        .purpose = purpose->content,
        .name = file->file_name.size > 0 ? file->file_name : TEXT("file"),
    };
    TRY(store_add_file(batches_store(batches), &kept, file->content, err));
    write_file(&w, &kept);
    return OK;
}

static enum status list_files(struct batches *batches, const struct batch_call *call,
                              struct answer *answer, struct error *err)
{
    struct json_writer w = {.out = &answer->body};
    struct store_page page;
    struct store_file *files;
    uint32_t count;
    TRY(read_page(call, "file-", &page, err));
    if (store_list_files(batches_store(batches), &page, call->arena, &files, &count) != OK)
        FAIL(err, ERR_IO, "the files cannot be read");
    const uint32_t shown = count < page.limit ? count : page.limit;
    begin_list(&w);
    for (uint32_t i = 0; i < shown; i++)
        write_file(&w, &files[i]);
    end_list(&w, &(struct list_end){.kind = "file-",
                                    .first = shown > 0 ? files[0].id : 0,
                                    .last = shown > 0 ? files[shown - 1].id : 0,
                                    .has_more = count > page.limit});
    return OK;
}

static enum status show_file(struct batches *batches, const struct batch_call *call,
                             struct answer *answer, struct error *err)
{
    struct store_file file = {.id = read_id(call->name, "file-")};
    struct json_writer w = {.out = &answer->body};
    bool found;
    TRY(store_find_file(batches_store(batches), &file, call->arena, &found, err));
    if (!found)
        return no_file(answer, err);
    write_file(&w, &file);
    return OK;
}

static enum status give_file(struct batches *batches, const struct batch_call *call,
                             struct answer *answer, struct error *err)
{
    const int64_t id = read_id(call->name, "file-");
    bool found;
    answer->content_type = "application/octet-stream";
    TRY(store_read_file(batches_store(batches), id, &answer->body, &found, err));
    return found ? OK : no_file(answer, err);
}

static enum status drop_file(struct batches *batches, const struct batch_call *call,
                             struct answer *answer, struct error *err)
{
    const int64_t id = read_id(call->name, "file-");
    struct json_writer w = {.out = &answer->body};
    bool found;
    const enum status status = store_drop_file(batches_store(batches), id, &found, err);
    if (status == ERR_CANCELLED)
        answer->refused = 409;
    TRY(status);
    if (!found)
        return no_file(answer, err);
    json_write_object(&w);
    write_id(&w, "id", "file-", id);
    json_write_key_text(&w, "object", TEXT("file"));
    json_write_key_bool(&w, "deleted", true);
    json_write_object_end(&w);
    return OK;
}

/* ---- batches ---- */

static enum status read_metadata(const struct json *metadata, struct text_buf *out,
                                 struct error *err)
{
    struct json_writer w = {.out = out};
    if (json_count(metadata) > METADATA_MAX)
        FAIL(err, ERR_LIMIT, "metadata: %zu pairs, at most %d are taken", json_count(metadata),
             METADATA_MAX);
    for (const struct json *pair = json_first(metadata); pair; pair = json_next(pair)) {
        struct text value;
        if (!json_text(pair, &value))
            FAIL(err, ERR_FORMAT, "metadata: want strings");
        if (json_key(pair).size > METADATA_KEY_MAX || value.size > METADATA_VALUE_MAX)
            FAIL(err, ERR_LIMIT, "metadata: names have at most %d bytes, values %d",
                 METADATA_KEY_MAX, METADATA_VALUE_MAX);
    }
    if (metadata)
        json_write_value(&w, metadata);
    return OK;
}

static enum status check_body(struct batches *batches, const struct batch_call *call,
                              const struct body *body, struct store_batch *batch,
                              struct error *err)
{
    struct store_file file = {.id = read_id(body->file, "file-")};
    bool found;
    TRY(store_find_file(batches_store(batches), &file, call->arena, &found, err));
    if (!found)
        FAIL(err, ERR_FORMAT, "input_file_id: there is no file of that name");
    if (!text_equal(file.purpose, TEXT("batch")))
        FAIL(err, ERR_FORMAT, "input_file_id: a file of purpose %.*s, want batch",
             TEXT_ARG(file.purpose));
    if (!batch_file_takes(body->endpoint))
        FAIL(err, ERR_LIMIT,
             "endpoint: want /v1/chat/completions, /v1/completions, /v1/embeddings or "
             "/v1/responses");
    if (!text_equal(body->window, TEXT("24h")))
        FAIL(err, ERR_LIMIT, "completion_window: want 24h");
    *batch = (struct store_batch){.file = file.id, .endpoint = body->endpoint};
    return OK;
}

static enum status make_batch(struct batches *batches, const struct batch_call *call,
                              const struct json *root, struct text_buf *metadata,
                              struct answer *answer, struct error *err)
{
    struct json_writer w = {.out = &answer->body};
    struct store_batch batch;
    struct body body = {0};
    TRY(field_read(root, &batch_calls_fields, &body, err));
    TRY(check_body(batches, call, &body, &batch, err));
    TRY(read_metadata(body.metadata, metadata, err));
    batch.metadata = text_buf_text(metadata);
    if (metadata->failed)
        FAIL(err, ERR_MEMORY, "no memory for metadata");
    const enum status status = store_add_batch(batches_store(batches), &batch, err);
    if (status == ERR_LIMIT)
        answer->refused = 429;
    TRY(status);
    batches_wake(batches);
    write_batch(&w, &batch);
    return OK;
}

static enum status add_batch(struct batches *batches, const struct batch_call *call,
                             struct answer *answer, struct error *err)
{
    struct json *root = NULL;
    struct text_buf metadata = {0};
    struct error why = {0};
    if (json_parse(http_exchange_request(call->exchange)->body, 0, &root, &why) != OK)
        FAIL(err, why.status, "body: %.200s", why.text);
    const enum status status = make_batch(batches, call, root, &metadata, answer, err);
    text_buf_deinit(&metadata);
    json_free(root);
    return status;
}

static enum status list_batches(struct batches *batches, const struct batch_call *call,
                                struct answer *answer, struct error *err)
{
    struct json_writer w = {.out = &answer->body};
    struct store_page page;
    struct store_batch *list;
    uint32_t count;
    TRY(read_page(call, "batch_", &page, err));
    if (store_list_batches(batches_store(batches), &page, call->arena, &list, &count) != OK)
        FAIL(err, ERR_IO, "the batches cannot be read");
    const uint32_t shown = count < page.limit ? count : page.limit;
    begin_list(&w);
    for (uint32_t i = 0; i < shown; i++)
        write_batch(&w, &list[i]);
    end_list(&w, &(struct list_end){.kind = "batch_",
                                    .first = shown > 0 ? list[0].id : 0,
                                    .last = shown > 0 ? list[shown - 1].id : 0,
                                    .has_more = count > page.limit});
    return OK;
}

static enum status show_batch(struct batches *batches, const struct batch_call *call,
                              struct answer *answer, struct error *err)
{
    struct store_batch batch = {.id = read_id(call->name, "batch_")};
    struct json_writer w = {.out = &answer->body};
    bool found = false;
    if (batch.id) /* 0 would be the oldest that has not ended */
        TRY(store_find_batch(batches_store(batches), &batch, call->arena, &found, err));
    if (!found)
        return no_batch(answer, err);
    write_batch(&w, &batch);
    return OK;
}

static enum status cancel_batch(struct batches *batches, const struct batch_call *call,
                                struct answer *answer, struct error *err)
{
    TRY(store_cancel_batch(batches_store(batches), read_id(call->name, "batch_"), err));
    batches_wake(batches);
    return show_batch(batches, call, answer, err);
}

/* ---- routing ---- */

static const struct {
    enum http_method method;
    const char *path;
    call_function *function;
} CALLS[] = {
    {HTTP_POST, "/v1/files", add_file},
    {HTTP_GET, "/v1/files", list_files},
    {HTTP_GET, "/v1/files/*/content", give_file},
    {HTTP_GET, "/v1/files/*", show_file},
    {HTTP_DELETE, "/v1/files/*", drop_file},
    {HTTP_POST, "/v1/batches", add_batch},
    {HTTP_GET, "/v1/batches", list_batches},
    {HTTP_GET, "/v1/batches/*", show_batch},
    {HTTP_POST, "/v1/batches/*/cancel", cancel_batch},
};
enum { CALL_COUNT = sizeof CALLS / sizeof CALLS[0] };

static call_function *function_of(const struct endpoint *endpoint)
{
    for (int i = 0; i < CALL_COUNT; i++)
        if (CALLS[i].method == endpoint->method && strcmp(CALLS[i].path, endpoint->path) == 0)
            return CALLS[i].function;
    return NULL;
}

/* The field that a refusal is about: of the body, of the query, or of the path. */
static const char *param_of(const char *sentence)
{
    static const char *const others[] = {"file", "purpose", "limit", "after", "order", "id"};
    const char *param = field_of_refusal(&batch_calls_fields, sentence);
    for (size_t i = 0; i < sizeof others / sizeof others[0] && !param; i++)
        if (text_starts(text_of(sentence), text_of(others[i])) &&
            sentence[strlen(others[i])] == ':')
            param = others[i];
    return param;
}

static enum status run_call(struct batches *batches, const struct batch_call *call,
                            struct answer *answer, struct error *err)
{
    call_function *function = function_of(call->endpoint);
    if (!batches || !function)
        return refuse(
            answer, 503,
            "this server keeps no files and runs no batches; it said why when it began", err);
    TRY(function(batches, call, answer, err));
    if (answer->body.failed)
        FAIL(err, ERR_MEMORY, "no memory for an answer");
    return OK;
}

void batch_calls_answer(struct batches *batches, const struct batch_call *call)
{
    struct error err = {0};
    struct answer answer = {0};
    const enum status status = run_call(batches, call, &answer, &err);
    if (status == OK)
        http_answer(call->exchange, &(struct http_reply){.status = 200,
                                                         .content_type = answer.content_type,
                                                         .body = text_buf_text(&answer.body)});
    else
        refusal_answer(call->exchange, NULL,
                       &(struct reply_error){.status = answer.refused ? answer.refused
                                                                      : refusal_status(status),
                                             .text = text_of(err.text),
                                             .param = param_of(err.text)});
    text_buf_deinit(&answer.body);
}
