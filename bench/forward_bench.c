/*
 * forward_bench - T2: the forward pass alone. Prefill of several row counts, decode of several
 * batches, with the time of each op, the roofline MODEL where rates were measured, peak memory.
 *
 *     forward_bench MODEL [--device cpu|cuda|emu] [--precision exact|int8] [--kv f32|f16|int8]
 *                   [--threads N] [--simd LEVEL|best] [--rows LIST] [--batches LIST]
 *                   [--context N] [--shared N] [--seconds S]
 *
 * MODEL is a GGUF file or synthetic:NAME. Decode reads a cache of --context positions (1024)
 * that holds zeros: an op's time does not depend on the values. --shared: that many of its
 * leading positions are one and the same for all sequences. Each figure is the median of the
 * steps that fit in --seconds (3), at least 3; beside it the least of them, which says more on
 * a machine that does other work too. The steps timed as a whole are not those whose ops are:
 * of as many steps again the ops of the fastest are told. Bytes are what a step must read: the
 * layers' and the head's matrices, and the cache; their share is of a copy's bytes, read and
 * written, in the same time: the median of the median copy's, the least step of the fastest
 * copy's. A CPU's rate of products, and at decode of copies, is measured again beside each
 * step, by the same clock, and the MODEL is of the median of products: neighbours take now less
 * and now more of a machine. Peak memory is without what is copied.
 */
#include "base/clock.h"
#include "bench/load.h"
#include "bench/op_times.h"
#include "engine/model_run.h"
#include "kernels/peak_host.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { COUNTS_MAX = 32, COUNT_MAX = 16384, STEPS_MAX = 4000, STEPS_MIN = 3 };

struct counts {
    int32_t values[COUNTS_MAX];
    int32_t count;
};

struct bench {
    struct model_run_options options;
    struct counts rows, batches;
    int32_t context, shared;
    double seconds, peak_mb;
    struct load_roof roof;
    struct peak_host_copies copies; /* beside steps; without memory: none */
    token_id *tokens;               /* [rows_max] */
    struct model_run_part *parts;   /* [sequences] */
};

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int32_t largest(const struct counts *counts)
{
    int32_t most = 1;
    for (int32_t i = 0; i < counts->count; i++)
        most = counts->values[i] > most ? counts->values[i] : most;
    return most;
}

/* Runs a step and waits for its end: a GPU's own goes on when the call is over. */
static enum status step(struct model_run *run, const struct model_run_part *parts,
                        int32_t part_count, struct error *err)
{
    TRY(model_run_step(run, parts, part_count, err));
    return device_wait(run->device, err);
}

/* Of a matrix, with its scales. */
static double weight_bytes(const struct weight *w)
{
    const bool is_int8 = w->form == WEIGHT_INT8;
    return (double)w->data_bytes + (is_int8 ? (double)w->out_dim * sizeof *w->scales : 0);
}

/* What a step must read: weights once, keys and values of each sequence. */
static double step_bytes(const struct model_run *run, const struct bench *bench,
                         const struct model_run_part *parts, int32_t part_count)
{
    const struct model *model = run->model;
    double keys = 0, bytes = weight_bytes(&model->head);
    for (int32_t i = 0; i < part_count; i++)
        keys += parts[i].first + parts[i].count - (i > 0 ? bench->shared : 0);
    for (int32_t i = 0; i < model->config.layers; i++) {
        const struct model_layer *l = &model->layers[i];
        bytes += weight_bytes(&l->q) + weight_bytes(&l->k) + weight_bytes(&l->v) +
                 weight_bytes(&l->o) + weight_bytes(&l->gate) + weight_bytes(&l->up) +
                 weight_bytes(&l->down);
    }
    return bytes + (double)kv_layout_page_bytes(&run->forward.cache) * keys / KV_PAGE_TOKENS;
}

/* Seconds that the rates measured here allow: the bytes of a step, two operations per row and
 * parameter of the layers, and per part and parameter of a head. */
static double model_s(const struct model_run *run, const struct load_roof *roof, double bytes,
                      int32_t rows, int32_t part_count)
{
    const struct model_config *config = &run->model->config;
    const double head = (double)config->vocab * config->hidden;
    const double layers = (double)model_layer_parameters(run->model);
    return load_roof_s(roof, bytes, 2 * (layers * rows + head * part_count));
}

/* The ops of a step. */
struct ops_seen {
    struct op_times_slot slots[OP_TIMES_SLOTS];
    struct op_times_gaps gaps;
    int32_t count;
    double us; /* of all */
};

