/* attention_levels - the products of attention_cpu for a machine's SIMD level. */
#ifndef KERNELS_ATTENTION_LEVELS_H
#define KERNELS_ATTENTION_LEVELS_H

#include "kernels/attention_int8.h"
#include "kernels/attention_tile.h"

struct attention_levels {
    const struct attention_tile_kernels *tile;
    const struct attention_int8_kernels *int8;
};

/* Over a cache of int8, levels above scalar take only heads of whole ATTENTION_TILE_COLS. */
struct attention_levels attention_levels(enum device_simd simd, const struct kv_cache *cache);

#endif
