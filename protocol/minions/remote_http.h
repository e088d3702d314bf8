/*
 * remote_http - one POST at a time to one address, through libcurl: bounded in time and size.
 * Several addresses, or one several times, may be in flight together in a remote_http_multi.
 *
 *   Addresses   https; http only to this machine itself, and with allows_private to private
 *               addresses (RFC 1918, link-local, unique-local). Redirects are not followed.
 *   Time        a connection within connect_s, the whole within the attempt's own limit, and
 *               never stall_s without a byte.
 *   Size        a body past response_max is cut off while it arrives, counted after it was
 *               decompressed.
 *
 * Owner    open gives, close takes; headers with secrets are wiped. What a multi has in hand is
 *          closed before the multi is.
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
    bool allows_private; /* one's own machines: plain http to their addresses */
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
/* Whether it is an address of this machine. */
bool remote_http_is_here(const struct remote_http *http);

/* Adds a header to all that is sent from now on. ERR_FORMAT: value cannot stand in a header;
 * name says what it is, and the message holds none of the value. */
MUST_USE enum status remote_http_header(struct remote_http *http, const char *name,
                                        const char *value, struct error *err);

/* Sends body as JSON, with one further header line (NULL: none), and waits for the reply for at
 * most seconds. An empty body makes it a GET. */
void remote_http_post(struct remote_http *http, struct text body, const char *header,
                      double seconds, struct remote_http_attempt *attempt);

/* ---- several in flight ---- */

struct remote_http_multi;

/* ERR_MEMORY. */
MUST_USE enum status remote_http_multi_open(struct remote_http_multi **multi,
                                            struct error *err);
void remote_http_multi_close(struct remote_http_multi *multi); /* NULL is fine */

/* As remote_http_post, but does not wait. body and attempt stay where they are until http comes
 * out of remote_http_multi_wait, or is closed; one at a time of each http. ERR_MEMORY. */
MUST_USE enum status remote_http_start(struct remote_http *http,
                                       struct remote_http_multi *multi, struct text body,
                                       double seconds, struct remote_http_attempt *attempt,
                                       struct error *err);
/* Waits for at most seconds; gives one that has ended, its attempt filled, or NULL. */
struct remote_http *remote_http_multi_wait(struct remote_http_multi *multi, double seconds);

#endif
