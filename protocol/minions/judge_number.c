/* judge_number - see judge_number.h. */
#include "protocol/minions/judge_number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS_MAX = 48, WORD_MAX = 16, YEAR_MIN = 1900, YEAR_MAX = 2099 };

/* ---- characters and words ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static char at(struct text text, size_t offset)
{
    return offset < text.size ? text.data[offset] : '\0';
}

/* Whether text goes on with piece at offset. */
static bool goes_on(struct text text, size_t offset, const char *piece)
{
    return text_starts(text_slice(text, offset, text.size), text_of(piece));
}

/* Size of the white space at offset: ASCII's, and the no-break and thin spaces. */
static size_t space_at(struct text text, size_t offset)
{
    static const char *const wide[] = {"\u00a0", "\u2009", "\u202f"};
    if (is_space(at(text, offset)))
        return 1;
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
        if (goes_on(text, offset, wide[i]))
            return strlen(wide[i]);
    return 0;
}

static size_t skip_spaces(struct text text, size_t offset)
{
    for (size_t size; (size = space_at(text, offset)) > 0; offset += size)
        ;
    return offset;
}

/* Where the run of spaces that ends at offset begins. */
static size_t back_over_spaces(struct text text, size_t offset)
{
    while (offset > 0 && is_space(text.data[offset - 1]))
        offset--;
    return offset;
}

/* The word at offset in lower case, cut to WORD_MAX - 1; gives its size in the text. */
static size_t word_at(struct text text, size_t offset, char word[WORD_MAX])
{
    size_t size = 0, kept = 0;
    for (; is_letter(at(text, offset + size)); size++) {
        char c = at(text, offset + size);
        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if (kept + 1 < WORD_MAX)
            word[kept++] = c;
    }
    word[kept] = '\0';
    return size;
}

/* The word that ends at offset; gives where it begins. */
static size_t word_before(struct text text, size_t offset, char word[WORD_MAX])
{
    size_t begin = offset;
    while (begin > 0 && is_letter(text.data[begin - 1]))
        begin--;
    (void)word_at(text_slice(text, 0, offset), begin, word);
    return begin;
}

