/* tokenizer - see tokenizer.h. */
#include "tokenizer/tokenizer.h"

#include "base/checked.h"
#include "base/clock.h"
#include "tokenizer/bpe_words.h"
#include "tokenizer/chat_template.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/pretokenize.h"
#include "tokenizer/special.h"
#include "tokenizer/spm.h"
#include "tokenizer/tool_format.h"
#include "tokenizer/trust_map.h"
#include "tokenizer/unigram.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum model {
    MODEL_BYTES,   /* merges by rank over bytes */
    MODEL_WORDS,   /* over characters */
    MODEL_SPM,     /* merges by score */
    MODEL_UNIGRAM, /* no merges */
};

struct tokenizer {
    struct arena arena;
    struct vocab vocab;
    struct special special;
    struct special special_changed; /* of pieces that are found in changed text */
    struct text *changed;           /* [piece_count] how they are spelled there; NULL: none */
    enum model model;
    struct bpe bpe;
    struct spm spm;
    struct unigram unigram;
    struct normalizer normalizer;
    struct pretokenize pretokenize;
    uint8_t *is_end;            /* [piece_count] */
    struct chat_template *chat; /* NULL: none, or chat_error says what is wrong with it */
    struct error chat_error;
    enum tokenizer_tools tools;
    token_id bos, eos;
    bool add_space_prefix, prefix_first_only, prefix_unless_space, prefix_pieces;
    token_id before[TOKENIZER_BOUNDS_MAX], after[TOKENIZER_BOUNDS_MAX];
    uint32_t before_count, after_count;
    enum tokenizer_lead decode_lead;
};

/* One call of encode. */
struct encoding {
    const struct tokenizer *tokenizer;
    struct token_list *list;
    struct word_cache_slot *cache; /* NULL: none */
    struct bpe_words_scratch bpe;
    struct spm_scratch spm;
    struct unigram_scratch unigram;
    struct normalizer_scratch changed;
    struct trust_map trust;
    struct text_buf prefixed;
};

/* How models of our families spell the end of a turn; files name at most two as eos and eot. */
static const char *const END_PIECES[] = {
    "</s>",
    "<|im_end|>",
    "<|endoftext|>",
    "<|end|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<end_of_turn>",
    "<|end_of_turn|>",
    "<|end_of_role|>",
    "<｜end▁of▁sentence｜>",
};

/* One piece of the splitter; space_before: as if a space stood before it. */
static bool encode_piece(struct encoding *encoding, struct text text, bool space_before)
{
    const struct tokenizer *tokenizer = encoding->tokenizer;
    const size_t first = encoding->list->count;
    switch (tokenizer->model) {
    case MODEL_BYTES:
        if (word_cache_take(encoding->cache, text, encoding->list))
            return true;
        if (!bpe_encode(&tokenizer->bpe, text, &encoding->bpe.bpe, encoding->list))
            return false;
        word_cache_put(encoding->cache, text, encoding->list, first);
        return true;
    case MODEL_WORDS:
        return bpe_words_encode(&tokenizer->bpe, text, space_before, &encoding->bpe,
                                encoding->list);
    case MODEL_SPM:
        return spm_encode(&tokenizer->spm, text, space_before, &encoding->spm, encoding->list);
    case MODEL_UNIGRAM:
        return unigram_encode(&tokenizer->unigram, text, space_before, &encoding->unigram,
                              encoding->list);
    }
    return false;
}

/* Whether a space is put before a text, or a piece, which is the first of all. */
static bool puts_space(const struct tokenizer *tokenizer, struct text text, bool is_first)
{
    const bool has_space =
        text_starts(text, TEXT(" ")) ||
        (tokenizer->model != MODEL_BYTES && text_starts(text, TEXT("\xe2\x96\x81")));
    return tokenizer->add_space_prefix && (is_first || !tokenizer->prefix_first_only) &&
           !(tokenizer->prefix_unless_space && has_space);
}

