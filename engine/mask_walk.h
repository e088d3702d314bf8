/*
 * mask_walk - which tokens of a vocabulary may come next where a text stands.
 *
 * The vocabulary is walked as a tree of bytes beside the constraint's own states; what is dead
 * is passed over with all that begins so. Three things keep that short:
 *
 *     in a string or a name that takes any plain text (automaton_plain.h), the tokens that are
 *         plain, nearly all of a vocabulary, are allowed without a look, or as many as have
 *         few enough characters; what is left is walked. (XGrammar, Dong et al. 2024, calls
 *         such tokens context-independent.)
 *     in other strings and names the automaton is stepped without a matcher's frames
 *     frames of a branch that was left are forgotten, so that no walk fills the matcher
 *
 * Owner    the caller owns the structs; what they hold lies in the arena given.
 * Thread   one at a time: the matcher and the path are the walk's own.
 */
#ifndef ENGINE_MASK_WALK_H
#define ENGINE_MASK_WALK_H

#include "engine/constraint.h"
#include "engine/matcher_inside.h"
#include "engine/vocab_tree.h"

enum { MASK_WALK_CHARACTERS_MAX = 64 }; /* of a token that counts as plain */

struct mask_walk_place;

struct mask_walk {
    const struct text *bytes; /* [vocab] what each token stands for; empty: it never comes */
    uint32_t vocab, words;    /* words = ceil(vocab / 32) per mask */
    struct vocab_tree tree, special; /* of all tokens; of those that are not plain */
    uint32_t *plain;                 /* [words] mask of those that are */
    token_id *plain_tokens;          /* [plain_first[CHARACTERS_MAX + 1]] by characters */
    uint32_t plain_first[MASK_WALK_CHARACTERS_MAX + 2]; /* where those of so many begin */
    struct matcher matcher;
    struct mask_walk_place *path; /* [VOCAB_TREE_DEPTH_MAX + 1] */
};

/* Keeps bytes. ERR_MEMORY: the arena is too small. */
MUST_USE enum status mask_walk_init(struct mask_walk *walk, const struct text *bytes,
                                    uint32_t vocab, struct arena *arena, struct error *err);
/* Bytes of an arena that mask_walk_init is sure to get by with, for that vocabulary. */
size_t mask_walk_bytes(const struct text *bytes, uint32_t vocab);

#define MASK_WALK_ANY UINT32_MAX

struct mask_walk_ask {
    const struct constraint *constraint;
    const struct constraint_text *text;
    uint32_t left; /* only tokens from behind which fewer bytes lead to an end; ANY: all */
    bool is_exact; /* of ANY: what leads to an end is looked up wherever there is no bound */
};

/* Adds the tokens that may come next to a mask. Returns how many bytes lead to an end from
 * behind each of them at most; UINT32_MAX: that is not known. */
uint32_t mask_walk_add(struct mask_walk *walk, const struct mask_walk_ask *ask, uint32_t *mask);
/* Bytes from where the text stands (matcher_fewest.h). */
uint32_t mask_walk_fewest(struct mask_walk *walk, const struct constraint *constraint,
                          const struct constraint_text *text);

#endif
