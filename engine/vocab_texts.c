/* vocab_texts - see vocab_texts.h. */
#include "engine/vocab_texts.h"

enum status vocab_texts_init(struct vocab_texts *texts, const struct tokenizer *tokenizer,
                             uint32_t vocab, struct arena *arena, struct error *err)
{
    const uint32_t known = tokenizer_vocab_size(tokenizer);
    *texts = (struct vocab_texts){.bytes = ARENA_NEW(arena, struct text, vocab),
                                  .ends = ARENA_NEW(arena, uint32_t, (vocab + 31) / 32),
                                  .vocab = vocab};
    if (!texts->bytes || !texts->ends)
        FAIL(err, ERR_MEMORY, "texts of %u tokens: the arena is full", vocab);
    for (uint32_t t = 0; t < vocab && t < known; t++) {
        if (tokenizer_is_end(tokenizer, (token_id)t))
            texts->ends[t / 32] |= 1u << t % 32;
        else if (!tokenizer_is_control(tokenizer, (token_id)t))
            texts->bytes[t] = tokenizer_bytes(tokenizer, (token_id)t);
    }
    return OK;
}
