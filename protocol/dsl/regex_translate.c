/*
 * regex_translate - Python's regular expressions in RE2's syntax; see regex.h.
 *
 * Most of both is the same. What differs:
 *   \d \w \s \b    Python means Unicode, RE2 ASCII: the classes are written out. (\b stays
 *                  ASCII: a border beside a non-ASCII letter is missed.)
 *   $              without MULTILINE also stands before a last newline: RE2 gets \z and
 *                  regex_find looks twice.
 *   (?i)           folds \w with U+0345, which is none; with (?a) Python folds ASCII alone.
 *   \Z, (?P=x), (?#...), {,n}, \uXXXX, octal escapes, VERBOSE, '[' inside a class
 *   look-around, back-references, atomic groups, possessive quantifiers: refused by name.
 */
#include "protocol/dsl/regex.h"

#include "protocol/dsl/regex_check.h"
#include "protocol/dsl/regex_sets.h"

#include <stdio.h>
#include <string.h>

struct translate {
    struct text pattern;
    size_t at;
    int64_t flags;
    struct text_buf *out;
    bool *ends_open;
    char *message; /* [200] */
    int depth;
    size_t opened[REGEX_GROUPS_MAX + 1];     /* where the groups that are open begin */
    enum { NOTHING, ITEM, REPEATED } before; /* what a quantifier would repeat */
    uint32_t last; /* code point of the class, where a range may begin */
    bool is_range, has_i;
    uint32_t letters; /* of ASCII, a bit for each, that a class or a literal lets in */
    bool has_words, is_caseful; /* of a class: \w or \W; what may have another case */
};

/* Python counts code points. */
static size_t position(const struct translate *t, size_t at)
{
    size_t count = 0;
    for (size_t i = 0; i < at && i < t->pattern.size; i++)
        count += ((unsigned char)t->pattern.data[i] & 0xc0) != 0x80;
    return count;
}

static bool refuse(struct translate *t, const char *why)
{
    snprintf(t->message, 200, "%s at position %zu", why, position(t, t->at));
    return false;
}

static void put(struct translate *t, const char *text)
{
    text_buf_add(t->out, text_of(text));
}

static bool more(const struct translate *t, const char *what)
{
    return text_starts(text_slice(t->pattern, t->at, t->pattern.size), text_of(what));
}

static char peek(const struct translate *t, size_t ahead)
{
    return t->at + ahead < t->pattern.size ? t->pattern.data[t->at + ahead] : '\0';
}

/* A code point as RE2 reads it anywhere; of a class, notes whether it lets an i in. */
static void put_code_point(struct translate *t, uint32_t code_point)
{
    static const uint32_t is[] = {'i', 'I', 0x130, 0x131};
    const uint32_t first = t->is_range ? t->last : code_point;
    for (size_t i = 0; i < sizeof is / sizeof is[0]; i++)
        t->has_i |= first <= is[i] && is[i] <= code_point;
    for (uint32_t i = 0; i < 26; i++)
        if ((first <= 'a' + i && 'a' + i <= code_point) ||
            (first <= 'A' + i && 'A' + i <= code_point))
            t->letters |= UINT32_C(1) << i;
    t->is_caseful |= t->letters != 0 || code_point >= 0x80;
    t->is_range = false;
    t->last = code_point;
    text_buf_format(t->out, "\\x{%x}", code_point);
}

/* Python folds the Turkish letters with i, as RE2 does not. */
static bool folds_i(const struct translate *t)
{
    return (t->flags & REGEX_IGNORECASE) && !(t->flags & REGEX_ASCII);
}
#define ALL_I "iI\\x{130}\\x{131}"

/* RE2 is not told of (?i) then. */
static bool folds_ascii(const struct translate *t)
{
    return (t->flags & REGEX_IGNORECASE) && (t->flags & REGEX_ASCII);
}

static void put_letters(struct translate *t)
{
    for (int i = 0; folds_ascii(t) && i < 26; i++)
        if (t->letters >> i & 1)
            text_buf_format(t->out, "%c%c", 'A' + i, 'a' + i);
}

