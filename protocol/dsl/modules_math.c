/* modules_math - the module math; see modules.h. */
#include "protocol/dsl/modules.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/eval.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/modules_whole.h"
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
UNARY(asinh)
UNARY(acosh)
UNARY(atanh)
UNARY(sinh)
UNARY(cosh)
UNARY(tanh)
UNARY(expm1)
UNARY(exp2)
UNARY(cbrt)
UNARY(erf)
UNARY(erfc)

static double to_radians(double degrees)
{
    return degrees * (3.14159265358979323846 / 180.0);
}

static double to_degrees(double radians)
{
    return radians * (180.0 / 3.14159265358979323846);
}

static bool math_radians(struct interp *in, const struct args *args, struct value *out)
{
    return unary(in, args, "radians", to_radians, out);
}

static bool math_degrees(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"degrees", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    double x = 0;
    if (!args_bind(in, &SPEC, args, values) || !real_of(in, values[0], &x))
        return false;
    *out = value_float(to_degrees(x)); /* which may well be infinite */
    return true;
}

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
    if (args->named_count == 0 && (args->count < 1 || args->count > 2))
        return exception_raise(in, &exception_type, "math.log requires 1 to 2 arguments");
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
    if (isinf(z) && isfinite(x) && isfinite(y) && x == 0) /* pow(0, -1) */
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
BINARY(remainder)
BINARY(copysign)

/* Without an overflow in between, and with one rounding that counts. */
static bool put_norm(const double *numbers, uint32_t count, struct value *out)
{
    long double sum = 0;
    bool infinite = false;
    for (uint32_t i = 0; i < count; i++) {
        infinite |= isinf(numbers[i]);
        sum += (long double)numbers[i] * (long double)numbers[i];
    }
    *out = value_float(infinite ? (double)INFINITY : (double)sqrtl(sum));
    return true;
}

static bool math_hypot(struct interp *in, const struct args *args, struct value *out)
{
    double *numbers = interp_alloc(in, (size_t)args->count + 1, sizeof *numbers);
    if (!numbers || !args_no_keywords(in, args, "hypot"))
        return false;
    for (uint32_t i = 0; i < args->count; i++)
        if (!real_of(in, args->values[i], &numbers[i]))
            return false;
    return put_norm(numbers, args->count, out);
}

static bool math_dist(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"dist", 2, 2, {NULL}, {NULL}};
    struct value values[2];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    const struct list *p = list_from(in, values[0]);
    const struct list *q = p ? list_from(in, values[1]) : NULL;
    if (!q)
        return false;
    if (p->count != q->count)
        return exception_raise(in, &exception_value,
                               "both points must have the same number of dimensions");
    double *numbers = interp_alloc(in, (size_t)p->count + 1, sizeof *numbers);
    if (!numbers)
        return false;
    for (uint32_t i = 0; i < p->count; i++) {
        double a = 0, b = 0;
        if (!real_of(in, p->items[i], &a) || !real_of(in, q->items[i], &b))
            return false;
        numbers[i] = a - b;
    }
    return put_norm(numbers, p->count, out);
}

static bool put_pair(struct interp *in, struct value first, struct value second,
                     struct value *out)
{
    const struct value pair[2] = {first, second};
    *out = value_tuple(list_of(in, pair, 2));
    return out->as.list != NULL;
}

static bool one_real(struct interp *in, const struct args *args, const char *name, double *x)
{
    *x = 0;
    const struct args_spec spec = {name, 1, 1, {NULL}, {NULL}};
    struct value values[1];
    return args_bind(in, &spec, args, values) && real_of(in, values[0], x);
}

static bool math_modf(struct interp *in, const struct args *args, struct value *out)
{
    double x = 0, whole = 0;
    if (!one_real(in, args, "modf", &x))
        return false;
    const double fraction = modf(x, &whole);
    return put_pair(in, value_float(fraction), value_float(whole), out);
}

static bool math_frexp(struct interp *in, const struct args *args, struct value *out)
{
    double x = 0;
    int exponent = 0;
    if (!one_real(in, args, "frexp", &x))
        return false;
    const double mantissa = frexp(x, &exponent);
    return put_pair(in, value_float(mantissa), value_int(isfinite(x) ? exponent : 0), out);
}

static bool math_ldexp(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"ldexp", 2, 2, {NULL}, {NULL}};
    struct value values[2];
    double x = 0;
    int64_t exponent = 0;
    if (!args_bind(in, &SPEC, args, values) || !real_of(in, values[0], &x))
        return false;
    if (!number_is_int(values[1]))
        return exception_raise(in, &exception_type,
                               "Expected an int as second argument to ldexp.");
    exponent = number_integer(values[1]);
    const int64_t far = 10000; /* beyond any exponent */
    exponent = exponent > far ? far : exponent < -far ? -far : exponent;
    const double y = ldexp(x, (int)exponent);
    if (isinf(y) && isfinite(x))
        return exception_raise(in, &exception_overflow, "math range error");
    *out = value_float(y);
    return true;
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
    if (relative < 0 || absolute < 0)
        return exception_raise(in, &exception_value, "tolerances must be non-negative");
    const double difference = fabs(a - b);
    *out = value_bool(a == b || (isfinite(a) && isfinite(b) &&
                                 (difference <= relative * fmax(fabs(a), fabs(b)) ||
                                  difference <= absolute)));
    return true;
}

