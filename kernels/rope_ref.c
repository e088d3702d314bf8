/* rope_ref - the plain twin: head by head, pair by pair. */
#include "kernels/activation.h"
#include "kernels/rmsnorm_row.h"
#include "kernels/rope.h"

#include <assert.h>
#include <math.h>

/* to = from, normalised when there is a norm; both [head_dim], which may be the same. */
static void normalise(const struct rope_args *args, const float *norm, const float *from,
                      float *to)
{
    const int32_t dim = args->cache->head_dim;
    const float factor = norm ? rmsnorm_row_factor(from, dim, args->norm_eps) : 1.0f;
    for (int32_t i = 0; i < dim; i++)
        to[i] = norm ? from[i] * factor * norm[i] : from[i];
}

/* Turns one head where it stands, and rotates it where the cache wants that. */
static void turn(const struct rope_args *args, int32_t position, float *head)
{
    const int32_t half = args->rope_dim / 2;
    const float *cosines = args->turns + (size_t)position * (size_t)args->rope_dim;
    const float *sines = cosines + half;
    for (int32_t pair = 0; pair < half; pair++) {
        const int32_t a = args->interleaved ? 2 * pair : pair;
        const int32_t b = args->interleaved ? 2 * pair + 1 : pair + half;
        const float x = head[a], y = head[b];
        head[a] = x * cosines[pair] - y * sines[pair];
        head[b] = x * sines[pair] + y * cosines[pair];
    }
    if (kv_layout_is_rotated(args->cache))
        activation_rotate(head, args->cache->head_dim);
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
        if (position < 0)
            continue;
        float *q = args->q + (size_t)r * (size_t)args->heads * (size_t)head_dim;
        for (int32_t head = 0; head < args->heads; head++, q += head_dim) {
            normalise(args, args->q_norm, q, q);
            turn(args, position, q);
        }
        for (int32_t head = 0; head < cache->kv_heads; head++) {
            const size_t skip =
                ((size_t)r * (size_t)cache->kv_heads + (size_t)head) * (size_t)head_dim;
            const struct kv_layout_block block =
                kv_layout_block(cache, args->kv_pages[r], args->layer, head);
            normalise(args, args->k_norm, args->k + skip, key);
            turn(args, position, key);
            kv_layout_put_key(cache, &block, slot, key);
            kv_layout_put_value(cache, &block, slot, args->v + skip);
        }
    }
    return OK;
}

void rope_turns_fill(float *to, const struct rope_turns *turns)
{
    const int32_t half = turns->rope_dim / 2;
    const double magnitude = turns->magnitude == 0.0f ? 1.0 : (double)turns->magnitude;
    for (int32_t position = 0; position < turns->positions; position++) {
        for (int32_t pair = 0; pair < half; pair++) {
            const double angle = (double)position * (double)turns->inv_freq[pair];
            to[pair] = (float)(magnitude * cos(angle));
            to[half + pair] = (float)(magnitude * sin(angle));
        }
        to += turns->rope_dim;
    }
}
