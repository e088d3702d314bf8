/*
 * server_state - the inside of server.h, shared by its files:
 *
 *     server        opening and closing; the threads
 *     server_route  a request's way from a reader to whoever answers it
 *     server_facts  what the server answers by itself: of its model, its numbers, its page
 *
 * Thread   All is set before the thread that reads it starts, or (engine and what stands on it)
 *          before is_ready, which readers look at first; what changes after that has locks or
 *          atomics of its own.
 */
#ifndef API_SERVER_STATE_H
#define API_SERVER_STATE_H

#include "base/arena.h"
#include "base/queue.h"
#include "protocol/api/admission.h"
#include "protocol/api/batches.h"
#include "protocol/api/flights.h"
#include "protocol/api/keys.h"
#include "protocol/api/metrics.h"
#include "protocol/api/page.h"
#include "protocol/api/server.h"

#include <pthread.h>
#include <stdatomic.h>

enum { SERVER_READERS = 2 };

/* A thread that takes requests, and what it has of the one in hand. */
struct server_reader {
    struct server *server;
    pthread_t thread;
    bool has_thread;
    struct arena arena; /* of its parsing; empty between requests */
    uint32_t key;       /* keys_find: whose it is */
    int32_t lowered;    /* of its priority: admission.h */
};

struct server {
    struct http *http;
    struct keys *keys; /* NULL: none are demanded */
    struct endpoint_list more;
    struct queue others; /* of struct server_request */
    struct server_reader readers[SERVER_READERS];
    pthread_t pump, watcher;
    bool has_pump, has_watcher;
    atomic_bool closing;
    bool is_minions_batch;
    int64_t created; /* Unix seconds */
    uint32_t requests_max;
    const char *store_path;
    struct metrics metrics;
    struct page page;
    atomic_bool is_ready; /* what follows is there */
    struct engine *engine;
    struct admission admission;
    struct flights *flights;
    struct batches *batches; /* NULL: without_batches says why */
    struct error without_batches;
};

#endif
