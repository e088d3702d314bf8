/* eval_call - calls: evaluating arguments, binding parameters, running bodies; see eval.h. */
#include "protocol/dsl/eval.h"

#include "protocol/dsl/attribute.h"
#include "protocol/dsl/compare.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/modules.h"
#include "protocol/dsl/repr.h"
#include "protocol/dsl/signature.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/type.h"

#include <string.h>

struct cell **eval_cells(struct interp *in, const struct code *code, struct cell **outer)
{
    const uint32_t own = code->cell_count, count = own + code->free_count;
    static struct cell *none[1];
    if (count == 0)
        return none;
    struct cell **cells = interp_alloc(in, count, sizeof *cells);
    struct cell *fresh = cells ? interp_alloc(in, (size_t)own + 1, sizeof *fresh) : NULL;
    if (!fresh)
        return NULL;
    for (uint32_t i = 0; i < count; i++)
        cells[i] = i < own ? &fresh[i] : outer[i - own];
    return cells;
}

static void put(struct eval_frame *f, struct code_place place, struct value value)
{
    if (place.place == AST_CELL)
        f->cells[place.slot]->value = value;
    else
        f->slots[place.slot] = value;
}

/* The parameters of a call as they are filled: the values lie on the stack until all are
 * known to be there. */
struct binding {
    const struct code *code;
    const struct args *args;
    struct value *values; /* [parameter_count] */
};

static bool too_many(struct interp *in, const struct binding *b,
                     const struct function *function)
{
    const struct code *code = b->code;
    struct signature signature = {str_text(code->qualified), 0, code->positional_count};
    uint32_t only_named = 0;
    while (signature.least < signature.most &&
           function->defaults[signature.least].kind == VALUE_UNSET)
        signature.least++;
    for (uint32_t i = code->positional_count; i < code->parameter_count; i++)
        only_named += b->values[i].kind != VALUE_UNSET;
    return signature_too_many(in, &signature, b->args->count, only_named);
}

static bool missing(struct interp *in, const struct binding *b, bool keyword_only)
{
    const struct code *code = b->code;
    const uint32_t begin = keyword_only ? code->positional_count : 0;
    const uint32_t end = keyword_only ? code->parameter_count : code->positional_count;
    struct list *names = list_new(in, end - begin);
    for (uint32_t i = begin; names && i < end; i++)
        if (b->values[i].kind == VALUE_UNSET &&
            !list_push(in, names, value_str(code->parameters[i])))
            return false;
    return names && signature_missing(in, str_text(code->qualified), names, keyword_only);
}

/* A keyword that no parameter takes: those that are positional only are told first. */
static bool unexpected(struct interp *in, const struct binding *b, const struct str *name)
{
    const struct code *code = b->code;
    const struct text function = str_text(code->qualified);
    struct str_builder names = {.in = in};
    for (uint32_t i = 0; i < code->positional_only; i++)
        for (uint32_t j = 0; j < b->args->named_count; j++)
            if (str_equal(code->parameters[i], b->args->names[j])) {
                str_builder_add(&names, names.size > 0 ? TEXT(", ") : TEXT(""));
                str_builder_add(&names, str_text(code->parameters[i]));
            }
    if (names.size == 0)
        return signature_unexpected(in, function, name);
    const struct str *shown = str_builder_str(&names);
    return shown && exception_raise(in, &exception_type,
                                    "%.*s() got some positional-only arguments passed as "
                                    "keyword arguments: '%.*s'",
                                    TEXT_ARG(function), TEXT_ARG(str_text(shown)));
}

static bool bind_named(struct interp *in, const struct binding *b, struct dict *extra)
{
    const struct code *code = b->code;
    for (uint32_t i = 0; i < b->args->named_count; i++) {
        struct str *name = b->args->names[i];
        uint32_t at = code->positional_only;
        while (at < code->parameter_count && !str_equal(code->parameters[at], name))
            at++;
        if (at < code->parameter_count && b->values[at].kind != VALUE_UNSET)
            return signature_twice(in, str_text(code->qualified), name);
        if (at < code->parameter_count)
            b->values[at] = b->args->named[i];
        else if (!extra)
            return unexpected(in, b, name);
        else if (!dict_set(in, extra, value_str(name), b->args->named[i]))
            return false;
    }
    return true;
}

