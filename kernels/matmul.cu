/* matmul - the product on GPUs: each form of weights has kernels of its own. */
#include "kernels/matmul.h"

#include "kernels/gemm_int8.h"
#include "kernels/matmul_bf16.h"
#include "kernels/matmul_stored.h"
#include "kernels/parts/simt.cuh"

namespace
{

enum status int8_run(struct device *device, const struct matmul_args *args)
{
    if (args->rows < 1)
        return OK;
    const int64_t weight_rows = static_cast<int64_t>(args->w->out_dim) * (args->gate ? 2 : 1);
    const enum gemm_int8_shape shape =
        gemm_int8_choose(args->rows, weight_rows, device_multiprocessors(device));
    return SIMT_OP(gemm_int8)(device, args, shape);
}

} // namespace

enum status SIMT_OP(matmul)(struct device *device, const struct matmul_args *args)
{
    if (args->gate && args->gate->form != args->w->form)
        return ERR_LIMIT;
    switch (args->w->form) {
    case WEIGHT_INT8:
        return int8_run(device, args);
    case WEIGHT_STORED:
        return SIMT_OP(matmul_stored)(device, args);
    case WEIGHT_FORM_BF16:
#if defined(COHORT_CUBLASLT) && !defined(SIMT_EMU)
        return matmul_bf16_cuda(device, args);
#else
        break;
#endif
    }
    return ERR_LIMIT;
}
