/*
 * forward - see forward.h. The pass, for a batch of rows (Llama 2, arXiv 2307.09288; Qwen2,
 * arXiv 2407.10671, adds biases to q, k and v; in brackets what Qwen3, arXiv 2505.09388, and
 * Gemma 2 and 3, arXiv 2408.00118 and 2503.19786, add):
 *
 *     x = embed[tokens] [* sqrt(hidden)]
 *     per layer:
 *         n = rmsnorm(x);  q, k, v = n Wq, n Wk, n Wv (+ bias)
 *         [each head of q and k normalised]; both turned by rope; k, v to the cache
 *         x += [rmsnorm](attention(q) Wo)
 *         n = rmsnorm(x);  x += [rmsnorm]((act(n Wgate) * (n Wup)) Wdown)
 *     logits = rmsnorm(x[head_rows]) Whead
 *
 * Layers differ in what they see (a window, or all) and in how, or whether, they are turned.
 * Where a branch is normalised before it is added, the sum is taken by the rmsnorm that reads
 * it next: of the feed-forward network, or of the layer after.
 *
 * Past the last layer's attention only the head rows matter: they are gathered there, and the
 * rest of that layer is computed for them alone (2-3 % of a prefill of 30 layers).
 *
 * Activations are written in whatever form the weights that read them want, F32 or int8.
 *
 * On an accelerator a step's arrays go up packed (batch_stage); decode steps are padded to few
 * shapes (batch_pad), and run as recorded graphs where the device has them (forward_graph). A
 * row may name its token as "what result i of the last sampling says": then the pass is given
 * to the device before the host knows that token.
 */
#include "engine/forward.h"

#include "engine/forward_buffers.h"
#include "kernels/sample_draw.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static enum status multiply(const struct forward *forward, const struct matmul_args *args)
{
    return forward->ops->matmul(forward->device, args);
}

/* Rows of the residual stream. */
struct stream {
    float *x;
    const struct activation *attended; /* what attention made of them */
    int32_t rows;
};

/* to = rmsnorm(x), of x + posted when something is still to be added. */
static enum status normalise(const struct forward *forward, const struct stream *stream,
                             bool is_pending, const float *weight, struct activation *to)
{
    const struct model_config *config = &forward->model->config;
    const struct rmsnorm_args norm = {
        .x = stream->x,
        .add = is_pending ? forward->buffers->posted.activation.f32 : NULL,
        .sum = is_pending ? stream->x : NULL,
        .weight = weight,
        .y = to,
        .row_count = stream->rows,
        .dim = config->hidden,
        .eps = config->rms_eps};
    return forward->ops->rmsnorm(forward->device, &norm);
}

/* x += from w; with a post norm posted = rmsnorm(from w), which is still to be added. */
static enum status finish_branch(const struct forward *forward, const struct stream *stream,
                                 const struct activation *from, const struct weight *w,
                                 const float *post_norm)
{
    struct forward_buffers *b = forward->buffers;
    const struct matmul_args product = {.x = from,
                                        .w = w,
                                        .y = post_norm ? b->branch.data : stream->x,
                                        .rows = stream->rows,
                                        .accumulate = post_norm == NULL};
    const struct stream branch = {b->branch.data, NULL, stream->rows};
    TRY(multiply(forward, &product));
    return post_norm ? normalise(forward, &branch, false, post_norm, &b->posted.activation)
                     : OK;
}

