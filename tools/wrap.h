/*
 * wrap - text in lines that the terminal need not break.
 *
 * A column is a code point. A word that is wider than the terminal stays whole, on a line of
 * its own.
 */
#ifndef TOOLS_WRAP_H
#define TOOLS_WRAP_H

#include "base/text.h"

enum { WRAP_COLUMNS_MIN = 40, WRAP_COLUMNS_USUAL = 80, WRAP_COLUMNS_MAX = 100 };

/* Columns of the terminal that standard output is, WRAP_COLUMNS_MIN .. WRAP_COLUMNS_MAX (longer
 * lines are hard to read); WRAP_COLUMNS_USUAL where it is none. */
size_t wrap_columns(void);

/* Appends the words of text in lines of at most columns, each but the first indented; the first
 * begins where the caller has written so much. Ends with a line feed. */
void wrap_add(struct text_buf *out, struct text text, size_t columns, size_t indent);

#endif
