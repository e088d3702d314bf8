/*
 * egress - the log of everything that was sent: one JSON line for each request, written before
 * its first byte leaves. The file is only ever appended to.
 *
 *     {"unix_s": 1790000000, "run": 3, "call": 1, "attempt": 1, "url": "https://...",
 *      "bytes": 5120, "body": {...}}
 */
#ifndef MINIONS_EGRESS_H
#define MINIONS_EGRESS_H

#include "base/error.h"
#include "base/text.h"

#include <stdint.h>

/* Zeroed: no log is kept, and egress_add does nothing. */
struct egress {
    char *path;
    int descriptor;
};

struct egress_record {
    int64_t run;            /* 0: of no run */
    uint32_t call, attempt; /* from 1 */
    struct text url, body;  /* body: JSON */
};

/* ERR_IO the file cannot be opened or made (for its user alone); ERR_MEMORY. */
MUST_USE enum status egress_open(struct egress *egress, const char *path, struct error *err);
/* ERR_IO, ERR_MEMORY: the line is not there, so nothing may be sent. */
MUST_USE enum status egress_add(const struct egress *egress, const struct egress_record *record,
                                struct error *err);
void egress_close(struct egress *egress);

#endif
