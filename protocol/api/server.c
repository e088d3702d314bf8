/* server - see server.h. */
#include "protocol/api/server.h"

#include "base/clock.h"
#include "base/queue.h"
#include "protocol/api/admission.h"
#include "protocol/api/anthropic.h"
#include "protocol/api/batch_calls.h"
#include "protocol/api/flights.h"
#include "protocol/api/keys.h"
#include "protocol/api/metrics.h"
#include "protocol/api/ollama_models.h"
#include "protocol/api/page.h"
#include "protocol/api/refusal.h"
#include "protocol/api/tokenize.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    READERS = 2,
    ARENA_BYTES = 64 << 20, /* of one request's parsing; address space until it is used */
    OTHERS_MAX = 64,
    PUMP_WAIT_MS = 100 /* an idle pump looks this often whether the server closes */
};

struct reader {
    struct server *server;
    pthread_t thread;
    struct arena arena;
    bool has_thread;
    uint32_t key;    /* of the request in hand */
    int32_t lowered; /* of its priority */
};

struct server {
    struct http *http;
    struct keys *keys;
    struct endpoint_list more;
    struct queue others; /* of struct server_request */
    struct reader readers[READERS];
    pthread_t pump, watcher;
    bool has_pump, has_watcher;
    atomic_bool closing;
    bool is_minions_batch;
    int64_t created;
    uint32_t requests_max;
    struct engine *engine;
    struct flights *flights;
    struct admission admission;
    struct batches *batches; /* NULL: without_batches says why */
    struct error without_batches;
    const char *store_path;
    struct metrics metrics;
    struct page page;
    _Atomic bool is_ready; /* engine and flights are there */
};

/* ---- answers that need no engine ---- */

static void answer_json(struct http_exchange *x, int status, struct text_buf *body)
{
    if (body->failed)
        refusal_say(x, 503, "no memory for an answer");
    else
        http_answer(x, &(struct http_reply){.status = status, .body = text_buf_text(body)});
    text_buf_deinit(body);
}

static void answer_health(const struct server *server, struct http_exchange *x)
{
    struct error why = {0};
    struct text_buf body = {0};
    struct json_writer w = {.out = &body};
    const bool is_ready = server->is_ready;
    const bool has_failed = is_ready && engine_failure(server->engine, &why) != OK;
    json_write_object(&w);
    json_write_key_text(&w, "status",
                        has_failed ? TEXT("failed")
                        : is_ready ? TEXT("ok")
                                   : TEXT("loading"));
    if (has_failed)
        json_write_key_text(&w, "reason", text_of(why.text));
    json_write_object_end(&w);
    answer_json(x, is_ready && !has_failed ? 200 : 503, &body);
}

static void write_model(const struct server *server, struct json_writer *w, const char *suffix)
{
    const struct engine_info *info = engine_info(server->engine);
    struct text_buf id = {0};
    text_buf_format(&id, "%s%s", info->model_name, suffix);
    json_write_object(w);
    json_write_key_text(w, "id", text_buf_text(&id));
    json_write_key_text(w, "object", TEXT("model"));
    json_write_key_i64(w, "created", server->created);
    json_write_key_text(w, "owned_by", TEXT("local"));
    json_write_key_i64(w, "max_model_len", info->context_max);
    json_write_object_end(w);
    text_buf_deinit(&id);
}

/* Chats take any name (clients have names of their own in their settings); here a name is
 * asked about, so that only what is loaded is answered for. */
static void answer_model(const struct server *server, struct http_exchange *x, struct text name)
{
    const struct text own = text_of(engine_info(server->engine)->model_name);
    const struct text suffix = TEXT(ASK_JOB_OUTPUT);
    const bool is_shaped = text_ends(name, suffix) && !text_equal(name, own);
    struct text_buf body = {0};
    struct json_writer w = {.out = &body};
    if (is_shaped)
        name.size -= suffix.size;
    if (!text_equal(name, own)) {
        refusal_say(x, 404, "model: no model of that name is loaded");
        return;
    }
    write_model(server, &w, is_shaped ? ASK_JOB_OUTPUT : "");
    answer_json(x, 200, &body);
}

