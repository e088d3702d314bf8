/* jinja_value - see jinja_value.h. */
#include "tokenizer/jinja_value.h"

#include "base/json.h"
#include "tokenizer/jinja_string.h"

#include <assert.h>
#include <string.h>

enum { FIRST_CAPACITY = 8, COUNT_MAX = 1 << 24 };

struct jinja_value jinja_value_undefined(struct text hint)
{
    return (struct jinja_value){.kind = JINJA_UNDEFINED, .hint = hint};
}

struct jinja_value jinja_value_bool(bool boolean)
{
    return (struct jinja_value){.kind = JINJA_BOOL, .boolean = boolean};
}

struct jinja_value jinja_value_int(int64_t integer)
{
    return (struct jinja_value){.kind = JINJA_INT, .integer = integer};
}

struct jinja_value jinja_value_float(double real)
{
    return (struct jinja_value){.kind = JINJA_FLOAT, .real = real};
}

enum status jinja_value_text(struct jinja *jinja, struct text text, bool trusted,
                             struct jinja_value *value)
{
    uint8_t *trust = JINJA_NEW(jinja, uint8_t, text.size);
    if (!trust)
        return jinja_full(jinja);
    if (trusted && text.size > 0)
        memset(trust, 1, text.size);
    *value =
        (struct jinja_value){.kind = JINJA_STRING, .string = {text.data, trust, text.size}};
    return OK;
}

enum status jinja_value_new(struct jinja *jinja, enum jinja_kind kind,
                            struct jinja_value *value)
{
    const bool is_list = kind == JINJA_LIST || kind == JINJA_TUPLE;
    assert(is_list || kind == JINJA_MAP || kind == JINJA_NAMESPACE);
    *value = (struct jinja_value){.kind = kind};
    if (is_list)
        value->list = JINJA_NEW(jinja, struct jinja_list, 1);
    else
        value->map = JINJA_NEW(jinja, struct jinja_map, 1);
    if (is_list ? !value->list : !value->map)
        return jinja_full(jinja);
    return OK;
}

static enum status grow(struct jinja *jinja, struct jinja_value **items, uint32_t count,
                        uint32_t capacity)
{
    if (capacity > COUNT_MAX)
        JINJA_FAIL(jinja, ERR_LIMIT, "a list or map of more than %d items", COUNT_MAX);
    struct jinja_value *larger = JINJA_NEW(jinja, struct jinja_value, capacity);
    if (!larger)
        return jinja_full(jinja);
    if (count > 0)
        memcpy(larger, *items, count * sizeof *larger);
    *items = larger;
    return OK;
}

/* Notes that item lies in a list or map. What goes through nested values calls itself, so
 * nesting has a limit. A namespace is a leaf: nothing looks into one. */
static enum status nest(struct jinja *jinja, const struct jinja_value *item, uint32_t *nesting)
{
    uint32_t inside = 0;
    if (item->kind == JINJA_LIST || item->kind == JINJA_TUPLE)
        inside = item->list->nesting + 1;
    else if (item->kind == JINJA_MAP)
        inside = item->map->nesting + 1;
    if (inside > JINJA_DEPTH_MAX)
        JINJA_FAIL(jinja, ERR_LIMIT, "lists nested deeper than %d", JINJA_DEPTH_MAX);
    if (inside > *nesting)
        *nesting = inside;
    return OK;
}

