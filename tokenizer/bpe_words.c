/* bpe_words - see bpe_words.h. */
#include "tokenizer/bpe_words.h"

/* Where the stretch that begins at begin ends: before a space that follows something else when
 * words are apart, at the limit in any case. */
static size_t stretch_end(const struct bpe *bpe, struct text text, size_t begin)
{
    const size_t limit = begin + BPE_PIECE_BYTES_MAX / 4; /* escaping triples at most */
    size_t at = begin;
    if (!bpe->words_apart)
        return limit < text.size ? limit : text.size;
    while (at < text.size && at < limit && text.data[at] == ' ')
        at++;
    while (at < text.size && at < limit && text.data[at] != ' ')
        at++;
    return at;
}

bool bpe_words_encode(const struct bpe *bpe, struct text text, bool space_before,
                      struct bpe_words_scratch *scratch, struct token_list *list)
{
    const struct text mark = TEXT("\xe2\x96\x81");
    for (size_t begin = 0; begin < text.size || space_before; space_before = false) {
        const size_t end = stretch_end(bpe, text, begin);
        text_buf_clear(&scratch->escaped);
        if (space_before)
            text_buf_add(&scratch->escaped, mark);
        for (size_t at = begin; at < end; at++) {
            if (text.data[at] == ' ')
                text_buf_add(&scratch->escaped, mark);
            else
                text_buf_byte(&scratch->escaped, text.data[at]);
        }
        if (scratch->escaped.failed ||
            !bpe_encode(bpe, text_buf_text(&scratch->escaped), &scratch->bpe, list))
            return false;
        begin = end;
    }
    return true;
}

void bpe_words_scratch_deinit(struct bpe_words_scratch *scratch)
{
    bpe_scratch_deinit(&scratch->bpe);
    text_buf_deinit(&scratch->escaped);
}
