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
#include <string.h>
#include <time.h>

enum { LANES = 128 }; /* for F32, of a multiprocessor of sm_89 and of sm_90 */

static const struct {
    const char *part; /* of the device's name */
    struct kbench_limits limits;
} NAMED[] = {
    {"4090", {1008e9, 660.6e12, 165.2e12, 0, 82.6e12}},
    {"H200", {4800e9, 1979e12, 989.5e12, 0, 67e12}},
    {"H100 PCIe", {2000e9, 1513e12, 756.5e12, 0, 51e12}},
    {"H100", {3350e9, 1979e12, 989.5e12, 0, 67e12}},
    {"L40S", {864e9, 733e12, 362e12, 0, 91.6e12}},
    {"L4", {300e9, 242e12, 121e12, 0, 30.3e12}},
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

enum status kbench_head_fill(struct kbench_head *head, struct peak_measure *probe,
                             struct error *err)
{
    *head = (struct kbench_head){.kind = device_kind(probe->device)};
    device_timer_look(probe->device, &head->facts);
    look_at_tree(head);
    if (head->kind != DEVICE_CUDA)
        return OK; /* the CPU's limits: bench/matmul_bench */
    (void)kbench_head_named(head->facts.name, &head->named);
    struct peak_measure_rates rates;
    TRY(peak_measure_take(probe, &rates, err));
    /* f32 is reckoned, not measured: a fused product per lane and cycle of the set clock. */
    const double lanes = (double)head->facts.multiprocessors * LANES;
    head->measured =
        (struct kbench_limits){rates.bytes_per_s, rates.s8_s32_per_s, rates.f16_f32_per_s,
                               rates.launch_us, 2.0 * lanes * head->facts.clock_mhz * 1e6};
    return OK;
}

static void print_limits(const char *label, const struct kbench_limits *limits)
{
    if (!(limits->bytes_per_s > 0))
        return;
    printf("# %s: %.0f GB/s, s8->s32 %.1f TOP/s, f16->f32 %.1f TFLOP/s, f32 %.1f TFLOP/s",
           label, limits->bytes_per_s * 1e-9, limits->s8_s32_per_s * 1e-12,
           limits->f16_f32_per_s * 1e-12, limits->f32_per_s * 1e-12);
    if (limits->launch_us > 0)
        printf(", a launch %.2f us", limits->launch_us);
    printf("\n");
}

void kbench_head_print(const struct kbench_head *head)
{
    const struct device_timer_facts *f = &head->facts;
    printf("# %s, commit %s, %s\n", f->name, head->commit, head->date);
    if (head->kind == DEVICE_EMU)
        printf("# emulated: counters and bits, no times; shapes are small ones\n");
    if (head->kind == DEVICE_CUDA)
        printf("# sm_%d, %d multiprocessors, driver %d, CUDA %d, set clocks %d and %d MHz, "
               "L2 %.0f MiB, memory %.0f of %.0f MiB free, ECC %s\n",
               f->sm, f->multiprocessors, f->driver, f->runtime, f->clock_mhz,
               f->memory_clock_mhz, (double)f->l2_bytes / 0x1p20,
               (double)f->memory_free_bytes / 0x1p20, (double)f->memory_bytes / 0x1p20,
               f->has_ecc ? "on" : "off");
    print_limits("measured here (copy; mma.sync; f32 reckoned from lanes and clock)",
                 &head->measured);
    print_limits("named by the maker", &head->named);
}

static void write_limits(struct json_writer *w, const char *key,
                         const struct kbench_limits *limits)
{
    json_write_key(w, key);
    json_write_object(w);
    json_write_key_double(w, "gb_per_s", limits->bytes_per_s * 1e-9);
    json_write_key_double(w, "s8_s32_tops", limits->s8_s32_per_s * 1e-12);
    json_write_key_double(w, "f16_f32_tflops", limits->f16_f32_per_s * 1e-12);
    json_write_key_double(w, "f32_tflops", limits->f32_per_s * 1e-12);
    json_write_key_double(w, "launch_us", limits->launch_us);
    json_write_object_end(w);
}

void kbench_head_write(const struct kbench_head *head, struct json_writer *w)
{
    const struct device_timer_facts *f = &head->facts;
    json_write_object(w);
    json_write_key_text(w, "record", TEXT("head"));
    json_write_key_text(w, "device", text_of(f->name));
    json_write_key_text(w, "kind", text_of(device_kind_name(head->kind)));
    json_write_key_text(w, "commit", text_of(head->commit));
    json_write_key_text(w, "date", text_of(head->date));
    json_write_key_double(w, "sm", f->sm);
    json_write_key_double(w, "multiprocessors", f->multiprocessors);
    json_write_key_double(w, "driver", f->driver);
    json_write_key_double(w, "cuda", f->runtime);
    json_write_key_double(w, "clock_mhz", f->clock_mhz);
    json_write_key_double(w, "memory_clock_mhz", f->memory_clock_mhz);
    json_write_key_double(w, "l2_bytes", (double)f->l2_bytes);
    json_write_key_bool(w, "ecc", f->has_ecc);
    write_limits(w, "measured", &head->measured);
    write_limits(w, "named", &head->named);
    json_write_object_end(w);
}