enum status jinja_value_push(struct jinja *jinja, struct jinja_list *list,
                             struct jinja_value item)
{
    TRY(nest(jinja, &item, &list->nesting));
    if (list->count == list->capacity) {
        const uint32_t capacity = list->capacity ? 2 * list->capacity : FIRST_CAPACITY;
        TRY(grow(jinja, &list->items, list->count, capacity));
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
    return jinja_step(jinja, 0);
}

enum status jinja_value_put(struct jinja *jinja, struct jinja_map *map, struct jinja_value key,
                            struct jinja_value value)
{
    TRY(jinja_step(jinja, (size_t)map->count * sizeof key));
    TRY(nest(jinja, &value, &map->nesting));
    for (uint32_t i = 0; i < map->count; i++) {
        if (jinja_value_equal(&map->keys[i], &key)) {
            map->values[i] = value;
            return OK;
        }
    }
    if (map->count == map->capacity) {
        const uint32_t capacity = map->capacity ? 2 * map->capacity : FIRST_CAPACITY;
        TRY(grow(jinja, &map->keys, map->count, capacity));
        TRY(grow(jinja, &map->values, map->count, capacity));
        map->capacity = capacity;
    }
    map->keys[map->count] = key;
    map->values[map->count++] = value;
    return OK;
}

struct jinja_value *jinja_value_get(const struct jinja_map *map, struct text key)
{
    for (uint32_t i = 0; i < map->count; i++) {
        const struct jinja_value *at = &map->keys[i];
        if (at->kind == JINJA_STRING && text_equal(jinja_string_text(at->string), key))
            return &map->values[i];
    }
    return NULL;
}

static enum status json_leaf(struct jinja *jinja, const struct json *json,
                             struct jinja_value *value)
{
    struct text text;
    bool boolean;
    int64_t integer;
    double real;
    if (json_text(json, &text))
        return jinja_value_text(jinja, text, false, value);
    if (json_bool(json, &boolean))
        *value = jinja_value_bool(boolean);
    else if (json_i64(json, &integer))
        *value = jinja_value_int(integer);
    else if (json_double(json, &real))
        *value = jinja_value_float(real);
    else
        *value = (struct jinja_value){.kind = JINJA_NONE};
    return OK;
}

/* JSON's own depth is limited (JSON_DEPTH_MAX), and so is this recursion. */
enum status jinja_value_from_json(struct jinja *jinja, const struct json *json,
                                  struct jinja_value *value)
{
    const enum json_type type = json_type(json);
    if (type != JSON_ARRAY && type != JSON_OBJECT)
        return json_leaf(jinja, json, value);
    TRY(jinja_value_new(jinja, type == JSON_ARRAY ? JINJA_LIST : JINJA_MAP, value));
    for (const struct json *at = json_first(json); at; at = json_next(at)) {
        struct jinja_value key, item;
        TRY(jinja_value_from_json(jinja, at, &item));
        if (type == JSON_ARRAY) {
            TRY(jinja_value_push(jinja, value->list, item));
            continue;
        }
        TRY(jinja_value_text(jinja, json_key(at), false, &key));
        TRY(jinja_value_put(jinja, value->map, key, item));
    }
    return OK;
}

bool jinja_value_is_true(const struct jinja_value *value)
{
    switch (value->kind) {
    case JINJA_UNDEFINED:
    case JINJA_NONE:
        return false;
    case JINJA_BOOL:
        return value->boolean;
    case JINJA_INT:
        return value->integer != 0;
    case JINJA_FLOAT:
        return value->real < 0 || value->real > 0;
    case JINJA_STRING:
        return value->string.size > 0;
    case JINJA_LIST:
    case JINJA_TUPLE:
        return value->list->count > 0;
    case JINJA_MAP:
        return value->map->count > 0;
    default:
        return true;
    }
}

bool jinja_value_is_number(const struct jinja_value *value)
{
    return value->kind == JINJA_BOOL || value->kind == JINJA_INT || value->kind == JINJA_FLOAT;
}

double jinja_value_number(const struct jinja_value *value)
{
    if (value->kind == JINJA_FLOAT)
        return value->real;
    return value->kind == JINJA_BOOL ? (double)value->boolean : (double)value->integer;
}

bool jinja_value_integer(const struct jinja_value *value, int64_t *integer)
{
    if (value->kind == JINJA_BOOL)
        *integer = value->boolean;
    else if (value->kind == JINJA_INT)
        *integer = value->integer;
    else
        return false;
    return true;
}

static bool lists_equal(const struct jinja_list *a, const struct jinja_list *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        if (!jinja_value_equal(&a->items[i], &b->items[i]))
            return false;
    }
    return true;
}

static bool maps_equal(const struct jinja_map *a, const struct jinja_map *b)
{
    if (a->count != b->count)
        return false;
    for (uint32_t i = 0; i < a->count; i++) {
        uint32_t other = 0;
        while (other < b->count && !jinja_value_equal(&a->keys[i], &b->keys[other]))
            other++;
        if (other == b->count || !jinja_value_equal(&a->values[i], &b->values[other]))
            return false;
    }
    return true;
}

/* Values cannot contain themselves: lists grow only while they are made, and a namespace is
 * equal to nothing but itself. */
