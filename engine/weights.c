/*
 * weights - see weights.h.
 *
 * Names of GGUF tensors (n is the layer):
 *     token_embd.weight, output_norm.weight, output.weight (absent: tied to the embedding)
 *     blk.n.attn_norm.weight, blk.n.ffn_norm.weight
 *     blk.n.post_attention_norm.weight, blk.n.post_ffw_norm.weight (Gemma)
 *     blk.n.attn_{q,k,v,output}.weight, blk.n.attn_{q,k,v}.bias (where the model has them)
 *     blk.n.attn_{q,k}_norm.weight (of one head)
 *     blk.n.ffn_{gate,up,down}.weight
 *     NAME.scale beside a NAME.weight of type I8 (engine/int8_file.c)
 *     rope_freqs.weight: factors that divide the rope frequencies (Llama 3.1's scaling)
 *     rope_factors_{short,long}.weight: the same within the original context, and past it
 *
 * A file may have several matrices in one tensor (Phi), one's rows after another's:
 *     blk.n.attn_qkv.weight: q, k, v;  blk.n.ffn_up.weight of twice the rows: gate, up
 */
#include "engine/weights.h"

#include "engine/int8_file.h"
#include "engine/model_rope.h"
#include "engine/quant_report.h"
#include "kernels/weight_bf16.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VECTOR_ALIGN = 16 /* floats: one cache line */ };

/* What a load has at hand. */
struct loader {
    struct weights *weights;
    struct model *model;
    const struct gguf *gguf;
    struct device *device;
    size_t vectors_used;        /* floats */
    uint8_t *is_used;           /* [tensor_count] */
    struct quant_report report; /* precision int8: which matrices are not */
    bool is_int8_file;          /* those matrices were chosen, and made, before */
};

struct tensor_name {
    char text[GGUF_NAME_BYTES_MAX];
};

static struct tensor_name layer_name(int32_t layer, const char *suffix)
{
    struct tensor_name name;
    (void)snprintf(name.text, sizeof name.text, "blk.%d.%s", layer, suffix);
    return name;
}

/* The tensor of that name, or NULL; from now on it counts as used. */
static const struct gguf_tensor *use(struct loader *loader, const char *name)
{
    const struct gguf_tensor *tensor = gguf_find_tensor(loader->gguf, name);
    if (tensor)
        loader->is_used[tensor - loader->gguf->tensors] = 1;
    return tensor;
}

static size_t round_up(size_t floats)
{
    return (floats + VECTOR_ALIGN - 1) / VECTOR_ALIGN * VECTOR_ALIGN;
}

/* Room for every vector: as many floats as the file has in tensors of one dimension. */
static enum status alloc_vectors(struct loader *loader, struct error *err)
{
    size_t floats = 3 * round_up((size_t)loader->model->config.rope_dim / 2);
    for (uint32_t i = 0; i < loader->gguf->tensor_count; i++) {
        const struct gguf_tensor *tensor = &loader->gguf->tensors[i];
        if (tensor->dim_count == 1) /* cannot wrap: its values are in the file */
            floats += round_up((size_t)tensor->dims[0]);
    }
    struct weights *weights = loader->weights;
    const size_t bytes = floats * sizeof(float);
    weights->vectors_bytes = bytes;
    weights->vectors = device_alloc(loader->device, bytes);
    weights->here = device_is_host(loader->device) ? weights->vectors : calloc(1, bytes);
    size_t free_bytes, total_bytes;
    device_memory_bytes(loader->device, &free_bytes, &total_bytes);
    if (!weights->vectors || !weights->here)
        FAIL(err, ERR_MEMORY,
             "weights: need %zu bytes for norms and biases; %zu of the device's %zu are free",
             bytes, free_bytes, total_bytes);
    return OK;
}

