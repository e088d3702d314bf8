/* methods_text - str methods that change case, pad, test and format. */
#include "protocol/dsl/methods.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/eval.h"
#include "protocol/dsl/format.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/type.h"
#include "protocol/dsl/unicode.h"

#include <string.h>

static bool no_arguments(struct interp *in, const struct args *args, const char *name)
{
    const struct args_spec spec = {name, 0, 0, {NULL}, {NULL}};
    return args_bind(in, &spec, args, NULL);
}

static bool put_builder(struct str_builder *b, struct value *out)
{
    *out = value_str(str_builder_str(b));
    return out->as.str != NULL;
}

/* A capital sigma is final when a letter stands before it and none behind. */
static bool sigma_is_final(const struct str *str, size_t begin, size_t end)
{
    bool before = false;
    for (size_t at = 0; at < begin;) {
        const uint32_t c = str_next(str, &at);
        if (!unicode_is(c, UNICODE_CASE_IGNORABLE))
            before = unicode_is(c, UNICODE_UPPER | UNICODE_LOWER | UNICODE_TITLE);
    }
    for (size_t at = end; before && at < str->size;) {
        const uint32_t c = str_next(str, &at);
        if (!unicode_is(c, UNICODE_CASE_IGNORABLE))
            return !unicode_is(c, UNICODE_UPPER | UNICODE_LOWER | UNICODE_TITLE);
    }
    return before;
}

static void put_lower(struct str_builder *b, const struct str *str, size_t begin, size_t *at)
{
    const uint32_t c = str_next(str, at);
    if (c == 0x130) { /* I with a dot is the one letter whose lower case is two */
        str_builder_add(b, TEXT("i\xcc\x87"));
        return;
    }
    if (c == 0x3a3 && interp_charge(b->in, str->size / 8) && sigma_is_final(str, begin, *at)) {
        str_builder_code_point(b, 0x3c2);
        return;
    }
    str_builder_code_point(b, unicode_lower(c));
}

static void put_points(struct str_builder *b, const uint32_t *points, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        str_builder_code_point(b, points[i]);
}

static bool lower(struct interp *in, const struct args *args, struct value *out)
{
    const struct str *self = args->self.as.str;
    struct str_builder b = {.in = in};
    if (!no_arguments(in, args, "lower") || !interp_charge(in, self->size / 16) ||
        !str_builder_reserve(&b, self->size))
        return false;
    for (size_t at = 0; at < self->size && !b.failed;)
        put_lower(&b, self, at, &at);
    return put_builder(&b, out);
}

static bool upper(struct interp *in, const struct args *args, struct value *out)
{
    const struct str *self = args->self.as.str;
    struct str_builder b = {.in = in};
    uint32_t points[3];
    if (!no_arguments(in, args, "upper") || !interp_charge(in, self->size / 16) ||
        !str_builder_reserve(&b, self->size))
        return false;
    for (size_t at = 0; at < self->size && !b.failed;)
        put_points(&b, points, unicode_upper(str_next(self, &at), points));
    return put_builder(&b, out);
}

/* words: every word's first letter; else only the string's. */
static bool title_any(struct interp *in, const struct str *self, bool words, struct value *out)
{
    struct str_builder b = {.in = in};
    bool inside = false;
    uint32_t points[3];
    if (!interp_charge(in, self->size / 16))
        return false;
    for (size_t at = 0; at < self->size && !b.failed;) {
        const size_t begin = at;
        size_t next = at;
        const uint32_t c = str_next(self, &next);
        if (inside) {
            put_lower(&b, self, begin, &at);
        } else {
            put_points(&b, points, unicode_title(c, points));
            at = next;
        }
        inside = !words || unicode_is(c, UNICODE_UPPER | UNICODE_LOWER | UNICODE_TITLE);
    }
    return put_builder(&b, out);
}

static bool title(struct interp *in, const struct args *args, struct value *out)
{
    return no_arguments(in, args, "title") && title_any(in, args->self.as.str, true, out);
}

static bool capitalize(struct interp *in, const struct args *args, struct value *out)
{
    return no_arguments(in, args, "capitalize") && title_any(in, args->self.as.str, false, out);
}

/* Its capitals came first, and stand for both. */
static bool is_cherokee(uint32_t capital)
{
    return capital >= 0x13a0 && capital <= 0x13f5;
}