bool jinja_value_equal(const struct jinja_value *a, const struct jinja_value *b)
{
    int order;
    if (jinja_value_is_number(a) && jinja_value_is_number(b))
        return jinja_value_order(a, b, &order) && order == 0;
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case JINJA_UNDEFINED:
    case JINJA_NONE:
        return true;
    case JINJA_STRING:
        return text_equal(jinja_string_text(a->string), jinja_string_text(b->string));
    case JINJA_LIST:
    case JINJA_TUPLE:
        return lists_equal(a->list, b->list);
    case JINJA_MAP:
        return maps_equal(a->map, b->map);
    default:
        return a->map == b->map;
    }
}

bool jinja_value_order(const struct jinja_value *a, const struct jinja_value *b, int *order)
{
    int64_t x, y;
    if (jinja_value_integer(a, &x) && jinja_value_integer(b, &y)) {
        *order = (x > y) - (x < y);
        return true;
    }
    if (jinja_value_is_number(a) && jinja_value_is_number(b)) {
        const double p = jinja_value_number(a), q = jinja_value_number(b);
        *order = (p > q) - (p < q);
        return p <= q || p >= q;
    }
    if (a->kind == JINJA_STRING && b->kind == JINJA_STRING) {
        *order = text_compare(jinja_string_text(a->string), jinja_string_text(b->string));
        return true;
    }
    if (a->kind != b->kind || (a->kind != JINJA_LIST && a->kind != JINJA_TUPLE))
        return false;
    for (uint32_t i = 0; i < a->list->count && i < b->list->count; i++) {
        if (!jinja_value_order(&a->list->items[i], &b->list->items[i], order))
            return false;
        if (*order != 0)
            return true;
    }
    *order = (a->list->count > b->list->count) - (a->list->count < b->list->count);
    return true;
}

enum status jinja_value_contains(struct jinja *jinja, const struct jinja_value *container,
                                 const struct jinja_value *item, bool *contains)
{
    *contains = false;
    if (container->kind == JINJA_UNDEFINED)
        return OK;
    if (container->kind == JINJA_STRING) {
        if (item->kind != JINJA_STRING)
            JINJA_FAIL(jinja, ERR_FORMAT, "%s in a string", jinja_value_type(item));
        *contains = text_find(jinja_string_text(container->string),
                              jinja_string_text(item->string), 0) != SIZE_MAX;
        return jinja_step(jinja, container->string.size);
    }
    const struct jinja_list *items;
    TRY(jinja_value_iterate(jinja, container, &items));
    for (uint32_t i = 0; i < items->count && !*contains; i++) {
        TRY(jinja_step(jinja, 0));
        *contains = jinja_value_equal(&items->items[i], item);
    }
    return OK;
}

static enum status characters(struct jinja *jinja, struct jinja_string string,
                              struct jinja_list *items)
{
    for (size_t at = 0; at < string.size;) {
        const size_t begin = at;
        (void)text_utf8_next(jinja_string_text(string), &at);
        const struct jinja_value item = {.kind = JINJA_STRING,
                                         .string = jinja_string_slice(string, begin, at)};
        TRY(jinja_value_push(jinja, items, item));
    }
    return OK;
}

enum status jinja_value_iterate(struct jinja *jinja, const struct jinja_value *value,
                                const struct jinja_list **items)
{
    if (value->kind == JINJA_LIST || value->kind == JINJA_TUPLE) {
        *items = value->list;
        return OK;
    }
    struct jinja_list *made = JINJA_NEW(jinja, struct jinja_list, 1);
    if (!made)
        return jinja_full(jinja);
    *items = made;
    switch (value->kind) {
    case JINJA_UNDEFINED:
        return OK;
    case JINJA_STRING:
        return characters(jinja, value->string, made);
    case JINJA_MAP:
        *made = (struct jinja_list){.items = value->map->keys, .count = value->map->count};
        return OK;
    default:
        JINJA_FAIL(jinja, ERR_FORMAT, "%s cannot be gone through", jinja_value_type(value));
    }
}

const char *jinja_value_type(const struct jinja_value *value)
{
    static const char *const names[] = {"undefined", "none",  "bool",     "int",   "float",
                                        "str",       "list",  "tuple",    "dict",  "namespace",
                                        "loop",      "macro", "function", "method"};
    return names[value->kind];
}
