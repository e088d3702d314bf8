/* format_spec - see format_spec.h. */
#include "protocol/dsl/format_spec.h"

#include "protocol/dsl/interp.h"
#include "protocol/dsl/repr.h"
#include "protocol/dsl/unicode.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLOAT_DIGITS_MAX = 330 };

/* A number taken apart: what padding and grouping need to know. */
struct parts {
    const char *sign;
    const char *prefix;  /* 0x and the like */
    struct text digits;  /* before the point */
    struct text rest;    /* point, decimals, exponent, percent sign */
    uint32_t group_size; /* 3, or 4 for binary, octal and hex */
};

/* A decimal digit of any script; -1, and *at stays, when there is none. */
static int32_t read_digit(struct text text, size_t *at)
{
    size_t next = *at;
    const int32_t digit = next < text.size ? unicode_digit(text_utf8_next(text, &next)) : -1;
    if (digit >= 0)
        *at = next;
    return digit;
}

bool format_spec_number(struct interp *in, struct text text, size_t *at, int64_t *out)
{
    int64_t value = 0;
    for (int32_t digit; (digit = read_digit(text, at)) >= 0; value = value * 10 + digit)
        if (value > (INT64_MAX - 9) / 10)
            return exception_raise(in, &exception_value,
                                   "Too many decimal digits in format string");
    *out = value;
    return true;
}

/* What is wider than any text may be is as good as the widest. */
static bool read_number(struct interp *in, struct text text, size_t *at, int64_t *out)
{
    if (!format_spec_number(in, text, at, out))
        return false;
    *out = *out < FORMAT_SPEC_WIDTH_MAX ? *out : FORMAT_SPEC_WIDTH_MAX;
    return true;
}

static bool is_align(char c)
{
    return c == '<' || c == '>' || c == '^' || c == '=';
}

/* Whether a fill character is given, too. */
static bool read_align(struct text text, size_t *at, struct format_spec *spec)
{
    size_t after = 0;
    if (text.size == 0)
        return false;
    const uint32_t first = text_utf8_next(text, &after);
    if (after < text.size && is_align(text.data[after])) {
        spec->fill = first;
        spec->align = text.data[after];
        *at = after + 1;
        return true;
    }
    if (is_align(text.data[0])) {
        spec->align = text.data[0];
        *at = 1;
    }
    return false;
}

static bool take(struct text text, size_t *at, const char *set, char *out)
{
    if (*at >= text.size || !strchr(set, text.data[*at]) || text.data[*at] == '\0')
        return false;
    *out = text.data[(*at)++];
    return true;
}

bool format_spec_parse(struct interp *in, struct text text, const char *object,
                       struct format_spec *spec)
{
    size_t at = 0;
    char flag;
    *spec = (struct format_spec){.fill = ' ', .precision = -1};
    const bool is_text = strcmp(object, "str") == 0;
    const bool has_fill = read_align(text, &at, spec);
    take(text, &at, "+- ", &spec->sign);
    spec->drops_minus = take(text, &at, "z", &flag);
    spec->alternate = take(text, &at, "#", &flag);
    if (!has_fill && take(text, &at, "0", &flag)) {
        spec->fill = '0';
        if (spec->align == 0 && !is_text)
            spec->align = '=';
    }
    if (!read_number(in, text, &at, &spec->width))
        return false;
    take(text, &at, ",_", &spec->grouping);
    if (take(text, &at, ".", &flag)) {
        const size_t from = at;
        if (!read_number(in, text, &at, &spec->precision))
            return false;
        if (at == from)
            return exception_raise(in, &exception_value, "Format specifier missing precision");
    }
    const size_t end = at;
    const uint32_t type = at < text.size ? text_utf8_next(text, &at) : 0;
    if (at < text.size)
        return exception_raise(in, &exception_value,
                               "Invalid format specifier '%.*s' for object of type '%s'",
                               TEXT_ARG(text), object);
    if (type >= 0x80 || (type == 0 && end < text.size))
        return exception_raise(in, &exception_value,
                               "Unknown format code '\\x%x' for object of type '%s'", type,
                               object);
    spec->type = end < text.size ? text.data[end] : '\0';
    const char shown = spec->type ? spec->type : is_text ? 's' : 'd';
    if (spec->grouping && !strchr(spec->grouping == '_' ? "defgEG%FboxX" : "defgEG%F", shown))
        return exception_raise(in, &exception_value, "Cannot specify '%c' with '%c'.",
                               spec->grouping, shown);
    return true;
}

static bool unknown_type(struct str_builder *b, const struct format_spec *spec,
                         const char *object)
{
    const bool hidden = spec->type <= ' ' || spec->type == 0x7f;
    return exception_raise(b->in, &exception_value,
                           hidden ? "Unknown format code '\\x%x' for object of type '%s'"
                                  : "Unknown format code '%c' for object of type '%s'",
                           spec->type, object);
}

