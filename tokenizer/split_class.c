/* split_class - see split_class.h. */
#include "tokenizer/split_class.h"

#include "tokenizer/split_parse.h"
#include "tokenizer/unicode.h"

#include <stdio.h>

enum { LONG_S = 0x17f, KELVIN = 0x212a }; /* fold to s and k */

#define BIT(category) (1u << UNICODE_##category)
#define SPACES        (BIT(ZS) | BIT(ZL) | BIT(ZP) | BIT(CC_SPACE))
#define LETTERS       (BIT(LU) | BIT(LL) | BIT(LT) | BIT(LM) | BIT(LO))
#define MARKS         (BIT(MN) | BIT(MC) | BIT(ME))
#define NUMBERS       (BIT(ND) | BIT(NL) | BIT(NO))
#define PUNCTUATION   (BIT(PC) | BIT(PD) | BIT(PS) | BIT(PE) | BIT(PI) | BIT(PF) | BIT(PO))
#define ALL           ((1u << UNICODE_CATEGORIES) - 1)

static const struct {
    const char *name;
    uint32_t categories;
} PROPERTIES[] = {
    {"L", LETTERS},
    {"Lu", BIT(LU)},
    {"Ll", BIT(LL)},
    {"Lt", BIT(LT)},
    {"Lm", BIT(LM)},
    {"Lo", BIT(LO)},
    {"M", MARKS},
    {"Mn", BIT(MN)},
    {"Mc", BIT(MC)},
    {"Me", BIT(ME)},
    {"N", NUMBERS},
    {"Nd", BIT(ND)},
    {"Nl", BIT(NL)},
    {"No", BIT(NO)},
    {"P", PUNCTUATION},
    {"Pc", BIT(PC)},
    {"Pd", BIT(PD)},
    {"Ps", BIT(PS)},
    {"Pe", BIT(PE)},
    {"Pi", BIT(PI)},
    {"Pf", BIT(PF)},
    {"Po", BIT(PO)},
    {"S", BIT(SM) | BIT(SC) | BIT(SK) | BIT(SO)},
    {"Sm", BIT(SM)},
    {"Sc", BIT(SC)},
    {"Sk", BIT(SK)},
    {"So", BIT(SO)},
    {"Z", BIT(ZS) | BIT(ZL) | BIT(ZP)},
    {"Zs", BIT(ZS)},
    {"Zl", BIT(ZL)},
    {"Zp", BIT(ZP)},
    {"C", BIT(CC) | BIT(CC_SPACE) | BIT(CF) | BIT(CS) | BIT(CO) | BIT(CN)},
    {"Cc", BIT(CC) | BIT(CC_SPACE)},
    {"Cf", BIT(CF)},
    {"Co", BIT(CO)},
    {"Cn", BIT(CN)},
};

/* Scripts that splitters name (Scripts.txt of Unicode 16). */
static const struct char_range HAN[] = {
    {0x2e80, 0x2e9a},   {0x2e9b, 0x2ef4},   {0x2f00, 0x2fd6},   {0x3005, 0x3006},
    {0x3007, 0x3008},   {0x3021, 0x302a},   {0x3038, 0x303c},   {0x3400, 0x4dc0},
    {0x4e00, 0xa000},   {0xf900, 0xfa6e},   {0xfa70, 0xfada},   {0x16fe2, 0x16fe4},
    {0x16ff0, 0x16ff2}, {0x20000, 0x2a6e0}, {0x2a700, 0x2b73a}, {0x2b740, 0x2b81e},
    {0x2b820, 0x2cea2}, {0x2ceb0, 0x2ebe1}, {0x2ebf0, 0x2ee5e}, {0x2f800, 0x2fa1e},
    {0x30000, 0x3134b}, {0x31350, 0x323b0}};
/* Symbols that are alphabetic, and so count as word characters. */
static const struct char_range CIRCLED[] = {
    {0x24b6, 0x24ea}, {0x1f130, 0x1f14a}, {0x1f150, 0x1f16a}, {0x1f170, 0x1f18a}};

/* What an escape or a bracket holds, while it is read. */
struct members {
    struct char_set set;
    uint32_t categories;
};

bool split_class_take(struct split_class_reader *in, const char *prefix)
{
    const struct text rest = text_slice(in->text, in->at, in->text.size);
    if (!text_starts(rest, text_of(prefix)))
        return false;
    in->at += text_of(prefix).size;
    return true;
}

static enum status no_room(struct error *err)
{
    FAIL(err, ERR_MEMORY, "splitter: no room for its expression");
}

static bool add_ranges(struct char_set *set, const struct char_range *ranges, size_t count,
                       struct arena *arena)
{
    for (size_t i = 0; i < count; i++) {
        if (!char_set_add(set, ranges[i], arena))
            return false;
    }
    return true;
}

