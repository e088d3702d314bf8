/*
 * dequant - the values of stored weights, inside a kernel; the bits of weight_dequant.c.
 *
 * Elements are asked for as 32 run + 8 eight + t, since the formats change scale every 16 or
 * 32 elements: with run and eight the same for a warp's lanes and eight a constant of an
 * unrolled loop, a scale is computed once and shared. F32, F16 and BF16 count as blocks of one
 * element, of which any number may be addressed from the pointer given.
 *
 * Blocks lie at even addresses (F32: at multiples of 4), in global or shared memory.
 * Layouts are told at the top of weight_dequant.c. A half that is NaN loses its payload.
 */
#ifndef KERNELS_PARTS_DEQUANT_CUH
#define KERNELS_PARTS_DEQUANT_CUH

#include "kernels/parts/simt.cuh"
#include "kernels/weight.h"

constexpr int dequant_elems(int type)
{
    return type == WEIGHT_F32 || type == WEIGHT_F16 || type == WEIGHT_BF16 ? 1
           : type >= WEIGHT_Q2_K && type <= WEIGHT_Q6_K                    ? 256
                                                                           : 32;
}

constexpr int dequant_bytes(int type)
{
    return type == WEIGHT_F32                          ? 4
           : type == WEIGHT_F16 || type == WEIGHT_BF16 ? 2
           : type == WEIGHT_Q4_0                       ? 18
           : type == WEIGHT_Q4_1                       ? 20
           : type == WEIGHT_Q5_0                       ? 22
           : type == WEIGHT_Q5_1                       ? 24
           : type == WEIGHT_Q8_0                       ? 34
           : type == WEIGHT_Q2_K                       ? 84
           : type == WEIGHT_Q3_K                       ? 110
           : type == WEIGHT_Q4_K                       ? 144
           : type == WEIGHT_Q5_K                       ? 176
           : type == WEIGHT_IQ4_NL                     ? 18
                                                       : 210;
}

template <int TYPE> constexpr int DEQUANT_ELEMS = dequant_elems(TYPE);
template <int TYPE> constexpr int DEQUANT_BYTES = dequant_bytes(TYPE);

SIMT int dequant_u16(const unsigned char *bytes)
{
    return *reinterpret_cast<const uint16_t *>(bytes);
}

SIMT float dequant_half(const unsigned char *bytes)
{
    return simt_half_to_float(static_cast<uint16_t>(dequant_u16(bytes)));
}

/* Q4_0, Q4_1, Q5_0, Q5_1, Q8_0. */
template <int TYPE> SIMT float dequant_small(const unsigned char *block, int eight, int t)
{
    const float d = dequant_half(block);
    if constexpr (TYPE == WEIGHT_Q8_0)
        return static_cast<float>(static_cast<int8_t>(block[2 + 8 * eight + t])) * d;
    constexpr int MINIMUM = TYPE == WEIGHT_Q4_1 || TYPE == WEIGHT_Q5_1 ? 2 : 0;
    constexpr int FIFTHS = TYPE == WEIGHT_Q5_0 || TYPE == WEIGHT_Q5_1 ? 4 : 0;
    const unsigned char *nibbles = block + 2 + MINIMUM + FIFTHS;
    int q = nibbles[eight % 2 * 8 + t] >> (eight / 2 * 4) & 15;
    if constexpr (FIFTHS != 0)
        q |= (block[2 + MINIMUM + eight] >> t & 1) << 4;
    if constexpr (MINIMUM != 0)
        return static_cast<float>(q) * d + dequant_half(block + 2);
    return static_cast<float>(q - (FIFTHS != 0 ? 16 : 8)) * d;
}

/* Level q of IQ4_NL's sixteen, a byte each in four words: a table in memory would be read with
 * another index in every lane. */
SIMT int dequant_level(int q)
{
    const uint32_t word = q < 4    ? 0xbfad9881u
                          : q < 8  ? 0xf6eaddcfu
                          : q < 12 ? 0x26190d01u
                                   : 0x71594535u;
    return static_cast<int8_t>(word >> (q % 4 * 8) & 255);
}

SIMT float dequant_iq4_nl(const unsigned char *block, int eight, int t)
{
    const int q = block[2 + eight % 2 * 8 + t] >> (eight / 2 * 4) & 15;
    return static_cast<float>(dequant_level(q)) * dequant_half(block);
}

