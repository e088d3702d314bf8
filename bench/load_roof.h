/*
 * load_roof - what a device does at most, measured in the same process as the load that is held
 * against it, and the least time that this leaves for some work.
 *
 * A GPU's rates are those of peak_measure: a copy, and mma.sync. The CPU's are its memory read
 * by all threads, and register loops of products on all at once. The emulator has none.
 */
#ifndef BENCH_LOAD_ROOF_H
#define BENCH_LOAD_ROOF_H

#include "bench/peak_loop.h"

enum { LOAD_ROOF_ABOUT = 160 };

struct load_roof {
    double bytes_per_s;          /* 0: nothing was measured, or there is no loop for this CPU */
    double copy_bytes_per_s;     /* bytes read and written of a copy; 0 where bytes_per_s is */
    double operations_per_s;     /* a product and its addition are two */
    struct peak_loop loop;       /* of the CPU's operations_per_s; without run: no CPU's */
    struct peak_loop any;        /* of int8: the fastest that is exact for any operands */
    char about[LOAD_ROOF_ABOUT]; /* whose rates these are, with the figures; "" for none */
};

/* Of the device that where says; operations are int8's or those of floats. Under a second.
 * The CPU's in a process of their own: call it before this one has threads.
 * ERR_MEMORY, ERR_DEVICE, ERR_IO; ERR_LIMIT: there is no such device. */
MUST_USE enum status load_roof_measure(struct load_roof *roof,
                                       const struct device_options *where, bool is_int8,
                                       struct error *err);

/* operations_per_s, a CPU's measured once more, in 10 ms: what neighbours leave of a machine
 * changes from one second to the next. */
double load_roof_operations_again(const struct load_roof *roof, struct device *device);
/* The same of the loop that is exact for any operands; 0 where there is none. */
double load_roof_any_again(const struct load_roof *roof, struct device *device);

/* The longer of the two; 0 without rates. */
double load_roof_s(const struct load_roof *roof, double bytes, double operations);

#endif
