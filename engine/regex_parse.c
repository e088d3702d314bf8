/*
 * regex_parse - see regex_parse.h. Recursive descent over alternation, sequence, repetition and
 * atom; nesting is capped.
 */
#include "engine/regex_parse.h"

#include "engine/regex_property.h"
#include "tokenizer/char_set.h"

#include <string.h>

enum { RANGES_MAX = 4096, NAME_SHOWN_MAX = 40 };

struct parser {
    struct text pattern;
    size_t at;
    uint32_t depth, parts;
    struct arena *arena;
    struct error *err;
};

static const struct regex_range digits[] = {{'0', '9'}};
static const struct regex_range words[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
static const struct regex_range spaces[] = {
    {9, 13},          {32, 32},         {0xa0, 0xa0},     {0x1680, 0x1680}, {0x2000, 0x200a},
    {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}, {0xfeff, 0xfeff}};

static int peek(const struct parser *parser)
{
    return parser->at < parser->pattern.size ? (unsigned char)parser->pattern.data[parser->at]
                                             : -1;
}

static bool take(struct parser *parser, const char *bytes)
{
    const struct text rest = text_slice(parser->pattern, parser->at, parser->pattern.size);
    if (!text_starts(rest, text_of(bytes)))
        return false;
    parser->at += strlen(bytes);
    return true;
}

static enum status new_part(struct parser *parser, struct regex_part value,
                            const struct regex_part **part)
{
    if (++parser->parts > REGEX_PARTS_MAX)
        FAIL(parser->err, ERR_LIMIT, "regular expression: more than %d parts, at byte %zu",
             REGEX_PARTS_MAX, parser->at);
    struct regex_part *made = ARENA_NEW(parser->arena, struct regex_part, 1);
    if (!made)
        FAIL(parser->err, ERR_MEMORY, "regular expression: the arena is full at byte %zu",
             parser->at);
    *made = value;
    *part = made;
    return OK;
}

static enum status set_failed(struct parser *parser)
{
    FAIL(parser->err, ERR_MEMORY, "regular expression: the arena is full at byte %zu",
         parser->at);
}

static enum status set_add(struct parser *parser, struct char_set *set, uint32_t first,
                           uint32_t last)
{
    if (set->count >= RANGES_MAX)
        FAIL(parser->err, ERR_LIMIT, "regular expression: a class of more than %d ranges",
             RANGES_MAX);
    const struct char_range range = {first, last + 1};
    return char_set_add(set, range, parser->arena) ? OK : set_failed(parser);
}

static enum status set_invert(struct parser *parser, struct char_set *set)
{
    return char_set_invert(set, parser->arena) ? OK : set_failed(parser);
}

static enum status set_part(struct parser *parser, const struct char_set *set,
                            const struct regex_part **part)
{
    struct regex_range *ranges = ARENA_NEW(parser->arena, struct regex_range, set->count + 1);
    uint32_t count = 0;
    if (!ranges)
        return set_failed(parser);
    for (uint32_t i = 0; i < set->count; i++) {
        const struct char_range range = set->ranges[i];
        const uint32_t end = range.end < CHAR_SET_MALFORMED ? range.end : CHAR_SET_MALFORMED;
        if (range.begin < end) /* what is no character is in complements of sets alone */
            ranges[count++] = (struct regex_range){range.begin, end - 1};
    }
    const struct regex_part value = {.kind = REGEX_SET, .ranges = ranges, .count = count};
    return new_part(parser, value, part);
}

/* Adds the class that \p{...} names; its letter has been seen, and is taken. */
static enum status add_property(struct parser *parser, struct char_set *class)
{
    uint32_t categories = 0;
    const size_t begin = ++parser->at;
    const size_t end = text_find(parser->pattern, TEXT("}"), begin);
    if (!take(parser, "{") || end == SIZE_MAX)
        FAIL(parser->err, ERR_FORMAT, "regular expression: byte %zu, \\p without {...}", begin);
    const struct text name = text_slice(parser->pattern, parser->at, end);
    if (!regex_property_find(name, &categories))
        FAIL(parser->err, ERR_LIMIT,
             "regular expression: \\p{%.*s} is not supported; general categories are",
             TEXT_ARG(text_slice(name, 0, NAME_SHOWN_MAX)));
    parser->at = end + 1;
    return char_set_add_categories(class, categories, parser->arena) ? OK : set_failed(parser);
}

/* Adds a named class such as \d; *named false, and nothing taken, when what comes is none. */
static enum status add_named(struct parser *parser, struct char_set *set, bool *named)
{
    const struct regex_range *ranges = NULL;
    struct char_set class = {0};
    size_t count = 0;
    const int letter = peek(parser), small = letter | 0x20;
    *named = letter >= 0;
    if (small == 'd')
        ranges = digits, count = sizeof digits / sizeof *digits;
    else if (small == 'w')
        ranges = words, count = sizeof words / sizeof *words;
    else if (small == 's')
        ranges = spaces, count = sizeof spaces / sizeof *spaces;
    else
        *named = small == 'p';
    if (!*named)
        return OK;
    if (small == 'p')
        TRY(add_property(parser, &class));
    else
        parser->at++;
    for (size_t i = 0; i < count; i++)
        TRY(set_add(parser, &class, ranges[i].first, ranges[i].last));
    if (letter != small)
        TRY(set_invert(parser, &class));
    return char_set_add_all(set, &class, parser->arena) ? OK : set_failed(parser);
}

static int hex_digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    const int small = c | 0x20;
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

static enum status read_hex(struct parser *parser, int count, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < count; i++) {
        const int digit = hex_digit(peek(parser));
        if (digit < 0)
            FAIL(parser->err, ERR_FORMAT, "regular expression: byte %zu, want %d hex digits",
                 parser->at, count);
        *out = *out * 16 + (uint32_t)digit;
        parser->at++;
    }
    return OK;
}

