/*
 * emu_case - what the emulator's own tests share: a device, two buffers, a judge.
 *
 * For test programs of one file: functions are static.
 */
#ifndef TESTS_EMU_CASE_H
#define TESTS_EMU_CASE_H

#include "kernels/device.h"
#include "kernels/device_emu.h"
#include "kernels/parts/simt.cuh"
#include "tests/emu/emu_asan.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h> /* cmocka wants these before it */
extern "C" {
#include <cmocka.h>
}

enum { EMU_CASE_COUNT = 1024 }; /* elements of each buffer */

struct emu_case {
    struct device *device;
    int32_t *a, *b;
};

#if SANITIZED_ADDRESS
static const bool emu_case_is_traced = false; /* AddressSanitizer looks on instead */
#else
static const bool emu_case_is_traced = true;
#endif

static inline struct emu_case emu_case_open(void)
{
    struct device_options options = {};
    struct error err;
    struct emu_case made = {};
    options.kind = DEVICE_EMU;
    options.threads = 1;
    options.workspace_bytes = 4096;
    if (device_open(&made.device, &options, &err) != OK)
        fail_msg("%s", err.text);
    made.a = static_cast<int32_t *>(device_alloc(made.device, EMU_CASE_COUNT * sizeof *made.a));
    made.b = static_cast<int32_t *>(device_alloc(made.device, EMU_CASE_COUNT * sizeof *made.b));
    assert_non_null(made.a);
    assert_non_null(made.b);
    return made;
}

static inline void emu_case_close(struct emu_case *c)
{
    device_free(c->device, c->a, EMU_CASE_COUNT * sizeof *c->a);
    device_free(c->device, c->b, EMU_CASE_COUNT * sizeof *c->b);
    device_close(c->device);
}

/* Schedule and seed for the launches to come; findings and counters begin at nothing. */
static inline void emu_case_begin(int schedule, uint64_t seed, bool is_traced)
{
    const struct device_emu_options options = {static_cast<enum device_emu_schedule>(schedule),
                                               seed, is_traced, 0, 0};
    device_emu_clear();
    device_emu_configure(&options);
}

static inline void emu_case_expect_none(void)
{
    if (device_emu_findings() != 0)
        fail_msg("%s", device_emu_report());
}

#endif
