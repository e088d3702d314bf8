/*
 * simt_case - what a test of a GPU kernel needs: the device, the twin's device, and buffers.
 *
 *     int main(int argc, char **argv)
 *         return simt_case_main(argc, argv, tests, count);     "emu" (default) or "cuda"
 *     each test: struct simt_case *c = *state;
 *         simt_case_each(c, body);                              schedules and seeds
 *
 * Findings of the emulator fail the test that caused them. At the end stands a table of the
 * kernels that were launched; one that asked for more shared memory than a block has fails.
 */
#ifndef TESTS_HARNESS_SIMT_CASE_H
#define TESTS_HARNESS_SIMT_CASE_H

#include "kernels/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { SIMT_CASE_BUFFERS_MAX = 256 };

struct simt_case {
    struct device *host;   /* a CPU device of one thread: the twins run on it */
    struct device *device; /* the emulated or the real one */
    bool is_emulated;
    struct simt_case_buffer {
        void *memory;
        size_t bytes;
    } buffers[SIMT_CASE_BUFFERS_MAX];
    int32_t buffer_count;
    uint64_t random;
};

/* Runs the tests (each gets a struct simt_case * as *state); the program's exit code. 77
 * where the device asked for is not there. argv[1] "emu" or "cuda"; argv[2]: seeds to run, 1
 * when absent; argv[3]: the one test to run, all when absent. */
int simt_case_main(int argc, char **argv, const struct CMUnitTest *tests, size_t count);

/* Calls body(c) once per schedule and seed on the emulator, once on a
 * GPU; after each, frees the buffers and demands no findings. */
void simt_case_each(struct simt_case *c, void (*body)(struct simt_case *c));

/* The same in lock-step alone: for shapes that many other shapes resemble. */
void simt_case_once(struct simt_case *c, void (*body)(struct simt_case *c));

/* Device memory that lives until the body ends: a copy of from, or zeroed when NULL. */
void *simt_case_up(struct simt_case *c, const void *from, size_t bytes);
/* Copies back; fails the test when a kernel failed. */
void simt_case_down(struct simt_case *c, void *to, const void *device_memory, size_t bytes);

/* True where the emulator counts; otherwise says why there is nothing to count. */
bool simt_case_counts(const struct simt_case *c);

/* Random numbers, the same at every run: below limit; in [-1, 1); near-normal. */
uint32_t simt_case_below(struct simt_case *c, uint32_t limit);
float simt_case_float(struct simt_case *c);
float simt_case_normal(struct simt_case *c);

/* The back end's launcher of an op: <op>_emu, or <op>_cuda where the build has CUDA. */
#ifdef COHORT_CUDA
    #define SIMT_CASE_OP(c, op) ((c)->is_emulated ? op##_emu : op##_cuda)
#else
    #define SIMT_CASE_OP(c, op) ((void)(c), op##_emu)
#endif

#endif
