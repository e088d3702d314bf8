/* jinja_member - see jinja_member.h. */
#include "tokenizer/jinja_member.h"

#include "tokenizer/jinja_method.h"
#include "tokenizer/jinja_string.h"

static enum status undefined(struct jinja *jinja, const struct jinja_value *object)
{
    JINJA_FAIL(jinja, ERR_FORMAT, "'%.*s' is undefined", TEXT_ARG(object->hint));
}

/* loop.name; false when there is no such member. */
static bool loop_member(const struct jinja_loop *loop, struct text name,
                        struct jinja_value *result)
{
    const uint32_t count = loop->items->count, index = loop->index;
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {{"index", index + 1},        {"index0", index},
                   {"revindex", count - index}, {"revindex0", count - index - 1},
                   {"length", count},           {"depth", loop->depth + 1},
                   {"depth0", loop->depth}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (text_equal(name, text_of(numbers[i].name))) {
            *result = jinja_value_int(numbers[i].value);
            return true;
        }
    }
    if (text_equal(name, TEXT("first")))
        *result = jinja_value_bool(index == 0);
    else if (text_equal(name, TEXT("last")))
        *result = jinja_value_bool(index + 1 == count);
    else if (text_equal(name, TEXT("previtem")) && index > 0)
        *result = loop->items->items[index - 1];
    else if (text_equal(name, TEXT("nextitem")) && index + 1 < count)
        *result = loop->items->items[index + 1];
    else
        return false;
    return true;
}

static enum status method(struct jinja *jinja, const struct jinja_value *object,
                          struct text name, struct jinja_value *result)
{
    struct jinja_method *made = JINJA_NEW(jinja, struct jinja_method, 1);
    if (!made)
        return jinja_full(jinja);
    *made = (struct jinja_method){*object, name};
    *result = (struct jinja_value){.kind = JINJA_METHOD, .method = made};
    return OK;
}

enum status jinja_member_attr(struct jinja *jinja, const struct jinja_value *object,
                              struct text name, struct jinja_value *result)
{
    if (object->kind == JINJA_UNDEFINED)
        return undefined(jinja, object);
    if (jinja_method_exists(object, name))
        return method(jinja, object, name, result);
    *result = jinja_value_undefined(name);
    if (object->kind == JINJA_LOOP) {
        (void)loop_member(object->loop, name, result);
    } else if (object->kind == JINJA_MAP || object->kind == JINJA_NAMESPACE) {
        const struct jinja_value *found = jinja_value_get(object->map, name);
        if (found)
            *result = *found;
        return jinja_step(jinja, (size_t)object->map->count * sizeof *found);
    }
    return OK;
}

static enum status map_item(struct jinja *jinja, const struct jinja_map *map,
                            const struct jinja_value *key, struct jinja_value *result)
{
    for (uint32_t i = 0; i < map->count; i++) {
        if (jinja_value_equal(&map->keys[i], key)) {
            *result = map->values[i];
            break;
        }
    }
    return jinja_step(jinja, (size_t)map->count * sizeof *key);
}

/* Python's index: from the end when negative. False: out of range. */
static bool place(int64_t index, size_t count, size_t *at)
{
    if (index < 0)
        index += (int64_t)count;
    if (index < 0 || (uint64_t)index >= count)
        return false;
    *at = (size_t)index;
    return true;
}

enum status jinja_member_item(struct jinja *jinja, const struct jinja_value *object,
                              const struct jinja_value *index, struct jinja_value *result)
{
    int64_t integer;
    size_t at;
    const bool is_integer = jinja_value_integer(index, &integer);
    *result = jinja_value_undefined(
        index->kind == JINJA_STRING ? jinja_string_text(index->string) : TEXT("an item"));
    if (object->kind == JINJA_UNDEFINED)
        return undefined(jinja, object);
    if (object->kind == JINJA_MAP)
        return map_item(jinja, object->map, index, result);
    if (index->kind == JINJA_STRING)
        return jinja_member_attr(jinja, object, jinja_string_text(index->string), result);
    if (!is_integer)
        return OK;
    if (object->kind == JINJA_LIST || object->kind == JINJA_TUPLE) {
        if (place(integer, object->list->count, &at))
            *result = object->list->items[at];
    } else if (object->kind == JINJA_STRING) {
        TRY(jinja_step(jinja, object->string.size));
        if (!place(integer, jinja_string_length(object->string), &at))
            return OK;
        const size_t begin = jinja_string_offset(object->string, at);
        const size_t end = jinja_string_offset(object->string, at + 1);
        *result = (struct jinja_value){
            .kind = JINJA_STRING, .string = jinja_string_slice(object->string, begin, end)};
    }
    return OK;
}