static bool casefold(struct interp *in, const struct args *args, struct value *out)
{
    const struct str *self = args->self.as.str;
    struct str_builder b = {.in = in};
    if (!no_arguments(in, args, "casefold") || !interp_charge(in, self->size / 16))
        return false;
    for (size_t at = 0; at < self->size && !b.failed;) {
        uint32_t points[3];
        const uint32_t c = str_next(self, &at);
        const uint32_t count = unicode_upper(c, points); /* sharp s and ligatures unfold */
        for (uint32_t i = 0; count > 1 && i < count; i++)
            str_builder_code_point(&b, unicode_lower(points[i]));
        if (c == 0x130) /* the dotted I: an i, and the dot above */
            str_builder_add(&b, TEXT("i\xcc\x87"));
        else if (count ==
                 1) /* by its capital: so the long s is an s, the final sigma a sigma */
            str_builder_code_point(&b, c == 0x131               ? c
                                       : is_cherokee(points[0]) ? points[0]
                                                                : unicode_lower(points[0]));
    }
    return put_builder(&b, out);
}

static bool swapcase(struct interp *in, const struct args *args, struct value *out)
{
    const struct str *self = args->self.as.str;
    struct str_builder b = {.in = in};
    uint32_t points[3];
    if (!no_arguments(in, args, "swapcase") || !interp_charge(in, self->size / 16))
        return false;
    for (size_t at = 0; at < self->size && !b.failed;) {
        size_t next = at;
        const uint32_t c = str_next(self, &next);
        if (unicode_is(c, UNICODE_UPPER)) {
            put_lower(&b, self, at, &at);
            continue;
        }
        if (unicode_is(c, UNICODE_LOWER))
            put_points(&b, points, unicode_upper(c, points));
        else
            str_builder_code_point(&b, c);
        at = next;
    }
    return put_builder(&b, out);
}

/* Whether the string has characters and all have one of the flags. */
static bool all_are(struct interp *in, const struct args *args, const char *name,
                    uint32_t flags, struct value *out)
{
    const struct str *self = args->self.as.str;
    bool all = self->size > 0;
    if (!no_arguments(in, args, name) || !interp_charge(in, self->size / 32))
        return false;
    for (size_t at = 0; all && at < self->size;)
        all = unicode_is(str_next(self, &at), flags);
    *out = value_bool(all);
    return true;
}

#define ALL_ARE(function, name, flags)                                                         \
    static bool function(struct interp *in, const struct args *args, struct value *out)        \
    {                                                                                          \
        return all_are(in, args, name, flags, out);                                            \
    }

ALL_ARE(is_alpha, "isalpha", UNICODE_ALPHA)
ALL_ARE(is_digit, "isdigit", UNICODE_DECIMAL | UNICODE_DIGIT)
ALL_ARE(is_decimal, "isdecimal", UNICODE_DECIMAL)
ALL_ARE(is_numeric, "isnumeric", UNICODE_DECIMAL | UNICODE_DIGIT | UNICODE_NUMERIC)
ALL_ARE(is_alnum, "isalnum", UNICODE_ALNUM)
ALL_ARE(is_space, "isspace", UNICODE_SPACE)

/* At least one letter with case, and all of those in the wanted one. */
static bool case_is(struct interp *in, const struct args *args, const char *name,
                    uint32_t wanted, struct value *out)
{
    const struct str *self = args->self.as.str;
    const uint32_t unwanted = (UNICODE_UPPER | UNICODE_LOWER | UNICODE_TITLE) & ~wanted;
    bool fine = true, any = false;
    if (!no_arguments(in, args, name) || !interp_charge(in, self->size / 32))
        return false;
    for (size_t at = 0; fine && at < self->size;) {
        const uint32_t c = str_next(self, &at);
        fine = !unicode_is(c, unwanted);
        any |= unicode_is(c, wanted);
    }
    *out = value_bool(fine && any);
    return true;
}

static bool is_lower(struct interp *in, const struct args *args, struct value *out)
{
    return case_is(in, args, "islower", UNICODE_LOWER, out);
}

static bool is_upper(struct interp *in, const struct args *args, struct value *out)
{
    return case_is(in, args, "isupper", UNICODE_UPPER, out);
}

static bool is_title(struct interp *in, const struct args *args, struct value *out)
{
    const struct str *self = args->self.as.str;
    bool fine = true, any = false, inside = false;
    if (!no_arguments(in, args, "istitle") || !interp_charge(in, self->size / 32))
        return false;
    for (size_t at = 0; fine && at < self->size;) {
        const uint32_t c = str_next(self, &at);
        const bool upper_case = unicode_is(c, UNICODE_UPPER | UNICODE_TITLE);
        const bool lower_case = unicode_is(c, UNICODE_LOWER);
        fine = !(upper_case && inside) && !(lower_case && !inside);
        inside = upper_case || lower_case;
        any |= inside;
    }
    *out = value_bool(fine && any);
    return true;
}

