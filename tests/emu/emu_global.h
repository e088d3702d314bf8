/*
 * emu_global - who touched which bytes of device memory in the running launch.
 *
 * Blocks are never ordered: any two accesses of different blocks to a byte, one a write and not
 * both atomic, are a race. Within a block the rules are those of shared memory.
 */
#ifndef TESTS_EMU_GLOBAL_H
#define TESTS_EMU_GLOBAL_H

#include "tests/emu/emu_shared.h"

/* The running thread's access; ends the launch when it leaves its buffer. */
void emu_global_touch(uintptr_t address, size_t bytes, enum emu_access access, const void *pc);

#endif
