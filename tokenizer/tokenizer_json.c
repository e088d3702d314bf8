/* tokenizer_json - see tokenizer_json.h. */
#include "tokenizer/tokenizer_json.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

/* What a tokenizer_source borrows, and the files it comes from. */
struct reader {
    struct json *root, *config;
    struct tokenizer_source source;
    struct text *pieces, *merges;
    int32_t *kinds;
    uint8_t *flags;
    char *joined; /* merges that the file has as pairs */
    uint32_t room;
};

#define LETTER_RUN  "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|"
#define SHORT_FORMS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define TAIL        " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define CASE_TAIL   " ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define LEAD        "[^\\r\\n\\p{L}\\p{N}]?"
#define CAPITALS    "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define SMALLS      "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define GPT2        " ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+"

/* Expressions by the splitter that does the same; ages of one family spell it differently. */
static const struct {
    const char *regex, *splitter;
} SPLITTERS[] = {
    {SHORT_FORMS "|" LETTER_RUN "\\p{N}{1,3}|" TAIL, "llama-bpe"},
    {"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|" LETTER_RUN
     "\\p{N}{1,3}|" TAIL,
     "llama-bpe"},
    {SHORT_FORMS "|" LETTER_RUN "\\p{N}|" TAIL, "qwen2"},
    {LEAD CAPITALS "*" SMALLS "+|" LEAD CAPITALS "+" SMALLS "*|\\p{N}|" CASE_TAIL, "tekken"},
    {LEAD CAPITALS "*" SMALLS "+" SHORT_FORMS "?|" LEAD CAPITALS "+" SMALLS "*" SHORT_FORMS
                   "?|\\p{N}{1,3}|" CASE_TAIL,
     "gpt-4o"},
    {"'s|'t|'re|'ve|'m|'ll|'d|" GPT2, "gpt-2"},
    {"'(?:[sdmt]|ll|ve|re)|" GPT2, "gpt-2"},
};

static struct text type_of(const struct json *part)
{
    struct text type = TEXT("");
    (void)json_text(json_get(part, "type"), &type);
    return type;
}

static bool is_type(const struct json *part, const char *type)
{
    return text_equal(type_of(part), text_of(type));
}

static bool is_true(const struct json *object, const char *name)
{
    bool value = false;
    (void)json_bool(json_get(object, name), &value);
    return value;
}

static bool is_text(const struct json *value, const char *want)
{
    struct text text;
    return json_text(value, &text) && text_equal(text, text_of(want));
}

static enum status unknown(const char *what, struct text name, struct error *err)
{
    char shown[64];
    size_t size = 0;
    for (; size < name.size && size + 1 < sizeof shown; size++)
        shown[size] = name.data[size] > ' ' && name.data[size] < 0x7f ? name.data[size] : '?';
    shown[size] = '\0';
    FAIL(err, ERR_LIMIT, "tokenizer.json: %s %s is not supported", what, shown);
}

/* ---- vocabulary ---- */

