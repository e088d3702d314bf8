/* jinja_filter - see jinja_filter.h. */
#include "tokenizer/jinja_filter.h"

#include "tokenizer/jinja_format.h"
#include "tokenizer/jinja_is.h"
#include "tokenizer/jinja_list.h"
#include "tokenizer/jinja_member.h"
#include "tokenizer/jinja_method.h"
#include "tokenizer/jinja_print.h"
#include "tokenizer/jinja_string.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_BYTES_MAX = 64 };
static const double EXACT_MAX = 9007199254740992.0; /* integers are exact below 2^53 */

/* The value as a string: filters on text take anything. */
static enum status soft_string(struct jinja *jinja, const struct jinja_value *value,
                               struct jinja_string *string)
{
    struct jinja_builder out = {.arena = jinja->arena};
    struct jinja_value made;
    if (value->kind == JINJA_STRING) {
        *string = value->string;
        return OK;
    }
    TRY(jinja_print_str(jinja, value, &out));
    TRY(jinja_string_take(jinja, &out, &made));
    *string = made.string;
    return OK;
}

static struct jinja_value string_value(struct jinja_string string)
{
    return (struct jinja_value){.kind = JINJA_STRING, .string = string};
}

static enum status trim(struct jinja *jinja, const struct jinja_value *value,
                        const struct jinja_args *args, struct jinja_value *result)
{
    const struct jinja_value *arg = jinja_args_get(args, 0, "chars");
    struct jinja_string string;
    struct text set;
    TRY(soft_string(jinja, value, &string));
    TRY(jinja_args_text(jinja, arg, &set));
    const bool has_set = arg && arg->kind == JINJA_STRING;
    *result = string_value(jinja_string_strip(string, has_set ? &set : NULL, true, true));
    return jinja_step(jinja, string.size);
}

static enum status length(struct jinja *jinja, const struct jinja_value *value,
                          const struct jinja_args *args, struct jinja_value *result)
{
    (void)args;
    size_t count = 0;
    if (value->kind == JINJA_STRING)
        count = jinja_string_length(value->string);
    else if (value->kind == JINJA_LIST || value->kind == JINJA_TUPLE)
        count = value->list->count;
    else if (value->kind == JINJA_MAP)
        count = value->map->count;
    else if (value->kind != JINJA_UNDEFINED)
        JINJA_FAIL(jinja, ERR_FORMAT, "a %s has no length", jinja_value_type(value));
    *result = jinja_value_int((int64_t)count);
    return jinja_step(jinja, value->kind == JINJA_STRING ? value->string.size : 0);
}

static enum status to_string(struct jinja *jinja, const struct jinja_value *value,
                             const struct jinja_args *args, struct jinja_value *result)
{
    (void)args;
    struct jinja_string string;
    TRY(soft_string(jinja, value, &string));
    *result = string_value(string);
    return OK;
}

static enum status change_case(struct jinja *jinja, const struct jinja_value *value,
                               enum jinja_method_case style, struct jinja_value *result)
{
    struct jinja_string string;
    TRY(soft_string(jinja, value, &string));
    return jinja_method_case(jinja, string, style, result);
}

static enum status upper(struct jinja *jinja, const struct jinja_value *value,
                         const struct jinja_args *args, struct jinja_value *result)
{
    (void)args;
    return change_case(jinja, value, JINJA_UPPER, result);
}

static enum status lower(struct jinja *jinja, const struct jinja_value *value,
                         const struct jinja_args *args, struct jinja_value *result)
{
    (void)args;
    return change_case(jinja, value, JINJA_LOWER, result);
}

static enum status title(struct jinja *jinja, const struct jinja_value *value,
                         const struct jinja_args *args, struct jinja_value *result)
{
    (void)args;
    return change_case(jinja, value, JINJA_TITLE, result);
}

static enum status capitalize(struct jinja *jinja, const struct jinja_value *value,
                              const struct jinja_args *args, struct jinja_value *result)
{
    (void)args;
    return change_case(jinja, value, JINJA_CAPITALIZE, result);
}

