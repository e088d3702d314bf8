/* endpoints - see endpoints.h. */
#include "protocol/api/endpoints.h"

#include "protocol/api/anthropic.h"
#include "protocol/api/anthropic_reply.h"
#include "protocol/api/batch_calls.h"
#include "protocol/api/ollama.h"
#include "protocol/api/ollama_models.h"
#include "protocol/api/ollama_reply.h"
#include "protocol/api/openai.h"
#include "protocol/api/openai_embed.h"
#include "protocol/api/openai_reply.h"
#include "protocol/api/openai_responses.h"
#include "protocol/api/openai_text.h"
#include "protocol/api/tokenize.h"

#include <stdio.h>
#include <string.h>

static const struct endpoint ENDPOINTS[] = {
    {HTTP_POST, "/v1/chat/completions", ENDPOINT_ASK, "A conversation's next message",
     &openai_chat_fields, openai_chat_parse, &openai_reply_chat_wire},
    {HTTP_POST, "/v1/completions", ENDPOINT_ASK, "How texts go on", &openai_text_fields,
     openai_text_parse, &openai_text_wire},
    {HTTP_POST, "/v1/responses", ENDPOINT_ASK, "An answer in text", &openai_responses_fields,
     openai_responses_parse, &openai_responses_wire},
    {HTTP_POST, "/v1/conversations", ENDPOINT_CONVERSATION,
     "A name for clients that want one; nothing is kept under it", NULL, NULL, NULL},
    {HTTP_POST, "/v1/embeddings", ENDPOINT_ASK, "Texts as vectors", &openai_embed_fields,
     openai_embed_parse, &openai_embed_wire},
    {HTTP_GET, "/v1/models", ENDPOINT_MODELS, "The loaded model", NULL, NULL, NULL},
    {HTTP_GET, "/v1/models/*", ENDPOINT_MODELS, "One model", NULL, NULL, NULL},
    {HTTP_POST, "/v1/files", ENDPOINT_BATCHES,
     "Keeps a file: multipart/form-data with purpose and file", NULL, NULL, NULL},
    {HTTP_GET, "/v1/files", ENDPOINT_BATCHES, "The files, from new to old", NULL, NULL, NULL},
    {HTTP_GET, "/v1/files/*/content", ENDPOINT_BATCHES, "A file's bytes", NULL, NULL, NULL},
    {HTTP_GET, "/v1/files/*", ENDPOINT_BATCHES, "One file", NULL, NULL, NULL},
    {HTTP_DELETE, "/v1/files/*", ENDPOINT_BATCHES, "Deletes a file", NULL, NULL, NULL},
    {HTTP_POST, "/v1/batches", ENDPOINT_BATCHES, "A file of requests, to be answered in time",
     &batch_calls_fields, NULL, NULL},
    {HTTP_GET, "/v1/batches", ENDPOINT_BATCHES, "The batches, from new to old", NULL, NULL,
     NULL},
    {HTTP_GET, "/v1/batches/*", ENDPOINT_BATCHES, "One batch", NULL, NULL, NULL},
    {HTTP_POST, "/v1/batches/*/cancel", ENDPOINT_BATCHES, "Ends a batch before its time", NULL,
     NULL, NULL},
    {HTTP_GET, "/v1/health", ENDPOINT_HEALTH,
     "200 when requests are taken; 503 while the model loads, or after the device failed", NULL,
     NULL, NULL},
    {HTTP_GET, "/ping", ENDPOINT_PING, "pong", NULL, NULL, NULL},
    {HTTP_GET, "/metrics", ENDPOINT_METRICS, "Numbers for Prometheus", NULL, NULL, NULL},
    {HTTP_POST, "/tokenize", ENDPOINT_TOKENIZE, "Text to token ids", &tokenize_fields, NULL,
     NULL},
    {HTTP_POST, "/detokenize", ENDPOINT_DETOKENIZE, "Token ids to text", &tokenize_back_fields,
     NULL, NULL},
    {HTTP_POST, "/v1/messages", ENDPOINT_ASK, "Anthropic: a conversation's next message",
     &anthropic_messages_fields, anthropic_messages_parse, &anthropic_reply_wire},
    {HTTP_POST, "/v1/messages/count_tokens", ENDPOINT_ANTHROPIC_COUNT,
     "Anthropic: how many tokens a conversation has", &anthropic_count_fields, NULL,
     &anthropic_reply_wire},
    {HTTP_POST, "/api/chat", ENDPOINT_ASK, "Ollama: a conversation's next message",
     &ollama_chat_fields, ollama_chat_parse, &ollama_reply_chat_wire},
    {HTTP_POST, "/api/generate", ENDPOINT_ASK, "Ollama: an answer to a prompt",
     &ollama_generate_fields, ollama_generate_parse, &ollama_reply_generate_wire},
    {HTTP_POST, "/api/embed", ENDPOINT_ASK, "Ollama: texts as vectors", &ollama_embed_fields,
     ollama_embed_parse, &ollama_reply_embed_wire},
    {HTTP_POST, "/api/embeddings", ENDPOINT_ASK, "Ollama: a text as a vector",
     &ollama_embedding_fields, ollama_embedding_parse, &ollama_reply_embedding_wire},
    {HTTP_GET, "/api/tags", ENDPOINT_OLLAMA_TAGS, "Ollama: the loaded model", NULL, NULL,
     &ollama_reply_chat_wire},
    {HTTP_GET, "/api/ps", ENDPOINT_OLLAMA_PS, "Ollama: the loaded model, as it runs", NULL,
     NULL, &ollama_reply_chat_wire},
    {HTTP_GET, "/api/version", ENDPOINT_OLLAMA_VERSION, "Ollama: whose API this is", NULL, NULL,
     &ollama_reply_chat_wire},
    {HTTP_POST, "/api/show", ENDPOINT_OLLAMA_SHOW, "Ollama: what is known of the model",
     &ollama_models_fields, NULL, &ollama_reply_chat_wire},
    {HTTP_POST, "/api/pull", ENDPOINT_OLLAMA_PULL, "Ollama: the model is there",
     &ollama_models_fields, NULL, &ollama_reply_chat_wire},
    {HTTP_GET, "/", ENDPOINT_PAGE, "The page for people", NULL, NULL, NULL},
    {HTTP_GET, "/openapi.json", ENDPOINT_OPENAPI, "This description", NULL, NULL, NULL},
};
enum { ENDPOINT_COUNT = sizeof ENDPOINTS / sizeof ENDPOINTS[0] };

