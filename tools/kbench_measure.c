/* kbench_measure - see kbench_measure.h. */
#include "tools/kbench_measure.h"

#include "kernels/cublaslt_int8.h"

#include "kernels/device_graph.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Assumptions of --project, printed beside what they give. */
#define PROJECTED_BYTES      0.92 /* of the named bandwidth */
#define PROJECTED_OPERATIONS 0.70 /* of the named rate */
#define PROJECTED_LAUNCH_US  2.0

enum { L2_TIMES = 3 }; /* sets of buffers together are so many times the L2 cache */

enum status kbench_measure_open(struct kbench_measure *measure, enum device_kind kind,
                                struct error *err)
{
    const struct device_options host = {.simd_max = DEVICE_SIMD_WIDEST};
    const struct device_options options = {.kind = kind, .simd_max = DEVICE_SIMD_WIDEST};
    if (!ops_of(kind))
        FAIL(err, ERR_LIMIT, "kbench: %s is not in this build", device_kind_name(kind));
    TRY(device_open(&measure->device, &options, err));
    TRY(device_open(&measure->host, &host, err));
    TRY(peak_measure_open(&measure->probe, measure->device, err));
    return kbench_head_fill(&measure->head, &measure->probe, err);
}

enum status kbench_measure_pair(struct kbench_measure *measure, struct error *err)
{
    const struct device_options options = {.kind = DEVICE_EMU};
    if (!ops_of(DEVICE_EMU))
        FAIL(err, ERR_LIMIT, "kbench: the emulator is not in this build");
    return device_open(&measure->emulated, &options, err);
}

void kbench_measure_close(struct kbench_measure *measure)
{
    device_close(measure->emulated);
    if (measure->probe.device)
        peak_measure_close(&measure->probe);
    device_close(measure->device);
    device_close(measure->host);
    measure->device = measure->host = measure->emulated = NULL;
}

void kbench_measure_print_projection(void)
{
    printf(
        "# MODEL: an RTX 4090 by the roofline, at %.0f %% of its named bandwidth and %.0f %% "
        "of its named rates, and %.0f us for a launch; not a measurement\n",
        100 * PROJECTED_BYTES, 100 * PROJECTED_OPERATIONS, PROJECTED_LAUNCH_US);
}

/* The launch is added, so nothing is bound by it. */
static void project(struct kbench_row *row)
{
    struct kbench_limits limits;
    if (!kbench_head_named("4090", &limits))
        return;
    limits.bytes_per_s *= PROJECTED_BYTES;
    limits.s8_s32_per_s *= PROJECTED_OPERATIONS;
    limits.f16_f32_per_s *= PROJECTED_OPERATIONS;
    limits.f32_per_s *= PROJECTED_OPERATIONS;
    const struct kbench_roof roof = kbench_stats_roof(&row->work, &limits);
    row->projected_us = roof.us + PROJECTED_LAUNCH_US;
    row->projected_bound = roof.bound;
}

static bool is_emulated(const struct kbench_measure *measure)
{
    return device_kind(measure->device) == DEVICE_EMU;
}

static struct kbench_case case_of(const struct kbench_measure *measure,
                                  const struct kbench_args_shape *shape,
                                  const struct kbench_row *row)
{
    return (struct kbench_case){.device = measure->device,
                                .host = measure->host,
                                .ops = ops_of(device_kind(measure->device)),
                                .kernel = kbench_kernels_find(row->kernel),
                                .shape = shape,
                                .variant = row->variant,
                                .dtype = row->dtype,
                                .m = row->m,
                                .is_small = measure->is_small || is_emulated(measure) ||
                                            measure->emulated,
                                .seed = measure->seed};
}

static void take_from_case(const struct kbench_case *c, struct kbench_row *row)
{
    row->m = c->m;
    row->work = c->work;
    (void)snprintf(row->shape, sizeof row->shape, "%s", c->shape_text);
}

/* The counters of what the emulator ran since they were cleared. */
static void count_emulated(struct kbench_row *row)
{
#ifdef COHORT_EMU
    row->has_counters = device_emu_count("", &row->counters);
    row->findings = device_emu_findings();
    if (row->findings > 0)
        (void)fprintf(stderr, "kbench: %s\n", device_emu_report());
    device_emu_clear();
#else
    (void)row;
#endif
}

/* One run of c on the emulator too, and the comparison of the two. */
static enum status check_pair(const struct kbench_measure *measure, struct kbench_case *c,
                              const struct kbench_args_shape *shape, struct kbench_row *row,
                              struct error *err)
{
    struct kbench_case other = case_of(measure, shape, row);
    other.device = measure->emulated;
    other.ops = ops_of(DEVICE_EMU);
    other.is_check = true;
    TRY(kbench_case_open(&other, 0, err));
    const enum status status = kbench_case_check_pair(c, &other, &row->check, err);
    kbench_case_close(&other);
    return status;
}

