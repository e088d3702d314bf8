/* words - see words.h. */
#include "tokenizer/words.h"

#include <string.h>

static const char MARK[] = "\xe2\x96\x81";
enum { MARK_BYTES = 3, MARK_FIRST = 0xe2, MARK_LAST = 0x81 };

/* What one needs to know of a vocabulary to cut its texts. */
struct borders {
    bool (*touches)[256]; /* [a][b]: in some piece byte b follows byte a */
    bool cuts_spaces, cuts_lines, cuts_all;
};

/* Notes each two bytes in a row, where a mark counts as a space and as its own bytes. */
static void note_piece(struct borders *borders, struct text piece)
{
    const struct text mark = {MARK, MARK_BYTES};
    int first = -1, second = -1; /* the byte before, in its one or two shapes */
    for (size_t at = 0; at < piece.size;) {
        const bool is_mark = text_starts(text_slice(piece, at, piece.size), mark);
        const uint8_t byte = (uint8_t)piece.data[at];
        const uint8_t begins[2] = {byte, is_mark ? ' ' : byte};
        for (uint32_t i = 0; i < 2 && first >= 0; i++) {
            borders->touches[first][begins[i]] = true;
            borders->touches[second][begins[i]] = true;
        }
        first = is_mark ? MARK_LAST : byte;
        second = is_mark ? ' ' : byte;
        at += is_mark ? MARK_BYTES : 1;
    }
}

/* A character that encoding never makes the unknown token, which could be one with another. */
static bool is_known(const struct vocab *vocab, struct text character, char byte)
{
    return vocab_find(&vocab->plain, character) != TOKEN_NONE ||
           vocab->byte_ids[(uint8_t)byte] != TOKEN_NONE;
}

/* Where characters without a token are left out, those beside them meet: a cut is only where
 * both sides have one. */
static void forbid_unknown(struct borders *borders, const struct vocab *vocab)
{
    bool is_safe[256];
    for (uint32_t byte = 0; byte < 256; byte++) {
        const char character = (char)byte;
        is_safe[byte] =
            byte == ' ' ||
            (byte < 0x80 && is_known(vocab, (struct text){&character, 1}, character));
    }
    for (uint32_t a = 0; a < 256; a++) {
        for (uint32_t b = 0; b < 256; b++)
            borders->touches[a][b] = borders->touches[a][b] || !is_safe[a] || !is_safe[b];
    }
}

/* Where no piece has both: before a word's first space, beside a line end, or before any byte
 * that begins a character. */
static bool is_border(const struct borders *borders, uint8_t a, uint8_t b)
{
    const bool is_space = b == ' ' && a != ' ' && borders->cuts_spaces;
    const bool is_line = (a == '\n' || b == '\n') && a != b && borders->cuts_lines;
    const bool is_any = (b & 0xc0) != 0x80 && borders->cuts_all;
    return (is_space || is_line || is_any) && !borders->touches[a][b];
}

void words_init(struct words *words, const struct vocab *vocab, uint32_t rules)
{
    bool has_all = true;
    struct borders borders = {
        .touches = words->cuts, /* first the one, then made the other in place */
        .cuts_spaces = vocab_find(&vocab->plain, (struct text){MARK, MARK_BYTES}) != TOKEN_NONE,
        .cuts_lines = is_known(vocab, TEXT("\n"), '\n')};
    memset(words, 0, sizeof *words);
    for (uint32_t byte = 0; byte < 256; byte++)
        has_all = has_all && vocab->byte_ids[byte] != TOKEN_NONE;
    borders.cuts_all = has_all && (rules & WORDS_ANYWHERE);
    for (uint32_t i = 0; i < vocab->count; i++) {
        if (vocab->kinds[i] != TOKENIZER_CONTROL && vocab->kinds[i] != TOKENIZER_BYTE)
            note_piece(&borders, vocab->pieces[i]);
    }
    if (!has_all && (rules & WORDS_DROP_UNKNOWN))
        forbid_unknown(&borders, vocab);
    for (uint32_t a = 0; a < 256; a++) {
        for (uint32_t b = 0; b < 256; b++)
            words->cuts[a][b] = is_border(&borders, (uint8_t)a, (uint8_t)b);
    }
}

/* A mark, with neither a mark nor a space before it. */
static bool is_mark_first(struct text text, size_t begin, size_t at)
{
    const struct text mark = {MARK, MARK_BYTES};
    return text_starts(text_slice(text, at, text.size), mark) && text.data[at - 1] != ' ' &&
           !(at - begin >= MARK_BYTES &&
             text_equal(text_slice(text, at - MARK_BYTES, at), mark));
}

size_t words_end(const struct words *words, struct text text, size_t begin, size_t bytes_max)
{
    const size_t limit = text.size - begin > bytes_max ? begin + bytes_max : text.size;
    for (size_t at = begin + 1; at < limit; at++) {
        const uint8_t a = (uint8_t)text.data[at - 1], b = (uint8_t)text.data[at];
        if (words->cuts[a][b] ||
            (b == MARK_FIRST && words->cuts[a][' '] && is_mark_first(text, begin, at)))
            return at;
    }
    return limit;
}

bool words_escape(struct text word, bool space_before, struct text_buf *out)
{
    const struct text mark = {MARK, MARK_BYTES};
    text_buf_clear(out);
    if (space_before)
        text_buf_add(out, mark);
    for (size_t at = 0; at < word.size;) {
        size_t end = at;
        while (end < word.size && word.data[end] != ' ')
            end++;
        text_buf_add(out, text_slice(word, at, end));
        if (end < word.size)
            text_buf_add(out, mark);
        at = end + 1;
    }
    return !out->failed;
}
