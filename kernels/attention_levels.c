/* attention_levels - see attention_levels.h. */
#include "kernels/attention_levels.h"

struct attention_levels attention_levels(enum device_simd simd, const struct kv_cache *cache)
{
    struct attention_levels levels = {&attention_tile_scalar, &attention_int8_scalar};
    if (cache->type == KV_INT8 && cache->head_dim % ATTENTION_TILE_COLS != 0)
        return levels;
#if defined(__x86_64__)
    /* The AVX2 tiles convert halves with F16C, which every processor with AVX2 has. */
    if (simd >= DEVICE_SIMD_AVX512_VNNI)
        levels = (struct attention_levels){&attention_tile_avx512, &attention_int8_avx512};
    else if (simd >= DEVICE_SIMD_AVX2)
        levels = (struct attention_levels){&attention_tile_avx2, &attention_int8_avx2};
#elif defined(__aarch64__)
    if (simd >= DEVICE_SIMD_NEON)
        levels = (struct attention_levels){&attention_tile_neon, &attention_int8_neon};
    if (simd >= DEVICE_SIMD_NEON_DOT)
        levels.int8 = &attention_int8_dotprod;
    if (simd >= DEVICE_SIMD_NEON_I8MM)
        levels.int8 = &attention_int8_i8mm;
#endif
    return levels;
}
