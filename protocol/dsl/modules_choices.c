/* modules_choices - see modules_choices.h. */
#include "protocol/dsl/modules_choices.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/number.h"

/* Indices into pools, counted up. */
struct counter {
    const struct list **pools; /* [size] */
    uint32_t *indices;         /* [size] */
    uint32_t size;
    bool started, repeats, ordered, done;
};

static bool used_before(const struct counter *c, uint32_t at)
{
    for (uint32_t i = 0; i < at; i++)
        if (c->indices[i] == c->indices[at])
            return true;
    return false;
}

/* The first index allowed at a place, once those before it are set. */
static uint32_t first_index(const struct counter *c, uint32_t at)
{
    if (c->ordered || at == 0) /* every index may come; repeats are skipped later */
        return 0;
    return c->repeats ? c->indices[at - 1] : c->indices[at - 1] + 1;
}

/* Fills places from at on; false when there is no way to. */
static bool settle(struct counter *c, uint32_t at)
{
    for (; at < c->size; at++) {
        c->indices[at] = first_index(c, at);
        while (c->ordered && !c->repeats && used_before(c, at))
            c->indices[at]++;
        if (c->indices[at] >= c->pools[at]->count)
            return false;
    }
    return true;
}

static bool count_up(struct counter *c)
{
    for (uint32_t at = c->size; at-- > 0;) {
        do
            c->indices[at]++;
        while (c->ordered && !c->repeats && used_before(c, at));
        if (c->indices[at] < c->pools[at]->count && settle(c, at + 1))
            return true;
    }
    return false;
}

static enum iter_result step_counter(struct interp *in, struct iter *iter, struct value *out)
{
    struct counter *c = iter->state;
    if (c->done || !interp_charge(in, c->size + 1))
        return c->done ? ITER_END : ITER_RAISED;
    c->done = c->started ? !count_up(c) : !settle(c, 0);
    c->started = true;
    struct list *tuple = c->done ? NULL : list_new(in, c->size);
    for (uint32_t i = 0; tuple && i < c->size; i++)
        tuple->items[tuple->count++] = c->pools[i]->items[c->indices[i]];
    *out = value_tuple(tuple);
    return c->done ? ITER_END : tuple ? ITER_ITEM : ITER_RAISED;
}

static struct counter *counter_new(struct interp *in, uint32_t size, struct value *out)
{
    struct counter *c = INTERP_NEW(in, struct counter);
    struct iter *iter = c ? iter_new(in, step_counter, "product") : NULL;
    if (!iter)
        return NULL;
    c->size = size;
    c->pools = interp_alloc(in, (size_t)size + 1, sizeof(struct list *));
    c->indices = interp_alloc(in, (size_t)size + 1, sizeof *c->indices);
    iter->state = c;
    *out = iter_value(iter);
    return c->pools && c->indices ? c : NULL;
}

bool modules_choices_product(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"product", 0, 0, {NULL}, {"repeat"}};
    struct args named = *args;
    struct value values[1];
    int64_t times = 1;
    named.count = 0;
    if (!args_bind(in, &SPEC, &named, values) || !args_int(in, values[0], &times))
        return false;
    if (times < 0 || times > 64 || args->count > 64)
        return exception_raise(in, &exception_value, "repeat argument cannot be %s",
                               times < 0 ? "negative" : "more than 64");
    const uint32_t count = args->count, size = count * (uint32_t)times;
    struct counter *c = counter_new(in, size, out);
    if (!c)
        return false;
    c->repeats = c->ordered = true;
    for (uint32_t i = 0; i < size; i++) {
        c->pools[i] = i < count ? list_from(in, args->values[i]) : c->pools[i - count];
        if (!c->pools[i])
            return false;
    }
    return true;
}

static bool choose(struct interp *in, const struct args *args, const char *name,
                   struct counter **out, struct value *value)
{
    const bool permutes = name[0] == 'p'; /* all of them, where no size is given */
    const struct args_spec spec = {name, permutes ? 1 : 2, 2, {"iterable", "r"}, {NULL}};
    struct value values[2];
    int64_t size = 0;
    if (!args_bind(in, &spec, args, values) || (!permutes && !args_int(in, values[1], &size)))
        return false;
    const struct list *pool = list_from(in, values[0]);
    if (!pool)
        return false;
    if (permutes && number_is_int(values[1]))
        size = number_integer(values[1]);
    else if (permutes && values[1].kind != VALUE_NONE && values[1].kind != VALUE_UNSET)
        return exception_raise(in, &exception_type, "Expected int as r");
    else if (permutes)
        size = pool->count;
    if (size < 0)
        return exception_raise(in, &exception_value, "r must be non-negative");
    if (size > 1000)
        return exception_raise(in, &exception_value, "r of more than 1000 is not supported");
    struct counter *c = counter_new(in, (uint32_t)size, value);
    for (int64_t i = 0; c && i < size; i++)
        c->pools[i] = pool;
    *out = c;
    return c != NULL;
}

bool modules_choices_combinations(struct interp *in, const struct args *args, struct value *out)
{
    struct counter *c;
    return choose(in, args, "combinations", &c, out);
}

bool modules_choices_combinations_repeated(struct interp *in, const struct args *args,
                                           struct value *out)
{
    struct counter *c;
    if (!choose(in, args, "combinations_with_replacement", &c, out))
        return false;
    c->repeats = true;
    return true;
}

bool modules_choices_permutations(struct interp *in, const struct args *args, struct value *out)
{
    struct counter *c;
    if (!choose(in, args, "permutations", &c, out))
        return false;
    c->ordered = true;
    return true;
}
