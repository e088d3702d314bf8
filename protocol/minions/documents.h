/*
 * documents - the texts a question is asked about, read whole and checked once.
 *
 * A path is a file, a folder (document_walk) or "-" for standard input; a file is text in
 * whatever encoding (document_text), HTML, PDF or DOCX, and becomes UTF-8 with line feeds. A
 * UTF-8 file with line feeds keeps its bytes, so that an offset given out is one in the file.
 * What a document says is data: nothing here or above takes it for an instruction or for a
 * special token.
 *
 * A file that was given and cannot be read is an error; one in a folder is passed over, and
 * notes say so.
 *
 * Owner    documents_open gives, documents_close takes; all text is valid until then.
 */
#ifndef MINIONS_DOCUMENTS_H
#define MINIONS_DOCUMENTS_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum { DOCUMENTS_MAX = 1024, DOCUMENTS_PLACE_MAX = 200 };
#define DOCUMENTS_BYTES_MAX ((size_t)256 << 20) /* all of them together */

/* How places in a document are named. */
struct documents_layout {
    uint32_t *lines; /* [line_count] the line of the file that each line of the text is from;
                            NULL: the same */
    size_t line_count;
    bool has_records; /* each line is one: CSV, TSV, JSON lines */
    bool is_paged;    /* pages end with form feeds, and the file has no lines of its own */
};

struct documents {
    struct text *texts; /* [count] whole content */
    struct text *paths; /* [count] as they were asked for; of a file in a folder, with it */
    struct text *names; /* [count] the path's last part; in a folder, the path below it; the
                           whole path where two would be called the same. UTF-8, one line */
    struct documents_layout *layouts; /* [count]; NULL: all are plain */
    uint32_t count;
    size_t bytes;          /* all texts together */
    struct text_buf notes; /* lines for people: what was passed over, encodings guessed */
};

/* Reads count files and folders. ERR_IO one cannot be read; ERR_FORMAT it is of no kind that
 * can be, or all together hold no text; ERR_LIMIT too many or too large; ERR_MEMORY. */
MUST_USE enum status documents_open(struct documents *documents, const char *const *paths,
                                    uint32_t count, struct error *err);
/* A file that came by another way: its name, as people gave it, and what is in it. */
struct documents_file {
    struct text name, bytes;
};
/* The same of count files at hand, whose bytes are read as what they are. */
MUST_USE enum status documents_of(struct documents *documents,
                                  const struct documents_file *files, uint32_t count,
                                  struct error *err);
void documents_close(struct documents *documents); /* safe on a zeroed struct */

/* A place for people, NUL-terminated: `report.pdf p. 47`, else `GPL-3 line 412`, where a text
 * has form feeds `notes.txt p. 2 line 71`, and with the nearest heading above, in Markdown and
 * HTML, `README.md line 12 ("Install")`. */
void documents_place(const struct documents *documents, uint32_t index, size_t offset,
                     char place[DOCUMENTS_PLACE_MAX]);

/* Where a passage that came from somewhere in the documents lies, after white-space folding;
 * first place first. False: nowhere. */
bool documents_find(const struct documents *documents, struct text passage, uint32_t *index,
                    size_t *offset, size_t *size);

#endif
