/*
 * forward_bench - speed of the forward pass: prefill of 512 tokens, decode at batch 1, 8, 32
 * and 96, with the milliseconds of each op, the matmuls' operations per second, peak memory.
 *
 *     forward_bench MODEL [--precision exact|int8] [--kv f32|f16|int8] [--threads N]
 *                   [--simd scalar|avx2|best] [--context N] [--shared N] [--seconds S]
 *
 * Decode reads a cache of --context positions (1024) that holds zeros: an op's time does not
 * depend on the values. --shared: that many of its leading positions are one and the same for
 * all sequences. Each figure is the median of the steps that fit in --seconds (3), at least 3.
 */
#include "base/clock.h"
#include "engine/model_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { PREFILL_ROWS = 512, BATCH_MAX = 96, STEPS_MAX = 1000, SLOTS_MAX = 20 };

struct bench {
    struct model_run_options options;
    int32_t context, shared;
    double seconds;
};

/* Time and work by op; matmuls by shape. The ops table has no place for a context, so this
 * one is static. */
static struct profile {
    const struct ops *ops;
    struct slot {
        char name[32];
        double s, operations;
    } slots[SLOTS_MAX];
    int slot_count;
} profile;

static void book(const char *name, double begin, double operations)
{
    int i = 0;
    while (i < profile.slot_count && strcmp(profile.slots[i].name, name) != 0)
        i++;
    if (i == SLOTS_MAX)
        return;
    if (i == profile.slot_count)
        (void)snprintf(profile.slots[profile.slot_count++].name, sizeof profile.slots[i].name,
                       "%s", name);
    profile.slots[i].s += clock_now_s() - begin;
    profile.slots[i].operations += operations;
}

