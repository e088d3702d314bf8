/*
 * words - the words of a text as retrieval compares them: lower case, without their endings.
 *
 * A word is a run of ASCII letters and digits and of code points from U+00C0 up; a code point
 * from U+2E80 up (Chinese, Japanese, Korean) is a word by itself, for those scripts put no
 * space between words. The stem is a crude one for English: known endings are cut while four
 * bytes remain, so that `terminate`, `terminated` and `termination` meet; a table has what no
 * ending tells (`held`, `licence`). Words that carry no
 * content (the, which, may, ...) are marked, never hidden: the caller decides.
 */
#ifndef BASE_WORDS_H
#define BASE_WORDS_H

#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WORDS_STEM_MAX = 40 };

struct words_reader {
    struct text text;
    size_t offset; /* of what was not read yet */
};

struct words_word {
    uint64_t stem;  /* FNV-1a of the stem: equal stems, equal number */
    size_t offset;  /* in the text */
    size_t size;    /* bytes in the text */
    bool is_common; /* carries no content */
    bool is_number; /* digits only */
};

/* Reads the next word; false at the end. */
bool words_next(struct words_reader *reader, struct words_word *word);

/* The distinct stems of content words in text, at most max of them; gives how many. Falls
 * back to common words when the text has no others. */
uint32_t words_content(struct text text, uint64_t *stems, uint32_t max);

/* The stems of content words in text in their order, repeats included, at most max of them. */
uint32_t words_sequence(struct text text, uint64_t *stems, uint32_t max);

/* Share of text's content words, 0 to 1, whose stem is among stems; 1 for a text without any.
 * Numbers weigh as words do. */
double words_share(struct text text, const uint64_t *stems, uint32_t count);

#endif
