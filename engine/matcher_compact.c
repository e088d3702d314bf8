/* matcher_compact - a part of matcher.h: forgets what a state does not stand on. */
#include "engine/matcher.h"

void matcher_compact(struct matcher *matcher, struct matcher_state *state)
{
    struct matcher_frame *frames = matcher->frames;
    uint16_t to[MATCHER_FRAMES_MAX] = {0}; /* 1: needed; then its new number */
    for (uint32_t i = 0; i < state->count; i++)
        to[state->ways[i]] = 1;
    for (uint32_t i = matcher->frame_count; i-- > 1;) /* parents come before */
        if (to[i]) {
            to[frames[i].parent] = 1;
            if (matcher_is_list(&frames[i]))
                to[frames[i].state] = 1;
        }
    const uint32_t count = matcher->frame_count;
    matcher_rewind(matcher, 1); /* the frames are still where they were */
    to[0] = 0;
    for (uint32_t i = 1; i < count; i++) {
        if (!to[i])
            continue;
        struct matcher_frame frame = frames[i];
        frame.parent = to[frame.parent];
        frame.state = matcher_is_list(&frame) ? to[frame.state] : frame.state;
        to[i] = matcher_intern(matcher, &frame);
    }
    for (uint32_t i = 0; i < state->count; i++)
        state->ways[i] = to[state->ways[i]];
}
