/*
 * schema_choice - the ways to take a choice that a set of parts leaves.
 *
 * The first choice of the set is replaced by what each way of taking it asks for: one set per
 * branch of anyOf; for oneOf, per branch, with the others failing where they could hold too;
 * for a schema that must fail, one per keyword that may be what fails. Ways that are hopeless
 * at a glance are left out.
 */
#ifndef ENGINE_SCHEMA_CHOICE_H
#define ENGINE_SCHEMA_CHOICE_H

#include "engine/schema_parts.h"

enum { SCHEMA_CHOICE_WAYS_MAX = 1024 };

bool schema_choice_is_left(const struct schema_parts *parts);

/* Calls way for each; it may stop the walk by its status. */
struct schema_choice_to {
    const struct schema_document *document;
    enum status (*way)(void *context, const struct schema_parts *parts);
    void *context;
};
MUST_USE enum status schema_choice_take(const struct schema_choice_to *to,
                                        const struct schema_parts *parts, struct error *err);
#endif
