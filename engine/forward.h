/*
 * forward - one pass of the model over a batch, written once against the table of ops.
 *
 * Owner    the caller owns the struct; model and device are borrowed until forward_deinit.
 * Memory   forward_init sizes every buffer (rows_max x ...), and no pass allocates: but for
 *          forward_logits, which makes room for its copy when first asked.
 * Thread   one at a time.
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
    int32_t samples_max;   /* sample rows per step */
    int32_t copies_max;    /* pages copied per step */
    int32_t page_count;    /* KV pages */
    enum kv_type kv_type;
};

struct forward {
    const struct model *model;
    const struct ops *ops;
    struct device *device;
    struct forward_limits limits;
    struct kv_cache cache;
    int32_t head_count;              /* of the last forward_rows */
    int32_t result_count;            /* of the last forward_samples */
    bool has_tops;                   /* one of its rows asked for the best tokens */
    struct forward_buffers *buffers; /* private: forward_buffers.h */
};

/* ERR_MEMORY names the bytes needed and those free. */
MUST_USE enum status forward_init(struct forward *forward, const struct model *model,
                                  const struct ops *ops, struct device *device,
                                  const struct forward_limits *limits, struct error *err);
void forward_deinit(struct forward *forward);

/* Gives the device its work and returns; on the host, does it. Copies pages, computes all rows,
 * writes their keys and values to the cache, then logits of head_rows; samples are not looked
 * at. A token EMBED_CHOSEN(i) is that of result i of the last forward_samples. The batch is
 * host memory and must lie within the limits (asserted). ERR_DEVICE: the device has failed and
 * is of no more use; the sentence says what it reports. */
MUST_USE enum status forward_rows(struct forward *forward, const struct batch *batch,
                                  struct error *err);
/* Draws batch's samples from the logits of the last forward_rows; returns likewise. ERR_LIMIT,
 * ERR_DEVICE. */
MUST_USE enum status forward_samples(struct forward *forward, const struct batch *batch,
                                     struct error *err);
/* Waits for results[sample_count] of the last forward_samples, not for rows given later. */
MUST_USE enum status forward_results(struct forward *forward, struct sample_result *results,
                                     struct error *err);
/* Those results' best tokens, [sample_count][SAMPLE_TOP_MAX], as far as each row asked for them
 * (sample.h); NULL when none did. Valid until the next forward_samples. */
const struct sample_top *forward_tops(const struct forward *forward);
/* All three, one after the other. */
MUST_USE enum status forward_run(struct forward *forward, const struct batch *batch,
                                 struct sample_result *results, struct error *err);

/* What the head read in the last forward_rows: [head_count, hidden] behind the final norm, in
 * host memory; waits for it. Valid until the next forward_rows. ERR_DEVICE. */
MUST_USE enum status forward_hidden(struct forward *forward, const float **hidden,
                                    struct error *err);

/* Logits of the last forward_rows, softcap applied, [head_count, vocab] in host memory; valid
 * until the next one. For tests and benches. NULL: no room for a copy, or the device has
 * failed. */
const float *forward_logits(struct forward *forward);

#endif
