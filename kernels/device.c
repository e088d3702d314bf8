/*
 * device - the CPU device: a pool of threads that share one loop of independent indices.
 *
 * Each has a range of neighbouring ones, and takes another's when its own is done. So the rows
 * that a core wrote in one op are those that it reads in the next, and the weights that it
 * prefetches those that come next. Lost: indices taken in turns (prefill of 512 rows, int8,
 * Xeon of the fifth generation: rmsnorm 5.8 -> 6.8 ms, silu_mul 4.9 -> 6.2; a row alone on two
 * cores of Zen 4, gate and up: 34 -> 48 us).
 *
 * A loop is a door: the caller opens it, works like everybody else, shuts it, and waits for
 * those still inside. A worker that comes late (asleep, or not scheduled) finds the door shut
 * and has missed nothing, so a short loop never waits for a sleeping thread.
 *
 *     gate = epoch << GATE_EPOCH_SHIFT | GATE_OPEN | workers inside
 *
 * The loop's fields are written before the gate opens and read only by those inside. Workers
 * look at the gate for a while and then sleep on a condition; the caller wakes them only when
 * `sleepers` says that there are any. Both sides write their own word before they read the
 * other's (sequentially consistent), so one of them always sees the other.
 *
 * Four times as many looks were no faster alone, and 11 % slower where another process wanted
 * the same two cores (decode of one, int8, Zen 3, November 2026).
 */
#include "kernels/device_backend.h"
#include "kernels/device_graph.h"
#include "kernels/device_keep.h"
#include "kernels/device_launch.h"
#include "kernels/device_pages.h"

#include "base/checked.h"
#include "base/clock.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CACHE_LINE = 64,
    WORKSPACE_DEFAULT_BYTES = 32 << 20, /* of an accelerator */
    GATE_OPEN = 1 << 15,
    GATE_INSIDE = GATE_OPEN - 1,
    GATE_EPOCH_SHIFT = 16,
    SPIN_LOOKS = 1024,              /* about 15-50 us: longer than the gap between two ops */
    SCRATCH_DEFAULT_BYTES = 4 << 20 /* attention's scores and matmul's weight panels */
};

struct worker {
    struct device *device;
    uint32_t index;
    pthread_t thread;
};

/* A worker's range of the loop. */
struct share {
    _Alignas(CACHE_LINE) atomic_int next; /* first index that nobody took */
    int32_t end;
};

struct device {
    enum device_kind kind;
    const struct device_backend *backend; /* NULL on the CPU */
    void *state;                          /* the back end's */
    void *workspace;
    size_t workspace_bytes;
    uint64_t allocations;
    struct device_pages pages; /* of the host */
    struct device_keep keep;
    struct device_launch_list *launches; /* NULL: nobody watches */
    double marks_s[DEVICE_TIMER_MARKS];  /* where the host's clock is the timer */

    uint32_t threads; /* workers, the caller among them as number 0 */
    uint32_t started; /* threads running besides the caller */
    uint32_t spin_looks;
    enum device_simd simd;
    size_t scratch_bytes;
    uint8_t *scratch; /* [threads][scratch_bytes] */
    struct worker *workers;

    device_task *task; /* the open loop */
    void *context;

    pthread_mutex_t mutex;
    pthread_cond_t opened; /* sleeping workers wait for an open gate or for stop */
    pthread_cond_t left;   /* a sleeping caller waits for the last worker to leave */
    _Alignas(CACHE_LINE) _Atomic uint64_t gate;
    atomic_uint sleepers;
    atomic_bool caller_sleeps;
    atomic_bool stop;
    struct share shares[DEVICE_THREADS_MAX]; /* [threads] */
};

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

static bool gate_is_new(uint64_t gate, uint64_t seen_epoch)
{
    return (gate & GATE_OPEN) != 0 && gate >> GATE_EPOCH_SHIFT != seen_epoch;
}

/* Waits for a loop of another epoch than the one seen last. False: the device closes. */
static bool worker_wait(struct device *device, uint64_t seen_epoch, uint64_t *gate)
{
    for (uint32_t look = 0; look < device->spin_looks; look++) {
        *gate = atomic_load(&device->gate);
        if (gate_is_new(*gate, seen_epoch))
            return true;
        if (atomic_load(&device->stop))
            return false;
        relax();
    }
    pthread_mutex_lock(&device->mutex);
    atomic_fetch_add(&device->sleepers, 1);
    bool stop = atomic_load(&device->stop);
    *gate = atomic_load(&device->gate);
    while (!stop && !gate_is_new(*gate, seen_epoch)) {
        pthread_cond_wait(&device->opened, &device->mutex);
        stop = atomic_load(&device->stop);
        *gate = atomic_load(&device->gate);
    }
    atomic_fetch_sub(&device->sleepers, 1);
    pthread_mutex_unlock(&device->mutex);
    return !stop;
}

