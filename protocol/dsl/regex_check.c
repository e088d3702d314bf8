/*
 * regex_check - see regex_check.h.
 *
 * Read as CPython reads it: in tokens of one character, or of a backslash and the one behind
 * it, with one token looked ahead. Where a fault is said to be depends on how far that has
 * come, so the parts here follow the order in which CPython looks at things.
 */
#include "protocol/dsl/regex_check.h"

#include "base/error.h"

#include "protocol/dsl/regex.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/unicode.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { END = 0x110000, ESCAPED = 0x200000, GROUP_MAX = 1000 };
enum { LAST_NONE, LAST_PLACE, LAST_ITEM, LAST_REPEAT }; /* what a quantifier stands behind */

struct check {
    struct text pattern;
    size_t at;      /* bytes: where the token looked at begins */
    uint32_t token; /* a code point, ESCAPED with what is behind the backslash, or END */
    size_t next;    /* bytes: behind it */
    char *message;  /* [200] */
    struct text names[REGEX_GROUPS_MAX];
    uint32_t numbers[REGEX_GROUPS_MAX]; /* of the named groups */
    uint32_t name_count, group_count;   /* groups opened so far */
    int depth;
    bool has_items; /* anything before this, so that global flags come too late */
};

/* Python counts code points. */
static size_t place_of(const struct check *c, size_t at)
{
    size_t count = 0;
    for (size_t i = 0; i < at && i < c->pattern.size; i++)
        count += ((unsigned char)c->pattern.data[i] & 0xc0) != 0x80;
    return count;
}

/* Always false. back: how many code points before where it has come to. */
PRINTF_LIKE(3, 4)
static bool fault(struct check *c, size_t back, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int size = vsnprintf(c->message, 160, format, arguments);
    va_end(arguments);
    const size_t end =
        size < 160 ? (size_t)size : text_utf8_valid((struct text){c->message, 159});
    snprintf(c->message + end, 200 - end, " at position %zu", place_of(c, c->at) - back);
    return false;
}

/* Looks at the token that begins at `at`. A backslash with nothing behind is found here. */
static bool look(struct check *c, size_t at)
{
    c->at = c->next = at;
    c->token = END;
    if (at >= c->pattern.size)
        return true;
    c->token = text_utf8_next(c->pattern, &c->next);
    if (c->token != '\\')
        return true;
    if (c->next >= c->pattern.size)
        return fault(c, 0, "bad escape (end of pattern)");
    c->token = ESCAPED | text_utf8_next(c->pattern, &c->next);
    return true;
}

static bool get(struct check *c)
{
    return look(c, c->next);
}

/* Goes past token if it is there; *was says so. false: what follows is faulty. */
static bool match(struct check *c, uint32_t token, bool *was)
{
    *was = c->token == token;
    return !*was || get(c);
}

static bool is_digit(uint32_t token, uint32_t last)
{
    return token >= '0' && token <= last;
}

static bool is_hex(uint32_t token)
{
    const uint32_t lower = token | 0x20;
    return is_digit(token, '9') || (token < 0x80 && lower >= 'a' && lower <= 'f');
}

static bool is_letter(uint32_t token)
{
    return token < 0x80 && (token | 0x20) >= 'a' && (token | 0x20) <= 'z';
}

/* Up to most tokens that are digits of the base; *value is what they say. */
static bool get_digits(struct check *c, uint32_t base, size_t most, uint32_t *value)
{
    for (size_t i = 0; i < most; i++) {
        const uint32_t digit = c->token;
        if (!(base == 16 ? is_hex(digit) : is_digit(digit, base == 8 ? '7' : '9')))
            return true;
        *value =
            *value * base + (is_digit(digit, '9') ? digit - '0' : (digit | 0x20) - 'a' + 10);
        if (!get(c))
            return false;
    }
    return true;
}

/* The text from a token's place up to here. */
static struct text since(const struct check *c, size_t begin)
{
    return text_slice(c->pattern, begin, c->at);
}

