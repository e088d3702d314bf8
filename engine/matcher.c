/* matcher - see matcher.h. */
#include "engine/matcher.h"

#include <string.h>

enum { SLOTS = 4 * MATCHER_FRAMES_MAX, NESTING_MAX = 16 };

enum phase {
    VALUE,        /* before a value of node */
    STRING,       /* between the quotes */
    NUMBER,       /* within a number */
    WORD,         /* within null, true or false: count says which, state how far */
    OBJECT_FIRST, /* after { */
    OBJECT_NAME,  /* within a name */
    OBJECT_COLON, /* state: the way the name goes */
    OBJECT_NEXT,  /* after a value */
    OBJECT_COMMA,
    ARRAY_FIRST, /* after [ */
    ARRAY_NEXT   /* after an item */
};

static const char *const words[] = {"null", "true", "false"};

/* One step of one way. */
struct step {
    struct matcher *matcher;
    struct matcher_state *out;
    uint8_t byte;
};

enum status matcher_init(struct matcher *matcher, const struct schema *schema,
                         struct arena *arena, struct error *err)
{
    *matcher =
        (struct matcher){.schema = schema,
                         .frames = ARENA_NEW(arena, struct matcher_frame, MATCHER_FRAMES_MAX),
                         .slots = ARENA_NEW(arena, uint16_t, SLOTS)};
    if (!matcher->frames || !matcher->slots)
        FAIL(err, ERR_MEMORY, "matcher: no room for %d frames", MATCHER_FRAMES_MAX);
    return OK;
}

static bool frames_equal(const struct matcher_frame *a, const struct matcher_frame *b)
{
    return a->parent == b->parent && a->node == b->node && a->phase == b->phase &&
           a->space == b->space && a->state == b->state && a->count == b->count &&
           memcmp(&a->seen, &b->seen, sizeof a->seen) == 0;
}

/* The number of a frame like this one; 0: there is no room. */
static uint32_t intern(struct matcher *matcher, const struct matcher_frame *frame)
{
    uint64_t hash = frame->parent * 31u + frame->node;
    hash = (hash * 131 + frame->phase) * 131 + frame->space;
    hash = (hash * 1000003 + frame->state) * 1000003 + frame->count;
    for (size_t i = 0; i < sizeof frame->seen.bits / sizeof *frame->seen.bits; i++)
        hash = (hash ^ frame->seen.bits[i]) * 0x9e3779b97f4a7c15ull;
    uint32_t slot = (uint32_t)(hash ^ hash >> 32) % SLOTS;
    for (; matcher->slots[slot]; slot = (slot + 1) % SLOTS)
        if (frames_equal(&matcher->frames[matcher->slots[slot]], frame))
            return matcher->slots[slot];
    if (matcher->frame_count == MATCHER_FRAMES_MAX)
        return 0;
    matcher->slots[slot] = (uint16_t)matcher->frame_count;
    matcher->frames[matcher->frame_count] = *frame;
    return matcher->frame_count++;
}

static void add_way(const struct step *step, uint32_t way)
{
    struct matcher_state *out = step->out;
    for (uint32_t i = 0; i < out->count; i++)
        if (out->ways[i] == way)
            return;
    if (out->count < MATCHER_WAYS_MAX)
        out->ways[out->count++] = (uint16_t)way;
}

static void add(const struct step *step, struct matcher_frame frame)
{
    const uint32_t way = intern(step->matcher, &frame);
    if (way != 0)
        add_way(step, way);
}

/* Takes a byte of white space; false: it is none, or one too many. */
static bool add_space(const struct step *step, struct matcher_frame frame)
{
    if (step->byte == ' ' && frame.space == 0)
        frame.space = 1;
    else if (step->byte == '\n' && frame.space == 0)
        frame.space = 2;
    else if (step->byte == ' ' && frame.space >= 2 && frame.space < 2 + MATCHER_SPACES_MAX)
        frame.space++;
    else
        return false;
    add(step, frame);
    return true;
}

static const struct schema_node *node_of(const struct step *step, uint16_t node)
{
    return &step->matcher->schema->nodes[node];
}

static bool bit(const struct schema_set *set, uint32_t n)
{
    return set->bits[n / 64] >> (n % 64) & 1;
}

static uint32_t missing(const struct schema_object *object, const struct schema_set *seen)
{
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof seen->bits / sizeof *seen->bits; i++)
        count += (uint32_t)__builtin_popcountll(object->required.bits[i] & ~seen->bits[i]);
    return count;
}

/* Whether only properties that are required still have room. */
static bool is_tight(const struct schema_object *object, const struct matcher_frame *frame)
{
    return object->max != SCHEMA_NO_MAX &&
           frame->count + missing(object, &frame->seen) >= object->max;
}