static void answer_models(const struct server *server, struct http_exchange *x)
{
    struct text_buf body = {0};
    struct json_writer w = {.out = &body};
    json_write_object(&w);
    json_write_key_text(&w, "object", TEXT("list"));
    json_write_key(&w, "data");
    json_write_array(&w);
    write_model(server, &w, "");
    write_model(server, &w, ASK_JOB_OUTPUT);
    json_write_array_end(&w);
    json_write_object_end(&w);
    answer_json(x, 200, &body);
}

static void answer_metrics(struct server *server, struct http_exchange *x)
{
    struct text_buf body = {0};
    struct metrics_sources sources = {.metrics = &server->metrics,
                                      .info = engine_info(server->engine),
                                      .flights = flights_count(server->flights)};
    engine_stats(server->engine, &sources.engine);
    http_count(server->http, &sources.http);
    metrics_write(&sources, &body);
    http_answer(x, &(struct http_reply){.status = body.failed ? 503 : 200,
                                        .content_type = "text/plain; version=0.0.4",
                                        .body = text_buf_text(&body)});
    text_buf_deinit(&body);
}

static void answer_page(const struct server *server, struct http_exchange *x)
{
    const struct page *page = &server->page;
    const bool is_known =
        text_equal(http_exchange_request(x)->headers[HTTP_IF_NONE_MATCH], text_of(page->tag));
    const struct http_field fields[] = {{"Content-Security-Policy", page->policy},
                                        {"ETag", page->tag},
                                        {"Cache-Control", "no-cache"},
                                        {"X-Content-Type-Options", "nosniff"},
                                        {"Referrer-Policy", "no-referrer"}};
    http_answer(x, &(struct http_reply){.status = is_known ? 304 : 200,
                                        .content_type = "text/html; charset=utf-8",
                                        .body = is_known ? TEXT("") : page->html,
                                        .fields = fields,
                                        .field_count = sizeof fields / sizeof fields[0]});
}

static void answer_ollama(const struct server *server, struct http_exchange *x,
                          enum endpoint_kind kind)
{
    struct text_buf body = {0};
    if (kind == ENDPOINT_OLLAMA_TAGS)
        ollama_models_tags(engine_info(server->engine), server->created, &body);
    else if (kind == ENDPOINT_OLLAMA_PS)
        ollama_models_ps(engine_info(server->engine), &body);
    else
        ollama_models_version(&body);
    answer_json(x, 200, &body);
}

/* Clients that speak of conversations make one first; what they ask then is answered from what
 * it holds itself. */
static void answer_conversation(struct http_exchange *x)
{
    struct text_buf body = {0};
    struct json_writer w = {.out = &body};
    json_write_object(&w);
    json_write_key_text(&w, "id", TEXT("conv_none"));
    json_write_key_text(&w, "object", TEXT("conversation"));
    json_write_key_i64(&w, "created_at", clock_unix_s());
    json_write_key(&w, "metadata");
    json_write_object(&w);
    json_write_object_end(&w);
    json_write_object_end(&w);
    answer_json(x, 200, &body);
}

static void answer_openapi(const struct server *server, struct http_exchange *x)
{
    struct text_buf body = {0};
    struct json_writer w = {.out = &body};
    endpoints_openapi(&w, &server->more);
    answer_json(x, 200, &body);
}

/* ---- the engine's ---- */

static int status_of(const struct server *server, enum status status, const char *sentence)
{
    struct error why;
    if (text_starts(text_of(sentence),
                    TEXT("queue:"))) /* engine_submit's: it may have room later */
        return 429;
    return engine_failure(server->engine, &why) == OK ? refusal_status(status) : 503;
}