/* q, k, v of the layer over normed; q is turned, k and v go to the cache. */
static enum status project(const struct forward *forward, const struct batch *batch,
                           int32_t index)
{
    const struct model_config *config = &forward->model->config;
    const struct model_layer *layer = &forward->model->layers[index];
    const int kinds = config->layer_kinds[index];
    struct forward_buffers *b = forward->buffers;
    const int32_t rows = batch->row_count;
    const struct activation *normed = &b->normed.activation;
    const bool is_turned_locally = (kinds & MODEL_LAYER_LOCAL) && b->local_turns.data;
    const struct matmul_args q = {
        .x = normed, .w = &layer->q, .bias = layer->q_bias, .y = b->q.data, .rows = rows};
    const struct matmul_args k = {
        .x = normed, .w = &layer->k, .bias = layer->k_bias, .y = b->k.data, .rows = rows};
    const struct matmul_args v = {
        .x = normed, .w = &layer->v, .bias = layer->v_bias, .y = b->v.data, .rows = rows};
    const struct rope_args rope = {
        .q = b->q.data,
        .k = b->k.data,
        .v = b->v.data,
        .positions = batch->positions,
        .kv_pages = batch->kv_pages,
        .turns = is_turned_locally ? b->local_turns.data : b->turns.data,
        .q_norm = layer->q_norm,
        .k_norm = layer->k_norm,
        .norm_eps = config->rms_eps,
        .cache = &forward->cache,
        .rows = rows,
        .heads = config->heads,
        .layer = index,
        .rope_dim = kinds & MODEL_LAYER_NO_ROPE ? 0 : config->rope_dim,
        .interleaved = config->rope_interleaved};
    TRY(multiply(forward, &q));
    TRY(multiply(forward, &k));
    TRY(multiply(forward, &v));
    return forward->ops->rope_append(forward->device, &rope);
}

/* attended = attention of the layer over x. */
static enum status attend(const struct forward *forward, const struct batch *batch,
                          int32_t index)
{
    const struct model_config *config = &forward->model->config;
    struct forward_buffers *b = forward->buffers;
    const bool is_local = config->layer_kinds[index] & MODEL_LAYER_LOCAL;
    const struct stream stream = {b->x.data, NULL, batch->row_count};
    const struct attention_args attention = {.q = b->q.data,
                                             .positions = batch->positions,
                                             .work = &batch->work,
                                             .cache = &forward->cache,
                                             .partials = b->partials.data,
                                             .y = &b->attended.activation,
                                             .rows = batch->row_count,
                                             .heads = config->heads,
                                             .layer = index,
                                             .scale = config->attention_scale,
                                             .softcap = config->attention_softcap,
                                             .window = is_local ? config->window : 0};
    TRY(normalise(forward, &stream, config->has_post_norms && index > 0,
                  forward->model->layers[index].attn_norm, &b->normed.activation));
    TRY(project(forward, batch, index));
    return forward->ops->attention(forward->device, &attention);
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

/* True where one product makes gate and up: a kernel reads both in one form. */
static bool is_gate_fused(const struct forward *forward, const struct model_layer *layer)
{
    const struct weight *gate = &layer->gate, *up = &layer->up;
    const bool is_alike = gate->form != WEIGHT_STORED || gate->type == up->type;
    return forward->ops->fuses_gate && gate->form == up->form && is_alike;
}

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
    const bool is_fused = is_gate_fused(forward, layer);
    const struct matmul_args gate = {
        .x = normed, .w = &layer->gate, .y = b->gate.data, .rows = rows};
    const struct matmul_args up = {.x = normed,
                                   .w = &layer->up,
                                   .y = b->up.data,
                                   .rows = rows,
                                   .gate = is_fused ? &layer->gate : NULL,
                                   .gate_kind = config->gate_kind};
    const struct silu_mul_args act = {.kind = config->gate_kind,
                                      .gate = is_fused ? NULL : b->gate.data,
                                      .up = b->up.data,
                                      .y = &b->gated.activation,
                                      .rows = rows,
                                      .dim = config->ffn};
    TRY(finish_branch(forward, stream, stream->attended, &layer->o, layer->attn_post_norm));
    TRY(normalise(forward, stream, config->has_post_norms, layer->ffn_norm,
                  &b->normed.activation));
    if (!is_fused)
        TRY(multiply(forward, &gate));
    TRY(multiply(forward, &up));
    TRY(ops->silu_mul(forward->device, &act));
    return finish_branch(forward, stream, &b->gated.activation, &layer->down,
                         layer->ffn_post_norm);
}

