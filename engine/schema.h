/*
 * schema - a JSON schema as nodes over automata: what a text may be, byte by byte.
 *
 * A node says what one value may be: which types, and for each type its automaton or its parts,
 * which are nodes again, so that a schema may refer to itself. A node is made for a set of
 * things that must hold together (schema_parts.h); one with alternatives is the union of
 * others.
 *
 * Taken, each exactly: type (or a list), enum, const; properties, required, patternProperties,
 * additionalProperties, propertyNames, minProperties, maxProperties, dependencies and its two
 * heirs; items (also a list), prefixItems, additionalItems, contains, minContains, maxContains,
 * minItems, maxItems; minLength, maxLength, pattern, format (schema_want.c; others say
 * nothing); minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf; anyOf, oneOf,
 * allOf, not, if, then, else; $ref and $dynamicRef within the document, by pointer, $anchor or
 * $id; unevaluatedProperties, and unevaluatedItems but beside contains; uniqueItems of at most
 * one item, or of a few scalars that enum lists. Refused by name and path: other uniqueItems,
 * minProperties of two or more, beside those required, where names come that are not listed,
 * unevaluated ones in a schema that must not hold, and what takes more room or time than there
 * is. What only annotates is passed over.
 *
 * And one of our own, "x-copied-from": "chunk": a string is copied from the text that the
 * matcher is given (copied.h), minLength .. maxLength characters of it. Beside a pattern, a
 * known format, enum, const or the exclusion of a string it is refused; where a schema must
 * not hold, it counts as held.
 *
 * And another: "x-in-order": true beside properties that are all required, with no others
 * allowed. They come in the order in which they are listed, so that what is to be thought first
 * is written first, and names need not be chosen. Where a schema must not hold, it counts as
 * held.
 *
 * Elsewhere properties come in any order; one that the schema names comes once. Another one may
 * come again, for which names are not kept: where minProperties would have to count two of
 * those it is refused, and where some property must meet something by its value, one that may
 * have come before (by a hash of about 250 values; or since a character in it is escaped) must
 * not make a difference. There, if few names can meet it, they come once; else as many names as
 * there are such needs are set aside, to be used for them alone: names that hardly come by
 * chance.
 *
 * In a string with a pattern, format, length, enum or const a character stands for itself where
 * JSON lets it. Whole numbers and multiples have no exponent; beside one, numbers under a bound
 * or exclusion have one digit before the point.
 *
 * Owner    all of it lies in the arena given to schema_compile; source is not kept.
 * Failure  ERR_LIMIT: a keyword that is not taken, or too many states; ERR_FORMAT: no schema.
 */
#ifndef ENGINE_SCHEMA_H
#define ENGINE_SCHEMA_H

#include "base/json.h"
#include "engine/automaton.h"

enum {
    SCHEMA_NODES_MAX = 4000,
    SCHEMA_NAMES_MAX = 256,
    SCHEMA_OTHERS_MAX = 64,
    SCHEMA_NEEDS_MAX = 5,
    SCHEMA_TAKES_MAX = 10 /* needs of an array and what its items take, together */
};
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

/* A node that a property or an item may have, and which needs it then meets. A need is one
 * thing that some property of the object (item of the array) must meet, whichever it is; what
 * an item takes can be taken once. */
struct schema_option {
    uint16_t node;
    uint16_t meets;
    uint16_t takes;
};

struct schema_options {
    struct schema_option *list; /* [total] the first count have a value */
    uint32_t count, total;
};

/* Ways that names may still go: those of listed names, that come once, and others. */
struct schema_ways {
    struct schema_set names;
    uint64_t others;
};

/* What an object's properties take at least, in bytes (schema_fewest.h). */
struct schema_costs {
    uint32_t *name;  /* [way_count] the shortest name */
    uint32_t *cost;  /* [way_count] the shortest property, with the comma ahead of it */
    uint32_t most;   /* what a property of any way takes at most, if it is the way's shortest */
    uint16_t *depth; /* [state_count] of a name's beginning */
    uint16_t *other; /* [way_count - name_count][state_count] to such a name's end */
    uint32_t farthest; /* the greatest of these */
};

struct schema_object {
    struct automaton names;      /* of what stands between a name's quotes */
    uint16_t *way;               /* [state_count] which way a name that ends there goes */
    struct schema_options *ways; /* [way_count] the first name_count are of listed names */
    uint32_t name_count, way_count;
    struct schema_ways *reach; /* [state_count] usable ways that can still be reached */
    uint64_t
        *settled; /* [state_count] after any plain text (automaton_plain.h) the name may end
                          there, and goes one of these other ways; 0: that is not so */
    struct schema_ways usable; /* those that have a value */
    struct schema_set required;
    uint32_t min, max;          /* properties */
    const struct json *minimum; /* the schema that asks for min, while it is compiled */
    uint16_t needs;
    uint16_t by_value;          /* needs that are met by a property's value */
    struct schema_set reserved; /* listed names that may come only where they meet one of those
                                   anew, or none is left that they could meet */
    uint32_t *sets;             /* [way_count] a bit for each set of needs that it may meet */
    uint16_t *alike; /* [name_count] the first one that does what this one does for needs */
    uint8_t others[1 << SCHEMA_NEEDS_MAX]; /* fewest of the other ways from each set of needs
                                              to all of them; UINT8_MAX: they do not do */
    bool in_order; /* they come as listed: all are required, and there are no others */
    bool open;     /* there is an object of it */
    struct schema_costs costs;
};

struct schema_array {
    struct schema_options *items; /* [prefix_count + 1] the last: of all items behind */
    uint32_t prefix_count, min, max;
    uint32_t items_max; /* no item of that place has a value; UINT32_MAX: all have */
    uint16_t needs;
    uint16_t marks;   /* needs, and what can be taken */
    uint32_t layers;  /* from this many items on the next is as any other */
    uint32_t *fewest; /* [layers + 1][marks + 1] further items to an end; none without marks */
    uint32_t *bytes;  /* the same shape: bytes of those, each with a comma */
};

/* Characters in an automaton of strings, for a maximum that would multiply its states. */
struct schema_characters {
    const uint16_t *further; /* [state_count] fewest characters to an end */
    const bool *between;     /* [state_count] what comes next begins a character */
};

struct schema_node {
    uint8_t types;
    const struct automaton *string; /* between the quotes; of one character when counted */
    const struct automaton *number;
    bool counted; /* characters_min .. characters_max characters */
    bool copied;  /* counted, and from the chunk: whether it has a value depends on that */
    uint32_t characters_min, characters_max;
    const struct schema_characters *characters; /* not counted, but at most characters_max */
    struct schema_array *array;
    struct schema_object *object;
    const uint16_t *alternatives; /* [alternative_count] instead of all the above */
    uint32_t alternative_count;
    uint32_t distance; /* about how few bytes a value has; UINT32_MAX: there is none */
    uint32_t fewest;   /* bytes (schema_fewest.h); UINT32_MAX: there is none */
};

struct schema {
    const struct schema_node *nodes; /* node 0: no value at all */
    uint32_t node_count;
    uint16_t root;
    bool copies; /* a node is copied */
};

/* The properties that an object has: seen names, count in all (schema_progress.h). */
struct schema_progress {
    struct schema_set seen;
    uint32_t count;
    uint16_t met;
};
/* Fewest further items of an array; UINT32_MAX: it cannot be completed. */
uint32_t schema_array_fewest(const struct schema_array *array, uint32_t count, uint16_t marks);

MUST_USE enum status schema_compile(struct schema *schema, const struct json *source,
                                    struct arena *arena, struct error *err);

#endif
