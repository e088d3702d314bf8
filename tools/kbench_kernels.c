/* kbench_kernels - see kbench_kernels.h. */
#include "tools/kbench_kernels.h"

#include <string.h>

const struct kbench_kernel *kbench_kernels_at(int32_t index)
{
    const struct kbench_kernel *const tables[] = {kbench_products_kernels,
                                                  kbench_attend_kernels, kbench_rows_kernels,
                                                  kbench_draw_kernels};
    for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++)
        for (const struct kbench_kernel *kernel = tables[t]; kernel->name; kernel++)
            if (index-- == 0)
                return kernel;
    return NULL;
}

const struct kbench_kernel *kbench_kernels_find(const char *name)
{
    const struct kbench_kernel *kernel;
    for (int32_t i = 0; (kernel = kbench_kernels_at(i)); i++)
        if (strcmp(kernel->name, name) == 0)
            return kernel;
    return NULL;
}
