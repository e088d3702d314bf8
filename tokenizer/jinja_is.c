/* jinja_is - see jinja_is.h. */
#include "tokenizer/jinja_is.h"

#include "tokenizer/jinja_math.h"
#include "tokenizer/jinja_string.h"

/* Tests that look at the type alone, as sets of kinds. */
#define BIT(kind) (1u << (kind))
static const struct {
    const char *name;
    uint32_t kinds;
} TYPES[] = {
    {"undefined", BIT(JINJA_UNDEFINED)},
    {"none", BIT(JINJA_NONE)},
    {"boolean", BIT(JINJA_BOOL)},
    {"integer", BIT(JINJA_INT)},
    {"float", BIT(JINJA_FLOAT)},
    {"number", BIT(JINJA_BOOL) | BIT(JINJA_INT) | BIT(JINJA_FLOAT)},
    {"string", BIT(JINJA_STRING)},
    {"mapping", BIT(JINJA_MAP)},
    {"iterable", BIT(JINJA_UNDEFINED) | BIT(JINJA_STRING) | BIT(JINJA_LIST) | BIT(JINJA_TUPLE) |
                     BIT(JINJA_MAP)},
    {"sequence", BIT(JINJA_UNDEFINED) | BIT(JINJA_STRING) | BIT(JINJA_LIST) | BIT(JINJA_TUPLE) |
                     BIT(JINJA_MAP)},
    {"callable", BIT(JINJA_MACRO) | BIT(JINJA_FUNCTION) | BIT(JINJA_METHOD)},
};
#undef BIT

/* Tests that are comparisons, under all their names. */
static const struct {
    const char *name, *operator;
} COMPARISONS[] = {
    {"eq", "=="}, {"equalto", "=="}, {"==", "=="}, {"sameas", "=="},     {"ne", "!="},
    {"!=", "!="}, {"lt", "<"},       {"<", "<"},   {"lessthan", "<"},    {"le", "<="},
    {"<=", "<="}, {"gt", ">"},       {">", ">"},   {"greaterthan", ">"}, {"ge", ">="},
    {">=", ">="}, {"in", "in"},
};

/* odd, even and divisibleby: what the division leaves. */
static enum status remainder_is(struct jinja *jinja, const struct jinja_value *value,
                                int64_t divisor, int64_t left, bool *result)
{
    int64_t integer;
    if (!jinja_value_integer(value, &integer) || divisor == 0)
        JINJA_FAIL(jinja, ERR_FORMAT, "a %s divided by %lld", jinja_value_type(value),
                   (long long)divisor);
    const int64_t rest = divisor == -1 ? 0 : integer % divisor;
    *result = (rest < 0 ? -rest : rest) == left;
    return OK;
}

/* upper, lower: some letter, and none of the other case. */
static bool has_case(const struct jinja_value *value, char first, char other)
{
    bool some = false;
    if (value->kind != JINJA_STRING)
        return false;
    for (size_t i = 0; i < value->string.size; i++) {
        const char c = value->string.data[i];
        if (c >= other && c < other + 26)
            return false;
        some = some || (c >= first && c < first + 26);
    }
    return some;
}

enum status jinja_is(struct jinja *jinja, struct text name, const struct jinja_value *value,
                     const struct jinja_args *args, bool *result)
{
    const struct jinja_value *arg = jinja_args_get(args, 0, NULL);
    int64_t divisor = 0;
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        if (text_equal(name, text_of(TYPES[i].name))) {
            *result = TYPES[i].kinds >> value->kind & 1;
            return OK;
        }
    }
    for (size_t i = 0; arg && i < sizeof COMPARISONS / sizeof COMPARISONS[0]; i++) {
        if (text_equal(name, text_of(COMPARISONS[i].name)))
            return jinja_math_compare(jinja, text_of(COMPARISONS[i].operator), value, arg,
                                      result);
    }
    if (text_equal(name, TEXT("defined")))
        *result = value->kind != JINJA_UNDEFINED;
    else if (text_equal(name, TEXT("true")))
        *result = value->kind == JINJA_BOOL && value->boolean;
    else if (text_equal(name, TEXT("false")))
        *result = value->kind == JINJA_BOOL && !value->boolean;
    else if (text_equal(name, TEXT("odd")))
        return remainder_is(jinja, value, 2, 1, result);
    else if (text_equal(name, TEXT("even")))
        return remainder_is(jinja, value, 2, 0, result);
    else if (text_equal(name, TEXT("upper")))
        *result = has_case(value, 'A', 'a');
    else if (text_equal(name, TEXT("lower")))
        *result = has_case(value, 'a', 'A');
    else if (arg && text_equal(name, TEXT("divisibleby")) && jinja_value_integer(arg, &divisor))
        return remainder_is(jinja, value, divisor, 0, result);
    else
        JINJA_FAIL(jinja, ERR_LIMIT, "the test '%.*s' is not known here", TEXT_ARG(name));
    return OK;
}
