/*
 * schema_needs - what some property of an object, or some item of an array, must meet, while a
 * document is compiled.
 *
 * That patternProperties does not hold, say, means that there is a property whose name matches
 * and whose value fails. Which one it is stays open: a value is one of several nodes, one for
 * each set of needs that it then meets, and the matcher follows them all.
 */
#ifndef ENGINE_SCHEMA_NEEDS_H
#define ENGINE_SCHEMA_NEEDS_H

#include "engine/schema_build.h"

struct schema_needs {
    const struct schema_part *parts[SCHEMA_NEEDS_MAX];
    uint32_t count;
    uint16_t takes; /* of the options that are added */
};

MUST_USE enum status schema_needs_add(struct schema_needs *needs,
                                      const struct schema_part *part, struct error *err);

/* Whether it is met by what is said of a value, not only by a name. */
bool schema_needs_by_value(const struct schema_part *part);
/* Adds the options of a value of which base holds, that can meet the needs of a mask. */
MUST_USE enum status schema_needs_options(struct schema_build *build,
                                          const struct schema_needs *needs, uint32_t mask,
                                          const struct schema_parts *base,
                                          struct schema_options *options);

/* Brings the options that have a value to the front and counts them; the least of their
 * distances. */
uint32_t schema_needs_distance(const struct schema_build *build,
                               struct schema_options *options);

#endif
