/*
 * tokenizer_json_steps - see tokenizer_json_steps.h.
 *
 * Every pre_tokenizer is a list of expressions with a behavior. After ByteLevel text is spelled
 * byte by byte, and so expressions see bytes. The changes that most vocabularies over
 * characters have, a U+2581 put before the text and for every space, are not made where nothing
 * looks at the text after them: the model then takes spaces as they are.
 */
#include "tokenizer/tokenizer_json_steps.h"

#include "base/base64.h"
#include "tokenizer/json_part.h"

#define MARK "\xe2\x96\x81"

/* What counts as punctuation: the signs of ASCII, and \p{P} as it was in Unicode 8, which is
 * what the reference implementation has: with U+166D and U+111C9, without what is newer. */
#define NEWER                                                                                  \
    "\\x{61d}\\x{9fd}\\x{a76}\\x{c77}\\x{c84}\\x{1b4e}-\\x{1b4f}\\x{1b7d}-\\x{1b7f}"           \
    "\\x{2e43}-\\x{2e4f}\\x{2e52}-\\x{2e5d}\\x{10d6e}\\x{10ead}\\x{10f55}-\\x{10f59}"          \
    "\\x{10f86}-\\x{10f89}\\x{113d4}-\\x{113d5}\\x{113d7}-\\x{113d8}"                          \
    "\\x{1144b}-\\x{1144f}\\x{1145a}-\\x{1145b}\\x{1145d}\\x{11660}-\\x{1166c}"                \
    "\\x{116b9}\\x{1183b}\\x{11944}-\\x{11946}\\x{119e2}\\x{11a3f}-\\x{11a46}"                 \
    "\\x{11a9a}-\\x{11a9c}\\x{11a9e}-\\x{11aa2}\\x{11b00}-\\x{11b09}\\x{11be1}"                \
    "\\x{11c41}-\\x{11c45}\\x{11c70}-\\x{11c71}\\x{11ef7}-\\x{11ef8}"                          \
    "\\x{11f43}-\\x{11f4f}\\x{11fff}\\x{12ff1}-\\x{12ff2}\\x{16d6d}-\\x{16d6f}"                \
    "\\x{16e97}-\\x{16e9a}\\x{16fe2}\\x{1e5ff}\\x{1e95e}-\\x{1e95f}"
#define PUNCTUATION "[\\p{P}$+<=>^`|~\\x{166d}\\x{111c9}&&[^" NEWER "]]"

/* pattern, {"String": text} or {"Regex": expression}; false: neither. */
static bool read_pattern(const struct json *part, struct text *pattern, bool *is_literal)
{
    const struct json *value = json_get(part, "pattern");
    *is_literal = json_text(json_get(value, "String"), pattern);
    return *is_literal || json_text(json_get(value, "Regex"), pattern);
}

/* ---- normalizer ---- */

static enum status read_map(const struct json *part, struct text_buf *map, struct error *err)
{
    struct text digits;
    if (!json_text(json_get(part, "precompiled_charsmap"), &digits))
        FAIL(err, ERR_FORMAT, "tokenizer.json: normalizer Precompiled without a charsmap");
    if (digits.size / 4 > CHARSMAP_BYTES_MAX / 3)
        FAIL(err, ERR_LIMIT,
             "tokenizer.json: precompiled_charsmap of %zu digits, the limit is %d bytes",
             digits.size, CHARSMAP_BYTES_MAX);
    if (!base64_decode(digits, map))
        FAIL(err, map->failed ? ERR_MEMORY : ERR_FORMAT,
             "tokenizer.json: precompiled_charsmap of %zu digits is not base64, or has no room",
             digits.size);
    return OK;
}

