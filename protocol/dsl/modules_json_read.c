/* modules_json_read - see modules_json_read.h. */
#include "protocol/dsl/modules_json_read.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/compare.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/eval.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/signature.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/type.h"

#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 400 };

/* What is called with what was read: its text, or the object. Unset: nothing. */
enum hook { ON_FLOAT, ON_INT, ON_CONSTANT, ON_OBJECT, ON_PAIRS, HOOKS };

struct reader {
    struct interp *in;
    struct str *source;
    struct text text;
    size_t at;
    uint32_t depth;
    bool strict; /* no control characters in strings */
    struct value hooks[HOOKS];
};

static bool is_set(struct value hook)
{
    return hook.kind != VALUE_UNSET;
}

static bool call_hook(const struct reader *r, enum hook hook, struct value given,
                      struct value *out)
{
    const struct args args = {.values = &given, .count = 1};
    return eval_call_value(r->in, r->hooks[hook], &args, out);
}

static bool add_extra(struct interp *in, struct dict *extra, const char *name,
                      struct value value)
{
    struct str *key = str_view(in, text_of(name));
    return key && dict_set(in, extra, value_str(key), value);
}

/* JSONDecodeError: what, and where in lines, columns and code points. */
static bool fail(struct reader *r, const char *what, size_t byte)
{
    struct interp *in = r->in;
    size_t line = 1, line_begin = 0;
    for (size_t i = 0; i < byte; i++)
        if (r->text.data[i] == '\n') {
            line++;
            line_begin = i + 1;
        }
    const size_t at = str_index_of(in, r->source, byte);
    const size_t column = str_count(text_slice(r->text, line_begin, byte)) + 1;
    struct dict *extra = dict_new(in);
    struct str *message = str_view(in, text_of(what));
    if (!interp_charge(in, byte / 64) || !extra || !message)
        return false;
    exception_raise(in, &exception_json_decode, "%s: line %zu column %zu (char %zu)", what,
                    line, column, at);
    if (!in->raised || !add_extra(in, extra, "msg", value_str(message)) ||
        !add_extra(in, extra, "doc", value_str(r->source)) ||
        !add_extra(in, extra, "pos", value_int((int64_t)at)) ||
        !add_extra(in, extra, "lineno", value_int((int64_t)line)) ||
        !add_extra(in, extra, "colno", value_int((int64_t)column)))
        return false;
    in->raised->extra = extra;
    return false;
}

static char peek(const struct reader *r)
{
    return r->at < r->text.size ? r->text.data[r->at] : '\0';
}

static void skip_space(struct reader *r)
{
    while (r->at < r->text.size && strchr(" \t\n\r", r->text.data[r->at]) && peek(r))
        r->at++;
}

static bool read_value(struct reader *r, struct value *out);

static bool read_hex(struct reader *r, size_t slash, uint32_t *out)
{
    uint32_t value = 0;
    for (size_t i = 0; i < 4; i++) {
        const char c = r->at + i < r->text.size ? r->text.data[r->at + i] : '\0';
        const char lower = (char)(c | 0x20);
        const bool digit = c >= '0' && c <= '9';
        if (!digit && !(lower >= 'a' && lower <= 'f'))
            return fail(r, "Invalid \\uXXXX escape", slash + 1);
        value = value * 16 + (uint32_t)(digit ? c - '0' : lower - 'a' + 10);
    }
    r->at += 4;
    *out = value;
    return true;
}

/* One escape; at stands behind the backslash. */
static bool read_escape(struct reader *r, struct str_builder *b)
{
    static const char FROM[] = "\"\\/bfnrt", TO[] = "\"\\/\b\f\n\r\t";
    const size_t slash = r->at - 1;
    const char c = peek(r);
    const char *simple = c ? strchr(FROM, c) : NULL;
    uint32_t code_point, low;
    r->at++;
    if (simple) {
        str_builder_byte(b, TO[simple - FROM]);
        return true;
    }
    if (c != 'u')
        return fail(r, "Invalid \\escape", slash);
    if (!read_hex(r, slash, &code_point))
        return false;
    if (code_point >= 0xd800 && code_point < 0xdc00 && peek(r) == '\\' &&
        r->at + 1 < r->text.size && r->text.data[r->at + 1] == 'u') {
        const size_t second = r->at;
        r->at += 2;
        if (!read_hex(r, second, &low))
            return false;
        if (low >= 0xdc00 && low < 0xe000)
            code_point = 0x10000 + ((code_point - 0xd800) << 10) + (low - 0xdc00);
        else
            r->at = second;
    }
    const bool surrogate = code_point >= 0xd800 && code_point < 0xe000;
    str_builder_code_point(b, surrogate ? 0xfffd : code_point); /* a str here is UTF-8 */
    return true;
}

