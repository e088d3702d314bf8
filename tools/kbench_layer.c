/* kbench_layer - see kbench_layer.h. */
#include "tools/kbench_layer.h"

#include <assert.h>
#include <stdio.h>

/* ---- the steps ---- */

static void add(struct kbench_layer *layer, const char *kernel, const char *variant,
                int32_t calls)
{
    assert(layer->step_count < KBENCH_LAYER_STEPS);
    layer->calls[layer->step_count] = calls;
    layer->steps[layer->step_count++] = (struct kbench_row){.kernel = kernel,
                                                            .variant = variant,
                                                            .model = layer->shape->name,
                                                            .dtype = "int8",
                                                            .m = layer->m,
                                                            .mode = KBENCH_COLD};
}

void kbench_layer_plan(struct kbench_layer *layer, bool fuses_gate)
{
    layer->step_count = 0;
    add(layer, "rmsnorm", "plain", 2);
    add(layer, "matmul", "q", 1);
    add(layer, "matmul", "kv", 2);
    add(layer, "rope", "", 1);
    add(layer, "attention", layer->is_prefill ? "prefill" : "decode", 1);
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

static void add_up(struct kbench_layer *layer)
{
    layer->sum_us = layer->roof_us = layer->model_us = 0;
    for (int32_t i = 0; i < layer->step_count; i++) {
        const struct kbench_row *row = &layer->steps[i];
        layer->sum_us += layer->calls[i] * row->timing.us.median;
        layer->roof_us += layer->calls[i] * row->roof.us;
        layer->model_us += layer->calls[i] * row->projected_us;
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
    for (int32_t i = 0; i < layer->step_count; i++) {
        TRY(kbench_measure_row(measure, shape, &layer->steps[i], err));
        if (kind == DEVICE_EMU) /* small sizes ran: the MODEL is of the model's own */
            TRY(kbench_measure_reckon(measure, shape, layer->m, &layer->steps[i], err));
    }
    if (kind != DEVICE_EMU && measure->seconds > 0) {
        const struct kbench_together all = {layer->steps, layer->calls, layer->step_count};
        TRY(kbench_measure_together(measure, shape, &all, &layer->whole, err));
    }
    add_up(layer);
    return OK;
}

double kbench_layer_share(const struct kbench_layer *layer, int32_t step)
{
    const struct kbench_row *row = &layer->steps[step];
    if (layer->sum_us > 0)
        return layer->calls[step] * row->timing.us.median / layer->sum_us;
    return layer->model_us > 0 ? layer->calls[step] * row->projected_us / layer->model_us : 0;
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
    const int32_t calls = layer->calls[index];
    const bool is_timed = layer->sum_us > 0;
    const enum kbench_bound bound = row->roof.us > 0 ? row->roof.bound : row->projected_bound;
    printf("  %-10s %-8s %-28s %d x", row->kernel, row->variant, row->shape, calls);
    print_number(9, 2, calls * row->timing.us.median);
    print_number(9, 2, calls * row->roof.us);
    print_number(9, 2, calls * row->projected_us);
    print_number(6, 1, 100 * kbench_layer_share(layer, index));
    print_number(6, 1, is_timed ? 100 * row->roof.us / row->timing.us.median : 0);
    print_number(7, 1, kbench_stats_intensity(&row->work));
    printf("  %-8s  %s\n", kbench_stats_limit_name(bound, row->work.unit),
           kbench_row_verdict(row->verdict));
}

void kbench_layer_print(const struct kbench_layer *layer)
{
    const int32_t layers = layer->shape->config->layers;
    const double whole = layer->whole.us.median;
    printf("# a layer of %s, %d rows, %s; int8, KV int8\n", layer->shape->name, layer->m,
           layer->is_prefill ? "one sequence's prefill" : "decode");
    printf("  %-10s %-8s %-28s %s %9s %9s %9s %6s %6s %7s  %s\n", "kernel", "variant", "shape",
           "   ", "us", "roof us", "MODEL us", "share", "SoL%", "op/B", "limit");
    for (int32_t i = 0; i < layer->step_count; i++)
        print_step(layer, i);
    printf("  %-52s", "sum");
    print_number(9, 2, layer->sum_us);
    print_number(9, 2, layer->roof_us);
    print_number(9, 2, layer->model_us);
    print_number(6, 1, 100);
    print_number(6, 1, layer->sum_us > 0 ? 100 * layer->roof_us / layer->sum_us : 0);
    printf("\n");
    if (whole > 0)
        printf("  all of them in one go %.2f us, %+.1f %% of the sum", whole,
               100 * (whole / layer->sum_us - 1));
    if (whole > 0 && layer->roof_us > 0)
        printf("; %.1f %% of the layer's roofline", 100 * layer->roof_us / whole);
    if (whole > 0)
        printf("\n");
    if (whole > 0 || layer->model_us > 0)
        printf("  %d layers: %.3f ms%s\n", layers,
               layers * (whole > 0 ? whole : layer->model_us) * 1e-3,
               whole > 0 ? "" : " (MODEL 4090)");
    (void)fflush(stdout);
}

static void write_step(const struct kbench_layer *layer, int32_t index, struct json_writer *w)
{
    const struct kbench_row *row = &layer->steps[index];
    json_write_object(w);
    json_write_key_text(w, "kernel", text_of(row->kernel));
    json_write_key_text(w, "variant", text_of(row->variant));
    json_write_key_text(w, "shape", text_of(row->shape));
    json_write_key_double(w, "calls", layer->calls[index]);
    json_write_key_double(w, "share", kbench_layer_share(layer, index));
    if (row->timing.us.count > 0)
        json_write_key_double(w, "us", row->timing.us.median);
    if (row->roof.us > 0)
        json_write_key_double(w, "roof_us", row->roof.us);
    if (row->projected_us > 0)
        json_write_key_double(w, "model_us", row->projected_us);
    json_write_object_end(w);
}

void kbench_layer_write(const struct kbench_layer *layer, struct json_writer *w)
{
    json_write_object(w);
    json_write_key_text(w, "record", TEXT("layer"));
    json_write_key_text(w, "device", text_of(layer->steps[0].device));
    json_write_key_text(w, "model", text_of(layer->shape->name));
    json_write_key_text(w, "phase", text_of(layer->is_prefill ? "prefill" : "decode"));
    json_write_key_double(w, "m", layer->m);
    if (layer->sum_us > 0)
        json_write_key_double(w, "sum_us", layer->sum_us);
    if (layer->whole.us.count > 0)
        json_write_key_double(w, "whole_us", layer->whole.us.median);
    if (layer->roof_us > 0)
        json_write_key_double(w, "roof_us", layer->roof_us);
    if (layer->model_us > 0)
        json_write_key_double(w, "model_us", layer->model_us);
    json_write_key(w, "steps");
    json_write_array(w);
    for (int32_t i = 0; i < layer->step_count; i++)
        write_step(layer, i, w);
    json_write_array_end(w);
    json_write_object_end(w);
}