/* Room for count floats, to be filled in host memory. */
static float *take_floats(struct loader *loader, int32_t count)
{
    float *floats = loader->weights->here + loader->vectors_used;
    loader->vectors_used += round_up((size_t)count);
    assert(loader->vectors_used * sizeof(float) <= loader->weights->vectors_bytes);
    return floats;
}

/* Where kernels find what take_floats gave. */
static const float *there(const struct loader *loader, const float *here)
{
    return loader->weights->vectors + (here - loader->weights->here);
}

static enum status upload_vectors(const struct loader *loader, struct error *err)
{
    const struct weights *weights = loader->weights;
    if (device_is_host(loader->device))
        return OK;
    const enum status status =
        device_upload(loader->device, weights->vectors, weights->here, weights->vectors_bytes);
    if (status != OK)
        FAIL(err, status, "weights: uploading %zu bytes of norms and biases failed",
             weights->vectors_bytes);
    return OK;
}

/* True for a matrix that stays as it is in precision int8: see quant_report.h. */
static bool is_kept(const struct loader *loader, const struct gguf_tensor *tensor)
{
    const struct quant_report_matrix *measured = quant_report_find(&loader->report, tensor);
    return loader->is_int8_file || (measured && measured->is_kept);
}

/* The form that such a matrix has. */
static enum weight_form kept_form(const struct loader *loader, const struct gguf_tensor *tensor)
{
    const bool is_bf16 = weight_bf16_is_available(loader->device) &&
                         tensor->dims[0] % WEIGHT_BF16_IN_DIM_UNIT == 0;
    return is_bf16 ? WEIGHT_FORM_BF16 : WEIGHT_STORED;
}

/* What the matrices will take on a device of its own memory, a little more for each. */
static uint64_t device_bytes(const struct loader *loader)
{
    enum { BESIDE_BYTES = 4096, PER_OUTPUT_BYTES = 8 }; /* scales of the int8 form, and more */
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < loader->gguf->tensor_count; i++) {
        const struct gguf_tensor *tensor = &loader->gguf->tensors[i];
        const bool is_embedding = text_equal(tensor->name, TEXT("token_embd.weight"));
        if (loader->model->precision == MODEL_EXACT || is_embedding)
            bytes += tensor->size;
        if (loader->model->precision == MODEL_EXACT || tensor->dim_count != 2)
            continue;
        if (is_embedding && gguf_find_tensor(loader->gguf, "output.weight"))
            continue; /* a head of its own */
        if (is_kept(loader, tensor) && tensor->type != WEIGHT_I8) {
            const bool is_bf16 = kept_form(loader, tensor) == WEIGHT_FORM_BF16;
            bytes += is_bf16 ? 2 * (uint64_t)(tensor->dims[0] * tensor->dims[1]) : tensor->size;
            continue;
        }
        bytes += (uint64_t)(tensor->dims[0] * tensor->dims[1]);
        bytes += (uint64_t)tensor->dims[1] * PER_OUTPUT_BYTES + BESIDE_BYTES;
    }
    return bytes;
}

/* Said before anything is made: loading takes its time. */
static enum status check_room(const struct loader *loader, struct error *err)
{
    if (device_is_host(loader->device))
        return OK;
    size_t free_bytes, total_bytes;
    const uint64_t wanted = device_bytes(loader);
    device_memory_bytes(loader->device, &free_bytes, &total_bytes);
    if (free_bytes > 0 && wanted > free_bytes)
        FAIL(err, ERR_MEMORY,
             "weights: need %llu bytes on the device; %zu of its %zu bytes are free",
             (unsigned long long)wanted, free_bytes, total_bytes);
    return OK;
}

