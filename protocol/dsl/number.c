/* number - see number.h. */
#include "protocol/dsl/number.h"

#include "base/checked.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/repr.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/type.h"
#include "protocol/dsl/unicode.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FLOAT_TEXT_MAX = 800, INT_DIGITS_MAX = 4300 };

bool number_is(struct value value)
{
    return value.kind == VALUE_INT || value.kind == VALUE_FLOAT || value.kind == VALUE_BOOL;
}

bool number_is_int(struct value value)
{
    return value.kind == VALUE_INT || value.kind == VALUE_BOOL;
}

int64_t number_integer(struct value value)
{
    return value.kind == VALUE_BOOL ? value.as.boolean : value.as.integer;
}

double number_real(struct value value)
{
    return value.kind == VALUE_FLOAT ? value.as.real : (double)number_integer(value);
}

bool number_too_large(struct interp *in)
{
    interp_leave_64(in);
    return exception_raise(in, &exception_overflow,
                           "the integer result does not fit in 64 bits");
}

static bool int_floor(struct interp *in, int64_t a, int64_t b, int64_t *quotient,
                      int64_t *remainder)
{
    if (b == -1) { /* INT64_MIN / -1 is beyond 64 bits, and traps */
        *remainder = 0;
        return checked_sub_i64(0, a, quotient) || number_too_large(in);
    }
    *quotient = a / b;
    *remainder = a % b;
    if (*remainder != 0 && (*remainder < 0) != (b < 0)) {
        --*quotient;
        *remainder += b;
    }
    return true;
}

static bool int_power(struct interp *in, int64_t base, int64_t exponent, int64_t *out)
{
    int64_t result = 1;
    while (exponent > 0) {
        if ((exponent & 1) && !checked_mul_i64(result, base, &result))
            return number_too_large(in);
        exponent >>= 1;
        if (exponent > 0 && !checked_mul_i64(base, base, &base))
            return number_too_large(in);
    }
    *out = result;
    return true;
}

static bool int_shift(struct interp *in, enum ast_operator op, int64_t a, int64_t count,
                      int64_t *out)
{
    if (count < 0)
        return exception_raise(in, &exception_value, "negative shift count");
    if (op == AST_RIGHT) {
        *out = a >> (count > 63 ? 63 : count);
        return true;
    }
    *out = 0;
    if (a == 0)
        return true;
    return (count < 63 && checked_mul_i64(a, (int64_t)1 << count, out)) || number_too_large(in);
}

static bool float_power(struct interp *in, double a, double b, struct value *out)
{
    if (a == 0 && b < 0)
        return exception_raise(in, &exception_zero_division,
                               "0.0 cannot be raised to a negative power");
    if (a < 0 && isfinite(a) && isfinite(b) && b != floor(b))
        return exception_raise(in, &exception_value,
                               "a negative number to a fractional power is complex, which "
                               "this language has not");
    const double result = pow(a, b);
    if (isinf(result) && isfinite(a) && isfinite(b))
        return exception_raise(in, &exception_overflow,
                               "(34, 'Numerical result out of range')");
    *out = value_float(result);
    return true;
}

static void float_floor(double a, double b, double *quotient, double *remainder)
{
    double mod = fmod(a, b), div = (a - mod) / b;
    if (mod != 0 && (b < 0) != (mod < 0)) {
        mod += b;
        div -= 1;
    } else if (mod == 0) {
        mod = copysign(0.0, b);
    }
    double whole = floor(div);
    if (div - whole > 0.5)
        whole += 1;
    *quotient = div != 0 ? whole : copysign(0.0, a / b);
    *remainder = mod;
}

static bool float_binary(struct interp *in, enum ast_operator op, double a, double b,
                         struct value *out)
{
    double quotient, remainder;
    switch (op) {
    case AST_ADD:
        *out = value_float(a + b);
        return true;
    case AST_SUB:
        *out = value_float(a - b);
        return true;
    case AST_MUL:
        *out = value_float(a * b);
        return true;
    case AST_POW:
        return float_power(in, a, b, out);
    case AST_DIV:
        if (b == 0)
            return exception_raise(in, &exception_zero_division, "float division by zero");
        *out = value_float(a / b);
        return true;
    default:
        break;
    }
    if (b == 0)
        return exception_raise(in, &exception_zero_division,
                               op == AST_MOD ? "float modulo" : "float floor division by zero");
    float_floor(a, b, &quotient, &remainder);
    *out = value_float(op == AST_MOD ? remainder : quotient);
    return true;
}