static enum status alloc(struct reader *reader, size_t pieces, size_t merges, size_t bytes,
                         struct error *err)
{
    reader->pieces = calloc(pieces + 1, sizeof *reader->pieces);
    reader->kinds = calloc(pieces + 1, sizeof *reader->kinds);
    reader->flags = calloc(pieces + 1, sizeof *reader->flags);
    reader->merges = calloc(merges + 1, sizeof *reader->merges);
    reader->joined = malloc(bytes + 1);
    if (!reader->pieces || !reader->kinds || !reader->flags || !reader->merges ||
        !reader->joined)
        FAIL(err, ERR_MEMORY, "tokenizer.json: no room for %zu pieces and %zu merges", pieces,
             merges);
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
    const bool has_bytes = is_true(model, "byte_fallback");
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
        reader->kinds[id] = is_true(at, "special") ? TOKENIZER_CONTROL : TOKENIZER_USER_DEFINED;
        for (size_t i = 0; i < sizeof FLAGS / sizeof FLAGS[0]; i++)
            if (is_true(at, FLAGS[i].name))
                reader->flags[id] = (uint8_t)(reader->flags[id] | FLAGS[i].flag);
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

static enum status read_model(struct reader *reader, uint32_t pieces_least, struct error *err)
{
    const struct json *model = json_get(reader->root, "model");
    const struct json *vocab = json_get(model, "vocab"), *merges = json_get(model, "merges");
    const struct json *added = json_get(reader->root, "added_tokens");
    size_t bytes = 0, room = json_count(vocab);
    struct text left, right;
    int64_t id;
    if (!is_type(model, "BPE") &&
        !(type_of(model).size == 0 && json_type(merges) == JSON_ARRAY))
        return unknown("model", type_of(model), err);
    if (json_type(vocab) != JSON_OBJECT || json_type(merges) != JSON_ARRAY)
        FAIL(err, ERR_FORMAT,
             "tokenizer.json: model.vocab is no object or model.merges no array");
    static const char *const AFFIXES[] = {"continuing_subword_prefix", "end_of_word_suffix"};
    for (size_t i = 0; i < 2; i++) {
        const struct json *affix = json_get(model, AFFIXES[i]);
        if (json_type(affix) != JSON_NULL && !is_text(affix, ""))
            return unknown("model with", text_of(AFFIXES[i]), err);
    }
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
    TRY(read_pieces(reader, model, err));
    TRY(read_added(reader, err));
    TRY(read_merges(reader, merges, err));
    count_id(reader, pieces_least > 0 ? pieces_least - 1 : 0);
    reader->source.ignore_merges =
        is_true(model, "ignore_merges") ? TOKENIZER_YES : TOKENIZER_NO;
    reader->source.fuse_unknown = is_true(model, "fuse_unk");
    return OK;
}

/* ---- the steps before the model ---- */

/* The parts of a Sequence, or the part alone; *count of them, at most max. */
static bool parts_of(const struct json *part, const char *list, const struct json **parts,
                     uint32_t max, uint32_t *count)
{
    *count = 0;
    if (json_type(part) == JSON_NULL)
        return true;
    if (!is_type(part, "Sequence")) {
        parts[(*count)++] = part;
        return true;
    }
    for (const struct json *at = json_first(json_get(part, list)); at; at = json_next(at)) {
        if (*count == max)
            return false;
        parts[(*count)++] = at;
    }
    return true;
}

enum { PARTS_MAX = 8 };

static enum status read_normalizer(struct reader *reader, bool *marks_space, struct error *err)
{
    const struct json *parts[PARTS_MAX];
    uint32_t count;
    reader->source.compose = TOKENIZER_NO;
    if (!parts_of(json_get(reader->root, "normalizer"), "normalizers", parts, PARTS_MAX,
                  &count))
        return unknown("normalizer", TEXT("of more than 8 parts"), err);
    for (uint32_t i = 0; i < count; i++) {
        const bool is_replace =
            is_type(parts[i], "Replace") &&
            is_text(json_get(json_get(parts[i], "pattern"), "String"), " ") &&
            is_text(json_get(parts[i], "content"), "\xe2\x96\x81");
        const bool is_prepend = is_type(parts[i], "Prepend") &&
                                is_text(json_get(parts[i], "prepend"), "\xe2\x96\x81");
        if (is_type(parts[i], "NFC"))
            reader->source.compose = TOKENIZER_YES;
        else if (is_replace)
            *marks_space = true;
        else if (is_prepend)
            reader->source.add_space_prefix = true;
        else
            return unknown("normalizer", type_of(parts[i]), err);
    }
    return OK;
}

static enum status read_metaspace(struct reader *reader, const struct json *part,
                                  struct error *err)
{
    struct text scheme = TEXT("always");
    bool is_prefixed = true;
    (void)json_bool(json_get(part, "add_prefix_space"), &is_prefixed);
    (void)json_text(json_get(part, "prepend_scheme"), &scheme);
    if (!is_text(json_get(part, "replacement"), "\xe2\x96\x81"))
        return unknown("pre_tokenizer", TEXT("Metaspace of another sign"), err);
    if (text_equal(scheme, TEXT("never")))
        is_prefixed = false;
    else if (!text_equal(scheme, TEXT("first")) && !text_equal(scheme, TEXT("always")))
        return unknown("prepend_scheme", scheme, err);
    reader->source.add_space_prefix = is_prefixed;
    reader->source.prefix_unless_space = true;
    reader->source.prefix_first_only = text_equal(scheme, TEXT("first"));
    return OK;
}

static enum status read_split(const struct json *part, struct text *splitter, struct error *err)
{
    struct text regex = TEXT("");
    (void)json_text(json_get(json_get(part, "pattern"), "Regex"), &regex);
    for (size_t i = 0; i < sizeof SPLITTERS / sizeof SPLITTERS[0]; i++) {
        if (!text_equal(regex, text_of(SPLITTERS[i].regex)))
            continue;
        *splitter = text_of(SPLITTERS[i].splitter);
        /* Isolated matches and removed gaps come to the same: these match every byte. */
        if (is_text(json_get(part, "behavior"), "Isolated") ||
            (is_text(json_get(part, "behavior"), "Removed") && is_true(part, "invert")))
            return OK;
        return unknown("pre_tokenizer", TEXT("Split of another behavior"), err);
    }
    return unknown("splitter", regex, err);
}

/* Digits, or a Split, and then ByteLevel, which may do the splitting itself. */
static enum status read_byte_level(struct reader *reader, const struct json *const *parts,
                                   uint32_t count, struct error *err)
{
    const struct json *last = parts[count - 1];
    bool has_regex = true;
    (void)json_bool(json_get(last, "use_regex"), &has_regex);
    if (is_true(last, "add_prefix_space"))
        return unknown("pre_tokenizer ByteLevel with", TEXT("add_prefix_space"), err);
    reader->source.model = TEXT("gpt2");
    if (count == 1 && has_regex) {
        reader->source.pre = TEXT("gpt-2");
        return OK;
    }
    if (count == 2 && has_regex && is_type(parts[0], "Digits") &&
        is_true(parts[0], "individual_digits")) {
        reader->source.pre = TEXT("smollm");
        return OK;
    }
    if (count == 2 && !has_regex && is_type(parts[0], "Split"))
        return read_split(parts[0], &reader->source.pre, err);
    return unknown("pre_tokenizer", count > 1 ? type_of(parts[0]) : TEXT("ByteLevel alone"),
                   err);
}

static enum status read_steps(struct reader *reader, struct error *err)
{
    const struct json *parts[PARTS_MAX];
    uint32_t count;
    bool marks_space = false;
    TRY(read_normalizer(reader, &marks_space, err));
    if (!parts_of(json_get(reader->root, "pre_tokenizer"), "pretokenizers", parts, PARTS_MAX,
                  &count))
        return unknown("pre_tokenizer", TEXT("of more than 8 parts"), err);
    if (count > 0 && is_type(parts[count - 1], "ByteLevel")) {
        if (marks_space || reader->source.add_space_prefix)
            return unknown("normalizer", TEXT("Replace before bytes"), err);
        return read_byte_level(reader, parts, count, err);
    }
    reader->source.model = TEXT("bpe");
    if (reader->source.compose == TOKENIZER_YES)
        return unknown("normalizer", TEXT("NFC before characters"), err);
    if (count == 1 && is_type(parts[0], "Metaspace") && !marks_space)
        return read_metaspace(reader, parts[0], err);
    /* Gemma splits at spaces, of which its normalizer has left none. */
    const bool is_idle = count == 1 && is_type(parts[0], "Split") &&
                         is_text(json_get(json_get(parts[0], "pattern"), "String"), " ");
    if (marks_space && (count == 0 || is_idle))
        return OK;
    return unknown("pre_tokenizer", count > 0 ? type_of(parts[0]) : TEXT("none"), err);
}

/* ---- the steps after the model ---- */

static token_id find_piece(const struct reader *reader, struct text piece)
{
    for (uint32_t i = 0; i < reader->source.piece_count && piece.size > 0; i++) {
        if (reader->kinds[i] != TOKENIZER_UNUSED && text_equal(reader->pieces[i], piece))
            return (token_id)i;
    }
    return TOKEN_NONE;
}

/* Tokens around the text, from a TemplateProcessing. */
static enum status read_template(struct reader *reader, const struct json *part,
                                 struct error *err)
{
    struct tokenizer_source *source = &reader->source;
    bool is_after = false;
    for (const struct json *at = json_first(json_get(part, "single")); at; at = json_next(at)) {
        struct text name;
        uint32_t *count = is_after ? &source->after_count : &source->before_count;
        if (json_get(at, "Sequence")) {
            is_after = true;
            continue;
        }
        if (!json_text(json_get(json_get(at, "SpecialToken"), "id"), &name))
            FAIL(err, ERR_FORMAT, "tokenizer.json: post_processor: an entry is no token");
        const token_id id = find_piece(reader, name);
        if (id == TOKEN_NONE || *count == TOKENIZER_BOUNDS_MAX)
            FAIL(err, ERR_FORMAT,
                 "tokenizer.json: post_processor: a token that is no piece, or more than %d",
                 TOKENIZER_BOUNDS_MAX);
        (is_after ? source->after : source->before)[(*count)++] = id;
    }
    return OK;
}

static enum status read_post(struct reader *reader, struct error *err)
{
    const struct json *parts[PARTS_MAX];
    uint32_t count;
    reader->source.has_bounds = true;
    if (!parts_of(json_get(reader->root, "post_processor"), "processors", parts, PARTS_MAX,
                  &count))
        return unknown("post_processor", TEXT("of more than 8 parts"), err);
    for (uint32_t i = 0; i < count; i++) {
        if (is_type(parts[i], "TemplateProcessing"))
            TRY(read_template(reader, parts[i], err));
        else if (!is_type(parts[i], "ByteLevel"))
            return unknown("post_processor", type_of(parts[i]), err);
    }
    return OK;
}

/* A token that tokenizer_config.json names, as a string or as an object. */
static token_id named_token(const struct reader *reader, const char *name)
{
    struct text piece = TEXT("");
    const struct json *value = json_get(reader->config, name);
    if (!json_text(value, &piece))
        (void)json_text(json_get(value, "content"), &piece);
    return find_piece(reader, piece);
}

/* A config may have several templates by name; the one for conversations is "default". */
static struct text chat_template_of(const struct reader *reader)
{
    const struct json *value = json_get(reader->config, "chat_template");
    struct text source = TEXT("");
    for (const struct json *at = json_type(value) == JSON_ARRAY ? json_first(value) : NULL; at;
         at = json_next(at)) {
        if (is_text(json_get(at, "name"), "default"))
            (void)json_text(json_get(at, "template"), &source);
    }
    (void)json_text(value, &source);
    return source;
}

static enum status read_all(struct reader *reader, const struct tokenizer_json_input *input,
                            struct error *err)
{
    struct tokenizer_source *source = &reader->source;
    struct text unknown_piece = TEXT("");
    TRY(json_parse(input->tokenizer, TOKENIZER_JSON_BYTES_MAX, &reader->root, err));
    if (input->config.size > 0)
        TRY(json_parse(input->config, TOKENIZER_JSON_BYTES_MAX, &reader->config, err));
    TRY(read_model(reader, input->pieces_least, err));
    TRY(read_steps(reader, err));
    TRY(read_post(reader, err));
    (void)json_text(json_get(json_get(reader->root, "model"), "unk_token"), &unknown_piece);
    source->unknown = find_piece(reader, unknown_piece);
    source->bos = named_token(reader, "bos_token");
    source->eos = named_token(reader, "eos_token");
    source->eot = TOKEN_NONE;
    source->chat_template =
        input->chat_template.size > 0 ? input->chat_template : chat_template_of(reader);
    source->pieces = reader->pieces;
    source->kinds = reader->kinds;
    source->flags = reader->flags;
    source->merges = reader->merges;
    return OK;
}

enum status tokenizer_json_open(const struct tokenizer_json_input *input,
                                struct tokenizer **tokenizer, struct error *err)
{
    struct reader reader = {0};
    enum status status = read_all(&reader, input, err);
    if (status == OK)
        status = tokenizer_open(&reader.source, tokenizer, err);
    free(reader.pieces);
    free(reader.kinds);
    free(reader.flags);
    free(reader.merges);
    free(reader.joined);
    json_free(reader.root);
    json_free(reader.config);
    return status;
}
