/* repr - see repr.h. */
#include "protocol/dsl/repr.h"

#include "protocol/dsl/code.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/modules.h"
#include "protocol/dsl/record.h"
#include "protocol/dsl/type.h"
#include "protocol/dsl/unicode.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Containers being written: one inside itself is written as [...]. */
struct trail {
    const void *object;
    const struct trail *outer;
};

static bool write_value(struct str_builder *b, struct value value, const struct trail *trail);

/* Below a power of two the numbers lie closer: the nearest of so many digits may be no way
 * back where the next one away from zero is. Puts that one in. */
static bool next_up(char *digits, double real)
{
    char up[32];
    char *last = up + (strchr(strcpy(up, digits), 'e') - up) - 1;
    if (*last < '0' || *last >= '9')
        return false;
    ++*last;
    if (strtod(up, NULL) != real)
        return false;
    strcpy(digits, up);
    return true;
}

size_t repr_float(double real, char out[REPR_FLOAT_MAX])
{
    char digits[32];
    if (isnan(real) || isinf(real))
        return (size_t)snprintf(out, REPR_FLOAT_MAX, "%s",
                                isnan(real) ? "nan"
                                : real < 0  ? "-inf"
                                            : "inf");
    /* What 15 digits keep is the shortest once its zeros are cut; but subnormal numbers have
     * fewer true digits than that. */
    int precision = fabs(real) < 1e-300 && real != 0 ? 0 : 14;
    do
        snprintf(digits, sizeof digits, "%.*e", precision, real);
    while (strtod(digits, NULL) != real && !next_up(digits, real) && ++precision <= 16);
    const int exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
    char *mantissa_end = strchr(digits, 'e');
    while (mantissa_end[-1] == '0')
        mantissa_end--;
    if (mantissa_end[-1] == '.')
        mantissa_end--;
    if (exponent >= -4 && exponent < 16) {
        const char *first = digits + (digits[0] == '-');
        const int digit_count =
            (int)(mantissa_end - first) - (mantissa_end - first > 1 ? 1 : 0);
        const int decimals = digit_count - 1 - exponent;
        return (size_t)snprintf(out, REPR_FLOAT_MAX, "%.*f", decimals > 1 ? decimals : 1, real);
    }
    return (size_t)snprintf(out, REPR_FLOAT_MAX, "%.*se%c%02d", (int)(mantissa_end - digits),
                            digits, exponent < 0 ? '-' : '+', abs(exponent));
}

