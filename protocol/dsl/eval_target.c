/* eval_target - assignment, deletion, and items by index or slice; see eval.h. */
#include "protocol/dsl/eval.h"

#include "base/checked.h"
#include "protocol/dsl/attribute.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/iter.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/modules.h"
#include "protocol/dsl/number.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/type.h"

static bool slice_index(struct interp *in, struct value value, int64_t fallback, int64_t *out)
{
    *out = fallback;
    if (value.kind == VALUE_NONE)
        return true;
    if (!number_is_int(value))
        return exception_raise(in, &exception_type,
                               "slice indices must be integers or None or have an __index__ "
                               "method");
    *out = number_integer(value);
    return true;
}

static int64_t clamp(int64_t at, int64_t length, int64_t low, int64_t high)
{
    if (at < 0)
        at = at < -length ? low : at + length;
    return at < low ? low : at > high ? high : at;
}

bool eval_span_of(struct interp *in, const struct slice *slice, int64_t length,
                  struct eval_span *span)
{
    int64_t step, start, stop;
    if (!slice_index(in, slice->step, 1, &step))
        return false;
    if (step == 0)
        return exception_raise(in, &exception_value, "slice step cannot be zero");
    const bool back = step < 0;
    if (!slice_index(in, slice->start, back ? INT64_MAX : 0, &start) ||
        !slice_index(in, slice->stop, back ? INT64_MIN : INT64_MAX, &stop))
        return false;
    start = clamp(start, length, back ? -1 : 0, back ? length - 1 : length);
    stop = slice->stop.kind == VALUE_NONE && back
               ? -1
               : clamp(stop, length, back ? -1 : 0, back ? length - 1 : length);
    *span = (struct eval_span){.start = start, .stop = stop, .step = step};
    const int64_t distance = back ? start - stop : stop - start;
    if (distance > 0) {
        const uint64_t stride = back ? (uint64_t)0 - (uint64_t)step : (uint64_t)step;
        span->count = (int64_t)(((uint64_t)distance - 1) / stride) + 1;
    }
    return true;
}

static bool list_slice_of(struct interp *in, struct value object, const struct slice *slice,
                          struct value *out)
{
    const struct list *list = object.as.list;
    struct eval_span span;
    if (!eval_span_of(in, slice, list->count, &span))
        return false;
    struct list *part = NULL;
    if (span.step == 1) {
        part = list_slice(in, list, (uint32_t)span.start, (uint32_t)span.count);
    } else {
        part = list_new(in, (uint32_t)span.count);
        for (int64_t i = 0; part && i < span.count; i++)
            if (!interp_charge(in, 1) ||
                !list_push(in, part, list->items[span.start + i * span.step]))
                return false;
    }
    *out = (struct value){.kind = object.kind, .as.list = part};
    return part != NULL;
}

static bool str_slice_of(struct interp *in, struct str *str, const struct slice *slice,
                         struct value *out)
{
    struct eval_span span;
    if (!eval_span_of(in, slice, (int64_t)str->length, &span))
        return false;
    if (span.step == 1) {
        struct str *part =
            str_slice(in, str, (size_t)span.start, (size_t)(span.start + span.count));
        *out = value_str(part);
        return part != NULL;
    }
    struct str_builder b = {.in = in};
    for (int64_t i = 0; i < span.count; i++) {
        size_t at = str_byte_of(in, str, (size_t)(span.start + i * span.step));
        if (at == SIZE_MAX || !interp_charge(in, 1))
            return false;
        str_builder_code_point(&b, str_next(str, &at));
    }
    *out = value_str(str_builder_str(&b));
    return out->as.str != NULL;
}

/* The index of a sequence, from its end when negative. */
static bool sequence_index(struct interp *in, struct value object, struct value index,
                           int64_t length, int64_t *at)
{
    if (!number_is_int(index) && object.kind == VALUE_STR)
        return exception_raise(in, &exception_type, "string indices must be integers, not '%s'",
                               type_name(index));
    if (!number_is_int(index))
        return exception_raise(in, &exception_type,
                               "%s indices must be integers or slices, not %s",
                               type_name(object), type_name(index));
    *at = number_integer(index);
    if (*at < 0)
        *at += length;
    if (*at >= 0 && *at < length)
        return true;
    return exception_raise(in, &exception_index, "%s index out of range",
                           object.kind == VALUE_STR     ? "string"
                           : object.kind == VALUE_RANGE ? "range object"
                                                        : type_name(object));
}