/* Whether path is pattern, in which a "*" may be any one name. */
static bool fits(struct text pattern, struct text path, struct text *name)
{
    const size_t star = text_find(pattern, TEXT("*"), 0);
    if (star == SIZE_MAX)
        return text_equal(pattern, path);
    const struct text stem = text_slice(pattern, 0, star);
    const struct text tail = text_slice(pattern, star + 1, pattern.size);
    if (path.size <= stem.size + tail.size || !text_starts(path, stem) ||
        !text_ends(path, tail))
        return false;
    *name = text_slice(path, stem.size, path.size - tail.size);
    return true;
}

/* As it stands, and for those under /v1 without that and under /api/v1. */
static bool is_at(const struct endpoint *endpoint, struct text path, struct text *name)
{
    const struct text pattern = text_of(endpoint->path);
    if (fits(pattern, path, name))
        return true;
    if (!text_starts(pattern, TEXT("/v1/")))
        return false;
    return fits(text_slice(pattern, 3, pattern.size), path, name) ||
           (text_starts(path, TEXT("/api")) &&
            fits(pattern, text_slice(path, 4, path.size), name));
}

const struct endpoint *endpoints_own(uint32_t index)
{
    return index < ENDPOINT_COUNT ? &ENDPOINTS[index] : NULL;
}

/* The index-th of ours and then of those more. */
static const struct endpoint *endpoint_at(const struct endpoint_list *more, uint32_t index)
{
    return index < ENDPOINT_COUNT ? &ENDPOINTS[index]
                                  : &more->endpoints[index - ENDPOINT_COUNT];
}

