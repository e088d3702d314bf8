/* embed - rows of the embedding table: x[r, :] = table[tokens[r], :] as F32. */
#ifndef KERNELS_EMBED_H
#define KERNELS_EMBED_H

#include "base/token.h"
#include "kernels/weight.h"

#ifdef __cplusplus
extern "C" {
#endif

struct embed_args {
    const struct weight *table; /* WEIGHT_STORED, [vocab, dim] */
    const token_id *tokens;     /* [rows], each in 0 .. vocab-1 (asserted) */
    float *x;                   /* [rows, dim] */
    int32_t rows;
};

enum status embed_ref(struct device *device, const struct embed_args *args);
enum status embed_cpu(struct device *device, const struct embed_args *args);
enum status embed_cuda(struct device *device, const struct embed_args *args);
enum status embed_emu(struct device *device, const struct embed_args *args);

#ifdef __cplusplus
}
#endif
#endif
