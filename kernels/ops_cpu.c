/* ops_cpu - the table of the threaded, vectorised CPU versions. */
#include "kernels/ops.h"

const struct ops *ops_cpu(void)
{
    static const struct ops table = {.name = "cpu",
                                     .embed = embed_cpu,
                                     .rmsnorm = rmsnorm_cpu,
                                     .matmul = matmul_cpu,
                                     .rope_append = rope_append_cpu,
                                     .attention = attention_cpu,
                                     .silu_mul = silu_mul_cpu,
                                     .kv_copy = kv_copy_cpu,
                                     .sample = sample_cpu};
    return &table;
}
