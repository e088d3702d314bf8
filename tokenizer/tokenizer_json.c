/* tokenizer_json - see tokenizer_json.h. */
#include "tokenizer/tokenizer_json.h"

#include "tokenizer/json_part.h"
#include "tokenizer/tokenizer_json_output.h"
#include "tokenizer/tokenizer_json_steps.h"

#include <stdlib.h>
#include <string.h>

enum { ENDS_MAX = 64 };

/* What a tokenizer_source borrows, and the files it comes from. */
struct reader {
    struct json *root, *config, *generation;
    token_id ends[ENDS_MAX];
    struct tokenizer_source source;
    struct tokenizer_json_steps steps;
    double *log_probabilities;
    struct text *pieces, *merges;
    int32_t *kinds;
    uint8_t *flags;
    char *joined; /* merges that the file has as pairs */
    uint32_t room;
};

/* ---- vocabulary ---- */

static enum status alloc(struct reader *reader, size_t pieces, size_t merges, size_t bytes,
                         struct error *err)
{
    reader->pieces = calloc(pieces + 1, sizeof *reader->pieces);
    reader->kinds = calloc(pieces + 1, sizeof *reader->kinds);
    reader->flags = calloc(pieces + 1, sizeof *reader->flags);
    reader->merges = calloc(merges + 1, sizeof *reader->merges);
    reader->log_probabilities = calloc(pieces + 1, sizeof *reader->log_probabilities);
    reader->joined = malloc(bytes + 1);
    if (!reader->pieces || !reader->kinds || !reader->flags || !reader->merges ||
        !reader->joined || !reader->log_probabilities)
        FAIL(err, ERR_MEMORY, "tokenizer.json: no room for %zu pieces and %zu merges", pieces,
             merges);
    reader->source.pieces = reader->pieces;
    reader->source.kinds = reader->kinds;
    reader->source.flags = reader->flags;
    reader->source.merges = reader->merges;
    reader->room = (uint32_t)pieces;
    for (size_t i = 0; i < pieces; i++) {
        reader->pieces[i] = TEXT("");
        reader->kinds[i] = TOKENIZER_UNUSED;
    }
    return OK;
}

/* The id of a piece, below the room there is. */
static enum status read_id(const struct reader *reader, const struct json *value, uint32_t *id,
                           struct error *err)
{
    int64_t number;
    if (!json_i64(value, &number) || number < 0 || number >= reader->room)
        FAIL(err, ERR_FORMAT, "tokenizer.json: an id is no integer of 0 .. %u",
             reader->room - 1);
    *id = (uint32_t)number;
    return OK;
}

static void count_id(struct reader *reader, uint32_t id)
{
    if (id >= reader->source.piece_count)
        reader->source.piece_count = id + 1;
}

static bool is_byte_piece(struct text piece)
{
    static const char DIGITS[] = "0123456789ABCDEFabcdef";
    return piece.size == 6 && text_starts(piece, TEXT("<0x")) && piece.data[5] == '>' &&
           memchr(DIGITS, piece.data[3], sizeof DIGITS - 1) &&
           memchr(DIGITS, piece.data[4], sizeof DIGITS - 1);
}

static enum status read_pieces(struct reader *reader, const struct json *model,
                               struct error *err)
{
    const bool has_bytes = json_part_flag(model, "byte_fallback", false);
    for (const struct json *at = json_first(json_get(model, "vocab")); at; at = json_next(at)) {
        uint32_t id = 0;
        TRY(read_id(reader, at, &id, err));
        if (reader->kinds[id] != TOKENIZER_UNUSED)
            FAIL(err, ERR_FORMAT, "tokenizer.json: id %u stands twice in the vocabulary", id);
        reader->pieces[id] = json_key(at);
        reader->kinds[id] =
            has_bytes && is_byte_piece(json_key(at)) ? TOKENIZER_BYTE : TOKENIZER_NORMAL;
        count_id(reader, id);
    }
    return OK;
}