static bool fill_defaults(struct interp *in, const struct binding *b,
                          const struct function *function)
{
    const struct code *code = b->code;
    bool lacks_plain = false, lacks_named = false;
    for (uint32_t i = 0; i < code->parameter_count; i++) {
        if (b->values[i].kind == VALUE_UNSET)
            b->values[i] = function->defaults[i];
        if (b->values[i].kind == VALUE_UNSET)
            *(i < code->positional_count ? &lacks_plain : &lacks_named) = true;
    }
    return !(lacks_plain || lacks_named) || missing(in, b, !lacks_plain);
}

static bool bind(struct interp *in, struct eval_frame *f, const struct function *function,
                 const struct args *args)
{
    const struct code *code = function->code;
    const uint32_t plain =
        args->count < code->positional_count ? args->count : code->positional_count;
    struct binding b = {code, args, interp_push(in, code->parameter_count)};
    struct list *rest = NULL;
    struct dict *extra = NULL;
    if (!b.values)
        return false;
    for (uint32_t i = 0; i < plain; i++)
        b.values[i] = args->values[i];
    if (code->has_star) {
        rest =
            list_of(in, args->count > plain ? args->values + plain : NULL, args->count - plain);
        if (!rest)
            return false;
        put(f, code->places[code->parameter_count], value_tuple(rest));
    }
    if (code->has_double_star) {
        extra = dict_new(in);
        if (!extra)
            return false;
        put(f, code->places[code->parameter_count + 1], value_dict(extra));
    }
    if (!bind_named(in, &b, extra))
        return false;
    if (args->count > plain && !code->has_star)
        return too_many(in, &b, function);
    if (!fill_defaults(in, &b, function))
        return false;
    for (uint32_t i = 0; i < code->parameter_count; i++)
        put(f, code->places[i], b.values[i]);
    return true;
}

static bool run_function(struct interp *in, const struct function *function,
                         const struct args *args, struct value *out)
{
    const struct code *code = function->code;
    struct eval_frame frame = {.code = code, .returned = value_none()};
    const int32_t line = in->line;
    frame.slots = interp_push(in, code->slot_count);
    frame.cells = frame.slots ? eval_cells(in, code, function->free) : NULL;
    if (!frame.cells || !bind(in, &frame, function, args))
        return false;
    if (code->expression)
        return eval_expr(in, &frame, code->expression, out);
    if (eval_block(in, &frame, &code->body) == EVAL_RAISED)
        return false;
    *out = frame.returned;
    in->line = line;
    return true;
}

static bool call_function(struct interp *in, const struct function *function,
                          const struct args *args, struct value *out)
{
    const uint32_t stack_used = in->stack_used;
    if (in->depth >= in->limits.depth)
        return interp_trip(in, "calls are nested deeper than %u", in->limits.depth);
    if (!interp_charge(in, 4))
        return false;
    in->depth++;
    const bool fine = run_function(in, function, args, out);
    in->depth--;
    in->stack_used = stack_used;
    return fine;
}

/* functools.partial: its own arguments first; later keywords win. */
static bool call_partial(struct interp *in, const struct builtin *partial,
                         const struct args *args, struct value *out)
{
    struct list *values = list_of(in, partial->bound->items, partial->bound->count);
    struct dict *named = dict_copy(in, partial->bound_named);
    if (!values || !named || !list_extend(in, values, args->values, args->count))
        return false;
    for (uint32_t i = 0; i < args->named_count; i++)
        if (!dict_set(in, named, value_str(args->names[i]), args->named[i]))
            return false;
    struct str **names = interp_alloc(in, (size_t)named->count + 1, sizeof *names);
    struct value *given = interp_alloc(in, (size_t)named->count + 1, sizeof *given);
    uint32_t at = 0, count = 0;
    if (!names || !given)
        return false;
    for (const struct dict_entry *entry; (entry = dict_next(named, &at)) != NULL; count++) {
        names[count] = entry->key.as.str;
        given[count] = entry->value;
    }
    const struct args all = {.values = values->items,
                             .count = values->count,
                             .names = names,
                             .named = given,
                             .named_count = count};
    return eval_call_value(in, partial->self, &all, out);
}

