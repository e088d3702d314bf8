/*
 * kbench_head - see kbench_head.h.
 *
 * Named limits are the datasheets': dense, with the accumulate type given. An RTX 4090 does
 * half of its f16 rate when sums are kept in F32; a Hopper's figures are for wgmma, of which
 * mma.sync reaches about 63 % (arXiv 2501.12084), so there the measured limit says more.
 */
#include "tools/kbench_head.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static const struct {
    const char *part; /* of the device's name */
    struct kbench_limits limits;
} NAMED[] = {
    {"4090", {1008e9, 660.6e12, 165.2e12, 0}},     {"H200", {4800e9, 1979e12, 989.5e12, 0}},
    {"H100 PCIe", {2000e9, 1513e12, 756.5e12, 0}}, {"H100", {3350e9, 1979e12, 989.5e12, 0}},
    {"L40S", {864e9, 733e12, 362e12, 0}},          {"L4", {300e9, 242e12, 121e12, 0}},
};

bool kbench_head_named(const char *name, struct kbench_limits *limits)
{
    for (size_t i = 0; i < sizeof NAMED / sizeof NAMED[0]; i++) {
        if (strstr(name, NAMED[i].part)) {
            *limits = NAMED[i].limits;
            return true;
        }
    }
    *limits = (struct kbench_limits){0};
    return false;
}

static bool has_times(const struct device *device)
{
    return device_kind(device) != DEVICE_EMU;
}

/* ---- the probe ---- */

static enum status fill_operands(struct kbench_probe *probe)
{
    uint32_t words[A_WORDS > B_WORDS ? A_WORDS : B_WORDS];
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        words[i] = (uint32_t)(i * 2654435761u) & 0x3bff3bffu; /* finite as halves too */
    TRY(device_upload(probe->device, probe->a, words, A_WORDS * sizeof words[0]));
    return device_upload(probe->device, probe->b, words, B_WORDS * sizeof words[0]);
}

enum status kbench_head_probe_open(struct kbench_probe *probe, struct device *device,
                                   struct error *err)
{
    struct device_timer_facts facts;
    device_timer_look(device, &facts);
    const int32_t processors = device_multiprocessors(device);
    *probe =
        (struct kbench_probe){.device = device,
                              .blocks = processors > 0 && has_times(device) ? processors : 1,
                              .bytes = 3 * facts.l2_bytes};
    if (probe->bytes < COPY_BYTES_MIN)
        probe->bytes = COPY_BYTES_MIN;
    if (device_kind(device) != DEVICE_CUDA)
        probe->bytes = COPY_BYTES_SMALL;
    probe->bytes = probe->bytes / 4096 * 4096;
    probe->out_bytes = 2 * (size_t)probe->blocks * OUT_BYTES;
    probe->from = device_alloc(device, probe->bytes);
    probe->to = device_alloc(device, probe->bytes);
    probe->a = device_alloc(device, A_WORDS * sizeof *probe->a);
    probe->b = device_alloc(device, B_WORDS * sizeof *probe->b);
    probe->out = device_alloc(device, probe->out_bytes);
    if (!probe->from || !probe->to || !probe->a || !probe->b || !probe->out)
        FAIL(err, ERR_MEMORY, "kbench: no room for %zu bytes on the device", 2 * probe->bytes);
    const enum status status = fill_operands(probe);
    if (status != OK)
        FAIL(err, status, "kbench: the device took no upload");
    return OK;
}

static void release(struct device *device, void *memory, size_t bytes)
{
    if (memory)
        device_free(device, memory, bytes);
}

void kbench_head_probe_close(struct kbench_probe *probe)
{
    release(probe->device, probe->from, probe->bytes);
    release(probe->device, probe->to, probe->bytes);
    release(probe->device, probe->a, A_WORDS * sizeof *probe->a);
    release(probe->device, probe->b, B_WORDS * sizeof *probe->b);
    release(probe->device, probe->out, probe->out_bytes);
    *probe = (struct kbench_probe){0};
}

enum status kbench_head_flush(const struct kbench_probe *probe)
{
    const struct peak_copy_args args = {probe->from, probe->to, (int64_t)probe->bytes};
    return peak_copy(probe->device, &args);
}

