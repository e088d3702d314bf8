/*
 * weight_simt - int8 weights for GPU kernels: made on the host, a run of panels at a time.
 *
 * The staging memory is as large as a run, about 4 MB, whatever the matrix; scales are staged
 * whole (4 bytes per output).
 */
#include "kernels/weight_simt.h"

#include "base/checked.h"
#include "kernels/weight_row.h"

#include <stdlib.h>
#include <string.h>

enum {
    PANEL = WEIGHT_SIMT_PANEL,
    SLICE = WEIGHT_SIMT_SLICE,
    STAGING_BYTES = 4 << 20 /* of panels, where one panel is not larger */
};

struct simt_job {
    struct device *device;
    const struct weight_rows *rows;
    int32_t first_panel, slices;
    size_t panel_bytes;
    uint8_t *panels; /* of this run */
    float *scales;   /* of all outputs */
};

static void panel_make(void *context, int32_t index, uint32_t worker)
{
    const struct simt_job *job = context;
    const int32_t first = (job->first_panel + index) * PANEL;
    uint8_t *panel = job->panels + (size_t)index * job->panel_bytes;
    for (int32_t r = 0; r < PANEL; r++) {
        uint8_t *to = panel + r * SLICE;
        const int8_t *row = NULL;
        if (first + r < job->rows->out_dim)
            row = weight_row_make(job->rows, first + r, job->device, worker,
                                  job->scales + first + r);
        for (int32_t s = 0; s < job->slices; s++, to += WEIGHT_SIMT_SLICE_BYTES) {
            if (row)
                memcpy(to, row + (size_t)s * SLICE, SLICE);
            else
                memset(to, 0, SLICE);
        }
    }
}

/* Fills and uploads run after run of at most run_panels. */
static enum status panels_upload(struct simt_job *job, uint8_t *to, int32_t run_panels)
{
    const int32_t panels = weight_simt_panels(job->rows->out_dim);
    for (int32_t first = 0; first < panels; first += run_panels) {
        const int32_t count = panels - first < run_panels ? panels - first : run_panels;
        job->first_panel = first;
        device_parallel(job->device, count, panel_make, job);
        TRY(device_upload(job->device, to + (size_t)first * job->panel_bytes, job->panels,
                          (size_t)count * job->panel_bytes));
    }
    return OK;
}

static enum status weight_alloc(struct device *device, const struct weight_rows *rows,
                                size_t panel_bytes, struct weight *weight, struct error *err)
{
    const size_t panels = (size_t)weight_simt_panels(rows->out_dim);
    *weight = (struct weight){.form = WEIGHT_INT8,
                              .type = rows->type,
                              .out_dim = rows->out_dim,
                              .in_dim = rows->in_dim};
    if (!checked_mul_size(panels, panel_bytes, &weight->data_bytes))
        FAIL(err, ERR_MEMORY, "weight %s: %d x %d does not fit in memory", rows->name,
             rows->out_dim, rows->in_dim);
    weight->data = device_alloc(device, weight->data_bytes);
    weight->scales = device_alloc(device, weight_simt_scales_bytes(rows->out_dim));
    if (weight->data != NULL && weight->scales != NULL)
        return OK;
    const size_t bytes = weight->data_bytes;
    weight_release(device, weight);
    FAIL(err, ERR_MEMORY, "weight %s: no room on the device for %zu bytes", rows->name, bytes);
}

/* What weight_alloc gave, to be written: readers have it const. */
static void *writable(const void *memory)
{
    return (void *)(uintptr_t)memory;
}

static enum status weight_fill(struct simt_job *job, struct weight *weight, struct error *err)
{
    const size_t runs = STAGING_BYTES / job->panel_bytes;
    const int32_t run_panels = runs > 0 ? (int32_t)runs : 1;
    const size_t scales_bytes = weight_simt_scales_bytes(weight->out_dim);
    job->panels = malloc((size_t)run_panels * job->panel_bytes);
    job->scales = calloc(1, scales_bytes);
    enum status status = ERR_MEMORY;
    if (job->panels != NULL && job->scales != NULL)
        status = panels_upload(job, writable(weight->data), run_panels);
    if (status == OK)
        status =
            device_upload(job->device, writable(weight->scales), job->scales, scales_bytes);
    free(job->panels);
    free(job->scales);
    if (status == OK)
        return OK;
    weight_release(job->device, weight);
    FAIL(err, status, "weight %s: %s", job->rows->name,
         status == ERR_MEMORY ? "no room for staging" : "cannot be copied to the device");
}

size_t weight_simt_scales_bytes(int32_t out_dim)
{
    return (size_t)weight_simt_panels(out_dim) * PANEL * sizeof(float);
}

enum status weight_simt_prepare(struct device *device, const struct weight_rows *rows,
                                struct weight *weight, struct error *err)
{
    const size_t scratch = weight_row_scratch_bytes(rows->in_dim);
    if (scratch > device_scratch_bytes(device))
        FAIL(err, ERR_LIMIT, "weight %s: needs %zu bytes of scratch, the device has %zu",
             rows->name, scratch, device_scratch_bytes(device));
    const int32_t slices = weight_simt_slices(rows->in_dim);
    struct simt_job job = {.device = device,
                           .rows = rows,
                           .slices = slices,
                           .panel_bytes = (size_t)slices * WEIGHT_SIMT_SLICE_BYTES};
    TRY(weight_alloc(device, rows, job.panel_bytes, weight, err));
    return weight_fill(&job, weight, err);
}
