/*
 * device_cuda - the NVIDIA device behind device.h: one stream, its memory, its copies.
 *
 * Everything goes through one stream, in order. An upload is copied into pinned memory first
 * and travels from there on its own, so that it returns when `from` may change; the pinned
 * memory is a ring of pieces, and a piece is used again when the event behind its last journey
 * has passed. A download waits for all before it.
 *
 * An error of a kernel stays with the process (CUDA calls it sticky): every later call answers
 * ERR_DEVICE, and device_wait says what the driver reports. A kernel that does not end would
 * hold whoever waits for it: after HUNG_S the device counts as lost, and nothing more is asked
 * of it, not even to free its memory, which would wait as well; the driver does that when the
 * process ends.
 */
#include "kernels/device_backend.h"
#include "kernels/device_graph.h"

#include "base/clock.h"

#include <cuda_runtime.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace
{

enum {
    PIECES = 4,
    PIECE_BYTES = 4 << 20,
    HUNG_S = 60,        /* no step of a batch within our limits takes a tenth of it */
    CAPABILITY_MIN = 89 /* 10 major + minor: what the kernels are compiled for, and later */
};

struct cuda_device {
    cudaStream_t stream;
    unsigned char *pinned;    /* [PIECES][PIECE_BYTES] */
    cudaEvent_t left[PIECES]; /* recorded when a piece's journey is on the stream */
    int event_count;
    bool is_hung;
    int next;               /* piece to be used next */
    unsigned char *fetched; /* [DEVICE_FETCH_BYTES], pinned */
    cudaEvent_t arrived;    /* recorded behind the copy into it */
    int32_t multiprocessors;
    cudaEvent_t marks[DEVICE_TIMER_MARKS]; /* made when first used: by benches alone */
    cudaGraphExec_t graphs[DEVICE_GRAPH_SLOTS];
};

struct cuda_device *of(void *state)
{
    return static_cast<struct cuda_device *>(state);
}

enum status status_of(cudaError_t result)
{
    return result == cudaSuccess ? OK : ERR_DEVICE;
}

enum status fail(struct error *err, const char *what, cudaError_t result)
{
    FAIL(err, ERR_DEVICE, "device: cuda: %s: %s (%s)", what, cudaGetErrorString(result),
         cudaGetErrorName(result));
}

/* The first GPU that the process is shown (CUDA_VISIBLE_DEVICES chooses among several). */
enum status gpu_choose(struct cuda_device *made, struct error *err)
{
    int count = 0;
    const cudaError_t found = cudaGetDeviceCount(&count);
    if (found == cudaErrorInsufficientDriver)
        FAIL(
            err, ERR_DEVICE,
            "device: cuda: the NVIDIA driver is missing, or older than this build's CUDA %d.%d",
            CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10);
    if (found == cudaErrorNoDevice || (found == cudaSuccess && count == 0))
        FAIL(err, ERR_DEVICE, "device: cuda: this machine shows no NVIDIA GPU");
    if (found != cudaSuccess)
        return fail(err, "looking for a GPU", found);

    int major = 0, minor = 0, processors = 0;
    cudaError_t result = cudaSetDevice(0);
    if (result == cudaSuccess)
        result = cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0);
    if (result == cudaSuccess)
        result = cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, 0);
    if (result == cudaSuccess)
        result = cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, 0);
    if (result != cudaSuccess)
        return fail(err, "asking the GPU what it is", result);
    if (10 * major + minor < CAPABILITY_MIN)
        FAIL(err, ERR_DEVICE,
             "device: cuda: the GPU has compute capability %d.%d, the kernels want %d.%d",
             major, minor, CAPABILITY_MIN / 10, CAPABILITY_MIN % 10);
    made->multiprocessors = processors;
    return OK;
}

/* Waits for an event of the stream, but not for ever. */
enum status event_wait(struct cuda_device *device, cudaEvent_t event)
{
    const double until = clock_now_s() + HUNG_S;
    cudaError_t result = device->is_hung ? cudaErrorLaunchTimeout : cudaEventQuery(event);
    while (result == cudaErrorNotReady && clock_now_s() < until) {
        (void)sched_yield();
        result = cudaEventQuery(event);
    }
    device->is_hung |= result == cudaErrorNotReady;
    return status_of(result);
}

void cuda_close(void *state)
{
    struct cuda_device *device = of(state);
    if (device->is_hung) {
        free(device);
        return;
    }
    for (int i = 0; i < DEVICE_GRAPH_SLOTS; i++)
        if (device->graphs[i])
            (void)cudaGraphExecDestroy(device->graphs[i]);
    for (int i = 0; i < DEVICE_TIMER_MARKS; i++)
        if (device->marks[i])
            (void)cudaEventDestroy(device->marks[i]);
    for (int i = 0; i < device->event_count; i++)
        (void)cudaEventDestroy(device->left[i]);
    if (device->arrived)
        (void)cudaEventDestroy(device->arrived);
    if (device->pinned)
        (void)cudaFreeHost(device->pinned);
    if (device->fetched)
        (void)cudaFreeHost(device->fetched);
    if (device->stream)
        (void)cudaStreamDestroy(device->stream);
    free(device);
}

