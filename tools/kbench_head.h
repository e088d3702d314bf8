/*
 * kbench_head - what stands above a table of timings: the device, the commit, and the limits
 * that shares are shares of: measured ones, and those that the maker names.
 */
#ifndef TOOLS_KBENCH_HEAD_H
#define TOOLS_KBENCH_HEAD_H

#include "kernels/device_timer.h"
#include "kernels/peak_measure.h"
#include "tools/kbench_stats.h"

#include "base/json.h"

enum { KBENCH_HEAD_COMMIT = 64 };

struct kbench_head {
    enum device_kind kind;
    struct device_timer_facts facts;
    char commit[KBENCH_HEAD_COMMIT]; /* "2697263 dirty", "unknown" */
    char date[32];                   /* ISO 8601, UTC */
    struct kbench_limits measured;   /* zero where times mean nothing: the emulator */
    struct kbench_limits named;      /* zero for a device that no table has */
};

/* Fills head; on a device whose times mean something, measures its limits (under a second). */
MUST_USE enum status kbench_head_fill(struct kbench_head *head, struct peak_measure *probe,
                                      struct error *err);

/* The limits of a device by (part of) its name, from datasheets; false when none has it. */
bool kbench_head_named(const char *name, struct kbench_limits *limits);

void kbench_head_print(const struct kbench_head *head);
void kbench_head_write(const struct kbench_head *head, struct json_writer *w);

#endif
