/*
 * batch_calls - OpenAI's /v1/files and /v1/batches, over a store.
 */
#ifndef API_BATCH_CALLS_H
#define API_BATCH_CALLS_H

#include "protocol/api/batches.h"
#include "protocol/api/endpoints.h"
#include "protocol/api/field.h"
#include "protocol/api/http.h"

extern const struct field_list batch_calls_fields; /* of POST /v1/batches */

/* One request: whose endpoint is one of these, and what its "*" stood for. */
struct batch_call {
    struct http_exchange *exchange;
    const struct endpoint *endpoint;
    struct text name;
    struct arena *arena;
};

/* Answers it; the exchange is over. */
void batch_calls_answer(struct batches *batches, const struct batch_call *call);

#endif
