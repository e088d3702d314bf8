/*
 * copied_fuzz - libFuzzer target: any bytes as a chunk to copy from. What random steps spell
 * must stand in the chunk from a word's beginning to a word's end, and what stands there must
 * be taken.
 *
 *     copied_fuzz -max_len=2048 -timeout=10 CORPUS
 */
#include "engine/copied.h"

#include <stdlib.h>
#include <string.h>

enum { SIZE_MOST = 1 << 16, WALKS = 8, COPY_MOST = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t seed;

static uint32_t draw(uint32_t below)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(seed >> 33) % below;
}

static bool stands_there(const struct copied_text *text, const uint8_t *copy, uint32_t size)
{
    for (uint32_t at = 0; at + size < text->size; at++)
        if (text->marks[at] & COPIED_TEXT_BEGINS &&
            text->marks[at + size - 1] & COPIED_TEXT_ENDS &&
            memcmp(text->bytes + at, copy, size) == 0)
            return true;
    return false;
}

/* By bytes that are taken, whichever they are. */
static void spell_copy(const struct copied *copied)
{
    uint8_t copy[COPY_MOST];
    uint32_t state = COPIED_START;
    for (uint32_t size = 0; size < COPY_MOST;) {
        const uint32_t offset = draw(256);
        uint32_t next = COPIED_DEAD;
        for (uint32_t i = 0; i < 256 && !next; i++) {
            copy[size] = (uint8_t)(offset + i);
            next = copied_step(copied, state, copy[size]);
        }
        if (!next && copied_distance(copied, state) != 0)
            abort();
        if (!next)
            return;
        state = next;
        size++;
        if (copied_can_end(copied, state) && !stands_there(&copied->text, copy, size))
            abort();
    }
}

/* From the first word behind a byte of the text to the last end that there is. */
static void follow_text(const struct copied *copied)
{
    const struct copied_text *text = &copied->text;
    uint32_t at = draw(text->size);
    while (at < text->size && !(text->marks[at] & COPIED_TEXT_BEGINS))
        at++;
    uint32_t last = 0;
    for (uint32_t i = at; i < text->size && text->bytes[i]; i++)
        if (text->marks[i] & COPIED_TEXT_ENDS)
            last = i + 1;
    uint32_t state = COPIED_START;
    for (; at < last; at++) {
        state = copied_step(copied, state, text->bytes[at]);
        if (!state || (text->marks[at] & COPIED_TEXT_ENDS && !copied_can_end(copied, state)))
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct arena arena; /* one for all: most of the time would go to its pages */
    struct copied copied;
    if (size > SIZE_MOST || (!arena.base && arena_init(&arena, (size_t)64 << 20, NULL) != OK))
        return 0;
    arena_rewind(&arena, 0);
    seed = size > 0 ? data[size / 2] : 0;
    if (copied_make(&copied, (struct text){(const char *)data, size}, &arena, NULL) != OK)
        abort();
    for (int i = 0; i < WALKS; i++) {
        if (copied_distance(&copied, COPIED_START) != COPIED_NEVER)
            spell_copy(&copied);
        follow_text(&copied);
    }
    return 0;
}