/* at stands behind the opening quote. */
static bool read_string(struct reader *r, struct str **out)
{
    const size_t begin = r->at - 1;
    struct str_builder b = {.in = r->in};
    while (!b.failed) {
        const size_t from = r->at;
        while (r->at < r->text.size && r->text.data[r->at] != '"' &&
               r->text.data[r->at] != '\\' &&
               (!r->strict || (uint8_t)r->text.data[r->at] >= 0x20))
            r->at++;
        str_builder_add(&b, text_slice(r->text, from, r->at));
        if (r->at >= r->text.size)
            return fail(r, "Unterminated string starting at", begin);
        const char c = r->text.data[r->at++];
        if (c == '"')
            break;
        if (c != '\\')
            return fail(r, "Invalid control character at", r->at - 1);
        if (r->at >= r->text.size)
            return fail(r, "Unterminated string starting at", begin);
        if (!read_escape(r, &b))
            return false;
    }
    *out = str_builder_str(&b);
    return *out != NULL;
}

static size_t digits_at(const struct reader *r, size_t at)
{
    size_t count = 0;
    while (at + count < r->text.size && r->text.data[at + count] >= '0' &&
           r->text.data[at + count] <= '9')
        count++;
    return count;
}

static bool read_number(struct reader *r, struct value *out)
{
    const size_t begin = r->at;
    size_t at = begin + (peek(r) == '-');
    bool real = false;
    const size_t whole = digits_at(r, at);
    if (whole == 0)
        return fail(r, "Expecting value", begin);
    at += r->text.data[at] == '0' ? 1 : whole;
    if (at < r->text.size && r->text.data[at] == '.' && digits_at(r, at + 1) > 0) {
        at += 1 + digits_at(r, at + 1);
        real = true;
    }
    if (at < r->text.size && (r->text.data[at] | 0x20) == 'e') {
        size_t exponent = at + 1;
        exponent += exponent < r->text.size &&
                    (r->text.data[exponent] == '-' || r->text.data[exponent] == '+');
        const size_t count = digits_at(r, exponent);
        real |= count > 0;
        at = count > 0 ? exponent + count : at;
    }
    struct str *digits = str_span(r->in, r->source, begin, at);
    r->at = at;
    if (digits && is_set(r->hooks[real ? ON_FLOAT : ON_INT]))
        return call_hook(r, real ? ON_FLOAT : ON_INT, value_str(digits), out);
    return digits && (real ? number_parse_float(r->in, digits, out)
                           : number_parse_int(r->in, digits, 10, out));
}

static bool read_array(struct reader *r, struct value *out)
{
    struct list *list = list_new(r->in, 0);
    *out = value_list(list);
    skip_space(r);
    if (peek(r) == ']') {
        r->at++;
        return list != NULL;
    }
    while (list) {
        struct value item;
        if (!read_value(r, &item) || !list_push(r->in, list, item))
            return false;
        skip_space(r);
        const char c = peek(r);
        if (c == ']') {
            r->at++;
            return true;
        }
        if (c != ',')
            return fail(r, "Expecting ',' delimiter", r->at);
        r->at++;
        skip_space(r);
    }
    return false;
}

/* Pairs are kept for a hook that wants them all, though keys come twice. */
static bool keep_pair(const struct reader *r, struct dict *dict, struct list *pairs,
                      const struct value pair[2])
{
    if (!pairs)
        return dict_set(r->in, dict, pair[0], pair[1]);
    struct list *both = list_of(r->in, pair, 2);
    return both && list_push(r->in, pairs, value_tuple(both));
}

static bool read_member(struct reader *r, struct dict *dict, struct list *pairs)
{
    struct str *key;
    struct value pair[2];
    if (peek(r) != '"')
        return fail(r, "Expecting property name enclosed in double quotes", r->at);
    r->at++;
    if (!read_string(r, &key))
        return false;
    skip_space(r);
    if (peek(r) != ':')
        return fail(r, "Expecting ':' delimiter", r->at);
    r->at++;
    skip_space(r);
    pair[0] = value_str(key);
    return read_value(r, &pair[1]) && keep_pair(r, dict, pairs, pair);
}

static bool read_members(struct reader *r, struct dict *dict, struct list *pairs)
{
    skip_space(r);
    if (peek(r) == '}') {
        r->at++;
        return true;
    }
    for (;;) {
        if (!read_member(r, dict, pairs))
            return false;
        skip_space(r);
        const char c = peek(r);
        if (c == '}') {
            r->at++;
            return true;
        }
        if (c != ',')
            return fail(r, "Expecting ',' delimiter", r->at);
        const size_t comma = r->at++;
        skip_space(r);
        if (peek(r) != '"') /* 3.11 points behind the comma's white space */
            return fail(r, "Expecting property name enclosed in double quotes",
                        r->at > comma ? r->at : comma);
    }
}

