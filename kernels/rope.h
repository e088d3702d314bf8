/*
 * rope - rotary position embedding (Su et al. 2021) on queries and keys, and the append of keys
 * and values to the KV cache, in one pass.
 *
 * Pair k of a head of rope_dim numbers turns by angle position * inv_freq[k]. A pair is
 * (2k, 2k+1) when interleaved (GGUF's "llama"), (k, k + rope_dim/2) otherwise (GPT-NeoX).
 * inv_freq holds whatever scaling the model has. Cosines and sines come from a table made once
 * in double, so that every back end turns by the same floats:
 *     (x, y) -> (x cos - y sin, x sin + y cos), each product and sum rounded by itself
 *
 * Models that normalise each head of q and k before turning it (Qwen3) give q_norm and k_norm:
 * the formula of rmsnorm.h over one head, with its eight lanes.
 *
 * Where the cache's keys lie rotated (kv_layout_is_rotated), heads of q and k are rotated after
 * they are turned: activation_rotate over head_dim.
 */
#ifndef KERNELS_ROPE_H
#define KERNELS_ROPE_H

#include "kernels/device.h"
#include "kernels/kv_layout.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rope_args {
    float *q;                 /* [rows, heads * head_dim], turned in place */
    const float *k;           /* [rows, kv_heads * head_dim] */
    const float *v;           /* [rows, kv_heads * head_dim] */
    const int32_t *positions; /* [rows]; below 0: a row of padding, left alone */
    const int32_t *kv_pages;  /* [rows] page that takes the row's key and value; its slot is
                                  positions[r] % KV_PAGE_TOKENS */
    const float *turns;       /* [positions][2][rope_dim / 2]: rope_turns_fill */
    const float *q_norm;      /* [head_dim], or NULL: heads are turned as they are */
    const float *k_norm;      /* [head_dim], NULL when q_norm is */
    float norm_eps;
    const struct kv_cache *cache;
    int32_t rows, heads, layer;
    int32_t rope_dim; /* <= head_dim, even, 0 where nothing is turned; the rest of a head is
                         left as it is */
    bool interleaved;
};

/* What a table of turns is made from. */
struct rope_turns {
    const float *inv_freq; /* [rope_dim / 2] */
    float magnitude; /* cosines and sines are multiplied by it (YaRN, LongRoPE); 0: by 1 */
    int32_t rope_dim, positions;
};
/* to[positions][2][rope_dim / 2], cosines and then sines, in host memory. */
void rope_turns_fill(float *to, const struct rope_turns *turns);

enum status rope_append_ref(struct device *device, const struct rope_args *args);
enum status rope_append_cpu(struct device *device, const struct rope_args *args);
enum status rope_append_cuda(struct device *device, const struct rope_args *args);
enum status rope_append_emu(struct device *device, const struct rope_args *args);

#ifdef __cplusplus
}
#endif
#endif