/* A range, and where case is folded also what its letters fold with. */
static enum status add_range(struct split_class_reader *in, struct char_set *set,
                             struct char_range range, struct error *err)
{
    bool done = char_set_add(set, range, in->arena);
    if (in->folds && range.end > 0x80)
        SPLIT_CLASS_REFUSE(in, "folding the case of U+%04X", range.end - 1);
    for (uint32_t c = range.begin; in->folds && done && c < range.end; c++) {
        const bool is_upper = c >= 'A' && c <= 'Z', is_lower = c >= 'a' && c <= 'z';
        if (!is_upper && !is_lower)
            continue;
        const uint32_t small = is_upper ? c + 32 : c;
        const uint32_t other = small == 's' ? LONG_S : small == 'k' ? KELVIN : small;
        done = char_set_add(set, (struct char_range){small, small + 1}, in->arena) &&
               char_set_add(set, (struct char_range){small - 32, small - 31}, in->arena) &&
               char_set_add(set, (struct char_range){other, other + 1}, in->arena);
    }
    return done ? OK : no_room(err);
}

/* The name in \p{name}, after \p or \P. */
static enum status read_property(struct split_class_reader *in, bool is_negative,
                                 struct members *out, struct error *err)
{
    const size_t begin = in->at + 1, end = text_find(in->text, TEXT("}"), begin);
    if (!split_class_take(in, "{") || end == SIZE_MAX)
        FAIL(err, ERR_FORMAT, "splitter: byte %zu: \\p without {name}", in->at);
    struct text name = text_slice(in->text, begin, end);
    in->at = end + 1;
    if (text_starts(name, TEXT("^"))) {
        name = text_slice(name, 1, name.size);
        is_negative = !is_negative;
    }
    if (text_equal(name, TEXT("Han"))) {
        struct char_set han = {0};
        if (!add_ranges(&han, HAN, sizeof HAN / sizeof HAN[0], in->arena) ||
            (is_negative && !char_set_invert(&han, in->arena)) ||
            !char_set_add_all(&out->set, &han, in->arena))
            return no_room(err);
        return OK;
    }
    for (size_t i = 0; i < sizeof PROPERTIES / sizeof PROPERTIES[0]; i++) {
        if (!text_equal(name, text_of(PROPERTIES[i].name)))
            continue;
        const uint32_t categories = PROPERTIES[i].categories;
        out->categories |= is_negative ? ALL & ~categories : categories;
        return OK;
    }
    SPLIT_CLASS_REFUSE(in, "\\p{%.*s}", (int)(name.size < 32 ? name.size : 32), name.data);
}

/* \w and \W. Outside of brackets the reference implementation takes the six numbers of Latin-1
 * that are no digits for word characters, inside of them it does not. */
static enum status add_word(struct split_class_reader *in, bool is_negative,
                            struct members *out, struct error *err)
{
    static const struct char_range LATIN[] = {{0xb2, 0xb4}, {0xb9, 0xba}, {0xbc, 0xbf}};
    struct char_set word = {0};
    const size_t latin_count = in->depth == 0 ? sizeof LATIN / sizeof LATIN[0] : 0;
    if (!add_ranges(&word, LATIN, latin_count, in->arena) ||
        !add_ranges(&word, CIRCLED, sizeof CIRCLED / sizeof CIRCLED[0], in->arena) ||
        !char_set_add_categories(&word, LETTERS | MARKS | BIT(ND) | BIT(NL) | BIT(PC),
                                 in->arena) ||
        (is_negative && !char_set_invert(&word, in->arena)) ||
        !char_set_add_all(&out->set, &word, in->arena))
        return no_room(err);
    return OK;
}

/* The number in hexadecimal of \xHH, \x{H...}, \uHHHH. */
static enum status read_hex(struct split_class_reader *in, uint32_t digits, uint32_t *code,
                            struct error *err)
{
    const bool has_braces = digits == 2 && split_class_take(in, "{");
    uint32_t value = 0, count = 0;
    for (; count < (has_braces ? 6 : digits) && in->at < in->text.size; count++, in->at++) {
        const char c = in->text.data[in->at];
        const char small = c >= 'A' && c <= 'F' ? (char)(c + 32) : c;
        const bool is_digit = c >= '0' && c <= '9';
        if (!is_digit && !(small >= 'a' && small <= 'f'))
            break;
        value = value * 16 + (uint32_t)(is_digit ? c - '0' : small - 'a' + 10);
    }
    if (count == 0 || (has_braces && !split_class_take(in, "}")) || value > 0x10ffff)
        FAIL(err, ERR_FORMAT, "splitter: byte %zu: a code point that is none", in->at);
    *code = value;
    return OK;
}

/* What a class escape, such as \s, names; false: it is none. */
static bool is_class_escape(char c, uint32_t *categories)
{
    *categories = c == 's' || c == 'S' ? SPACES : BIT(ND);
    return c == 's' || c == 'S' || c == 'd' || c == 'D';
}

