/*
 * matcher - follows a text byte by byte: whether it can still become a value of a schema.
 *
 * A text may be read in several ways at once (the branches of anyOf; a number that may end or
 * go on): the matcher holds the set of all of them. Each is a stack of frames, kept as a graph:
 * a frame knows its parent, or several, each of which may be what it is within. Ways whose top
 * frames are alike but for their parents are one way: choices within choices add up and do not
 * multiply. Equal frames are one frame.
 *
 * Names that were used, properties that are still required, needs and counts are looked at
 * before a byte is taken: a way that is held can always be completed.
 *
 * Objects and arrays are nested MATCHER_DEPTH_MAX deep at most; what a schema demands beyond
 * that is a dead end. The only other one is a name that may have come before, where two needs
 * are met that its value cannot meet at once, and no name goes on from it (matcher_property.h).
 *
 * A string that is copied from a chunk follows a struct copied. With both minLength and
 * maxLength some copies are not taken that could be: see copied_reaches.
 *
 * White space between tokens: none, one space, or a line break and up to 40 spaces.
 *
 * Owner    frames lie in the arena given to matcher_init; nothing else allocates. Failure  what
 * would take more frames or ways than there is room for is left out and counted in
 *          dropped: no text is then accepted that is not valid, but one that is may not be.
 */
#ifndef ENGINE_MATCHER_H
#define ENGINE_MATCHER_H

#include "engine/copied.h"
#include "engine/schema.h"

enum {
    MATCHER_FRAMES_MAX = 1 << 14,
    MATCHER_SLOTS = 4 * MATCHER_FRAMES_MAX,
    MATCHER_WAYS_MAX = 128,
    MATCHER_SPACES_MAX = 40,
    MATCHER_DEPTH_MAX = 100 /* objects and arrays in one another: base/json.h takes 128 */
};

struct matcher_frame {
    uint16_t parent; /* a frame; 0: the text is complete */
    uint16_t node;
    uint16_t met;   /* needs of the object or array */
    uint8_t phase;  /* matcher_is_list */
    uint8_t space;  /* 0: none yet; 1: one space; 2 + n: a line break and n spaces; within a
                       name: of matcher_property.c */
    uint32_t state; /* of the automaton at work, of the copy, or of a word's bytes */
    uint32_t count; /* items, properties or characters so far */
    struct schema_set seen;
};

struct matcher {
    const struct schema *schema;
    const struct copied *copied;  /* that strings are copied from, for the caller to set (see
                                    matcher_copy_check); NULL: none */
    struct matcher_frame *frames; /* [FRAMES_MAX]; 0: the text is complete */
    uint32_t frame_count;
    uint32_t dropped;  /* ways that there was no room for */
    uint16_t *slots;   /* [MATCHER_SLOTS] by a frame's hash */
    uint16_t *slot_of; /* [FRAMES_MAX] where in slots a frame is */
    uint32_t *fewest;  /* [FRAMES_MAX] of matcher_fewest.c; 0: not known yet */
    struct schema_fewest_names *names;
    struct matcher_properties *properties;
};

/* What is kept of parts of the schema is of no use for another. */
void matcher_forget(struct matcher *matcher);

/* The ways a text may be read so far; none: it is not of the schema. */
struct matcher_state {
    uint16_t ways[MATCHER_WAYS_MAX];
    uint32_t count;
};

MUST_USE enum status matcher_init(struct matcher *matcher, const struct schema *schema,
                                  struct arena *arena, struct error *err);
/* The number of a frame like this one; 0: there is no room. */
uint16_t matcher_intern(struct matcher *matcher, const struct matcher_frame *frame);
/* Whether frames are alike but for their parents. */
bool matcher_is_alike(const struct matcher_frame *a, const struct matcher_frame *b);
/* Whether a frame is a link of a list of parents: its state is a frame then, too. */
bool matcher_is_list(const struct matcher_frame *frame);
/* Frames made after a mark are forgotten, the last first: for looking ahead. */
uint32_t matcher_mark(const struct matcher *matcher);
void matcher_rewind(struct matcher *matcher, uint32_t mark);
/* Forgets all frames and stands before the first byte. */
void matcher_start(struct matcher *matcher, struct matcher_state *state);
/* False: the byte does not fit; next then has no ways. */
bool matcher_step(struct matcher *matcher, const struct matcher_state *state, uint8_t byte,
                  struct matcher_state *next);
bool matcher_is_complete(const struct matcher_state *state);

/* For matcher_inside.h: where a frame is; its way past a byte that is no quote, in a string or
 * a name (false: it does not fit); and the way that it is among others of a state. */
enum matcher_place { MATCHER_ELSEWHERE, MATCHER_IN_STRING, MATCHER_IN_NAME };
enum matcher_place matcher_place(const struct matcher_frame *frame);
bool matcher_go_on(const struct matcher *matcher, struct matcher_frame *frame, uint8_t byte);
void matcher_add(struct matcher *matcher, struct matcher_state *state,
                 const struct matcher_frame *way);
/* Forgets all frames that state does not need, and renames those that it does: other states
 * made before are void. For long texts: frames are never forgotten otherwise. */
void matcher_compact(struct matcher *matcher, struct matcher_state *state);

#endif
