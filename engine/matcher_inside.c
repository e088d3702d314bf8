/* matcher_inside - see matcher_inside.h. */
#include "engine/matcher_inside.h"

#include "engine/matcher_property.h"

bool matcher_inside_enter(const struct matcher *matcher, const struct matcher_state *state,
                          struct matcher_inside *inside)
{
    if (state->count > MATCHER_INSIDE_MAX)
        return false;
    for (uint32_t i = 0; i < state->count; i++) {
        const struct matcher_frame *frame = &matcher->frames[state->ways[i]];
        if (state->ways[i] == 0 || matcher_place(frame) == MATCHER_ELSEWHERE)
            return false;
        inside->ways[i] = *frame;
    }
    inside->count = state->count;
    return true;
}

bool matcher_inside_step(const struct matcher *matcher, const struct matcher_inside *inside,
                         uint8_t byte, struct matcher_inside *next)
{
    next->count = 0;
    for (uint32_t i = 0; i < inside->count; i++) {
        struct matcher_frame *frame = &next->ways[next->count];
        *frame = inside->ways[i];
        next->count += matcher_go_on(matcher, frame, byte);
    }
    return next->count > 0;
}

void matcher_inside_leave(struct matcher *matcher, const struct matcher_inside *inside,
                          struct matcher_state *state)
{
    state->count = 0;
    for (uint32_t i = 0; i < inside->count; i++)
        matcher_add(matcher, state, &inside->ways[i]);
}

/* Whether a name may go on in any way that its automaton knows, whatever was seen. */
static bool is_free_name(const struct schema_object *object, const struct matcher_frame *frame)
{
    const uint64_t fitting = matcher_property_others(object, frame);
    for (uint32_t s = AUTOMATON_START; fitting && s < object->names.state_count; s++)
        if (object->names.distance[s] != AUTOMATON_NEVER &&
            (object->reach[s].others & fitting) == 0)
            return false;
    return fitting != 0;
}

/* Characters that the way is sure to take, if they are plain; *exact: and no more. */
static uint32_t plain_left(const struct matcher *matcher, const struct matcher_frame *way,
                           bool *exact)
{
    const struct schema_node *node = &matcher->schema->nodes[way->node];
    const bool is_name = matcher_place(way) == MATCHER_IN_NAME;
    *exact = false;
    if (!is_name && node->copied)
        return 0;
    *exact = !is_name && node->counted && way->state == AUTOMATON_START;
    if (*exact)
        return node->characters_max == SCHEMA_NO_MAX ? UINT32_MAX
               : node->characters_max > way->count   ? node->characters_max - way->count
                                                     : 0;
    if (!is_name && (node->counted || node->characters))
        return 0;
    const struct automaton *automaton = is_name ? &node->object->names : node->string;
    if (!automaton->plain || !automaton->plain[way->state] ||
        (is_name && !is_free_name(node->object, way)))
        return 0;
    return UINT32_MAX;
}

uint32_t matcher_inside_plain(const struct matcher *matcher,
                              const struct matcher_inside *inside, bool *exact)
{
    uint32_t most = 0;
    *exact = true;
    for (uint32_t i = 0; i < inside->count; i++) {
        bool way_exact;
        const uint32_t left = plain_left(matcher, &inside->ways[i], &way_exact);
        *exact = *exact && way_exact;
        most = left > most ? left : most;
    }
    *exact = *exact || most == UINT32_MAX;
    return most;
}