/* *out = the vector's values as floats in host memory; NULL when the file has none of them. */
static enum status load_here(struct loader *loader, const char *name, int32_t count,
                             const float **out, struct error *err)
{
    const struct gguf_tensor *tensor = use(loader, name);
    *out = NULL;
    if (!tensor)
        return OK;
    if (tensor->dim_count != 1 || tensor->dims[0] != count)
        FAIL(err, ERR_FORMAT, "tensor %s: %u dimensions, the first %lld, must be one of %d",
             name, tensor->dim_count, (long long)tensor->dims[0], count);
    if (!weight_type_is_supported(tensor->type))
        FAIL(err, ERR_LIMIT, "tensor %s: type %s is not supported", name,
             weight_type_name(tensor->type));
    float *values = take_floats(loader, count);
    weight_dequantize(tensor->type, tensor->data, values, count);
    for (int32_t i = 0; i < count; i++) {
        if (!isfinite(values[i]))
            FAIL(err, ERR_FORMAT, "tensor %s: number %d is not finite", name, i);
    }
    *out = values;
    return OK;
}

/* The same, where kernels find it. */
static enum status load_optional(struct loader *loader, const char *name, int32_t count,
                                 const float **out, struct error *err)
{
    TRY(load_here(loader, name, count, out, err));
    if (*out)
        *out = there(loader, *out);
    return OK;
}

static enum status load_vector(struct loader *loader, const char *name, int32_t count,
                               const float **out, struct error *err)
{
    TRY(load_optional(loader, name, count, out, err));
    if (!*out)
        FAIL(err, ERR_FORMAT, "tensor %s: is missing", name);
    return OK;
}

/* A matrix wanted: outputs x inputs, in a form. */
struct matrix {
    const char *name;
    int32_t out_dim, in_dim;
    enum weight_form form;
    struct weight *weight;
    int32_t row_first, row_count; /* the tensor's rows, out_dim of them from row_first on; 0, 0:
                                     it has no others */
};

/* From the file's blocks. */
static enum status prepare_blocks(struct loader *loader, const struct matrix *matrix,
                                  const struct gguf_tensor *tensor, struct error *err)
{
    uint32_t block_elems, block_bytes;
    if (!weight_type_layout(tensor->type, &block_elems, &block_bytes))
        FAIL(err, ERR_LIMIT, "tensor %s: type number %u is not supported", matrix->name,
             (unsigned)tensor->type);
    const size_t row_bytes = (size_t)matrix->in_dim / block_elems * block_bytes;
    const struct weight_source source = {.name = matrix->name,
                                         .type = tensor->type,
                                         .out_dim = matrix->out_dim,
                                         .in_dim = matrix->in_dim,
                                         .data = tensor->data +
                                                 (size_t)matrix->row_first * row_bytes};
    enum weight_form form = matrix->form;
    if (form == WEIGHT_INT8 && is_kept(loader, tensor))
        form = kept_form(loader, tensor);
    return weight_prepare(loader->device, &source, form, matrix->weight, err);
}

/* From rows that are int8 already. */
static enum status prepare_rows(struct loader *loader, const struct matrix *matrix,
                                const struct gguf_tensor *tensor, struct error *err)
{
    const struct int8_file_name name = int8_file_scale_name(text_of(matrix->name));
    const struct gguf_tensor *scales = use(loader, name.text);
    if (!loader->is_int8_file)
        FAIL(err, ERR_FORMAT, "tensor %s: type I8 in a file without the key %s", matrix->name,
             INT8_FILE_KEY);
    if (matrix->form != WEIGHT_INT8)
        FAIL(err, ERR_LIMIT,
             "tensor %s: is int8 in this file, which precision int8 alone can read",
             matrix->name);
    if (!scales || scales->type != WEIGHT_F32 || scales->dim_count != 1 ||
        scales->dims[0] != tensor->dims[1])
        FAIL(err, ERR_FORMAT, "tensor %s: %s, must be %lld numbers of type F32", name.text,
             scales ? "has another shape" : "is missing", (long long)tensor->dims[1]);
    const size_t skip = (size_t)matrix->row_first;
    const struct weight_int8_source source = {
        .name = matrix->name,
        .type = WEIGHT_I8,
        .out_dim = matrix->out_dim,
        .in_dim = matrix->in_dim,
        .rows = (const int8_t *)tensor->data + skip * (size_t)matrix->in_dim,
        .scales = (const float *)(const void *)scales->data + skip};
    return weight_prepare_int8(loader->device, &source, matrix->weight, err);
}