/* Changed text without special pieces; is_first: it is the beginning of the whole text. */
static bool encode_plain(struct encoding *encoding, struct text text, bool is_first)
{
    const struct tokenizer *tokenizer = encoding->tokenizer;
    if (text.size == 0)
        return true;
    bool space = puts_space(tokenizer, text, is_first);
    if (space && tokenizer->model == MODEL_BYTES) {
        text_buf_clear(&encoding->prefixed);
        text_buf_byte(&encoding->prefixed, ' ');
        text_buf_add(&encoding->prefixed, text);
        text = text_buf_text(&encoding->prefixed);
        if (encoding->prefixed.failed)
            return false;
    }
    if (tokenizer->pretokenize.step_count == 0)
        return encode_piece(encoding, text, space);
    struct pretokenize_cursor cursor;
    struct text piece;
    const char *const begin = text.data;
    pretokenize_begin(&cursor, &tokenizer->pretokenize, text);
    while (pretokenize_next(&cursor, &piece)) {
        if (tokenizer->prefix_pieces)
            space = puts_space(tokenizer, piece, is_first && piece.data == begin);
        if (!encode_piece(encoding, piece, space))
            return false;
        space = false;
    }
    return true;
}

/* Leaves out the ranges that end at or before at. */
static void pass(struct special_trust *trust, size_t at)
{
    while (trust->range_count > 0 && trust->ranges->end <= at) {
        trust->ranges++;
        trust->range_count--;
    }
}

/* Text in which the special pieces that are found in text as it is were found; it begins at
 * begin of the whole. */
static bool encode_stretch(struct encoding *encoding, struct text text,
                           struct special_trust trust, size_t begin)
{
    const struct tokenizer *tokenizer = encoding->tokenizer;
    struct trust_stretch stretch = {text, text, begin};
    struct special_match match;
    size_t at = 0;
    if (text.size == 0)
        return true;
    if (!normalizer_apply(&tokenizer->normalizer, &encoding->changed, &stretch.changed))
        return false;
    const struct text changed = stretch.changed;
    if (!tokenizer->changed)
        return encode_plain(encoding, changed, begin == 0);
    if (!trust_map_make(&encoding->trust, &tokenizer->normalizer, stretch, trust))
        return false;
    trust = (struct special_trust){encoding->trust.ranges, encoding->trust.count};
    while (special_find(&tokenizer->special_changed, changed, at, &trust, &match)) {
        if (!encode_plain(encoding, text_slice(changed, at, match.begin), begin + at == 0) ||
            !token_list_add(encoding->list, match.token))
            return false;
        at = match.end;
        pass(&trust, at);
    }
    return encode_plain(encoding, text_slice(changed, at, changed.size), begin + at == 0);
}

/* Text between special pieces, and those pieces. */
static bool encode_parts(struct encoding *encoding, struct text text,
                         struct special_trust trust)
{
    struct special_match match;
    size_t at = 0;
    while (special_find(&encoding->tokenizer->special, text, at, &trust, &match)) {
        if (!encode_stretch(encoding, text_slice(text, at, match.begin), trust, at) ||
            !token_list_add(encoding->list, match.token))
            return false;
        at = match.end;
        pass(&trust, at);
    }
    return encode_stretch(encoding, text_slice(text, at, text.size), trust, at);
}

/* Encodes text, whose control spellings count where it is trusted; all or nothing. */
static enum status encode_trusted(const struct tokenizer *tokenizer, struct text text,
                                  struct special_trust trust, struct token_list *list)
{
    struct encoding encoding = {.tokenizer = tokenizer, .list = list};
    const size_t count = list->count;
    if (text.size >= WORD_CACHE_TEXT_MIN)
        encoding.cache = encoding.bpe.cache = encoding.spm.cache = word_cache_open();
    const bool done = encode_parts(&encoding, text, trust);
    word_cache_close(encoding.cache);
    bpe_words_scratch_deinit(&encoding.bpe);
    spm_scratch_deinit(&encoding.spm);
    unigram_scratch_deinit(&encoding.unigram);
    normalizer_scratch_deinit(&encoding.changed);
    trust_map_deinit(&encoding.trust);
    text_buf_deinit(&encoding.prefixed);
    if (!done)
        list->count = count;
    return done ? OK : ERR_MEMORY;
}

