/*
 * embed_cpu - embed with threads over rows.
 *
 *     formula   x[r, :] = table[tokens[r], :] * scale
 *     tensors   table [vocab, dim] stored; x [rows, dim] F32
 *     bound by  memory: a table row is met cold; well below 0.1 % of a forward pass
 */
#include "kernels/embed.h"

#include "base/i32.h"

#include <assert.h>

enum { TASK_ROWS = 16 };

struct job {
    const struct embed_args *args;
    enum device_simd simd;
    size_t row_bytes; /* of a stored table row */
};

static token_id token_of(const struct embed_args *args, int32_t row)
{
    const token_id token = args->tokens[row];
    if (token >= 0)
        return token;
    assert(args->chosen);
    const token_id chosen = args->chosen[EMBED_CHOSEN(token)].token;
    return chosen >= 0 ? chosen : 0;
}

static void embed_task(void *context, int32_t index, uint32_t worker)
{
    const struct job *job = context;
    const struct embed_args *args = job->args;
    const struct weight *table = args->table;
    const int32_t first = index * TASK_ROWS;
    const int32_t end = first + i32_min(args->rows - first, TASK_ROWS);
    (void)worker;
    for (int32_t r = first; r < end; r++) {
        const token_id token = token_of(args, r);
        assert(token < table->out_dim);
        float *x = args->x + (size_t)r * (size_t)table->in_dim;
        weight_dequantize_at(job->simd, table->type,
                             (const uint8_t *)table->data + (size_t)token * job->row_bytes, x,
                             table->in_dim);
        for (int32_t i = 0; args->scale != 0.0f && i < table->in_dim; i++)
            x[i] *= args->scale;
    }
}

enum status embed_cpu(struct device *device, const struct embed_args *args)
{
    const struct weight *table = args->table;
    uint32_t block_elems, block_bytes;
    assert(table->form == WEIGHT_STORED);
    if (!weight_type_layout(table->type, &block_elems, &block_bytes))
        return ERR_LIMIT;
    struct job job = {.args = args,
                      .simd = device_simd(device),
                      .row_bytes = (size_t)table->in_dim / block_elems * block_bytes};
    device_parallel(device, i32_ceil_div(args->rows, TASK_ROWS), embed_task, &job);
    return OK;
}
