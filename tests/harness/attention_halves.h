/*
 * attention_halves - the attention of a CPU back end, to the bit what the GPU's kernel gives
 * on the emulator, in plain C: the query in halves, and the weights too, each times the scale
 * of an int8 value, in tiles of ATTENTION_HALVES_TILE keys with the maximum so far; each sum in
 * F32 and in the kernel's order.
 *
 * In the place of ops_cpu's attention, for a head_dim of 64.
 */
#ifndef TESTS_HARNESS_ATTENTION_HALVES_H
#define TESTS_HARNESS_ATTENTION_HALVES_H

#include "kernels/attention.h"

enum { ATTENTION_HALVES_TILE = 64, ATTENTION_HALVES_DIM = 64 };

/* No window, no softcap (asserted). ERR_LIMIT as of attention_ref. */
enum status attention_halves(struct device *device, const struct attention_args *args);

#endif
