/*
 * document_walk - which files a path stands for: itself, or what is in a folder.
 *
 * A folder is walked whole, names in the order of bytes. Left out, and counted: names that
 * begin with a dot, what .gitignore files name (those of the folder, below it, and above it up
 * to a repository's top), symbolic links (so that no loop and no way out of the folder exists),
 * and what is neither file nor folder. A path that is given itself is taken as it is.
 */
#ifndef MINIONS_DOCUMENT_WALK_H
#define MINIONS_DOCUMENT_WALK_H

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    DOCUMENT_WALK_DEPTH_MAX = 64,
    DOCUMENT_WALK_FILES_MAX = 1 << 16,
    DOCUMENT_WALK_ENTRIES_MAX = 1 << 20 /* looked at, all folders together */
};

struct document_walk_file {
    const char *path; /* to open it by */
    struct text name; /* the path below the folder; of a file that was given: its last part */
    bool is_found;    /* in a folder */
};

struct document_walk {
    struct arena arena;
    struct document_walk_file *files; /* [count] */
    uint32_t count;
    uint32_t entries;                          /* looked at */
    uint32_t hidden, ignored, links, specials; /* left out */
};

/* ERR_MEMORY. */
MUST_USE enum status document_walk_init(struct document_walk *walk, struct error *err);
void document_walk_deinit(struct document_walk *walk); /* safe on a zeroed struct */

/* Adds what path stands for; "-" and what does not exist are added as they are. ERR_IO a folder
 * cannot be read; ERR_LIMIT it is too deep or holds too much; ERR_MEMORY. */
MUST_USE enum status document_walk_add(struct document_walk *walk, const char *path,
                                       struct error *err);

#endif
