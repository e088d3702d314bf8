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
    spec.type = format.data[(*at)++];
    if (spec.type == '%') {
        str_builder_byte(b, '%');
        return true;
    }
    if (!strchr("diuoxXeEfFgGcrsa", spec.type) || spec.type == '\0')
        return exception_raise(p->in, &exception_value,
                               "unsupported format character '%c' (0x%x) at index %zu",
                               spec.type, (unsigned)(uint8_t)spec.type, *at - 1);
    if (strchr("iu", spec.type))
        spec.type = 'd';
    if (value.kind == VALUE_UNSET && !percent_next(p, &value))
        return false;
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

static bool braces_argument(struct braces *f, struct text name, struct value *out)
{
    uint64_t index = 0;
    bool digits = name.size > 0 && name.size < 10;
    for (size_t i = 0; i < name.size && digits; i++) {
        digits = name.data[i] >= '0' && name.data[i] <= '9';
        index = index * 10 + (uint64_t)(name.data[i] - '0');
    }
    if (name.size == 0 || digits) {
        *(name.size == 0 ? &f->automatic : &f->numbered) = true;
        if (f->automatic && f->numbered)
            return exception_raise(f->in, &exception_value, "cannot switch from %s to %s",
                                   name.size == 0 ? MANUAL : AUTOMATIC,
                                   name.size == 0 ? AUTOMATIC : MANUAL);
        if (name.size == 0)
            index = f->next++;
        if (f->map)
            return exception_raise(f->in, &exception_value,
                                   "Format string contains positional fields");
        if (index >= f->args->count)
            return exception_raise(f->in, &exception_index,
                                   "Replacement index %llu out of range for positional args "
                                   "tuple",
                                   (unsigned long long)index);
        *out = f->args->values[index];
        return true;
    }
    if (f->map) {
        struct str *key = str_copy(f->in, name);
        return key && eval_get_item(f->in, *f->map, value_str(key), out);
    }
    for (uint32_t i = 0; i < f->args->named_count; i++)
        if (f->args->names[i] && text_equal(str_text(f->args->names[i]), name)) {
            *out = f->args->named[i];
            return true;
        }
    struct str *key = str_copy(f->in, name);
    return key && exception_raise_value(f->in, &exception_key, value_str(key));
}

/* .name and [index] after the first part of a field's name. */
static bool braces_path(struct braces *f, struct text path, struct value *value)
{
    for (size_t at = 0; at < path.size;) {
        const bool item = path.data[at] == '[';
        size_t end = at + 1;
        while (end < path.size &&
               (item ? path.data[end] != ']' : path.data[end] != '.' && path.data[end] != '['))
            end++;
        struct str *name = str_copy(f->in, text_slice(path, at + 1, end));
        if (!name)
            return false;
        struct value index = value_str(name);
        if (text_starts(str_text(name), TEXT("__")))
            return exception_raise(f->in, &exception_attribute,
                                   "the attribute %.*s is not available",
                                   TEXT_ARG(str_text(name)));
        if (item && name->size > 0 && strspn(name->data, "0123456789") >= name->size &&
            !number_parse_int(f->in, name, 10, &index))
            return false;
        if (!(item ? eval_get_item(f->in, *value, index, value)
                   : attribute_get(f->in, *value, name, value)))
            return false;
        at = end + item;
    }
    return true;
}

static bool braces_write(struct braces *f, struct str_builder *b, struct text text,
                         uint32_t depth);

/* name!conversion:spec */
static bool braces_field(struct braces *f, struct str_builder *b, struct text field,
                         uint32_t depth)
{
    size_t name_end = 0;
    bool inside = false; /* [ ... ] may hold a colon */
    for (; name_end < field.size; name_end++) {
        const char c = field.data[name_end];
        inside = c == '[' || (inside && c != ']');
        if (!inside && (c == '!' || c == ':'))
            break;
    }
    const struct text name = text_slice(field, 0, name_end);
    size_t first = 0;
    while (first < name.size && name.data[first] != '.' && name.data[first] != '[')
        first++;
    struct value value;
    if (!braces_argument(f, text_slice(name, 0, first), &value) ||
        !braces_path(f, text_slice(name, first, name.size), &value))
        return false;
    size_t at = name_end;
    if (at + 1 < field.size && field.data[at] == '!') {
        struct str *converted = format_convert(f->in, value, field.data[at + 1]);
        if (!converted)
            return false;
        value = value_str(converted);
        at += 2;
    }
    struct str_builder spec = {.in = f->in};
    if (at < field.size && field.data[at] == ':' &&
        !braces_write(f, &spec, text_slice(field, at + 1, field.size), depth + 1))
        return false;
    struct str *out =
        spec.failed ? NULL : format_value(f->in, value, (struct text){spec.data, spec.size});
    if (!out)
        return false;
    str_builder_add(b, str_text(out));
    return !b->failed;
}

/* The end of the field that begins at at, nested ones inside skipped. */
static size_t field_end(struct text text, size_t at)
{
    uint32_t open = 1;
    for (; at < text.size; at++) {
        open += text.data[at] == '{';
        open -= text.data[at] == '}';
        if (open == 0)
            return at;
    }
    return SIZE_MAX;
}

static bool braces_write(struct braces *f, struct str_builder *b, struct text text,
                         uint32_t depth)
{
    if (depth > 2)
        return exception_raise(f->in, &exception_value, "Max string recursion exceeded");
    for (size_t at = 0; at < text.size && !b->failed;) {
        const char c = text.data[at];
        if ((c == '{' || c == '}') && at + 1 < text.size && text.data[at + 1] == c) {
            str_builder_byte(b, c);
            at += 2;
            continue;
        }
        if (c == '}')
            return exception_raise(f->in, &exception_value,
                                   "Single '}' encountered in format string");
        if (c != '{') {
            str_builder_byte(b, c);
            at++;
            continue;
        }
        const size_t end = field_end(text, at + 1);
        if (end == SIZE_MAX)
            return exception_raise(f->in, &exception_value,
                                   at + 1 == text.size
                                       ? "Single '{' encountered in format string"
                                       : "expected '}' before end of string");
        if (!interp_charge(f->in, 2) ||
            !braces_field(f, b, text_slice(text, at + 1, end), depth))
            return false;
        at = end + 1;
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