static enum status ops_look(struct ops_seen *seen, struct error *err)
{
    const struct op_times_slot *slots;
    TRY(op_times_read(&slots, &seen->count, err));
    memcpy(seen->slots, slots, (size_t)seen->count * sizeof *slots);
    seen->gaps = op_times_gaps();
    seen->us = seen->gaps.inside_us;
    for (int32_t i = 0; i < seen->count; i++)
        seen->us += slots[i].us;
    return OK;
}

static void ops_report(const struct ops_seen *seen)
{
    for (int32_t i = 0; i < seen->count; i++) {
        const struct op_times_slot *slot = &seen->slots[i];
        printf("    %-28s %9.3f ms", slot->name, slot->us * 1e-3);
        if (slot->operations > 0)
            printf("  %9.3f T operations/s", slot->operations / slot->us * 1e-6);
        printf("\n");
    }
    printf("    %-28s %9.3f ms\n", "gaps between ops", seen->gaps.inside_us * 1e-3);
    (void)fflush(stdout);
}

/* Of steps in order: the time of each, and the rates of products, of those for any operands and
 * of copies beside it. */
struct steps {
    double seconds[STEPS_MAX], rates[STEPS_MAX], any[STEPS_MAX], copies[STEPS_MAX];
    int count;
};

/* Steps until the seconds are over. */
static enum status steps_time(struct model_run *run, const struct bench *bench,
                              int32_t part_count, struct steps *steps, struct error *err)
{
    TRY(step(run, bench->parts, part_count, err)); /* warms caches and pages up */
    const double begin = clock_now_s();
    int count = 0;
    while (count < STEPS_MAX && (count < STEPS_MIN || clock_now_s() - begin < bench->seconds)) {
        const double at = clock_now_s();
        TRY(step(run, bench->parts, part_count, err));
        steps->seconds[count] = clock_now_s() - at;
        steps->copies[count] = bench->copies.bytes > 0 ? peak_host_copies_rate(&bench->copies)
                                                       : bench->roof.copy_bytes_per_s;
        steps->any[count] = load_roof_any_again(&bench->roof, run->device);
        steps->rates[count++] = load_roof_operations_again(&bench->roof, run->device);
    }
    qsort(steps->seconds, (size_t)count, sizeof steps->seconds[0], compare_doubles);
    qsort(steps->rates, (size_t)count, sizeof steps->rates[0], compare_doubles);
    qsort(steps->any, (size_t)count, sizeof steps->any[0], compare_doubles);
    qsort(steps->copies, (size_t)count, sizeof steps->copies[0], compare_doubles);
    steps->count = count;
    return OK;
}

/* What a step must read, beside what was copied between the steps. */
static void copies_report(const struct steps *timed, double bytes)
{
    const double median = timed->seconds[timed->count / 2];
    const double copied = timed->copies[timed->count / 2];
    const double most = timed->copies[timed->count - 1];
    printf("\n    %-28s %9.1f MB  %.1f GB/s: %.1f %% of copies, %.1f GB/s (%.1f %% of %.1f)",
           "bytes", bytes * 1e-6, bytes / median * 1e-9, 100 * bytes / median / copied,
           copied * 1e-9, 100 * bytes / timed->seconds[0] / most, most * 1e-9);
}

/* Repeats a step and reports its median, then the ops of the fastest of as many steps again. */
static enum status measure(struct model_run *run, const struct bench *bench, const char *name,
                           int32_t part_count, struct error *err)
{
    static struct steps timed;
    struct ops_seen seen, best = {.us = HUGE_VAL};
    const struct ops *const ops = run->forward.ops;
    struct load_roof roof = bench->roof;
    int32_t rows = 0;
    for (int32_t i = 0; i < part_count; i++)
        rows += bench->parts[i].count;
    run->forward.ops = bench->options.ops; /* the device's own */
    TRY(steps_time(run, bench, part_count, &timed, err));
    run->forward.ops = ops;
    for (int i = 0; i < timed.count; i++) {
        op_times_reset();
        TRY(step(run, bench->parts, part_count, err));
        TRY(ops_look(&seen, err));
        best = seen.us < best.us ? seen : best;
    }
    const double median = timed.seconds[timed.count / 2], least = timed.seconds[0];
    roof.operations_per_s = timed.rates[timed.count / 2];
    const double bytes = step_bytes(run, bench, bench->parts, part_count);
    const double model = model_s(run, &roof, bytes, rows, part_count);
    printf("%-14s %9.3f ms  %9.1f tokens/s  (%d steps, least %.3f ms)", name, median * 1e3,
           rows / median, timed.count, least * 1e3);
    if (model > 0)
        printf("  roofline MODEL %.3f ms, reached %.1f %% (%.1f %%)", model * 1e3,
               100 * model / median, 100 * model / least);
    if (roof.loop.run != NULL)
        printf("; %.3f T/s beside", roof.operations_per_s * 1e-12);
    roof.operations_per_s = timed.any[timed.count / 2];
    const double any = model_s(run, &roof, bytes, rows, part_count);
    if (any > 0 && roof.any.run != roof.loop.run)
        printf("\n    %-28s %.3f T/s: reached %.1f %% (%.1f %%)", "products of any operands",
               roof.operations_per_s * 1e-12, 100 * any / median, 100 * any / least);
    if (model > 0 && rows == part_count)
        copies_report(&timed, bytes);
    printf("\n");
    ops_report(&best);
    return OK;
}

