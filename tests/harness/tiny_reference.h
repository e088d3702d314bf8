/*
 * tiny_reference - the logits of a tiny model at every position, in double, straight from the
 * formulas of its family's papers. It reads the file's tensors by name, but none of its keys:
 * what a family does is told here once more.
 */
#ifndef TESTS_HARNESS_TINY_REFERENCE_H
#define TESTS_HARNESS_TINY_REFERENCE_H

#include "base/error.h"
#include "base/token.h"
#include "tests/harness/tiny_model.h"

/* A text and the room that the model was opened with, which LongRoPE asks for. */
struct tiny_reference_text {
    const token_id *ids;
    int32_t count, context;
};

/* logits[count][TINY_MODEL_VOCAB] of the file that tiny_model_write made of the options.
 * ERR_FORMAT it is none; ERR_MEMORY. */
MUST_USE enum status tiny_reference_logits(struct text file,
                                           const struct tiny_model_options *options,
                                           const struct tiny_reference_text *text,
                                           double *logits, struct error *err);

#endif
