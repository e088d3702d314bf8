/*
 * activation - the left side of a matmul: rows of numbers, in the forms its weights want.
 *
 * Ops that feed matmuls (rmsnorm, attention, silu_mul) write an activation. For
 * WEIGHT_STORED weights that is plain F32; for WEIGHT_INT8 weights each row is rotated by the
 * same block Hadamard transform as the weights, then quantized with one scale per row:
 *     scale = max |x| / 127,  q = round-to-nearest-even(x / scale),  |q| <= 127
 * A row of zeros has scale 0. All steps are elementwise or exact, so that every SIMD level
 * gives the same bits (built with -ffp-contract=off).
 */
#ifndef KERNELS_ACTIVATION_H
#define KERNELS_ACTIVATION_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { ACTIVATION_F32 = 1, ACTIVATION_INT8 = 2 }; /* bits: which forms are filled */
enum { ACTIVATION_BLOCK_MAX = 64 };

struct activation {
    uint32_t forms; /* what the writing op fills, what matmul may read */
    int32_t cols;
    float *f32;     /* [rows, cols] when ACTIVATION_F32 */
    int8_t *q8;     /* [rows, stride] when ACTIVATION_INT8, zero past cols */
    float *scales;  /* [rows] when ACTIVATION_INT8 */
    int32_t stride; /* bytes from row to row of q8: cols rounded up to 64 */
};

/* Block of the rotation for a reduction of cols: largest power of two <= 64 dividing it. */
int32_t activation_block(int32_t cols);

/* Rotates row[cols] in place, orthonormal, blocks of activation_block(cols). */
void activation_rotate(float *row, int32_t cols);

/* The scale of a row whose greatest magnitude has these bits; NaN where that is not finite. */
float activation_scale(int32_t greatest_bits);

/* q[cols] = the row as it stands, quantized; the result is its scale, NaN when it is not finite
 * (q is then zeros, as for a row of zeros). */
typedef float activation_round_level(const float *row, int32_t cols, int8_t *q);
activation_round_level activation_round;

/* Rotates (in place) and quantizes one row of F32 into row `index` of the int8 form. */
void activation_quantize(const struct activation *activation, int32_t index, float *row);
#if defined(__x86_64__)
void activation_rotate_avx2(float *row, int32_t cols);
activation_round_level activation_round_avx2;
void activation_quantize_avx2(const struct activation *activation, int32_t index, float *row);
void activation_quantize_avx512(const struct activation *activation, int32_t index, float *row);
#endif

#ifdef __cplusplus
}
#endif
#endif
