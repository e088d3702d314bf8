/* kbench_stats - see kbench_stats.h. */
#include "tools/kbench_stats.h"

#include <stdlib.h>

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which a share of sorted[count] lies. */
static double quantile(const double *sorted, int32_t count, double share)
{
    const double place = share * (count - 1);
    const int32_t below = (int32_t)place;
    if (below + 1 >= count)
        return sorted[count - 1];
    return sorted[below] + (sorted[below + 1] - sorted[below]) * (place - below);
}

struct kbench_stats kbench_stats_of(double *samples, int32_t count)
{
    struct kbench_stats stats = {.count = count};
    if (count <= 0)
        return (struct kbench_stats){0};
    qsort(samples, (size_t)count, sizeof samples[0], by_value);
    stats.median = quantile(samples, count, 0.5);
    stats.p10 = quantile(samples, count, 0.1);
    stats.p90 = quantile(samples, count, 0.9);
    stats.spread = stats.median > 0 ? (stats.p90 - stats.p10) / stats.median : 0;
    return stats;
}

double kbench_stats_cliff(const double *at, const double *us, int32_t count, int32_t index)
{
    if (index < 1 || index + 1 >= count)
        return 0;
    const double width = at[index + 1] - at[index - 1];
    if (!(width > 0))
        return 0;
    const double share = (at[index] - at[index - 1]) / width;
    const double line = us[index - 1] + (us[index + 1] - us[index - 1]) * share;
    return line > 0 ? us[index] / line : 0;
}

double kbench_stats_peak(const struct kbench_limits *limits, enum kbench_unit unit)
{
    switch (unit) {
    case KBENCH_UNIT_S8_S32:
        return limits->s8_s32_per_s;
    case KBENCH_UNIT_F16_F32:
        return limits->f16_f32_per_s;
    case KBENCH_UNIT_F32:
        return limits->f32_per_s;
    case KBENCH_UNIT_NONE:
        break;
    }
    return 0;
}

struct kbench_roof kbench_stats_roof(const struct kbench_work *work,
                                     const struct kbench_limits *limits)
{
    const double peak = kbench_stats_peak(limits, work->unit);
    const double mem_us = limits->bytes_per_s > 0 ? work->bytes / limits->bytes_per_s * 1e6 : 0;
    const double compute_us = peak > 0 ? work->operations / peak * 1e6 : 0;
    struct kbench_roof roof = {.us = mem_us, .bound = KBENCH_BOUND_MEM};
    if (compute_us > mem_us)
        roof = (struct kbench_roof){compute_us, KBENCH_BOUND_COMPUTE};
    if (!(roof.us > 0))
        return (struct kbench_roof){0};
    if (roof.us < limits->launch_us)
        roof.bound = KBENCH_BOUND_LAUNCH;
    return roof;
}

double kbench_stats_intensity(const struct kbench_work *work)
{
    return work->bytes > 0 ? work->operations / work->bytes : 0;
}

const char *kbench_stats_limit_name(enum kbench_bound bound, enum kbench_unit unit)
{
    static const char *const UNITS[] = {"", "int8 mma", "f16 mma", "f32"};
    switch (bound) {
    case KBENCH_BOUND_MEM:
        return "memory";
    case KBENCH_BOUND_COMPUTE:
        return UNITS[unit];
    case KBENCH_BOUND_LAUNCH:
        return "launch";
    case KBENCH_BOUND_UNKNOWN:
        break;
    }
    return "";
}

const char *kbench_stats_unit_name(enum kbench_unit unit)
{
    static const char *const NAMES[] = {"", "s8->s32", "f16->f32", "f32"};
    return NAMES[unit];
}
