/*
 * matcher_parents - what a way may be within, where that is several frames. A part of
 * engine/matcher.
 */
#ifndef ENGINE_MATCHER_PARENTS_H
#define ENGINE_MATCHER_PARENTS_H

#include "engine/matcher.h"

enum { MATCHER_PARENTS_MAX = 256 };

/* Those of a frame or a list of them, 0 (the text is complete) among them. Returns how many. */
uint32_t matcher_parents_read(const struct matcher *matcher, uint16_t list, uint16_t *parents);
/* The list of what is in both; what there is no room for is counted in matcher->dropped. */
uint16_t matcher_parents_join(struct matcher *matcher, uint16_t a, uint16_t b);

#endif
