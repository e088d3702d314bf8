/*
 * scripted_server - an HTTP server on 127.0.0.1 that answers from a script, for tests.
 *
 * One thread, one connection at a time, one request per connection. Request i gets reply i;
 * past the script the last reply is given again. What was received is kept for the test.
 */
#ifndef HARNESS_SCRIPTED_SERVER_H
#define HARNESS_SCRIPTED_SERVER_H

#include "base/text.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { SCRIPTED_SERVER_REQUESTS_MAX = 64 };

enum scripted_fault {
    SCRIPTED_WHOLE,   /* the reply as it is */
    SCRIPTED_CUT,     /* half of the body, then the connection ends */
    SCRIPTED_ENDLESS, /* body bytes until the client goes away */
    SCRIPTED_HANG,    /* the request is read; nothing comes back until the client goes away */
    SCRIPTED_DRIP,    /* the reply as it is, but a few bytes at a time */
    SCRIPTED_RESET    /* the connection ends before a byte of reply */
};

struct scripted_reply {
    int status; /* HTTP */
    const char *body;
    enum scripted_fault fault;
    const char *header; /* a further header line without its end, or NULL */
};

struct scripted_server {
    const struct scripted_reply *replies; /* [reply_count] */
    uint32_t reply_count;
    int listener;
    uint16_t port;
    pthread_t thread;
    _Atomic bool stop;

    /* Valid after scripted_server_stop. */
    uint32_t request_count;
    struct text_buf heads[SCRIPTED_SERVER_REQUESTS_MAX];
    struct text_buf bodies[SCRIPTED_SERVER_REQUESTS_MAX];
    uint64_t received_bytes; /* of request bodies */
    uint64_t sent_bytes;     /* of reply bodies, as far as the client took them */
};

/* False when the machine gives no socket. Replies stay the caller's. */
bool scripted_server_start(struct scripted_server *server, const struct scripted_reply *replies,
                           uint32_t reply_count);
void scripted_server_stop(struct scripted_server *server);
void scripted_server_deinit(struct scripted_server *server);

#endif
