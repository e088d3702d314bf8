/* attention_int8 - the integer products for machines without AVX2, and for any head_dim. */
#include "kernels/attention_int8.h"

#include "base/i32.h"

#include <string.h>

enum { COLS = ATTENTION_INT8_COLS, GROUP = KV_LAYOUT_GROUP, TILE_ROWS = 6, LANES = 1 };

#define ROUND_MAGIC 12582912.0f /* 1.5 * 2^23: the sum has units of 1, ties go to even */

/* A lane is a column: its group of four bytes, or its sum. */
typedef int32_t lanes_i32 __attribute__((vector_size(COLS * sizeof(int32_t))));
typedef uint32_t lanes_u32 __attribute__((vector_size(COLS * sizeof(int32_t))));

static int32_t integer_of(uint8_t byte, enum attention_int8_kind kind)
{
    return kind == ATTENTION_INT8_QUERIES ? (int8_t)byte : byte;
}

/* sum += a * byte i of each lane, its sign kept; the machine is little endian. */
static inline void byte_add(lanes_i32 *sum, const lanes_i32 *groups, int i, int32_t a)
{
    *sum += ((lanes_i32)((lanes_u32)*groups << (24 - 8 * i)) >> 24) * a;
}

static void product_row(const struct attention_int8_product *product, int32_t row)
{
    lanes_i32 sum = {0}, b = {0};
    const uint8_t *a = product->a + (size_t)row * product->a_stride;
    const uint8_t *const *panel = product->b;
    for (int32_t left = product->groups; left > 0; left -= product->panel_groups, panel++) {
        const int32_t groups = i32_min(product->panel_groups, left);
        for (int32_t g = 0; g < groups; g++, a += GROUP) {
            const uint8_t *at = *panel + product->b_offset + (size_t)g * product->b_stride;
            memcpy(&b, at, (size_t)product->columns * GROUP);
            for (int i = 0; i < GROUP; i++)
                byte_add(&sum, &b, i, integer_of(a[i], product->kind));
        }
    }
    float *c = product->c + (size_t)row * product->c_stride;
    for (int32_t column = 0; column < product->columns; column++) {
        const float result = (float)sum[column] * product->rows_of_a[row].scale;
        c[column] = product->adds ? c[column] + result : result;
    }
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

/* The low bits of a negative integer are its byte. */
static int32_t integers_put(const float *values, int32_t count, float factor,
                            enum attention_int8_kind kind, uint8_t *a)
{
    (void)kind;
    for (int32_t i = 0; i < count; i++) {
        const float shifted = values[i] * factor + ROUND_MAGIC;
        a[i] = (uint8_t)(int32_t)(shifted - ROUND_MAGIC);
    }
    return 0;
}

#include "kernels/attention_int8_round.h"

const struct attention_int8_kernels attention_int8_scalar = {
    .product_rows = TILE_ROWS, .product = product_scalar, .round = attention_int8_round_row};
