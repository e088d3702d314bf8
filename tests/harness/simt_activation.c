/* simt_activation - see simt_activation.h. */
#include "tests/harness/simt_activation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PATTERN = 0x5b };

static size_t f32_bytes(const struct simt_activation *a)
{
    return (size_t)a->rows * (size_t)a->host.cols * sizeof(float);
}

static size_t q8_bytes(const struct simt_activation *a)
{
    return (size_t)a->rows * (size_t)a->host.stride;
}

static void *pattern_new(size_t bytes)
{
    void *memory = malloc(bytes);
    assert_non_null(memory);
    memset(memory, PATTERN, bytes);
    return memory;
}

struct simt_activation simt_activation_new(struct simt_case *c, int32_t rows, int32_t cols,
                                           uint32_t forms)
{
    struct simt_activation a = {.rows = rows};
    a.host = (struct activation){.forms = forms, .cols = cols, .stride = (cols + 63) / 64 * 64};
    if (forms & ACTIVATION_F32)
        a.host.f32 = pattern_new(f32_bytes(&a));
    if (forms & ACTIVATION_INT8) {
        a.host.q8 = pattern_new(q8_bytes(&a));
        a.host.scales = pattern_new((size_t)rows * sizeof(float));
    }
    a.device = a.host;
    if (forms & ACTIVATION_F32)
        a.device.f32 = simt_case_up(c, a.host.f32, f32_bytes(&a));
    if (forms & ACTIVATION_INT8) {
        a.device.q8 = simt_case_up(c, a.host.q8, q8_bytes(&a));
        a.device.scales = simt_case_up(c, a.host.scales, (size_t)rows * sizeof(float));
    }
    return a;
}

void simt_activation_floats_same(struct simt_case *c, const float *host,
                                 const void *device_memory, size_t count)
{
    float *found = pattern_new(count * sizeof *found);
    simt_case_down(c, found, device_memory, count * sizeof *found);
    for (size_t i = 0; i < count; i++) {
        const bool is_same = memcmp(found + i, host + i, sizeof *host) == 0 ||
                             (isnan(found[i]) && isnan(host[i]));
        if (!is_same)
            print_error("number %zu of %zu: %a, the twin has %a\n", i, count, (double)found[i],
                        (double)host[i]);
        assert_true(is_same);
    }
    free(found);
}

static void bytes_same(struct simt_case *c, const struct simt_activation *a)
{
    const size_t count = q8_bytes(a);
    int8_t *found = pattern_new(count);
    simt_case_down(c, found, a->device.q8, count);
    for (size_t i = 0; i < count; i++) {
        if (found[i] != a->host.q8[i])
            print_error("byte %zu of rows of %d: %d, the twin has %d\n", i, a->host.stride,
                        found[i], a->host.q8[i]);
        assert_int_equal(found[i], a->host.q8[i]);
    }
    free(found);
}

void simt_activation_same(struct simt_case *c, const struct simt_activation *a)
{
    if (a->host.forms & ACTIVATION_F32)
        simt_activation_floats_same(c, a->host.f32, a->device.f32,
                                    f32_bytes(a) / sizeof(float));
    if (a->host.forms & ACTIVATION_INT8) {
        simt_activation_floats_same(c, a->host.scales, a->device.scales, (size_t)a->rows);
        bytes_same(c, a);
    }
}

void simt_activation_free(struct simt_activation *a)
{
    free(a->host.f32);
    free(a->host.q8);
    free(a->host.scales);
}
