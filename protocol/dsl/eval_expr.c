/* eval_expr - expressions; see eval.h. */
#include "protocol/dsl/eval.h"

#include "protocol/dsl/attribute.h"
#include "protocol/dsl/compare.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/format.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/modules.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/repr.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/type.h"

static bool unbound(struct interp *in, const struct ast *node, bool local)
{
    const struct text name = str_text(node->as.name.name);
    if (local)
        return exception_raise(in, &exception_unbound,
                               "cannot access local variable '%.*s' where it is not "
                               "associated with a value",
                               TEXT_ARG(name));
    return exception_raise(in, &exception_name, "name '%.*s' is not defined", TEXT_ARG(name));
}

bool eval_name(struct interp *in, struct eval_frame *f, const struct ast *node,
               struct value *out)
{
    const uint32_t slot = node->as.name.slot;
    switch (node->as.name.place) {
    case AST_LOCAL:
        *out = f->slots[slot];
        return out->kind != VALUE_UNSET || unbound(in, node, true);
    case AST_CELL:
        *out = f->cells[slot]->value;
        if (out->kind != VALUE_UNSET)
            return true;
        if (slot < f->code->cell_count)
            return unbound(in, node, true);
        return exception_raise(in, &exception_name,
                               "cannot access free variable '%.*s' where it is not associated "
                               "with a value in enclosing scope",
                               TEXT_ARG(str_text(node->as.name.name)));
    case AST_GLOBAL:
        *out = in->globals[slot];
        if (out->kind == VALUE_UNSET && in->builtins)
            *out = in->builtins[slot];
        return out->kind != VALUE_UNSET || unbound(in, node, false);
    }
    return false;
}

/* Items of a display onto a list; *x spreads. */
static struct list *eval_items(struct interp *in, struct eval_frame *f,
                               const struct ast_list *items)
{
    struct list *list = list_new(in, items->count);
    for (uint32_t i = 0; list && i < items->count; i++) {
        const struct ast *item = items->items[i];
        struct value value;
        const bool star = item->kind == AST_STAR;
        if (!eval_expr(in, f, star ? item->as.star.operand : item, &value))
            return NULL;
        if (star && !iter_can(value)) {
            exception_raise(in, &exception_type, "Value after * must be an iterable, not %s",
                            type_name(value));
            return NULL;
        }
        if (star) {
            const struct list *spread = list_from(in, value);
            if (!spread || !list_extend(in, list, spread->items, spread->count))
                return NULL;
        } else if (!list_push(in, list, value)) {
            return NULL;
        }
    }
    return list;
}

/* {a, *b, c}: what stands before the first star is hashed once all of that is known, the rest
 * one by one, as in CPython. */
static bool eval_set(struct interp *in, struct eval_frame *f, const struct ast_list *items,
                     struct value *out)
{
    struct dict *set = dict_new(in);
    struct list *before = set ? list_new(in, items->count) : NULL;
    bool fine = before != NULL, spread = false;
    for (uint32_t i = 0; fine && i < items->count; i++) {
        const struct ast *item = items->items[i];
        const bool star = item->kind == AST_STAR;
        struct value value;
        if (!eval_expr(in, f, star ? item->as.star.operand : item, &value))
            return false;
        if (star && !spread)
            fine = dict_add_all(in, set, value_list(before));
        spread |= star;
        if (fine)
            fine = star     ? dict_add_all(in, set, value)
                   : spread ? dict_set(in, set, value, value_none())
                            : list_push(in, before, value);
    }
    *out = value_set(set);
    return fine && (spread || dict_add_all(in, set, value_list(before)));
}

static bool eval_display(struct interp *in, struct eval_frame *f, const struct ast *node,
                         struct value *out)
{
    struct list *items = eval_items(in, f, &node->as.list);
    if (!items)
        return false;
    *out = node->kind == AST_LIST ? value_list(items) : value_tuple(items);
    return true;
}

/* As CPython, which makes a dict of this many at once: a key without a hash is told of only
 * when the values beside it are known. */
enum { DICT_PAIRS = 16 };

/* Pairs from node's item *at on, up to a **star, into pairs. */
static bool eval_pairs(struct interp *in, struct eval_frame *f, const struct ast *node,
                       uint32_t *at, struct dict *dict)
{
    const struct ast_list *items = &node->as.list;
    struct value pairs[2 * DICT_PAIRS];
    uint32_t count = 0;
    for (; *at < items->count && count < 2 * DICT_PAIRS; *at += 2, count += 2) {
        if (items->items[*at]->kind == AST_STAR)
            break;
        if (!eval_expr(in, f, items->items[*at], &pairs[count]) ||
            !eval_expr(in, f, items->items[*at + 1], &pairs[count + 1]))
            return false;
    }
    for (uint32_t i = 0; i < count; i += 2)
        if (!dict_set(in, dict, pairs[i], pairs[i + 1]))
            return false;
    return true;
}