/* Exact for what a program sums: a running sum with all lost low parts kept (Shewchuk). */
enum { FSUM_PARTS_MAX = 64 };

/* A sum kept exactly, as parts that do not overlap, the least first (J. R. Shewchuk, Adaptive
 * Precision Floating-Point Arithmetic, 1997). */
struct fsum {
    double parts[FSUM_PARTS_MAX];
    uint32_t count;
    double infinite; /* the sum of what is not finite */
    bool has_infinite;
};

static bool fsum_add(struct interp *in, struct fsum *sum, double x)
{
    const double given = x;
    uint32_t kept = 0;
    for (uint32_t j = 0; j < sum->count; j++) {
        const double y = sum->parts[j];
        const double more = fabs(x) < fabs(y) ? y : x, less = fabs(x) < fabs(y) ? x : y;
        const double high = more + less, low = less - (high - more);
        if (low != 0)
            sum->parts[kept++] = low;
        x = high;
    }
    sum->count = kept;
    if (isfinite(x)) {
        if (x != 0 && kept < FSUM_PARTS_MAX)
            sum->parts[sum->count++] = x;
        return true;
    }
    if (isfinite(given))
        return exception_raise(in, &exception_overflow, "intermediate overflow in fsum");
    sum->infinite += given;
    sum->has_infinite = true;
    sum->count = 0;
    return true;
}

/* The parts as one number, rounded once: where what is left is half of the last place, the sign
 * of the next part decides. */
static double fsum_round(const struct fsum *sum)
{
    uint32_t at = sum->count;
    double high = at > 0 ? sum->parts[--at] : 0, low = 0;
    while (at > 0 && low == 0) {
        const double x = high, y = sum->parts[--at];
        high = x + y;
        low = y - (high - x);
    }
    if (at > 0 &&
        ((low < 0 && sum->parts[at - 1] < 0) || (low > 0 && sum->parts[at - 1] > 0))) {
        const double twice = low * 2, other = high + twice;
        if (other - high == twice)
            high = other;
    }
    return high;
}

static bool math_fsum(struct interp *in, const struct args *args, struct value *out)
{
    struct fsum sum = {0};
    bool has_opposites = false;
    static const struct args_spec SPEC = {"fsum", 1, 1, {NULL}, {NULL}};
    struct value value[1];
    const struct list *items =
        args_bind(in, &SPEC, args, value) ? list_from(in, value[0]) : NULL;
    if (!items)
        return false;
    for (uint32_t i = 0; i < items->count; i++) {
        double x;
        if (!real_of(in, items->items[i], &x))
            return false;
        has_opposites |= isinf(x) && isinf(sum.infinite) && x != sum.infinite;
        if (!fsum_add(in, &sum, x))
            return false;
    }
    if (has_opposites)
        return exception_raise(in, &exception_value, "-inf + inf in fsum");
    *out = value_float(sum.has_infinite ? sum.infinite : fsum_round(&sum));
    return interp_charge(in, items->count);
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
    {.name = "asinh", .call = math_asinh},
    {.name = "acosh", .call = math_acosh},
    {.name = "atanh", .call = math_atanh},
    {.name = "sinh", .call = math_sinh},
    {.name = "cosh", .call = math_cosh},
    {.name = "tanh", .call = math_tanh},
    {.name = "expm1", .call = math_expm1},
    {.name = "exp2", .call = math_exp2},
    {.name = "cbrt", .call = math_cbrt},
    {.name = "erf", .call = math_erf},
    {.name = "erfc", .call = math_erfc},
    {.name = "radians", .call = math_radians},
    {.name = "degrees", .call = math_degrees},
    {.name = "remainder", .call = math_remainder},
    {.name = "dist", .call = math_dist},
    {.name = "modf", .call = math_modf},
    {.name = "frexp", .call = math_frexp},
    {.name = "ldexp", .call = math_ldexp},
    {.name = "gcd", .call = modules_whole_gcd},
    {.name = "lcm", .call = modules_whole_lcm},
    {.name = "prod", .call = modules_whole_prod},
    {.name = "factorial", .call = modules_whole_factorial},
    {.name = "comb", .call = modules_whole_comb},
    {.name = "perm", .call = modules_whole_perm},
    {.name = "isqrt", .call = modules_whole_isqrt},
    REAL("pi", 3.14159265358979323846),
    REAL("e", 2.71828182845904523536),
    REAL("tau", 6.28318530717958647692),
    REAL("inf", __builtin_inf()),
    REAL("nan", __builtin_nan("")),
    {.name = NULL},
};
