/*
 * automaton_plain - see automaton_plain.h.
 *
 * The greatest set that holds: all states are taken for plain, and those with a plain character
 * that leads out of the set are struck, until none is.
 */
#include "engine/automaton_plain.h"

/* Bytes of the plain characters past ASCII (RFC 3629): what may come first, second and third;
 * third_low 0: two bytes are all. has_fourth: 80 to bf. */
struct lead {
    uint8_t first, last;
    uint8_t second_low, second_high;
    uint8_t third_low, third_high;
    bool has_fourth;
};

static const struct lead leads[] = {
    {0xc2, 0xdf, 0x80, 0xbf, 0, 0, false},       {0xe0, 0xe0, 0xa0, 0xbf, 0x80, 0xbf, false},
    {0xe1, 0xe1, 0x80, 0xbf, 0x80, 0xbf, false}, {0xe2, 0xe2, 0x80, 0x80, 0x80, 0xa7, false},
    {0xe2, 0xe2, 0x80, 0x80, 0xaa, 0xbf, false}, {0xe2, 0xe2, 0x81, 0xbf, 0x80, 0xbf, false},
    {0xe3, 0xec, 0x80, 0xbf, 0x80, 0xbf, false}, {0xed, 0xed, 0x80, 0x9f, 0x80, 0xbf, false},
    {0xee, 0xef, 0x80, 0xbf, 0x80, 0xbf, false}, {0xf0, 0xf0, 0x90, 0xbf, 0x80, 0xbf, true},
    {0xf1, 0xf3, 0x80, 0xbf, 0x80, 0xbf, true},  {0xf4, 0xf4, 0x80, 0x8f, 0x80, 0xbf, true},
};

static bool is_plain_ascii(int byte)
{
    return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

/* Where a character is: which byte of it comes next, 1 to 4. */
static uint8_t low_of(const struct lead *lead, int nth)
{
    return nth == 1   ? lead->first
           : nth == 2 ? lead->second_low
           : nth == 3 ? lead->third_low
                      : 0x80;
}

static uint8_t high_of(const struct lead *lead, int nth)
{
    return nth == 1   ? lead->last
           : nth == 2 ? lead->second_high
           : nth == 3 ? lead->third_high
                      : 0xbf;
}

static int bytes_of(const struct lead *lead)
{
    return lead->third_low == 0 ? 2 : lead->has_fourth ? 4 : 3;
}

/* Whether the bytes of these characters from the nth on all lead to plain states. */
static bool leads_on(const struct automaton *automaton, uint32_t state, const struct lead *lead,
                     int nth)
{
    uint32_t last = UINT32_MAX;
    for (int byte = low_of(lead, nth); byte <= high_of(lead, nth); byte++) {
        const uint32_t next = automaton_step(automaton, state, (uint8_t)byte);
        if (next == last)
            continue;
        last = next;
        if (next == AUTOMATON_DEAD)
            return false;
        if (nth == bytes_of(lead) ? !automaton->plain[next]
                                  : !leads_on(automaton, next, lead, nth + 1))
            return false;
    }
    return true;
}

static bool is_plain(const struct automaton *automaton, uint32_t state)
{
    for (int byte = 0x20; byte < 0x7f; byte++)
        if (is_plain_ascii(byte) &&
            !automaton->plain[automaton_step(automaton, state, (uint8_t)byte)])
            return false;
    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++)
        if (!leads_on(automaton, state, &leads[i], 1))
            return false;
    return true;
}

static void fill_distances(struct automaton *automaton)
{
    automaton->plain_nearest = AUTOMATON_NEVER;
    automaton->plain_farthest = 0;
    for (uint32_t s = AUTOMATON_START; s < automaton->state_count; s++) {
        const uint16_t distance = automaton->distance[s];
        if (automaton->plain[s] && distance < automaton->plain_nearest)
            automaton->plain_nearest = distance;
        if (automaton->plain[s] && distance > automaton->plain_farthest)
            automaton->plain_farthest = distance;
    }
}

enum status automaton_plain_fill(struct automaton *automaton, struct arena *arena,
                                 struct error *err)
{
    automaton->plain = ARENA_NEW(arena, bool, automaton->state_count);
    if (!automaton->plain)
        FAIL(err, ERR_MEMORY, "automaton of %u states: the arena is full",
             automaton->state_count);
    for (uint32_t s = AUTOMATON_START; s < automaton->state_count; s++)
        automaton->plain[s] = automaton->distance[s] != AUTOMATON_NEVER;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t s = automaton->state_count; s-- > AUTOMATON_START;) {
            if (!automaton->plain[s] || is_plain(automaton, s))
                continue;
            automaton->plain[s] = false;
            changed = true;
        }
    }
    fill_distances(automaton);
    return OK;
}

uint32_t automaton_plain_characters(struct text text)
{
    uint32_t count = 0;
    if (text_utf8_valid(text) != text.size)
        return 0;
    for (size_t at = 0; at < text.size; count++) {
        const uint32_t c = text_utf8_next(text, &at);
        if ((c < 0x80 && !is_plain_ascii((int)c)) || c == 0x2028 || c == 0x2029)
            return 0;
    }
    return count;
}
