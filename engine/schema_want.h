/*
 * schema_want - texts under several restrictions at once, as one automaton.
 *
 * Each restriction has a label of its own: a text must end with all labels that are wanted, and
 * with none of those that are not. So patterns, formats and lengths hold together, and others
 * fail, without an intersection being written out.
 */
#ifndef ENGINE_SCHEMA_WANT_H
#define ENGINE_SCHEMA_WANT_H

#include "engine/regex.h"
#include "engine/schema_build.h"

enum { SCHEMA_WANT_LABELS_MAX = 30 };

struct schema_want {
    struct nfa nfa;
    struct arena *arena;
    struct error *err;
    enum regex_bytes bytes;
    uint16_t count; /* of labels */
    struct automaton_want want;
};

MUST_USE enum status schema_want_init(struct schema_want *want, struct schema_build *build,
                                      enum regex_bytes bytes);
/* The label of one more restriction. */
MUST_USE enum status schema_want_label(struct schema_want *want, bool holds, uint16_t *label);
/* A pattern; it may begin with ^ and look-aheads, which are restrictions of their own. */
MUST_USE enum status schema_want_pattern(struct schema_want *want, struct text pattern,
                                         bool holds);
/* One that was parsed in the arena since schema_want_init. */
struct regex_part;
MUST_USE enum status schema_want_parsed(struct schema_want *want,
                                        const struct regex_part *part);
/* A pattern as text; it is given back. */
MUST_USE enum status schema_want_buffer(struct schema_want *want, struct text_buf *pattern,
                                        bool holds);
/* Nothing at all. */
MUST_USE enum status schema_want_nothing(struct schema_want *want);
MUST_USE enum status schema_want_make(struct schema_want *want, struct automaton *made);

/* One more restriction: a format, of a name that says something. */
bool schema_want_is_format(struct text name);
MUST_USE enum status schema_want_format(struct schema_want *want, struct text name, bool holds);

#endif
