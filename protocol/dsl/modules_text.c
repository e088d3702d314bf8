/* modules_text - the modules string and functools; see modules.h. */
#include "protocol/dsl/modules.h"

#include "protocol/dsl/args.h"
#include "protocol/dsl/attribute.h"
#include "protocol/dsl/compare.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/eval.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/type.h"

/* value.NAME(arguments) */
static bool call_method(struct interp *in, struct value self, const char *name,
                        const struct args *given, struct value *out)
{
    struct args args = *given;
    struct str *symbol = str_view(in, text_of(name));
    value_call *call = symbol ? attribute_method(self, symbol) : NULL;
    args.self = self;
    return call && call(in, &args, out);
}

/* Words with a capital each, joined by one blank, or split and joined by sep. */
static bool capwords(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"capwords", 1, 2, {"s", "sep"}, {NULL}};
    struct value values[2], words;
    if (!args_bind_python(in, &SPEC, args, values, NULL))
        return false;
    const bool truth = compare_truth(values[1]); /* (sep or ' ').join(... s.split(sep) ...) */
    const bool can_split = values[0].kind == VALUE_STR || values[0].kind == VALUE_PATTERN;
    const char *lacks = truth && values[1].kind != VALUE_STR ? "join"
                        : !can_split                         ? "split"
                                                             : NULL;
    if (lacks)
        return exception_raise(in, &exception_attribute, "'%s' object has no attribute '%s'",
                               type_name(values[lacks[0] == 'j']), lacks);
    struct str *separator = truth ? values[1].as.str : NULL;
    if (values[1].kind == VALUE_UNSET)
        values[1] = value_none();
    const struct args by = {.values = &values[1], .count = 1};
    if (!call_method(in, values[0], "split", &by, &words))
        return false;
    const struct args none = {.values = &values[1]};
    for (uint32_t i = 0; i < words.as.list->count; i++)
        if (!interp_charge(in, 1) || !call_method(in, words.as.list->items[i], "capitalize",
                                                  &none, &words.as.list->items[i]))
            return false;
    struct str *blank = separator ? separator : str_view(in, TEXT(" "));
    const struct args joined = {.values = &words, .count = 1};
    return blank && call_method(in, value_str(blank), "join", &joined, out);
}

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
    {.name = "capwords", .call = capwords},
    {.name = NULL},
};

static bool reduce(struct interp *in, const struct args *args, struct value *out)
{
    static const struct args_spec SPEC = {"reduce", 2, 3, {NULL}, {NULL}};
    struct value values[3], pair[2];
    if (!args_bind(in, &SPEC, args, values))
        return false;
    if (!iter_can(values[1]))
        return exception_raise(in, &exception_type, "reduce() arg 2 must support iteration");
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
    if (!eval_can_call(args->values[0]))
        return exception_raise(in, &exception_type, "the first argument must be callable");
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
