/*
 * weight - number formats of model files by name and size, and the making of our int8 form.
 *
 * The int8 form is made panel by panel (matmul_int8.h), one task each: a row is dequantized
 * into scratch, rotated, scaled and rounded exactly as an activation row is, then put in its
 * place in the panel.
 */
#include "kernels/weight.h"

#include "base/checked.h"
#include "kernels/activation.h"
#include "kernels/matmul.h"
#include "kernels/matmul_int8.h"

#include <assert.h>
#include <string.h>

struct type_info {
    uint32_t type;
    const char *name;
    uint32_t block_elems, block_bytes;
};

/* Every type here has its case in weight_dequantize. */
static const struct type_info types[] = {
    {WEIGHT_F32, "F32", 1, 4},       {WEIGHT_F16, "F16", 1, 2},
    {WEIGHT_BF16, "BF16", 1, 2},     {WEIGHT_Q4_0, "Q4_0", 32, 18},
    {WEIGHT_Q4_1, "Q4_1", 32, 20},   {WEIGHT_Q5_0, "Q5_0", 32, 22},
    {WEIGHT_Q5_1, "Q5_1", 32, 24},   {WEIGHT_Q8_0, "Q8_0", 32, 34},
    {WEIGHT_Q2_K, "Q2_K", 256, 84},  {WEIGHT_Q3_K, "Q3_K", 256, 110},
    {WEIGHT_Q4_K, "Q4_K", 256, 144}, {WEIGHT_Q5_K, "Q5_K", 256, 176},
    {WEIGHT_Q6_K, "Q6_K", 256, 210},
};

struct pack_job {
    struct device *device;
    const struct weight_source *source;
    size_t row_bytes; /* of the source */
    int8_t *data;
    float *scales;
    int32_t *sums;
};

static const struct type_info *type_find(uint32_t type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].type == type)
            return &types[i];
    }
    return NULL;
}

/* Bytes of scales and of sums: whole panels, so that a kernel may load past out_dim. */
static size_t lanes_padded_bytes(int32_t out_dim)
{
    static_assert(sizeof(float) == sizeof(int32_t), "one size for scales and sums");
    return (size_t)matmul_int8_panels(out_dim) * MATMUL_INT8_PANEL * sizeof(float);
}

/* Scratch of one task: the row as floats, then as int8. */
static size_t pack_scratch_bytes(int32_t in_dim)
{
    const size_t padded = (size_t)matmul_int8_depth(in_dim);
    return padded * sizeof(float) + padded;
}

static void pack_panel(void *context, int32_t panel, uint32_t worker)
{
    const struct pack_job *job = context;
    const struct weight_source *source = job->source;
    const int32_t depth = matmul_int8_depth(source->in_dim);
    float *row = device_scratch(job->device, worker);
    const struct activation quantized = {
        .cols = source->in_dim, .q8 = (int8_t *)(row + depth), .stride = depth};
    const int32_t first = panel * MATMUL_INT8_PANEL;
    for (int32_t lane = 0; lane < MATMUL_INT8_PANEL; lane++) {
        const int32_t out = first + lane;
        if (out >= source->out_dim)
            return; /* the rest of the last panel stays zero */
        struct activation one = quantized;
        one.scales = job->scales + out;
        const uint8_t *blocks = (const uint8_t *)source->data + (size_t)out * job->row_bytes;
        weight_dequantize(source->type, blocks, row, source->in_dim);
        activation_quantize(&one, 0, row);
        int8_t *place = job->data + (size_t)panel * MATMUL_INT8_PANEL * (size_t)depth;
        job->sums[out] = matmul_int8_pack(one.q8, depth, lane, place);
    }
}

static enum status source_check(const struct weight_source *source, size_t *row_bytes,
                                struct error *err)
{
    const struct type_info *info = type_find(source->type);
    if (info == NULL)
        FAIL(err, ERR_LIMIT, "weight %s: type number %u is not supported", source->name,
             (unsigned)source->type);
    if (source->out_dim < 1 || source->in_dim < 1)
        FAIL(err, ERR_LIMIT, "weight %s: %d x %d, each must be at least 1", source->name,
             source->out_dim, source->in_dim);
    if (source->in_dim > MATMUL_IN_DIM_MAX)
        FAIL(err, ERR_LIMIT, "weight %s: in_dim %d, at most %d", source->name, source->in_dim,
             MATMUL_IN_DIM_MAX);
    const uint32_t in_dim = (uint32_t)source->in_dim;
    if (in_dim % info->block_elems != 0)
        FAIL(err, ERR_LIMIT, "weight %s: in_dim %u is no multiple of %s's block of %u",
             source->name, in_dim, info->name, info->block_elems);
    *row_bytes = (size_t)(in_dim / info->block_elems) * info->block_bytes;
    return OK;
}

