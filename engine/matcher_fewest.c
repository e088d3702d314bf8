/*
 * matcher_fewest - see matcher_fewest.h.
 *
 * What a frame takes, with all that it is within, is kept beside it until its number is given
 * to another: most frames are asked for again and again, as parents.
 */
#include "engine/matcher_fewest.h"

#include "engine/matcher_phase.h"
#include "engine/schema_fewest.h"

enum { LOOSE_WAYS = 2 }; /* of a state, where any of its ways will do */

static uint32_t less(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Whether the text is complete when the frame's value is. */
static bool is_outermost(const struct matcher *matcher, const struct matcher_frame *frame)
{
    const struct matcher_frame *parent = &matcher->frames[frame->parent];
    return frame->parent == 0 || (matcher_is_list(parent) && parent->parent == 0);
}

static bool may_be_number(const struct schema *schema, const struct schema_node *node)
{
    bool may = node->types & SCHEMA_NUMBER;
    for (uint32_t i = 0; i < node->alternative_count; i++)
        may = may || (schema->nodes[node->alternatives[i]].types & SCHEMA_NUMBER);
    return may;
}

static uint32_t left_of(uint32_t least, uint32_t count)
{
    return count < least ? least - count : 0;
}

static uint32_t string_fewest(const struct matcher *matcher, const struct schema_node *node,
                              const struct matcher_frame *frame)
{
    const uint32_t left = left_of(node->characters_min, frame->count);
    if (node->copied && left > 0)
        return 1 + schema_fewest_copied(left);
    if (node->copied)
        return 1 + (frame->state == COPIED_START
                        ? 0u
                        : copied_distance(matcher->copied, frame->state));
    if (node->counted && frame->state == AUTOMATON_START)
        return schema_fewest_sum(1, left);
    const uint32_t bytes = 1u + node->string->distance[frame->state];
    return node->counted ? schema_fewest_sum(bytes, left > 0 ? left - 1 : 0) : bytes;
}

static uint32_t object_fewest(const struct matcher *matcher, const struct matcher_frame *frame)
{
    const struct schema_node *nodes = matcher->schema->nodes;
    const struct schema_object *object = nodes[frame->node].object;
    const struct schema_progress progress = {frame->seen, frame->count, frame->met};
    switch ((enum matcher_phase)frame->phase) {
    case MATCHER_OBJECT_FIRST:
        return schema_fewest_first(schema_fewest_object(object, &progress));
    case MATCHER_OBJECT_NAME:
        return schema_fewest_name(
            nodes, schema_fewest_name_of(matcher->names, object, &progress), frame->state);
    case MATCHER_OBJECT_COLON:
        return schema_fewest_sum(1ull + nodes[frame->state].fewest,
                                 schema_fewest_object(object, &progress));
    case MATCHER_OBJECT_COMMA:
        return schema_fewest_sum(
            1, /* the quote */
            schema_fewest_name(nodes, schema_fewest_name_of(matcher->names, object, &progress),
                               AUTOMATON_START));
    default:
        return schema_fewest_object(object, &progress);
    }
}

/* Without what the frame is within. */
static uint32_t own_fewest(const struct matcher *matcher, const struct matcher_frame *frame)
{
    static const uint8_t words[] = {4, 4, 5}; /* null, true, false */
    const struct schema_node *nodes = matcher->schema->nodes;
    const struct schema_node *node = &nodes[frame->node];
    switch ((enum matcher_phase)frame->phase) {
    case MATCHER_VALUE:
        return schema_fewest_sum(node->fewest, is_outermost(matcher, frame) &&
                                                   may_be_number(matcher->schema, node));
    case MATCHER_STRING:
        return string_fewest(matcher, node, frame);
    case MATCHER_NUMBER:
        return schema_fewest_sum(node->number->distance[frame->state],
                                 is_outermost(matcher, frame));
    case MATCHER_WORD:
        return words[frame->count] - frame->state;
    case MATCHER_ARRAY_FIRST:
        return schema_fewest_first(
            schema_fewest_array(nodes, node->array, frame->count, frame->met));
    case MATCHER_ARRAY_NEXT:
        return schema_fewest_array(nodes, node->array, frame->count, frame->met);
    default:
        return object_fewest(matcher, frame);
    }
}

/* A frame of that number, or the least of a list. They are as deep in one another as objects
 * and arrays are. */
static uint32_t numbered(struct matcher *matcher, uint16_t number)
{
    uint32_t fewest = SCHEMA_FEWEST_NEVER;
    for (; number != 0 && matcher_is_list(&matcher->frames[number]);
         number = (uint16_t)matcher->frames[number].state)
        fewest = less(fewest, numbered(matcher, matcher->frames[number].parent));
    if (number == 0)
        return 0;
    const struct matcher_frame *frame = &matcher->frames[number];
    uint32_t *kept = &matcher->fewest[number];
    if (*kept == 0)
        *kept = schema_fewest_sum(own_fewest(matcher, frame), numbered(matcher, frame->parent));
    return less(fewest, *kept);
}

uint32_t matcher_fewest(struct matcher *matcher, const struct matcher_state *state)
{
    uint32_t fewest = SCHEMA_FEWEST_NEVER;
    if (state->count == 1 && state->ways[0] == 0)
        return 0;
    for (uint32_t i = 0; i < state->count; i++)
        fewest = less(fewest, state->ways[i] == 0 ? 1 : numbered(matcher, state->ways[i]));
    return fewest;
}

uint32_t matcher_fewest_inside(struct matcher *matcher, const struct matcher_inside *inside)
{
    uint32_t fewest = SCHEMA_FEWEST_NEVER;
    for (uint32_t i = 0; i < inside->count; i++) {
        const struct matcher_frame *way = &inside->ways[i];
        fewest = less(fewest, schema_fewest_sum(own_fewest(matcher, way),
                                                numbered(matcher, way->parent)));
    }
    return fewest;
}

/* However that way went on within its string or name. */
static uint32_t floor_of(struct matcher *matcher, const struct matcher_frame *way)
{
    const struct schema_node *nodes = matcher->schema->nodes;
    const struct schema_progress progress = {way->seen, way->count, way->met};
    const uint32_t outer = numbered(matcher, way->parent);
    if (matcher_place(way) != MATCHER_IN_NAME)
        return schema_fewest_sum(1, outer);
    struct schema_fewest_name *name =
        schema_fewest_name_of(matcher->names, nodes[way->node].object, &progress);
    return schema_fewest_sum(schema_fewest_name_floor(nodes, name, way->state), outer);
}

uint32_t matcher_fewest_floor(struct matcher *matcher, const struct matcher_inside *inside)
{
    uint32_t fewest = SCHEMA_FEWEST_NEVER;
    for (uint32_t i = 0; i < inside->count; i++)
        fewest = less(fewest, floor_of(matcher, &inside->ways[i]));
    return fewest;
}

bool matcher_fewest_keep(struct matcher *matcher, struct matcher_inside *inside, uint32_t left)
{
    const uint32_t count = inside->count;
    inside->count = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (floor_of(matcher, &inside->ways[i]) >= left)
            continue;
        if (inside->count != i)
            inside->ways[inside->count] = inside->ways[i];
        inside->count++;
    }
    return inside->count > 0;
}