/* One code point has been written from before on. */
static void fold_literal(struct translate *t, size_t before)
{
    const bool is_i = t->has_i && folds_i(t);
    if ((!is_i && !(t->letters && folds_ascii(t))) || t->out->failed)
        return;
    t->out->size = before;
    put(t, is_i ? "[" ALL_I : "[");
    put_letters(t);
    put(t, "]");
}

/* What has been written from before on is not to be folded. */
static void keep_case(struct translate *t, size_t before)
{
    static const char OPEN[] = "(?-i:";
    const size_t size = t->out->size - before;
    if (!folds_i(t))
        return;
    put(t, OPEN);
    if (t->out->failed)
        return;
    memmove(t->out->data + before + strlen(OPEN), t->out->data + before, size);
    memcpy(t->out->data + before, OPEN, strlen(OPEN));
    put(t, ")");
}

static bool put_hex(struct translate *t, size_t digits)
{
    uint32_t value = 0;
    t->at += 2;
    for (size_t i = 0; i < digits; i++, t->at++) {
        const char c = peek(t, 0);
        const char lower = (char)(c | 0x20);
        if (!((c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'f')))
            return refuse(t, "incomplete escape");
        value = value * 16 + (uint32_t)(c <= '9' ? c - '0' : lower - 'a' + 10);
    }
    if (value > 0x10ffff)
        return refuse(t, "bad escape");
    put_code_point(t, value);
    return true;
}

/* \0, \012 and so on; in a class any digit. false when it is a back-reference. */
static bool put_octal(struct translate *t, bool in_class)
{
    uint32_t value = 0;
    size_t digits = 0;
    const char *at = t->pattern.data + t->at + 1;
    const size_t left = t->pattern.size - t->at - 1;
    while (digits < 3 && digits < left && at[digits] >= '0' && at[digits] <= '7')
        value = value * 8 + (uint32_t)(at[digits++] - '0');
    if (digits == 0 || (!in_class && at[0] != '0' && digits < 3))
        return refuse(t, "back-references (\\1) are not supported");
    t->at += 1 + digits;
    put_code_point(t, value);
    return true;
}

/* \d and its kin, as members of a class or on their own. */
static bool put_class_escape(struct translate *t, char c, bool in_class)
{
    const bool ascii = t->flags & REGEX_ASCII;
    const size_t before = t->out->size;
    const char *members = NULL;
    switch (c) {
    case 'd':
        members = ascii ? "0-9" : "\\p{Nd}";
        break;
    case 'D':
        members = ascii ? "\\D" : "\\P{Nd}";
        break;
    case 'w':
        members = ascii ? "0-9A-Za-z_" : REGEX_SETS_WORD;
        break;
    case 'W':
        if (in_class)
            members = ascii ? "\\W" : REGEX_SETS_NOT_WORD;
        break;
    case 's':
        members = ascii ? "\\t-\\r\\x20" : REGEX_SETS_SPACE;
        break;
    case 'S':
        members = ascii ? "\\x00-\\x08\\x0e-\\x1f\\x21-\\x{10ffff}" : REGEX_SETS_NOT_SPACE;
        break;
    default:
        return false;
    }
    if (!in_class)
        put(t, c == 'W' ? "[^" : "[");
    put(t, members ? members : ascii ? "0-9A-Za-z_" : REGEX_SETS_WORD);
    if (!in_class)
        put(t, "]");
    if (!in_class && (c | 0x20) == 'w')
        keep_case(t, before);
    t->has_words |= (c | 0x20) == 'w';
    t->at += 2;
    return true;
}

static bool put_escape(struct translate *t, bool in_class)
{
    const char c = peek(t, 1);
    if (t->at + 1 >= t->pattern.size)
        return refuse(t, "bad escape (end of pattern)");
    if (c && strchr("dDwWsS", c))
        return put_class_escape(t, c, in_class);
    if (c >= '0' && c <= '9')
        return put_octal(t, in_class);
    if (c == 'x' || c == 'u' || c == 'U')
        return put_hex(t, c == 'x' ? 2 : c == 'u' ? 4 : 8);
    if (c == 'b' && in_class) {
        put(t, "\\x08");
        t->at += 2;
        return true;
    }
    if (c && strchr(in_class ? "afnrtv" : "afnrtvAbB", c)) {
        text_buf_format(t->out, "\\%c", c);
        t->at += 2;
        return true;
    }
    if (c == 'Z' && !in_class) {
        put(t, "\\z");
        t->at += 2;
        return true;
    }
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
        snprintf(t->message, 200, "bad escape \\%c at position %zu", c, position(t, t->at));
        return false;
    }
    t->at++;
    put_code_point(t, text_utf8_next(t->pattern, &t->at));
    return true;
}

