/* modules_math - the modules math, string and functools; see modules.h. */
#include "protocol/dsl/modules.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/eval.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/type.h"

#include <math.h>

static bool real_of(struct interp *in, struct value value, double *out)
{
    *out = 0;
    if (!number_is(value))
        return exception_raise(in, &exception_type, "must be real number, not %s",
                               type_name(value));
    *out = number_real(value);
    return true;
}

static bool domain_error(struct interp *in)
{
    return exception_raise(in, &exception_value, "math domain error");
}

static bool unary(struct interp *in, const struct args *args, const char *name,
                  double (*function)(double), struct value *out)
{
    const struct args_spec spec = {name, 1, 1, {NULL}, {NULL}};
    struct value values[1];
    double x = 0;
    if (!args_bind(in, &spec, args, values) || !real_of(in, values[0], &x))
        return false;
    const double y = function(x);
    if (isnan(y) && !isnan(x))
        return domain_error(in);
    if (isinf(y) && isfinite(x))
        return exception_raise(in, &exception_overflow, "math range error");
    *out = value_float(y);
    return true;
}

#define UNARY(symbol)                                                                          \
    static bool math_##symbol(struct interp *in, const struct args *args, struct value *out)   \
    {                                                                                          \
        return unary(in, args, #symbol, symbol, out);                                          \
    }

UNARY(sqrt)
UNARY(exp)
UNARY(sin)
UNARY(cos)
UNARY(tan)
UNARY(atan)
UNARY(asin)
UNARY(acos)
UNARY(fabs)

/* floor, ceil and trunc give an int. */
static bool to_int(struct interp *in, const struct args *args, const char *name,
                   double (*function)(double), struct value *out)
{
    const struct args_spec spec = {name, 1, 1, {NULL}, {NULL}};
    struct value values[1];
    double x = 0;
    if (!args_bind(in, &spec, args, values))
        return false;
    if (number_is_int(values[0])) {
        *out = value_int(number_integer(values[0]));
        return true;
    }
    return real_of(in, values[0], &x) && number_truncate(in, function(x), out);
}

static bool math_floor(struct interp *in, const struct args *args, struct value *out)
{
    return to_int(in, args, "floor", floor, out);
}

static bool math_ceil(struct interp *in, const struct args *args, struct value *out)
{
    return to_int(in, args, "ceil", ceil, out);
}

static bool math_trunc(struct interp *in, const struct args *args, struct value *out)
{
    return to_int(in, args, "trunc", trunc, out);
}

static bool log_of(struct interp *in, struct value value, double (*function)(double),
                   double *out)
{
    double x = 0;
    *out = 0;
    if (!real_of(in, value, &x))
        return false;
    if (x <= 0)
        return domain_error(in);
    *out = function(x);
    return true;
}

static bool math_log(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"log", 1, 2, {NULL}, {NULL}};
    struct value values[2];
    double x = 0, base = 0;
    if (!args_bind(in, &SPEC, args, values) || !log_of(in, values[0], log, &x))
        return false;
    if (values[1].kind != VALUE_UNSET) {
        if (!log_of(in, values[1], log, &base))
            return false;
        if (base == 0)
            return exception_raise(in, &exception_zero_division, "float division by zero");
        x /= base;
    }
    *out = value_float(x);
    return true;
}

static bool log_base(struct interp *in, const struct args *args, const char *name,
                     double (*function)(double), struct value *out)
{
    const struct args_spec spec = {name, 1, 1, {NULL}, {NULL}};
    struct value values[1];
    double x = 0;
    if (!args_bind(in, &spec, args, values) || !log_of(in, values[0], function, &x))
        return false;
    *out = value_float(x);
    return true;
}

static bool math_log2(struct interp *in, const struct args *args, struct value *out)
{
    return log_base(in, args, "log2", log2, out);
}

static bool math_log10(struct interp *in, const struct args *args, struct value *out)
{
    return log_base(in, args, "log10", log10, out);
}

static bool math_log1p(struct interp *in, const struct args *args, struct value *out)
{
    return unary(in, args, "log1p", log1p, out);
}

static bool binary(struct interp *in, const struct args *args, const char *name,
                   double (*function)(double, double), struct value *out)
{
    const struct args_spec spec = {name, 2, 2, {NULL}, {NULL}};
    struct value values[2];
    double x = 0, y = 0;
    if (!args_bind(in, &spec, args, values) || !real_of(in, values[0], &x) ||
        !real_of(in, values[1], &y))
        return false;
    const double z = function(x, y);
    if (isnan(z) && !isnan(x) && !isnan(y))
        return domain_error(in);
    if (isinf(z) && isfinite(x) && isfinite(y))
        return exception_raise(in, &exception_overflow, "math range error");
    *out = value_float(z);
    return true;
}

