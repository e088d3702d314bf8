/*
 * schema_build - the list of nodes while a document is compiled.
 *
 * A node is asked for by its set of parts; a set that has come before gives the same node,
 * which is what ends recursion. Nodes are made one after another from the list (schema.c).
 */
#ifndef ENGINE_SCHEMA_BUILD_H
#define ENGINE_SCHEMA_BUILD_H

#include "engine/schema.h"
#include "engine/schema_parts.h"

#define SCHEMA_BUILD_WORK_MAX 200000000ull /* two seconds or so */

struct schema_build {
    struct schema_document document;
    struct schema_node *nodes;         /* [SCHEMA_NODES_MAX] */
    const struct schema_parts **parts; /* [SCHEMA_NODES_MAX] what each is made from */
    uint16_t *slots;                   /* node of that hash, or 0 */
    uint32_t node_count;
    uint64_t work;                     /* see schema_ref_charge */
    const struct automaton *character; /* any one character of a string */
    struct arena *arena;
    struct error *err;
};

/* Build is not to be moved afterwards: its document refers to it. */
MUST_USE enum status schema_build_init(struct schema_build *build, const struct json *root,
                                       struct arena *arena, struct error *err);

/* The node of a set; 0 when nothing is of it. */
MUST_USE enum status schema_build_node(struct schema_build *build,
                                       const struct schema_parts *parts, uint16_t *node);

#endif
