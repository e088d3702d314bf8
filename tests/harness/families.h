/*
 * families - a random model of every family that is supported, in every way that its files
 * scale positions, against tests/harness/tiny_reference.
 */
#ifndef TESTS_HARNESS_FAMILIES_H
#define TESTS_HARNESS_FAMILIES_H

#include "engine/model_run.h"

/* How the models are run, and how far a logit may be off. */
struct families_way {
    const struct ops *ops; /* NULL: those of the device */
    enum device_kind device;
    enum kv_type kv;
    bool is_wide;   /* heads of 64, which the GPU's kernels want */
    bool as_folder; /* not the GGUF file, but a folder of safetensors made of it */
    double limit;
};

/* Logits at every position of every model, whole and in steps, printed and held against the
 * limit (cmocka's assertions). */
void families_check(const struct families_way *way);

#endif
