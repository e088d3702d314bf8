/*
 * schema_names - the automaton of an object's names, while a document is compiled.
 *
 * A name that the schema lists ends with a label of its own, from MASKED_LABELS on. Any name
 * has in its mask the patterns it matches and the schemas of propertyNames that it is of; any
 * text at all has ANY, unless the object is closed.
 */
#ifndef ENGINE_SCHEMA_NAMES_H
#define ENGINE_SCHEMA_NAMES_H

#include "engine/schema_build.h"

enum { SCHEMA_NAMES_KINDS_MAX = 30, SCHEMA_NAMES_ANY = 31 };

struct schema_names {
    struct text list[SCHEMA_NAMES_MAX];
    uint32_t count;
    struct text patterns[SCHEMA_NAMES_KINDS_MAX];       /* by label, */
    const struct json *schemas[SCHEMA_NAMES_KINDS_MAX]; /* or, if not NULL, a schema */
    uint32_t kind_count;
    bool closed; /* no other names than those and what matches patterns */
};

/* The names, patterns and schemas that parts speak of. */
MUST_USE enum status schema_names_collect(struct schema_names *names,
                                          const struct schema_parts *parts, struct error *err);
MUST_USE enum status schema_names_make(struct schema_build *build,
                                       const struct schema_names *names,
                                       struct automaton *made);

/* Whether a name with this mask matches the pattern, is of the schema. */
bool schema_names_match(const struct schema_names *names, uint32_t mask, struct text pattern);
bool schema_names_is_of(const struct schema_names *names, uint32_t mask,
                        const struct json *schema);
/* The place of a name in the list; count: it is not there. */
uint32_t schema_names_find(const struct schema_names *names, struct text name);

#endif