static enum status read_change(const struct json *part, struct tokenizer_change *change,
                               struct text_buf *map, struct error *err)
{
    static const struct {
        const char *type;
        enum tokenizer_change_kind kind;
    } KINDS[] = {
        {"NFC", TOKENIZER_NFC},         {"NFD", TOKENIZER_NFD},
        {"NFKC", TOKENIZER_NFKC},       {"NFKD", TOKENIZER_NFKD},
        {"Lowercase", TOKENIZER_LOWER}, {"StripAccents", TOKENIZER_DROP_MARKS},
        {"Strip", TOKENIZER_STRIP},     {"Prepend", TOKENIZER_PREPEND},
        {"Replace", TOKENIZER_REPLACE}, {"Precompiled", TOKENIZER_CHARSMAP_CLUSTERS},
    };
    size_t i = 0;
    while (i < sizeof KINDS / sizeof KINDS[0] && !json_part_is(part, KINDS[i].type))
        i++;
    if (i == sizeof KINDS / sizeof KINDS[0])
        return json_part_refuse("normalizer", json_part_type(part), err);
    *change = (struct tokenizer_change){
        .kind = KINDS[i].kind, .pattern = TEXT(""), .content = TEXT("")};
    change->left = json_part_flag(part, "strip_left", false);
    change->right = json_part_flag(part, "strip_right", false);
    (void)json_text(json_get(part, "prepend"), &change->content);
    (void)json_text(json_get(part, "content"), &change->content);
    if (change->kind == TOKENIZER_REPLACE &&
        !read_pattern(part, &change->pattern, &change->is_literal))
        FAIL(err, ERR_FORMAT, "tokenizer.json: normalizer Replace without a pattern");
    if (change->kind == TOKENIZER_CHARSMAP_CLUSTERS) {
        TRY(read_map(part, map, err));
        change->pattern = text_buf_text(map);
    }
    return OK;
}

static enum status read_changes(struct tokenizer_json_steps *steps, const struct json *root,
                                struct error *err)
{
    const struct json *parts[NORMALIZER_STEPS_MAX];
    uint32_t count;
    if (!json_part_list(json_get(root, "normalizer"), "normalizers", parts,
                        NORMALIZER_STEPS_MAX, &count))
        return json_part_refuse("normalizer", TEXT("of more than 8 parts"), err);
    for (uint32_t i = 0; i < count; i++)
        TRY(read_change(parts[i], &steps->changes[i], &steps->maps[i], err));
    steps->source->compose = TOKENIZER_NO;
    steps->source->changes = steps->changes;
    steps->source->change_count = count;
    return OK;
}

static bool is_mark(const struct tokenizer_change *change)
{
    return change->kind == TOKENIZER_REPLACE && change->is_literal &&
           text_equal(change->pattern, TEXT(" ")) && text_equal(change->content, TEXT(MARK));
}

/* The last changes that are the model's own matter, when nothing comes between. */
static void take_marks(struct tokenizer_json_steps *steps)
{
    struct tokenizer_source *source = steps->source;
    for (; source->change_count > 0; source->change_count--) {
        const struct tokenizer_change *last = &steps->changes[source->change_count - 1];
        const bool prepends = last->kind == TOKENIZER_PREPEND &&
                              text_equal(last->content, TEXT(MARK)) &&
                              !source->add_space_prefix;
        if (!prepends && !is_mark(last))
            return;
        source->add_space_prefix = source->add_space_prefix || prepends;
        steps->marks_space = steps->marks_space || !prepends;
    }
}

/* ---- pre_tokenizer ---- */

static enum status add_split(struct tokenizer_json_steps *steps, struct tokenizer_split split,
                             struct error *err)
{
    uint32_t *count = &steps->source->split_count;
    if (*count == SPLITTER_STEPS_MAX)
        return json_part_refuse("pre_tokenizer", TEXT("of more than 8 steps"), err);
    split.by_byte = steps->has_bytes;
    steps->splits[(*count)++] = split;
    return OK;
}

static enum status add_regex(struct tokenizer_json_steps *steps, const char *regex,
                             enum tokenizer_behavior behavior, bool is_inverted,
                             struct error *err)
{
    return add_split(steps,
                     (struct tokenizer_split){.pattern = text_of(regex),
                                              .behavior = behavior,
                                              .is_inverted = is_inverted},
                     err);
}

