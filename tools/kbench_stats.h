/*
 * kbench_stats - what a list of timings says: median, spread, cliffs, the roofline.
 *
 * Plain arithmetic on the host; no device is touched.
 */
#ifndef TOOLS_KBENCH_STATS_H
#define TOOLS_KBENCH_STATS_H

#include <stdbool.h>
#include <stdint.h>

struct kbench_stats {
    double median, p10, p90; /* linear between the two nearest samples */
    double spread;           /* (p90 - p10) / median; 0 when the median is 0 */
    int32_t count;
};

/* Sorts samples[count]; all zero for none. */
struct kbench_stats kbench_stats_of(double *samples, int32_t count);

/* How many times slower sweep[index] is than a line between its neighbours says: the points are
 * (at[i], us[i]), at ascending. 0 at either end, where there is no line. */
double kbench_stats_cliff(const double *at, const double *us, int32_t count, int32_t index);

/* What an operation must do at least. */
enum kbench_unit {
    KBENCH_UNIT_NONE,
    KBENCH_UNIT_S8_S32,  /* mma.sync */
    KBENCH_UNIT_F16_F32, /* mma.sync */
    KBENCH_UNIT_F32      /* fused multiply-adds, a thread each */
};

struct kbench_work {
    double bytes;          /* compulsory: each byte once */
    double bytes_unshared; /* had each row its own copy of what rows share; 0: as bytes */
    double operations;     /* a multiply and an add are two */
    enum kbench_unit unit; /* that could do them fastest; NONE: not counted against a peak */
};

/* What a machine can do, measured or as its maker names it; 0: not known. */
struct kbench_limits {
    double bytes_per_s;
    double s8_s32_per_s, f16_f32_per_s; /* operations, with their accumulate type */
    double launch_us;                   /* the shortest that anything takes */
    double f32_per_s;                   /* without tensor cores */
};

enum kbench_bound {
    KBENCH_BOUND_UNKNOWN,
    KBENCH_BOUND_MEM,
    KBENCH_BOUND_COMPUTE,
    KBENCH_BOUND_LAUNCH
};

struct kbench_roof {
    double us; /* max(bytes / bandwidth, operations / peak); 0 when no limit is known */
    enum kbench_bound bound;
};

/* The least time for the work. Bound by the launch when that alone takes longer. */
struct kbench_roof kbench_stats_roof(const struct kbench_work *work,
                                     const struct kbench_limits *limits);

/* Operations per second of the unit; 0: none, or not known. */
double kbench_stats_peak(const struct kbench_limits *limits, enum kbench_unit unit);

/* Operations per byte of the work; 0 for work without operations. */
double kbench_stats_intensity(const struct kbench_work *work);

/* What holds it: "memory", "int8 mma", "f16 mma", "f32", "launch", "". */
const char *kbench_stats_limit_name(enum kbench_bound bound, enum kbench_unit unit);
const char *kbench_stats_unit_name(enum kbench_unit unit); /* "s8->s32", .. "" */

#endif
