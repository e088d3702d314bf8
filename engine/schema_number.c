/*
 * schema_number - see schema_number.h.
 *
 * A bound I.F splits the magnitudes by their digits: those above it have a greater whole part,
 * or the same and a greater fraction; what is greater shares some digits and then has a greater
 * one, or is longer. Written d.F e P with d not 0, powers are compared first. A multiple of M /
 * 10^k is found by the remainder of the digits up to the k-th after the point, the rest being
 * zeros.
 */
#include "engine/schema_number.h"

#include "engine/schema_want.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = SCHEMA_NUMBER_DIGITS_MAX };

/* Past 308 what reads the number takes it for infinite, or for 0. */
#define POWER "0*([0-9]{1,2}|[12][0-9]{2}|30[0-8])"

struct decimal {
    bool negative;
    char whole[DIGITS + 4];
    char fraction[DIGITS + 4]; /* without zeros at its end */
};

/* Digits of the shortest number that reads back as this one, and the power of ten of the
 * first. */
static int shortest(double number, char digits[32])
{
    char text[40];
    int count = 0;
    int precision = 0;
    do
        snprintf(text, sizeof text, "%.*e", precision, number);
    while (++precision < 18 && (strtod(text, NULL) < number || strtod(text, NULL) > number));
    const char *at = text;
    for (; *at && *at != 'e'; at++)
        if (*at >= '0' && *at <= '9')
            digits[count++] = *at;
    digits[count] = '\0';
    return (int)strtol(at + 1, NULL, 10);
}

static bool read_decimal(const struct json *value, struct decimal *decimal)
{
    int64_t integer = 0;
    double number = 0;
    char digits[32];
    *decimal = (struct decimal){.whole = "0"};
    if (json_i64(value, &integer)) {
        decimal->negative = integer < 0;
        snprintf(decimal->whole, sizeof decimal->whole, "%" PRIu64,
                 integer < 0 ? 0 - (uint64_t)integer : (uint64_t)integer);
        return true;
    }
    if (!json_double(value, &number))
        return false;
    decimal->negative = number < 0;
    const int power = shortest(number < 0 ? -number : number, digits);
    const int count = (int)strlen(digits);
    if (power >= DIGITS || count - power > DIGITS)
        return false;
    char *whole = decimal->whole;
    char *fraction = decimal->fraction;
    for (int i = 0; i <= power; i++)
        *whole++ = i < count ? digits[i] : '0';
    *whole = power < 0 ? '0' : '\0';
    for (int i = power + 1; i < count; i++)
        *fraction++ = i < 0 ? '0' : digits[i];
    while (fraction > decimal->fraction && fraction[-1] == '0')
        fraction--;
    *fraction = '\0';
    return true;
}

static bool is_zero(const struct decimal *decimal)
{
    return strcmp(decimal->whole, "0") == 0 && decimal->fraction[0] == '\0';
}

/* Digits of whole numbers greater than these, or less. [] is what no text matches: so there is
 * always one more alternative. */
static void put_digits_more(struct text_buf *out, const char *digits)
{
    const int count = (int)strlen(digits);
    text_buf_format(out, "(");
    for (int i = 0; i < count; i++)
        if (digits[i] < '9')
            text_buf_format(out, "%.*s[%c-9][0-9]{%d}|", i, digits, digits[i] + 1,
                            count - 1 - i);
    text_buf_format(out, "[1-9][0-9]{%d,})", count);
}

static void put_digits_less(struct text_buf *out, const char *digits)
{
    const int count = (int)strlen(digits);
    text_buf_format(out, "(");
    for (int i = 0; i < count; i++) {
        const char least = i == 0 && count > 1 ? '1' : '0';
        if (least < digits[i])
            text_buf_format(out, "%.*s[%c-%c][0-9]{%d}|", i, digits, least, digits[i] - 1,
                            count - 1 - i);
    }
    if (count > 1)
        text_buf_format(out, "[1-9][0-9]{0,%d}|0|", count - 2);
    text_buf_format(out, "[])");
}

/* What stands behind a whole part that is the bound's own. */
static void put_fraction_more(struct text_buf *out, const char *fraction)
{
    text_buf_format(out, "\\.(");
    for (int i = 0; fraction[i]; i++)
        if (fraction[i] < '9')
            text_buf_format(out, "%.*s[%c-9][0-9]*|", i, fraction, fraction[i] + 1);
    text_buf_format(out, "%s[0-9]*[1-9][0-9]*)", fraction);
}

