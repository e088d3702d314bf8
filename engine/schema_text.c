/*
 * schema_text - see schema_text.h.
 *
 * Each restriction is a regular expression with a label of its own; a text must end with all
 * labels. So several patterns, a format and a length hold together without an intersection.
 * Bounds of numbers are written as regular expressions over their decimal digits.
 */
#include "engine/schema_text.h"

#include "engine/regex.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name, *pattern;
} formats[] = {
    {"date", "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"},
    {"time", "^([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]+)?"
             "([zZ]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"},
    {"date-time", "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])[tT]"
                  "([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\\.[0-9]+)?"
                  "([zZ]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"},
    {"email", "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@"
              "[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*"
              "[A-Za-z0-9])?)*$"},
    {"uuid", "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"},
    {"ipv4", "^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\\.){3}"
             "(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])$"},
    {"ipv6", "^(([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|([0-9a-fA-F]{1,4}:){1,7}:|"
             "([0-9a-fA-F]{1,4}:){1,6}:[0-9a-fA-F]{1,4}|"
             "([0-9a-fA-F]{1,4}:){1,5}(:[0-9a-fA-F]{1,4}){1,2}|"
             "([0-9a-fA-F]{1,4}:){1,4}(:[0-9a-fA-F]{1,4}){1,3}|"
             "([0-9a-fA-F]{1,4}:){1,3}(:[0-9a-fA-F]{1,4}){1,4}|"
             "([0-9a-fA-F]{1,4}:){1,2}(:[0-9a-fA-F]{1,4}){1,5}|"
             "[0-9a-fA-F]{1,4}:(:[0-9a-fA-F]{1,4}){1,6}|:((:[0-9a-fA-F]{1,4}){1,7}|:))$"},
    {"hostname", "^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
                 "(\\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$"},
    {"uri", "^[A-Za-z][A-Za-z0-9+.-]*:([A-Za-z0-9._~:/?#@!$&'()*+,;=\\[\\]-]|"
            "%[0-9a-fA-F]{2})*$"},
};

/* Texts under restrictions, while they are collected. */
struct wanting {
    struct nfa nfa;
    struct arena *arena;
    enum regex_bytes bytes;
    uint16_t label; /* of the next restriction */
    struct error *err;
};

static enum status want_pattern(struct wanting *want, struct text pattern)
{
    struct nfa *nfa = &want->nfa;
    if (want->label == SCHEMA_TEXT_WANTS_MAX)
        FAIL(want->err, ERR_LIMIT, "pattern: more than %d hold together",
             SCHEMA_TEXT_WANTS_MAX);
    const struct regex_target target = {
        .nfa = nfa,
        .scratch = want->arena,
        .after = automaton_accept(nfa, want->label++),
        .options = {.bytes = want->bytes, .span = REGEX_SEARCH}};
    uint16_t start = 0;
    TRY(regex_add(&target, pattern, &start, want->err));
    nfa->start = automaton_split(nfa, nfa->start, start);
    return OK;
}

static enum status want_format(struct wanting *want, struct text name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (text_equal(name, text_of(formats[i].name)))
            return want_pattern(want, text_of(formats[i].pattern));
    return OK;
}

static enum status read_count(const struct json *schema, const char *key, uint32_t *out,
                              struct error *err)
{
    const struct json *value = json_get(schema, key);
    double count = 0;
    if (!value)
        return OK;
    if (!json_double(value, &count) || !(count >= 0) || floor(count) != count)
        FAIL(err, ERR_FORMAT, "%s: want a whole number of 0 or more", key);
    *out = count > UINT32_MAX - 1 ? UINT32_MAX : (uint32_t)count;
    return OK;
}

