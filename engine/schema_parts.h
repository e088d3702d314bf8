/*
 * schema_parts - what must hold of one value, while a document is compiled.
 *
 * A part is one thing said of the value: that the plain keywords of a schema hold, that one of
 * them does not, that a property is there. A set of parts holds together. $ref and allOf only
 * add to a set; where a schema leaves a choice (anyOf, or that it must not hold, which is so
 * when any of its keywords does not), the set has a part that stands for the choice, and
 * schema_choice makes one set of each way to take it.
 *
 * So every combination of schemas, `not` among them, comes down to sets of parts without a
 * choice, which schema.c makes nodes of. Sets are equal when they have the same parts.
 */
#ifndef ENGINE_SCHEMA_PARTS_H
#define ENGINE_SCHEMA_PARTS_H

#include "engine/schema_ref.h"

enum { SCHEMA_PARTS_MAX = 256, SCHEMA_PARTS_DEPTH_MAX = 64, SCHEMA_PARTS_CONTAIN_MAX = 5 };

/* How the value stands to a schema of the document, or to a constant value in it. */
enum schema_role { SCHEMA_HOLDS, SCHEMA_FAILS, SCHEMA_EQUALS, SCHEMA_DIFFERS };

enum schema_part_kind {
    SCHEMA_PART_HOLDS,   /* the plain keywords of at hold */
    SCHEMA_PART_BREAKS,  /* the plain keyword at of schema does not hold */
    SCHEMA_PART_EQUALS,  /* the value is at */
    SCHEMA_PART_DIFFERS, /* it is not at, a scalar */
    SCHEMA_PART_AMONG,   /* it is one of the scalars in at */
    SCHEMA_PART_OUTSIDE, /* it is none of the scalars in at */
    SCHEMA_PART_HAS,     /* an object; its property name stands to at (if any) in role */
    SCHEMA_PART_LACKS,   /* an object without the property name */
    SCHEMA_PART_PATTERN, /* one with a property that matches name, in role to at */
    SCHEMA_PART_OTHER,   /* one with a property that schema (a value: its members) does not
                             list, in role to at */
    SCHEMA_PART_NAMED,   /* one with a property whose name is not of the schema at */
    SCHEMA_PART_ITEM,    /* an array; its item index is there, in role to at */
    SCHEMA_PART_SOME,    /* of an array's items one more is of at, for each index; or (role
                             FAILS) one behind schema's prefix is not */
    SCHEMA_PART_NO_ITEM, /* one with no item of the schema at */
    SCHEMA_PART_SHORT,   /* one of fewer than index items */
    SCHEMA_PART_MOST,    /* of an array's items at most index are of the schema at */
    SCHEMA_PART_CHOICES, /* from here on: choices */
    SCHEMA_PART_FAILS = SCHEMA_PART_CHOICES, /* at, a schema, does not hold */
    SCHEMA_PART_UNEQUAL,                     /* the value is not at, an array or object */
    SCHEMA_PART_ANY_OF,                      /* of schema */
    SCHEMA_PART_ONE_OF,
    SCHEMA_PART_IF,
    SCHEMA_PART_ENUM,   /* at has arrays or objects */
    SCHEMA_PART_DEPENDS /* at: what a property's presence asks for */
};

struct schema_part {
    uint8_t kind;
    uint8_t role;
    uint32_t index;
    const struct json *schema, *at;
    struct text name;
};

struct schema_parts {
    uint32_t count;
    uint32_t depth; /* of references followed just now */
    uint8_t barred; /* types that the value is not of, as bits of enum schema_type */
    bool none;      /* nothing can be of all of them */
    struct schema_part parts[SCHEMA_PARTS_MAX]; /* [count] in an order of their own */
};

/* None yet. Sets are large: only the parts that there are are ever looked at. */
void schema_parts_init(struct schema_parts *parts);
void schema_parts_copy(struct schema_parts *to, const struct schema_parts *from);

/* Adds that the value stands in role to at, and all that follows from it. */
MUST_USE enum status schema_parts_add(const struct schema_document *document,
                                      struct schema_parts *parts, enum schema_role role,
                                      const struct json *at, struct error *err);
/* Adds that the value stands in role to what schema's keyword key refers to, if it has it. */
struct schema_parts_from {
    const struct schema_document *document;
    const struct json *schema;
    enum schema_role role;
};
MUST_USE enum status schema_parts_refer(const struct schema_parts_from *from,
                                        struct schema_parts *parts, const char *key,
                                        struct error *err);
/* Adds that of an array's items from min to max are of the schema at; max UINT32_MAX: any. */
struct schema_parts_count {
    const struct json *at;
    uint32_t min, max;
};
MUST_USE enum status schema_parts_contain(struct schema_parts *parts,
                                          struct schema_parts_count count, struct error *err);
/* Reads them from contains, minContains and maxContains of a schema. */
struct schema_parts_count schema_parts_contains(const struct json *schema);
MUST_USE enum status schema_parts_put(struct schema_parts *parts, struct schema_part part,
                                      struct error *err);
void schema_parts_remove(struct schema_parts *parts, uint32_t index);
bool schema_parts_equal(const struct schema_parts *a, const struct schema_parts *b);
uint32_t schema_parts_hash(const struct schema_parts *parts);

/* What schema says of properties that it does not list, and of items past the first: the one
 * or the other keyword; NULL: nothing. */
const struct json *schema_parts_additional(const struct json *schema);
const struct json *schema_parts_prefix(const struct json *schema);
const struct json *schema_parts_rest(const struct json *schema);

/* Whether what it says of them hangs on the schemas beside it (schema_evaluated.h). */
bool schema_parts_asks_properties(const struct json *schema);
bool schema_parts_asks_items(const struct json *schema);

/* The member of that name, whatever bytes it has; NULL: there is none. */
const struct json *schema_parts_member(const struct json *object, struct text name);

bool schema_parts_is_scalar(const struct json *value);

/* ERR_LIMIT where schema has a keyword that is not taken. */
MUST_USE enum status schema_parts_check(const struct schema_document *document,
                                        const struct json *schema, struct error *err);
/* Sets err: schema #PATH: KEYWORD is not supported. */
enum status schema_parts_refuse(const struct schema_document *document,
                                const struct json *schema, const char *keyword,
                                struct error *err);
#endif