static bool int_divide(struct interp *in, enum ast_operator op, int64_t a, int64_t b,
                       struct value *out)
{
    int64_t quotient, remainder;
    if (b == 0)
        return exception_raise(in, &exception_zero_division,
                               op == AST_DIV   ? "division by zero"
                               : op == AST_MOD ? "integer modulo by zero"
                                               : "integer division or modulo by zero");
    if (op == AST_DIV) { /* long double holds any int64_t, so one rounding is left */
        *out = value_float((double)((long double)a / (long double)b));
        return true;
    }
    if (!int_floor(in, a, b, &quotient, &remainder))
        return false;
    *out = value_int(op == AST_MOD ? remainder : quotient);
    return true;
}

static bool int_binary(struct interp *in, enum ast_operator op, int64_t a, int64_t b,
                       struct value *out)
{
    int64_t result = 0;
    bool fine = true;
    switch (op) {
    case AST_ADD:
        fine = checked_add_i64(a, b, &result) || number_too_large(in);
        break;
    case AST_SUB:
        fine = checked_sub_i64(a, b, &result) || number_too_large(in);
        break;
    case AST_MUL:
        fine = checked_mul_i64(a, b, &result) || number_too_large(in);
        break;
    case AST_DIV:
    case AST_FLOOR_DIV:
    case AST_MOD:
        return int_divide(in, op, a, b, out);
    case AST_POW:
        if (b < 0)
            return float_power(in, (double)a, (double)b, out);
        fine = int_power(in, a, b, &result);
        break;
    case AST_AND_BITS:
        result = a & b;
        break;
    case AST_OR_BITS:
        result = a | b;
        break;
    case AST_XOR:
        result = a ^ b;
        break;
    case AST_LEFT:
    case AST_RIGHT:
        fine = int_shift(in, op, a, b, &result);
        break;
    case AST_MATMUL:
        return false;
    }
    *out = value_int(result);
    return fine;
}

bool number_binary(struct interp *in, enum ast_operator op, const struct value pair[2],
                   struct value *out)
{
    if (pair[0].kind == VALUE_FLOAT || pair[1].kind == VALUE_FLOAT)
        return float_binary(in, op, number_real(pair[0]), number_real(pair[1]), out);
    const int64_t a = number_integer(pair[0]), b = number_integer(pair[1]);
    const bool bits = op == AST_AND_BITS || op == AST_OR_BITS || op == AST_XOR;
    if (bits && pair[0].kind == VALUE_BOOL && pair[1].kind == VALUE_BOOL) {
        *out = value_bool(op == AST_AND_BITS ? a & b : op == AST_OR_BITS ? a | b : a ^ b);
        return true;
    }
    return int_binary(in, op, a, b, out);
}

bool number_negate(struct interp *in, struct value value, struct value *out)
{
    int64_t result;
    if (value.kind == VALUE_FLOAT) {
        *out = value_float(-value.as.real);
        return true;
    }
    if (!checked_sub_i64(0, number_integer(value), &result))
        return number_too_large(in);
    *out = value_int(result);
    return true;
}

/* Without white space at either end; the separators of ASCII, which str.strip takes, stay. */
static struct text stripped(const struct str *str)
{
    size_t begin = 0, end = 0;
    bool any = false;
    for (size_t at = 0; at < str->size;) {
        const size_t before = at;
        const uint32_t code_point = str_next(str, &at);
        if (unicode_is(code_point, UNICODE_SPACE) && (code_point < 0x1c || code_point > 0x1f))
            continue;
        if (!any)
            begin = before;
        any = true;
        end = at;
    }
    return any ? (struct text){str->data + begin, end - begin} : TEXT("");
}

