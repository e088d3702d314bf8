/* emu_asan - what is done for AddressSanitizer, where the build has it. */
#ifndef TESTS_EMU_ASAN_H
#define TESTS_EMU_ASAN_H

#include "base/sanitized.h"

#include <stddef.h>

#if SANITIZED_ADDRESS /* of the sanitizer's library, as its own headers declare them */
extern "C" {
void __asan_poison_memory_region(const volatile void *from, size_t bytes);
void __asan_unpoison_memory_region(const volatile void *from, size_t bytes);
void __sanitizer_start_switch_fiber(void **fake, const void *stack, size_t bytes);
void __sanitizer_finish_switch_fiber(void *fake, const void **stack, size_t *bytes);
}
#endif

/* Accesses there stop the process, until opened. */
static inline void emu_asan_bar(const void *from, size_t bytes)
{
#if SANITIZED_ADDRESS
    __asan_poison_memory_region(from, bytes);
#else
    (void)from;
    (void)bytes;
#endif
}

static inline void emu_asan_open(const void *from, size_t bytes)
{
#if SANITIZED_ADDRESS
    __asan_unpoison_memory_region(from, bytes);
#else
    (void)from;
    (void)bytes;
#endif
}

#endif
