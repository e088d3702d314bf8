/* schema_text - see schema_text.h. */
#include "engine/schema_text.h"

#include "engine/regex_open.h"
#include "engine/schema_want.h"

#include <stdio.h>
#include <string.h>

/* Whether the part says more of strings than their length. */
static bool restricts_text(const struct schema_part *part)
{
    struct text name;
    const struct json *format = NULL;
    bool pattern = false;
    if (part->kind == SCHEMA_PART_DIFFERS || part->kind == SCHEMA_PART_OUTSIDE)
        return true;
    if (part->kind == SCHEMA_PART_HOLDS) {
        pattern = json_get(part->at, "pattern") != NULL;
        format = json_get(part->at, "format");
    } else if (part->kind == SCHEMA_PART_BREAKS) {
        pattern = text_equal(json_key(part->at), TEXT("pattern")) ||
                  text_equal(json_key(part->at), TEXT("format"));
    }
    return pattern || (json_text(format, &name) && schema_want_is_format(name));
}

enum status schema_text_length(const struct schema_parts *parts,
                               const struct schema_values *values, struct schema_length *length,
                               struct error *err)
{
    length->alone = values->any;
    for (uint32_t i = 0; i < parts->count; i++)
        length->alone = length->alone && !restricts_text(&parts->parts[i]);
    return schema_facts_range(parts, "minLength", "maxLength", &length->characters, err);
}

static enum status want_length(struct schema_want *want, struct schema_range length)
{
    char pattern[64];
    if (length.min == 0 && length.max == SCHEMA_NO_MAX)
        return OK;
    if (length.max == SCHEMA_NO_MAX)
        snprintf(pattern, sizeof pattern, "^[^]{%u,}$", length.min);
    else if (length.min <= length.max)
        snprintf(pattern, sizeof pattern, "^[^]{%u,%u}$", length.min, length.max);
    else
        return schema_want_nothing(want);
    return schema_want_pattern(want, text_of(pattern), true);
}

static void add_value(struct nfa *nfa, const struct regex_target *target,
                      const struct json *value)
{
    struct text text;
    if (json_text(value, &text))
        nfa->start = automaton_split(nfa, nfa->start, regex_literal(target, text));
}

/* The strings among values; or, when they are not wanted, in the list or the one scalar at. */
static enum status want_values(struct schema_want *want, const struct schema_values *values,
                               const struct json *at)
{
    struct nfa *nfa = &want->nfa;
    uint16_t label = 0;
    TRY(schema_want_label(want, values != NULL, &label));
    const struct regex_target target = {
        .nfa = nfa, .after = automaton_accept(nfa, label), .options = {.bytes = want->bytes}};
    for (uint32_t i = 0; values && i < values->count; i++)
        add_value(nfa, &target, values->list[i]);
    const bool list = json_type(at) == JSON_ARRAY;
    for (const struct json *each = list ? json_first(at) : at; each;
         each = list ? json_next(each) : NULL)
        add_value(nfa, &target, each);
    return OK;
}

/* A pattern whose end of a repetition is left to the matcher, which counts characters: *most
 * comes to be no more than it leaves. Others as they are. */
static enum status want_open(struct schema_want *want, struct text pattern, uint32_t *most)
{
    const struct regex_part *part = NULL;
    uint32_t characters = 0;
    if (regex_parse(pattern, want->arena, &part, NULL) != OK || /* it may have look-aheads */
        !regex_open(part, want->arena, &part, &characters))
        return schema_want_pattern(want, pattern, true);
    *most = characters < *most ? characters : *most;
    return schema_want_parsed(want, part);
}

/* most: NULL where nobody counts characters. */
static enum status want_part(struct schema_want *want, const struct schema_part *part,
                             uint32_t *most)
{
    struct text text;
    const bool holds = part->kind == SCHEMA_PART_HOLDS;
    if (part->kind == SCHEMA_PART_DIFFERS || part->kind == SCHEMA_PART_OUTSIDE)
        return want_values(want, NULL, part->at);
    if (!holds && part->kind != SCHEMA_PART_BREAKS)
        return OK;
    const struct text key = holds ? TEXT("") : json_key(part->at);
    const struct json *pattern = holds ? json_get(part->at, "pattern")
                                 : text_equal(key, TEXT("pattern")) ? part->at
                                                                    : NULL;
    const struct json *format = holds                             ? json_get(part->at, "format")
                                : text_equal(key, TEXT("format")) ? part->at
                                                                  : NULL;
    if (json_text(pattern, &text))
        TRY(holds && most ? want_open(want, text, most)
                          : schema_want_pattern(want, text, holds));
    return json_text(format, &text) ? schema_want_format(want, text, holds) : OK;
}

/* Where in a character a state stands: 0 between two, 1 behind a backslash, 2 to 5 before the
 * digits of \u. Two states of different places are never one, for their ways out differ. */
static uint8_t next_place(uint8_t place, uint8_t byte)
{
    if (place == 0)
        return byte == '\\' ? 1 : 0;
    if (place == 1)
        return byte == 'u' ? 2 : 0;
    return place < 5 ? place + 1 : 0;
}

