/*
 * schema_array - the nodes of arrays, while a document is compiled.
 */
#ifndef ENGINE_SCHEMA_ARRAY_H
#define ENGINE_SCHEMA_ARRAY_H

#include "engine/schema_build.h"

/* Of layers and sets of marks, where there are marks. */
enum { SCHEMA_ARRAY_ENTRIES_MAX = 1 << 16 };

MUST_USE enum status schema_array_make(struct schema_build *build,
                                       const struct schema_parts *parts,
                                       struct schema_node *node);

/* Reads again which items have a value. About how few bytes an array has; UINT32_MAX: there is
 * none. */
uint32_t schema_array_distance(const struct schema_build *build, struct schema_array *array);

#endif
