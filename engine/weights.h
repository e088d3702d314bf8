/*
 * weights - from a GGUF file's tensors to the matrices and vectors of a struct model.
 *
 * Every tensor is found by name and its shape held against the configuration; one that the
 * architecture has no place for is refused, since leaving it out would change the results.
 * Matrices become struct weight in the form of the precision: stored (the file's own bytes) or
 * int8. The embedding stays stored; the head is made from it when the file has none of its own.
 *
 * On a device that does not read the host's memory all of it is copied there, but for the rope
 * frequencies, which the host alone reads.
 */
#ifndef ENGINE_WEIGHTS_H
#define ENGINE_WEIGHTS_H

#include "engine/gguf.h"
#include "engine/model.h"

/* What weights_load made beside the matrices. */
struct weights {
    float *vectors; /* all norms, biases and rope frequencies, one piece of the device */
    float *here;    /* the same in host memory: vectors itself where kernels read that */
    size_t vectors_bytes;
};

/* Fills model's embed, head (and whether it is tied), norms, rope frequencies and layers from
 * model->config and model->precision. Whatever the outcome, weights_release gives all of it
 * back.
 * ERR_FORMAT  a tensor is missing or has another shape.
 * ERR_LIMIT   a type or size that a kernel does not take, or a tensor that has no place.
 * ERR_MEMORY  with the bytes that a device would need and those it has. */
MUST_USE enum status weights_load(struct weights *weights, struct model *model,
                                  const struct gguf *gguf, struct device *device,
                                  struct error *err);
/* Safe on zeroed structs. */
void weights_release(struct weights *weights, struct model *model, struct device *device);

#endif
