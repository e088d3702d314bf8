/* simt_cuda_numbers - the wrappers of simt.cuh on the hardware: matrices and numbers. */
#ifndef KERNELS_PARTS_SIMT_CUDA_NUMBERS_CUH
#define KERNELS_PARTS_SIMT_CUDA_NUMBERS_CUH

#include "kernels/parts/simt_cuda.cuh"

/* ---- matrices (PTX ISA, "Matrix multiply-accumulate"; g = lane / 4, t = lane % 4) ---- */

/* Four 8 x 8 tiles of 16 bits: lanes 8 q .. 8 q + 7 give the rows of tile q, 16 bytes each;
 * regs[q] of a lane is (row g, columns 2 t, 2 t + 1). */
SIMT void simt_ldmatrix_x4(uint32_t regs[4], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(regs[0]), "=r"(regs[1]), "=r"(regs[2]), "=r"(regs[3])
                 : "r"(simt_shared_address(row))
                 : "memory");
}

/* The same, each tile transposed: regs[q] is (rows 2 t, 2 t + 1, column g). */
SIMT void simt_ldmatrix_x4_transposed(uint32_t regs[4], const void *row)
{
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0,%1,%2,%3}, [%4];"
                 : "=r"(regs[0]), "=r"(regs[1]), "=r"(regs[2]), "=r"(regs[3])
                 : "r"(simt_shared_address(row))
                 : "memory");
}

/* c[16 x 8] += a[16 x 16] b[16 x 8], halves, sums in F32.
 * a0 (g, 2t..) a1 (g+8, 2t..) a2 (g, 2t+8..) a3 (g+8, 2t+8..); b0 (2t.., g) b1 (2t+8.., g);
 * c0 c1 (g, 2t..) c2 c3 (g+8, 2t..). */
SIMT void simt_mma_f16(float c[4], const uint32_t a[4], const uint32_t b[2])
{
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, "
                 "{%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/* c[16 x 8] += a[16 x 32] b[32 x 8], signed bytes, exact 32-bit sums.
 * a0 (g, 4t..4t+3) a1 (g+8, 4t..) a2 (g, 16+4t..) a3 (g+8, 16+4t..); b0 (4t.., g)
 * b1 (16+4t.., g); c as above. */
SIMT void simt_mma_s8(int32_t c[4], const uint32_t a[4], const uint32_t b[2])
{
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, "
                 "{%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
                 : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
                 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/* sum + the four products of signed bytes of a and b. */
SIMT int32_t simt_dot4(uint32_t a, uint32_t b, int32_t sum)
{
    return __dp4a(static_cast<int>(a), static_cast<int>(b), sum);
}

/* ---- numbers ---- */

SIMT float simt_fma(float a, float b, float c)
{
    return __fmaf_rn(a, b, c);
}

/* 2^value, at most two units in the last place from the correctly rounded result (PTX ISA 9.1,
 * ex2.approx.f32); subnormal numbers are 0, 2^0 is 1. The last bits are the hardware's. */
SIMT float simt_exp2(float value)
{
    float power;
    asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(power) : "f"(value));
    return power;
}

/* 1 / value, at most one unit in the last place off (PTX ISA 9.1, rcp.approx.f32); subnormal
 * numbers are 0. The last bits are the hardware's. */
SIMT float simt_reciprocal(float value)
{
    float reciprocal;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(reciprocal) : "f"(value));
    return reciprocal;
}

SIMT uint32_t simt_float_bits(float value)
{
    return __float_as_uint(value);
}

SIMT float simt_bits_float(uint32_t bits)
{
    return __uint_as_float(bits);
}

/* Rounded to nearest even. */
SIMT uint16_t simt_half_from_float(float value)
{
    uint16_t half;
    asm("cvt.rn.f16.f32 %0, %1;" : "=h"(half) : "f"(value));
    return half;
}

SIMT float simt_half_to_float(uint16_t half)
{
    float value;
    asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(half));
    return value;
}

/* Two halves in a word, low first, each rounded to nearest even. */
SIMT uint32_t simt_halves(float low, float high)
{
    uint32_t halves;
    asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(halves) : "f"(high), "f"(low));
    return halves;
}

/* a - b of two pairs of halves: exact where the result is a small integer. */
SIMT uint32_t simt_halves_sub(uint32_t a, uint32_t b)
{
    uint32_t difference;
    asm("sub.f16x2 %0, %1, %2;" : "=r"(difference) : "r"(a), "r"(b));
    return difference;
}

/* Byte k of the result is byte (selector >> 4 k) & 7 of b:a, a's bytes being 0 .. 3. */
SIMT uint32_t simt_permute(uint32_t a, uint32_t b, uint32_t selector)
{
    return __byte_perm(a, b, selector);
}

/* The high 32 bits of a * b. */
SIMT uint32_t simt_mul_high(uint32_t a, uint32_t b)
{
    return __umulhi(a, b);
}

#endif
