/*
 * attention_bench - GFLOP/s of attention, beside the machine's measured F32 peak.
 *
 *     attention_bench [runs]
 *
 *     prefill   512 rows of one sequence behind 512 keys: context 1,024
 *     decode    96 rows: 32 chunks of 800 tokens, 3 jobs on each, every job with 250 of its own
 *
 * 9 heads, 3 KV heads, head_dim 64 (SmolLM2-135M), one layer. Only keys that a row sees are
 * counted: 4 * head_dim operations per (row, head, key); the activation is asked for in int8,
 * as the matmul after it wants it. Each figure is the median of `runs` (default 9) calls.
 * Microseconds and GFLOP/s are by the clock; the share of the peak (a loop of fused
 * multiply-adds) is by processor time, so that it can be measured on a machine with other
 * load; "used" says how many cores the call really had.
 */
#include "base/clock.h"
#include "base/i32.h"
#include "bench/f32_peak.h"
#include "kernels/attention.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADS = 9,
    KV_HEADS = 3,
    HEAD_DIM = 64,
    RUNS_MAX = 101,
    RUNS_DEFAULT = 9,
    THREADS_MAX = 2,
    ITEM_ROWS = 128,
    PREFILL_ROWS = 512,
    PREFILL_CONTEXT = 1024,
    CHUNKS = 32,
    JOBS = 3,
    CHUNK_TOKENS = 800,
    JOB_TOKENS = 1050,
    JOB_PAGES = (JOB_TOKENS + KV_PAGE_TOKENS - 1) / KV_PAGE_TOKENS,
    SPLIT_PAGES = ATTENTION_SPLIT / KV_PAGE_TOKENS,
    SHARED_SPLITS = CHUNK_TOKENS / ATTENTION_SPLIT,
    SPLITS = (JOB_TOKENS + ATTENTION_SPLIT - 1) / ATTENTION_SPLIT,
    ROWS_MAX = 512,
    ITEMS_MAX = 1024,
    PAGES_MAX = CHUNKS * JOBS * JOB_PAGES
};

/* A work list and what it needs; static, for it is large. */
struct load {
    const char *name;
    struct attention_item items[ITEMS_MAX];
    int32_t pages[ITEMS_MAX * SPLIT_PAGES];
    int32_t entries[ITEMS_MAX * ITEM_ROWS];
    int32_t positions[ROWS_MAX];
    int32_t partials_first[ROWS_MAX + 1];
    int32_t row_count, entry_count;
    struct attention_work work;
};

static void fail(const char *what)
{
    (void)fprintf(stderr, "attention_bench: %s\n", what);
    exit(1);
}

static void *memory_new(size_t bytes)
{
    void *memory = calloc(1, bytes);
    if (memory == NULL)
        fail("no memory");
    return memory;
}

static float noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (float)(*state >> 8) * 0x1p-23f - 1.0f;
}

/* An item of `count` rows from `row` on; its pages lie one after the other from `page` on. */
static void item_push(struct load *load, int32_t split, int32_t row, int32_t count,
                      int32_t page)
{
    struct attention_item *item = &load->items[load->work.item_count];
    *item = (struct attention_item){.pages_first = load->work.item_count * SPLIT_PAGES,
                                    .kv_begin = split * ATTENTION_SPLIT,
                                    .rows_first = load->entry_count,
                                    .row_count = count};
    for (int32_t r = row; r < row + count; r++) {
        const int32_t seen = i32_min(ATTENTION_SPLIT, load->positions[r] + 1 - item->kv_begin);
        item->kv_count = seen > item->kv_count ? seen : item->kv_count;
        load->entries[load->entry_count++] = r;
    }
    for (int32_t p = 0; p < SPLIT_PAGES; p++)
        load->pages[item->pages_first + p] = page + p;
    load->work.item_count++;
}

static void load_finish(struct load *load)
{
    for (int32_t r = 0; r < load->row_count; r++)
        load->partials_first[r + 1] =
            load->partials_first[r] + load->positions[r] / ATTENTION_SPLIT + 1;
    load->work.items = load->items;
    load->work.pages = load->pages;
    load->work.rows = load->entries;
    load->work.partials_first = load->partials_first;
    load->work.split = ATTENTION_SPLIT;
    load->work.partial_count = load->partials_first[load->row_count];
}

static void prefill_make(struct load *load)
{
    load->name = "prefill";
    load->row_count = PREFILL_ROWS;
    for (int32_t r = 0; r < PREFILL_ROWS; r++)
        load->positions[r] = PREFILL_CONTEXT - PREFILL_ROWS + r;
    for (int32_t split = 0; split < PREFILL_CONTEXT / ATTENTION_SPLIT; split++) {
        for (int32_t row = 0; row < PREFILL_ROWS; row += ITEM_ROWS) {
            if (load->positions[row] >= split * ATTENTION_SPLIT)
                item_push(load, split, row, ITEM_ROWS, split * SPLIT_PAGES);
        }
    }
    load_finish(load);
}

static void decode_make(struct load *load)
{
    load->name = "decode";
    load->row_count = CHUNKS * JOBS;
    for (int32_t r = 0; r < load->row_count; r++)
        load->positions[r] = JOB_TOKENS - 1;
    for (int32_t split = 0; split < SPLITS; split++) {
        const int32_t rows = split < SHARED_SPLITS ? JOBS : 1;
        for (int32_t row = 0; row < load->row_count; row += rows)
            item_push(load, split, row, rows, row * JOB_PAGES + split * SPLIT_PAGES);
    }
    load_finish(load);
}

