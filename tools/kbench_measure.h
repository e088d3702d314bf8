/*
 * kbench_measure - makes one row of kbench: verifies, times, compares, counts.
 */
#ifndef TOOLS_KBENCH_MEASURE_H
#define TOOLS_KBENCH_MEASURE_H

#include "tools/kbench_kernels.h"
#include "tools/kbench_row.h"

enum kbench_baseline {
    KBENCH_BASELINE_NONE,
    KBENCH_BASELINE_CUBLASLT, /* int8 products on CUDA, sums in int32, without our epilogue */
    KBENCH_BASELINE_SORTED, /* attention: no shared reads, rows in the order of their chunks */
    KBENCH_BASELINE_NAIVE   /* attention: the same, rows in the order of their jobs */
};

struct kbench_measure {
    struct device *device, *host;
    struct peak_measure probe;
    struct kbench_head head;
    enum kbench_baseline baseline;
    struct device *emulated; /* beside a GPU: results are to be the emulator's; or NULL */
    bool is_verified, is_projected, is_small;
    uint64_t seed;
    double seconds; /* of timing for each row; 0: no timing */
};

/* Opens the device and fills head. ERR_LIMIT or ERR_DEVICE: there is no such device. */
MUST_USE enum status kbench_measure_open(struct kbench_measure *measure, enum device_kind kind,
                                         struct error *err);
/* Results are held against the emulator's from now on. ERR_LIMIT: it is not in this build. */
MUST_USE enum status kbench_measure_pair(struct kbench_measure *measure, struct error *err);
void kbench_measure_close(struct kbench_measure *measure); /* safe on a zeroed struct */

/* Fills what the caller has not set of row: kernel, variant, model, dtype, m and mode are
 * given, and shape is row->model's. row->m becomes what ran.
 * ERR_LIMIT: the kernel does not take this shape or format. */
MUST_USE enum status kbench_measure_row(const struct kbench_measure *measure,
                                        const struct kbench_args_shape *shape,
                                        struct kbench_row *row, struct error *err);

/* Rewrites row's shape, work and MODEL as they are at the model's own sizes, with m rows;
 * nothing runs. */
MUST_USE enum status kbench_measure_reckon(const struct kbench_measure *measure,
                                           const struct kbench_args_shape *shape, int32_t m,
                                           struct kbench_row *row, struct error *err);

/* Rows that run one after the other, each as often as its calls say. */
struct kbench_together {
    const struct kbench_row *rows;
    int32_t count; /* at most KBENCH_TOGETHER_MAX */
};
enum { KBENCH_TOGETHER_MAX = 12 };

/* How all of them are timed: as a graph where the device records graphs. */
enum kbench_mode kbench_measure_together_mode(const struct kbench_measure *measure);

/* The time of all of them. */
MUST_USE enum status kbench_measure_together(const struct kbench_measure *measure,
                                             const struct kbench_args_shape *shape,
                                             const struct kbench_together *all,
                                             struct kbench_timing *timing, struct error *err);

/* What --project reckons with: a 4090 by the roofline, at shares of its named limits. */
void kbench_measure_print_projection(void);

#endif
