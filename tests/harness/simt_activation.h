/*
 * simt_activation - an activation twice: in host memory, for the twin, and on the device under
 * test, for the kernel; and the demand that both wrote the same bits.
 */
#ifndef TESTS_HARNESS_SIMT_ACTIVATION_H
#define TESTS_HARNESS_SIMT_ACTIVATION_H

#include "kernels/activation.h"
#include "tests/harness/simt_case.h"

struct simt_activation {
    struct activation host, device;
    int32_t rows;
};

/* Both filled with a pattern that nobody would write. The device's arrays live as long as the
 * case's buffers, the host's until simt_activation_free. */
struct simt_activation simt_activation_new(struct simt_case *c, int32_t rows, int32_t cols,
                                           uint32_t forms);

/* Fails the test, naming the first place, when a form differs. A NaN equals any NaN. */
void simt_activation_same(struct simt_case *c, const struct simt_activation *activation);
void simt_activation_free(struct simt_activation *activation);

/* The same demand of count plain floats. */
void simt_activation_floats_same(struct simt_case *c, const float *host,
                                 const void *device_memory, size_t count);

#endif
