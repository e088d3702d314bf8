/*
 * attention_halves - the attention of a CPU back end, rounded as the GPU's kernel does: the
 * query in halves, and the weights too, each times the scale of an int8 value, in tiles of
 * ATTENTION_HALVES_TILE keys with the maximum so far. Sums are in double: what differs from the
 * kernel then is the order of its F32 sums alone.
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
