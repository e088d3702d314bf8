/*
 * sentence - where the sentences of a text lie.
 *
 * A sentence ends
 *   - at a blank line, or at the end of the text;
 *   - before and behind a row of a table (sentence_is_row);
 *   - before a Markdown heading, list item or table row that begins a line;
 *   - after . ! ? (with closing quotes and brackets) before white space and a letter that is
 *     not small, a digit or an opening quote or bracket. Not after an abbreviation (`e.g.`,
 *     `Inc.`), a single capital (`J.`) or a short label at the beginning (`3.`, `a)`);
 *   - after the ideographic full stop;
 *   - at the last white space (else the last whole character) before SENTENCE_BYTES_MAX.
 * Each is a span of the text without white space at its ends, in order, never overlapping.
 */
#ifndef MINIONS_SENTENCE_H
#define MINIONS_SENTENCE_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

enum { SENTENCE_BYTES_MAX = 1200 };

struct sentence_reader {
    struct text text;
    size_t offset;  /* of what was not read yet */
    bool has_lines; /* each line is one, as in a CSV file: nothing else ends it */
};

/* The next sentence as text[*begin, *begin + *size); false at the end. */
bool sentence_next(struct sentence_reader *reader, size_t *begin, size_t *size);

/* Whether a line is a row of a table in plain text: columns with a tab or at least three spaces
 * between them, of which one but the first begins with a figure. */
bool sentence_is_row(struct text line);

/* Whether a name is signed with: `/s/ Jane Roe`, `(signed) Jane Roe`, `Signed: Jane Roe`, or
 * `Name: Jane Roe` beside `By:` or `Title:`. A blank form, `Name: ____`, is none. */
bool sentence_is_signature(struct text sentence);

/* Whether a sentence is rather a heading: at most ten words that no mark ends, or that are a
 * number and a title (`15. Disclaimer of Warranty.`), or a Markdown heading. A signature is
 * none. */
bool sentence_is_heading(struct text sentence);

#endif
