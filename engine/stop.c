/* stop - see stop.h. */
#include "engine/stop.h"

#include <assert.h>

enum { NO_STRING = -1 };

/* The held-back text is the longest of the beginnings that the text ends with. */
static struct text held_text(const struct stop_rules *rules, const struct stop_state *state)
{
    struct text held = {.data = "", .size = 0};
    for (uint32_t i = 0; i < rules->count; i++)
        if (state->matched[i] > held.size)
            held = text_slice(rules->strings[i], 0, state->matched[i]);
    return held;
}

static void advance(const struct stop_rules *rules, struct stop_state *state, char byte)
{
    for (uint32_t i = 0; i < rules->count; i++) {
        uint16_t matched = state->matched[i];
        while (matched > 0 && rules->strings[i].data[matched] != byte)
            matched = rules->fallbacks[i][matched - 1];
        state->matched[i] = (uint16_t)(matched + (rules->strings[i].data[matched] == byte));
    }
}

/* The longest string that the text now ends with whole. */
static int completed_string(const struct stop_rules *rules, const struct stop_state *state)
{
    int best = NO_STRING;
    for (uint32_t i = 0; i < rules->count; i++)
        if (state->matched[i] == rules->strings[i].size &&
            (best == NO_STRING || rules->strings[i].size > rules->strings[best].size))
            best = (int)i;
    return best;
}

/* Appends the first count bytes of held + byte. */
static void let_go(struct text_buf *out, struct text held, char byte, size_t count)
{
    text_buf_add(out, text_slice(held, 0, count));
    if (count > held.size)
        text_buf_byte(out, byte);
}

size_t stop_rules_size(const struct text *strings, uint32_t count)
{
    size_t size = 0;
    for (uint32_t i = 0; i < count; i++)
        size += strings[i].size;
    return size;
}

void stop_rules_init(struct stop_rules *rules, const struct text *strings, uint32_t count,
                     uint16_t *tables)
{
    assert(count <= ENGINE_STOPS_MAX);
    *rules = (struct stop_rules){.count = count};
    for (uint32_t i = 0; i < count; i++) {
        const struct text string = strings[i];
        assert(string.size > 0 && string.size <= ENGINE_STOP_BYTES_MAX);
        rules->strings[i] = string;
        rules->fallbacks[i] = tables;
        tables[0] = 0;
        uint16_t border = 0; /* longest proper beginning that string[0 .. at] also ends with */
        for (size_t at = 1; at < string.size; at++) {
            while (border > 0 && string.data[border] != string.data[at])
                border = tables[border - 1];
            border = (uint16_t)(border + (string.data[border] == string.data[at]));
            tables[at] = border;
        }
        tables += string.size;
    }
}

bool stop_feed(const struct stop_rules *rules, struct stop_state *state, struct text text,
               struct text_buf *out)
{
    if (rules->count == 0) {
        text_buf_add(out, text);
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        const struct text before = held_text(rules, state);
        advance(rules, state, text.data[i]);
        const int done = completed_string(rules, state);
        const size_t keep =
            done == NO_STRING ? held_text(rules, state).size : rules->strings[done].size;
        let_go(out, before, text.data[i], before.size + 1 - keep);
        if (done != NO_STRING)
            return true;
    }
    return false;
}

uint32_t stop_string(const struct stop_rules *rules, const struct stop_state *state)
{
    return (uint32_t)(completed_string(rules, state) - NO_STRING);
}

void stop_flush(const struct stop_rules *rules, struct stop_state *state, struct text_buf *out)
{
    text_buf_add(out, held_text(rules, state));
    *state = (struct stop_state){0};
}
