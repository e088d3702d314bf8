/* simt_case - see simt_case.h. */
#include "tests/harness/simt_case.h"

#include "base/sanitized.h"
#include "kernels/device_emu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS_DEFAULT = 1, SKIPPED = 77 };

static uint32_t seeds = SEEDS_DEFAULT;
static struct simt_case the_case;

static int open_case(void **state)
{
    the_case.random = 0x9e3779b97f4a7c15u;
    *state = &the_case;
    return 0;
}

static bool has_findings(const struct simt_case *c)
{
    return c->is_emulated && device_emu_findings() > 0;
}

/* Tells what the emulator found since the last time, also of a body that failed before its
 * end: the finding is why. (cmocka's own printing ends at a kilobyte.) */
static void tell_findings(struct simt_case *c)
{
    if (!has_findings(c))
        return;
    (void)fprintf(stderr, "%llu findings of the emulator:\n%s\n",
                  (unsigned long long)device_emu_findings(), device_emu_report());
    device_emu_clear();
}

static int close_case(void **state)
{
    tell_findings(*state);
    return 0;
}

static void end_body(struct simt_case *c)
{
    for (int32_t i = 0; i < c->buffer_count; i++)
        device_free(c->device, c->buffers[i].memory, c->buffers[i].bytes);
    c->buffer_count = 0;
    const bool found = has_findings(c);
    tell_findings(c);
    assert_false(found);
}

/* The first run has exp2 and reciprocal correctly rounded, each other one in its own way. */
static void run_body(struct simt_case *c, void (*body)(struct simt_case *c), int schedule,
                     uint32_t seed)
{
    const struct device_emu_options options = {
        .schedule = (enum device_emu_schedule)schedule,
        .seed = seed,
        .is_traced = true,
        .approximation = (seed - 1) * DEVICE_EMU_SCHEDULES + (uint32_t)schedule};
    tell_findings(c);
    if (c->is_emulated) {
        device_emu_clear();
        device_emu_configure(&options);
    }
    body(c);
    end_body(c);
}

void simt_case_once(struct simt_case *c, void (*body)(struct simt_case *c))
{
    run_body(c, body, DEVICE_EMU_LOCKSTEP, 1);
}

void simt_case_each(struct simt_case *c, void (*body)(struct simt_case *c))
{
    if (!c->is_emulated) {
        simt_case_once(c, body);
        return;
    }
    for (uint32_t seed = 1; seed <= seeds; seed++) {
        for (int schedule = 0; schedule < DEVICE_EMU_SCHEDULES; schedule++)
            run_body(c, body, schedule, seed);
    }
}

void *simt_case_up(struct simt_case *c, const void *from, size_t bytes)
{
    assert_true(c->buffer_count < SIMT_CASE_BUFFERS_MAX);
    void *memory = device_alloc(c->device, bytes);
    assert_non_null(memory);
    c->buffers[c->buffer_count++] = (struct simt_case_buffer){memory, bytes};
    if (from)
        assert_int_equal(device_upload(c->device, memory, from, bytes), OK);
    return memory;
}

void simt_case_down(struct simt_case *c, void *to, const void *device_memory, size_t bytes)
{
    struct error err;
    const enum status status = device_wait(c->device, &err);
    if (status != OK)
        print_error("%s\n", err.text);
    assert_int_equal(status, OK);
    assert_false(has_findings(c)); /* told by close_case: what follows says no more */
    assert_int_equal(device_download(c->device, to, device_memory, bytes), OK);
}

bool simt_case_counts(const struct simt_case *c)
{
    const bool is_counted = c->is_emulated && !SANITIZED_ADDRESS;
    if (!is_counted)
        print_message("%s\n", c->is_emulated ? "not counted: AddressSanitizer watches instead"
                                             : "not counted: only the emulator can");
    return is_counted;
}

uint32_t simt_case_below(struct simt_case *c, uint32_t limit)
{
    c->random ^= c->random << 13;
    c->random ^= c->random >> 7;
    c->random ^= c->random << 17;
    return (uint32_t)((c->random >> 32) * limit >> 32);
}

float simt_case_float(struct simt_case *c)
{
    return (float)simt_case_below(c, 1u << 24) * 0x1p-23f - 1.0f;
}

float simt_case_normal(struct simt_case *c)
{
    float sum = 0.0f;
    for (int i = 0; i < 6; i++)
        sum += simt_case_float(c);
    return sum * 0.70710678f;
}

static double per(uint64_t count, uint64_t of)
{
    return of ? (double)count / (double)of : 0.0;
}

/* Prints what each kernel asked of the device; how many asked for too much shared memory. */
static int tell_kernels(void)
{
    struct device_emu_counters n;
    const char *name;
    int failed = 0;
    (void)printf("kernels: launches, largest shared bytes of a block (limit %d); per request "
                 "conflicts, sectors; per block barriers of warps\n",
                 DEVICE_EMU_SHARED_MAX);
    for (int32_t i = 0; (name = device_emu_total(i, &n)); i++) {
        const bool is_above = n.shared_bytes > DEVICE_EMU_SHARED_MAX;
        (void)printf("%-44s %6llu %7llu %6.3f %6.2f %7.1f%s\n", name,
                     (unsigned long long)n.launches, (unsigned long long)n.shared_bytes,
                     per(n.shared_conflicts, n.shared_requests),
                     per(n.global_sectors, n.global_requests), per(n.barriers, n.blocks),
                     is_above ? "  ABOVE THE LIMIT" : "");
        failed += is_above;
    }
    return failed;
}

int simt_case_main(int argc, char **argv, const struct CMUnitTest *tests, size_t count)
{
    const char *kind = argc > 1 ? argv[1] : "emu";
    the_case.is_emulated = strcmp(kind, "cuda") != 0;
    if (argc > 2)
        seeds = (uint32_t)strtoul(argv[2], NULL, 10);
    if (argc > 3)
        cmocka_set_test_filter(argv[3]);
    struct device_options host = {.kind = DEVICE_CPU, .threads = 1};
    struct device_options options = {.kind = the_case.is_emulated ? DEVICE_EMU : DEVICE_CUDA,
                                     .threads = 1};
    struct error err;
    if (device_open(&the_case.host, &host, &err) != OK ||
        device_open(&the_case.device, &options, &err) != OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        device_close(the_case.host);
        return the_case.is_emulated ? 1 : SKIPPED;
    }
    const int failed = _cmocka_run_group_tests("simt", tests, count, open_case, close_case);
    const int above = the_case.is_emulated ? tell_kernels() : 0;
    device_close(the_case.device);
    device_close(the_case.host);
    return failed ? failed : above;
}
