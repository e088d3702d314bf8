/* matcher - see matcher.h. */
#include "engine/matcher.h"

#include "engine/matcher_copy.h"
#include "engine/matcher_parents.h"
#include "engine/matcher_phase.h"
#include "engine/matcher_property.h"
#include "engine/schema_fewest.h"

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
                         .slots = ARENA_NEW(arena, uint16_t, MATCHER_SLOTS),
                         .slot_of = ARENA_NEW(arena, uint16_t, MATCHER_FRAMES_MAX),
                         .fewest = ARENA_NEW(arena, uint32_t, MATCHER_FRAMES_MAX),
                         .names = schema_fewest_names_new(arena),
                         .properties = matcher_property_new(arena),
                         .frame_count = 1};
    if (!matcher->frames || !matcher->slots || !matcher->slot_of || !matcher->fewest ||
        !matcher->names || !matcher->properties)
        FAIL(err, ERR_MEMORY, "matcher: no room for %d frames", MATCHER_FRAMES_MAX);
    return OK;
}

/* A way more, or one more parent of a way that is alike. */
static void add(const struct step *step, struct matcher_frame frame)
{
    struct matcher *matcher = step->matcher;
    struct matcher_state *out = step->out;
    uint32_t at = 0;
    while (at < out->count &&
           (out->ways[at] == 0 || !matcher_is_alike(&matcher->frames[out->ways[at]], &frame)))
        at++;
    if (at == MATCHER_WAYS_MAX) {
        matcher->dropped++;
        return;
    }
    if (at < out->count)
        frame.parent =
            matcher_parents_join(matcher, matcher->frames[out->ways[at]].parent, frame.parent);
    const uint16_t way = matcher_intern(matcher, &frame);
    if (way == 0)
        return;
    out->ways[at] = way;
    out->count = at == out->count ? at + 1 : out->count;
}

