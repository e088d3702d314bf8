/*
 * weight - number formats of model files by name and size, and the making of our int8 form.
 *
 * The host's int8 form is made panel by panel (matmul_int8.h), one task each: a row is
 * dequantized into scratch, rotated, scaled and rounded exactly as an activation row is
 * (weight_row), then put in its place in the panel. weight_simt makes that of accelerators.
 */
#include "kernels/weight.h"

#include "base/checked.h"
#include "kernels/matmul.h"
#include "kernels/matmul_int8.h"
#include "kernels/weight_bf16.h"
#include "kernels/weight_row.h"
#include "kernels/weight_simt.h"

#include <math.h>
#include <string.h>

struct type_info {
    uint32_t type;
    const char *name;
    uint32_t block_elems, block_bytes;
};

/* Every type here but I8 has its case in weight_dequantize. */
static const struct type_info types[] = {
    {WEIGHT_F32, "F32", 1, 4},       {WEIGHT_F16, "F16", 1, 2},
    {WEIGHT_BF16, "BF16", 1, 2},     {WEIGHT_Q4_0, "Q4_0", 32, 18},
    {WEIGHT_Q4_1, "Q4_1", 32, 20},   {WEIGHT_Q5_0, "Q5_0", 32, 22},
    {WEIGHT_Q5_1, "Q5_1", 32, 24},   {WEIGHT_Q8_0, "Q8_0", 32, 34},
    {WEIGHT_Q2_K, "Q2_K", 256, 84},  {WEIGHT_Q3_K, "Q3_K", 256, 110},
    {WEIGHT_Q4_K, "Q4_K", 256, 144}, {WEIGHT_Q5_K, "Q5_K", 256, 176},
    {WEIGHT_Q6_K, "Q6_K", 256, 210}, {WEIGHT_IQ4_NL, "IQ4_NL", 32, 18},
    {WEIGHT_I8, "I8", 1, 1},
};

struct pack_job {
    struct device *device;
    const struct weight_rows *rows;
    int8_t *data;
    float *scales;
};

static const struct type_info *type_find(uint32_t type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (types[i].type == type)
            return &types[i];
    }
    return NULL;
}

/* Of whole panels, so that a kernel may load past out_dim. */
static size_t scales_bytes(int32_t out_dim)
{
    return (size_t)matmul_int8_panels(out_dim) * MATMUL_INT8_PANEL * sizeof(float);
}

static void pack_panel(void *context, int32_t panel, uint32_t worker)
{
    const struct pack_job *job = context;
    const int32_t depth = matmul_int8_depth(job->rows->in_dim);
    int8_t *place = job->data + (size_t)panel * MATMUL_INT8_PANEL * (size_t)depth;
    const int32_t first = panel * MATMUL_INT8_PANEL;
    for (int32_t lane = 0; lane < MATMUL_INT8_PANEL; lane++) {
        const int32_t out = first + lane;
        if (out >= job->rows->out_dim)
            return; /* the rest of the last panel stays zero */
        const int8_t *row =
            weight_row_make(job->rows, out, job->device, worker, job->scales + out);
        matmul_int8_pack(row, depth, lane, place);
    }
}

static enum status dims_check(const char *name, int32_t out_dim, int32_t in_dim,
                              struct error *err)
{
    if (out_dim < 1 || in_dim < 1)
        FAIL(err, ERR_LIMIT, "weight %s: %d x %d, each must be at least 1", name, out_dim,
             in_dim);
    if (in_dim > MATMUL_IN_DIM_MAX)
        FAIL(err, ERR_LIMIT, "weight %s: in_dim %d, at most %d", name, in_dim,
             MATMUL_IN_DIM_MAX);
    return OK;
}

static enum status source_check(const struct weight_source *source, struct weight_rows *rows,
                                struct error *err)
{
    const struct type_info *info = type_find(source->type);
    if (info == NULL || !weight_type_is_supported(source->type))
        FAIL(err, ERR_LIMIT, "weight %s: type number %u is not supported", source->name,
             (unsigned)source->type);
    TRY(dims_check(source->name, source->out_dim, source->in_dim, err));
    const uint32_t in_dim = (uint32_t)source->in_dim;
    if (in_dim % info->block_elems != 0)
        FAIL(err, ERR_LIMIT, "weight %s: in_dim %u is no multiple of %s's block of %u",
             source->name, in_dim, info->name, info->block_elems);
    *rows = (struct weight_rows){.name = source->name,
                                 .type = source->type,
                                 .out_dim = source->out_dim,
                                 .in_dim = source->in_dim,
                                 .blocks = source->data,
                                 .row_bytes =
                                     (size_t)(in_dim / info->block_elems) * info->block_bytes};
    return OK;
}

