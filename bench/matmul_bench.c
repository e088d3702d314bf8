/*
 * matmul_bench - GOPS of int8 matmul, beside the machine's measured int8 peak.
 *
 *     matmul_bench [runs [IN OUT]]
 *
 * The peak is a loop of the SIMD level's best multiply-and-add sequence whose operands never
 * leave registers, on all threads at once. Each figure is the median of `runs` (default 7)
 * timed calls of matmul_cpu, each repeated until 20 ms have passed. One multiply and one add
 * are two operations. Shapes are those of SmolLM2-135M, and one of a model
 * of 8B whose weights no cache holds; or IN x OUT alone.
 *
 * GOPS are by the clock. The share of the peak is by processor time (what threads spend
 * waiting for each other counts, what other processes take does not), so that it can be
 * measured on a machine with other load; "used" says how many cores the call really had.
 *
 * A row alone is bound by memory where the weights outgrow the caches: "% read" is the rate at
 * which weights pass, as a share of that at which the same threads only read memory, measured
 * in the same run, both by processor time. A copy's rate, bytes read and written, is beside it.
 */
#include "base/clock.h"
#include "bench/int8_peak.h"
#include "kernels/matmul.h"
#include "kernels/peak_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS_MAX = 101, RUNS_DEFAULT = 7, ROWS_MAX = 512, THREADS_MAX = 2, DIM_MAX = 65536 };

/* Larger products are left out: they would take seconds each. */
#define PRODUCTS_MAX 1e10

#define RUN_MIN_S 0.02

static int32_t default_shapes[][2] = {
    {576, 576}, {576, 1536}, {1536, 576}, {576, 49152}, {4096, 14336}};
static const int32_t row_counts[] = {1, 8, 32, 96, 256, 512};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

struct setting {
    struct device *device;
    struct weight weight;
    struct activation x;
    float *y;
};

static void fail(const char *what)
{
    (void)fprintf(stderr, "matmul_bench: %s\n", what);
    exit(1);
}

static void *memory_new(size_t bytes)
{
    void *memory = calloc(1, bytes);
    if (memory == NULL)
        fail("no memory");
    return memory;
}

static void noise_fill(float *values, size_t count, uint32_t seed)
{
    for (size_t i = 0; i < count; i++) {
        seed = seed * 1664525u + 1013904223u;
        values[i] = (float)(seed >> 8) * 0x1p-23f - 1.0f;
    }
}

static void setting_init(struct setting *s, struct device *device, const int32_t shape[2])
{
    const size_t in_dim = (size_t)shape[0], out_dim = (size_t)shape[1];
    const size_t stride = (in_dim + 63) / 64 * 64;
    *s = (struct setting){.device = device};
    float *values = memory_new(in_dim * out_dim * sizeof(float));
    noise_fill(values, in_dim * out_dim, 1);
    const struct weight_source source = {"bench", WEIGHT_F32, shape[1], shape[0], values};
    struct error err;
    if (weight_prepare(device, &source, WEIGHT_INT8, &s->weight, &err) != OK)
        fail(err.text);
    s->x = (struct activation){.forms = ACTIVATION_INT8,
                               .cols = shape[0],
                               .q8 = memory_new(ROWS_MAX * stride),
                               .scales = memory_new(ROWS_MAX * sizeof(float)),
                               .stride = (int32_t)stride};
    for (int32_t r = 0; r < ROWS_MAX; r++) {
        noise_fill(values, in_dim, (uint32_t)r);
        activation_quantize(&s->x, r, values);
    }
    s->y = memory_new(ROWS_MAX * out_dim * sizeof(float));
    free(values);
}

static void setting_deinit(struct setting *s)
{
    weight_release(s->device, &s->weight);
    free(s->x.q8);
    free(s->x.scales);
    free(s->y);
}

/* One call: mean over the RUN_MIN_S of one timing, medians over the runs. */
struct timing {
    double wall_s, cpu_s;
};