SIMT float dequant_q2_k(const unsigned char *block, int run, int eight, int t)
{
    const int scales = block[2 * run + eight / 2];
    const float scale = dequant_half(block + 80) * static_cast<float>(scales & 15);
    const float minimum = dequant_half(block + 82) * static_cast<float>(scales >> 4);
    const int quants = block[16 + run / 4 * 32 + 8 * eight + t];
    return scale * static_cast<float>(quants >> (run % 4 * 2) & 3) - minimum;
}

SIMT float dequant_q3_k(const unsigned char *block, int run, int eight, int t)
{
    const int group = 2 * run + eight / 2;
    const int low = block[96 + group % 8] >> (group / 8 * 4) & 15;
    const int high = block[104 + group % 4] >> (group / 4 * 2) & 3;
    const float scale = dequant_half(block + 108) * static_cast<float>((low | high << 4) - 32);
    const int quants = block[32 + run / 4 * 32 + 8 * eight + t] >> (run % 4 * 2) & 3;
    const int third = block[8 * eight + t] >> run & 1;
    return scale * static_cast<float>(quants - (third != 0 ? 0 : 4));
}

/* Q4_K and Q5_K: six-bit scale (add 0) or minimum (add 4) number `run`. */
SIMT int dequant_six_bits(const unsigned char *packed, int run, int add)
{
    if (run < 4)
        return packed[run + add] & 63;
    return (packed[run + 4] >> add & 15) | (packed[run - 4 + add] >> 6) << 4;
}

template <int TYPE>
SIMT float dequant_q45_k(const unsigned char *block, int run, int eight, int t)
{
    constexpr int FIFTHS = TYPE == WEIGHT_Q5_K ? 32 : 0;
    const float scale =
        dequant_half(block) * static_cast<float>(dequant_six_bits(block + 4, run, 0));
    const float minimum =
        dequant_half(block + 2) * static_cast<float>(dequant_six_bits(block + 4, run, 4));
    int q = block[16 + FIFTHS + run / 2 * 32 + 8 * eight + t] >> (run % 2 * 4) & 15;
    if constexpr (FIFTHS != 0)
        q |= (block[16 + 8 * eight + t] >> run & 1) << 4;
    return scale * static_cast<float>(q) - minimum;
}

SIMT float dequant_q6_k(const unsigned char *block, int run, int eight, int t)
{
    const int low = block[run / 4 * 64 + run % 2 * 32 + 8 * eight + t] >> (run % 4 / 2 * 4);
    const int high = block[128 + run / 4 * 32 + 8 * eight + t] >> (run % 4 * 2);
    const int q = (low & 15) | (high & 3) << 4;
    const int units = static_cast<int8_t>(block[192 + 2 * run + eight / 2]);
    const float scale = dequant_half(block + 208) * static_cast<float>(units);
    return scale * static_cast<float>(q - 32);
}

/* Element 32 run + 8 eight + t (eight 0 .. 3, t 0 .. 7) of the block of TYPE at `block`; run is
 * 0 where blocks have 32 elements. */
template <int TYPE> SIMT float dequant_at(const unsigned char *block, int run, int eight, int t)
{
    const int i = 32 * run + 8 * eight + t;
    if constexpr (TYPE == WEIGHT_F32)
        return reinterpret_cast<const float *>(block)[i];
    else if constexpr (TYPE == WEIGHT_F16)
        return dequant_half(block + 2 * i);
    else if constexpr (TYPE == WEIGHT_BF16)
        return simt_bits_float(static_cast<uint32_t>(dequant_u16(block + 2 * i)) << 16);
    else if constexpr (TYPE == WEIGHT_IQ4_NL)
        return dequant_iq4_nl(block, eight, t);
    else if constexpr (TYPE == WEIGHT_Q2_K)
        return dequant_q2_k(block, run, eight, t);
    else if constexpr (TYPE == WEIGHT_Q3_K)
        return dequant_q3_k(block, run, eight, t);
    else if constexpr (TYPE == WEIGHT_Q4_K || TYPE == WEIGHT_Q5_K)
        return dequant_q45_k<TYPE>(block, run, eight, t);
    else if constexpr (TYPE == WEIGHT_Q6_K)
        return dequant_q6_k(block, run, eight, t);
    else
        return dequant_small<TYPE>(block, eight, t);
}

/* Element i of a row that begins at `row`. */
template <int TYPE> SIMT float dequant_element(const unsigned char *row, int64_t i)
{
    constexpr int ELEMS = DEQUANT_ELEMS<TYPE>;
    const int in_block = static_cast<int>(i % ELEMS);
    return dequant_at<TYPE>(row + i / ELEMS * DEQUANT_BYTES<TYPE>, in_block / 32,
                            in_block / 8 % 4, in_block % 8);
}

#endif
