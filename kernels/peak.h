/*
 * peak - what the hardware can do at most, for benches: a copy, and products of the tensor
 * cores whose operands are loaded from memory once and never change.
 *
 *     peak_copy   to[i] = from[i], 16 bytes per thread and step
 *     peak_mma    every warp computes PEAK_CHAINS products side by side, `steps` times:
 *                 c[chain] += a b[chain], a [16 x k], b [k x 8], k 32 (s8) or 16 (f16)
 *
 * A warp has in flight as many products as it has chains; a datasheet's figure is not reached
 * by anything, this one is. The results are written, so that nothing can be left out:
 *     out[warp][chain][lane][4]: int32 sums of s8, F32 sums of f16
 * With steps whose sums are exact integers all back ends give the same bits.
 */
#ifndef KERNELS_PEAK_H
#define KERNELS_PEAK_H

#include "kernels/device.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { PEAK_CHAINS = 4, PEAK_WARPS = 8 /* of a block */ };
enum peak_kind { PEAK_S8_S32, PEAK_F16_F32 };

struct peak_copy_args {
    const void *from; /* aligned to 16 */
    void *to;
    int64_t bytes; /* a multiple of 16 */
};

struct peak_mma_args {
    enum peak_kind kind;
    const uint32_t *a; /* [32 lanes][4]: fragments as simt_mma_s8 and simt_mma_f16 take them */
    const uint32_t *b; /* [PEAK_CHAINS][32 lanes][2] */
    void *out;         /* [blocks][PEAK_WARPS][PEAK_CHAINS][32][4] of 4 bytes */
    int32_t blocks, steps;
};

enum status peak_copy_ref(struct device *device, const struct peak_copy_args *args);
enum status peak_copy_cuda(struct device *device, const struct peak_copy_args *args);
enum status peak_copy_emu(struct device *device, const struct peak_copy_args *args);
enum status peak_mma_ref(struct device *device, const struct peak_mma_args *args);
enum status peak_mma_cuda(struct device *device, const struct peak_mma_args *args);
enum status peak_mma_emu(struct device *device, const struct peak_mma_args *args);

/* On whichever device it is; the twin on the CPU. ERR_LIMIT: this build has none for it. */
enum status peak_copy(struct device *device, const struct peak_copy_args *args);
enum status peak_mma(struct device *device, const struct peak_mma_args *args);

/* Multiplies and adds, two for each pair, of one peak_mma. */
double peak_mma_operations(const struct peak_mma_args *args);

#ifdef __cplusplus
}
#endif
#endif
