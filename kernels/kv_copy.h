/* kv_copy - copies whole KV pages: the copy of copy on write. */
#ifndef KERNELS_KV_COPY_H
#define KERNELS_KV_COPY_H

#include "kernels/device.h"
#include "kernels/kv_layout.h"

#ifdef __cplusplus
extern "C" {
#endif

struct kv_copy_args {
    const struct kv_cache *cache;
    const int32_t *from, *to; /* [count] page numbers; no page is both */
    int32_t count;
};

enum status kv_copy_cpu(struct device *device, const struct kv_copy_args *args);
enum status kv_copy_cuda(struct device *device, const struct kv_copy_args *args);
enum status kv_copy_emu(struct device *device, const struct kv_copy_args *args);

#ifdef __cplusplus
}
#endif
#endif
