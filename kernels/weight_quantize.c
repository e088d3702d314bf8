/*
 * weight_quantize - see weight_quantize.h. What a block's bytes mean is told in
 * weight_dequant.c; here is how its scale is chosen.
 *
 *     Q8_0        d = max |x| / 127
 *     Q4_0, Q5_0  d = x* / -8, / -16, where x* is the number of greatest magnitude: it becomes
 *                 the lowest value, of which there is one more than of positive ones
 *     Q4_1, Q5_1  m = min, d = (max - min) / 15, / 31
 *
 * Numbers are divided by the float scale, before it is rounded to a half, as the files that are
 * in use were made (judged by recorded blocks, bit for bit).
 *
 *     Q4_K        per 32 numbers a scale and a minimum of 6 bits, in units of d and dmin of all
 *                 256. The range is tried with more and fewer steps than it has; each time
 *                 the scale and the minimum that fit the rounded numbers best (least squares,
 *                 weighted by magnitude: what is large is multiplied with most) are computed,
 *                 and the best of all is kept. Our own search: files made by others differ.
 */
#include "kernels/weight_quantize.h"

#include "kernels/half.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { BLOCK = 32, SUPER_BLOCK = 256, SUBS = SUPER_BLOCK / BLOCK, TRIALS = 21 };

static void put_u16(uint8_t *bytes, uint16_t value)
{
    memcpy(bytes, &value, sizeof value);
}

static bool put_half(uint8_t *bytes, float value)
{
    const uint16_t half = half_from_float(value);
    put_u16(bytes, half);
    return (half & 0x7c00) != 0x7c00; /* finite */
}

static int clamped(float value, int low, int high)
{
    const int q = (int)value; /* toward zero: the callers add a half to what is not negative */
    return q < low ? low : q > high ? high : q;
}

/* Packs 32 numbers q of up to five bits: nibbles, low ones first, and fifth bits if wanted. */
static void put_nibbles(uint8_t *nibbles, uint8_t *fifths, const int *q)
{
    uint32_t high = 0;
    for (int j = 0; j < BLOCK / 2; j++)
        nibbles[j] = (uint8_t)((q[j] & 15) | (q[j + BLOCK / 2] & 15) << 4);
    for (int j = 0; j < BLOCK; j++)
        high |= (uint32_t)(q[j] >> 4 & 1) << j;
    if (fifths)
        memcpy(fifths, &high, sizeof high);
}

static float inverse(float scale)
{
    return scale != 0.0f ? 1.0f / scale : 0.0f;
}

/* Q4_0, Q5_0: half = 8, 16 levels on either side. */
static bool block_symmetric(const float *x, uint8_t *block, int half)
{
    float largest = 0.0f;
    int q[BLOCK];
    for (int j = 0; j < BLOCK; j++)
        if (fabsf(x[j]) > fabsf(largest))
            largest = x[j];
    const float d = largest / (float)-half, id = inverse(d);
    for (int j = 0; j < BLOCK; j++)
        q[j] = clamped(x[j] * id + ((float)half + 0.5f), 0, 2 * half - 1);
    put_nibbles(block + (half == 8 ? 2 : 6), half == 8 ? NULL : block + 2, q);
    return put_half(block, d);
}

/* Q4_1, Q5_1: the range is cut in `steps`, 15 or 31. */
static bool block_ranged(const float *x, uint8_t *block, int steps)
{
    float low = x[0], high = x[0];
    int q[BLOCK];
    for (int j = 1; j < BLOCK; j++) {
        low = fminf(low, x[j]);
        high = fmaxf(high, x[j]);
    }
    const float d = (high - low) / (float)steps, id = inverse(d);
    for (int j = 0; j < BLOCK; j++)
        q[j] = clamped((x[j] - low) * id + 0.5f, 0, steps);
    put_nibbles(block + (steps == 15 ? 4 : 8), steps == 15 ? NULL : block + 4, q);
    return put_half(block, d) && put_half(block + 2, low);
}

static bool block_q8_0(const float *x, uint8_t *block)
{
    float largest = 0.0f;
    for (int j = 0; j < BLOCK; j++)
        largest = fmaxf(largest, fabsf(x[j]));
    const float d = largest / 127.0f, id = inverse(d);
    for (int j = 0; j < BLOCK; j++)
        block[2 + j] = (uint8_t)(int8_t)roundf(x[j] * id);
    return put_half(block, d);
}

/* x ~ scale * q - minimum, both not negative. */
struct fit {
    float scale, minimum, error;
};

/* The best scale and minimum for these rounded numbers. */
static struct fit fit_of(const float *x, const float *weights, const int *q)
{
    float sum_w = 0, sum_q = 0, sum_qq = 0, sum_x = 0, sum_xq = 0;
    for (int j = 0; j < BLOCK; j++) {
        const float w = weights[j], l = (float)q[j];
        sum_w += w;
        sum_q += w * l;
        sum_qq += w * l * l;
        sum_x += w * x[j];
        sum_xq += w * x[j] * l;
    }
    const float det = sum_w * sum_qq - sum_q * sum_q;
    struct fit fit = {.scale = sum_qq > 0.0f ? sum_xq / sum_qq : 0.0f};
    if (det > 0.0f) {
        const float minimum = (sum_q * sum_xq - sum_qq * sum_x) / det;
        if (minimum > 0.0f)
            fit = (struct fit){.scale = (sum_w * sum_xq - sum_q * sum_x) / det,
                               .minimum = minimum};
    }
    fit.scale = fmaxf(fit.scale, 0.0f);
    for (int j = 0; j < BLOCK; j++) {
        const float off = fit.scale * (float)q[j] - fit.minimum - x[j];
        fit.error += weights[j] * off * off;
    }
    return fit;
}

