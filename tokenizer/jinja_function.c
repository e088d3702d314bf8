/* jinja_function - see jinja_function.h. */
#include "tokenizer/jinja_function.h"

#include "tokenizer/jinja_print.h"

#include <assert.h>
#include <string.h>
#include <time.h>

enum { RANGE_MAX = 100000, FORMAT_BYTES_MAX = 128, DATE_BYTES_MAX = 512 };

static enum status range(struct jinja *jinja, const struct jinja_args *args,
                         struct jinja_value *result)
{
    int64_t start = 0, stop = 0, step = 1;
    const bool has_start = args->positional->count > 1;
    TRY(jinja_args_int(jinja, jinja_args_get(args, 0, NULL), has_start ? &start : &stop));
    TRY(jinja_args_int(jinja, jinja_args_get(args, 1, NULL), &stop));
    TRY(jinja_args_int(jinja, jinja_args_get(args, 2, NULL), &step));
    const int64_t bound = INT32_MAX;
    if (step == 0 || start < -bound || start > bound || stop < -bound || stop > bound ||
        step < -bound || step > bound)
        JINJA_FAIL(jinja, ERR_FORMAT, "range(%lld, %lld, %lld)", (long long)start,
                   (long long)stop, (long long)step);
    TRY(jinja_value_new(jinja, JINJA_LIST, result));
    for (int64_t i = start; step > 0 ? i < stop : i > stop; i += step) {
        if (result->list->count == RANGE_MAX)
            JINJA_FAIL(jinja, ERR_LIMIT, "range of more than %d", RANGE_MAX);
        TRY(jinja_value_push(jinja, result->list, jinja_value_int(i)));
    }
    return OK;
}

/* namespace(...) and dict(...): members by name, after those of a map. */
static enum status members(struct jinja *jinja, const struct jinja_args *args,
                           enum jinja_kind kind, struct jinja_value *result)
{
    const struct jinja_value *base = jinja_args_get(args, 0, NULL);
    TRY(jinja_value_new(jinja, kind, result));
    if (base && base->kind != JINJA_MAP)
        JINJA_FAIL(jinja, ERR_FORMAT, "a map made from %s", jinja_value_type(base));
    for (uint32_t i = 0; base && i < base->map->count; i++)
        TRY(jinja_value_put(jinja, result->map, base->map->keys[i], base->map->values[i]));
    for (uint32_t i = 0; i < args->named->count; i++)
        TRY(jinja_value_put(jinja, result->map, args->named->keys[i], args->named->values[i]));
    return OK;
}

static enum status new_namespace(struct jinja *jinja, const struct jinja_args *args,
                                 struct jinja_value *result)
{
    return members(jinja, args, JINJA_NAMESPACE, result);
}

static enum status new_map(struct jinja *jinja, const struct jinja_args *args,
                           struct jinja_value *result)
{
    return members(jinja, args, JINJA_MAP, result);
}

static enum status raise(struct jinja *jinja, const struct jinja_args *args,
                         struct jinja_value *result)
{
    struct text message = TEXT("without a message");
    (void)result;
    TRY(jinja_args_text(jinja, jinja_args_get(args, 0, "message"), &message));
    JINJA_FAIL(jinja, ERR_FORMAT, "the template refuses: %.*s", TEXT_ARG(message));
}

static enum status date(struct jinja *jinja, const struct jinja_args *args,
                        struct jinja_value *result)
{
    struct text format = TEXT("");
    char pattern[FORMAT_BYTES_MAX], written[DATE_BYTES_MAX];
    const time_t now = (time_t)jinja->now_s;
    struct tm local;
    TRY(jinja_args_text(jinja, jinja_args_get(args, 0, "format"), &format));
    if (format.size >= sizeof pattern || !localtime_r(&now, &local))
        JINJA_FAIL(jinja, ERR_LIMIT, "strftime_now with %zu bytes, the limit is %d",
                   format.size, FORMAT_BYTES_MAX - 1);
    if (format.size > 0)
        memcpy(pattern, format.data, format.size);
    pattern[format.size] = '\0';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the template's own format; bounded */
    const size_t size = strftime(written, sizeof written, pattern, &local);
#pragma GCC diagnostic pop
    struct jinja_builder out = {.arena = jinja->arena};
    jinja_string_add_text(&out, (struct text){written, size}, false);
    return jinja_string_take(jinja, &out, result);
}

static const struct {
    const char *name;
    enum status (*call)(struct jinja *jinja, const struct jinja_args *args,
                        struct jinja_value *result);
} FUNCTIONS[] = {
    {"range", range},           {"namespace", new_namespace}, {"dict", new_map},
    {"raise_exception", raise}, {"strftime_now", date},
};
enum { FUNCTION_COUNT = sizeof FUNCTIONS / sizeof FUNCTIONS[0] };

static size_t function_index(struct text name)
{
    size_t i = 0;
    while (i < FUNCTION_COUNT && !text_equal(name, text_of(FUNCTIONS[i].name)))
        i++;
    return i;
}

bool jinja_function_exists(struct text name)
{
    return function_index(name) < FUNCTION_COUNT;
}

enum status jinja_function_call(struct jinja *jinja, struct text name,
                                const struct jinja_args *args, struct jinja_value *result)
{
    const size_t index = function_index(name);
    assert(index < FUNCTION_COUNT);
    return FUNCTIONS[index].call(jinja, args, result);
}