static bool name_is_usable(const struct schema_object *object,
                           const struct matcher_frame *frame, uint32_t n)
{
    if (bit(&frame->seen, n) || bit(&object->forbidden, n))
        return false;
    return bit(&object->required, n) || !is_tight(object, frame);
}

static bool name_can_end(const struct schema_object *object, const struct matcher_frame *frame)
{
    if (object->reaches_other[frame->state] && !is_tight(object, frame))
        return true;
    for (uint32_t n = object->low[frame->state]; n < object->high[frame->state]; n++)
        if (name_is_usable(object, frame, n))
            return true;
    return false;
}

static void begin_name(const struct step *step, struct matcher_frame frame)
{
    frame.phase = OBJECT_NAME;
    frame.space = 0;
    frame.state = AUTOMATON_START;
    if (step->byte == '"' && name_can_end(node_of(step, frame.node)->object, &frame))
        add(step, frame);
}

static void step_name(const struct step *step, struct matcher_frame frame)
{
    const struct schema_object *object = node_of(step, frame.node)->object;
    if (step->byte != '"') {
        frame.state = automaton_step(&object->names, frame.state, step->byte);
        if (frame.state != AUTOMATON_DEAD && name_can_end(object, &frame))
            add(step, frame);
        return;
    }
    if (!automaton_ends(&object->names, frame.state))
        return;
    const uint16_t way = object->way[frame.state];
    const uint16_t node = object->way_node[way];
    const bool usable = way < object->name_count ? name_is_usable(object, &frame, way)
                                                 : !is_tight(object, &frame);
    if (!usable || node_of(step, node)->distance == UINT32_MAX)
        return;
    if (way < object->name_count)
        frame.seen.bits[way / 64] |= 1ull << (way % 64);
    frame.phase = OBJECT_COLON;
    frame.state = way;
    frame.count++;
    add(step, frame);
}

static void pop(const struct step *step, uint32_t parent)
{
    add_way(step, parent);
}

static void step_object(const struct step *step, struct matcher_frame frame)
{
    const struct schema_object *object = node_of(step, frame.node)->object;
    if (frame.phase == OBJECT_COLON) {
        const uint16_t value = object->way_node[frame.state];
        frame.phase = OBJECT_NEXT;
        frame.state = 0;
        const uint32_t parent = step->byte == ':' ? intern(step->matcher, &frame) : 0;
        if (parent != 0)
            add(step, (struct matcher_frame){.parent = parent, .node = value, .phase = VALUE});
        return;
    }
    if (add_space(step, frame))
        return;
    if (frame.phase != OBJECT_COMMA && step->byte == '}' && frame.count >= object->min &&
        missing(object, &frame.seen) == 0) {
        pop(step, frame.parent);
        return;
    }
    if (frame.phase != OBJECT_NEXT) {
        begin_name(step, frame);
        return;
    }
    frame.phase = OBJECT_COMMA;
    frame.space = 0;
    frame.state = AUTOMATON_START;
    if (step->byte == ',' && name_can_end(object, &frame)) {
        frame.state = 0;
        add(step, frame);
    }
}

static void step_value(const struct step *step, struct matcher_frame frame, uint32_t nesting);

static uint16_t item_node(const struct schema_node *node, uint32_t index)
{
    return index < node->prefix_count ? node->prefix[index] : node->items;
}

static bool item_fits(const struct step *step, const struct schema_node *node, uint32_t index)
{
    return index < node->items_max &&
           node_of(step, item_node(node, index))->distance != UINT32_MAX;
}

static void step_array(const struct step *step, struct matcher_frame frame)
{
    const struct schema_node *node = node_of(step, frame.node);
    if (add_space(step, frame))
        return;
    if (step->byte == ']') {
        if (frame.count >= node->items_min)
            pop(step, frame.parent);
        return;
    }
    const bool first = frame.phase == ARRAY_FIRST;
    if ((!first && step->byte != ',') || !item_fits(step, node, frame.count))
        return;
    struct matcher_frame item = {.node = item_node(node, frame.count), .phase = VALUE};
    frame.phase = ARRAY_NEXT;
    frame.space = 0;
    frame.count++;
    item.parent = intern(step->matcher, &frame);
    if (item.parent == 0)
        return;
    if (first)
        step_value(step, item, 0);
    else
        add(step, item);
}

