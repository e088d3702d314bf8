/*
 * matcher_inside - a text that is within strings or names, however it is read.
 *
 * The steps there, which are most of those along a vocabulary, need no frames in the matcher's
 * table: only the frames on top change, and they are carried along.
 */
#ifndef ENGINE_MATCHER_INSIDE_H
#define ENGINE_MATCHER_INSIDE_H

#include "engine/matcher.h"

enum { MATCHER_INSIDE_MAX = 16 }; /* ways */

struct matcher_inside {
    uint32_t count;
    struct matcher_frame ways[MATCHER_INSIDE_MAX];
};
/* False: it is elsewhere too, or in more ways. */
bool matcher_inside_enter(const struct matcher *matcher, const struct matcher_state *state,
                          struct matcher_inside *inside);
/* byte is not a quote. False: it does not fit. */
bool matcher_inside_step(const struct matcher *matcher, const struct matcher_inside *inside,
                         uint8_t byte, struct matcher_inside *next);
void matcher_inside_leave(struct matcher *matcher, const struct matcher_inside *inside,
                          struct matcher_state *state);
/* Plain characters (automaton_plain.h) of which any that many may come next; *exact: and no
 * text of more of them. */
uint32_t matcher_inside_plain(const struct matcher *matcher,
                              const struct matcher_inside *inside, bool *exact);

#endif