static enum status start_ask(struct reader *reader, struct http_exchange *x,
                             const struct endpoint *endpoint, const struct json *body,
                             struct error *err)
{
    struct ask ask;
    const struct text batch = http_exchange_request(x)->headers[HTTP_X_MINIONS_BATCH];
    const bool is_batch = reader->server->is_minions_batch || text_equal(batch, TEXT("1"));
    TRY(endpoint->parse(body, &reader->arena, &ask, err));
    TRY(ask_settle(&ask, engine_tokenizer(reader->server->engine), is_batch, &reader->arena,
                   err));
    ask.key = reader->key;
    ask.lowered = reader->lowered;
    return flights_start(reader->server->flights, x, &ask, endpoint->wire, err);
}

/* What takes a body, and none of the engine's time. */
static enum status write_told(struct reader *reader, enum endpoint_kind kind,
                              const struct json *body, struct text_buf *out, struct error *err)
{
    const struct server *server = reader->server;
    if (kind == ENDPOINT_ANTHROPIC_COUNT)
        return anthropic_count(engine_tokenizer(server->engine), body, &reader->arena, out,
                               err);
    if (kind == ENDPOINT_TOKENIZE)
        return tokenize_text(server->engine, body, out, err);
    if (kind == ENDPOINT_DETOKENIZE)
        return tokenize_back(server->engine, body, out, err);
    return ollama_models_show(engine_info(server->engine), server->created, body, out, err);
}

static enum status answer_told(struct reader *reader, struct http_exchange *x,
                               enum endpoint_kind kind, const struct json *body,
                               struct error *err)
{
    struct text_buf out = {0};
    bool is_stream = false;
    const enum status status = kind == ENDPOINT_OLLAMA_PULL
                                   ? ollama_models_pull(body, &is_stream, &out, err)
                                   : write_told(reader, kind, body, &out, err);
    if (status == OK && is_stream)
        http_answer(x, &(struct http_reply){.status = 200,
                                            .content_type = "application/x-ndjson",
                                            .body = text_buf_text(&out)});
    else if (status == OK)
        answer_json(x, 200, &out);
    if (status != OK || is_stream)
        text_buf_deinit(&out);
    return status;
}

static void answer_body(struct reader *reader, struct http_exchange *x,
                        const struct endpoint *endpoint)
{
    struct error err = {0};
    struct json *root = NULL;
    enum status status = json_parse(http_exchange_request(x)->body, 0, &root, &err);
    if (status != OK) {
        struct error why = err;
        status = error_set(&err, why.status, __FILE__, __LINE__, "body: %.200s", why.text);
    } else if (endpoint->kind == ENDPOINT_ASK) {
        status = start_ask(reader, x, endpoint, root, &err);
    } else {
        status = answer_told(reader, x, endpoint->kind, root, &err);
    }
    if (status != OK && endpoint->kind == ENDPOINT_ASK)
        admission_leave(&reader->server->admission, reader->key);
    if (status != OK)
        refusal_answer(
            x, endpoint->wire,
            &(struct reply_error){.status = status_of(reader->server, status, err.text),
                                  .text = text_of(err.text),
                                  .param = field_of_refusal(endpoint->fields, err.text)});
    json_free(root);
    arena_rewind(&reader->arena, 0);
    arena_trim(&reader->arena);
}

static void answer_batches(struct reader *reader, struct http_exchange *x,
                           const struct endpoint *endpoint, struct text name)
{
    const struct batch_call call = {
        .exchange = x, .endpoint = endpoint, .name = name, .arena = &reader->arena};
    batch_calls_answer(reader->server->batches, &call);
    arena_rewind(&reader->arena, 0);
    arena_trim(&reader->arena);
}

/* ---- routing ---- */

static const struct reply_error TOO_MANY = {
    .status = 429, .text = {"too many requests are held already; try again later", 51}};

static void pass_on(struct server *server, struct http_exchange *x,
                    const struct endpoint *endpoint)
{
    const struct server_request request = {x, endpoint};
    if (!queue_push(&server->others, &request, 0))
        refusal_say(x, 429, "too many requests of this kind wait already; try again later");
}

