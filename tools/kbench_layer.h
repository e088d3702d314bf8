/*
 * kbench_layer - where the time of one layer goes: its kernels, each measured by itself, and
 * all of them one after the other.
 *
 *     sum      each step's time x its calls
 *     whole    the same launches in the engine's order, as one graph where the device records
 *              graphs. Less than the sum: what a launch alone costs is hidden behind the one
 *              before it; more: steps throw each other's data out of the cache
 *     roof     the sum of what the measured limits allow each step
 *     MODEL    the sum of --project's times, at the model's own sizes: the emulator runs small
 *              ones, and there it is all that speaks of time
 *
 * Steps have buffers of their own: what one writes is not what the next reads, so activations
 * are colder than in the engine. Embedding, head and sampling are no part of a layer.
 */
#ifndef TOOLS_KBENCH_LAYER_H
#define TOOLS_KBENCH_LAYER_H

#include "tools/kbench_measure.h"

enum { KBENCH_LAYER_STEPS = 12 };

struct kbench_layer {
    const struct kbench_args_shape *shape;
    int32_t m;
    bool is_prefill; /* all rows of one sequence; else each the next of its own */
    struct kbench_row steps[KBENCH_LAYER_STEPS];
    int32_t step_count;
    struct kbench_row
        whole; /* kernel "layer": its timing all steps in one go; sums of theirs */
};

/* The steps of a layer on that device, without figures: forward's order. shape, m and
 * is_prefill are the caller's. */
void kbench_layer_plan(struct kbench_layer *layer, bool fuses_gate);

/* Plans and measures; the rows' repro is the caller's. Errors are kbench_measure_row's. */
MUST_USE enum status kbench_layer_run(struct kbench_layer *layer,
                                      const struct kbench_measure *measure, struct error *err);

/* As text; as JSON and CSV the steps and the whole are rows like others. */
void kbench_layer_print(const struct kbench_layer *layer);

#endif