static enum status prepare_int8(struct device *device, const struct weight_rows *rows,
                                struct weight *weight, struct error *err)
{
    if (!device_is_host(device))
        return weight_simt_prepare(device, rows, weight, err);
    const size_t scratch = weight_row_scratch_bytes(rows->in_dim);
    if (scratch > device_scratch_bytes(device))
        FAIL(err, ERR_LIMIT, "weight %s: needs %zu bytes of scratch, the device has %zu",
             rows->name, scratch, device_scratch_bytes(device));
    const int32_t panels = matmul_int8_panels(rows->out_dim);
    const size_t panel_bytes = (size_t)matmul_int8_depth(rows->in_dim) * MATMUL_INT8_PANEL;
    size_t data_bytes;
    if (!checked_mul_size((size_t)panels, panel_bytes, &data_bytes))
        FAIL(err, ERR_MEMORY, "weight %s: %d x %d does not fit in memory", rows->name,
             rows->out_dim, rows->in_dim);
    struct pack_job job = {.device = device, .rows = rows};
    job.data = device_alloc(device, data_bytes);
    job.scales = device_alloc(device, scales_bytes(rows->out_dim));
    *weight = (struct weight){.form = WEIGHT_INT8,
                              .type = rows->type,
                              .out_dim = rows->out_dim,
                              .in_dim = rows->in_dim,
                              .data = job.data,
                              .scales = job.scales,
                              .data_bytes = data_bytes};
    if (job.data == NULL || job.scales == NULL) {
        weight_release(device, weight);
        FAIL(err, ERR_MEMORY, "weight %s: no room for %zu bytes", rows->name, data_bytes);
    }
    device_parallel(device, panels, pack_panel, &job);
    return OK;
}

/* The file's bytes in place, or a copy of them on a device with memory of its own. */
static enum status prepare_stored(struct device *device, const struct weight_rows *rows,
                                  struct weight *weight, struct error *err)
{
    size_t data_bytes;
    if (!checked_mul_size(rows->row_bytes, (size_t)rows->out_dim, &data_bytes))
        FAIL(err, ERR_LIMIT, "weight %s: %d x %d does not fit in memory", rows->name,
             rows->out_dim, rows->in_dim);
    *weight = (struct weight){.form = WEIGHT_STORED,
                              .type = rows->type,
                              .out_dim = rows->out_dim,
                              .in_dim = rows->in_dim,
                              .data = rows->blocks,
                              .data_bytes = data_bytes};
    if (device_is_host(device))
        return OK;
    void *copy = device_alloc(device, data_bytes);
    weight->data = copy;
    if (copy == NULL)
        FAIL(err, ERR_MEMORY, "weight %s: no room on the device for %zu bytes", rows->name,
             data_bytes);
    if (device_upload(device, copy, rows->blocks, data_bytes) == OK)
        return OK;
    weight_release(device, weight);
    FAIL(err, ERR_DEVICE, "weight %s: cannot be copied to the device", rows->name);
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
    return type != WEIGHT_I8 && type_find(type) != NULL;
}

enum status weight_prepare(struct device *device, const struct weight_source *source,
                           enum weight_form form, struct weight *weight, struct error *err)
{
    struct weight_rows rows;
    TRY(source_check(source, &rows, err));
    switch (form) {
    case WEIGHT_STORED:
        return prepare_stored(device, &rows, weight, err);
    case WEIGHT_INT8:
        return prepare_int8(device, &rows, weight, err);
    case WEIGHT_FORM_BF16:
        return weight_bf16_prepare(device, &rows, weight, err);
    }
    FAIL(err, ERR_LIMIT, "weight %s: form %d is not supported", source->name, (int)form);
}

/* The SIMD kernels add pairs of products in 16 bits: -128 twice would not fit. */
static enum status int8_check(const struct weight_int8_source *source, struct error *err)
{
    TRY(dims_check(source->name, source->out_dim, source->in_dim, err));
    const size_t in_dim = (size_t)source->in_dim;
    for (int32_t out = 0; out < source->out_dim; out++) {
        const int8_t *row = source->rows + (size_t)out * in_dim;
        int8_t is_least = 0;
        for (size_t i = 0; i < in_dim; i++)
            is_least |= row[i] == INT8_MIN;
        if (is_least != 0)
            FAIL(err, ERR_FORMAT,
                 "weight %s: row %d has a value of -128, at least -127 is valid", source->name,
                 out);
        if (!(source->scales[out] >= 0.0f && source->scales[out] < INFINITY))
            FAIL(err, ERR_FORMAT,
                 "weight %s: row %d has a scale of %g, must be finite, not "
                 "negative",
                 source->name, out, (double)source->scales[out]);
    }
    return OK;
}

enum status weight_prepare_int8(struct device *device, const struct weight_int8_source *source,
                                struct weight *weight, struct error *err)
{
    TRY(int8_check(source, err));
    const struct weight_rows rows = {.name = source->name,
                                     .type = source->type,
                                     .out_dim = source->out_dim,
                                     .in_dim = source->in_dim,
                                     .q8 = source->rows,
                                     .scales = source->scales};
    return prepare_int8(device, &rows, weight, err);
}

/* What weight_prepare allocated comes back through const pointers: only this file may write
 * or free it. */
static void release(struct device *device, const void *memory, size_t bytes)
{
    if (memory != NULL)
        device_free(device, (void *)(uintptr_t)memory, bytes);
}

void weight_release(struct device *device, struct weight *weight)
{
    const bool is_host = device_is_host(device);
    if (weight->form != WEIGHT_STORED || !is_host)
        release(device, weight->data, weight->data_bytes);
    release(device, weight->scales,
            is_host ? scales_bytes(weight->out_dim)
                    : weight_simt_scales_bytes(weight->out_dim));
    *weight = (struct weight){0};
}
