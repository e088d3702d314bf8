/* ops_ref - the table of the plain twins. */
#include "kernels/ops.h"

const struct ops *ops_ref(void)
{
    static const struct ops table = {.name = "ref",
                                     .attention_split = ATTENTION_SPLIT,
                                     .kv_order = KV_ORDER_CPU,
                                     .embed = embed_ref,
                                     .rmsnorm = rmsnorm_ref,
                                     .matmul = matmul_ref,
                                     .rope_append = rope_append_ref,
                                     .attention = attention_ref,
                                     .silu_mul = silu_mul_ref,
                                     .gather = gather_ref,
                                     .kv_copy = kv_copy_cpu,
                                     .sample = sample_ref};
    return &table;
}
