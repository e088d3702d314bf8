/*
 * forward - see forward.h. The pass, for a batch of rows (Llama 2, arXiv 2307.09288; Qwen2,
 * arXiv 2407.10671, adds biases to q, k and v):
 *
 *     x = embed[tokens]
 *     per layer:
 *         n = rmsnorm(x);  q, k, v = n Wq, n Wk, n Wv (+ bias)
 *         q, k turned by rope; k, v to the cache
 *         x += attention(q) Wo
 *         n = rmsnorm(x);  x += (silu(n Wgate) * (n Wup)) Wdown
 *     logits = rmsnorm(x[head_rows]) Whead
 *
 * Past the last layer's attention only the head rows matter: they are gathered there, and the
 * rest of that layer is computed for them alone (2-3 % of a prefill of 30 layers).
 *
 * Activations are written in whatever form the weights that read them want, F32 or int8.
 */
#include "engine/forward.h"

#include "base/checked.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* An activation and the device memory behind it. */
struct panel {
    struct activation activation;
    size_t f32_bytes, q8_bytes, scales_bytes;
};

struct floats {
    float *data;
    size_t bytes;
};

struct forward_buffers {
    struct floats x, q, k, v, gate, up, partials, logits;
    struct floats turns;        /* [positions][2][rope_dim / 2] */
    struct floats head_x;       /* [head rows, hidden]: of x, those whose logits are wanted */
    struct panel head_attended; /* of attended, the same rows */
    struct panel normed;        /* [rows, hidden]: what q, k, v, gate and up read */
    struct panel attended;      /* [rows, heads * head_dim]: what o reads */
    struct panel gated;         /* [rows, ffn]: what down reads */
    struct panel last;          /* [head rows, hidden]: what the head reads */
    size_t cache_bytes;
};

static uint32_t form_of(const struct weight *weight)
{
    return weight->form == WEIGHT_INT8 ? ACTIVATION_INT8 : ACTIVATION_F32;
}

/* Device memory for rows x cols elements; adds its bytes to *total. */
static void *alloc(struct device *device, int64_t rows, size_t row_bytes, size_t *bytes,
                   size_t *total)
{
    assert(rows > 0);
    size_t sum;
    if (!checked_mul_size((size_t)rows, row_bytes, bytes) ||
        !checked_add_size(*total, *bytes, &sum))
        return NULL;
    *total = sum;
    return device_alloc(device, *bytes);
}

static bool floats_alloc(struct floats *floats, struct device *device, int64_t rows,
                         int64_t cols, size_t *total)
{
    floats->data = alloc(device, rows, (size_t)cols * sizeof(float), &floats->bytes, total);
    return floats->data;
}

static bool panel_alloc(struct panel *panel, struct device *device, int32_t rows, size_t *total)
{
    struct activation *a = &panel->activation;
    bool is_there = true;
    if (a->forms & ACTIVATION_F32) {
        a->f32 = alloc(device, rows, (size_t)a->cols * sizeof(float), &panel->f32_bytes, total);
        is_there = a->f32 != NULL;
    }
    if (a->forms & ACTIVATION_INT8) {
        a->stride = (a->cols + 63) / 64 * 64;
        a->q8 = alloc(device, rows, (size_t)a->stride, &panel->q8_bytes, total);
        a->scales = alloc(device, rows, sizeof(float), &panel->scales_bytes, total);
        is_there = is_there && a->q8 && a->scales;
    }
    return is_there;
}

static void release(struct device *device, void *memory, size_t bytes)
{
    if (memory)
        device_free(device, memory, bytes);
}

static void panel_release(struct panel *panel, struct device *device)
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
    buffers->attended.activation.cols = config->heads * config->head_dim;
    buffers->gated.activation.cols = config->ffn;
    buffers->last.activation.cols = config->hidden;
    buffers->last.activation.forms = form_of(&model->head);
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