static bool escape_hex(struct check *c, size_t begin, uint32_t letter, uint32_t *value)
{
    const size_t digits = letter == 'x' ? 2 : letter == 'u' ? 4 : 8;
    *value = 0;
    if (!get_digits(c, 16, digits, value))
        return false;
    const struct text read = since(c, begin);
    if (read.size != digits + 2)
        return fault(c, read.size, "incomplete escape %.*s", TEXT_ARG(read));
    return *value < END || fault(c, read.size, "bad escape %.*s", TEXT_ARG(read));
}

/* \0 and its kin, of which the first digit is behind: a code point, or outside of a class a
 * group that must be there. */
static bool escape_digit(struct check *c, size_t begin, uint32_t digit, bool in_class,
                         uint32_t *value)
{
    *value = digit - '0';
    if (digit == '0' || in_class) {
        if (digit > '7')
            return fault(c, 2, "bad escape \\%c", (char)digit);
        if (!get_digits(c, 8, 2, value))
            return false;
    } else if (is_digit(c->token, '9')) {
        const bool octal = digit <= '7' && c->token <= '7';
        uint32_t decimal = *value * 10 + c->token - '0', eights = *value * 8 + c->token - '0';
        if (!get(c))
            return false;
        if (octal && is_digit(c->token, '7')) {
            eights = eights * 8 + c->token - '0';
            *value = eights;
            if (!get(c))
                return false;
        } else {
            *value = decimal;
        }
    }
    const struct text read = since(c, begin);
    const bool is_group = !in_class && digit != '0' && read.size < 4;
    if (is_group)
        return *value <= c->group_count ||
               fault(c, read.size - 1, "invalid group reference %u", *value);
    return *value <= 0377 ||
           fault(c, read.size, "octal escape value %.*s outside of range 0-0o377",
                 TEXT_ARG(read));
}

/* The escape that was looked at, gone past. *value: its code point, END when it is a set, a
 * place or a group. */
static bool escape(struct check *c, bool in_class, uint32_t *value)
{
    const size_t begin = c->at;
    const uint32_t letter = c->token & ~(uint32_t)ESCAPED;
    static const char SIMPLE[] = "abfnrtv", MEANT[] = "\a\b\f\n\r\t\v";
    const char *simple = letter && letter < 0x80 ? strchr(SIMPLE, (int)letter) : NULL;
    *value = letter;
    if (!get(c))
        return false;
    if (letter && letter < 0x80 && strchr(in_class ? "dDsSwW" : "dDsSwWAbBZ", (int)letter)) {
        *value = END;
        return true;
    }
    if (simple) {
        *value = (uint32_t)MEANT[simple - SIMPLE];
        return true;
    }
    if (letter == 'x' || letter == 'u' || letter == 'U')
        return escape_hex(c, begin, letter, value);
    if (is_digit(letter, '9')) {
        if (!escape_digit(c, begin, letter, in_class, value))
            return false;
        if (!in_class && letter != '0' && since(c, begin).size < 4)
            *value = END;
        return true;
    }
    return !is_letter(letter) || fault(c, 2, "bad escape \\%c", (char)letter);
}

/* ---- classes ---- */

/* One end of a range. *shown: its first token, as messages show it. */
static bool class_member(struct check *c, struct text *shown, uint32_t *value)
{
    *shown = text_slice(c->pattern, c->at, c->next);
    *value = c->token;
    return c->token & ESCAPED ? escape(c, true, value) : get(c);
}

static bool unterminated(struct check *c, size_t begin)
{
    return fault(c, place_of(c, c->at) - place_of(c, begin), "unterminated character set");
}

/* The class whose bracket begins at begin and is gone past. */
static bool class_of(struct check *c, size_t begin)
{
    bool was, first = true;
    if (!match(c, '^', &was))
        return false;
    for (; c->token != END && (first || c->token != ']'); first = false) {
        struct text low, high;
        uint32_t from, to;
        if (!class_member(c, &low, &from) || !match(c, '-', &was))
            return false;
        if (!was)
            continue;
        if (c->token == END || c->token == ']')
            break;
        if (!class_member(c, &high, &to))
            return false;
        if (from == END || to == END || to < from)
            return fault(c, str_count(low) + 1 + str_count(high),
                         "bad character range %.*s-%.*s", TEXT_ARG(low), TEXT_ARG(high));
    }
    return c->token == END ? unterminated(c, begin) : get(c);
}

