/*
 * device_pages - the host's memory for device_alloc: zeroed, in large pages where it pays.
 *
 *     below 64 KiB          the C library's heap
 *     from there to 2 MiB   pieces of a block of 32 MiB: a small model is hundreds of such
 *                           pieces, which in mappings of their own would have small pages only
 *     from 2 MiB on         a mapping, beginning where a large page may
 *
 * A block gives its memory once, from front to back, and goes when its last piece does. Under
 * an address sanitizer there are no blocks, so that it sees the end of every piece.
 *
 * Owner    the caller owns the struct, {0} at first; every piece must be freed, with its size.
 * Thread   one at a time.
 */
#ifndef KERNELS_DEVICE_PAGES_H
#define KERNELS_DEVICE_PAGES_H

#include <stddef.h>

enum { DEVICE_PAGES_PIECE_MIN = 1 << 16, DEVICE_PAGES_LARGE = 2 << 20 };

struct device_pages_block;

struct device_pages {
    struct device_pages_block *block; /* pieces are cut from it; NULL: none yet */
};

/* Aligned to 64 bytes, from DEVICE_PAGES_LARGE on to that; NULL when there is none left. */
void *device_pages_alloc(struct device_pages *pages, size_t bytes);
void device_pages_free(struct device_pages *pages, void *memory, size_t bytes);

#endif
