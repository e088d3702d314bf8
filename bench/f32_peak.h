/*
 * f32_peak - how many F32 multiplications and additions one core of this machine can do.
 *
 * Loops of fused multiply-adds whose operands never leave registers: the roof of attention.
 */
#ifndef BENCH_F32_PEAK_H
#define BENCH_F32_PEAK_H

#include "kernels/device.h"

/* Operations per second of one core's time, a product and its addition being two; 0: no loop
 * for this level. The best of several timings, about a tenth of a second. */
double f32_peak_measure(enum device_simd simd);

#endif
