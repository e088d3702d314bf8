/*
 * server_facts - what the server answers by itself, without the engine's time: how it is, which
 * model it has, its numbers, its page, its description.
 *
 * Each of these answers the exchange, which is over then.
 */
#ifndef API_SERVER_FACTS_H
#define API_SERVER_FACTS_H

#include "protocol/api/server_state.h"

void server_facts_health(const struct server *server, struct http_exchange *exchange);
void server_facts_ping(struct http_exchange *exchange);
void server_facts_page(const struct server *server, struct http_exchange *exchange);
void server_facts_openapi(const struct server *server, struct http_exchange *exchange);
void server_facts_conversation(struct http_exchange *exchange);
void server_facts_metrics(struct server *server, struct http_exchange *exchange);
/* The loaded model under all its names, or, where name is not empty, under that one. */
void server_facts_models(const struct server *server, struct http_exchange *exchange,
                         struct text name);
/* OLLAMA_TAGS, OLLAMA_PS, OLLAMA_VERSION. */
void server_facts_ollama(const struct server *server, struct http_exchange *exchange,
                         enum endpoint_kind kind);

/* Those that take a body: TOKENIZE, DETOKENIZE, ANTHROPIC_COUNT, OLLAMA_SHOW, OLLAMA_PULL.
 * ERR_FORMAT, ERR_LIMIT: what is wrong with it; ERR_MEMORY; the exchange is then not over. */
MUST_USE enum status server_facts_of_body(struct server_reader *reader,
                                          struct http_exchange *exchange,
                                          enum endpoint_kind kind, const struct json *body,
                                          struct error *err);

#endif
