/* attention_halves - see attention_halves.h. A partial is the vector, m and l, as the twin's;
 * merged as in kernels/attention.cu: the greatest maximum first, then the sums. */
#include "tests/harness/attention_halves.h"

#include "kernels/activation_row.h"
#include "kernels/half.h"

#include <assert.h>
#include <math.h>

enum { DIM = ATTENTION_HALVES_DIM, TILE = ATTENTION_HALVES_TILE, PARTIAL = DIM + 2 };

#define LOG2_E 1.44269504088896340736
#define LIFT   64.0f /* ATTENTION_ROWS_LIFT of the kernel: keeps small scales in halves */

/* One row and head, going through the keys of an item. */
struct state {
    float q[DIM];
    double out[DIM];
    double max, sum;
};

static float rounded(float value)
{
    return half_to_float(half_from_float(value));
}

static float *partial_at(const struct attention_args *args, int32_t partial, int32_t head)
{
    return args->partials + ((size_t)partial * (size_t)args->heads + (size_t)head) * PARTIAL;
}

static struct kv_layout_block block_of(const struct attention_args *args,
                                       const struct attention_item *item, int32_t key,
                                       int32_t head)
{
    const int32_t kv_head = head / (args->heads / args->cache->kv_heads);
    const int32_t page = args->work->pages[item->pages_first + key / KV_PAGE_TOKENS];
    return kv_layout_block(args->cache, page, args->layer, kv_head);
}

static double score(const struct attention_args *args, const struct kv_layout_block *block,
                    int32_t key, const float *q)
{
    float row[DIM];
    double dot = 0.0;
    kv_layout_get_key(args->cache, block, key % KV_PAGE_TOKENS, row);
    for (int32_t i = 0; i < DIM; i++)
        dot += (double)q[i] * (double)row[i];
    return dot * (double)args->scale * LOG2_E;
}

/* out += weight * value; the weight is a half, with the scale of an int8 value in it. */
static void add_value(const struct attention_args *args, const struct kv_layout_block *block,
                      int32_t key, double weight, struct state *state)
{
    float row[DIM];
    const int32_t slot = key % KV_PAGE_TOKENS;
    kv_layout_get_value(args->cache, block, slot, row);
    const float scale = block->value_scales ? block->value_scales[slot] : 1.0f;
    const float lift = block->value_scales ? LIFT : 1.0f;
    const double factor = (double)rounded((float)weight * scale * lift) / (double)lift;
    for (int32_t i = 0; i < DIM && scale > 0.0f; i++)
        state->out[i] += factor * ((double)row[i] / (double)scale);
}

static void tile_add(const struct attention_args *args, const struct attention_item *item,
                     int32_t head, const int32_t range[2], struct state *state)
{
    double scores[TILE], max = state->max;
    for (int32_t key = range[0]; key < range[1]; key++) {
        const struct kv_layout_block block = block_of(args, item, key, head);
        scores[key - range[0]] = score(args, &block, key, state->q);
        max = fmax(max, scores[key - range[0]]);
    }
    const double fade = exp2(state->max - max);
    state->max = max;
    state->sum *= fade;
    for (int32_t i = 0; i < DIM; i++)
        state->out[i] *= fade;
    for (int32_t key = range[0]; key < range[1]; key++) {
        const struct kv_layout_block block = block_of(args, item, key, head);
        const double weight = exp2(scores[key - range[0]] - max);
        state->sum += weight;
        add_value(args, &block, key, weight, state);
    }
}

static void partial_compute(const struct attention_args *args,
                            const struct attention_item *item, int32_t row, int32_t head)
{
    const int32_t end = args->positions[row] + 1 - item->kv_begin;
    const int32_t seen = end < item->kv_count ? end : item->kv_count;
    const float *q = args->q + ((size_t)row * (size_t)args->heads + (size_t)head) * DIM;
    float *out = partial_at(
        args, args->work->partials_first[row] + item->kv_begin / args->work->split, head);
    struct state state = {.max = (double)-INFINITY};
    for (int32_t i = 0; i < DIM; i++)
        state.q[i] = rounded(q[i]);
    for (int32_t key = 0; key < seen; key += TILE) {
        const int32_t range[2] = {key, key + TILE < seen ? key + TILE : seen};
        tile_add(args, item, head, range, &state);
    }
    for (int32_t i = 0; i < DIM; i++)
        out[i] = (float)state.out[i];
    out[DIM] = (float)state.max;
    out[DIM + 1] = (float)state.sum;
}

static void partials_merge(const struct attention_args *args, int32_t row, int32_t head,
                           float *y)
{
    const int32_t first = args->work->partials_first[row];
    const int32_t end = args->work->partials_first[row + 1];
    double max = (double)-INFINITY, sum = 0.0, out[DIM] = {0.0};
    for (int32_t p = first; p < end; p++)
        max = fmax(max, (double)partial_at(args, p, head)[DIM]);
    for (int32_t p = first; p < end; p++) {
        const float *partial = partial_at(args, p, head);
        const double factor = exp2((double)partial[DIM] - max);
        sum += factor * (double)partial[DIM + 1];
        for (int32_t i = 0; i < DIM; i++)
            out[i] += factor * (double)partial[i];
    }
    for (int32_t i = 0; i < DIM; i++)
        y[i] = (float)(out[i] / sum);
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
