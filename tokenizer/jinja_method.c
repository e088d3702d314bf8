/* jinja_method - see jinja_method.h. */
#include "tokenizer/jinja_method.h"

#include "tokenizer/jinja_print.h"
#include "tokenizer/jinja_string.h"

#include <assert.h>

static struct jinja_value string_value(struct jinja_string string)
{
    return (struct jinja_value){.kind = JINJA_STRING, .string = string};
}

enum status jinja_method_case(struct jinja *jinja, struct jinja_string string,
                              enum jinja_method_case style, struct jinja_value *result)
{
    char *data = JINJA_NEW(jinja, char, string.size);
    if (!data)
        return jinja_full(jinja);
    bool inside = false; /* a letter came before: for title and capitalize */
    for (size_t i = 0; i < string.size; i++) {
        const char c = string.data[i];
        const bool is_upper = c >= 'A' && c <= 'Z', is_lower = c >= 'a' && c <= 'z';
        const bool raise = style == JINJA_UPPER || (style > JINJA_LOWER && !inside);
        data[i] = is_lower && raise ? (char)(c - 32) : is_upper && !raise ? (char)(c + 32) : c;
        inside = style == JINJA_CAPITALIZE || is_upper || is_lower || (uint8_t)c >= 0x80;
    }
    *result = string_value((struct jinja_string){data, string.trust, string.size});
    return jinja_step(jinja, string.size);
}

/* The argument as a string; ERR_FORMAT when it is missing or of another type. */
static enum status string_arg(struct jinja *jinja, const struct jinja_value *arg,
                              struct jinja_string *string)
{
    if (!arg || arg->kind != JINJA_STRING)
        JINJA_FAIL(jinja, ERR_FORMAT, "an argument is %s, not str",
                   arg ? jinja_value_type(arg) : "missing");
    *string = arg->string;
    return OK;
}

enum status jinja_method_replace(struct jinja *jinja, struct jinja_string string,
                                 const struct jinja_args *args, struct jinja_value *result)
{
    struct jinja_string old, new;
    int64_t count = -1;
    TRY(string_arg(jinja, jinja_args_get(args, 0, "old"), &old));
    TRY(string_arg(jinja, jinja_args_get(args, 1, "new"), &new));
    TRY(jinja_args_int(jinja, jinja_args_get(args, 2, "count"), &count));
    if (old.size == 0)
        JINJA_FAIL(jinja, ERR_LIMIT, "%s", "replace of nothing is not known");
    struct jinja_builder out = {.arena = jinja->arena};
    size_t at = 0;
    for (; count != 0; count--) {
        const size_t found = text_find(jinja_string_text(string), jinja_string_text(old), at);
        if (found == SIZE_MAX)
            break;
        jinja_string_add(&out, jinja_string_slice(string, at, found));
        jinja_string_add(&out, new);
        at = found + old.size;
    }
    jinja_string_add(&out, jinja_string_slice(string, at, string.size));
    return jinja_string_take(jinja, &out, result);
}

enum status jinja_method_join(struct jinja *jinja, struct jinja_string separator,
                              const struct jinja_list *items, struct jinja_value *result)
{
    struct jinja_builder out = {.arena = jinja->arena};
    for (uint32_t i = 0; i < items->count; i++) {
        if (i > 0)
            jinja_string_add(&out, separator);
        TRY(jinja_print_str(jinja, &items->items[i], &out));
    }
    return jinja_string_take(jinja, &out, result);
}

enum status jinja_method_items(struct jinja *jinja, const struct jinja_map *map,
                               struct jinja_value *result)
{
    TRY(jinja_value_new(jinja, JINJA_LIST, result));
    for (uint32_t i = 0; i < map->count; i++) {
        struct jinja_value pair;
        TRY(jinja_value_new(jinja, JINJA_TUPLE, &pair));
        TRY(jinja_value_push(jinja, pair.list, map->keys[i]));
        TRY(jinja_value_push(jinja, pair.list, map->values[i]));
        TRY(jinja_value_push(jinja, result->list, pair));
    }
    return OK;
}

