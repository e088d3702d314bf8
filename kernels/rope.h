/*
 * rope - rotary position embedding (Su et al. 2021) on queries and keys, and the append of keys
 * and values to the KV cache, in one pass.
 *
 * Pair k of a head of rope_dim numbers turns by angle position * inv_freq[k]. A pair is
 * (2k, 2k+1) when interleaved (GGUF's "llama"), (k, k + rope_dim/2) otherwise (GPT-NeoX).
 * inv_freq holds whatever scaling the model has.
 */
#ifndef KERNELS_ROPE_H
#define KERNELS_ROPE_H

#include "kernels/device.h"
#include "kernels/kv_layout.h"

#include <stdbool.h>

struct rope_args {
    float *q;                 /* [rows, heads * head_dim], turned in place */
    const float *k;           /* [rows, kv_heads * head_dim] */
    const float *v;           /* [rows, kv_heads * head_dim] */
    const int32_t *positions; /* [rows] */
    const int32_t *kv_pages;  /* [rows] page that takes the row's key and value; its slot is
                                  positions[r] % KV_PAGE_TOKENS */
    const float *inv_freq;    /* [rope_dim / 2] */
    const struct kv_cache *cache;
    int32_t rows, heads, layer;
    int32_t rope_dim; /* <= head_dim, even; the rest of a head is left as it is */
    bool interleaved;
};

enum status rope_append_ref(struct device *device, const struct rope_args *args);
enum status rope_append_cpu(struct device *device, const struct rope_args *args);

#endif
