/* peak_host - see peak_host.h. A task is a piece of memory; its bytes are added up in four
 * running sums, so that nothing but the loads takes time. */
#include "kernels/peak_host.h"

#include "base/clock.h"

#include <assert.h>
#include <string.h>

enum { PIECE = 1 << 20, RUNS = 5, LINE = 64 };

typedef uint64_t words __attribute__((vector_size(16), aligned(16), may_alias));

struct job {
    const uint8_t *from;
    uint8_t *to;
    int32_t pieces;
    uint64_t sums[DEVICE_THREADS_MAX]; /* written, so that no load can be left out */
};

static void read_piece(void *context, int32_t index, uint32_t worker)
{
    struct job *job = context;
    const words *at = (const words *)(const void *)(job->from + (size_t)index * PIECE);
    const words *end = at + PIECE / sizeof *at;
    words a = {0}, b = a, c = a, d = a;
    for (; at < end; at += LINE / sizeof *at) {
        a += at[0];
        b += at[1];
        c += at[2];
        d += at[3];
    }
    a += b + (c + d);
    job->sums[worker] += a[0] + a[1];
}

static void copy_piece(void *context, int32_t index, uint32_t worker)
{
    struct job *job = context;
    (void)worker;
    memcpy(job->to + (size_t)index * PIECE, job->from + (size_t)index * PIECE, PIECE);
}

/* Bytes of memory that all threads pass over in a second, at best. */
static double best_rate(struct device *device, device_task *task, struct job *job)
{
    const double bytes = (double)job->pieces * PIECE * device_threads(device);
    double best = 0;
    for (int run = 0; run <= RUNS; run++) { /* the first is for warming up */
        const double start_s = clock_cpu_s();
        device_parallel(device, job->pieces, task, job);
        const double rate = bytes / (clock_cpu_s() - start_s + 1e-9);
        best = run > 0 && rate > best ? rate : best;
    }
    return best;
}

/* That each run has passed over every byte: a rate of less work would be a lie. */
static void check_done(const struct job *job, uint32_t threads)
{
    const uint64_t words_read = (uint64_t)(RUNS + 1) * (uint64_t)job->pieces * (PIECE / 8);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < threads; i++)
        sum += job->sums[i];
    assert(sum == words_read * UINT64_C(0x0101010101010101));
    assert(memcmp(job->to, job->from, (size_t)job->pieces * PIECE) == 0);
}

enum status peak_host_copies_open(struct peak_host_copies *copies, struct device *device,
                                  size_t bytes, struct error *err)
{
    assert(device_is_host(device) && bytes >= PIECE && bytes / PIECE < INT32_MAX / 2);
    *copies = (struct peak_host_copies){.device = device,
                                        .from = device_alloc(device, bytes),
                                        .to = device_alloc(device, bytes),
                                        .bytes = bytes};
    if (copies->from != NULL && copies->to != NULL) {
        memset(copies->from, 1, bytes); /* pages never written may all be one and the same */
        memset(copies->to, 0, bytes);
        return OK;
    }
    peak_host_copies_close(copies);
    FAIL(err, ERR_MEMORY, "peak: no room for two pieces of %zu bytes", bytes);
}

double peak_host_copies_rate(const struct peak_host_copies *copies)
{
    struct job job = {
        .from = copies->from, .to = copies->to, .pieces = (int32_t)(copies->bytes / PIECE)};
    const double start_s = clock_now_s();
    device_parallel(copies->device, job.pieces, copy_piece, &job);
    return 2.0 * job.pieces * PIECE / (clock_now_s() - start_s + 1e-9);
}

void peak_host_copies_close(struct peak_host_copies *copies)
{
    if (copies->from != NULL)
        device_free(copies->device, copies->from, copies->bytes);
    if (copies->to != NULL)
        device_free(copies->device, copies->to, copies->bytes);
    *copies = (struct peak_host_copies){0};
}

enum status peak_host_measure(struct device *device, size_t bytes,
                              struct peak_host_rates *rates, struct error *err)
{
    struct peak_host_copies room;
    TRY(peak_host_copies_open(&room, device, bytes, err));
    struct job job = {.from = room.from, .to = room.to, .pieces = (int32_t)(bytes / PIECE)};
    rates->read_bytes_per_s = best_rate(device, read_piece, &job);
    rates->copy_bytes_per_s = 2 * best_rate(device, copy_piece, &job);
    check_done(&job, device_threads(device));
    peak_host_copies_close(&room);
    return OK;
}
