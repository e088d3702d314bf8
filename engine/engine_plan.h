/*
 * engine_plan - how large everything is made: pool, step, sequences. A part of engine/engine.
 *
 * Decided once, at open, from the caller's options, the model and the machine's free memory.
 */
#ifndef ENGINE_ENGINE_PLAN_H
#define ENGINE_ENGINE_PLAN_H

#include "engine/engine.h"
#include "engine/forward.h"
#include "engine/step.h"

struct engine_plan {
    enum kv_type kv_type;
    uint64_t page_bytes;
    uint32_t page_count;
    uint32_t sequences_max;
    uint32_t tokens_max; /* per sequence: the model's context, or the pool when that is less */
    struct sched_limits limits;
    struct forward_limits forward;
    size_t arena_bytes; /* generous: an arena takes memory as it is touched */
};

/* Where the model is to run. */
struct engine_plan_place {
    enum device_kind kind;
    const struct ops *ops;
    uint64_t free_bytes; /* what the device has to spare, its weights loaded */
};

/* ERR_LIMIT: an option out of range, one that the device's kernels do not take, or a pool that
 * holds no sequence; the sentence names it. */
MUST_USE enum status engine_plan_make(const struct engine_options *options,
                                      const struct model_config *config,
                                      const struct engine_plan_place *place,
                                      struct engine_plan *plan, struct error *err);

#endif
