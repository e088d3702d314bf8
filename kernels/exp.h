/*
 * exp - exponentials on eight floats at a time, or sixteen, the same bits on every machine.
 *
 * Written on vectors of the compiler, which it lowers to whatever registers the caller's
 * target has; products and sums are never fused (-ffp-contract=off), so each lane does what a
 * scalar would. For 2^t: t = n + f with n the nearest integer (adding 1.5 * 2^23 leaves units
 * of 1), a polynomial for 2^f, and n added to the exponent.
 *
 *     exp_2        relative error below 1.5e-7 (1.3 ulp); for t in [-126, 127.5]
 *     exp_natural  below 1.5e-7; e^x = 2^n e^r, with ln 2 in two parts so that r is exact
 *
 * Below the range the result is 0, above it infinity, of a NaN a NaN. Both polynomials
 * interpolate at Chebyshev nodes; coefficients rounded to float, error 1.1e-8 before rounding.
 */
#ifndef KERNELS_EXP_H
#define KERNELS_EXP_H

#include <stdint.h>

#ifdef __AVX512F__ /* in files that are built for nothing less */
enum { EXP_LANES = 16 };
#else
enum { EXP_LANES = 8 };
#endif
enum { EXP_BYTES = EXP_LANES * 4 };

typedef float exp_f32 __attribute__((vector_size(EXP_BYTES), aligned(4), may_alias));
typedef int32_t exp_i32 __attribute__((vector_size(EXP_BYTES), aligned(4), may_alias));
typedef uint32_t exp_u32 __attribute__((vector_size(EXP_BYTES), aligned(4), may_alias));

#define EXP_CALL static inline __attribute__((always_inline))

#define EXP_ROUND 12582912.0f /* 1.5 * 2^23 */

/* *value = p * 2^n, n the integer in the low bits of shifted = n + EXP_ROUND; 0 in the
 * lanes of is_below, infinity in those of is_above. */
EXP_CALL void exp_scale(exp_f32 *value, const exp_f32 *p, const exp_f32 *shifted,
                        const exp_i32 *is_below, const exp_i32 *is_above)
{
    const exp_i32 infinity = (exp_i32){0} + 0x7f800000;
    /* Unsigned: a lane out of range wraps before it is replaced. */
    const exp_i32 bits = (exp_i32)((exp_u32)*p + ((exp_u32)*shifted << 23));
    *value = (exp_f32)((bits & ~*is_below & ~*is_above) | (infinity & *is_above));
}

/* *value = 2^*t; value and t may be the same. */
EXP_CALL void exp_2(exp_f32 *value, const exp_f32 *t)
{
    const exp_f32 shifted = *t + EXP_ROUND;
    const exp_f32 f = *t - (shifted - EXP_ROUND);
    exp_f32 p = f * 0x1.441412p-13f + 0x1.5f0956p-10f;
    p = p * f + 0x1.3b2a52p-7f;
    p = p * f + 0x1.c6af6cp-5f;
    p = p * f + 0x1.ebfbe0p-3f;
    p = p * f + 0x1.62e430p-1f;
    p = p * f + 1.0f;
    const exp_i32 is_below = *t<-126.0f, is_above = *t> 127.5f;
    exp_scale(value, &p, &shifted, &is_below, &is_above);
}

/* *value = e^*x; value and x may be the same. */
EXP_CALL void exp_natural(exp_f32 *value, const exp_f32 *x)
{
    const exp_f32 shifted = *x * 0x1.715476p+0f + EXP_ROUND;
    const exp_f32 n = shifted - EXP_ROUND;
    const exp_f32 r = (*x - n * 0x1.62p-1f) - n * 0x1.c85fe0p-10f;
    exp_f32 p = r * 0x1.6d117cp-10f + 0x1.120be2p-7f;
    p = p * r + 0x1.555518p-5f;
    p = p * r + 0x1.5554dcp-3f;
    p = p * r + 0.5f;
    p = p * (r * r) + r + 1.0f;
    const exp_i32 is_below = *x<-87.33654f, is_above = *x> 88.37f;
    exp_scale(value, &p, &shifted, &is_below, &is_above);
}

/* e^x of one float. */
EXP_CALL float exp_natural_one(float x)
{
    exp_f32 lanes = (exp_f32){0} + x;
    exp_natural(&lanes, &lanes);
    return lanes[0];
}

#endif
