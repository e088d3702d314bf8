/* weight_bf16 - see weight_bf16.h. The staging memory is a run of rows, about 4 MB. */
#include "kernels/weight_bf16.h"

#include "base/checked.h"
#include "kernels/half.h"
#include "kernels/matmul_bf16.h"

#include <stdlib.h>

enum { STAGING_BYTES = 4 << 20 };

struct run {
    struct device *device;
    const struct weight_rows *rows;
    uint16_t *staging; /* [rows of the run][in_dim] */
    int32_t first;
};

static void row_make(void *context, int32_t index, uint32_t worker)
{
    const struct run *run = context;
    const struct weight_rows *rows = run->rows;
    const size_t in_dim = (size_t)rows->in_dim;
    float *values = device_scratch(run->device, worker);
    weight_dequantize_at(device_simd(run->device), rows->type,
                         rows->blocks + (size_t)(run->first + index) * rows->row_bytes, values,
                         rows->in_dim);
    weight_bf16_round(run->staging + (size_t)index * in_dim, values, rows->in_dim);
}

static enum status rows_upload(struct run *run, const struct weight *weight, int32_t run_rows)
{
    const size_t row_bytes = (size_t)run->rows->in_dim * sizeof(uint16_t);
    uint8_t *to = (uint8_t *)(uintptr_t)weight->data; /* ours: readers have it const */
    for (; run->first < weight->out_dim; run->first += run_rows) {
        const int32_t left = weight->out_dim - run->first;
        const int32_t count = left < run_rows ? left : run_rows;
        device_parallel(run->device, count, row_make, run);
        TRY(device_upload(run->device, to + (size_t)run->first * row_bytes, run->staging,
                          (size_t)count * row_bytes));
    }
    return OK;
}

static enum status check(const struct device *device, const struct weight_rows *rows,
                         struct error *err)
{
    const size_t scratch = (size_t)rows->in_dim * sizeof(float);
    if (!weight_bf16_is_available(device))
        FAIL(err, ERR_LIMIT, "weight %s: this build or device does not multiply in bf16",
             rows->name);
    if (rows->in_dim % WEIGHT_BF16_IN_DIM_UNIT != 0)
        FAIL(err, ERR_LIMIT, "weight %s: in_dim %d, bf16 wants a multiple of %d", rows->name,
             rows->in_dim, WEIGHT_BF16_IN_DIM_UNIT);
    if (scratch > device_scratch_bytes(device))
        FAIL(err, ERR_LIMIT, "weight %s: needs %zu bytes of scratch, the device has %zu",
             rows->name, scratch, device_scratch_bytes(device));
    return OK;
}

/* Only where weight_bf16_is_available can say yes is there a matmul_bf16 to plan. */
static enum status plan(struct device *device, const struct weight *weight)
{
#ifdef COHORT_CUBLASLT
    return matmul_bf16_plan(device, weight->out_dim, weight->in_dim);
#else
    (void)device;
    (void)weight;
    return ERR_LIMIT;
#endif
}

bool weight_bf16_is_available(const struct device *device)
{
#ifdef COHORT_CUBLASLT
    return device_kind(device) == DEVICE_CUDA;
#else
    (void)device;
    return false;
#endif
}

enum status weight_bf16_prepare(struct device *device, const struct weight_rows *rows,
                                struct weight *weight, struct error *err)
{
    TRY(check(device, rows, err));
    const size_t row_bytes = (size_t)rows->in_dim * sizeof(uint16_t);
    const int32_t run_rows =
        row_bytes < STAGING_BYTES ? (int32_t)(STAGING_BYTES / row_bytes) : 1;
    struct run run = {.device = device, .rows = rows};
    *weight = (struct weight){.form = WEIGHT_FORM_BF16,
                              .type = rows->type,
                              .out_dim = rows->out_dim,
                              .in_dim = rows->in_dim};
    if (!checked_mul_size(row_bytes, (size_t)rows->out_dim, &weight->data_bytes))
        FAIL(err, ERR_MEMORY, "weight %s: %d x %d does not fit in memory", rows->name,
             rows->out_dim, rows->in_dim);
    const size_t bytes = weight->data_bytes;
    weight->data = device_alloc(device, bytes);
    run.staging = malloc((size_t)run_rows * row_bytes);
    enum status status = weight->data && run.staging ? OK : ERR_MEMORY;
    if (status == OK)
        status = rows_upload(&run, weight, run_rows);
    if (status == OK)
        status = plan(device, weight);
    free(run.staging);
    if (status == OK)
        return OK;
    weight_release(device, weight);
    FAIL(err, status, "weight %s: cannot be made in %zu bytes of bf16 on the device",
         rows->name, bytes);
}

void weight_bf16_round(uint16_t *to, const float *from, int32_t count)
{
    for (int32_t i = 0; i < count; i++)
        to[i] = half_bf16_from_float(from[i]);
}