/* What is left of \w: RE2 has no complement of a class inside another. */
static bool put_word_idiom(struct translate *t)
{
    static const char *const IDIOMS[][2] = {REGEX_SETS_IDIOMS};
    for (size_t i = 0; i < sizeof IDIOMS / sizeof IDIOMS[0]; i++) {
        if (!more(t, IDIOMS[i][0]))
            continue;
        const size_t before = t->out->size;
        put(t, IDIOMS[i][1]);
        keep_case(t, before);
        t->at += strlen(IDIOMS[i][0]);
        return true;
    }
    return false;
}

static bool put_class(struct translate *t)
{
    const size_t begin = t->at, before = t->out->size;
    if (put_word_idiom(t))
        return true;
    put(t, "[");
    t->at++;
    t->has_i = t->is_range = t->has_words = t->is_caseful = false;
    t->letters = 0;
    if (peek(t, 0) == '^') {
        put(t, "^");
        t->at++;
    }
    for (bool first = true; t->at < t->pattern.size; first = false) {
        const char c = peek(t, 0);
        if (c == ']' && !first) {
            put_letters(t);
            put(t, t->has_i && folds_i(t) ? ALL_I "]" : "]");
            if (t->has_words && !t->is_caseful)
                keep_case(t, before);
            t->at++;
            return true;
        }
        if (c == '\\') {
            if (!put_escape(t, true))
                return false;
            continue;
        }
        if (c == '-') { /* a range, or itself at either end */
            const bool range = !first && peek(t, 1) != ']' && t->at > begin + 1;
            put(t, range ? "-" : "\\-");
            t->is_range = range;
            t->at++;
            continue;
        }
        put_code_point(t, text_utf8_next(t->pattern, &t->at));
    }
    t->at = begin;
    return refuse(t, "unterminated character set");
}

/* Letters of (?aiLmsux) into flags; stops at what is no letter. */
static bool read_flags(struct translate *t, int64_t *flags)
{
    for (; t->at < t->pattern.size; t->at++) {
        switch (peek(t, 0)) {
        case 'a':
            *flags |= REGEX_ASCII;
            break;
        case 'i':
            *flags |= REGEX_IGNORECASE;
            break;
        case 'm':
            *flags |= REGEX_MULTILINE;
            break;
        case 's':
            *flags |= REGEX_DOTALL;
            break;
        case 'x':
            *flags |= REGEX_VERBOSE;
            break;
        case 'u':
            *flags |= REGEX_UNICODE;
            break;
        case 'L':
            break;
        default:
            return true;
        }
    }
    return refuse(t, "missing ), unterminated subpattern");
}

static bool open_group(struct translate *t, size_t begin)
{
    if (t->depth >= REGEX_GROUPS_MAX)
        return refuse(t, "groups nested more than 100 deep are not supported");
    t->opened[t->depth++] = begin;
    return true;
}

/* (?i) at the start, or (?i:...) anywhere. */
static bool put_flag_group(struct translate *t)
{
    const size_t begin = t->at;
    int64_t on = 0, off = 0;
    t->at += 2;
    if (!read_flags(t, &on))
        return false;
    if (peek(t, 0) == '-') {
        t->at++;
        if (!read_flags(t, &off))
            return false;
    }
    const char c = peek(t, 0);
    t->at++;
    if (c == ')') { /* the whole pattern: told to RE2 at its head */
        if (begin > 0)
            t->at = begin;
        t->flags |= on;
        return begin == 0 || refuse(t, "global flags not at the start of the expression");
    }
    if (c != ':')
        return refuse(t, "unknown extension ?");
    put(t, "(?");
    put(t, on & REGEX_IGNORECASE ? "i" : "");
    put(t, on & REGEX_DOTALL ? "s" : "");
    put(t, on & REGEX_MULTILINE ? "m" : "");
    if (off & (REGEX_IGNORECASE | REGEX_DOTALL | REGEX_MULTILINE))
        put(t, "-");
    put(t, off & REGEX_IGNORECASE ? "i" : "");
    put(t, off & REGEX_DOTALL ? "s" : "");
    put(t, off & REGEX_MULTILINE ? "m" : "");
    put(t, ":");
    return open_group(t, begin);
}

