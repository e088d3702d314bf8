/* jinja_value - making, comparing and searching the values of the template language. */
#ifndef TOKENIZER_JINJA_VALUE_H
#define TOKENIZER_JINJA_VALUE_H

#include "tokenizer/jinja.h"

struct json;

struct jinja_value jinja_value_undefined(struct text hint);
struct jinja_value jinja_value_bool(bool boolean);
struct jinja_value jinja_value_int(int64_t integer);
struct jinja_value jinja_value_float(double real);
/* A string whose bytes, borrowed, are all trusted or all data. */
MUST_USE enum status jinja_value_text(struct jinja *jinja, struct text text, bool trusted,
                                      struct jinja_value *value);
/* Empty; kind JINJA_LIST, JINJA_TUPLE, JINJA_MAP or JINJA_NAMESPACE. */
MUST_USE enum status jinja_value_new(struct jinja *jinja, enum jinja_kind kind,
                                     struct jinja_value *value);
/* A JSON value, all of whose strings are data. They are borrowed. */
MUST_USE enum status jinja_value_from_json(struct jinja *jinja, const struct json *json,
                                           struct jinja_value *value);

MUST_USE enum status jinja_value_push(struct jinja *jinja, struct jinja_list *list,
                                      struct jinja_value item);
/* Sets a key, which is a string or a number; an equal key is overwritten. */
MUST_USE enum status jinja_value_put(struct jinja *jinja, struct jinja_map *map,
                                     struct jinja_value key, struct jinja_value value);
/* NULL when the key is not there. */
struct jinja_value *jinja_value_get(const struct jinja_map *map, struct text key);

bool jinja_value_is_true(const struct jinja_value *value);
bool jinja_value_is_number(const struct jinja_value *value); /* bool too, as in Python */
double jinja_value_number(const struct jinja_value *value);
/* What can stand where Python wants an integer: int and bool. */
bool jinja_value_integer(const struct jinja_value *value, int64_t *integer);
bool jinja_value_equal(const struct jinja_value *a, const struct jinja_value *b);
/* -1, 0, 1 in *order; false when the two have none. */
bool jinja_value_order(const struct jinja_value *a, const struct jinja_value *b, int *order);
/* Python's `in`. ERR_FORMAT when container is none. */
MUST_USE enum status jinja_value_contains(struct jinja *jinja,
                                          const struct jinja_value *container,
                                          const struct jinja_value *item, bool *contains);
/* What a for loop goes through, as a list: items, keys, or characters. */
MUST_USE enum status jinja_value_iterate(struct jinja *jinja, const struct jinja_value *value,
                                         const struct jinja_list **items);
/* Python's name for the type: for messages. */
const char *jinja_value_type(const struct jinja_value *value);

#endif