/* ---- groups ---- */

/* The name up to the mark, which is gone past. */
static bool name_until(struct check *c, uint32_t mark, const char *what, struct text *name)
{
    const size_t begin = c->at;
    while (c->token != mark && c->token != END)
        if (!get(c))
            return false;
    *name = since(c, begin);
    if (c->token == END && name->size > 0)
        return fault(c, str_count(*name), "missing %c, unterminated name", (char)mark);
    if (c->token == END)
        return fault(c, 0, "missing %s", what);
    return get(c) && (name->size > 0 || fault(c, 1, "missing %s", what));
}

static bool open_named(struct check *c)
{
    struct text name;
    if (!name_until(c, '>', "group name", &name))
        return false;
    const size_t back = str_count(name) + 1;
    if (!str_is_identifier(name))
        return fault(c, back, "bad character in group name '%.*s'", TEXT_ARG(name));
    for (uint32_t i = 0; i < c->name_count; i++)
        if (text_equal(c->names[i], name))
            return fault(c, back, "redefinition of group name '%.*s' as group %u; was group %u",
                         TEXT_ARG(name), c->group_count, c->numbers[i]);
    if (c->name_count < REGEX_GROUPS_MAX) {
        c->names[c->name_count] = name;
        c->numbers[c->name_count++] = c->group_count;
    }
    return true;
}

static const char *flag_of(uint32_t token)
{
    return token && token < 0x80 ? strchr("iLmsxatu", (int)token) : NULL;
}

/* Letters of flags up to what ends them; the first is looked at. on: behind no minus. */
static bool flag_letters(struct check *c, bool on, bool seen[128])
{
    const char *lacks = on ? "missing -, : or )" : "missing :";
    do {
        const uint32_t flag = c->token;
        const bool is_type = flag == 'a' || flag == 'u' || flag == 'L';
        if (!get(c))
            return false;
        if (on && flag == 'L')
            return fault(c, 0, "bad inline flags: cannot use 'L' flag with a str pattern");
        if (!on && is_type)
            return fault(c, 0, "bad inline flags: cannot turn off flags 'a', 'u' and 'L'");
        seen[flag] = true;
        if (seen['a'] && seen['u'])
            return fault(c, 0, "bad inline flags: flags 'a', 'u' and 'L' are incompatible");
        if (c->token == END)
            return fault(c, 0, "%s", lacks);
        if (c->token == ':' || (on && (c->token == ')' || c->token == '-')))
            return true;
    } while (flag_of(c->token));
    const bool is_alpha =
        unicode_is(c->token & ~(uint32_t)ESCAPED, UNICODE_ALPHA) && !(c->token & ESCAPED);
    const size_t size = c->token & ESCAPED ? 2 : 1;
    return get(c) && fault(c, size, "%s", is_alpha ? "unknown flag" : lacks);
}

/* (?i) and (?i-s:...): *is_global says which. *verbose is changed for what the group holds. */
static bool flag_group(struct check *c, bool *is_global, bool *verbose)
{
    bool on[128] = {false}, off[128] = {false};
    if (c->token != '-' && !flag_letters(c, true, on))
        return false;
    *is_global = c->token == ')';
    if (*is_global || c->token == ':') {
        *verbose |= on['x'];
        return get(c) && (*is_global || !on['t'] ||
                          fault(c, 1, "bad inline flags: cannot turn on global flag"));
    }
    if (!get(c)) /* the minus */
        return false;
    if (c->token == END)
        return fault(c, 0, "missing flag");
    if (!flag_of(c->token)) {
        const bool is_alpha = !(c->token & ESCAPED) && unicode_is(c->token, UNICODE_ALPHA);
        const size_t size = c->token & ESCAPED ? 2 : 1;
        return get(c) && fault(c, size, "%s", is_alpha ? "unknown flag" : "missing flag");
    }
    if (!flag_letters(c, false, off) || !get(c))
        return false;
    for (size_t i = 0; i < 128; i++)
        if (on[i] && off[i])
            return fault(c, 1, "bad inline flags: flag turned on and off");
    *verbose = (*verbose || on['x']) && !off['x'];
    return true;
}