static struct peak_mma_args mma_of(const struct kbench_probe *probe, enum peak_kind kind,
                                   int32_t blocks, int32_t steps)
{
    return (struct peak_mma_args){kind, probe->a, probe->b, probe->out, blocks, steps};
}

/* Median microseconds of RUNS runs, the first for warming up. */
static enum status mma_us(const struct kbench_probe *probe, const struct peak_mma_args *args,
                          double *us, struct error *err)
{
    double samples[RUNS];
    for (int run = -1; run < RUNS; run++) {
        TRY(device_timer_mark(probe->device, 0));
        TRY(peak_mma(probe->device, args));
        TRY(device_timer_mark(probe->device, 1));
        TRY(device_timer_us(probe->device, 0, 1, &samples[run < 0 ? 0 : run], err));
    }
    *us = kbench_stats_of(samples, RUNS).median;
    return OK;
}

/* The best of one and two blocks per multiprocessor: 8 and 16 warps of four chains. */
static enum status mma_peak(const struct kbench_probe *probe, enum peak_kind kind, double *peak,
                            struct error *err)
{
    for (int32_t each = 1; each <= 2; each++) {
        const struct peak_mma_args args = mma_of(probe, kind, each * probe->blocks, STEPS);
        double us;
        TRY(mma_us(probe, &args, &us, err));
        const double rate = us > 0 ? peak_mma_operations(&args) / us * 1e6 : 0;
        if (rate > *peak)
            *peak = rate;
    }
    return OK;
}

static enum status copy_peak(const struct kbench_probe *probe, double *peak, struct error *err)
{
    double samples[RUNS];
    for (int run = -1; run < RUNS; run++) {
        TRY(device_timer_mark(probe->device, 0));
        TRY(kbench_head_flush(probe));
        TRY(device_timer_mark(probe->device, 1));
        TRY(device_timer_us(probe->device, 0, 1, &samples[run < 0 ? 0 : run], err));
    }
    const double us = kbench_stats_of(samples, RUNS).median;
    *peak = us > 0 ? 2.0 * (double)probe->bytes / us * 1e6 : 0;
    return OK;
}

/* The least that a launch takes of the stream's time, one behind the other. */
static enum status launch_time(const struct kbench_probe *probe, double *us, struct error *err)
{
    const struct peak_mma_args args = mma_of(probe, PEAK_S8_S32, 1, 0);
    TRY(device_timer_mark(probe->device, 0));
    for (int i = 0; i < LAUNCHES; i++)
        TRY(peak_mma(probe->device, &args));
    TRY(device_timer_mark(probe->device, 1));
    TRY(device_timer_us(probe->device, 0, 1, us, err));
    *us /= LAUNCHES;
    return OK;
}

enum status kbench_head_slowdown(const struct kbench_probe *probe, double *ratio,
                                 struct error *err)
{
    const struct peak_mma_args args = mma_of(probe, PEAK_S8_S32, probe->blocks, SPIN_STEPS);
    double us;
    TRY(mma_us(probe, &args, &us, err));
    *ratio = probe->spin_us > 0 ? us / probe->spin_us : 1;
    return OK;
}

/* ---- the head ---- */