static void serve(struct reader *reader, struct http_exchange *x,
                  const struct endpoint *endpoint, struct text name)
{
    struct server *server = reader->server;
    switch (endpoint->kind) {
    case ENDPOINT_HEALTH:
        answer_health(server, x);
        return;
    case ENDPOINT_PING:
        http_answer(x, &(struct http_reply){
                           .status = 200, .content_type = "text/plain", .body = TEXT("pong")});
        return;
    case ENDPOINT_PAGE:
        answer_page(server, x);
        return;
    case ENDPOINT_OPENAPI:
        answer_openapi(server, x);
        return;
    case ENDPOINT_CONVERSATION:
        answer_conversation(x);
        return;
    case ENDPOINT_MODELS:
        if (name.size > 0)
            answer_model(server, x, name);
        else
            answer_models(server, x);
        return;
    case ENDPOINT_METRICS:
        answer_metrics(server, x);
        return;
    case ENDPOINT_OLLAMA_TAGS:
    case ENDPOINT_OLLAMA_PS:
    case ENDPOINT_OLLAMA_VERSION:
        answer_ollama(server, x, endpoint->kind);
        return;
    case ENDPOINT_ASK:
        if (admission_enter(&server->admission, reader->key, &reader->lowered))
            answer_body(reader, x, endpoint);
        else
            refusal_answer(x, endpoint->wire, &TOO_MANY);
        return;
    case ENDPOINT_TOKENIZE:
    case ENDPOINT_DETOKENIZE:
    case ENDPOINT_ANTHROPIC_COUNT:
    case ENDPOINT_OLLAMA_SHOW:
    case ENDPOINT_OLLAMA_PULL:
        answer_body(reader, x, endpoint);
        return;
    case ENDPOINT_BATCHES:
        answer_batches(reader, x, endpoint, name);
        return;
    case ENDPOINT_OTHER:
        pass_on(server, x, endpoint);
        return;
    }
}

static bool is_allowed(struct reader *reader, const struct http_exchange *x)
{
    const struct http_request *request = http_exchange_request(x);
    const struct keys *keys = reader->server->keys;
    reader->key = keys ? keys_find(keys, request->headers[HTTP_AUTHORIZATION],
                                   request->headers[HTTP_X_API_KEY])
                       : 0;
    return reader->key != KEYS_NONE;
}

static void route(struct reader *reader, struct http_exchange *x)
{
    const struct http_request *request = http_exchange_request(x);
    bool other_method;
    struct text name;
    const struct endpoint *endpoint =
        endpoints_find(&reader->server->more, request, &name, &other_method);
    const bool is_open = endpoint && endpoint->kind <= ENDPOINT_PAGE &&
                         endpoint->kind >= ENDPOINT_HEALTH; /* for probes without a key */
    if (!is_open && !is_allowed(reader, x))
        refusal_answer(x, endpoint ? endpoint->wire : NULL,
                       &(struct reply_error){.status = 401, .text = TEXT("no valid API key")});
    else if (!endpoint && other_method)
        refusal_say(x, 405, "method: another one is served at this path");
    else if (!endpoint)
        refusal_say(x, 404, "path: nothing is served there; see /openapi.json");
    else if (!is_open && !reader->server->is_ready)
        refusal_answer(
            x, endpoint->wire,
            &(struct reply_error){.status = 503, .text = TEXT("the model is being loaded")});
    else
        serve(reader, x, endpoint, name);
}

/* ---- threads ---- */

static void *read_requests(void *self)
{
    struct reader *reader = self;
    struct http_exchange *x;
    while ((x = http_next(reader->server->http, -1)))
        route(reader, x);
    return NULL;
}

static void *pump(void *self)
{
    struct server *server = self;
    while (!atomic_load(&server->closing))
        (void)flights_turn(server->flights, PUMP_WAIT_MS);
    return NULL;
}

static void *watch(void *self)
{
    struct server *server = self;
    uint64_t tag;
    while (http_gone(server->http, &tag, -1))
        flights_cancel(server->flights, tag);
    return NULL;
}