/* Bytes that stand for all others: the first of each class, and where places differ. */
static uint32_t list_bytes(const struct automaton *made, uint8_t bytes[256])
{
    static const char apart[] = "\\]uv\x80\xc0";
    uint32_t count = 0;
    for (int byte = 0; byte < 256; byte++)
        if (byte == 0 || made->class_of[byte] != made->class_of[byte - 1] ||
            strchr(apart, byte))
            bytes[count++] = (uint8_t)byte;
    return count;
}

static void fill_places(const struct automaton *made, uint8_t *places)
{
    uint8_t bytes[256];
    const uint32_t count = list_bytes(made, bytes);
    memset(places, UINT8_MAX, made->state_count);
    places[AUTOMATON_START] = 0;
    for (bool grew = true; grew;) {
        grew = false;
        for (uint32_t i = AUTOMATON_START * count; i < made->state_count * count; i++) {
            const uint32_t state = i / count;
            const uint16_t to = automaton_step(made, state, bytes[i % count]);
            if (places[state] == UINT8_MAX || to == AUTOMATON_DEAD || places[to] != UINT8_MAX)
                continue;
            places[to] = next_place(places[state], bytes[i % count]);
            grew = true;
        }
    }
}

/* Fewest characters to an end, by rounds: a byte counts where it begins one. */
static void fill_further(const struct automaton *made, const uint8_t *places, uint16_t *further)
{
    uint8_t bytes[256];
    const uint32_t count = list_bytes(made, bytes);
    for (uint32_t state = 0; state < made->state_count; state++)
        further[state] =
            state != AUTOMATON_DEAD && automaton_ends(made, state) ? 0 : AUTOMATON_NEVER;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = made->state_count * count; i-- > AUTOMATON_START * count;) {
            const uint32_t state = i / count;
            const uint8_t byte = bytes[i % count];
            const uint16_t then = further[automaton_step(made, state, byte)];
            const bool begins = places[state] == 0 && (byte & 0xc0) != 0x80;
            if (then == AUTOMATON_NEVER || then + begins >= further[state])
                continue;
            further[state] = (uint16_t)(then + begins);
            changed = true;
        }
    }
}

static enum status count_characters(const struct automaton *made, struct schema_node *node,
                                    struct arena *arena, struct error *err)
{
    struct schema_characters *characters = ARENA_NEW(arena, struct schema_characters, 1);
    uint16_t *further = ARENA_NEW(arena, uint16_t, made->state_count);
    uint8_t *places = ARENA_NEW(arena, uint8_t, made->state_count);
    bool *between = ARENA_NEW(arena, bool, made->state_count);
    if (!characters || !further || !places || !between)
        FAIL(err, ERR_MEMORY, "schema: the arena is full");
    fill_places(made, places);
    fill_further(made, places, further);
    for (uint32_t state = 0; state < made->state_count; state++)
        between[state] = places[state] == 0;
    *characters = (struct schema_characters){.further = further, .between = between};
    node->characters = characters;
    return OK;
}

enum status schema_text_strings(struct schema_build *build,
                                const struct schema_strings *strings, struct automaton *made)
{
    const struct schema_parts *parts = strings->parts;
    struct schema_want want;
    struct schema_length length;
    TRY(schema_text_length(parts, strings->values, &length, build->err));
    TRY(schema_want_init(&want, build, REGEX_JSON));
    uint32_t most = SCHEMA_NO_MAX;
    for (uint32_t i = 0; i < parts->count; i++)
        TRY(want_part(&want, &parts->parts[i], strings->node ? &most : NULL));
    if (most < length.characters.max)
        length.characters.max = most;
    const bool is_long = length.characters.max != SCHEMA_NO_MAX &&
                         length.characters.max > SCHEMA_TEXT_LENGTH_MAX;
    const bool counts = strings->node && (is_long || most != SCHEMA_NO_MAX) &&
                        length.characters.min <= length.characters.max;
    if (counts) {
        strings->node->characters_max = length.characters.max;
        length.characters.max = SCHEMA_NO_MAX;
    }
    TRY(want_length(&want, length.characters));
    if (!strings->values->any)
        TRY(want_values(&want, strings->values, NULL));
    if (want.want.all == 0)
        TRY(schema_want_pattern(&want, TEXT(""), true));
    TRY(schema_want_make(&want, made));
    return counts ? count_characters(made, strings->node, build->arena, build->err) : OK;
}

enum status schema_text_character(struct schema_build *build, struct automaton *made)
{
    struct schema_want want;
    TRY(schema_want_init(&want, build, REGEX_PLAIN));
    TRY(schema_want_pattern(
        &want,
        TEXT("^([^\\x00-\\x1f\"\\\\]|\\\\[\"\\\\/bfnrt]|\\\\u("
             "[0-9a-cA-CefEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}|"
             "[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2}))$"),
        true));
    return schema_want_make(&want, made);
}
