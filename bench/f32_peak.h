/*
 * f32_peak - how many F32 multiplications and additions a core of this machine can do.
 *
 * Loops of fused multiply-adds whose operands never leave registers: the roof of attention.
 */
#ifndef BENCH_F32_PEAK_H
#define BENCH_F32_PEAK_H

#include "bench/peak_loop.h"

/* Operations per second and thread while all of the device's do it; 0: no loop for its level.
 * The best of several timings, about a tenth of a second. loop: what was run. */
double f32_peak_measure(struct device *device, struct peak_loop *loop);

#endif
