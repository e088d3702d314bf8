/*
 * masks - the tokens that may come next in constrained texts, kept by where the texts stand.
 *
 * Jobs of one schema stand at the same few places over and over: a mask is made once and found
 * again, by the constraint and the place itself (compared, not only hashed). The table is
 * bounded: what was not asked for longest makes room, but never a mask that was given since
 * masks_begin, so that all rows of a step have theirs at once.
 *
 * In a mask are tokens whose bytes keep to the constraint, and the end tokens exactly where the
 * text is complete. None may come where the constraint leads on and the vocabulary does not, or
 * what the matcher calls a dead end: masks_is_none tells, and the text ends as it is.
 *
 * A text hastens when its tokens run out. Once as many are left as the way to its end has
 * bytes (mask_walk_fewest), a token may come only if what it leads to still has a way for the
 * tokens then left: each byte can be one token, where the vocabulary has a token for each byte
 * that comes on the way. Where it has not, and no token would be left, and as long as fewer
 * tokens are left than bytes, any token may come: tokens mostly have several bytes, so that a
 * text may still come to where it can hasten, but is cut where it does not.
 *
 * Owner    the caller owns the struct; all it holds lies in the arena given to masks_init,
 *          which gives each slot its memory when it is first used.
 * Memory   the arena alone.
 * Thread   the engine thread only.
 */
#ifndef ENGINE_MASKS_H
#define ENGINE_MASKS_H

#include "engine/mask_walk.h"

struct mask_slot;

struct masks_options {
    const struct text *bytes; /* [vocab] kept; empty for tokens that stand for no text */
    const uint32_t *ends;     /* [ceil(vocab / 32)] mask of the end tokens, kept */
    uint32_t vocab;
    uint32_t rows_max; /* masks that are given between one masks_begin and the next */
};

struct masks {
    struct mask_walk walk;
    const uint32_t *ends;
    struct arena *arena;
    struct mask_slot *slots; /* [slot_max], slot_count of them with memory */
    uint32_t slot_count, slot_max;
    uint32_t *chains; /* [chain_count] first slot + 1 of a hash */
    uint32_t chain_count;
    uint32_t turn;        /* of masks_begin */
    uint32_t hand;        /* the slot to be looked at next when one is wanted */
    uint8_t *key;         /* the one that is looked for */
    uint64_t found, made; /* masks, for benches */
};

/* ERR_MEMORY: the arena is too small. */
MUST_USE enum status masks_init(struct masks *masks, const struct masks_options *options,
                                struct arena *arena, struct error *err);
/* Bytes of an arena that the masks of such a vocabulary are sure to get by with. */
size_t masks_bytes(const struct masks_options *options);

/* A new step: masks given before are not wanted any more. */
void masks_begin(struct masks *masks);

/* The tokens that may come next, as sample_row.allowed wants them, when left of them are left;
 * valid until masks_begin. */
const uint32_t *masks_of(struct masks *masks, const struct constraint *constraint,
                         const struct constraint_text *text, uint32_t left);
bool masks_is_none(const struct masks *masks, const uint32_t *mask);

#endif
