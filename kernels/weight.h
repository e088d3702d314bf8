/*
 * weight - a matrix of the model, in the form a back end multiplies with.
 *
 * A model file stores out_dim rows of in_dim numbers in some block format. weight_prepare
 * turns that into a struct weight: either the file's own bytes used in place (WEIGHT_STORED),
 * or our int8 form of DESIGN.md D1, made once at load:
 *
 *     each row is rotated by a block Hadamard transform along in_dim (orthonormal, block =
 *     largest power of two <= 64 that divides in_dim), scaled so that its largest magnitude is
 *     127, rounded to nearest (ties to even), kept with one float scale per row.
 *
 * The packed order of the int8 bytes belongs to matmul and to the back end that made it:
 * matmul_int8.h for the host, weight_simt.h for accelerators.
 */
#ifndef KERNELS_WEIGHT_H
#define KERNELS_WEIGHT_H

#include "base/error.h"
#include "kernels/device.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Number formats of model files; the values are ggml's type numbers as GGUF stores them. */
enum weight_type {
    WEIGHT_F32 = 0,
    WEIGHT_F16 = 1,
    WEIGHT_Q4_0 = 2,
    WEIGHT_Q4_1 = 3,
    WEIGHT_Q5_0 = 6,
    WEIGHT_Q5_1 = 7,
    WEIGHT_Q8_0 = 8,
    WEIGHT_Q2_K = 10,
    WEIGHT_Q3_K = 11,
    WEIGHT_Q4_K = 12,
    WEIGHT_Q5_K = 13,
    WEIGHT_Q6_K = 14,
    WEIGHT_IQ4_NL = 20,
    WEIGHT_I8 = 24, /* rows of the int8 form in a file: for weight_prepare_int8 alone */
    WEIGHT_BF16 = 30
};

/* Name as people write it ("Q4_1"); NULL for a number that is no known type. */
const char *weight_type_name(uint32_t type);
/* Elements per block (1 for F32) and bytes per block; false for an unknown type. */
bool weight_type_layout(uint32_t type, uint32_t *block_elems, uint32_t *block_bytes);
/* True when weight_dequantize knows the type: all but WEIGHT_I8. */
bool weight_type_is_supported(uint32_t type);

/* out[count] = the exact values of count elements (a multiple of the block) at blocks. */
void weight_dequantize(enum weight_type type, const void *blocks, float *out, int64_t count);
/* The same bits with the vectors of a level. */
void weight_dequantize_at(enum device_simd simd, enum weight_type type, const void *blocks,
                          float *out, int64_t count);
#if defined(__x86_64__)
void weight_dequantize_avx2(enum weight_type type, const void *blocks, float *out,
                            int64_t count);
#endif

enum weight_form { WEIGHT_STORED, WEIGHT_INT8, WEIGHT_FORM_BF16 /* CUDA only: cuBLASLt */ };

struct weight {
    enum weight_form form;
    enum weight_type type; /* of data when WEIGHT_STORED; where it came from when WEIGHT_INT8 */
    int32_t out_dim;       /* rows: outputs */
    int32_t in_dim;        /* columns: the reduction */
    const void *data; /* WEIGHT_STORED: file bytes, borrowed (a copy of them, owned, where the
                         device does not read the host's memory). WEIGHT_INT8: packed int8,
                         owned */
    const float *scales; /* WEIGHT_INT8: [out_dim], owned */
    size_t data_bytes;
};

struct weight_source {
    const char *name; /* for messages */
    enum weight_type type;
    int32_t out_dim, in_dim;
    const void *data; /* out_dim * in_dim elements, row by row */
};

/* Makes *weight from source in the form asked for, WEIGHT_STORED or WEIGHT_INT8. Allocates on
 * the device and uses its threads, but for WEIGHT_STORED where the device reads the host's
 * memory. ERR_LIMIT in_dim, type or form that cannot be; ERR_MEMORY; ERR_DEVICE. */
MUST_USE enum status weight_prepare(struct device *device, const struct weight_source *source,
                                    enum weight_form form, struct weight *weight,
                                    struct error *err);

/* Rows that are rotated, scaled and rounded already: what a file of int8 weights holds. */
struct weight_int8_source {
    const char *name;
    enum weight_type type; /* where they came from, for weight.type */
    int32_t out_dim, in_dim;
    const int8_t *rows;  /* [out_dim][in_dim] */
    const float *scales; /* [out_dim] */
};

/* Makes *weight in WEIGHT_INT8, with the bits that weight_prepare would give for the rows'
 * source. ERR_LIMIT as there; ERR_FORMAT a value of -128, or a scale that is negative or not
 * finite; ERR_MEMORY; ERR_DEVICE. */
MUST_USE enum status weight_prepare_int8(struct device *device,
                                         const struct weight_int8_source *source,
                                         struct weight *weight, struct error *err);

void weight_release(struct device *device, struct weight *weight);

#ifdef __cplusplus
}
#endif
#endif