/* One run beside the twin's, or the emulator's; on the emulator, with the run's counters. */
static enum status verify(const struct kbench_measure *measure,
                          const struct kbench_args_shape *shape, struct kbench_row *row,
                          struct error *err)
{
    struct kbench_case c = case_of(measure, shape, row);
    c.is_check = true;
    TRY(kbench_case_open(&c, 0, err));
    struct device_launch_list launches = {.count = 0};
    device_launch_watch(c.device, &launches);
    const enum status status = measure->emulated ? check_pair(measure, &c, shape, row, err)
                                                 : kbench_case_check(&c, &row->check, err);
    device_launch_watch(c.device, NULL);
    if (status == OK) {
        take_from_case(&c, row);
        kbench_launch_fill(&row->launch, c.device, &launches);
        const double tolerance =
            measure->emulated ? c.kernel->tolerance : kbench_case_tolerance(&c);
        row->verdict = row->check.is_bits              ? KBENCH_BITS
                       : row->check.share <= tolerance ? KBENCH_NEAR
                                                       : KBENCH_WRONG;
    }
    if (is_emulated(measure) || measure->emulated)
        count_emulated(row);
    kbench_case_close(&c);
    if (status != OK)
        FAIL(err, status, "%s %s %s %s, M %d: refused, or it failed", row->kernel, row->variant,
             row->model, row->dtype, row->m);
    return OK;
}

/* One run more, to see what it launches. */
static enum status watch(struct kbench_case *c, struct kbench_row *row)
{
    struct device_launch_list launches = {.count = 0};
    device_launch_watch(c->device, &launches);
    const enum status status = c->kernel->run(c, 0);
    device_launch_watch(c->device, NULL);
    kbench_launch_fill(&row->launch, c->device, &launches);
    return status;
}

static enum status time_case(const struct kbench_measure *measure,
                             const struct kbench_args_shape *shape, enum kbench_order order,
                             struct kbench_row *row, struct kbench_timing *timing,
                             struct error *err)
{
    struct kbench_case c = case_of(measure, shape, row);
    c.order = order;
    const size_t reach = row->mode == KBENCH_WARM ? 0 : L2_TIMES * measure->head.facts.l2_bytes;
    TRY(kbench_case_open(&c, reach, err));
    enum status status =
        kbench_time_run(&c, &measure->probe, row->mode, measure->seconds, timing, err);
    if (order == KBENCH_GROUPED)
        take_from_case(&c, row);
    if (status == OK && order == KBENCH_GROUPED)
        status = watch(&c, row);
    kbench_case_close(&c);
    return status;
}

/* The library's product on matrices of the same size: its own data, its best algorithm. */
static enum status time_cublaslt(const struct kbench_measure *measure, struct kbench_row *row,
                                 struct error *err)
{
#ifndef COHORT_CUBLASLT
    (void)measure;
    (void)row;
    FAIL(err, ERR_LIMIT, "--baseline cublaslt: not in this build");
#else
    int out_dim, in_dim;
    if (strcmp(row->kernel, "matmul") != 0 || strcmp(row->variant, "gate_up") == 0 ||
        sscanf(row->shape, "%dx%d", &out_dim, &in_dim) != 2)
        return OK;
    const struct cublaslt_int8_args args = {.rows = row->m,
                                            .out_dim = out_dim,
                                            .in_dim = in_dim,
                                            .is_cold = row->mode == KBENCH_COLD,
                                            .l2_bytes = measure->head.facts.l2_bytes};
    const enum status status =
        cublaslt_int8_time(measure->device, &args, &row->comparator_us, err);
    if (status == ERR_LIMIT)
        return OK; /* a shape that it does not take */
    row->comparator = "cublaslt s8->s32";
    return status;
#endif
}

static enum status compare(const struct kbench_measure *measure,
                           const struct kbench_args_shape *shape, struct kbench_row *row,
                           struct error *err)
{
    struct kbench_timing timing;
    const bool is_naive = measure->baseline == KBENCH_BASELINE_NAIVE;
    if (measure->baseline == KBENCH_BASELINE_CUBLASLT)
        return time_cublaslt(measure, row, err);
    if (measure->baseline == KBENCH_BASELINE_NONE || shape->chunks == 0 ||
        strcmp(row->kernel, "attention") != 0 || strcmp(row->variant, "decode") != 0)
        return OK;
    TRY(time_case(measure, shape, is_naive ? KBENCH_NAIVE : KBENCH_SORTED, row, &timing, err));
    row->comparator = is_naive ? "naive" : "sorted";
    row->comparator_us = timing.us.median;
    return OK;
}

