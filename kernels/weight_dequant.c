/*
 * weight_dequant - the exact values of ggml's block formats.
 *
 * A block is a run of consecutive elements of one row with its own scale. Fields are little
 * endian, d and m are halves; "low nibbles first" means that element j of the first half of a
 * block is the low nibble of byte j, and of the second half the high nibble of the same byte.
 *
 *     Q4_0  d, 16 bytes of nibbles                  (q - 8) * d            low nibbles first
 *     Q4_1  d, m, 16 bytes of nibbles               q * d + m
 *     Q5_0  d, 32 fifth bits, 16 bytes of nibbles   (q - 16) * d
 *     Q5_1  d, m, 32 fifth bits, 16 bytes           q * d + m
 *     Q8_0  d, 32 int8                              q * d
 *     IQ4_NL  d, 16 bytes of nibbles                level[q] * d
 *
 * The _K formats have 256 elements, with a small integer scale (and minimum) per 16 or 32 of
 * them, itself scaled by d (and dmin). Source: the format's definition in ggml's public
 * headers, judged by recorded values of 64 blocks per type, bit for bit.
 *
 * Each product and each sum is rounded on its own: no fused multiply-add.
 */
#include "kernels/half.h"
#include "kernels/weight.h"

#include <assert.h>
#include <string.h>

enum { BLOCK = 32, SUPER_BLOCK = 256 };

