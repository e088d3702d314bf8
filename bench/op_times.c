/* op_times - see op_times.h. */
#include "bench/op_times.h"

#include "kernels/device_timer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PENDING_MAX = DEVICE_TIMER_MARKS / 2 };

static struct {
    const struct ops *ops;
    struct ops timed;
    struct device *device; /* of what is pending */
    struct op_times_slot slots[OP_TIMES_SLOTS];
    int32_t slot_count;
    int32_t pending[PENDING_MAX]; /* slot of marks 2 i and 2 i + 1 */
    bool is_first[PENDING_MAX];   /* the op begins a step */
    uint32_t pending_count;
    struct op_times_gaps gaps;
    bool was_copy; /* the op before was a copy of pages */
} times;

static enum status read_pending(struct error *err)
{
    for (uint32_t i = 0; i < times.pending_count; i++) {
        double us;
        TRY(device_timer_us(times.device, 2 * i, 2 * i + 1, &us, err));
        times.slots[times.pending[i]].us += us;
        if (i == 0)
            continue; /* since the op before that, the marks have been read */
        TRY(device_timer_us(times.device, 2 * i - 1, 2 * i, &us, err));
        *(times.is_first[i] ? &times.gaps.between_us : &times.gaps.inside_us) += us;
        ++*(times.is_first[i] ? &times.gaps.between : &times.gaps.inside);
    }
    times.pending_count = 0;
    return OK;
}

/* The last slot takes whatever has no room. */
static int32_t slot_of(const char *name)
{
    int32_t i = 0;
    while (i < times.slot_count && strcmp(times.slots[i].name, name) != 0)
        i++;
    if (i == OP_TIMES_SLOTS)
        return OP_TIMES_SLOTS - 1;
    if (i == times.slot_count) {
        const bool is_last = i == OP_TIMES_SLOTS - 1;
        times.slot_count++;
        (void)snprintf(times.slots[i].name, OP_TIMES_NAME, "%s", is_last ? "others" : name);
    }
    return i;
}

static enum status begin(struct device *device, const char *name, double operations)
{
    struct error err;
    times.device = device;
    if (times.pending_count == PENDING_MAX)
        TRY(read_pending(&err));
    const int32_t slot = slot_of(name);
    times.slots[slot].operations += operations;
    times.slots[slot].calls++;
    times.pending[times.pending_count] = slot;
    const bool is_copy = strcmp(name, "kv_copy") == 0;
    times.is_first[times.pending_count] =
        is_copy || (strcmp(name, "embed") == 0 && !times.was_copy);
    times.was_copy = is_copy;
    return device_timer_mark(device, 2 * times.pending_count);
}

static enum status end(struct device *device, enum status status)
{
    if (status == OK)
        status = device_timer_mark(device, 2 * times.pending_count + 1);
    if (status == OK)
        times.pending_count++;
    return status;
}

#define TIMED(op, args_of)                                                                     \
    static enum status timed_##op(struct device *device, const struct args_of *args)           \
    {                                                                                          \
        TRY(begin(device, #op, 0));                                                            \
        return end(device, times.ops->op(device, args));                                       \
    }
TIMED(embed, embed_args)
TIMED(rmsnorm, rmsnorm_args)
TIMED(rope_append, rope_args)
TIMED(attention, attention_args)
TIMED(silu_mul, silu_mul_args)
TIMED(gather, gather_args)
TIMED(kv_copy, kv_copy_args)
TIMED(sample, sample_args)

static enum status timed_matmul(struct device *device, const struct matmul_args *args)
{
    char name[OP_TIMES_NAME];
    const double gates = args->gate ? 2 : 1;
    (void)snprintf(name, sizeof name, "matmul %d->%d%s", args->w->in_dim, args->w->out_dim,
                   args->gate ? " x2" : "");
    TRY(begin(device, name, 2.0 * gates * args->rows * args->w->in_dim * args->w->out_dim));
    return end(device, times.ops->matmul(device, args));
}

void op_times_reset(void)
{
    memset(times.slots, 0, sizeof times.slots);
    times.slot_count = 0;
    times.pending_count = 0;
    times.gaps = (struct op_times_gaps){0};
    times.was_copy = false;
}

struct op_times_gaps op_times_gaps(void)
{
    return times.gaps;
}

const struct ops *op_times_of(const struct ops *ops)
{
    op_times_reset();
    times.ops = ops;
    times.timed = *ops;
    times.timed.embed = timed_embed;
    times.timed.rmsnorm = timed_rmsnorm;
    times.timed.matmul = timed_matmul;
    times.timed.rope_append = timed_rope_append;
    times.timed.attention = timed_attention;
    times.timed.silu_mul = timed_silu_mul;
    times.timed.gather = timed_gather;
    times.timed.kv_copy = timed_kv_copy;
    times.timed.sample = timed_sample;
    return &times.timed;
}

static int by_time(const void *a, const void *b)
{
    const struct op_times_slot *x = a, *y = b;
    return (x->us < y->us) - (x->us > y->us);
}

enum status op_times_read(const struct op_times_slot **slots, int32_t *count, struct error *err)
{
    TRY(read_pending(err));
    qsort(times.slots, (size_t)times.slot_count, sizeof times.slots[0], by_time);
    *slots = times.slots;
    *count = times.slot_count;
    return OK;
}
