/*
 * server_route - a request's way to whoever answers it: its endpoint, its key, its admission;
 * then by the endpoint's kind to the engine, the batches, the facts, or above this room.
 */
#ifndef API_SERVER_ROUTE_H
#define API_SERVER_ROUTE_H

#include "protocol/api/server_state.h"

/* The exchange is answered, or somebody's who will. */
void server_route(struct server_reader *reader, struct http_exchange *exchange);

#endif
