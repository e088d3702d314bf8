/* jinja_member - what lies inside a value: members by name, items by index, slices. */
#ifndef TOKENIZER_JINJA_MEMBER_H
#define TOKENIZER_JINJA_MEMBER_H

#include "tokenizer/jinja_value.h"

/* object.name. What is not there is undefined; ERR_FORMAT when object itself is. */
MUST_USE enum status jinja_member_attr(struct jinja *jinja, const struct jinja_value *object,
                                       struct text name, struct jinja_value *result);
/* object[index]. */
MUST_USE enum status jinja_member_item(struct jinja *jinja, const struct jinja_value *object,
                                       const struct jinja_value *index,
                                       struct jinja_value *result);
/* A path as filters take it: names and numbers with dots. */
MUST_USE enum status jinja_member_path(struct jinja *jinja, const struct jinja_value *object,
                                       struct text path, struct jinja_value *result);
/* object[start:stop:step]; bounds that are none are left out. */
MUST_USE enum status jinja_member_slice(struct jinja *jinja, const struct jinja_value *object,
                                        const struct jinja_value bounds[3],
                                        struct jinja_value *result);

#endif