static bool is_among(const char *word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

#define IS_AMONG(word, words) is_among((word), (words), sizeof(words) / sizeof((words)[0]))

/* ---- the digits ---- */

/* Bytes of a thousands separator at offset, when three digits and no fourth follow. */
static size_t separator_at(struct text text, size_t offset, const char *separator)
{
    const size_t size = strlen(separator), from = offset + size;
    if (!goes_on(text, offset, separator) || !is_digit(at(text, from)) ||
        !is_digit(at(text, from + 1)) || !is_digit(at(text, from + 2)) ||
        is_digit(at(text, from + 3)))
        return 0;
    return size;
}

struct digits {
    char text[DIGITS_MAX]; /* for strtod */
    size_t count, size;    /* kept; bytes read */
    bool is_formed;        /* has separators, decimals or an exponent */
};

static void keep(struct digits *digits, char c)
{
    if (digits->count + 1 < DIGITS_MAX)
        digits->text[digits->count++] = c;
    digits->text[digits->count] = '\0';
}

static void keep_run(struct digits *digits, struct text text, size_t *offset)
{
    for (; is_digit(at(text, *offset)); (*offset)++)
        keep(digits, at(text, *offset));
}

/* The separator of this number's thousands; "" when it has none. */
static const char *separator_of(struct text text, size_t offset)
{
    static const char *const all[] = {",", "'", "\u2019", "\u00a0", "\u2009", "\u202f"};
    size_t leading = 0;
    while (is_digit(at(text, offset + leading)))
        leading++;
    if (leading == 0 || leading > 3)
        return "";
    const size_t end = offset + leading;
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (separator_at(text, end, all[i]) > 0)
            return all[i];
    /* 1.577,5: points are the thousands' where a comma with other digits than three ends it. */
    size_t other = end;
    while (separator_at(text, other, ".") > 0)
        other += 4;
    const bool is_turned = other > end && at(text, other) == ',' &&
                           is_digit(at(text, other + 1)) && separator_at(text, other, ",") == 0;
    return is_turned ? "." : "";
}

static void read_exponent(struct text text, struct digits *digits, size_t *offset)
{
    size_t next = *offset + 1;
    if (at(text, *offset) != 'e' && at(text, *offset) != 'E')
        return;
    if (at(text, next) == '+' || at(text, next) == '-')
        next++;
    if (!is_digit(at(text, next)))
        return;
    for (size_t i = *offset; i < next; i++)
        keep(digits, at(text, i));
    keep_run(digits, text, &next);
    digits->is_formed = true;
    *offset = next;
}

static void read_digits(struct text text, size_t offset, struct digits *digits)
{
    const size_t begin = offset;
    *digits = (struct digits){0};
    const char *separator = separator_of(text, offset);
    keep_run(digits, text, &offset);
    for (size_t size; *separator && (size = separator_at(text, offset, separator)) > 0;) {
        offset += size;
        digits->is_formed = true;
        keep_run(digits, text, &offset);
    }
    const char point = *separator == '.' ? ',' : '.';
    if (at(text, offset) == point && is_digit(at(text, offset + 1))) {
        offset++;
        digits->is_formed = true;
        keep(digits, '.');
        keep_run(digits, text, &offset);
    }
    read_exponent(text, digits, &offset);
    digits->size = offset - begin;
}

/* ---- what stands behind and before them ---- */

/* Scale of a word; 0 when it is none. takes_short: m, b and their like are scales too. */
static double scale_of(const char *word, bool takes_short)
{
    static const struct {
        const char *word;
        double scale;
        bool is_short;
    } scales[] = {
        {"thousand", 1e3, false},  {"thousands", 1e3, false},  {"million", 1e6, false},
        {"millions", 1e6, false},  {"mn", 1e6, false},         {"mio", 1e6, false},
        {"billion", 1e9, false},   {"billions", 1e9, false},   {"bn", 1e9, false},
        {"trillion", 1e12, false}, {"trillions", 1e12, false}, {"tn", 1e12, false},
        {"k", 1e3, true},          {"m", 1e6, true},           {"mm", 1e6, true},
        {"b", 1e9, true},          {"t", 1e12, true},
    };
    for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++)
        if (strcmp(word, scales[i].word) == 0)
            return takes_short || !scales[i].is_short ? scales[i].scale : 0;
    return 0;
}

/* Unit by word: units of one kind differ, spellings of one unit do not. */
static uint32_t unit_of(const char *word)
{
    static const struct {
        const char *word;
        uint32_t unit;
    } units[] = {
        {"second", 1}, {"seconds", 1}, {"sec", 1},     {"minute", 2}, {"minutes", 2},
        {"min", 2},    {"hour", 3},    {"hours", 3},   {"day", 4},    {"days", 4},
        {"week", 5},   {"weeks", 5},   {"month", 6},   {"months", 6}, {"year", 7},
        {"years", 7},  {"mg", 8},      {"g", 9},       {"gram", 9},   {"grams", 9},
        {"kg", 10},    {"mcg", 11},    {"mm", 12},     {"cm", 13},    {"km", 14},
        {"mile", 15},  {"miles", 15},  {"ml", 16},     {"liter", 17}, {"liters", 17},
        {"l", 17},     {"mmhg", 18},   {"shares", 19}, {"hz", 20},    {"x", 21},
        {"times", 21},
    };
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(word, units[i].word) == 0)
            return units[i].unit;
    return 0;
}

static bool is_currency_word(const char *word)
{
    static const char *const words[] = {"usd",     "us",   "eur",   "gbp",    "dollar",
                                        "dollars", "euro", "euros", "pounds", "cents"};
    return IS_AMONG(word, words);
}

/* Percent sign or words at offset; gives where they end, or offset when there are none. */
static size_t read_percent(struct text text, size_t offset, struct judge_number *number)
{
    char word[WORD_MAX];
    const size_t from = skip_spaces(text, offset);
    const size_t size = word_at(text, from, word);
    static const char *const words[] = {"percent", "pct", "percentage"};
    if (at(text, from) == '%' || IS_AMONG(word, words)) {
        number->kind = JUDGE_NUMBER_PERCENT;
        return from + (size > 0 ? size : 1);
    }
    const size_t second = skip_spaces(text, from + size);
    if (strcmp(word, "per") == 0 && goes_on(text, second, "cent")) {
        number->kind = JUDGE_NUMBER_PERCENT;
        return second + 4;
    }
    const bool is_basis = strcmp(word, "basis") == 0 && goes_on(text, second, "point");
    if (!is_basis && strcmp(word, "bps") != 0 && strcmp(word, "bp") != 0)
        return offset;
    number->kind = JUDGE_NUMBER_PERCENT;
    number->value /= 100;
    if (!is_basis)
        return from + size;
    return second + word_at(text, second, word);
}