static enum status to_json(struct jinja *jinja, const struct jinja_value *value,
                           const struct jinja_args *args, struct jinja_value *result)
{
    const struct jinja_value *separators = jinja_args_get(args, 2, "separators");
    const struct jinja_value *indent = jinja_args_get(args, 1, "indent");
    struct jinja_builder out = {.arena = jinja->arena};
    struct jinja_print_json style = {
        .indent = -1,
        .item_separator = TEXT(", "),
        .key_separator = TEXT(": "),
        .ascii = jinja_args_bool(jinja_args_get(args, 0, "ensure_ascii")),
        .sort_keys = jinja_args_bool(jinja_args_get(args, 3, "sort_keys"))};
    TRY(jinja_args_int(jinja, indent, &style.indent));
    if (style.indent >= 0)
        style.item_separator = TEXT(",");
    if (separators && separators->kind == JINJA_TUPLE && separators->list->count == 2) {
        TRY(jinja_args_text(jinja, &separators->list->items[0], &style.item_separator));
        TRY(jinja_args_text(jinja, &separators->list->items[1], &style.key_separator));
    }
    TRY(jinja_print_json(jinja, value, &style, &out));
    return jinja_string_take(jinja, &out, result);
}

static enum status replace(struct jinja *jinja, const struct jinja_value *value,
                           const struct jinja_args *args, struct jinja_value *result)
{
    struct jinja_string string;
    TRY(soft_string(jinja, value, &string));
    return jinja_method_replace(jinja, string, args, result);
}

static enum status other(struct jinja *jinja, const struct jinja_value *value,
                         const struct jinja_args *args, struct jinja_value *result)
{
    const struct jinja_value *fallback = jinja_args_get(args, 0, "default_value");
    const bool for_false = jinja_args_bool(jinja_args_get(args, 1, "boolean"));
    const bool missing =
        value->kind == JINJA_UNDEFINED || (for_false && !jinja_value_is_true(value));
    if (missing && !fallback)
        return jinja_value_text(jinja, TEXT(""), true, result);
    *result = missing ? *fallback : *value;
    return OK;
}

static enum status items(struct jinja *jinja, const struct jinja_value *value,
                         const struct jinja_args *args, struct jinja_value *result)
{
    (void)args;
    if (value->kind == JINJA_UNDEFINED)
        return jinja_value_new(jinja, JINJA_LIST, result);
    if (value->kind != JINJA_MAP)
        JINJA_FAIL(jinja, ERR_FORMAT, "a %s has no items", jinja_value_type(value));
    return jinja_method_items(jinja, value->map, result);
}

static enum status same(struct jinja *jinja, const struct jinja_value *value,
                        const struct jinja_args *args, struct jinja_value *result)
{
    (void)jinja;
    (void)args;
    *result = *value;
    return OK;
}

static enum status escape(struct jinja *jinja, const struct jinja_value *value,
                          const struct jinja_args *args, struct jinja_value *result)
{
    static const char signs[] = "&<>\"'";
    static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&#34;", "&#39;"};
    (void)args;
    struct jinja_builder out = {.arena = jinja->arena};
    struct jinja_string string;
    TRY(soft_string(jinja, value, &string));
    for (size_t i = 0; i < string.size; i++) {
        const char *sign = string.data[i] ? strchr(signs, string.data[i]) : NULL;
        if (sign)
            jinja_string_add_text(&out, text_of(names[sign - signs]), string.trust[i]);
        else
            jinja_string_add(&out, jinja_string_slice(string, i, i + 1));
    }
    return jinja_string_take(jinja, &out, result);
}

/* A string, without the white space around it, as a number: all of it, or NaN. */
static double parse_number(struct jinja_string string)
{
    char digits[NUMBER_BYTES_MAX];
    char *end;
    string = jinja_string_strip(string, NULL, true, true);
    if (string.size == 0 || string.size >= sizeof digits)
        return (double)NAN;
    memcpy(digits, string.data, string.size);
    digits[string.size] = '\0';
    const double number = strtod(digits, &end);
    return *end == '\0' && !strpbrk(digits, "xXpP") ? number : (double)NAN;
}

static enum status to_int(struct jinja *jinja, const struct jinja_value *value,
                          const struct jinja_args *args, struct jinja_value *result)
{
    const struct jinja_value *fallback = jinja_args_get(args, 0, "default");
    int64_t integer;
    (void)jinja;
    *result = fallback ? *fallback : jinja_value_int(0);
    if (jinja_value_integer(value, &integer)) {
        *result = jinja_value_int(integer);
        return OK;
    }
    const double number = value->kind == JINJA_FLOAT    ? value->real
                          : value->kind == JINJA_STRING ? parse_number(value->string)
                                                        : (double)NAN;
    if (fabs(number) < EXACT_MAX)
        *result = jinja_value_int((int64_t)number);
    return OK;
}

