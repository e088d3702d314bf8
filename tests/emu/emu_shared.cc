/*
 * emu_shared - pieces, and a shadow that says who touched each byte when.
 *
 * Writers: one word per byte, `stamp << 11 | is_atomic << 10 | thread` of the last write; 0 is
 * unwritten; stamps above the block's largest time mean a red zone or a copy under way.
 * Readers: one word per four bytes and warp, `stamp << 10 | several << 9 | lane << 4 | bytes`,
 * so that a write meets every warp that reads, and within a warp another lane if there is one.
 * Places: the code that wrote, or read, each four bytes last; for reports.
 */
#include "tests/emu/emu_shared.h"

#include "tests/emu/emu_asan.h"
#include "tests/emu/emu_block.h"
#include "tests/emu/emu_report.h"
#include "tests/emu/emu_trace.h"

#include <stdio.h>
#include <string.h>

enum {
    WORDS = EMU_SHARED_ROOM / 4,
    STAMP_SHIFT = 11,
    THREAD_MASK = 1023,
    ATOMIC = 1 << 10,
    READER_SHIFT = 10,
    READER_SEVERAL = 1 << 9,
    READER_LANE_SHIFT = 4,
    READER_BYTES = 15
};
static const uint32_t STAMP_RED = (1u << 21) - 1, STAMP_FLIGHT = (1u << 21) - 2;
static const uint32_t RED = STAMP_RED << STAMP_SHIFT;
static_assert(EMU_TIME_MAX < (1 << 21) - 2, "stamps have 21 bits");

alignas(128) unsigned char emu_shared_memory[EMU_SHARED_ROOM];

alignas(64) static uint32_t writers[EMU_SHARED_ROOM];
alignas(64) static uint32_t readers[WORDS * EMU_WARPS_MAX]; /* [WORDS][warp_count] */
static const void *write_places[WORDS], *read_places[WORDS];

static struct {
    uint32_t offset, bytes;
} pieces[EMU_SHARED_PIECES_MAX];
static int piece_count;
static uint32_t used_bytes, asked_bytes; /* with and without red zones */

/* ---- pieces ---- */

void emu_shared_reset(void)
{
    piece_count = 0;
    used_bytes = asked_bytes = 0;
    emu_asan_bar(emu_shared_memory, sizeof emu_shared_memory);
}

/* A piece's bytes are unwritten and unread; what lies between it and the next is barred. */
static void shadow_open(uint32_t offset, uint32_t bytes, uint32_t padded)
{
    const uint32_t words = (padded + EMU_SHARED_RED_BYTES) / 4;
    const uint32_t warps = static_cast<uint32_t>(emu_block.warp_count);
    memset(&writers[offset], 0, bytes * sizeof *writers);
    for (uint32_t i = bytes; i < padded + EMU_SHARED_RED_BYTES; i++)
        writers[offset + i] = RED;
    memset(&readers[offset / 4 * warps], 0, words * warps * sizeof *readers);
}

static void piece_open(uint32_t bytes, const void *pc)
{
    const uint32_t padded = (bytes + 15) / 16 * 16;
    const struct emu_launch *launch = emu_block.launch;
    if (piece_count == EMU_SHARED_PIECES_MAX || padded > launch->shared_bytes - asked_bytes) {
        emu_report_add(
            EMU_PIECES, pc, nullptr,
            "piece %d of %u bytes after %u: the launch has %zu bytes of shared memory "
            "in at most %d pieces",
            piece_count, bytes, asked_bytes, launch->shared_bytes, EMU_SHARED_PIECES_MAX);
        emu_block_end();
    }
    pieces[piece_count].offset = used_bytes;
    pieces[piece_count++].bytes = bytes;
    emu_asan_open(emu_shared_memory + used_bytes, padded + EMU_SHARED_RED_BYTES);
    memset(emu_shared_memory + used_bytes, 0xff, padded + EMU_SHARED_RED_BYTES);
    emu_asan_bar(emu_shared_memory + used_bytes + bytes, padded + EMU_SHARED_RED_BYTES - bytes);
    if (emu_trace_on)
        shadow_open(used_bytes, bytes, padded);
    asked_bytes += padded;
    used_bytes += padded + EMU_SHARED_RED_BYTES;
}

void *emu_shared_take(int number, int count, size_t element_bytes)
{
    const void *pc = __builtin_return_address(0);
    if (count < 0 || static_cast<size_t>(count) > EMU_SHARED_MAX / element_bytes) {
        emu_report_add(EMU_PIECES, pc, nullptr, "piece %d: %d elements of %zu bytes", number,
                       count, element_bytes);
        emu_block_end();
    }
    const uint32_t bytes = static_cast<uint32_t>(count) * static_cast<uint32_t>(element_bytes);
    if (number == piece_count)
        piece_open(bytes, pc);
    if (number >= piece_count || pieces[number].bytes != bytes) {
        emu_report_add(EMU_PIECES, pc, nullptr,
                       "thread %d takes %u bytes as piece %d, others %u",
                       emu_block.running->number, bytes, number,
                       number < piece_count ? pieces[number].bytes : 0);
        emu_block_end();
    }
    return emu_shared_memory + pieces[number].offset;
}

