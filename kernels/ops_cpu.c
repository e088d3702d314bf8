/* ops_cpu - the table of the threaded, vectorised CPU versions. */
#include "kernels/ops.h"

const struct ops *ops_cpu(void)
{
    static const struct ops table = {.name = "cpu",
                                     .attention_split = ATTENTION_SPLIT,
                                     .kv_order = KV_ORDER_CPU,
                                     .fuses_gate = true,
                                     .embed = embed_cpu,
                                     .rmsnorm = rmsnorm_cpu,
                                     .matmul = matmul_cpu,
                                     .rope_append = rope_append_cpu,
                                     .attention = attention_cpu,
                                     .silu_mul = silu_mul_cpu,
                                     .gather = gather_ref,
                                     .kv_copy = kv_copy_cpu,
                                     .sample = sample_cpu};
    return &table;
}
