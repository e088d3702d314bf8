/* schema_text - see schema_text.h. */
#include "engine/schema_text.h"

#include "engine/schema_want.h"

#include <stdio.h>

static bool restricts_text(const struct schema_part *part)
{
    struct text name;
    const struct json *format = part->at;
    if (part->kind == SCHEMA_PART_HOLDS) {
        if (json_get(part->at, "pattern"))
            return true;
        format = json_get(part->at, "format");
    } else if (part->kind == SCHEMA_PART_DIFFERS || part->kind == SCHEMA_PART_OUTSIDE) {
        return true;
    } else if (part->kind != SCHEMA_PART_BREAKS) {
        return false;
    } else if (text_equal(json_key(part->at), TEXT("pattern")) ||
               text_equal(json_key(part->at), TEXT("format"))) {
        return true;
    }
    return json_text(format, &name) && schema_want_is_format(name);
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

static enum status want_part(struct schema_want *want, const struct schema_part *part)
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
        TRY(schema_want_pattern(want, text, holds));
    return json_text(format, &text) ? schema_want_format(want, text, holds) : OK;
}

enum status schema_text_strings(struct automaton *made, const struct schema_parts *parts,
                                const struct schema_values *values, struct arena *arena,
                                struct error *err)
{
    struct schema_want want;
    struct schema_length length;
    TRY(schema_text_length(parts, values, &length, err));
    TRY(schema_want_init(&want, REGEX_JSON, arena, err));
    for (uint32_t i = 0; i < parts->count; i++)
        TRY(want_part(&want, &parts->parts[i]));
    TRY(want_length(&want, length.characters));
    if (!values->any)
        TRY(want_values(&want, values, NULL));
    if (want.want.all == 0)
        TRY(schema_want_pattern(&want, TEXT(""), true));
    return schema_want_make(&want, made);
}

enum status schema_text_character(struct automaton *made, struct arena *arena,
                                  struct error *err)
{
    struct schema_want want;
    TRY(schema_want_init(&want, REGEX_PLAIN, arena, err));
    TRY(schema_want_pattern(
        &want,
        TEXT("^([^\\x00-\\x1f\"\\\\]|\\\\[\"\\\\/bfnrt]|\\\\u("
             "[0-9a-cA-CefEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}|"
             "[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2}))$"),
        true));
    return schema_want_make(&want, made);
}