/* The worker's own share, then what is left of the others'. */
static void loop_run(struct device *device, uint32_t worker)
{
    for (uint32_t i = 0; i < device->threads; i++) {
        struct share *share = &device->shares[(worker + i) % device->threads];
        while (atomic_load_explicit(&share->next, memory_order_relaxed) < share->end) {
            const int32_t index =
                atomic_fetch_add_explicit(&share->next, 1, memory_order_relaxed);
            if (index < share->end)
                device->task(device->context, index, worker);
        }
    }
}

static void shares_make(struct device *device, int32_t count)
{
    const int32_t threads = (int32_t)device->threads;
    int32_t begin = 0;
    for (int32_t i = 0; i < threads; i++) {
        struct share *share = &device->shares[i];
        share->end = begin + count / threads + (i < count % threads);
        atomic_store_explicit(&share->next, begin, memory_order_relaxed);
        begin = share->end;
    }
}

static void worker_leave(struct device *device)
{
    const uint64_t gate = atomic_fetch_sub(&device->gate, 1) - 1;
    if ((gate & (GATE_OPEN | GATE_INSIDE)) != 0 || !atomic_load(&device->caller_sleeps))
        return;
    pthread_mutex_lock(&device->mutex);
    pthread_cond_signal(&device->left);
    pthread_mutex_unlock(&device->mutex);
}

static void *worker_main(void *argument)
{
    struct worker *worker = argument;
    struct device *device = worker->device;
    uint64_t seen_epoch = 0, gate;
    while (worker_wait(device, seen_epoch, &gate)) {
        if (!atomic_compare_exchange_strong(&device->gate, &gate, gate + 1))
            continue;
        seen_epoch = gate >> GATE_EPOCH_SHIFT;
        loop_run(device, worker->index);
        worker_leave(device);
    }
    return NULL;
}

/* Shuts the gate and waits until nobody is inside. */
static void loop_finish(struct device *device)
{
    atomic_fetch_and(&device->gate, ~(uint64_t)GATE_OPEN);
    for (uint32_t look = 0; look < device->spin_looks; look++) {
        if ((atomic_load(&device->gate) & GATE_INSIDE) == 0)
            return;
        relax();
    }
    pthread_mutex_lock(&device->mutex);
    atomic_store(&device->caller_sleeps, true);
    while ((atomic_load(&device->gate) & GATE_INSIDE) != 0)
        pthread_cond_wait(&device->left, &device->mutex);
    atomic_store(&device->caller_sleeps, false);
    pthread_mutex_unlock(&device->mutex);
}

/* Signals stay with the threads of the program: a worker takes none. */
static enum status workers_start(struct device *device, struct error *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = 0;
    for (uint32_t i = 1; i < device->threads && failure == 0; i++) {
        device->workers[i] = (struct worker){.device = device, .index = i};
        failure =
            pthread_create(&device->workers[i].thread, NULL, worker_main, &device->workers[i]);
        if (failure == 0)
            device->started++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure != 0)
        FAIL(err, ERR_IO, "device: cannot start thread %u of %u: %s", device->started + 1,
             device->threads, strerror(failure));
    return OK;
}

static const struct device_backend *backend_of(enum device_kind kind)
{
#ifdef COHORT_CUDA
    if (kind == DEVICE_CUDA)
        return device_cuda_backend();
#endif
#ifdef COHORT_EMU
    if (kind == DEVICE_EMU)
        return device_emu_backend();
#endif
    (void)kind;
    return NULL;
}

void device_memory_bytes(const struct device *device, size_t *free_bytes, size_t *total_bytes)
{
    struct device_timer_facts facts = {0};
    if (device->backend && device->backend->facts)
        device->backend->facts(device->state, &facts);
    *free_bytes = facts.memory_free_bytes;
    *total_bytes = facts.memory_bytes;
    if (facts.memory_bytes == 0) /* its memory is the host's */
        device_host_memory(free_bytes, total_bytes);
}

static enum status backend_open(struct device *device, const struct device_backend *backend,
                                size_t workspace_bytes, struct error *err)
{
    TRY(backend->open(&device->state, err));
    device->backend = backend;
    device->workspace_bytes = workspace_bytes ? workspace_bytes : WORKSPACE_DEFAULT_BYTES;
    device->workspace = backend->alloc(device->state, device->workspace_bytes);
    if (device->workspace == NULL) {
        size_t free_bytes, total_bytes;
        device_memory_bytes(device, &free_bytes, &total_bytes);
        FAIL(err, ERR_MEMORY, "device: workspace takes %zu bytes, %zu of %zu are free",
             device->workspace_bytes, free_bytes, total_bytes);
    }
    return OK;
}

