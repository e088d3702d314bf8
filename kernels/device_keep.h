/*
 * device_keep - what an op's library keeps with a device between calls: cuBLASLt's handle and
 * the algorithms chosen. One owner per build: matmul_bf16.
 */
#ifndef KERNELS_DEVICE_KEEP_H
#define KERNELS_DEVICE_KEEP_H

#ifdef __cplusplus
extern "C" {
#endif

struct device;

struct device_keep {
    void *memory;               /* NULL: nothing is kept yet */
    void (*drop)(void *memory); /* called by device_close, while the back end is still open */
};

struct device_keep *device_keep_of(struct device *device);

#ifdef __cplusplus
}
#endif
#endif