/* A line of what a git command prints, without its end; empty where there is no git. */
static void read_command(const char *command, char *line, size_t size)
{
    FILE *pipe = popen(command, "r"); /* a constant */
    line[0] = '\0';
    if (!pipe)
        return;
    if (!fgets(line, (int)size, pipe))
        line[0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    (void)pclose(pipe);
}

static void look_at_tree(struct kbench_head *head)
{
    char commit[24], dirt[8];
    read_command("git rev-parse --short HEAD 2>/dev/null", commit, sizeof commit);
    read_command("git status --porcelain -uno 2>/dev/null", dirt, sizeof dirt);
    (void)snprintf(head->commit, sizeof head->commit, "%s%s", commit[0] ? commit : "unknown",
                   dirt[0] ? " dirty" : "");
    const time_t now = (time_t)clock_unix_s();
    struct tm parts;
    if (gmtime_r(&now, &parts))
        (void)strftime(head->date, sizeof head->date, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

enum status kbench_head_fill(struct kbench_head *head, struct kbench_probe *probe,
                             struct error *err)
{
    *head = (struct kbench_head){.kind = device_kind(probe->device)};
    device_timer_look(probe->device, &head->facts);
    look_at_tree(head);
    if (head->kind != DEVICE_CUDA)
        return OK; /* the CPU's limits: bench/matmul_bench */
    (void)kbench_head_named(head->facts.name, &head->named);
    TRY(launch_time(probe, &head->measured.launch_us, err));
    TRY(launch_time(probe, &head->measured.launch_us, err)); /* the first one warmed up */
    TRY(mma_peak(probe, PEAK_S8_S32, &head->measured.s8_s32_per_s, err));
    TRY(mma_peak(probe, PEAK_F16_F32, &head->measured.f16_f32_per_s, err));
    TRY(copy_peak(probe, &head->measured.bytes_per_s, err));
    const struct peak_mma_args spin = mma_of(probe, PEAK_S8_S32, probe->blocks, SPIN_STEPS);
    return mma_us(probe, &spin, &probe->spin_us, err);
}

static void print_limits(const char *label, const struct kbench_limits *limits)
{
    if (!(limits->bytes_per_s > 0))
        return;
    printf("# %s: %.0f GB/s, s8->s32 %.1f TOP/s, f16->f32 %.1f TFLOP/s", label,
           limits->bytes_per_s * 1e-9, limits->s8_s32_per_s * 1e-12,
           limits->f16_f32_per_s * 1e-12);
    if (limits->launch_us > 0)
        printf(", a launch %.2f us", limits->launch_us);
    printf("\n");
}

void kbench_head_print(const struct kbench_head *head)
{
    const struct device_timer_facts *f = &head->facts;
    printf("# %s, %s, commit %s, %s\n", f->name, device_kind_name(head->kind), head->commit,
           head->date);
    if (head->kind == DEVICE_EMU)
        printf("# emulated: counters and bits, no times; shapes are small ones\n");
    if (head->kind == DEVICE_CUDA)
        printf("# sm_%d, %d multiprocessors, driver %d, CUDA %d, set clocks %d and %d MHz, "
               "L2 %.0f MiB, memory %.0f of %.0f MiB free, ECC %s\n",
               f->sm, f->multiprocessors, f->driver, f->runtime, f->clock_mhz,
               f->memory_clock_mhz, (double)f->l2_bytes / 0x1p20,
               (double)f->memory_free_bytes / 0x1p20, (double)f->memory_bytes / 0x1p20,
               f->has_ecc ? "on" : "off");
    print_limits("measured here (copy; mma.sync)", &head->measured);
    print_limits("named by the maker", &head->named);
}

static void write_number(struct json_writer *w, const char *key, double value)
{
    json_write_key(w, key);
    json_write_double(w, value);
}

static void write_word(struct json_writer *w, const char *key, const char *value)
{
    json_write_key(w, key);
    json_write_text(w, text_of(value));
}

static void write_limits(struct json_writer *w, const char *key,
                         const struct kbench_limits *limits)
{
    json_write_key(w, key);
    json_write_object(w);
    write_number(w, "gb_per_s", limits->bytes_per_s * 1e-9);
    write_number(w, "s8_s32_tops", limits->s8_s32_per_s * 1e-12);
    write_number(w, "f16_f32_tflops", limits->f16_f32_per_s * 1e-12);
    write_number(w, "launch_us", limits->launch_us);
    json_write_object_end(w);
}

void kbench_head_write(const struct kbench_head *head, struct json_writer *w)
{
    const struct device_timer_facts *f = &head->facts;
    json_write_object(w);
    write_word(w, "record", "head");
    write_word(w, "device", f->name);
    write_word(w, "kind", device_kind_name(head->kind));
    write_word(w, "commit", head->commit);
    write_word(w, "date", head->date);
    write_number(w, "sm", f->sm);
    write_number(w, "multiprocessors", f->multiprocessors);
    write_number(w, "driver", f->driver);
    write_number(w, "cuda", f->runtime);
    write_number(w, "clock_mhz", f->clock_mhz);
    write_number(w, "memory_clock_mhz", f->memory_clock_mhz);
    write_number(w, "l2_bytes", (double)f->l2_bytes);
    json_write_key(w, "ecc");
    json_write_bool(w, f->has_ecc);
    write_limits(w, "measured", &head->measured);
    write_limits(w, "named", &head->named);
    json_write_object_end(w);
}
