/*
 * schema_fewest - see schema_fewest.h.
 *
 * Nodes refer to themselves: all begin at NEVER and are looked at in rounds, until none has
 * come to have a shorter value.
 */
#include "engine/schema_fewest.h"

#include "engine/schema_object.h"
#include "engine/schema_progress.h"

#include <string.h>

enum { PROPERTY_BYTES = 4 }; /* a comma, two quotes and a colon */

uint32_t schema_fewest_sum(uint64_t a, uint64_t b)
{
    if (a >= SCHEMA_FEWEST_NEVER || b >= SCHEMA_FEWEST_NEVER)
        return SCHEMA_FEWEST_NEVER;
    return a + b < SCHEMA_FEWEST_NEVER ? (uint32_t)(a + b) : SCHEMA_FEWEST_NEVER - 1;
}

static uint32_t less(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static bool bit(const struct schema_set *set, uint32_t n)
{
    return set->bits[n / 64] >> (n % 64) & 1;
}

static uint32_t options_fewest(const struct schema_node *nodes,
                               const struct schema_options *options)
{
    uint32_t fewest = SCHEMA_FEWEST_NEVER;
    for (uint32_t i = 0; i < options->count; i++)
        fewest = less(fewest, nodes[options->list[i].node].fewest);
    return fewest;
}

static bool is_usable(const struct schema_object *object, uint32_t way)
{
    return way < object->name_count ? bit(&object->usable.names, way)
                                    : object->usable.others >> (way - object->name_count) & 1;
}

/* The cheapest that can come beside those required and those in set; way_count: none. */
static uint32_t cheapest(const struct schema_object *object, const struct schema_set *set)
{
    uint32_t best = object->way_count;
    for (uint32_t way = 0; way < object->way_count; way++) {
        const bool is_left =
            way >= object->name_count || (!bit(set, way) && !bit(&object->required, way));
        if (is_left && is_usable(object, way) &&
            (best == object->way_count || object->costs.cost[way] < object->costs.cost[best]))
            best = way;
    }
    return best;
}

/* The cheapest properties, as many as minProperties wants beside those required. */
static uint64_t cost_of_more(const struct schema_object *object,
                             const struct schema_progress *progress, uint64_t more)
{
    struct schema_set taken = progress->seen;
    uint64_t bytes = 0;
    while (more > 0) {
        const uint32_t way = cheapest(object, &taken);
        if (way == object->way_count)
            return SCHEMA_FEWEST_NEVER;
        if (way >= object->name_count)
            return schema_fewest_sum(bytes, more * object->costs.cost[way]);
        taken.bits[way / 64] |= 1ull << (way % 64);
        bytes = schema_fewest_sum(bytes, object->costs.cost[way]);
        more--;
    }
    return bytes;
}

/* Each need can be met by one property, each required is one, and so is each that is missing
 * to the minimum. Finding which properties meet several needs would take longer. */
static uint32_t with_needs(const struct schema_object *object,
                           const struct schema_progress *progress)
{
    uint64_t count = object->min;
    count += (uint32_t)__builtin_popcount(object->needs & ~(uint32_t)progress->met);
    for (uint32_t word = 0; word < SCHEMA_NAMES_MAX / 64; word++)
        count += (uint32_t)__builtin_popcountll(object->required.bits[word] &
                                                ~progress->seen.bits[word]);
    return schema_fewest_sum(1, count * object->costs.most);
}

uint32_t schema_fewest_object(const struct schema_object *object,
                              const struct schema_progress *progress)
{
    uint32_t count = progress->count;
    uint64_t bytes = 1;
    if (progress->met != object->needs)
        return with_needs(object, progress);
    for (uint32_t word = 0; word < SCHEMA_NAMES_MAX / 64; word++)
        for (uint64_t left = object->required.bits[word] & ~progress->seen.bits[word]; left;
             left &= left - 1, count++)
            bytes = schema_fewest_sum(
                bytes, object->costs.cost[word * 64 + (uint32_t)__builtin_ctzll(left)]);
    const uint32_t more = count < object->min ? object->min - count : 0;
    return schema_fewest_sum(bytes, cost_of_more(object, progress, more));
}

/* From behind the colon. Of names that are not listed only what they may have wherever they
 * may have come before. */
static uint32_t way_fewest(const struct schema_node *nodes, const struct schema_object *object,
                           const struct schema_progress *progress, uint32_t way)
{
    const struct schema_options *options = &object->ways[way];
    uint32_t fewest = SCHEMA_FEWEST_NEVER;
    for (uint32_t i = 0; i < options->count; i++) {
        struct schema_progress after = *progress;
        after.count++;
        after.met |= options->list[i].meets;
        if (way < object->name_count)
            after.seen.bits[way / 64] |= 1ull << (way % 64);
        if (schema_progress_is_free(object, way, progress->met, options->list[i].meets) &&
            schema_progress_may_repeat(object, way, progress->met, options->list[i].meets) &&
            schema_progress_can_end(object, &after))
            fewest = less(fewest, schema_fewest_sum(nodes[options->list[i].node].fewest,
                                                    schema_fewest_object(object, &after)));
    }
    return fewest;
}

struct schema_fewest_names *schema_fewest_names_new(struct arena *arena)
{
    struct schema_fewest_names *names = ARENA_NEW(arena, struct schema_fewest_names, 1);
    uint32_t *states =
        ARENA_NEW(arena, uint32_t, 2 * SCHEMA_FEWEST_NAMES * (size_t)AUTOMATON_STATES_MAX);
    if (!names || !states)
        return NULL;
    for (uint32_t i = 0; i < SCHEMA_FEWEST_NAMES; i++) {
        names->list[i].states = states + 2 * i * (size_t)AUTOMATON_STATES_MAX;
        names->list[i].floors = names->list[i].states + AUTOMATON_STATES_MAX;
    }
    return names;
}

void schema_fewest_names_forget(struct schema_fewest_names *names)
{
    names->count = names->hand = names->last = 0;
}

static bool is_of(const struct schema_fewest_name *name, const struct schema_object *object,
                  const struct schema_progress *progress)
{
    return name->object == object && name->progress.count == progress->count &&
           name->progress.met == progress->met &&
           memcmp(&name->progress.seen, &progress->seen, sizeof progress->seen) == 0;
}

struct schema_fewest_name *schema_fewest_name_of(struct schema_fewest_names *names,
                                                 const struct schema_object *object,
                                                 const struct schema_progress *progress)
{
    for (uint32_t i = 0; i < names->count; i++) {
        if (is_of(&names->list[names->last], object, progress))
            return &names->list[names->last];
        names->last = names->last + 1 < names->count ? names->last + 1 : 0;
    }
    struct schema_fewest_name *name = &names->list[names->hand];
    names->last = names->hand;
    names->hand = (names->hand + 1) % SCHEMA_FEWEST_NAMES;
    names->count += names->count < SCHEMA_FEWEST_NAMES;
    name->object = object;
    name->progress = *progress;
    memset(name->states, 0, object->names.state_count * sizeof *name->states);
    memset(name->floors, 0, object->names.state_count * sizeof *name->floors);
    memset(name->ways, 0, object->way_count * sizeof *name->ways);
    return name;
}

static uint32_t kept_way(const struct schema_node *nodes, struct schema_fewest_name *name,
                         uint32_t way)
{
    if (name->ways[way] == 0)
        name->ways[way] = way_fewest(nodes, name->object, &name->progress, way);
    return name->ways[way];
}

/* is_floor: as if each name were at its end. */
static uint32_t from_name(const struct schema_node *nodes, struct schema_fewest_name *name,
                          uint32_t state, bool is_floor)
{
    const struct schema_object *object = name->object;
    const struct schema_costs *costs = &object->costs;
    const struct schema_ways *reach = &object->reach[state];
    uint32_t fewest = SCHEMA_FEWEST_NEVER;
    for (uint32_t word = 0; word < SCHEMA_NAMES_MAX / 64; word++)
        for (uint64_t left = reach->names.bits[word] & ~name->progress.seen.bits[word]; left;
             left &= left - 1) {
            const uint32_t way = word * 64 + (uint32_t)__builtin_ctzll(left);
            const uint32_t rest = is_floor ? 0 : costs->name[way] - costs->depth[state];
            fewest = less(fewest, schema_fewest_sum(rest, kept_way(nodes, name, way)));
        }
    for (uint64_t left = reach->others; left; left &= left - 1) {
        const uint32_t n = (uint32_t)__builtin_ctzll(left);
        const uint32_t rest =
            is_floor ? 0 : costs->other[n * object->names.state_count + state];
        fewest = less(fewest,
                      schema_fewest_sum(rest, kept_way(nodes, name, object->name_count + n)));
    }
    return schema_fewest_sum(fewest, 2); /* the quote and the colon */
}

uint32_t schema_fewest_name(const struct schema_node *nodes, struct schema_fewest_name *name,
                            uint32_t state)
{
    if (name->states[state] == 0)
        name->states[state] = from_name(nodes, name, state, false);
    return name->states[state];
}

uint32_t schema_fewest_name_floor(const struct schema_node *nodes,
                                  struct schema_fewest_name *name, uint32_t state)
{
    if (name->floors[state] == 0)
        name->floors[state] = from_name(nodes, name, state, true);
    return name->floors[state];
}

uint32_t schema_fewest_name_settled(const struct schema_node *nodes,
                                    struct schema_fewest_name *name, uint32_t state)
{
    uint32_t most = name->object->settled[state] ? 0 : SCHEMA_FEWEST_NEVER;
    for (uint64_t left = name->object->settled[state]; left; left &= left - 1) {
        const uint32_t n = (uint32_t)__builtin_ctzll(left);
        const uint32_t fewest = kept_way(nodes, name, name->object->name_count + n);
        most = fewest > most ? fewest : most;
    }
    return schema_fewest_sum(most, 2); /* the quote and the colon */
}

static uint32_t item_fewest(const struct schema_node *nodes, const struct schema_array *array,
                            uint32_t place)
{
    const uint32_t at = place < array->prefix_count ? place : array->prefix_count;
    return schema_fewest_sum(1, options_fewest(nodes, &array->items[at]));
}

uint32_t schema_fewest_array(const struct schema_node *nodes, const struct schema_array *array,
                             uint32_t count, uint16_t marks)
{
    const uint32_t fewest = schema_array_fewest(array, count, marks);
    uint32_t left = fewest;
    uint64_t bytes = 1;
    if (fewest == UINT32_MAX)
        return SCHEMA_FEWEST_NEVER;
    if (array->marks) {
        const uint32_t layer = count < array->layers ? count : array->layers;
        return schema_fewest_sum(1, array->bytes[layer * (array->marks + 1u) + marks]);
    }
    for (; left > 0 && count < array->prefix_count; left--, count++)
        bytes = schema_fewest_sum(bytes, item_fewest(nodes, array, count));
    if (left == 0)
        return (uint32_t)bytes;
    const uint32_t item = item_fewest(nodes, array, count);
    return item == SCHEMA_FEWEST_NEVER ? item : schema_fewest_sum(bytes, (uint64_t)left * item);
}

uint32_t schema_fewest_first(uint32_t rest)
{
    return rest > 1 && rest != SCHEMA_FEWEST_NEVER ? rest - 1 : rest;
}

uint32_t schema_fewest_copied(uint32_t characters_left)
{
    enum { WORD = 16 };
    return characters_left == 0 ? 0 : schema_fewest_sum(2ull * characters_left, WORD);
}

/* Of arrays with needs: the way of fewest items, and of those the shortest. */
static uint32_t bytes_from(const struct schema_node *nodes, const struct schema_array *array,
                           uint32_t layer, uint32_t marks)
{
    const uint32_t sets = array->marks + 1u;
    const uint32_t at = layer < array->prefix_count ? layer : array->prefix_count;
    const uint32_t next = layer < array->layers ? layer + 1 : layer;
    const uint32_t items = array->fewest[layer * sets + marks];
    const struct schema_options *options = &array->items[at];
    uint32_t fewest = SCHEMA_FEWEST_NEVER;
    if (items == 0 || items == UINT32_MAX)
        return items;
    for (uint32_t i = 0; i < options->count; i++) {
        const struct schema_option option = options->list[i];
        const uint32_t to = next * sets + (marks | option.meets | option.takes);
        const uint32_t item = schema_fewest_sum(1, nodes[option.node].fewest);
        if (!(marks & option.takes) && array->fewest[to] == items - 1)
            fewest = less(fewest, schema_fewest_sum(item, array->bytes[to]));
    }
    return fewest;
}

static void fill_bytes(const struct schema_node *nodes, struct schema_array *array)
{
    const uint32_t sets = array->marks + 1u;
    memset(array->bytes, UINT8_MAX, (array->layers + 1) * sets * sizeof *array->bytes);
    for (uint32_t layer = array->layers + 1; layer-- > 0;)
        for (uint32_t round = 0; round <= SCHEMA_TAKES_MAX; round++)
            for (uint32_t marks = sets; marks-- > 0;)
                array->bytes[layer * sets + marks] = bytes_from(nodes, array, layer, marks);
}

static void fill_costs(const struct schema_node *nodes, struct schema_object *object)
{
    struct schema_costs *costs = &object->costs;
    costs->most = 0;
    for (uint32_t way = 0; way < object->way_count; way++) {
        uint32_t dearest = 0;
        for (uint32_t i = 0; i < object->ways[way].count; i++) {
            const uint32_t value = nodes[object->ways[way].list[i].node].fewest;
            dearest = value > dearest ? value : dearest;
        }
        const uint32_t name = costs->name[way];
        costs->cost[way] =
            schema_fewest_sum(name + PROPERTY_BYTES, options_fewest(nodes, &object->ways[way]));
        dearest = schema_fewest_sum(name + PROPERTY_BYTES, dearest);
        if (is_usable(object, way) && dearest > costs->most)
            costs->most = dearest;
    }
}

static uint32_t string_fewest(const struct schema_node *node)
{
    if (node->copied)
        return 2 + schema_fewest_copied(node->characters_min);
    if (node->counted)
        return schema_fewest_sum(2, node->characters_min);
    const uint32_t bytes = node->string->distance[AUTOMATON_START];
    return bytes == AUTOMATON_NEVER ? SCHEMA_FEWEST_NEVER : bytes + 2;
}

static uint32_t node_fewest(const struct schema_node *nodes, const struct schema_node *node)
{
    static const struct schema_progress none = {.count = 0};
    uint32_t fewest = SCHEMA_FEWEST_NEVER;
    if (node->distance == UINT32_MAX)
        return fewest;
    for (uint32_t i = 0; i < node->alternative_count; i++)
        fewest = less(fewest, nodes[node->alternatives[i]].fewest);
    if (node->types & (SCHEMA_NULL | SCHEMA_TRUE))
        fewest = less(fewest, 4);
    if (node->types & SCHEMA_FALSE)
        fewest = less(fewest, 5);
    if ((node->types & SCHEMA_NUMBER) &&
        node->number->distance[AUTOMATON_START] != AUTOMATON_NEVER)
        fewest = less(fewest, node->number->distance[AUTOMATON_START]);
    if (node->types & SCHEMA_STRING)
        fewest = less(fewest, string_fewest(node));
    if (node->types & SCHEMA_ARRAY) {
        if (node->array->marks)
            fill_bytes(nodes, node->array);
        const uint32_t rest = schema_fewest_array(nodes, node->array, 0, 0);
        fewest = less(fewest, schema_fewest_sum(1, schema_fewest_first(rest)));
    }
    if ((node->types & SCHEMA_OBJECT) && node->object->open) {
        fill_costs(nodes, node->object);
        const uint32_t rest = schema_fewest_object(node->object, &none);
        fewest = less(fewest, schema_fewest_sum(1, schema_fewest_first(rest)));
    }
    return fewest;
}

/* Fewest bytes of a name to each state, from the front. */
static enum status fill_depths(const struct schema_build *build, struct schema_object *object)
{
    const struct automaton *names = &object->names;
    struct schema_costs *costs = &object->costs;
    const size_t mark = build->arena->used;
    uint16_t *queue = ARENA_NEW(build->arena, uint16_t, names->state_count);
    uint32_t count = 0;
    if (!queue)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    memset(costs->depth, UINT8_MAX, names->state_count * sizeof *costs->depth);
    memset(costs->name, 0, object->way_count * sizeof *costs->name);
    costs->depth[AUTOMATON_START] = 0;
    queue[count++] = AUTOMATON_START;
    for (uint32_t at = 0; at < count; at++) {
        const uint32_t state = queue[at];
        const uint32_t way = object->way[state];
        if (automaton_ends(names, state) && costs->name[way] == 0)
            costs->name[way] = costs->depth[state];
        for (uint32_t c = 0; c < names->class_count; c++) {
            const uint16_t next = names->next[state * names->class_count + c];
            if (next == AUTOMATON_DEAD || costs->depth[next] != UINT16_MAX)
                continue;
            costs->depth[next] = (uint16_t)(costs->depth[state] + 1);
            queue[count++] = next;
        }
    }
    arena_rewind(build->arena, mark);
    return OK;
}

/* One round: each state by the states behind it. False: nothing came of it. */
static bool shorten(const struct automaton *names, uint16_t *to)
{
    const size_t entries = (size_t)names->state_count * names->class_count;
    bool fell = false;
    for (size_t i = entries; i-- > names->class_count;) {
        const uint16_t next = names->next[i];
        uint16_t *here = &to[i / names->class_count];
        if (next == AUTOMATON_DEAD || to[next] == UINT16_MAX || to[next] + 1 >= *here)
            continue;
        *here = (uint16_t)(to[next] + 1);
        fell = true;
    }
    return fell;
}

/* Fewest bytes from each state to a name of each way that is not listed. */
static void fill_others(struct schema_object *object)
{
    const struct automaton *names = &object->names;
    object->costs.farthest = 0;
    for (uint32_t n = 0; n < object->way_count - object->name_count; n++) {
        uint16_t *other = object->costs.other + (size_t)n * names->state_count;
        for (uint32_t s = 0; s < names->state_count; s++)
            other[s] = s >= AUTOMATON_START && automaton_ends(names, s) &&
                               object->way[s] == object->name_count + n
                           ? 0
                           : UINT16_MAX;
        while (shorten(names, other))
            ;
        for (uint32_t s = AUTOMATON_START; s < names->state_count; s++)
            if (other[s] != UINT16_MAX && other[s] > object->costs.farthest)
                object->costs.farthest = other[s];
    }
}

static enum status begin_object(const struct schema_build *build, struct schema_object *object)
{
    struct schema_costs *costs = &object->costs;
    const uint32_t states = object->names.state_count;
    const uint32_t others = object->way_count - object->name_count;
    costs->name = ARENA_NEW(build->arena, uint32_t, object->way_count + 1u);
    costs->cost = ARENA_NEW(build->arena, uint32_t, object->way_count + 1u);
    costs->depth = ARENA_NEW(build->arena, uint16_t, states);
    costs->other = ARENA_NEW(build->arena, uint16_t, (size_t)others * states + 1);
    if (!costs->name || !costs->cost || !costs->depth || !costs->other)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    TRY(fill_depths(build, object));
    fill_others(object);
    return schema_ref_charge(
        &build->document, (uint64_t)states * object->names.class_count * (others + 1) / 16 + 1,
        build->err);
}

static enum status begin_node(const struct schema_build *build, struct schema_node *node)
{
    node->fewest = SCHEMA_FEWEST_NEVER;
    if (node->array && node->array->marks) {
        node->array->bytes = ARENA_NEW(build->arena, uint32_t,
                                       (node->array->layers + 1) * (node->array->marks + 1u));
        if (!node->array->bytes)
            FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    }
    return node->object ? begin_object(build, node->object) : OK;
}

enum status schema_fewest_fill(struct schema_build *build)
{
    build->nodes[0].fewest = SCHEMA_FEWEST_NEVER;
    for (uint32_t i = 1; i < build->node_count; i++)
        TRY(begin_node(build, &build->nodes[i]));
    for (bool changed = true; changed;) {
        changed = false;
        TRY(schema_ref_charge(&build->document, 10ull * build->node_count, build->err));
        for (uint32_t i = build->node_count; i-- > 1;) {
            const uint32_t fewest = node_fewest(build->nodes, &build->nodes[i]);
            changed |= fewest != build->nodes[i].fewest;
            build->nodes[i].fewest = fewest;
        }
    }
    return OK;
}
