/*
 * emu_memory - pages of one reserved range, given out in order.
 *
 * The range and its tables are reserved without access, which costs nothing, and opened piece
 * by piece. Addresses are not used again: a pointer kept too long points at no live piece.
 */
#include "tests/emu/emu_memory.h"

#include "tests/emu/emu_asan.h"

#include <string.h>
#include <sys/mman.h>

enum { ALIGNMENT = 64, PIECES_MAX = 1 << 20 };
static const size_t RANGE_BYTES_MAX = size_t{1} << 40, RANGE_BYTES_MIN = size_t{1} << 34;

uintptr_t emu_memory_base, emu_memory_limit;
uint32_t *emu_memory_pages;
struct emu_memory_piece *emu_memory_pieces;
unsigned char *emu_memory_tables[EMU_MEMORY_TABLES];
const size_t emu_memory_table_bytes[EMU_MEMORY_TABLES] = {32, 16, 8};

static uint32_t piece_count;
static uintptr_t next_page;

static void *reserve(size_t bytes, int access)
{
    void *at = mmap(nullptr, bytes, access, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? nullptr : at;
}

static void release(void *at, size_t bytes)
{
    if (at)
        munmap(at, bytes);
}

/* All or nothing. */
static bool range_open(size_t bytes)
{
    const size_t pages_bytes = bytes / EMU_MEMORY_PAGE * sizeof *emu_memory_pages;
    const size_t pieces_bytes = PIECES_MAX * sizeof *emu_memory_pieces;
    void *range = reserve(bytes, PROT_NONE);
    void *pages = reserve(pages_bytes, PROT_READ | PROT_WRITE);
    void *pieces = reserve(pieces_bytes, PROT_READ | PROT_WRITE);
    bool is_open = range && pages && pieces;
    for (int i = 0; i < EMU_MEMORY_TABLES; i++) {
        emu_memory_tables[i] = static_cast<unsigned char *>(
            reserve(bytes / 4 * emu_memory_table_bytes[i], PROT_NONE));
        is_open = is_open && emu_memory_tables[i];
    }
    if (!is_open) {
        release(range, bytes);
        release(pages, pages_bytes);
        release(pieces, pieces_bytes);
        for (int i = 0; i < EMU_MEMORY_TABLES; i++)
            release(emu_memory_tables[i], bytes / 4 * emu_memory_table_bytes[i]);
        return false;
    }
    emu_memory_base = next_page = reinterpret_cast<uintptr_t>(range);
    emu_memory_limit = emu_memory_base + bytes;
    emu_memory_pages = static_cast<uint32_t *>(pages);
    emu_memory_pieces = static_cast<struct emu_memory_piece *>(pieces);
    return true;
}

static bool tables_open(uintptr_t first, size_t bytes)
{
    for (int i = 0; i < EMU_MEMORY_TABLES; i++) {
        const size_t scale = emu_memory_table_bytes[i] / 4;
        if (mprotect(emu_memory_tables[i] + (first - emu_memory_base) * scale, bytes * scale,
                     PROT_READ | PROT_WRITE) != 0)
            return false;
    }
    return true;
}

/* Gives the pages back and bars them. */
static void pages_close(unsigned char *at, size_t bytes)
{
    (void)mmap(at, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
               -1, 0);
}

void *emu_memory_take(size_t bytes)
{
    if (emu_memory_base == 0)
        for (size_t range = RANGE_BYTES_MAX; !range_open(range); range /= 4)
            if (range <= RANGE_BYTES_MIN)
                return nullptr;
    bytes = bytes ? bytes : 1;
    if (bytes > emu_memory_limit - next_page || piece_count + 1 == PIECES_MAX)
        return nullptr;
    const size_t padded = (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    const size_t paged = (padded + EMU_MEMORY_PAGE - 1) / EMU_MEMORY_PAGE * EMU_MEMORY_PAGE;
    if (paged + EMU_MEMORY_PAGE > emu_memory_limit - next_page)
        return nullptr;
    const uintptr_t first = next_page;
    if (mprotect(reinterpret_cast<void *>(first), paged, PROT_READ | PROT_WRITE) != 0 ||
        !tables_open(first, paged))
        return nullptr;
    const uint32_t number = ++piece_count;
    for (size_t page = 0; page < paged / EMU_MEMORY_PAGE; page++)
        emu_memory_pages[(first - emu_memory_base) / EMU_MEMORY_PAGE + page] = number;
    next_page = first + paged + EMU_MEMORY_PAGE; /* one is a guard */
    struct emu_memory_piece *piece = &emu_memory_pieces[number];
    piece->start = first + paged - padded;
    piece->end = piece->start + bytes;
    emu_asan_bar(reinterpret_cast<void *>(first), paged - padded);
    emu_asan_bar(reinterpret_cast<void *>(piece->end), padded - bytes);
    return reinterpret_cast<void *>(piece->start);
}

bool emu_memory_drop(void *memory)
{
    const uintptr_t start = reinterpret_cast<uintptr_t>(memory);
    if (start < emu_memory_base || start >= emu_memory_limit)
        return false;
    struct emu_memory_piece *piece = emu_memory_at(start);
    if (piece == nullptr || piece->start != start)
        return false;
    const uintptr_t first = start / EMU_MEMORY_PAGE * EMU_MEMORY_PAGE;
    const size_t paged =
        (piece->end - first + EMU_MEMORY_PAGE - 1) / EMU_MEMORY_PAGE * EMU_MEMORY_PAGE;
    emu_asan_open(reinterpret_cast<void *>(first), paged);
    piece->start = piece->end = 0;
    pages_close(reinterpret_cast<unsigned char *>(first), paged);
    for (int i = 0; i < EMU_MEMORY_TABLES; i++) {
        const size_t scale = emu_memory_table_bytes[i] / 4;
        pages_close(emu_memory_tables[i] + (first - emu_memory_base) * scale, paged * scale);
    }
    return true;
}

bool emu_memory_is_live(const void *address, size_t bytes)
{
    const uintptr_t start = reinterpret_cast<uintptr_t>(address);
    if (start < emu_memory_base || start >= emu_memory_limit)
        return false;
    const struct emu_memory_piece *piece = emu_memory_at(start);
    return piece && bytes <= piece->end - start;
}