static enum status start_readers(struct server *server, struct error *err)
{
    for (int i = 0; i < READERS; i++) {
        struct reader *reader = &server->readers[i];
        reader->server = server;
        TRY(arena_init(&reader->arena, ARENA_BYTES, err));
        if (pthread_create(&reader->thread, NULL, read_requests, reader) != 0)
            FAIL(err, ERR_IO, "server: its threads cannot be started");
        reader->has_thread = true;
    }
    return OK;
}

static enum status open_all(struct server *server, const struct server_options *options,
                            struct error *err)
{
    server->created = clock_unix_s();
    server->more = options->more;
    server->requests_max = http_requests_max(&options->http);
    server->store_path = options->store_path;
    page_init(&server->page);
    server->is_minions_batch = options->is_minions_batch;
    TRY(queue_init(&server->others, OTHERS_MAX, sizeof(struct server_request), err));
    if (options->keys_path)
        TRY(keys_read(&server->keys, options->keys_path, err));
    TRY(http_open(&server->http, &options->http, err));
    return start_readers(server, err);
}

enum status server_open(struct server **server, const struct server_options *options,
                        struct error *err)
{
    struct server *made = calloc(1, sizeof *made);
    if (!made)
        FAIL(err, ERR_MEMORY, "server: no memory for %zu bytes", sizeof *made);
    const enum status status = open_all(made, options, err);
    if (status != OK) {
        server_close(made);
        return status;
    }
    *server = made;
    return OK;
}

/* Who has no folder to keep them in, or comes second to it, does without. */
static void open_batches(struct server *server)
{
    struct error *err = &server->without_batches;
    const enum status status =
        server->store_path
            ? batches_open(&server->batches, server->engine, server->store_path, err)
            : error_set(err, ERR_IO, __FILE__, __LINE__, "there is no folder for them");
    (void)status; /* err says the same */
}

enum status server_begin(struct server *server, struct engine *engine, struct error *err)
{
    if (!engine_tokenizer(engine))
        FAIL(err, ERR_LIMIT, "the model has no tokenizer");
    server->engine = engine;
    const struct admission_shares shares = {keys_count(server->keys), server->requests_max,
                                            engine_info(engine)->sequences_max};
    TRY(admission_init(&server->admission, &shares, err));
    TRY(flights_open(&server->flights, engine, &server->admission, &server->metrics, err));
    server->has_pump = pthread_create(&server->pump, NULL, pump, server) == 0;
    server->has_watcher =
        server->has_pump && pthread_create(&server->watcher, NULL, watch, server) == 0;
    if (!server->has_watcher)
        FAIL(err, ERR_IO, "server: its threads cannot be started");
    open_batches(server);
    server->is_ready = true;
    return OK;
}

bool server_has_batches(const struct server *server, struct error *why)
{
    *why = server->without_batches;
    return server->batches != NULL;
}

uint16_t server_port(const struct server *server)
{
    return http_port(server->http);
}

bool server_next(struct server *server, struct server_request *request, int wait_ms)
{
    return queue_pull(&server->others, request, wait_ms);
}

static void stop_threads(struct server *server)
{
    if (server->http)
        http_stop(server->http);
    for (int i = 0; i < READERS; i++)
        if (server->readers[i].has_thread)
            pthread_join(server->readers[i].thread, NULL);
    atomic_store(&server->closing, true);
    if (server->has_pump)
        pthread_join(server->pump, NULL);
    if (server->has_watcher)
        pthread_join(server->watcher, NULL);
}

void server_close(struct server *server)
{
    struct server_request request;
    if (!server)
        return;
    stop_threads(server);
    if (server->others.items) {
        queue_close(&server->others);
        while (queue_pull(&server->others, &request, 0))
            refusal_say(request.exchange, 503, "the server closes");
        queue_deinit(&server->others);
    }
    batches_close(server->batches);
    flights_close(server->flights);
    admission_deinit(&server->admission);
    http_close(server->http);
    for (int i = 0; i < READERS; i++)
        arena_deinit(&server->readers[i].arena);
    keys_free(server->keys);
    free(server);
}
