/* iter - see iter.h. */
#include "protocol/dsl/iter.h"

#include "protocol/dsl/dict.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/type.h"

static enum iter_result step_list(struct interp *in, struct iter *iter, struct value *out)
{
    const struct list *list = iter->source.as.list;
    (void)in;
    if (iter->at < 0 || iter->at >= list->count) {
        iter->at = -1; /* once ended it stays so, though the list may grow */
        return ITER_END;
    }
    *out = list->items[iter->at++];
    return ITER_ITEM;
}

static enum iter_result step_str(struct interp *in, struct iter *iter, struct value *out)
{
    struct str *str = iter->source.as.str;
    if ((size_t)iter->at >= str->size)
        return ITER_END;
    size_t end = (size_t)iter->at;
    str_next(str, &end);
    struct str *letter = str_span(in, str, (size_t)iter->at, end);
    if (!letter)
        return ITER_RAISED;
    *out = value_str(letter);
    iter->at = (int64_t)end;
    return ITER_ITEM;
}

static enum iter_result step_range(struct interp *in, struct iter *iter, struct value *out)
{
    (void)in;
    if (iter->stop == 0)
        return ITER_END;
    *out = value_int(iter->at);
    if (--iter->stop > 0)
        iter->at += iter->stride;
    return ITER_ITEM;
}

static enum iter_result step_dict(struct interp *in, struct iter *iter, struct value *out)
{
    const struct dict *dict = iter->source.as.dict;
    if (iter->stop != dict->count) {
        exception_raise(in, &exception_runtime, "%s changed size during iteration",
                        iter->source.kind == VALUE_SET ? "Set" : "dictionary");
        return ITER_RAISED;
    }
    uint32_t at = (uint32_t)iter->at;
    const struct dict_entry *entry = dict_next(dict, &at);
    iter->at = at;
    if (!entry)
        return ITER_END;
    if (iter->left-- == 0 && iter->source.kind != VALUE_SET) { /* as many as there were */
        exception_raise(in, &exception_runtime, "dictionary keys changed during iteration");
        return ITER_RAISED;
    }
    if (iter->stride == ITER_KEYS)
        *out = entry->key;
    else if (iter->stride == ITER_VALUES)
        *out = entry->value;
    else {
        const struct value pair[2] = {entry->key, entry->value};
        struct list *tuple = list_of(in, pair, 2);
        if (!tuple)
            return ITER_RAISED;
        *out = value_tuple(tuple);
    }
    return ITER_ITEM;
}

static const char *const VIEW_NAMES[2][3] = {{"dict_keys", "dict_values", "dict_items"},
                                             {"odict_keys", "odict_values", "odict_items"}};

/* Marks a view: it is never stepped itself, iter_of makes a fresh iterator of it. */
static enum iter_result step_view(struct interp *in, struct iter *iter, struct value *out)
{
    (void)out;
    exception_raise(in, &exception_type, "'%s' object is not an iterator", iter->type_name);
    return ITER_RAISED;
}

struct iter *iter_new(struct interp *in, value_step *step, const char *type_name)
{
    struct iter *iter = INTERP_NEW(in, struct iter);
    if (!iter)
        return NULL;
    iter->step = step;
    iter->type_name = type_name;
    return iter;
}

struct iter *iter_of_list(struct interp *in, struct list *list)
{
    struct iter *iter = iter_new(in, step_list, "list_iterator");
    if (iter)
        iter->source = value_list(list);
    return iter;
}

struct iter *iter_of_dict(struct interp *in, struct dict *dict, enum iter_dict_part part)
{
    struct iter *iter = iter_new(in, step_dict, "dict_iterator");
    if (!iter)
        return NULL;
    iter->source = value_dict(dict);
    iter->stop = iter->left = dict->count;
    iter->stride = part;
    return iter;
}

bool iter_is_view(const struct iter *iter)
{
    return iter->step == step_view;
}

bool iter_is_set_view(struct value value)
{
    return value.kind == VALUE_ITER && iter_is_view(value.as.iter) &&
           value.as.iter->stride != ITER_VALUES;
}

struct iter *iter_view(struct interp *in, struct dict *dict, enum iter_dict_part part)
{
    struct iter *iter = iter_new(in, step_view, VIEW_NAMES[dict->flavor == DICT_ORDERED][part]);
    if (!iter)
        return NULL;
    iter->source = value_dict(dict);
    iter->stride = part;
    return iter;
}

static struct iter *of_range(struct interp *in, const struct range *range)
{
    struct iter *iter = iter_new(in, step_range, "range_iterator");
    if (!iter)
        return NULL;
    iter->at = range->start;
    iter->stop = range->count;
    iter->stride = range->step;
    return iter;
}

static struct iter *of(struct interp *in, struct value value, bool container)
{
    struct iter *iter;
    switch (value.kind) {
    case VALUE_LIST:
    case VALUE_TUPLE:
        return iter_of_list(in, value.as.list);
    case VALUE_STR:
        iter = iter_new(in, step_str, "str_iterator");
        break;
    case VALUE_SET:
        iter = iter_of_dict(in, value.as.dict, ITER_KEYS);
        break;
    case VALUE_DICT:
        return iter_of_dict(in, value.as.dict, ITER_KEYS);
    case VALUE_RANGE:
        return of_range(in, value.as.range);
    case VALUE_ITER:
        if (iter_is_view(value.as.iter))
            return iter_of_dict(in, value.as.iter->source.as.dict,
                                (enum iter_dict_part)value.as.iter->stride);
        return value.as.iter;
    default:
        if (container)
            exception_raise(in, &exception_type, "argument of type '%s' is not iterable",
                            type_name(value));
        else
            exception_raise(in, &exception_type, "'%s' object is not iterable",
                            type_name(value));
        return NULL;
    }
    if (iter)
        iter->source = value;
    return iter;
}

bool iter_can(struct value value)
{
    return value.kind == VALUE_LIST || value.kind == VALUE_TUPLE || value.kind == VALUE_STR ||
           value.kind == VALUE_SET || value.kind == VALUE_DICT || value.kind == VALUE_RANGE ||
           value.kind == VALUE_ITER;
}

struct iter *iter_of(struct interp *in, struct value value)
{
    return of(in, value, false);
}

struct iter *iter_of_container(struct interp *in, struct value value)
{
    return of(in, value, true);
}

enum iter_result iter_next(struct interp *in, struct iter *iter, struct value *item)
{
    const uint32_t nest = in->nest;
    /* An iterator may lie in a thousand others. */
    if (!interp_charge(in, 1) || !interp_enter(in))
        return ITER_RAISED;
    const enum iter_result result = iter->step(in, iter, item);
    in->nest = nest;
    if (result == ITER_RAISED && !in->out_of_budget && in->raised &&
        exception_is_a(in->raised, &exception_stop_iteration)) {
        in->raised = NULL; /* list(map(next, ...)) ends where next has no more */
        return ITER_END;
    }
    return result;
}