static enum status read_added(struct reader *reader, struct error *err)
{
    static const struct {
        const char *name;
        enum tokenizer_flag flag;
    } FLAGS[] = {{"lstrip", TOKENIZER_LSTRIP},
                 {"rstrip", TOKENIZER_RSTRIP},
                 {"single_word", TOKENIZER_SINGLE_WORD},
                 {"normalized", TOKENIZER_NORMALIZED}};
    const struct json *added = json_get(reader->root, "added_tokens");
    for (const struct json *at = json_first(added); at; at = json_next(at)) {
        uint32_t id = 0;
        TRY(read_id(reader, json_get(at, "id"), &id, err));
        if (!json_text(json_get(at, "content"), &reader->pieces[id]))
            FAIL(err, ERR_FORMAT, "tokenizer.json: added token %u has no content", id);
        if (reader->kinds[id] == TOKENIZER_NORMAL)
            reader->flags[id] = TOKENIZER_IN_MODEL;
        reader->kinds[id] =
            json_part_flag(at, "special", false) ? TOKENIZER_CONTROL : TOKENIZER_USER_DEFINED;
        for (size_t i = 0; i < sizeof FLAGS / sizeof FLAGS[0]; i++)
            if (json_part_flag(at, FLAGS[i].name, false))
                reader->flags[id] = (uint8_t)(reader->flags[id] | FLAGS[i].flag);
        if (reader->flags[id] & TOKENIZER_NORMALIZED)
            reader->steps.keeps_marks = true;
        count_id(reader, id);
    }
    return OK;
}

/* A merge written as a pair; the bytes that both take with a space between. */
static size_t pair_bytes(const struct json *merge, struct text *left, struct text *right)
{
    if (json_type(merge) != JSON_ARRAY || json_count(merge) != 2 ||
        !json_text(json_first(merge), left) || !json_text(json_next(json_first(merge)), right))
        return 0;
    return left->size + 1 + right->size;
}

static enum status read_merges(struct reader *reader, const struct json *merges,
                               struct error *err)
{
    char *end = reader->joined;
    uint32_t count = 0;
    for (const struct json *at = json_first(merges); at; at = json_next(at), count++) {
        struct text *merge = &reader->merges[count], left, right;
        if (json_text(at, merge))
            continue;
        const size_t size = pair_bytes(at, &left, &right);
        if (size == 0 || text_find(left, TEXT(" "), 0) != SIZE_MAX)
            FAIL(err, ERR_FORMAT, "tokenizer.json: merge %u is neither \"a b\" nor [a, b]",
                 count);
        *merge = (struct text){end, size};
        memcpy(end, left.data, left.size);
        end[left.size] = ' ';
        memcpy(end + left.size + 1, right.data, right.size);
        end += size;
    }
    reader->source.merge_count = count;
    return OK;
}

/* Unigram's: a list of [piece, log-probability], the id is the place. */
static enum status read_weighed(struct reader *reader, const struct json *model,
                                struct error *err)
{
    const bool has_bytes = json_part_flag(model, "byte_fallback", false);
    uint32_t id = 0;
    for (const struct json *at = json_first(json_get(model, "vocab")); at;
         at = json_next(at), id++) {
        if (json_type(at) != JSON_ARRAY || json_count(at) != 2 ||
            !json_text(json_first(at), &reader->pieces[id]) ||
            !json_double(json_next(json_first(at)), &reader->log_probabilities[id]))
            FAIL(err, ERR_FORMAT, "tokenizer.json: piece %u is not [text, number]", id);
        reader->kinds[id] =
            has_bytes && is_byte_piece(reader->pieces[id]) ? TOKENIZER_BYTE : TOKENIZER_NORMAL;
        count_id(reader, id);
    }
    int64_t unknown = TOKEN_NONE;
    (void)json_i64(json_get(model, "unk_id"), &unknown);
    if (unknown != TOKEN_NONE && (unknown < 0 || unknown >= (int64_t)id))
        FAIL(err, ERR_FORMAT, "tokenizer.json: unk_id %lld is no piece", (long long)unknown);
    reader->source.unknown = (token_id)unknown;
    if (unknown != TOKEN_NONE)
        reader->kinds[unknown] = TOKENIZER_UNKNOWN;
    reader->source.log_probabilities = reader->log_probabilities;
    return OK;
}