static struct timing call_time(const struct setting *s, int32_t rows, int runs)
{
    const struct matmul_args args = {.x = &s->x, .w = &s->weight, .y = s->y, .rows = rows};
    double walls[RUNS_MAX] = {0}, cpus[RUNS_MAX] = {0};
    for (int run = -1; run < runs; run++) { /* the first is for warming up */
        const double start_s = clock_now_s(), start_cpu_s = clock_cpu_s();
        int calls = 0;
        do {
            if (matmul_cpu(s->device, &args) != OK)
                fail("matmul_cpu refused");
            calls++;
        } while (clock_now_s() - start_s < RUN_MIN_S);
        if (run >= 0) {
            walls[run] = (clock_now_s() - start_s) / calls;
            cpus[run] = (clock_cpu_s() - start_cpu_s) / calls;
        }
    }
    qsort(walls, (size_t)runs, sizeof walls[0], by_value);
    qsort(cpus, (size_t)runs, sizeof cpus[0], by_value);
    return (struct timing){walls[runs / 2], cpus[runs / 2]};
}

/* What the machine does at best. */
struct best {
    double peak; /* per thread */
    struct peak_host_rates memory;
};

struct bench {
    int32_t (*shapes)[2];
    size_t shape_count;
    int runs;
};

static void bench_shape(struct device *device, const int32_t shape[2], const struct best *best,
                        int runs)
{
    const double weights = (double)shape[0] * shape[1], peak = best->peak;
    struct setting s;
    setting_init(&s, device, shape);
    for (size_t j = 0; j < COUNT(row_counts); j++) {
        const int32_t rows = row_counts[j];
        if (rows > 1 && weights * rows > PRODUCTS_MAX)
            break;
        const double ops = 2.0 * weights * rows;
        const struct timing t = call_time(&s, rows, runs);
        const double share = peak > 0 ? ops / t.cpu_s / peak : 0;
        const double read_share =
            weights * device_threads(device) / t.cpu_s / best->memory.read_bytes_per_s;
        (void)printf("%6d %6d %5d %10.1f %8.1f %7.1f %5.2f %8.2f %7.1f\n", shape[0], shape[1],
                     rows, t.wall_s * 1e6, ops / t.wall_s * 1e-9, 100 * share,
                     t.cpu_s / t.wall_s, weights / t.wall_s * 1e-9, 100 * read_share);
    }
    setting_deinit(&s);
}

static void bench_threads(uint32_t threads, const struct bench *bench)
{
    struct device *device;
    struct error err;
    const struct device_options options = {.threads = threads, .simd_max = DEVICE_SIMD_WIDEST};
    if (device_open(&device, &options, &err) != OK)
        fail(err.text);
    struct peak_loop loop;
    struct best best = {.peak = int8_peak_measure(device, &loop)};
    if (peak_host_measure(device, PEAK_HOST_BYTES, &best.memory, &err) != OK)
        fail(err.text);
    (void)printf("threads %u, %s, peak %.1f GOPS per thread (%s)\n", threads,
                 device_simd_name(device_simd(device)), best.peak * 1e-9,
                 loop.sequence != NULL ? loop.sequence : "no loop for this level");
    (void)printf("memory: read %.1f GB/s, copy %.1f GB/s\n",
                 best.memory.read_bytes_per_s * 1e-9, best.memory.copy_bytes_per_s * 1e-9);
    (void)printf("%6s %6s %5s %10s %8s %7s %5s %8s %7s\n", "in", "out", "M", "us", "GOPS",
                 "% peak", "used", "w GB/s", "% read");
    for (size_t i = 0; i < bench->shape_count; i++)
        bench_shape(device, bench->shapes[i], &best, bench->runs);
    device_close(device);
}

/* A dimension of the command line. */
static int32_t dim_read(const char *text)
{
    const long dim = strtol(text, NULL, 10);
    if (dim < 1 || dim > DIM_MAX)
        fail("IN and OUT: 1 to 65536");
    return (int32_t)dim;
}

int main(int argc, char **argv)
{
    const long runs = argc > 1 ? strtol(argv[1], NULL, 10) : RUNS_DEFAULT;
    if (runs < 1 || runs > RUNS_MAX)
        fail("runs: 1 to 101");
    struct bench bench = {default_shapes, COUNT(default_shapes), (int)runs};
    int32_t shape[1][2];
    if (argc > 3) {
        shape[0][0] = dim_read(argv[2]);
        shape[0][1] = dim_read(argv[3]);
        bench.shapes = shape;
        bench.shape_count = 1;
    }
    for (uint32_t threads = 1; threads <= THREADS_MAX; threads++)
        bench_threads(threads, &bench);
    return 0;
}
