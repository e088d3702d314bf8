/*
 * endpoints - what is served at which path: one table for routing, for the list of fields and
 * for openapi.json.
 *
 * Paths are those under /v1 (OpenAI's and Anthropic's), which are also served without it and
 * under /api/v1, and those that are only what they are (Ollama's /api, /health ...).
 */
#ifndef API_ENDPOINTS_H
#define API_ENDPOINTS_H

#include "protocol/api/ask.h"
#include "protocol/api/field.h"
#include "protocol/api/http.h"
#include "protocol/api/reply.h"

enum endpoint_kind {
    ENDPOINT_ASK,    /* a body that is parsed as an ask, answered by the engine */
    ENDPOINT_HEALTH, /* this one to PAGE: without a key, and before the model is loaded */
    ENDPOINT_PING,
    ENDPOINT_PAGE,
    ENDPOINT_MODELS,
    ENDPOINT_OPENAPI,
    ENDPOINT_CONVERSATION,
    ENDPOINT_METRICS,
    ENDPOINT_TOKENIZE,
    ENDPOINT_DETOKENIZE,
    ENDPOINT_ANTHROPIC_COUNT,
    ENDPOINT_OLLAMA_TAGS,
    ENDPOINT_OLLAMA_PS,
    ENDPOINT_OLLAMA_VERSION,
    ENDPOINT_OLLAMA_SHOW,
    ENDPOINT_OLLAMA_PULL,
    ENDPOINT_BATCHES, /* batch_calls.h */
    ENDPOINT_OTHER    /* of a server above this room */
};

struct endpoint {
    enum http_method method;
    const char *path; /* "/v1/..." or whole; a "*" stands for one more name */
    enum endpoint_kind kind;
    const char *summary;
    const struct field_list *fields; /* of the body; NULL: there is none */
    enum status (*parse)(const struct json *body, struct arena *arena, struct ask *ask,
                         struct error *err);
    const struct reply_wire *wire; /* NULL: OpenAI's errors */
};

/* Those of a server above this room. */
struct endpoint_list {
    const struct endpoint *endpoints; /* [count] */
    uint32_t count;
};

/* The index-th of this room's. NULL: there are no more. */
const struct endpoint *endpoints_own(uint32_t index);

/* NULL: nothing is there by that method. methods: a bit (1 << method) for each that is; 0:
 * nothing is there at all. name: what a "*" stands for. */
const struct endpoint *endpoints_find(const struct endpoint_list *more,
                                      const struct http_request *request, struct text *name,
                                      uint32_t *methods);
/* Such bits in the words of a header Allow. */
enum { ENDPOINTS_ALLOW_SIZE = 40 };
void endpoints_allow(uint32_t methods, char allow[ENDPOINTS_ALLOW_SIZE]);

/* All of them as an OpenAPI 3.1 document. */
void endpoints_openapi(struct json_writer *w, const struct endpoint_list *more);

#endif