/* A part of a path that is a number; false when it is none. */
static bool path_index(struct text part, int64_t *index)
{
    *index = 0;
    for (size_t i = 0; i < part.size; i++) {
        if (part.data[i] < '0' || part.data[i] > '9' || i > 8)
            return false;
        *index = *index * 10 + part.data[i] - '0';
    }
    return part.size > 0;
}

enum status jinja_member_path(struct jinja *jinja, const struct jinja_value *object,
                              struct text path, struct jinja_value *result)
{
    struct jinja_value at = *object;
    for (size_t begin = 0; begin <= path.size;) {
        size_t end = text_find(path, TEXT("."), begin);
        end = end < path.size ? end : path.size;
        const struct text part = text_slice(path, begin, end);
        struct jinja_value key = {.kind = JINJA_INT}, found;
        if (!path_index(part, &key.integer))
            TRY(jinja_value_text(jinja, part, true, &key));
        TRY(jinja_member_item(jinja, &at, &key, &found));
        at = found;
        begin = end + 1;
    }
    *result = at;
    return OK;
}

/* Python's slice indices over count items. */
struct span {
    int64_t start, stop, step;
};

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    return value < low ? low : value > high ? high : value;
}

static enum status resolve(struct jinja *jinja, const struct jinja_value bounds[3],
                           size_t count, struct span *span)
{
    int64_t given[3];
    bool has[3];
    for (uint32_t i = 0; i < 3; i++) {
        has[i] = bounds[i].kind != JINJA_NONE;
        if (has[i] && !jinja_value_integer(&bounds[i], &given[i]))
            JINJA_FAIL(jinja, ERR_FORMAT, "a slice bound is %s", jinja_value_type(&bounds[i]));
    }
    const int64_t size = (int64_t)count, step = has[2] ? given[2] : 1;
    if (step == 0 || step < -INT32_MAX || step > INT32_MAX)
        JINJA_FAIL(jinja, ERR_FORMAT, "a slice step of %lld", (long long)step);
    const int64_t low = step < 0 ? -1 : 0, high = step < 0 ? size - 1 : size;
    span->step = step;
    span->start = step < 0 ? high : low;
    span->stop = step < 0 ? low : high;
    if (has[0])
        span->start = clamp(given[0] < 0 ? given[0] + size : given[0], low, high);
    if (has[1])
        span->stop = clamp(given[1] < 0 ? given[1] + size : given[1], low, high);
    return OK;
}

static enum status slice_string(struct jinja *jinja, struct jinja_string string,
                                const struct span *span, struct jinja_value *result)
{
    struct jinja_builder out = {.arena = jinja->arena};
    if (span->step == 1) {
        const size_t begin = jinja_string_offset(string, (size_t)span->start);
        const size_t end = jinja_string_offset(string, (size_t)span->stop);
        *result = (struct jinja_value){.kind = JINJA_STRING,
                                       .string = jinja_string_slice(string, begin, end)};
        return OK;
    }
    const struct jinja_value whole = {.kind = JINJA_STRING, .string = string};
    const struct jinja_list *items;
    TRY(jinja_value_iterate(jinja, &whole, &items));
    for (int64_t i = span->start; span->step < 0 ? i > span->stop : i < span->stop;
         i += span->step)
        jinja_string_add(&out, items->items[i].string);
    return jinja_string_take(jinja, &out, result);
}

enum status jinja_member_slice(struct jinja *jinja, const struct jinja_value *object,
                               const struct jinja_value bounds[3], struct jinja_value *result)
{
    struct span span;
    if (object->kind == JINJA_STRING) {
        TRY(jinja_step(jinja, object->string.size));
        TRY(resolve(jinja, bounds, jinja_string_length(object->string), &span));
        return slice_string(jinja, object->string, &span, result);
    }
    if (object->kind == JINJA_UNDEFINED)
        return undefined(jinja, object);
    if (object->kind != JINJA_LIST && object->kind != JINJA_TUPLE)
        JINJA_FAIL(jinja, ERR_FORMAT, "a %s has no slices", jinja_value_type(object));
    TRY(resolve(jinja, bounds, object->list->count, &span));
    TRY(jinja_value_new(jinja, object->kind, result));
    for (int64_t i = span.start; span.step < 0 ? i > span.stop : i < span.stop; i += span.step)
        TRY(jinja_value_push(jinja, result->list, object->list->items[i]));
    return OK;
}