static enum status load_matrix(struct loader *loader, const struct matrix *matrix,
                               struct error *err)
{
    const struct gguf_tensor *tensor = use(loader, matrix->name);
    const int32_t rows = matrix->row_count > 0 ? matrix->row_count : matrix->out_dim;
    if (!tensor)
        FAIL(err, ERR_FORMAT, "tensor %s: is missing", matrix->name);
    if (tensor->dim_count != 2 || tensor->dims[0] != matrix->in_dim || tensor->dims[1] != rows)
        FAIL(err, ERR_FORMAT, "tensor %s: %u dimensions, %lld x %lld, must be 2, %d x %d",
             matrix->name, tensor->dim_count, (long long)tensor->dims[0],
             (long long)tensor->dims[1], matrix->in_dim, rows);
    TRY(tensor->type == WEIGHT_I8 ? prepare_rows(loader, matrix, tensor, err)
                                  : prepare_blocks(loader, matrix, tensor, err));
    loader->model->weight_bytes += matrix->weight->data_bytes;
    return OK;
}

/* True where the layer's gate and up are rows of one tensor. */
static bool is_gate_in_up(const struct loader *loader, int32_t index)
{
    const char *up_name = "ffn_up.weight";
    const struct gguf_tensor *up =
        gguf_find_tensor(loader->gguf, layer_name(index, up_name).text);
    return up && up->dim_count == 2 && up->dims[1] == 2 * (int64_t)loader->model->config.ffn &&
           !gguf_find_tensor(loader->gguf, layer_name(index, "ffn_gate.weight").text);
}

static enum status load_matrices(struct loader *loader, int32_t index, struct error *err)
{
    const struct model_config *config = &loader->model->config;
    struct model_layer *layer = &loader->model->layers[index];
    const int32_t hidden = config->hidden, ffn = config->ffn;
    const int32_t q_dim = config->heads * config->head_dim;
    const int32_t kv_dim = config->kv_heads * config->head_dim;
    const bool is_qkv =
        gguf_find_tensor(loader->gguf, layer_name(index, "attn_qkv.weight").text) != NULL;
    const bool is_both = is_gate_in_up(loader, index);
    const int32_t all = is_qkv ? q_dim + 2 * kv_dim : 0, two = is_both ? 2 * ffn : 0;
    const struct {
        const char *suffix;
        int32_t out_dim, in_dim;
        struct weight *weight;
        int32_t first, count;
    } matrices[] = {
        {is_qkv ? "attn_qkv.weight" : "attn_q.weight", q_dim, hidden, &layer->q, 0, all},
        {is_qkv ? "attn_qkv.weight" : "attn_k.weight", kv_dim, hidden, &layer->k,
         is_qkv ? q_dim : 0, all},
        {is_qkv ? "attn_qkv.weight" : "attn_v.weight", kv_dim, hidden, &layer->v,
         is_qkv ? q_dim + kv_dim : 0, all},
        {"attn_output.weight", hidden, q_dim, &layer->o, 0, 0},
        {is_both ? "ffn_up.weight" : "ffn_gate.weight", ffn, hidden, &layer->gate, 0, two},
        {"ffn_up.weight", ffn, hidden, &layer->up, is_both ? ffn : 0, two},
        {"ffn_down.weight", hidden, ffn, &layer->down, 0, 0},
    };
    const enum weight_form form =
        loader->model->precision == MODEL_INT8 ? WEIGHT_INT8 : WEIGHT_STORED;
    for (size_t i = 0; i < sizeof matrices / sizeof matrices[0]; i++) {
        const struct tensor_name name = layer_name(index, matrices[i].suffix);
        const struct matrix matrix = {
            name.text,          matrices[i].out_dim, matrices[i].in_dim, form,
            matrices[i].weight, matrices[i].first,   matrices[i].count};
        TRY(load_matrix(loader, &matrix, err));
    }
    return OK;
}

