/* kbench_layer - see kbench_layer.h. */
#include "tools/kbench_layer.h"

#include <assert.h>
#include <stdio.h>

/* ---- the steps ---- */

static const char *phase_name(const struct kbench_layer *layer)
{
    return layer->is_prefill ? "prefill" : "decode";
}

static void add(struct kbench_layer *layer, const char *kernel, const char *variant,
                int32_t calls)
{
    assert(layer->step_count < KBENCH_LAYER_STEPS);
    layer->steps[layer->step_count++] = (struct kbench_row){.kernel = kernel,
                                                            .variant = variant,
                                                            .model = layer->shape->name,
                                                            .dtype = "int8",
                                                            .m = layer->m,
                                                            .mode = KBENCH_COLD,
                                                            .phase = phase_name(layer),
                                                            .calls = calls};
}

void kbench_layer_plan(struct kbench_layer *layer, bool fuses_gate)
{
    layer->step_count = 0;
    add(layer, "rmsnorm", "plain", 2);
    add(layer, "matmul", "q", 1);
    add(layer, "matmul", "kv", 2);
    add(layer, "rope", "", 1);
    add(layer, "attention", phase_name(layer), 1);
    add(layer, "matmul", "o", 1);
    if (fuses_gate) {
        add(layer, "matmul", "gate_up", 1);
        add(layer, "silu_mul", "gated", 1);
    } else {
        add(layer, "matmul", "up", 2);
        add(layer, "silu_mul", "silu", 1);
    }
    add(layer, "matmul", "down", 1);
}

static void count(struct device_emu_counters *sum, const struct device_emu_counters *step,
                  uint64_t calls)
{
    sum->shared_requests += calls * step->shared_requests;
    sum->shared_wavefronts += calls * step->shared_wavefronts;
    sum->shared_conflicts += calls * step->shared_conflicts;
    sum->global_requests += calls * step->global_requests;
    sum->global_sectors += calls * step->global_sectors;
    sum->mma_s8 += calls * step->mma_s8;
    sum->mma_f16 += calls * step->mma_f16;
    sum->barriers += calls * step->barriers;
    if (step->shared_bytes > sum->shared_bytes)
        sum->shared_bytes = step->shared_bytes;
}

static void add_up(struct kbench_layer *layer)
{
    struct kbench_row *whole = &layer->whole;
    for (int32_t i = 0; i < layer->step_count; i++) {
        const struct kbench_row *row = &layer->steps[i];
        whole->work.bytes += row->calls * row->work.bytes;
        whole->work.operations += row->calls * row->work.operations;
        whole->sum_us += row->calls * row->timing.us.median;
        whole->roof.us += row->calls * row->roof.us;
        whole->projected_us += row->calls * row->projected_us;
        whole->has_counters |= row->has_counters;
        count(&whole->counters, &row->counters, (uint64_t)row->calls);
    }
    for (int32_t i = 0; i < layer->step_count; i++) {
        struct kbench_row *row = &layer->steps[i];
        if (whole->sum_us > 0)
            row->share = row->calls * row->timing.us.median / whole->sum_us;
        else if (whole->projected_us > 0)
            row->share = row->calls * row->projected_us / whole->projected_us;
    }
}

