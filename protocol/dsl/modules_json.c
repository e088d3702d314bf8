/* modules_json - json.dumps, and the members of json; reading is in modules_json_read.c. */
#include "protocol/dsl/modules.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/compare.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/eval.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/modules_json_read.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/repr.h"
#include "protocol/dsl/type.h"

#include <math.h>
#include <stdio.h>

struct dump {
    struct str_builder b;
    struct interp *in;
    struct text item_separator, key_separator, indent;
    bool has_indent, ascii, sort_keys;
    struct value fallback; /* default= */
};

static void put_text(struct dump *d, const struct str *str)
{
    struct str_builder *b = &d->b;
    str_builder_byte(b, '"');
    for (size_t at = 0; at < str->size && !b->failed;) {
        const size_t begin = at;
        const uint32_t c = str_next(str, &at);
        static const char *const SHORT[] = {
            ['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n", ['\r'] = "\\r",
            ['\t'] = "\\t", ['"'] = "\\\"", ['\\'] = "\\\\"};
        char escape[16];
        if (c < sizeof SHORT / sizeof SHORT[0] && SHORT[c]) {
            str_builder_add(b, text_of(SHORT[c]));
        } else if (c < 0x20 || (d->ascii && c >= 0x7f && c < 0x10000)) {
            snprintf(escape, sizeof escape, "\\u%04x", c);
            str_builder_add(b, text_of(escape));
        } else if (d->ascii && c >= 0x10000) {
            snprintf(escape, sizeof escape, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                     0xdc00 + ((c - 0x10000) & 0x3ff));
            str_builder_add(b, text_of(escape));
        } else {
            str_builder_add(b, (struct text){str->data + begin, at - begin});
        }
    }
    str_builder_byte(b, '"');
}

static void new_line(struct dump *d, uint32_t depth)
{
    if (!d->has_indent)
        return;
    str_builder_byte(&d->b, '\n');
    for (uint32_t i = 0; i < depth; i++)
        str_builder_add(&d->b, d->indent);
}

static bool put_value(struct dump *d, struct value value, uint32_t depth);

static bool put_list(struct dump *d, const struct list *list, uint32_t depth)
{
    str_builder_byte(&d->b, '[');
    for (uint32_t i = 0; i < list->count; i++) {
        if (i > 0)
            str_builder_add(&d->b, d->item_separator);
        new_line(d, depth + 1);
        if (!put_value(d, list->items[i], depth + 1))
            return false;
    }
    if (list->count > 0)
        new_line(d, depth);
    str_builder_byte(&d->b, ']');
    return true;
}

static bool put_float(struct dump *d, double real)
{
    char buffer[REPR_FLOAT_MAX];
    if (isnan(real) || isinf(real)) {
        str_builder_add(&d->b, isnan(real) ? TEXT("NaN")
                               : real > 0  ? TEXT("Infinity")
                                           : TEXT("-Infinity"));
        return true;
    }
    str_builder_add(&d->b, (struct text){buffer, repr_float(real, buffer)});
    return true;
}

static bool put_key(struct dump *d, struct value key)
{
    struct dump inner = *d;
    if (key.kind == VALUE_STR) {
        put_text(d, key.as.str);
        return true;
    }
    if (key.kind != VALUE_INT && key.kind != VALUE_FLOAT && key.kind != VALUE_BOOL &&
        key.kind != VALUE_NONE)
        return exception_raise(d->in, &exception_type,
                               "keys must be str, int, float, bool or None, not %s",
                               type_name(key));
    inner.b = (struct str_builder){.in = d->in};
    if (!put_value(&inner, key, 0))
        return false;
    str_builder_byte(&d->b, '"');
    str_builder_add(&d->b, (struct text){inner.b.data, inner.b.size});
    str_builder_byte(&d->b, '"');
    return true;
}

static bool put_dict(struct dump *d, struct dict *dict, uint32_t depth)
{
    struct iter *iter = iter_of_dict(d->in, dict, ITER_ITEMS);
    struct list *pairs = iter ? list_from(d->in, iter_value(iter)) : NULL;
    if (!pairs ||
        (d->sort_keys && !list_sort(d->in, pairs, (struct value){.kind = VALUE_UNSET}, false)))
        return false;
    str_builder_byte(&d->b, '{');
    for (uint32_t i = 0; i < pairs->count; i++) {
        const struct value *pair = pairs->items[i].as.list->items;
        if (i > 0)
            str_builder_add(&d->b, d->item_separator);
        new_line(d, depth + 1);
        if (!put_key(d, pair[0]))
            return false;
        str_builder_add(&d->b, d->key_separator);
        if (!put_value(d, pair[1], depth + 1))
            return false;
    }
    if (pairs->count > 0)
        new_line(d, depth);
    str_builder_byte(&d->b, '}');
    return true;
}

static bool put_other(struct dump *d, struct value value, uint32_t depth)
{
    struct value replaced;
    const struct args args = {.values = &value, .count = 1};
    if (d->fallback.kind == VALUE_UNSET || d->fallback.kind == VALUE_NONE)
        return exception_raise(d->in, &exception_type,
                               "Object of type %s is not JSON serializable",
                               type_of(value)->name);
    return eval_call_value(d->in, d->fallback, &args, &replaced) &&
           put_value(d, replaced, depth);
}

static bool put_any(struct dump *d, struct value value, uint32_t depth)
{
    switch (value.kind) {
    case VALUE_NONE:
        str_builder_add(&d->b, TEXT("null"));
        return true;
    case VALUE_BOOL:
        str_builder_add(&d->b, value.as.boolean ? TEXT("true") : TEXT("false"));
        return true;
    case VALUE_INT:
        return repr_write(&d->b, value);
    case VALUE_FLOAT:
        return put_float(d, value.as.real);
    case VALUE_STR:
        put_text(d, value.as.str);
        return true;
    case VALUE_LIST:
    case VALUE_TUPLE:
        return put_list(d, value.as.list, depth);
    case VALUE_DICT:
        return put_dict(d, value.as.dict, depth);
    default:
        return put_other(d, value, depth);
    }
}

static bool put_value(struct dump *d, struct value value, uint32_t depth)
{
    if (!interp_charge(d->in, 1))
        return false;
    if (depth > 500)
        return exception_raise(d->in, &exception_value, "Circular reference detected");
    if (!interp_enter(d->in))
        return false;
    const bool fine = put_any(d, value, depth);
    interp_leave(d->in);
    return fine && !d->b.failed;
}

static bool read_indent(struct interp *in, struct value indent, struct dump *d)
{
    int64_t spaces = 0;
    if (!d->has_indent)
        return true;
    if (indent.kind == VALUE_STR) {
        d->indent = str_text(indent.as.str);
        return true;
    }
    if (!number_is_int(indent))
        return exception_raise(in, &exception_type,
                               "can't multiply sequence by non-int of type '%s'",
                               type_name(indent));
    spaces = number_integer(indent);
    struct str *space = str_copy(in, TEXT(" "));
    struct str *text = space ? str_repeat(in, space, spaces) : NULL;
    if (text)
        d->indent = str_text(text);
    return text != NULL;
}

/* A text by itself needs none: then they may be anything. */
static bool read_separators(struct interp *in, struct value pair, bool is_text, struct dump *d)
{
    if (pair.kind == VALUE_UNSET || pair.kind == VALUE_NONE)
        return true;
    if (!iter_can(pair))
        return exception_raise(in, &exception_type, "cannot unpack non-iterable %s object",
                               type_name(pair));
    const struct list *both = list_from(in, pair);
    if (!both)
        return false;
    if (both->count < 2)
        return exception_raise(in, &exception_value,
                               "not enough values to unpack (expected 2, got %u)", both->count);
    if (both->count > 2)
        return exception_raise(in, &exception_value, "too many values to unpack (expected 2)");
    for (uint32_t i = 2; !is_text && !d->has_indent && i-- > 0;)
        if (both->items[i].kind != VALUE_STR)
            return exception_raise(in, &exception_type,
                                   "make_encoder() argument %u must be str, not %s", 6 - i,
                                   type_name(both->items[i]));
    if (is_text)
        return true;
    for (uint32_t i = 0; i < 2; i++)
        if (both->items[i].kind != VALUE_STR) /* told when it is put between two */
            return exception_raise(in, &exception_type,
                                   "sequence item 0: expected str instance, %s found",
                                   type_name(both->items[i]));
    d->item_separator = str_text(both->items[0].as.str);
    d->key_separator = str_text(both->items[1].as.str);
    return true;
}

static bool dumps(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {
        "dumps",
        1,
        1,
        {"obj"},
        {"indent", "sort_keys", "ensure_ascii", "separators", "default", "skipkeys"}};
    struct value values[7];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    const bool has_indent = values[1].kind != VALUE_UNSET && values[1].kind != VALUE_NONE;
    struct dump d = {.b = {.in = in},
                     .in = in,
                     .has_indent = has_indent,
                     .item_separator = has_indent ? TEXT(",") : TEXT(", "),
                     .key_separator = TEXT(": "),
                     .ascii = values[3].kind == VALUE_UNSET || compare_truth(values[3]),
                     .sort_keys = compare_truth(values[2]),
                     .fallback = values[5]};
    const bool is_text = values[0].kind == VALUE_STR;
    if (!read_separators(in, values[4], is_text, &d) ||
        (!is_text && !read_indent(in, values[1], &d)) || !put_value(&d, values[0], 0))
        return false;
    *out = value_str(str_builder_str(&d.b));
    return out->as.str != NULL;
}

const struct modules_member modules_json[] = {
    {.name = "dumps", .call = dumps},
    {.name = "loads", .call = modules_json_read_loads},
    {.name = "JSONDecodeError", .type = &exception_json_decode},
    {.name = NULL},
};