static enum status want_length(struct wanting *want, const struct json *schema)
{
    uint32_t min = 0;
    uint32_t max = UINT32_MAX;
    char pattern[64];
    TRY(read_count(schema, "minLength", &min, want->err));
    TRY(read_count(schema, "maxLength", &max, want->err));
    if (min == 0 && max == UINT32_MAX)
        return OK;
    if (max != UINT32_MAX && min > max)
        snprintf(pattern, sizeof pattern, "[]");
    else
        snprintf(pattern, sizeof pattern, "^[^]{%u,%u}$", min, max);
    if (max == UINT32_MAX)
        snprintf(pattern, sizeof pattern, "^[^]{%u,}$", min);
    return want_pattern(want, text_of(pattern));
}

static enum status want_values(struct wanting *want, const struct schema_strings *strings)
{
    struct nfa *nfa = &want->nfa;
    const struct regex_target target = {.nfa = nfa,
                                        .after = automaton_accept(nfa, want->label++),
                                        .options = {.bytes = want->bytes}};
    for (uint32_t i = 0; i < strings->value_count; i++) {
        struct text value;
        if (json_text(strings->values[i], &value))
            nfa->start = automaton_split(nfa, nfa->start, regex_literal(&target, value));
    }
    return OK;
}

enum status schema_text_strings(struct automaton *made, const struct schema_strings *strings,
                                struct arena *arena, struct error *err)
{
    struct wanting want = {.arena = arena, .bytes = REGEX_JSON, .err = err};
    TRY(automaton_nfa(&want.nfa, arena, err));
    for (uint32_t i = 0; i < strings->schema_count; i++) {
        struct text text;
        if (json_text(json_get(strings->schemas[i], "pattern"), &text))
            TRY(want_pattern(&want, text));
        if (json_text(json_get(strings->schemas[i], "format"), &text))
            TRY(want_format(&want, text));
        TRY(want_length(&want, strings->schemas[i]));
    }
    if (strings->only_values)
        TRY(want_values(&want, strings));
    if (want.label == 0)
        TRY(want_pattern(&want, TEXT("")));
    const struct automaton_want all = {.all = (1u << want.label) - 1};
    return automaton_make(made, &want.nfa, all, arena, err);
}

enum status schema_text_character(struct automaton *made, struct arena *arena,
                                  struct error *err)
{
    struct wanting want = {.arena = arena, .bytes = REGEX_PLAIN, .err = err};
    TRY(automaton_nfa(&want.nfa, arena, err));
    TRY(want_pattern(&want,
                     TEXT("^([^\\x00-\\x1f\"\\\\]|\\\\[\"\\\\/bfnrt]|\\\\u("
                          "[0-9a-cA-CefEF][0-9a-fA-F]{3}|[dD][0-7][0-9a-fA-F]{2}|"
                          "[dD][89abAB][0-9a-fA-F]{2}\\\\u[dD][c-fC-F][0-9a-fA-F]{2}))$")));
    return automaton_make(made, &want.nfa, (struct automaton_want){.all = 1}, arena, err);
}

static bool format_is_known(const struct json *schema)
{
    struct text name;
    if (!json_text(json_get(schema, "format"), &name))
        return false;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (text_equal(name, text_of(formats[i].name)))
            return true;
    return false;
}

enum status schema_text_length(const struct schema_strings *strings, uint32_t *min,
                               uint32_t *max, bool *only, struct error *err)
{
    *min = 0;
    *max = UINT32_MAX;
    *only = !strings->only_values;
    for (uint32_t i = 0; i < strings->schema_count; i++) {
        const struct json *schema = strings->schemas[i];
        uint32_t least = 0;
        uint32_t most = UINT32_MAX;
        TRY(read_count(schema, "minLength", &least, err));
        TRY(read_count(schema, "maxLength", &most, err));
        *min = least > *min ? least : *min;
        *max = most < *max ? most : *max;
        *only = *only && !json_get(schema, "pattern") && !format_is_known(schema);
    }
    return OK;
}

