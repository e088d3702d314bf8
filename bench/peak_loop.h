/*
 * peak_loop - a loop of registers, and what all threads of a device do of it at once.
 *
 * Cores that share a clock, or are two halves of one, do less together than one alone does
 * times their number: what they do together is the roof of work that they share.
 */
#ifndef BENCH_PEAK_LOOP_H
#define BENCH_PEAK_LOOP_H

#include "kernels/device.h"

#include <stdint.h>

struct peak_loop {
    const char *sequence; /* its instructions; NULL: there is no loop for the level */
    void (*run)(int64_t turns);
    double ops_per_turn; /* a product and its addition are two operations */
};

/* Operations per second and thread, by the clock, while all threads of the device run the loop
 * for about 10 ms. */
double peak_loop_rate(struct device *device, const struct peak_loop *loop);

/* The best of some rates of each loop, in turns; the fastest to *best. 0: there are none. */
double peak_loop_best(struct device *device, const struct peak_loop *loops, size_t count,
                      struct peak_loop *best);

#endif
