/* embed_ref - the plain twin: each token's row of the table, made exact floats. */
#include "kernels/embed.h"

#include <assert.h>

enum status embed_ref(struct device *device, const struct embed_args *args)
{
    const struct weight *table = args->table;
    uint32_t block_elems, block_bytes;
    (void)device;
    assert(table->form == WEIGHT_STORED);
    if (!weight_type_layout(table->type, &block_elems, &block_bytes))
        return ERR_LIMIT;
    const size_t row_bytes = (size_t)table->in_dim / block_elems * block_bytes;
    const float scale = args->scale == 0.0f ? 1.0f : args->scale;
    for (int32_t r = 0; r < args->rows; r++) {
        token_id token = args->tokens[r];
        if (token < 0)
            token = args->chosen[EMBED_CHOSEN(token)].token;
        if (token < 0)
            token = 0;
        assert(token < table->out_dim);
        float *x = args->x + (size_t)r * (size_t)table->in_dim;
        weight_dequantize(table->type, (const uint8_t *)table->data + (size_t)token * row_bytes,
                          x, table->in_dim);
        for (int32_t i = 0; i < table->in_dim; i++)
            x[i] *= scale;
    }
    return OK;
}
