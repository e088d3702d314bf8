/* server_route - see server_route.h. */
#include "protocol/api/server_route.h"

#include "protocol/api/batch_calls.h"
#include "protocol/api/openai_reply.h"
#include "protocol/api/refusal.h"
#include "protocol/api/server_facts.h"

#include <stdio.h>

enum { ARENA_KEPT = 1 << 20 }; /* bytes of a reader's arena, from request to request */

/* ---- bodies ---- */

/* The engine's "queue: ..." is a limit that is not the request's: there may be room later. */
static int status_of(const struct server *server, enum status status, const char *sentence)
{
    struct error why;
    if (text_starts(text_of(sentence), TEXT("queue:")))
        return 429;
    return engine_failure(server->engine, &why) == OK ? refusal_status(status) : 503;
}

static enum status start_ask(struct server_reader *reader, struct http_exchange *x,
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
    if (flights_start(reader->server->flights, x, &ask, endpoint->wire, err) != OK)
        return ask_refused(&ask, err);
    return OK;
}

static void answer_body(struct server_reader *reader, struct http_exchange *x,
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
        status = server_facts_of_body(reader, x, endpoint->kind, root, &err);
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
    arena_empty(&reader->arena, ARENA_KEPT);
}

static void answer_batches(struct server_reader *reader, struct http_exchange *x,
                           const struct endpoint *endpoint, struct text name)
{
    const struct batch_call call = {
        .exchange = x, .endpoint = endpoint, .name = name, .arena = &reader->arena};
    batch_calls_answer(reader->server->batches, &call);
    arena_empty(&reader->arena, ARENA_KEPT);
}

/* ---- routing ---- */

static void pass_on(struct server *server, struct http_exchange *x,
                    const struct endpoint *endpoint)
{
    const struct server_request request = {x, endpoint};
    if (!queue_push(&server->others, &request, 0))
        refusal_say(x, 429, "too many requests of this kind wait already; try again later");
}

static void serve(struct server_reader *reader, struct http_exchange *x,
                  const struct endpoint *endpoint, struct text name)
{
    const struct reply_error too_many = {
        .status = 429, .text = TEXT("too many requests are held already; try again later")};
    struct server *server = reader->server;
    switch (endpoint->kind) {
    case ENDPOINT_HEALTH:
        server_facts_health(server, x);
        return;
    case ENDPOINT_PING:
        server_facts_ping(x);
        return;
    case ENDPOINT_PAGE:
        server_facts_page(server, x);
        return;
    case ENDPOINT_OPENAPI:
        server_facts_openapi(server, x);
        return;
    case ENDPOINT_CONVERSATION:
        server_facts_conversation(x);
        return;
    case ENDPOINT_MODELS:
        server_facts_models(server, x, name);
        return;
    case ENDPOINT_METRICS:
        server_facts_metrics(server, x);
        return;
    case ENDPOINT_OLLAMA_TAGS:
    case ENDPOINT_OLLAMA_PS:
    case ENDPOINT_OLLAMA_VERSION:
        server_facts_ollama(server, x, endpoint->kind);
        return;
    case ENDPOINT_ASK:
        if (admission_enter(&server->admission, reader->key, &reader->lowered))
            answer_body(reader, x, endpoint);
        else
            refusal_answer(x, endpoint->wire, &too_many);
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

static bool is_allowed(struct server_reader *reader, const struct http_exchange *x)
{
    const struct http_request *request = http_exchange_request(x);
    const struct keys *keys = reader->server->keys;
    reader->key = keys ? keys_find(keys, request->headers[HTTP_AUTHORIZATION],
                                   request->headers[HTTP_X_API_KEY])
                       : 0;
    return reader->key != KEYS_NONE;
}

/* Told to who asks for them, and to who comes with another one. */
static void answer_methods(struct http_exchange *x, uint32_t methods)
{
    char allow[ENDPOINTS_ALLOW_SIZE];
    const struct http_field field = {"Allow", allow};
    struct text_buf body = {0};
    const bool is_asked = http_exchange_request(x)->method == HTTP_OPTIONS;
    char why[ENDPOINTS_ALLOW_SIZE + 32];
    endpoints_allow(methods, allow);
    (void)snprintf(why, sizeof why, "method: this path serves %s", allow);
    const struct reply_error error = {.status = 405, .text = text_of(why)};
    if (!is_asked)
        openai_reply_error_whole(&error, &body);
    http_answer(x, &(struct http_reply){.status = is_asked ? 204 : error.status,
                                        .body = text_buf_text(&body),
                                        .fields = &field,
                                        .field_count = 1});
    text_buf_deinit(&body);
}

void server_route(struct server_reader *reader, struct http_exchange *x)
{
    const struct http_request *request = http_exchange_request(x);
    uint32_t methods;
    struct text name;
    const struct endpoint *endpoint =
        endpoints_find(&reader->server->more, request, &name, &methods);
    const bool is_open = endpoint && endpoint->kind <= ENDPOINT_PAGE &&
                         endpoint->kind >= ENDPOINT_HEALTH; /* for probes without a key */
    if (!is_open && !is_allowed(reader, x))
        refusal_answer(
            x, endpoint ? endpoint->wire : NULL,
            &(struct reply_error){.status = 401,
                                  .text = TEXT("API key: none that this server takes; it "
                                               "comes as Authorization: Bearer KEY")});
    else if (!endpoint && methods)
        answer_methods(x, methods);
    else if (!endpoint)
        refusal_say(x, 404, "path: nothing is served there; see /openapi.json");
    else if (!is_open && !reader->server->is_ready)
        refusal_answer(
            x, endpoint->wire,
            &(struct reply_error){.status = 503, .text = TEXT("the model is being loaded")});
    else
        serve(reader, x, endpoint, name);
}