const struct endpoint *endpoints_find(const struct endpoint_list *more,
                                      const struct http_request *request, struct text *name,
                                      uint32_t *methods)
{
    *methods = 0;
    for (uint32_t i = 0; i < ENDPOINT_COUNT + more->count; i++) {
        const struct endpoint *endpoint = endpoint_at(more, i);
        *name = TEXT("");
        if (!is_at(endpoint, request->path, name))
            continue;
        if (endpoint->method == request->method)
            return endpoint;
        *methods |= 1U << endpoint->method;
    }
    return NULL;
}

void endpoints_allow(uint32_t methods, char allow[ENDPOINTS_ALLOW_SIZE])
{
    (void)snprintf(allow, ENDPOINTS_ALLOW_SIZE, "%s%s%sOPTIONS",
                   methods >> HTTP_GET & 1 ? "GET, HEAD, " : "",
                   methods >> HTTP_POST & 1 ? "POST, " : "",
                   methods >> HTTP_DELETE & 1 ? "DELETE, " : "");
}

static void write_operation(struct json_writer *w, const struct endpoint *endpoint)
{
    json_write_key(w, endpoint->method == HTTP_GET      ? "get"
                      : endpoint->method == HTTP_DELETE ? "delete"
                                                        : "post");
    json_write_object(w);
    json_write_key_text(w, "summary", text_of(endpoint->summary));
    if (endpoint->fields) {
        json_write_key(w, "requestBody");
        json_write_object(w);
        json_write_key(w, "content");
        json_write_object(w);
        json_write_key(w, "application/json");
        json_write_object(w);
        json_write_key(w, "schema");
        field_schema_write(w, endpoint->fields);
        json_write_object_end(w);
        json_write_object_end(w);
        json_write_object_end(w);
    }
    json_write_key(w, "responses");
    json_write_object(w);
    json_write_key(w, "200");
    json_write_object(w);
    json_write_key_text(w, "description", TEXT("OK"));
    json_write_object_end(w);
    json_write_object_end(w);
    json_write_object_end(w);
}

/* Whether an earlier row has this path. */
static bool is_written(const struct endpoint_list *more, uint32_t index)
{
    for (uint32_t i = 0; i < index; i++)
        if (strcmp(endpoint_at(more, i)->path, endpoint_at(more, index)->path) == 0)
            return true;
    return false;
}

static void write_path(struct json_writer *w, const struct endpoint_list *more, uint32_t index)
{
    struct text_buf path = {0};
    const struct text pattern = text_of(endpoint_at(more, index)->path);
    const size_t star = text_find(pattern, TEXT("*"), 0);
    text_buf_add(&path, text_slice(pattern, 0, star));
    text_buf_add(&path, star != SIZE_MAX ? TEXT("{name}") : TEXT(""));
    text_buf_add(&path,
                 star != SIZE_MAX ? text_slice(pattern, star + 1, pattern.size) : TEXT(""));
    text_buf_byte(&path, 0);
    if (path.failed)
        return;
    json_write_key(w, path.data);
    json_write_object(w);
    for (uint32_t i = index; i < ENDPOINT_COUNT + more->count; i++)
        if (strcmp(endpoint_at(more, i)->path, endpoint_at(more, index)->path) == 0)
            write_operation(w, endpoint_at(more, i));
    json_write_object_end(w);
    text_buf_deinit(&path);
}

void endpoints_openapi(struct json_writer *w, const struct endpoint_list *more)
{
    json_write_object(w);
    json_write_key_text(w, "openapi", TEXT("3.1.0"));
    json_write_key(w, "info");
    json_write_object(w);
    json_write_key_text(w, "title", TEXT("Cohort"));
    json_write_key_text(w, "version", TEXT("1"));
    json_write_object_end(w);
    json_write_key(w, "paths");
    json_write_object(w);
    for (uint32_t i = 0; i < ENDPOINT_COUNT + more->count; i++)
        if (!is_written(more, i))
            write_path(w, more, i);
    json_write_object_end(w);
    json_write_object_end(w);
}
