/* bpe_words - see bpe_words.h. */
#include "tokenizer/bpe_words.h"

/* A piece that is a token, where such are not merged; else *id is TOKEN_NONE. False: no
 * memory. */
static bool take_whole(const struct bpe *bpe, struct text text, bool space_before,
                       struct bpe_words_scratch *scratch, token_id *id)
{
    *id = TOKEN_NONE;
    if (!bpe->takes_whole || text.size > bpe->vocab->plain_max)
        return true;
    if (!words_escape(text, space_before, &scratch->escaped))
        return false;
    *id = vocab_find(&bpe->vocab->plain, text_buf_text(&scratch->escaped));
    return true;
}

bool bpe_words_encode(const struct bpe *bpe, struct text text, bool space_before,
                      struct bpe_words_scratch *scratch, struct token_list *list)
{
    const size_t most = BPE_PIECE_BYTES_MAX / 4; /* escaping triples at most */
    token_id whole;
    if (!take_whole(bpe, text, space_before, scratch, &whole))
        return false;
    if (whole != TOKEN_NONE)
        return token_list_add(list, whole);
    for (size_t begin = 0; begin < text.size || space_before; space_before = false) {
        const size_t end =
            begin < text.size ? words_end(&bpe->words, text, begin, most) : begin;
        const struct text word = text_slice(text, begin, end);
        const size_t first = list->count;
        begin = end;
        if (!space_before && word_cache_take(scratch->cache, word, list))
            continue;
        if (!words_escape(word, space_before, &scratch->escaped) ||
            !bpe_encode(bpe, text_buf_text(&scratch->escaped), &scratch->bpe, list))
            return false;
        if (!space_before)
            word_cache_put(scratch->cache, word, list, first);
    }
    return true;
}

void bpe_words_scratch_deinit(struct bpe_words_scratch *scratch)
{
    bpe_scratch_deinit(&scratch->bpe);
    text_buf_deinit(&scratch->escaped);
}