/* The same where the list is changed there: CPython words it otherwise. */
static bool change_index(struct interp *in, struct value object, struct value index,
                         int64_t *at)
{
    const int64_t count = object.as.list->count;
    const int64_t where = number_is_int(index) ? number_integer(index) : 0;
    if (number_is_int(index) && (where >= count || where < -count))
        return exception_raise(in, &exception_index, "list assignment index out of range");
    return sequence_index(in, object, index, count, at);
}

static bool dict_get(struct interp *in, struct dict *dict, struct value key, struct value *out)
{
    struct dict_entry *entry;
    if (!dict_find(in, dict, key, &entry))
        return false;
    if (entry) {
        *out = entry->value;
        return true;
    }
    if (dict->flavor == DICT_COUNTER) {
        *out = value_int(0);
        return true;
    }
    if (dict->flavor == DICT_DEFAULT && dict->factory.kind != VALUE_NONE) {
        const struct args none = {0};
        return eval_call_value(in, dict->factory, &none, out) && dict_set(in, dict, key, *out);
    }
    return exception_raise_value(in, &exception_key, key);
}

static bool str_get(struct interp *in, struct value object, struct value index,
                    struct value *out)
{
    struct str *str = object.as.str;
    int64_t at;
    if (index.kind == VALUE_SLICE)
        return str_slice_of(in, str, index.as.slice, out);
    if (!sequence_index(in, object, index, (int64_t)str->length, &at))
        return false;
    *out = value_str(str_slice(in, str, (size_t)at, (size_t)at + 1));
    return out->as.str != NULL;
}

/* A part of a range: its step may be past 64 bits. */
static bool range_part(struct interp *in, const struct range *range, const struct slice *slice,
                       struct range *part)
{
    struct eval_span span;
    int64_t first, end;
    if (!eval_span_of(in, slice, range->count, &span))
        return false;
    part->count = span.count;
    return (checked_mul_i64(range->step, span.step, &part->step) &&
            checked_mul_i64(range->step, span.start, &first) &&
            checked_mul_i64(range->step, span.stop, &end) &&
            checked_add_i64(range->start, first, &part->start) &&
            checked_add_i64(range->start, end, &part->stop)) ||
           number_too_large(in);
}

static bool range_get(struct interp *in, struct value object, struct value index,
                      struct value *out)
{
    const struct range *range = object.as.range;
    int64_t at;
    if (index.kind == VALUE_SLICE) {
        struct range *part = INTERP_NEW(in, struct range);
        if (!part || !range_part(in, range, index.as.slice, part))
            return false;
        *out = (struct value){.kind = VALUE_RANGE, .as.range = part};
        return true;
    }
    if (!sequence_index(in, object, index, range->count, &at))
        return false;
    *out = value_int(range->start + at * range->step);
    return true;
}

/* What holds no other values has no parameters. */
static bool is_plain_type(enum value_kind instance)
{
    return instance <= VALUE_STR || instance == VALUE_RANGE || instance == VALUE_SLICE ||
           instance == VALUE_EXCEPTION;
}

bool eval_get_item(struct interp *in, struct value object, struct value index,
                   struct value *out)
{
    int64_t at;
    switch (object.kind) {
    case VALUE_LIST:
    case VALUE_TUPLE:
        if (index.kind == VALUE_SLICE)
            return list_slice_of(in, object, index.as.slice, out);
        if (!sequence_index(in, object, index, object.as.list->count, &at))
            return false;
        *out = object.as.list->items[at];
        return true;
    case VALUE_DICT:
        return dict_get(in, object.as.dict, index, out);
    case VALUE_STR:
        return str_get(in, object, index, out);
    case VALUE_RANGE:
        return range_get(in, object, index, out);
    case VALUE_MATCH:
        return modules_re_match_group(in, object.as.match, index, out);
    case VALUE_TYPE: /* list[str] and dict[str, int] in an alias */
        if (is_plain_type(object.as.type->instance))
            return exception_raise(in, &exception_type, "type '%s' is not subscriptable",
                                   object.as.type->name);
        *out = object;
        return true;
    case VALUE_TYPING:
        *out = object;
        return true;
    default:
        return exception_raise(in, &exception_type, "'%s' object is not subscriptable",
                               type_name(object));
    }
}

