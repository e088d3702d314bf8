/*
 * schema - a JSON schema as nodes over automata: what a text may be, byte by byte.
 *
 * A node says what one value may be: which types, and for each type its automaton or its parts,
 * which are nodes again, so that a schema may refer to itself. A node is made for a set of
 * schemas that must hold together; $ref, allOf and what several of them say of one property
 * are merged by adding to the set. A node with alternatives is the union of others.
 *
 * Taken: type (or a list), properties, required, additionalProperties, patternProperties, enum,
 * const, items (also a list), prefixItems, additionalItems, minItems, maxItems, minLength,
 * maxLength, pattern, format (date, time, date-time, email, uuid, ipv4, ipv6, uri, hostname;
 * others say nothing), minimum, maximum, exclusiveMinimum, exclusiveMaximum (whole numbers),
 * anyOf, oneOf (where the branches are disjoint), allOf, $ref within the document,
 * minProperties, maxProperties. Other keywords that would restrict a value are refused by name
 * and path; what only annotates is passed over.
 *
 * Properties come in any order; one that the schema names comes once. In a string that has a
 * pattern, format, length, enum or const a character stands for itself where JSON lets it.
 * Numbers with bounds have no exponent.
 *
 * Owner    all of it lies in the arena given to schema_compile; source is not kept.
 * Failure  ERR_LIMIT: a keyword that is not taken, or too many states; ERR_FORMAT: no schema.
 */
#ifndef ENGINE_SCHEMA_H
#define ENGINE_SCHEMA_H

#include "base/json.h"
#include "engine/automaton.h"

enum { SCHEMA_NODES_MAX = 4000, SCHEMA_NAMES_MAX = 256 };
#define SCHEMA_NO_MAX UINT32_MAX

enum schema_type {
    SCHEMA_NULL = 1,
    SCHEMA_FALSE = 2,
    SCHEMA_TRUE = 4,
    SCHEMA_NUMBER = 8,
    SCHEMA_STRING = 16,
    SCHEMA_ARRAY = 32,
    SCHEMA_OBJECT = 64,
    SCHEMA_ANY = 127
};

struct schema_set {
    uint64_t bits[SCHEMA_NAMES_MAX / 64];
};

struct schema_object {
    struct automaton names; /* of what stands between a name's quotes */
    uint16_t *way;          /* [names.state_count] which way a name that ends there goes */
    uint16_t *way_node;     /* [ways] the node of its value */
    uint32_t name_count;    /* ways below are names, that come once */
    uint16_t *low, *high;   /* [state_count] ways of names still reachable: [low, high) */
    bool *reaches_other;    /* [state_count] a way past name_count can be reached */
    struct schema_set required, forbidden;
    uint32_t min, max; /* properties */
};

struct schema_node {
    uint8_t types;
    const struct automaton *string; /* between the quotes; of one character when counted */
    const struct automaton *number;
    bool counted; /* characters_min .. characters_max characters */
    uint32_t characters_min, characters_max;
    const uint16_t *prefix; /* [prefix_count] nodes of the first items */
    uint32_t prefix_count, items_min, items_max;
    uint16_t items;
    struct schema_object *object;
    const uint16_t *alternatives; /* [alternative_count] instead of all the above */
    uint32_t alternative_count;
    uint32_t distance; /* fewest bytes of a value; UINT32_MAX: there is none */
};

struct schema {
    const struct schema_node *nodes; /* node 0: no value at all */
    uint32_t node_count;
    uint16_t root;
};

MUST_USE enum status schema_compile(struct schema *schema, const struct json *source,
                                    struct arena *arena, struct error *err);

#endif
