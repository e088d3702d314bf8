/* ops - which table belongs to which kind of device. */
#include "kernels/ops.h"

const struct ops *ops_of(enum device_kind kind)
{
    switch (kind) {
    case DEVICE_CPU:
        return ops_cpu();
    case DEVICE_CUDA:
#ifdef COHORT_CUDA
        return ops_cuda();
#else
        return NULL;
#endif
    case DEVICE_EMU:
#ifdef COHORT_EMU
        return ops_emu();
#else
        return NULL;
#endif
    }
    return NULL;
}
