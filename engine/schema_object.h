/*
 * schema_object - the nodes of objects, while a document is compiled.
 */
#ifndef ENGINE_SCHEMA_OBJECT_H
#define ENGINE_SCHEMA_OBJECT_H

#include "engine/schema_build.h"

MUST_USE enum status schema_object_make(struct schema_build *build,
                                        const struct schema_parts *parts,
                                        struct schema_node *node);

/* Reads again which ways have a value. About how few bytes an object has; UINT32_MAX: there is
 * none. */
uint32_t schema_object_distance(const struct schema_build *build, struct schema_object *object);

/* Once all distances are known: which ways can still be reached from each state of a name.
 * ERR_LIMIT: minProperties would count names of which the same may come twice. */
MUST_USE enum status schema_object_finish(const struct schema_build *build,
                                          struct schema_object *object);

#endif