static enum status predict(const struct forward *forward, const struct batch *batch)
{
    const struct model *model = forward->model;
    struct forward_buffers *b = forward->buffers;
    const struct stream stream = {b->head_x.data, NULL, batch->head_count};
    const struct matmul_args head = {.x = &b->last.activation,
                                     .w = &model->head,
                                     .y = b->logits.data,
                                     .rows = batch->head_count};
    TRY(normalise(forward, &stream, model->config.has_post_norms, model->output_norm,
                  &b->last.activation));
    return multiply(forward, &head);
}

/* What every batch must keep to; a breach is a fault of whoever built it. */
static void check_rows(const struct forward *forward, const struct batch *batch)
{
    const struct forward_limits *limits = &forward->limits;
    assert(batch->row_count >= 0 && batch->row_count <= limits->rows_max);
    assert(batch->head_count >= 0 && batch->head_count <= limits->head_max);
    assert(batch->work.partial_count <= limits->partials_max);
    for (int32_t r = 0; r < batch->row_count; r++) {
        assert(batch->tokens[r] >= EMBED_CHOSEN(forward->result_count - 1));
        assert(batch->kv_pages[r] >= 0 && batch->kv_pages[r] < limits->page_count);
        assert(batch->positions[r] >= 0 && batch->positions[r] < limits->positions_max);
    }
    for (int32_t i = 0; i < batch->head_count; i++)
        assert(batch->head_rows[i] >= 0 && batch->head_rows[i] < batch->row_count);
}

