/* format - see format.h. */
#include "protocol/dsl/format.h"

#include "protocol/dsl/attribute.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/eval.h"
#include "protocol/dsl/format_spec.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/repr.h"
#include "protocol/dsl/type.h"
#include "protocol/dsl/unicode.h"

#include <string.h>

struct str *format_convert(struct interp *in, struct value value, char conversion)
{
    return conversion == 'r'   ? repr_of(in, value)
           : conversion == 'a' ? repr_ascii(in, value)
                               : repr_str(in, value);
}

struct str *format_value(struct interp *in, struct value value, struct text text)
{
    struct str_builder b = {.in = in};
    struct format_spec spec;
    bool fine = false;
    if (text.size == 0)
        return repr_str(in, value);
    if (!number_is(value) && value.kind != VALUE_STR) {
        exception_raise(in, &exception_type,
                        "unsupported format string passed to %s.__format__", type_name(value));
        return NULL;
    }
    if (!format_spec_parse(in, text, type_name(value), &spec))
        return NULL;
    if (value.kind == VALUE_STR)
        fine = format_spec_str(&b, &spec, value.as.str);
    else if (value.kind == VALUE_FLOAT)
        fine = format_spec_float(&b, &spec, value.as.real);
    else
        fine = format_spec_int(&b, &spec, type_name(value), number_integer(value));
    return fine ? str_builder_str(&b) : NULL;
}

/* The arguments of a % as they are taken. */
struct percent {
    struct interp *in;
    struct value argument;
    const struct list *tuple; /* NULL: one argument */
    uint32_t next;
};

static bool percent_next(struct percent *p, struct value *out)
{
    const uint32_t count = p->tuple ? p->tuple->count : 1;
    if (p->next >= count)
        return exception_raise(p->in, &exception_type,
                               "not enough arguments for format string");
    *out = p->tuple ? p->tuple->items[p->next] : p->argument;
    p->next++;
    return true;
}

/* A number, or * for the next argument. */
static bool percent_size(struct percent *p, struct text format, size_t *at, int64_t *out)
{
    struct value value;
    if (*at < format.size && format.data[*at] == '*') {
        ++*at;
        if (!percent_next(p, &value))
            return false;
        if (!number_is_int(value))
            return exception_raise(p->in, &exception_type, "* wants int");
        *out = number_integer(value);
        return true;
    }
    *out = 0;
    while (*at < format.size && format.data[*at] >= '0' && format.data[*at] <= '9' &&
           *out <= FORMAT_SPEC_WIDTH_MAX)
        *out = *out * 10 + (format.data[(*at)++] - '0');
    return true;
}

/* %(name)s */
static bool percent_name(struct percent *p, struct text format, size_t *at, struct value *out)
{
    const size_t end = text_find(format, TEXT(")"), *at);
    if (end == SIZE_MAX)
        return exception_raise(p->in, &exception_value, "incomplete format key");
    if (p->argument.kind != VALUE_DICT)
        return exception_raise(p->in, &exception_type, "format requires a mapping");
    struct str *name = str_copy(p->in, text_slice(format, *at + 1, end));
    *at = end + 1;
    p->next = 1; /* the whole dict counts as used */
    return name && eval_get_item(p->in, p->argument, value_str(name), out);
}

static bool percent_put(struct percent *p, struct str_builder *b, struct format_spec *spec,
                        struct value value)
{
    struct value whole = value;
    if (strchr("rsac", spec->type)) { /* for numbers alone */
        spec->sign = 0;
        spec->alternate = false;
    }
    switch (spec->type) {
    case 'r':
    case 's':
    case 'a': {
        struct str *text = format_convert(p->in, value, spec->type);
        spec->type = 's';
        if (spec->fill == '0') { /* zeros are for numbers */
            spec->fill = ' ';
            spec->align = '>';
        }
        return text && format_spec_str(b, spec, text);
    }
    case 'c':
        if (value.kind == VALUE_STR && value.as.str->length == 1) {
            spec->type = 's';
            return format_spec_str(b, spec, value.as.str);
        }
        if (!number_is_int(value))
            return exception_raise(p->in, &exception_type, "%%c requires int or char");
        spec->precision = -1;
        return format_spec_int(b, spec, "int", number_integer(value));
    default:
        break;
    }
    const bool real = strchr("eEfFgG", spec->type) != NULL;
    if (!number_is(value) && real)
        return exception_raise(p->in, &exception_type, "must be real number, not %s",
                               type_name(value));
    const bool radix = strchr("xXo", spec->type) != NULL;
    if (!number_is(value) || (radix && !number_is_int(value)))
        return exception_raise(p->in, &exception_type, "%%%c format: %s is required, not %s",
                               spec->type, radix ? "an integer" : "a real number",
                               type_name(value));
    if (real)
        return format_spec_float(b, spec, number_real(value));
    if (value.kind == VALUE_FLOAT && !number_truncate(p->in, value.as.real, &whole))
        return false;
    spec->precision = -1;
    return format_spec_int(b, spec, "int", number_integer(whole));
}

