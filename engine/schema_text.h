/*
 * schema_text - the automata of the strings that a set of parts allows.
 */
#ifndef ENGINE_SCHEMA_TEXT_H
#define ENGINE_SCHEMA_TEXT_H

#include "engine/schema_build.h"
#include "engine/schema_facts.h"

struct schema_length {
    struct schema_range characters;
    bool alone; /* nothing else restricts these strings */
};

MUST_USE enum status schema_text_length(const struct schema_parts *parts,
                                        const struct schema_values *values,
                                        struct schema_length *length, struct error *err);

/* What stands between the quotes. A maximal length past LENGTH_MAX would multiply the states:
 * with a node it is left to the matcher, which counts characters. */
enum { SCHEMA_TEXT_LENGTH_MAX = 24 };
struct schema_strings {
    const struct schema_parts *parts;
    const struct schema_values *values;
    struct schema_node *node; /* or NULL */
};
MUST_USE enum status schema_text_strings(struct schema_build *build,
                                         const struct schema_strings *strings,
                                         struct automaton *made);

/* One character of any string: the character itself or an escape (both of a pair). */
MUST_USE enum status schema_text_character(struct schema_build *build, struct automaton *made);
#endif
