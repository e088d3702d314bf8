/* ops - which table belongs to which kind of device. */
#include "kernels/ops.h"

const struct ops *ops_of(enum device_kind kind)
{
    switch (kind) {
    case DEVICE_CPU:
        return ops_cpu();
    case DEVICE_CUDA:
#if defined(COHORT_CUDA) && defined(COHORT_SIMT_OPS)
        return ops_cuda();
#else
        return NULL;
#endif
    case DEVICE_EMU:
#if defined(COHORT_EMU) && defined(COHORT_SIMT_OPS)
        return ops_emu();
#else
        return NULL;
#endif
    }
    return NULL;
}