/* All buffers; false when one has no room. *total says what was asked for until then. */
static bool alloc_all(struct forward *forward, size_t *total)
{
    const struct model_config *config = &forward->model->config;
    const struct forward_limits *limits = &forward->limits;
    struct forward_buffers *b = forward->buffers;
    struct device *device = forward->device;
    const int32_t rows = limits->rows_max;
    const int64_t kv_dim = (int64_t)config->kv_heads * config->head_dim;
    const int64_t partial_floats =
        attention_partial_floats(limits->partials_max, config->heads, config->head_dim);
    choose_forms(b, forward->model);
    forward->cache.data = alloc(device, limits->page_count,
                                kv_layout_page_bytes(&forward->cache), &b->cache_bytes, total);
    return forward->cache.data &&
           floats_alloc(&b->turns, device, limits->positions_max, config->rope_dim, total) &&
           floats_alloc(&b->x, device, rows, config->hidden, total) &&
           floats_alloc(&b->head_x, device, limits->head_max, config->hidden, total) &&
           floats_alloc(&b->q, device, rows, b->attended.activation.cols, total) &&
           floats_alloc(&b->k, device, rows, kv_dim, total) &&
           floats_alloc(&b->v, device, rows, kv_dim, total) &&
           floats_alloc(&b->gate, device, rows, config->ffn, total) &&
           floats_alloc(&b->up, device, rows, config->ffn, total) &&
           floats_alloc(&b->partials, device, partial_floats, 1, total) &&
           floats_alloc(&b->logits, device, limits->head_max, config->vocab, total) &&
           panel_alloc(&b->normed, device, rows, total) &&
           panel_alloc(&b->attended, device, rows, total) &&
           panel_alloc(&b->gated, device, rows, total) &&
           panel_alloc(&b->head_attended, device, limits->head_max, total) &&
           panel_alloc(&b->last, device, limits->head_max, total);
}

enum status forward_init(struct forward *forward, const struct model *model,
                         const struct ops *ops, struct device *device,
                         const struct forward_limits *limits, struct error *err)
{
    assert(limits->rows_max > 0 && limits->head_max > 0 && limits->partials_max > 0);
    assert(limits->page_count > 0 && limits->positions_max > 0);
    *forward =
        (struct forward){.model = model, .ops = ops, .device = device, .limits = *limits};
    forward->cache = (struct kv_cache){.type = limits->kv_type,
                                       .layers = model->config.layers,
                                       .kv_heads = model->config.kv_heads,
                                       .head_dim = model->config.head_dim,
                                       .page_count = limits->page_count};
    forward->cache.order = ops->kv_order;
    forward->buffers = calloc(1, sizeof *forward->buffers);
    size_t total = sizeof *forward->buffers;
    if (forward->buffers && alloc_all(forward, &total)) {
        rope_turns_fill(forward->buffers->turns.data, model->rope_inv_freq,
                        model->config.rope_dim, limits->positions_max);
        return OK;
    }
    forward_deinit(forward);
    FAIL(err, ERR_MEMORY,
         "forward: no room for %zu bytes (%d rows, %d logits rows, %d partials, %d KV pages)",
         total, limits->rows_max, limits->head_max, limits->partials_max, limits->page_count);
}

void forward_deinit(struct forward *forward)
{
    struct forward_buffers *b = forward->buffers;
    struct device *device = forward->device;
    if (b) {
        struct floats *all[] = {&b->x,  &b->q,        &b->k,      &b->v,     &b->gate,
                                &b->up, &b->partials, &b->logits, &b->turns, &b->head_x};
        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
            release(device, all[i]->data, all[i]->bytes);
        panel_release(&b->normed, device);
        panel_release(&b->attended, device);
        panel_release(&b->gated, device);
        panel_release(&b->head_attended, device);
        panel_release(&b->last, device);
        release(device, forward->cache.data, b->cache_bytes);
    }
    free(b);
    *forward = (struct forward){0};
}

static enum status multiply(const struct forward *forward, const struct matmul_args *args)
{
    return forward->ops->matmul(forward->device, args);
}

