/* jinja_list - see jinja_list.h. */
#include "tokenizer/jinja_list.h"

#include "tokenizer/jinja_math.h"
#include "tokenizer/jinja_member.h"
#include "tokenizer/jinja_method.h"
#include "tokenizer/jinja_string.h"

JINJA_LIST_FILTER(list)
{
    (void)args;
    const struct jinja_list *items;
    TRY(jinja_value_iterate(jinja, value, &items));
    TRY(jinja_value_new(jinja, JINJA_LIST, result));
    for (uint32_t i = 0; i < items->count; i++)
        TRY(jinja_value_push(jinja, result->list, items->items[i]));
    return OK;
}

JINJA_LIST_FILTER(first)
{
    (void)args;
    const struct jinja_list *items;
    TRY(jinja_value_iterate(jinja, value, &items));
    *result = items->count > 0 ? items->items[0] : jinja_value_undefined(TEXT("first"));
    return OK;
}

JINJA_LIST_FILTER(last)
{
    (void)args;
    const struct jinja_list *items;
    TRY(jinja_value_iterate(jinja, value, &items));
    *result =
        items->count > 0 ? items->items[items->count - 1] : jinja_value_undefined(TEXT("last"));
    return OK;
}

JINJA_LIST_FILTER(join)
{
    const struct jinja_value *separator = jinja_args_get(args, 0, "d");
    const struct jinja_value *attribute = jinja_args_get(args, 1, "attribute");
    const struct jinja_list *items;
    struct text path = {0};
    struct jinja_value picked;
    TRY(jinja_args_text(jinja, attribute, &path));
    TRY(jinja_value_iterate(jinja, value, &items));
    TRY(jinja_value_new(jinja, JINJA_LIST, &picked));
    for (uint32_t i = 0; i < items->count; i++) {
        struct jinja_value item = items->items[i];
        if (path.size > 0)
            TRY(jinja_member_path(jinja, &items->items[i], path, &item));
        TRY(jinja_value_push(jinja, picked.list, item));
    }
    const bool has_separator = separator && separator->kind == JINJA_STRING;
    return jinja_method_join(jinja,
                             has_separator ? separator->string : (struct jinja_string){0},
                             picked.list, result);
}

JINJA_LIST_FILTER(reverse)
{
    (void)args;
    const struct jinja_value bounds[3] = {
        {.kind = JINJA_NONE}, {.kind = JINJA_NONE}, {.kind = JINJA_INT, .integer = -1}};
    struct jinja_value items = *value;
    if (value->kind != JINJA_STRING)
        TRY(jinja_list_list(jinja, value, args, &items));
    return jinja_member_slice(jinja, &items, bounds, result);
}

/* What an item is compared by: itself or what the path leads to, strings in lower case unless
 * case counts. */
static enum status sort_key(struct jinja *jinja, const struct jinja_value *item,
                            struct text path, bool case_counts, struct jinja_value *key)
{
    *key = *item;
    if (path.size > 0)
        TRY(jinja_member_path(jinja, item, path, key));
    if (key->kind == JINJA_STRING && !case_counts)
        return jinja_method_case(jinja, key->string, JINJA_LOWER, key);
    return OK;
}

JINJA_LIST_FILTER(unique)
{
    const bool case_counts = jinja_args_bool(jinja_args_get(args, 0, "case_sensitive"));
    const struct jinja_value *attribute = jinja_args_get(args, 1, "attribute");
    const struct jinja_list *items;
    struct jinja_value keys;
    struct text path = {0};
    TRY(jinja_args_text(jinja, attribute, &path));
    TRY(jinja_value_iterate(jinja, value, &items));
    TRY(jinja_value_new(jinja, JINJA_LIST, &keys));
    TRY(jinja_value_new(jinja, JINJA_LIST, result));
    for (uint32_t i = 0; i < items->count; i++) {
        struct jinja_value key;
        bool seen;
        TRY(sort_key(jinja, &items->items[i], path, case_counts, &key));
        TRY(jinja_value_contains(jinja, &keys, &key, &seen));
        if (seen)
            continue;
        TRY(jinja_value_push(jinja, keys.list, key));
        TRY(jinja_value_push(jinja, result->list, items->items[i]));
    }
    return OK;
}

