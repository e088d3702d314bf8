/*
 * emu_memory - device memory: a range of addresses of its own, that is never used twice.
 *
 * Each piece ends, but for its rounding to 64 bytes, at a guard page; what is freed becomes
 * inaccessible. So an address tells at once whether it is device memory, and of which piece.
 */
#ifndef TESTS_EMU_MEMORY_H
#define TESTS_EMU_MEMORY_H

#include <stddef.h>
#include <stdint.h>

struct emu_memory_piece {
    uintptr_t start, end;    /* end: of the bytes asked for; 0 when freed */
    uint64_t written_launch; /* the first block number of the launch that last wrote here */
};

enum { EMU_MEMORY_PAGE = 4096 };

extern uintptr_t emu_memory_base, emu_memory_limit; /* of the range; 0, 0: none yet */
extern uint32_t *emu_memory_pages; /* [pages of the range] number of the piece; 0: none */
extern struct emu_memory_piece *emu_memory_pieces;

/* Zeroed, aligned to 64; NULL when there is no room. */
void *emu_memory_take(size_t bytes);
/* False: no such piece. */
bool emu_memory_drop(void *memory);
/* Whether [address, address + bytes) lies in one live piece. */
bool emu_memory_is_live(const void *address, size_t bytes);

/* The live piece at address, which must lie in the range; NULL: none. */
static inline struct emu_memory_piece *emu_memory_at(uintptr_t address)
{
    struct emu_memory_piece *piece =
        &emu_memory_pieces[emu_memory_pages[(address - emu_memory_base) / EMU_MEMORY_PAGE]];
    return address >= piece->start && address < piece->end ? piece : nullptr;
}

/* Tables beside device memory: [range bytes / 4] of element_bytes, zero, and there wherever
 * live pieces are. Asked for before the first piece is taken. */
enum { EMU_MEMORY_TABLES = 3 };
extern unsigned char *emu_memory_tables[EMU_MEMORY_TABLES];
extern const size_t emu_memory_table_bytes[EMU_MEMORY_TABLES]; /* per four bytes of memory */

#endif
