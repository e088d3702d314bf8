/*
 * schema_array - see schema_array.h.
 *
 * What an array still needs depends on how many items there are (up to where all are alike: a
 * layer each) and on the needs met. fewest is filled from the last layer, whose items lead back
 * to it, by rounds, and then layer by layer to the front.
 */
#include "engine/schema_array.h"

#include "engine/schema_evaluated.h"
#include "engine/schema_facts.h"
#include "engine/schema_needs.h"

struct array_build {
    struct schema_build *build;
    const struct schema_parts *parts;
    struct schema_needs needs;
    const struct schema_part *most[SCHEMA_TAKES_MAX];
    uint32_t most_count;
    const struct json *unique;                   /* the schema that has uniqueItems */
    const struct json *values[SCHEMA_TAKES_MAX]; /* that items take, where they are unique */
    uint32_t value_count;
    uint32_t taken; /* bits of needs and of turns */
};

/* An item's options while they are added, and the needs that it can meet. */
struct item {
    struct schema_options *options;
    uint32_t mask;
};

/* How many items a part tells apart, by their places. */
static uint32_t places_of(const struct schema_part *part)
{
    switch ((enum schema_part_kind)part->kind) {
    case SCHEMA_PART_HOLDS:
        return (uint32_t)json_count(schema_parts_prefix(part->at));
    case SCHEMA_PART_EQUALS:
        return (uint32_t)json_count(part->at);
    case SCHEMA_PART_ITEM:
        return part->index + 1;
    case SCHEMA_PART_SOME:
        return part->role == SCHEMA_FAILS
                   ? (uint32_t)json_count(schema_parts_prefix(part->schema))
                   : 0;
    default:
        return 0;
    }
}

static const struct json *child_at(const struct json *list, uint32_t index)
{
    const struct json *child = json_first(list);
    while (child && index-- > 0)
        child = json_next(child);
    return child;
}

/* What schema says of the item; NULL: nothing. */
static enum status find_item(const struct array_build *make, const struct json *schema,
                             uint32_t index, const struct json **item)
{
    struct schema_evaluated others;
    *item = child_at(schema_parts_prefix(schema), index);
    if (*item)
        return OK;
    *item = schema_parts_rest(schema);
    if (!schema_parts_asks_items(schema))
        return OK;
    TRY(schema_evaluated_read(&others, &make->build->document, make->parts, schema,
                              make->build->err));
    for (uint32_t i = 1; i < others.count; i++) {
        const struct json *other = others.list[i];
        if (json_get(other, "contains"))
            return schema_parts_refuse(&make->build->document, other,
                                       "contains beside unevaluatedItems", make->build->err);
        if (child_at(schema_parts_prefix(other), index) || schema_parts_rest(other))
            *item = NULL;
    }
    return OK;
}

static enum status add_part(const struct array_build *make, const struct schema_part *part,
                            uint32_t index, struct schema_parts *out)
{
    const struct schema_document *document = &make->build->document;
    struct error *err = make->build->err;
    const struct json *item = NULL;
    switch ((enum schema_part_kind)part->kind) {
    case SCHEMA_PART_HOLDS:
        TRY(find_item(make, part->at, index, &item));
        return item ? schema_parts_add(document, out, SCHEMA_HOLDS, item, err) : OK;
    case SCHEMA_PART_EQUALS:
        item = child_at(part->at, index);
        out->none |= !item;
        return item ? schema_parts_add(document, out, SCHEMA_EQUALS, item, err) : OK;
    case SCHEMA_PART_ITEM:
        return part->at && part->index == index
                   ? schema_parts_add(document, out, (enum schema_role)part->role, part->at,
                                      err)
                   : OK;
    case SCHEMA_PART_NO_ITEM:
        return schema_parts_add(document, out, SCHEMA_FAILS, part->at, err);
    default:
        return OK;
    }
}

static uint32_t needs_at(const struct array_build *make, uint32_t index)
{
    uint32_t mask = 0;
    for (uint32_t n = 0; n < make->needs.count; n++) {
        const struct schema_part *part = make->needs.parts[n];
        mask |= (uint32_t)(index >= places_of(part)) << n;
    }
    return mask;
}

static enum status refuse_marks(const struct array_build *make)
{
    FAIL(make->build->err, ERR_LIMIT,
         "contains: more than %d items to be told apart by what they meet", SCHEMA_TAKES_MAX);
}

/* The bit of a value that is taken; TAKES_MAX: there are too many. */
static uint32_t value_bit(struct array_build *make, const struct json *value)
{
    uint32_t at = 0;
    while (at < make->value_count && !schema_facts_equal(make->values[at], value))
        at++;
    if (make->taken + at >= SCHEMA_TAKES_MAX)
        return SCHEMA_TAKES_MAX;
    make->values[at] = value;
    make->value_count = at == make->value_count ? at + 1 : make->value_count;
    return make->taken + at;
}

