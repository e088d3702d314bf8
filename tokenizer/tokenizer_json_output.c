/*
 * tokenizer_json_output - see tokenizer_json_output.h.
 *
 * Of a decoder only that is taken which makes of each token the bytes it stands for, whatever
 * stands beside it; what differs is the space at the beginning. A file without a decoder is
 * read as one with its model's own: what the reference implementation does then, a space
 * between any two tokens, is no text.
 */
#include "tokenizer/tokenizer_json_output.h"

#include "tokenizer/json_part.h"

enum { PARTS_MAX = 8 };

#define MARK "\xe2\x96\x81"

token_id tokenizer_json_output_find(const struct tokenizer_source *source, struct text piece)
{
    for (uint32_t i = 0; i < source->piece_count && piece.size > 0; i++) {
        if (source->kinds[i] != TOKENIZER_UNUSED && text_equal(source->pieces[i], piece))
            return (token_id)i;
    }
    return TOKEN_NONE;
}

/* ---- post_processor ---- */

static enum status add_bound(struct tokenizer_source *source, bool is_after, token_id id,
                             struct error *err)
{
    uint32_t *count = is_after ? &source->after_count : &source->before_count;
    if (id == TOKEN_NONE || *count == TOKENIZER_BOUNDS_MAX)
        FAIL(err, ERR_FORMAT,
             "tokenizer.json: post_processor: a token that is no piece, or more than %d",
             TOKENIZER_BOUNDS_MAX);
    (is_after ? source->after : source->before)[(*count)++] = id;
    return OK;
}

/* The tokens that a name of a template stands for: those of its special_tokens, or the piece
 * itself. */
static enum status add_named(struct tokenizer_source *source, const struct json *named,
                             struct text name, bool is_after, struct error *err)
{
    const struct json *at = json_first(named);
    while (at && !text_equal(json_key(at), name))
        at = json_next(at);
    if (!at)
        return add_bound(source, is_after, tokenizer_json_output_find(source, name), err);
    for (at = json_first(json_get(at, "ids")); at; at = json_next(at)) {
        int64_t id;
        const bool is_piece = json_i64(at, &id) && id >= 0 && id < source->piece_count;
        TRY(add_bound(source, is_after, is_piece ? (token_id)id : TOKEN_NONE, err));
    }
    return OK;
}

/* Tokens around the text, from a TemplateProcessing. */
static enum status read_template(struct tokenizer_source *source, const struct json *part,
                                 struct error *err)
{
    bool is_after = false;
    for (const struct json *at = json_first(json_get(part, "single")); at; at = json_next(at)) {
        struct text name;
        if (json_get(at, "Sequence")) {
            if (is_after || json_part_equal(json_get(json_get(at, "Sequence"), "id"), "B"))
                return json_part_refuse("post_processor with", TEXT("two texts"), err);
            is_after = true;
            continue;
        }
        if (!json_text(json_get(json_get(at, "SpecialToken"), "id"), &name))
            FAIL(err, ERR_FORMAT, "tokenizer.json: post_processor: an entry is no token");
        TRY(add_named(source, json_get(part, "special_tokens"), name, is_after, err));
    }
    return OK;
}

/* cls before the text and sep after it, each [piece, id]. */
static enum status read_pair(struct tokenizer_source *source, const struct json *part,
                             struct error *err)
{
    static const char *const NAMES[] = {"cls", "sep"};
    for (uint32_t i = 0; i < 2; i++) {
        struct text piece = TEXT("");
        (void)json_text(json_first(json_get(part, NAMES[i])), &piece);
        const token_id id = tokenizer_json_output_find(source, piece);
        if (id == TOKEN_NONE)
            FAIL(err, ERR_FORMAT, "tokenizer.json: post_processor: %s is no piece", NAMES[i]);
        TRY(add_bound(source, i == 1, id, err));
    }
    return OK;
}

static enum status read_post(struct tokenizer_source *source, const struct json *root,
                             struct error *err)
{
    const struct json *parts[PARTS_MAX];
    uint32_t count;
    source->has_bounds = true;
    if (!json_part_list(json_get(root, "post_processor"), "processors", parts, PARTS_MAX,
                        &count))
        return json_part_refuse("post_processor", TEXT("of more than 8 parts"), err);
    for (uint32_t i = 0; i < count; i++) {
        if (json_part_is(parts[i], "ByteLevel"))
            continue;
        if (source->before_count + source->after_count > 0)
            return json_part_refuse("post_processor of two that put tokens, the second",
                                    json_part_type(parts[i]), err);
        if (json_part_is(parts[i], "TemplateProcessing"))
            TRY(read_template(source, parts[i], err));
        else if (json_part_is(parts[i], "BertProcessing") ||
                 json_part_is(parts[i], "RobertaProcessing"))
            TRY(read_pair(source, parts[i], err));
        else
            return json_part_refuse("post_processor", json_part_type(parts[i]), err);
    }
    return OK;
}