static void percent_flags(struct text format, size_t *at, struct format_spec *spec)
{
    bool left = false, zero = false;
    for (; *at < format.size && format.data[*at] && strchr("-+ #0", format.data[*at]); ++*at) {
        const char flag = format.data[*at];
        left |= flag == '-';
        zero |= flag == '0';
        spec->alternate |= flag == '#';
        if (flag == '+' || (flag == ' ' && spec->sign == 0))
            spec->sign = flag;
    }
    spec->align = left ? '<' : zero ? '=' : '>';
    spec->fill = zero && !left ? '0' : ' ';
}

/* One conversion; *at is past the percent sign. */
static bool percent_one(struct percent *p, struct str_builder *b, struct text format,
                        size_t *at)
{
    struct format_spec spec = {.fill = ' ', .precision = -1};
    struct value value = {.kind = VALUE_UNSET};
    if (*at < format.size && format.data[*at] == '(' && !percent_name(p, format, at, &value))
        return false;
    percent_flags(format, at, &spec);
    if (!percent_size(p, format, at, &spec.width))
        return false;
    if (spec.width < 0) {
        spec.align = '<';
        spec.width = -spec.width;
    }
    if (*at < format.size && format.data[*at] == '.') {
        ++*at;
        if (!percent_size(p, format, at, &spec.precision))
            return false;
    }
    if (*at >= format.size)
        return exception_raise(p->in, &exception_value, "incomplete format");
    const size_t index = str_count(text_slice(format, 0, *at));
    const uint32_t type = text_utf8_next(format, at);
    if (type == '%') {
        str_builder_byte(b, '%');
        return true;
    }
    if (value.kind == VALUE_UNSET && !percent_next(p, &value))
        return false;
    if (type == 0 || type >= 0x80 || !strchr("diuoxXeEfFgGcrsa", (char)type))
        return exception_raise(p->in, &exception_value,
                               "unsupported format character '%c' (0x%x) at index %zu",
                               type > 30 && type < 127 ? (int)type : '?', type, index);
    spec.type = (char)type;
    if (strchr("iu", spec.type))
        spec.type = 'd';
    return percent_put(p, b, &spec, value);
}

struct str *format_percent(struct interp *in, struct str *format, struct value argument)
{
    struct percent p = {.in = in, .argument = argument};
    struct str_builder b = {.in = in};
    const struct text text = str_text(format);
    if (argument.kind == VALUE_TUPLE)
        p.tuple = argument.as.list;
    for (size_t at = 0; at < text.size;) {
        const size_t sign = text_find(text, TEXT("%"), at);
        const size_t end = sign == SIZE_MAX ? text.size : sign;
        str_builder_add(&b, text_slice(text, at, end));
        at = end + 1;
        if (sign != SIZE_MAX && !percent_one(&p, &b, text, &at))
            return NULL;
    }
    const bool mapping = argument.kind == VALUE_DICT || argument.kind == VALUE_LIST ||
                         argument.kind == VALUE_MATCH ||
                         argument.kind == VALUE_RANGE; /* what %(name)s may look in */
    const uint32_t count = p.tuple ? p.tuple->count : mapping ? 0 : 1;
    if (p.next < count) {
        exception_raise(in, &exception_type,
                        "not all arguments converted during string formatting");
        return NULL;
    }
    return str_builder_str(&b);
}

/* str.format as it goes through its fields. */
struct braces {
    struct interp *in;
    const struct args *args;
    const struct value *map; /* of format_map, else NULL */
    uint32_t next;
    bool automatic, numbered;
};

