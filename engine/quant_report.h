/*
 * quant_report - what the int8 form costs each matrix of a model, and which do without it.
 *
 * The int8 form (kernels/weight.h) rotates each row and rounds it to multiples of its own
 * scale, 1/127 of its greatest magnitude. The rotation is orthonormal, so the error can be
 * measured behind it:
 *
 *     error = ||W - W'||_F / ||W||_F        of a row: the same over that row
 *
 * Rounding costs max / (127 sqrt(12)) per number, so a row's error is 0.23 % times max / rms of
 * the rotated row: 0.7 to 0.9 % where rotated numbers are near-normal, more where a row has
 * outliers that their 64 neighbours cannot share.
 *
 * The rule: a matrix whose error passes QUANT_REPORT_ERROR_MAX keeps the form of its file
 * (bf16 where the device multiplies in that). ffn_gate and ffn_up stay together, since one
 * product makes both. Why 2 %: see the table at the top of quant_report.c.
 *
 * Owner    the caller owns the struct; names and tensors are those of the gguf given.
 */
#ifndef ENGINE_QUANT_REPORT_H
#define ENGINE_QUANT_REPORT_H

#include "engine/gguf.h"

#define QUANT_REPORT_ERROR_MAX 0.02

struct quant_report_matrix {
    const struct gguf_tensor *tensor;
    struct gguf_label name;
    double error;     /* of the whole matrix; NaN when it has numbers that are not finite */
    double row_error; /* of the worst row */
    int32_t row;      /* which one */
    bool is_kept;     /* not int8 */
};

struct quant_report {
    struct quant_report_matrix *matrices; /* [count], by name */
    uint32_t count;
};

/* True for the tensors that precision int8 turns into the int8 form: output.weight, or
 * token_embd.weight where there is none, and blk.*.weight of two dimensions. */
bool quant_report_is_matrix(const struct gguf *gguf, const struct gguf_tensor *tensor);

/* Measures every such matrix with the device's threads. None in a file of int8
 * rows (engine/int8_file.h): the forms were chosen when it was written.
 * ERR_LIMIT   a type that weight_dequantize does not know, or rows too long.
 * ERR_MEMORY. On failure *report needs no deinit. */
MUST_USE enum status quant_report_make(struct quant_report *report, const struct gguf *gguf,
                                       struct device *device, struct error *err);
void quant_report_deinit(struct quant_report *report); /* safe on a zeroed struct */

/* NULL: the tensor was not measured. */
const struct quant_report_matrix *quant_report_find(const struct quant_report *report,
                                                    const struct gguf_tensor *tensor);

#endif
