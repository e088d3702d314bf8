/* attention_tile - the inner kernels for machines without AVX2, and for any head_dim. */
#include "kernels/attention_tile.h"

#include "base/i32.h"
#include "kernels/exp.h"
#include "kernels/half.h"

#include <math.h>
#include <string.h>

enum {
    LANES = ATTENTION_TILE_LANES,
    SUMS = ATTENTION_TILE_SUMS,
    COLS = ATTENTION_TILE_COLS,
    TILE_ROWS = 6
};

static float number_at(const void *numbers, enum kv_type type, size_t index)
{
    switch (type) {
    case KV_F32:
        return ((const float *)numbers)[index];
    case KV_F16:
        return half_to_float(((const uint16_t *)numbers)[index]);
    case KV_INT8:
        break;
    }
    return NAN;
}

/* Floats, in whole lanes; the second lanes are those of a full block. Its sums are variables of
 * their own: of an array, gcc 12 keeps a copy in memory that every step writes. */
static inline __attribute__((always_inline)) void product_row_f32(
    const struct attention_tile_product *product, const float *a, float *c, bool is_full)
{
    exp_f32 left = {0}, right = {0};
    const void *const *panel = product->b[0];
    for (int32_t rest = product->depth; rest > 0; rest -= product->panel_depth, panel++) {
        const int32_t end = i32_min(product->panel_depth, rest);
        const float *b = (const float *)*panel + product->b_column[0];
        for (int32_t k = 0; k < end; k++, b += product->b_stride) {
            left += a[k] * *(const exp_f32 *)b;
            if (is_full)
                right += a[k] * *(const exp_f32 *)(b + LANES);
        }
        a += product->a_panel;
    }
    *(exp_f32 *)c = left;
    if (is_full)
        *(exp_f32 *)(c + LANES) = right;
}

static void product_row(const struct attention_tile_product *product, const float *a, float *c)
{
    float sum[COLS] = {0};
    const void *const *panel = product->b[0];
    for (int32_t left = product->depth; left > 0; left -= product->panel_depth, panel++) {
        const int32_t end = i32_min(product->panel_depth, left);
        size_t index = product->b_column[0];
        for (int32_t k = 0; k < end; k++, index += product->b_stride) {
            for (size_t column = 0; column < (size_t)product->columns; column++)
                sum[column] += a[k] * number_at(*panel, product->b_type, index + column);
        }
        a += product->a_panel;
    }
    memcpy(c, sum, (size_t)product->columns * sizeof *c);
}

static void product_scalar(const struct attention_tile_product *product)
{
    for (size_t r = 0; r < (size_t)product->rows; r++) {
        const float *a = product->a + r * ATTENTION_TILE_STRIDE;
        float *c = product->c + r * product->c_stride;
        if (product->b_type == KV_F32 && product->columns == COLS)
            product_row_f32(product, a, c, true);
        else if (product->b_type == KV_F32 && product->columns == LANES)
            product_row_f32(product, a, c, false);
        else
            product_row(product, a, c);
    }
}

static void softmax_scalar(struct attention_tile_softmax *softmax)
{
    float *scores = softmax->scores;
    float max = -INFINITY, lane[SUMS] = {0};
    for (int32_t key = 0; key < softmax->seen; key++) {
        scores[key] *= softmax->key_scales[key];
        max = scores[key] > max ? scores[key] : max;
    }
    for (int32_t key = softmax->seen; key < softmax->padded; key++)
        scores[key] = -INFINITY;
    for (int32_t key = 0; key < softmax->padded; key += LANES) {
        exp_f32 weight = *(const exp_f32 *)(scores + key) - max;
        exp_2(&weight, &weight);
        memcpy(scores + key, &weight, sizeof weight);
        for (int32_t l = 0; l < LANES; l++)
            lane[(key + l) % SUMS] += scores[key + l];
    }
    for (int32_t half = SUMS / 2; half > 0; half /= 2) {
        for (int32_t l = 0; l < half; l++)
            lane[l] += lane[l + half];
    }
    for (int32_t key = 0; softmax->value_scales && key < softmax->seen; key++)
        scores[key] *= softmax->value_scales[key];
    softmax->max = max;
    softmax->sum = lane[0];
}

static void widen_f16_scalar(const uint16_t *from, float *to, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] = half_to_float(from[i]);
}

const struct attention_tile_kernels attention_tile_scalar = {.tile_rows = TILE_ROWS,
                                                             .product = product_scalar,
                                                             .softmax = softmax_scalar,
                                                             .widen_f16 = widen_f16_scalar};
