/*
 * schema_fewest - how few bytes lead to an end: what a value, the rest of an object and the
 * rest of an array take at least.
 *
 * Each number is the length of one way to the end, of which every byte brings one with a lesser
 * number: whoever follows it is sure to come to the end in so many bytes. It is the shortest
 * way, but for objects that have needs still to be met, where each property counts for the
 * dearest and meets one need, and for arrays with needs, where the way of fewest items is
 * taken.
 *
 * Estimates and no more: strings copied from a chunk of which a minimum of characters is still
 * to come, and patterns whose shortest text has more characters than maxLength leaves.
 */
#ifndef ENGINE_SCHEMA_FEWEST_H
#define ENGINE_SCHEMA_FEWEST_H

#include "engine/schema_build.h"

#define SCHEMA_FEWEST_NEVER UINT32_MAX

/* Of all nodes, once it is known which of them have a value. */
MUST_USE enum status schema_fewest_fill(struct schema_build *build);

/* a + b, or NEVER when either is. */
uint32_t schema_fewest_sum(uint64_t a, uint64_t b);
/* From behind a property to behind the closing brace. */
uint32_t schema_fewest_object(const struct schema_object *object,
                              const struct schema_progress *progress);

/* Within a name only its automaton's state changes: what each of its states and each way behind
 * it takes is kept, for some names that were asked for last, by object and progress. */
enum { SCHEMA_FEWEST_NAMES = 16, SCHEMA_FEWEST_WAYS = SCHEMA_NAMES_MAX + 64 };

struct schema_fewest_name {
    const struct schema_object *object;
    struct schema_progress progress;
    uint32_t *states, *floors; /* [AUTOMATON_STATES_MAX] 0: not known yet */
    uint32_t ways[SCHEMA_FEWEST_WAYS];
};

struct schema_fewest_names {
    struct schema_fewest_name list[SCHEMA_FEWEST_NAMES];
    uint32_t count, hand; /* the next to be given to another name */
    uint32_t last;        /* asked for: several ways of a text are asked for in turn */
};

/* NULL: the arena is full. */
struct schema_fewest_names *schema_fewest_names_new(struct arena *arena);
/* For another schema. */
void schema_fewest_names_forget(struct schema_fewest_names *names);
/* Kept for that name, valid until the next of these calls. */
struct schema_fewest_name *schema_fewest_name_of(struct schema_fewest_names *names,
                                                 const struct schema_object *object,
                                                 const struct schema_progress *progress);
/* From within a name, in that state of object->names, to behind the closing brace. */
uint32_t schema_fewest_name(const struct schema_node *nodes, struct schema_fewest_name *name,
                            uint32_t state);
/* No more than that from wherever the name may go on to. */
uint32_t schema_fewest_name_floor(const struct schema_node *nodes,
                                  struct schema_fewest_name *name, uint32_t state);
/* No less than that from wherever plain text leads to; NEVER: that is not known. */
uint32_t schema_fewest_name_settled(const struct schema_node *nodes,
                                    struct schema_fewest_name *name, uint32_t state);
/* From behind an item to behind the closing bracket. */
uint32_t schema_fewest_array(const struct schema_node *nodes, const struct schema_array *array,
                             uint32_t count, uint16_t marks);
/* The same where the comma of the next is not asked for. */
uint32_t schema_fewest_first(uint32_t rest);
/* Between the quotes: what a string of so many characters still takes. */
uint32_t schema_fewest_copied(uint32_t characters_left);

#endif