bool eval_can_call(struct value value)
{
    return value.kind == VALUE_FUNCTION || value.kind == VALUE_BUILTIN ||
           value.kind == VALUE_TYPE;
}

static bool call_any(struct interp *in, struct value callee, const struct args *args,
                     struct value *out)
{
    struct args with_self = *args;
    switch (callee.kind) {
    case VALUE_FUNCTION:
        return call_function(in, callee.as.function, args, out);
    case VALUE_BUILTIN:
        if (callee.as.builtin->bound)
            return call_partial(in, callee.as.builtin, args, out);
        with_self.self = callee.as.builtin->self;
        return callee.as.builtin->call(in, &with_self, out);
    case VALUE_TYPE:
        with_self.self = callee;
        if (callee.as.type->construct)
            return callee.as.type->construct(in, &with_self, out);
        if (callee.as.type->instance == VALUE_NONE && args->count + args->named_count > 0)
            return exception_raise(in, &exception_type, "NoneType takes no arguments");
        *out = value_none();
        if (callee.as.type->instance == VALUE_NONE)
            return true;
        return exception_raise(in, &exception_type, "cannot create '%s%s' instances",
                               type_prefix(callee.as.type), callee.as.type->name);
    default:
        return exception_raise(in, &exception_type, "'%s' object is not callable",
                               type_name(callee));
    }
}

bool eval_call_value(struct interp *in, struct value callee, const struct args *args,
                     struct value *out)
{
    if (!interp_charge(in, 1) || !interp_enter(in))
        return false;
    const bool fine = call_any(in, callee, args, out);
    interp_leave(in);
    return fine;
}

/* Arguments without * and **: on the stack, where the callee's own go behind them. */
static bool plain_arguments(struct interp *in, struct eval_frame *f, const struct ast *node,
                            struct args *args)
{
    const uint32_t count = node->as.call.arguments.count;
    struct value *values = interp_push(in, count);
    if (!values)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!eval_expr(in, f, node->as.call.arguments.items[i], &values[i]))
            return false;
    args->values = values;
    args->count = count - node->as.call.named_count;
    args->names = node->as.call.names;
    args->named = values + args->count;
    args->named_count = node->as.call.named_count;
    return true;
}

/* What is called, and its arguments as they are collected. */
struct spread {
    struct value callee, object; /* object: of a method, else unset */
    const struct str *method;
    struct list *plain, *named, *names;
};

/* What is called: its name, behind where it comes from; empty where it has none. */
static struct text callee_name(const struct spread *s, const char *before[2])
{
    before[0] = before[1] = "";
    if (s->object.kind != VALUE_UNSET) {
        const struct type *type = type_of(s->object);
        before[0] = s->object.kind == VALUE_ITER ? type_name(s->object) : type->name;
        if (type == &type_counter && modules_counter_has(s->method)) /* written in Python */
            before[0] = "collections.Counter";
        before[1] = ".";
        return str_text(s->method);
    }
    if (s->callee.kind == VALUE_FUNCTION)
        return str_text(s->callee.as.function->code->qualified);
    if (s->callee.kind == VALUE_BUILTIN && !s->callee.as.builtin->bound) {
        before[0] = modules_prefix(s->callee.as.builtin->call);
        return text_of(s->callee.as.builtin->name);
    }
    if (s->callee.kind != VALUE_TYPE)
        return TEXT("");
    before[0] = type_prefix(s->callee.as.type);
    return text_of(s->callee.as.type->name);
}

/* As CPython words it: f(), or a partial itself. NULL when a budget tripped. */
static const struct str *callee_words(struct interp *in, const struct spread *s)
{
    const char *before[2];
    const struct text name = callee_name(s, before);
    struct str_builder b = {.in = in};
    if (name.size == 0)
        return repr_str(in, s->callee);
    str_builder_add(&b, text_of(before[0]));
    str_builder_add(&b, text_of(before[1]));
    str_builder_add(&b, name);
    str_builder_add(&b, TEXT("()"));
    return str_builder_str(&b);
}

