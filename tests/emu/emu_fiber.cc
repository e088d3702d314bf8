/*
 * emu_fiber - on x86-64 a dozen instructions; elsewhere the C library's contexts.
 *
 * A fiber at rest has on its stack, upwards: r15, r14, r13, r12, rbx, rbp, and the place to go
 * on at. A fresh one has zeros and start(). The float control word is the launcher's for all:
 * no kernel changes it, and an emulated engine takes 4 % less without it.
 */
#include "tests/emu/emu_fiber.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifndef __x86_64__
    #include <ucontext.h>
#endif

enum { COLOURS = 29, COLOUR_BYTES = 128, TOP_ROOM_BYTES = 8192 };

static const void *launcher_stack; /* AddressSanitizer wants to know where it lies */
static size_t launcher_stack_bytes;
static bool is_from_launcher; /* the switch under way */

bool emu_fiber_map(struct emu_fiber *fibers, int count, size_t stride_bytes)
{
    const size_t guard_bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    for (int i = 0; i < count; i++) {
        auto fiber = reinterpret_cast<struct emu_fiber *>(
            reinterpret_cast<char *>(fibers) + static_cast<size_t>(i) * stride_bytes);
        if (fiber->stack)
            continue;
        void *mapped = mmap(nullptr, guard_bytes + EMU_FIBER_STACK_BYTES,
                            PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapped == MAP_FAILED || mprotect(mapped, guard_bytes, PROT_NONE) != 0)
            return false;
        fiber->stack = static_cast<unsigned char *>(mapped) + guard_bytes;
    }
    return true;
}

void emu_fiber_abandon(struct emu_fiber *fiber)
{
    emu_asan_open(fiber->stack, EMU_FIBER_STACK_BYTES);
}

/* The frames of a thread that ended are still on its stack, as it never returned. */
static void top_open(struct emu_fiber *fiber)
{
    enum { BYTES = 16 << 10 };
    emu_asan_open(fiber->stack + EMU_FIBER_STACK_BYTES - BYTES, BYTES);
}

#ifdef __x86_64__
extern "C" void emu_fiber_swap(void **from_top, void *to_top);
__asm__(".text\n"
        ".globl emu_fiber_swap\n"
        ".type emu_fiber_swap, @function\n"
        "emu_fiber_swap:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size emu_fiber_swap, .-emu_fiber_swap\n");

void emu_fiber_reset(struct emu_fiber *fiber, void (*start)(void), int colour)
{
    enum { WORDS = 8, START = 6 };
    unsigned char *high = fiber->stack + EMU_FIBER_STACK_BYTES -
                          static_cast<size_t>(colour % COLOURS) * COLOUR_BYTES;
    uint64_t *words = reinterpret_cast<uint64_t *>(high) - WORDS;
    top_open(fiber);
    memset(words, 0, WORDS * sizeof *words);
    words[START] = reinterpret_cast<uintptr_t>(start); /* 16 n + 8 at its first instruction */
    fiber->top = words;
}

static inline void swap(struct emu_fiber *from, struct emu_fiber *to)
{
    emu_fiber_swap(&from->top, to->top);
}
#else
static ucontext_t *context_of(struct emu_fiber *fiber)
{
    static ucontext_t launcher;
    if (fiber->stack == nullptr)
        return &launcher;
    return reinterpret_cast<ucontext_t *>(fiber->stack + EMU_FIBER_STACK_BYTES -
                                          TOP_ROOM_BYTES);
}

void emu_fiber_reset(struct emu_fiber *fiber, void (*start)(void), int colour)
{
    (void)colour;
    ucontext_t *context = context_of(fiber);
    top_open(fiber);
    getcontext(context);
    context->uc_stack.ss_sp = fiber->stack;
    context->uc_stack.ss_size = EMU_FIBER_STACK_BYTES - TOP_ROOM_BYTES;
    context->uc_link = nullptr;
    makecontext(context, start, 0);
}

static inline void swap(struct emu_fiber *from, struct emu_fiber *to)
{
    swapcontext(context_of(from), context_of(to));
}
#endif

#if SANITIZED_ADDRESS
void emu_fiber_switch(struct emu_fiber *from, struct emu_fiber *to, bool ends)
{
    is_from_launcher = from->stack == nullptr;
    __sanitizer_start_switch_fiber(
        ends ? nullptr : &from->fake, to->stack ? to->stack : launcher_stack,
        to->stack ? size_t{EMU_FIBER_STACK_BYTES} : launcher_stack_bytes);
    swap(from, to);
    __sanitizer_finish_switch_fiber(from->fake, nullptr, nullptr);
}

void emu_fiber_begun(void)
{
    const void *stack;
    size_t bytes;
    __sanitizer_finish_switch_fiber(nullptr, &stack, &bytes);
    if (is_from_launcher) { /* which may be another thread's each time */
        launcher_stack = stack;
        launcher_stack_bytes = bytes;
        is_from_launcher = false;
    }
}

void emu_fiber_before_jump(void)
{
    __sanitizer_start_switch_fiber(nullptr, launcher_stack, launcher_stack_bytes);
}

void emu_fiber_after_jump(void)
{
    __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
}
#else
void emu_fiber_switch(struct emu_fiber *from, struct emu_fiber *to, bool ends)
{
    (void)ends;
    swap(from, to);
}

void emu_fiber_begun(void)
{
    (void)launcher_stack;
    (void)launcher_stack_bytes;
    (void)is_from_launcher;
}

void emu_fiber_before_jump(void)
{
}

void emu_fiber_after_jump(void)
{
}
#endif
