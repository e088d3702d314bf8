/* kv_copy - bound by memory: each page is read and written once, whole. */
#include "kernels/kv_copy.h"

#include <assert.h>
#include <string.h>

static void copy_task(void *context, int32_t index, uint32_t worker)
{
    const struct kv_copy_args *args = context;
    const size_t bytes = kv_layout_page_bytes(args->cache);
    const int32_t from = args->from[index], to = args->to[index];
    (void)worker;
    assert(from >= 0 && from < args->cache->page_count);
    assert(to >= 0 && to < args->cache->page_count && from != to);
    memcpy(args->cache->data + (size_t)to * bytes, args->cache->data + (size_t)from * bytes,
           bytes);
}

enum status kv_copy_cpu(struct device *device, const struct kv_copy_args *args)
{
    struct kv_copy_args copy = *args;
    device_parallel(device, args->count, copy_task, &copy);
    return OK;
}