enum status pin(unsigned char **memory, size_t bytes, struct error *err)
{
    void *pinned = nullptr;
    const cudaError_t result = cudaHostAlloc(&pinned, bytes, cudaHostAllocDefault);
    if (result != cudaSuccess)
        return fail(err, "pinning memory for copies", result);
    *memory = static_cast<unsigned char *>(pinned);
    return OK;
}

enum status cuda_fill(struct cuda_device *made, struct error *err)
{
    TRY(gpu_choose(made, err));
    cudaError_t result = cudaStreamCreateWithFlags(&made->stream, cudaStreamNonBlocking);
    if (result != cudaSuccess)
        return fail(err, "making a stream", result);
    TRY(pin(&made->pinned, static_cast<size_t>(PIECES) * PIECE_BYTES, err));
    TRY(pin(&made->fetched, DEVICE_FETCH_BYTES, err));
    result = cudaEventCreateWithFlags(&made->arrived, cudaEventDisableTiming);
    if (result != cudaSuccess)
        return fail(err, "making an event", result);
    for (; made->event_count < PIECES; made->event_count++) {
        result =
            cudaEventCreateWithFlags(&made->left[made->event_count], cudaEventDisableTiming);
        if (result != cudaSuccess)
            return fail(err, "making an event", result);
    }
    return OK;
}

enum status cuda_open(void **state, struct error *err)
{
    auto *made = static_cast<struct cuda_device *>(calloc(1, sizeof(struct cuda_device)));
    if (made == nullptr)
        FAIL(err, ERR_MEMORY, "device: no room for %zu bytes", sizeof(struct cuda_device));
    const enum status status = cuda_fill(made, err);
    if (status != OK) {
        cuda_close(made);
        return status;
    }
    *state = made;
    return OK;
}

/* A refusal for want of memory is no sticky error: it is taken back, and NULL says it. */
void *cuda_alloc(void *state, size_t bytes)
{
    void *memory = nullptr;
    if (cudaMalloc(&memory, bytes == 0 ? 1 : bytes) != cudaSuccess) {
        (void)cudaGetLastError();
        return nullptr;
    }
    if (cudaMemsetAsync(memory, 0, bytes, of(state)->stream) == cudaSuccess)
        return memory;
    (void)cudaFree(memory);
    return nullptr;
}

void cuda_free(void *state, void *memory, size_t bytes)
{
    (void)bytes;
    if (!of(state)->is_hung)
        (void)cudaFree(memory); /* waits for what uses it */
}

enum status upload_piece(struct cuda_device *device, void *to, const void *from, size_t bytes)
{
    const int piece = device->next;
    unsigned char *pinned = device->pinned + static_cast<size_t>(piece) * PIECE_BYTES;
    device->next = (piece + 1) % PIECES;
    TRY(status_of(cudaEventSynchronize(device->left[piece]))); /* never recorded: has passed */
    memcpy(pinned, from, bytes);
    TRY(status_of(cudaMemcpyAsync(to, pinned, bytes, cudaMemcpyHostToDevice, device->stream)));
    return status_of(cudaEventRecord(device->left[piece], device->stream));
}

enum status cuda_upload(void *state, void *to, const void *from, size_t bytes)
{
    auto *at = static_cast<unsigned char *>(to);
    const auto *source = static_cast<const unsigned char *>(from);
    while (bytes > 0) {
        const size_t piece = bytes < PIECE_BYTES ? bytes : static_cast<size_t>(PIECE_BYTES);
        TRY(upload_piece(of(state), at, source, piece));
        at += piece;
        source += piece;
        bytes -= piece;
    }
    return OK;
}

enum status cuda_download(void *state, void *to, const void *from, size_t bytes)
{
    cudaStream_t stream = of(state)->stream;
    TRY(status_of(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream)));
    return status_of(cudaStreamSynchronize(stream));
}

enum status cuda_fetch_begin(void *state, const void *from, size_t bytes)
{
    const struct cuda_device *device = of(state);
    TRY(status_of(
        cudaMemcpyAsync(device->fetched, from, bytes, cudaMemcpyDeviceToHost, device->stream)));
    return status_of(cudaEventRecord(device->arrived, device->stream));
}

enum status cuda_fetch_end(void *state, void *to, size_t bytes)
{
    struct cuda_device *device = of(state);
    TRY(event_wait(device, device->arrived));
    memcpy(to, device->fetched, bytes);
    return OK;
}

enum status cuda_wait(void *state, struct error *err)
{
    if (of(state)->is_hung)
        FAIL(err, ERR_DEVICE, "device: cuda: a kernel has not ended within %d s", HUNG_S);
    const cudaError_t result = cudaStreamSynchronize(of(state)->stream);
    return result == cudaSuccess ? OK : fail(err, "a kernel failed", result);
}

void *cuda_stream(void *state)
{
    return of(state)->stream;
}