static bool set_slice(struct interp *in, struct list *list, const struct slice *slice,
                      struct value value)
{
    struct eval_span span;
    if (!eval_span_of(in, slice, list->count, &span))
        return false;
    if (!iter_can(value))
        return exception_raise(in, &exception_type,
                               span.step == 1 ? "can only assign an iterable"
                                              : "must assign iterable to extended slice");
    const struct list *items = list_from(in, value);
    if (!items)
        return false;
    if (span.step == 1)
        return list_splice(in, list, (uint32_t)span.start, (uint32_t)span.count, items);
    if (items->count != span.count)
        return exception_raise(in, &exception_value,
                               "attempt to assign sequence of size %u to extended slice of "
                               "size %lld",
                               items->count, (long long)span.count);
    for (uint32_t i = 0; i < items->count; i++)
        list->items[span.start + i * span.step] = items->items[i];
    return interp_charge(in, items->count);
}

static bool is_dict(struct value object)
{
    return object.kind == VALUE_DICT && object.as.dict->flavor != DICT_PROXY;
}

bool eval_set_item(struct interp *in, struct value object, struct value index,
                   struct value value)
{
    int64_t at;
    if (is_dict(object))
        return dict_set(in, object.as.dict, index, value);
    switch (object.kind) {
    case VALUE_LIST:
        if (index.kind == VALUE_SLICE)
            return set_slice(in, object.as.list, index.as.slice, value);
        if (!change_index(in, object, index, &at))
            return false;
        object.as.list->items[at] = value;
        return true;
    default:
        return exception_raise(in, &exception_type,
                               "'%s' object does not support item assignment",
                               type_name(object));
    }
}

static bool delete_slice(struct interp *in, struct list *list, const struct slice *slice)
{
    struct eval_span span;
    const struct list none = {0};
    if (!eval_span_of(in, slice, list->count, &span))
        return false;
    if (span.step == 1)
        return list_splice(in, list, (uint32_t)span.start, (uint32_t)span.count, &none);
    for (int64_t i = 0; i < span.count; i++) { /* from the end, so that places stay */
        const int64_t nth = span.step > 0 ? span.count - 1 - i : i;
        if (!list_splice(in, list, (uint32_t)(span.start + nth * span.step), 1, &none))
            return false;
    }
    return true;
}

/* A sequence that never changes: CPython says so otherwise than of other kinds. */
static bool is_fixed(struct value object)
{
    return object.kind == VALUE_STR || object.kind == VALUE_TUPLE || object.kind == VALUE_RANGE;
}

static bool delete_item(struct interp *in, struct value object, struct value index)
{
    const struct list none = {0};
    struct value removed;
    int64_t at;
    if (is_dict(object)) {
        if (!dict_remove(in, object.as.dict, index, &removed))
            return false;
        return removed.kind != VALUE_UNSET || object.as.dict->flavor == DICT_COUNTER ||
               exception_raise_value(in, &exception_key, index);
    }
    if (object.kind != VALUE_LIST)
        return exception_raise(in, &exception_type, "'%s' object does%s support item deletion",
                               type_name(object),
                               is_fixed(object) && number_is_int(index) ? "n't" : " not");
    if (index.kind == VALUE_SLICE)
        return delete_slice(in, object.as.list, index.as.slice);
    return change_index(in, object, index, &at) &&
           list_splice(in, object.as.list, (uint32_t)at, 1, &none);
}

static bool set_name(struct interp *in, struct eval_frame *f, const struct ast *target,
                     struct value value)
{
    const uint32_t slot = target->as.name.slot;
    switch (target->as.name.place) {
    case AST_LOCAL:
        f->slots[slot] = value;
        return true;
    case AST_CELL:
        f->cells[slot]->value = value;
        return true;
    case AST_GLOBAL:
        in->globals[slot] = value;
        return true;
    }
    return false;
}

