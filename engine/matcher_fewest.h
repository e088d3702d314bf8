/*
 * matcher_fewest - how few bytes lead from where a text stands to an end.
 *
 * What is told is the length of one way to the end, each byte of which leads to where the way
 * is shorter (schema_fewest.h says where it is the shortest, and where only an estimate); one
 * more where the text can end and go on, for the token that ends it. The way may be closed by
 * MATCHER_DEPTH_MAX, which is not looked at.
 */
#ifndef ENGINE_MATCHER_FEWEST_H
#define ENGINE_MATCHER_FEWEST_H

#include "engine/matcher_inside.h"

/* 0: the text is complete, and nothing may follow. UINT32_MAX: no way is known. */
uint32_t matcher_fewest(struct matcher *matcher, const struct matcher_state *state);
uint32_t matcher_fewest_inside(struct matcher *matcher, const struct matcher_inside *inside);

/* Plain characters, from so many to so many. */
struct matcher_characters {
    uint32_t first, last;
};

/* No more than that of any text that is still inside, however it went on. */
uint32_t matcher_fewest_floor(struct matcher *matcher, const struct matcher_inside *inside);
/* Keeps those ways of which, as long as they stay inside, some may lead to an end in fewer
 * bytes than left. False: there is none. */
bool matcher_fewest_keep(struct matcher *matcher, struct matcher_inside *inside, uint32_t left);
/* Of a way inside: with how many more characters, if all are plain (automaton_plain.h), fewer
 * than left bytes lead to an end from behind them; none if last is less than first. False: that
 * is not told by their number. */
bool matcher_fewest_plain(struct matcher *matcher, const struct matcher_frame *way,
                          uint32_t left, struct matcher_characters *within);

/* No less than that from behind any plain text that comes next; UINT32_MAX: not known. */
uint32_t matcher_fewest_settled(struct matcher *matcher, const struct matcher_inside *inside);

/* No less than that of any text that is still inside, however it went on; UINT32_MAX: that is
 * not known, since it is copied. */
uint32_t matcher_fewest_bound(struct matcher *matcher, const struct matcher_inside *inside);
/* No less than matcher_fewest, and sooner had. */
uint32_t matcher_fewest_loosely(struct matcher *matcher, const struct matcher_state *state);

#endif