static bool is_ascii(struct interp *in, const struct args *args, struct value *out)
{
    *out = value_bool(args->self.as.str->size == args->self.as.str->length);
    return no_arguments(in, args, "isascii");
}

static bool is_printable(struct interp *in, const struct args *args, struct value *out)
{
    const struct str *self = args->self.as.str;
    bool fine = true;
    if (!no_arguments(in, args, "isprintable") || !interp_charge(in, self->size / 32))
        return false;
    for (size_t at = 0; fine && at < self->size;)
        fine = !unicode_is(str_next(self, &at), UNICODE_HIDDEN);
    *out = value_bool(fine);
    return true;
}

static bool is_identifier(struct interp *in, const struct args *args, struct value *out)
{
    const struct str *self = args->self.as.str;
    if (!no_arguments(in, args, "isidentifier") || !interp_charge(in, self->size / 32))
        return false;
    *out = value_bool(str_is_identifier(str_text(self)));
    return true;
}

static bool fill_of(struct interp *in, struct value value, struct str **fill)
{
    if (value.kind != VALUE_STR)
        return exception_raise(in, &exception_type,
                               "The fill character must be a unicode character, not %s",
                               type_name(value));
    *fill = value.as.str;
    return (*fill)->length == 1 ||
           exception_raise(in, &exception_type,
                           "The fill character must be exactly one character long");
}

static bool pad(struct interp *in, const struct args *args, const char *name, struct value *out)
{
    const struct args_spec spec = {name, 1, 2, {NULL}, {NULL}};
    struct value values[2];
    struct str *self = args->self.as.str, *fill = NULL;
    int64_t width = 0;
    if (!args_bind(in, &spec, args, values) || !args_int(in, values[0], &width) ||
        (values[1].kind != VALUE_UNSET && !fill_of(in, values[1], &fill)))
        return false;
    const size_t length = self->length;
    *out = args->self;
    if (width <= (int64_t)length)
        return true;
    const size_t missing = (size_t)width - length;
    const size_t odd = missing & (size_t)width & 1; /* as CPython centres */
    const size_t left = name[0] == 'c' ? missing / 2 + odd : name[0] == 'r' ? missing : 0;
    size_t at = 0;
    const uint32_t c = fill ? str_next(fill, &at) : ' ';
    struct str_builder b = {.in = in};
    str_builder_fill(&b, c, left);
    str_builder_add(&b, str_text(self));
    str_builder_fill(&b, c, missing - left);
    return put_builder(&b, out);
}

static bool center(struct interp *in, const struct args *args, struct value *out)
{
    return pad(in, args, "center", out);
}

static bool ljust(struct interp *in, const struct args *args, struct value *out)
{
    return pad(in, args, "ljust", out);
}

static bool rjust(struct interp *in, const struct args *args, struct value *out)
{
    return pad(in, args, "rjust", out);
}

static bool zfill(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"zfill", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    struct str *self = args->self.as.str;
    int64_t width = 0;
    if (!args_bind(in, &SPEC, args, values) || !args_int(in, values[0], &width))
        return false;
    *out = args->self;
    if (width <= (int64_t)self->length)
        return true;
    const bool sign = self->size > 0 && (self->data[0] == '+' || self->data[0] == '-');
    struct str_builder b = {.in = in};
    str_builder_add(&b, text_slice(str_text(self), 0, sign));
    str_builder_fill(&b, '0', (size_t)width - self->length);
    str_builder_add(&b, text_slice(str_text(self), sign, self->size));
    return put_builder(&b, out);
}

static bool expandtabs(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"expandtabs", 0, 1, {"tabsize"}, {NULL}};
    struct value values[1];
    const struct str *self = args->self.as.str;
    struct str_builder b = {.in = in};
    int64_t tab = 8, column = 0;
    if (!args_bind(in, &SPEC, args, values) || !args_c_int(in, values[0], &tab))
        return false;
    for (size_t at = 0; at < self->size && !b.failed;) {
        const uint32_t c = str_next(self, &at);
        if (c == '\t') {
            const int64_t count = tab > 0 ? tab - column % tab : 0;
            str_builder_fill(&b, ' ', (size_t)count);
            column += count;
            continue;
        }
        str_builder_code_point(&b, c);
        column = c == '\n' || c == '\r' ? 0 : column + 1;
    }
    return interp_charge(in, self->size / 32) && put_builder(&b, out);
}

static bool format(struct interp *in, const struct args *args, struct value *out)
{
    *out = value_str(format_braces(in, args->self.as.str, args));
    return out->as.str != NULL;
}

static bool format_mapping(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"str.format_map", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    *out = value_str(format_map(in, args->self.as.str, values[0]));
    return out->as.str != NULL;
}

