/*
 * forward - one pass of the model over a batch, written once against the table of ops.
 *
 * Memory   forward_init sizes every buffer (rows_max x ...); forward_run allocates nothing.
 */
#ifndef ENGINE_FORWARD_H
#define ENGINE_FORWARD_H

#include "base/arena.h"
#include "engine/batch.h"
#include "engine/model.h"
#include "kernels/ops.h"

struct forward_limits {
    int32_t rows_max;      /* tokens per step */
    int32_t positions_max; /* of a sequence: the table of rope turns */
    int32_t head_max;      /* logits rows per step */
    int32_t partials_max;  /* attention partials per step */
    int32_t samples_max;   /* sample rows per step; 0 will do where device_is_host */
    int32_t copies_max;    /* pages copied per step; likewise */
    int32_t page_count;    /* KV pages */
    enum kv_type kv_type;
};

struct forward {
    const struct model *model;
    const struct ops *ops;
    struct device *device;
    struct forward_limits limits;
    struct kv_cache cache;
    int32_t head_count;              /* of the last run */
    struct forward_buffers *buffers; /* private: forward_buffers.h */
};

/* ERR_MEMORY names the bytes needed and those free. */
MUST_USE enum status forward_init(struct forward *forward, const struct model *model,
                                  const struct ops *ops, struct device *device,
                                  const struct forward_limits *limits, struct error *err);
void forward_deinit(struct forward *forward);

/* Copies pages, computes all rows, writes their keys and values to the cache, then logits of
 * head_rows and results[sample_count]. Batch and results are host memory. The batch must lie
 * within the limits (asserted). ERR_DEVICE: the device has failed and is of no more use; the
 * sentence says what it reports. */
MUST_USE enum status forward_run(struct forward *forward, const struct batch *batch,
                                 struct sample_result *results, struct error *err);

/* Logits of the last run, [head_count, vocab] in host memory; valid until the next run. For
 * tests and benches. NULL: no room for a copy, or the device has failed. */
const float *forward_logits(struct forward *forward);

#endif
