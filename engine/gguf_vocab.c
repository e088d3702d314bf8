/* gguf_vocab - see gguf_vocab.h. */
#include "engine/gguf_vocab.h"

#include "engine/gguf_get.h"
#include "tokenizer/tokenizer.h"

#include <math.h>
#include <stdlib.h>

/* Memory for count elements, at least one; the count was checked against the file. */
static enum status alloc(void **out, const char *what, uint64_t count, size_t elem_size,
                         struct error *err)
{
    *out = calloc(count > 0 ? (size_t)count : 1, elem_size);
    if (!*out)
        FAIL(err, ERR_MEMORY, "key %s: no memory for %llu elements", what,
             (unsigned long long)count);
    return OK;
}

static enum status read_texts(const struct gguf_entry *entry, struct text **out,
                              struct error *err)
{
    void *texts;
    TRY(alloc(&texts, gguf_label(entry->key).text, entry->count, sizeof **out, err));
    *out = texts;
    gguf_get_texts(entry, *out);
    return OK;
}

/* An array that must have one element per piece, or be absent (NULL). */
static enum status find_per_piece(const struct gguf *gguf, const struct gguf_get_array *want,
                                  const struct gguf_entry **entry, struct error *err)
{
    *entry = NULL;
    TRY(gguf_get_array(gguf, want, entry, err));
    if (*entry && (*entry)->count != want->count_max)
        FAIL(err, ERR_FORMAT, "key %s: %llu elements for %u pieces", want->key,
             (unsigned long long)(*entry)->count, want->count_max);
    return OK;
}

static enum status read_pieces(struct gguf_vocab *vocab, const struct gguf *gguf,
                               const struct gguf_entry *pieces, struct error *err)
{
    const uint32_t count = (uint32_t)pieces->count;
    const struct gguf_get_array scores = {"tokenizer.ggml.scores", GGUF_F32, count};
    const struct gguf_get_array kinds = {"tokenizer.ggml.token_type", GGUF_I32, count};
    const struct gguf_get_array merges = {"tokenizer.ggml.merges", GGUF_STRING,
                                          4 * TOKENIZER_PIECES_MAX};
    struct tokenizer_source *source = &vocab->source;
    const struct gguf_entry *found;
    void *memory;
    TRY(read_texts(pieces, &vocab->pieces, err));
    TRY(find_per_piece(gguf, &scores, &found, err));
    if (found) {
        TRY(alloc(&memory, scores.key, count, sizeof(float), err));
        gguf_get_f32s(found, vocab->scores = memory);
    }
    TRY(find_per_piece(gguf, &kinds, &found, err));
    if (found) {
        TRY(alloc(&memory, kinds.key, count, sizeof(int32_t), err));
        gguf_get_i32s(found, vocab->kinds = memory);
    }
    found = NULL;
    TRY(gguf_get_array(gguf, &merges, &found, err));
    if (found) {
        TRY(read_texts(found, &vocab->merges, err));
        source->merge_count = (uint32_t)found->count;
    }
    source->pieces = vocab->pieces;
    source->scores = vocab->scores;
    source->kinds = vocab->kinds;
    source->merges = vocab->merges;
    source->piece_count = count;
    return OK;
}

/* An id that the file gives, or TOKEN_NONE: for none at all and for 2^32 - 1, which writers
 * put there for none. */
static enum status read_id(const struct gguf *gguf, const char *key, uint32_t piece_count,
                           token_id *id, struct error *err)
{
    int64_t value = TOKEN_NONE;
    TRY(gguf_get_int(gguf, key, &value, err));
    if (value == UINT32_MAX)
        value = TOKEN_NONE;
    if (value < TOKEN_NONE || value >= (int64_t)piece_count)
        FAIL(err, ERR_FORMAT, "key %s: %lld, the vocabulary has %u pieces", key,
             (long long)value, piece_count);
    *id = (token_id)value;
    return OK;
}

static enum status read_ids(const struct gguf *gguf, struct tokenizer_source *source,
                            struct error *err)
{
    const uint32_t count = source->piece_count;
    TRY(read_id(gguf, "tokenizer.ggml.bos_token_id", count, &source->bos, err));
    TRY(read_id(gguf, "tokenizer.ggml.eos_token_id", count, &source->eos, err));
    TRY(read_id(gguf, "tokenizer.ggml.eot_token_id", count, &source->eot, err));
    TRY(read_id(gguf, "tokenizer.ggml.unknown_token_id", count, &source->unknown, err));
    /* SentencePiece models begin texts with BOS and a space where the file does not say; Llama
     * 3's and the like with BOS; T5's end them with EOS. */
    const bool is_t5 = text_equal(source->model, TEXT("t5"));
    const bool is_llama = text_equal(source->model, TEXT("llama"));
    source->add_space_prefix = is_llama || is_t5;
    source->add_bos = is_llama || tokenizer_adds_bos(source->pre);
    source->add_eos = is_t5;
    TRY(gguf_get_bool(gguf, "tokenizer.ggml.add_bos_token", &source->add_bos, err));
    TRY(gguf_get_bool(gguf, "tokenizer.ggml.add_eos_token", &source->add_eos, err));
    TRY(gguf_get_bool(gguf, "tokenizer.ggml.add_space_prefix", &source->add_space_prefix, err));
    /* Files of byte-level models may have the key; the reference implementation ignores it. */
    source->add_space_prefix =
        source->add_space_prefix && !text_equal(source->model, TEXT("gpt2"));
    return OK;
}