static const struct matcher_characters no_characters = {1, 0};

/* Of strings whose characters are counted: each one until the minimum saves a byte. */
static struct matcher_characters counted_within(const struct schema_node *node,
                                                const struct matcher_frame *way, uint32_t base,
                                                uint32_t left)
{
    const uint32_t missing = left_of(node->characters_min, way->count);
    const uint32_t most = node->characters_max == SCHEMA_NO_MAX
                              ? UINT32_MAX
                              : left_of(node->characters_max, way->count);
    if (base >= left)
        return no_characters;
    const uint32_t spare = left - 1 - base;
    return (struct matcher_characters){missing > spare + 1 ? missing - spare : 1, most};
}

bool matcher_fewest_plain(struct matcher *matcher, const struct matcher_frame *way,
                          uint32_t left, struct matcher_characters *within)
{
    const struct schema_node *node = &matcher->schema->nodes[way->node];
    const struct automaton *automaton = node->string;
    const uint32_t base = floor_of(matcher, way);
    *within = no_characters;
    if (base >= left)
        return true;
    if (matcher_place(way) != MATCHER_IN_STRING || node->copied)
        return false;
    if (node->counted && way->state == AUTOMATON_START) {
        *within = counted_within(node, way, base, left);
        return true;
    }
    if (node->counted || node->characters || !automaton->plain || !automaton->plain[way->state])
        return false;
    if (schema_fewest_sum(base, automaton->plain_nearest) >= left)
        return true;
    within->last = UINT32_MAX;
    return schema_fewest_sum(base, automaton->plain_farthest) < left;
}

