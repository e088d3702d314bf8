/* jinja_math - see jinja_math.h. */
#include "tokenizer/jinja_math.h"

#include "base/checked.h"
#include "tokenizer/jinja_format.h"
#include "tokenizer/jinja_print.h"
#include "tokenizer/jinja_string.h"

#include <math.h>

enum { REPEAT_MAX = 1 << 16 };

static enum status wrong_types(struct jinja *jinja, const struct jinja_math *math)
{
    JINJA_FAIL(jinja, ERR_FORMAT, "%s %.*s %s", jinja_value_type(math->left),
               TEXT_ARG(math->operator), jinja_value_type(math->right));
}

static enum status divided_by_zero(struct jinja *jinja)
{
    JINJA_FAIL(jinja, ERR_FORMAT, "%s", "a division by zero");
}

/* Whole-number power of a non-negative exponent; false when it does not fit. */
static bool power(int64_t base, int64_t exponent, int64_t *out)
{
    int64_t result = 1;
    if (exponent < 0 || exponent > 64)
        return false;
    for (; exponent > 0; exponent--) {
        if (!checked_mul_i64(result, base, &result))
            return false;
    }
    *out = result;
    return true;
}

static enum status integers(struct jinja *jinja, const struct jinja_math *math, int64_t a,
                            int64_t b, struct jinja_value *result)
{
    const struct text sign = math->operator;
    int64_t out = 0;
    bool fits;
    if (text_equal(sign, TEXT("+"))) {
        fits = checked_add_i64(a, b, &out);
    } else if (text_equal(sign, TEXT("-"))) {
        fits = checked_sub_i64(a, b, &out);
    } else if (text_equal(sign, TEXT("*"))) {
        fits = checked_mul_i64(a, b, &out);
    } else if (text_equal(sign, TEXT("**"))) {
        fits = power(a, b, &out);
    } else { /* // and % */
        if (b == 0)
            return divided_by_zero(jinja);
        fits = a != INT64_MIN || b != -1;
        const int64_t rest = fits ? a % b : 0;
        const bool down = rest != 0 && (rest < 0) != (b < 0);
        if (fits)
            out = text_equal(sign, TEXT("%")) ? (down ? rest + b : rest) : a / b - down;
    }
    if (!fits)
        JINJA_FAIL(jinja, ERR_LIMIT, "%lld %.*s %lld does not fit in 64 bits", (long long)a,
                   TEXT_ARG(sign), (long long)b);
    *result = jinja_value_int(out);
    return OK;
}

static enum status reals(struct jinja *jinja, const struct jinja_math *math,
                         struct jinja_value *result)
{
    const struct text sign = math->operator;
    const double a = jinja_value_number(math->left), b = jinja_value_number(math->right);
    const bool divides = sign.data[0] == '/' || sign.data[0] == '%';
    if (divides && fpclassify(b) == FP_ZERO)
        return divided_by_zero(jinja);
    double out = 0;
    if (text_equal(sign, TEXT("+")))
        out = a + b;
    else if (text_equal(sign, TEXT("-")))
        out = a - b;
    else if (text_equal(sign, TEXT("*")))
        out = a * b;
    else if (text_equal(sign, TEXT("**")))
        out = pow(a, b);
    else if (text_equal(sign, TEXT("/")))
        out = a / b;
    else
        out = text_equal(sign, TEXT("//")) ? floor(a / b) : a - b * floor(a / b);
    *result = jinja_value_float(out);
    return OK;
}

static enum status concat(struct jinja *jinja, const struct jinja_math *math,
                          struct jinja_value *result)
{
    struct jinja_builder out = {.arena = jinja->arena};
    TRY(jinja_print_str(jinja, math->left, &out));
    TRY(jinja_print_str(jinja, math->right, &out));
    return jinja_string_take(jinja, &out, result);
}

static enum status add_lists(struct jinja *jinja, const struct jinja_math *math,
                             struct jinja_value *result)
{
    TRY(jinja_value_new(jinja, math->left->kind, result));
    for (uint32_t i = 0; i < math->left->list->count; i++)
        TRY(jinja_value_push(jinja, result->list, math->left->list->items[i]));
    for (uint32_t i = 0; i < math->right->list->count; i++)
        TRY(jinja_value_push(jinja, result->list, math->right->list->items[i]));
    return OK;
}

