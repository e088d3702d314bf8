/*
 * matmul_finish - the end of an int8 product: from sums to outputs. Included by each SIMD
 * level's file, whose flags say what registers sixteen floats are.
 *
 * Written on vectors of the compiler, elementwise, never fused: every level gives the bits of a
 * loop over one number at a time.
 */
#ifndef KERNELS_MATMUL_FINISH_H
#define KERNELS_MATMUL_FINISH_H

#include "kernels/gate.h"
#include "kernels/matmul_int8.h"

#include <string.h>

typedef float matmul_finish_f32 __attribute__((vector_size(64), aligned(4), may_alias));
typedef int32_t matmul_finish_i32 __attribute__((vector_size(64), aligned(4), may_alias));

/* One panel that is whole. What the loop needs is taken out of *outputs beforehand: y may alias
 * it, as far as the compiler knows. */
static inline __attribute__((always_inline)) void matmul_finish_panel(
    const struct matmul_int8_outputs *outputs, int32_t first, const int32_t *sums)
{
    const matmul_finish_f32 w_scales = *(const matmul_finish_f32 *)(outputs->w_scales + first);
    const matmul_finish_f32 none = {0};
    const bool has_bias = outputs->bias != NULL, accumulate = outputs->accumulate;
    const matmul_finish_f32 bias =
        has_bias ? *(const matmul_finish_f32 *)(outputs->bias + first) : none;
    const float *x_scale = outputs->x_scales, *const end = x_scale + outputs->rows;
    const size_t stride = outputs->y_stride;
    float *y = outputs->y + first;
    for (; x_scale < end; x_scale++, sums += MATMUL_INT8_PANEL, y += stride) {
        const matmul_finish_i32 sum = *(const matmul_finish_i32 *)sums;
        matmul_finish_f32 value =
            __builtin_convertvector(sum, matmul_finish_f32) * (*x_scale * w_scales);
        if (has_bias)
            value += bias;
        if (accumulate)
            value = *(const matmul_finish_f32 *)y + value;
        *(matmul_finish_f32 *)y = value;
    }
}

/* The last panel, cut short. */
static inline void matmul_finish_tail(const struct matmul_int8_outputs *outputs, int32_t first,
                                      const int32_t *sums)
{
    for (int32_t r = 0; r < outputs->rows; r++, sums += MATMUL_INT8_PANEL) {
        float *y = outputs->y + (size_t)r * outputs->y_stride;
        for (int32_t o = first; o < outputs->outs; o++) {
            float value =
                (float)sums[o - first] * (outputs->x_scales[r] * outputs->w_scales[o]);
            if (outputs->bias)
                value += outputs->bias[o];
            y[o] = outputs->accumulate ? y[o] + value : value;
        }
    }
}

/* A row of a panel of both products. */
struct matmul_finish_pair {
    const int32_t *sums, *gate_sums;
    const float *w_scales, *gate_scales;
};

/* y[16] = act(gate product) * (w product). */
static inline __attribute__((always_inline)) void matmul_finish_gate_row(
    const struct matmul_finish_pair *pair, float x_scale, enum silu_mul_kind kind, float *y)
{
    for (int i = 0; i < MATMUL_INT8_PANEL; i += EXP_LANES) {
        const exp_i32 gate_sum = *(const exp_i32 *)(pair->gate_sums + i);
        const exp_i32 sum = *(const exp_i32 *)(pair->sums + i);
        exp_f32 act = __builtin_convertvector(gate_sum, exp_f32) *
                      (x_scale * *(const exp_f32 *)(pair->gate_scales + i));
        const exp_f32 up = __builtin_convertvector(sum, exp_f32) *
                           (x_scale * *(const exp_f32 *)(pair->w_scales + i));
        gate_act(&act, &act, kind);
        *(exp_f32 *)(y + i) = act * up;
    }
}

/* The last panel, cut short: its scales are filled up with zeros. */
static inline void matmul_finish_gate_tail(const struct matmul_int8_outputs *outputs,
                                           struct matmul_finish_pair pair, size_t count)
{
    float w_scales[MATMUL_INT8_PANEL] = {0}, gate_scales[MATMUL_INT8_PANEL] = {0};
    float whole[MATMUL_INT8_PANEL], *y = outputs->y + ((size_t)outputs->outs - count);
    memcpy(w_scales, pair.w_scales, count * sizeof *w_scales);
    memcpy(gate_scales, pair.gate_scales, count * sizeof *gate_scales);
    pair.w_scales = w_scales;
    pair.gate_scales = gate_scales;
    for (int32_t r = 0; r < outputs->rows; r++, y += outputs->y_stride) {
        matmul_finish_gate_row(&pair, outputs->x_scales[r], outputs->gate_kind, whole);
        memcpy(y, whole, count * sizeof *y);
        pair.sums += MATMUL_INT8_PANEL;
        pair.gate_sums += MATMUL_INT8_PANEL;
    }
}

/* kind is a constant at each call: no row asks for it. */
static inline __attribute__((always_inline)) void matmul_finish_gate(
    const struct matmul_int8_outputs *outputs, const int32_t *sums, enum silu_mul_kind kind)
{
    struct matmul_finish_pair pair = {.sums = sums, .gate_sums = outputs->gate_sums};
    const int32_t rows = outputs->rows, outs = outputs->outs;
    const float *x_scales = outputs->x_scales;
    const size_t stride = outputs->y_stride;
    int32_t first = 0;
    for (; first + MATMUL_INT8_PANEL <= outs; first += MATMUL_INT8_PANEL) {
        float *y = outputs->y + first;
        pair.w_scales = outputs->w_scales + first;
        pair.gate_scales = outputs->gate_scales + first;
        for (int32_t r = 0; r < rows; r++, y += stride) {
            matmul_finish_gate_row(&pair, x_scales[r], kind, y);
            pair.sums += MATMUL_INT8_PANEL;
            pair.gate_sums += MATMUL_INT8_PANEL;
        }
    }
    if (first < outs) {
        pair.w_scales = outputs->w_scales + first;
        pair.gate_scales = outputs->gate_scales + first;
        matmul_finish_gate_tail(outputs, pair, (size_t)(outs - first));
    }
}

static inline __attribute__((always_inline)) void matmul_finish_tile(
    const struct matmul_int8_outputs *outputs, const int32_t *sums)
{
    int32_t first = 0;
    if (outputs->gate_sums) {
        if (outputs->gate_kind == SILU_MUL_GELU)
            matmul_finish_gate(outputs, sums, SILU_MUL_GELU);
        else
            matmul_finish_gate(outputs, sums, SILU_MUL_SILU);
        return;
    }
    for (; first + MATMUL_INT8_PANEL <= outputs->outs; first += MATMUL_INT8_PANEL) {
        matmul_finish_panel(outputs, first, sums);
        sums += (size_t)outputs->rows * MATMUL_INT8_PANEL;
    }
    if (first < outputs->outs)
        matmul_finish_tail(outputs, first, sums);
}

#endif
