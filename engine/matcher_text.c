/* matcher_text - see matcher_text.h. */
#include "engine/matcher_text.h"

#include <assert.h>
#include <string.h>

/* Frames by number, as they are found. */
struct found {
    uint16_t numbers[MATCHER_TEXT_FRAMES_MAX];
    uint16_t count;
};

static bool has(const struct found *found, uint32_t number)
{
    for (uint16_t i = 0; i < found->count; i++)
        if (found->numbers[i] == number)
            return true;
    return false;
}

/* Adds a frame and all that it stands on. False: no room; then nothing is added. */
static bool find(struct found *found, const struct matcher *matcher, uint16_t way)
{
    const uint16_t before = found->count;
    uint16_t next[2] = {way, 0};
    for (uint16_t at = before;;
         at++) { /* found->numbers from before on are looked at in turn */
        for (int i = 0; i < 2; i++) {
            if (next[i] == 0 || has(found, next[i]))
                continue;
            if (found->count == MATCHER_TEXT_FRAMES_MAX) {
                found->count = before;
                return false;
            }
            found->numbers[found->count++] = next[i];
        }
        if (at >= found->count)
            return true;
        const struct matcher_frame *frame = &matcher->frames[found->numbers[at]];
        next[0] = frame->parent;
        next[1] = matcher_is_list(frame) ? (uint16_t)frame->state : 0;
    }
}

/* Insertion sort: they are few, and mostly in descending order. */
static void sort(struct found *found)
{
    for (uint16_t i = 1; i < found->count; i++) {
        const uint16_t number = found->numbers[i];
        uint16_t at = i;
        for (; at > 0 && found->numbers[at - 1] > number; at--)
            found->numbers[at] = found->numbers[at - 1];
        found->numbers[at] = number;
    }
}

/* The place + 1 of a frame; 0 of none. */
static uint16_t place_of(const struct found *found, uint32_t number)
{
    uint16_t low = 0, high = found->count;
    if (number == 0)
        return 0;
    while (high - low > 1) {
        const uint16_t middle = (uint16_t)((low + high) / 2);
        if (found->numbers[middle] <= number)
            low = middle;
        else
            high = middle;
    }
    return (uint16_t)(low + 1);
}

void matcher_text_keep(struct matcher_text *text, const struct matcher *matcher,
                       const struct matcher_state *state)
{
    struct found found = {.count = 0};
    text->way_count = 0;
    for (uint32_t i = 0; i < state->count; i++)
        if (find(&found, matcher, state->ways[i]))
            text->ways[text->way_count++] = state->ways[i];
    sort(&found); /* lists of parents are in the order of their numbers, and stay so */
    text->frame_count = found.count;
    for (uint16_t i = 0; i < found.count; i++) {
        struct matcher_frame *frame = &text->frames[i];
        *frame = matcher->frames[found.numbers[i]];
        frame->parent = place_of(&found, frame->parent);
        if (matcher_is_list(frame))
            frame->state = place_of(&found, frame->state);
    }
    for (uint16_t i = 0; i < text->way_count; i++)
        text->ways[i] = place_of(&found, text->ways[i]);
}

void matcher_text_resume(const struct matcher_text *text, const struct schema *schema,
                         struct matcher *matcher, struct matcher_state *state)
{
    uint16_t numbers[MATCHER_TEXT_FRAMES_MAX + 1] = {0};
    matcher_rewind(matcher, 1);
    matcher_forget(matcher);
    matcher->schema = schema;
    for (uint16_t i = 0; i < text->frame_count; i++) {
        struct matcher_frame frame = text->frames[i];
        frame.parent = numbers[frame.parent];
        if (matcher_is_list(&frame))
            frame.state = numbers[frame.state];
        numbers[i + 1] = matcher_intern(matcher, &frame);
        assert(numbers[i + 1] != 0);
    }
    state->count = text->way_count;
    for (uint16_t i = 0; i < text->way_count; i++)
        state->ways[i] = numbers[text->ways[i]];
}

void matcher_text_copy(struct matcher_text *to, const struct matcher_text *from)
{
    to->frame_count = from->frame_count;
    to->way_count = from->way_count;
    memcpy(to->ways, from->ways, from->way_count * sizeof *from->ways);
    memcpy(to->frames, from->frames, from->frame_count * sizeof *from->frames);
}

bool matcher_text_is_complete(const struct matcher_text *text)
{
    for (uint16_t i = 0; i < text->way_count; i++)
        if (text->ways[i] == 0)
            return true;
    return false;
}

bool matcher_text_is_over(const struct matcher_text *text)
{
    return text->way_count == 1 && text->ways[0] == 0;
}
