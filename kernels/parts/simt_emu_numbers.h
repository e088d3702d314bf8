/* simt_emu_numbers - the wrappers of simt_cuda_numbers.cuh under the emulator. */
#ifndef KERNELS_PARTS_SIMT_EMU_NUMBERS_H
#define KERNELS_PARTS_SIMT_EMU_NUMBERS_H

#include "kernels/parts/simt_emu.h"

/* ---- matrices ---- */

SIMT void simt_emu_words(uint32_t regs[4], struct emu_16 from)
{
    regs[0] = static_cast<uint32_t>(from.low);
    regs[1] = static_cast<uint32_t>(from.low >> 32);
    regs[2] = static_cast<uint32_t>(from.high);
    regs[3] = static_cast<uint32_t>(from.high >> 32);
}

SIMT struct emu_16 simt_emu_pack(uint32_t r0, uint32_t r1, uint32_t r2, uint32_t r3)
{
    return {r0 | static_cast<uint64_t>(r1) << 32, r2 | static_cast<uint64_t>(r3) << 32};
}

SIMT void simt_ldmatrix_x4(uint32_t regs[4], const void *row, int line = __builtin_LINE())
{
    simt_emu_words(regs, emu_warp_ldmatrix(row, line));
}

SIMT void simt_ldmatrix_x4_transposed(uint32_t regs[4], const void *row,
                                      int line = __builtin_LINE())
{
    simt_emu_words(regs, emu_warp_ldmatrix_transposed(row, line));
}

SIMT void simt_mma_f16(float c[4], const uint32_t a[4], const uint32_t b[2],
                       int line = __builtin_LINE())
{
    const struct emu_floats sums =
        emu_warp_mma_f16({{c[0], c[1], c[2], c[3]}}, simt_emu_pack(a[0], a[1], a[2], a[3]),
                         simt_emu_pack(b[0], b[1], 0, 0).low, line);
    c[0] = sums.value[0];
    c[1] = sums.value[1];
    c[2] = sums.value[2];
    c[3] = sums.value[3];
}

SIMT void simt_mma_s8(int32_t c[4], const uint32_t a[4], const uint32_t b[2],
                      int line = __builtin_LINE())
{
    const struct emu_16 sums = emu_warp_mma_s8(
        simt_emu_pack(static_cast<uint32_t>(c[0]), static_cast<uint32_t>(c[1]),
                      static_cast<uint32_t>(c[2]), static_cast<uint32_t>(c[3])),
        simt_emu_pack(a[0], a[1], a[2], a[3]), simt_emu_pack(b[0], b[1], 0, 0).low, line);
    c[0] = static_cast<int32_t>(sums.low);
    c[1] = static_cast<int32_t>(sums.low >> 32);
    c[2] = static_cast<int32_t>(sums.high);
    c[3] = static_cast<int32_t>(sums.high >> 32);
}

SIMT int32_t simt_dot4(uint32_t a, uint32_t b, int32_t sum)
{
    uint32_t wrapping = static_cast<uint32_t>(sum);
    for (int i = 0; i < 4; i++) {
        const int product =
            static_cast<int8_t>(a >> 8 * i & 0xff) * static_cast<int8_t>(b >> 8 * i & 0xff);
        wrapping += static_cast<uint32_t>(product);
    }
    return static_cast<int32_t>(wrapping);
}

/* ---- numbers ---- */

SIMT float simt_fma(float a, float b, float c)
{
#ifdef __x86_64__ /* what the C library does, without the call: 7 % of an emulated engine */
    if (emu_number_has_fma) {
        __asm__("vfmadd231ss %2, %1, %0" : "+x"(c) : "x"(a), "x"(b));
        return c;
    }
#endif
    return __builtin_fmaf(a, b, c);
}

SIMT float simt_exp2(float value)
{
    return emu_number_exp2(value);
}

SIMT float simt_reciprocal(float value)
{
    return emu_number_reciprocal(value);
}

SIMT uint32_t simt_float_bits(float value)
{
    return simt_emu_bits<uint32_t>(value);
}

SIMT float simt_bits_float(uint32_t bits)
{
    return simt_emu_bits<float>(bits);
}

SIMT uint16_t simt_half_from_float(float value)
{
    return half_from_float(value);
}

SIMT float simt_half_to_float(uint16_t half)
{
    return half_to_float(half);
}

SIMT uint32_t simt_halves(float low, float high)
{
    return half_from_float(low) | static_cast<uint32_t>(half_from_float(high)) << 16;
}

/* F32 has more than twice a half's bits: rounding twice is here the same as rounding once. */
SIMT uint32_t simt_halves_sub(uint32_t a, uint32_t b)
{
    const float low = half_to_float(static_cast<uint16_t>(a & 0xffff)) -
                      half_to_float(static_cast<uint16_t>(b & 0xffff));
    const float high = half_to_float(static_cast<uint16_t>(a >> 16)) -
                       half_to_float(static_cast<uint16_t>(b >> 16));
    return simt_halves(low, high);
}

SIMT uint32_t simt_permute(uint32_t a, uint32_t b, uint32_t selector)
{
    const uint64_t bytes = a | static_cast<uint64_t>(b) << 32;
    uint32_t result = 0;
    for (int i = 0; i < 4; i++) {
        const uint32_t byte = selector >> 4 * i & 7;
        result |= static_cast<uint32_t>(bytes >> 8 * byte & 0xff) << 8 * i;
    }
    return result;
}

SIMT uint32_t simt_mul_high(uint32_t a, uint32_t b)
{
    return static_cast<uint32_t>(static_cast<uint64_t>(a) * b >> 32);
}

#endif