/* Whether most pieces of text have a score that is no whole number. */
static bool has_probabilities(const struct tokenizer_source *source)
{
    uint32_t plain = 0, broken = 0;
    for (uint32_t i = 0; i < source->piece_count && source->scores; i++) {
        const float score = source->scores[i];
        if (source->kinds && source->kinds[i] != TOKENIZER_NORMAL)
            continue;
        plain++;
        broken += isfinite(score) && score < truncf(score) ? 1 : 0;
    }
    return broken > plain / 2;
}

/* The model's own normal form. */
static enum status read_charsmap(const struct gguf *gguf, struct tokenizer_change *change,
                                 bool *has_map, struct error *err)
{
    static const char KEY[] = "tokenizer.ggml.precompiled_charsmap";
    const struct gguf_entry *entry = gguf_find(gguf, KEY);
    *has_map = entry && entry->count > 0;
    if (!entry)
        return OK;
    if (!entry->is_array || (entry->type != GGUF_U8 && entry->type != GGUF_I8))
        FAIL(err, ERR_FORMAT, "key %s: type %s%s, must be array of u8 or i8", KEY,
             entry->is_array ? "array of " : "", gguf_type_name(entry->type));
    *change = (struct tokenizer_change){.kind = TOKENIZER_CHARSMAP,
                                        .pattern = {(const char *)entry->data, entry->size},
                                        .content = TEXT("")};
    return OK;
}

static enum status read_unigram(struct gguf_vocab *vocab, const struct gguf *gguf,
                                struct error *err)
{
    struct tokenizer_source *source = &vocab->source;
    bool has_map, merges_spaces = false;
    source->model = TEXT("unigram");
    source->changes = vocab->changes;
    TRY(read_charsmap(gguf, &vocab->changes[0], &has_map, err));
    source->change_count = has_map ? 1 : 0;
    TRY(gguf_get_bool(gguf, "tokenizer.ggml.remove_extra_whitespaces", &merges_spaces, err));
    if (merges_spaces)
        vocab->changes[source->change_count++] = (struct tokenizer_change){
            .kind = TOKENIZER_MERGE_SPACES, .pattern = TEXT(""), .content = TEXT("")};
    for (uint32_t i = 0; i < source->piece_count && source->unknown == TOKEN_NONE; i++) {
        if (source->kinds && source->kinds[i] == TOKENIZER_UNKNOWN)
            source->unknown = (token_id)i;
    }
    return OK;
}

enum status gguf_vocab_read(struct gguf_vocab *vocab, const struct gguf *gguf,
                            struct error *err)
{
    const struct gguf_get_array want = {"tokenizer.ggml.tokens", GGUF_STRING,
                                        TOKENIZER_PIECES_MAX};
    const struct gguf_entry *pieces = NULL;
    struct tokenizer_source *source = &vocab->source;
    *vocab = (struct gguf_vocab){0};
    TRY(gguf_get_array(gguf, &want, &pieces, err));
    if (!pieces || pieces->count == 0)
        return OK;
    TRY(gguf_get_text(gguf, "tokenizer.ggml.model", &source->model, err));
    TRY(gguf_get_text(gguf, "tokenizer.ggml.pre", &source->pre, err));
    TRY(gguf_get_text(gguf, "tokenizer.chat_template", &source->chat_template, err));
    TRY(read_pieces(vocab, gguf, pieces, err));
    TRY(read_ids(gguf, source, err));
    const bool is_unigram =
        text_equal(source->model, TEXT("t5")) ||
        (text_equal(source->model, TEXT("llama")) && has_probabilities(source));
    return is_unigram ? read_unigram(vocab, gguf, err) : OK;
}

void gguf_vocab_deinit(struct gguf_vocab *vocab)
{
    free(vocab->pieces);
    free(vocab->merges);
    free(vocab->scores);
    free(vocab->kinds);
    *vocab = (struct gguf_vocab){0};
}
