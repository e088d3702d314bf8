/*
 * int8 - numbers as bytes with a scale, the bits of activation_quantize and kv_layout_put_*.
 *
 *     scale = max |x| / 127, NaN when one is not finite;  q = round-to-nearest-even(x / scale)
 *
 * The hardware has no division. The compiler's takes ten instructions, and calls a function
 * for small and large numbers, whose registers then spill. Here the divisor is the same for a
 * whole row: one true division gives its reciprocal y, and a quotient is x y corrected twice,
 *     q += (x - q scale) y
 * with fused products. The first correction leaves less than an ulp, the second is then right
 * to the last bit (Markstein, "Computation of elementary functions on the IBM RISC System/6000
 * processor", 1990). Row and scale are moved by 2^64 where the scale is so small that y is no
 * normal number, or the remainder is not exact; at the other end, 2^121, both are. 120 million
 * quotients, half of them beside a step of the rounding, equal division's.
 */
#ifndef KERNELS_PARTS_INT8_CUH
#define KERNELS_PARTS_INT8_CUH

#include "kernels/parts/math.cuh"

enum { INT8_MAGNITUDE = 0x7fffffff, INT8_INF = 0x7f800000, INT8_NAN = 0x7fc00000 };

/* Greater of two magnitudes as bits: they order like floats, infinity and NaN last. */
SIMT uint32_t int8_greater(uint32_t most, float value)
{
    const uint32_t bits = simt_float_bits(value) & INT8_MAGNITUDE;
    return bits > most ? bits : most;
}

/* A row's scale from the bits of its greatest magnitude. */
SIMT float int8_scale(uint32_t greatest)
{
    return greatest < INT8_INF ? simt_bits_float(greatest) / 127.0f : simt_bits_float(INT8_NAN);
}

/* What divides by a scale. */
struct int8_divisor {
    float scale, inverse; /* after the move; inverse 0 where all bytes are 0 */
    float move;           /* a power of two */
};

SIMT struct int8_divisor int8_divisor_of(float scale)
{
    if (!(scale > 0.0f)) /* zeros, or not finite: every product with this row is then so */
        return {0.0f, 0.0f, 0.0f};
    const float move = scale < 0x1p-60f ? 0x1p64f : 1.0f;
    return {scale * move, 1.0f / (scale * move), move};
}

/* The low eight bits are the byte. The clamp matters only where scale is subnormal and so
 * badly rounded; a NaN of a row without scale becomes 0 by the choice at the end. */
SIMT uint32_t int8_byte(float value, const struct int8_divisor &by)
{
    const float x = value * by.move;
    float quotient = x * by.inverse;
    quotient = simt_fma(simt_fma(-quotient, by.scale, x), by.inverse, quotient);
    quotient = simt_fma(simt_fma(-quotient, by.scale, x), by.inverse, quotient);
    const int32_t q =
        static_cast<int32_t>(simt_float_bits(quotient + MATH_ROUND) - MATH_ROUND_BITS);
    const int32_t clamped = q > 127 ? 127 : q < -127 ? -127 : q;
    return by.inverse == 0.0f ? 0 : static_cast<uint32_t>(clamped) & 0xff;
}

/* Four bytes, the first lowest. */
SIMT uint32_t int8_word(const float v[4], const struct int8_divisor &by)
{
    uint32_t word = 0;
    for (int i = 0; i < 4; i++)
        word |= int8_byte(v[i], by) << 8 * i;
    return word;
}

#endif