static const char MANUAL[] = "manual field specification";
static const char AUTOMATIC[] = "automatic field numbering";

static bool braces_fail(const struct braces *f, const char *words)
{
    return exception_raise(f->in, &exception_value, "%s", words);
}

/* A name that is a number, of any script's digits; -1 when it is another name. */
static bool braces_number(const struct braces *f, struct text name, int64_t *number)
{
    size_t at = 0;
    *number = -1;
    for (size_t next = 0; next < name.size;) /* no digits, no fault */
        if (unicode_digit(text_utf8_next(name, &next)) < 0)
            return true;
    return name.size == 0 || format_spec_number(f->in, name, &at, number);
}

/* What a field stands for: by its place, or the next one; by its name; what a mapping has. */
static bool braces_argument(struct braces *f, struct text name, struct value *out)
{
    int64_t index;
    if (!braces_number(f, name, &index))
        return false;
    if (name.size == 0 || index >= 0) {
        *(name.size == 0 ? &f->automatic : &f->numbered) = true;
        if (f->automatic && f->numbered)
            return exception_raise(f->in, &exception_value, "cannot switch from %s to %s",
                                   name.size == 0 ? MANUAL : AUTOMATIC,
                                   name.size == 0 ? AUTOMATIC : MANUAL);
        if (name.size == 0)
            index = f->next++;
        if (f->map)
            return braces_fail(f, "Format string contains positional fields");
        if (index >= f->args->count)
            return exception_raise(f->in, &exception_index,
                                   "Replacement index %lld out of range for positional args "
                                   "tuple",
                                   (long long)index);
        *out = f->args->values[index];
        return true;
    }
    struct str *key = str_copy(f->in, name);
    if (!key)
        return false;
    if (f->map)
        return eval_get_item(f->in, *f->map, value_str(key), out);
    for (uint32_t i = 0; i < f->args->named_count; i++)
        if (f->args->names[i] && str_equal(f->args->names[i], key)) {
            *out = f->args->named[i];
            return true;
        }
    return exception_raise_value(f->in, &exception_key, value_str(key));
}

/* One .name or [index]; *at moves behind it. */
static bool braces_step(struct braces *f, struct text path, size_t *at, struct value *value)
{
    const bool item = path.data[*at] == '[';
    const size_t begin = *at + 1;
    size_t end = begin;
    int64_t number = -1;
    if (!item && path.data[*at] != '.')
        return braces_fail(f, "Only '.' or '[' may follow ']' in format field specifier");
    while (end < path.size &&
           (item ? path.data[end] != ']' : path.data[end] != '.' && path.data[end] != '['))
        end++;
    if (item && end == path.size)
        return braces_fail(f, "Missing ']' in format string");
    *at = end + item;
    if (end == begin)
        return braces_fail(f, "Empty attribute in format string");
    struct str *name = str_copy(f->in, text_slice(path, begin, end));
    if (!name || (item && !braces_number(f, str_text(name), &number)))
        return false;
    if (text_starts(str_text(name), TEXT("__")))
        return exception_raise(f->in, &exception_attribute,
                               "the attribute %.*s is not available", TEXT_ARG(str_text(name)));
    return item ? eval_get_item(f->in, *value,
                                number >= 0 ? value_int(number) : value_str(name), value)
                : attribute_get(f->in, *value, name, value);
}

/* A field taken apart: name!conversion:spec. */
struct field {
    struct text name, spec;
    uint32_t conversion; /* 0: none */
    bool nested;         /* there are fields in the spec */
};

/* The end of a field's name: where } ! or : stands, but not within [ ], or of the text. */
static size_t name_end(struct text text, size_t at)
{
    bool inside = false;
    for (; at < text.size; at++) {
        const char c = text.data[at];
        if (!inside && (c == '}' || c == '!' || c == ':' || c == '{'))
            break;
        inside = inside ? c != ']' : c == '[';
    }
    return at;
}