static enum status load_layer(struct loader *loader, int32_t index, struct error *err)
{
    enum { OPTIONAL, NEEDED, UNKNOWN };
    const struct model_config *config = &loader->model->config;
    struct model_layer *layer = &loader->model->layers[index];
    const int32_t hidden = config->hidden, head_dim = config->head_dim;
    const int32_t q_dim = config->heads * head_dim, kv_dim = config->kv_heads * head_dim;
    const int post = config->has_post_norms ? NEEDED : UNKNOWN;
    const int of_head = config->has_qk_norm ? NEEDED : UNKNOWN;
    const struct {
        const char *suffix;
        int32_t count;
        int need;
        const float **values;
    } vectors[] = {
        {"attn_norm.weight", hidden, NEEDED, &layer->attn_norm},
        {"ffn_norm.weight", hidden, NEEDED, &layer->ffn_norm},
        {"post_attention_norm.weight", hidden, post, &layer->attn_post_norm},
        {"post_ffw_norm.weight", hidden, post, &layer->ffn_post_norm},
        {"attn_q_norm.weight", head_dim, of_head, &layer->q_norm},
        {"attn_k_norm.weight", head_dim, of_head, &layer->k_norm},
        {"attn_q.bias", q_dim, OPTIONAL, &layer->q_bias},
        {"attn_k.bias", kv_dim, OPTIONAL, &layer->k_bias},
        {"attn_v.bias", kv_dim, OPTIONAL, &layer->v_bias},
    };
    TRY(load_matrices(loader, index, err));
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        const struct tensor_name name = layer_name(index, vectors[i].suffix);
        if (vectors[i].need == NEEDED)
            TRY(load_vector(loader, name.text, vectors[i].count, vectors[i].values, err));
        if (vectors[i].need == OPTIONAL)
            TRY(load_optional(loader, name.text, vectors[i].count, vectors[i].values, err));
    }
    return OK;
}

/* Numbers that divide frequencies; NULL when the file has none of that name. */
static enum status load_factors(struct loader *loader, const char *name, const float **factors,
                                struct error *err)
{
    const int32_t pairs = loader->model->config.rope_dim / 2;
    TRY(load_here(loader, name, pairs, factors, err));
    for (int32_t k = 0; *factors && k < pairs; k++) {
        if (!((*factors)[k] > 0.0F))
            FAIL(err, ERR_FORMAT, "tensor %s: factor %d is %g, must be above 0", name, k,
                 (double)(*factors)[k]);
    }
    return OK;
}

static enum status load_rope(struct loader *loader, struct error *err)
{
    struct model *model = loader->model;
    const struct model_config *config = &model->config;
    const int32_t pairs = config->rope_dim / 2;
    const float *factors, *short_factors, *long_factors;
    TRY(load_factors(loader, "rope_freqs.weight", &factors, err));
    TRY(load_factors(loader, "rope_factors_short.weight", &short_factors, err));
    TRY(load_factors(loader, "rope_factors_long.weight", &long_factors, err));
    float *inv_freq = take_floats(loader, pairs);
    model_rope_fill(inv_freq, config, short_factors ? short_factors : factors);
    model->rope_inv_freq = inv_freq;
    model->rope_magnitude = model_rope_magnitude(config);
    if (long_factors) {
        inv_freq = take_floats(loader, pairs);
        model_rope_fill(inv_freq, config, long_factors);
        model->rope_long_inv_freq = inv_freq;
    }
    if (config->rope_local_theta > 0.0F) {
        inv_freq = take_floats(loader, pairs);
        model_rope_fill_local(inv_freq, config);
        model->rope_local_inv_freq = inv_freq;
    }
    return OK;
}