static bool cannot_spread(struct interp *in, const struct spread *s, const char *what,
                          struct value value)
{
    const struct str *words = callee_words(in, s);
    return words && exception_raise(in, &exception_type, "%.*s argument after %s, not %s",
                                    TEXT_ARG(str_text(words)), what, type_name(value));
}

/* CPython words this anew only while no exception is handled. */
static bool is_twice(struct interp *in, const struct spread *s, struct value name)
{
    if (in->handled)
        return exception_raise_value(in, &exception_key, name);
    const struct str *words = callee_words(in, s), *shown = repr_str(in, name);
    return words && shown &&
           exception_raise(in, &exception_type,
                           "%.*s got multiple values for keyword argument '%.*s'",
                           TEXT_ARG(str_text(words)), TEXT_ARG(str_text(shown)));
}

static bool put_named(struct interp *in, const struct spread *s, struct value name,
                      struct value value)
{
    if (!interp_charge(in, s->names->count / 4))
        return false;
    for (uint32_t i = 0; i < s->names->count; i++) {
        bool equal;
        if (!compare_equal(in, s->names->items[i], name, &equal))
            return false;
        if (equal)
            return is_twice(in, s, name);
    }
    return list_push(in, s->names, name) && list_push(in, s->named, value);
}

static bool spread_dict(struct interp *in, const struct spread *s, struct value value)
{
    uint32_t at = 0;
    if (value.kind != VALUE_DICT)
        return cannot_spread(in, s, "** must be a mapping", value);
    for (const struct dict_entry *entry; (entry = dict_next(value.as.dict, &at)) != NULL;)
        if (!put_named(in, s, entry->key, entry->value))
            return false;
    return true;
}

static bool spread_list(struct interp *in, const struct spread *s, struct value value)
{
    const struct list *items = list_from(in, value);
    return items && list_extend(in, s->plain, items->items, items->count);
}

/* The plain arguments. One *x by itself is left as it is, for later. */
static bool spread_plain(struct interp *in, struct eval_frame *f, const struct ast *node,
                         const struct spread *s, struct value *alone)
{
    const uint32_t count = node->as.call.arguments.count - node->as.call.named_count;
    struct ast *const *items = node->as.call.arguments.items;
    alone->kind = VALUE_UNSET;
    if (count == 1 && items[0]->kind == AST_STAR)
        return eval_expr(in, f, items[0]->as.star.operand, alone);
    for (uint32_t i = 0; i < count; i++) {
        const bool star = items[i]->kind == AST_STAR;
        struct value value;
        if (!eval_expr(in, f, star ? items[i]->as.star.operand : items[i], &value))
            return false;
        if (star && !iter_can(value))
            return exception_raise(in, &exception_type,
                                   "Value after * must be an iterable, not %s",
                                   type_name(value));
        if (!(star ? spread_list(in, s, value) : list_push(in, s->plain, value)))
            return false;
    }
    return true;
}

/* Those written name=value, up to the next **x or the end, are all evaluated before any is
 * found to be there already. */
static bool spread_named(struct interp *in, struct eval_frame *f, const struct ast *node,
                         const struct spread *s)
{
    const uint32_t count = node->as.call.named_count;
    struct ast *const *items =
        node->as.call.arguments.items + (node->as.call.arguments.count - count);
    struct value *values = interp_push(in, count);
    uint32_t next = 0;
    for (uint32_t i = 0; values && i <= count; i++) {
        const bool is_last = i == count, is_dict = !is_last && !node->as.call.names[i];
        for (; (is_last || is_dict) && next < i; next++)
            if (node->as.call.names[next] &&
                !put_named(in, s, value_str(node->as.call.names[next]), values[next]))
                return false;
        if (!is_last &&
            !eval_expr(in, f, is_dict ? items[i]->as.star.operand : items[i], &values[i]))
            return false;
        if (is_dict && !spread_dict(in, s, values[i]))
            return false;
    }
    return values != NULL;
}

