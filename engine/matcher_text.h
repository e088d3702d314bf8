/*
 * matcher_text - where a text stands, as a value of its own: it needs no matcher to last, and
 * can be compared and copied.
 *
 * So a matcher is a tool that many texts share, each of which is taken up (resume), followed
 * for some bytes and put down again (keep). Equal values are equal states; equal states are
 * equal values where they were come to in the same way, which is enough for a cache.
 */
#ifndef ENGINE_MATCHER_TEXT_H
#define ENGINE_MATCHER_TEXT_H

#include "engine/matcher.h"

enum { MATCHER_TEXT_FRAMES_MAX = 512 };

struct matcher_text {
    uint16_t frame_count, way_count; /* no ways: the text is not of the schema */
    uint16_t ways[MATCHER_WAYS_MAX]; /* a frame's place + 1; 0: the text is complete */
    struct matcher_frame frames[MATCHER_TEXT_FRAMES_MAX]; /* in the order in which they were
                                                             made; parents by place + 1 */
};

/* Ways for whose frames there is no room are given up. */
void matcher_text_keep(struct matcher_text *text, const struct matcher *matcher,
                       const struct matcher_state *state);
/* What the matcher held before is forgotten. */
void matcher_text_resume(const struct matcher_text *text, const struct schema *schema,
                         struct matcher *matcher, struct matcher_state *state);
void matcher_text_copy(struct matcher_text *to, const struct matcher_text *from);

/* Complete; and complete, with nothing that may follow. */
bool matcher_text_is_complete(const struct matcher_text *text);
bool matcher_text_is_over(const struct matcher_text *text);

#endif
