/*
 * kbench_head - what stands above a table of timings: the device, the commit, and the limits
 * that shares are shares of: measured ones, and those that the maker names.
 */
#ifndef TOOLS_KBENCH_HEAD_H
#define TOOLS_KBENCH_HEAD_H

#include "kernels/device_timer.h"
#include "kernels/peak.h"
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

/* Memory and numbers for the device's limits: made once, used again by the throttle flag and
 * for emptying the L2 cache. */
struct kbench_probe {
    struct device *device;
    void *from, *to; /* [bytes] each, more than twice the L2 cache */
    size_t bytes;
    uint32_t *a, *b;
    void *out;
    size_t out_bytes;
    int32_t blocks, steps;
    double spin_us; /* a short run of products when nothing was hot yet */
};

/* ERR_MEMORY. Safe to close whatever the outcome. */
MUST_USE enum status kbench_head_probe_open(struct kbench_probe *probe, struct device *device,
                                            struct error *err);
void kbench_head_probe_close(struct kbench_probe *probe);

/* Fills head; on a device whose times mean something, measures its limits (under a second). */
MUST_USE enum status kbench_head_fill(struct kbench_head *head, struct kbench_probe *probe,
                                      struct error *err);

/* Writes what is in the L2 cache over. */
MUST_USE enum status kbench_head_flush(const struct kbench_probe *probe);
/* How much slower the short run of products is now than it was: 1.1 is a clock 10 % lower. */
MUST_USE enum status kbench_head_slowdown(const struct kbench_probe *probe, double *ratio,
                                          struct error *err);

/* The limits of a device by (part of) its name, from datasheets; false when none has it. */
bool kbench_head_named(const char *name, struct kbench_limits *limits);

void kbench_head_print(const struct kbench_head *head);
void kbench_head_write(const struct kbench_head *head, struct json_writer *w);

#endif