/* ---- decoder ---- */

/* What the parts of a decoder come to. */
struct decoding {
    bool has_bytes;   /* ByteLevel */
    bool marks_space; /* U+2581 becomes a space */
    bool joins_bytes; /* ByteFallback */
    bool is_one;      /* Fuse: what follows sees the whole text */
    enum tokenizer_lead lead;
};

static bool is_mark_change(const struct json *part)
{
    return json_part_equal(json_get(json_get(part, "pattern"), "String"), MARK) &&
           json_part_equal(json_get(part, "content"), " ");
}

/* One space at the beginning of the whole text, which is what all files strip. */
static bool is_lead_strip(const struct json *part)
{
    int64_t start = -1, stop = -1;
    return json_part_equal(json_get(part, "content"), " ") &&
           json_i64(json_get(part, "start"), &start) && start == 1 &&
           json_i64(json_get(part, "stop"), &stop) && stop == 0;
}

/* False: not a part that we take, or not in this place. */
static bool read_decoding(struct decoding *decoding, const struct json *part)
{
    if (json_part_is(part, "Fuse"))
        return decoding->is_one = true;
    if (json_part_is(part, "Strip") && decoding->is_one && is_lead_strip(part) &&
        decoding->lead == TOKENIZER_LEAD_KEPT) {
        decoding->lead = TOKENIZER_LEAD_SPACE;
        return true;
    }
    if (decoding->is_one || decoding->has_bytes)
        return false;
    if (json_part_is(part, "ByteLevel"))
        return decoding->has_bytes = !decoding->marks_space && !decoding->joins_bytes;
    if (json_part_is(part, "ByteFallback"))
        return decoding->joins_bytes = true;
    if (json_part_is(part, "Replace") && is_mark_change(part))
        return decoding->marks_space = true;
    if (!json_part_is(part, "Metaspace") || decoding->marks_space ||
        !json_part_equal(json_get(part, "replacement"), MARK))
        return false;
    decoding->marks_space = true;
    if (!json_part_equal(json_get(part, "prepend_scheme"), "never") &&
        json_part_flag(part, "add_prefix_space", true))
        decoding->lead = TOKENIZER_LEAD_MARKS;
    return true;
}

/* Whether <0x0A> and its like stand for a byte in the model as in the decoder. */
static bool agrees_on_bytes(const struct tokenizer_source *source, bool joins_bytes)
{
    for (uint32_t i = 0; i < source->piece_count; i++) {
        const bool is_byte = source->kinds[i] == TOKENIZER_BYTE;
        const bool is_piece =
            source->pieces[i].size == 6 && text_starts(source->pieces[i], TEXT("<0x"));
        if (joins_bytes ? is_piece && !is_byte : is_byte)
            return false;
    }
    return true;
}

static enum status read_decoder(struct tokenizer_source *source, const struct json *root,
                                struct error *err)
{
    const struct json *parts[PARTS_MAX];
    struct decoding decoding = {.lead = TOKENIZER_LEAD_KEPT};
    const bool is_bytes = text_equal(source->model, TEXT("gpt2"));
    uint32_t count;
    if (!json_part_list(json_get(root, "decoder"), "decoders", parts, PARTS_MAX, &count))
        return json_part_refuse("decoder", TEXT("of more than 8 parts"), err);
    if (count == 0)
        return OK;
    for (uint32_t i = 0; i < count; i++) {
        if (!read_decoding(&decoding, parts[i]))
            return json_part_refuse("decoder", json_part_type(parts[i]), err);
    }
    if (decoding.has_bytes != is_bytes || decoding.marks_space == is_bytes)
        return json_part_refuse("decoder that does not fit the pre_tokenizer,",
                                json_part_type(json_get(root, "decoder")), err);
    if (!agrees_on_bytes(source, decoding.joins_bytes))
        return json_part_refuse("decoder that does not fit byte_fallback,",
                                json_part_type(json_get(root, "decoder")), err);
    source->decode_lead = decoding.lead;
    return OK;
}

enum status tokenizer_json_output_read(struct tokenizer_source *source, const struct json *root,
                                       struct error *err)
{
    TRY(read_post(source, root, err));
    return read_decoder(source, root, err);
}
