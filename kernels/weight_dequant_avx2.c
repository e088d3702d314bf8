/*
 * weight_dequant_avx2 - the formats that models mostly come in, eight numbers at a time: the
 * products and sums of weight_dequant, in its order, so that the bits are the same. Halves by
 * F16C, which every processor with AVX2 has; it makes a signalling NaN a quiet one.
 *
 *     bound by  conversions: 5 instructions per 8 numbers, a store among them
 *     measured  ns per weight, plain C before it (Zen 3, one core, November 2026): F16 2.0 ->
 *               0.09, Q4_0 0.34 -> 0.13, Q4_1 0.33 -> 0.16, Q5_0 1.6 -> 0.15, Q8_0 0.30 ->
 *               0.14, Q4_K 0.36 -> 0.20, Q5_K 0.58 -> 0.22, Q6_K 2.6 -> 0.22
 *     lost      the plain loops compiled for AVX2: gcc 12 keeps vectors of four (Q4_1 0.25)
 */
#include "kernels/weight.h"

#include <assert.h>
#include <immintrin.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { LANES = 8, BLOCK = 32, GROUP = 16, SUPER_BLOCK = 256 };

INLINE float read_half(const uint8_t *bytes)
{
    uint16_t half;
    memcpy(&half, bytes, sizeof half);
    return _cvtsh_ss(half);
}

INLINE __m128i read_16(const uint8_t *bytes)
{
    return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

INLINE __m256i read_32(const uint8_t *bytes)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)bytes);
}

INLINE __m256i low_nibbles(__m256i bytes)
{
    return _mm256_and_si256(bytes, _mm256_set1_epi8(15));
}

INLINE __m256i high_nibbles(__m256i bytes)
{
    return low_nibbles(_mm256_srli_epi16(bytes, 4));
}

/* What is done with eight q: q * scale, or q * scale + minimum. */
struct line {
    __m256 scale, minimum;
    bool has_minimum;
};

INLINE struct line line_of(float scale)
{
    return (struct line){.scale = _mm256_set1_ps(scale)};
}

INLINE struct line line_with(float scale, float minimum)
{
    return (struct line){_mm256_set1_ps(scale), _mm256_set1_ps(minimum), true};
}

INLINE void eight_store(__m256i q, struct line line, float *out)
{
    const __m256 product = _mm256_mul_ps(_mm256_cvtepi32_ps(q), line.scale);
    _mm256_storeu_ps(out, line.has_minimum ? _mm256_add_ps(product, line.minimum) : product);
}

/* Sixteen signed bytes. */
INLINE void group_store(__m128i q, struct line line, float *out)
{
    eight_store(_mm256_cvtepi8_epi32(q), line, out);
    eight_store(_mm256_cvtepi8_epi32(_mm_srli_si128(q, LANES)), line, out + LANES);
}

INLINE void block_store(__m256i q, struct line line, float *out)
{
    group_store(_mm256_castsi256_si128(q), line, out);
    group_store(_mm256_extracti128_si256(q, 1), line, out + GROUP);
}

/* Elements 0 .. 15 are the low nibbles of 16 bytes, 16 .. 31 their high ones. */
INLINE __m256i block_nibbles(const uint8_t *bytes)
{
    const __m128i packed = read_16(bytes);
    return low_nibbles(_mm256_set_m128i(_mm_srli_epi16(packed, 4), packed));
}

/* 16 in each byte whose bit of fifths is set, in their order. */
INLINE __m256i block_fifths(const uint8_t *bytes)
{
    uint32_t fifths;
    memcpy(&fifths, bytes, sizeof fifths);
    const __m256i byte_of =
        _mm256_setr_epi64x(0, 0x0101010101010101, 0x0202020202020202, 0x0303030303030303);
    const __m256i bit = _mm256_set1_epi64x((long long)0x8040201008040201);
    const __m256i spread = _mm256_shuffle_epi8(_mm256_set1_epi32((int)fifths), byte_of);
    const __m256i is_set = _mm256_cmpeq_epi8(_mm256_and_si256(spread, bit), bit);
    return _mm256_and_si256(is_set, _mm256_set1_epi8(16));
}

INLINE void block_q4_0(const uint8_t *block, float *out)
{
    const __m256i q = _mm256_sub_epi8(block_nibbles(block + 2), _mm256_set1_epi8(8));
    block_store(q, line_of(read_half(block)), out);
}

INLINE void block_q4_1(const uint8_t *block, float *out)
{
    const struct line line = line_with(read_half(block), read_half(block + 2));
    block_store(block_nibbles(block + 4), line, out);
}

INLINE void block_q5_0(const uint8_t *block, float *out)
{
    const __m256i q = _mm256_or_si256(block_nibbles(block + 6), block_fifths(block + 2));
    block_store(_mm256_sub_epi8(q, _mm256_set1_epi8(16)), line_of(read_half(block)), out);
}

INLINE void block_q5_1(const uint8_t *block, float *out)
{
    const struct line line = line_with(read_half(block), read_half(block + 2));
    block_store(_mm256_or_si256(block_nibbles(block + 8), block_fifths(block + 4)), line, out);
}