/* Sorts items by keys, both of which move; stable by insertion, whose work is counted. */
static enum status sort_by(struct jinja *jinja, struct jinja_list *keys,
                           struct jinja_list *items, bool reverse)
{
    for (uint32_t i = 1; i < items->count; i++) {
        const struct jinja_value key = keys->items[i], item = items->items[i];
        uint32_t at = i;
        for (; at > 0; at--) {
            int order;
            TRY(jinja_step(jinja, 0));
            if (!jinja_value_order(&keys->items[at - 1], &key, &order))
                JINJA_FAIL(jinja, ERR_FORMAT, "%s and %s have no order",
                           jinja_value_type(&keys->items[at - 1]), jinja_value_type(&key));
            if (reverse ? order >= 0 : order <= 0)
                break;
            keys->items[at] = keys->items[at - 1];
            items->items[at] = items->items[at - 1];
        }
        keys->items[at] = key;
        items->items[at] = item;
    }
    return OK;
}

JINJA_LIST_FILTER(sort)
{
    const bool reverse = jinja_args_bool(jinja_args_get(args, 0, "reverse"));
    const bool case_counts = jinja_args_bool(jinja_args_get(args, 1, "case_sensitive"));
    struct jinja_value keys;
    struct text path = {0};
    TRY(jinja_args_text(jinja, jinja_args_get(args, 2, "attribute"), &path));
    TRY(jinja_list_list(jinja, value, args, result));
    TRY(jinja_value_new(jinja, JINJA_LIST, &keys));
    for (uint32_t i = 0; i < result->list->count; i++) {
        struct jinja_value key;
        TRY(sort_key(jinja, &result->list->items[i], path, case_counts, &key));
        TRY(jinja_value_push(jinja, keys.list, key));
    }
    return sort_by(jinja, keys.list, result->list, reverse);
}

JINJA_LIST_FILTER(dictsort)
{
    const bool case_counts = jinja_args_bool(jinja_args_get(args, 0, "case_sensitive"));
    const bool reverse = jinja_args_bool(jinja_args_get(args, 2, "reverse"));
    struct text by = TEXT("key");
    struct jinja_value keys;
    if (value->kind != JINJA_MAP)
        JINJA_FAIL(jinja, ERR_FORMAT, "dictsort of %s", jinja_value_type(value));
    TRY(jinja_args_text(jinja, jinja_args_get(args, 1, "by"), &by));
    TRY(jinja_method_items(jinja, value->map, result));
    TRY(jinja_value_new(jinja, JINJA_LIST, &keys));
    for (uint32_t i = 0; i < value->map->count; i++) {
        struct jinja_value key;
        const bool by_value = text_equal(by, TEXT("value"));
        TRY(sort_key(jinja, by_value ? &value->map->values[i] : &value->map->keys[i],
                     (struct text){0}, case_counts, &key));
        TRY(jinja_value_push(jinja, keys.list, key));
    }
    return sort_by(jinja, keys.list, result->list, reverse);
}

/* The first item of the sorted list, or the last. */
static enum status extreme(struct jinja *jinja, const struct jinja_value *value, bool largest,
                           struct jinja_value *result)
{
    const struct jinja_list *items;
    TRY(jinja_value_iterate(jinja, value, &items));
    *result = jinja_value_undefined(TEXT("min or max"));
    for (uint32_t i = 0; i < items->count; i++) {
        bool better = true;
        if (i > 0)
            TRY(jinja_math_compare(jinja, largest ? TEXT(">") : TEXT("<"), &items->items[i],
                                   result, &better));
        if (better)
            *result = items->items[i];
    }
    return OK;
}

JINJA_LIST_FILTER(min)
{
    (void)args;
    return extreme(jinja, value, false, result);
}

JINJA_LIST_FILTER(max)
{
    (void)args;
    return extreme(jinja, value, true, result);
}

JINJA_LIST_FILTER(sum)
{
    const struct jinja_value *start = jinja_args_get(args, 1, "start");
    const struct jinja_list *items;
    struct text path = {0};
    TRY(jinja_args_text(jinja, jinja_args_get(args, 0, "attribute"), &path));
    TRY(jinja_value_iterate(jinja, value, &items));
    *result = start ? *start : jinja_value_int(0);
    for (uint32_t i = 0; i < items->count; i++) {
        const struct jinja_value sum = *result;
        struct jinja_value item = items->items[i];
        if (path.size > 0)
            TRY(jinja_member_path(jinja, &items->items[i], path, &item));
        TRY(jinja_math_binary(jinja, &(struct jinja_math){TEXT("+"), &sum, &item}, result));
    }
    return OK;
}