static bool read_object(struct reader *r, struct value *out)
{
    const bool as_pairs = is_set(r->hooks[ON_PAIRS]);
    struct dict *dict = dict_new(r->in);
    struct list *pairs = as_pairs ? list_new(r->in, 0) : NULL;
    if (!dict || (as_pairs && !pairs) || !read_members(r, dict, pairs))
        return false;
    *out = value_dict(dict);
    return as_pairs                      ? call_hook(r, ON_PAIRS, value_list(pairs), out)
           : is_set(r->hooks[ON_OBJECT]) ? call_hook(r, ON_OBJECT, *out, out)
                                         : true;
}

static bool read_word(struct reader *r, struct value *out)
{
    static const struct {
        const char *word;
        struct value value;
    } WORDS[] = {
        {"null", {.kind = VALUE_NONE}},
        {"true", {.kind = VALUE_BOOL, .as.boolean = true}},
        {"false", {.kind = VALUE_BOOL}},
        {"NaN", {.kind = VALUE_FLOAT, .as.real = __builtin_nan("")}},
        {"Infinity", {.kind = VALUE_FLOAT, .as.real = __builtin_inf()}},
        {"-Infinity", {.kind = VALUE_FLOAT, .as.real = -__builtin_inf()}},
    };
    const struct text rest = text_slice(r->text, r->at, r->text.size);
    for (size_t i = 0; i < sizeof WORDS / sizeof WORDS[0]; i++) {
        if (!text_starts(rest, text_of(WORDS[i].word)))
            continue;
        *out = WORDS[i].value;
        r->at += strlen(WORDS[i].word);
        if (out->kind != VALUE_FLOAT || !is_set(r->hooks[ON_CONSTANT]))
            return true;
        struct str *word = str_view(r->in, text_of(WORDS[i].word));
        return word && call_hook(r, ON_CONSTANT, value_str(word), out);
    }
    return read_number(r, out);
}

static bool read_value(struct reader *r, struct value *out)
{
    struct str *string;
    if (!interp_charge(r->in, 1))
        return false;
    if (r->depth >= DEPTH_MAX)
        return exception_raise(r->in, &exception_recursion,
                               "maximum recursion depth exceeded while decoding a JSON "
                               "document");
    switch (peek(r)) {
    case '"':
        r->at++;
        if (!read_string(r, &string))
            return false;
        *out = value_str(string);
        return true;
    case '[':
    case '{': {
        const bool array = r->text.data[r->at++] == '[';
        if (!interp_enter(r->in)) /* a hook may read, too */
            return false;
        r->depth++;
        const bool fine = array ? read_array(r, out) : read_object(r, out);
        r->depth--;
        interp_leave(r->in);
        return fine;
    }
    default:
        return read_word(r, out);
    }
}

/* None as a hook is none. For numbers anything false is, and the types they have anyway. */
static void set_hook(struct reader *r, enum hook hook, struct value value)
{
    static const struct type *const OWN[HOOKS] = {&type_float, &type_int};
    const bool is_own = value.kind == VALUE_TYPE && value.as.type == OWN[hook];
    if (value.kind == VALUE_NONE || is_own || (hook < ON_OBJECT && !compare_truth(value)))
        value.kind = VALUE_UNSET;
    r->hooks[hook] = value;
}

bool modules_json_read_no_class(struct interp *in, const char *function, struct value cls)
{
    return cls.kind == VALUE_UNSET || cls.kind == VALUE_NONE ||
           exception_raise(in, &exception_type,
                           "json.%s() has no cls here: there are no classes of one's own",
                           function);
}

bool modules_json_read_loads(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"loads",
                                          1,
                                          1,
                                          {"s"},
                                          {"parse_float", "parse_int", "parse_constant",
                                           "object_hook", "object_pairs_hook", "strict",
                                           "cls"}};
    struct value values[8], other;
    if (!args_bind_python(in, &SPEC, args, values, &other))
        return false;
    if (values[0].kind != VALUE_STR)
        return exception_raise(in, &exception_type,
                               "the JSON object must be str, bytes or bytearray, not %s",
                               type_of(values[0])->name);
    struct reader r = {.in = in, .source = values[0].as.str};
    r.text = str_text(r.source);
    if (text_starts(r.text, TEXT("\xef\xbb\xbf")))
        return fail(&r, "Unexpected UTF-8 BOM (decode using utf-8-sig)", 0);
    if (!modules_json_read_no_class(in, "loads", values[7]))
        return false;
    if (other.kind != VALUE_UNSET)
        return signature_unexpected(in, TEXT("JSONDecoder.__init__"), other.as.str);
    for (enum hook hook = 0; hook < HOOKS; hook++)
        set_hook(&r, hook, values[1 + hook]);
    r.strict = values[6].kind == VALUE_UNSET || compare_truth(values[6]);
    skip_space(&r);
    if (!read_value(&r, out))
        return false;
    skip_space(&r);
    return r.at == r.text.size || fail(&r, "Extra data", r.at);
}