static enum status read_behavior(const struct json *part, enum tokenizer_behavior *behavior,
                                 struct error *err)
{
    static const struct {
        const char *name;
        enum tokenizer_behavior behavior;
    } NAMES[] = {{"Isolated", TOKENIZER_ISOLATED},
                 {"Removed", TOKENIZER_REMOVED},
                 {"MergedWithPrevious", TOKENIZER_MERGED_PREVIOUS},
                 {"MergedWithNext", TOKENIZER_MERGED_NEXT},
                 {"Contiguous", TOKENIZER_CONTIGUOUS}};
    struct text name = TEXT("Isolated");
    (void)json_text(json_get(part, "behavior"), &name);
    for (size_t i = 0; i < sizeof NAMES / sizeof NAMES[0]; i++) {
        *behavior = NAMES[i].behavior;
        if (text_equal(name, text_of(NAMES[i].name)))
            return OK;
    }
    return json_part_refuse("pre_tokenizer behavior", name, err);
}

static enum status read_split(struct tokenizer_json_steps *steps, const struct json *part,
                              struct error *err)
{
    struct tokenizer_split split = {.is_inverted = json_part_flag(part, "invert", false)};
    TRY(read_behavior(part, &split.behavior, err));
    if (!read_pattern(part, &split.pattern, &split.is_literal))
        FAIL(err, ERR_FORMAT, "tokenizer.json: pre_tokenizer Split without a pattern");
    return add_split(steps, split, err);
}

static enum status read_digits(struct tokenizer_json_steps *steps, const struct json *part,
                               struct error *err)
{
    const bool is_single = json_part_flag(part, "individual_digits", false);
    return add_regex(steps, "\\p{N}", is_single ? TOKENIZER_ISOLATED : TOKENIZER_CONTIGUOUS,
                     false, err);
}

static enum status read_punctuation(struct tokenizer_json_steps *steps, const struct json *part,
                                    struct error *err)
{
    enum tokenizer_behavior behavior;
    TRY(read_behavior(part, &behavior, err));
    return add_regex(steps, PUNCTUATION, behavior, false, err);
}

static enum status read_words(struct tokenizer_json_steps *steps, const struct json *part,
                              struct error *err)
{
    (void)part;
    return add_regex(steps, SPLITTER_WORDS, TOKENIZER_REMOVED, true, err);
}

static enum status read_spaces(struct tokenizer_json_steps *steps, const struct json *part,
                               struct error *err)
{
    TRY(add_regex(steps, "\\s", TOKENIZER_REMOVED, false, err));
    return json_part_is(part, "BertPreTokenizer")
               ? add_regex(steps, PUNCTUATION, TOKENIZER_ISOLATED, false, err)
               : OK;
}

static enum status read_delimiter(struct tokenizer_json_steps *steps, const struct json *part,
                                  struct error *err)
{
    struct tokenizer_split split = {.behavior = TOKENIZER_REMOVED, .is_literal = true};
    if (!json_text(json_get(part, "delimiter"), &split.pattern))
        FAIL(err, ERR_FORMAT, "tokenizer.json: pre_tokenizer CharDelimiterSplit has none");
    return add_split(steps, split, err);
}

static enum status read_byte_level(struct tokenizer_json_steps *steps, const struct json *part,
                                   struct error *err)
{
    struct tokenizer_source *source = steps->source;
    const bool puts_space = json_part_flag(part, "add_prefix_space", false);
    if (steps->has_bytes)
        return json_part_refuse("pre_tokenizer", TEXT("ByteLevel twice"), err);
    if (puts_space && source->split_count > 0)
        return json_part_refuse("pre_tokenizer ByteLevel with add_prefix_space after",
                                TEXT("another"), err);
    if (puts_space)
        source->add_space_prefix = source->prefix_unless_space = true;
    if (json_part_flag(part, "use_regex", true))
        TRY(add_regex(steps, SPLITTER_GPT2, TOKENIZER_ISOLATED, false, err));
    steps->has_bytes = true;
    return OK;
}

