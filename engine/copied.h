/*
 * copied - follows a text that is copied from a chunk, byte by byte.
 *
 * The chunk is spelled and its words are found by copied_text. A copy begins where a word
 * begins and ends where a word ends, anywhere in the chunk: a citation that keeps to it is
 * verbatim by construction. What is followed stands between the quotes of a JSON string.
 *
 *     state = COPIED_START
 *     state = copied_step(copied, state, byte)     COPIED_DEAD: nothing in the chunk goes so
 *     copied_can_end(copied, state)                a word ends here
 *
 * A state stands for all places of the chunk that what was read so far has led to. No state
 * that a step gives is a dead end. The empty copy is for the caller to allow: START is no end.
 *
 * Size     for a byte of the spelled chunk: at most 2 states and 2 stored ways, 38 bytes; of
 *          prose 1.2 and 0.4, 22 bytes.
 * Owner    tables lie in the arena given; the chunk is not kept.
 * Thread   read-only once made.
 */
#ifndef ENGINE_COPIED_H
#define ENGINE_COPIED_H

#include "engine/copied_text.h"

#include <stdbool.h>

enum { COPIED_DEAD = 0, COPIED_START = 1, COPIED_NEVER = UINT16_MAX };
#define COPIED_NO_MAX UINT32_MAX

struct copied_state {
    uint32_t first_way;  /* its ways end where those of the next state begin */
    uint32_t place;      /* bytes before the place with the most text behind it */
    uint16_t distance;   /* fewest bytes to an end; NEVER: there is none */
    uint16_t characters; /* fewest characters to an end, with one that has begun */
};

struct copied {
    struct copied_text text;
    struct copied_state *states; /* [state_count + 1] */
    uint32_t *ways;              /* [way_count] state << 8 | byte, by byte */
    uint32_t *left;              /* [text.size] characters to the last end of the piece */
    uint32_t state_count, way_count;
};

/* Linear in the chunk: 0.15 ms for 3,000 characters of prose, 0.14 s for 1 MiB. For each byte
 * of it up to 80 bytes of the arena are wanted (of prose 62); what is not kept is given back.
 * ERR_LIMIT: the chunk is too long. A chunk without a word makes START a dead end:
 * copied_distance gives NEVER. */
MUST_USE enum status copied_make(struct copied *made, struct text chunk, struct arena *arena,
                                 struct error *err);

uint32_t copied_step(const struct copied *copied, uint32_t state, uint8_t byte);

/* Whether an end can be had least .. most (or NO_MAX) characters further on. With least 0 all
 * places are looked at. Otherwise one, so that a word longer than most - least may be said to
 * hide an end that another place has: but what is true stays so, by one byte or another. */
bool copied_reaches(const struct copied *copied, uint32_t state, uint32_t least, uint32_t most);

static inline uint16_t copied_distance(const struct copied *copied, uint32_t state)
{
    return copied->states[state].distance;
}

static inline bool copied_can_end(const struct copied *copied, uint32_t state)
{
    return copied->states[state].distance == 0;
}

/* Whether what was read ends with a whole character. */
static inline bool copied_is_whole(const struct copied *copied, uint32_t state)
{
    const uint32_t place = copied->states[state].place;
    return state == COPIED_START || copied->text.marks[place - 1] & COPIED_TEXT_WHOLE;
}

#endif
