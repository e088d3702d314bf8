/*
 * file_map - a whole file as read-only memory.
 *
 * The file must not shrink while it is mapped (reading past its new end raises SIGBUS): open
 * what is yours. Regular files only; an empty file maps to {NULL, 0}.
 */
#ifndef BASE_FILE_MAP_H
#define BASE_FILE_MAP_H

#include "base/error.h"
#include "base/text.h"

struct file_map {
    const uint8_t *data;
    size_t size;
    uint64_t device, inode; /* which file it is; 0, 0: none that has bytes */
};

/* Whether path is the file that was mapped, by whatever name. */
bool file_map_is(const struct file_map *map, const char *path);

/* ERR_IO    cannot open or map; the sentence names the path and the system's reason.
 * ERR_LIMIT larger than size_max bytes (0: no limit). */
MUST_USE enum status file_map_open(struct file_map *map, const char *path, size_t size_max,
                                   struct error *err);
void file_map_close(struct file_map *map);

/* Reads path whole ("-": standard input, which need not be regular) into buf. Same errors. */
MUST_USE enum status file_map_read(struct text_buf *buf, const char *path, size_t size_max,
                                   struct error *err);

#endif