static void put_fraction_less(struct text_buf *out, const char *fraction)
{
    text_buf_format(out, "(\\.(");
    for (int i = 0; fraction[i]; i++) {
        if (fraction[i] > '0')
            text_buf_format(out, "%.*s[0-%c][0-9]*|", i, fraction, fraction[i] - 1);
        if (i > 0)
            text_buf_format(out, "%.*s|", i, fraction);
    }
    text_buf_format(out, "[]))%s", fraction[0] ? "?" : "");
}

static void put_fraction_same(struct text_buf *out, const char *fraction)
{
    text_buf_format(out, fraction[0] ? "\\.%s0*" : "(\\.0+)?", fraction);
}

/* The number as d.fraction times ten to the power, d not 0; false: it is 0. */
struct scientific {
    char digit;
    char fraction[2 * DIGITS + 8];
    int power;
};

static bool to_scientific(const struct decimal *decimal, struct scientific *scientific)
{
    char digits[2 * DIGITS + 8];
    snprintf(digits, sizeof digits, "%s%s", decimal->whole, decimal->fraction);
    const size_t zeros = strspn(digits, "0");
    if (digits[zeros] == '\0')
        return false;
    scientific->digit = digits[zeros];
    scientific->power = (int)strlen(decimal->whole) - 1 - (int)zeros;
    snprintf(scientific->fraction, sizeof scientific->fraction, "%s", digits + zeros + 1);
    char *end = scientific->fraction + strlen(scientific->fraction);
    while (end > scientific->fraction && end[-1] == '0')
        *--end = '\0';
    return true;
}

/* Exponents above the power, below it (order -1), or itself. */
static void put_power(struct text_buf *out, int power, int order)
{
    char digits[16];
    snprintf(digits, sizeof digits, "%d", power < 0 ? -power : power);
    text_buf_format(out, "[eE](");
    if (order == 0)
        text_buf_format(out, "%s0*%s", power < 0 ? "-" : power == 0 ? "[+-]?" : "\\+?", digits);
    if (order > 0 && power < 0)
        text_buf_format(out, "\\+?[0-9]+|");
    if (order < 0 && power > 0)
        text_buf_format(out, "-[0-9]+|");
    if (order != 0)
        text_buf_format(out, (order > 0 ? power < 0 : power <= 0) ? "-0*" : "\\+?0*");
    if (order > 0 ? power >= 0 : order < 0 && power <= 0)
        put_digits_more(out, digits); /* further from 0 */
    else if (order != 0)
        put_digits_less(out, digits);
    text_buf_format(out, ")");
}

static void put_more_scientific(struct text_buf *out, const struct decimal *bound)
{
    struct scientific at;
    if (!to_scientific(bound, &at)) {
        text_buf_format(out, "|[1-9](\\.[0-9]+)?[eE][+-]?[0-9]+");
        return;
    }
    text_buf_format(out, "|[1-9](\\.[0-9]+)?");
    put_power(out, at.power, 1);
    text_buf_format(out, "|(");
    if (at.digit < '9')
        text_buf_format(out, "[%c-9](\\.[0-9]+)?|", at.digit + 1);
    text_buf_format(out, "%c", at.digit);
    put_fraction_more(out, at.fraction);
    text_buf_format(out, ")");
    put_power(out, at.power, 0);
}

static void put_less_scientific(struct text_buf *out, const struct decimal *bound)
{
    struct scientific at;
    if (!to_scientific(bound, &at))
        return;
    text_buf_format(out, "|0(\\.0+)?[eE][+-]?[0-9]+|[1-9](\\.[0-9]+)?");
    put_power(out, at.power, -1);
    text_buf_format(out, "|(");
    if (at.digit > '1')
        text_buf_format(out, "[1-%c](\\.[0-9]+)?|", at.digit - 1);
    text_buf_format(out, "%c", at.digit);
    put_fraction_less(out, at.fraction);
    text_buf_format(out, ")");
    put_power(out, at.power, 0);
}

static void put_more(struct text_buf *out, const struct decimal *bound)
{
    text_buf_format(out, "(");
    put_digits_more(out, bound->whole);
    text_buf_format(out, "(\\.[0-9]+)?|%s", bound->whole);
    put_fraction_more(out, bound->fraction);
    put_more_scientific(out, bound);
    text_buf_format(out, ")");
}