/* Scale, currency and unit behind the digits; gives where they end. */
static size_t read_behind(struct text text, size_t offset, struct judge_number *number)
{
    char word[WORD_MAX];
    size_t end = read_percent(text, offset, number);
    if (end != offset)
        return end;
    for (int i = 0; i < 3; i++) {
        const size_t from = skip_spaces(text, end);
        const size_t size = word_at(text, from, word);
        const bool is_sum = number->kind == JUDGE_NUMBER_SUM;
        const double scale = number->scale > 1 ? 0 : scale_of(word, is_sum || from == end);
        const uint32_t unit = unit_of(word);
        if (size == 0)
            break;
        if (unit != 0 && !(is_sum && scale > 0)) {
            number->unit = unit;
            return from + size;
        }
        if (scale > 0)
            number->scale = scale;
        else if (!is_currency_word(word))
            break;
        number->kind = JUDGE_NUMBER_SUM;
        end = from + size;
    }
    return end;
}

/* The currency that ends at offset; gives where it begins. */
static size_t read_currency(struct text text, size_t offset, struct judge_number *number)
{
    static const char *const signs[] = {"$", "\u20ac", "\u00a3", "\u00a5"};
    char word[WORD_MAX];
    size_t begin = back_over_spaces(text, offset);
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (!text_ends(text_slice(text, 0, begin), text_of(signs[i])))
            continue;
        number->kind = JUDGE_NUMBER_SUM;
        begin -= strlen(signs[i]);
        const size_t country = word_before(text, begin, word);
        return is_currency_word(word) ? country : begin;
    }
    const size_t from = word_before(text, begin, word);
    if (!is_currency_word(word) || strcmp(word, "us") == 0)
        return offset;
    number->kind = JUDGE_NUMBER_SUM;
    return from;
}

/* A minus that ends at offset and stands before the number alone; gives where it begins. */
static size_t read_minus(struct text text, size_t offset, struct judge_number *number)
{
    const struct text before = text_slice(text, 0, offset);
    const size_t size = text_ends(before, TEXT("-"))        ? 1
                        : text_ends(before, TEXT("\u2212")) ? 3
                        : text_ends(before, TEXT("\u2013")) ? 3
                                                            : 0;
    if (size == 0)
        return offset;
    const char left = offset > size ? text.data[offset - size - 1] : ' ';
    if (is_digit(left) || is_letter(left) || left == '%' || left == ')')
        return offset; /* a range, or a compound */
    number->is_negative = true;
    return offset - size;
}

/* (1,577) is a negative; `five (5)` says five again. */
static void read_parentheses(struct text text, bool is_formed, struct judge_number *number)
{
    char word[WORD_MAX];
    const size_t begin = number->offset, end = number->offset + number->size;
    if (begin == 0 || text.data[begin - 1] != '(' || at(text, end) != ')')
        return;
    const size_t before = back_over_spaces(text, begin - 1);
    const bool is_small =
        !is_formed && number->kind == JUDGE_NUMBER_PLAIN && number->value < 100;
    (void)word_before(text, before, word);
    if (is_small && word[0] != '\0')
        return;
    number->is_negative = true;
    number->offset = read_currency(text, begin - 1, number);
    const bool is_over = number->kind == JUDGE_NUMBER_PERCENT;
    const size_t behind = is_over ? end + 1 : read_behind(text, end + 1, number);
    number->size = behind - number->offset;
}

static bool is_month(const char *word)
{
    static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                         "jul", "aug", "sep", "oct", "nov", "dec"};
    static const char *const whole[] = {"january", "february", "march",    "april",
                                        "june",    "july",     "august",   "september",
                                        "october", "november", "december", "sept"};
    return IS_AMONG(word, months) || IS_AMONG(word, whole);
}