static bool is_known(const struct tokenizer *tokenizer, token_id token)
{
    return token >= 0 && (uint32_t)token < tokenizer->vocab.count;
}

static void mark_end(struct tokenizer *tokenizer, token_id token)
{
    if (is_known(tokenizer, token))
        tokenizer->is_end[token] = 1;
}

static enum status find_ends(struct tokenizer *tokenizer, const struct tokenizer_source *source,
                             struct error *err)
{
    tokenizer->is_end = ARENA_NEW(&tokenizer->arena, uint8_t, tokenizer->vocab.count);
    if (!tokenizer->is_end)
        FAIL(err, ERR_MEMORY, "tokenizer: no room for %u marks", tokenizer->vocab.count);
    mark_end(tokenizer, source->eos);
    mark_end(tokenizer, source->eot);
    for (uint32_t i = 0; i < source->end_count; i++)
        mark_end(tokenizer, source->ends[i]);
    for (size_t i = 0; i < sizeof END_PIECES / sizeof END_PIECES[0]; i++) {
        const token_id id = tokenizer_find(tokenizer, text_of(END_PIECES[i]));
        if (id != TOKEN_NONE && tokenizer->vocab.kinds[id] != TOKENIZER_NORMAL)
            mark_end(tokenizer, id);
    }
    return OK;
}

/* Bytes of address space that the tables of source can need at most; pages that are not touched
 * cost nothing. False: more than a machine has. */
static bool arena_bytes(const struct tokenizer_source *source, size_t *size)
{
    enum { SPARE = 16 << 20, PER_BYTE = 160, PER_PIECE = 256, PER_MERGE = 64 };
    size_t piece_bytes = 0, part;
    for (uint32_t i = 0; i < source->piece_count; i++) {
        if (!checked_add_size(piece_bytes, source->pieces[i].size, &piece_bytes))
            return false;
    }
    *size = SPARE;
    return checked_mul_size(piece_bytes, PER_BYTE, &part) &&
           checked_add_size(*size, part, size) &&
           checked_mul_size(source->piece_count, PER_PIECE, &part) &&
           checked_add_size(*size, part, size) &&
           checked_mul_size(source->merge_count, PER_MERGE, &part) &&
           checked_add_size(*size, part, size);
}

/* The steps of the splitter that the source has, or names, as byte-level models need one: then
 * *named is not NULL. */
static enum status open_splitter(struct tokenizer *tokenizer,
                                 const struct tokenizer_source *source,
                                 const struct splitter **named, struct error *err)
{
    const bool needs_name = tokenizer->model == MODEL_BYTES && !source->splits;
    *named = needs_name ? splitter_find(source->pre) : NULL;
    if (needs_name && !*named)
        FAIL(err, ERR_LIMIT, "tokenizer: splitter %.*s is not known; known are %s",
             TEXT_ARG(source->pre), splitter_names());
    return pretokenize_init(&tokenizer->pretokenize, *named ? (*named)->steps : source->splits,
                            *named ? (*named)->step_count : source->split_count,
                            &tokenizer->arena, err);
}

static bool is_chosen(enum tokenizer_choice choice, bool splitter)
{
    return choice == TOKENIZER_AS_SPLITTER ? splitter : choice == TOKENIZER_YES;
}

static enum status find_model(struct text name, enum model *model, struct error *err)
{
    static const struct {
        const char *name;
        enum model model;
    } MODELS[] = {{"gpt2", MODEL_BYTES},
                  {"bpe", MODEL_WORDS},
                  {"llama", MODEL_SPM},
                  {"unigram", MODEL_UNIGRAM}};
    for (size_t i = 0; i < sizeof MODELS / sizeof MODELS[0]; i++) {
        *model = MODELS[i].model;
        if (text_equal(name, text_of(MODELS[i].name)))
            return OK;
    }
    FAIL(err, ERR_LIMIT,
         "tokenizer: model %.*s is not known; known are gpt2, llama, bpe, unigram",
         TEXT_ARG(name));
}