static bool skip_comment(struct check *c, size_t begin)
{
    while (c->token != ')' && c->token != END)
        if (!get(c))
            return false;
    if (c->token == END)
        return fault(c, place_of(c, c->at) - place_of(c, begin),
                     "missing ), unterminated comment");
    return get(c);
}

/* What stands behind (?P. */
static bool open_p(struct check *c, bool *is_done)
{
    struct text name;
    bool was;
    if (!match(c, '<', &was))
        return false;
    if (was) {
        c->group_count++;
        return open_named(c);
    }
    if (!match(c, '=', &was))
        return false;
    *is_done = true;
    if (!was) {
        const size_t begin = c->at;
        if (c->token == END)
            return fault(c, 0, "unexpected end of pattern");
        if (!get(c))
            return false;
        const struct text seen = since(c, begin);
        return fault(c, str_count(seen) + 2, "unknown extension ?P%.*s", TEXT_ARG(seen));
    }
    if (!name_until(c, ')', "group name", &name))
        return false;
    if (!str_is_identifier(name))
        return fault(c, str_count(name) + 1, "bad character in group name '%.*s'",
                     TEXT_ARG(name));
    for (uint32_t i = 0; i < c->name_count; i++)
        if (text_equal(c->names[i], name))
            return true;
    return fault(c, str_count(name) + 1, "unknown group name '%.*s'", TEXT_ARG(name));
}

static bool alternatives(struct check *c, bool verbose);

/* What stands behind (?; begin is where the parenthesis is. *is_done: no ) is to follow;
 * *is_item: a quantifier may. */
static bool open_extension(struct check *c, size_t begin, bool *verbose, bool *is_done,
                           bool *is_item)
{
    const size_t at = c->at;
    const uint32_t kind = c->token;
    struct text name;
    if (kind == END)
        return fault(c, 0, "unexpected end of pattern");
    if (flag_of(kind) || kind == '-') {
        if (!flag_group(c, is_done, verbose))
            return false;
        *is_item = !*is_done;
        return !*is_done || !c->has_items ||
               fault(c, place_of(c, c->at) - place_of(c, begin),
                     "global flags not at the start of the expression");
    }
    if (!get(c))
        return false;
    switch (kind) {
    case 'P':
        return open_p(c, is_done);
    case '#':
        *is_done = true;
        *is_item = false;
        return skip_comment(c, begin);
    case '(': /* refused later, whatever the condition is */
        return name_until(c, ')', "group name", &name);
    case '<':
        if (c->token == END)
            return fault(c, 0, "unexpected end of pattern");
        if (c->token != '=' && c->token != '!') {
            if (!get(c))
                return false;
            const struct text seen = since(c, at);
            return fault(c, str_count(seen) + 1, "unknown extension ?%.*s", TEXT_ARG(seen));
        }
        return get(c);
    case ':':
    case '=':
    case '!':
    case '>':
        return true;
    default: {
        const struct text seen = since(c, at);
        return fault(c, str_count(seen) + 1, "unknown extension ?%.*s", TEXT_ARG(seen));
    }
    }
}