/* The digits without underscores, each of which must stand between two digits. */
static bool without_underscores(struct text text, char *out, size_t out_size)
{
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++) {
        const char c = text.data[i];
        if (c == '_') {
            if (i == 0 || i + 1 == text.size || text.data[i - 1] == '_' ||
                !strchr("0123456789abcdefABCDEF", text.data[i + 1]))
                return false;
            continue;
        }
        if (size + 1 >= out_size || c == '\0')
            return false;
        size_t next = i;
        const int32_t digit = unicode_digit(text_utf8_next(text, &next));
        out[size++] = digit < 0 ? c : (char)('0' + digit);
        i = digit < 0 ? i : next - 1;
    }
    out[size] = '\0';
    return size > 0;
}

static bool bad_int(struct interp *in, struct str *str, int64_t base)
{
    enum { SHOWN = 200 }; /* letters, as CPython cuts it */
    struct str *repr = repr_of(in, value_str(str));
    struct str *shown = repr ? str_slice(in, repr, 0, SHOWN) : NULL;
    if (!shown)
        return false;
    return exception_raise(in, &exception_value,
                           "invalid literal for int() with base %lld: %.*s", (long long)base,
                           TEXT_ARG(str_text(shown)));
}

/* 0x, 0o, 0b before the digits; base 0 takes the base from it. */
static const char *skip_prefix(const char *at, int64_t *base)
{
    const char letter = at[0] == '0' && at[1] ? (char)(at[1] | 0x20) : '\0';
    const int64_t named = letter == 'x' ? 16 : letter == 'o' ? 8 : letter == 'b' ? 2 : 0;
    if (named != 0 && (*base == 0 || *base == named)) {
        *base = named;
        return at + 2;
    }
    if (*base == 0)
        *base = 10;
    return at;
}

static bool are_digits(struct text text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return true;
}

bool number_parse_int(struct interp *in, struct str *str, int64_t base, struct value *out)
{
    char digits[INT_DIGITS_MAX];
    const struct text text = stripped(str);
    int64_t value = 0, radix = base;
    if (text.size >= sizeof digits && !are_digits(text))
        return bad_int(in, str, base);
    if (text.size >= sizeof digits)
        return exception_raise(in, &exception_value,
                               "Exceeds the limit (%d digits) for integer string conversion: "
                               "value has %zu digits; use sys.set_int_max_str_digits() to "
                               "increase the limit",
                               INT_DIGITS_MAX, text.size);
    if (!without_underscores(text, digits, sizeof digits))
        return bad_int(in, str, base);
    const bool minus = digits[0] == '-';
    const char *at = skip_prefix(digits + (minus || digits[0] == '+'), &radix);
    if (*at == '\0')
        return bad_int(in, str, base);
    if (base == 0 && at[0] == '0' && strspn(at, "0") != strlen(at) && radix == 10)
        return bad_int(in, str, base);
    bool overflow = false;
    for (; *at; at++) {
        const char c = (char)(*at | 0x20);
        const int64_t digit = *at >= '0' && *at <= '9' ? *at - '0'
                              : c >= 'a' && c <= 'z'   ? c - 'a' + 10
                                                       : 99;
        if (digit >= radix)
            return bad_int(in, str, base);
        overflow = overflow || !checked_mul_i64(value, radix, &value) ||
                   !checked_add_i64(value, minus ? -digit : digit, &value);
    }
    *out = value_int(value);
    return overflow ? number_too_large(in) : true;
}

static bool float_syntax(const char *at)
{
    size_t digits = 0;
    at += *at == '-' || *at == '+';
    if (strcasecmp(at, "inf") == 0 || strcasecmp(at, "infinity") == 0 ||
        strcasecmp(at, "nan") == 0)
        return true;
    for (; *at >= '0' && *at <= '9'; at++)
        digits++;
    for (at += *at == '.'; *at >= '0' && *at <= '9'; at++)
        digits++;
    if (digits == 0)
        return false;
    if (*at == 'e' || *at == 'E') {
        at++;
        at += *at == '-' || *at == '+';
        if (*at < '0' || *at > '9')
            return false;
        while (*at >= '0' && *at <= '9')
            at++;
    }
    return *at == '\0';
}

