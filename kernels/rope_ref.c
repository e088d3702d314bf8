/* rope_ref - the plain twin: angles, sines and cosines in double, pair by pair. */
#include "kernels/rope.h"

#include <assert.h>
#include <math.h>

/* Turns one head, from `from` to `to`, which may be the same. */
static void turn(const struct rope_args *args, int32_t position, const float *from, float *to)
{
    const int32_t half = args->rope_dim / 2;
    for (int32_t i = args->rope_dim; i < args->cache->head_dim; i++)
        to[i] = from[i];
    for (int32_t pair = 0; pair < half; pair++) {
        const int32_t a = args->interleaved ? 2 * pair : pair;
        const int32_t b = args->interleaved ? 2 * pair + 1 : pair + half;
        const double angle = (double)position * (double)args->inv_freq[pair];
        const double x = (double)from[a], y = (double)from[b];
        to[a] = (float)(x * cos(angle) - y * sin(angle));
        to[b] = (float)(x * sin(angle) + y * cos(angle));
    }
}

enum status rope_append_ref(struct device *device, const struct rope_args *args)
{
    const struct kv_cache *cache = args->cache;
    const int32_t head_dim = cache->head_dim;
    if (device_scratch_bytes(device) < (size_t)head_dim * sizeof(float))
        return ERR_LIMIT;
    float *key = device_scratch(device, 0);
    assert(args->rope_dim % 2 == 0 && args->rope_dim <= head_dim);
    for (int32_t r = 0; r < args->rows; r++) {
        const int32_t position = args->positions[r], slot = position % KV_PAGE_TOKENS;
        float *q = args->q + (size_t)r * (size_t)args->heads * (size_t)head_dim;
        for (int32_t head = 0; head < args->heads; head++, q += head_dim)
            turn(args, position, q, q);
        for (int32_t head = 0; head < cache->kv_heads; head++) {
            const size_t skip =
                ((size_t)r * (size_t)cache->kv_heads + (size_t)head) * (size_t)head_dim;
            const struct kv_layout_block block =
                kv_layout_block(cache, args->kv_pages[r], args->layer, head);
            turn(args, position, args->k + skip, key);
            kv_layout_put_key(cache, &block, slot, key);
            kv_layout_put_value(cache, &block, slot, args->v + skip);
        }
    }
    return OK;
}