static void check_samples(const struct forward *forward, const struct batch *batch)
{
    assert(batch->sample_count >= 0 && batch->sample_count <= forward->limits.samples_max);
    for (int32_t i = 0; i < batch->sample_count; i++) {
        assert(batch->samples[i].logits_row >= 0);
        assert(batch->samples[i].logits_row < forward->head_count);
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
                                     .chosen = forward->buffers->results,
                                     .x = forward->buffers->x.data,
                                     .rows = batch->row_count,
                                     .scale = forward->model->config.embed_scale};
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

static enum status copy_pages(const struct forward *forward, const struct batch *batch,
                              struct error *err)
{
    if (batch->copy_count == 0)
        return OK;
    const struct kv_copy_args copy = {.cache = &forward->cache,
                                      .from = batch->copy_from,
                                      .to = batch->copy_to,
                                      .count = batch->copy_count};
    const enum status status = forward->ops->kv_copy(forward->device, &copy);
    if (status != OK)
        FAIL(err, status, "forward: copying %d KV pages failed", batch->copy_count);
    return OK;
}

/* The pass over arrays that kernels read. */
static enum status compute(const struct forward *forward, const struct batch *batch,
                           struct error *err)
{
    if (batch->row_count > 0)
        TRY(compute_rows(forward, batch, err));
    const enum status status = batch->head_count > 0 ? predict(forward, batch) : OK;
    if (status != OK)
        FAIL(err, status, "forward: the head failed on %d rows", batch->head_count);
    return OK;
}

/* Records the pass. False: something in it cannot be recorded; the device is well all the
 * same, and from now on every step is run op by op. */
static bool record(const struct forward *forward, const struct batch *up, uint32_t slot)
{
    struct forward_buffers *b = forward->buffers;
    bool is_recorded = device_graph_begin(forward->device) == OK;
    if (is_recorded) {
        const enum status computed = compute(forward, up, NULL);
        const enum status ended = device_graph_end(forward->device, slot);
        is_recorded = computed == OK && ended == OK;
    }
    b->graph.is_off = !is_recorded;
    if (is_recorded)
        forward_graph_recorded(&b->graph, slot);
    return is_recorded;
}

/* The pass over a padded batch, by a graph where one fits. */
static enum status replay(const struct forward *forward, const struct batch *up,
                          const struct batch_pad_shape *shape, struct error *err)
{
    struct forward_buffers *b = forward->buffers;
    uint32_t slot;
    /* A table that is not the device's own watches each op: it must be called. */
    const bool is_watched = forward->ops != ops_of(device_kind(forward->device));
    if (!device_graph_is_possible(forward->device) || b->graph.is_off || is_watched)
        return compute(forward, up, err);
    const enum forward_graph_state state = forward_graph_find(&b->graph, shape, &slot);
    if (state == FORWARD_GRAPH_NEW ||
        (state == FORWARD_GRAPH_SEEN && !record(forward, up, slot)))
        return compute(forward, up, err);
    const enum status status = device_graph_run(forward->device, slot);
    if (status != OK)
        FAIL(err, status, "forward: the graph of %d rows failed", shape->rows);
    return OK;
}

/* What the device reports tells more than where we noticed. */
static enum status told(const struct forward *forward, enum status status, struct error *err)
{
    struct error said;
    if (status == ERR_DEVICE && device_wait(forward->device, &said) != OK && err)
        *err = said;
    return status;
}

static enum status send_rows(struct forward *forward, const struct batch *batch,
                             struct error *err)
{
    struct forward_buffers *b = forward->buffers;
    struct batch padded;
    struct batch_pad_shape shape;
    const bool is_padded =
        !device_is_host(forward->device) && batch_pad_make(&b->pad, batch, &padded, &shape);
    TRY(batch_stage_rows(&b->stage, is_padded ? &padded : batch, &b->there, err));
    TRY(copy_pages(forward, &b->there, err));
    return is_padded ? replay(forward, &b->there, &shape, err)
                     : compute(forward, &b->there, err);
}

/* Of the last sampling's results, and of what lies up to the end of its tops. */
static size_t result_bytes(const struct forward *forward)
{
    const struct forward_buffers *b = forward->buffers;
    const size_t count = (size_t)forward->result_count;
    if (!forward->has_tops)
        return count * sizeof *b->results;
    return (size_t)forward->limits.samples_max * sizeof *b->results +
           count * SAMPLE_TOP_MAX * sizeof *b->tops;
}

static enum status send_samples(struct forward *forward, const struct batch *batch,
                                struct error *err)
{
    struct forward_buffers *b = forward->buffers;
    struct sample_args sample = {.logits = b->logits.data,
                                 .results = b->results,
                                 .tops = forward->has_tops ? b->tops : NULL,
                                 .vocab = forward->model->config.vocab,
                                 .softcap = forward->model->config.logit_softcap};
    enum status status = OK;
    for (int32_t first = 0; first < batch->sample_count && status == OK;) {
        TRY(batch_stage_samples(&b->stage, batch, first, &b->there, err));
        sample.rows = b->there.samples;
        sample.count = b->there.sample_count;
        status = forward->ops->sample(forward->device, &sample);
        first += sample.count;
        sample.results = b->results + first;
        sample.tops = forward->has_tops ? b->tops + (size_t)first * SAMPLE_TOP_MAX : NULL;
    }
    if (status == OK && !device_is_host(forward->device))
        status = device_fetch_begin(forward->device, b->results, result_bytes(forward));
    if (status != OK)
        FAIL(err, status, "forward: sampling of %d rows failed", batch->sample_count);
    return OK;
}

enum status forward_init(struct forward *forward, const struct model *model,
                         const struct ops *ops, struct device *device,
                         const struct forward_limits *limits, struct error *err)
{
    assert(limits->rows_max > 0 && limits->head_max > 0 && limits->partials_max > 0);
    assert(limits->page_count > 0 && limits->positions_max > 0);
    assert(limits->samples_max > 0 && limits->copies_max > 0);
    *forward =
        (struct forward){.model = model, .ops = ops, .device = device, .limits = *limits};
    forward->cache = (struct kv_cache){.type = limits->kv_type,
                                       .order = ops->kv_order,
                                       .layers = model->config.layers,
                                       .kv_heads = model->config.kv_heads,
                                       .head_dim = model->config.head_dim,
                                       .page_count = limits->page_count};
    return forward_buffers_make(forward, err);
}

void forward_deinit(struct forward *forward)
{
    forward_buffers_release(forward);
    *forward = (struct forward){0};
}

enum status forward_rows(struct forward *forward, const struct batch *batch, struct error *err)
{
    check_rows(forward, batch);
    forward->head_count = batch->head_count;
    forward->buffers->has_logits = false;
    return told(forward, send_rows(forward, batch, err), err);
}

enum status forward_samples(struct forward *forward, const struct batch *batch,
                            struct error *err)
{
    check_samples(forward, batch);
    forward->result_count = batch->sample_count;
    forward->has_tops = false;
    for (int32_t i = 0; i < batch->sample_count; i++)
        forward->has_tops |= batch->samples[i].top_count > 0;
    if (batch->sample_count == 0)
        return OK;
    return told(forward, send_samples(forward, batch, err), err);
}

enum status forward_results(struct forward *forward, struct sample_result *results,
                            struct error *err)
{
    struct forward_buffers *b = forward->buffers;
    const size_t bytes = result_bytes(forward);
    enum status status = OK;
    if (bytes == 0)
        return OK; /* nothing to wait for */
    if (!device_is_host(forward->device))
        status = device_fetch_end(forward->device, b->results_here, bytes);
    if (status != OK)
        error_set(err, status, __FILE__, __LINE__, "forward: %zu bytes of results did not come",
                  bytes);
    else
        memcpy(results, b->results_here, (size_t)forward->result_count * sizeof *results);
    return told(forward, status, err);
}

const struct sample_top *forward_tops(const struct forward *forward)
{
    const struct forward_buffers *b = forward->buffers;
    const struct sample_result *here = b->results_here;
    return forward->has_tops ? (const void *)(here + forward->limits.samples_max) : NULL;
}

enum status forward_run(struct forward *forward, const struct batch *batch,
                        struct sample_result *results, struct error *err)
{
    TRY(forward_rows(forward, batch, err));
    TRY(forward_samples(forward, batch, err));
    return forward_results(forward, results, err);
}

enum status forward_hidden(struct forward *forward, const float **hidden, struct error *err)
{
    struct forward_buffers *b = forward->buffers;
    const float *there = b->last.activation.f32;
    const size_t bytes =
        (size_t)forward->head_count * (size_t)forward->model->config.hidden * sizeof *there;
    *hidden = b->hidden_here;
    if (device_is_host(forward->device)) {
        *hidden = there;
        return OK;
    }
    const enum status status = device_download(forward->device, b->hidden_here, there, bytes);
    if (status != OK)
        error_set(err, status, __FILE__, __LINE__,
                  "forward: %zu bytes of hidden states did not come", bytes);
    return told(forward, status, err);
}

const float *forward_logits(struct forward *forward)
{
    struct forward_buffers *b = forward->buffers;
    const float softcap = forward->model->config.logit_softcap;
    const bool is_host = device_is_host(forward->device);
    if (is_host && softcap == 0.0F)
        return b->logits.data;
    if (b->has_logits)
        return b->logits_here;
    if (!b->logits_here)
        b->logits_here = malloc(b->logits.bytes);
    const size_t count = (size_t)forward->head_count * (size_t)forward->model->config.vocab;
    if (!b->logits_here)
        return NULL;
    if (is_host)
        memcpy(b->logits_here, b->logits.data, count * sizeof(float));
    else if (device_download(forward->device, b->logits_here, b->logits.data,
                             count * sizeof(float)) != OK)
        return NULL;
    for (size_t i = 0; softcap > 0.0F && i < count; i++)
        b->logits_here[i] = sample_draw_cap(b->logits_here[i], softcap);
    b->has_logits = true;
    return b->logits_here;
}
