/*
 * emu_fiber - stacks that take turns on one thread of the machine.
 *
 * A switch saves the registers that a call keeps, nothing else.
 * Fibers that never end are simply forgotten: kernels own nothing that wants unwinding.
 */
#ifndef TESTS_EMU_FIBER_H
#define TESTS_EMU_FIBER_H

#include "tests/emu/emu_asan.h"

#include <stddef.h>
#include <stdint.h>

struct emu_fiber {
    void *top;            /* where its registers lie while another runs */
    unsigned char *stack; /* lowest byte, above a guard page; NULL: the launcher's own */
    void *fake;           /* AddressSanitizer's */
};

#if SANITIZED_ADDRESS
enum { EMU_FIBER_STACK_BYTES = 256 << 10 };
#else
enum { EMU_FIBER_STACK_BYTES = 128 << 10 };
#endif

/* Maps stacks for the first `count` of fibers; those that have one keep it. False: no room. */
bool emu_fiber_map(struct emu_fiber *fibers, int count, size_t stride_bytes);

/* Makes the fiber begin at start(), which must not return, when next switched to. `colour`
 * spreads the stacks' tops over the cache. */
void emu_fiber_reset(struct emu_fiber *fiber, void (*start)(void), int colour);

/* A fiber that stopped in the middle will not go on: its frames are nobody's. */
void emu_fiber_abandon(struct emu_fiber *fiber);

/* Goes from one to the other. The first thing start() does is emu_fiber_begun. A fiber that
 * will not be come back to says so by `ends`. */
void emu_fiber_switch(struct emu_fiber *from, struct emu_fiber *to, bool ends);
void emu_fiber_begun(void);

/* For AddressSanitizer, around a jump from any fiber to the launcher's stack. */
void emu_fiber_before_jump(void);
void emu_fiber_after_jump(void);

#endif
