/*
 * server - HTTP on one side, the engine on the other, and the threads between.
 *
 *     readers (two)  http_next: route, parse, template, tokenize, hand to flights
 *     pump           flights_turn: what the engine says, to who asked
 *     watcher        http_gone: cancels what nobody waits for any more
 *     batches        batches.h: what nobody waits for, and is answered all the same
 *
 * What is served above this room (MinionS, pages) comes out of server_next.
 *
 * Owner    server_open gives, server_close takes; the engine is the caller's and stays open
 *          until then.
 */
#ifndef API_SERVER_H
#define API_SERVER_H

#include "base/error.h"
#include "engine/engine.h"
#include "protocol/api/endpoints.h"
#include "protocol/api/http.h"

struct server;

struct server_options {
    struct http_options http;
    const char *keys_path;     /* NULL: whoever reaches the port may ask */
    struct endpoint_list more; /* ENDPOINT_OTHER, for server_next */
    bool is_minions_batch;     /* as with X-Minions-Batch: 1 in each request (ask_settle) */
    const char *store_path;    /* of files and batches; NULL: none are kept */
};

/* Begins to listen; until server_begin all but health is answered 503. */
MUST_USE enum status server_open(struct server **server, const struct server_options *options,
                                 struct error *err);
/* The model is loaded. ERR_LIMIT: it has no tokenizer; ERR_MEMORY. Without a store it serves
 * all but files and batches: see server_has_batches. */
MUST_USE enum status server_begin(struct server *server, struct engine *engine,
                                  struct error *err);
/* Lets go of what is served, waits for its threads. NULL is fine. */
void server_close(struct server *server);

uint16_t server_port(const struct server *server);
/* False: files and batches are answered 503, and why. */
bool server_has_batches(const struct server *server, struct error *why);

/* A request of an ENDPOINT_OTHER: the taker owes it an answer. */
struct server_request {
    struct http_exchange *exchange;
    const struct endpoint *endpoint;
};
/* Waits up to wait_ms; false: none, or the server closes. */
bool server_next(struct server *server, struct server_request *request, int wait_ms);

#endif
