/*
 * batch_workers - a batch on servers elsewhere: requests go out as they are, replies become the
 * output's lines.
 *
 * Requests whose messages begin with the same 2,048 bytes go to the same server. One that every
 * server fails on gets no line: the next run tries it again.
 */
#ifndef TOOLS_BATCH_WORKERS_H
#define TOOLS_BATCH_WORKERS_H

#include "base/error.h"
#include "protocol/api/batch_file.h"
#include "protocol/minions/worker_fleet.h"

#include <stdint.h>

struct batch_workers_counts {
    uint64_t written, refused, skipped;
    uint64_t failed;                        /* no line */
    char reason[WORKER_FLEET_REASON_BYTES]; /* of the last that failed */
    struct worker_fleet_bytes bytes;
};

/* Does what of the lines is not done. options->model is put in the place of the requests' own
 * where it is given. */
MUST_USE enum status batch_workers_run(struct batch_file_lines *lines,
                                       struct batch_file_output *out,
                                       const struct worker_fleet_options *options,
                                       struct batch_workers_counts *counts, struct error *err);

#endif