/* What frame is within goes on: each of its parents. */
static void pop(const struct step *step, const struct matcher_frame *frame)
{
    uint16_t parents[MATCHER_PARENTS_MAX];
    const uint32_t count = matcher_parents_read(step->matcher, frame->parent, parents);
    for (uint32_t i = 0; i < count; i++) {
        if (parents[i] != 0) {
            add(step, step->matcher->frames[parents[i]]);
        } else if (!matcher_is_complete(step->out)) {
            if (step->out->count < MATCHER_WAYS_MAX)
                step->out->ways[step->out->count++] = 0;
            else
                step->matcher->dropped++;
        }
    }
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

static void begin_name(const struct step *step, struct matcher_frame frame)
{
    frame.phase = MATCHER_OBJECT_NAME;
    frame.space = 0;
    frame.state = AUTOMATON_START;
    if (step->byte == '"' &&
        matcher_property_can_come(step->matcher->properties, node_of(step, frame.node)->object,
                                  &frame))
        add(step, frame);
}

/* A name has ended: one way for each option of its value. */
static void end_name(const struct step *step, struct matcher_frame frame)
{
    const struct schema_object *object = node_of(step, frame.node)->object;
    const uint16_t way = object->way[frame.state];
    const struct schema_options *options = &object->ways[way];
    for (uint32_t i = 0; i < options->count; i++) {
        struct matcher_frame named;
        if (!matcher_property_take(object, &frame, way, options->list[i], &named))
            continue;
        named.phase = MATCHER_OBJECT_COLON;
        named.state = options->list[i].node;
        add(step, named);
    }
}

/* A byte within a name. False: it does not fit. */
static bool go_on_name(const struct matcher *matcher, struct matcher_frame *frame, uint8_t byte)
{
    const struct schema_object *object = matcher->schema->nodes[frame->node].object;
    frame->state = automaton_step(&object->names, frame->state, byte);
    matcher_property_read(object, frame, byte);
    return frame->state != AUTOMATON_DEAD &&
           matcher_property_can_come(matcher->properties, object, frame);
}

static void step_name(const struct step *step, struct matcher_frame frame)
{
    const struct schema_object *object = node_of(step, frame.node)->object;
    if (step->byte == '"' && automaton_ends(&object->names, frame.state)) {
        end_name(step, frame);
        return;
    }
    if (go_on_name(step->matcher, &frame, step->byte))
        add(step, frame);
}

static bool object_can_close(const struct schema_object *object,
                             const struct matcher_frame *frame)
{
    bool complete = frame->met == object->needs && frame->count >= object->min;
    for (size_t i = 0; i < sizeof frame->seen.bits / sizeof *frame->seen.bits; i++)
        complete = complete && (object->required.bits[i] & ~frame->seen.bits[i]) == 0;
    return complete;
}

static void step_object(const struct step *step, struct matcher_frame frame)
{
    const struct schema_object *object = node_of(step, frame.node)->object;
    if (frame.phase == MATCHER_OBJECT_COLON) {
        const uint16_t value = (uint16_t)frame.state;
        frame.phase = MATCHER_OBJECT_NEXT;
        frame.state = 0;
        const uint16_t parent = step->byte == ':' ? matcher_intern(step->matcher, &frame) : 0;
        if (parent != 0)
            add(step, (struct matcher_frame){
                          .parent = parent, .node = value, .phase = MATCHER_VALUE});
        return;
    }
    if (add_space(step, frame))
        return;
    if (frame.phase != MATCHER_OBJECT_COMMA && step->byte == '}' &&
        object_can_close(object, &frame)) {
        pop(step, &frame);
        return;
    }
    if (frame.phase != MATCHER_OBJECT_NEXT) {
        begin_name(step, frame);
        return;
    }
    frame.phase = MATCHER_OBJECT_COMMA;
    frame.space = 0;
    frame.state = AUTOMATON_START;
    if (step->byte == ',' &&
        matcher_property_can_come(step->matcher->properties, object, &frame)) {
        frame.state = 0;
        add(step, frame);
    }
}

static void step_value(const struct step *step, struct matcher_frame frame, bool first);

/* The next item: one way for each option. */
static void add_item(const struct step *step, struct matcher_frame frame)
{
    const struct schema_array *array = node_of(step, frame.node)->array;
    const uint32_t place =
        frame.count < array->prefix_count ? frame.count : array->prefix_count;
    const struct schema_options *options = &array->items[place];
    const bool first = frame.phase == MATCHER_ARRAY_FIRST;
    const struct matcher_frame before = frame;
    frame.phase = MATCHER_ARRAY_NEXT;
    frame.space = 0;
    frame.count += array->max != SCHEMA_NO_MAX || frame.count < array->layers;
    for (uint32_t i = 0; i < options->count; i++) {
        struct matcher_frame item = {.node = options->list[i].node, .phase = MATCHER_VALUE};
        frame.met = before.met | options->list[i].meets | options->list[i].takes;
        if (before.count >= array->items_max || (before.met & options->list[i].takes) ||
            schema_array_fewest(array, before.count + 1, frame.met) == UINT32_MAX)
            continue;
        item.parent = matcher_intern(step->matcher, &frame);
        if (item.parent != 0 && first)
            step_value(step, item, true);
        else if (item.parent != 0)
            add(step, item);
    }
}

static void step_array(const struct step *step, struct matcher_frame frame)
{
    const struct schema_array *array = node_of(step, frame.node)->array;
    if (add_space(step, frame))
        return;
    if (step->byte == ']') {
        if (schema_array_fewest(array, frame.count, frame.met) == 0)
            pop(step, &frame);
        return;
    }
    if (frame.phase == MATCHER_ARRAY_FIRST || step->byte == ',')
        add_item(step, frame);
}

static bool is_whole(const struct schema_node *node, const struct matcher_frame *frame)
{
    return node->counted ? frame->state == AUTOMATON_START
                         : automaton_ends(node->string, frame->state);
}

static bool string_can_end(const struct matcher *matcher, const struct schema_node *node,
                           const struct matcher_frame *frame)
{
    if (node->copied)
        return matcher_copy_can_end(matcher->copied, node, frame);
    return is_whole(node, frame) && (!node->counted || frame->count >= node->characters_min);
}

/* A byte within a string. False: it does not fit. */
static bool go_on_string(const struct matcher *matcher, const struct schema_node *node,
                         struct matcher_frame *frame, uint8_t byte)
{
    if (node->copied)
        return matcher_copy_step(matcher->copied, node, frame, byte);
    if (node->counted && is_whole(node, frame) && frame->count >= node->characters_max)
        return false;
    if (node->characters)
        frame->count += node->characters->between[frame->state] && (byte & 0xc0) != 0x80;
    frame->state = automaton_step(node->string, frame->state, byte);
    if (frame->state == AUTOMATON_DEAD)
        return false;
    if (node->characters &&
        frame->count + node->characters->further[frame->state] > node->characters_max)
        return false;
    if (node->counted && automaton_ends(node->string, frame->state)) {
        const bool counts =
            node->characters_max != SCHEMA_NO_MAX || frame->count < node->characters_min;
        frame->state = AUTOMATON_START;
        frame->count += counts;
    }
    return true;
}

static void step_string(const struct step *step, struct matcher_frame frame)
{
    const struct schema_node *node = node_of(step, frame.node);
    if (step->byte == '"' && string_can_end(step->matcher, node, &frame)) {
        pop(step, &frame);
        return;
    }
    if (go_on_string(step->matcher, node, &frame, step->byte))
        add(step, frame);
}

static void step_number(const struct step *step, struct matcher_frame frame)
{
    const struct automaton *number = node_of(step, frame.node)->number;
    frame.state = automaton_step(number, frame.state, step->byte);
    if (frame.state == AUTOMATON_DEAD)
        return;
    bool goes_on = false;
    for (uint32_t class = 0; class < number->class_count; class ++)
        goes_on |= number->next[frame.state * number->class_count + class] != AUTOMATON_DEAD;
    if (goes_on)
        add(step, frame);
    if (automaton_ends(number, frame.state))
        pop(step, &frame);
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
        pop(step, &frame);
}

/* Whether one more object or array would be one too many. However the text is read, it is
 * nested as deep. */
static bool is_deep(const struct step *step, const struct matcher_frame *frame)
{
    const struct matcher_frame *frames = step->matcher->frames;
    uint32_t depth = 0;
    for (uint32_t at = frame->parent; at != 0; at = frames[at].parent) {
        while (frames[at].phase == MATCHER_LIST)
            at = frames[at].state;
        depth++;
    }
    return depth >= MATCHER_DEPTH_MAX;
}

/* The first byte of a value of a node without alternatives. */
static void begin_value(const struct step *step, struct matcher_frame frame)
{
    const struct schema_node *node = node_of(step, frame.node);
    const uint8_t byte = step->byte;
    frame.space = 0;
    if ((byte == '{' || byte == '[') && is_deep(step, &frame))
        return;
    if (byte == '{' && (node->types & SCHEMA_OBJECT) && node->object->open) {
        frame.phase = MATCHER_OBJECT_FIRST;
        add(step, frame);
    } else if (byte == '[' && (node->types & SCHEMA_ARRAY) &&
               schema_array_fewest(node->array, 0, 0) != UINT32_MAX) {
        frame.phase = MATCHER_ARRAY_FIRST;
        add(step, frame);
    } else if (byte == '"' && (node->types & SCHEMA_STRING) &&
               matcher_copy_is_open(step->matcher->copied, node)) {
        frame.phase = MATCHER_STRING;
        frame.state = AUTOMATON_START;
        add(step, frame);
    } else if (node->types & SCHEMA_NUMBER) {
        frame.phase = MATCHER_NUMBER;
        frame.state = AUTOMATON_START;
        step_number(step, frame);
    }
    static const uint8_t bits[] = {SCHEMA_NULL, SCHEMA_TRUE, SCHEMA_FALSE};
    for (uint32_t w = 0; w < 3; w++)
        if ((node->types & bits[w]) && byte == (uint8_t)words[w][0]) {
            frame.phase = MATCHER_WORD;
            frame.count = w;
            frame.state = 0;
            step_word(step, frame);
        }
}

/* Before a value, or (an array's first item) at its first byte. */
static void step_value(const struct step *step, struct matcher_frame frame, bool first)
{
    const struct schema_node *node = node_of(step, frame.node);
    if (!first && add_space(step, frame))
        return;
    if (node->alternative_count == 0)
        begin_value(step, frame);
    for (uint32_t i = 0; i < node->alternative_count; i++) {
        frame.node = node->alternatives[i];
        begin_value(step, frame);
    }
}

static void step_frame(const struct step *step, const struct matcher_frame *frame)
{
    switch ((enum matcher_phase)frame->phase) {
    case MATCHER_VALUE:
        step_value(step, *frame, false);
        break;
    case MATCHER_STRING:
        step_string(step, *frame);
        break;
    case MATCHER_NUMBER:
        step_number(step, *frame);
        break;
    case MATCHER_WORD:
        step_word(step, *frame);
        break;
    case MATCHER_OBJECT_NAME:
        step_name(step, *frame);
        break;
    case MATCHER_OBJECT_FIRST:
    case MATCHER_OBJECT_COLON:
    case MATCHER_OBJECT_NEXT:
    case MATCHER_OBJECT_COMMA:
        step_object(step, *frame);
        break;
    case MATCHER_ARRAY_FIRST:
    case MATCHER_ARRAY_NEXT:
        step_array(step, *frame);
        break;
    case MATCHER_LIST:
        break;
    }
}

void matcher_forget(struct matcher *matcher)
{
    schema_fewest_names_forget(matcher->names);
    matcher_property_forget(matcher->properties);
}

void matcher_start(struct matcher *matcher, struct matcher_state *state)
{
    matcher_rewind(matcher, 1);
    matcher->dropped = 0;
    matcher_forget(matcher);
    const struct matcher_frame first = {.node = matcher->schema->root, .phase = MATCHER_VALUE};
    state->ways[0] = matcher_intern(matcher, &first);
    state->count = 1;
}

bool matcher_step(struct matcher *matcher, const struct matcher_state *state, uint8_t byte,
                  struct matcher_state *next)
{
    const struct step step = {.matcher = matcher, .out = next, .byte = byte};
    next->count = 0;
    for (uint32_t i = 0; i < state->count; i++)
        if (state->ways[i] != 0)
            step_frame(&step, &matcher->frames[state->ways[i]]);
    return next->count > 0;
}

bool matcher_is_complete(const struct matcher_state *state)
{
    for (uint32_t i = 0; i < state->count; i++)
        if (state->ways[i] == 0)
            return true;
    return false;
}

enum matcher_place matcher_place(const struct matcher_frame *frame)
{
    return frame->phase == MATCHER_STRING        ? MATCHER_IN_STRING
           : frame->phase == MATCHER_OBJECT_NAME ? MATCHER_IN_NAME
                                                 : MATCHER_ELSEWHERE;
}

bool matcher_go_on(const struct matcher *matcher, struct matcher_frame *frame, uint8_t byte)
{
    const struct schema_node *node = &matcher->schema->nodes[frame->node];
    return frame->phase == MATCHER_STRING ? go_on_string(matcher, node, frame, byte)
                                          : go_on_name(matcher, frame, byte);
}

void matcher_add(struct matcher *matcher, struct matcher_state *state,
                 const struct matcher_frame *way)
{
    const struct step step = {.matcher = matcher, .out = state};
    add(&step, *way);
}
