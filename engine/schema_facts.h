/*
 * schema_facts - what can be said of a set of parts at a glance: the types that are left, the
 * scalars that enum and const leave, and whether no value can be of the set.
 *
 * Choices among the parts are taken for granted, so that "hopeless" is certain and "not
 * hopeless" is not.
 */
#ifndef ENGINE_SCHEMA_FACTS_H
#define ENGINE_SCHEMA_FACTS_H

#include "engine/schema.h"
#include "engine/schema_parts.h"

enum { SCHEMA_FACTS_VALUES_MAX = 2048 };

struct schema_facts {
    uint8_t types;
    bool whole, fraction; /* numbers: without, with a fraction only */
};

struct schema_values {
    const struct json *list[SCHEMA_FACTS_VALUES_MAX];
    uint32_t count;
    bool any; /* nothing is said: all values */
};

MUST_USE enum status schema_facts_read(const struct schema_parts *parts,
                                       struct schema_facts *facts, struct error *err);

/* The scalars that are left; not looked at: bounds, patterns and the like. */
MUST_USE enum status schema_facts_values(const struct schema_parts *parts,
                                         struct schema_values *values, struct error *err);

/* What a pair of keywords, minX and maxX, leaves; min > max: nothing. */
struct schema_range {
    uint32_t min, max; /* SCHEMA_NO_MAX: no limit */
};
MUST_USE enum status schema_facts_range(const struct schema_parts *parts, const char *min_key,
                                        const char *max_key, struct schema_range *range,
                                        struct error *err);

/* One of the type bits. */
uint8_t schema_facts_bit(const struct json *value);

/* Of two scalars: numbers by their value. */
bool schema_facts_equal(const struct json *a, const struct json *b);

MUST_USE enum status schema_facts_hopeless(const struct schema_document *document,
                                           const struct schema_parts *parts, bool *hopeless,
                                           struct error *err);
#endif
