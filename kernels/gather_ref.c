/* gather_ref - the plain twin: row by row. */
#include "kernels/gather.h"

#include <string.h>

enum status gather_ref(struct device *device, const struct gather_args *args)
{
    (void)device;
    const struct activation *from = args->from, *to = args->to;
    const size_t cols = (size_t)to->cols, dim = (size_t)args->dim;
    for (int32_t i = 0; i < args->row_count; i++) {
        const size_t row = (size_t)args->rows[i], at = (size_t)i;
        memcpy(args->to_x + at * dim, args->x + row * dim, dim * sizeof(float));
        if (to->forms & ACTIVATION_F32)
            memcpy(to->f32 + at * cols, from->f32 + row * cols, cols * sizeof(float));
        if (to->forms & ACTIVATION_INT8) {
            memcpy(to->q8 + at * (size_t)to->stride, from->q8 + row * (size_t)from->stride,
                   (size_t)to->stride);
            to->scales[at] = from->scales[row];
        }
    }
    return OK;
}
