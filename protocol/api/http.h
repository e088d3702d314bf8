/*
 * http - whole requests in, answers and streams out: the one file that knows libmicrohttpd.
 *
 *     read --http_next--> exchange (the taker's) --http_answer------------------> sent
 *                                 \--http_begin, http_send ..., http_end--> streamed
 *
 * The library's thread reads requests and writes replies. A request that is whole waits in a
 * queue; who takes it owes it exactly one http_answer or http_end. While it is held, its
 * connection is suspended, and a suspended connection is one that the library does not watch:
 * so its descriptor is watched here for the other side's hanging up, which http_gone tells. A
 * client that shuts down its writing side only counts as gone, too.
 *
 * Before anything is queued, a request is refused here (with OpenAI's error JSON) whose Host is
 * neither an address, nor localhost, nor on the list, or whose Origin is another site: the
 * defence against web pages that reach for what listens on this machine.
 *
 * Owner    http_open gives, http_close takes; no thread may be in http_next or http_gone then
 *          (http_stop makes both answer at once). Exchanges end before http_close.
 * Thread   http_next from any number of threads, http_gone from one; an exchange is used by one
 *          thread at a time.
 * Memory   bodies together take body_bytes_max at most; a stream that is not read is cut at
 *          HTTP_STREAM_BYTES_MAX.
 */
#ifndef API_HTTP_H
#define API_HTTP_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    HTTP_STREAM_BYTES_MAX = 4 << 20, /* written and not yet taken by the client */
    HTTP_PATH_MAX = 1024,
    HTTP_REQUESTS_MAX = 16384,
    HTTP_REQUESTS_SPARE = 4096,
    HTTP_REQUEST_IDLES = 4 /* times idle_s: for a request to be there whole */
};

struct http;

/* HEAD is a GET whose reply has no body. */
enum http_method { HTTP_GET, HTTP_POST, HTTP_DELETE, HTTP_OPTIONS, HTTP_METHOD_OTHER };

/* The headers that somebody here reads. */
enum http_header {
    HTTP_AUTHORIZATION,
    HTTP_X_API_KEY,
    HTTP_CONTENT_TYPE,
    HTTP_IF_NONE_MATCH,
    HTTP_X_MINIONS_BATCH,
    HTTP_HEADER_COUNT
};

struct http_options {
    const char *address;      /* an IP address to listen on; NULL: 127.0.0.1 */
    uint16_t port;            /* 0: any that is free */
    const char *const *hosts; /* [host_count] names that Host may be, beside localhost */
    uint32_t host_count;
    uint32_t connections_max; /* 0: what the limit on descriptors leaves */
    uint32_t requests_max;    /* held at once by their takers; 0: 2048. HTTP_REQUESTS_SPARE more
                                 are taken in, so that a taker, who knows whose they are, can
                                 refuse those of one client and not another's; beyond: 429 */
    size_t body_max;          /* of one request; 0: 64 MiB */
    size_t body_bytes_max;    /* of all held; 0: 512 MiB */
    uint32_t idle_s;          /* a connection without any traffic is closed, or one whose
                                 request is not there whole in HTTP_REQUEST_IDLES such times
                                 from its begin or the last reply's end; 0: 75 */
};

/* What requests_max means. */
uint32_t http_requests_max(const struct http_options *options);

struct http_request {
    enum http_method method;
    struct text path, query; /* the path decoded, at most HTTP_PATH_MAX; the query as it came */
    struct text body;
    struct text headers[HTTP_HEADER_COUNT];
};

struct http_exchange; /* valid until http_answer or http_end */

/* Begins to listen. ERR_IO: the address is taken or not ours (named); ERR_LIMIT: an option out
 * of range; ERR_MEMORY. */
MUST_USE enum status http_open(struct http **http, const struct http_options *options,
                               struct error *err);
void http_close(struct http *http); /* NULL is fine */
uint16_t http_port(const struct http *http);
/* No further request is taken in; http_next and http_gone answer "no" from now on, at once. */
void http_stop(struct http *http);

/* Waits up to wait_ms (-1: as long as it takes) for a whole request. NULL: none, or stopped. */
struct http_exchange *http_next(struct http *http, int wait_ms);
/* Waits up to wait_ms until a client is gone whose exchange has a tag. False: none, stopped. */
bool http_gone(struct http *http, uint64_t *tag, int wait_ms);

const struct http_request *http_exchange_request(const struct http_exchange *exchange);
/* tag (not 0) is what http_gone tells. False: the client is gone already. */
bool http_exchange_tag(struct http_exchange *exchange, uint64_t tag);
bool http_exchange_is_gone(struct http_exchange *exchange);

struct http_field {
    const char *name, *value;
};

struct http_reply {
    int status;
    const char *content_type;        /* NULL: application/json */
    struct text body;                /* copied */
    const struct http_field *fields; /* [field_count] beside Content-Type */
    uint32_t field_count;
};

/* The whole reply; the exchange is over. */
void http_answer(struct http_exchange *exchange, const struct http_reply *reply);

/* A reply in pieces: http_begin once, with status, headers and the first piece as its body;
 * http_send as it comes; http_end last. False: the client is gone or does not read; nothing
 * more is kept, and http_end is still owed. */
void http_begin(struct http_exchange *exchange, const struct http_reply *reply);
bool http_send(struct http_exchange *exchange, struct text piece);
void http_end(struct http_exchange *exchange);

/* What the server holds now: for metrics and for tests of leaks. */
struct http_counts {
    uint32_t connections, requests;
    uint64_t body_bytes;
    uint64_t refused; /* since its begin: answered 429, or shut while they were still read */
};
void http_count(struct http *http, struct http_counts *counts);

#endif
