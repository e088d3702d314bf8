/* failing_launch - see failing_launch.h. */
#include "tests/harness/failing_launch.h"

#include "kernels/parts/simt_emu_runtime.h"

bool (*failing_launch_asks)(uint64_t launch);

/* The linker's names of the call and of what was called. */
enum status failing_launch_wrap(const struct emu_launch *launch) __asm__(
    "__wrap_emu_launch_run");
enum status failing_launch_real(const struct emu_launch *launch) __asm__(
    "__real_emu_launch_run");

/* A page that no process has. */
static int32_t *volatile nowhere;

static void write_nowhere(void *context)
{
    (void)context;
    *nowhere = 1;
}

enum status failing_launch_wrap(const struct emu_launch *launch)
{
    static uint64_t count;
    struct emu_launch changed = *launch;
    if (failing_launch_asks != nullptr && failing_launch_asks(++count))
        changed.body = write_nowhere;
    return failing_launch_real(&changed);
}