/* Special pieces that are found in changed text, changed as the text is. */
static enum status open_changed(struct tokenizer *tokenizer, struct error *err)
{
    const struct vocab *vocab = &tokenizer->vocab;
    struct arena *arena = &tokenizer->arena;
    struct normalizer_scratch scratch = {0};
    enum status status = OK;
    for (uint32_t i = 0; i < vocab->count && status == OK; i++) {
        struct text piece = vocab->pieces[i];
        const bool is_special =
            vocab->kinds[i] == TOKENIZER_CONTROL || vocab->kinds[i] == TOKENIZER_USER_DEFINED;
        if (!is_special || !(vocab->flags[i] & TOKENIZER_NORMALIZED))
            continue;
        if (!tokenizer->changed)
            tokenizer->changed = ARENA_NEW(arena, struct text, vocab->count);
        const bool has_room = tokenizer->changed &&
                              normalizer_apply(&tokenizer->normalizer, &scratch, &piece) &&
                              (tokenizer->changed[i] = text_copy(piece, arena)).data;
        if (!has_room)
            status = error_set(err, ERR_MEMORY, __FILE__, __LINE__,
                               "tokenizer: no room for changed piece %u", i);
    }
    normalizer_scratch_deinit(&scratch);
    return status == OK && tokenizer->changed ? special_init(&tokenizer->special_changed, vocab,
                                                             tokenizer->changed, arena, err)
                                              : status;
}

static enum status open_model(struct tokenizer *tokenizer,
                              const struct tokenizer_source *source, struct error *err)
{
    static const struct tokenizer_change COMPOSE = {.kind = TOKENIZER_NFC, .content = {"", 0}};
    const struct splitter *named;
    TRY(find_model(source->model, &tokenizer->model, err));
    TRY(open_splitter(tokenizer, source, &named, err));
    const bool composes = is_chosen(source->compose, named && named->compose);
    TRY(normalizer_init(&tokenizer->normalizer, composes ? &COMPOSE : source->changes,
                        composes ? 1 : source->change_count, &tokenizer->arena, err));
    TRY(vocab_init(&tokenizer->vocab, source, &tokenizer->arena, err));
    TRY(special_init(&tokenizer->special, &tokenizer->vocab, NULL, &tokenizer->arena, err));
    TRY(open_changed(tokenizer, err));
    TRY(find_ends(tokenizer, source, err));
    if (tokenizer->model == MODEL_UNIGRAM)
        return unigram_init(&tokenizer->unigram, &tokenizer->vocab, source, &tokenizer->arena,
                            err);
    if (tokenizer->model == MODEL_SPM)
        return spm_init(&tokenizer->spm, &tokenizer->vocab, source->unknown, err);
    TRY(bpe_init(&tokenizer->bpe, &tokenizer->vocab, source, &tokenizer->arena, err));
    if (is_chosen(source->ignore_merges, named && named->ignore_merges))
        bpe_ignore_merges(&tokenizer->bpe);
    return OK;
}

/* What TOKENIZER_BOUNDS adds. */
static void set_bounds(struct tokenizer *tokenizer, const struct tokenizer_source *source)
{
    if (source->has_bounds) {
        memcpy(tokenizer->before, source->before, sizeof tokenizer->before);
        memcpy(tokenizer->after, source->after, sizeof tokenizer->after);
        tokenizer->before_count = source->before_count;
        tokenizer->after_count = source->after_count;
        return;
    }
    if (source->add_bos && source->bos != TOKEN_NONE)
        tokenizer->before[tokenizer->before_count++] = source->bos;
    if (source->add_eos && source->eos != TOKEN_NONE)
        tokenizer->after[tokenizer->after_count++] = source->eos;
}

/* A template past our interpreter is no reason not to open the model: it is kept as an error
 * for who wants to chat. */
static void open_chat(struct tokenizer *tokenizer, struct text source)
{
    if (source.size == 0)
        (void)error_set(&tokenizer->chat_error, ERR_LIMIT, __FILE__, __LINE__,
                        "chat template: the model has none");
    else if (chat_template_open(source, &tokenizer->chat, &tokenizer->chat_error) != OK)
        tokenizer->chat = NULL;
    else
        tokenizer->tools = tool_format_of(tokenizer->chat);
}

