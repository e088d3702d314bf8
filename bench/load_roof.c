/* load_roof - see load_roof.h. */
#include "bench/load_roof.h"

#include "bench/f32_peak.h"
#include "bench/int8_peak.h"
#include "kernels/peak_host.h"
#include "kernels/peak_measure.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static enum status measure_host(struct load_roof *roof, struct device *device, bool is_int8,
                                struct error *err)
{
    const double threads = device_threads(device);
    struct peak_host_rates memory = {0};
    const double rate = is_int8 ? int8_peak_measure(device, &roof->loop)
                                : f32_peak_measure(device, &roof->loop);
    if (!(rate > 0))
        return OK; /* no loop: no roof */
    if (is_int8)
        (void)int8_peak_any(device, &roof->any);
    TRY(peak_host_measure(device, PEAK_HOST_BYTES, &memory, err));
    roof->bytes_per_s = memory.read_bytes_per_s;
    roof->copy_bytes_per_s = memory.copy_bytes_per_s;
    roof->operations_per_s = threads * rate;
    (void)snprintf(
        roof->about, sizeof roof->about,
        "measured on this machine's CPU, %.0f thread%s: reads %.1f GB/s, copies %.1f; "
        "%s %.3f T/s (%s)",
        threads, threads == 1 ? "" : "s", memory.read_bytes_per_s * 1e-9,
        memory.copy_bytes_per_s * 1e-9, is_int8 ? "int8" : "f32",
        roof->operations_per_s * 1e-12, roof->loop.sequence);
    return OK;
}

static enum status measure_gpu(struct load_roof *roof, struct device *device, bool is_int8,
                               struct error *err)
{
    struct peak_measure measure = {0};
    struct peak_measure_rates rates;
    enum status status = peak_measure_open(&measure, device, err);
    if (status == OK)
        status = peak_measure_take(&measure, &rates, err);
    peak_measure_close(&measure);
    if (status != OK)
        return status;
    roof->bytes_per_s = roof->copy_bytes_per_s = rates.bytes_per_s;
    roof->operations_per_s = is_int8 ? rates.s8_s32_per_s : rates.f16_f32_per_s;
    (void)snprintf(roof->about, sizeof roof->about,
                   "measured on this GPU: copies %.0f GB/s; mma.sync %s %.1f T/s",
                   rates.bytes_per_s * 1e-9, is_int8 ? "s8->s32" : "f16->f32",
                   roof->operations_per_s * 1e-12);
    return OK;
}

static enum status measure(struct load_roof *roof, const struct device_options *where,
                           bool is_int8, struct error *err)
{
    struct device *device;
    TRY(device_open(&device, where, err));
    const enum status status = device_is_host(device) ? measure_host(roof, device, is_int8, err)
                                                      : measure_gpu(roof, device, is_int8, err);
    device_close(device);
    return status;
}

/* What the child has to say; err's words are of the same program. */
struct answer {
    enum status status;
    struct load_roof roof;
    struct error err;
};

/* The CPU's rates in a process of their own: what they take of memory would else be in the peak
 * that a bench tells of its load. */
static enum status measure_apart(struct load_roof *roof, const struct device_options *where,
                                 bool is_int8, struct error *err)
{
    struct answer answer = {.status = OK};
    int ends[2];
    if (pipe(ends) != 0)
        FAIL(err, ERR_IO, "roof: no pipe: %s", strerror(errno));
    const pid_t child = fork();
    if (child == 0) {
        answer.status = measure(&answer.roof, where, is_int8, &answer.err);
        _exit(write(ends[1], &answer, sizeof answer) == (ssize_t)sizeof answer ? 0 : 1);
    }
    (void)close(ends[1]);
    const bool is_told =
        child > 0 && read(ends[0], &answer, sizeof answer) == (ssize_t)sizeof answer;
    (void)close(ends[0]);
    if (child > 0)
        (void)waitpid(child, NULL, 0);
    if (!is_told)
        FAIL(err, ERR_IO, "roof: the process that measures it told nothing");
    if (answer.status != OK && err)
        *err = answer.err;
    *roof = answer.roof;
    return answer.status;
}

enum status load_roof_measure(struct load_roof *roof, const struct device_options *where,
                              bool is_int8, struct error *err)
{
    *roof = (struct load_roof){0};
    if (where->kind == DEVICE_EMU)
        return OK;
    return where->kind == DEVICE_CPU ? measure_apart(roof, where, is_int8, err)
                                     : measure(roof, where, is_int8, err);
}

double load_roof_operations_again(const struct load_roof *roof, struct device *device)
{
    return roof->loop.run == NULL
               ? roof->operations_per_s
               : device_threads(device) * peak_loop_rate(device, &roof->loop);
}

double load_roof_any_again(const struct load_roof *roof, struct device *device)
{
    return roof->any.run == NULL ? 0
                                 : device_threads(device) * peak_loop_rate(device, &roof->any);
}

double load_roof_s(const struct load_roof *roof, double bytes, double operations)
{
    if (!(roof->bytes_per_s > 0) || !(roof->operations_per_s > 0))
        return 0;
    const double read_s = bytes / roof->bytes_per_s;
    const double compute_s = operations / roof->operations_per_s;
    return read_s > compute_s ? read_s : compute_s;
}