/* What takes keywords that are no str: CPython hands them on. */
static bool takes_any_key(const struct spread *s)
{
    if (s->object.kind == VALUE_UNSET)
        return s->callee.kind == VALUE_TYPE && s->callee.as.type == &type_ordered_dict;
    return (s->object.kind == VALUE_DICT && s->object.as.dict->flavor != DICT_COUNTER &&
            str_is(s->method, "update")) ||
           (s->object.kind == VALUE_STR && str_is(s->method, "format"));
}

/* With * or **: plain values, named values and names in lists. */
static bool spread_arguments(struct interp *in, struct eval_frame *f, const struct ast *node,
                             struct spread *s, struct args *args)
{
    struct value alone;
    s->plain = list_new(in, 0);
    s->named = list_new(in, 0);
    s->names = list_new(in, 0);
    if (!s->plain || !s->named || !s->names || !spread_plain(in, f, node, s, &alone) ||
        !spread_named(in, f, node, s))
        return false;
    if (alone.kind != VALUE_UNSET && !iter_can(alone))
        return cannot_spread(in, s, "* must be an iterable", alone);
    if (alone.kind != VALUE_UNSET && !spread_list(in, s, alone))
        return false;
    struct str **names = interp_alloc(in, (size_t)s->names->count + 1, sizeof *names);
    for (uint32_t i = 0; names && i < s->names->count; i++) {
        const struct value name = s->names->items[i];
        if (name.kind != VALUE_STR && !takes_any_key(s))
            return exception_raise(in, &exception_type, "keywords must be strings");
        names[i] = name.kind == VALUE_STR ? name.as.str : NULL;
    }
    args->values = s->plain->items;
    args->count = s->plain->count;
    args->names = names;
    args->keys = s->names->items;
    args->named = s->named->items;
    args->named_count = s->named->count;
    return names != NULL;
}

static bool call_with(struct interp *in, struct eval_frame *f, const struct ast *node,
                      struct value *out)
{
    const struct ast *function = node->as.call.function;
    struct value callee = {.kind = VALUE_UNSET}, object = {.kind = VALUE_UNSET};
    value_call *method = NULL;
    struct args args = {0};
    if (function->kind == AST_ATTRIBUTE) {
        if (!eval_expr(in, f, function->as.attribute.object, &object))
            return false;
        method = attribute_method(object, function->as.attribute.name);
        if (!method && !attribute_get(in, object, function->as.attribute.name, &callee))
            return false;
    } else if (!eval_expr(in, f, function, &callee)) {
        return false;
    }
    struct spread spread = {.callee = callee};
    if (method) {
        spread.object = object;
        spread.method = function->as.attribute.name;
    }
    if (!(node->as.call.spread ? spread_arguments(in, f, node, &spread, &args)
                               : plain_arguments(in, f, node, &args)))
        return false;
    in->line = node->line;
    args.self = object;
    return method ? method(in, &args, out) : eval_call_value(in, callee, &args, out);
}

bool eval_call(struct interp *in, struct eval_frame *f, const struct ast *node,
               struct value *out)
{
    const uint32_t stack_used = in->stack_used;
    const bool fine = call_with(in, f, node, out);
    in->stack_used = stack_used;
    return fine;
}

bool eval_function(struct interp *in, struct eval_frame *f, const struct ast *node,
                   struct value *out)
{
    const struct code *code = node->as.function.code;
    struct function *function = INTERP_NEW(in, struct function);
    if (!function)
        return false;
    function->code = code;
    function->defaults =
        interp_alloc(in, (size_t)code->parameter_count + 1, sizeof *function->defaults);
    function->free = interp_alloc(in, (size_t)code->free_count + 1, sizeof *function->free);
    if (!function->defaults || !function->free)
        return false;
    for (uint32_t i = 0; i < code->parameter_count; i++)
        if (node->as.function.defaults[i] &&
            !eval_expr(in, f, node->as.function.defaults[i], &function->defaults[i]))
            return false;
    for (uint32_t i = 0; i < code->free_count; i++)
        function->free[i] = f->cells[code->free_from[i]];
    *out = (struct value){.kind = VALUE_FUNCTION, .as.function = function};
    return true;
}
