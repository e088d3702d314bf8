/*
 * grammar - holds a text to a shape: which tokens may come next, and whether it is complete.
 *
 * A shape is an automaton over bytes (struct grammar_shape). grammar_init lays it over a
 * vocabulary: for each state the tokens that keep to the shape, and those among them that come
 * nearer to the end. The second set is used when few tokens are left, so that a text is always
 * completed within its limit: with
 *
 *     distance(s) = fewest tokens from state s to the end
 *     worst(s)    = greatest distance after one token that s allows
 *
 * and distance(s) <= left, any token may come when worst(s) < left, and otherwise only one with
 * distance(next) < distance(s). Either way distance(next) <= left - 1.
 *
 * Fields of a shape (the strings of an object, say) have each their share of the tokens, so
 * that a long first field leaves room for the last: past its share a field is closed.
 *
 * Owner    the caller owns the structs; tables lie in the arena given to grammar_init.
 * Memory   grammar_init allocates, nothing else does.
 * Thread   read-only after grammar_init; a cursor belongs to one sequence.
 */
#ifndef ENGINE_GRAMMAR_H
#define ENGINE_GRAMMAR_H

#include "base/arena.h"
#include "base/text.h"
#include "base/token.h"

#include <stdbool.h>
#include <stdint.h>

enum { GRAMMAR_STATES_MAX = 1024, GRAMMAR_FIELDS_MAX = 8, GRAMMAR_DEAD = 0 };

/* State 0 is dead: no way out. */
struct grammar_shape {
    uint16_t state_count;
    uint16_t start, end;
    uint16_t next[GRAMMAR_STATES_MAX][256];
    uint8_t field[GRAMMAR_STATES_MAX]; /* which field's text a state is in; 0: in none */
    /* Of a text of n tokens, field f is closed when n * until_percent[f] / 100 are used. */
    uint8_t until_percent[GRAMMAR_FIELDS_MAX];
};

struct grammar {
    const struct grammar_shape *shape;
    const struct text *bytes;   /* [vocab] what each token stands for */
    uint32_t vocab, words;      /* words = ceil(vocab / 32) per mask */
    uint32_t *allowed;          /* [state_count][words] */
    uint32_t *closing;          /* [state_count][words] */
    uint16_t *distance, *worst; /* [state_count]; UINT16_MAX: cannot end */
};

struct grammar_cursor {
    uint16_t state;
};

/* The shape {"explanation": string, "citation": string|null, "answer": string|null}, in this
 * order, one space after each colon and comma. Strings are valid JSON in valid UTF-8, without
 * \u0000 and without \u escapes of surrogates. */
void grammar_shape_job_output(struct grammar_shape *shape);

/* Lays shape over a vocabulary. Keeps shape and bytes. A token that stands for no bytes is
 * never allowed. ERR_MEMORY: the arena is too small. */
MUST_USE enum status grammar_init(struct grammar *grammar, const struct grammar_shape *shape,
                                  const struct text *bytes, uint32_t vocab, struct arena *arena,
                                  struct error *err);

void grammar_start(const struct grammar *grammar, struct grammar_cursor *cursor);

/* Fewest tokens of a whole text; UINT32_MAX when the vocabulary cannot spell one. */
uint32_t grammar_tokens_min(const struct grammar *grammar);

/* The tokens that may come next, as sample_row.allowed wants them, when left of total tokens
 * are left. A text that has left >= grammar_tokens_min at its start is completed in time. */
const uint32_t *grammar_allowed(const struct grammar *grammar,
                                const struct grammar_cursor *cursor, uint32_t left,
                                uint32_t total);

/* Moves past an allowed token. */
void grammar_advance(const struct grammar *grammar, struct grammar_cursor *cursor,
                     token_id token);
/* Writes the bytes that must come next, as long as there is exactly one that may; at most most.
 * Returns how many. */
size_t grammar_forced(const struct grammar *grammar, const struct grammar_cursor *cursor,
                      uint8_t *bytes, size_t most);
bool grammar_is_complete(const struct grammar *grammar, const struct grammar_cursor *cursor);

#endif
