/*
 * op_times - a table of ops that times each one: marks before and after, in the device's order.
 *
 * Between an op's end and the next one's begin the device waits: for the host, or for what is
 * not an op (copies of a step's arrays up, of its results down). Those gaps are summed, apart
 * for gaps inside a step and between two. A step begins with its copies of pages or its
 * embedding.
 *
 * On a GPU the marks are events in the stream: nothing waits for them until they are read. The
 * table of ops has no place for a context, so the counts are of the process, and of one device
 * at a time.
 */
#ifndef BENCH_OP_TIMES_H
#define BENCH_OP_TIMES_H

#include "kernels/ops.h"

enum { OP_TIMES_SLOTS = 32, OP_TIMES_NAME = 40 };

struct op_times_slot {
    char name[OP_TIMES_NAME]; /* "attention", "matmul 4096->14336" */
    double us, operations;    /* multiplies and adds, where they are known */
    int64_t calls;
};

/* Gaps: about one in 512 is not counted, where marks are read on the way. */
struct op_times_gaps {
    double inside_us, between_us;
    int64_t inside, between;
};
struct op_times_gaps op_times_gaps(void); /* as of the last op_times_read */

/* The table to be used in the place of ops; forgets what was counted. */
const struct ops *op_times_of(const struct ops *ops);

/* Waits for what is under way and gives the slots, the longest time first. The device must be
 * idle otherwise: its engine has no job. */
MUST_USE enum status op_times_read(const struct op_times_slot **slots, int32_t *count,
                                   struct error *err);
void op_times_reset(void);

#endif