/* attended = attention of the layer over x. */
static enum status attend(const struct forward *forward, const struct batch *batch,
                          int32_t index)
{
    const struct ops *ops = forward->ops;
    const struct model_config *config = &forward->model->config;
    const struct model_layer *layer = &forward->model->layers[index];
    struct forward_buffers *b = forward->buffers;
    const int32_t rows = batch->row_count;
    const struct activation *normed = &b->normed.activation;
    const struct rmsnorm_args norm = {.x = b->x.data,
                                      .weight = layer->attn_norm,
                                      .y = &b->normed.activation,
                                      .row_count = rows,
                                      .dim = config->hidden,
                                      .eps = config->rms_eps};
    const struct matmul_args q = {
        .x = normed, .w = &layer->q, .bias = layer->q_bias, .y = b->q.data, .rows = rows};
    const struct matmul_args k = {
        .x = normed, .w = &layer->k, .bias = layer->k_bias, .y = b->k.data, .rows = rows};
    const struct matmul_args v = {
        .x = normed, .w = &layer->v, .bias = layer->v_bias, .y = b->v.data, .rows = rows};
    const struct rope_args rope = {.q = b->q.data,
                                   .k = b->k.data,
                                   .v = b->v.data,
                                   .positions = batch->positions,
                                   .kv_pages = batch->kv_pages,
                                   .turns = b->turns.data,
                                   .cache = &forward->cache,
                                   .rows = rows,
                                   .heads = config->heads,
                                   .layer = index,
                                   .rope_dim = config->rope_dim,
                                   .interleaved = config->rope_interleaved};
    const struct attention_args attention = {.q = b->q.data,
                                             .positions = batch->positions,
                                             .work = &batch->work,
                                             .cache = &forward->cache,
                                             .partials = b->partials.data,
                                             .y = &b->attended.activation,
                                             .rows = rows,
                                             .heads = config->heads,
                                             .layer = index,
                                             .scale = config->attention_scale};
    TRY(ops->rmsnorm(forward->device, &norm));
    TRY(multiply(forward, &q));
    TRY(multiply(forward, &k));
    TRY(multiply(forward, &v));
    TRY(ops->rope_append(forward->device, &rope));
    return ops->attention(forward->device, &attention);
}

/* head_x, head_attended = the head rows of x and attended. */
static enum status gather_heads(const struct forward *forward, const struct batch *batch)
{
    struct forward_buffers *b = forward->buffers;
    const struct gather_args args = {.x = b->x.data,
                                     .to_x = b->head_x.data,
                                     .from = &b->attended.activation,
                                     .to = &b->head_attended.activation,
                                     .rows = batch->head_rows,
                                     .row_count = batch->head_count,
                                     .dim = forward->model->config.hidden};
    return forward->ops->gather(forward->device, &args);
}

/* Rows of the residual stream and what attention made of them. */
struct stream {
    float *x;
    const struct activation *attended;
    int32_t rows;
};

/* x += attended Wo, then the layer's gated feed-forward network. */
static enum status feed_forward(const struct forward *forward, const struct stream *stream,
                                int32_t index)
{
    const int32_t rows = stream->rows;
    const struct ops *ops = forward->ops;
    const struct model_config *config = &forward->model->config;
    const struct model_layer *layer = &forward->model->layers[index];
    struct forward_buffers *b = forward->buffers;
    const struct activation *normed = &b->normed.activation;
    const struct matmul_args o = {.x = stream->attended,
                                  .w = &layer->o,
                                  .y = stream->x,
                                  .rows = rows,
                                  .accumulate = true};
    const struct rmsnorm_args norm = {.x = stream->x,
                                      .weight = layer->ffn_norm,
                                      .y = &b->normed.activation,
                                      .row_count = rows,
                                      .dim = config->hidden,
                                      .eps = config->rms_eps};
    const struct matmul_args gate = {
        .x = normed, .w = &layer->gate, .y = b->gate.data, .rows = rows};
    const struct matmul_args up = {.x = normed, .w = &layer->up, .y = b->up.data, .rows = rows};
    const struct silu_mul_args silu = {.gate = b->gate.data,
                                       .up = b->up.data,
                                       .y = &b->gated.activation,
                                       .rows = rows,
                                       .dim = config->ffn};
    const struct matmul_args down = {.x = &b->gated.activation,
                                     .w = &layer->down,
                                     .y = stream->x,
                                     .rows = rows,
                                     .accumulate = true};
    TRY(multiply(forward, &o));
    TRY(ops->rmsnorm(forward->device, &norm));
    TRY(multiply(forward, &gate));
    TRY(multiply(forward, &up));
    TRY(ops->silu_mul(forward->device, &silu));
    return multiply(forward, &down);
}

