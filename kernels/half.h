/* half - IEEE 754 binary16 and bfloat16, to and from F32, without hardware support. */
#ifndef KERNELS_HALF_H
#define KERNELS_HALF_H

#include <stdint.h>
#include <string.h>

static inline float half_from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint32_t half_float_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Exact; NaN keeps its payload. Multiplying by 2^112 moves the exponent and makes subnormal
 * halves normal floats without a branch. */
static inline float half_to_float(uint16_t half)
{
    const uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13;
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    if (magnitude >= 0x0f800000) /* infinity or NaN */
        return half_from_bits(sign | magnitude | 0x7f800000);
    const float scaled = half_from_bits(magnitude) * 0x1p112f;
    return half_from_bits(sign | half_float_bits(scaled));
}

/* Rounds to nearest, ties to even; too large becomes infinity, NaN stays a quiet NaN. */
static inline uint16_t half_from_float(float value)
{
    const uint32_t bits = half_float_bits(value);
    const uint32_t sign = (bits >> 16) & 0x8000;
    const uint32_t magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000)
        return (uint16_t)(sign | 0x7e00);
    if (magnitude >= 0x477ff000) /* 65,520 and more */
        return (uint16_t)(sign | 0x7c00);
    if (magnitude < 0x38800000) { /* below 2^-14: adding 0.5 leaves units of 2^-24 */
        const float shifted = half_from_bits(magnitude) + 0.5f;
        return (uint16_t)(sign | (half_float_bits(shifted) - 0x3f000000));
    }
    const uint32_t odd = (magnitude >> 13) & 1;
    return (uint16_t)(sign | ((magnitude - 0x38000000 + 0xfff + odd) >> 13));
}

/* Rounds to nearest, ties to even; NaN stays a quiet NaN. */
static inline uint16_t half_bf16_from_float(float value)
{
    const uint32_t bits = half_float_bits(value);
    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static inline float half_bf16_to_float(uint16_t bf16)
{
    return half_from_bits((uint32_t)bf16 << 16);
}

#endif