static bool put_group(struct translate *t)
{
    const size_t begin = t->at;
    static const struct {
        const char *start, *why;
    } REFUSED[] = {
        {"(?=", "look-ahead (?=...) is not supported: match it and cut it off yourself"},
        {"(?!", "negative look-ahead (?!...) is not supported: filter the matches in code"},
        {"(?<=", "look-behind (?<=...) is not supported: use a group around what you want"},
        {"(?<!", "negative look-behind (?<!...) is not supported: filter the matches in code"},
        {"(?P=", "back-references (?P=name) are not supported"},
        {"(?>", "atomic groups (?>...) are not supported: use (?:...)"},
        {"(?(", "conditional groups (?(...)...) are not supported"},
    };
    for (size_t i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++)
        if (more(t, REFUSED[i].start))
            return refuse(t, REFUSED[i].why);
    if (more(t, "(?#")) {
        const size_t close = text_find(t->pattern, TEXT(")"), t->at);
        if (close == SIZE_MAX)
            return refuse(t, "missing ), unterminated comment");
        t->at = close + 1;
        return true;
    }
    if (more(t, "(?P<") || more(t, "(?:")) {
        const size_t end = more(t, "(?:") ? t->at + 3 : text_find(t->pattern, TEXT(">"), t->at);
        if (end == SIZE_MAX)
            return refuse(t, "missing >, unterminated name");
        const size_t stop = more(t, "(?:") ? end : end + 1;
        text_buf_add(t->out, text_slice(t->pattern, t->at, stop));
        t->at = stop;
    } else if (more(t, "(?")) {
        return put_flag_group(t);
    } else {
        put(t, "(");
        t->at++;
    }
    return open_group(t, begin);
}

/* {m}, {m,}, {,n}, {m,n}; anything else is a brace itself. */
static bool put_repeat(struct translate *t)
{
    size_t at = t->at + 1, digits[2] = {0, 0};
    unsigned long numbers[2] = {0, 0};
    bool comma = false;
    for (; at < t->pattern.size; at++) {
        const char c = t->pattern.data[at];
        if (c == ',' && !comma)
            comma = true;
        else if (c >= '0' && c <= '9' && digits[comma] < 9) {
            numbers[comma] = numbers[comma] * 10 + (unsigned long)(c - '0');
            digits[comma]++;
        } else
            break;
    }
    const bool counts = digits[0] > 0 || comma;
    if (at >= t->pattern.size || t->pattern.data[at] != '}' || !counts) {
        put(t, "\\{");
        t->at++;
        return true;
    }
    if (comma && digits[1] > 0 && numbers[0] > numbers[1]) {
        t->at++;
        return refuse(t, "min repeat greater than max repeat");
    }
    if (numbers[0] > 1000 || numbers[1] > 1000)
        return refuse(t, "repetition of more than 1000 is not supported");
    if (comma && digits[1] == 0)
        text_buf_format(t->out, "{%lu,}", numbers[0]);
    else if (comma)
        text_buf_format(t->out, "{%lu,%lu}", numbers[0], numbers[1]);
    else
        text_buf_format(t->out, "{%lu}", numbers[0]);
    t->at = at + 1;
    return true;
}