/* What a method gets: kept together, so that one table holds them all. */
struct call {
    struct jinja *jinja;
    const struct jinja_value *self;
    const struct jinja_args *args;
};

static enum status strip(const struct call *call, bool left, bool right,
                         struct jinja_value *result)
{
    const struct jinja_value *arg = jinja_args_get(call->args, 0, NULL);
    struct text set;
    TRY(jinja_args_text(call->jinja, arg, &set));
    const bool has_set = arg && arg->kind == JINJA_STRING;
    *result = string_value(
        jinja_string_strip(call->self->string, has_set ? &set : NULL, left, right));
    return jinja_step(call->jinja, call->self->string.size);
}

static enum status both_strip(const struct call *call, struct jinja_value *result)
{
    return strip(call, true, true, result);
}

static enum status left_strip(const struct call *call, struct jinja_value *result)
{
    return strip(call, true, false, result);
}

static enum status right_strip(const struct call *call, struct jinja_value *result)
{
    return strip(call, false, true, result);
}

/* split() without a separator: words. */
static enum status split_words(struct jinja *jinja, struct jinja_string string, int64_t max,
                               struct jinja_list *parts)
{
    string = jinja_string_strip(string, NULL, true, false);
    for (; string.size > 0 && max != 0; max--) {
        size_t end = 0;
        while (end < string.size &&
               jinja_string_strip(jinja_string_slice(string, end, end + 1), NULL, true, false)
                       .size > 0)
            end++;
        TRY(jinja_value_push(jinja, parts, string_value(jinja_string_slice(string, 0, end))));
        string =
            jinja_string_strip(jinja_string_slice(string, end, string.size), NULL, true, false);
    }
    return string.size > 0 ? jinja_value_push(jinja, parts, string_value(string)) : OK;
}

static enum status split(const struct call *call, struct jinja_value *result)
{
    struct jinja *jinja = call->jinja;
    struct jinja_string string = call->self->string;
    struct text separator = {0};
    int64_t max = -1;
    TRY(jinja_args_text(jinja, jinja_args_get(call->args, 0, "sep"), &separator));
    TRY(jinja_args_int(jinja, jinja_args_get(call->args, 1, "maxsplit"), &max));
    TRY(jinja_value_new(jinja, JINJA_LIST, result));
    TRY(jinja_step(jinja, string.size));
    if (!separator.data)
        return split_words(jinja, string, max, result->list);
    if (separator.size == 0)
        JINJA_FAIL(jinja, ERR_FORMAT, "%s", "split with an empty separator");
    for (; max != 0; max--) {
        const size_t found = text_find(jinja_string_text(string), separator, 0);
        if (found == SIZE_MAX)
            break;
        TRY(jinja_value_push(jinja, result->list,
                             string_value(jinja_string_slice(string, 0, found))));
        string = jinja_string_slice(string, found + separator.size, string.size);
    }
    return jinja_value_push(jinja, result->list, string_value(string));
}

static enum status split_lines(const struct call *call, struct jinja_value *result)
{
    struct jinja_string string = call->self->string;
    TRY(jinja_value_new(call->jinja, JINJA_LIST, result));
    TRY(jinja_step(call->jinja, string.size));
    while (string.size > 0) {
        size_t end = text_find(jinja_string_text(string), TEXT("\n"), 0);
        end = end < string.size ? end : string.size;
        const size_t stop =
            end > 0 && end < string.size && string.data[end - 1] == '\r' ? end - 1 : end;
        TRY(jinja_value_push(call->jinja, result->list,
                             string_value(jinja_string_slice(string, 0, stop))));
        string = jinja_string_slice(string, end + 1, string.size);
    }
    return OK;
}

