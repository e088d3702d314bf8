/*
 * model_run - a model with a device, a KV cache and a batch builder, for what runs forward
 * passes without the scheduler: measurements, tests, benches. Each sequence owns its own run of
 * pages, unless it was told to begin with another's.
 */
#ifndef ENGINE_MODEL_RUN_H
#define ENGINE_MODEL_RUN_H

#include "engine/batch_build.h"
#include "engine/forward.h"

struct model_run_options {
    const char *path;
    enum model_precision precision;
    enum kv_type kv_type;
    enum device_kind device;
    const struct ops *ops;     /* NULL: those of the device */
    uint32_t threads;          /* 0: one per core */
    enum device_simd simd_max; /* as in device_options */
    int32_t sequences, context_max, rows_max, head_max;
};

struct model_run {
    struct device *device;
    struct model *model;
    struct forward forward;
    struct batch_build build;
    struct arena arena;
    int32_t *pages; /* [sequences, pages_each] */
    int32_t sequences, pages_each;
};

/* Whatever the outcome, model_run_close gives all of it back. */
MUST_USE enum status model_run_open(struct model_run *run,
                                    const struct model_run_options *options, struct error *err);
void model_run_close(struct model_run *run); /* safe on a zeroed struct */

/* Lets sequence begin with the first pages of another. */
void model_run_share(struct model_run *run, int32_t sequence, int32_t from, int32_t pages);

enum model_run_heads { MODEL_RUN_NONE, MODEL_RUN_LAST, MODEL_RUN_ALL };

/* Tokens that a sequence takes in one step, and whose logits are wanted. */
struct model_run_part {
    int32_t sequence, first, count;
    const token_id *tokens; /* [count], at positions first .. */
    enum model_run_heads heads;
};

/* One pass; the logits wanted stand in run->forward in the order of the parts. */
MUST_USE enum status model_run_step(struct model_run *run, const struct model_run_part *parts,
                                    int32_t part_count, struct error *err);

/* The logits of the last step, [rows that wanted them, vocab], in host memory until the next
 * one; waits for them. ERR_DEVICE with what the device reports; ERR_MEMORY there is no room. */
MUST_USE enum status model_run_fetch(struct model_run *run, const float **logits,
                                     struct error *err);

/* Row i of them, [vocab], for tests: what model_run_fetch would refuse is asserted. */
const float *model_run_logits(struct model_run *run, int32_t i);

#endif
