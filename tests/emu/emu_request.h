/*
 * emu_request - what a warp asks of memory at once, and what that costs the hardware.
 *
 * The accesses of a warp's lanes at one place in the code, the k-th time each, are a request.
 * Shared: 32 banks of 4 bytes; a request of 16-byte accesses goes in 4 phases of 8 lanes, of
 * 8-byte ones in 2 of 16. A phase takes as many wavefronts as its busiest bank has different
 * words. Conflicts are the wavefronts beyond one per phase. Global: sectors of 32 bytes.
 */
#ifndef TESTS_EMU_REQUEST_H
#define TESTS_EMU_REQUEST_H

#include "kernels/device_emu.h"
#include "tests/emu/emu_block.h"

#include <stddef.h>

/* A launch is asked for: it may still be refused. */
void emu_request_ask(const char *kernel, size_t shared_bytes);
/* The kernel that is launched, and its blocks. Untraced ones are not counted. */
void emu_request_launch(const char *kernel, size_t shared_bytes, bool is_traced);
void emu_request_block(void);

/* The running lane's access. May pause the lane until the others of its warp catch up. */
void emu_request_add(uintptr_t address, size_t bytes, bool is_shared, const void *pc);
/* The warp's lanes meet, or all that can run pause: what they asked for is complete. */
void emu_request_flush(int warp);

void emu_request_barrier(void);
void emu_request_mma(enum emu_meeting kind);

void emu_request_clear(void);
bool emu_request_count(const char *kernel, struct device_emu_counters *counters);
const char *emu_request_total(int32_t index, struct device_emu_counters *counters);
/* One line of text per place in the code, most conflicts first; returns how many bytes. */
size_t emu_request_lines(const char *kernel, char *text, size_t bytes);

#endif
