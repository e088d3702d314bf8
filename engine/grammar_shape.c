/*
 * grammar_shape - the automaton of the JobOutput object; see grammar.h.
 *
 * Built from the back: each piece is told the state that comes after it and gives the state
 * that it begins in. A string's body keeps to RFC 8259 (escapes, no control characters) and to
 * RFC 3629 (well-formed UTF-8: no overlong forms, no surrogates, nothing past U+10FFFF).
 */
#include "engine/grammar.h"

#include <assert.h>
#include <string.h>

static uint16_t new_state(struct grammar_shape *shape, uint8_t field)
{
    assert(shape->state_count < GRAMMAR_STATES_MAX);
    const uint16_t state = shape->state_count++;
    memset(shape->next[state], 0, sizeof shape->next[state]);
    shape->field[state] = field;
    return state;
}

static void edges(struct grammar_shape *shape, uint16_t from, const char *bytes, uint16_t to)
{
    for (; *bytes; bytes++)
        shape->next[from][(unsigned char)*bytes] = to;
}

static void range(struct grammar_shape *shape, uint16_t from, uint32_t first, uint32_t last,
                  uint16_t to)
{
    for (uint32_t byte = first; byte <= last; byte++)
        shape->next[from][byte] = to;
}

/* The exact bytes, then after. */
static uint16_t literal(struct grammar_shape *shape, const char *bytes, uint16_t after)
{
    for (size_t i = strlen(bytes); i-- > 0;) {
        const uint16_t state = new_state(shape, 0);
        shape->next[state][(unsigned char)bytes[i]] = after;
        after = state;
    }
    return after;
}

/* Characters of two to four bytes, from body back to body. */
static void utf8_tails(struct grammar_shape *shape, uint16_t body, uint8_t field)
{
    const uint16_t last = new_state(shape, field);   /* one more byte */
    const uint16_t second = new_state(shape, field); /* two more */
    const uint16_t third = new_state(shape, field);  /* three more */
    const uint16_t after_e0 = new_state(shape, field);
    const uint16_t after_ed = new_state(shape, field);
    const uint16_t after_f0 = new_state(shape, field);
    const uint16_t after_f4 = new_state(shape, field);
    range(shape, last, 0x80, 0xbf, body);
    range(shape, second, 0x80, 0xbf, last);
    range(shape, third, 0x80, 0xbf, second);
    range(shape, after_e0, 0xa0, 0xbf, last);
    range(shape, after_ed, 0x80, 0x9f, last);
    range(shape, after_f0, 0x90, 0xbf, second);
    range(shape, after_f4, 0x80, 0x8f, second);
    range(shape, body, 0xc2, 0xdf, last);
    range(shape, body, 0xe1, 0xec, second);
    range(shape, body, 0xee, 0xef, second);
    range(shape, body, 0xf1, 0xf3, third);
    shape->next[body][0xe0] = after_e0;
    shape->next[body][0xed] = after_ed;
    shape->next[body][0xf0] = after_f0;
    shape->next[body][0xf4] = after_f4;
}

/* \n and its like, and \uXXXX but \u0000 and surrogates. */
static void escapes(struct grammar_shape *shape, uint16_t body, uint8_t field)
{
    static const char hex[] = "0123456789abcdefABCDEF";
    const uint16_t escape = new_state(shape, field);
    uint16_t any[4];  /* digit i, anything before it */
    uint16_t zero[4]; /* digit i, only zeros before it */
    for (int i = 0; i < 4; i++) {
        any[i] = new_state(shape, field);
        zero[i] = new_state(shape, field);
    }
    const uint16_t after_d = new_state(shape, field); /* \ud...: a surrogate from 8 up */
    shape->next[body]['\\'] = escape;
    edges(shape, escape, "\"\\/bfnrt", body);
    shape->next[escape]['u'] = zero[0];
    for (int i = 0; i < 4; i++) {
        const uint16_t more = i < 3 ? any[i + 1] : body;
        edges(shape, any[i], hex, more);
        edges(shape, zero[i], hex, more);
        shape->next[zero[i]]['0'] = i < 3 ? zero[i + 1] : GRAMMAR_DEAD;
    }
    edges(shape, zero[0], "dD", after_d);
    edges(shape, after_d, "01234567", any[2]);
}

/* What stands between the quotes and the closing one. */
static uint16_t string_body(struct grammar_shape *shape, uint8_t field, uint16_t after)
{
    const uint16_t body = new_state(shape, field);
    range(shape, body, 0x20, 0x7f, body);
    shape->next[body]['"'] = after;
    escapes(shape, body, field);
    utf8_tails(shape, body, field);
    return body;
}

/* A string or null. */
static uint16_t nullable(struct grammar_shape *shape, uint8_t field, uint16_t after)
{
    const uint16_t choice = new_state(shape, 0);
    shape->next[choice]['"'] = string_body(shape, field, after);
    shape->next[choice]['n'] = literal(shape, "ull", after);
    return choice;
}

void grammar_shape_job_output(struct grammar_shape *shape)
{
    shape->state_count = 0;
    const uint16_t dead = new_state(shape, 0);
    assert(dead == GRAMMAR_DEAD);
    shape->until_percent[1] = 50;
    shape->until_percent[2] = 75;
    shape->until_percent[3] = 100;
    shape->end = new_state(shape, 0);
    uint16_t at = literal(shape, "}", shape->end);
    at = nullable(shape, 3, at);
    at = literal(shape, ", \"answer\": ", at);
    at = nullable(shape, 2, at);
    at = literal(shape, ", \"citation\": ", at);
    at = string_body(shape, 1, at);
    shape->start = literal(shape, "{\"explanation\": \"", at);
}
