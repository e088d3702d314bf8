/*
 * device_timer - times of work on a device, and what the device is: for benches.
 *
 *     device_timer_mark(device, 0);
 *     ... kernels ...
 *     device_timer_mark(device, 1);
 *     device_timer_us(device, 0, 1, &us, &err);
 *
 * A mark falls when all work given to the device before it is done. On a GPU it is an event
 * in the stream and costs no waiting; the CPU and the emulator have done their work when an op
 * returns, so there a mark is the host's clock.
 */
#ifndef KERNELS_DEVICE_TIMER_H
#define KERNELS_DEVICE_TIMER_H

#include "kernels/device.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { DEVICE_TIMER_MARKS = 1024, DEVICE_TIMER_NAME = 96 };

/* Puts mark number index (0 .. DEVICE_TIMER_MARKS - 1) at this point of the work. */
MUST_USE enum status device_timer_mark(struct device *device, uint32_t index);

/* *us = microseconds from mark `from` to mark `to`, both put before; waits for them.
 * ERR_DEVICE: a kernel has failed. */
MUST_USE enum status device_timer_us(struct device *device, uint32_t from, uint32_t to,
                                     double *us, struct error *err);

/* What a device is; 0 where it has no such thing or does not tell. */
struct device_timer_facts {
    char name[DEVICE_TIMER_NAME]; /* "NVIDIA H200", "emulator", "cpu avx2" */
    int32_t sm;                   /* 89, 90: compute capability without its point */
    int32_t multiprocessors;
    int32_t driver, runtime; /* CUDA versions as CUDA numbers them: 13000 */
    int32_t clock_mhz, memory_clock_mhz, memory_bus_bits; /* as set, not as observed */
    size_t l2_bytes, memory_bytes, memory_free_bytes;
    bool has_ecc;
};

/* (In C++ a function may not have its struct's name.) */
void device_timer_look(const struct device *device, struct device_timer_facts *facts);

#ifdef __cplusplus
}
#endif
#endif