/* A day or a year beside a month's name, or a piece of 10/03/2015. */
static bool is_in_date(struct text text, const struct judge_number *number)
{
    char word[WORD_MAX];
    const size_t begin = number->offset, end = begin + number->size;
    const char left = begin > 0 ? text.data[begin - 1] : ' ', right = at(text, end);
    if ((left == '/' && begin > 1 && is_digit(text.data[begin - 2])) ||
        (right == '/' && is_digit(at(text, end + 1))))
        return number->kind == JUDGE_NUMBER_PLAIN;
    size_t before = back_over_spaces(text, begin);
    while (before > 0 && (text.data[before - 1] == '.' || text.data[before - 1] == ','))
        before = back_over_spaces(text, before - 1);
    (void)word_before(text, before, word);
    if (is_month(word))
        return true;
    (void)word_at(text, skip_spaces(text, end), word);
    return is_month(word) && number->kind == JUDGE_NUMBER_PLAIN;
}

/* "not 5", "isn't 5": one of the two words before denies it. */
static bool is_denied(struct text text, size_t offset)
{
    char word[WORD_MAX];
    for (int i = 0; i < 2; i++) {
        offset = back_over_spaces(text, offset);
        const size_t begin = word_before(text, offset, word);
        if (strcmp(word, "not") == 0 || strcmp(word, "never") == 0)
            return true;
        if (strcmp(word, "t") == 0 && begin > 1 && text.data[begin - 1] != ' ')
            return true; /* isn't, whatever its apostrophe */
        if (begin == offset)
            return false;
        offset = begin;
    }
    return false;
}

/* ---- public ---- */

/* Whether the digits at offset begin a number rather than go on with a name (FY2018, T7). */
static bool may_begin(struct text text, size_t offset)
{
    const char left = offset > 0 ? text.data[offset - 1] : ' ';
    const char before = offset > 1 ? text.data[offset - 2] : ' ';
    if (is_digit(left) || left == '_')
        return false;
    if (is_letter(left)) {
        struct judge_number sum = {0};
        return read_currency(text, offset, &sum) != offset; /* USD1577 */
    }
    return !((left == '.' || left == '-') && (is_letter(before) || is_digit(before)));
}

/* 10-K, 3D, 19p13: letters that make a name of the digits. */
static bool is_name(struct text text, size_t end)
{
    const char right = at(text, end), next = at(text, end + 1);
    return (right == '-' && next >= 'A' && next <= 'Z') || is_letter(right) || right == '_';
}

static bool read_number(struct text text, size_t offset, struct judge_number *number)
{
    struct digits digits;
    read_digits(text, offset, &digits);
    const size_t digits_end = offset + digits.size;
    *number = (struct judge_number){.scale = 1, .value = strtod(digits.text, NULL)};
    size_t begin = read_minus(text, offset, number);
    const size_t currency = read_currency(text, begin, number);
    if (currency != begin)
        begin = number->is_negative ? currency : read_minus(text, currency, number);
    const size_t end = read_behind(text, digits_end, number);
    if (end == digits_end && is_name(text, digits_end))
        return false;
    number->offset = begin;
    number->size = end - begin;
    if (!number->is_negative)
        read_parentheses(text, digits.is_formed, number);
    number->value *= number->is_negative ? -number->scale : number->scale;
    number->is_year = !digits.is_formed && number->kind == JUDGE_NUMBER_PLAIN &&
                      number->unit == 0 && !number->is_negative && number->value >= YEAR_MIN &&
                      number->value <= YEAR_MAX;
    number->is_date = is_in_date(text, number);
    number->is_denied = is_denied(text, number->offset);
    return isfinite(number->value);
}

bool judge_number_next(struct text text, size_t *offset, struct judge_number *number)
{
    for (size_t i = *offset; i < text.size; i++) {
        if (!is_digit(text.data[i]) || !may_begin(text, i))
            continue;
        const bool is_read = read_number(text, i, number);
        struct digits digits;
        read_digits(text, i, &digits);
        if (is_read) {
            *offset = number->offset + number->size;
            return true;
        }
        i += digits.size - 1;
    }
    *offset = text.size;
    return false;
}