/* A surrogate pair of two escapes is one character. */
static enum status read_unicode(struct parser *parser, uint32_t *out)
{
    TRY(read_hex(parser, 4, out));
    uint32_t low = 0;
    if (*out >= 0xd800 && *out < 0xdc00 && take(parser, "\\u")) {
        TRY(read_hex(parser, 4, &low));
        *out = 0x10000 + ((*out - 0xd800) << 10) + (low - 0xdc00);
    }
    const bool lone = *out >= 0xd800 && *out < 0xe000;
    if (lone || *out > 0x10ffff || (low != 0 && (low < 0xdc00 || low > 0xdfff)))
        FAIL(parser->err, ERR_FORMAT, "regular expression: a lone surrogate before byte %zu",
             parser->at);
    return OK;
}

/* The character behind a backslash, which has been taken. */
static enum status read_escape(struct parser *parser, uint32_t *out)
{
    static const char pairs[] = "t\tn\nr\rf\fv\v";
    const int letter = peek(parser);
    if (letter < 0)
        FAIL(parser->err, ERR_FORMAT, "regular expression: it ends in a backslash");
    if (letter >= 0x80) {
        *out = text_utf8_next(parser->pattern, &parser->at);
        return OK;
    }
    parser->at++;
    for (const char *pair = pairs; *pair; pair += 2)
        if (pair[0] == letter) {
            *out = (unsigned char)pair[1];
            return OK;
        }
    if (letter == 'x')
        return read_hex(parser, 2, out);
    if (letter == 'u')
        return read_unicode(parser, out);
    *out = (uint32_t)letter;
    if (letter == '0')
        *out = 0;
    else if (letter >= '1' && letter <= '9')
        FAIL(parser->err, ERR_LIMIT, "regular expression: back-reference \\%c is not supported",
             letter);
    else if ((letter | 0x20) >= 'a' && (letter | 0x20) <= 'z')
        FAIL(parser->err, ERR_LIMIT, "regular expression: \\%c is not supported", letter);
    return OK;
}

