/*
 * pretokenize - see pretokenize.h.
 *
 * The expressions, as their tokenizer.json files have them; alternatives are tried in order,
 * each as greedy as it can be:
 *
 * GPT-2    's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
 * Llama 3  (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
 *          ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 * Tekken   [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|
 *          [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}|
 *          ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
 *
 * GPT-4o   Tekken's words, each with (?i:'s|'t|'re|'ve|'m|'ll|'d)? after it, and \p{N}{1,3}
 *
 * Falcon   [\p{P}$+<=>^~|`]+, then GPT-2's between those, then [0-9][0-9][0-9] out of numbers
 *
 * SmolLM2 and StarCoder cut every digit off first and then apply GPT-2's: a digit is then an
 * end of text to what stands before it, which matters for white space only.
 *
 * `\s+(?!\S)` backs off by one character when a run of white space is followed by something
 * else, so that the last one can lead the next piece.
 */
#include "tokenizer/pretokenize.h"

#include "tokenizer/unicode.h"

#include <string.h>

enum { LONG_S = 0x17f }; /* folds to s, so (?i:'s) takes it */

static const struct pretokenize SPLITTERS[] = {
    {"gpt-2", PRETOKENIZE_GPT2, 0, false, false, false, false},
    {"gpt2", PRETOKENIZE_GPT2, 0, false, false, false, false},
    {"smollm", PRETOKENIZE_GPT2, 1, true, false, false, false},
    {"starcoder", PRETOKENIZE_GPT2, 1, true, false, false, false},
    {"refact", PRETOKENIZE_GPT2, 1, true, false, false, false},
    {"command-r", PRETOKENIZE_GPT2, 1, true, false, false, false},
    {"falcon", PRETOKENIZE_SIGNS, 3, false, false, false, false},
    {"llama-bpe", PRETOKENIZE_LLAMA3, 3, false, false, true, false},
    {"llama3", PRETOKENIZE_LLAMA3, 3, false, false, true, false},
    {"qwen2", PRETOKENIZE_LLAMA3, 1, false, true, false, false},
    {"tekken", PRETOKENIZE_CASE, 1, false, false, true, false},
    {"gpt-4o", PRETOKENIZE_CASE, 3, false, false, false, true},
};
static const char NAMES[] =
    "gpt-2, gpt2, smollm, starcoder, refact, command-r, falcon, llama-bpe, "
    "llama3, qwen2, tekken, gpt-4o";

/* Classes of ASCII, as far as the rules ask; the rest is looked up. */
static const uint8_t ASCII[128] = {
    ['\t'] = 32, ['\n'] = 32, ['\v'] = 32, ['\f'] = 32, ['\r'] = 32, [' '] = 32, ['0'] = 16,
    ['1'] = 16,  ['2'] = 16,  ['3'] = 16,  ['4'] = 16,  ['5'] = 16,  ['6'] = 16, ['7'] = 16,
    ['8'] = 16,  ['9'] = 16,  ['A'] = 1,   ['B'] = 1,   ['C'] = 1,   ['D'] = 1,  ['E'] = 1,
    ['F'] = 1,   ['G'] = 1,   ['H'] = 1,   ['I'] = 1,   ['J'] = 1,   ['K'] = 1,  ['L'] = 1,
    ['M'] = 1,   ['N'] = 1,   ['O'] = 1,   ['P'] = 1,   ['Q'] = 1,   ['R'] = 1,  ['S'] = 1,
    ['T'] = 1,   ['U'] = 1,   ['V'] = 1,   ['W'] = 1,   ['X'] = 1,   ['Y'] = 1,  ['Z'] = 1,
    ['a'] = 2,   ['b'] = 2,   ['c'] = 2,   ['d'] = 2,   ['e'] = 2,   ['f'] = 2,  ['g'] = 2,
    ['h'] = 2,   ['i'] = 2,   ['j'] = 2,   ['k'] = 2,   ['l'] = 2,   ['m'] = 2,  ['n'] = 2,
    ['o'] = 2,   ['p'] = 2,   ['q'] = 2,   ['r'] = 2,   ['s'] = 2,   ['t'] = 2,  ['u'] = 2,
    ['v'] = 2,   ['w'] = 2,   ['x'] = 2,   ['y'] = 2,   ['z'] = 2,
};

enum {
    L = UNICODE_LETTER,
    N = UNICODE_NUMBER,
    S = UNICODE_SPACE,
    CAPITAL = UNICODE_UPPER | UNICODE_CASELESS | UNICODE_MARK,
    SMALL = UNICODE_LOWER | UNICODE_CASELESS | UNICODE_MARK
};

