/*
 * failing_launch - an emulated device that fails in the middle of a run: one launch's kernel
 * writes to memory that is not there.
 *
 * The program is linked with --wrap of the emulator's emu_launch_run (tests/sources.cmake), so
 * that the engine, the tools and the emulator are those that everybody runs.
 */
#ifndef TESTS_HARNESS_FAILING_LAUNCH_H
#define TESTS_HARNESS_FAILING_LAUNCH_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Asked before each launch, with its number from 1, by the thread that launches; true: its
 * kernel fails. NULL: none does. */
extern bool (*failing_launch_asks)(uint64_t launch);

#ifdef __cplusplus
}
#endif
#endif
