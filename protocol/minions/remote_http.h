/*
 * remote_http - one POST at a time to one address, through libcurl: bounded in time and size.
 *
 *   Addresses   https; http only to this machine itself. Redirects are not followed.
 *   Time        a connection within connect_s, the whole within the attempt's own limit, and
 *               never stall_s without a byte.
 *   Size        a body past response_max is cut off while it arrives, counted after it was
 *               decompressed.
 *
 * Owner    open gives, close takes; headers with secrets are wiped.
 * Thread   one thread at a time.
 */
#ifndef MINIONS_REMOTE_HTTP_H
#define MINIONS_REMOTE_HTTP_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REMOTE_HTTP_REASON_BYTES = 256 };

struct remote_http;

struct remote_http_options {
    struct text url;  /* the base */
    const char *path; /* behind it */
    double connect_s, stall_s;
    size_t response_max;
};

enum remote_http_end {
    REMOTE_HTTP_ANSWERED,    /* there is a status and a whole body */
    REMOTE_HTTP_UNCONNECTED, /* nothing was sent, and it may be tried again */
    REMOTE_HTTP_REFUSED,   /* nothing was sent, and trying again is no use: a bad certificate */
    REMOTE_HTTP_TIMED_OUT, /* after it was sent */
    REMOTE_HTTP_BROKEN,    /* after it was sent */
    REMOTE_HTTP_TOO_LARGE
};

/* One POST, as it came out. Zero it before first use; body belongs to the caller. */
struct remote_http_attempt {
    enum remote_http_end end;
    long status;                         /* HTTP's */
    struct text_buf body;                /* as far as it came */
    double retry_after_s;                /* 0: the server did not say */
    uint64_t sent_bytes, received_bytes; /* of bodies, on the wire */
    char reason[REMOTE_HTTP_REASON_BYTES];
};

/* ERR_FORMAT the URL makes no sense or is not allowed; ERR_MEMORY. Opens no connection. */
MUST_USE enum status remote_http_open(struct remote_http **http,
                                      const struct remote_http_options *options,
                                      struct error *err);
void remote_http_close(struct remote_http *http); /* NULL is fine */

/* The whole address; valid until close. */
const char *remote_http_url(const struct remote_http *http);

/* Adds a header to all that is sent from now on. ERR_FORMAT: value cannot stand in a header;
 * name says what it is, and the message holds none of the value. */
MUST_USE enum status remote_http_header(struct remote_http *http, const char *name,
                                        const char *value, struct error *err);

/* Sends body as JSON, with one further header line (NULL: none), and waits for the reply for at
 * most seconds. */
void remote_http_post(struct remote_http *http, struct text body, const char *header,
                      double seconds, struct remote_http_attempt *attempt);

#endif
