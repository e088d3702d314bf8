/* bpe_words - see bpe_words.h. */
#include "tokenizer/bpe_words.h"

/* Where the stretch that begins at begin ends: before a space after which no merge crosses, at
 * the limit in any case. */
static size_t stretch_end(const struct bpe *bpe, struct text text, size_t begin)
{
    const size_t most = BPE_PIECE_BYTES_MAX / 4; /* escaping triples at most */
    const size_t limit = text.size - begin > most ? begin + most : text.size;
    for (size_t at = begin + 1; at < limit; at++) {
        const uint8_t before = (uint8_t)text.data[at - 1];
        if (text.data[at] == ' ' && before != ' ' && !bpe->before_space[before])
            return at;
    }
    return limit;
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