/* The spec up to the bracket that closes the field; *at moves behind it. */
static bool read_spec(const struct braces *f, struct text text, size_t *at, struct field *field)
{
    const size_t begin = *at;
    uint32_t open = 1;
    while (*at < text.size) {
        const char c = text.data[(*at)++];
        field->nested |= c == '{';
        open += c == '{';
        open -= c == '}';
        if (open == 0) {
            field->spec = text_slice(text, begin, *at - 1);
            return true;
        }
    }
    return braces_fail(f, "unmatched '{' in format spec");
}

/* *at stands behind the opening bracket, and moves behind the closing one. */
static bool read_field(const struct braces *f, struct text text, size_t *at,
                       struct field *field)
{
    const size_t end = name_end(text, *at);
    const char stop = end < text.size ? text.data[end] : '\0';
    *field = (struct field){.name = text_slice(text, *at, end)};
    *at = end + 1;
    if (stop == '{')
        return braces_fail(f, "unexpected '{' in field name");
    if (stop == '}')
        return true;
    if (stop == '\0')
        return braces_fail(f, "expected '}' before end of string");
    if (stop == ':')
        return read_spec(f, text, at, field);
    if (*at >= text.size)
        return braces_fail(f, "end of string while looking for conversion specifier");
    field->conversion = text_utf8_next(text, at);
    if (*at < text.size && text.data[*at] == '}') {
        ++*at;
        return true;
    }
    if (*at < text.size && text.data[(*at)++] != ':')
        return braces_fail(f, "expected ':' after conversion specifier");
    return read_spec(f, text, at, field);
}

static bool convert_field(const struct braces *f, uint32_t conversion, struct value *value)
{
    if (conversion == 0)
        return true;
    if (conversion != 'r' && conversion != 's' && conversion != 'a')
        return exception_raise(f->in, &exception_value,
                               conversion > 32 && conversion < 127
                                   ? "Unknown conversion specifier %c"
                                   : "Unknown conversion specifier \\x%x",
                               conversion);
    *value = value_str(format_convert(f->in, *value, (char)conversion));
    return value->as.str != NULL;
}

static bool braces_write(struct braces *f, struct str_builder *b, struct text text,
                         uint32_t depth);

static bool braces_field(struct braces *f, struct str_builder *b, const struct field *field,
                         uint32_t depth)
{
    const struct text name = field->name;
    struct str_builder nested = {.in = f->in};
    struct text spec = field->spec;
    struct value value;
    size_t first = 0;
    while (first < name.size && name.data[first] != '.' && name.data[first] != '[')
        first++;
    if (!braces_argument(f, text_slice(name, 0, first), &value))
        return false;
    for (size_t at = first; at < name.size;)
        if (!braces_step(f, name, &at, &value))
            return false;
    if (!convert_field(f, field->conversion, &value))
        return false;
    if (field->nested) {
        if (!braces_write(f, &nested, spec, depth + 1))
            return false;
        spec = (struct text){nested.data, nested.size};
    }
    const struct str *out = format_value(f->in, value, spec);
    if (!out)
        return false;
    str_builder_add(b, str_text(out));
    return !b->failed;
}

static bool braces_write(struct braces *f, struct str_builder *b, struct text text,
                         uint32_t depth)
{
    if (depth > 1)
        return braces_fail(f, "Max string recursion exceeded");
    for (size_t at = 0; at < text.size && !b->failed;) {
        const char c = text.data[at++];
        struct field field;
        if ((c != '{' && c != '}') || (at < text.size && text.data[at] == c)) {
            at += c == '{' || c == '}';
            str_builder_byte(b, c);
            continue;
        }
        if (c == '}' || at == text.size)
            return braces_fail(f, c == '}' ? "Single '}' encountered in format string"
                                           : "Single '{' encountered in format string");
        if (!interp_charge(f->in, 2) || !read_field(f, text, &at, &field) ||
            !braces_field(f, b, &field, depth))
            return false;
    }
    return !b->failed;
}

struct str *format_braces(struct interp *in, struct str *format, const struct args *args)
{
    struct braces f = {.in = in, .args = args};
    struct str_builder b = {.in = in};
    return braces_write(&f, &b, str_text(format), 0) ? str_builder_str(&b) : NULL;
}

struct str *format_map(struct interp *in, struct str *format, struct value map)
{
    struct braces f = {.in = in, .map = &map};
    struct str_builder b = {.in = in};
    return braces_write(&f, &b, str_text(format), 0) ? str_builder_str(&b) : NULL;
}