static void put_less(struct text_buf *out, const struct decimal *bound)
{
    text_buf_format(out, "(");
    put_digits_less(out, bound->whole);
    text_buf_format(out, "(\\.[0-9]+)?|%s", bound->whole);
    put_fraction_less(out, bound->fraction);
    put_less_scientific(out, bound);
    text_buf_format(out, ")");
}

static void put_same(struct text_buf *out, const struct decimal *bound)
{
    struct scientific at;
    const char *const sign = is_zero(bound) ? "-?" : bound->negative ? "-" : "";
    text_buf_format(out, "%s(%s", sign, bound->whole);
    put_fraction_same(out, bound->fraction);
    if (to_scientific(bound, &at)) {
        text_buf_format(out, "|%c", at.digit);
        put_fraction_same(out, at.fraction);
        put_power(out, at.power, 0);
    } else {
        text_buf_format(out, "|0(\\.0+)?[eE][+-]?[0-9]+");
    }
    text_buf_format(out, ")");
}

/* Numbers above the bound (below it: with the signs changed), and itself if inclusive. */
static void put_bound(struct text_buf *out, const struct decimal *bound, bool upper,
                      bool exclusive)
{
    const char *const with = upper ? "-" : "";
    const char *const against = upper ? "" : "-";
    const bool past_zero = bound->negative != upper && !is_zero(bound);
    text_buf_format(out, "^(%s", with);
    if (past_zero) {
        text_buf_format(out,
                        "((0|[1-9][0-9]*)(\\.[0-9]+)?|[1-9](\\.[0-9]+)?[eE][+-]?[0-9]+|"
                        "0(\\.0+)?[eE][+-]?[0-9]+)|%s",
                        against);
        put_less(out, bound);
    } else {
        put_more(out, bound);
    }
    if (!exclusive) {
        text_buf_format(out, "|");
        put_same(out, bound);
    }
    text_buf_format(out, ")$");
}

static enum status refuse(const struct schema_want *want, const struct json *value)
{
    double number = 0;
    json_double(value, &number);
    FAIL(want->err, ERR_LIMIT, "%.*s: %g has more than %d digits", TEXT_ARG(json_key(value)),
         number, DIGITS);
}

static enum status want_bound(struct schema_want *want, const struct json *schema,
                              const struct json *keyword, bool holds)
{
    const struct text key = json_key(keyword);
    const bool upper = text_ends(key, TEXT("aximum"));
    bool exclusive = text_starts(key, TEXT("exclusive"));
    struct decimal bound;
    double number = 0;
    if (!json_double(keyword, &number))
        return OK;
    if (!exclusive) /* as draft 4 has it */
        json_bool(json_get(schema, upper ? "exclusiveMaximum" : "exclusiveMinimum"),
                  &exclusive);
    if (!read_decimal(keyword, &bound))
        return refuse(want, keyword);
    struct text_buf pattern = {0};
    put_bound(&pattern, &bound, upper, exclusive);
    return schema_want_buffer(want, &pattern, holds);
}

/* The nodes of a multiple: heads[j * residues + r], j - 1 digits after the point, or before it
 * when j is 0. */
struct multiple {
    struct nfa *nfa;
    uint32_t residues, places;
    uint16_t first; /* of the heads, which follow one another */
    uint16_t end, zeros;
};

static void add_way(const struct multiple *multiple, uint16_t head, uint16_t way)
{
    struct nfa *nfa = multiple->nfa;
    if (!nfa->failed)
        nfa->nodes[head].a = automaton_split(nfa, way, nfa->nodes[head].a);
}

static void add_digits(const struct multiple *multiple, uint32_t place, uint32_t residue)
{
    const uint32_t residues = multiple->residues;
    const uint16_t head = (uint16_t)(multiple->first + place * residues + residue);
    const uint32_t to = multiple->first + (place + (place > 0)) * residues;
    for (uint32_t d = 0; d < 10; d++)
        add_way(multiple, head,
                automaton_range(multiple->nfa, (uint8_t)('0' + d), (uint8_t)('0' + d),
                                (uint16_t)(to + (residue * 10 + d) % residues)));
}