/* One member of a class: a character, or a named class (*named). */
static enum status read_member(struct parser *parser, struct char_set *set, uint32_t *out,
                               bool *named)
{
    *named = false;
    if (!take(parser, "\\")) {
        *out = text_utf8_next(parser->pattern, &parser->at);
        return OK;
    }
    if (take(parser, "b")) {
        *out = '\b';
        return OK;
    }
    if (take(parser, "-")) {
        *out = '-';
        return OK;
    }
    TRY(add_named(parser, set, named));
    return *named ? OK : read_escape(parser, out);
}

static enum status read_class(struct parser *parser, const struct regex_part **part)
{
    struct char_set set = {0};
    const bool inverted = take(parser, "^");
    while (peek(parser) != ']') {
        uint32_t first = 0;
        uint32_t last = 0;
        bool named = false;
        if (peek(parser) < 0)
            FAIL(parser->err, ERR_FORMAT, "regular expression: a class without its ]");
        TRY(read_member(parser, &set, &first, &named));
        if (named)
            continue;
        const size_t dash = parser->at;
        last = first;
        if (take(parser, "-")) {
            bool class_last = peek(parser) == ']' || peek(parser) < 0;
            if (!class_last)
                TRY(read_member(parser, &set, &last, &class_last));
            if (class_last) { /* the dash stands for itself */
                parser->at = dash;
                last = first;
            }
            if (class_last && take(parser, "-"))
                TRY(set_add(parser, &set, '-', '-'));
        }
        if (last < first)
            FAIL(parser->err, ERR_FORMAT, "regular expression: byte %zu, a range backwards",
                 dash);
        TRY(set_add(parser, &set, first, last));
    }
    parser->at++;
    if (inverted)
        TRY(set_invert(parser, &set));
    return set_part(parser, &set, part);
}

static enum status read_choice(struct parser *parser, const struct regex_part **part);

static enum status read_group(struct parser *parser, const struct regex_part **part)
{
    if (take(parser, "?=") || take(parser, "?!") || take(parser, "?<=") || take(parser, "?<!"))
        FAIL(parser->err, ERR_LIMIT,
             "regular expression: byte %zu, look-around is not "
             "supported",
             parser->at);
    if (take(parser, "?<"))
        while (peek(parser) >= 0 && !take(parser, ">"))
            parser->at++;
    else if (!take(parser, "?:") && peek(parser) == '?')
        FAIL(parser->err, ERR_LIMIT,
             "regular expression: byte %zu, a group of this kind is not "
             "supported",
             parser->at);
    TRY(read_choice(parser, part));
    if (!take(parser, ")"))
        FAIL(parser->err, ERR_FORMAT, "regular expression: a group without its )");
    return OK;
}

static enum status read_atom(struct parser *parser, const struct regex_part **part)
{
    const size_t begin = parser->at;
    struct char_set set = {0};
    if (take(parser, "("))
        return read_group(parser, part);
    if (take(parser, "["))
        return read_class(parser, part);
    if (take(parser, "^"))
        return new_part(parser, (struct regex_part){.kind = REGEX_BEGIN}, part);
    if (take(parser, "$"))
        return new_part(parser, (struct regex_part){.kind = REGEX_END}, part);
    if (take(parser, "*") || take(parser, "+") || take(parser, "?"))
        FAIL(parser->err, ERR_FORMAT, "regular expression: byte %zu, nothing to repeat", begin);
    if (take(parser, ".")) {
        TRY(set_add(parser, &set, '\n', '\n'));
        TRY(set_add(parser, &set, '\r', '\r'));
        TRY(set_add(parser, &set, 0x2028, 0x2029));
        TRY(set_invert(parser, &set));
        return set_part(parser, &set, part);
    }
    uint32_t character = 0;
    bool named = false;
    if (take(parser, "\\")) {
        TRY(add_named(parser, &set, &named));
        if (named)
            return set_part(parser, &set, part);
        TRY(read_escape(parser, &character));
    } else {
        character = text_utf8_next(parser->pattern, &parser->at);
    }
    TRY(set_add(parser, &set, character, character));
    return set_part(parser, &set, part);
}