static bool too_few(struct interp *in, const struct ast_list *targets, uint32_t star,
                    uint32_t count)
{
    const bool starred = star < targets->count;
    return exception_raise(in, &exception_value,
                           "not enough values to unpack (expected %s%u, got %u)",
                           starred ? "at least " : "", targets->count - starred, count);
}

static bool assign_range(struct interp *in, struct eval_frame *f,
                         const struct ast_list *targets, const struct list *items,
                         const uint32_t from_to_at[3])
{
    for (uint32_t i = from_to_at[0]; i < from_to_at[1]; i++)
        if (!eval_assign(in, f, targets->items[i],
                         items->items[from_to_at[2] + i - from_to_at[0]]))
            return false;
    return true;
}

/* Without a star at most one item more than needed is taken from an iterator. */
static struct list *take_items(struct interp *in, struct value value, uint32_t count, bool all)
{
    if (all || value.kind == VALUE_LIST || value.kind == VALUE_TUPLE)
        return list_from(in, value);
    struct iter *iter = iter_of(in, value);
    struct list *items = iter ? list_new(in, count) : NULL;
    while (items && items->count <= count) {
        struct value item;
        const enum iter_result result = iter_next(in, iter, &item);
        if (result == ITER_END)
            break;
        if (result == ITER_RAISED || !list_push(in, items, item))
            return NULL;
    }
    return items;
}

static bool unpack(struct interp *in, struct eval_frame *f, const struct ast_list *targets,
                   struct value value)
{
    uint32_t star = 0;
    while (star < targets->count && targets->items[star]->kind != AST_STAR)
        star++;
    const bool starred = star < targets->count;
    if (!iter_can(value))
        return exception_raise(in, &exception_type, "cannot unpack non-iterable %s object",
                               type_name(value));
    const struct list *items = take_items(in, value, targets->count, starred);
    if (!items)
        return false;
    if (items->count + starred < targets->count)
        return too_few(in, targets, star, items->count);
    if (!starred && items->count > targets->count)
        return exception_raise(in, &exception_value, "too many values to unpack (expected %u)",
                               targets->count);
    const uint32_t head[3] = {0, star, 0};
    if (!assign_range(in, f, targets, items, head))
        return false;
    if (!starred)
        return true;
    const uint32_t middle = items->count - (targets->count - 1);
    struct list *rest = list_slice(in, items, star, middle);
    const uint32_t tail[3] = {star + 1, targets->count, star + middle};
    return rest &&
           eval_assign(in, f, targets->items[star]->as.star.operand, value_list(rest)) &&
           assign_range(in, f, targets, items, tail);
}

bool eval_assign(struct interp *in, struct eval_frame *f, const struct ast *target,
                 struct value value)
{
    struct value object, index;
    switch (target->kind) {
    case AST_NAME:
        return set_name(in, f, target, value);
    case AST_TUPLE:
        return unpack(in, f, &target->as.list, value);
    case AST_ATTRIBUTE:
        return eval_expr(in, f, target->as.attribute.object, &object) &&
               attribute_set(in, object, target->as.attribute.name, value);
    case AST_SUBSCRIPT:
        return eval_expr(in, f, target->as.subscript.object, &object) &&
               eval_expr(in, f, target->as.subscript.index, &index) &&
               eval_set_item(in, object, index, value);
    default:
        return exception_raise(in, &exception_type,
                               "starred assignment target must be in a "
                               "list or tuple");
    }
}

bool eval_delete(struct interp *in, struct eval_frame *f, const struct ast *target)
{
    struct value object, index;
    switch (target->kind) {
    case AST_NAME:
        return eval_name(in, f, target, &object) &&
               set_name(in, f, target, (struct value){.kind = VALUE_UNSET});
    case AST_TUPLE:
        for (uint32_t i = 0; i < target->as.list.count; i++)
            if (!eval_delete(in, f, target->as.list.items[i]))
                return false;
        return true;
    case AST_SUBSCRIPT:
        return eval_expr(in, f, target->as.subscript.object, &object) &&
               eval_expr(in, f, target->as.subscript.index, &index) &&
               delete_item(in, object, index);
    case AST_ATTRIBUTE:
        return eval_expr(in, f, target->as.attribute.object, &object) &&
               attribute_delete(in, object, target->as.attribute.name);
    default:
        return exception_raise(in, &exception_attribute, "this cannot be deleted");
    }
}
