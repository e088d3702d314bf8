/*
 * iter - going through a value's items one by one.
 *
 * An iterator is an object with a step function. iter_next charges one step of fuel per item,
 * so that an endless iterator ends in a budget.
 */
#ifndef DSL_ITER_H
#define DSL_ITER_H

#include "protocol/dsl/value.h"

/* NULL when it raised: TypeError, 'int' object is not iterable. */
struct iter *iter_of(struct interp *in, struct value value);
/* The same with the words of `x in value`. */
struct iter *iter_of_container(struct interp *in, struct value value);
enum iter_result iter_next(struct interp *in, struct iter *iter, struct value *item);

/* An iterator with its step function; type_name as type(x).__name__ says it. */
struct iter *iter_new(struct interp *in, value_step *step, const char *type_name);
/* Over the items of a list. */
struct iter *iter_of_list(struct interp *in, struct list *list);

enum iter_dict_part { ITER_KEYS, ITER_VALUES, ITER_ITEMS };
/* Over a dict's keys, values or (key, value) pairs. RuntimeError when it changes size. */
struct iter *iter_of_dict(struct interp *in, struct dict *dict, enum iter_dict_part part);
/* Whether iter_of takes it. */
bool iter_can(struct value value);
/* dict.keys() and so on: can be gone through several times. */
bool iter_is_view(const struct iter *iter);
/* dict.keys() and dict.items() act as sets; dict.values() does not. */
bool iter_is_set_view(struct value value);
struct iter *iter_view(struct interp *in, struct dict *dict, enum iter_dict_part part);

static inline struct value iter_value(struct iter *iter)
{
    return (struct value){.kind = VALUE_ITER, .as.iter = iter};
}
#endif