static bool read_number(struct parser *parser, uint32_t *out)
{
    const size_t begin = parser->at;
    *out = 0;
    for (; peek(parser) >= '0' && peek(parser) <= '9'; parser->at++)
        if (*out <= REGEX_REPEAT_MAX)
            *out = *out * 10 + (uint32_t)(peek(parser) - '0');
    return parser->at > begin;
}

/* {m}, {m,} or {m,n}; *is_count false and nothing taken: the brace stands for itself. */
static enum status read_braces(struct parser *parser, struct regex_part *repeat, bool *is_count)
{
    const size_t begin = parser->at;
    *is_count = take(parser, "{") && read_number(parser, &repeat->min);
    repeat->max = repeat->min;
    if (*is_count && take(parser, ",") && !read_number(parser, &repeat->max))
        repeat->max = REGEX_NO_MAX;
    *is_count = *is_count && take(parser, "}");
    if (!*is_count) {
        parser->at = begin;
        return OK;
    }
    const uint32_t most = repeat->max == REGEX_NO_MAX ? repeat->min : repeat->max;
    if (most > REGEX_REPEAT_MAX || repeat->min > REGEX_REPEAT_MAX)
        FAIL(parser->err, ERR_LIMIT,
             "regular expression: byte %zu, repeated more than %d times", begin,
             REGEX_REPEAT_MAX);
    if (most < repeat->min)
        FAIL(parser->err, ERR_FORMAT, "regular expression: byte %zu, {%u,%u} is backwards",
             begin, repeat->min, repeat->max);
    return OK;
}

static enum status read_repeated(struct parser *parser, const struct regex_part **part)
{
    TRY(read_atom(parser, part));
    for (bool more = true; more;) {
        struct regex_part repeat = {.kind = REGEX_REPEAT, .a = *part, .max = REGEX_NO_MAX};
        if (take(parser, "+"))
            repeat.min = 1;
        else if (take(parser, "?"))
            repeat.max = 1;
        else if (!take(parser, "*"))
            TRY(read_braces(parser, &repeat, &more));
        if (!more)
            return OK;
        take(parser, "?"); /* lazy: the same texts match */
        TRY(new_part(parser, repeat, part));
    }
    return OK;
}

static enum status read_sequence(struct parser *parser, const struct regex_part **part)
{
    TRY(new_part(parser, (struct regex_part){.kind = REGEX_EMPTY}, part));
    while (peek(parser) >= 0 && peek(parser) != '|' && peek(parser) != ')') {
        struct regex_part both = {.kind = REGEX_CAT, .a = *part};
        TRY(read_repeated(parser, &both.b));
        if (both.a->kind == REGEX_EMPTY)
            *part = both.b;
        else
            TRY(new_part(parser, both, part));
    }
    return OK;
}

static enum status read_choice(struct parser *parser, const struct regex_part **part)
{
    if (++parser->depth > REGEX_DEPTH_MAX)
        FAIL(parser->err, ERR_LIMIT, "regular expression: groups nest deeper than %d",
             REGEX_DEPTH_MAX);
    TRY(read_sequence(parser, part));
    while (take(parser, "|")) {
        struct regex_part either = {.kind = REGEX_ALT, .a = *part};
        TRY(read_sequence(parser, &either.b));
        TRY(new_part(parser, either, part));
    }
    parser->depth--;
    return OK;
}

enum status regex_parse(struct text pattern, struct arena *arena,
                        const struct regex_part **part, struct error *err)
{
    if (text_utf8_valid(pattern) != pattern.size)
        FAIL(err, ERR_FORMAT, "regular expression: not UTF-8 at byte %zu",
             text_utf8_valid(pattern));
    struct parser parser = {.pattern = pattern, .arena = arena, .err = err};
    TRY(read_choice(&parser, part));
    if (parser.at < pattern.size)
        FAIL(err, ERR_FORMAT, "regular expression: byte %zu, a ) without its (", parser.at);
    return OK;
}
