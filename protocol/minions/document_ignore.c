/*
 * document_ignore - see document_ignore.h.
 *
 * A pattern is run as an automaton: all places in it that the text so far can have come to. So
 * the time is at most pattern times text, whatever stars a stranger writes behind each other.
 */
#include "protocol/minions/document_ignore.h"

#include <string.h>

/* Places of a pattern: a bit for each, and one for its end. */
struct places {
    bool at[DOCUMENT_IGNORE_PATTERN_MAX + 1];
};

enum step_kind {
    ONE,     /* a character: itself, `?` or a set */
    STAR,    /* any run without '/' */
    FOLDERS, /* a star-star and slash at the beginning of a component: none or more folders */
    REST     /* a star-star at the end, behind a slash */
};

static enum step_kind kind_at(struct text pattern, size_t at, size_t *next)
{
    if (pattern.data[at] != '*') {
        *next = at + 1;
        return ONE;
    }
    size_t end = at;
    while (end < pattern.size && pattern.data[end] == '*')
        end++;
    const bool begins = at == 0 || pattern.data[at - 1] == '/';
    *next = end;
    if (end - at < 2 || !begins)
        return STAR;
    if (end < pattern.size && pattern.data[end] == '/') {
        *next = end + 1;
        return FOLDERS;
    }
    return end == pattern.size ? REST : STAR;
}

/* Marks a place, and those behind it that are reached by reading nothing. */
static void enter(struct text pattern, struct places *places, size_t at)
{
    size_t next = at;
    while (!places->at[at]) {
        places->at[at] = true;
        if (at >= pattern.size || kind_at(pattern, at, &next) == ONE ||
            (kind_at(pattern, at, &next) == REST))
            return;
        at = next;
    }
}

/* Whether the set that begins at pattern[at] holds c, and where it ends; false with *next at
 * `at`: it never ends, and the '[' is a character. */
static bool is_in_set(struct text pattern, size_t at, char c, size_t *next)
{
    size_t i = at + 1;
    const bool is_negated =
        i < pattern.size && (pattern.data[i] == '!' || pattern.data[i] == '^');
    bool is_in = false;
    i += is_negated;
    for (const size_t first = i; i < pattern.size && (pattern.data[i] != ']' || i == first);) {
        if (pattern.data[i] == '\\' && i + 1 < pattern.size)
            i++;
        const char low = pattern.data[i++];
        char high = low;
        if (i + 1 < pattern.size && pattern.data[i] == '-' && pattern.data[i + 1] != ']') {
            high = pattern.data[i + 1];
            i += 2;
        }
        is_in |=
            (unsigned char)c >= (unsigned char)low && (unsigned char)c <= (unsigned char)high;
    }
    *next = i < pattern.size ? i + 1 : at;
    return i < pattern.size && is_in != is_negated;
}

/* Whether the character step at pattern[at] takes c, and the place behind it. */
static bool takes(struct text pattern, size_t at, char c, size_t *next)
{
    const char wanted = pattern.data[at];
    *next = at + 1;
    if (wanted == '?')
        return c != '/';
    if (wanted == '\\' && at + 1 < pattern.size) {
        *next = at + 2;
        return pattern.data[at + 1] == c;
    }
    if (wanted == '[') {
        const bool is_in = is_in_set(pattern, at, c, next);
        if (*next > at)
            return is_in && c != '/';
        *next = at + 1;
    }
    return wanted == c;
}

/* Where one place leads by reading c. */
static void step(struct text pattern, size_t at, char c, struct places *places)
{
    size_t next = at;
    switch (kind_at(pattern, at, &next)) {
    case ONE:
        if (takes(pattern, at, c, &next))
            enter(pattern, places, next);
        return;
    case STAR:
        if (c != '/')
            enter(pattern, places, at);
        return;
    case FOLDERS: /* left behind a slash alone, so that it is not entered again */
        places->at[at] = true;
        if (c == '/')
            enter(pattern, places, next);
        return;
    case REST:
        places->at[at] = true;
        enter(pattern, places, pattern.size);
        return;
    }
}

bool document_ignore_fits(struct text pattern, struct text text, uint64_t *steps)
{
    struct places places = {0};
    if (pattern.size > DOCUMENT_IGNORE_PATTERN_MAX)
        return false;
    enter(pattern, &places, 0);
    for (size_t i = 0; i < text.size; i++) {
        struct places next = {0};
        bool is_any = false;
        for (size_t at = 0; at < pattern.size; at++) {
            if (!places.at[at])
                continue;
            step(pattern, at, text.data[i], &next);
            is_any = true;
        }
        *steps += pattern.size + 1;
        if (!is_any)
            return false;
        places = next;
    }
    return places.at[pattern.size];
}