static enum status memory_take(struct device *device, struct error *err)
{
    size_t bytes;
    if (!checked_align_size(device->scratch_bytes, CACHE_LINE, &device->scratch_bytes) ||
        !checked_mul_size(device->scratch_bytes, device->threads, &bytes))
        FAIL(err, ERR_MEMORY, "device: scratch of %zu bytes for each of %u threads",
             device->scratch_bytes, device->threads);
    device->workers = calloc(device->threads, sizeof *device->workers);
    device->scratch = device_pages_alloc(&device->pages, bytes);
    if (device->workers == NULL || device->scratch == NULL)
        FAIL(err, ERR_MEMORY, "device: no room for %zu bytes of scratch", bytes);
    return OK;
}

enum status device_open(struct device **device, const struct device_options *options,
                        struct error *err)
{
    const struct device_backend *backend = backend_of(options->kind);
    if (options->kind != DEVICE_CPU && backend == NULL)
        FAIL(err, ERR_LIMIT, "device: %s is not in this build",
             device_kind_name(options->kind));
    const uint32_t cores = device_host_cores();
    uint32_t threads = options->threads;
    if (threads > DEVICE_THREADS_MAX)
        FAIL(err, ERR_LIMIT, "device: %u threads, at most %d", threads, DEVICE_THREADS_MAX);
    if (threads == 0)
        threads = cores < DEVICE_THREADS_MAX ? cores : DEVICE_THREADS_MAX;

    struct device *made = aligned_alloc(CACHE_LINE, sizeof *made);
    if (made == NULL)
        FAIL(err, ERR_MEMORY, "device: no room for %zu bytes", sizeof *made);
    memset(made, 0, sizeof *made);
    made->kind = options->kind;
    made->threads = threads;
    made->spin_looks = threads <= cores ? SPIN_LOOKS : 0;
    made->simd = device_simd_found(options->simd_max);
    made->scratch_bytes =
        options->scratch_bytes != 0 ? options->scratch_bytes : (size_t)SCRATCH_DEFAULT_BYTES;
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->opened, NULL);
    pthread_cond_init(&made->left, NULL);

    enum status status = memory_take(made, err);
    if (status == OK)
        status = workers_start(made, err);
    if (status == OK && backend)
        status = backend_open(made, backend, options->workspace_bytes, err);
    if (status != OK) {
        device_close(made);
        return status;
    }
    *device = made;
    return OK;
}

void device_close(struct device *device)
{
    if (device == NULL)
        return;
    pthread_mutex_lock(&device->mutex);
    atomic_store(&device->stop, true);
    pthread_cond_broadcast(&device->opened);
    pthread_mutex_unlock(&device->mutex);
    for (uint32_t i = 1; i <= device->started; i++)
        pthread_join(device->workers[i].thread, NULL);
    pthread_cond_destroy(&device->left);
    pthread_cond_destroy(&device->opened);
    pthread_mutex_destroy(&device->mutex);
    if (device->keep.drop != NULL)
        device->keep.drop(device->keep.memory);
    if (device->state) {
        device->backend->free(device->state, device->workspace, device->workspace_bytes);
        device->backend->close(device->state);
    }
    device_pages_free(&device->pages, device->scratch, device->scratch_bytes * device->threads);
    free(device->workers);
    free(device);
}

enum device_kind device_kind(const struct device *device)
{
    return device->kind;
}

const char *device_kind_name(enum device_kind kind)
{
    switch (kind) {
    case DEVICE_CPU:
        return "cpu";
    case DEVICE_CUDA:
        return "cuda";
    case DEVICE_EMU:
        return "emu";
    }
    return "unknown";
}

enum device_simd device_simd(const struct device *device)
{
    return device->simd;
}

uint32_t device_threads(const struct device *device)
{
    return device->threads;
}

void *device_alloc(struct device *device, size_t bytes)
{
    device->allocations++;
    return device->backend ? device->backend->alloc(device->state, bytes)
                           : device_pages_alloc(&device->pages, bytes);
}

void device_free(struct device *device, void *memory, size_t bytes)
{
    if (device->backend)
        device->backend->free(device->state, memory, bytes);
    else
        device_pages_free(&device->pages, memory, bytes);
}

uint64_t device_allocations(const struct device *device)
{
    return device->allocations;
}

bool device_is_host(const struct device *device)
{
    return device->backend == NULL;
}

enum status device_upload(struct device *device, void *to, const void *from, size_t bytes)
{
    if (device->backend)
        return device->backend->upload(device->state, to, from, bytes);
    memcpy(to, from, bytes);
    return OK;
}

enum status device_download(struct device *device, void *to, const void *from, size_t bytes)
{
    if (device->backend)
        return device->backend->download(device->state, to, from, bytes);
    memcpy(to, from, bytes);
    return OK;
}