/* Whether the values of a set are scalars that are listed. */
static bool is_listed(const struct schema_parts *parts, const struct schema_values *values)
{
    bool listed = !values->any; /* what is left to choose only takes from them */
    for (uint32_t i = 0; i < parts->count; i++)
        listed = listed && (parts->parts[i].kind != SCHEMA_PART_EQUALS ||
                            schema_parts_is_scalar(parts->parts[i].at));
    return listed;
}

/* Unique items are taken from values that are listed, each once. */
static enum status add_unique(struct array_build *make, const struct schema_parts *base,
                              struct item *item)
{
    struct schema_build *build = make->build;
    const uint16_t takes = make->needs.takes;
    struct schema_values values;
    bool hopeless = false;
    TRY(schema_facts_hopeless(&build->document, base, &hopeless, build->err));
    if (hopeless)
        return OK;
    TRY(schema_facts_values(base, &values, build->err));
    if (!is_listed(base, &values))
        return schema_parts_refuse(&build->document, make->unique, "uniqueItems", build->err);
    for (uint32_t i = 0; i < values.count; i++) {
        struct schema_parts with;
        const uint32_t bit = value_bit(make, values.list[i]);
        if (bit == SCHEMA_TAKES_MAX)
            return schema_parts_refuse(&build->document, make->unique, "uniqueItems",
                                       build->err);
        make->needs.takes = (uint16_t)(takes | 1u << bit);
        schema_parts_copy(&with, base);
        TRY(schema_parts_add(&build->document, &with, SCHEMA_EQUALS, values.list[i],
                             build->err));
        TRY(schema_needs_options(build, &make->needs, item->mask, &with, item->options));
    }
    make->needs.takes = takes;
    return OK;
}

/* The options of an item: what may hold only so often fails, or takes one of its turns. */
static enum status add_options(struct array_build *make, uint32_t most,
                               const struct schema_parts *base, struct item *item)
{
    struct schema_build *build = make->build;
    struct schema_parts with;
    const uint16_t takes = make->needs.takes;
    uint32_t bit = make->needs.count;
    if (base->none)
        return OK;
    if (most == make->most_count && make->unique)
        return add_unique(make, base, item);
    if (most == make->most_count)
        return schema_needs_options(build, &make->needs, item->mask, base, item->options);
    const struct schema_part *part = make->most[most];
    for (uint32_t i = 0; i < most; i++)
        bit += make->most[i]->index;
    schema_parts_copy(&with, base);
    TRY(schema_parts_add(&build->document, &with, SCHEMA_FAILS, part->at, build->err));
    TRY(add_options(make, most + 1, &with, item));
    schema_parts_copy(&with, base);
    TRY(schema_parts_add(&build->document, &with, SCHEMA_HOLDS, part->at, build->err));
    for (uint32_t turn = 0; turn < part->index; turn++) {
        make->needs.takes = (uint16_t)(takes | 1u << (bit + turn));
        TRY(add_options(make, most + 1, &with, item));
    }
    make->needs.takes = takes;
    return OK;
}

/* Counts, needs, and that items are told apart only as far as can be. */
static enum status read_part(struct array_build *make, const struct schema_part *part,
                             struct schema_array *array)
{
    const uint32_t places = places_of(part);
    bool unique = false;
    array->prefix_count = places > array->prefix_count ? places : array->prefix_count;
    if (part->kind == SCHEMA_PART_SOME)
        return schema_needs_add(&make->needs, part, make->build->err);
    if (part->kind == SCHEMA_PART_MOST && make->most_count == SCHEMA_TAKES_MAX)
        return refuse_marks(make);
    if (part->kind == SCHEMA_PART_MOST)
        make->most[make->most_count++] = part;
    if (part->kind == SCHEMA_PART_ITEM || part->kind == SCHEMA_PART_EQUALS)
        array->min = places > array->min ? places : array->min;
    if (part->kind == SCHEMA_PART_EQUALS)
        array->max = places < array->max ? places : array->max;
    if (part->kind == SCHEMA_PART_SHORT && part->index == 0)
        array->min = UINT32_MAX;
    else if (part->kind == SCHEMA_PART_SHORT)
        array->max = part->index - 1 < array->max ? part->index - 1 : array->max;
    if (part->kind == SCHEMA_PART_HOLDS &&
        json_bool(json_get(part->at, "uniqueItems"), &unique) && unique)
        make->unique = part->at;
    return OK;
}

/* The bits of needs and turns; those of values come behind them. */
static enum status count_marks(struct array_build *make)
{
    uint64_t taken = make->needs.count;
    for (uint32_t i = 0; i < make->most_count; i++)
        taken += make->most[i]->index;
    make->taken = (uint32_t)taken;
    return taken > SCHEMA_TAKES_MAX ? refuse_marks(make) : OK;
}