uint32_t emu_shared_address(const void *shared)
{
    return static_cast<uint32_t>(reinterpret_cast<uintptr_t>(shared) -
                                 reinterpret_cast<uintptr_t>(emu_shared_memory));
}

/* ---- the shadow ---- */

static const char *name_piece(size_t offset, char (&text)[48])
{
    int i = piece_count - 1;
    while (i > 0 && pieces[i].offset > offset)
        i--;
    if (i < 0)
        return "shared memory, of which no piece is taken";
    snprintf(text, sizeof text, "piece %d byte %zu of %u", i, offset - pieces[i].offset,
             pieces[i].bytes);
    return text;
}

static const char *name_access(enum emu_access access)
{
    return access == EMU_READ ? "reads" : access == EMU_WRITE ? "writes" : "adds to";
}

static void race(size_t offset, int other, enum emu_access access, const char *did,
                 const void *pc)
{
    char who[48], whom[48], where[48];
    const void *other_pc = did[0] == 'r' ? read_places[offset / 4] : write_places[offset / 4];
    emu_report_add(EMU_RACE, pc, other_pc, "%s %s %s, which %s %s, and no barrier between",
                   emu_block_name_thread(emu_block.running->number, who, sizeof who),
                   name_access(access), name_piece(offset, where),
                   emu_block_name_thread(other, whom, sizeof whom), did);
}

/* Says what is wrong with the byte's last write. */
static void report_writer(size_t offset, enum emu_access access, const void *pc)
{
    const uint32_t entry = writers[offset], stamp = entry >> STAMP_SHIFT;
    const int writer = static_cast<int>(entry & THREAD_MASK);
    char who[48], where[48];
    emu_block_name_thread(emu_block.running->number, who, sizeof who);
    if (entry == 0)
        emu_report_add(EMU_UNWRITTEN, pc, nullptr, "%s %s %s, which nobody wrote", who,
                       name_access(access), name_piece(offset, where));
    else if (stamp == STAMP_RED)
        emu_report_add(EMU_OVERRUN, pc, nullptr, "%s %s %s", who, name_access(access),
                       name_piece(offset, where));
    else if (stamp == STAMP_FLIGHT)
        emu_report_add(EMU_FLIGHT, pc, write_places[offset / 4],
                       "%s %s %s, where a copy of thread %d is still to land", who,
                       name_access(access), name_piece(offset, where), writer);
    else
        race(offset, writer, access, "wrote", pc);
}

/* Whether an access may follow a byte's last write. */
static inline bool may_follow(uint32_t entry, enum emu_access access)
{
    const uint32_t stamp = entry >> STAMP_SHIFT;
    if (entry == 0)
        return access == EMU_WRITE;
    if (stamp < emu_block.full_time)
        return true;
    if (stamp >= STAMP_FLIGHT)
        return false;
    return emu_block_is_ordered(static_cast<int>(entry & THREAD_MASK), stamp,
                                emu_block.running) ||
           (access == EMU_ATOMIC && (entry & ATOMIC));
}

/* One finding at most for one access. */
static inline void check_writers(size_t offset, size_t bytes, enum emu_access access,
                                 const void *pc)
{
    uint32_t good = writers[offset]; /* mostly all bytes were written together */
    for (size_t i = offset; i < offset + bytes; i++) {
        if (writers[i] == good && i > offset)
            continue;
        good = writers[i];
        if (!may_follow(good, access)) {
            report_writer(i, access, pc);
            return;
        }
    }
}

/* Whether warp w's last reads of these bytes of a word come into conflict with a write now;
 * the lane that read, else -1. */
static inline int conflicting_reader(uint32_t entry, int w, uint32_t bytes)
{
    const struct emu_thread *self = emu_block.running;
    const uint32_t stamp = entry >> READER_SHIFT;
    const int lane = static_cast<int>(entry >> READER_LANE_SHIFT & 31);
    if (!(entry & bytes) || stamp < emu_block.sees[self->warp->number][w])
        return -1;
    if (w == self->warp->number && lane == self->lane && !(entry & READER_SEVERAL))
        return -1;
    return w * EMU_LANES + lane;
}

