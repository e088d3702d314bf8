/*
 * schema_object - the nodes of objects and arrays, while a document is compiled.
 */
#ifndef ENGINE_SCHEMA_OBJECT_H
#define ENGINE_SCHEMA_OBJECT_H

#include "engine/schema.h"
#include "engine/schema_parts.h"

/* What a node is made from: parts that hold together, or one constant value. */
struct schema_job {
    const struct schema_parts *parts;
    const struct json *value;
    bool made;
};

struct schema_build {
    struct schema_document document;
    struct schema_node *nodes; /* [SCHEMA_NODES_MAX] */
    struct schema_job *jobs;   /* [SCHEMA_NODES_MAX] */
    uint32_t node_count;
    struct automaton character; /* any one character of a string */
    struct arena *arena;
    struct error *err;
};

/* The node of a set (0 when nothing is of it), and of a value (NODES_MAX: too many). */
MUST_USE enum status schema_build_parts(struct schema_build *build,
                                        const struct schema_parts *parts, uint16_t *node);
uint16_t schema_build_value(struct schema_build *build, const struct json *value);

MUST_USE enum status schema_object_make(struct schema_build *build,
                                        const struct schema_parts *parts,
                                        struct schema_node *node);
MUST_USE enum status schema_object_array(struct schema_build *build,
                                         const struct schema_parts *parts,
                                         struct schema_node *node);
MUST_USE enum status schema_object_value(struct schema_build *build, const struct json *value,
                                         struct schema_node *node);

/* Once all distances are known: which names can still be reached from each state. */
void schema_object_finish(const struct schema_build *build, struct schema_object *object);

#endif
