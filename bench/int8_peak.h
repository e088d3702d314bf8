/*
 * int8_peak - how many int8 multiplications and additions a core of this machine can do.
 *
 * Loops whose operands never leave registers: the roof for any int8 matmul at that SIMD level.
 */
#ifndef BENCH_INT8_PEAK_H
#define BENCH_INT8_PEAK_H

#include "bench/peak_loop.h"

/* Operations per second and thread while all of the device's do it; 0: no loop for its level.
 * The best of several timings of each loop, about half a second. loop: the fastest. */
double int8_peak_measure(struct device *device, struct peak_loop *loop);
/* The same of loops that are exact whatever the operands are. */
double int8_peak_any(struct device *device, struct peak_loop *loop);

#endif
