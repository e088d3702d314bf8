/*
 * log - logarithms, the same bits on the CPU, the emulator and the GPU.
 *
 * Plain arithmetic, no product fused with a sum, so every compiler gives the same result. With
 * x = 2^n m, m in [sqrt(1/2), sqrt(2)) and f = m - 1 (exact):
 *
 *     log_natural   log m = f - f^2 / 2 + f^3 P(f); P interpolates at Chebyshev nodes, its
 *                   coefficients rounded to float (2.0e-8 of log m before rounding). ln 2 in
 *                   two parts, so that n times the first is exact. Relative error below 1.2e-7.
 *     log_wide      log m = 2 (z + z^3 / 3 + .. + z^21 / 21), z = f / (m + 1). Relative error
 *                   below 4e-16.
 *
 * x must be positive, finite and normal: of anything else the result means nothing.
 * Kernels include parts/simt.cuh before this header: then the functions run on the device.
 */
#ifndef KERNELS_LOG_H
#define KERNELS_LOG_H

#include <stdint.h>
#include <string.h>

#ifdef SIMT
    #define LOG_CALL SIMT
#else
    #define LOG_CALL static inline
#endif

/* The bits of sqrt(1/2): what is subtracted to have m in [sqrt(1/2), sqrt(2)). */
#define LOG_ROOT_BITS      0x3f3504f3u
#define LOG_WIDE_ROOT_BITS UINT64_C(0x3fe6a09e667f3bcd)

LOG_CALL float log_natural(float x)
{
    uint32_t bits;
    float m;
    memcpy(&bits, &x, sizeof bits);
    const int32_t n = (int32_t)(bits - LOG_ROOT_BITS) >> 23;
    bits -= (uint32_t)n << 23;
    memcpy(&m, &bits, sizeof m);
    const float f = m - 1.0f, square = f * f;
    float p = f * -0x1.43b246p-4f + 0x1.02814ep-3f;
    p = p * f - 0x1.0a33eap-3f;
    p = p * f + 0x1.231ce6p-3f;
    p = p * f - 0x1.54d03ep-3f;
    p = p * f + 0x1.999f14p-3f;
    p = p * f - 0x1.0000cep-2f;
    p = p * f + 0x1.555554p-2f;
    const float rest = square * (f * p) - (float)n * 0x1.bd0106p-13f;
    return (rest - 0.5f * square + f) + (float)n * 0x1.63p-1f;
}

LOG_CALL double log_wide(double x)
{
    uint64_t bits;
    double m;
    memcpy(&bits, &x, sizeof bits);
    const int64_t n = (int64_t)(bits - LOG_WIDE_ROOT_BITS) >> 52;
    bits -= (uint64_t)n << 52;
    memcpy(&m, &bits, sizeof m);
    const double z = (m - 1.0) / (m + 1.0), square = z * z;
    double p = 1.0 / 21.0;
    p = p * square + 1.0 / 19.0;
    p = p * square + 1.0 / 17.0;
    p = p * square + 1.0 / 15.0;
    p = p * square + 1.0 / 13.0;
    p = p * square + 1.0 / 11.0;
    p = p * square + 1.0 / 9.0;
    p = p * square + 1.0 / 7.0;
    p = p * square + 1.0 / 5.0;
    p = p * square + 1.0 / 3.0;
    const double ln2_high = 0x1.62e42fefap-1, ln2_low = 0x1.cf79abc9e3b39p-40;
    return (double)n * ln2_high + (2.0 * z + (2.0 * z * (square * p) + (double)n * ln2_low));
}

#endif