static enum status predict(const struct forward *forward, const struct batch *batch)
{
    const struct model *model = forward->model;
    struct forward_buffers *b = forward->buffers;
    const struct rmsnorm_args norm = {.x = b->head_x.data,
                                      .weight = model->output_norm,
                                      .y = &b->last.activation,
                                      .row_count = batch->head_count,
                                      .dim = model->config.hidden,
                                      .eps = model->config.rms_eps};
    const struct matmul_args head = {.x = &b->last.activation,
                                     .w = &model->head,
                                     .y = b->logits.data,
                                     .rows = batch->head_count};
    TRY(forward->ops->rmsnorm(forward->device, &norm));
    return multiply(forward, &head);
}

/* What every batch must keep to; a breach is a fault of whoever built it. */
static void check_batch(const struct forward *forward, const struct batch *batch)
{
    const struct forward_limits *limits = &forward->limits;
    assert(batch->row_count >= 0 && batch->row_count <= limits->rows_max);
    assert(batch->head_count >= 0 && batch->head_count <= limits->head_max);
    assert(batch->work.partial_count <= limits->partials_max);
    for (int32_t r = 0; r < batch->row_count; r++) {
        assert(batch->kv_pages[r] >= 0 && batch->kv_pages[r] < limits->page_count);
        assert(batch->positions[r] >= 0 && batch->positions[r] < limits->positions_max);
    }
    for (int32_t i = 0; i < batch->head_count; i++)
        assert(batch->head_rows[i] >= 0 && batch->head_rows[i] < batch->row_count);
    for (int32_t i = 0; i < batch->sample_count; i++) {
        assert(batch->samples[i].logits_row >= 0);
        assert(batch->samples[i].logits_row < batch->head_count);
    }
}

static enum status compute_layer(const struct forward *forward, const struct batch *batch,
                                 int32_t index)
{
    struct forward_buffers *b = forward->buffers;
    struct stream stream = {b->x.data, &b->attended.activation, batch->row_count};
    TRY(attend(forward, batch, index));
    if (index == forward->model->config.layers - 1) {
        if (batch->head_count == 0)
            return OK;
        TRY(gather_heads(forward, batch));
        stream =
            (struct stream){b->head_x.data, &b->head_attended.activation, batch->head_count};
    }
    return feed_forward(forward, &stream, index);
}

static enum status compute_rows(const struct forward *forward, const struct batch *batch,
                                struct error *err)
{
    const struct embed_args embed = {.table = &forward->model->embed,
                                     .tokens = batch->tokens,
                                     .x = forward->buffers->x.data,
                                     .rows = batch->row_count};
    enum status status = forward->ops->embed(forward->device, &embed);
    if (status != OK)
        FAIL(err, status, "forward: the embedding of %d rows failed", batch->row_count);
    for (int32_t i = 0; i < forward->model->config.layers && status == OK; i++) {
        status = compute_layer(forward, batch, i);
        if (status != OK)
            FAIL(err, status, "forward: layer %d failed on %d rows", i, batch->row_count);
    }
    return OK;
}

static enum status compute_heads(const struct forward *forward, const struct batch *batch,
                                 struct sample_result *results, struct error *err)
{
    enum status status = predict(forward, batch);
    if (status != OK)
        FAIL(err, status, "forward: the head failed on %d rows", batch->head_count);
    if (batch->sample_count == 0)
        return OK;
    const struct sample_args sample = {.logits = forward->buffers->logits.data,
                                       .rows = batch->samples,
                                       .results = results,
                                       .count = batch->sample_count,
                                       .vocab = forward->model->config.vocab};
    status = forward->ops->sample(forward->device, &sample);
    if (status != OK)
        FAIL(err, status, "forward: sampling of %d rows failed", batch->sample_count);
    return OK;
}

enum status forward_run(struct forward *forward, const struct batch *batch,
                        struct sample_result *results, struct error *err)
{
    check_batch(forward, batch);
    if (batch->copy_count > 0) {
        const struct kv_copy_args copy = {.cache = &forward->cache,
                                          .from = batch->copy_from,
                                          .to = batch->copy_to,
                                          .count = batch->copy_count};
        const enum status status = forward->ops->kv_copy(forward->device, &copy);
        if (status != OK)
            FAIL(err, status, "forward: copying %d KV pages failed", batch->copy_count);
    }
    if (batch->row_count > 0)
        TRY(compute_rows(forward, batch, err));
    return batch->head_count > 0 ? compute_heads(forward, batch, results, err) : OK;
}

const float *forward_logits(const struct forward *forward)
{
    return forward->buffers->logits.data;
}
