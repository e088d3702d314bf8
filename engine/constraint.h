/*
 * constraint - what a text must be: a JSON schema or a regular expression, compiled; and where
 * a text that keeps to it stands. A chunk that a schema's texts copy from is compiled and
 * shared in the same way, beside their schema (copied.h).
 *
 * Compiling takes milliseconds and is done by the thread that submits a job, never by the
 * engine's. A constraint is read-only then and serves any number of texts (who shares it with
 * whom is in constraint_table.h).
 *
 * Where a text stands is a value, of which each sequence has one. Following a schema's text
 * takes a matcher: the engine thread has one for all.
 *
 * Owner    constraint_new gives, constraint_free takes.
 * Failure  ERR_FORMAT: no JSON, no schema, no expression, no chunk; ERR_LIMIT: what is not
 *          taken (keyword and path, or the byte of the pattern), too large a source, or more
 *          than CONSTRAINT_BYTES_MAX of tables.
 */
#ifndef ENGINE_CONSTRAINT_H
#define ENGINE_CONSTRAINT_H

#include "engine/matcher_text.h"

#include <stdatomic.h>

enum {
    CONSTRAINT_SOURCE_MAX = 1 << 20, /* bytes of a schema or a pattern */
    CONSTRAINT_BYTES_MAX = 64 << 20
};

enum constraint_kind { CONSTRAINT_SCHEMA, CONSTRAINT_REGEX, CONSTRAINT_CHUNK };

struct constraint_table;

struct constraint {
    enum constraint_kind kind;
    uint64_t id;                    /* of no other, ever */
    struct text source;             /* in the arena */
    struct schema schema;           /* SCHEMA */
    struct automaton automaton;     /* REGEX: of the whole text */
    struct copied copied;           /* CHUNK */
    struct arena arena;             /* cut to what is used */
    struct constraint_table *table; /* private to constraint_table.c, as is what follows */
    struct constraint *before, *after;
    uint32_t holders;
};

MUST_USE enum status constraint_new(struct constraint **constraint, enum constraint_kind kind,
                                    struct text source, struct error *err);
void constraint_free(struct constraint *constraint); /* NULL is fine */

/* Where a text stands. */
struct constraint_text {
    uint32_t state;                 /* REGEX */
    const struct constraint *chunk; /* that it copies from; NULL: none */
    struct matcher_text matcher;
};

/* Whether texts of the constraint can be copied from that chunk; NULL: there is none. */
MUST_USE enum status constraint_check_chunk(const struct constraint *constraint,
                                            const struct constraint *chunk, struct error *err);

/* At its beginning. The matcher is one for any schema; what it held is forgotten. */
void constraint_start(const struct constraint *constraint, struct matcher *matcher,
                      struct constraint_text *text);
/* The same of one that copies from a chunk, which was found to do; NULL: there is none. */
void constraint_start_copying(const struct constraint *constraint,
                              const struct constraint *chunk, struct matcher *matcher,
                              struct constraint_text *text);
/* Has the matcher stand where a text of a schema does. */
void constraint_resume(const struct constraint *constraint, const struct constraint_text *text,
                       struct matcher *matcher, struct matcher_state *state);
/* Moves past bytes. False: they do not fit; the text stays where it is. */
bool constraint_advance(const struct constraint *constraint, struct matcher *matcher,
                        struct constraint_text *text, struct text bytes);
void constraint_copy(const struct constraint *constraint, struct constraint_text *to,
                     const struct constraint_text *from);

/* Writes the bytes that must come next, whatever is said: as long as there is exactly one that
 * may, and the text may not end; at most most. Returns how many. */
size_t constraint_forced(const struct constraint *constraint, struct matcher *matcher,
                         const struct constraint_text *text, uint8_t *bytes, size_t most);

/* Whether the text may end here; and whether nothing may follow either. */
bool constraint_is_complete(const struct constraint *constraint,
                            const struct constraint_text *text);
bool constraint_is_over(const struct constraint *constraint,
                        const struct constraint_text *text);

#endif
