/*
 * schema - see schema.h.
 *
 * Nodes are made from the list of schema_build, one after another. Which of them have a value
 * at all is found at the end, by rounds: those that have one without others first.
 */
#include "engine/schema.h"

#include "engine/schema_array.h"
#include "engine/schema_build.h"
#include "engine/schema_choice.h"
#include "engine/schema_facts.h"
#include "engine/schema_fewest.h"
#include "engine/schema_number.h"
#include "engine/schema_object.h"
#include "engine/schema_text.h"

#include <string.h>

/* Nodes, each once. */
struct node_list {
    struct schema_build *build;
    uint16_t nodes[SCHEMA_NODES_MAX];
    uint32_t count;
    uint64_t visits;
};

static void list_node(struct node_list *list, uint16_t node)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (list->nodes[i] == node)
            return;
    if (list->count < SCHEMA_NODES_MAX)
        list->nodes[list->count++] = node;
}

static enum status keep_list(const struct node_list *list, struct schema_node *node)
{
    uint16_t *kept = ARENA_NEW(list->build->arena, uint16_t, list->count);
    if (!kept)
        FAIL(list->build->err, ERR_MEMORY, "schema: the arena is full");
    memcpy(kept, list->nodes, list->count * sizeof *kept);
    node->alternatives = kept;
    node->alternative_count = list->count;
    return OK;
}

/* The ways of a choice: as long as there is only one it is kept as it is, and has no node. */
struct ways {
    struct node_list list;
    struct schema_parts first;
    uint32_t count;
};

static enum status list_parts(struct node_list *list, const struct schema_parts *parts)
{
    uint16_t node = 0;
    TRY(schema_build_node(list->build, parts, &node));
    if (node != 0)
        list_node(list, node);
    return OK;
}

static enum status list_way(void *context, const struct schema_parts *parts)
{
    struct ways *ways = context;
    if (ways->count++ == 0) {
        schema_parts_copy(&ways->first, parts);
        return OK;
    }
    if (ways->count == 2)
        TRY(list_parts(&ways->list, &ways->first));
    return list_parts(&ways->list, parts);
}

/* Takes the choices of parts as long as they leave one way. Then parts are without a choice, or
 * node has its alternatives. */
static enum status take_choices(struct schema_build *build, struct schema_parts *parts,
                                struct schema_node *node)
{
    struct ways ways;
    const struct schema_choice_to to = {&build->document, list_way, &ways};
    while (schema_choice_is_left(parts)) {
        ways.list.count = ways.count = 0;
        ways.list.build = build;
        TRY(schema_choice_take(&to, parts, build->err));
        if (ways.count != 1)
            return keep_list(&ways.list, node);
        schema_parts_copy(parts, &ways.first);
    }
    return OK;
}

static bool is_copied(const struct schema_parts *parts)
{
    for (uint32_t i = 0; i < parts->count; i++)
        if (parts->parts[i].kind == SCHEMA_PART_HOLDS &&
            json_get(parts->parts[i].at, "x-copied-from"))
            return true;
    return false;
}

static enum status make_string(struct schema_build *build, const struct schema_parts *parts,
                               const struct schema_values *values, struct schema_node *node)
{
    struct schema_length length;
    TRY(schema_text_length(parts, values, &length, build->err));
    node->copied = is_copied(parts);
    if (node->copied && !length.alone)
        FAIL(build->err, ERR_LIMIT,
             "schema: x-copied-from is not supported beside pattern, format, enum or const");
    if (length.alone) {
        node->counted = true;
        node->characters_min = length.characters.min;
        node->characters_max = length.characters.max;
        node->string = build->character;
        return OK;
    }
    struct automaton *made = ARENA_NEW(build->arena, struct automaton, 1);
    if (!made)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    node->string = made;
    const struct schema_strings strings = {.parts = parts, .values = values, .node = node};
    return schema_text_strings(build, &strings, made);
}

/* The types of which values are left where enum and const list them. */
static uint8_t listed_types(const struct schema_parts *parts,
                            const struct schema_values *values)
{
    uint8_t types = SCHEMA_ARRAY | SCHEMA_OBJECT;
    for (uint32_t i = 0; i < parts->count; i++)
        if (parts->parts[i].kind == SCHEMA_PART_AMONG)
            types = 0;
    for (uint32_t i = 0; i < values->count; i++)
        types |= schema_facts_bit(values->list[i]);
    return types;
}

static enum status make_plain(struct schema_build *build, const struct schema_parts *parts,
                              struct schema_node *node)
{
    struct schema_facts facts;
    struct schema_values values;
    TRY(schema_facts_read(parts, &facts, build->err));
    TRY(schema_facts_values(parts, &values, build->err));
    node->types = facts.types;
    if (!values.any)
        node->types &= listed_types(parts, &values);
    if (node->types & SCHEMA_STRING)
        TRY(make_string(build, parts, &values, node));
    if (node->types & SCHEMA_NUMBER) {
        struct automaton *number = ARENA_NEW(build->arena, struct automaton, 1);
        if (!number)
            FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
        TRY(schema_number_make(build, parts, &values, number));
        node->number = number;
    }
    if (node->types & SCHEMA_ARRAY)
        TRY(schema_array_make(build, parts, node));
    return node->types & SCHEMA_OBJECT ? schema_object_make(build, parts, node) : OK;
}

