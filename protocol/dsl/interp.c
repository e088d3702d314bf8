/* interp - see interp.h. */
#include "protocol/dsl/interp.h"

#include "base/checked.h"
#include "protocol/dsl/regex.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Moving this many bytes costs one step: about what a node's evaluation costs in time. */
enum { BYTES_PER_STEP = 64 };

enum status interp_init(struct interp *in, const struct dsl_limits *limits, struct error *err)
{
    *in = (struct interp){.limits = *limits, .steps_left = limits->steps};
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

bool interp_charge(struct interp *in, uint64_t steps)
{
    if (steps > in->steps_left || in->out_of_budget)
        return interp_trip(in, "the program used up its %llu evaluation steps",
                           (unsigned long long)in->limits.steps);
    in->steps_left -= steps;
    return true;
}

void *interp_alloc(struct interp *in, size_t count, size_t size)
{
    size_t bytes;
    if (!checked_mul_size(count, size, &bytes) || bytes > in->arena.size - in->arena.used) {
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
