/*
 * remote_record - calls written to a file, and answered from it again: repeatable runs.
 *
 * A line each: {"request": {...}, "reply": "...", "is_cut": false, "prompt_tokens": 10,
 * "output_tokens": 3}. Replies are given in the order of the file, whatever is asked.
 */
#ifndef MINIONS_REMOTE_RECORD_H
#define MINIONS_REMOTE_RECORD_H

#include "base/error.h"
#include "base/text.h"
#include "protocol/minions/remote_wire.h"

#include <stdint.h>
#include <stdio.h>

/* Zeroed: neither written nor read. */
struct remote_record {
    FILE *file;            /* written */
    struct text_buf lines; /* read */
    size_t at;             /* in lines */
    uint32_t given;
};

/* Makes the file, or empties it. ERR_IO. */
MUST_USE enum status remote_record_open(struct remote_record *record, const char *path,
                                        struct error *err);
MUST_USE enum status remote_record_add(struct remote_record *record, struct text request,
                                       const struct remote_reply *reply, struct error *err);

/* Reads a file of them. ERR_IO, ERR_LIMIT. */
MUST_USE enum status remote_record_read(struct remote_record *record, const char *path,
                                        struct error *err);
/* The next reply. ERR_FORMAT the line is none, ERR_REMOTE there are no more. */
MUST_USE enum status remote_record_next(struct remote_record *record,
                                        struct remote_reply *reply, struct error *err);

void remote_record_close(struct remote_record *record);

#endif