static void set_limits(const struct kbench_measure *measure, struct kbench_row *row)
{
    const struct kbench_head *head = &measure->head;
    row->device = head->facts.name;
    row->roof = kbench_stats_roof(&row->work, &head->measured);
    row->bandwidth_measured = head->measured.bytes_per_s;
    row->bandwidth_named = head->named.bytes_per_s;
    row->peak_measured = kbench_stats_peak(&head->measured, row->work.unit);
    row->peak_named = kbench_stats_peak(&head->named, row->work.unit);
    if (measure->is_projected)
        project(row);
}

enum status kbench_measure_row(const struct kbench_measure *measure,
                               const struct kbench_args_shape *shape, struct kbench_row *row,
                               struct error *err)
{
    const bool is_timed = !is_emulated(measure) && measure->seconds > 0;
    if (measure->is_verified || is_emulated(measure) || measure->emulated)
        TRY(verify(measure, shape, row, err));
    if (is_timed) {
        TRY(time_case(measure, shape, KBENCH_GROUPED, row, &row->timing, err));
        TRY(compare(measure, shape, row, err));
    }
    if (is_timed && device_kind(measure->device) == DEVICE_CUDA)
        TRY(peak_measure_slowdown(&measure->probe, &row->slowdown, err));
    set_limits(measure, row);
    return OK;
}

enum status kbench_measure_reckon(const struct kbench_measure *measure,
                                  const struct kbench_args_shape *shape, int32_t m,
                                  struct kbench_row *row, struct error *err)
{
    struct kbench_case c = case_of(measure, shape, row);
    c.is_small = false;
    c.m = m;
    TRY(kbench_case_reckon(&c, err));
    take_from_case(&c, row);
    set_limits(measure, row);
    return OK;
}

/* A case that is made of others; first of its struct, so that its run finds them. */
struct together {
    struct kbench_case whole;
    struct kbench_case *parts; /* [count], open */
    const struct kbench_row *rows;
    int32_t count;
};

static enum status run_together(struct kbench_case *c, int32_t set)
{
    const struct together *all = (const struct together *)(const void *)c;
    for (int32_t i = 0; i < all->count; i++) {
        struct kbench_case *part = &all->parts[i];
        for (int32_t n = 0; n < all->rows[i].calls; n++)
            TRY(part->kernel->run(part, (set + n) % part->set_count));
    }
    return OK;
}

static enum status open_parts(const struct kbench_measure *measure,
                              const struct kbench_args_shape *shape,
                              const struct kbench_together *wanted, struct together *all,
                              struct error *err)
{
    const size_t reach = L2_TIMES * measure->head.facts.l2_bytes;
    for (; all->count < wanted->count; all->count++) {
        struct kbench_case *part = &all->parts[all->count];
        *part = case_of(measure, shape, &wanted->rows[all->count]);
        TRY(kbench_case_open(part, reach / (size_t)wanted->count, err));
        if (part->set_count > all->whole.set_count)
            all->whole.set_count = part->set_count;
    }
    return OK;
}

enum kbench_mode kbench_measure_together_mode(const struct kbench_measure *measure)
{
    return device_graph_is_possible(measure->device) ? KBENCH_GRAPH : KBENCH_BATCH;
}

enum status kbench_measure_together(const struct kbench_measure *measure,
                                    const struct kbench_args_shape *shape,
                                    const struct kbench_together *all,
                                    struct kbench_timing *timing, struct error *err)
{
    static const struct kbench_kernel kernel = {.name = "layer", .run = run_together};
    struct kbench_case *parts = calloc(KBENCH_TOGETHER_MAX, sizeof *parts);
    struct together made = {.parts = parts, .rows = all->rows};
    assert(all->count <= KBENCH_TOGETHER_MAX);
    if (!parts)
        FAIL(err, ERR_MEMORY, "kbench: no room for %d cases", all->count);
    enum status status = open_parts(measure, shape, all, &made, err);
    made.whole.device = measure->device;
    made.whole.kernel = &kernel;
    made.whole.variant = "";
    if (status == OK)
        status =
            kbench_time_run(&made.whole, &measure->probe, kbench_measure_together_mode(measure),
                            measure->seconds, timing, err);
    for (int32_t i = 0; i < made.count; i++)
        kbench_case_close(&parts[i]);
    free(parts);
    return status;
}
