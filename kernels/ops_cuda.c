/* ops_cuda - the table filled with the GPU's kernels. */
#include "kernels/ops.h"

const struct ops *ops_cuda(void)
{
    static const struct ops ops = {.name = "cuda",
                                   .attention_split = ATTENTION_SPLIT,
                                   .kv_order = KV_ORDER_GPU,
                                   .fuses_gate = true,
                                   .embed = embed_cuda,
                                   .rmsnorm = rmsnorm_cuda,
                                   .matmul = matmul_cuda,
                                   .rope_append = rope_append_cuda,
                                   .attention = attention_cuda,
                                   .silu_mul = silu_mul_cuda,
                                   .gather = gather_cuda,
                                   .kv_copy = kv_copy_cuda,
                                   .sample = sample_cuda};
    return &ops;
}
