/*
 * attention_halves - see attention_halves.h. A partial is the vector, m and l, as the twin's;
 * merged as in kernels/attention.cu: the greatest maximum first, then the sums.
 *
 * The order of sums is what parts/attention_rows.cuh promises, each step rounded to F32. All
 * products of halves are exact in F32. What the kernel adds of keys out of sight is 0, and left
 * out here.
 */
#include "tests/harness/attention_halves.h"

#include "kernels/activation_row.h"
#include "kernels/half.h"

#include <assert.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { DIM = ATTENTION_HALVES_DIM, TILE = ATTENTION_HALVES_TILE, PARTIAL = DIM + 2 };
enum { PAGE = KV_PAGE_TOKENS, PAGES = TILE / PAGE, LANES = 4 /* that share a row */ };

#define LOG2_E 1.44269504088896340736f
#define LIFT   64.0f /* ATTENTION_ROWS_LIFT of the kernel: keeps small scales in halves */

/* One row and head, going through the keys of an item. */
struct state {
    float q[DIM];
    float out[DIM];
    float max, sum[LANES];
};

/* Halves or whole numbers, and their scales; what is out of sight is 0. */
struct tile {
    float keys[TILE][DIM], values[TILE][DIM];
    float key_scales[TILE], value_scales[TILE];
};

static float rounded(float value)
{
    return half_to_float(half_from_float(value));
}

static float power_of_two(float exponent)
{
    return (float)exp2((double)exponent);
}

/* Which of sixteen numbers (dims, or tokens of a page) mma has at `place` of its depth: bytes
 * take the places that suit ldmatrix (parts/attention_stage.cuh). */
static int32_t number_at(const struct attention_args *args, int32_t place)
{
    const int32_t lane = place % 8 / 2;
    return args->cache->type == KV_INT8 ? 4 * lane + 2 * (place / 8) + place % 2 : place;
}

static float *partial_at(const struct attention_args *args, int32_t partial, int32_t head)
{
    return args->partials + ((size_t)partial * (size_t)args->heads + (size_t)head) * PARTIAL;
}

/* row /= scale: the whole numbers that were stored; without scales they are 1. */
static float unscale(float *row, const float *scales, int32_t slot)
{
    if (!scales)
        return 1.0f;
    for (int32_t i = 0; i < DIM; i++)
        row[i] = scales[slot] > 0.0f ? rintf(row[i] / scales[slot]) : 0.0f;
    return scales[slot];
}

/* Keys range[0] .. range[1]-1 of an item, for the head's KV head. */
static void tile_read(const struct attention_args *args, const struct attention_item *item,
                      int32_t head, const int32_t range[2], struct tile *tile)
{
    const int32_t kv_head = head / (args->heads / args->cache->kv_heads);
    memset(tile, 0, sizeof *tile);
    for (int32_t key = range[0]; key < range[1]; key++) {
        const int32_t page = args->work->pages[item->pages_first + key / PAGE];
        const struct kv_layout_block block =
            kv_layout_block(args->cache, page, args->layer, kv_head);
        const int32_t at = key - range[0], slot = key % PAGE;
        kv_layout_get_key(args->cache, &block, slot, tile->keys[at]);
        kv_layout_get_value(args->cache, &block, slot, tile->values[at]);
        tile->key_scales[at] = unscale(tile->keys[at], block.key_scales, slot);
        tile->value_scales[at] = unscale(tile->values[at], block.value_scales, slot);
    }
}

/* Of key `at` of the tile, in units of ln 2: sixteen dims after the other. */
static float score(const struct attention_args *args, const struct tile *tile, int32_t at,
                   const float *q)
{
    float sum = 0.0f;
    for (int32_t i = 0; i < DIM; i++) {
        const int32_t dim = i / 16 * 16 + number_at(args, i % 16);
        sum += q[dim] * tile->keys[at][dim];
    }
    return sum * (tile->key_scales[at] * (args->scale * LOG2_E));
}

/* A lane has two neighbouring places in each half of a page; pages are summed first. */
static void sums_add(const struct attention_args *args, const float weights[TILE],
                     struct state *state)
{
    for (int32_t lane = 0; lane < LANES; lane++) {
        float pages[PAGES] = {0.0f};
        for (int32_t i = 0; i < PAGES * 4; i++) {
            const int32_t place = 2 * lane + i % 2 + i / 2 % 2 * 8;
            pages[i / 4] += weights[i / 4 * PAGE + number_at(args, place)];
        }
        state->sum[lane] += (pages[0] + pages[1]) + (pages[2] + pages[3]);
    }
}

