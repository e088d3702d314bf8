/* forward_buffers - see forward_buffers.h. */
#include "engine/forward_buffers.h"

#include "base/checked.h"
#include "kernels/matmul_int8.h"

#include <assert.h>
#include <stdlib.h>

/* Counts on when there is no room, so that the message can say what all would have taken. */
struct allocator {
    struct device *device;
    size_t total;
    bool is_full;
};

static uint32_t form_of(const struct weight *weight)
{
    return weight->form == WEIGHT_INT8 ? ACTIVATION_INT8 : ACTIVATION_F32;
}

/* Device memory for rows x row_bytes. */
static void *alloc(struct allocator *allocator, int64_t rows, size_t row_bytes, size_t *bytes)
{
    assert(rows > 0);
    if (!checked_mul_size((size_t)rows, row_bytes, bytes) ||
        !checked_add_size(allocator->total, *bytes, &allocator->total)) {
        allocator->total = SIZE_MAX;
        allocator->is_full = true;
    }
    void *memory = allocator->is_full ? NULL : device_alloc(allocator->device, *bytes);
    if (!memory)
        allocator->is_full = true;
    return memory;
}

static void floats_alloc(struct forward_floats *floats, struct allocator *allocator,
                         int64_t rows, int64_t cols)
{
    floats->data = alloc(allocator, rows, (size_t)cols * sizeof(float), &floats->bytes);
}

static void panel_alloc(struct forward_panel *panel, struct allocator *allocator, int32_t rows)
{
    struct activation *a = &panel->activation;
    if (a->forms & ACTIVATION_F32)
        a->f32 = alloc(allocator, rows, (size_t)a->cols * sizeof(float), &panel->f32_bytes);
    if (a->forms & ACTIVATION_INT8) {
        a->stride = (a->cols + MATMUL_INT8_ALIGN - 1) / MATMUL_INT8_ALIGN * MATMUL_INT8_ALIGN;
        a->q8 = alloc(allocator, rows, (size_t)a->stride, &panel->q8_bytes);
        a->scales = alloc(allocator, rows, sizeof(float), &panel->scales_bytes);
    }
}

static void release(struct device *device, void *memory, size_t bytes)
{
    if (memory)
        device_free(device, memory, bytes);
}

static void panel_release(struct forward_panel *panel, struct device *device)
{
    release(device, panel->activation.f32, panel->f32_bytes);
    release(device, panel->activation.q8, panel->q8_bytes);
    release(device, panel->activation.scales, panel->scales_bytes);
}

/* The forms that the weights reading each activation want, over all layers. */
static void choose_forms(struct forward_buffers *buffers, const struct model *model)
{
    const struct model_config *config = &model->config;
    buffers->normed.activation.cols = config->hidden;
    buffers->posted.activation.cols = config->hidden;
    buffers->posted.activation.forms = config->has_post_norms ? ACTIVATION_F32 : 0;
    buffers->attended.activation.cols = config->heads * config->head_dim;
    buffers->gated.activation.cols = config->ffn;
    buffers->last.activation.cols = config->hidden;
    buffers->last.activation.forms = form_of(&model->head) | ACTIVATION_F32; /* to embed */
    buffers->head_attended.activation.cols = buffers->attended.activation.cols;
    for (int32_t i = 0; i < config->layers; i++) {
        const struct model_layer *layer = &model->layers[i];
        buffers->normed.activation.forms |= form_of(&layer->q) | form_of(&layer->k) |
                                            form_of(&layer->v) | form_of(&layer->gate) |
                                            form_of(&layer->up);
        buffers->attended.activation.forms |= form_of(&layer->o);
        buffers->gated.activation.forms |= form_of(&layer->down);
        buffers->head_attended.activation.forms = form_of(&layer->o); /* the last layer's */
    }
}

static void alloc_all(struct forward *forward, struct allocator *allocator)
{
    const struct model_config *config = &forward->model->config;
    const struct forward_limits *limits = &forward->limits;
    struct forward_buffers *b = forward->buffers;
    const int32_t rows = limits->rows_max;
    const int64_t kv_dim = (int64_t)config->kv_heads * config->head_dim;
    const int64_t partial_floats =
        attention_partial_floats(limits->partials_max, config->heads, config->head_dim);
    choose_forms(b, forward->model);
    forward->cache.data = alloc(allocator, limits->page_count,
                                kv_layout_page_bytes(&forward->cache), &b->cache_bytes);
    floats_alloc(&b->turns, allocator, limits->positions_max, config->rope_dim);
    floats_alloc(&b->x, allocator, rows, config->hidden);
    floats_alloc(&b->head_x, allocator, limits->head_max, config->hidden);
    floats_alloc(&b->q, allocator, rows, b->attended.activation.cols);
    floats_alloc(&b->k, allocator, rows, kv_dim);
    floats_alloc(&b->v, allocator, rows, kv_dim);
    floats_alloc(&b->gate, allocator, rows, config->ffn);
    floats_alloc(&b->up, allocator, rows, config->ffn);
    floats_alloc(&b->partials, allocator, partial_floats, 1);
    floats_alloc(&b->logits, allocator, limits->head_max, config->vocab);
    if (forward->model->rope_local_inv_freq)
        floats_alloc(&b->local_turns, allocator, limits->positions_max, config->rope_dim);
    if (config->has_post_norms)
        floats_alloc(&b->branch, allocator, rows, config->hidden);
    panel_alloc(&b->posted, allocator, rows); /* without post norms it has no form */
    panel_alloc(&b->normed, allocator, rows);
    panel_alloc(&b->attended, allocator, rows);
    panel_alloc(&b->gated, allocator, rows);
    panel_alloc(&b->head_attended, allocator, limits->head_max);
    panel_alloc(&b->last, allocator, limits->head_max);
    b->results =
        alloc(allocator, limits->samples_max,
              sizeof *b->results + SAMPLE_TOP_MAX * sizeof *b->tops, &b->results_bytes);
    if (b->results)
        b->tops = (void *)(b->results + limits->samples_max);
}