/* startswith, endswith: of a string, or of any of a tuple. */
static enum status has_affix(const struct call *call, bool at_end, struct jinja_value *result)
{
    const struct text text = jinja_string_text(call->self->string);
    const struct jinja_value *arg = jinja_args_get(call->args, 0, NULL);
    const uint32_t count = arg && arg->kind == JINJA_TUPLE ? arg->list->count : 1;
    *result = jinja_value_bool(false);
    for (uint32_t i = 0; i < count; i++) {
        struct jinja_string affix;
        TRY(string_arg(call->jinja,
                       arg && arg->kind == JINJA_TUPLE ? &arg->list->items[i] : arg, &affix));
        if (at_end ? text_ends(text, jinja_string_text(affix))
                   : text_starts(text, jinja_string_text(affix)))
            *result = jinja_value_bool(true);
    }
    return OK;
}

static enum status starts_with(const struct call *call, struct jinja_value *result)
{
    return has_affix(call, false, result);
}

static enum status ends_with(const struct call *call, struct jinja_value *result)
{
    return has_affix(call, true, result);
}

static enum status remove_prefix(const struct call *call, struct jinja_value *result)
{
    struct jinja_string affix;
    TRY(string_arg(call->jinja, jinja_args_get(call->args, 0, NULL), &affix));
    TRY(has_affix(call, false, result));
    const size_t cut = result->boolean ? affix.size : 0;
    *result = string_value(jinja_string_slice(call->self->string, cut, SIZE_MAX));
    return OK;
}

static enum status remove_suffix(const struct call *call, struct jinja_value *result)
{
    struct jinja_string affix;
    TRY(string_arg(call->jinja, jinja_args_get(call->args, 0, NULL), &affix));
    TRY(has_affix(call, true, result));
    const size_t cut = result->boolean ? affix.size : 0;
    *result =
        string_value(jinja_string_slice(call->self->string, 0, call->self->string.size - cut));
    return OK;
}

static enum status upper(const struct call *call, struct jinja_value *result)
{
    return jinja_method_case(call->jinja, call->self->string, JINJA_UPPER, result);
}

static enum status lower(const struct call *call, struct jinja_value *result)
{
    return jinja_method_case(call->jinja, call->self->string, JINJA_LOWER, result);
}

static enum status title(const struct call *call, struct jinja_value *result)
{
    return jinja_method_case(call->jinja, call->self->string, JINJA_TITLE, result);
}

static enum status capitalize(const struct call *call, struct jinja_value *result)
{
    return jinja_method_case(call->jinja, call->self->string, JINJA_CAPITALIZE, result);
}

static enum status replace(const struct call *call, struct jinja_value *result)
{
    return jinja_method_replace(call->jinja, call->self->string, call->args, result);
}

static enum status join(const struct call *call, struct jinja_value *result)
{
    const struct jinja_value *arg = jinja_args_get(call->args, 0, NULL);
    const struct jinja_value nothing = {.kind = JINJA_NONE};
    const struct jinja_list *items;
    TRY(jinja_value_iterate(call->jinja, arg ? arg : &nothing, &items));
    return jinja_method_join(call->jinja, call->self->string, items, result);
}

/* find: in characters, -1 when it is not there. */
static enum status find(const struct call *call, struct jinja_value *result)
{
    struct jinja_string needle;
    TRY(string_arg(call->jinja, jinja_args_get(call->args, 0, NULL), &needle));
    const size_t at =
        text_find(jinja_string_text(call->self->string), jinja_string_text(needle), 0);
    const struct jinja_string before = jinja_string_slice(call->self->string, 0, at);
    *result = jinja_value_int(at == SIZE_MAX ? -1 : (int64_t)jinja_string_length(before));
    return jinja_step(call->jinja, call->self->string.size);
}

static enum status count(const struct call *call, struct jinja_value *result)
{
    struct jinja_string needle;
    int64_t found = 0;
    TRY(string_arg(call->jinja, jinja_args_get(call->args, 0, NULL), &needle));
    const struct text text = jinja_string_text(call->self->string);
    for (size_t at = 0; needle.size > 0; at += needle.size, found++) {
        at = text_find(text, jinja_string_text(needle), at);
        if (at == SIZE_MAX)
            break;
    }
    *result = jinja_value_int(found);
    return jinja_step(call->jinja, text.size);
}