#define BINARY(symbol)                                                                         \
    static bool math_##symbol(struct interp *in, const struct args *args, struct value *out)   \
    {                                                                                          \
        return binary(in, args, #symbol, symbol, out);                                         \
    }

BINARY(pow)
BINARY(fmod)
BINARY(atan2)
BINARY(hypot)
BINARY(copysign)

static bool one_real(struct interp *in, const struct args *args, const char *name, double *x)
{
    *x = 0;
    const struct args_spec spec = {name, 1, 1, {NULL}, {NULL}};
    struct value values[1];
    return args_bind(in, &spec, args, values) && real_of(in, values[0], x);
}

static bool math_isnan(struct interp *in, const struct args *args, struct value *out)
{
    double x = 0;
    if (!one_real(in, args, "isnan", &x))
        return false;
    *out = value_bool(isnan(x));
    return true;
}

static bool math_isinf(struct interp *in, const struct args *args, struct value *out)
{
    double x = 0;
    if (!one_real(in, args, "isinf", &x))
        return false;
    *out = value_bool(isinf(x));
    return true;
}

static bool math_isfinite(struct interp *in, const struct args *args, struct value *out)
{
    double x = 0;
    if (!one_real(in, args, "isfinite", &x))
        return false;
    *out = value_bool(isfinite(x));
    return true;
}

static bool math_isclose(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"isclose", 2, 2, {"a", "b"}, {"rel_tol", "abs_tol"}};
    struct value values[4];
    double a = 0, b = 0, relative = 1e-9, absolute = 0;
    if (!args_bind(in, &SPEC, args, values) || !real_of(in, values[0], &a) ||
        !real_of(in, values[1], &b) ||
        (values[2].kind != VALUE_UNSET && !real_of(in, values[2], &relative)) ||
        (values[3].kind != VALUE_UNSET && !real_of(in, values[3], &absolute)))
        return false;
    const double difference = fabs(a - b);
    *out = value_bool(a == b || (isfinite(a) && isfinite(b) &&
                                 (difference <= relative * fmax(fabs(a), fabs(b)) ||
                                  difference <= absolute)));
    return true;
}

/* Exact for what a program sums: a running sum with all lost low parts kept (Shewchuk). */
static bool math_fsum(struct interp *in, const struct args *args, struct value *out)
{
    enum { PARTS_MAX = 64 };
    double parts[PARTS_MAX];
    uint32_t count = 0;
    const struct list *items = args->count == 1 ? list_from(in, args->values[0]) : NULL;
    if (!items)
        return args->count == 1
                   ? false
                   : exception_raise(in, &exception_type,
                                     "fsum() takes exactly one argument (%u given)",
                                     args->count);
    for (uint32_t i = 0; i < items->count; i++) {
        double x;
        uint32_t kept = 0;
        if (!real_of(in, items->items[i], &x))
            return false;
        for (uint32_t j = 0; j < count; j++) {
            double y = parts[j];
            if (fabs(x) < fabs(y)) {
                const double swap = x;
                x = y;
                y = swap;
            }
            const double high = x + y, low = y - (high - x);
            if (low != 0)
                parts[kept++] = low;
            x = high;
        }
        parts[kept] = x;
        count = kept + 1 < PARTS_MAX ? kept + 1 : PARTS_MAX;
    }
    long double sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += (long double)parts[i];
    *out = value_float((double)sum);
    return interp_charge(in, items->count);
}

/* gcd(...), prod(...), comb, factorial. */
static bool math_gcd(struct interp *in, const struct args *args, struct value *out)
{
    int64_t gcd = 0;
    for (uint32_t i = 0; i < args->count; i++) {
        int64_t x = 0;
        if (!args_int(in, args->values[i], &x))
            return false;
        while (x != 0) {
            const int64_t rest = x == -1 ? 0 : gcd % x;
            gcd = x;
            x = rest;
        }
    }
    *out = value_int(gcd);
    return gcd >= 0 || number_negate(in, *out, out);
}

static bool math_prod(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"prod", 1, 1, {NULL}, {"start"}};
    struct value values[2], pair[2];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    const struct list *items = list_from(in, values[0]);
    pair[0] = values[1].kind == VALUE_UNSET ? value_int(1) : values[1];
    for (uint32_t i = 0; items && i < items->count; i++) {
        pair[1] = items->items[i];
        if (!interp_charge(in, 1) || !eval_binary(in, AST_MUL, pair, false, &pair[0]))
            return false;
    }
    *out = pair[0];
    return items != NULL;
}

static bool math_factorial(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"factorial", 1, 1, {NULL}, {NULL}};
    struct value values[1], pair[2] = {value_int(1)};
    int64_t n = 0;
    if (!args_bind(in, &SPEC, args, values) || !args_int(in, values[0], &n))
        return false;
    if (n < 0)
        return exception_raise(in, &exception_value,
                               "factorial() not defined for negative values");
    for (int64_t i = 2; i <= n; i++) {
        pair[1] = value_int(i);
        if (!number_binary(in, AST_MUL, pair, &pair[0]))
            return false;
    }
    *out = pair[0];
    return true;
}

