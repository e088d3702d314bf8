/* kbench_time - see kbench_time.h. */
#include "tools/kbench_time.h"

#include "base/clock.h"
#include "kernels/device_graph.h"

#include <assert.h>

enum {
    SAMPLES_MIN = 10,
    IN_FLIGHT = 64, /* samples between two looks at the clock */
    LAUNCHES_MAX = 64,
    GRAPH_SLOT = 0
};

#define SAMPLE_US 200.0 /* launches of one sample take about this long */

static_assert(2 * IN_FLIGHT <= DEVICE_TIMER_MARKS, "a pair of marks for each sample");

/* What one sample is. */
struct sampler {
    struct kbench_case *c;
    const struct peak_measure *probe;
    enum kbench_mode mode;
    int32_t launches;
    bool is_flushed;
};

int32_t kbench_time_set(enum kbench_mode mode, int32_t sample, int32_t launch, int32_t sets)
{
    return mode == KBENCH_WARM ? 0 : mode == KBENCH_COLD ? sample % sets : launch % sets;
}

static enum status launch(const struct sampler *s, int32_t index)
{
    if (s->mode == KBENCH_GRAPH)
        return device_graph_run(s->c->device, GRAPH_SLOT);
    for (int32_t i = 0; i < s->launches; i++)
        TRY(s->c->kernel->run(s->c, kbench_time_set(s->mode, index, i, s->c->set_count)));
    return OK;
}

/* Puts count samples on the stream and reads their times. */
static enum status take(const struct sampler *s, double *us, int32_t count, struct error *err)
{
    for (int32_t i = 0; i < count; i++) {
        if (s->is_flushed)
            TRY(peak_measure_flush(s->probe));
        TRY(device_timer_mark(s->c->device, 2 * (uint32_t)i));
        TRY(launch(s, i));
        TRY(device_timer_mark(s->c->device, 2 * (uint32_t)i + 1));
    }
    for (int32_t i = 0; i < count; i++) {
        TRY(device_timer_us(s->c->device, 2 * (uint32_t)i, 2 * (uint32_t)i + 1, &us[i], err));
        us[i] /= s->launches;
    }
    return OK;
}

static enum status record(struct sampler *s)
{
    TRY(device_graph_begin(s->c->device));
    enum status status = OK;
    for (int32_t i = 0; i < s->launches && status == OK; i++)
        status = s->c->kernel->run(s->c, kbench_time_set(KBENCH_GRAPH, 0, i, s->c->set_count));
    const enum status ended = device_graph_end(s->c->device, GRAPH_SLOT);
    return status != OK ? status : ended;
}

/* A first look: whether it runs at all, and about how long it takes. */
static enum status look(const struct sampler *s, double *us, struct error *err)
{
    struct sampler one = *s;
    double samples[3];
    one.mode = KBENCH_WARM;
    one.launches = 1;
    one.is_flushed = false;
    TRY(take(&one, samples, 3, err));
    *us = kbench_stats_of(samples, 3).median;
    return OK;
}

static enum status sample_all(const struct sampler *s, double seconds,
                              struct kbench_timing *timing, struct error *err)
{
    double us[KBENCH_TIME_SAMPLES];
    int32_t count = 0;
    const double begin = clock_now_s();
    while (count < KBENCH_TIME_SAMPLES) {
        const double used = clock_now_s() - begin;
        if (count >= SAMPLES_MIN && used >= seconds)
            break;
        const int32_t left = KBENCH_TIME_SAMPLES - count;
        const int32_t wanted = count == 0 ? SAMPLES_MIN : IN_FLIGHT;
        const int32_t more = wanted < left ? wanted : left;
        TRY(take(s, us + count, more, err));
        count += more;
    }
    timing->us = kbench_stats_of(us, count);
    return OK;
}

enum status kbench_time_run(struct kbench_case *c, const struct peak_measure *probe,
                            enum kbench_mode mode, double seconds, struct kbench_timing *timing,
                            struct error *err)
{
    struct sampler s = {.c = c, .probe = probe, .mode = mode, .launches = 1};
    double first_us;
    if (mode == KBENCH_GRAPH && !device_graph_is_possible(c->device))
        FAIL(err, ERR_LIMIT, "graph: this device records no graphs");
    enum status status = look(&s, &first_us, err);
    if (status != OK)
        FAIL(err, status, "%s %s %s: the kernel refused or failed", c->kernel->name, c->variant,
             c->shape_text);
    if (mode != KBENCH_COLD) {
        const double fit = first_us > 0 ? SAMPLE_US / first_us : LAUNCHES_MAX;
        s.launches = fit < 1 ? 1 : fit > LAUNCHES_MAX ? LAUNCHES_MAX : (int32_t)fit;
    }
    s.is_flushed = mode == KBENCH_COLD && c->set_count == KBENCH_SETS_MAX &&
                   device_kind(c->device) == DEVICE_CUDA;
    if (mode == KBENCH_GRAPH) {
        status = record(&s);
        if (status != OK)
            FAIL(err, status, "%s %s: cannot be recorded", c->kernel->name, c->variant);
    }
    *timing = (struct kbench_timing){.launches = s.launches,
                                     .sets = mode == KBENCH_WARM ? 1 : c->set_count,
                                     .is_flushed = s.is_flushed};
    return sample_all(&s, seconds, timing, err);
}

const char *kbench_time_mode_name(enum kbench_mode mode)
{
    static const char *const NAMES[] = {"cold", "warm", "graph", "batch"};
    return NAMES[mode];
}
