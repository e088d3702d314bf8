/*
 * refusal - an error as a reply of HTTP: its status, the words of the API that was spoken, and
 * the headers that belong to it.
 */
#ifndef API_REFUSAL_H
#define API_REFUSAL_H

#include "base/error.h"
#include "protocol/api/http.h"
#include "protocol/api/reply.h"

/* Whose fault a failure is: 4xx the request's, 5xx ours, or of a server that we asked. */
int refusal_status(enum status status);

/* The whole reply; the exchange is over. wire NULL: OpenAI's words. One who may come again
 * later is told so, and one without a key how it is sent. */
void refusal_answer(struct http_exchange *exchange, const struct reply_wire *wire,
                    const struct reply_error *error);
/* The same of a sentence, in OpenAI's words. */
void refusal_say(struct http_exchange *exchange, int status, const char *sentence);

#endif
