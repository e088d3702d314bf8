/* ops_emu - the table filled with the GPU's kernels, run by the emulator. */
#include "kernels/ops.h"

const struct ops *ops_emu(void)
{
    static const struct ops ops = {.name = "emu",
                                   .attention_split = ATTENTION_SPLIT,
                                   .kv_order = KV_ORDER_GPU,
                                   .fuses_gate = true,
                                   .embed = embed_emu,
                                   .rmsnorm = rmsnorm_emu,
                                   .matmul = matmul_emu,
                                   .rope_append = rope_append_emu,
                                   .attention = attention_emu,
                                   .silu_mul = silu_mul_emu,
                                   .gather = gather_emu,
                                   .kv_copy = kv_copy_emu,
                                   .sample = sample_emu};
    return &ops;
}