/* The text within the width; align when the spec has none. */
static void put_padded(struct str_builder *b, const struct format_spec *spec, struct text text,
                       char align)
{
    const size_t length = str_count(text), width = (size_t)spec->width;
    const size_t missing = width > length ? width - length : 0;
    const char how = spec->align ? spec->align : align;
    const size_t left = how == '>' || how == '=' ? missing : how == '^' ? missing / 2 : 0;
    str_builder_fill(b, spec->fill, left);
    str_builder_add(b, text);
    str_builder_fill(b, spec->fill, missing - left);
}

/* Separators stand every group_size digits from the right. */
static size_t grouped_size(size_t digits, const struct format_spec *spec, uint32_t group_size)
{
    return digits + (spec->grouping && digits > 0 ? (digits - 1) / group_size : 0);
}

static void put_grouped(struct str_builder *b, const struct format_spec *spec,
                        const struct parts *p, size_t zeros)
{
    const size_t count = zeros + p->digits.size;
    for (size_t i = 0; i < count && !b->failed; i++) {
        if (spec->grouping && i > 0 && (count - i) % p->group_size == 0)
            str_builder_byte(b, spec->grouping);
        str_builder_byte(b, i < zeros ? '0' : p->digits.data[i - zeros]);
    }
}

static bool put_parts(struct str_builder *b, const struct format_spec *spec,
                      const struct parts *p)
{
    const size_t around = strlen(p->sign) + strlen(p->prefix) + p->rest.size;
    const size_t width = (size_t)spec->width;
    const bool zero_fill = spec->fill == '0' && spec->align == '=' && p->digits.size > 0;
    size_t zeros = 0;
    if (zero_fill && width > 0) { /* zeros are grouped along with the digits */
        if (!interp_charge(b->in, width))
            return false;
        while (around + grouped_size(p->digits.size + zeros, spec, p->group_size) < width)
            zeros++;
    }
    const size_t size = around + grouped_size(p->digits.size + zeros, spec, p->group_size);
    const size_t missing = width > size ? width - size : 0;
    const char how = spec->align ? spec->align : '>';
    const size_t left = how == '>' ? missing : how == '^' ? missing / 2 : 0;
    str_builder_fill(b, spec->fill, left);
    str_builder_add(b, text_of(p->sign));
    str_builder_add(b, text_of(p->prefix));
    if (how == '=')
        str_builder_fill(b, spec->fill, missing);
    put_grouped(b, spec, p, zeros);
    str_builder_add(b, p->rest);
    if (how == '<' || how == '^')
        str_builder_fill(b, spec->fill, missing - left);
    return !b->failed;
}

static const char *sign_of(const struct format_spec *spec, bool negative)
{
    return negative ? "-" : spec->sign == '+' ? "+" : spec->sign == ' ' ? " " : "";
}

static size_t write_radix(uint64_t value, uint32_t radix, bool upper, char *end)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char *at = end;
    do {
        *--at = digits[value % radix];
        value /= radix;
    } while (value > 0);
    return (size_t)(end - at);
}

bool format_spec_int(struct str_builder *b, const struct format_spec *spec, const char *object,
                     int64_t value)
{
    char buffer[72];
    const uint64_t magnitude = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    uint32_t radix = 10;
    const char *prefix = "";
    if (spec->type && strchr("eEfFgG%", spec->type))
        return format_spec_float(b, spec, (double)value);
    if (spec->type && !strchr("cboxXdn", spec->type))
        return unknown_type(b, spec, object);
    if (spec->precision >= 0 || spec->drops_minus)
        return exception_raise(
            b->in, &exception_value, "%s not allowed in integer format specifier",
            spec->precision >= 0 ? "Precision" : "Negative zero coercion (z)");
    switch (spec->type) {
    case 'c':
        if (spec->sign || spec->alternate)
            return exception_raise(b->in, &exception_value,
                                   "%s not allowed with integer format specifier 'c'",
                                   spec->sign ? "Sign" : "Alternate form (#)");
        if (value < 0 || value > 0x10ffff || (value >= 0xd800 && value < 0xe000))
            return exception_raise(b->in, &exception_overflow,
                                   "%%c arg not in range(0x110000)");
        put_padded(b, spec, (struct text){buffer, text_utf8_put((uint32_t)value, buffer)}, '<');
        return !b->failed;
    case 'b':
        radix = 2;
        prefix = "0b";
        break;
    case 'o':
        radix = 8;
        prefix = "0o";
        break;
    case 'x':
    case 'X':
        radix = 16;
        prefix = spec->type == 'x' ? "0x" : "0X";
        break;
    default: /* d and n */
        break;
    }
    const size_t size =
        write_radix(magnitude, radix, spec->type == 'X', buffer + sizeof buffer);
    const struct parts p = {.sign = sign_of(spec, value < 0),
                            .prefix = spec->alternate ? prefix : "",
                            .digits = {buffer + sizeof buffer - size, size},
                            .group_size = radix == 10 ? 3 : 4};
    return put_parts(b, spec, &p);
}

