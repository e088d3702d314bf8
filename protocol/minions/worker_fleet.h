/*
 * worker_fleet - requests spread over servers that speak OpenAI's chat completions; each comes
 * back exactly once.
 *
 *   Affinity    requests of one group (a chunk) go to one server: its prefix cache has the
 *               chunk. A server with room takes the next of its own groups, else adopts one
 *               that nobody has: a slow server adopts fewer. Hashing groups to servers would
 *               need no memory, but gives a slow server as much as a fast one. Groups are
 *               remembered, so that a later list finds its chunks where they were. Only a group
 *               with more waiting than two rounds of its server is helped out with.
 *   Failures    no connection, the time limit, a 5xx or 429, a body that is no completion: the
 *               request goes to another server, 4 times in all, or once more than there are
 *               servers. The connection of an attempt given up is closed: a late answer reaches
 *               nobody.
 *   Rest        a server that fails 3 times in a row is left alone for rest_s, then tried with
 *               one request, then left alone for twice as long, up to 30 s, or for as long as
 *               its Retry-After says (timeout_s at most). One that refuses the key (401, 403)
 *               is not asked again. When all have been sent to rest 5 times in a row or refuse
 *               the key, that is an error which names them.
 *   Addresses   remote_http's, private ones allowed: they are one's own machines. What goes to
 *               another machine is in the egress log first.
 *
 * Owner    open gives, close takes. A request is the caller's; from add to next, the fleet's.
 * Thread   one thread at a time.
 */
#ifndef MINIONS_WORKER_FLEET_H
#define MINIONS_WORKER_FLEET_H

#include "base/error.h"
#include "base/text.h"
#include "protocol/minions/egress.h"
#include "protocol/minions/worker_groups.h"

#include <stdbool.h>
#include <stdint.h>

enum { WORKER_FLEET_SERVERS_MAX = 32, WORKER_FLEET_REASON_BYTES = 200 };

struct worker_fleet;

/* Zero means: the default (in brackets). */
struct worker_fleet_options {
    const char *urls;            /* base addresses, with commas between; /v1 may be left out */
    const char *model;           /* [the first of GET /v1/models] for requests with is_named */
    const char *key;             /* [none] sent as a bearer token */
    uint32_t in_flight;          /* [8] requests at once to each server */
    double timeout_s;            /* [300] for one attempt */
    double rest_s;               /* [0.5] */
    const struct egress *egress; /* [none] */
    int64_t run;                 /* in the log */
    bool asks_no_model;          /* no request is_named, or all servers know options.model */
};

enum worker_fleet_end {
    WORKER_FLEET_ANSWERED, /* a completion with at least one choice */
    WORKER_FLEET_REFUSED,  /* a 400, 413 or 422: the request's own fault */
    WORKER_FLEET_FAILED    /* tried as often as it is */
};

/* Zero it, and fill in the first part. */
struct worker_fleet_request {
    struct worker_ticket ticket; /* its group is for the caller to set: a chunk */
    struct text body;            /* a JSON object with members */
    struct text format; /* members for its front, with a comma behind; a server that answers 400
                         * to them is asked without */
    struct text own_format; /* the same, to a server of ours: one that lists NAME:joboutput */
    bool is_named;          /* the model's name is put in front */
    void *user;

    /* What came of it. */
    enum worker_fleet_end end;
    long status;                            /* HTTP's, of the last attempt; 0: none came */
    struct text_buf reply;                  /* the caller's to free */
    char reason[WORKER_FLEET_REASON_BYTES]; /* REFUSED, FAILED: why, the last time */

    /* The fleet's. */
    uint32_t attempts, tried; /* tried: a bit for each server that failed on it */
    bool is_plain;            /* the format is left out */
    uint32_t plain_on;        /* 1 + the server that did not take it; 0: none */
};

struct worker_fleet_bytes {
    uint64_t sent, received; /* bodies, to and from other machines */
    char hosts[256];         /* which; "" when all are on this machine */
};

/* ERR_FORMAT an address makes no sense or is not allowed; ERR_LIMIT too many; ERR_MEMORY.
 * Opens no connection. */
MUST_USE enum status worker_fleet_open(struct worker_fleet **fleet,
                                       const struct worker_fleet_options *options,
                                       struct error *err);
void worker_fleet_close(struct worker_fleet *fleet); /* NULL is fine; drops what it has */

MUST_USE enum status worker_fleet_add(struct worker_fleet *fleet,
                                      struct worker_fleet_request *request, struct error *err);
/* Waits until a request is over and gives it; NULL when there is none left. ERR_REMOTE no
 * server answers; ERR_IO the egress log; ERR_MEMORY. */
MUST_USE enum status worker_fleet_next(struct worker_fleet *fleet,
                                       struct worker_fleet_request **request,
                                       struct error *err);
void worker_fleet_bytes(const struct worker_fleet *fleet, struct worker_fleet_bytes *bytes);

/* FNV-1a, 64 bits: a text as a group. */
uint64_t worker_fleet_hash(struct text text);

#endif
