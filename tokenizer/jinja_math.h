/* jinja_math - the operators of the template language, with Python's meaning: whole-number
 * division rounds down, % takes the sign of its right side. Integers have 64 bits; what does
 * not fit is refused (ERR_LIMIT), not wrapped. */
#ifndef TOKENIZER_JINJA_MATH_H
#define TOKENIZER_JINJA_MATH_H

#include "tokenizer/jinja_value.h"

/* Two values and what is between them: + - * / // % ** ~ */
struct jinja_math {
    struct text operator;
    const struct jinja_value *left, *right;
};
MUST_USE enum status jinja_math_binary(struct jinja *jinja, const struct jinja_math *math,
                                       struct jinja_value *result);
/* "-" or "+" before a number. */
MUST_USE enum status jinja_math_unary(struct jinja *jinja, struct text operator,
                                      const struct jinja_value * value,
                                      struct jinja_value *result);
/* == != < <= > >= in, not in. */
MUST_USE enum status jinja_math_compare(struct jinja *jinja, struct text operator,
                                        const struct jinja_value * left,
                                        const struct jinja_value *right, bool *result);

#endif