/* A way that no plain text leaves. */
static uint32_t settled(struct matcher *matcher, const struct matcher_frame *way)
{
    const struct schema_node *nodes = matcher->schema->nodes;
    const struct schema_node *node = &nodes[way->node];
    const struct schema_progress progress = {way->seen, way->count, way->met};
    const uint32_t outer = numbered(matcher, way->parent);
    if (matcher_place(way) == MATCHER_IN_NAME)
        return schema_fewest_sum(
            schema_fewest_name_settled(
                nodes, schema_fewest_name_of(matcher->names, node->object, &progress),
                way->state),
            outer);
    if (node->copied || node->counted || node->characters || !node->string->plain[way->state])
        return SCHEMA_FEWEST_NEVER;
    return schema_fewest_sum(1ull + node->string->plain_farthest, outer);
}

uint32_t matcher_fewest_settled(struct matcher *matcher, const struct matcher_inside *inside)
{
    uint32_t fewest = SCHEMA_FEWEST_NEVER;
    for (uint32_t i = 0; i < inside->count; i++)
        fewest = less(fewest, settled(matcher, &inside->ways[i]));
    return fewest;
}

static bool is_of_object(const struct matcher_frame *frame)
{
    return frame->phase >= MATCHER_OBJECT_FIRST && frame->phase <= MATCHER_OBJECT_COMMA;
}

/* For as long as the way stays in that string or name, without what it is within. */
static uint32_t farthest(const struct matcher *matcher, const struct matcher_frame *way)
{
    const struct schema_node *node = &matcher->schema->nodes[way->node];
    const struct schema_object *object = node->object;
    const struct schema_progress progress = {way->seen, way->count, way->met};
    if (is_of_object(way))
        return schema_fewest_sum((uint64_t)object->costs.farthest + object->costs.most,
                                 schema_fewest_object(object, &progress));
    const uint32_t characters = node->counted ? left_of(node->characters_min, way->count) : 0;
    return node->copied ? SCHEMA_FEWEST_NEVER
                        : schema_fewest_sum(1ull + node->string->farthest, characters);
}

uint32_t matcher_fewest_bound(struct matcher *matcher, const struct matcher_inside *inside)
{
    uint32_t most = 0;
    for (uint32_t i = 0; i < inside->count; i++) {
        const struct matcher_frame *way = &inside->ways[i];
        const uint32_t fewest =
            schema_fewest_sum(farthest(matcher, way), numbered(matcher, way->parent));
        most = fewest > most ? fewest : most;
    }
    return most;
}

/* Looking at each name that is possible takes long where there are many. */
static uint32_t loosely(struct matcher *matcher, uint16_t number)
{
    const struct matcher_frame *frame = &matcher->frames[number];
    if (number == 0)
        return 1;
    if (frame->phase != MATCHER_OBJECT_NAME && frame->phase != MATCHER_OBJECT_COMMA)
        return numbered(matcher, number);
    return schema_fewest_sum(farthest(matcher, frame), numbered(matcher, frame->parent));
}

uint32_t matcher_fewest_loosely(struct matcher *matcher, const struct matcher_state *state)
{
    uint32_t fewest = SCHEMA_FEWEST_NEVER;
    for (uint32_t i = 0; i < state->count && i < LOOSE_WAYS; i++)
        fewest = less(fewest, loosely(matcher, state->ways[i]));
    return fewest;
}