static void step_string(const struct step *step, struct matcher_frame frame)
{
    const struct schema_node *node = node_of(step, frame.node);
    const bool whole = node->counted ? frame.state == AUTOMATON_START
                                     : automaton_ends(node->string, frame.state);
    if (step->byte == '"' && whole && (!node->counted || frame.count >= node->characters_min)) {
        pop(step, frame.parent);
        return;
    }
    if (node->counted && whole && frame.count >= node->characters_max)
        return;
    frame.state = automaton_step(node->string, frame.state, step->byte);
    if (frame.state == AUTOMATON_DEAD)
        return;
    if (node->counted && automaton_ends(node->string, frame.state)) {
        const bool counts =
            node->characters_max != SCHEMA_NO_MAX || frame.count < node->characters_min;
        frame.state = AUTOMATON_START;
        frame.count += counts;
    }
    add(step, frame);
}

static void step_number(const struct step *step, struct matcher_frame frame)
{
    const struct automaton *number = node_of(step, frame.node)->number;
    frame.state = automaton_step(number, frame.state, step->byte);
    if (frame.state == AUTOMATON_DEAD)
        return;
    add(step, frame);
    if (automaton_ends(number, frame.state))
        pop(step, frame.parent);
}

static void step_word(const struct step *step, struct matcher_frame frame)
{
    const char *word = words[frame.count];
    if ((uint8_t)word[frame.state] != step->byte)
        return;
    frame.state++;
    if (word[frame.state])
        add(step, frame);
    else
        pop(step, frame.parent);
}

/* The first byte of a value. */
static void step_value(const struct step *step, struct matcher_frame frame, uint32_t nesting)
{
    const struct schema_node *node = node_of(step, frame.node);
    if (nesting == 0 && add_space(step, frame))
        return;
    for (uint32_t i = 0; i < node->alternative_count && nesting < NESTING_MAX; i++) {
        struct matcher_frame alternative = frame;
        alternative.node = node->alternatives[i];
        step_value(step, alternative, nesting + 1);
    }
    if (node->distance == UINT32_MAX || node->alternative_count > 0)
        return;
    frame.space = 0;
    frame.state = AUTOMATON_START;
    const uint8_t byte = step->byte;
    if (byte == '{' && (node->types & SCHEMA_OBJECT)) {
        frame.phase = OBJECT_FIRST;
        frame.state = 0;
        add(step, frame);
    } else if (byte == '[' && (node->types & SCHEMA_ARRAY)) {
        frame.phase = ARRAY_FIRST;
        frame.state = 0;
        add(step, frame);
    } else if (byte == '"' && (node->types & SCHEMA_STRING)) {
        frame.phase = STRING;
        add(step, frame);
    } else if (node->types & SCHEMA_NUMBER) {
        frame.phase = NUMBER;
        step_number(step, frame);
    }
    static const uint8_t bits[] = {SCHEMA_NULL, SCHEMA_TRUE, SCHEMA_FALSE};
    for (uint32_t w = 0; w < 3; w++)
        if ((node->types & bits[w]) && byte == (uint8_t)words[w][0]) {
            frame.phase = WORD;
            frame.count = w;
            frame.state = 0;
            step_word(step, frame);
        }
}

static void step_frame(const struct step *step, struct matcher_frame frame)
{
    switch ((enum phase)frame.phase) {
    case VALUE:
        step_value(step, frame, 0);
        break;
    case STRING:
        step_string(step, frame);
        break;
    case NUMBER:
        step_number(step, frame);
        break;
    case WORD:
        step_word(step, frame);
        break;
    case OBJECT_NAME:
        step_name(step, frame);
        break;
    case OBJECT_FIRST:
    case OBJECT_COLON:
    case OBJECT_NEXT:
    case OBJECT_COMMA:
        step_object(step, frame);
        break;
    case ARRAY_FIRST:
    case ARRAY_NEXT:
        step_array(step, frame);
        break;
    }
}

void matcher_start(struct matcher *matcher, struct matcher_state *state)
{
    memset(matcher->slots, 0, SLOTS * sizeof *matcher->slots);
    matcher->frame_count = 1;
    const struct matcher_frame first = {.node = matcher->schema->root, .phase = VALUE};
    state->ways[0] = (uint16_t)intern(matcher, &first);
    state->count = 1;
}

bool matcher_step(struct matcher *matcher, const struct matcher_state *state, uint8_t byte,
                  struct matcher_state *next)
{
    const struct step step = {.matcher = matcher, .out = next, .byte = byte};
    next->count = 0;
    for (uint32_t i = 0; i < state->count; i++)
        if (state->ways[i] != 0)
            step_frame(&step, matcher->frames[state->ways[i]]);
    return next->count > 0;
}

bool matcher_is_complete(const struct matcher_state *state)
{
    for (uint32_t i = 0; i < state->count; i++)
        if (state->ways[i] == 0)
            return true;
    return false;
}