/* out += weight * value, token after token; the weight is a half, with the scale of an int8
 * value in it. */
static void values_add(const struct attention_args *args, const struct tile *tile,
                       const float weights[TILE], struct state *state)
{
    const float lift = args->cache->type == KV_INT8 ? LIFT : 1.0f;
    for (int32_t i = 0; i < TILE; i++) {
        const int32_t at = i / PAGE * PAGE + number_at(args, i % PAGE);
        const float factor = rounded(weights[at] * (tile->value_scales[at] * lift));
        for (int32_t dim = 0; dim < DIM; dim++)
            state->out[dim] += factor * tile->values[at][dim];
    }
}

static void tile_add(const struct attention_args *args, const struct tile *tile, int32_t count,
                     struct state *state)
{
    float weights[TILE] = {0.0f}, max = state->max;
    for (int32_t at = 0; at < count; at++) {
        weights[at] = score(args, tile, at, state->q);
        max = fmaxf(max, weights[at]);
    }
    const float fade = power_of_two(state->max - max);
    state->max = max;
    for (int32_t lane = 0; lane < LANES; lane++)
        state->sum[lane] *= fade;
    for (int32_t dim = 0; dim < DIM; dim++)
        state->out[dim] *= fade;
    for (int32_t at = 0; at < count; at++)
        weights[at] = power_of_two(weights[at] - max);
    sums_add(args, weights, state);
    values_add(args, tile, weights, state);
}

static void partial_compute(const struct attention_args *args,
                            const struct attention_item *item, int32_t row, int32_t head)
{
    const int32_t end = args->positions[row] + 1 - item->kv_begin;
    const int32_t seen = end < item->kv_count ? end : item->kv_count;
    const float *q = args->q + ((size_t)row * (size_t)args->heads + (size_t)head) * DIM;
    const float lowered = args->cache->type == KV_INT8 ? 1.0f / LIFT : 1.0f;
    float *out = partial_at(
        args, args->work->partials_first[row] + item->kv_begin / args->work->split, head);
    struct state state = {.max = -INFINITY};
    struct tile tile;
    for (int32_t i = 0; i < DIM; i++)
        state.q[i] = rounded(q[i]);
    for (int32_t key = 0; key < seen; key += TILE) {
        const int32_t range[2] = {key, key + TILE < seen ? key + TILE : seen};
        tile_read(args, item, head, range, &tile);
        tile_add(args, &tile, range[1] - range[0], &state);
    }
    for (int32_t i = 0; i < DIM; i++)
        out[i] = state.out[i] * lowered + 0.0f;
    out[DIM] = state.max;
    out[DIM + 1] = (state.sum[0] + state.sum[1]) + (state.sum[2] + state.sum[3]);
}

static void partials_merge(const struct attention_args *args, int32_t row, int32_t head,
                           float *y)
{
    const int32_t first = args->work->partials_first[row];
    const int32_t end = args->work->partials_first[row + 1];
    float max = -INFINITY, sum = 0.0f;
    for (int32_t p = first; p < end; p++)
        max = fmaxf(max, partial_at(args, p, head)[DIM]);
    memset(y, 0, DIM * sizeof *y);
    for (int32_t p = first; p < end; p++) {
        const float *partial = partial_at(args, p, head);
        const float factor = power_of_two(partial[DIM] - max);
        sum += factor * partial[DIM + 1];
        for (int32_t i = 0; i < DIM; i++)
            y[i] += factor * partial[i];
    }
    for (int32_t i = 0; i < DIM; i++)
        y[i] /= sum;
}

enum status attention_halves(struct device *device, const struct attention_args *args)
{
    const struct attention_work *work = args->work;
    assert(args->cache->head_dim == DIM && args->window == 0 && args->softcap == 0.0f);
    if (device_scratch_bytes(device) < (size_t)args->heads * DIM * sizeof(float))
        return ERR_LIMIT;
    float *scratch = device_scratch(device, 0);
    for (int32_t i = 0; i < work->item_count; i++)
        for (int32_t r = 0; r < work->items[i].row_count * args->heads; r++)
            partial_compute(args, &work->items[i],
                            work->rows[work->items[i].rows_first + r / args->heads],
                            r % args->heads);
    for (int32_t r = 0; r < args->rows; r++) {
        if (args->positions[r] < 0)
            continue;
        float *y = activation_row_begin(args->y, r, scratch);
        for (int32_t head = 0; head < args->heads; head++)
            partials_merge(args, r, head, y + (size_t)head * DIM);
        activation_row_end(args->y, r, y, scratch, DEVICE_SIMD_SCALAR);
    }
    return OK;
}