/* The bytes of the word at `word` that lie in [offset, offset + bytes), as four bits. */
static inline uint32_t bytes_in(size_t word, size_t offset, size_t bytes)
{
    uint32_t mask = READER_BYTES;
    if (offset > word * 4)
        mask &= mask << (offset - word * 4);
    if (offset + bytes < word * 4 + 4)
        mask &= (1u << (offset + bytes - word * 4)) - 1;
    return mask & READER_BYTES;
}

static inline void note_read(size_t word, uint32_t bytes, const void *pc)
{
    const struct emu_thread *self = emu_block.running;
    const int w = self->warp->number;
    uint32_t *entry =
        &readers[word * static_cast<size_t>(emu_block.warp_count) + static_cast<size_t>(w)];
    const uint32_t stamp = *entry >> READER_SHIFT;
    const uint32_t lane = static_cast<uint32_t>(self->lane) << READER_LANE_SHIFT;
    uint32_t several = 0;
    read_places[word] = pc;
    if (stamp >= emu_block.full_time && *entry) {
        const bool is_mine = (*entry & (31 << READER_LANE_SHIFT)) == lane;
        if (stamp >= emu_block.sees[w][w] && (!is_mine || (*entry & READER_SEVERAL)))
            several = READER_SEVERAL;
        bytes |= *entry & READER_BYTES;
    }
    *entry = emu_block.time << READER_SHIFT | several | lane | bytes;
}

static void check_readers(size_t word, uint32_t bytes, size_t offset, enum emu_access access,
                          const void *pc)
{
    const int warps = emu_block.warp_count;
    const uint32_t *entries = &readers[word * static_cast<size_t>(warps)];
    const uint32_t ordered = emu_block.full_time << READER_SHIFT;
    for (int w = 0; w < warps; w++) {
        if (entries[w] == 0 || entries[w] < ordered)
            continue;
        const int reader = conflicting_reader(entries[w], w, bytes);
        if (reader >= 0) {
            race(offset, reader, access, "read", pc);
            return;
        }
    }
}

static void note_write(size_t offset, size_t bytes, uint32_t entry, const void *pc)
{
    for (size_t i = offset; i < offset + bytes; i++)
        writers[i] = entry;
    for (size_t word = offset / 4; word * 4 < offset + bytes; word++)
        write_places[word] = pc;
}

static void report_beyond(size_t offset, enum emu_access access, const void *pc)
{
    char who[48], where[48];
    emu_report_add(EMU_OVERRUN, pc, nullptr, "%s %s %s",
                   emu_block_name_thread(emu_block.running->number, who, sizeof who),
                   name_access(access), name_piece(offset, where));
}

void emu_shared_touch(size_t offset, size_t bytes, enum emu_access access, const void *pc)
{
    const uint32_t self = static_cast<uint32_t>(emu_block.running->number);
    if (offset + bytes > used_bytes) {
        report_beyond(offset, access, pc);
        return;
    }
    check_writers(offset, bytes, access, pc);
    for (size_t word = offset / 4; word * 4 < offset + bytes; word++) {
        const uint32_t mask = bytes_in(word, offset, bytes);
        if (access == EMU_READ)
            note_read(word, mask, pc);
        else
            check_readers(word, mask, word * 4 > offset ? word * 4 : offset, access, pc);
    }
    if (access != EMU_READ && writers[offset] >> STAMP_SHIFT != STAMP_RED)
        note_write(offset, bytes,
                   emu_block.time << STAMP_SHIFT | (access == EMU_ATOMIC ? ATOMIC : 0) | self,
                   pc);
}

void emu_shared_send(size_t offset, const void *pc)
{
    enum { BYTES = 16 };
    const uint32_t self = static_cast<uint32_t>(emu_block.running->number);
    emu_shared_touch(offset, BYTES, EMU_WRITE, pc);
    if (offset + BYTES <= used_bytes && writers[offset] >> STAMP_SHIFT != STAMP_RED)
        note_write(offset, BYTES, STAMP_FLIGHT << STAMP_SHIFT | self, pc);
}

void emu_shared_land(size_t offset, const void *pc)
{
    enum { BYTES = 16 };
    const uint32_t self = static_cast<uint32_t>(emu_block.running->number);
    if (writers[offset] == (STAMP_FLIGHT << STAMP_SHIFT | self))
        note_write(offset, BYTES, emu_block.time << STAMP_SHIFT | self, pc);
}

void emu_shared_forget_times(void)
{
    for (uint32_t i = 0; i < used_bytes; i++)
        if (writers[i] && writers[i] >> STAMP_SHIFT < STAMP_FLIGHT)
            writers[i] = 1u << STAMP_SHIFT | (writers[i] & (ATOMIC | THREAD_MASK));
    memset(readers, 0,
           used_bytes / 4 * static_cast<size_t>(emu_block.warp_count) * sizeof *readers);
}