/* One character: where it ends and what it is. end == begin: there is none. */
struct character {
    size_t end;
    uint8_t class;
};

static struct character character_at(struct text text, size_t at)
{
    if (at >= text.size)
        return (struct character){at, 0};
    const uint8_t byte = (uint8_t)text.data[at];
    if (byte < 0x80)
        return (struct character){at + 1, ASCII[byte]};
    struct character c = {at, 0};
    c.class = unicode_class(text_utf8_next(text, &c.end));
    return c;
}

/* End of the run of characters whose class is in the mask (or, with none, outside of it). */
static size_t run_of(struct text text, size_t at, uint8_t mask)
{
    for (;;) {
        const struct character c = character_at(text, at);
        if (c.end == at || !(c.class & mask))
            return at;
        at = c.end;
    }
}

static size_t run_outside(struct text text, size_t at, uint8_t mask)
{
    for (;;) {
        const struct character c = character_at(text, at);
        if (c.end == at || (c.class & mask))
            return at;
        at = c.end;
    }
}

static size_t run_of_digits(struct text text, size_t at, uint32_t digits_max)
{
    for (uint32_t i = 0; digits_max == 0 || i < digits_max; i++) {
        const struct character c = character_at(text, at);
        if (c.end == at || !(c.class & N))
            break;
        at = c.end;
    }
    return at;
}

