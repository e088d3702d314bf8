/*
 * schema_parts - sets of schemas that hold together, while a document is compiled.
 *
 * A part is one schema of the document; a set has every schema that $ref and allOf add. A part
 * whose anyOf or oneOf has been chosen from is marked, so that it is not chosen from again.
 */
#ifndef ENGINE_SCHEMA_PARTS_H
#define ENGINE_SCHEMA_PARTS_H

#include "base/json.h"

enum { SCHEMA_PARTS_MAX = 48, SCHEMA_PARTS_DEPTH_MAX = 64 };

struct schema_part {
    const struct json *schema;
    bool any_chosen, one_chosen;
};

struct schema_parts {
    struct schema_part parts[SCHEMA_PARTS_MAX];
    uint32_t count;
    uint32_t depth; /* of references followed just now */
    bool none;      /* false is among them: no value */
};

struct schema_document {
    const struct json *root;
    bool ref_alone; /* drafts up to 7: what stands beside $ref says nothing */
};

/* Adds a schema, and what it refers to. */
MUST_USE enum status schema_parts_add(const struct schema_document *document,
                                      struct schema_parts *parts, struct schema_part part,
                                      struct error *err);
bool schema_parts_equal(const struct schema_parts *a, const struct schema_parts *b);

#endif
