/* server_facts - see server_facts.h. */
#include "protocol/api/server_facts.h"

#include "base/clock.h"
#include "protocol/api/anthropic.h"
#include "protocol/api/ollama_models.h"
#include "protocol/api/refusal.h"
#include "protocol/api/tokenize.h"
#include "protocol/api/tools.h"

static void answer_json(struct http_exchange *x, int status, struct text_buf *body)
{
    if (body->failed)
        refusal_say(x, 503, "no memory for an answer");
    else
        http_answer(x, &(struct http_reply){.status = status, .body = text_buf_text(body)});
    text_buf_deinit(body);
}

void server_facts_health(const struct server *server, struct http_exchange *x)
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

void server_facts_ping(struct http_exchange *x)
{
    http_answer(x, &(struct http_reply){
                       .status = 200, .content_type = "text/plain", .body = TEXT("pong")});
}

void server_facts_page(const struct server *server, struct http_exchange *x)
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

void server_facts_openapi(const struct server *server, struct http_exchange *x)
{
    struct text_buf body = {0};
    struct json_writer w = {.out = &body};
    endpoints_openapi(&w, &server->more);
    answer_json(x, 200, &body);
}

/* Clients that speak of conversations make one first; what they ask then is answered from what
 * it holds itself. */
void server_facts_conversation(struct http_exchange *x)
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

void server_facts_metrics(struct server *server, struct http_exchange *x)
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

void server_facts_models(const struct server *server, struct http_exchange *x, struct text name)
{
    struct text_buf body = {0};
    struct json_writer w = {.out = &body};
    if (name.size > 0) {
        answer_model(server, x, name);
        return;
    }
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

void server_facts_ollama(const struct server *server, struct http_exchange *x,
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

/* What takes a body, and none of the engine's time. */
static enum status write_told(struct server_reader *reader, enum endpoint_kind kind,
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
    const struct ollama_models_shown shown = {
        engine_info(server->engine), server->created,
        tools_are_taken(tokenizer_tools(engine_tokenizer(server->engine)))};
    return ollama_models_show(&shown, body, out, err);
}

enum status server_facts_of_body(struct server_reader *reader, struct http_exchange *x,
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