static double load_flops(const struct load *load)
{
    double keys = 0.0;
    for (int32_t r = 0; r < load->row_count; r++)
        keys += load->positions[r] + 1;
    return 4.0 * HEAD_DIM * HEADS * keys;
}

static size_t cache_bytes(const struct kv_cache *cache)
{
    return kv_layout_page_bytes(cache) * (size_t)cache->page_count;
}

static struct kv_cache cache_new(struct device *device, enum kv_type type)
{
    struct kv_cache cache = {.type = type,
                             .layers = 1,
                             .kv_heads = KV_HEADS,
                             .head_dim = HEAD_DIM,
                             .page_count = PAGES_MAX + SPLIT_PAGES};
    cache.data = device_alloc(device, cache_bytes(&cache));
    if (cache.data == NULL)
        fail("no memory");
    uint32_t state = 1;
    for (int32_t page = 0; page < cache.page_count; page++) {
        for (int32_t head = 0; head < KV_HEADS; head++) {
            const struct kv_layout_block block = kv_layout_block(&cache, page, 0, head);
            for (int32_t slot = 0; slot < KV_PAGE_TOKENS; slot++) {
                float row[HEAD_DIM];
                for (int32_t i = 0; i < HEAD_DIM; i++)
                    row[i] = noise(&state);
                kv_layout_put_key(&cache, &block, slot, row);
                kv_layout_put_value(&cache, &block, slot, row);
            }
        }
    }
    return cache;
}

/* One call: medians over the runs. */
struct timing {
    double wall_s, cpu_s;
};

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct timing call_time(struct device *device, const struct attention_args *args,
                               int runs)
{
    double walls[RUNS_MAX], cpus[RUNS_MAX];
    for (int run = -1; run < runs; run++) { /* the first is for warming up */
        const double start_s = clock_now_s(), start_cpu_s = clock_cpu_s();
        if (attention_cpu(device, args) != OK)
            fail("attention_cpu refused");
        if (run >= 0) {
            walls[run] = clock_now_s() - start_s;
            cpus[run] = clock_cpu_s() - start_cpu_s;
        }
    }
    qsort(walls, (size_t)runs, sizeof walls[0], by_value);
    qsort(cpus, (size_t)runs, sizeof cpus[0], by_value);
    return (struct timing){walls[runs / 2], cpus[runs / 2]};
}

static void bench_type(struct device *device, const struct load *load, enum kv_type type,
                       int runs)
{
    const size_t dim = HEADS * HEAD_DIM;
    const struct kv_cache cache = cache_new(device, type);
    const int64_t partials =
        attention_partial_floats(load->work.partial_count, HEADS, HEAD_DIM);
    struct activation y = {.forms = ACTIVATION_INT8,
                           .cols = HEADS * HEAD_DIM,
                           .q8 = memory_new(ROWS_MAX * dim),
                           .scales = memory_new(ROWS_MAX * sizeof(float)),
                           .stride = HEADS * HEAD_DIM};
    float *q = memory_new(ROWS_MAX * dim * sizeof *q);
    float *scratch = memory_new((size_t)partials * sizeof *scratch);
    uint32_t state = 2;
    for (size_t i = 0; i < ROWS_MAX * dim; i++)
        q[i] = noise(&state);
    const struct attention_args args = {.q = q,
                                        .positions = load->positions,
                                        .work = &load->work,
                                        .cache = &cache,
                                        .partials = scratch,
                                        .y = &y,
                                        .rows = load->row_count,
                                        .heads = HEADS,
                                        .scale = 0.125f};
    const struct timing timing = call_time(device, &args, runs);
    struct peak_loop loop;
    const double flops = load_flops(load), peak = f32_peak_measure(device, &loop);
    (void)printf(
        "%-8s %-5s %5d %10.1f %9.2f %8.1f %7.1f\n", load->name, kv_layout_type_name(type),
        load->row_count, timing.wall_s * 1e6, flops / timing.wall_s * 1e-9,
        peak > 0 ? 100.0 * flops / timing.cpu_s / peak : 0.0, timing.cpu_s / timing.wall_s);
    device_free(device, cache.data, cache_bytes(&cache));
    free(y.q8);
    free(y.scales);
    free(q);
    free(scratch);
}

int main(int argc, char **argv)
{
    static struct load loads[2];
    const long runs = argc > 1 ? strtol(argv[1], NULL, 10) : RUNS_DEFAULT;
    if (runs < 1 || runs > RUNS_MAX)
        fail("runs: 1 to 101");
    prefill_make(&loads[0]);
    decode_make(&loads[1]);
    for (uint32_t threads = 1; threads <= THREADS_MAX; threads++) {
        struct device *device;
        struct peak_loop loop;
        struct error err;
        const struct device_options options = {.threads = threads,
                                               .simd_max = DEVICE_SIMD_WIDEST};
        if (device_open(&device, &options, &err) != OK)
            fail(err.text);
        (void)printf("threads %u, %s, peak %.1f GFLOP/s per thread\n", threads,
                     device_simd_name(device_simd(device)),
                     f32_peak_measure(device, &loop) * 1e-9);
        (void)printf("%-8s %-5s %5s %10s %9s %8s %7s\n", "load", "kv", "rows", "us", "GFLOP/s",
                     "% peak", "used");
        for (size_t i = 0; i < 2; i++) {
            for (int type = KV_F32; type <= KV_INT8; type++)
                bench_type(device, &loads[i], (enum kv_type)type, (int)runs);
        }
        device_close(device);
    }
    return 0;
}