static void add_residue(const struct multiple *multiple, uint32_t place, uint32_t residue)
{
    const uint32_t residues = multiple->residues;
    const uint32_t behind = place > 0 ? place - 1 : 0; /* digits after the point */
    const uint16_t head = (uint16_t)(multiple->first + place * residues + residue);
    uint32_t left = residue;
    for (uint32_t i = behind; i < multiple->places; i++)
        left = left * 10 % residues;
    if (left == 0 && place != 1)
        add_way(multiple, head, multiple->end);
    if (place == 0)
        add_way(multiple, head,
                automaton_range(multiple->nfa, '.', '.', (uint16_t)(head + residues)));
    if (place < multiple->places + 1)
        add_digits(multiple, place, residue);
    else if (residue == 0)
        add_way(multiple, head, multiple->zeros);
}

static enum status want_multiple(struct schema_want *want, const struct json *keyword,
                                 bool holds)
{
    struct multiple multiple = {.nfa = &want->nfa};
    struct decimal step;
    uint16_t label = 0;
    uint64_t residues = 0;
    if (!read_decimal(keyword, &step))
        return refuse(want, keyword);
    for (const char *digit = step.whole; *digit && residues < UINT32_MAX; digit++)
        residues = residues * 10 + (uint64_t)(*digit - '0');
    multiple.places = (uint32_t)strlen(step.fraction);
    for (const char *digit = step.fraction; *digit && residues < UINT32_MAX; digit++)
        residues = residues * 10 + (uint64_t)(*digit - '0');
    if (residues == 0 || step.negative)
        FAIL(want->err, ERR_FORMAT, "multipleOf: want a number above 0");
    if (residues * (multiple.places + 2) > SCHEMA_NUMBER_RESIDUES_MAX)
        FAIL(want->err, ERR_LIMIT, "multipleOf: %s.%s takes more than %d remainders",
             step.whole, step.fraction, SCHEMA_NUMBER_RESIDUES_MAX);
    multiple.residues = (uint32_t)residues;
    TRY(schema_want_label(want, holds, &label));
    struct nfa *nfa = &want->nfa;
    multiple.end = automaton_accept(nfa, label);
    const uint16_t loop = automaton_split(nfa, 0, multiple.end);
    multiple.zeros = automaton_range(nfa, '0', '0', loop);
    multiple.first = (uint16_t)nfa->count;
    const uint32_t heads = multiple.residues * (multiple.places + 2);
    for (uint32_t i = 0; i < heads; i++)
        (void)automaton_split(nfa, 0, 0);
    if (!nfa->failed)
        nfa->nodes[loop].a = multiple.zeros;
    for (uint32_t i = 0; i < heads && !nfa->failed; i++)
        add_residue(&multiple, i / multiple.residues, i % multiple.residues);
    const uint16_t minus = automaton_range(nfa, '-', '-', multiple.first);
    nfa->start = automaton_split(nfa, nfa->start, automaton_split(nfa, minus, multiple.first));
    return OK;
}

/* The list's numbers, or the one at, do not come, however they are written. */
static enum status want_outside(struct schema_want *want, const struct json *at)
{
    const bool list = json_type(at) == JSON_ARRAY;
    struct text_buf pattern = {0};
    struct decimal decimal;
    text_buf_format(&pattern, "^([]");
    const struct json *each = list ? json_first(at) : at;
    for (; each; each = list ? json_next(each) : NULL) {
        if (json_type(each) != JSON_NUMBER)
            continue;
        if (!read_decimal(each, &decimal)) {
            text_buf_deinit(&pattern);
            return refuse(want, each);
        }
        text_buf_format(&pattern, "|");
        put_same(&pattern, &decimal);
    }
    text_buf_format(&pattern, ")$");
    return schema_want_buffer(want, &pattern, false);
}

