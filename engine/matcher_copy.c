/* matcher_copy - see matcher_copy.h. */
#include "engine/matcher_copy.h"

#include <assert.h>

static_assert((int)AUTOMATON_START == (int)COPIED_START, "a string begins in one state");

/* Whether the chunk has a piece that a string of node may be. copied may be NULL. */
static bool may_begin(const struct copied *copied, const struct schema_node *node)
{
    return copied &&
           (node->characters_min == 0 ||
            copied_reaches(copied, COPIED_START, node->characters_min, node->characters_max));
}

enum status matcher_copy_check(const struct schema *schema, const struct copied *copied,
                               struct error *err)
{
    if (schema->copies && !copied)
        FAIL(err, ERR_FORMAT,
             "schema: it has a string copied from the chunk, and there is no chunk");
    for (uint32_t n = 1; copied && n < schema->node_count; n++) {
        const struct schema_node *node = &schema->nodes[n];
        const bool is_needed = node->copied && node->types == SCHEMA_STRING;
        if (!is_needed || may_begin(copied, node))
            continue;
        if (node->characters_max == SCHEMA_NO_MAX)
            FAIL(err, ERR_LIMIT, "schema: the chunk has no words of %u characters to copy",
                 node->characters_min);
        FAIL(err, ERR_LIMIT, "schema: the chunk has no words of %u to %u characters to copy",
             node->characters_min, node->characters_max);
    }
    return OK;
}

bool matcher_copy_is_open(const struct copied *copied, const struct schema_node *node)
{
    if (node->copied)
        return may_begin(copied, node);
    if (node->characters)
        return node->characters->further[AUTOMATON_START] <= node->characters_max;
    return node->counted ? node->characters_min <= node->characters_max
                         : node->string->distance[AUTOMATON_START] != AUTOMATON_NEVER;
}

bool matcher_copy_can_end(const struct copied *copied, const struct schema_node *node,
                          const struct matcher_frame *frame)
{
    const bool ends = frame->state == COPIED_START || copied_can_end(copied, frame->state);
    return ends && frame->count >= node->characters_min;
}

bool matcher_copy_step(const struct copied *copied, const struct schema_node *node,
                       struct matcher_frame *frame, uint8_t byte)
{
    frame->state = copied_step(copied, frame->state, byte);
    if (frame->state == COPIED_DEAD)
        return false;
    const bool has_max = node->characters_max != SCHEMA_NO_MAX;
    /* a count that nothing asks for any more would only tell frames apart */
    const bool counts = has_max || frame->count < node->characters_min;
    frame->count += counts && copied_is_whole(copied, frame->state);
    if (frame->count > node->characters_max)
        return false;
    const uint32_t least =
        frame->count < node->characters_min ? node->characters_min - frame->count : 0;
    const uint32_t most = has_max ? node->characters_max - frame->count : COPIED_NO_MAX;
    return copied_reaches(copied, frame->state, least, most);
}
