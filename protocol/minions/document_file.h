/*
 * document_file - a file's bytes, taken as a stranger's.
 *
 * Regular files and standard input alone: a pipe, socket or device is refused by what it is,
 * before a byte is read, so that nothing here waits for one. A file that changes while it is
 * read is refused, since half of it would be of another time.
 */
#ifndef MINIONS_DOCUMENT_FILE_H
#define MINIONS_DOCUMENT_FILE_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>

struct document_file {
    const char *path; /* "-": standard input */
    bool is_found;    /* come upon in a folder: a symbolic link is not followed */
};

/* Reads all of it into bytes, which must be empty. ERR_IO it cannot be read, or changed
 * meanwhile; ERR_FORMAT it is no file (a folder, device, ...); ERR_LIMIT larger than size_max.
 * ERR_MEMORY. */
MUST_USE enum status document_file_read(const struct document_file *file, size_t size_max,
                                        struct text_buf *bytes, struct error *err);

#endif