static bool add_all(struct token_list *list, const token_id *ids, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!token_list_add(list, ids[i]))
            return false;
    }
    return true;
}

enum status tokenizer_open(const struct tokenizer_source *source, struct tokenizer **tokenizer,
                           struct error *err)
{
    size_t size;
    if (!arena_bytes(source, &size))
        FAIL(err, ERR_LIMIT, "tokenizer: %u pieces are too large together",
             source->piece_count);
    struct tokenizer *made = calloc(1, sizeof *made);
    if (!made)
        FAIL(err, ERR_MEMORY, "tokenizer: no room");
    made->bos = source->bos;
    made->eos = source->eos;
    made->add_space_prefix = source->add_space_prefix;
    made->prefix_first_only = source->prefix_first_only;
    made->prefix_unless_space = source->prefix_unless_space;
    made->prefix_pieces = source->prefix_pieces;
    made->decode_lead = source->decode_lead;
    if (source->decode_lead == TOKENIZER_LEAD_AS_PREFIX &&
        (!source->add_space_prefix || text_equal(source->model, TEXT("gpt2"))))
        made->decode_lead = TOKENIZER_LEAD_KEPT;
    set_bounds(made, source);
    enum status status = arena_init(&made->arena, size, err);
    if (status == OK) {
        /* The tables are looked up at random: without large pages each look-up also misses the
         * page tables. A hint: refusal changes nothing. */
        (void)madvise(made->arena.base, made->arena.size, MADV_HUGEPAGE);
        status = open_model(made, source, err);
    }
    if (status != OK) {
        tokenizer_close(made);
        return status;
    }
    open_chat(made, source->chat_template);
    *tokenizer = made;
    return OK;
}

void tokenizer_close(struct tokenizer *tokenizer)
{
    if (!tokenizer)
        return;
    chat_template_close(tokenizer->chat);
    arena_deinit(&tokenizer->arena);
    free(tokenizer);
}

bool tokenizer_adds_bos(struct text pre)
{
    return splitter_adds_bos(pre);
}

uint32_t tokenizer_vocab_size(const struct tokenizer *tokenizer)
{
    return tokenizer->vocab.count;
}

token_id tokenizer_bos(const struct tokenizer *tokenizer)
{
    return tokenizer->bos;
}

bool tokenizer_is_end(const struct tokenizer *tokenizer, token_id token)
{
    return is_known(tokenizer, token) && tokenizer->is_end[token];
}

bool tokenizer_is_control(const struct tokenizer *tokenizer, token_id token)
{
    return is_known(tokenizer, token) && tokenizer->vocab.kinds[token] == TOKENIZER_CONTROL;
}

token_id tokenizer_find(const struct tokenizer *tokenizer, struct text piece)
{
    return vocab_find(&tokenizer->vocab.spelled, piece);
}

struct text tokenizer_bytes(const struct tokenizer *tokenizer, token_id token)
{
    return is_known(tokenizer, token) ? tokenizer->vocab.bytes[token] : (struct text){"", 0};
}

enum status tokenizer_encode(const struct tokenizer *tokenizer, struct text text,
                             uint32_t flags, struct token_list *list, struct error *err)
{
    if (text.size > TOKENIZER_TEXT_MAX)
        FAIL(err, ERR_LIMIT, "text to tokenize: %zu bytes, the limit is %d", text.size,
             TOKENIZER_TEXT_MAX);
    const bool bounds = flags & TOKENIZER_BOUNDS;
    const size_t count = list->count;
    const struct special_range all = {0, text.size};
    const struct special_trust trust = {&all, flags & TOKENIZER_SPECIAL ? 1 : 0};
    bool done = !bounds || add_all(list, tokenizer->before, tokenizer->before_count);
    done = done && encode_trusted(tokenizer, text, trust, list) == OK;
    done = done && (!bounds || add_all(list, tokenizer->after, tokenizer->after_count));
    if (done)
        return OK;
    list->count = count;
    FAIL(err, ERR_MEMORY, "text to tokenize: no room for the tokens of %zu bytes", text.size);
}

static const struct text MARK = {"\xe2\x96\x81", 3};

