/*
 * math - exponentials of one float, the bits of kernels/exp.h.
 *
 * The same polynomial and the same order of products and sums, none fused. A NaN goes out as it
 * came: the hardware's NaN has all bits set, which the integer sum at the end would spoil.
 */
#ifndef KERNELS_PARTS_MATH_CUH
#define KERNELS_PARTS_MATH_CUH

#include "kernels/parts/simt.cuh"

#define MATH_ROUND 12582912.0f /* 1.5 * 2^23: what is added to it becomes an integer */
enum { MATH_ROUND_BITS = 0x4b400000 };

/* p * 2^n, n the integer in the low bits of shifted = n + MATH_ROUND. */
SIMT float math_scale(float p, float shifted)
{
    return simt_bits_float(simt_float_bits(p) + (simt_float_bits(shifted) << 23));
}

SIMT float math_infinity()
{
    return simt_bits_float(0x7f800000);
}

/* 2^t; 0 below t = -126, infinity above 127.5. */
SIMT float math_exp2(float t)
{
    if (!(t >= -126.0f))
        return t < -126.0f ? 0.0f : t;
    if (t > 127.5f)
        return math_infinity();
    const float shifted = t + MATH_ROUND;
    const float f = t - (shifted - MATH_ROUND);
    float p = f * 0x1.441412p-13f + 0x1.5f0956p-10f;
    p = p * f + 0x1.3b2a52p-7f;
    p = p * f + 0x1.c6af6cp-5f;
    p = p * f + 0x1.ebfbe0p-3f;
    p = p * f + 0x1.62e430p-1f;
    p = p * f + 1.0f;
    return math_scale(p, shifted);
}

/* e^x; 0 below x = -87.33654, infinity above 88.37. */
SIMT float math_exp(float x)
{
    if (!(x >= -87.33654f))
        return x < -87.33654f ? 0.0f : x;
    if (x > 88.37f)
        return math_infinity();
    const float shifted = x * 0x1.715476p+0f + MATH_ROUND;
    const float n = shifted - MATH_ROUND;
    const float r = (x - n * 0x1.62p-1f) - n * 0x1.c85fe0p-10f;
    float p = r * 0x1.6d117cp-10f + 0x1.120be2p-7f;
    p = p * r + 0x1.555518p-5f;
    p = p * r + 0x1.5554dcp-3f;
    p = p * r + 0.5f;
    p = p * (r * r) + r + 1.0f;
    return math_scale(p, shifted);
}

#endif