/* A regular expression of the whole numbers of n or more (or n or less), without sign. */
static void put_whole(struct text_buf *out, uint64_t n, bool or_more)
{
    char digits[24];
    const int count = snprintf(digits, sizeof digits, "%" PRIu64, n);
    text_buf_format(out, "(%s", digits);
    for (int i = 0; i < count; i++) {
        const int digit = digits[i] - '0';
        const int first = or_more ? digit + 1 : (i == 0 && count > 1);
        const int last = or_more ? 9 : digit - 1;
        if (first <= last)
            text_buf_format(out, "|%.*s[%d-%d][0-9]{%d}", i, digits, first, last,
                            count - 1 - i);
    }
    if (or_more)
        text_buf_format(out, "|[1-9][0-9]{%d,}", count);
    else if (count > 2)
        text_buf_format(out, "|[1-9][0-9]{0,%d}|0", count - 2);
    else if (count == 2)
        text_buf_format(out, "|[0-9]");
    text_buf_format(out, ")");
}

/* Numbers x >= n or x > n, by sign; for an upper bound the signs change places. */
static void put_bound(struct text_buf *out, int64_t n, bool exclusive, bool upper)
{
    const char *const with = upper ? "-" : "";
    const char *const against = upper ? "" : "-";
    n = upper ? -n : n;
    text_buf_format(out, "^(");
    if (n > 0 || (n == 0 && exclusive)) {
        text_buf_format(out, "%s", with);
        put_whole(out, (uint64_t)n + exclusive, true);
        text_buf_format(out, "(\\.[0-9]+)?");
        if (exclusive)
            text_buf_format(out, "|%s%" PRId64 "\\.[0-9]*[1-9][0-9]*", with, n);
    } else {
        text_buf_format(out, "%s(0|[1-9][0-9]*)(\\.[0-9]+)?", with);
        if (n < 0) {
            text_buf_format(out, "|%s", against);
            put_whole(out, (uint64_t)-n - 1, false);
            text_buf_format(out, "(\\.[0-9]+)?");
        }
        if (!exclusive)
            text_buf_format(out, "|%s%" PRId64 "(\\.0+)?", against, -n);
    }
    text_buf_format(out, ")$");
}

static enum status want_bound(struct wanting *want, const struct json *schema, const char *key,
                              bool whole)
{
    const bool upper = strstr(key, "aximum") != NULL;
    const char *const twin = upper ? "exclusiveMaximum" : "exclusiveMinimum";
    bool exclusive = strncmp(key, "exclusive", 9) == 0;
    double bound = 0;
    if (!json_double(json_get(schema, key), &bound))
        return OK;
    if (!exclusive)
        json_bool(json_get(schema, twin), &exclusive); /* as draft 4 has it */
    if (whole && floor(bound) != bound) {
        bound = upper ? floor(bound) : ceil(bound);
        exclusive = false;
    }
    if (floor(bound) != bound || fabs(bound) > 9e15)
        FAIL(want->err, ERR_LIMIT, "%s: %g, want a whole number within 9e15", key, bound);
    struct text_buf pattern = {0};
    put_bound(&pattern, (int64_t)bound, exclusive, upper);
    enum status status = OK;
    if (pattern.failed)
        status = error_set(want->err, ERR_MEMORY, __FILE__, __LINE__, "%s: no memory", key);
    else
        status = want_pattern(want, text_buf_text(&pattern));
    text_buf_deinit(&pattern);
    return status;
}

enum status schema_text_numbers(struct automaton *made, const struct schema_strings *numbers,
                                bool whole, struct arena *arena, struct error *err)
{
    static const char *const bounds[] = {"minimum", "maximum", "exclusiveMinimum",
                                         "exclusiveMaximum"};
    struct wanting want = {.arena = arena, .bytes = REGEX_PLAIN, .err = err};
    TRY(automaton_nfa(&want.nfa, arena, err));
    TRY(want_pattern(&want, whole ? TEXT("^-?(0|[1-9][0-9]*)(\\.0)?$")
                                  : TEXT("^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?$")));
    for (uint32_t i = 0; i < numbers->schema_count; i++)
        for (size_t b = 0; b < sizeof bounds / sizeof *bounds; b++)
            TRY(want_bound(&want, numbers->schemas[i], bounds[b], whole));
    const struct automaton_want all = {.all = (1u << want.label) - 1};
    return automaton_make(made, &want.nfa, all, arena, err);
}