static bool is_line_end(struct text text, size_t at)
{
    return at < text.size && (text.data[at] == '\r' || text.data[at] == '\n');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* End of 's 't 'm 'd 're 've 'll at a quote, or begin when there is none. */
static size_t contraction(struct text text, size_t begin, bool fold)
{
    const size_t left = text.size - begin;
    if (left < 2 || text.data[begin] != '\'')
        return begin;
    const char a = fold ? lower(text.data[begin + 1]) : text.data[begin + 1];
    const char b = left < 3 ? '\0' : fold ? lower(text.data[begin + 2]) : text.data[begin + 2];
    if (a == 's' || a == 't' || a == 'm' || a == 'd')
        return begin + 2;
    if ((a == 'r' && b == 'e') || (a == 'v' && b == 'e') || (a == 'l' && b == 'l'))
        return begin + 3;
    size_t at = begin + 1;
    if (fold && text_utf8_next(text, &at) == LONG_S)
        return at;
    return begin;
}

/* \s+(?!\S)|\s+ over the run of white space [begin, end). ends: what follows counts as the
 * end of the text. */
static size_t white_space(struct text text, size_t begin, size_t end, bool ends)
{
    if (ends)
        return end;
    size_t last = end - 1;
    while (last > begin && ((uint8_t)text.data[last] & 0xc0) == 0x80)
        last--;
    return last > begin ? last : end;
}

/* The end of the last line end in a run of white space, or begin: \s*[\r\n]+. */
static size_t last_line_end(struct text text, size_t begin, size_t end)
{
    while (end > begin && !is_line_end(text, end - 1))
        end--;
    return end;
}

static size_t gpt2_next(const struct pretokenize *splitter, struct text text, size_t begin)
{
    const size_t short_form = contraction(text, begin, false);
    if (short_form > begin)
        return short_form;
    size_t at = begin;
    struct character c = character_at(text, at);
    if (text.data[begin] == ' ') {
        const struct character next = character_at(text, c.end);
        const bool cut = splitter->digits_first && (next.class & N);
        if (next.end > c.end && !(next.class & S) && !cut) {
            at = c.end;
            c = next;
        }
    }
    if (c.class & L)
        return run_of(text, at, L);
    if (c.class & N)
        return run_of_digits(text, at, splitter->digits_max);
    if (!(c.class & S))
        return run_outside(text, at, L | N | S);
    const size_t end = run_of(text, begin, S);
    const bool cut = splitter->digits_first && (character_at(text, end).class & N);
    return white_space(text, begin, end, end == text.size || cut);
}

/* [\p{P}$+<=>^~|`]: what Falcon cuts off before anything else. */
static bool is_sign_at(struct text text, size_t at)
{
    static const char MORE[] = "$+<=>^~|`";
    if (at >= text.size)
        return false;
    const char byte = text.data[at];
    return (byte != '\0' && strchr(MORE, byte)) ||
           (unicode_class(text_utf8_next(text, &at)) & UNICODE_PUNCT);
}

/* A run of numbers [begin, end), cut at its first three digits of ASCII. */
static size_t first_triple(struct text text, size_t begin, size_t end)
{
    uint32_t digits = 0;
    for (size_t at = begin; at < end; at++) {
        digits = text.data[at] >= '0' && text.data[at] <= '9' ? digits + 1 : 0;
        if (digits == 3)
            return at - 2 > begin ? at - 2 : at + 1;
    }
    return end;
}

/* A sign ends the text for what stands before it. */
static size_t signs_next(struct text text, size_t begin)
{
    size_t end = begin, at = begin;
    while (is_sign_at(text, end))
        (void)text_utf8_next(text, &end);
    if (end > begin)
        return end;
    if (text.data[begin] == ' ' && begin + 1 < text.size && !is_sign_at(text, begin + 1) &&
        !(character_at(text, begin + 1).class & S))
        at = begin + 1;
    const uint8_t class = character_at(text, at).class;
    if (class & L)
        return run_of(text, at, L);
    if (class & N)
        return first_triple(text, begin, run_of(text, at, N));
    if (class & S) {
        end = run_of(text, begin, S);
        return white_space(text, begin, end, end == text.size || is_sign_at(text, end));
    }
    for (end = at; end < text.size && !is_sign_at(text, end);) {
        const struct character c = character_at(text, end);
        if (c.class & (L | N | S))
            break;
        end = c.end;
    }
    return end;
}

/* C*S+ at at, where C are capitals and S small letters, and what has no case is both: the end,
 * or at when there is no such word. Without a small letter after the capitals, C* gives back
 * until S+ finds something caseless. */
static size_t word_small(struct text text, size_t at)
{
    size_t caseless_end = at, end = at;
    for (;;) {
        const struct character c = character_at(text, end);
        if (c.end == end || !(c.class & CAPITAL))
            break;
        end = c.end;
        if (c.class & SMALL)
            caseless_end = end;
    }
    const size_t small_end = run_of(text, end, SMALL);
    return small_end > end ? small_end : caseless_end;
}

/* The word that begins at begin, with one leading character where there may be one (lead_end >
 * begin); begin when there is none. */
static size_t word(const struct pretokenize *splitter, struct text text, size_t begin,
                   size_t lead_end)
{
    size_t end;
    if (splitter->rule == PRETOKENIZE_LLAMA3)
        return (end = run_of(text, lead_end, L)) > lead_end ? end : begin;
    if ((end = word_small(text, lead_end)) > lead_end)
        return end;
    if ((end = word_small(text, begin)) > begin)
        return end;
    if ((end = run_of(text, lead_end, CAPITAL)) > lead_end)
        return end;
    return run_of(text, begin, CAPITAL);
}

static size_t llama3_next(const struct pretokenize *splitter, struct text text, size_t begin)
{
    const bool by_case = splitter->rule == PRETOKENIZE_CASE;
    const size_t short_form = by_case ? begin : contraction(text, begin, true);
    if (short_form > begin)
        return short_form;
    const struct character c = character_at(text, begin);
    const bool leads = !(c.class & (L | N)) && !is_line_end(text, begin);
    size_t end = word(splitter, text, begin, leads ? c.end : begin);
    if (end > begin)
        return splitter->short_ends && end < text.size ? contraction(text, end, true) : end;
    if (c.class & N)
        return run_of_digits(text, begin, splitter->digits_max);
    const size_t signs_begin = text.data[begin] == ' ' ? begin + 1 : begin;
    end = run_outside(text, signs_begin, L | N | S);
    if (end > signs_begin) {
        while (is_line_end(text, end) || (by_case && end < text.size && text.data[end] == '/'))
            end++;
        return end;
    }
    end = run_of(text, begin, S);
    const size_t line_end = last_line_end(text, begin, end);
    if (line_end > begin)
        return line_end;
    return white_space(text, begin, end, end == text.size);
}

const struct pretokenize *pretokenize_find(struct text name)
{
    for (size_t i = 0; i < sizeof SPLITTERS / sizeof SPLITTERS[0]; i++) {
        if (text_equal(name, text_of(SPLITTERS[i].name)))
            return &SPLITTERS[i];
    }
    return NULL;
}

const char *pretokenize_names(void)
{
    return NAMES;
}

size_t pretokenize_next(const struct pretokenize *splitter, struct text text, size_t begin)
{
    if (splitter->rule == PRETOKENIZE_SIGNS)
        return signs_next(text, begin);
    return splitter->rule == PRETOKENIZE_GPT2 ? gpt2_next(splitter, text, begin)
                                              : llama3_next(splitter, text, begin);
}
