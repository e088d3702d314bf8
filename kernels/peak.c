/* peak - see peak.h: the plain twins, and the choice of a device's own. */
#include "kernels/peak.h"

#include "kernels/half.h"

#include <string.h>

enum { LANES = 32, REGS = 4, K_S8 = 32, K_F16 = 16 };

enum status peak_copy_ref(struct device *device, const struct peak_copy_args *args)
{
    (void)device;
    memcpy(args->to, args->from, (size_t)args->bytes);
    return OK;
}

/* Element (row, k) of a, and (k, column) of b, as parts/simt_cuda_numbers.cuh lays out. */
static float a_at(const struct peak_mma_args *args, int row, int k)
{
    const int each = args->kind == PEAK_S8_S32 ? 4 : 2; /* numbers in a register */
    const int depth = args->kind == PEAK_S8_S32 ? K_S8 : K_F16;
    const int lane = row % 8 * 4 + k % (depth / 2) / each;
    const uint32_t reg = args->a[lane * 4 + row / 8 + 2 * (k / (depth / 2))];
    if (args->kind == PEAK_S8_S32)
        return (float)(int8_t)(reg >> 8 * (k % 4));
    return half_to_float((uint16_t)(reg >> 16 * (k % 2)));
}

static float b_at(const struct peak_mma_args *args, int chain, int k, int column)
{
    const int each = args->kind == PEAK_S8_S32 ? 4 : 2;
    const int depth = args->kind == PEAK_S8_S32 ? K_S8 : K_F16;
    const int lane = column * 4 + k % (depth / 2) / each;
    const uint32_t reg = args->b[(chain * LANES + lane) * 2 + k / (depth / 2)];
    if (args->kind == PEAK_S8_S32)
        return (float)(int8_t)(reg >> 8 * (k % 4));
    return half_to_float((uint16_t)(reg >> 16 * (k % 2)));
}

enum status peak_mma_ref(struct device *device, const struct peak_mma_args *args)
{
    const int depth = args->kind == PEAK_S8_S32 ? K_S8 : K_F16;
    (void)device;
    for (int32_t at = 0; at < args->blocks * PEAK_WARPS * PEAK_CHAINS * LANES * REGS; at++) {
        const int reg = at % REGS, lane = at / REGS % LANES;
        const int chain = at / REGS / LANES % PEAK_CHAINS;
        const int row = lane / 4 + reg / 2 * 8, column = lane % 4 * 2 + reg % 2;
        double sum = 0;
        for (int k = 0; k < depth; k++)
            sum += (double)a_at(args, row, k) * (double)b_at(args, chain, k, column);
        sum *= args->steps;
        if (args->kind == PEAK_S8_S32)
            ((int32_t *)args->out)[at] = (int32_t)sum;
        else
            ((float *)args->out)[at] = (float)sum;
    }
    return OK;
}

enum status peak_copy(struct device *device, const struct peak_copy_args *args)
{
    switch (device_kind(device)) {
    case DEVICE_CPU:
        return peak_copy_ref(device, args);
    case DEVICE_CUDA:
#ifdef COHORT_CUDA
        return peak_copy_cuda(device, args);
#else
        return ERR_LIMIT;
#endif
    case DEVICE_EMU:
#ifdef COHORT_EMU
        return peak_copy_emu(device, args);
#else
        return ERR_LIMIT;
#endif
    }
    return ERR_LIMIT;
}

enum status peak_mma(struct device *device, const struct peak_mma_args *args)
{
    switch (device_kind(device)) {
    case DEVICE_CPU:
        return peak_mma_ref(device, args);
    case DEVICE_CUDA:
#ifdef COHORT_CUDA
        return peak_mma_cuda(device, args);
#else
        return ERR_LIMIT;
#endif
    case DEVICE_EMU:
#ifdef COHORT_EMU
        return peak_mma_emu(device, args);
#else
        return ERR_LIMIT;
#endif
    }
    return ERR_LIMIT;
}

double peak_mma_operations(const struct peak_mma_args *args)
{
    const double depth = args->kind == PEAK_S8_S32 ? K_S8 : K_F16;
    return 2.0 * 16 * 8 * depth * PEAK_CHAINS * PEAK_WARPS * args->blocks * args->steps;
}