/* The values as they are written, and with a fraction of one zero. */
static enum status want_values(struct schema_want *want, const struct schema_values *values)
{
    uint16_t label = 0;
    TRY(schema_want_label(want, true, &label));
    struct nfa *nfa = &want->nfa;
    const uint16_t end = automaton_accept(nfa, label);
    const uint16_t end_zero = automaton_split(nfa, end, automaton_bytes(nfa, ".0", 2, end));
    for (uint32_t i = 0; i < values->count; i++) {
        struct decimal decimal;
        char text[128];
        double number = 0;
        if (!json_double(values->list[i], &number))
            continue;
        if (read_decimal(values->list[i], &decimal)) {
            const bool whole = decimal.fraction[0] == '\0';
            snprintf(text, sizeof text, "%s%s%s%s", decimal.negative ? "-" : "", decimal.whole,
                     whole ? "" : ".", decimal.fraction);
            const uint16_t start =
                automaton_bytes(nfa, text, strlen(text), whole ? end_zero : end);
            nfa->start = automaton_split(nfa, nfa->start, start);
        }
        int precision = 0;
        do
            snprintf(text, sizeof text, "%.*g", precision, number);
        while (++precision < 18 &&
               (strtod(text, NULL) < number || strtod(text, NULL) > number));
        if (strchr(text, 'e'))
            nfa->start =
                automaton_split(nfa, nfa->start, automaton_bytes(nfa, text, strlen(text), end));
    }
    return OK;
}

static enum status want_keyword(struct schema_want *want, const struct json *schema,
                                const struct json *keyword, bool holds)
{
    const struct text key = json_key(keyword);
    if (text_equal(key, TEXT("multipleOf")) || text_equal(key, TEXT("divisibleBy")))
        return want_multiple(want, keyword, holds);
    if (text_ends(key, TEXT("inimum")) || text_ends(key, TEXT("aximum")))
        return want_bound(want, schema, keyword, holds);
    return OK;
}

static enum status want_part(struct schema_want *want, const struct schema_part *part)
{
    static const char *const keys[] = {"minimum",          "maximum",    "exclusiveMinimum",
                                       "exclusiveMaximum", "multipleOf", "divisibleBy"};
    switch ((enum schema_part_kind)part->kind) {
    case SCHEMA_PART_HOLDS:
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
            const struct json *keyword = json_get(part->at, keys[i]);
            if (keyword)
                TRY(want_keyword(want, part->at, keyword, true));
        }
        return OK;
    case SCHEMA_PART_BREAKS:
        return want_keyword(want, part->schema, part->at, false);
    case SCHEMA_PART_DIFFERS:
    case SCHEMA_PART_OUTSIDE:
        return want_outside(want, part->at);
    default:
        return OK;
    }
}

/* Remainders are told by all digits: an exponent would move them. */
static bool has_multiple(const struct schema_parts *parts)
{
    static const char *const keys[] = {"multipleOf", "divisibleBy"};
    bool found = false;
    for (uint32_t i = 0; i < 2 * parts->count; i++) {
        const struct schema_part *part = &parts->parts[i / 2];
        found |= part->kind == SCHEMA_PART_HOLDS && json_get(part->at, keys[i % 2]);
        found |= part->kind == SCHEMA_PART_BREAKS &&
                 text_equal(json_key(part->at), text_of(keys[i % 2]));
    }
    return found;
}

enum status schema_number_make(struct schema_build *build, const struct schema_parts *parts,
                               const struct schema_values *values, struct automaton *made)
{
    struct schema_want want;
    struct schema_facts facts;
    TRY(schema_facts_read(parts, &facts, build->err));
    TRY(schema_want_init(&want, build, REGEX_PLAIN));
    for (uint32_t i = 0; i < parts->count; i++)
        TRY(want_part(&want, &parts->parts[i]));
    const bool bounded = want.count > 0;
    const bool by_digits = has_multiple(parts);
    if (!values->any)
        TRY(want_values(&want, values));
    struct text form = TEXT("^-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?" POWER ")?$");
    if (facts.whole && build->document.old) /* up to draft 4 1.0 is no integer */
        form = TEXT("^-?(0|[1-9][0-9]*)$");
    else if (facts.whole)
        form = TEXT("^-?(0|[1-9][0-9]*)(\\.0)?$");
    else if (facts.fraction)
        form = TEXT("^-?(0|[1-9][0-9]*)\\.[0-9]*[1-9][0-9]*$");
    else if (by_digits)
        form = TEXT("^-?(0|[1-9][0-9]*)(\\.[0-9]+)?$");
    else if (bounded)
        form =
            TEXT("^-?((0|[1-9][0-9]*)(\\.[0-9]+)?|([1-9](\\.[0-9]+)?|0(\\.0+)?)[eE][+-]?" POWER
                 ")$");
    TRY(schema_want_pattern(&want, form, true));
    return schema_want_make(&want, made);
}
