/*
 * peak_measure - the rates that a device reaches, and how far its clock has fallen since: what
 * benches hold their figures against.
 *
 * Owner    peak_measure_open gives memory on the device, peak_measure_close takes it.
 */
#ifndef KERNELS_PEAK_MEASURE_H
#define KERNELS_PEAK_MEASURE_H

#include "kernels/peak.h"

#ifdef __cplusplus
extern "C" {
#endif

struct peak_measure {
    struct device *device;
    void *from, *to; /* [bytes] each, together six times the L2 cache */
    size_t bytes;
    uint32_t *a, *b;
    void *out;
    size_t out_bytes;
    int32_t blocks;
    double spin_us; /* a short run of products, when the rates were measured */
};

struct peak_measure_rates {
    double bytes_per_s;                 /* of a copy, read and written */
    double s8_s32_per_s, f16_f32_per_s; /* operations of mma.sync, with their accumulate type */
    double launch_us;                   /* of the stream's time, launches back to back */
};

/* ERR_MEMORY, ERR_DEVICE. peak_measure_close is safe whatever the outcome. */
MUST_USE enum status peak_measure_open(struct peak_measure *measure, struct device *device,
                                       struct error *err);
void peak_measure_close(struct peak_measure *measure);

/* Under a second on a GPU. ERR_LIMIT: not CUDA, where these rates mean nothing. */
MUST_USE enum status peak_measure_take(struct peak_measure *measure,
                                       struct peak_measure_rates *rates, struct error *err);

/* Writes what is in the L2 cache over. */
MUST_USE enum status peak_measure_flush(const struct peak_measure *measure);

/* How much slower the short run of products is now: 1.1 is a clock 10 % lower. */
MUST_USE enum status peak_measure_slowdown(const struct peak_measure *measure, double *ratio,
                                           struct error *err);

#ifdef __cplusplus
}
#endif
#endif
