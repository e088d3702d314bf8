/*
 * device - where the kernels run: threads of this machine, or an accelerator.
 *
 * A device carries what kernels need besides their arguments: worker threads, the SIMD level
 * found at start, scratch memory. No kernel has globals.
 *
 * Owner    device_open gives, device_close takes. device_alloc'ed memory must be freed first.
 * Thread   one thread at a time issues work on a device (the engine thread).
 */
#ifndef KERNELS_DEVICE_H
#define KERNELS_DEVICE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum device_kind { DEVICE_CPU, DEVICE_CUDA, DEVICE_EMU };

/* Widest integer and float units that int8 kernels use; results of all are bit-identical. Each
 * level has what those of its family below it have; the families are ARM's and x86-64's. */
enum device_simd {
    DEVICE_SIMD_SCALAR,
    DEVICE_SIMD_NEON,
    DEVICE_SIMD_NEON_DOT,
    DEVICE_SIMD_NEON_I8MM,
    DEVICE_SIMD_AVX2,
    DEVICE_SIMD_AVX512_VNNI,
    DEVICE_SIMD_AMX_INT8,
    DEVICE_SIMD_WIDEST = DEVICE_SIMD_AMX_INT8 /* as a cap: whatever is there */
};

enum { DEVICE_THREADS_MAX = 256, DEVICE_FETCH_BYTES = 2 << 20 };

struct device;

struct device_options {
    enum device_kind kind;
    uint32_t threads;          /* 0: one per core this process may use */
    enum device_simd simd_max; /* at most this level */
    size_t scratch_bytes;      /* per worker; 0: a default that suits the ops of ops_cpu */
    size_t workspace_bytes;    /* CUDA and EMU; 0: a default that suits their ops */
};

/* ERR_LIMIT   more than DEVICE_THREADS_MAX threads, or a kind this build has not.
 * ERR_MEMORY  no room for scratch; ERR_IO a thread cannot be started. */
MUST_USE enum status device_open(struct device **device, const struct device_options *options,
                                 struct error *err);
void device_close(struct device *device); /* NULL is fine */

enum device_kind device_kind(const struct device *device);
enum device_simd device_simd(const struct device *device);
uint32_t device_threads(const struct device *device);
const char *device_kind_name(enum device_kind kind); /* "cpu", "cuda", "emu" */
const char *device_simd_name(enum device_simd simd);
/* The widest level of at most `max` that this machine has. Where that is AMX the system has
 * now granted it to this process, for threads started from here on. */
enum device_simd device_simd_found(enum device_simd max);

/* Memory on the device, zeroed, aligned to 64 bytes; NULL when there is none left. */
void *device_alloc(struct device *device, size_t bytes);
void device_free(struct device *device, void *memory, size_t bytes);

/* What could be had of the device's memory without paging anything out, and all that it has;
 * 0 where the system does not say. */
void device_memory_bytes(const struct device *device, size_t *free_bytes, size_t *total_bytes);
/* How often device_alloc has given memory: after start it must not grow. */
uint64_t device_allocations(const struct device *device);

/* True when kernels of this device read the host's memory: then nothing needs copying. */
bool device_is_host(const struct device *device);
/* Copies to and from device memory, in order with the kernels. upload returns when `from` may
 * change again, download when `to` is filled. ERR_DEVICE: a kernel before it has failed. */
MUST_USE enum status device_upload(struct device *device, void *to, const void *from,
                                   size_t bytes);
MUST_USE enum status device_download(struct device *device, void *to, const void *from,
                                     size_t bytes);
/* A download that does not stop the work: begin takes its place in order with the kernels and
 * returns, end waits for that place alone, not for what was given to the device after it, and
 * fills `to`. One at a time, of at most DEVICE_FETCH_BYTES. CUDA and EMU only (asserted). */
MUST_USE enum status device_fetch_begin(struct device *device, const void *from, size_t bytes);
MUST_USE enum status device_fetch_end(struct device *device, void *to, size_t bytes);
/* Waits for all work given to the device. ERR_DEVICE: a kernel has failed; the sentence says
 * what the device reports. The device is of no more use then. */
MUST_USE enum status device_wait(struct device *device, struct error *err);

/* CUDA and EMU: what a launch needs. stream is a cudaStream_t, NULL when emulated. */
void *device_stream(const struct device *device);
int32_t device_multiprocessors(const struct device *device);
/* CUDA and EMU: device memory for one kernel's intermediate results, of workspace_bytes. */
void *device_workspace(const struct device *device);
size_t device_workspace_bytes(const struct device *device);

/* CPU only: calls task(context, index, worker) once for each index in [0, count), spread over
 * the workers; returns when all are done. worker is 0 .. threads-1. Each begins with its own
 * range, alike for equal counts; who takes what in the end is open, so a task's result must not
 * depend on it. */
typedef void device_task(void *context, int32_t index, uint32_t worker);
void device_parallel(struct device *device, int32_t count, device_task *task, void *context);

/* CPU only: this worker's scratch, scratch_bytes of it, aligned to 64, content undefined. */
void *device_scratch(struct device *device, uint32_t worker);
size_t device_scratch_bytes(const struct device *device);

#ifdef __cplusplus
}
#endif
#endif
