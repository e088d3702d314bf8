/* interp - see interp.h. */
#include "protocol/dsl/interp.h"

#include "base/checked.h"
#include "base/clock.h"
#include "protocol/dsl/regex.h"

#include <assert.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Moving this many bytes costs one step: about what a node's evaluation costs in time. */
enum { BYTES_PER_STEP = 64 };
/* Between two looks at the clock: charges, and steps of those that are large. */
enum { CHARGES_PER_LOOK = 1024, STEPS_PER_CHARGE = 64 };

/* Bytes in use. 0 where the C library does not tell: memory is then the sandbox's to limit. */
static size_t heap_bytes(void)
{
#if defined(__GLIBC__) && (__GLIBC__ > 2 || __GLIBC_MINOR__ >= 33)
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
#else
    return 0;
#endif
}

enum status interp_init(struct interp *in, const struct dsl_limits *limits, struct error *err)
{
    *in = (struct interp){
        .limits = *limits, .steps_left = limits->steps, .left_s = limits->wall_s};
    in->heap_before = in->heap_now = heap_bytes();
    assert(limits->steps > 0 && limits->bytes > 0 && limits->depth > 0);
    TRY(arena_init(&in->arena, limits->bytes, err));
    in->stack = interp_alloc(in, INTERP_STACK_MAX, sizeof *in->stack);
    if (!in->stack) {
        interp_deinit(in);
        FAIL(err, ERR_LIMIT, "program memory: %zu bytes do not hold its stack", limits->bytes);
    }
    return OK;
}

void interp_deinit(struct interp *in)
{
    regex_close_all(in->regexes);
    in->regexes = NULL;
    arena_deinit(&in->arena);
}

bool interp_trip(struct interp *in, const char *format, ...)
{
    va_list arguments;
    if (in->out_of_budget)
        return false;
    in->out_of_budget = true;
    in->raised = NULL;
    va_start(arguments, format);
    vsnprintf(in->budget, sizeof in->budget, format, arguments);
    va_end(arguments);
    return false;
}

void interp_begin(struct interp *in)
{
    in->end_s = clock_now_s() + in->left_s;
}

void interp_end(struct interp *in)
{
    in->left_s = in->end_s - clock_now_s();
}

bool interp_check_time(struct interp *in)
{
    if (in->limits.wall_s > 0 && in->end_s > 0 && clock_now_s() > in->end_s)
        return interp_trip(in, "it ran for more than %g seconds", in->limits.wall_s);
    return true;
}

bool interp_check_heap(struct interp *in)
{
    in->heap_now = heap_bytes();
    if (interp_bytes_left(in) > 0)
        return true;
    return interp_trip(in, "the program used up its %zu bytes of memory", in->limits.bytes);
}

size_t interp_bytes_left(const struct interp *in)
{
    const size_t heap = in->heap_now > in->heap_before ? in->heap_now - in->heap_before : 0;
    const size_t room = in->arena.size - in->arena.used;
    return heap < room ? room - heap : 0;
}

bool interp_charge(struct interp *in, uint64_t steps)
{
    in->charges += 1 + steps / STEPS_PER_CHARGE;
    if (in->charges >= CHARGES_PER_LOOK) {
        in->charges = 0;
        if (!interp_check_time(in))
            return false;
    }
    if (steps > in->steps_left || in->out_of_budget)
        return interp_trip(in, "the program used up its %llu evaluation steps",
                           (unsigned long long)in->limits.steps);
    in->steps_left -= steps;
    return true;
}

void *interp_alloc(struct interp *in, size_t count, size_t size)
{
    size_t bytes;
    if (!checked_mul_size(count, size, &bytes) || bytes > interp_bytes_left(in)) {
        interp_trip(in, "the program used up its %zu bytes of memory", in->limits.bytes);
        return NULL;
    }
    if (!interp_charge(in, bytes / BYTES_PER_STEP))
        return NULL;
    void *piece = arena_push(&in->arena, count, size, _Alignof(max_align_t));
    if (!piece)
        interp_trip(in, "the program used up its %zu bytes of memory", in->limits.bytes);
    return piece;
}

bool interp_enter(struct interp *in)
{
    if (in->nest >= INTERP_NEST_MAX)
        return interp_trip(in, "evaluation is nested deeper than %d", INTERP_NEST_MAX);
    in->nest++;
    return true;
}

void interp_leave(struct interp *in)
{
    assert(in->nest > 0);
    in->nest--;
}

struct value *interp_push(struct interp *in, uint32_t count)
{
    if (count > INTERP_STACK_MAX - in->stack_used) {
        interp_trip(in, "local variables and arguments in use exceed %d", INTERP_STACK_MAX);
        return NULL;
    }
    struct value *base = in->stack + in->stack_used;
    memset(base, 0, count * sizeof *base);
    in->stack_used += count;
    return base;
}

void interp_leave_64(struct interp *in)
{
    if (in->tells_left_64)
        text_buf_add(in->print_to, TEXT("left 64 bits\n"));
}
