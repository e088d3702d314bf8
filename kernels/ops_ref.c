/* ops_ref - the table of the plain twins. */
#include "kernels/ops.h"

const struct ops *ops_ref(void)
{
    static const struct ops table = {.name = "ref",
                                     .embed = embed_ref,
                                     .rmsnorm = rmsnorm_ref,
                                     .matmul = matmul_ref,
                                     .rope_append = rope_append_ref,
                                     .attention = attention_ref,
                                     .silu_mul = silu_mul_ref,
                                     .kv_copy = kv_copy_cpu,
                                     .sample = sample_ref};
    return &table;
}
