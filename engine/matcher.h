/*
 * matcher - follows a text byte by byte: whether it can still become a value of a schema.
 *
 * A text may be read in several ways at once (the branches of anyOf; a number that may end or
 * go on): the matcher holds the set of all of them. Each is a stack of frames, kept as a tree
 * with shared beginnings: a frame knows its parent. Equal frames are one frame.
 *
 * Names that were used, properties that are still required and counts are looked at before a
 * byte is taken, so that a way that is held can be completed. Not looked at, and so dead ends:
 * minProperties and maxProperties that contradict one another, the names that there are, or
 * what is required; names whose order changes when they are escaped.
 *
 * White space between tokens: none, one space, or a line break and up to 40 spaces.
 *
 * Owner    frames lie in the arena given to matcher_init; nothing else allocates.
 * Failure  a text that would take more frames or ways than there is room for is not accepted.
 */
#ifndef ENGINE_MATCHER_H
#define ENGINE_MATCHER_H

#include "engine/schema.h"

enum { MATCHER_FRAMES_MAX = 1 << 14, MATCHER_WAYS_MAX = 64, MATCHER_SPACES_MAX = 40 };

struct matcher_frame {
    uint32_t parent;
    uint16_t node;
    uint8_t phase;
    uint8_t space;  /* 0: none yet; 1: one space; 2 + n: a line break and n spaces */
    uint32_t state; /* of the automaton at work, or of a word's bytes */
    uint32_t count; /* items, properties or characters so far */
    struct schema_set seen;
};

struct matcher {
    const struct schema *schema;
    struct matcher_frame *frames; /* [FRAMES_MAX]; 0: the text is complete */
    uint32_t frame_count;
    uint16_t *slots;
};

/* The ways a text may be read so far; none: it is not of the schema. */
struct matcher_state {
    uint16_t ways[MATCHER_WAYS_MAX];
    uint32_t count;
};

MUST_USE enum status matcher_init(struct matcher *matcher, const struct schema *schema,
                                  struct arena *arena, struct error *err);
/* Forgets all frames and stands before the first byte. */
void matcher_start(struct matcher *matcher, struct matcher_state *state);
/* False: the byte does not fit; next then has no ways. */
bool matcher_step(struct matcher *matcher, const struct matcher_state *state, uint8_t byte,
                  struct matcher_state *next);
bool matcher_is_complete(const struct matcher_state *state);

#endif