enum status device_fetch_begin(struct device *device, const void *from, size_t bytes)
{
    assert(device->backend && bytes <= DEVICE_FETCH_BYTES);
    return device->backend->fetch_begin(device->state, from, bytes);
}

enum status device_fetch_end(struct device *device, void *to, size_t bytes)
{
    assert(device->backend && bytes <= DEVICE_FETCH_BYTES);
    return device->backend->fetch_end(device->state, to, bytes);
}

enum status device_wait(struct device *device, struct error *err)
{
    return device->backend ? device->backend->wait(device->state, err) : OK;
}

void *device_stream(const struct device *device)
{
    return device->backend ? device->backend->stream(device->state) : NULL;
}

int32_t device_multiprocessors(const struct device *device)
{
    return device->backend ? device->backend->multiprocessors(device->state) : 0;
}

void *device_workspace(const struct device *device)
{
    return device->workspace;
}

struct device_keep *device_keep_of(struct device *device)
{
    return &device->keep;
}

size_t device_workspace_bytes(const struct device *device)
{
    return device->workspace_bytes;
}

enum status device_timer_mark(struct device *device, uint32_t index)
{
    assert(index < DEVICE_TIMER_MARKS);
    if (device->backend && device->backend->mark)
        return device->backend->mark(device->state, index);
    device->marks_s[index] = clock_now_s();
    return OK;
}

enum status device_timer_us(struct device *device, uint32_t from, uint32_t to, double *us,
                            struct error *err)
{
    assert(from < DEVICE_TIMER_MARKS && to < DEVICE_TIMER_MARKS);
    if (device->backend && device->backend->elapsed)
        return device->backend->elapsed(device->state, from, to, us, err);
    *us = (device->marks_s[to] - device->marks_s[from]) * 1e6;
    return device_wait(device, err);
}

void device_timer_look(const struct device *device, struct device_timer_facts *facts)
{
    *facts = (struct device_timer_facts){0};
    if (device->backend)
        (void)snprintf(facts->name, sizeof facts->name, "%s", device_kind_name(device->kind));
    else
        (void)snprintf(facts->name, sizeof facts->name, "cpu %s, %u threads",
                       device_simd_name(device->simd), device->threads);
    if (device->backend && device->backend->facts)
        device->backend->facts(device->state, facts);
}

void device_launch_watch(struct device *device, struct device_launch_list *list)
{
    device->launches = list;
}

void device_launch_note(struct device *device, const struct device_launch *launch)
{
    struct device_launch_list *list = device ? device->launches : NULL;
    if (!list)
        return;
    if (list->count < DEVICE_LAUNCHES_MAX)
        list->items[list->count] = *launch;
    list->count++;
}

bool device_launch_look(struct device *device, const struct device_launch *launch,
                        struct device_launch_facts *facts)
{
    *facts = (struct device_launch_facts){0};
    return device->backend && device->backend->launch_facts &&
           device->backend->launch_facts(device->state, launch, facts) == OK;
}

bool device_graph_is_possible(const struct device *device)
{
    return device->backend && device->backend->graph_begin;
}

enum status device_graph_begin(struct device *device)
{
    assert(device_graph_is_possible(device));
    return device->backend->graph_begin(device->state);
}

enum status device_graph_end(struct device *device, uint32_t slot)
{
    assert(slot < DEVICE_GRAPH_SLOTS);
    return device->backend->graph_end(device->state, slot);
}

enum status device_graph_run(struct device *device, uint32_t slot)
{
    assert(slot < DEVICE_GRAPH_SLOTS);
    return device->backend->graph_run(device->state, slot);
}

void device_parallel(struct device *device, int32_t count, device_task *task, void *context)
{
    const uint64_t gate = atomic_load(&device->gate);
    assert((gate & (GATE_OPEN | GATE_INSIDE)) == 0); /* no loop inside a loop */
    assert(count <= INT32_MAX - DEVICE_THREADS_MAX); /* `next` passes count once per worker */
    if (device->threads == 1 || count <= 1) {
        for (int32_t index = 0; index < count; index++)
            task(context, index, 0);
        return;
    }
    device->task = task;
    device->context = context;
    shares_make(device, count);
    atomic_store(&device->gate,
                 (((gate >> GATE_EPOCH_SHIFT) + 1) << GATE_EPOCH_SHIFT) | GATE_OPEN);
    if (atomic_load(&device->sleepers) != 0) {
        pthread_mutex_lock(&device->mutex);
        pthread_cond_broadcast(&device->opened);
        pthread_mutex_unlock(&device->mutex);
    }
    loop_run(device, 0);
    loop_finish(device);
}

void *device_scratch(struct device *device, uint32_t worker)
{
    assert(worker < device->threads);
    return device->scratch + worker * device->scratch_bytes;
}

size_t device_scratch_bytes(const struct device *device)
{
    return device->scratch_bytes;
}