static enum status make_layers(struct schema_build *build, struct schema_array *array)
{
    array->layers = array->prefix_count > array->min ? array->prefix_count : array->min;
    if (array->min > array->max || array->min == UINT32_MAX)
        array->needs = array->marks = 0; /* there is none in any case */
    if (array->marks == 0)
        return OK;
    const uint64_t entries = ((uint64_t)array->layers + 1) * (array->marks + 1u);
    if (entries > SCHEMA_ARRAY_ENTRIES_MAX)
        FAIL(build->err, ERR_LIMIT, "minItems: %u, where items must meet or may take something",
             array->layers);
    array->fewest = ARENA_NEW(build->arena, uint32_t, entries);
    if (!array->fewest)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    return OK;
}

enum status schema_array_make(struct schema_build *build, const struct schema_parts *parts,
                              struct schema_node *node)
{
    struct array_build make = {.build = build, .parts = parts};
    struct schema_array *array = ARENA_NEW(build->arena, struct schema_array, 1);
    struct schema_range range;
    if (!array)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    TRY(schema_facts_range(parts, "minItems", "maxItems", &range, build->err));
    array->min = range.min;
    array->max = range.max;
    for (uint32_t i = 0; i < parts->count; i++)
        TRY(read_part(&make, &parts->parts[i], array));
    if (array->min > array->max || array->min == UINT32_MAX || array->max <= 1)
        make.unique = NULL; /* items are none, or one */
    TRY(count_marks(&make));
    array->needs = (uint16_t)((1u << make.needs.count) - 1);
    array->items = ARENA_NEW(build->arena, struct schema_options, array->prefix_count + 1);
    if (!array->items)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    for (uint32_t index = 0; index <= array->prefix_count; index++) {
        struct schema_parts base;
        schema_parts_init(&base);
        for (uint32_t i = 0; i < parts->count; i++)
            TRY(add_part(&make, &parts->parts[i], index, &base));
        struct item item = {&array->items[index], needs_at(&make, index)};
        TRY(add_options(&make, 0, &base, &item));
    }
    node->array = array;
    array->marks = (uint16_t)((1u << (make.taken + make.value_count)) - 1);
    return make_layers(build, array);
}

static const struct schema_options *options_at(const struct schema_array *array, uint32_t index)
{
    return &array->items[index < array->prefix_count ? index : array->prefix_count];
}

/* Fewest items from a layer on with these marks, as far as the layer behind it is known. */
static uint32_t fewest_from(const struct schema_array *array, uint32_t layer, uint32_t marks)
{
    const struct schema_options *options = options_at(array, layer);
    const uint32_t next = layer < array->layers ? layer + 1 : layer;
    uint32_t fewest = UINT32_MAX;
    if (layer >= array->min && (marks & array->needs) == array->needs)
        return 0;
    for (uint32_t i = 0; i < options->count; i++) {
        const struct schema_option option = options->list[i];
        const uint32_t to = marks | option.meets | option.takes;
        const uint32_t then = array->fewest[next * (array->marks + 1u) + to];
        if (!(marks & option.takes) && then != UINT32_MAX && then + 1 < fewest)
            fewest = then + 1;
    }
    return fewest;
}

static void fill_fewest(struct schema_array *array)
{
    const uint32_t sets = array->marks + 1u;
    for (uint32_t i = 0; i < (array->layers + 1) * sets; i++)
        array->fewest[i] = UINT32_MAX;
    for (uint32_t layer = array->layers + 1; layer-- > 0;)
        for (uint32_t round = 0; round <= SCHEMA_TAKES_MAX; round++)
            for (uint32_t marks = sets; marks-- > 0;)
                array->fewest[layer * sets + marks] = fewest_from(array, layer, marks);
}

uint32_t schema_array_fewest(const struct schema_array *array, uint32_t count, uint16_t marks)
{
    const uint32_t layer = count < array->layers ? count : array->layers;
    const uint32_t max = array->max < array->items_max ? array->max : array->items_max;
    uint32_t fewest = count < array->min ? array->min - count : 0;
    if (array->marks)
        fewest = array->fewest[layer * (array->marks + 1u) + marks];
    return count > max || fewest > max - count ? UINT32_MAX : fewest;
}

uint32_t schema_array_distance(const struct schema_build *build, struct schema_array *array)
{
    uint32_t items_max = UINT32_MAX; /* where the first item without a value would stand */
    uint64_t bytes = 2;
    for (uint32_t i = 0; i <= array->prefix_count; i++) {
        const uint32_t item = schema_needs_distance(build, &array->items[i]);
        const uint32_t times = i < array->prefix_count ? i < array->min
                               : array->min > i        ? array->min - i
                                                       : 0;
        if (item == UINT32_MAX)
            items_max = items_max == UINT32_MAX ? i : items_max;
        else
            bytes += times * (uint64_t)(item + 1u);
    }
    array->items_max = items_max;
    if (array->marks)
        fill_fewest(array);
    if (schema_array_fewest(array, 0, 0) == UINT32_MAX)
        return UINT32_MAX;
    return bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX - 1;
}