static void write_escape(struct str_builder *b, uint32_t c)
{
    char hex[12];
    const char *format = c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x";
    if (c == '\n' || c == '\r' || c == '\t') {
        str_builder_byte(b, '\\');
        str_builder_byte(b, c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
        return;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* one of the three above */
    snprintf(hex, sizeof hex, format, c);
#pragma GCC diagnostic pop
    str_builder_add(b, text_of(hex));
}

static void write_str(struct str_builder *b, const struct str *str)
{
    const bool single = memchr(str->data, '\'', str->size) != NULL;
    const bool twice = memchr(str->data, '"', str->size) != NULL;
    const uint32_t quote = single && !twice ? '"' : '\'';
    str_builder_byte(b, (char)quote);
    for (size_t at = 0; at < str->size && !b->failed;) {
        const size_t begin = at;
        const uint32_t c = str_next(str, &at);
        if (c == quote || c == '\\')
            str_builder_byte(b, '\\');
        if (c < 0x20 || c == 0x7f || (c >= 0x80 && unicode_is(c, UNICODE_HIDDEN)))
            write_escape(b, c);
        else
            str_builder_add(b, (struct text){str->data + begin, at - begin});
    }
    str_builder_byte(b, (char)quote);
}

static bool write_items(struct str_builder *b, const struct list *list,
                        const struct trail *trail)
{
    for (uint32_t i = 0; i < list->count; i++) {
        if (i > 0)
            str_builder_add(b, TEXT(", "));
        if (!write_value(b, list->items[i], trail))
            return false;
    }
    return true;
}

static bool write_list(struct str_builder *b, struct value value, const struct trail *trail)
{
    const bool tuple = value.kind == VALUE_TUPLE;
    str_builder_byte(b, tuple ? '(' : '[');
    if (!write_items(b, value.as.list, trail))
        return false;
    if (tuple && value.as.list->count == 1)
        str_builder_byte(b, ',');
    str_builder_byte(b, tuple ? ')' : ']');
    return true;
}

static bool write_entries(struct str_builder *b, const struct dict *dict, bool pairs,
                          const struct trail *trail)
{
    uint32_t at = 0;
    bool first = true;
    for (const struct dict_entry *entry; (entry = dict_next(dict, &at)) != NULL;) {
        if (!first)
            str_builder_add(b, TEXT(", "));
        first = false;
        if (!write_value(b, entry->key, trail))
            return false;
        if (!pairs)
            continue;
        str_builder_add(b, TEXT(": "));
        if (!write_value(b, entry->value, trail))
            return false;
    }
    return true;
}

/* OrderedDict prints a list of pairs; Counter its entries, most common first. */
static bool write_special_dict(struct str_builder *b, struct value value,
                               const struct trail *trail)
{
    struct dict *dict = value.as.dict;
    str_builder_add(b, text_of(type_of(value)->name));
    str_builder_byte(b, '(');
    if (dict->flavor == DICT_DEFAULT) {
        if (!write_value(b, dict->factory, trail))
            return false;
        str_builder_add(b, TEXT(", "));
    }
    if (dict->flavor == DICT_ORDERED && dict->count > 0) {
        struct iter *iter = iter_of_dict(b->in, dict, ITER_ITEMS);
        struct list *items = iter ? list_from(b->in, iter_value(iter)) : NULL;
        if (!items || !write_value(b, value_list(items), trail))
            return false;
    } else if (dict->flavor == DICT_COUNTER && dict->count > 0) {
        struct dict *sorted = modules_counter_sorted(b->in, dict);
        if (!sorted || !write_value(b, value_dict(sorted), trail))
            return false;
    } else if (dict->flavor == DICT_DEFAULT || dict->flavor == DICT_PROXY) {
        str_builder_byte(b, '{');
        if (!write_entries(b, dict, true, trail))
            return false;
        str_builder_byte(b, '}');
    }
    str_builder_byte(b, ')');
    return true;
}

static bool write_dict(struct str_builder *b, struct value value, const struct trail *trail)
{
    const struct dict *dict = value.as.dict;
    const bool set = value.kind == VALUE_SET;
    if (!set && dict->flavor != DICT_PLAIN)
        return write_special_dict(b, value, trail);
    if (set && dict->count == 0) {
        str_builder_add(b, dict->frozen ? TEXT("frozenset()") : TEXT("set()"));
        return true;
    }
    str_builder_add(b, set && dict->frozen ? TEXT("frozenset({") : TEXT("{"));
    if (!write_entries(b, dict, !set, trail))
        return false;
    str_builder_add(b, set && dict->frozen ? TEXT("})") : TEXT("}"));
    return true;
}

/* chunk='...' task='...': pydantic's str(); repr puts JobManifest(...) around, with commas. */
static bool write_fields(struct str_builder *b, const struct record *record,
                         struct text between, const struct trail *trail)
{
    for (uint32_t i = 0; i < record_field_count(record->type); i++) {
        if (i > 0)
            str_builder_add(b, between);
        str_builder_add(b, text_of(record_field_name(record->type, i)));
        str_builder_byte(b, '=');
        if (!write_value(b, record->fields[i], trail))
            return false;
    }
    return true;
}

static bool write_record(struct str_builder *b, const struct record *record,
                         const struct trail *trail)
{
    str_builder_add(b, text_of(record->type->name));
    str_builder_byte(b, '(');
    if (!write_fields(b, record, TEXT(", "), trail))
        return false;
    str_builder_byte(b, ')');
    return true;
}

static bool write_exception(struct str_builder *b, const struct exception *exception,
                            const struct trail *trail)
{
    str_builder_add(b, text_of(exception->type->name));
    str_builder_byte(b, '(');
    if (!write_items(b, exception->args, trail))
        return false;
    str_builder_byte(b, ')');
    return true;
}

static bool write_view(struct str_builder *b, struct iter *view, const struct trail *trail)
{
    struct list *items = list_from(b->in, iter_value(view));
    str_builder_add(b, text_of(view->type_name));
    str_builder_byte(b, '(');
    if (!items || !write_value(b, value_list(items), trail))
        return false;
    str_builder_byte(b, ')');
    return true;
}

static void write_range(struct str_builder *b, const struct range *range)
{
    char buffer[80];
    const int size =
        range->step == 1
            ? snprintf(buffer, sizeof buffer, "range(%lld, %lld)", (long long)range->start,
                       (long long)range->stop)
            : snprintf(buffer, sizeof buffer, "range(%lld, %lld, %lld)",
                       (long long)range->start, (long long)range->stop, (long long)range->step);
    str_builder_add(b, (struct text){buffer, (size_t)size});
}

static void write_named(struct str_builder *b, const char *before, const char *name,
                        const char *after)
{
    str_builder_add(b, text_of(before));
    str_builder_add(b, text_of(name));
    str_builder_add(b, text_of(after));
}

/* Things without a written form: their addresses are not shown, unlike in CPython. */
static void write_opaque(struct str_builder *b, struct value value)
{
    switch (value.kind) {
    case VALUE_FUNCTION:
        str_builder_add(b, TEXT("<function "));
        str_builder_add(b, str_text(value.as.function->code->qualified));
        str_builder_byte(b, '>');
        break;
    case VALUE_BUILTIN:
        write_named(b, "<built-in function ", value.as.builtin->name, ">");
        break;
    case VALUE_TYPE:
        str_builder_add(b, TEXT("<class '"));
        write_named(b, type_prefix(value.as.type), value.as.type->name, "'>");
        break;
    case VALUE_MODULE:
        write_named(b, "<module '", modules_name(value.as.module), "'>");
        break;
    case VALUE_TYPING:
        write_named(b, "typing.", value.as.typing, "");
        break;
    case VALUE_MATCH:
        modules_re_match_repr(b, value.as.match);
        break;
    case VALUE_PATTERN:
        modules_re_match_pattern_repr(b, value.as.pattern);
        break;
    default:
        write_named(b, "<", type_name(value), " object>");
        break;
    }
}

static bool write_value(struct str_builder *b, struct value value, const struct trail *trail);

static bool write_slice(struct str_builder *b, const struct slice *slice,
                        const struct trail *trail)
{
    str_builder_add(b, TEXT("slice("));
    if (!write_value(b, slice->start, trail))
        return false;
    str_builder_add(b, TEXT(", "));
    if (!write_value(b, slice->stop, trail))
        return false;
    str_builder_add(b, TEXT(", "));
    if (!write_value(b, slice->step, trail))
        return false;
    str_builder_byte(b, ')');
    return !b->failed;
}

/* functools.partial(function, 1, k=2) */
static bool write_partial(struct str_builder *b, const struct builtin *partial,
                          const struct trail *trail)
{
    uint32_t at = 0;
    str_builder_add(b, TEXT("functools.partial("));
    if (!write_value(b, partial->self, trail))
        return false;
    for (uint32_t i = 0; i < partial->bound->count; i++) {
        str_builder_add(b, TEXT(", "));
        if (!write_value(b, partial->bound->items[i], trail))
            return false;
    }
    for (const struct dict_entry *e; (e = dict_next(partial->bound_named, &at)) != NULL;) {
        str_builder_add(b, TEXT(", "));
        str_builder_add(b, str_text(e->key.as.str));
        str_builder_byte(b, '=');
        if (!write_value(b, e->value, trail))
            return false;
    }
    str_builder_byte(b, ')');
    return !b->failed;
}

static bool write_container(struct str_builder *b, struct value value,
                            const struct trail *trail)
{
    const bool guards = value.kind != VALUE_EXCEPTION &&
                        !(value.kind == VALUE_DICT && value.as.dict->flavor == DICT_COUNTER);
    for (const struct trail *at = trail; at && guards; at = at->outer) {
        if (at->object != value.as.list)
            continue;
        str_builder_add(b, value.kind == VALUE_LIST    ? TEXT("[...]")
                           : value.kind == VALUE_TUPLE ? TEXT("(...)")
                                                       : TEXT("{...}"));
        return true;
    }
    const struct trail here = {value.as.list, trail};
    switch (value.kind) {
    case VALUE_LIST:
    case VALUE_TUPLE:
        return write_list(b, value, &here);
    case VALUE_RECORD:
        return write_record(b, value.as.record, &here);
    case VALUE_EXCEPTION:
        return write_exception(b, value.as.exception, &here);
    case VALUE_SLICE:
        return write_slice(b, value.as.slice, &here);
    case VALUE_BUILTIN:
        return write_partial(b, value.as.builtin, &here);
    default:
        return write_dict(b, value, &here);
    }
}

static void write_number(struct str_builder *b, struct value value)
{
    char buffer[REPR_FLOAT_MAX];
    size_t size;
    if (value.kind == VALUE_FLOAT)
        size = repr_float(value.as.real, buffer);
    else
        size = (size_t)snprintf(buffer, sizeof buffer, "%lld", (long long)value.as.integer);
    str_builder_add(b, (struct text){buffer, size});
}

static bool write_value(struct str_builder *b, struct value value, const struct trail *trail)
{
    if (!interp_charge(b->in, 1))
        return false;
    switch (value.kind) {
    case VALUE_UNSET:
    case VALUE_NONE:
        str_builder_add(b, TEXT("None"));
        return !b->failed;
    case VALUE_BOOL:
        str_builder_add(b, value.as.boolean ? TEXT("True") : TEXT("False"));
        return !b->failed;
    case VALUE_INT:
    case VALUE_FLOAT:
        write_number(b, value);
        return !b->failed;
    case VALUE_STR:
        write_str(b, value.as.str);
        return !b->failed;
    case VALUE_ELLIPSIS:
        str_builder_add(b, TEXT("Ellipsis"));
        return !b->failed;
    case VALUE_RANGE:
        write_range(b, value.as.range);
        return !b->failed;
    case VALUE_LIST:
    case VALUE_TUPLE:
    case VALUE_DICT:
    case VALUE_SET:
    case VALUE_RECORD:
    case VALUE_EXCEPTION:
    case VALUE_SLICE:
        break;
    case VALUE_BUILTIN:
        if (value.as.builtin->bound)
            break;
        write_opaque(b, value);
        return !b->failed;
    case VALUE_ITER:
        if (iter_is_view(value.as.iter))
            return write_view(b, value.as.iter, trail);
        write_opaque(b, value);
        return !b->failed;
    default:
        write_opaque(b, value);
        return !b->failed;
    }
    if (!interp_enter(b->in))
        return false;
    const bool fine = write_container(b, value, trail);
    interp_leave(b->in);
    return fine && !b->failed;
}

bool repr_write(struct str_builder *b, struct value value)
{
    return write_value(b, value, NULL);
}

struct str *repr_of(struct interp *in, struct value value)
{
    struct str_builder b = {.in = in};
    return repr_write(&b, value) ? str_builder_str(&b) : NULL;
}

struct str *repr_str(struct interp *in, struct value value)
{
    if (value.kind == VALUE_STR)
        return value.as.str;
    if (value.kind == VALUE_EXCEPTION)
        return exception_text(in, value.as.exception);
    struct str_builder b = {.in = in};
    const bool fine = value.kind == VALUE_RECORD
                          ? write_fields(&b, value.as.record, TEXT(" "), NULL)
                          : repr_write(&b, value);
    return fine ? str_builder_str(&b) : NULL;
}

struct str *repr_ascii(struct interp *in, struct value value)
{
    struct str *str = repr_of(in, value);
    struct str_builder b = {.in = in};
    for (size_t at = 0; str && at < str->size;) {
        const uint32_t c = str_next(str, &at);
        if (c < 0x80)
            str_builder_byte(&b, (char)c);
        else
            write_escape(&b, c);
    }
    return str ? str_builder_str(&b) : NULL;
}