bool number_parse_float(struct interp *in, struct str *str, struct value *out)
{
    char digits[FLOAT_TEXT_MAX];
    if (without_underscores(stripped(str), digits, sizeof digits) && float_syntax(digits)) {
        *out = value_float(strtod(digits, NULL));
        return true;
    }
    struct str *repr = repr_of(in, value_str(str));
    struct str_builder b = {.in = in};
    str_builder_add(&b, TEXT("could not convert string to float: "));
    if (repr)
        str_builder_add(&b, str_text(repr));
    struct str *message = repr ? str_builder_str(&b) : NULL;
    return message && exception_raise_value(in, &exception_value, value_str(message));
}

bool number_truncate(struct interp *in, double real, struct value *out)
{
    if (isnan(real))
        return exception_raise(in, &exception_value, "cannot convert float NaN to integer");
    if (isinf(real))
        return exception_raise(in, &exception_overflow,
                               "cannot convert float infinity to integer");
    if (real >= 9223372036854775808.0 || real < -9223372036854775808.0)
        return number_too_large(in);
    *out = value_int((int64_t)real);
    return true;
}

static bool round_int(struct interp *in, int64_t value, int64_t digits, struct value *out)
{
    int64_t unit = 1, quotient, remainder;
    *out = value_int(value);
    if (digits >= 0)
        return true;
    for (int64_t i = digits; i < 0; i++)
        if (!checked_mul_i64(unit, 10, &unit)) {
            *out = value_int(0);
            return true;
        }
    if (!int_floor(in, value, unit, &quotient, &remainder))
        return false;
    const int64_t other = unit - remainder;
    if (remainder > other || (remainder == other && (quotient & 1)))
        quotient++; /* halves go to the even neighbour */
    int64_t result;
    if (!checked_mul_i64(quotient, unit, &result))
        return number_too_large(in);
    *out = value_int(result);
    return true;
}

/* To the nearest multiple of 10 ** zeros, as decimals, halves to the even one. */
static bool round_tens(struct interp *in, double real, int zeros, struct value *out)
{
    enum { DIGITS = 40 }; /* no double is that close to a half, or to a power of ten */
    char text[FLOAT_TEXT_MAX];
    snprintf(text, sizeof text, "%.*e", DIGITS, fabs(real));
    const int kept = (int)strtol(strchr(text, 'e') + 1, NULL, 10) - zeros;
    if (kept >= 0)
        snprintf(text, sizeof text, "%.*e", kept, fabs(real));
    else if (kept == -1 &&
             (text[0] > '5' || (text[0] == '5' && strspn(text + 2, "0") < DIGITS)))
        snprintf(text, sizeof text, "1e%d", zeros);
    else
        text[0] = '0', text[1] = '\0';
    const double rounded = strtod(text, NULL);
    if (isinf(rounded))
        return exception_raise(in, &exception_overflow, "rounded value too large to represent");
    *out = value_float(copysign(rounded, real));
    return true;
}

bool number_round(struct interp *in, struct value value, struct value digits, struct value *out)
{
    int64_t count = 0;
    const bool given = digits.kind != VALUE_UNSET && digits.kind != VALUE_NONE;
    if (!number_is(value))
        return exception_raise(in, &exception_type, "type %s doesn't define __round__ method",
                               type_name(value));
    if (given && !number_is_int(digits))
        return exception_raise(in, &exception_type,
                               "'%s' object cannot be interpreted as an integer",
                               type_name(digits));
    if (given)
        count = number_integer(digits);
    if (value.kind != VALUE_FLOAT)
        return round_int(in, number_integer(value), count, out);
    if (!given)
        return number_truncate(in, nearbyint(value.as.real), out);
    const double real = value.as.real;
    *out = value;
    if (!isfinite(real) || count > 323)
        return true;
    if (count < -308) {
        *out = value_float(copysign(0.0, real));
        return true;
    }
    char text[FLOAT_TEXT_MAX]; /* the decimal that is nearest, then the float nearest to it */
    if (count >= 0) {
        snprintf(text, sizeof text, "%.*f", (int)count, real);
        *out = value_float(strtod(text, NULL));
        return true;
    }
    return round_tens(in, real, (int)-count, out);
}