static enum status map_items(const struct call *call, struct jinja_value *result)
{
    return jinja_method_items(call->jinja, call->self->map, result);
}

static enum status map_list(const struct call *call, const struct jinja_value *items,
                            struct jinja_value *result)
{
    TRY(jinja_value_new(call->jinja, JINJA_LIST, result));
    for (uint32_t i = 0; i < call->self->map->count; i++)
        TRY(jinja_value_push(call->jinja, result->list, items[i]));
    return OK;
}

static enum status map_keys(const struct call *call, struct jinja_value *result)
{
    return map_list(call, call->self->map->keys, result);
}

static enum status map_values(const struct call *call, struct jinja_value *result)
{
    return map_list(call, call->self->map->values, result);
}

static enum status map_get(const struct call *call, struct jinja_value *result)
{
    const struct jinja_value *key = jinja_args_get(call->args, 0, NULL);
    const struct jinja_value *other = jinja_args_get(call->args, 1, NULL);
    const struct jinja_map *map = call->self->map;
    *result = other ? *other : (struct jinja_value){.kind = JINJA_NONE};
    for (uint32_t i = 0; key && i < map->count; i++) {
        if (jinja_value_equal(&map->keys[i], key))
            *result = map->values[i];
    }
    return jinja_step(call->jinja, (size_t)map->count * sizeof *key);
}

/* loop.cycle(a, b, ...) */
static enum status cycle(const struct call *call, struct jinja_value *result)
{
    const struct jinja_list *items = call->args->positional;
    if (items->count == 0)
        JINJA_FAIL(call->jinja, ERR_FORMAT, "%s", "loop.cycle without items");
    *result = items->items[call->self->loop->index % items->count];
    return OK;
}

static const struct {
    const char *name;
    enum status (*call)(const struct call *call, struct jinja_value *result);
    enum jinja_kind kind;
} METHODS[] = {
    {"strip", both_strip, JINJA_STRING},
    {"lstrip", left_strip, JINJA_STRING},
    {"rstrip", right_strip, JINJA_STRING},
    {"split", split, JINJA_STRING},
    {"splitlines", split_lines, JINJA_STRING},
    {"startswith", starts_with, JINJA_STRING},
    {"endswith", ends_with, JINJA_STRING},
    {"removeprefix", remove_prefix, JINJA_STRING},
    {"removesuffix", remove_suffix, JINJA_STRING},
    {"upper", upper, JINJA_STRING},
    {"lower", lower, JINJA_STRING},
    {"title", title, JINJA_STRING},
    {"capitalize", capitalize, JINJA_STRING},
    {"replace", replace, JINJA_STRING},
    {"join", join, JINJA_STRING},
    {"find", find, JINJA_STRING},
    {"count", count, JINJA_STRING},
    {"items", map_items, JINJA_MAP},
    {"keys", map_keys, JINJA_MAP},
    {"values", map_values, JINJA_MAP},
    {"get", map_get, JINJA_MAP},
    {"cycle", cycle, JINJA_LOOP},
};
enum { METHOD_COUNT = sizeof METHODS / sizeof METHODS[0] };

static size_t method_index(const struct jinja_value *self, struct text name)
{
    size_t i = 0;
    while (i < METHOD_COUNT &&
           (METHODS[i].kind != self->kind || !text_equal(name, text_of(METHODS[i].name))))
        i++;
    return i;
}

bool jinja_method_exists(const struct jinja_value *self, struct text name)
{
    return method_index(self, name) < METHOD_COUNT;
}

enum status jinja_method_call(struct jinja *jinja, const struct jinja_method *method,
                              const struct jinja_args *args, struct jinja_value *result)
{
    const size_t index = method_index(&method->self, method->name);
    assert(index < METHOD_COUNT);
    const struct call call = {jinja, &method->self, args};
    return METHODS[index].call(&call, result);
}
