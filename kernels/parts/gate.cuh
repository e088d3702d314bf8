/*
 * gate - the activation of a gate, act of silu_mul.h: the bits of kernels/gate.h, one float.
 */
#ifndef KERNELS_PARTS_GATE_CUH
#define KERNELS_PARTS_GATE_CUH

#include "kernels/parts/math.cuh"
#include "kernels/silu_mul.h"

template <enum silu_mul_kind KIND> SIMT float gate_act(float g)
{
    const float x = KIND == SILU_MUL_SILU ? -g : -1.5957691216f * (g + 0.044715f * (g * g * g));
    return g / (1.0f + math_exp(x));
}

/* The same, where the kind is known at run time alone. */
SIMT float gate_act_of(enum silu_mul_kind kind, float g)
{
    return kind == SILU_MUL_SILU ? gate_act<SILU_MUL_SILU>(g) : gate_act<SILU_MUL_GELU>(g);
}

#endif
