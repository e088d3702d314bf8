/*
 * matcher_frames - a part of matcher.h: the frames, each once.
 *
 * They are found again by a hash over all that they are; where two meet, the next slot is
 * taken.
 */
#include "engine/matcher.h"
#include "engine/matcher_phase.h"

#include <assert.h>
#include <string.h>

bool matcher_is_alike(const struct matcher_frame *a, const struct matcher_frame *b)
{
    return a->node == b->node && a->met == b->met && a->phase == b->phase &&
           a->space == b->space && a->state == b->state && a->count == b->count &&
           memcmp(&a->seen, &b->seen, sizeof a->seen) == 0;
}

static uint32_t slot_of(const struct matcher *matcher, const struct matcher_frame *frame)
{
    uint64_t hash = frame->parent * 31u + frame->node;
    hash = (hash * 131 + frame->phase) * 131 + frame->space;
    hash = (hash * 1000003 + frame->state) * 1000003 + frame->count + frame->met * 8191u;
    for (size_t i = 0; i < sizeof frame->seen.bits / sizeof *frame->seen.bits; i++)
        hash = (hash ^ frame->seen.bits[i]) * 0x9e3779b97f4a7c15ull;
    uint32_t slot = (uint32_t)(hash ^ hash >> 32) % MATCHER_SLOTS;
    for (; matcher->slots[slot]; slot = (slot + 1) % MATCHER_SLOTS) {
        const struct matcher_frame *held = &matcher->frames[matcher->slots[slot]];
        if (held->parent == frame->parent && matcher_is_alike(held, frame))
            break;
    }
    return slot;
}

uint16_t matcher_intern(struct matcher *matcher, const struct matcher_frame *frame)
{
    const uint32_t slot = slot_of(matcher, frame);
    if (matcher->slots[slot])
        return matcher->slots[slot];
    if (matcher->frame_count == MATCHER_FRAMES_MAX) {
        matcher->dropped++;
        return 0;
    }
    static_assert(MATCHER_SLOTS - 1 <= UINT16_MAX, "a slot's number fits slot_of");
    matcher->slots[slot] = (uint16_t)matcher->frame_count;
    matcher->slot_of[matcher->frame_count] = (uint16_t)slot;
    matcher->frames[matcher->frame_count] = *frame;
    matcher->fewest[matcher->frame_count] = 0;
    return (uint16_t)matcher->frame_count++;
}

bool matcher_is_list(const struct matcher_frame *frame)
{
    return frame->phase == MATCHER_LIST;
}

uint32_t matcher_mark(const struct matcher *matcher)
{
    return matcher->frame_count;
}

/* The frame made last was the last to be put in slots: without it they are as they were. */
void matcher_rewind(struct matcher *matcher, uint32_t mark)
{
    while (matcher->frame_count > mark)
        matcher->slots[matcher->slot_of[--matcher->frame_count]] = 0;
}
