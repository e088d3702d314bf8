/*
 * documents - the texts a question is asked about, read whole and checked once.
 *
 * Text and Markdown, UTF-8. A document's bytes are kept as they are in the file, so that an
 * offset given out is an offset in the file. What they say is data: nothing here or above
 * takes it for an instruction or for a special token.
 *
 * Owner    documents_open gives, documents_close takes; all text is valid until then.
 */
#ifndef MINIONS_DOCUMENTS_H
#define MINIONS_DOCUMENTS_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum { DOCUMENTS_MAX = 256, DOCUMENTS_PLACE_MAX = 200 };
#define DOCUMENTS_BYTES_MAX ((size_t)256 << 20) /* all of them together */

struct documents {
    struct text *texts; /* [count] whole content */
    struct text *paths; /* [count] as they were asked for */
    struct text *names; /* [count] last component of the path */
    uint32_t count;
    size_t bytes; /* all texts together */
};

/* Reads count files ("-": standard input). ERR_IO it cannot be read; ERR_FORMAT it is not
 * UTF-8 text (the byte is named), holds more than one NUL in 100, or all files together hold no
 * text; ERR_LIMIT too many or too large. */
MUST_USE enum status documents_open(struct documents *documents, const char *const *paths,
                                    uint32_t count, struct error *err);
void documents_close(struct documents *documents); /* safe on a zeroed struct */

/* A place for people, NUL-terminated: `GPL-3 line 412`, and for Markdown
 * `README.md line 12 ("Install")`, the nearest heading above. */
void documents_place(const struct documents *documents, uint32_t index, size_t offset,
                     char place[DOCUMENTS_PLACE_MAX]);

/* Where a passage that came from somewhere in the documents lies, after white-space folding;
 * first place first. False: nowhere. */
bool documents_find(const struct documents *documents, struct text passage, uint32_t *index,
                    size_t *offset, size_t *size);

#endif