#define TIMED(op)                                                                              \
    static enum status timed_##op(struct device *device, const struct op##_args *args)         \
    {                                                                                          \
        const double begin = clock_now_s();                                                    \
        const enum status status = profile.ops->op(device, args);                              \
        book(#op, begin, 0);                                                                   \
        return status;                                                                         \
    }
TIMED(embed)
TIMED(rmsnorm)
TIMED(attention)
TIMED(silu_mul)

static enum status timed_rope(struct device *device, const struct rope_args *args)
{
    const double begin = clock_now_s();
    const enum status status = profile.ops->rope_append(device, args);
    book("rope_append", begin, 0);
    return status;
}

static enum status timed_matmul(struct device *device, const struct matmul_args *args)
{
    char name[32];
    const double begin = clock_now_s();
    const enum status status = profile.ops->matmul(device, args);
    (void)snprintf(name, sizeof name, "matmul %d->%d", args->w->in_dim, args->w->out_dim);
    book(name, begin, 2.0 * args->rows * args->w->in_dim * args->w->out_dim);
    return status;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Seconds of processor that this process has used: on a busy machine, less than passed. */
static double processor_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

struct step_times {
    double median, processor; /* seconds per step */
    int steps;
};

static void report(const char *name, int32_t rows, const struct step_times *times)
{
    const int steps = times->steps;
    (void)printf("%-14s %9.2f ms  %9.1f tokens/s  (%d steps, %.2f ms of processor each)\n",
                 name, times->median * 1e3, rows / times->median, steps,
                 times->processor * 1e3);
    for (int i = 0; i < profile.slot_count; i++) {
        const struct slot *slot = &profile.slots[i];
        (void)printf("    %-20s %9.3f ms", slot->name, slot->s / steps * 1e3);
        if (slot->operations > 0)
            (void)printf("  %7.1f G operations/s", slot->operations / slot->s * 1e-9);
        (void)printf("\n");
    }
    (void)fflush(stdout);
}

/* Repeats a step and reports its median. */
static enum status measure(struct model_run *run, const struct bench *bench, const char *name,
                           const struct model_run_part *parts, int32_t part_count,
                           struct error *err)
{
    static double times[STEPS_MAX];
    int steps = 0;
    TRY(model_run_step(run, parts, part_count, err)); /* warms caches and pages up */
    profile.slot_count = 0;
    memset(profile.slots, 0, sizeof profile.slots);
    const double begin = clock_now_s(), processor = processor_s();
    while (steps < STEPS_MAX && (steps < 3 || clock_now_s() - begin < bench->seconds)) {
        const double at = clock_now_s();
        TRY(model_run_step(run, parts, part_count, err));
        times[steps++] = clock_now_s() - at;
    }
    qsort(times, (size_t)steps, sizeof times[0], compare_doubles);
    const struct step_times all = {times[steps / 2], (processor_s() - processor) / steps,
                                   steps};
    report(name, part_count == 1 ? parts[0].count : part_count, &all);
    return OK;
}

static enum status measure_all(struct model_run *run, const struct bench *bench,
                               struct error *err)
{
    static const int32_t BATCHES[] = {1, 8, 32, BATCH_MAX};
    static token_id tokens[PREFILL_ROWS];
    struct model_run_part parts[BATCH_MAX];
    for (int32_t i = 0; i < PREFILL_ROWS; i++)
        tokens[i] = (i * 37 + 11) % run->model->config.vocab;
    parts[0] = (struct model_run_part){0, 0, PREFILL_ROWS, tokens, MODEL_RUN_LAST};
    TRY(measure(run, bench, "prefill 512", parts, 1, err));
    for (int32_t i = 0; i < BATCH_MAX; i++) {
        parts[i] =
            (struct model_run_part){i, bench->context - 1, 1, &tokens[i], MODEL_RUN_LAST};
        model_run_share(run, i, 0, bench->shared / KV_PAGE_TOKENS);
    }
    for (size_t i = 0; i < sizeof BATCHES / sizeof BATCHES[0]; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "decode %d", BATCHES[i]);
        TRY(measure(run, bench, name, parts, BATCHES[i], err));
    }
    return OK;
}

static enum status run_bench(struct bench *bench, struct error *err)
{
    static struct ops timed;
    struct model_run run;
    struct rusage usage;
    profile.ops = ops_cpu();
    timed = *profile.ops;
    timed.embed = timed_embed;
    timed.rmsnorm = timed_rmsnorm;
    timed.attention = timed_attention;
    timed.silu_mul = timed_silu_mul;
    timed.rope_append = timed_rope;
    timed.matmul = timed_matmul;
    bench->options.ops = &timed;
    bench->options.context_max = bench->context > PREFILL_ROWS ? bench->context : PREFILL_ROWS;
    const double begin = clock_now_s();
    enum status status = model_run_open(&run, &bench->options, err);
    if (status == OK) {
        (void)printf("%s, %s, KV %s, %s, %u threads; opened in %.2f s, weights %.1f MB\n",
                     run.model->config.name,
                     bench->options.precision == MODEL_INT8 ? "int8" : "exact",
                     kv_layout_type_name(bench->options.kv_type),
                     device_simd_name(device_simd(run.device)), device_threads(run.device),
                     clock_now_s() - begin, (double)run.model->weight_bytes * 1e-6);
        status = measure_all(&run, bench, err);
    }
    if (status == OK && getrusage(RUSAGE_SELF, &usage) == 0)
        (void)printf("peak memory %.1f MB\n", (double)usage.ru_maxrss / 1024.0);
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

static bool read_option(const char *name, const char *value, struct bench *bench)
{
    static const char *const PRECISION[] = {"exact", "int8"};
    static const char *const KV[] = {"f32", "f16", "int8"};
    static const char *const SIMD[] = {"scalar", "avx2", "best"};
    int chosen = 0;
    if (strcmp(name, "--precision") == 0)
        bench->options.precision =
            (chosen = choose(value, PRECISION, 2)) == 1 ? MODEL_INT8 : MODEL_EXACT;
    else if (strcmp(name, "--kv") == 0 && (chosen = choose(value, KV, 3)) >= 0)
        bench->options.kv_type = (enum kv_type)chosen;
    else if (strcmp(name, "--simd") == 0 && (chosen = choose(value, SIMD, 3)) >= 0)
        bench->options.simd_max = (enum device_simd)chosen;
    else if (strcmp(name, "--threads") == 0)
        bench->options.threads = (uint32_t)strtoul(value, NULL, 10);
    else if (strcmp(name, "--context") == 0)
        bench->context = (int32_t)strtol(value, NULL, 10);
    else if (strcmp(name, "--shared") == 0)
        bench->shared = (int32_t)strtol(value, NULL, 10);
    else if (strcmp(name, "--seconds") == 0)
        bench->seconds = strtod(value, NULL);
    else
        return false;
    return chosen >= 0;
}

int main(int argc, char **argv)
{
    struct error err;
    struct bench bench = {.context = 1024,
                          .seconds = 3,
                          .options = {.simd_max = DEVICE_SIMD_AVX512_VNNI,
                                      .sequences = BATCH_MAX,
                                      .rows_max = PREFILL_ROWS,
                                      .head_max = BATCH_MAX}};
    bool is_right = argc >= 2 && argc % 2 == 0;
    for (int i = 2; is_right && i < argc; i += 2)
        is_right = read_option(argv[i], argv[i + 1], &bench);
    if (!is_right || bench.context < 1 || bench.shared < 0 || bench.shared >= bench.context) {
        (void)fprintf(stderr,
                      "usage: forward_bench MODEL [--precision exact|int8] [--kv f32|f16|int8] "
                      "[--threads N] [--simd scalar|avx2|best] [--context N] [--shared N] "
                      "[--seconds S]\n");
        return 64;
    }
    bench.options.path = argv[1];
    if (run_bench(&bench, &err) == OK)
        return 0;
    (void)fprintf(stderr, "forward_bench: %s\n", err.text);
    return 1;
}