/* A character, or an escape that stands for many (then *is_class). */
static enum status read_member(struct split_class_reader *in, struct members *out,
                               uint32_t *code, bool *is_class, struct error *err)
{
    static const char NAMES[] = "nrtfvae", VALUES[] = "\n\r\t\f\v\a\x1b";
    uint32_t categories;
    *is_class = false;
    if (!split_class_take(in, "\\")) {
        *code = text_utf8_next(in->text, &in->at);
        if (*code == UINT32_MAX)
            FAIL(err, ERR_FORMAT, "splitter: byte %zu: no UTF-8", in->at);
        return OK;
    }
    if (in->at == in->text.size)
        FAIL(err, ERR_FORMAT, "splitter: byte %zu: \\ at the end", in->at);
    *code = text_utf8_next(in->text, &in->at);
    const char c = *code < 0x80 ? (char)*code : '\0';
    *is_class = true;
    if (c == 'p' || c == 'P')
        return read_property(in, c == 'P', out, err);
    if (c == 'w' || c == 'W')
        return add_word(in, c == 'W', out, err);
    if (is_class_escape(c, &categories)) {
        out->categories |= c == 'S' || c == 'D' ? ALL & ~categories : categories;
        return OK;
    }
    *is_class = false;
    if (c == 'x' || c == 'u')
        return read_hex(in, c == 'x' ? 2 : 4, code, err);
    for (size_t i = 0; i + 1 < sizeof NAMES; i++) {
        if (c == NAMES[i])
            *code = (uint32_t)(uint8_t)VALUES[i];
    }
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if ((is_letter || (c >= '0' && c <= '9')) && *code == (uint32_t)(uint8_t)c)
        SPLIT_CLASS_REFUSE(in, "\\%c", c);
    if (*code == UINT32_MAX)
        FAIL(err, ERR_FORMAT, "splitter: byte %zu: no UTF-8", in->at);
    return OK;
}

/* The set itself: what was named by category put in. */
static enum status finish(struct split_class_reader *in, struct members *members,
                          bool is_negative, struct char_set *set, struct error *err)
{
    const bool has_none = members->categories & BIT(CN); /* a malformed byte has none either */
    if ((members->categories &&
         !char_set_add_categories(&members->set, members->categories, in->arena)) ||
        (has_none &&
         !char_set_add(&members->set, (struct char_range){CHAR_SET_MALFORMED, CHAR_SET_END},
                       in->arena)) ||
        (is_negative && !char_set_invert(&members->set, in->arena)))
        return no_room(err);
    *set = members->set;
    return OK;
}

static enum status read_brackets(struct split_class_reader *in, struct char_set *set,
                                 struct error *err);

/* One member of brackets: a nested class, an escape, a character or a range. */
static enum status read_range(struct split_class_reader *in, struct members *members,
                              struct error *err)
{
    uint32_t first, last;
    bool is_class;
    if (split_class_take(in, "[:"))
        SPLIT_CLASS_REFUSE(in, "[:");
    if (split_class_take(in, "[")) {
        struct char_set inner = {0};
        TRY(read_brackets(in, &inner, err));
        return char_set_add_all(&members->set, &inner, in->arena) ? OK : no_room(err);
    }
    TRY(read_member(in, members, &first, &is_class, err));
    if (is_class)
        return OK;
    last = first;
    const struct text rest = text_slice(in->text, in->at, in->text.size);
    if (text_starts(rest, TEXT("-")) && !text_starts(rest, TEXT("-]"))) {
        in->at++;
        TRY(read_member(in, members, &last, &is_class, err));
        if (is_class || last < first)
            FAIL(err, ERR_FORMAT, "splitter: byte %zu: a range that is none", in->at);
    }
    return add_range(in, &members->set, (struct char_range){first, last + 1}, err);
}

/* After the opening bracket; a && b is what both have. */
static enum status read_brackets(struct split_class_reader *in, struct char_set *set,
                                 struct error *err)
{
    struct members members = {0};
    struct char_set meet = {0};
    bool is_met = false, is_first = true;
    const bool is_negative = split_class_take(in, "^");
    if (++in->depth > SPLIT_DEPTH_MAX)
        FAIL(err, ERR_LIMIT, "splitter: byte %zu: brackets deeper than %d", in->at,
             SPLIT_DEPTH_MAX);
    for (;; is_first = false) {
        const bool ends = !is_first && split_class_take(in, "]");
        if (ends || split_class_take(in, "&&")) {
            struct char_set part;
            TRY(finish(in, &members, false, &part, err));
            if (is_met && !char_set_meet(&part, &meet, in->arena))
                return no_room(err);
            meet = part;
            is_met = true;
            members = (struct members){0};
        }
        if (ends)
            break;
        if (in->at >= in->text.size)
            FAIL(err, ERR_FORMAT, "splitter: byte %zu: [ without ]", in->at);
        TRY(read_range(in, &members, err));
    }
    in->depth--;
    *set = meet;
    return is_negative && !char_set_invert(set, in->arena) ? no_room(err) : OK;
}

enum status split_class_read(struct split_class_reader *in, struct char_set *set,
                             struct error *err)
{
    struct members members = {0};
    uint32_t code;
    bool is_class;
    if (split_class_take(in, "["))
        return read_brackets(in, set, err);
    TRY(read_member(in, &members, &code, &is_class, err));
    if (!is_class)
        TRY(add_range(in, &members.set, (struct char_range){code, code + 1}, err));
    return finish(in, &members, false, set, err);
}