static bool put_quantifier(struct translate *t)
{
    const char c = peek(t, 0);
    const size_t begin = t->at, before = t->out->size;
    if (c == '{') {
        if (!put_repeat(t))
            return false;
        if (t->out->data[before] == '\\') {
            t->before = ITEM;
            return true;
        }
    } else {
        text_buf_byte(t->out, c);
        t->at++;
    }
    if (t->before != ITEM) {
        const bool nothing = t->before == NOTHING;
        t->at = begin;
        return refuse(t, nothing ? "nothing to repeat" : "multiple repeat");
    }
    t->before = REPEATED;
    if (peek(t, 0) == '?') {
        put(t, "?");
        t->at++;
    } else if (peek(t, 0) == '+') {
        return refuse(t, "possessive quantifiers are not supported: drop the second +");
    }
    return true;
}

/* White space and comments of a VERBOSE pattern. */
static bool skip_verbose(struct translate *t)
{
    const char c = peek(t, 0);
    if (!(t->flags & REGEX_VERBOSE))
        return false;
    if (c == ' ' || (c >= '\t' && c <= '\r')) {
        t->at++;
        return true;
    }
    if (c != '#')
        return false;
    while (t->at < t->pattern.size && peek(t, 0) != '\n')
        t->at++;
    return true;
}

static bool put_one(struct translate *t)
{
    const char c = peek(t, 0);
    const size_t before = t->out->size;
    t->has_i = false;
    t->letters = 0;
    if (skip_verbose(t))
        return true;
    if (!strchr("*+?{", c) || c == '\0') /* quantifiers look at what stands before them */
        t->before = c == '(' || c == '|' || c == '^' || c == '$' ? NOTHING : ITEM;
    switch (c) {
    case '\\':
        if (peek(t, 1) && strchr("AZbB", peek(t, 1)))
            t->before = NOTHING;
        if (!put_escape(t, false))
            return false;
        fold_literal(t, before);
        return true;
    case '[':
        return put_class(t);
    case '(':
        return put_group(t);
    case ')':
        if (t->depth-- == 0)
            return refuse(t, "unbalanced parenthesis");
        break;
    case '*':
    case '+':
    case '?':
    case '{':
        return put_quantifier(t);
    case '$':
        if (t->flags & REGEX_MULTILINE)
            break;
        put(t, "\\z");
        *t->ends_open = true;
        t->at++;
        return true;
    case '.':
    case '^':
    case '|':
        break;
    default:
        if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z' && c != 'i') ||
            (c >= 'A' && c <= 'Z' && c != 'I') || c == ' ' || c == '_')
            if (!folds_ascii(t))
                break;
        put_code_point(t, text_utf8_next(t->pattern, &t->at));
        fold_literal(t, before);
        return true;
    }
    text_buf_byte(t->out, c);
    t->at++;
    return true;
}

/* Flags for the whole pattern stand at its start in Python; $ and VERBOSE depend on them. */
static void leading_flags(struct translate *t)
{
    const size_t close = text_find(t->pattern, TEXT(")"), 0);
    if (!more(t, "(?") || close == SIZE_MAX)
        return;
    struct translate probe = *t;
    int64_t flags = 0;
    probe.at = 2;
    if (read_flags(&probe, &flags) && probe.at == close && close > 2)
        t->flags |= flags;
    t->message[0] = '\0';
}

bool regex_translate(struct text pattern, int64_t *flags, struct text_buf *out, bool *ends_open,
                     char message[200])
{
    struct translate t = {.pattern = pattern,
                          .flags = *flags,
                          .out = out,
                          .ends_open = ends_open,
                          .message = message};
    *ends_open = false;
    message[0] = '\0';
    leading_flags(&t);
    if (!regex_check(pattern, t.flags, message))
        return false;
    put(&t, "(?");
    put(&t, (t.flags & REGEX_IGNORECASE) && !folds_ascii(&t) ? "i" : "");
    put(&t, t.flags & REGEX_MULTILINE ? "m" : "");
    put(&t, t.flags & REGEX_DOTALL ? "s" : "");
    put(&t, out->data[out->size - 1] == '?' ? ":)" : ")");
    while (t.at < pattern.size)
        if (!put_one(&t))
            return false;
    if (t.depth > 0) {
        t.at = t.opened[t.depth - 1];
        return refuse(&t, "missing ), unterminated subpattern");
    }
    if (out->failed)
        return refuse(&t, "the regular expression is too long");
    *flags = t.flags;
    return true;
}
