/*
 * int8_peak - how many int8 multiplications and additions one core of this machine can do.
 *
 * Loops whose operands never leave registers: the roof for any int8 matmul at that SIMD level.
 */
#ifndef BENCH_INT8_PEAK_H
#define BENCH_INT8_PEAK_H

#include "kernels/device.h"

struct int8_peak {
    const char *sequence; /* instructions of the fastest loop, NULL: no loop for this level */
    double ops_per_s; /* of one core's time; a product and its addition are two operations */
};

/* Best of several timings of each loop of that level. Takes about half a second. */
struct int8_peak int8_peak_measure(enum device_simd simd);

#endif
