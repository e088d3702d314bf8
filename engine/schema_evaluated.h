/*
 * schema_evaluated - which schemas have looked at a value beside one that asks what is left.
 *
 * unevaluatedProperties and unevaluatedItems say something of what neither their own schema nor
 * those applied in place (allOf, the branches that hold of anyOf and oneOf, if and its branch,
 * $ref) have said something of. In a document that has them choices are taken so that a set has
 * a part HOLDS of exactly the schemas that hold.
 */
#ifndef ENGINE_SCHEMA_EVALUATED_H
#define ENGINE_SCHEMA_EVALUATED_H

#include "engine/schema_parts.h"

enum { SCHEMA_EVALUATED_MAX = 64 };

struct schema_evaluated {
    const struct json *list[SCHEMA_EVALUATED_MAX]; /* the first: the schema that asks */
    uint32_t count;
};

/* The schemas that have looked at the value beside schema, which is of the set. */
MUST_USE enum status schema_evaluated_read(struct schema_evaluated *evaluated,
                                           const struct schema_document *document,
                                           const struct schema_parts *parts,
                                           const struct json *schema, struct error *err);
#endif
