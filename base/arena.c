/* arena - see arena.h. */
#include "base/arena.h"

#include <assert.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t size_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

enum status arena_init(struct arena *arena, size_t size, struct error *err)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (size == 0 || size > SIZE_MAX - page)
        FAIL(err, ERR_LIMIT, "arena: size %zu is out of range", size);
    const size_t whole = (size + page - 1) / page * page;
    void *base = mmap(NULL, whole, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        FAIL(err, ERR_MEMORY, "arena: the machine has no room for %zu bytes", whole);
    *arena = (struct arena){.base = base, .size = whole, .unused = whole};
    return OK;
}

void arena_trim(struct arena *arena)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t whole = arena->used > 0 ? (arena->used + page - 1) / page * page : page;
    if (whole >= arena->size)
        return;
    munmap(arena->base + whole, arena->size - whole);
    arena->unused -= size_min(arena->unused, arena->size - whole);
    arena->size = whole;
}

void arena_empty(struct arena *arena, size_t keep)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t kept = (keep + page - 1) / page * page;
    const size_t dirty = arena->size - arena->unused;
    if (dirty > kept && madvise(arena->base + kept, dirty - kept, MADV_DONTNEED) == 0)
        arena->unused = arena->size - kept;
    arena->used = 0;
}

void arena_deinit(struct arena *arena)
{
    if (arena->base)
        munmap(arena->base, arena->size);
    *arena = (struct arena){0};
}

void *arena_push(struct arena *arena, size_t count, size_t elem_size, size_t align)
{
    assert(elem_size > 0 && align > 0 && (align & (align - 1)) == 0);
    const uintptr_t at = (uintptr_t)arena->base + arena->used;
    const size_t pad = (size_t)(-at & (align - 1));
    if (pad > arena->size - arena->used ||
        count > (arena->size - arena->used - pad) / elem_size)
        return NULL;
    const size_t first = arena->used + pad, dirty = arena->size - arena->unused;
    arena->used = first + count * elem_size;
    if (first < dirty)
        memset(arena->base + first, 0, size_min(dirty, arena->used) - first);
    arena->unused = size_min(arena->unused, arena->size - arena->used);
    return arena->base + first;
}

void arena_rewind(struct arena *arena, size_t mark)
{
    assert(mark <= arena->used);
    arena->used = mark;
}