bool judge_number_whole(struct text text, struct judge_number *number)
{
    size_t offset = 0;
    text = text_trim(text);
    while (text_ends(text, TEXT(".")))
        text.size--;
    if (!judge_number_next(text, &offset, number))
        return false;
    if (number->size == text.size && number->offset == 0)
        return true;
    /* (3.2)%, and a unit that is in no table: one word behind is let pass. */
    char word[WORD_MAX];
    const size_t from = skip_spaces(text, offset);
    return number->offset == 0 && from > offset && number->unit == 0 &&
           word_at(text, from, word) == text.size - from;
}

/* What a question asks its answer to be told in: 1e6 for "in USD millions"; 1 for nothing. */
static double asked_scale(struct text question)
{
    char word[WORD_MAX], before[WORD_MAX];
    for (size_t i = 0; i < question.size;) {
        const size_t size = word_at(question, i, word);
        if (size == 0) {
            i++;
            continue;
        }
        const double scale = scale_of(word, false);
        (void)word_before(question, back_over_spaces(question, i), before);
        if (scale > 0 && before[0] != '\0')
            return scale; /* a number before it would make it part of a sum */
        i += size;
    }
    return 1;
}

static bool is_close(double expected, double value, double tolerance)
{
    return fabs(value - expected) <= tolerance * fabs(expected) + 1e-12;
}

/* Whether the answer speaks of something going down. */
static bool tells_loss(struct text answer)
{
    static const char *const words[] = {"loss",     "decrease", "decreased", "decline",
                                        "declined", "negative", "fell",      "down",
                                        "dropped",  "drop",     "lower",     "reduction"};
    char word[WORD_MAX];
    for (size_t i = 0; i < answer.size;) {
        const size_t size = word_at(answer, i, word);
        if (IS_AMONG(word, words))
            return true;
        i += size > 0 ? size : 1;
    }
    return false;
}

static bool is_same(const struct judge_number *expected, const struct judge_number *found,
                    double asked, double tolerance)
{
    const double want = expected->value, value = found->value;
    const bool is_share = expected->kind == JUDGE_NUMBER_PERCENT;
    if (expected->unit != 0 && found->unit != 0 && expected->unit != found->unit)
        return false;
    if (is_share && found->kind == JUDGE_NUMBER_SUM)
        return false;
    if (is_close(want, value, tolerance))
        return is_share || found->kind != JUDGE_NUMBER_PERCENT;
    if (is_share && found->kind == JUDGE_NUMBER_PLAIN)
        return is_close(want, value * 100, tolerance);
    if (!is_share && found->kind == JUDGE_NUMBER_PERCENT)
        return expected->kind == JUDGE_NUMBER_PLAIN && is_close(want * 100, value, tolerance);
    if (asked <= 1)
        return false;
    return (expected->scale <= 1 && is_close(want * asked, value, tolerance)) ||
           (found->scale <= 1 && is_close(want, value * asked, tolerance));
}

/* The number of the answer that counts; false when there is none. */
static bool pick(struct text answer, const struct judge_number *expected,
                 struct judge_number *picked)
{
    struct judge_number number;
    bool has_any = false;
    size_t offset = 0, sign = 0;
    for (size_t i = 0; (i = text_find(answer, TEXT("="), i)) != SIZE_MAX; i++)
        sign = i + 1;
    answer = text_slice(answer, sign, answer.size);
    while (judge_number_next(answer, &offset, &number)) {
        const bool is_time = (number.is_year || number.is_date) && !expected->is_year;
        if (number.is_denied || is_time)
            continue;
        if (!has_any)
            *picked = number;
        has_any = true;
        if (number.kind != expected->kind || number.is_year != expected->is_year)
            continue;
        *picked = number;
        return true;
    }
    return has_any;
}

bool judge_number_matches(const struct judge_number *expected, struct text question,
                          struct text answer, double tolerance)
{
    struct judge_number found;
    if (!pick(answer, expected, &found))
        return false;
    if (expected->is_year) /* 1 % of a year is twenty of them */
        return found.value >= expected->value && found.value <= expected->value;
    const double asked = asked_scale(question);
    if (is_same(expected, &found, asked, tolerance))
        return true;
    if (expected->value >= 0 || found.is_negative || !tells_loss(answer))
        return false;
    found.value = -found.value;
    return is_same(expected, &found, asked, tolerance);
}