static struct fit fit_best(const float *x)
{
    float low = 0.0f, high = 0.0f, square = 0.0f, weights[BLOCK];
    for (int j = 0; j < BLOCK; j++) {
        low = fminf(low, x[j]);
        high = fmaxf(high, x[j]);
        square += x[j] * x[j];
    }
    struct fit best = {.scale = INFINITY, .error = INFINITY}; /* past what floats can sum */
    if (high == low)
        return (struct fit){0};
    for (int j = 0; j < BLOCK; j++)
        weights[j] = sqrtf(square / (float)BLOCK) + fabsf(x[j]);
    for (int trial = 0; trial < TRIALS; trial++) {
        const float steps = 14.0f + 0.1f * (float)trial; /* 15 are there */
        int q[BLOCK];
        for (int j = 0; j < BLOCK; j++)
            q[j] = clamped((x[j] - low) * (steps / (high - low)) + 0.5f, 0, 15);
        const struct fit fit = fit_of(x, weights, q);
        if (fit.error < best.error)
            best = fit;
    }
    return best;
}

/* Six-bit scale and minimum of sub-block j among the twelve bytes. */
static void put_sixes(uint8_t *packed, int j, int scale, int minimum)
{
    if (j < 4) {
        packed[j] = (uint8_t)(packed[j] | scale);
        packed[j + 4] = (uint8_t)(packed[j + 4] | minimum);
        return;
    }
    packed[j + 4] = (uint8_t)((scale & 15) | (minimum & 15) << 4);
    packed[j - 4] = (uint8_t)(packed[j - 4] | (scale >> 4) << 6);
    packed[j] = (uint8_t)(packed[j] | (minimum >> 4) << 6);
}

static bool block_q4_k(const float *x, uint8_t *block)
{
    struct fit fits[SUBS];
    float scale_max = 0.0f, minimum_max = 0.0f;
    for (int j = 0; j < SUBS; j++) {
        fits[j] = fit_best(x + (size_t)j * BLOCK);
        scale_max = fmaxf(scale_max, fits[j].scale);
        minimum_max = fmaxf(minimum_max, fits[j].minimum);
    }
    memset(block, 0, 144);
    if (!put_half(block, scale_max / 63.0f) || !put_half(block + 2, minimum_max / 63.0f))
        return false;
    const float per_scale = 63.0f * inverse(scale_max);
    const float per_minimum = 63.0f * inverse(minimum_max);
    uint16_t halves[2];
    memcpy(halves, block, sizeof halves);
    for (int j = 0; j < SUBS; j++) {
        const int scale = clamped(fits[j].scale * per_scale + 0.5f, 0, 63);
        const int minimum = clamped(fits[j].minimum * per_minimum + 0.5f, 0, 63);
        const float id = inverse(half_to_float(halves[0]) * (float)scale);
        const float m = half_to_float(halves[1]) * (float)minimum;
        uint8_t *nibbles = block + 16 + (size_t)(j / 2) * BLOCK;
        put_sixes(block + 4, j, scale, minimum);
        for (int i = 0; i < BLOCK; i++) {
            const float value = fmaxf((x[j * BLOCK + i] + m) * id, 0.0f);
            const int q = clamped(fminf(value, 15.0f) + 0.5f, 0, 15);
            nibbles[i] = (uint8_t)(nibbles[i] | q << (j % 2 * 4));
        }
    }
    return true;
}

static bool block_put(enum weight_type type, const float *x, uint8_t *block)
{
    switch (type) {
    case WEIGHT_Q4_0:
        return block_symmetric(x, block, 8);
    case WEIGHT_Q5_0:
        return block_symmetric(x, block, 16);
    case WEIGHT_Q4_1:
        return block_ranged(x, block, 15);
    case WEIGHT_Q5_1:
        return block_ranged(x, block, 31);
    case WEIGHT_Q8_0:
        return block_q8_0(x, block);
    case WEIGHT_Q4_K:
        return block_q4_k(x, block);
    case WEIGHT_F16:
        return put_half(block, x[0]);
    case WEIGHT_BF16:
        put_u16(block, half_bf16_from_float(x[0]));
        return true;
    default:
        memcpy(block, x, sizeof *x);
        return true;
    }
}

bool weight_quantize_is_supported(enum weight_type type)
{
    switch (type) {
    case WEIGHT_F32:
    case WEIGHT_F16:
    case WEIGHT_BF16:
    case WEIGHT_Q4_0:
    case WEIGHT_Q4_1:
    case WEIGHT_Q5_0:
    case WEIGHT_Q5_1:
    case WEIGHT_Q8_0:
    case WEIGHT_Q4_K:
        return true;
    default:
        return false;
    }
}

bool weight_quantize(enum weight_type type, const float *values, void *blocks, int64_t count)
{
    uint32_t elems = 1, bytes = 0;
    const bool is_known =
        weight_quantize_is_supported(type) && weight_type_layout(type, &elems, &bytes);
    assert(is_known && count % elems == 0);
    uint8_t *block = blocks;
    for (int64_t i = 0; i < count; i += elems, block += bytes) {
        for (uint32_t j = 0; j < elems; j++)
            if (!isfinite(values[i + j]))
                return false;
        if (!block_put(type, values + i, block))
            return false;
    }
    return is_known;
}
