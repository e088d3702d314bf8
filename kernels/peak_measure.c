/* peak_measure - see peak_measure.h. */
#include "kernels/peak_measure.h"

#include "kernels/device_timer.h"

#include <stdlib.h>

enum {
    LANES = 32,
    A_WORDS = LANES * 4,
    B_WORDS = PEAK_CHAINS * LANES * 2,
    OUT_BYTES = PEAK_WARPS * PEAK_CHAINS * LANES * 4 * 4, /* per block */
    COPY_BYTES_MIN = 64 << 20,
    COPY_BYTES_SMALL = 1 << 16, /* where times mean nothing */
    STEPS = 20000,
    SPIN_STEPS = 2000,
    RUNS = 7,
    LAUNCHES = 16
};

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_of(double samples[RUNS])
{
    qsort(samples, RUNS, sizeof samples[0], by_value);
    return samples[RUNS / 2];
}

static bool has_times(const struct device *device)
{
    return device_kind(device) != DEVICE_EMU;
}

static enum status fill_operands(struct peak_measure *measure)
{
    uint32_t words[A_WORDS > B_WORDS ? A_WORDS : B_WORDS];
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        words[i] = (uint32_t)(i * 2654435761u) & 0x3bff3bffu; /* finite as halves too */
    TRY(device_upload(measure->device, measure->a, words, A_WORDS * sizeof words[0]));
    return device_upload(measure->device, measure->b, words, B_WORDS * sizeof words[0]);
}

enum status peak_measure_open(struct peak_measure *measure, struct device *device,
                              struct error *err)
{
    struct device_timer_facts facts;
    device_timer_look(device, &facts);
    const int32_t processors = device_multiprocessors(device);
    *measure =
        (struct peak_measure){.device = device,
                              .blocks = processors > 0 && has_times(device) ? processors : 1,
                              .bytes = 3 * facts.l2_bytes};
    if (measure->bytes < COPY_BYTES_MIN)
        measure->bytes = COPY_BYTES_MIN;
    if (device_kind(device) != DEVICE_CUDA)
        measure->bytes = COPY_BYTES_SMALL;
    measure->bytes = measure->bytes / 4096 * 4096;
    measure->out_bytes = 2 * (size_t)measure->blocks * OUT_BYTES;
    measure->from = device_alloc(device, measure->bytes);
    measure->to = device_alloc(device, measure->bytes);
    measure->a = device_alloc(device, A_WORDS * sizeof *measure->a);
    measure->b = device_alloc(device, B_WORDS * sizeof *measure->b);
    measure->out = device_alloc(device, measure->out_bytes);
    if (!measure->from || !measure->to || !measure->a || !measure->b || !measure->out)
        FAIL(err, ERR_MEMORY, "peak: no room for %zu bytes on the device", 2 * measure->bytes);
    const enum status status = fill_operands(measure);
    if (status != OK)
        FAIL(err, status, "peak: the device took no upload");
    return OK;
}

static void release(struct device *device, void *memory, size_t bytes)
{
    if (memory)
        device_free(device, memory, bytes);
}

void peak_measure_close(struct peak_measure *measure)
{
    release(measure->device, measure->from, measure->bytes);
    release(measure->device, measure->to, measure->bytes);
    release(measure->device, measure->a, A_WORDS * sizeof *measure->a);
    release(measure->device, measure->b, B_WORDS * sizeof *measure->b);
    release(measure->device, measure->out, measure->out_bytes);
    *measure = (struct peak_measure){0};
}

enum status peak_measure_flush(const struct peak_measure *measure)
{
    const struct peak_copy_args args = {measure->from, measure->to, (int64_t)measure->bytes};
    return peak_copy(measure->device, &args);
}

static struct peak_mma_args mma_of(const struct peak_measure *measure, enum peak_kind kind,
                                   int32_t blocks, int32_t steps)
{
    return (struct peak_mma_args){kind, measure->a, measure->b, measure->out, blocks, steps};
}

