/*
 * schema_ref - where a reference of a schema leads, within its own document.
 *
 * Taken: JSON pointers, names ($anchor, $dynamicAnchor, and $id or id of the form "#name"), and
 * URIs that an $id of the document has, each resolved against the base that the schema stands
 * in. Nothing is ever fetched.
 */
#ifndef ENGINE_SCHEMA_REF_H
#define ENGINE_SCHEMA_REF_H

#include "base/json.h"

struct schema_document {
    const struct json *root;
    bool ref_alone; /* drafts up to 7: what stands beside $ref says nothing */
    bool old;       /* drafts up to 4: id is what $id is, 1.0 is no integer */
    bool inner_ids; /* not only the root has an $id */
    bool evaluates; /* it has unevaluatedProperties or unevaluatedItems */
    uint64_t size;  /* values in it */
    uint64_t *work; /* what compiling may still take, in units of about 10 ns */
};

/* What stands at root, whose dialect is read from $schema. */
struct schema_document schema_ref_document(const struct json *root);

/* The schema that ref, a keyword's value within from, leads to; NULL: none of the document. */
const struct json *schema_ref_find(const struct schema_document *document,
                                   const struct json *from, struct text ref);

/* Takes from the work that is left; ERR_LIMIT: there is not as much. */
MUST_USE enum status schema_ref_charge(const struct schema_document *document, uint64_t work,
                                       struct error *err);

/* How many schemas of the document have this $dynamicAnchor. */
uint32_t schema_ref_dynamic_count(const struct schema_document *document, struct text name);

#endif
