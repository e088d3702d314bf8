/*
 * kv_layout - how the bytes of the KV cache lie in memory.
 *
 * The cache is one allocation of page_count pages. A page holds KV_PAGE_TOKENS consecutive
 * tokens of one sequence for all layers, keys and values. Only this header and its .c know
 * the order inside; everybody else passes page numbers.
 *
 *     page = [layer][KV head] of block
 *     block = keys   [head_dim][KV_PAGE_TOKENS]    transposed: sixteen keys are sixteen lanes
 *             values [KV_PAGE_TOKENS][head_dim]
 *             key scales, value scales [KV_PAGE_TOKENS], KV_INT8 only
 *
 * That order suits SIMD on floats (KV_ORDER_CPU). Integer dot products of four bytes want the
 * reduction in groups of four, so KV_INT8 lies in that order as
 *     block = keys   [head_dim / 4, up][KV_PAGE_TOKENS][4]
 *             values [KV_PAGE_TOKENS / 4][head_dim, up to a multiple of 4][4]
 *
 * Tensor cores want the reduction's numbers side by side,
 * for q k^T down head_dim and for p v down the tokens (KV_ORDER_GPU):
 *     block = keys   [KV_PAGE_TOKENS][head_dim]
 *             values [head_dim][KV_PAGE_TOKENS]
 *             key scales, value scales as above
 *
 * So what attention reads for one (page, layer, KV head) is one contiguous piece, in the order
 * in which it multiplies: the keys need no transposing, the sums over head_dim and over tokens
 * both run down the rows of a block. A key is appended with a stride of 16, which costs less:
 * it is written once and read at every later step.
 *
 *     KV_F32   float        judge of the others
 *     KV_F16   IEEE half
 *     KV_INT8  int8 with one float scale per (token, KV head), rounded like an activation
 *
 * In KV_INT8 keys lie rotated (activation_rotate over a head), and attention is given queries
 * rotated likewise: their products stay, and rounding errs less, since no number of a row
 * stands far above the others.
 */
#ifndef KERNELS_KV_LAYOUT_H
#define KERNELS_KV_LAYOUT_H

#include "base/error.h"
#include "kernels/activation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    KV_PAGE_TOKENS = 16,
    KV_LAYOUT_GROUP = 4, /* of KV_INT8 in KV_ORDER_CPU */
    KV_LAYOUT_HEAD_DIM_MAX = 1024
};

enum kv_type { KV_F32, KV_F16, KV_INT8 };
enum kv_order { KV_ORDER_CPU, KV_ORDER_GPU };

struct kv_cache {
    enum kv_type type;
    enum kv_order order;
    int32_t layers, kv_heads, head_dim;
    int32_t page_count;
    uint8_t *data; /* kv_layout_page_bytes() * page_count bytes of device memory */
};

/* Keys and values of one (page, layer, KV head), each number of the cache's type, in the order
 * told above. */
struct kv_layout_block {
    void *keys, *values;
    float *key_scales;   /* [KV_PAGE_TOKENS], NULL but for KV_INT8 */
    float *value_scales; /* [KV_PAGE_TOKENS], NULL but for KV_INT8 */
};

/* Bytes of one number: 4, 2 or 1. */
size_t kv_layout_type_bytes(enum kv_type type);
/* "f32", "f16", "int8". */
const char *kv_layout_type_name(enum kv_type type);

/* Whether keys, and the queries that they meet, are rotated. */
bool kv_layout_is_rotated(const struct kv_cache *cache);

/* Bytes of one page: all layers, keys, values and scales; a multiple of 64. */
size_t kv_layout_page_bytes(const struct kv_cache *cache);

#ifndef __cplusplus /* named like a struct; kernels have parts/kv_block.cuh */
/* page, layer and kv_head must be in range (asserted). */
struct kv_layout_block kv_layout_block(const struct kv_cache *cache, int32_t page,
                                       int32_t layer, int32_t kv_head);
#endif

/* Puts key[head_dim] or value[head_dim] at slot 0 .. KV_PAGE_TOKENS-1 of a block, rounded to
 * the cache's type. For KV_INT8 a row of zeros has scale 0, one with an infinity or a NaN has
 * scale NaN. */
void kv_layout_put_key(const struct kv_cache *cache, const struct kv_layout_block *block,
                       int32_t slot, const float *key);
void kv_layout_put_value(const struct kv_cache *cache, const struct kv_layout_block *block,
                         int32_t slot, const float *value);
/* The same by a SIMD level's function: the bits are alike. */
void kv_layout_put_key_by(const struct kv_cache *cache, const struct kv_layout_block *block,
                          int32_t slot, const float *key, activation_round_level *round);
void kv_layout_put_value_by(const struct kv_cache *cache, const struct kv_layout_block *block,
                            int32_t slot, const float *value, activation_round_level *round);

/* key[head_dim] or value[head_dim] = the exact numbers stored at slot. */
void kv_layout_get_key(const struct kv_cache *cache, const struct kv_layout_block *block,
                       int32_t slot, float *key);
void kv_layout_get_value(const struct kv_cache *cache, const struct kv_layout_block *block,
                         int32_t slot, float *value);

#ifdef __cplusplus
}
#endif
#endif