enum status kbench_layer_run(struct kbench_layer *layer, const struct kbench_measure *measure,
                             struct error *err)
{
    const struct kbench_args_shape *shape = layer->shape;
    const enum device_kind kind = device_kind(measure->device);
    if (shape->chunks > 0 && !layer->is_prefill)
        layer->m = shape->chunks * shape->jobs; /* as its attention has it */
    kbench_layer_plan(layer, ops_of(kind)->fuses_gate);
    layer->whole = (struct kbench_row){.kernel = "layer",
                                       .variant = "",
                                       .model = shape->name,
                                       .dtype = "int8",
                                       .m = layer->m,
                                       .mode = kbench_measure_together_mode(measure),
                                       .phase = phase_name(layer)};
    (void)snprintf(layer->whole.shape, sizeof layer->whole.shape, "%s, 1 of %d",
                   phase_name(layer), shape->config->layers);
    for (int32_t i = 0; i < layer->step_count; i++) {
        TRY(kbench_measure_row(measure, shape, &layer->steps[i], err));
        if (kind == DEVICE_EMU) /* small sizes ran: the MODEL is of the model's own */
            TRY(kbench_measure_reckon(measure, shape, layer->m, &layer->steps[i], err));
    }
    if (kind != DEVICE_EMU && measure->seconds > 0) {
        const struct kbench_together all = {layer->steps, layer->step_count};
        TRY(kbench_measure_together(measure, shape, &all, &layer->whole.timing, err));
    }
    layer->whole.device = layer->steps[0].device;
    layer->whole.bandwidth_measured = layer->steps[0].bandwidth_measured;
    layer->whole.bandwidth_named = layer->steps[0].bandwidth_named;
    add_up(layer);
    return OK;
}

/* ---- what is told ---- */

static void print_number(int width, int digits, double value)
{
    if (value > 0)
        printf(" %*.*f", width, digits, value);
    else
        printf(" %*s", width, "");
}

static void print_step(const struct kbench_layer *layer, int32_t index)
{
    const struct kbench_row *row = &layer->steps[index];
    const int32_t calls = row->calls;
    const bool is_timed = layer->whole.sum_us > 0;
    const enum kbench_bound bound = row->roof.us > 0 ? row->roof.bound : row->projected_bound;
    printf("  %-10s %-8s %-28s %d x", row->kernel, row->variant, row->shape, calls);
    print_number(9, 2, calls * row->timing.us.median);
    print_number(9, 2, calls * row->roof.us);
    print_number(9, 2, calls * row->projected_us);
    print_number(6, 1, 100 * row->share);
    print_number(6, 1, is_timed ? 100 * row->roof.us / row->timing.us.median : 0);
    print_number(7, 1, kbench_stats_intensity(&row->work));
    printf("  %-8s  %s\n", kbench_stats_limit_name(bound, row->work.unit),
           kbench_row_verdict(row->verdict));
}

void kbench_layer_print(const struct kbench_layer *layer)
{
    const int32_t layers = layer->shape->config->layers;
    const double whole = layer->whole.timing.us.median;
    printf("# a layer of %s, %d rows, %s; int8, KV int8\n", layer->shape->name, layer->m,
           layer->is_prefill ? "one sequence's prefill" : "decode");
    printf("  %-10s %-8s %-28s %s %9s %9s %9s %6s %6s %7s  %-8s  %s\n", "kernel", "variant",
           "shape", "   ", "us", "roof us", "MODEL us", "share%", "SoL%", "op/B", "limit",
           "twin");
    for (int32_t i = 0; i < layer->step_count; i++)
        print_step(layer, i);
    printf("  %-52s", "sum");
    print_number(9, 2, layer->whole.sum_us);
    print_number(9, 2, layer->whole.roof.us);
    print_number(9, 2, layer->whole.projected_us);
    print_number(6, 1, 100);
    print_number(
        6, 1, layer->whole.sum_us > 0 ? 100 * layer->whole.roof.us / layer->whole.sum_us : 0);
    printf("\n");
    if (whole > 0)
        printf("  all of them in one go %.2f us, %+.1f %% of the sum", whole,
               100 * (whole / layer->whole.sum_us - 1));
    if (whole > 0 && layer->whole.roof.us > 0)
        printf("; %.1f %% of the layer's roofline", 100 * layer->whole.roof.us / whole);
    if (whole > 0)
        printf("\n");
    if (whole > 0 || layer->whole.projected_us > 0)
        printf("  %d layers: %.3f ms%s\n", layers,
               layers * (whole > 0 ? whole : layer->whole.projected_us) * 1e-3,
               whole > 0 ? "" : " (MODEL 4090)");
    (void)fflush(stdout);
}