enum status document_ignore_init(struct document_ignore *ignore, struct arena *arena,
                                 struct error *err)
{
    *ignore = (struct document_ignore){.arena = arena};
    ignore->rules = ARENA_NEW(arena, struct document_ignore_rule, DOCUMENT_IGNORE_RULES_MAX);
    if (!ignore->rules)
        FAIL(err, ERR_MEMORY, "no memory for ignore rules");
    return OK;
}

/* Without white space at its end, but for a space that is escaped. */
static struct text trim_end(struct text line)
{
    while (line.size > 0 && strchr(" \t\r", line.data[line.size - 1]) &&
           line.data[line.size - 1] != '\0' &&
           !(line.size > 1 && line.data[line.size - 2] == '\\'))
        line.size--;
    return line;
}

/* Reads one line; false: it is no rule. */
static bool read_rule(struct text line, struct document_ignore_rule *rule)
{
    *rule = (struct document_ignore_rule){0};
    line = trim_end(line);
    if (line.size == 0 || line.data[0] == '#')
        return false;
    if (line.data[0] == '!') {
        rule->is_negated = true;
        line = text_slice(line, 1, line.size);
    }
    if (line.size > 0 && line.data[line.size - 1] == '/') {
        rule->is_folder = true;
        line.size--;
    }
    rule->is_anchored = text_find(line, TEXT("/"), 0) != SIZE_MAX;
    if (line.size > 0 && line.data[0] == '/')
        line = text_slice(line, 1, line.size);
    rule->pattern = line;
    return line.size > 0 && line.size <= DOCUMENT_IGNORE_PATTERN_MAX;
}

enum status document_ignore_add(struct document_ignore *ignore, struct text rules,
                                struct text base, struct error *err)
{
    const struct text kept = text_copy(rules, ignore->arena);
    const struct text folder = text_copy(base, ignore->arena);
    if (!kept.data || !folder.data)
        FAIL(err, ERR_MEMORY, "no memory for ignore rules");
    for (size_t at = 0; at < kept.size;) {
        struct document_ignore_rule rule;
        size_t end = text_find(kept, TEXT("\n"), at);
        if (end == SIZE_MAX)
            end = kept.size;
        const bool is_rule = read_rule(text_slice(kept, at, end), &rule);
        at = end + 1;
        if (!is_rule)
            continue;
        if (ignore->count >= DOCUMENT_IGNORE_RULES_MAX)
            FAIL(err, ERR_LIMIT, "its .gitignore files hold more than %d rules",
                 DOCUMENT_IGNORE_RULES_MAX);
        rule.base = folder;
        ignore->rules[ignore->count++] = rule;
    }
    return OK;
}

/* What a rule is compared with: the path below its folder, or the last name of it. */
static bool rule_fits(const struct document_ignore_rule *rule, struct text path, bool is_folder,
                      uint64_t *steps)
{
    if ((rule->is_folder && !is_folder) || !text_starts(path, rule->base))
        return false;
    struct text below = text_slice(path, rule->base.size, path.size);
    if (!rule->is_anchored) {
        size_t name = below.size;
        while (name > 0 && below.data[name - 1] != '/')
            name--;
        below = text_slice(below, name, below.size);
    }
    return document_ignore_fits(rule->pattern, below, steps);
}

enum status document_ignore_test(struct document_ignore *ignore, struct text path,
                                 bool is_folder, bool *is_ignored, struct error *err)
{
    *is_ignored = false;
    for (uint32_t i = ignore->count; i > 0; i--) {
        const struct document_ignore_rule *rule = &ignore->rules[i - 1];
        const bool fits = rule_fits(rule, path, is_folder, &ignore->steps);
        ignore->steps++;
        if (ignore->steps > DOCUMENT_IGNORE_STEPS_MAX)
            FAIL(err, ERR_LIMIT, "its .gitignore files take more than %llu steps to compare",
                 (unsigned long long)DOCUMENT_IGNORE_STEPS_MAX);
        if (fits) {
            *is_ignored = !rule->is_negated;
            return OK;
        }
    }
    return OK;
}

struct document_ignore_mark document_ignore_mark(const struct document_ignore *ignore)
{
    return (struct document_ignore_mark){ignore->count, ignore->arena->used};
}

void document_ignore_rewind(struct document_ignore *ignore, struct document_ignore_mark mark)
{
    ignore->count = mark.count;
    arena_rewind(ignore->arena, mark.used);
}
