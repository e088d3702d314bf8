/* kbench_args - see kbench_args.h. */
#include "tools/kbench_args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = 32 };

/* Reads a number of digits at *at and moves past it. */
static bool read_number(const char **at, int64_t *value)
{
    char *end;
    if (**at < '0' || **at > '9')
        return false;
    errno = 0;
    const long long number = strtoll(*at, &end, 10);
    if (errno != 0)
        return false;
    *at = end;
    *value = number;
    return true;
}

/* first..last, /step or *factor. */
struct range {
    int64_t first, last, step, factor;
};

static bool read_range(const char **at, struct range *range)
{
    *range = (struct range){.step = 1, .factor = 1};
    if (!read_number(at, &range->first))
        return false;
    range->last = range->first;
    if (strncmp(*at, "..", 2) != 0)
        return true;
    *at += 2;
    if (!read_number(at, &range->last))
        return false;
    const char sign = **at;
    if (sign != '/' && sign != '*')
        return true;
    ++*at;
    return read_number(at, sign == '/' ? &range->step : &range->factor) && range->step >= 1 &&
           (sign == '/' || range->factor >= 2);
}

static enum status push(struct kbench_args_m *m, int32_t value, struct error *err)
{
    int32_t place = m->count;
    while (place > 0 && m->values[place - 1] > value)
        place--;
    if (place > 0 && m->values[place - 1] == value)
        return OK;
    if (m->count == KBENCH_ARGS_M_MAX)
        FAIL(err, ERR_LIMIT, "--M: more than %d numbers", KBENCH_ARGS_M_MAX);
    memmove(m->values + place + 1, m->values + place,
            (size_t)(m->count - place) * sizeof m->values[0]);
    m->values[place] = value;
    m->count++;
    return OK;
}

static enum status push_range(struct kbench_args_m *m, const struct range *range,
                              struct error *err)
{
    if (range->first < 1 || range->last > KBENCH_ARGS_ROWS_MAX || range->first > range->last)
        FAIL(err, ERR_LIMIT, "--M: %lld..%lld, must be ascending within 1 .. %d",
             (long long)range->first, (long long)range->last, KBENCH_ARGS_ROWS_MAX);
    int64_t value = range->first;
    while (value <= range->last) {
        TRY(push(m, (int32_t)value, err));
        if (range->step > KBENCH_ARGS_ROWS_MAX || range->factor > KBENCH_ARGS_ROWS_MAX)
            break;
        value = range->factor > 1 ? value * range->factor : value + range->step;
    }
    return OK;
}

enum status kbench_args_read_m(const char *list, struct kbench_args_m *m, struct error *err)
{
    const char *at = list;
    m->count = 0;
    for (;;) {
        struct range range;
        if (!read_range(&at, &range) || (*at != '\0' && *at != ','))
            FAIL(err, ERR_FORMAT, "--M %s: must be numbers and ranges, such as 1,8,16..64/16",
                 list);
        TRY(push_range(m, &range, err));
        if (*at == '\0')
            return OK;
        at++;
    }
}

static bool find_shape(const char *name, struct kbench_args_shape *shape)
{
    const struct model_synthetic_shape *found;
    *shape = (struct kbench_args_shape){0};
    if (strcmp(name, "minions30x6") == 0) {
        found = model_synthetic_find(TEXT("llama-3.1-8b"));
        *shape = (struct kbench_args_shape){"minions30x6", &found->config, 30, 6};
        return true;
    }
    found = model_synthetic_find(text_of(name));
    if (!found)
        return false;
    *shape = (struct kbench_args_shape){.name = found->config.name, .config = &found->config};
    return true;
}

enum status kbench_args_read_shapes(const char *list, struct kbench_args_shapes *shapes,
                                    struct error *err)
{
    shapes->count = 0;
    for (const char *at = list;; at++) {
        char name[NAME_BYTES];
        const size_t size = strcspn(at, ",");
        if (size < sizeof name) {
            memcpy(name, at, size);
            name[size] = '\0';
        }
        if (shapes->count == KBENCH_ARGS_SHAPES_MAX)
            FAIL(err, ERR_LIMIT, "--shapes: more than %d names", KBENCH_ARGS_SHAPES_MAX);
        if (size >= sizeof name || !find_shape(name, &shapes->items[shapes->count]))
            FAIL(err, ERR_FORMAT, "--shapes: %.*s is no shape; try cohort kbench list",
                 (int)(size < NAME_BYTES ? size : NAME_BYTES), at);
        shapes->count++;
        at += size;
        if (*at == '\0')
            return OK;
    }
}

enum status kbench_args_read_share(const char *text, double *share, struct error *err)
{
    char *end;
    const double value = strtod(text, &end);
    const bool is_percent = end != text && strcmp(end, "%") == 0;
    *share = is_percent ? value / 100 : value;
    if (end == text || (!is_percent && *end != '\0') || !(*share >= 0) || *share > 10)
        FAIL(err, ERR_FORMAT, "%s: must be a share, such as 3%%", text);
    return OK;
}
