/* kbench_kernels - the operations that cohort kbench knows; tables end with a NULL name. */
#ifndef TOOLS_KBENCH_KERNELS_H
#define TOOLS_KBENCH_KERNELS_H

#include "tools/kbench_case.h"

extern const struct kbench_kernel kbench_rows_kernels[];     /* row by row, bound by memory */
extern const struct kbench_kernel kbench_products_kernels[]; /* products with weights */
extern const struct kbench_kernel kbench_attend_kernels[];   /* attention */
extern const struct kbench_kernel kbench_draw_kernels[];     /* sampling */

/* Kernel number index over all tables; NULL past the last. */
const struct kbench_kernel *kbench_kernels_at(int32_t index);
/* NULL when there is none of that name. */
const struct kbench_kernel *kbench_kernels_find(const char *name);

#endif
