/*
 * gate - the activation of a gate, act of silu_mul.h, on eight floats at a time.
 *
 * The same bits on every machine: see exp.h. GELU's cube is taken as g g g, and the factor of
 * the exponent is -2 * 0.7978845608 rounded once. Far gates need no case of their own: the
 * exponential is 0 or infinity there, so the result is the gate, or -0.
 */
#ifndef KERNELS_GATE_H
#define KERNELS_GATE_H

#include "kernels/exp.h"
#include "kernels/silu_mul.h"

/* *value = act(*gate); they may be the same. */
EXP_CALL void gate_act(exp_f32 *value, const exp_f32 *gate, enum silu_mul_kind kind)
{
    const exp_f32 g = *gate;
    exp_f32 e = -g;
    if (kind == SILU_MUL_GELU)
        e = -1.5957691216f * (g + 0.044715f * (g * g * g));
    exp_natural(&e, &e);
    *value = g / (1.0f + e);
}

#endif