static enum status to_float(struct jinja *jinja, const struct jinja_value *value,
                            const struct jinja_args *args, struct jinja_value *result)
{
    const struct jinja_value *fallback = jinja_args_get(args, 0, "default");
    (void)jinja;
    *result = fallback ? *fallback : jinja_value_float(0);
    const double number = jinja_value_is_number(value)  ? jinja_value_number(value)
                          : value->kind == JINJA_STRING ? parse_number(value->string)
                                                        : (double)NAN;
    if (!isnan(number))
        *result = jinja_value_float(number);
    return OK;
}

static enum status absolute(struct jinja *jinja, const struct jinja_value *value,
                            const struct jinja_args *args, struct jinja_value *result)
{
    (void)args;
    *result = *value;
    if (value->kind == JINJA_FLOAT)
        *result = jinja_value_float(fabs(value->real));
    else if (value->kind != JINJA_INT || value->integer == INT64_MIN)
        JINJA_FAIL(jinja, ERR_FORMAT, "abs of %s", jinja_value_type(value));
    else if (value->integer < 0)
        *result = jinja_value_int(-value->integer);
    return OK;
}

/* indent(width=4, first=False, blank=False): width blanks before every line but the first. */
static enum status indent(struct jinja *jinja, const struct jinja_value *value,
                          const struct jinja_args *args, struct jinja_value *result)
{
    enum { WIDTH_MAX = 256 };
    const bool first = jinja_args_bool(jinja_args_get(args, 1, "first"));
    const bool blank = jinja_args_bool(jinja_args_get(args, 2, "blank"));
    struct jinja_builder out = {.arena = jinja->arena};
    struct jinja_string string;
    int64_t width = 4;
    TRY(soft_string(jinja, value, &string));
    TRY(jinja_args_int(jinja, jinja_args_get(args, 0, "width"), &width));
    if (width > WIDTH_MAX)
        JINJA_FAIL(jinja, ERR_LIMIT, "indent by %lld, the limit is %d", (long long)width,
                   WIDTH_MAX);
    for (size_t at = 0; at <= string.size;) {
        size_t end = text_find(jinja_string_text(string), TEXT("\n"), at);
        end = end < string.size ? end : string.size;
        const bool wanted = at == 0 ? first : blank || end > at;
        for (int64_t i = 0; wanted && i < width; i++)
            jinja_string_add_text(&out, TEXT(" "), true);
        jinja_string_add(&out, jinja_string_slice(string, at, end + 1));
        at = end + 1;
    }
    return jinja_string_take(jinja, &out, result);
}

static enum status format(struct jinja *jinja, const struct jinja_value *value,
                          const struct jinja_args *args, struct jinja_value *result)
{
    struct jinja_string string;
    TRY(soft_string(jinja, value, &string));
    if (args->named->count > 0)
        JINJA_FAIL(jinja, ERR_LIMIT, "%s", "the filter 'format' takes no names here");
    return jinja_format(jinja, string, args->positional, result);
}

static const struct {
    const char *name;
    enum status (*apply)(struct jinja *jinja, const struct jinja_value *value,
                         const struct jinja_args *args, struct jinja_value *result);
} FILTERS[] = {
    {"trim", trim},
    {"length", length},
    {"count", length},
    {"string", to_string},
    {"upper", upper},
    {"lower", lower},
    {"title", title},
    {"capitalize", capitalize},
    {"tojson", to_json},
    {"replace", replace},
    {"default", other},
    {"d", other},
    {"items", items},
    {"safe", same},
    {"escape", escape},
    {"e", escape},
    {"int", to_int},
    {"float", to_float},
    {"abs", absolute},
    {"indent", indent},
    {"format", format},
    {"list", jinja_list_list},
    {"first", jinja_list_first},
    {"last", jinja_list_last},
    {"join", jinja_list_join},
    {"reverse", jinja_list_reverse},
    {"unique", jinja_list_unique},
    {"sort", jinja_list_sort},
    {"dictsort", jinja_list_dictsort},
    {"min", jinja_list_min},
    {"max", jinja_list_max},
    {"sum", jinja_list_sum},
};

/* map, select and their kin apply a filter or a test to each item. */
struct each {
    struct jinja *jinja;
    const struct jinja_args *args; /* of the filter or test */
    struct text attribute, name;
    bool has_attribute, wanted; /* wanted: the outcome that keeps an item */
};

