/*
 * kbench_time - timing one case on its device.
 *
 *     cold    each sample another set of buffers; where all sets together do not reach past
 *             the L2 cache, that is written over before each sample
 *     warm    the same buffers again and again, launches back to back
 *     graph   launches recorded once, set after set, and run with one call
 *     batch   launches one after the other, set after set: cold data, and the host's share of
 *             launching hidden, as far as it can be, behind the launch before
 *
 * A sample of the last three is the mean of several launches. Runs end when `seconds` are
 * over or KBENCH_TIME_SAMPLES are taken, and not before 10 samples.
 */
#ifndef TOOLS_KBENCH_TIME_H
#define TOOLS_KBENCH_TIME_H

#include "tools/kbench_case.h"
#include "tools/kbench_head.h"

enum kbench_mode { KBENCH_COLD, KBENCH_WARM, KBENCH_GRAPH, KBENCH_BATCH, KBENCH_MODES };
enum { KBENCH_TIME_SAMPLES = 256 };

struct kbench_timing {
    struct kbench_stats us; /* per launch */
    int32_t launches;       /* in a sample */
    int32_t sets;           /* of buffers that were gone round */
    bool is_flushed;
};

/* ERR_LIMIT: the device records no graphs. ERR_DEVICE, or what the kernel refuses with. */
MUST_USE enum status kbench_time_run(struct kbench_case *c, const struct peak_measure *probe,
                                     enum kbench_mode mode, double seconds,
                                     struct kbench_timing *timing, struct error *err);

const char *kbench_time_mode_name(enum kbench_mode mode); /* "cold", "warm", "graph", .. */

/* The set of buffers, of `sets`, that a launch of a sample goes over. */
int32_t kbench_time_set(enum kbench_mode mode, int32_t sample, int32_t launch, int32_t sets);

#endif