static enum status make_node(struct schema_build *build, const struct schema_parts *parts,
                             struct schema_node *node)
{
    struct schema_parts taken;
    if (!schema_choice_is_left(parts))
        return make_plain(build, parts, node);
    schema_parts_copy(&taken, parts);
    TRY(take_choices(build, &taken, node));
    const bool is_plain = !schema_choice_is_left(&taken);
    return is_plain && !taken.none ? make_plain(build, &taken, node) : OK;
}

static uint32_t string_distance(const struct schema_node *node)
{
    if (node->characters && node->characters->further[AUTOMATON_START] > node->characters_max)
        return UINT32_MAX;
    const uint32_t bytes =
        node->counted ? node->characters_min : node->string->distance[AUTOMATON_START];
    if (node->counted ? node->characters_max < node->characters_min : bytes == AUTOMATON_NEVER)
        return UINT32_MAX;
    return bytes < UINT32_MAX - 2 ? bytes + 2 : UINT32_MAX - 1;
}

static uint32_t node_distance(const struct schema_build *build, const struct schema_node *node)
{
    uint32_t each[6] = {UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX};
    uint32_t least = UINT32_MAX;
    for (uint32_t i = 0; i < node->alternative_count; i++)
        if (build->nodes[node->alternatives[i]].distance < least)
            least = build->nodes[node->alternatives[i]].distance;
    if (node->types & (SCHEMA_NULL | SCHEMA_TRUE))
        each[0] = 4;
    if (node->types & SCHEMA_FALSE)
        each[1] = 5;
    if ((node->types & SCHEMA_NUMBER) &&
        node->number->distance[AUTOMATON_START] != AUTOMATON_NEVER)
        each[2] = node->number->distance[AUTOMATON_START];
    if (node->types & SCHEMA_STRING)
        each[3] = string_distance(node);
    if (node->types & SCHEMA_ARRAY)
        each[4] = schema_array_distance(build, node->array);
    if (node->types & SCHEMA_OBJECT)
        each[5] = schema_object_distance(build, node->object);
    for (int i = 0; i < 6; i++)
        least = each[i] < least ? each[i] : least;
    return least;
}

/* The nodes that a node of alternatives comes to, down to those without. */
static void list_leaves(struct node_list *list, bool *seen, uint16_t node)
{
    const struct schema_node *at = &list->build->nodes[node];
    list->visits++;
    if (seen[node] || at->distance == UINT32_MAX)
        return;
    seen[node] = true;
    if (at->alternative_count == 0)
        list->nodes[list->count++] = node;
    for (uint32_t i = 0; i < at->alternative_count; i++)
        list_leaves(list, seen, at->alternatives[i]);
}

static enum status flatten(struct schema_build *build)
{
    for (uint32_t i = 1; i < build->node_count; i++) {
        struct node_list list = {.build = build};
        bool seen[SCHEMA_NODES_MAX] = {false};
        if (build->nodes[i].alternative_count == 0)
            continue;
        list_leaves(&list, seen, (uint16_t)i);
        TRY(schema_ref_charge(&build->document, 500 + list.visits, build->err));
        TRY(keep_list(&list, &build->nodes[i]));
    }
    return OK;
}

/* What looking at all nodes once takes. */
static enum status charge_round(const struct schema_build *build)
{
    uint64_t work = 0;
    for (uint32_t i = 1; i < build->node_count; i++) {
        const struct schema_node *node = &build->nodes[i];
        work += 5 + node->alternative_count;
        work += node->object ? 10 * (uint64_t)node->object->way_count : 0;
        work += node->array ? 10 * (node->array->prefix_count + 1ull) : 0;
    }
    return schema_ref_charge(&build->document, work, build->err);
}

static enum status finish(struct schema_build *build)
{
    for (uint32_t i = 0; i < build->node_count; i++)
        build->nodes[i].distance = UINT32_MAX;
    for (bool changed = true; changed;) {
        changed = false;
        TRY(charge_round(build));
        for (uint32_t i = build->node_count; i-- > 1;) {
            const uint32_t distance = node_distance(build, &build->nodes[i]);
            changed |= distance != build->nodes[i].distance;
            build->nodes[i].distance = distance;
        }
    }
    for (uint32_t i = 1; i < build->node_count; i++)
        if (build->nodes[i].object)
            TRY(schema_object_finish(build, build->nodes[i].object));
    TRY(flatten(build));
    return schema_fewest_fill(build);
}

enum status schema_compile(struct schema *schema, const struct json *source,
                           struct arena *arena, struct error *err)
{
    struct schema_build build;
    struct schema_parts parts;
    schema_parts_init(&parts);
    TRY(schema_build_init(&build, source, arena, err));
    struct automaton *character = ARENA_NEW(arena, struct automaton, 1);
    if (!character)
        FAIL(err, ERR_MEMORY, "schema: the arena is full");
    TRY(schema_text_character(&build, character));
    build.character = character;
    TRY(schema_parts_add(&build.document, &parts, SCHEMA_HOLDS, source, err));
    TRY(schema_build_node(&build, &parts, &schema->root));
    for (uint32_t i = 1; i < build.node_count; i++)
        TRY(make_node(&build, build.parts[i], &build.nodes[i]));
    TRY(finish(&build));
    if (build.nodes[schema->root].distance == UINT32_MAX)
        FAIL(err, ERR_LIMIT, "schema: no value is valid");
    schema->copies = false;
    for (uint32_t i = 1; i < build.node_count; i++)
        schema->copies |= build.nodes[i].copied;
    schema->nodes = build.nodes;
    schema->node_count = build.node_count;
    return OK;
}