/* Of this process, so far; 0: it is not told. */
static double peak_mb(void)
{
    struct rusage usage;
    return getrusage(RUSAGE_SELF, &usage) == 0 ? (double)usage.ru_maxrss / 1024.0 : 0;
}

static enum status measure_all(struct model_run *run, struct bench *bench, struct error *err)
{
    char name[32];
    for (int32_t i = 0; i < bench->rows.count; i++) {
        bench->parts[0] =
            (struct model_run_part){0, 0, bench->rows.values[i], bench->tokens, MODEL_RUN_LAST};
        (void)snprintf(name, sizeof name, "prefill %d", bench->rows.values[i]);
        TRY(measure(run, bench, name, 1, err));
    }
    for (int32_t i = 0; i < bench->options.sequences; i++) {
        bench->parts[i] =
            (struct model_run_part){i, bench->context - 1, 1, bench->tokens, MODEL_RUN_LAST};
        model_run_share(run, i, 0, bench->shared / KV_PAGE_TOKENS);
    }
    /* The widest step first: after it all memory is in use that will be. */
    TRY(step(run, bench->parts, bench->options.sequences, err));
    bench->peak_mb = peak_mb();
    if (bench->options.device == DEVICE_CPU)
        TRY(peak_host_copies_open(&bench->copies, run->device, PEAK_HOST_COPY_BYTES, err));
    for (int32_t i = 0; i < bench->batches.count; i++) {
        (void)snprintf(name, sizeof name, "decode %d", bench->batches.values[i]);
        TRY(measure(run, bench, name, bench->batches.values[i], err));
    }
    return OK;
}

static enum status make_parts(struct bench *bench, struct error *err)
{
    struct model_run_options *options = &bench->options;
    const int32_t rows = largest(&bench->rows);
    options->sequences = options->head_max = largest(&bench->batches);
    options->rows_max = rows > options->sequences ? rows : options->sequences;
    options->context_max = bench->context > rows ? bench->context : rows;
    bench->tokens = calloc((size_t)options->rows_max, sizeof *bench->tokens);
    bench->parts = calloc((size_t)options->sequences, sizeof *bench->parts);
    if (!bench->tokens || !bench->parts)
        FAIL(err, ERR_MEMORY, "no memory for %d rows", options->rows_max);
    for (int32_t i = 0; i < options->rows_max; i++)
        bench->tokens[i] = (i * 37 + 11) % 256;
    return OK;
}

static enum status run_bench(struct bench *bench, struct error *err)
{
    struct model_run_options timed = bench->options;
    struct model_run run = {0};
    bench->options.ops = ops_of(bench->options.device);
    if (!bench->options.ops)
        FAIL(err, ERR_LIMIT, "%s is not in this build",
             device_kind_name(bench->options.device));
    TRY(make_parts(bench, err));
    const struct device_options where = {.kind = bench->options.device,
                                         .threads = bench->options.threads,
                                         .simd_max = bench->options.simd_max};
    TRY(load_roof_measure(&bench->roof, &where, bench->options.precision == MODEL_INT8, err));
    timed = bench->options;
    timed.ops = op_times_of(bench->options.ops);
    const double begin = clock_now_s();
    enum status status = model_run_open(&run, &timed, err);
    if (status == OK) {
        printf("t2: %s, %s, KV %s, %s; opened in %.2f s, weights %.1f MB\n",
               run.model->config.name,
               bench->options.precision == MODEL_INT8 ? "int8" : "exact",
               kv_layout_type_name(bench->options.kv_type),
               device_kind_name(bench->options.device), clock_now_s() - begin,
               (double)run.model->weight_bytes * 1e-6);
        if (bench->roof.about[0] != '\0')
            printf("limits %s\n", bench->roof.about);
        status = measure_all(&run, bench, err);
    }
    if (status == OK && bench->peak_mb > 0)
        printf("peak memory of the host %.1f MB\n", bench->peak_mb);
    peak_host_copies_close(&bench->copies);
    model_run_close(&run);
    return status;
}

