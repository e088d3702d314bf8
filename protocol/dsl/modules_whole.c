/* modules_whole - see modules_whole.h. */
#include "protocol/dsl/modules_whole.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/eval.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/number.h"

#include <math.h>

bool modules_whole_gcd(struct interp *in, const struct args *args, struct value *out)
{
    int64_t gcd = 0;
    if (!args_no_keywords(in, args, "gcd"))
        return false;
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

bool modules_whole_lcm(struct interp *in, const struct args *args, struct value *out)
{
    struct value pair[2], rest = value_int(1);
    if (!args_no_keywords(in, args, "lcm"))
        return false;
    for (uint32_t i = 0; i < args->count; i++) {
        int64_t x = 0;
        struct value gcd;
        if (!args_int(in, args->values[i], &x))
            return false;
        if (x == 0 || number_integer(rest) == 0) {
            rest = value_int(0);
            continue;
        }
        pair[0] = rest;
        pair[1] = value_int(x);
        const struct args both = {.values = pair, .count = 2};
        if (!modules_whole_gcd(in, &both, &gcd))
            return false;
        pair[1] = value_int(x / number_integer(gcd));
        if (!number_binary(in, AST_MUL, pair, &rest) ||
            (number_integer(rest) < 0 && !number_negate(in, rest, &rest)))
            return false;
    }
    *out = rest;
    return true;
}

bool modules_whole_prod(struct interp *in, const struct args *args, struct value *out)
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

bool modules_whole_factorial(struct interp *in, const struct args *args, struct value *out)
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

static bool choose_from(struct interp *in, const struct value *values, int64_t *n, int64_t *k)
{
    if (!args_int(in, values[0], n) || !args_int(in, values[1], k))
        return false;
    if (*n >= 0 && *k >= 0)
        return true;
    return exception_raise(in, &exception_value, "%c must be a non-negative integer",
                           *n < 0 ? 'n' : 'k');
}

/* C(n, k), each step of which is whole: C(n, i) = C(n, i - 1) * (n - i + 1) / i. The product in
 * between may leave 64 bits where the result does not, so it is divided first. */
bool modules_whole_comb(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"comb", 2, 2, {NULL}, {NULL}};
    struct value values[2], pair[2];
    int64_t n = 0, k = 0;
    if (!args_bind(in, &SPEC, args, values) || !choose_from(in, values, &n, &k))
        return false;
    *out = value_int(k <= n);
    k = k > n - k ? n - k : k;
    for (int64_t i = 1; i <= k; i++) {
        struct value gcd;
        pair[0] = *out;
        pair[1] = value_int(i);
        const struct args both = {.values = pair, .count = 2};
        if (!interp_charge(in, 1) || !modules_whole_gcd(in, &both, &gcd))
            return false;
        const int64_t shared = number_integer(gcd);
        pair[0] = value_int(number_integer(*out) / shared);
        pair[1] = value_int((n - i + 1) / (i / shared));
        if (!number_binary(in, AST_MUL, pair, out))
            return false;
    }
    return true;
}

bool modules_whole_perm(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"perm", 1, 2, {NULL}, {NULL}};
    struct value values[2], pair[2];
    int64_t n = 0, k = 0;
    if (!args_bind(in, &SPEC, args, values))
        return false;
    if (values[1].kind == VALUE_UNSET || values[1].kind == VALUE_NONE) {
        const struct args one = {.values = values, .count = 1};
        return modules_whole_factorial(in, &one, out);
    }
    if (!choose_from(in, values, &n, &k))
        return false;
    *out = value_int(k <= n);
    for (int64_t i = 0; i < k && k <= n; i++) {
        pair[0] = *out;
        pair[1] = value_int(n - i);
        if (!interp_charge(in, 1) || !number_binary(in, AST_MUL, pair, out))
            return false;
    }
    return true;
}

bool modules_whole_isqrt(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"isqrt", 1, 1, {NULL}, {NULL}};
    struct value values[1];
    int64_t n = 0;
    if (!args_bind(in, &SPEC, args, values) || !args_int(in, values[0], &n))
        return false;
    if (n < 0)
        return exception_raise(in, &exception_value, "isqrt() argument must be nonnegative");
    int64_t root = (int64_t)sqrtl((long double)n);
    while (root > 0 && root > n / root)
        root--;
    while (root + 1 <= n / (root + 1))
        root++;
    *out = value_int(root);
    return true;
}