int32_t cuda_multiprocessors(void *state)
{
    return of(state)->multiprocessors;
}

enum status cuda_mark(void *state, uint32_t index)
{
    cudaEvent_t *mark = &of(state)->marks[index];
    if (*mark == nullptr)
        TRY(status_of(cudaEventCreate(mark)));
    return status_of(cudaEventRecord(*mark, of(state)->stream));
}

enum status cuda_elapsed(void *state, uint32_t from, uint32_t to, double *us, struct error *err)
{
    const struct cuda_device *device = of(state);
    TRY(cuda_wait(state, err));
    float ms = 0.0f;
    const cudaError_t result =
        cudaEventElapsedTime(&ms, device->marks[from], device->marks[to]);
    *us = static_cast<double>(ms) * 1e3;
    return result == cudaSuccess ? OK : fail(err, "the time between two marks", result);
}

/* 0 where the driver does not tell. */
int attribute(enum cudaDeviceAttr name)
{
    int value = 0;
    if (cudaDeviceGetAttribute(&value, name, 0) == cudaSuccess)
        return value;
    (void)cudaGetLastError();
    return 0;
}

void cuda_facts(void *state, struct device_timer_facts *facts)
{
    struct cudaDeviceProp properties = {};
    if (cudaGetDeviceProperties(&properties, 0) == cudaSuccess)
        (void)snprintf(facts->name, sizeof facts->name, "%.*s",
                       static_cast<int>(sizeof facts->name) - 1, properties.name);
    facts->sm = 10 * attribute(cudaDevAttrComputeCapabilityMajor) +
                attribute(cudaDevAttrComputeCapabilityMinor);
    facts->multiprocessors = of(state)->multiprocessors;
    (void)cudaDriverGetVersion(&facts->driver);
    (void)cudaRuntimeGetVersion(&facts->runtime);
    facts->clock_mhz = attribute(cudaDevAttrClockRate) / 1000; /* told in kHz */
    facts->memory_clock_mhz = attribute(cudaDevAttrMemoryClockRate) / 1000;
    facts->memory_bus_bits = attribute(cudaDevAttrGlobalMemoryBusWidth);
    facts->l2_bytes = static_cast<size_t>(attribute(cudaDevAttrL2CacheSize));
    facts->has_ecc = attribute(cudaDevAttrEccEnabled) != 0;
    if (cudaMemGetInfo(&facts->memory_free_bytes, &facts->memory_bytes) != cudaSuccess)
        facts->memory_free_bytes = facts->memory_bytes = 0;
}

enum status cuda_graph_begin(void *state)
{
    return status_of(
        cudaStreamBeginCapture(of(state)->stream, cudaStreamCaptureModeThreadLocal));
}

enum status cuda_graph_end(void *state, uint32_t slot)
{
    cudaGraphExec_t *kept = &of(state)->graphs[slot];
    if (*kept)
        (void)cudaGraphExecDestroy(*kept);
    *kept = nullptr;
    cudaGraph_t graph = nullptr;
    cudaError_t result = cudaStreamEndCapture(of(state)->stream, &graph);
    if (result == cudaSuccess)
        result = cudaGraphInstantiate(kept, graph, 0);
    if (graph)
        (void)cudaGraphDestroy(graph);
    return status_of(result);
}

enum status cuda_graph_run(void *state, uint32_t slot)
{
    const struct cuda_device *device = of(state);
    return device->graphs[slot]
               ? status_of(cudaGraphLaunch(device->graphs[slot], device->stream))
               : ERR_DEVICE;
}

enum status cuda_launch_facts(void *state, const struct device_launch *launch,
                              struct device_launch_facts *facts)
{
    (void)state;
    struct cudaFuncAttributes attributes = {};
    int resident = 0;
    cudaError_t result = cudaFuncGetAttributes(&attributes, launch->function);
    if (result == cudaSuccess)
        result = cudaOccupancyMaxActiveBlocksPerMultiprocessor(
            &resident, launch->function, launch->threads, launch->shared_bytes);
    if (result != cudaSuccess) {
        (void)cudaGetLastError(); /* a question refused is no failure of the device */
        return ERR_DEVICE;
    }
    facts->registers = attributes.numRegs;
    facts->static_bytes = attributes.sharedSizeBytes;
    facts->local_bytes = attributes.localSizeBytes;
    facts->resident = resident;
    facts->threads_max = attribute(cudaDevAttrMaxThreadsPerMultiProcessor);
    return OK;
}

} /* namespace */

const struct device_backend *device_cuda_backend(void)
{
    static const struct device_backend backend = {
        cuda_open,      cuda_close,       cuda_alloc,           cuda_free,
        cuda_upload,    cuda_download,    cuda_fetch_begin,     cuda_fetch_end,
        cuda_wait,      cuda_stream,      cuda_multiprocessors, cuda_mark,
        cuda_elapsed,   cuda_facts,       cuda_graph_begin,     cuda_graph_end,
        cuda_graph_run, cuda_launch_facts};
    return &backend;
}
