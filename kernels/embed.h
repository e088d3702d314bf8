/*
 * embed - rows of the embedding table: x[r, :] = table[token of row r, :] * scale as F32.
 *
 * A row's token may be one that the device has chosen itself and the host has not seen yet: a
 * number below 0 names the result of the last sampling that holds it.
 */
#ifndef KERNELS_EMBED_H
#define KERNELS_EMBED_H

#include "base/token.h"
#include "kernels/sample.h"
#include "kernels/weight.h"

#ifdef __cplusplus
extern "C" {
#endif

struct embed_args {
    const struct weight *table;         /* WEIGHT_STORED, [vocab, dim] */
    const token_id *tokens;             /* [rows], each in 0 .. vocab-1, or EMBED_CHOSEN(i) */
    const struct sample_result *chosen; /* where results i lie; NULL: no token is below 0 */
    float *x;                           /* [rows, dim] */
    int32_t rows;
    float scale; /* 0: the table's numbers as they are */
};

/* Result i's token; 0 where that is TOKEN_NONE (such a row's output nobody reads). */
#define EMBED_CHOSEN(i) (-1 - (i))

enum status embed_ref(struct device *device, const struct embed_args *args);
enum status embed_cpu(struct device *device, const struct embed_args *args);
enum status embed_cuda(struct device *device, const struct embed_args *args);
enum status embed_emu(struct device *device, const struct embed_args *args);

#ifdef __cplusplus
}
#endif
#endif