static bool eval_dict(struct interp *in, struct eval_frame *f, const struct ast *node,
                      struct value *out)
{
    struct dict *dict = dict_new(in);
    *out = value_dict(dict);
    for (uint32_t i = 0; dict && i < node->as.list.count;) {
        const struct ast *key = node->as.list.items[i];
        struct value spread;
        if (key->kind != AST_STAR) {
            if (!eval_pairs(in, f, node, &i, dict))
                return false;
            continue;
        }
        if (!eval_expr(in, f, key->as.star.operand, &spread))
            return false;
        if (spread.kind != VALUE_DICT)
            return exception_raise(in, &exception_type, "'%s' object is not a mapping",
                                   type_name(spread));
        if (!dict_merge(in, dict, spread.as.dict))
            return false;
        i += 2;
    }
    return dict != NULL;
}

static bool eval_field(struct interp *in, struct eval_frame *f, const struct ast *node,
                       struct str **out)
{
    struct value value, spec = {.kind = VALUE_UNSET};
    if (!eval_expr(in, f, node->as.formatted.value, &value))
        return false;
    if (node->as.formatted.spec && !eval_expr(in, f, node->as.formatted.spec, &spec))
        return false;
    if (node->as.formatted.conversion) {
        struct str *text = format_convert(in, value, node->as.formatted.conversion);
        if (!text)
            return false;
        value = value_str(text);
    }
    *out = spec.kind == VALUE_STR ? format_value(in, value, str_text(spec.as.str))
                                  : repr_str(in, value);
    return *out != NULL;
}

static bool eval_format(struct interp *in, struct eval_frame *f, const struct ast *node,
                        struct value *out)
{
    struct str_builder b = {.in = in};
    for (uint32_t i = 0; i < node->as.list.count; i++) {
        const struct ast *part = node->as.list.items[i];
        struct str *text = part->kind == AST_CONST ? part->as.constant.as.str : NULL;
        if (!text && !eval_field(in, f, part, &text))
            return false;
        if (node->as.list.count == 1) { /* f"{chunk}" stays a span of its document */
            *out = value_str(text);
            return true;
        }
        str_builder_add(&b, str_text(text));
    }
    struct str *str = str_builder_str(&b);
    *out = value_str(str);
    return str != NULL;
}

static bool eval_unary(struct interp *in, struct eval_frame *f, const struct ast *node,
                       struct value *out)
{
    struct value value;
    if (!eval_expr(in, f, node->as.operand, &value))
        return false;
    if (node->kind == AST_NOT) {
        *out = value_bool(!compare_truth(value));
        return true;
    }
    if (node->kind == AST_NEGATE && number_is(value))
        return number_negate(in, value, out);
    if (node->kind == AST_PLUS && number_is(value)) {
        *out = value.kind == VALUE_BOOL ? value_int(value.as.boolean) : value;
        return true;
    }
    if (node->kind == AST_INVERT && number_is_int(value)) {
        *out = value_int(~number_integer(value));
        return true;
    }
    if (node->kind != AST_INVERT && value.kind == VALUE_DICT &&
        value.as.dict->flavor == DICT_COUNTER)
        return modules_counter_unary(in, node->kind == AST_NEGATE, value.as.dict, out);
    return exception_raise(in, &exception_type, "bad operand type for unary %s: '%s'",
                           node->kind == AST_NEGATE ? "-"
                           : node->kind == AST_PLUS ? "+"
                                                    : "~",
                           type_name(value));
}

static bool eval_logic(struct interp *in, struct eval_frame *f, const struct ast *node,
                       struct value *out)
{
    if (!eval_expr(in, f, node->as.binary.left, out))
        return false;
    if (compare_truth(*out) == (node->kind == AST_OR))
        return true;
    return eval_expr(in, f, node->as.binary.right, out);
}

static bool holds(struct interp *in, enum ast_comparison op, const struct value pair[2],
                  bool *result)
{
    switch (op) {
    case AST_EQ:
    case AST_NE:
        if (!compare_equal(in, pair[0], pair[1], result))
            return false;
        *result ^= op == AST_NE;
        return true;
    case AST_LT:
        return compare_ordered(in, COMPARE_LT, pair, result);
    case AST_LE:
        return compare_ordered(in, COMPARE_LE, pair, result);
    case AST_GT:
        return compare_ordered(in, COMPARE_GT, pair, result);
    case AST_GE:
        return compare_ordered(in, COMPARE_GE, pair, result);
    case AST_IN:
    case AST_NOT_IN:
        if (!compare_contains(in, pair[1], pair[0], result))
            return false;
        *result ^= op == AST_NOT_IN;
        return true;
    case AST_IS:
    case AST_IS_NOT:
        *result = compare_same(pair[0], pair[1]) ^ (op == AST_IS_NOT);
        return true;
    }
    return false;
}

