/*
 * weight_simt - int8 weights in the order in which GPU kernels read them.
 *
 * Outputs are taken 32 at a time (a panel), inputs 64 at a time (a slice); of each panel the
 * slices follow each other, and a slice is its 32 rows of 64 bytes:
 *
 *     byte of (out, in) = ((out / 32) * slices + in / 64) * 2048 + (out % 32) * 64 + in % 64
 *
 * Eight rows of a slice, 512 bytes, are what a warp multiplies by two m16n8k32: lane (g, t)
 * reads the 16 bytes from 16 t on of row g, one load of consecutive addresses, and gives bytes
 * 8 h .. 8 h + 7 of them to product h. That takes the inputs in another order than the
 * instruction names them; activations are read in the same one, and int32 sums have no order.
 *
 * in_dim is padded to whole slices and out_dim to whole panels, both with zeros; the scales
 * too.
 */
#ifndef KERNELS_WEIGHT_SIMT_H
#define KERNELS_WEIGHT_SIMT_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct device;
struct weight;
struct weight_rows;

enum {
    WEIGHT_SIMT_PANEL = 32, /* outputs */
    WEIGHT_SIMT_SLICE = 64, /* inputs, bytes of a row */
    WEIGHT_SIMT_SLICE_BYTES = WEIGHT_SIMT_PANEL * WEIGHT_SIMT_SLICE
};

static inline int32_t weight_simt_panels(int32_t out_dim)
{
    return out_dim / WEIGHT_SIMT_PANEL + (out_dim % WEIGHT_SIMT_PANEL != 0);
}

static inline int32_t weight_simt_slices(int32_t in_dim)
{
    return in_dim / WEIGHT_SIMT_SLICE + (in_dim % WEIGHT_SIMT_SLICE != 0);
}

/* Makes *weight on a device that does not read the host's memory, a few panels at a time with
 * the device's threads. ERR_LIMIT rows too long for the device's scratch; ERR_MEMORY;
 * ERR_DEVICE. */
MUST_USE enum status weight_simt_prepare(struct device *device, const struct weight_rows *rows,
                                         struct weight *weight, struct error *err);

/* Bytes of weight.scales. */
size_t weight_simt_scales_bytes(int32_t out_dim);

#ifdef __cplusplus
}
#endif
#endif