/* A precision without a letter: as %g, but for room for ".0", so that it reads as a float: the
 * exponent comes one power of ten earlier. */
static size_t write_untyped(double value, int precision, char *out, size_t room)
{
    int size = snprintf(out, room, "%.*e", precision - 1, value);
    const char *exponent = memchr(out, 'e', (size_t)size);
    if (strtol(exponent + 1, NULL, 10) != precision - 1) {
        size = snprintf(out, room, "%.*g", precision, value);
        if (!memchr(out, '.', (size_t)size) && !memchr(out, 'e', (size_t)size)) {
            memcpy(out + size, ".0", 2);
            size += 2;
        }
        return (size_t)size;
    }
    size_t kept = (size_t)(exponent - out);
    while (memchr(out, '.', kept) && (out[kept - 1] == '0' || out[kept - 1] == '.'))
        kept--;
    memmove(out + kept, exponent, (size_t)(out + size - exponent));
    return kept + (size_t)(out + size - exponent);
}

/* The magnitude's digits in C's own formats, which are correctly rounded. */
static size_t write_float(const struct format_spec *spec, double value, char *out, size_t room)
{
    const int precision = spec->precision >= 0 ? (int)spec->precision : 6;
    const bool alternate = spec->alternate;
    int size = 0;
    switch (spec->type) {
    case 'e':
        size = snprintf(out, room, alternate ? "%#.*e" : "%.*e", precision, value);
        break;
    case 'E':
        size = snprintf(out, room, alternate ? "%#.*E" : "%.*E", precision, value);
        break;
    case 'f':
    case 'F':
    case '%':
        size = snprintf(out, room, alternate ? "%#.*f" : "%.*f", precision, value);
        break;
    case 'G':
        size = snprintf(out, room, alternate ? "%#.*G" : "%.*G", precision, value);
        break;
    case 0:
        if (spec->precision < 0) {
            char shortest[REPR_FLOAT_MAX];
            const size_t shortest_size = repr_float(value, shortest);
            memcpy(out, shortest, shortest_size);
            return shortest_size;
        }
        return write_untyped(value, precision > 0 ? precision : 1, out, room);
    default:
        size = snprintf(out, room, alternate ? "%#.*g" : "%.*g", precision, value);
        break;
    }
    return (size_t)size;
}

/* Whether the digits before an exponent are all zeros. */
static bool is_zero(struct text number)
{
    for (size_t i = 0; i < number.size && (number.data[i] | 0x20) != 'e'; i++)
        if (number.data[i] >= '1' && number.data[i] <= '9')
            return false;
    return true;
}

bool format_spec_float(struct str_builder *b, const struct format_spec *spec, double value)
{
    struct parts p = {
        .sign = sign_of(spec, signbit(value) && !isnan(value)), .prefix = "", .group_size = 3};
    if (spec->type && !strchr("eEfFgGn%", spec->type))
        return unknown_type(b, spec, "float");
    if (spec->precision > 100000)
        return exception_raise(b->in, &exception_value, "precision too big");
    const double magnitude = fabs(spec->type == '%' ? value * 100 : value);
    const size_t room =
        FLOAT_DIGITS_MAX + (size_t)(spec->precision > 0 ? spec->precision : 6) + 10;
    char *text = interp_alloc(b->in, room, 1);
    if (!text)
        return false;
    size_t size = 0, digits = 0;
    if (isfinite(magnitude)) {
        size = write_float(spec, magnitude, text, room - 2);
        while (digits < size && text[digits] >= '0' && text[digits] <= '9')
            digits++;
    } else {
        const bool upper = spec->type && strchr("EFG", spec->type);
        memcpy(text, isnan(magnitude) ? (upper ? "NAN" : "nan") : (upper ? "INF" : "inf"), 3);
        size = 3;
    }
    if (spec->drops_minus && isfinite(magnitude) && is_zero((struct text){text, size}))
        p.sign = sign_of(spec, false);
    if (spec->type == '%')
        text[size++] = '%';
    p.digits = (struct text){text, digits};
    p.rest = (struct text){text + digits, size - digits};
    return put_parts(b, spec, &p);
}

bool format_spec_str(struct str_builder *b, const struct format_spec *spec, struct str *str)
{
    if (spec->type && spec->type != 's')
        return unknown_type(b, spec, "str");
    if (spec->sign)
        return exception_raise(b->in, &exception_value,
                               "%s not allowed in string format specifier",
                               spec->sign == ' ' ? "Space" : "Sign");
    if (spec->drops_minus || spec->alternate)
        return exception_raise(
            b->in, &exception_value, "%s not allowed in string format specifier",
            spec->drops_minus ? "Negative zero coercion (z)" : "Alternate form (#)");
    if (spec->align == '=')
        return exception_raise(b->in, &exception_value,
                               "'=' alignment not allowed in string format specifier");
    if (spec->precision >= 0)
        str = str_slice(b->in, str, 0, (size_t)spec->precision);
    if (!str)
        return false;
    put_padded(b, spec, str_text(str), '<');
    return !b->failed;
}
