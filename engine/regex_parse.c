/*
 * regex_parse - see regex_parse.h. Recursive descent over alternation, sequence, repetition and
 * atom; nesting is capped.
 */
#include "engine/regex_parse.h"

#include <string.h>

enum { RANGES_MAX = 256 };

struct parser {
    struct text pattern;
    size_t at;
    uint32_t depth;
    struct arena *arena;
    struct error *err;
};

/* Ranges while a class is read, in any order. */
struct set {
    struct regex_range ranges[RANGES_MAX];
    uint32_t count;
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
    struct regex_part *made = ARENA_NEW(parser->arena, struct regex_part, 1);
    if (!made)
        FAIL(parser->err, ERR_MEMORY, "regular expression: the arena is full at byte %zu",
             parser->at);
    *made = value;
    *part = made;
    return OK;
}

static enum status set_add(struct parser *parser, struct set *set, uint32_t first,
                           uint32_t last)
{
    if (set->count == RANGES_MAX)
        FAIL(parser->err, ERR_LIMIT, "regular expression: a class of more than %d ranges",
             RANGES_MAX);
    set->ranges[set->count++] = (struct regex_range){first, last};
    return OK;
}

/* Ascending and disjoint: insertion sort, then neighbours joined. */
static void set_order(struct set *set)
{
    for (uint32_t i = 1; i < set->count; i++) {
        const struct regex_range range = set->ranges[i];
        uint32_t to = i;
        for (; to > 0 && set->ranges[to - 1].first > range.first; to--)
            set->ranges[to] = set->ranges[to - 1];
        set->ranges[to] = range;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < set->count; i++) {
        struct regex_range *last = kept > 0 ? &set->ranges[kept - 1] : NULL;
        if (last && set->ranges[i].first <= last->last + 1) {
            if (set->ranges[i].last > last->last)
                last->last = set->ranges[i].last;
        } else {
            set->ranges[kept++] = set->ranges[i];
        }
    }
    set->count = kept;
}

/* Every character that is not in the ordered set. */
static enum status set_invert(struct parser *parser, struct set *set)
{
    const struct set old = *set;
    uint32_t next = 0;
    set->count = 0;
    for (uint32_t i = 0; i < old.count; i++) {
        if (old.ranges[i].first > next)
            TRY(set_add(parser, set, next, old.ranges[i].first - 1));
        next = old.ranges[i].last + 1;
    }
    return next <= 0x10ffff ? set_add(parser, set, next, 0x10ffff) : OK;
}

static enum status set_part(struct parser *parser, const struct set *set,
                            const struct regex_part **part)
{
    struct regex_range *ranges = ARENA_NEW(parser->arena, struct regex_range, set->count + 1);
    if (!ranges)
        FAIL(parser->err, ERR_MEMORY, "regular expression: the arena is full at byte %zu",
             parser->at);
    memcpy(ranges, set->ranges, set->count * sizeof *ranges);
    const struct regex_part value = {.kind = REGEX_SET, .ranges = ranges, .count = set->count};
    return new_part(parser, value, part);
}

/* Adds a named class such as \d; false when letter names none. */
static bool add_named(struct parser *parser, struct set *set, int letter, enum status *status)
{
    const struct regex_range *named = NULL;
    size_t count = 0;
    const int small = letter | 0x20;
    if (small == 'd')
        named = digits, count = sizeof digits / sizeof *digits;
    else if (small == 'w')
        named = words, count = sizeof words / sizeof *words;
    else if (small == 's')
        named = spaces, count = sizeof spaces / sizeof *spaces;
    else
        return false;
    struct set class = {.count = (uint32_t)count};
    memcpy(class.ranges, named, count * sizeof *named);
    *status = letter == small ? OK : set_invert(parser, &class);
    for (uint32_t i = 0; *status == OK && i < class.count; i++)
        *status = set_add(parser, set, class.ranges[i].first, class.ranges[i].last);
    return true;
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
static enum status read_member(struct parser *parser, struct set *set, uint32_t *out,
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
    enum status status = OK;
    if (peek(parser) >= 0 && add_named(parser, set, peek(parser), &status)) {
        parser->at++;
        *named = true;
        return status;
    }
    return read_escape(parser, out);
}

static enum status read_class(struct parser *parser, const struct regex_part **part)
{
    struct set set = {.count = 0};
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
    set_order(&set);
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
    struct set set = {.count = 0};
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
        set =
            (struct set){.ranges = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}}, .count = 3};
        TRY(set_invert(parser, &set));
        return set_part(parser, &set, part);
    }
    uint32_t character = 0;
    enum status status = OK;
    if (take(parser, "\\")) {
        if (peek(parser) >= 0 && add_named(parser, &set, peek(parser), &status)) {
            parser->at++;
            TRY(status);
            set_order(&set);
            return set_part(parser, &set, part);
        }
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