static bool map_key(struct interp *in, struct value key, struct value *out)
{
    size_t at = 0;
    *out = key;
    if (key.kind == VALUE_STR && key.as.str->length == 1)
        *out = value_int(str_next(key.as.str, &at));
    return out->kind == VALUE_INT ||
           exception_raise(in, &exception_value,
                           "string keys in translate table must be of length 1");
}

/* str.maketrans(x[, y[, z]]) */
static bool maketrans(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"maketrans", 1, 3, {NULL}, {NULL}};
    struct value values[3], key;
    struct dict *map = dict_new(in);
    uint32_t at = 0;
    *out = value_dict(map);
    if (!map || !args_bind(in, &SPEC, args, values))
        return false;
    if (values[1].kind == VALUE_UNSET && values[0].kind == VALUE_DICT) {
        for (const struct dict_entry *e; (e = dict_next(values[0].as.dict, &at)) != NULL;)
            if (!map_key(in, e->key, &key) || !dict_set(in, map, key, e->value))
                return false;
        return true;
    }
    struct str *from = NULL, *to = NULL, *gone = NULL;
    if (values[1].kind == VALUE_UNSET)
        return exception_raise(in, &exception_type,
                               "if you give only one argument to maketrans it must be a dict");
    if (!args_str(in, values[1], "maketrans() argument 2", &to) ||
        !args_str(in, values[2], "maketrans() argument 3", &gone))
        return false;
    if (values[0].kind != VALUE_STR)
        return exception_raise(in, &exception_type,
                               "first maketrans argument must be a string if there is a second "
                               "argument");
    from = values[0].as.str;
    if (!to || from->length != to->length)
        return exception_raise(in, &exception_value,
                               "the first two maketrans arguments must have equal length");
    for (size_t i = 0, j = 0; i < from->size;) {
        key = value_int(str_next(from, &i));
        if (!dict_set(in, map, key, value_int(str_next(to, &j))))
            return false;
    }
    for (size_t i = 0; gone && i < gone->size;)
        if (!dict_set(in, map, value_int(str_next(gone, &i)), value_none()))
            return false;
    return true;
}

/* What a character becomes in anything that has an index: itself where that has no such. */
static bool look_up(struct interp *in, struct value table, struct value *to)
{
    const struct value key = *to;
    struct value found;
    if (eval_get_item(in, table, key, &found))
        *to = found;
    else if (in->out_of_budget || !exception_is_a(in->raised, &exception_lookup))
        return false;
    in->raised = NULL;
    const bool is_code = number_is_int(*to);
    const int64_t code = is_code ? number_integer(*to) : 0;
    if (is_code && (code < 0 || code > 0x10ffff))
        return exception_raise(in, &exception_value,
                               "character mapping must be in range(0x110000)");
    if (is_code && code >= 0xd800 && code < 0xe000)
        return exception_raise(in, &exception_value, "a surrogate is no character");
    return is_code || to->kind == VALUE_STR || to->kind == VALUE_NONE ||
           exception_raise(in, &exception_type,
                           "character mapping must return integer, None or str");
}

static bool translate(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"translate", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    const struct str *self = args->self.as.str;
    struct str_builder b = {.in = in};
    if (!args_bind(in, &SPEC, args, values))
        return false;
    for (size_t at = 0; at < self->size && !b.failed;) {
        const uint32_t c = str_next(self, &at);
        struct value to = value_int(c);
        if (!interp_charge(in, 1) || !look_up(in, values[0], &to))
            return false;
        if (to.kind == VALUE_STR)
            str_builder_add(&b, str_text(to.as.str));
        else if (to.kind == VALUE_INT || to.kind == VALUE_BOOL)
            str_builder_code_point(&b, (uint32_t)number_integer(to));
    }
    return put_builder(&b, out);
}

const struct methods_row methods_text_table[] = {
    {"lower", lower},
    {"upper", upper},
    {"title", title},
    {"format", format},
    {"format_map", format_mapping},
    {"capitalize", capitalize},
    {"casefold", casefold},
    {"swapcase", swapcase},
    {"isalpha", is_alpha},
    {"isdigit", is_digit},
    {"isdecimal", is_decimal},
    {"isnumeric", is_numeric},
    {"isalnum", is_alnum},
    {"isspace", is_space},
    {"islower", is_lower},
    {"isupper", is_upper},
    {"istitle", is_title},
    {"isascii", is_ascii},
    {"isprintable", is_printable},
    {"isidentifier", is_identifier},
    {"center", center},
    {"ljust", ljust},
    {"rjust", rjust},
    {"zfill", zfill},
    {"expandtabs", expandtabs},
    {"maketrans", maketrans},
    {"translate", translate},
    {NULL, NULL},
};