static enum status read_metaspace(struct tokenizer_json_steps *steps, const struct json *part,
                                  struct error *err)
{
    struct tokenizer_source *source = steps->source;
    struct text scheme = TEXT("always");
    if (steps->has_bytes || !json_part_equal(json_get(part, "replacement"), MARK))
        return json_part_refuse("pre_tokenizer",
                                TEXT("Metaspace of another sign, or after bytes,"), err);
    (void)json_text(json_get(part, "prepend_scheme"), &scheme);
    if (!text_equal(scheme, TEXT("first")) && !text_equal(scheme, TEXT("always")) &&
        !text_equal(scheme, TEXT("never")))
        return json_part_refuse("prepend_scheme", scheme, err);
    source->add_space_prefix =
        json_part_flag(part, "add_prefix_space", true) && !text_equal(scheme, TEXT("never"));
    source->prefix_unless_space = true;
    source->prefix_first_only = text_equal(scheme, TEXT("first"));
    source->prefix_pieces = source->split_count > 0;
    steps->marks_space = true;
    return json_part_flag(part, "split", true)
               ? add_regex(steps, "[ \\x{2581}]", TOKENIZER_MERGED_NEXT, false, err)
               : OK;
}

static enum status read_splits(struct tokenizer_json_steps *steps, const struct json *root,
                               struct error *err)
{
    static const struct {
        const char *type;
        enum status (*read)(struct tokenizer_json_steps *steps, const struct json *part,
                            struct error *err);
    } READERS[] = {
        {"Split", read_split},
        {"Digits", read_digits},
        {"Punctuation", read_punctuation},
        {"Whitespace", read_words},
        {"WhitespaceSplit", read_spaces},
        {"BertPreTokenizer", read_spaces},
        {"CharDelimiterSplit", read_delimiter},
        {"ByteLevel", read_byte_level},
        {"Metaspace", read_metaspace},
    };
    const struct json *parts[SPLITTER_STEPS_MAX];
    uint32_t count;
    steps->source->splits = steps->splits;
    if (!json_part_list(json_get(root, "pre_tokenizer"), "pretokenizers", parts,
                        SPLITTER_STEPS_MAX, &count))
        return json_part_refuse("pre_tokenizer", TEXT("of more than 8 parts"), err);
    for (uint32_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < sizeof READERS / sizeof READERS[0] &&
               !json_part_is(parts[i], READERS[k].type))
            k++;
        if (k == sizeof READERS / sizeof READERS[0])
            return json_part_refuse("pre_tokenizer", json_part_type(parts[i]), err);
        TRY(READERS[k].read(steps, parts[i], err));
    }
    return OK;
}

/* Gemma splits at spaces, of which its normalizer has left none. */
static bool is_idle(const struct tokenizer_json_steps *steps)
{
    return steps->source->split_count == 1 && steps->splits[0].is_literal &&
           text_equal(steps->splits[0].pattern, TEXT(" ")) && !steps->has_bytes;
}

enum status tokenizer_json_steps_read(struct tokenizer_json_steps *steps,
                                      const struct json *root, struct error *err)
{
    struct tokenizer_source *source = steps->source;
    bool has_mark = false;
    TRY(read_changes(steps, root, err));
    TRY(read_splits(steps, root, err));
    for (uint32_t i = 0; i < source->change_count; i++)
        has_mark = has_mark || is_mark(&steps->changes[i]);
    if (has_mark && is_idle(steps))
        source->split_count = 0;
    if (!steps->has_bytes && source->split_count == 0 && !steps->marks_space &&
        !steps->keeps_marks)
        take_marks(steps);
    steps->marks_space = steps->marks_space || has_mark;
    source->model = steps->is_unigram  ? TEXT("unigram")
                    : steps->has_bytes ? TEXT("gpt2")
                                       : TEXT("bpe");
    if (steps->is_unigram && steps->has_bytes)
        return json_part_refuse("model Unigram after", TEXT("ByteLevel"), err);
    if (!steps->has_bytes && !steps->marks_space)
        return json_part_refuse("pre_tokenizer without ByteLevel, and spaces that are not",
                                TEXT("U+2581,"), err);
    return OK;
}

void tokenizer_json_steps_deinit(struct tokenizer_json_steps *steps)
{
    for (uint32_t i = 0; i < NORMALIZER_STEPS_MAX; i++)
        text_buf_deinit(&steps->maps[i]);
}
