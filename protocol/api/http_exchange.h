/*
 * http_exchange - one request with its reply: the inside of http.h, shared by its files.
 *
 * An exchange has two holders: the connection (until the library says that the request is
 * completed) and its taker (from the queue on, until http_answer or http_end). It is free again
 * when both have let go. All that both touch is under the server's one lock; the library's
 * suspend and resume are called under it, too, so that "suspended" here is always what the
 * library thinks.
 *
 *     reading -> waiting (queued, suspended) -> held -> answered
 *                                                 \-> streaming <-> suspended: nothing to send
 *
 * The watch on descriptors is an epoll of our own, beside the library's, with a key that says
 * slot and generation: an event that was read for an exchange which ended meanwhile finds
 * another generation and is dropped.
 *
 * Functions are called under the lock, but for take.
 */
#ifndef API_HTTP_EXCHANGE_H
#define API_HTTP_EXCHANGE_H

#include "base/queue.h"
#include "protocol/api/http.h"
#include "protocol/api/http_deadline.h"

#include <microhttpd.h>
#include <pthread.h>

#define HTTP_EXCHANGE_WAKE UINT64_MAX /* the key of the eventfd: no slot has this generation */

struct http_exchange {
    struct http *http;
    struct MHD_Connection *connection;
    uint32_t slot, generation;
    bool has_connection, has_taker; /* its two holders */
    bool is_suspended, is_watched;
    bool is_over;         /* nothing more is sent */
    bool is_gone, is_cut; /* the client; what it does not read */
    bool is_answering;    /* its response is being given: nobody else resumes it */
    int refused;          /* a status to answer with when the body has come in */
    uint64_t tag;
    struct http_request request;
    struct text_buf line, body; /* what request points into */
    struct text_buf out;        /* [out_at ..) still to be sent */
    size_t out_at;
    struct http_exchange *next_free;
};

struct http {
    struct http_options options;
    struct MHD_Daemon *daemon;
    struct queue whole; /* of struct http_exchange * */
    struct queue tags;  /* of clients that are gone */
    int watch, wake;    /* epoll; eventfd in it */
    uint16_t port;
    pthread_mutex_t lock;
    bool has_lock, is_stopped;
    struct http_exchange *exchanges; /* [exchange_count] */
    uint32_t exchange_count;
    struct http_exchange *free;
    struct http_counts counts;
    struct http_deadlines deadlines; /* of connections whose next request is not whole yet */
};

void http_exchange_lock(struct http *http);
void http_exchange_unlock(struct http *http);

/* A free one for a request that begins on connection. NULL: all are held. */
struct http_exchange *http_exchange_take(struct http *http, struct MHD_Connection *connection);
/* Frees it when both holders have let go. */
void http_exchange_drop(struct http_exchange *x);
void http_exchange_suspend(struct http_exchange *x);
void http_exchange_resume(struct http_exchange *x); /* if it is suspended */
/* From now on its descriptor is watched. */
void http_exchange_watch(struct http_exchange *x, int descriptor);
/* The client is gone: http_gone tells the tag, if it has one. */
void http_exchange_tell_gone(struct http_exchange *x);
/* Makes http_gone look at its queue. */
void http_exchange_wake(const struct http *http);

#endif
