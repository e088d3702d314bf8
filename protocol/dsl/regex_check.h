/*
 * regex_check - what is wrong with a regular expression, in CPython's words and places.
 *
 * Only Python's grammar is looked at: what RE2 cannot do passes here (regex_translate refuses
 * it), but for what a look-around, a back-reference or a condition may hold.
 */
#ifndef DSL_REGEX_CHECK_H
#define DSL_REGEX_CHECK_H

#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum { REGEX_CHECK_NEST_MAX = 200 };

/* flags: Python's own numbers, those at the pattern's head included. false: *message says what
 * and where, as in "nothing to repeat at position 3". */
bool regex_check(struct text pattern, int64_t flags, char message[200]);
#endif