/* A group whose parenthesis begins at begin and is gone past. */
static bool group(struct check *c, size_t begin, bool verbose, int *last)
{
    bool was, is_done = false, is_item = true;
    if (!match(c, '?', &was))
        return false;
    if (!was)
        c->group_count++;
    else if (!open_extension(c, begin, &verbose, &is_done, &is_item))
        return false;
    if (is_item) {
        c->has_items = true;
        *last = LAST_ITEM;
    }
    if (is_done)
        return true;
    if (++c->depth > REGEX_CHECK_NEST_MAX)
        return fault(c, 0, "groups nested more than %d deep are not supported",
                     REGEX_CHECK_NEST_MAX);
    if (!alternatives(c, verbose))
        return false;
    c->depth--;
    if (c->token != ')')
        return fault(c, place_of(c, c->at) - place_of(c, begin),
                     "missing ), unterminated subpattern");
    return get(c);
}

/* ---- the rest ---- */

/* {m,n}, of which the brace is gone past. *is_literal: it is a brace and no more. */
static bool counts(struct check *c, size_t begin, bool *is_literal)
{
    uint32_t least = 0, most = 0;
    const size_t inside = c->at;
    bool comma, closed;
    *is_literal = c->token == '}';
    if (*is_literal)
        return true;
    if (!get_digits(c, 10, 9, &least) || !match(c, ',', &comma))
        return false;
    const size_t behind = c->at;
    if (comma && !get_digits(c, 10, 9, &most))
        return false;
    const bool has_most = c->at > behind;
    if (!match(c, '}', &closed))
        return false;
    *is_literal = !closed;
    if (!closed)
        return look(c, inside);
    return !has_most || most >= least ||
           fault(c, place_of(c, c->at) - place_of(c, begin) - 1,
                 "min repeat greater than max repeat");
}

/* A quantifier that begins at begin and is gone past. */
static bool quantifier(struct check *c, size_t begin, bool is_brace, int *last)
{
    bool is_literal = false, was;
    if (is_brace && !counts(c, begin, &is_literal))
        return false;
    if (is_literal) {
        *last = LAST_ITEM;
        return true;
    }
    const size_t back = place_of(c, c->at) - place_of(c, begin);
    if (*last == LAST_NONE || *last == LAST_PLACE)
        return fault(c, back, "nothing to repeat");
    if (*last == LAST_REPEAT)
        return fault(c, back, "multiple repeat");
    *last = LAST_REPEAT;
    return match(c, '?', &was) && (was || match(c, '+', &was));
}

static bool skip_verbose(struct check *c, bool *was)
{
    *was = c->token == ' ' || (c->token >= '\t' && c->token <= '\r');
    if (*was || c->token != '#')
        return !*was || get(c);
    *was = true;
    while (c->token != '\n' && c->token != END)
        if (!get(c))
            return false;
    return c->token == END || get(c);
}

static bool one(struct check *c, bool verbose, int *last)
{
    const size_t begin = c->at;
    const uint32_t token = c->token;
    uint32_t value;
    if (token == '(')
        return get(c) && group(c, begin, verbose, last);
    c->has_items = true;
    if (token == '*' || token == '+' || token == '?' || token == '{')
        return get(c) && quantifier(c, begin, token == '{', last);
    *last = LAST_ITEM;
    if (token == '^' || token == '$' || token == (ESCAPED | 'A') || token == (ESCAPED | 'Z') ||
        token == (ESCAPED | 'b') || token == (ESCAPED | 'B'))
        *last = LAST_PLACE;
    if (token & ESCAPED)
        return escape(c, false, &value);
    return get(c) && (token != '[' || class_of(c, begin));
}

static bool alternatives(struct check *c, bool verbose)
{
    int last = LAST_NONE;
    while (c->token != END && c->token != ')') {
        bool was = false;
        if (verbose && !skip_verbose(c, &was))
            return false;
        if (was)
            continue;
        if (c->token == '|') {
            c->has_items = true;
            last = LAST_NONE;
            if (!get(c))
                return false;
        } else if (!one(c, verbose, &last)) {
            return false;
        }
    }
    return true;
}

bool regex_check(struct text pattern, int64_t flags, char message[200])
{
    struct check c = {.pattern = pattern, .message = message};
    message[0] = '\0';
    if (!look(&c, 0) || !alternatives(&c, flags & REGEX_VERBOSE))
        return false;
    return c.token == END || fault(&c, 0, "unbalanced parenthesis");
}
