/*
 * schema_array - see schema_array.h.
 *
 * What an array still needs depends on how many items there are (up to where all are alike: a
 * layer each) and on the needs met. fewest is filled from the last layer, whose items lead back
 * to it, by rounds, and then layer by layer to the front.
 */
#include "engine/schema_array.h"

#include "engine/schema_facts.h"
#include "engine/schema_needs.h"

#include <stdlib.h>

struct array_build {
    struct schema_build *build;
    const struct schema_parts *parts;
    struct schema_needs needs;
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

static enum status add_part(const struct array_build *make, const struct schema_part *part,
                            uint32_t index, struct schema_parts *out)
{
    const struct schema_document *document = &make->build->document;
    struct error *err = make->build->err;
    const struct json *item = NULL;
    switch ((enum schema_part_kind)part->kind) {
    case SCHEMA_PART_HOLDS:
        item = child_at(schema_parts_prefix(part->at), index);
        item = item ? item : schema_parts_rest(part->at);
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

/* Counts, needs, and that items are told apart only as far as can be. */
static enum status read_part(struct array_build *make, const struct schema_part *part,
                             struct schema_array *array)
{
    struct schema_build *build = make->build;
    const uint32_t places = places_of(part);
    bool unique = false;
    array->prefix_count = places > array->prefix_count ? places : array->prefix_count;
    if (part->kind == SCHEMA_PART_SOME)
        return schema_needs_add(&make->needs, part, build->err);
    if (part->kind == SCHEMA_PART_ITEM || part->kind == SCHEMA_PART_EQUALS)
        array->min = places > array->min ? places : array->min;
    if (part->kind == SCHEMA_PART_EQUALS)
        array->max = places < array->max ? places : array->max;
    if (part->kind == SCHEMA_PART_SHORT && part->index == 0)
        array->min = UINT32_MAX;
    else if (part->kind == SCHEMA_PART_SHORT)
        array->max = part->index - 1 < array->max ? part->index - 1 : array->max;
    if (part->kind == SCHEMA_PART_HOLDS &&
        json_bool(json_get(part->at, "uniqueItems"), &unique) && unique && array->max > 1)
        return schema_parts_refuse(&build->document, part->at, "uniqueItems", build->err);
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
    array->needs = (uint16_t)((1u << make.needs.count) - 1);
    array->items = ARENA_NEW(build->arena, struct schema_options, array->prefix_count + 1);
    if (!array->items)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    for (uint32_t index = 0; index <= array->prefix_count; index++) {
        struct schema_parts base;
        schema_parts_init(&base);
        for (uint32_t i = 0; i < parts->count; i++)
            TRY(add_part(&make, &parts->parts[i], index, &base));
        TRY(schema_needs_options(build, &make.needs, needs_at(&make, index), &base,
                                 &array->items[index]));
    }
    array->layers = array->prefix_count > array->min ? array->prefix_count : array->min;
    node->array = array;
    if (array->min > array->max || array->min == UINT32_MAX)
        array->needs = 0; /* there is none in any case */
    if (array->needs == 0)
        return OK;
    if (array->layers > SCHEMA_ARRAY_LAYERS_MAX)
        FAIL(build->err, ERR_LIMIT, "minItems: %u, where some item must meet a schema, past %d",
             array->layers, SCHEMA_ARRAY_LAYERS_MAX);
    array->fewest =
        ARENA_NEW(build->arena, uint32_t, (array->layers + 1) * (array->needs + 1u));
    if (!array->fewest)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    return OK;
}

static const struct schema_options *options_at(const struct schema_array *array, uint32_t index)
{
    return &array->items[index < array->prefix_count ? index : array->prefix_count];
}

/* Fewest items from a layer on with these needs met, as far as the layer behind it is known. */
static uint32_t fewest_from(const struct schema_array *array, uint32_t layer, uint32_t met)
{
    const struct schema_options *options = options_at(array, layer);
    const uint32_t next = layer < array->layers ? layer + 1 : layer;
    uint32_t fewest = UINT32_MAX;
    if (layer >= array->min && met == array->needs)
        return 0;
    for (uint32_t i = 0; i < options->count; i++) {
        const uint32_t then =
            array->fewest[next * (array->needs + 1u) + (met | options->list[i].meets)];
        fewest = then != UINT32_MAX && then + 1 < fewest ? then + 1 : fewest;
    }
    return fewest;
}

static void fill_fewest(struct schema_array *array)
{
    const uint32_t sets = array->needs + 1u;
    for (uint32_t i = 0; i < (array->layers + 1) * sets; i++)
        array->fewest[i] = UINT32_MAX;
    for (uint32_t layer = array->layers + 1; layer-- > 0;)
        for (uint32_t round = 0; round <= SCHEMA_NEEDS_MAX; round++)
            for (uint32_t met = sets; met-- > 0;)
                array->fewest[layer * sets + met] = fewest_from(array, layer, met);
}

uint32_t schema_array_fewest(const struct schema_array *array, uint32_t count, uint16_t met)
{
    const uint32_t layer = count < array->layers ? count : array->layers;
    const uint32_t max = array->max < array->items_max ? array->max : array->items_max;
    uint32_t fewest = count < array->min ? array->min - count : 0;
    if (array->needs)
        fewest = array->fewest[layer * (array->needs + 1u) + met];
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
    if (array->needs)
        fill_fewest(array);
    if (schema_array_fewest(array, 0, 0) == UINT32_MAX)
        return UINT32_MAX;
    return bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX - 1;
}
