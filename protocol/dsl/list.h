/*
 * list - lists and tuples.
 *
 * Growth doubles, so the bytes a list leaves behind in the arena are at most its own size.
 * Functions answer NULL or false when a budget tripped.
 */
#ifndef DSL_LIST_H
#define DSL_LIST_H

#include "protocol/dsl/value.h"

struct list *list_new(struct interp *in, uint32_t capacity);
struct list *list_of(struct interp *in, const struct value *items, uint32_t count);
bool list_push(struct interp *in, struct list *list, struct value item);
bool list_extend(struct interp *in, struct list *list, const struct value *items,
                 uint32_t count);
/* Replaces [begin, begin + removed) by count items, which may lie in the list itself. */
bool list_splice(struct interp *in, struct list *list, uint32_t begin, uint32_t removed,
                 const struct list *items);
struct list *list_slice(struct interp *in, const struct list *list, uint32_t begin,
                        uint32_t count);
struct list *list_repeat(struct interp *in, const struct list *list, int64_t times);
/* Everything that value yields, in a new list. NULL when it raised. */
struct list *list_from(struct interp *in, struct value iterable);

/* Stable; key is unset for none. */
bool list_sort(struct interp *in, struct list *list, struct value key, bool reverse);
#endif