#define REAL(member, number)                                                                   \
    {                                                                                          \
        .name = member, .constant = {.kind = VALUE_FLOAT, .as.real = number }                  \
    }

const struct modules_member modules_math[] = {
    {.name = "sqrt", .call = math_sqrt},
    {.name = "floor", .call = math_floor},
    {.name = "ceil", .call = math_ceil},
    {.name = "trunc", .call = math_trunc},
    {.name = "log", .call = math_log},
    {.name = "log2", .call = math_log2},
    {.name = "log10", .call = math_log10},
    {.name = "log1p", .call = math_log1p},
    {.name = "exp", .call = math_exp},
    {.name = "sin", .call = math_sin},
    {.name = "cos", .call = math_cos},
    {.name = "tan", .call = math_tan},
    {.name = "asin", .call = math_asin},
    {.name = "acos", .call = math_acos},
    {.name = "atan", .call = math_atan},
    {.name = "atan2", .call = math_atan2},
    {.name = "hypot", .call = math_hypot},
    {.name = "fabs", .call = math_fabs},
    {.name = "pow", .call = math_pow},
    {.name = "fmod", .call = math_fmod},
    {.name = "copysign", .call = math_copysign},
    {.name = "isnan", .call = math_isnan},
    {.name = "isinf", .call = math_isinf},
    {.name = "isfinite", .call = math_isfinite},
    {.name = "isclose", .call = math_isclose},
    {.name = "fsum", .call = math_fsum},
    {.name = "gcd", .call = math_gcd},
    {.name = "prod", .call = math_prod},
    {.name = "factorial", .call = math_factorial},
    REAL("pi", 3.14159265358979323846),
    REAL("e", 2.71828182845904523536),
    REAL("tau", 6.28318530717958647692),
    REAL("inf", __builtin_inf()),
    REAL("nan", __builtin_nan("")),
    {.name = NULL},
};

#define LOWER  "abcdefghijklmnopqrstuvwxyz"
#define UPPER  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"
#define MARKS  "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
#define BLANKS " \t\n\r\x0b\x0c"

const struct modules_member modules_string[] = {
    {.name = "ascii_lowercase", .text = LOWER},
    {.name = "ascii_uppercase", .text = UPPER},
    {.name = "ascii_letters", .text = LOWER UPPER},
    {.name = "digits", .text = DIGITS},
    {.name = "hexdigits", .text = DIGITS "abcdefABCDEF"},
    {.name = "octdigits", .text = "01234567"},
    {.name = "punctuation", .text = MARKS},
    {.name = "whitespace", .text = BLANKS},
    {.name = "printable", .text = DIGITS LOWER UPPER MARKS BLANKS},
    {.name = NULL},
};

static bool reduce(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"reduce", 2, 3, {NULL}, {NULL}};
    struct value values[3], pair[2];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    struct iter *iter = iter_of(in, values[1]);
    enum iter_result result = iter ? ITER_ITEM : ITER_RAISED;
    pair[0] = values[2];
    while (result == ITER_ITEM) {
        result = iter_next(in, iter, &pair[1]);
        if (result != ITER_ITEM)
            break;
        const struct args both = {.values = pair, .count = 2};
        if (pair[0].kind == VALUE_UNSET)
            pair[0] = pair[1];
        else if (!eval_call_value(in, values[0], &both, &pair[0]))
            return false;
    }
    *out = pair[0];
    if (result == ITER_RAISED || out->kind != VALUE_UNSET)
        return result == ITER_END;
    return exception_raise(in, &exception_type,
                           "reduce() of empty iterable with no initial value");
}

static bool partial(struct interp *in, const struct args *args, struct value *out)
{
    struct builtin *builtin = INTERP_NEW(in, struct builtin);
    if (args->count == 0)
        return exception_raise(in, &exception_type,
                               "type 'partial' takes at least one argument");
    struct list *bound = list_of(in, args->values + 1, args->count - 1);
    struct dict *named = dict_new(in);
    if (!builtin || !bound || !named)
        return false;
    for (uint32_t i = 0; i < args->named_count; i++)
        if (!dict_set(in, named, value_str(args->names[i]), args->named[i]))
            return false;
    *builtin = (struct builtin){
        .name = "partial", .self = args->values[0], .bound = bound, .bound_named = named};
    *out = (struct value){.kind = VALUE_BUILTIN, .as.builtin = builtin};
    return true;
}

const struct modules_member modules_functools[] = {
    {.name = "reduce", .call = reduce},
    {.name = "partial", .call = partial},
    {.name = NULL},
};