static enum status load_ends(struct loader *loader, struct error *err)
{
    struct model *model = loader->model;
    const struct model_config *config = &model->config;
    const bool is_tied = !gguf_find_tensor(loader->gguf, "output.weight");
    model->is_head_tied = is_tied;
    const struct matrix embed = {.name = "token_embd.weight",
                                 .out_dim = config->vocab,
                                 .in_dim = config->hidden,
                                 .form = WEIGHT_STORED,
                                 .weight = &model->embed};
    const struct matrix head = {.name = is_tied ? embed.name : "output.weight",
                                .out_dim = config->vocab,
                                .in_dim = config->hidden,
                                .form = model->precision == MODEL_INT8 ? WEIGHT_INT8
                                                                       : WEIGHT_STORED,
                                .weight = &model->head};
    TRY(load_matrix(loader, &embed, err));
    const struct gguf_tensor *tensor = gguf_find_tensor(loader->gguf, embed.name);
    const bool is_stored =
        head.form == WEIGHT_STORED ||
        (is_kept(loader, tensor) && kept_form(loader, tensor) == WEIGHT_STORED);
    if (is_tied && is_stored)
        model->head = model->embed; /* the same bytes */
    else
        TRY(load_matrix(loader, &head, err));
    return load_vector(loader, "output_norm.weight", config->hidden, &model->output_norm, err);
}

static enum status check_all_used(const struct loader *loader, struct error *err)
{
    for (uint32_t i = 0; i < loader->gguf->tensor_count; i++) {
        if (!loader->is_used[i])
            FAIL(err, ERR_LIMIT,
                 "tensor %s: architecture %s with %d layers has no place for it",
                 gguf_label(loader->gguf->tensors[i].name).text,
                 loader->model->config.architecture, loader->model->config.layers);
    }
    return OK;
}

static enum status load_all(struct loader *loader, struct error *err)
{
    TRY(int8_file_check(loader->gguf, &loader->is_int8_file, err));
    if (loader->model->precision == MODEL_INT8)
        TRY(quant_report_make(&loader->report, loader->gguf, loader->device, err));
    TRY(check_room(loader, err));
    TRY(alloc_vectors(loader, err));
    TRY(load_rope(loader, err));
    TRY(load_ends(loader, err));
    for (int32_t i = 0; i < loader->model->config.layers; i++)
        TRY(load_layer(loader, i, err));
    loader->model->weight_bytes += loader->weights->vectors_bytes;
    TRY(check_all_used(loader, err));
    return upload_vectors(loader, err);
}

enum status weights_load(struct weights *weights, struct model *model, const struct gguf *gguf,
                         struct device *device, struct error *err)
{
    struct loader loader = {.weights = weights, .model = model, .gguf = gguf, .device = device};
    model->layers = calloc((size_t)model->config.layers, sizeof model->layers[0]);
    loader.is_used = calloc((size_t)gguf->tensor_count + 1, 1);
    enum status status = OK;
    if (!model->layers || !loader.is_used)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__,
                           "weights: no room for %d layers", model->config.layers);
    if (status == OK)
        status = load_all(&loader, err);
    quant_report_deinit(&loader.report);
    free(loader.is_used);
    return status;
}

void weights_release(struct weights *weights, struct model *model, struct device *device)
{
    for (int32_t i = 0; model->layers && i < model->config.layers; i++) {
        struct model_layer *layer = &model->layers[i];
        struct weight *matrices[] = {&layer->q,    &layer->k,  &layer->v,   &layer->o,
                                     &layer->gate, &layer->up, &layer->down};
        for (size_t j = 0; j < sizeof matrices / sizeof matrices[0]; j++)
            weight_release(device, matrices[j]);
    }
    free(model->layers);
    model->layers = NULL;
    if (model->head.data != model->embed.data)
        weight_release(device, &model->head);
    weight_release(device, &model->embed);
    if (weights->here != weights->vectors)
        free(weights->here);
    if (weights->vectors)
        device_free(device, weights->vectors, weights->vectors_bytes);
    *weights = (struct weights){0};
}
