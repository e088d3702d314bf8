/*
 * cublaslt_int8 - the library's int8 product, as a comparator for ours: benches alone use it.
 *
 *     y[r, o] = sum_i x[r, i] w[o, i],  int8 in, int32 out; our epilogue is not in it
 */
#ifndef KERNELS_CUBLASLT_INT8_H
#define KERNELS_CUBLASLT_INT8_H

#include "kernels/device.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cublaslt_int8_args {
    int32_t rows, out_dim, in_dim;
    bool is_cold; /* weights in several places, together larger than the L2 cache */
    size_t l2_bytes;
};

/* *us = median microseconds of one product, with the algorithm that the library's heuristic
 * puts first. Memory is taken and given back. ERR_LIMIT: the build has no cuBLASLt, or it takes
 * no such shape. ERR_MEMORY, ERR_DEVICE. */
MUST_USE enum status cublaslt_int8_time(struct device *device,
                                        const struct cublaslt_int8_args *args, double *us,
                                        struct error *err);

#ifdef __cplusplus
}
#endif
#endif