static enum status repeat(struct jinja *jinja, struct jinja_string string, int64_t count,
                          struct jinja_value *result)
{
    struct jinja_builder out = {.arena = jinja->arena};
    if (count > REPEAT_MAX)
        JINJA_FAIL(jinja, ERR_LIMIT, "a string %lld times, the limit is %d", (long long)count,
                   REPEAT_MAX);
    for (; count > 0; count--)
        jinja_string_add(&out, string);
    return jinja_string_take(jinja, &out, result);
}

/* A string, % and a tuple of values, or one alone. */
static enum status fill(struct jinja *jinja, const struct jinja_math *math,
                        struct jinja_value *result)
{
    struct jinja_value one = *math->right;
    const struct jinja_list alone = {.items = &one, .count = 1};
    return jinja_format(jinja, math->left->string, one.kind == JINJA_TUPLE ? one.list : &alone,
                        result);
}

enum status jinja_math_binary(struct jinja *jinja, const struct jinja_math *math,
                              struct jinja_value *result)
{
    const struct jinja_value *left = math->left, *right = math->right;
    const bool adds = text_equal(math->operator, TEXT("+"));
    int64_t a = 0, b = 0;
    if (text_equal(math->operator, TEXT("~")))
        return concat(jinja, math, result);
    if (jinja_value_integer(left, &a) && jinja_value_integer(right, &b) &&
        !text_equal(math->operator, TEXT("/")))
        return integers(jinja, math, a, b, result);
    if (jinja_value_is_number(left) && jinja_value_is_number(right))
        return reals(jinja, math, result);
    if (adds && left->kind == right->kind && left->kind == JINJA_STRING)
        return concat(jinja, math, result);
    if (adds && left->kind == right->kind &&
        (left->kind == JINJA_LIST || left->kind == JINJA_TUPLE))
        return add_lists(jinja, math, result);
    if (left->kind == JINJA_STRING && text_equal(math->operator, TEXT("%")))
        return fill(jinja, math, result);
    if (text_equal(math->operator, TEXT("*"))) {
        if (left->kind == JINJA_STRING && jinja_value_integer(right, &b))
            return repeat(jinja, left->string, b, result);
        if (right->kind == JINJA_STRING && jinja_value_integer(left, &a))
            return repeat(jinja, right->string, a, result);
    }
    return wrong_types(jinja, math);
}

enum status jinja_math_unary(struct jinja *jinja, struct text operator,
                             const struct jinja_value * value, struct jinja_value *result)
{
    const struct jinja_value zero = jinja_value_int(0);
    const struct jinja_math math = {operator, & zero, value};
    if (!jinja_value_is_number(value))
        JINJA_FAIL(jinja, ERR_FORMAT, "%.*s of %s", TEXT_ARG(operator),
                   jinja_value_type(value));
    if (value->kind == JINJA_FLOAT) {
        *result = text_equal(operator, TEXT("-")) ? jinja_value_float(-value->real) : *value;
        return OK;
    }
    return jinja_math_binary(jinja, &math, result);
}

enum status jinja_math_compare(struct jinja *jinja, struct text operator,
                               const struct jinja_value * left, const struct jinja_value *right,
                               bool *result)
{
    int order;
    /* Long strings cost what going through them does. */
    TRY(jinja_step(jinja, left->kind == JINJA_STRING ? left->string.size : 0));
    if (text_equal(operator, TEXT("=="))) {
        *result = jinja_value_equal(left, right);
        return OK;
    }
    if (text_equal(operator, TEXT("!="))) {
        *result = !jinja_value_equal(left, right);
        return OK;
    }
    if (text_equal(operator, TEXT("in")))
        return jinja_value_contains(jinja, right, left, result);
    if (text_equal(operator, TEXT("not in"))) {
        TRY(jinja_value_contains(jinja, right, left, result));
        *result = !*result;
        return OK;
    }
    if (!jinja_value_order(left, right, &order))
        JINJA_FAIL(jinja, ERR_FORMAT, "%s %.*s %s", jinja_value_type(left), TEXT_ARG(operator),
                   jinja_value_type(right));
    const bool or_equal = operator.size == 2;
    *result = order == 0 ? or_equal : (order < 0) == (operator.data[0] == '<');
    return OK;
}