/* Median microseconds of RUNS runs, the first for warming up. */
static enum status mma_us(const struct peak_measure *measure, const struct peak_mma_args *args,
                          double *us, struct error *err)
{
    double samples[RUNS];
    for (int run = -1; run < RUNS; run++) {
        TRY(device_timer_mark(measure->device, 0));
        TRY(peak_mma(measure->device, args));
        TRY(device_timer_mark(measure->device, 1));
        TRY(device_timer_us(measure->device, 0, 1, &samples[run < 0 ? 0 : run], err));
    }
    *us = median_of(samples);
    return OK;
}

/* The best of one and two blocks per multiprocessor: 8 and 16 warps of four chains. */
static enum status mma_peak(const struct peak_measure *measure, enum peak_kind kind,
                            double *peak, struct error *err)
{
    for (int32_t each = 1; each <= 2; each++) {
        const struct peak_mma_args args = mma_of(measure, kind, each * measure->blocks, STEPS);
        double us;
        TRY(mma_us(measure, &args, &us, err));
        const double rate = us > 0 ? peak_mma_operations(&args) / us * 1e6 : 0;
        if (rate > *peak)
            *peak = rate;
    }
    return OK;
}

static enum status copy_peak(const struct peak_measure *measure, double *peak,
                             struct error *err)
{
    double samples[RUNS];
    for (int run = -1; run < RUNS; run++) {
        TRY(device_timer_mark(measure->device, 0));
        TRY(peak_measure_flush(measure));
        TRY(device_timer_mark(measure->device, 1));
        TRY(device_timer_us(measure->device, 0, 1, &samples[run < 0 ? 0 : run], err));
    }
    const double us = median_of(samples);
    *peak = us > 0 ? 2.0 * (double)measure->bytes / us * 1e6 : 0;
    return OK;
}

/* The least that a launch takes of the stream's time, one behind the other. */
static enum status launch_time(const struct peak_measure *measure, double *us,
                               struct error *err)
{
    const struct peak_mma_args args = mma_of(measure, PEAK_S8_S32, 1, 0);
    TRY(device_timer_mark(measure->device, 0));
    for (int i = 0; i < LAUNCHES; i++)
        TRY(peak_mma(measure->device, &args));
    TRY(device_timer_mark(measure->device, 1));
    TRY(device_timer_us(measure->device, 0, 1, us, err));
    *us /= LAUNCHES;
    return OK;
}

enum status peak_measure_slowdown(const struct peak_measure *measure, double *ratio,
                                  struct error *err)
{
    const struct peak_mma_args args = mma_of(measure, PEAK_S8_S32, measure->blocks, SPIN_STEPS);
    double us;
    TRY(mma_us(measure, &args, &us, err));
    *ratio = measure->spin_us > 0 ? us / measure->spin_us : 1;
    return OK;
}

enum status peak_measure_take(struct peak_measure *measure, struct peak_measure_rates *rates,
                              struct error *err)
{
    *rates = (struct peak_measure_rates){0};
    if (device_kind(measure->device) != DEVICE_CUDA)
        FAIL(err, ERR_LIMIT, "peak: rates of %s mean nothing",
             device_kind_name(device_kind(measure->device)));
    TRY(launch_time(measure, &rates->launch_us, err));
    TRY(launch_time(measure, &rates->launch_us, err)); /* the first one warmed up */
    TRY(mma_peak(measure, PEAK_S8_S32, &rates->s8_s32_per_s, err));
    TRY(mma_peak(measure, PEAK_F16_F32, &rates->f16_f32_per_s, err));
    TRY(copy_peak(measure, &rates->bytes_per_s, err));
    const struct peak_mma_args spin = mma_of(measure, PEAK_S8_S32, measure->blocks, SPIN_STEPS);
    return mma_us(measure, &spin, &measure->spin_us, err);
}
