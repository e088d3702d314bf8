/*
 * emu_launch - runs the blocks, in an order that the schedule chooses.
 *
 * The machine's own refusals (guard pages, a stack at its end) become findings: the handler
 * runs on a stack of its own, notes what happened and jumps back to the launcher.
 */
#include "tests/emu/emu_launch.h"

#include "tests/emu/emu_block.h"
#include "tests/emu/emu_copy.h"
#include "tests/emu/emu_report.h"
#include "tests/emu/emu_request.h"
#include "tests/emu/emu_shared.h"
#include "tests/emu/emu_trace.h"

#include <setjmp.h>
#include <signal.h>
#include <string.h>
#if defined(__x86_64__)
    #include <ucontext.h>
#endif

enum { HANDLER_STACK_BYTES = 128 << 10 };
static const int SIGNALS[] = {SIGSEGV, SIGBUS, SIGFPE};
enum { SIGNAL_COUNT = sizeof SIGNALS / sizeof *SIGNALS };

static bool has_failed;
static sigjmp_buf launcher;
static unsigned char handler_stack[HANDLER_STACK_BYTES];
static struct sigaction actions_before[SIGNAL_COUNT];
static stack_t stack_before;

bool emu_launch_has_failed(void)
{
    return has_failed;
}

void emu_launch_clear(void)
{
    has_failed = false;
}

static const void *place_of(const void *context)
{
#if defined(__x86_64__)
    const auto machine = static_cast<const ucontext_t *>(context);
    const auto at = static_cast<uintptr_t>(machine->uc_mcontext.gregs[REG_RIP]);
    return reinterpret_cast<const void *>(at + 1); /* reports want a return address */
#else
    (void)context;
    return nullptr;
#endif
}

static void fault(int number, siginfo_t *info, void *context)
{
    if (emu_block.running == nullptr) { /* not ours: as if we had not been here */
        signal(number, SIG_DFL);
        return;
    }
    const struct emu_thread *self = emu_block.running;
    const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
    const auto stack = reinterpret_cast<uintptr_t>(self->fiber.stack);
    const bool is_stack = self->fiber.stack && address < stack && address >= stack - 4096;
    char who[48];
    emu_block_name_thread(self->number, who, sizeof who);
    emu_report_add(EMU_FAULT, place_of(context), nullptr, "%s %s %p", who,
                   is_stack ? "needs more stack than there is, at"
                            : "touches memory that is not there, at",
                   info->si_addr);
    emu_fiber_before_jump();
    siglongjmp(launcher, 1);
}

static void handlers_set(void)
{
    stack_t stack;
    struct sigaction action;
    memset(&stack, 0, sizeof stack);
    memset(&action, 0, sizeof action);
    stack.ss_sp = handler_stack;
    stack.ss_size = sizeof handler_stack;
    sigaltstack(&stack, &stack_before);
    action.sa_sigaction = fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    for (int i = 0; i < SIGNAL_COUNT; i++)
        sigaction(SIGNALS[i], &action, &actions_before[i]);
}

static void handlers_restore(void)
{
    for (int i = 0; i < SIGNAL_COUNT; i++)
        sigaction(SIGNALS[i], &actions_before[i], nullptr);
    sigaltstack(&stack_before, nullptr);
}

static uint64_t greatest_common_divisor(uint64_t a, uint64_t b)
{
    while (b) {
        const uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Block i of the order is number (first + i * step) % blocks. */
struct order {
    uint64_t blocks, first, step;
};

static struct order order_of(uint64_t blocks)
{
    const enum device_emu_schedule schedule = emu_block_options.schedule;
    if (schedule == DEVICE_EMU_LOCKSTEP)
        return {blocks, 0, 1};
    if (schedule == DEVICE_EMU_REVERSE)
        return {blocks, blocks - 1, blocks - 1};
    uint64_t step = 1 + emu_block_random(&emu_block.random) % blocks;
    while (greatest_common_divisor(step, blocks) != 1)
        step++;
    return {blocks, emu_block_random(&emu_block.random) % blocks, step % blocks};
}

static bool blocks_run(const struct emu_launch *launch)
{
    const struct emu_index grid = launch->grid;
    const struct order order = order_of(uint64_t{grid.x} * grid.y * grid.z);
    uint64_t at = order.first;
    emu_block.launch_first = emu_block.number + 1;
    for (uint64_t i = 0; i < order.blocks; i++, at = (at + order.step) % order.blocks) {
        const struct emu_index index = {static_cast<unsigned>(at % grid.x),
                                        static_cast<unsigned>(at / grid.x % grid.y),
                                        static_cast<unsigned>(at / grid.x / grid.y)};
        emu_shared_reset();
        emu_copy_reset();
        emu_request_block();
        if (!emu_block_run(index))
            return false;
    }
    return true;
}

enum status emu_launch_run(const struct emu_launch *launch)
{
    enum { GRID_X_MAX = 0x7fffffff, GRID_YZ_MAX = 65535 };
    const struct emu_index grid = launch->grid;
    if (has_failed)
        return ERR_DEVICE;
    emu_request_ask(launch->name, launch->shared_bytes);
    if (launch->shared_bytes > EMU_SHARED_MAX || launch->threads < 1 ||
        launch->threads > EMU_THREADS_MAX || grid.x < 1 || grid.y < 1 || grid.z < 1 ||
        grid.x > GRID_X_MAX || grid.y > GRID_YZ_MAX || grid.z > GRID_YZ_MAX)
        return ERR_LIMIT;
    if (!emu_block_prepare(launch))
        return ERR_MEMORY;
    emu_block.random = emu_block_options.seed * 0x9e3779b97f4a7c15u + 0x2545f4914f6cdd1du;
    emu_block.random |= 1;
    emu_trace_launch(emu_block_options.is_traced);
    emu_request_launch(launch->name, launch->shared_bytes, emu_trace_on);
    handlers_set();
    bool is_good = false;
    if (sigsetjmp(launcher, 1) == 0)
        is_good = blocks_run(launch);
    else {
        emu_fiber_after_jump();
        emu_block.running = nullptr;
    }
    handlers_restore();
    emu_trace_launch(false);
    if (!is_good)
        for (int t = 0; t < launch->threads; t++)
            emu_fiber_abandon(&emu_block.thread[t].fiber);
    has_failed = !is_good;
    return is_good ? OK : ERR_DEVICE;
}
