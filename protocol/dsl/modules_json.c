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
#include "protocol/dsl/signature.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/type.h"

#include <math.h>
#include <stdio.h>

struct dump {
    struct str_builder b;
    struct interp *in;
    struct value separators[2]; /* between items, behind a key */
    struct text indent;
    bool has_indent, ascii, sort_keys, skip_keys, finite_only;
    struct value fallback; /* default= */
    /* With an indent CPython makes pieces and joins them at the end: how many there are, and
     * the first that is no str, counted from 1. */
    uint64_t pieces, odd_piece;
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

/* The text between items goes before a new line: `separator + line` has to be. */
static bool check_items(struct dump *d)
{
    struct value pair[2] = {d->separators[0], value_str(str_view(d->in, TEXT("\n")))};
    return d->separators[0].kind == VALUE_STR ||
           (pair[1].as.str && eval_binary(d->in, AST_ADD, pair, false, &pair[0]));
}

static void put_item_separator(struct dump *d)
{
    str_builder_add(&d->b, str_text(d->separators[0].as.str));
}

static void put_key_separator(struct dump *d)
{
    d->pieces++;
    if (d->separators[1].kind == VALUE_STR)
        str_builder_add(&d->b, str_text(d->separators[1].as.str));
    else if (d->odd_piece == 0)
        d->odd_piece = d->pieces;
}

static bool is_plain(struct value value)
{
    return value.kind >= VALUE_NONE && value.kind <= VALUE_STR;
}

static bool put_value(struct dump *d, struct value value, uint32_t depth);

static bool put_list(struct dump *d, const struct list *list, uint32_t depth)
{
    str_builder_byte(&d->b, '[');
    if (list->count > 0 && !check_items(d))
        return false;
    for (uint32_t i = 0; i < list->count; i++) {
        if (i > 0)
            put_item_separator(d);
        new_line(d, depth + 1);
        d->pieces += !is_plain(list->items[i]); /* what goes before it, by itself */
        if (!put_value(d, list->items[i], depth + 1))
            return false;
    }
    if (list->count > 0)
        new_line(d, depth);
    d->pieces += list->count > 0 ? 2 : 1;
    str_builder_byte(&d->b, ']');
    return true;
}

static bool put_float(struct dump *d, double real)
{
    char buffer[REPR_FLOAT_MAX];
    if (!isfinite(real) && d->finite_only) {
        const size_t size = d->has_indent ? repr_float(real, buffer) : 0;
        return exception_raise(d->in, &exception_value,
                               "Out of range float values are not JSON compliant%s%.*s",
                               d->has_indent ? ": " : "", (int)size, buffer);
    }
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
    if (!is_plain(key))
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
    if (pairs->count > 0 && !check_items(d))
        return false;
    if (pairs->count > 0)
        new_line(d, depth + 1);
    d->pieces += pairs->count > 0 ? 2 : 0;
    bool is_first = true;
    for (uint32_t i = 0; i < pairs->count; i++) {
        const struct value *pair = pairs->items[i].as.list->items;
        if (d->skip_keys && !is_plain(pair[0]))
            continue;
        if (!is_first) {
            put_item_separator(d);
            new_line(d, depth + 1);
        }
        d->pieces += is_first ? 1 : 2;
        is_first = false;
        if (!put_key(d, pair[0]))
            return false;
        put_key_separator(d);
        if (!put_value(d, pair[1], depth + 1))
            return false;
    }
    if (pairs->count > 0)
        new_line(d, depth);
    d->pieces += pairs->count > 0 ? 2 : 1;
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
    d->pieces += is_plain(value);
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
        if (value.as.dict->flavor == DICT_PROXY)
            return put_other(d, value, depth);
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
            return exception_raise(
                in, &exception_type, "make_encoder() argument %u must be str, not %s", 6 - i,
                both->items[i].kind == VALUE_NONE ? "None" : type_name(both->items[i]));
    d->separators[0] = both->items[0];
    d->separators[1] = both->items[1];
    return true;
}

/* The pieces joined: the first that is no str is told. */
static bool join_pieces(struct dump *d, struct value *out)
{
    if (d->odd_piece > 0)
        return exception_raise(
            d->in, &exception_type, "sequence item %llu: expected str instance, %s found",
            (unsigned long long)d->odd_piece - 1, type_name(d->separators[1]));
    *out = value_str(str_builder_str(&d->b));
    return out->as.str != NULL;
}

/* The places of what json.dumps takes. */
enum {
    OBJ,
    INDENT,
    SORT_KEYS,
    ENSURE_ASCII,
    SEPARATORS,
    DEFAULT,
    SKIPKEYS,
    ALLOW_NAN,
    CHECK_CIRCULAR,
    CLS,
    PLACES
};

static bool given_or(struct value value, bool otherwise)
{
    return value.kind == VALUE_UNSET ? otherwise : compare_truth(value);
}

static bool dumps(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"dumps",
                                          1,
                                          1,
                                          {"obj"},
                                          {"indent", "sort_keys", "ensure_ascii", "separators",
                                           "default", "skipkeys", "allow_nan", "check_circular",
                                           "cls"}};
    struct value v[PLACES], other;
    if (!args_bind_python(in, &SPEC, args, v, &other))
        return false;
    if (!modules_json_read_no_class(in, "dumps", v[CLS]))
        return false;
    if (other.kind != VALUE_UNSET)
        return signature_unexpected(in, TEXT("JSONEncoder.__init__"), other.as.str);
    const bool has_indent = v[INDENT].kind != VALUE_UNSET && v[INDENT].kind != VALUE_NONE;
    struct dump d = {
        .b = {.in = in},
        .in = in,
        .separators = {value_str(str_view(in, has_indent ? TEXT(",") : TEXT(", "))),
                       value_str(str_view(in, TEXT(": ")))},
        .has_indent = has_indent,
        .ascii = given_or(v[ENSURE_ASCII], true),
        .sort_keys = given_or(v[SORT_KEYS], false),
        .skip_keys = given_or(v[SKIPKEYS], false),
        .finite_only = !given_or(v[ALLOW_NAN], true),
        .fallback = v[DEFAULT]};
    const bool is_text = v[OBJ].kind == VALUE_STR;
    return d.separators[0].as.str && d.separators[1].as.str &&
           read_separators(in, v[SEPARATORS], is_text, &d) &&
           (is_text || read_indent(in, v[INDENT], &d)) && put_value(&d, v[OBJ], 0) &&
           join_pieces(&d, out);
}

const struct modules_member modules_json[] = {
    {.name = "dumps", .call = dumps},
    {.name = "loads", .call = modules_json_read_loads},
    {.name = "JSONDecodeError", .type = &exception_json_decode},
    {.name = NULL},
};
