/* attention_int8 - the integer products for machines without AVX2, and for any head_dim. */
#include "kernels/attention_int8.h"

#include "base/i32.h"

#include <string.h>

enum {
    COLS = ATTENTION_INT8_COLS,
    GROUP = KV_LAYOUT_GROUP,
    GROUP_BYTES = ATTENTION_INT8_GROUP_BYTES,
    TILE_ROWS = 6,
    LANES = 1
};

#define ROUND_MAGIC 12582912.0f /* 1.5 * 2^23: the sum has units of 1, ties go to even */

static void product_row(const struct attention_int8_product *product, int32_t row)
{
    int32_t sum[COLS] = {0};
    const uint8_t *a = product->a + (size_t)row * product->a_stride;
    const uint8_t *const *panel = product->b;
    for (int32_t left = product->groups; left > 0; left -= product->panel_groups, panel++) {
        const int32_t groups = i32_min(product->panel_groups, left);
        for (int32_t g = 0; g < groups; g++, a += GROUP_BYTES) {
            const uint8_t *at = *panel + product->b_offset + (size_t)g * product->b_stride;
            int16_t x[GROUP];
            int8_t b[COLS * GROUP];
            memcpy(x, a, sizeof x);
            memcpy(b, at, (size_t)product->columns * GROUP);
            for (int32_t i = 0; i < product->columns * GROUP; i++)
                sum[i / GROUP] += x[i % GROUP] * b[i];
        }
    }
    float *c = product->c + (size_t)row * product->c_stride;
    for (int32_t column = 0; column < product->columns; column++)
        c[column] = (float)sum[column] * product->rows_of_a[row].scale;
}

static void product_scalar(const struct attention_int8_product *product)
{
    for (int32_t row = 0; row < product->rows; row++)
        product_row(product, row);
}

typedef int32_t integers;

static integers greater(integers most, const float *values)
{
    int32_t bits;
    memcpy(&bits, values, sizeof bits);
    bits &= 0x7fffffff;
    return bits > most ? bits : most;
}

static int32_t greatest_lane(integers most)
{
    return most;
}

/* The sum is not needed. */
static int32_t integers_put(const float *values, int32_t count, float factor, uint8_t *a)
{
    for (int32_t i = 0; i < count; i++) {
        const float shifted = values[i] * factor + ROUND_MAGIC;
        const int16_t q = (int16_t)(shifted - ROUND_MAGIC);
        memcpy(a + (size_t)i * sizeof q, &q, sizeof q);
    }
    return 0;
}

#include "kernels/attention_int8_round.h"

const struct attention_int8_kernels attention_int8_scalar = {.tile_rows = TILE_ROWS,
                                                             .many_rows = TILE_ROWS,
                                                             .product = product_scalar,
                                                             .round = attention_int8_round_row};
