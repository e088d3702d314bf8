/*
 * emu_global - a shadow in the tables beside device memory (emu_memory).
 *
 * An entry is `block << 35 | bytes << 31 | stamp << 10 | thread`; entries of blocks before the
 * launch's first mean nothing. Table 0 has the last writer of each byte (bit 31: atomically).
 * Table 1 has two readers of each four bytes: the last, and one before it that a write must
 * also be ordered after, of another block where there is one. Table 2 has the places in the
 * code, for reports. Of three unordered readers in a block the first may be forgotten.
 */
#include "tests/emu/emu_global.h"

#include "tests/emu/emu_block.h"
#include "tests/emu/emu_memory.h"
#include "tests/emu/emu_report.h"

enum { BLOCK_SHIFT = 35, BYTES_SHIFT = 31, STAMP_SHIFT = 10, THREAD_MASK = 1023 };
static const uint64_t ATOMIC = uint64_t{1} << 31;
static const uint32_t STAMP_MASK = (1u << 21) - 1;

struct writers {
    uint64_t byte[4];
};

struct readers {
    uint64_t last, before;
};

struct places { /* relative to emu_global_touch */
    int32_t writer, reader;
};

static inline intptr_t origin(void)
{
    return reinterpret_cast<intptr_t>(&emu_global_touch);
}

static inline int32_t place_of(const void *pc)
{
    return static_cast<int32_t>(reinterpret_cast<intptr_t>(pc) - origin());
}

template <class T> static inline T *table(int number, uintptr_t address)
{
    return reinterpret_cast<T *>(emu_memory_tables[number]) + (address - emu_memory_base) / 4;
}

static inline bool is_this_block(uint64_t entry)
{
    const uint64_t mask = (uint64_t{1} << (64 - BLOCK_SHIFT)) - 1;
    return entry >> BLOCK_SHIFT == (emu_block.number & mask);
}

/* Entries below this are of earlier launches. */
static inline uint64_t launch_floor(void)
{
    return emu_block.launch_first << BLOCK_SHIFT;
}

static inline bool is_ordered(uint64_t entry)
{
    if (!is_this_block(entry))
        return false;
    return emu_block.has_forgotten ||
           emu_block_is_ordered(static_cast<int>(entry & THREAD_MASK),
                                static_cast<uint32_t>(entry >> STAMP_SHIFT) & STAMP_MASK,
                                emu_block.running);
}

static void race(uintptr_t address, uint64_t other, enum emu_access access, bool other_wrote,
                 const void *pc)
{
    const struct places *places = table<struct places>(2, address);
    const struct emu_memory_piece *piece = emu_memory_at(address);
    const intptr_t at = origin() + (other_wrote ? places->writer : places->reader);
    char who[48], whom[48];
    emu_report_add(
        EMU_RACE, pc, reinterpret_cast<const void *>(at),
        "%s %s byte %zu of a device buffer of %zu, which %s of %s block %s",
        emu_block_name_thread(emu_block.running->number, who, sizeof who),
        access == EMU_READ    ? "reads"
        : access == EMU_WRITE ? "writes"
                              : "adds to",
        static_cast<size_t>(address - piece->start),
        static_cast<size_t>(piece->end - piece->start),
        emu_block_name_thread(static_cast<int>(other & THREAD_MASK), whom, sizeof whom),
        is_this_block(other) ? "this" : "another", other_wrote ? "wrote" : "read");
}

/* True when there is a race, which is reported. */
static bool check_writers(uintptr_t address, size_t bytes, enum emu_access access,
                          const void *pc)
{
    const uint64_t floor = launch_floor();
    for (uintptr_t at = address; at < address + bytes; at++) {
        const uint64_t entry = table<struct writers>(0, at)->byte[at % 4];
        if (entry < floor || is_ordered(entry) || (access == EMU_ATOMIC && (entry & ATOMIC)))
            continue;
        race(at, entry, access, true, pc);
        return true;
    }
    return false;
}

static void note_read(uintptr_t word, uint64_t mask, const void *pc)
{
    struct readers *readers = table<struct readers>(1, word);
    const uint64_t floor = launch_floor(), last = readers->last;
    const uint64_t same =
        ~((uint64_t{STAMP_MASK} << STAMP_SHIFT) | uint64_t{15} << BYTES_SHIFT);
    uint64_t mine = emu_block.number << BLOCK_SHIFT | mask << BYTES_SHIFT |
                    uint64_t{emu_block.time} << STAMP_SHIFT |
                    static_cast<uint64_t>(emu_block.running->number);
    if (last >= floor) {
        if (((last ^ mine) & same) == 0)
            mine |= last & uint64_t{15} << BYTES_SHIFT;
        else if (!is_this_block(last) ||
                 (!is_ordered(last) &&
                  (readers->before < floor || is_this_block(readers->before))))
            readers->before = last;
    }
    readers->last = mine;
    table<struct places>(2, word)->reader = place_of(pc);
}

/* True when there is a race, which is reported. */
static bool check_readers(uintptr_t word, uint64_t mask, enum emu_access access, const void *pc)
{
    const struct readers *readers = table<struct readers>(1, word);
    const uint64_t both[2] = {readers->last, readers->before}, floor = launch_floor();
    for (uint64_t entry : both)
        if (entry >= floor && (entry >> BYTES_SHIFT & mask) && !is_ordered(entry)) {
            race(word, entry, access, false, pc);
            return true;
        }
    return false;
}

static void note_write(uintptr_t address, size_t bytes, bool is_atomic, const void *pc)
{
    const uint64_t mine = emu_block.number << BLOCK_SHIFT | (is_atomic ? ATOMIC : 0) |
                          uint64_t{emu_block.time} << STAMP_SHIFT |
                          static_cast<uint64_t>(emu_block.running->number);
    for (uintptr_t at = address; at < address + bytes; at++) {
        table<struct writers>(0, at)->byte[at % 4] = mine;
        table<struct places>(2, at)->writer = place_of(pc);
    }
}

/* The bytes of the word that lie in [address, address + bytes), as four bits. */
static inline uint64_t bytes_in(uintptr_t word, uintptr_t address, size_t bytes)
{
    uint64_t mask = 15;
    if (address > word)
        mask &= mask << (address - word);
    if (address + bytes < word + 4)
        mask &= (uint64_t{1} << (address + bytes - word)) - 1;
    return mask;
}

void emu_global_touch(uintptr_t address, size_t bytes, enum emu_access access, const void *pc)
{
    struct emu_memory_piece *piece = emu_memory_at(address);
    if (piece == nullptr || bytes > piece->end - address) {
        char who[48];
        emu_report_add(EMU_OVERRUN, pc, nullptr,
                       "%s %s %zu bytes at %p, which are not all in one live device buffer",
                       emu_block_name_thread(emu_block.running->number, who, sizeof who),
                       access == EMU_READ ? "reads" : "writes", bytes,
                       reinterpret_cast<void *>(address));
        emu_block_end();
    }
    bool is_race = false;
    if (piece->written_launch == emu_block.launch_first)
        is_race = check_writers(address, bytes, access, pc);
    for (uintptr_t word = address & ~uintptr_t{3}; word < address + bytes; word += 4) {
        const uint64_t mask = bytes_in(word, address, bytes);
        if (access == EMU_READ)
            note_read(word, mask, pc);
        else if (!is_race)
            is_race = check_readers(word, mask, access, pc);
    }
    if (access == EMU_READ)
        return;
    piece->written_launch = emu_block.launch_first;
    note_write(address, bytes, access == EMU_ATOMIC, pc);
}