/* Appends text with mark instead of each U+2581. */
static void add_marked(struct text text, struct text mark, struct text_buf *out)
{
    for (size_t at = 0; at < text.size;) {
        size_t end = text_find(text, MARK, at);
        const bool is_last = end == SIZE_MAX;
        end = is_last ? text.size : end;
        text_buf_add(out, text_slice(text, at, end));
        if (!is_last)
            text_buf_add(out, mark);
        at = end + MARK.size;
    }
}

/* What a token is in text; *is_spelled: as a piece, with U+2581 for a space. */
static struct text token_text(const struct tokenizer *tokenizer, token_id id,
                              bool spell_control, bool *is_spelled)
{
    const struct vocab *vocab = &tokenizer->vocab;
    const bool is_control = tokenizer_is_control(tokenizer, id);
    const bool is_changed = is_known(tokenizer, id) && tokenizer->changed &&
                            tokenizer->changed[id].size > 0 && (!is_control || spell_control);
    *is_spelled = (is_changed || (is_control && spell_control)) && !vocab->byte_level;
    if (is_changed)
        return tokenizer->changed[id];
    return is_control && spell_control ? vocab->pieces[id] : tokenizer_bytes(tokenizer, id);
}

void tokenizer_decode(const struct tokenizer *tokenizer, const token_id *ids, size_t count,
                      bool spell_control, struct text_buf *out)
{
    enum tokenizer_lead lead = tokenizer->decode_lead;
    for (size_t i = 0; i < count; i++) {
        bool is_spelled;
        struct text text = token_text(tokenizer, ids[i], spell_control, &is_spelled);
        if (text.size == 0)
            continue;
        if (lead == TOKENIZER_LEAD_MARKS) {
            const bool is_byte = tokenizer->vocab.kinds[ids[i]] == TOKENIZER_BYTE;
            add_marked(is_byte || is_spelled ? text : tokenizer->vocab.pieces[ids[i]], TEXT(""),
                       out);
            lead = TOKENIZER_LEAD_KEPT;
            continue;
        }
        const bool is_lead =
            lead == TOKENIZER_LEAD_SPACE ||
            (lead == TOKENIZER_LEAD_AS_PREFIX && !tokenizer_is_control(tokenizer, ids[i]));
        if (is_lead) {
            const size_t mark = is_spelled && text_starts(text, MARK) ? MARK.size : 0;
            text = text_slice(text, mark > 0 ? mark : text.data[0] == ' ', text.size);
            lead = TOKENIZER_LEAD_KEPT;
        }
        if (is_spelled)
            add_marked(text, TEXT(" "), out);
        else
            text_buf_add(out, text);
    }
}

static struct text spelling(const struct tokenizer *tokenizer, token_id token)
{
    return is_known(tokenizer, token) ? tokenizer->vocab.pieces[token] : TEXT("");
}

enum status tokenizer_encode_conversation(const struct tokenizer *tokenizer,
                                          const struct tokenizer_conversation *conversation,
                                          struct token_list *list, struct error *err)
{
    const struct chat_template_input input = {.conversation = *conversation,
                                              .bos = spelling(tokenizer, tokenizer->bos),
                                              .eos = spelling(tokenizer, tokenizer->eos),
                                              .now_s = clock_unix_s()};
    struct chat_template_text text;
    if (!tokenizer->chat)
        FAIL(err, ERR_LIMIT, "%s", tokenizer->chat_error.text);
    enum status status = chat_template_render(tokenizer->chat, &input, &text, err);
    if (status == OK) {
        status = encode_trusted(tokenizer, text.text, text.trusted, list);
        if (status != OK)
            (void)error_set(err, status, __FILE__, __LINE__,
                            "conversation: no room for the tokens of %zu bytes",
                            text.text.size);
    }
    chat_template_text_deinit(&text);
    return status;
}

enum tokenizer_tools tokenizer_tools(const struct tokenizer *tokenizer)
{
    return tokenizer->tools;
}

bool tokenizer_has_chat(const struct tokenizer *tokenizer)
{
    return tokenizer->chat != NULL;
}
