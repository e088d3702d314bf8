/* regex - from the parsed pattern to nodes; see regex.h. Parsing is regex_parse.c. */
#include "engine/regex.h"

#include "engine/regex_parse.h"
#include "engine/regex_utf8.h"

static const struct regex_range any_character = {0, 0x10ffff};

/* The part of a range that lies in another stands for itself in ASCII. */
static uint16_t add_ascii(const struct regex_target *target, struct regex_range range,
                          struct regex_range within, uint16_t or_else)
{
    const uint32_t first = range.first > within.first ? range.first : within.first;
    const uint32_t last = range.last < within.last ? range.last : within.last;
    if (first > last)
        return or_else;
    const uint16_t node =
        automaton_range(target->nfa, (uint8_t)first, (uint8_t)last, target->after);
    return or_else ? automaton_split(target->nfa, node, or_else) : node;
}

/* A control character, quote or backslash as JSON escapes it: by two bytes and by \u00XX. */
static uint16_t add_escape(const struct regex_target *target, uint32_t character,
                           uint16_t or_else)
{
    static const char named[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    struct nfa *nfa = target->nfa;
    for (const char *pair = named; *pair; pair += 2)
        if ((uint32_t)(unsigned char)pair[0] == character) {
            const char escape[2] = {'\\', pair[1]};
            const uint16_t node = automaton_bytes(nfa, escape, 2, target->after);
            or_else = or_else ? automaton_split(nfa, node, or_else) : node;
        }
    if (character >= 0x20)
        return or_else;
    const uint32_t low = character & 15;
    const char digit = (char)(low < 10 ? '0' + low : 'a' + low - 10);
    uint16_t node = automaton_bytes(nfa, &digit, 1, target->after);
    if (low >= 10) {
        const char upper = (char)('A' + low - 10);
        node = automaton_split(nfa, node, automaton_bytes(nfa, &upper, 1, target->after));
    }
    node = automaton_bytes(nfa, character < 16 ? "\\u000" : "\\u001", 5, node);
    return or_else ? automaton_split(nfa, node, or_else) : node;
}

static uint16_t add_json(const struct regex_target *target, struct regex_range range,
                         uint16_t or_else)
{
    static const struct regex_range bare[] = {
        {0x20, '"' - 1}, {'"' + 1, '\\' - 1}, {'\\' + 1, 0x7f}};
    for (size_t i = 0; i < sizeof bare / sizeof *bare; i++)
        or_else = add_ascii(target, range, bare[i], or_else);
    const bool controls = range.first == 0 && range.last >= 0x1f;
    if (controls) { /* all at once: what [^a] has, in a tenth of the nodes */
        struct nfa *nfa = target->nfa;
        uint16_t hex = automaton_range(nfa, '0', '9', target->after);
        hex = automaton_split(nfa, hex, automaton_range(nfa, 'a', 'f', target->after));
        hex = automaton_split(nfa, hex, automaton_range(nfa, 'A', 'F', target->after));
        hex = automaton_bytes(nfa, "u00", 3, automaton_range(nfa, '0', '1', hex));
        for (const char *named = "bfnrt"; *named; named++)
            hex = automaton_split(nfa, hex, automaton_bytes(nfa, named, 1, target->after));
        const uint16_t node = automaton_bytes(nfa, "\\", 1, hex);
        or_else = or_else ? automaton_split(nfa, node, or_else) : node;
    }
    for (uint32_t c = controls ? 0x20 : range.first; c <= range.last && c <= '\\'; c++)
        if (c < 0x20 || c == '"' || c == '\\')
            or_else = add_escape(target, c, or_else);
    return or_else;
}

/* 0 stands for "no way yet": node 0 is taken by automaton users as a dead node. */
static uint16_t add_characters(const struct regex_target *target,
                               const struct regex_range *ranges, uint32_t count)
{
    static const struct regex_range ascii = {0, 0x7f};
    uint16_t node = 0;
    for (uint32_t i = 0; i < count && ranges[i].first < 0x80; i++)
        node = target->options.bytes == REGEX_JSON ? add_json(target, ranges[i], node)
                                                   : add_ascii(target, ranges[i], ascii, node);
    return regex_utf8_add(target->nfa, ranges, count, target->after, node);
}

uint16_t regex_literal(const struct regex_target *target, struct text text)
{
    struct regex_target at = *target;
    size_t offsets_end = text.size;
    while (offsets_end > 0) {
        size_t begin = offsets_end - 1;
        while (begin > 0 && ((unsigned char)text.data[begin] & 0xc0) == 0x80)
            begin--;
        size_t next = begin;
        const uint32_t character = text_utf8_next(text, &next);
        const struct regex_range range = {character, character};
        at.after = add_characters(&at, &range, 1);
        offsets_end = begin;
    }
    return at.after;
}

static uint16_t add_part(const struct regex_target *target, const struct regex_part *part);

static uint16_t add_repeat(const struct regex_target *target, const struct regex_part *part)
{
    struct regex_target at = *target;
    struct nfa *nfa = target->nfa;
    if (part->max == REGEX_NO_MAX) {
        const uint16_t loop = automaton_split(nfa, target->after, target->after);
        at.after = loop;
        const uint16_t body = add_part(&at, part->a);
        if (!nfa->failed)
            nfa->nodes[loop].a = body;
    }
    for (uint32_t i = part->min; part->max != REGEX_NO_MAX && i < part->max; i++) {
        if (nfa->failed)
            return 0;
        const uint16_t body = add_part(&at, part->a);
        at.after = automaton_split(nfa, body, target->after);
    }
    for (uint32_t i = 0; i < part->min && !nfa->failed; i++)
        at.after = add_part(&at, part->a);
    return at.after;
}

static uint16_t add_part(const struct regex_target *target, const struct regex_part *part)
{
    struct regex_target at = *target;
    switch (part->kind) {
    case REGEX_EMPTY:
        return target->after;
    case REGEX_SET:
        return add_characters(target, part->ranges, part->count);
    case REGEX_CAT:
        at.after = add_part(target, part->b);
        return add_part(&at, part->a);
    case REGEX_ALT:
        return automaton_split(target->nfa, add_part(target, part->a),
                               add_part(target, part->b));
    case REGEX_REPEAT:
        return add_repeat(target, part);
    case REGEX_BEGIN:
        return automaton_node(target->nfa, NFA_BEGIN, target->after);
    case REGEX_END:
        return automaton_node(target->nfa, NFA_END, target->after);
    }
    return 0;
}

enum status regex_add(const struct regex_target *target, struct text pattern, uint16_t *start,
                      struct error *err)
{
    const struct regex_part *part = NULL;
    TRY(regex_parse(pattern, target->scratch, &part, err));
    *start = regex_add_parsed(target, part);
    return OK;
}

uint16_t regex_add_parsed(const struct regex_target *target, const struct regex_part *part)
{
    const struct regex_range whole[1] = {any_character};
    const struct regex_part any = {.kind = REGEX_SET, .ranges = whole, .count = 1};
    const struct regex_part anything = {.kind = REGEX_REPEAT, .a = &any, .max = REGEX_NO_MAX};
    struct regex_target at = *target;
    if (target->options.span == REGEX_SEARCH)
        at.after = add_part(&at, &anything);
    at.after = add_part(&at, part);
    if (target->options.span == REGEX_SEARCH)
        at.after = add_part(&at, &anything);
    return at.after;
}