static uint16_t read_u16(const uint8_t *bytes)
{
    uint16_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static uint32_t read_u32(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

static float read_half(const uint8_t *bytes)
{
    return half_to_float(read_u16(bytes));
}

static void dequantize_f16(const uint8_t *bytes, float *out, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = read_half(bytes + 2 * i);
}

static void dequantize_bf16(const uint8_t *bytes, float *out, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        out[i] = half_bf16_to_float(read_u16(bytes + 2 * i));
}

static void block_q4_0(const uint8_t *block, float *out)
{
    const float d = read_half(block);
    const uint8_t *nibbles = block + 2;
    for (int j = 0; j < BLOCK / 2; j++) {
        out[j] = (float)((nibbles[j] & 15) - 8) * d;
        out[j + BLOCK / 2] = (float)((nibbles[j] >> 4) - 8) * d;
    }
}

static void block_q4_1(const uint8_t *block, float *out)
{
    const float d = read_half(block);
    const float m = read_half(block + 2);
    const uint8_t *nibbles = block + 4;
    for (int j = 0; j < BLOCK / 2; j++) {
        out[j] = (float)(nibbles[j] & 15) * d + m;
        out[j + BLOCK / 2] = (float)(nibbles[j] >> 4) * d + m;
    }
}

/* The five bits of elements j and j + 16. */
static void quints(const uint8_t *nibbles, uint32_t fifths, int j, int pair[2])
{
    pair[0] = (nibbles[j] & 15) | (int)((fifths >> j & 1) << 4);
    pair[1] = (nibbles[j] >> 4) | (int)((fifths >> (j + BLOCK / 2) & 1) << 4);
}

static void block_q5_0(const uint8_t *block, float *out)
{
    const float d = read_half(block);
    const uint32_t fifths = read_u32(block + 2);
    for (int j = 0; j < BLOCK / 2; j++) {
        int q[2];
        quints(block + 6, fifths, j, q);
        out[j] = (float)(q[0] - 16) * d;
        out[j + BLOCK / 2] = (float)(q[1] - 16) * d;
    }
}

static void block_q5_1(const uint8_t *block, float *out)
{
    const float d = read_half(block);
    const float m = read_half(block + 2);
    const uint32_t fifths = read_u32(block + 4);
    for (int j = 0; j < BLOCK / 2; j++) {
        int q[2];
        quints(block + 8, fifths, j, q);
        out[j] = (float)q[0] * d + m;
        out[j + BLOCK / 2] = (float)q[1] * d + m;
    }
}

static void block_q8_0(const uint8_t *block, float *out)
{
    const float d = read_half(block);
    for (int j = 0; j < BLOCK; j++)
        out[j] = (float)(int8_t)block[2 + j] * d;
}

/* Sixteen levels, closer to each other where weights are many. */
static void block_iq4_nl(const uint8_t *block, float *out)
{
    static const int8_t LEVELS[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                      1,    13,   25,  38,  53,  69,  89,  113};
    const float d = read_half(block);
    const uint8_t *nibbles = block + 2;
    for (int j = 0; j < BLOCK / 2; j++) {
        out[j] = (float)LEVELS[nibbles[j] & 15] * d;
        out[j + BLOCK / 2] = (float)LEVELS[nibbles[j] >> 4] * d;
    }
}

/* scales[16] (low nibble: scale, high: minimum), quants[64] of two bits, d, dmin. */
static void block_q2_k(const uint8_t *block, float *out)
{
    const uint8_t *scales = block;
    const float d = read_half(block + 80);
    const float dmin = read_half(block + 82);
    for (int group = 0; group < SUPER_BLOCK / 16; group++) {
        const float scale = d * (float)(scales[group] & 15);
        const float minimum = dmin * (float)(scales[group] >> 4);
        const uint8_t *quants = block + 16 + group / 8 * 32 + group % 2 * 16;
        const int shift = group % 8 / 2 * 2;
        for (int j = 0; j < 16; j++)
            out[group * 16 + j] = scale * (float)(quants[j] >> shift & 3) - minimum;
    }
}

/* high[32] (third bits), quants[64] of two bits, scales[12] of six bits, d. Scale g has its
 * low four bits in a nibble of bytes 0 .. 7, its high two in bytes 8 .. 11. */
static void block_q3_k(const uint8_t *block, float *out)
{
    const uint8_t *scales = block + 96;
    const float d = read_half(block + 108);
    for (int group = 0; group < SUPER_BLOCK / 16; group++) {
        const int low = scales[group % 8] >> (group / 8 * 4) & 15;
        const int high = scales[8 + group % 4] >> (group / 4 * 2) & 3;
        const float scale = d * (float)((low | high << 4) - 32);
        const uint8_t *quants = block + 32 + group / 8 * 32 + group % 2 * 16;
        const uint8_t *thirds = block + group % 2 * 16;
        const int shift = group % 8 / 2 * 2;
        for (int j = 0; j < 16; j++) {
            const int third = thirds[j] >> (group / 2) & 1;
            const int q = (quants[j] >> shift & 3) - (third != 0 ? 0 : 4);
            out[group * 16 + j] = scale * (float)q;
        }
    }
}

/* Six-bit scale and minimum number `group` of the eight in 12 bytes (Q4_K and Q5_K). */
static void scale_and_minimum(const uint8_t *packed, int group, int pair[2])
{
    if (group < 4) {
        pair[0] = packed[group] & 63;
        pair[1] = packed[group + 4] & 63;
    } else {
        pair[0] = (packed[group + 4] & 15) | (packed[group - 4] >> 6) << 4;
        pair[1] = (packed[group + 4] >> 4) | (packed[group] >> 6) << 4;
    }
}

/* d, dmin, scales[12], quants[128]: 32 bytes give groups 2i (low nibbles) and 2i+1 (high). */
static void block_q4_k(const uint8_t *block, float *out)
{
    const float d = read_half(block);
    const float dmin = read_half(block + 2);
    for (int group = 0; group < SUPER_BLOCK / 32; group++) {
        int pair[2];
        scale_and_minimum(block + 4, group, pair);
        const float scale = d * (float)pair[0];
        const float minimum = dmin * (float)pair[1];
        const uint8_t *quants = block + 16 + group / 2 * 32;
        const int shift = group % 2 * 4;
        for (int j = 0; j < 32; j++)
            out[group * 32 + j] = scale * (float)(quants[j] >> shift & 15) - minimum;
    }
}

/* As Q4_K, with fifths[32] before the quants: bit `group` of byte j. */
static void block_q5_k(const uint8_t *block, float *out)
{
    const float d = read_half(block);
    const float dmin = read_half(block + 2);
    const uint8_t *fifths = block + 16;
    for (int group = 0; group < SUPER_BLOCK / 32; group++) {
        int pair[2];
        scale_and_minimum(block + 4, group, pair);
        const float scale = d * (float)pair[0];
        const float minimum = dmin * (float)pair[1];
        const uint8_t *quants = block + 48 + group / 2 * 32;
        const int shift = group % 2 * 4;
        for (int j = 0; j < 32; j++) {
            const int q = (quants[j] >> shift & 15) | (fifths[j] >> group & 1) << 4;
            out[group * 32 + j] = scale * (float)q - minimum;
        }
    }
}

/* low[128] nibbles, high[64] of two bits, scales[16] int8, d. In each half of 128 elements,
 * run r of 32 has its nibbles in 32 bytes at r % 2 * 32 and its high bits at bit 2r. */
static void block_q6_k(const uint8_t *block, float *out)
{
    const float d = read_half(block + 208);
    for (int run = 0; run < SUPER_BLOCK / 32; run++) {
        const uint8_t *low = block + run / 4 * 64 + run % 2 * 32;
        const uint8_t *high = block + 128 + run / 4 * 32;
        const uint8_t *scales = block + 192 + run * 2;
        const int low_shift = run % 4 / 2 * 4;
        const int high_shift = run % 4 * 2;
        for (int j = 0; j < 32; j++) {
            const int q = (low[j] >> low_shift & 15) | (high[j] >> high_shift & 3) << 4;
            const float scale = d * (float)(int8_t)scales[j / 16];
            out[run * 32 + j] = scale * (float)(q - 32);
        }
    }
}

typedef void block_dequantize(const uint8_t *block, float *out);

static block_dequantize *block_function(uint32_t type)
{
    switch (type) {
    case WEIGHT_Q4_0:
        return block_q4_0;
    case WEIGHT_Q4_1:
        return block_q4_1;
    case WEIGHT_Q5_0:
        return block_q5_0;
    case WEIGHT_Q5_1:
        return block_q5_1;
    case WEIGHT_Q8_0:
        return block_q8_0;
    case WEIGHT_IQ4_NL:
        return block_iq4_nl;
    case WEIGHT_Q2_K:
        return block_q2_k;
    case WEIGHT_Q3_K:
        return block_q3_k;
    case WEIGHT_Q4_K:
        return block_q4_k;
    case WEIGHT_Q5_K:
        return block_q5_k;
    case WEIGHT_Q6_K:
        return block_q6_k;
    default:
        return NULL;
    }
}

void weight_dequantize(enum weight_type type, const void *blocks, float *out, int64_t count)
{
    const uint8_t *bytes = blocks;
    if (type == WEIGHT_F32) {
        memcpy(out, bytes, (size_t)count * sizeof(float));
        return;
    }
    if (type == WEIGHT_F16 || type == WEIGHT_BF16) {
        (type == WEIGHT_F16 ? dequantize_f16 : dequantize_bf16)(bytes, out, count);
        return;
    }
    block_dequantize *dequantize = block_function(type);
    uint32_t block_elems = 1, block_bytes = 0;
    const bool known = weight_type_layout(type, &block_elems, &block_bytes);
    assert(known && dequantize != NULL && count % (int64_t)block_elems == 0);
    for (int64_t i = 0; i < count; i += (int64_t)block_elems, bytes += block_bytes)
        dequantize(bytes, out + i);
}

void weight_dequantize_at(enum device_simd simd, enum weight_type type, const void *blocks,
                          float *out, int64_t count)
{
#if defined(__x86_64__)
    if (simd >= DEVICE_SIMD_AVX2) {
        weight_dequantize_avx2(type, blocks, out, count);
        return;
    }
#endif
    (void)simd;
    weight_dequantize(type, blocks, out, count);
}