static enum status fill_turns(const struct forward *forward, const struct forward_floats *turns,
                              const struct rope_turns *from, struct error *err)
{
    const bool is_host = device_is_host(forward->device);
    float *here = is_host ? turns->data : malloc(turns->bytes);
    if (!here)
        FAIL(err, ERR_MEMORY, "forward: no room for %zu bytes of rope turns", turns->bytes);
    rope_turns_fill(here, from);
    if (is_host)
        return OK;
    const enum status status = device_upload(forward->device, turns->data, here, turns->bytes);
    free(here);
    if (status != OK)
        FAIL(err, status, "forward: uploading %zu bytes of rope turns failed", turns->bytes);
    return OK;
}

static enum status fill_all_turns(const struct forward *forward, struct error *err)
{
    const struct model *model = forward->model;
    const int32_t positions = forward->limits.positions_max;
    const bool is_long = model->rope_long_inv_freq && positions > model->config.rope_original;
    const struct rope_turns turns = {is_long ? model->rope_long_inv_freq : model->rope_inv_freq,
                                     model->rope_magnitude, model->config.rope_dim, positions};
    const struct rope_turns local = {model->rope_local_inv_freq, 1.0F, model->config.rope_dim,
                                     positions};
    TRY(fill_turns(forward, &forward->buffers->turns, &turns, err));
    return local.inv_freq ? fill_turns(forward, &forward->buffers->local_turns, &local, err)
                          : OK;
}

static enum status make_stage(struct forward *forward, struct error *err)
{
    const struct forward_limits *limits = &forward->limits;
    const struct batch_stage_limits stage = {.rows_max = limits->rows_max,
                                             .heads_max = limits->head_max,
                                             .samples_max = limits->samples_max,
                                             .copies_max = limits->copies_max,
                                             .partials_max = limits->partials_max,
                                             .split = forward->ops->attention_split,
                                             .vocab = forward->model->config.vocab};
    const struct batch_pad_limits pad = {.rows_max = limits->rows_max,
                                         .heads_max = limits->head_max,
                                         .partials_max = limits->partials_max};
    struct forward_buffers *b = forward->buffers;
    const bool is_host = device_is_host(forward->device);
    b->results_here = is_host ? b->results : malloc(b->results_bytes);
    if (!b->results_here)
        FAIL(err, ERR_MEMORY, "forward: no room for %zu bytes of results", b->results_bytes);
    if (!is_host && b->results_bytes > DEVICE_FETCH_BYTES)
        FAIL(err, ERR_LIMIT, "forward: %d results take %zu bytes, one fetch has %d",
             limits->samples_max, b->results_bytes, DEVICE_FETCH_BYTES);
    const size_t hidden_bytes =
        (size_t)limits->head_max * (size_t)forward->model->config.hidden * sizeof(float);
    b->hidden_here = is_host ? NULL : malloc(hidden_bytes);
    if (!is_host && !b->hidden_here)
        FAIL(err, ERR_MEMORY, "forward: no room for %zu bytes of hidden states", hidden_bytes);
    TRY(batch_stage_init(&b->stage, forward->device, &stage, err));
    return is_host ? OK : batch_pad_init(&b->pad, &pad, err);
}

static enum status make_all(struct forward *forward, struct error *err)
{
    const struct forward_limits *limits = &forward->limits;
    struct allocator allocator = {.device = forward->device};
    alloc_all(forward, &allocator);
    if (!allocator.is_full) {
        TRY(make_stage(forward, err));
        return fill_all_turns(forward, err);
    }
    size_t free_bytes, total_bytes;
    forward_buffers_release(forward);
    device_memory_bytes(forward->device, &free_bytes, &total_bytes);
    FAIL(err, ERR_MEMORY,
         "forward: needs %zu bytes for %d rows, %d logits rows, %d partials and %d KV pages; "
         "%zu of %zu are free",
         allocator.total, limits->rows_max, limits->head_max, limits->partials_max,
         limits->page_count, free_bytes, total_bytes);
}

enum status forward_buffers_make(struct forward *forward, struct error *err)
{
    forward->buffers = calloc(1, sizeof *forward->buffers);
    if (!forward->buffers)
        FAIL(err, ERR_MEMORY, "forward: no room for %zu bytes", sizeof *forward->buffers);
    const enum status status = make_all(forward, err);
    if (status != OK)
        forward_buffers_release(forward);
    return status;
}

void forward_buffers_release(struct forward *forward)
{
    struct forward_buffers *b = forward->buffers;
    struct device *device = forward->device;
    if (!b)
        return;
    struct forward_floats *all[] = {&b->x,        &b->q,      &b->k,      &b->v,
                                    &b->gate,     &b->up,     &b->turns,  &b->local_turns,
                                    &b->partials, &b->logits, &b->branch, &b->head_x};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        release(device, all[i]->data, all[i]->bytes);
    panel_release(&b->normed, device);
    panel_release(&b->posted, device);
    panel_release(&b->attended, device);
    panel_release(&b->gated, device);
    panel_release(&b->head_attended, device);
    panel_release(&b->last, device);
    if (b->results_here != b->results)
        free(b->results_here);
    release(device, b->results, b->results_bytes);
    release(device, forward->cache.data, b->cache_bytes);
    batch_stage_deinit(&b->stage);
    batch_pad_deinit(&b->pad);
    free(b->logits_here);
    free(b->hidden_here);
    free(b);
    forward->buffers = NULL;
    forward->cache.data = NULL;
}
