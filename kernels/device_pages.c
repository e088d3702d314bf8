/* device_pages - see device_pages.h. Blocks lie at multiples of their size, so that a piece's
 * address tells its block, whose head counts the pieces. */
#include "kernels/device_pages.h"

#include "base/checked.h"
#include "base/sanitized.h"

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CACHE_LINE = 64, BLOCK_BYTES = 32 << 20 };

struct device_pages_block {
    size_t used;   /* bytes given so far, this head among them */
    size_t pieces; /* not yet freed */
};

static bool is_piece(size_t bytes)
{
    return !SANITIZED_ADDRESS && bytes >= DEVICE_PAGES_PIECE_MIN && bytes < DEVICE_PAGES_LARGE;
}

/* Fresh pages at a multiple of `align`, a power of two. The system zeroes a page when it is
 * first touched, so a generous pool costs only what is used of it. Kernels before Linux 6.7
 * map a piece anywhere: it would have small pages at both ends. */
static void *pages_map(size_t bytes, size_t align)
{
    size_t pages, whole;
    if (!checked_align_size(bytes, (size_t)sysconf(_SC_PAGESIZE), &pages) ||
        !checked_add_size(pages, align, &whole))
        return NULL;
    uint8_t *memory =
        mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    const size_t before = (align - (uintptr_t)memory % align) % align;
    if (before > 0)
        munmap(memory, before);
    munmap(memory + before + pages, align - before);
    memory += before;
    (void)madvise(memory, pages, MADV_HUGEPAGE); /* a hint: refusal changes nothing */
    return memory;
}

/* padded: a multiple of CACHE_LINE, less than a block. */
static void *piece_alloc(struct device_pages *pages, size_t padded)
{
    struct device_pages_block *block = pages->block;
    if (block == NULL || BLOCK_BYTES - block->used < padded) {
        block = pages_map(BLOCK_BYTES, BLOCK_BYTES);
        if (block == NULL)
            return NULL;
        block->used = CACHE_LINE;
        pages->block = block;
    }
    void *memory = (uint8_t *)block + block->used;
    block->used += padded;
    block->pieces++;
    return memory;
}

static void piece_free(struct device_pages *pages, void *memory)
{
    struct device_pages_block *block =
        (void *)((uint8_t *)memory - (uintptr_t)memory % BLOCK_BYTES);
    assert(block->pieces > 0);
    if (--block->pieces > 0)
        return;
    if (pages->block == block)
        pages->block = NULL;
    munmap(block, BLOCK_BYTES);
}

void *device_pages_alloc(struct device_pages *pages, size_t bytes)
{
    size_t padded;
    if (!checked_align_size(bytes == 0 ? 1 : bytes, CACHE_LINE, &padded))
        return NULL;
    if (is_piece(bytes))
        return piece_alloc(pages, padded);
    if (bytes >= DEVICE_PAGES_LARGE)
        return pages_map(bytes, DEVICE_PAGES_LARGE);
    void *memory = aligned_alloc(CACHE_LINE, padded);
    return memory == NULL ? NULL : memset(memory, 0, padded);
}

void device_pages_free(struct device_pages *pages, void *memory, size_t bytes)
{
    if (memory == NULL)
        return;
    if (is_piece(bytes))
        piece_free(pages, memory);
    else if (bytes >= DEVICE_PAGES_LARGE)
        munmap(memory, bytes);
    else
        free(memory);
}