/* Index of value among the names; -1 when it is none of them. */
static int choose(const char *value, const char *const *names, int count)
{
    for (int i = 0; i < count; i++) {
        if (strcmp(value, names[i]) == 0)
            return i;
    }
    return -1;
}

static bool read_number(const char *text, char end, int32_t *value, const char **rest)
{
    char *stop;
    const long number = strtol(text, &stop, 10);
    if (stop == text || (*stop != '\0' && *stop != end) || number < 0 || number > COUNT_MAX)
        return false;
    *value = (int32_t)number;
    *rest = *stop == '\0' ? NULL : stop + 1;
    return true;
}

static bool read_counts(const char *list, struct counts *counts)
{
    counts->count = 0;
    while (list && counts->count < COUNTS_MAX) {
        if (!read_number(list, ',', &counts->values[counts->count], &list) ||
            counts->values[counts->count++] < 1)
            return false;
    }
    return !list;
}

static bool read_simd(const char *value, enum device_simd *max)
{
    *max = DEVICE_SIMD_WIDEST;
    for (int level = DEVICE_SIMD_SCALAR; level <= DEVICE_SIMD_WIDEST; level++) {
        if (strcmp(value, device_simd_name((enum device_simd)level)) == 0) {
            *max = (enum device_simd)level;
            return true;
        }
    }
    return strcmp(value, "best") == 0;
}

static bool read_choice(const char *name, const char *value, struct bench *bench)
{
    static const char *const PRECISION[] = {"exact", "int8"};
    static const char *const KV[] = {"f32", "f16", "int8"};
    static const char *const DEVICE[] = {"cpu", "cuda", "emu"};
    int chosen = -1;
    if (strcmp(name, "--precision") == 0 && (chosen = choose(value, PRECISION, 2)) >= 0)
        bench->options.precision = chosen == 1 ? MODEL_INT8 : MODEL_EXACT;
    else if (strcmp(name, "--kv") == 0 && (chosen = choose(value, KV, 3)) >= 0)
        bench->options.kv_type = (enum kv_type)chosen;
    else if (strcmp(name, "--simd") == 0)
        return read_simd(value, &bench->options.simd_max);
    else if (strcmp(name, "--device") == 0 && (chosen = choose(value, DEVICE, 3)) >= 0)
        bench->options.device = (enum device_kind)chosen;
    return chosen >= 0;
}

static bool read_option(const char *name, const char *value, struct bench *bench)
{
    const char *rest = NULL;
    int32_t number = 0;
    if (strcmp(name, "--rows") == 0)
        return read_counts(value, &bench->rows);
    if (strcmp(name, "--batches") == 0)
        return read_counts(value, &bench->batches);
    if (strcmp(name, "--seconds") == 0) {
        bench->seconds = strtod(value, NULL);
        return bench->seconds >= 0;
    }
    if (strcmp(name, "--context") == 0)
        return read_number(value, '\0', &bench->context, &rest) && bench->context >= 1;
    if (strcmp(name, "--shared") == 0)
        return read_number(value, '\0', &bench->shared, &rest);
    if (strcmp(name, "--threads") != 0)
        return read_choice(name, value, bench);
    const bool is_right = read_number(value, '\0', &number, &rest);
    bench->options.threads = (uint32_t)number;
    return is_right;
}

int main(int argc, char **argv)
{
    struct error err;
    struct bench bench = {.context = 1024,
                          .seconds = 3,
                          .rows = {{512}, 1},
                          .batches = {{1, 8, 32, 96}, 4},
                          .options = {.simd_max = DEVICE_SIMD_WIDEST}};
    bool is_right = argc >= 2 && argc % 2 == 0;
    for (int i = 2; is_right && i < argc; i += 2)
        is_right = read_option(argv[i], argv[i + 1], &bench);
    if (!is_right || bench.shared >= bench.context) {
        (void)fprintf(stderr, "usage: forward_bench MODEL [--device cpu|cuda|emu] "
                              "[--precision exact|int8]\n"
                              "       [--kv f32|f16|int8] [--threads N] [--simd LEVEL|best]\n"
                              "       [--rows 512] [--batches 1,8,32,96] [--context 1024] "
                              "[--shared 0] [--seconds 3]\n");
        return 64;
    }
    bench.options.path = argv[1];
    const enum status status = run_bench(&bench, &err);
    if (status != OK)
        (void)fprintf(stderr, "forward_bench: %s\n", err.text);
    free(bench.tokens);
    free(bench.parts);
    return status == OK ? 0 : 1;
}
