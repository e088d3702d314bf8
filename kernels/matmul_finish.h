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

/* One panel that is whole. */
static inline __attribute__((always_inline)) void matmul_finish_panel(
    const struct matmul_int8_outputs *outputs, int32_t first, const int32_t *sums)
{
    const matmul_finish_f32 w_scales = *(const matmul_finish_f32 *)(outputs->w_scales + first);
    float *y = outputs->y + first;
    for (int32_t r = 0; r < outputs->rows; r++, sums += MATMUL_INT8_PANEL) {
        const matmul_finish_i32 sum = *(const matmul_finish_i32 *)sums;
        matmul_finish_f32 value =
            __builtin_convertvector(sum, matmul_finish_f32) * (outputs->x_scales[r] * w_scales);
        if (outputs->bias)
            value += *(const matmul_finish_f32 *)(outputs->bias + first);
        if (outputs->accumulate)
            value = *(const matmul_finish_f32 *)y + value;
        *(matmul_finish_f32 *)y = value;
        y += outputs->y_stride;
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

/* y[count] = act(gate) * (w product), of one row of a panel; kind is a constant at each call.
 * */
static inline __attribute__((always_inline)) void matmul_finish_gate_row(
    const struct matmul_int8_outputs *outputs, int32_t row, int32_t first, const int32_t *sums,
    const int32_t *gate_sums)
{
    const int32_t left = outputs->outs - first;
    const size_t count = (size_t)(left < MATMUL_INT8_PANEL ? left : MATMUL_INT8_PANEL);
    const float *gate_scales = outputs->gate_scales + first;
    const float *w_scales = outputs->w_scales + first;
    const float x_scale = outputs->x_scales[row];
    float gate[MATMUL_INT8_PANEL] = {0}, up[MATMUL_INT8_PANEL] = {0};
    for (size_t o = 0; o < count; o++) {
        gate[o] = (float)gate_sums[o] * (x_scale * gate_scales[o]);
        up[o] = (float)sums[o] * (x_scale * w_scales[o]);
    }
    for (int i = 0; i < MATMUL_INT8_PANEL; i += EXP_LANES) {
        exp_f32 act;
        if (outputs->gate_kind == SILU_MUL_GELU)
            gate_act(&act, (const exp_f32 *)(gate + i), SILU_MUL_GELU);
        else
            gate_act(&act, (const exp_f32 *)(gate + i), SILU_MUL_SILU);
        act *= *(const exp_f32 *)(up + i);
        memcpy(up + i, &act, sizeof act);
    }
    memcpy(outputs->y + (size_t)row * outputs->y_stride + first, up, count * sizeof *up);
}

static inline __attribute__((always_inline)) void matmul_finish_gate(
    const struct matmul_int8_outputs *outputs, const int32_t *sums)
{
    const int32_t *gate_sums = outputs->gate_sums;
    for (int32_t first = 0; first < outputs->outs; first += MATMUL_INT8_PANEL)
        for (int32_t r = 0; r < outputs->rows; r++) {
            matmul_finish_gate_row(outputs, r, first, sums, gate_sums);
            sums += MATMUL_INT8_PANEL;
            gate_sums += MATMUL_INT8_PANEL;
        }
}

static inline __attribute__((always_inline)) void matmul_finish_tile(
    const struct matmul_int8_outputs *outputs, const int32_t *sums)
{
    int32_t first = 0;
    if (outputs->gate_sums) {
        matmul_finish_gate(outputs, sums);
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