INLINE void block_q8_0(const uint8_t *block, float *out)
{
    block_store(read_32(block + 2), line_of(read_half(block)), out);
}

/* Six-bit scales and minima of eight groups, each from a byte of its own: as weight_dequant's
 * scale_and_minimum, eight at once. */
INLINE void scales_unpack(const uint8_t *packed, uint8_t scales[8], uint8_t minima[8])
{
    uint32_t word[3];
    memcpy(word, packed, sizeof word);
    const uint32_t scale[2] = {word[0] & 0x3f3f3f3f,
                               (word[2] & 0x0f0f0f0f) | (word[0] >> 6 & 0x03030303) << 4};
    const uint32_t minimum[2] = {word[1] & 0x3f3f3f3f, (word[2] >> 4 & 0x0f0f0f0f) |
                                                           (word[1] >> 6 & 0x03030303) << 4};
    memcpy(scales, scale, sizeof scale);
    memcpy(minima, minimum, sizeof minimum);
}

/* Q4_K, and Q5_K where there are fifths[32]: bit `group` of byte j. */
INLINE void block_k(const uint8_t *block, const uint8_t *fifths, const uint8_t *quants,
                    float *out)
{
    const float d = read_half(block), dmin = read_half(block + 2);
    uint8_t scales[8], minima[8];
    scales_unpack(block + 4, scales, minima);
    for (int group = 0; group < SUPER_BLOCK / BLOCK; group++) {
        const __m256i bytes = read_32(quants + group / 2 * BLOCK);
        __m256i q = group % 2 ? high_nibbles(bytes) : low_nibbles(bytes);
        if (fifths) {
            const __m256i bit = _mm256_set1_epi8((char)(1 << group));
            const __m256i is_set =
                _mm256_cmpeq_epi8(_mm256_and_si256(read_32(fifths), bit), bit);
            q = _mm256_or_si256(q, _mm256_and_si256(is_set, _mm256_set1_epi8(16)));
        }
        const struct line line =
            line_with(d * (float)scales[group], -(dmin * (float)minima[group]));
        block_store(q, line, out + group * BLOCK);
    }
}

INLINE void block_q4_k(const uint8_t *block, float *out)
{
    block_k(block, NULL, block + 16, out);
}

INLINE void block_q5_k(const uint8_t *block, float *out)
{
    block_k(block, block + 16, block + 48, out);
}

/* Runs of 32, as weight_dequant tells. */
INLINE void block_q6_k(const uint8_t *block, float *out)
{
    const float d = read_half(block + 208);
    for (int run = 0; run < SUPER_BLOCK / BLOCK; run++) {
        const __m256i low = read_32(block + run / 4 * 64 + run % 2 * 32);
        const __m256i high =
            _mm256_srli_epi16(read_32(block + 128 + run / 4 * 32), run % 4 * 2);
        const __m256i third_and_up =
            _mm256_slli_epi16(_mm256_and_si256(high, _mm256_set1_epi8(3)), 4);
        const __m256i nibbles = run % 4 / 2 ? high_nibbles(low) : low_nibbles(low);
        const __m256i q =
            _mm256_sub_epi8(_mm256_or_si256(nibbles, third_and_up), _mm256_set1_epi8(32));
        const uint8_t *scales = block + 192 + run * 2;
        group_store(_mm256_castsi256_si128(q), line_of(d * (float)(int8_t)scales[0]),
                    out + run * BLOCK);
        group_store(_mm256_extracti128_si256(q, 1), line_of(d * (float)(int8_t)scales[1]),
                    out + run * BLOCK + GROUP);
    }
}

static void f16(const uint8_t *halves, float *out, int64_t count)
{
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        _mm256_storeu_ps(out + i, _mm256_cvtph_ps(read_16(halves + 2 * i)));
    for (; i < count; i++)
        out[i] = read_half(halves + 2 * i);
}

/* A loop for each format, its block's function in it. */
#define EACH_BLOCK(TYPE, block)                                                                \
    case TYPE:                                                                                 \
        for (int64_t i = 0; i < count; i += (int64_t)elems, at += bytes)                       \
            block(at, out + i);                                                                \
        break;

void weight_dequantize_avx2(enum weight_type type, const void *blocks, float *out,
                            int64_t count)
{
    const uint8_t *at = blocks;
    uint32_t elems = 1, bytes = 0;
    const bool known = weight_type_layout(type, &elems, &bytes);
    assert(known && count % (int64_t)elems == 0);
    switch ((int)type) {
    case WEIGHT_F16:
        f16(at, out, count);
        break;
        EACH_BLOCK(WEIGHT_Q4_0, block_q4_0)
        EACH_BLOCK(WEIGHT_Q4_1, block_q4_1)
        EACH_BLOCK(WEIGHT_Q5_0, block_q5_0)
        EACH_BLOCK(WEIGHT_Q5_1, block_q5_1)
        EACH_BLOCK(WEIGHT_Q8_0, block_q8_0)
        EACH_BLOCK(WEIGHT_Q4_K, block_q4_k)
        EACH_BLOCK(WEIGHT_Q5_K, block_q5_k)
        EACH_BLOCK(WEIGHT_Q6_K, block_q6_k)
    default:
        weight_dequantize(type, blocks, out, count);
        break;
    }
}
