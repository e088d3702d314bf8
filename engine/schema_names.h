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

enum {
    SCHEMA_NAMES_KINDS_MAX = 30,
    SCHEMA_NAMES_ANY = 31,
    SCHEMA_NAMES_FEW = 16,      /* that are listed, */
    SCHEMA_NAMES_FEW_BYTES = 32 /* of so many bytes at most */
};

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

/* Lists the names that lead to the states of wanted ([state_count]) if they are few: so each of
 * them comes once. *listed: they are. Some lists so many of them, or those that there are. Then
 * made is of no more use: it does not tell them from others. */
MUST_USE enum status schema_names_list_few(struct schema_names *names,
                                           const struct automaton *made, const bool *wanted,
                                           const struct schema_build *build, bool *listed);
MUST_USE enum status schema_names_list_some(struct schema_names *names,
                                            const struct automaton *made, const bool *wanted,
                                            const struct schema_build *build, uint32_t count);

/* Whether a name with this mask matches the pattern, is of the schema. */
bool schema_names_match(const struct schema_names *names, uint32_t mask, struct text pattern);
bool schema_names_is_of(const struct schema_names *names, uint32_t mask,
                        const struct json *schema);
/* The place of a name in the list; count: it is not there. */
uint32_t schema_names_find(const struct schema_names *names, struct text name);

#endif
