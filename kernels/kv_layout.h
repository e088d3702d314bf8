/*
 * kv_layout - how the bytes of the KV cache lie in memory.
 *
 * The cache is one allocation of page_count pages. A page holds KV_PAGE_TOKENS consecutive
 * tokens of one sequence for all layers, keys and values. Only this header and its .c know
 * the order inside; everybody else passes page numbers.
 *
 *     KV_F32   float        judge of the others
 *     KV_F16   IEEE half
 *     KV_INT8  int8 with one float scale per (token, KV head), scale = max |x| / 127
 */
#ifndef KERNELS_KV_LAYOUT_H
#define KERNELS_KV_LAYOUT_H

#include "base/error.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { KV_PAGE_TOKENS = 16 };

enum kv_type { KV_F32, KV_F16, KV_INT8 };

struct kv_cache {
    enum kv_type type;
    int32_t layers, kv_heads, head_dim;
    int32_t page_count;
    uint8_t *data; /* kv_layout_page_bytes() * page_count bytes of device memory */
};

/* Bytes of one page: all layers, keys, values and scales. */
size_t kv_layout_page_bytes(const struct kv_cache *cache);
const char *kv_layout_type_name(enum kv_type type);

#ifdef __cplusplus
}
#endif
#endif
