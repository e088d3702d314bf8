/*
 * stop - ends a text before the first stop string in it, however tokens cut the text.
 *
 * Text goes through byte by byte. While its end could be the beginning of a stop string it is
 * held back, and let go when it turns out to be none. What is held back is always the
 * beginning of a stop string, so the state is one number per string (Knuth, Morris, Pratt
 * 1977) and no text is kept.
 *
 * Owner    struct stop_rules borrows the strings and the memory for its tables.
 */
#ifndef ENGINE_STOP_H
#define ENGINE_STOP_H

#include "base/text.h"
#include "engine/engine.h"

#include <stdbool.h>
#include <stdint.h>

struct stop_rules {
    uint32_t count;                        /* 0 .. ENGINE_STOPS_MAX */
    struct text strings[ENGINE_STOPS_MAX]; /* 1 .. ENGINE_STOP_BYTES_MAX bytes each */
    uint16_t *fallbacks[ENGINE_STOPS_MAX]; /* [strings[i].size] */
};

struct stop_state {                     /* zero it before first use */
    uint16_t matched[ENGINE_STOPS_MAX]; /* bytes of string i that the text ends with */
};

/* How many uint16_t the tables of these strings take: the sum of their sizes. */
size_t stop_rules_size(const struct text *strings, uint32_t count);
/* Fills rules; keeps strings' bytes and the table memory. */
void stop_rules_init(struct stop_rules *rules, const struct text *strings, uint32_t count,
                     uint16_t *tables);

/* Takes new text and appends to out what may be shown. True: a stop string was completed; out
 * has all before it, and nothing may be fed after. */
bool stop_feed(const struct stop_rules *rules, struct stop_state *state, struct text text,
               struct text_buf *out);
/* Which string the text that was fed last ended with, from 1; 0: none. */
uint32_t stop_string(const struct stop_rules *rules, const struct stop_state *state);
/* The text ended without a stop string: appends what was held back. */
void stop_flush(const struct stop_rules *rules, struct stop_state *state, struct text_buf *out);

#endif