static enum status prepare_int8(struct device *device, const struct weight_source *source,
                                size_t row_bytes, struct weight *weight, struct error *err)
{
    const size_t scratch = pack_scratch_bytes(source->in_dim);
    if (scratch > device_scratch_bytes(device))
        FAIL(err, ERR_LIMIT, "weight %s: needs %zu bytes of scratch, the device has %zu",
             source->name, scratch, device_scratch_bytes(device));
    const int32_t panels = matmul_int8_panels(source->out_dim);
    const size_t lanes_bytes = lanes_padded_bytes(source->out_dim);
    const size_t panel_bytes = (size_t)matmul_int8_depth(source->in_dim) * MATMUL_INT8_PANEL;
    size_t data_bytes;
    if (!checked_mul_size((size_t)panels, panel_bytes, &data_bytes))
        FAIL(err, ERR_MEMORY, "weight %s: %d x %d does not fit in memory", source->name,
             source->out_dim, source->in_dim);
    struct pack_job job = {.device = device, .source = source, .row_bytes = row_bytes};
    job.data = device_alloc(device, data_bytes);
    job.scales = device_alloc(device, lanes_bytes);
    job.sums = device_alloc(device, lanes_bytes);
    *weight = (struct weight){.form = WEIGHT_INT8,
                              .type = source->type,
                              .out_dim = source->out_dim,
                              .in_dim = source->in_dim,
                              .data = job.data,
                              .scales = job.scales,
                              .sums = job.sums,
                              .data_bytes = data_bytes};
    if (job.data == NULL || job.scales == NULL || job.sums == NULL) {
        weight_release(device, weight);
        FAIL(err, ERR_MEMORY, "weight %s: no room for %zu bytes", source->name, data_bytes);
    }
    device_parallel(device, panels, pack_panel, &job);
    return OK;
}

const char *weight_type_name(uint32_t type)
{
    const struct type_info *info = type_find(type);
    return info == NULL ? NULL : info->name;
}

bool weight_type_layout(uint32_t type, uint32_t *block_elems, uint32_t *block_bytes)
{
    const struct type_info *info = type_find(type);
    if (info == NULL)
        return false;
    *block_elems = info->block_elems;
    *block_bytes = info->block_bytes;
    return true;
}

bool weight_type_is_supported(uint32_t type)
{
    return type_find(type) != NULL;
}

enum status weight_prepare(struct device *device, const struct weight_source *source,
                           enum weight_form form, struct weight *weight, struct error *err)
{
    size_t row_bytes = 0;
    TRY(source_check(source, &row_bytes, err));
    if (form == WEIGHT_INT8)
        return prepare_int8(device, source, row_bytes, weight, err);
    size_t data_bytes;
    if (!checked_mul_size(row_bytes, (size_t)source->out_dim, &data_bytes))
        FAIL(err, ERR_LIMIT, "weight %s: %d x %d does not fit in memory", source->name,
             source->out_dim, source->in_dim);
    *weight = (struct weight){.form = WEIGHT_STORED,
                              .type = source->type,
                              .out_dim = source->out_dim,
                              .in_dim = source->in_dim,
                              .data = source->data,
                              .data_bytes = data_bytes};
    return OK;
}

/* What weight_prepare allocated comes back through const pointers: only this file may write
 * or free it. */
static void release(struct device *device, const void *memory, size_t bytes)
{
    device_free(device, (void *)(uintptr_t)memory, bytes);
}

void weight_release(struct device *device, struct weight *weight)
{
    if (weight->form == WEIGHT_INT8) {
        const size_t lanes_bytes = lanes_padded_bytes(weight->out_dim);
        release(device, weight->data, weight->data_bytes);
        release(device, weight->scales, lanes_bytes);
        release(device, weight->sums, lanes_bytes);
    }
    *weight = (struct weight){0};
}
