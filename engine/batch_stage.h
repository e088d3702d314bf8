/*
 * batch_stage - a batch's arrays on the device: packed, uploaded in one piece, or in two.
 *
 * A batch goes up as its rows (what the pass computes) and its samples (what is drawn from the
 * logits). The rows do not wait for the samples: they can be computed while the host has yet
 * to find out what to draw (engine/step). Arrays are laid one after the other in a host image,
 * each from a multiple of 64 bytes on. Where an array of the rows begins follows from the
 * counts of rows, heads, items and partials alone: batches of the same counts lie at the same
 * addresses (device_graph.h wants that). Pages to be copied, whose number varies, come last,
 * as do the masks and lists behind the samples.
 *
 * On a device that reads the host's memory a batch is used as it is.
 *
 * Owner    the caller owns the struct; batch_stage_init allocates, nothing else does.
 */
#ifndef ENGINE_BATCH_STAGE_H
#define ENGINE_BATCH_STAGE_H

#include "engine/batch.h"
#include "kernels/device.h"

struct batch_stage_limits {
    int32_t rows_max, heads_max, samples_max, copies_max, partials_max;
    int32_t split; /* keys */
    int32_t vocab;
};

struct batch_stage {
    struct device *device;
    struct batch_stage_limits limits;
    size_t bytes;      /* of the image, here and there; 0 on a device of the host's memory */
    size_t samples_at; /* where the samples' part of it begins */
    uint8_t *host, *there;
    const uint32_t **masks; /* [samples_max] those of this step, each once */
    size_t *mask_places;    /* [samples_max] bytes from the image's beginning */
};

/* Bytes on the device that batch_stage_init takes. */
size_t batch_stage_bytes(const struct device *device, const struct batch_stage_limits *limits);

/* ERR_MEMORY. Whatever the outcome, batch_stage_deinit gives all of it back. */
MUST_USE enum status batch_stage_init(struct batch_stage *stage, struct device *device,
                                      const struct batch_stage_limits *limits,
                                      struct error *err);
void batch_stage_deinit(struct batch_stage *stage); /* safe on a zeroed struct */

/* Fills *up: batch's counts, and its arrays in device memory, valid until the next upload of
 * the same part. The batch must lie within the limits (asserted). samples leaves the rows of
 * *up as rows left them; it takes samples first .. and fills up->sample_count with how many of
 * them there was room for, one at least: lists of tokens seen can be long. ERR_DEVICE. */
MUST_USE enum status batch_stage_rows(struct batch_stage *stage, const struct batch *batch,
                                      struct batch *up, struct error *err);
MUST_USE enum status batch_stage_samples(struct batch_stage *stage, const struct batch *batch,
                                         int32_t first, struct batch *up, struct error *err);

#endif