static enum status map_item(const struct each *each, const struct jinja_value *item,
                            const struct jinja_value *fallback, struct jinja_list *list)
{
    struct jinja_value made;
    if (!each->has_attribute) {
        TRY(jinja_filter(each->jinja, each->name, item, each->args, &made));
        return jinja_value_push(each->jinja, list, made);
    }
    TRY(jinja_member_path(each->jinja, item, each->attribute, &made));
    if (made.kind == JINJA_UNDEFINED && fallback)
        made = *fallback;
    return jinja_value_push(each->jinja, list, made);
}

/* What map, select and their kin go through: nothing, where a value is not true. */
static enum status iterate_true(struct jinja *jinja, const struct jinja_value *value,
                                const struct jinja_list **list)
{
    static const struct jinja_list none;
    *list = &none;
    return jinja_value_is_true(value) ? jinja_value_iterate(jinja, value, list) : OK;
}

/* map(filter, args...) and map(attribute="path", default=value) */
static enum status map(struct jinja *jinja, const struct jinja_value *value,
                       const struct jinja_args *args, struct jinja_value *result)
{
    struct jinja_list rest;
    const struct jinja_args filter_args = jinja_args_rest(args, 1, &rest);
    const struct jinja_value *attribute = jinja_value_get(args->named, TEXT("attribute"));
    struct each each = {.jinja = jinja, .args = &filter_args, .has_attribute = attribute};
    const struct jinja_list *list;
    TRY(jinja_args_text(jinja, attribute, &each.attribute));
    TRY(jinja_args_text(jinja, jinja_args_get(args, 0, NULL), &each.name));
    TRY(iterate_true(jinja, value, &list));
    TRY(jinja_value_new(jinja, JINJA_LIST, result));
    for (uint32_t i = 0; i < list->count; i++)
        TRY(map_item(&each, &list->items[i], jinja_value_get(args->named, TEXT("default")),
                     result->list));
    return OK;
}

static enum status keeps(const struct each *each, const struct jinja_value *item, bool *kept)
{
    struct jinja_value looked_at = *item;
    if (each->has_attribute)
        TRY(jinja_member_path(each->jinja, item, each->attribute, &looked_at));
    *kept = jinja_value_is_true(&looked_at);
    if (each->name.size > 0)
        TRY(jinja_is(each->jinja, each->name, &looked_at, each->args, kept));
    *kept = *kept == each->wanted;
    return OK;
}

/* select, reject (test, args...), selectattr, rejectattr (path, test, args...) */
static enum status select_items(struct each each, const struct jinja_value *value,
                                const struct jinja_args *args, struct jinja_value *result)
{
    struct jinja *jinja = each.jinja;
    const uint32_t test_index = each.has_attribute ? 1 : 0;
    struct jinja_list rest;
    const struct jinja_args test_args = jinja_args_rest(args, test_index + 1, &rest);
    const struct jinja_list *list;
    each.args = &test_args;
    if (each.has_attribute)
        TRY(jinja_args_text(jinja, jinja_args_get(args, 0, NULL), &each.attribute));
    TRY(jinja_args_text(jinja, jinja_args_get(args, test_index, NULL), &each.name));
    TRY(iterate_true(jinja, value, &list));
    TRY(jinja_value_new(jinja, JINJA_LIST, result));
    for (uint32_t i = 0; i < list->count; i++) {
        bool kept;
        TRY(keeps(&each, &list->items[i], &kept));
        if (kept)
            TRY(jinja_value_push(jinja, result->list, list->items[i]));
    }
    return OK;
}

enum status jinja_filter(struct jinja *jinja, struct text name, const struct jinja_value *value,
                         const struct jinja_args *args, struct jinja_value *result)
{
    const struct each each = {.jinja = jinja,
                              .has_attribute = text_ends(name, TEXT("attr")),
                              .wanted = text_starts(name, TEXT("select"))};
    TRY(jinja_step(jinja, 0));
    if (text_equal(name, TEXT("map")))
        return map(jinja, value, args, result);
    if (text_equal(name, TEXT("select")) || text_equal(name, TEXT("reject")) ||
        text_equal(name, TEXT("selectattr")) || text_equal(name, TEXT("rejectattr")))
        return select_items(each, value, args, result);
    for (size_t i = 0; i < sizeof FILTERS / sizeof FILTERS[0]; i++) {
        if (text_equal(name, text_of(FILTERS[i].name)))
            return FILTERS[i].apply(jinja, value, args, result);
    }
    JINJA_FAIL(jinja, ERR_LIMIT, "the filter '%.*s' is not known here", TEXT_ARG(name));
}
