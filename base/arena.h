/*
 * arena - memory that is given out piece by piece and released in one call.
 *
 * Three lifetimes exist in Cohort: process, request and step. Each is an arena. A piece is
 * zeroed, aligned, and never freed alone: arena_rewind takes back all that came after a mark.
 * An arena made by arena_init reserves its whole size in address space at once and the kernel
 * gives pages as they are touched, so a generous size costs nothing until it is used, and a
 * generous piece not what nobody writes of it.
 *
 * Owner    arena_init/arena_deinit own the mapping; an arena made by hand over a caller's
 *          buffer ({.base, .size}) needs no deinit.
 * Thread   one thread at a time.
 * Failure  a full arena answers NULL. Nothing is changed then.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct arena {
    uint8_t *base;
    size_t size;
    size_t used;   /* also the mark for arena_rewind */
    size_t unused; /* bytes at the end that never were used, and are zero already */
};

/* Reserves size bytes (rounded up to whole pages). ERR_MEMORY when the machine refuses. */
MUST_USE enum status arena_init(struct arena *arena, size_t size, struct error *err);

/* Gives the mapping back; the arena is empty afterwards. Safe on a zeroed struct. */
void arena_deinit(struct arena *arena);

/* Gives the system back what an arena of arena_init does not use, but for the rest of its last
 * page: for what is made once, with room to spare in the making. */
void arena_trim(struct arena *arena);

/* Empties an arena of arena_init. Of its pages the system gets back those that were used beyond
 * keep bytes; they come again as they are touched: for what is small but for now and then. */
void arena_empty(struct arena *arena, size_t keep);

/* count elements of elem_size bytes, zeroed, aligned to align (a power of two); NULL when
 * there is no room. count 0 gives a valid pointer to nothing. */
void *arena_push(struct arena *arena, size_t count, size_t elem_size, size_t align);

/* Takes back everything pushed since used was mark. */
void arena_rewind(struct arena *arena, size_t mark);

#define ARENA_NEW(arena, type, count)                                                          \
    ((type *)arena_push((arena), (count), sizeof(type), _Alignof(type)))

#ifdef __cplusplus
}
#endif
#endif