static bool eval_compare(struct interp *in, struct eval_frame *f, const struct ast *node,
                         struct value *out)
{
    const struct ast_list *operands = &node->as.compare.operands;
    struct value pair[2];
    bool result = true;
    if (!eval_expr(in, f, operands->items[0], &pair[0]))
        return false;
    for (uint32_t i = 1; result && i < operands->count; i++) {
        if (!eval_expr(in, f, operands->items[i], &pair[1]) ||
            !holds(in, node->as.compare.operators[i - 1], pair, &result))
            return false;
        pair[0] = pair[1];
    }
    *out = value_bool(result);
    return true;
}

static bool eval_slice(struct interp *in, struct eval_frame *f, const struct ast *node,
                       struct value *out)
{
    struct slice *slice = INTERP_NEW(in, struct slice);
    if (!slice)
        return false;
    slice->start = slice->stop = slice->step = value_none();
    *out = (struct value){.kind = VALUE_SLICE, .as.slice = slice};
    return (!node->as.slice.start || eval_expr(in, f, node->as.slice.start, &slice->start)) &&
           (!node->as.slice.stop || eval_expr(in, f, node->as.slice.stop, &slice->stop)) &&
           (!node->as.slice.step || eval_expr(in, f, node->as.slice.step, &slice->step));
}

static bool eval_subscript(struct interp *in, struct eval_frame *f, const struct ast *node,
                           struct value *out)
{
    struct value object, index;
    return eval_expr(in, f, node->as.subscript.object, &object) &&
           eval_expr(in, f, node->as.subscript.index, &index) &&
           eval_get_item(in, object, index, out);
}

static bool eval_conditional(struct interp *in, struct eval_frame *f, const struct ast *node,
                             struct value *out)
{
    struct value condition;
    if (!eval_expr(in, f, node->as.conditional.condition, &condition))
        return false;
    return eval_expr(
        in, f, compare_truth(condition) ? node->as.conditional.yes : node->as.conditional.no,
        out);
}

static bool eval_any(struct interp *in, struct eval_frame *f, const struct ast *node,
                     struct value *out)
{
    struct value pair[2];
    switch (node->kind) {
    case AST_CONST:
        *out = node->as.constant;
        return true;
    case AST_NAME:
        return eval_name(in, f, node, out);
    case AST_FORMAT:
        return eval_format(in, f, node, out);
    case AST_LIST:
    case AST_TUPLE:
        return eval_display(in, f, node, out);
    case AST_SET:
        return eval_set(in, f, &node->as.list, out);
    case AST_DICT:
        return eval_dict(in, f, node, out);
    case AST_COMPREHENSION:
        return eval_comprehension(in, f, node, out);
    case AST_NEGATE:
    case AST_PLUS:
    case AST_INVERT:
    case AST_NOT:
        return eval_unary(in, f, node, out);
    case AST_BINARY:
        return eval_expr(in, f, node->as.binary.left, &pair[0]) &&
               eval_expr(in, f, node->as.binary.right, &pair[1]) &&
               eval_binary(in, node->as.binary.op, pair, false, out);
    case AST_AND:
    case AST_OR:
        return eval_logic(in, f, node, out);
    case AST_COMPARE:
        return eval_compare(in, f, node, out);
    case AST_CALL:
        return eval_call(in, f, node, out);
    case AST_ATTRIBUTE:
        return eval_expr(in, f, node->as.attribute.object, &pair[0]) &&
               attribute_get(in, pair[0], node->as.attribute.name, out);
    case AST_SUBSCRIPT:
        return eval_subscript(in, f, node, out);
    case AST_SLICE:
        return eval_slice(in, f, node, out);
    case AST_FUNCTION:
        return eval_function(in, f, node, out);
    case AST_CONDITIONAL:
        return eval_conditional(in, f, node, out);
    case AST_WALRUS:
        return eval_expr(in, f, node->as.binary.right, out) &&
               eval_assign(in, f, node->as.binary.left, *out);
    default:
        return exception_raise(in, &exception_type, "can't use starred expression here");
    }
}

bool eval_expr(struct interp *in, struct eval_frame *f, const struct ast *node,
               struct value *out)
{
    if (!interp_charge(in, 1) || !interp_enter(in))
        return false;
    const bool fine = eval_any(in, f, node, out);
    interp_leave(in);
    return fine;
}