/* BPE's: an object from pieces to ids, and the merges. */
static enum status read_ranked(struct reader *reader, const struct json *model,
                               struct error *err)
{
    struct text unknown_piece = TEXT("");
    TRY(read_pieces(reader, model, err));
    TRY(read_merges(reader, json_get(model, "merges"), err));
    (void)json_text(json_get(model, "unk_token"), &unknown_piece);
    reader->source.unknown = tokenizer_json_output_find(&reader->source, unknown_piece);
    reader->source.ignore_merges =
        json_part_flag(model, "ignore_merges", false) ? TOKENIZER_YES : TOKENIZER_NO;
    reader->source.fuse_unknown = json_part_flag(model, "fuse_unk", false);
    return OK;
}

static enum status check_model(struct reader *reader, const struct json *model,
                               struct error *err)
{
    static const char *const AFFIXES[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    const enum json_type vocab = json_type(json_get(model, "vocab"));
    const enum json_type merges = json_type(json_get(model, "merges"));
    const bool is_bpe =
        json_part_is(model, "BPE") || (json_part_type(model).size == 0 && merges == JSON_ARRAY);
    reader->steps.is_unigram = json_part_is(model, "Unigram");
    if (!is_bpe && !reader->steps.is_unigram)
        return json_part_refuse("model", json_part_type(model), err);
    if (is_bpe && (vocab != JSON_OBJECT || merges != JSON_ARRAY))
        FAIL(err, ERR_FORMAT,
             "tokenizer.json: model.vocab is no object or model.merges no array");
    if (!is_bpe && vocab != JSON_ARRAY)
        FAIL(err, ERR_FORMAT, "tokenizer.json: model.vocab is no array");
    for (size_t i = 0; i < 2; i++) {
        const struct json *affix = json_get(model, AFFIXES[i]);
        if (json_type(affix) != JSON_NULL && !json_part_equal(affix, ""))
            return json_part_refuse("model with", text_of(AFFIXES[i]), err);
    }
    double dropout = 0.0;
    const struct json *value = json_get(model, "dropout");
    if (json_type(value) != JSON_NULL && (!json_double(value, &dropout) || dropout != 0.0))
        return json_part_refuse("model with", TEXT("dropout"), err);
    return OK;
}

static enum status read_model(struct reader *reader, uint32_t pieces_least, struct error *err)
{
    const struct json *model = json_get(reader->root, "model");
    const struct json *vocab = json_get(model, "vocab"), *merges = json_get(model, "merges");
    const struct json *added = json_get(reader->root, "added_tokens");
    size_t bytes = 0, room = json_count(vocab);
    struct text left, right;
    int64_t id;
    TRY(check_model(reader, model, err));
    for (const struct json *at = json_first(added); at; at = json_next(at)) {
        if (json_i64(json_get(at, "id"), &id) && id >= (int64_t)room &&
            id < TOKENIZER_PIECES_MAX)
            room = (size_t)id + 1;
    }
    for (const struct json *at = json_first(merges); at; at = json_next(at))
        bytes += pair_bytes(at, &left, &right);
    room = room > pieces_least ? room : pieces_least;
    if (room == 0 || room > TOKENIZER_PIECES_MAX || json_count(merges) > TOKENIZER_PIECES_MAX)
        FAIL(err, ERR_LIMIT, "tokenizer.json: %zu pieces and %zu merges, taken are 1 to %d",
             room, json_count(merges), TOKENIZER_PIECES_MAX);
    TRY(alloc(reader, room, json_count(merges), bytes, err));
    TRY(reader->steps.is_unigram ? read_weighed(reader, model, err)
                                 : read_ranked(reader, model, err));
    TRY(read_added(reader, err));
    count_id(reader, pieces_least > 0 ? pieces_least - 1 : 0);
    return OK;
}

/* ---- what other files say ---- */

/* A token that tokenizer_config.json names, as a string or as an object. */
static token_id named_token(const struct reader *reader, const char *name)
{
    struct text piece = TEXT("");
    const struct json *value = json_get(reader->config, name);
    if (!json_text(value, &piece))
        (void)json_text(json_get(value, "content"), &piece);
    return tokenizer_json_output_find(&reader->source, piece);
}

/* A config may have several templates by name; the one for conversations is "default". */
static struct text chat_template_of(const struct reader *reader)
{
    const struct json *value = json_get(reader->config, "chat_template");
    struct text source = TEXT("");
    for (const struct json *at = json_type(value) == JSON_ARRAY ? json_first(value) : NULL; at;
         at = json_next(at)) {
        if (json_part_equal(json_get(at, "name"), "default"))
            (void)json_text(json_get(at, "template"), &source);
    }
    (void)json_text(value, &source);
    return source;
}

/* eos_token_id: a number, or a list of them, or null. */
static enum status read_ends(struct reader *reader, struct error *err)
{
    const struct json *value = json_get(reader->generation, "eos_token_id");
    const bool is_list = json_type(value) == JSON_ARRAY;
    uint32_t *count = &reader->source.end_count;
    if (json_type(value) == JSON_NULL)
        return OK;
    if (is_list && json_count(value) > ENDS_MAX)
        FAIL(err, ERR_LIMIT, "config: eos_token_id has %zu tokens, the limit is %d",
             json_count(value), ENDS_MAX);
    const struct json *at = is_list ? json_first(value) : value;
    for (; at; at = is_list ? json_next(at) : NULL) {
        int64_t id;
        if (!json_i64(at, &id) || id < 0 || id >= TOKENIZER_PIECES_MAX)
            FAIL(err, ERR_FORMAT, "config: eos_token_id is no token of 0 .. %d",
                 TOKENIZER_PIECES_MAX - 1);
        reader->ends[(*count)++] = (token_id)id;
    }
    reader->source.ends = reader->ends;
    return OK;
}

static enum status read_all(struct reader *reader, const struct tokenizer_json_input *input,
                            struct error *err)
{
    struct tokenizer_source *source = &reader->source;
    reader->steps.source = source;
    TRY(json_parse(input->tokenizer, TOKENIZER_JSON_BYTES_MAX, &reader->root, err));
    if (input->config.size > 0)
        TRY(json_parse(input->config, TOKENIZER_JSON_BYTES_MAX, &reader->config, err));
    if (input->generation.size > 0)
        TRY(json_parse(input->generation, TOKENIZER_JSON_BYTES_MAX, &reader->generation, err));
    TRY(read_ends(reader, err));
    TRY(read_model(reader, input->pieces_least, err));
    TRY(tokenizer_json_steps_read(&reader->steps, reader->root, err));
    TRY(tokenizer_json_output_read(source, reader->root, err));
    source->bos = named_token(reader, "bos_token");
    source->eos = named_token(reader, "eos_token");
    source->eot = TOKEN_NONE;
    source->chat_template =
        input->chat_template.size > 0 ? input->chat_template : chat_template_of(reader);
    return OK;
}

enum status tokenizer_json_open(const struct tokenizer_json_input *input,
                                struct tokenizer **tokenizer, struct error *err)
{
    struct reader reader = {0};
    enum status status = read_all(&reader, input, err);
    if (status == OK)
        status = tokenizer_open(&reader.source, tokenizer, err);
    tokenizer_json_steps_deinit(&reader.steps);
    free(reader.pieces);
    free(reader.kinds);
    free(reader.flags);
    free(reader.merges);
    free(reader.log_probabilities);
    free(reader.joined);
    json_free(reader.root);
    json_free(reader.config);
    json_free(reader.generation);
    return status;
}
