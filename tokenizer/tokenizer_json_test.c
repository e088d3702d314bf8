/*
 * Tests of tokenizer_json: a small file of each kind, the flags of added tokens, tokens around
 * a text, and a table of what is refused, with the words of the refusal. Real vocabularies:
 * tests/golden/tokenizer_vectors_test.c.
 */
#include "tokenizer/tokenizer_json.h"

#include "base/base64.h"
#include "tests/harness/charsmap_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define ADDED(id, content, flags)                                                              \
    "{\"id\":" id ",\"content\":\"" content "\",\"special\":true" flags "}"
#define BYTES                                                                                  \
    "\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":true}"
#define MODEL                                                                                  \
    "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2,\"\\u0120\":3},"          \
    "\"merges\":"

/* Ids of text, with spaces between. */
static void encode(const char *json, const char *text, uint32_t flags, char ids[256])
{
    struct tokenizer *tokenizer;
    struct token_list list = {0};
    struct error err;
    size_t size = 0;
    const struct tokenizer_json_input input = {.tokenizer = text_of(json)};
    if (tokenizer_json_open(&input, &tokenizer, &err) != OK)
        fail_msg("%s", err.text);
    assert_int_equal(tokenizer_encode(tokenizer, text_of(text), flags, &list, &err), OK);
    ids[0] = '\0';
    for (size_t i = 0; i < list.count && size < 240; i++)
        size += (size_t)snprintf(ids + size, 256 - size, "%s%d", i > 0 ? " " : "", list.ids[i]);
    token_list_deinit(&list);
    tokenizer_close(tokenizer);
}

static void check(const char *json, const char *text, uint32_t flags, const char *want)
{
    char ids[256];
    encode(json, text, flags, ids);
    if (strcmp(ids, want) != 0)
        fail_msg("'%s' gives %s, want %s", text, ids, want);
}

static void test_merges_in_both_notations(void **state)
{
    (void)state;
    check("{" BYTES "," MODEL "[\"a b\"]}}", "ab ab", 0, "2 3 2");
    check("{" BYTES "," MODEL "[[\"a\",\"b\"]]}}", "ab ab", 0, "2 3 2");
    check("{" BYTES "," MODEL "[]}}", "ab", 0, "0 1");
    check("{" BYTES "," MODEL "[],\"ignore_merges\":true}}", "ab", 0, "2");
}

static void test_added_tokens(void **state)
{
    static const char PLAIN[] =
        "{\"added_tokens\":[" ADDED("4", "<x>", "") "]," BYTES "," MODEL "[]}}";
    static const char BOTH[] = "{\"added_tokens\":[" ADDED(
        "4", "<x>", ",\"lstrip\":true,\"rstrip\":true") "]," BYTES "," MODEL "[]}}";
    static const char WORD[] =
        "{\"added_tokens\":[" ADDED("4", "bb", ",\"single_word\":true") "]," BYTES "," MODEL
                                                                        "[]}}";
    (void)state;
    check(PLAIN, "a <x> b", TOKENIZER_SPECIAL, "0 3 4 3 1");
    check(BOTH, "a  <x>  b", TOKENIZER_SPECIAL, "0 4 1");
    check(BOTH, "<x> <x>", TOKENIZER_SPECIAL, "4 4");
    check(WORD, "abb bb bba", TOKENIZER_SPECIAL, "0 1 1 3 4 3 1 1 0");
    check(PLAIN, "a", TOKENIZER_SPECIAL | TOKENIZER_BOUNDS, "0");
}

#define AROUND                                                                                 \
    "{\"type\":\"TemplateProcessing\",\"single\":[{\"SpecialToken\":{\"id\":\"begin\"}},{"     \
    "\"Sequence\":{\"id\":\"A\"}}],\"special_tokens\":{\"begin\":{\"ids\":[3,1]}}}"

/* Sequences in one another; a name of a template that stands for two tokens. */
static void test_nesting(void **state)
{
    static const char JSON[] =
        "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Sequence\","
        "\"normalizers\":[{\"type\":\"Lowercase\"}]},{\"type\":\"NFC\"}]},"
        "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Sequence\","
        "\"pretokenizers\":[{\"type\":\"ByteLevel\",\"add_prefix_space\":false}]}]},"
        "\"post_processor\":{\"type\":\"Sequence\",\"processors\":[{\"type\":\"Sequence\","
        "\"processors\":[" AROUND "]},{\"type\":\"ByteLevel\"}]}," MODEL "[\"a b\"]}}";
    (void)state;
    check(JSON, "AB", TOKENIZER_BOUNDS, "3 1 2");
}

static void test_bounds(void **state)
{
    static const char JSON[] = "{\"added_tokens\":[" ADDED("4", "<x>", "") "," ADDED(
        "5", "<y>",
        "") "]," BYTES ",\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":["
            "{\"SpecialToken\":{\"id\":\"<x>\"}},{\"SpecialToken\":{\"id\":\"<y>\"}},"
            "{\"Sequence\":{\"id\":\"A\"}},{\"SpecialToken\":{\"id\":\"<y>\"}}]}," MODEL "[]}}";
    (void)state;
    check(JSON, "a", TOKENIZER_BOUNDS, "4 5 0 5");
    check(JSON, "a", 0, "0");
    check("{\"added_tokens\":[" ADDED("4", "<x>", "") "," ADDED(
              "5", "<y>",
              "") "]," BYTES
                  ",\"post_processor\":{\"type\":\"RobertaProcessing\",\"sep\":[\"<y>\",5],"
                  "\"cls\":[\"<x>\",4]}," MODEL "[]}}",
          "a", TOKENIZER_BOUNDS, "4 0 5");
}

#define CHARS                                                                                  \
    "\"model\":{\"type\":\"BPE\",\"byte_fallback\":true,\"fuse_unk\":true,\"unk_token\":"      \
    "\"<unk>\",\"vocab\":{\"<unk>\":0,\"\\u2581\":1,\"a\":2,\"\\u2581a\":3,\"<0x0A>\":4},"     \
    "\"merges\":[\"\\u2581 a\"]}"
#define MARKS "{\"type\":\"Replace\",\"pattern\":{\"String\":\" \"},\"content\":\"\\u2581\"}"
#define PREPENDS                                                                               \
    "\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"Prepend\","            \
    "\"prepend\":"                                                                             \
    "\"\\u2581\"}," MARKS "]}"

static void test_characters(void **state)
{
    static const char META[] =
        "{\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":"
        "\"\\u2581\",\"prepend_scheme\":\"first\",\"split\":false}," CHARS "}";
    (void)state;
    check("{\"normalizer\":" MARKS "," CHARS "}", "a a", 0, "2 3");
    check("{" PREPENDS "," CHARS "}", "a  a", 0, "3 1 3");
    check("{" PREPENDS "," CHARS "}", "a\nxyz\n", 0, "3 4 0 4");
    check("{" PREPENDS "," CHARS "}", " a", 0, "1 3");
    check(META, " a", 0, "3");
    check(META, "a", 0, "3");
}

/* A normalized token is looked for in changed text, and spelled as the changes make it. */
static void test_normalized(void **state)
{
    static const char JSON[] =
        "{\"added_tokens\":[" ADDED("5", "<s>", ",\"normalized\":true") "]," PREPENDS "," CHARS
                                                                        "}";
    static const char SMALL[] =
        "{\"added_tokens\":[" ADDED("4", "B", ",\"normalized\":true") "," ADDED(
            "5", "A", "") "],\"normalizer\":{\"type\":\"Lowercase\"}," BYTES "," MODEL
                          "[\"a b\"]}}";
    (void)state;
    check(JSON, "<s>a", TOKENIZER_SPECIAL, "5 2");
    check(JSON, "a <s>", TOKENIZER_SPECIAL, "3 5");
    check(JSON, " <s>", TOKENIZER_SPECIAL, "1 5");
    check(JSON, "a<s>", TOKENIZER_SPECIAL, "3 0");
    check(JSON, "<s>", 0, "1 0");
    check(SMALL, "aB A", TOKENIZER_SPECIAL, "0 4 3 5");
    check(SMALL, "aB", 0, "2");
}

#define STEP(type, rest) "{\"type\":\"" type "\"" rest "}"
#define LAST             STEP("ByteLevel", ",\"add_prefix_space\":false,\"use_regex\":false")
#define STEPS(parts)                                                                           \
    "{\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[" parts "]}," LETTERS "}"
/* Every letter is a byte, and every pair of them would merge, were it not for the splits. */
#define LETTERS                                                                                \
    "\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"1\":2,\"\\u0120\":3,\"aa\":4,"   \
    "\"ab\":5,\"11\":6,\"a1\":7,\"\\u0120a\":8,\".\":9,\"a.\":10,\"..\":11},"                  \
    "\"merges\":[\"a a\",\"a b\",\"1 1\",\"a 1\",\"\\u0120 a\",\"a .\",\". .\"]}"

static void test_splits(void **state)
{
    (void)state;
    check(STEPS(LAST), "a1 a.", 0, "7 8 9");
    check(STEPS(STEP("Digits", ",\"individual_digits\":true") "," LAST), "a11", 0, "0 2 2");
    check(STEPS(STEP("Digits", "") "," LAST), "a11", 0, "0 6");
    check(STEPS(STEP("Punctuation", "") "," LAST), "a..", 0, "0 9 9");
    check(STEPS(STEP("Punctuation", ",\"behavior\":\"Contiguous\"") "," LAST), "a..", 0,
          "0 11");
    /* U+0C84 is punctuation since Unicode 11 only; it has no token here. */
    check(STEPS(STEP("Punctuation", ",\"behavior\":\"Removed\"") "," LAST),
          "a.\xe0\xb2\x84"
          "a.",
          0, "0 0");
    check(STEPS(STEP("Punctuation", ",\"behavior\":\"Isolated\"") "," LAST),
          "a\xe0\xb2\x84"
          "a",
          0, "4");
    check(STEPS(STEP("Whitespace", "") "," LAST), "a a.", 0, "0 0 9");
    check(STEPS(STEP("WhitespaceSplit", "") "," LAST), "a a.", 0, "0 10");
    check(STEPS(STEP("BertPreTokenizer", "") "," LAST), "a a.", 0, "0 0 9");
    check(STEPS(STEP("CharDelimiterSplit", ",\"delimiter\":\"b\"") "," LAST), "aba", 0, "0 0");
    check(STEPS(STEP("Split", ",\"pattern\":{\"String\":\"a\"},\"behavior\":"
                              "\"MergedWithPrevious\"") "," LAST),
          "1aa", 0, "2 0 0");
    check(STEPS(STEP("Split", ",\"pattern\":{\"Regex\":\"a+|1\"},\"behavior\":"
                              "\"Removed\",\"invert\":true") "," LAST),
          "aab11", 0, "4 2 2");
    /* After ByteLevel a space is what spells it. */
    check(STEPS(LAST "," STEP("Split", ",\"pattern\":{\"String\":\"\\u0120\"},\"behavior\":"
                                       "\"Isolated\"")),
          "a a", 0, "0 3 0");
    check(STEPS(STEP("ByteLevel", ",\"add_prefix_space\":true,\"use_regex\":true")), "a a", 0,
          "8 8");
    check(STEPS(STEP("ByteLevel", ",\"add_prefix_space\":true,\"use_regex\":true")), " a", 0,
          "8");
}

static void test_normalizers(void **state)
{
    static const char JSON[] =
        "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":[{\"type\":\"NFKC\"},"
        "{\"type\":\"Lowercase\"},{\"type\":\"Strip\",\"strip_left\":true,"
        "\"strip_right\":true},{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"b+\"},"
        "\"content\":\"1\"}]}," BYTES "," LETTERS "}";
    (void)state;
    check(JSON,
          " \xef\xbc\xa1"
          "Bb ",
          0, "0 2");
}

#define METASPACE(scheme, split)                                                               \
    "{\"pre_tokenizer\":{\"type\":\"Metaspace\",\"replacement\":\"\\u2581\",\"prepend_"        \
    "scheme\":\"" scheme "\",\"split\":" split "},"
#define UNIGRAM                                                                                \
    "\"model\":{\"type\":\"Unigram\",\"unk_id\":0,\"vocab\":[[\"<unk>\",0.0],[\"\\u2581\",-2." \
    "0],"                                                                                      \
    "[\"a\",-3.0],[\"\\u2581a\",-4.0],[\"a\\u2581a\",-4.5],[\"\\u2581\\u2581\",-2.5]]}}"

static void test_unigram(void **state)
{
    (void)state;
    check(METASPACE("always", "true") UNIGRAM, "a a", 0, "3 3");
    check(METASPACE("always", "false") UNIGRAM, "a a", 0, "1 4");
    check(METASPACE("never", "true") UNIGRAM, "a  a", 0, "2 1 3");
    check(METASPACE("never", "false") UNIGRAM, "a  ax", 0, "2 5 2 0");
}

/* A piece of WhitespaceSplit's gets a space of its own. */
static void test_spaces_of_pieces(void **state)
{
    (void)state;
    check(
        "{\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":"
        "\"WhitespaceSplit\"},{\"type\":\"Metaspace\",\"replacement\":\"\\u2581\"}]}," UNIGRAM,
        "a  a", 0, "3 3");
}

/* Before a mark of Metaspace's nothing is put, also behind a token found in changed text. */
static void test_spaces_behind_tokens(void **state)
{
    static const char JSON[] = "{\"added_tokens\":[" ADDED(
        "6", "<s>", ",\"normalized\":true") "],\"pre_tokenizer\":{"
                                            "\"type\":\"Metaspace\",\"replacement\":"
                                            "\"\\u2581\",\"prepend_scheme\":\"always\","
                                            "\"split\":false}," UNIGRAM;
    (void)state;
    check(JSON, "a<s>a<s> a", TOKENIZER_SPECIAL, "3 6 3 6 3");
}

/* What is a word beside a token, as a regular expression's \w has it. */
static void test_single_words(void **state)
{
    static const char JSON[] =
        "{\"added_tokens\":[" ADDED("4", "ab", ",\"single_word\":true") "]," BYTES "," MODEL
                                                                        "[]}}";
    (void)state;
    check(JSON, "ab", TOKENIZER_SPECIAL, "4");
    check(JSON, "ab\xc2\xb2", TOKENIZER_SPECIAL, "4");       /* a small 2 */
    check(JSON, "ab\xe2\x80\x8d", TOKENIZER_SPECIAL, "0 1"); /* a joiner */
    check(JSON, "ab\xe2\x80\xbf", TOKENIZER_SPECIAL, "0 1"); /* a tie */
    check(JSON,
          "\xe2\x93\x90"
          "ab",
          TOKENIZER_SPECIAL, "0 1"); /* a letter in a circle */
    /* What is no word of its own is not looked into. */
    check("{\"added_tokens\":[" ADDED("4", "aba", ",\"single_word\":true") "," ADDED(
              "5", "ba", "") "]," BYTES "," MODEL "[]}}",
          "abab", TOKENIZER_SPECIAL, "0 1 0 1");
}

/* A token that the model has as well may come out of merging; one that it has not may not. */
static void test_tokens_of_the_model(void **state)
{
    static const char PLAIN[] = "{\"added_tokens\":[{\"id\":2,\"content\":\"ab\",\"single_"
                                "word\":true}]," BYTES "," MODEL "[\"a b\"]}}";
    static const char WEIGHED[] =
        "{\"added_tokens\":[{\"id\":4,\"content\":\"a\\u2581a\",\"single_word\":true},{"
        "\"id\":6,\"content\":\"x\",\"single_word\":true}],\"pre_tokenizer\":{\"type\":"
        "\"Metaspace\",\"replacement\":\"\\u2581\",\"prepend_scheme\":\"never\",\"split\":"
        "false}," UNIGRAM;
    (void)state;
    check(PLAIN, "ab abb", 0, "2 3 2 1");
    check(WEIGHED, "a aa", 0, "4 2");
    check(WEIGHED, "x xx", 0, "6 1 0");
}

#define DROPS                                                                                  \
    "\"model\":{\"type\":\"BPE\",\"vocab\":{\"\\u2581\":0,\"a\":1,\"\\u2581a\":2,"             \
    "\"\\u2581\\u2581\":3,\"a\\u2581\":4},\"merges\":[\"\\u2581 \\u2581\",\"a \\u2581\"]"

#define UNMERGED                                                                               \
    "\"model\":{\"type\":\"BPE\",\"ignore_merges\":true,\"vocab\":{\"\\u2581\":0,\"a\":1,"     \
    "\"\\u2581a\":2},\"merges\":[]}"

/* Characters without a token are left out before merging: their neighbours meet. And a word is
 * no piece: merges are ignored for whole pieces alone. */
static void test_words(void **state)
{
    (void)state;
    check("{\"normalizer\":" MARKS "," DROPS "}}", " x ", 0, "3");
    check("{\"normalizer\":" MARKS "," DROPS "}}", "ax a", 0, "4 1");
    check("{\"normalizer\":" MARKS "," UNMERGED "}", " a", 0, "2");
    check("{\"normalizer\":" MARKS "," UNMERGED "}", " a a", 0, "0 1 0 1");
}

/* Text of ids, with control tokens. */
static void check_text(const char *json, const token_id *ids, size_t count, const char *want)
{
    struct tokenizer *tokenizer;
    struct text_buf out = {0};
    struct error err;
    const struct tokenizer_json_input input = {.tokenizer = text_of(json)};
    if (tokenizer_json_open(&input, &tokenizer, &err) != OK)
        fail_msg("%s", err.text);
    tokenizer_decode(tokenizer, ids, count, true, &out);
    if (!text_equal(text_buf_text(&out), text_of(want)))
        fail_msg("got '%.*s', want '%s'", TEXT_ARG(text_buf_text(&out)), want);
    text_buf_deinit(&out);
    tokenizer_close(tokenizer);
}

#define DECODER(parts) "\"decoder\":{\"type\":\"Sequence\",\"decoders\":[" parts "]}"
#define TO_SPACES                                                                              \
    "{\"type\":\"Replace\",\"pattern\":{\"String\":\"\\u2581\"},\"content\":\" \"}"
#define JOINS  ",{\"type\":\"ByteFallback\"},{\"type\":\"Fuse\"}"
#define STRIPS ",{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}"

static void test_decoders(void **state)
{
    static const token_id IDS[] = {1, 3, 2};
    static const token_id CONTROL_FIRST[] = {5, 3};
    (void)state;
    check_text("{" PREPENDS "," CHARS "}", IDS, 3, " aa");
    check_text("{" PREPENDS "," DECODER(TO_SPACES JOINS) "," CHARS "}", IDS, 3, "  aa");
    check_text("{" PREPENDS "," DECODER(TO_SPACES JOINS STRIPS) "," CHARS "}", IDS, 3, " aa");
    check_text("{" PREPENDS "," DECODER("{\"type\":\"ByteFallback\"},{\"type\":\"Metaspace\","
                                        "\"replacement\":\"\\u2581\"}") "," CHARS "}",
               IDS, 3, " aa");
    check_text("{\"added_tokens\":[" ADDED("5", "<s>", "") "]," PREPENDS "," DECODER(
                   TO_SPACES JOINS STRIPS) "," CHARS "}",
               CONTROL_FIRST, 2, "<s> a");
}

static void refuse(const char *json, const char *words)
{
    struct tokenizer *tokenizer;
    struct error err;
    const struct tokenizer_json_input input = {.tokenizer = text_of(json)};
    assert_int_not_equal(tokenizer_json_open(&input, &tokenizer, &err), OK);
    if (!strstr(err.text, words))
        fail_msg("%s: says \"%s\", not \"%s\"", json, err.text, words);
}

#define PRECOMPILED(digits) "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\"" digits "\"}"

/* Between two other changes. */
static void test_precompiled(void **state)
{
    static const struct charsmap_write_rule RULES[] = {
        {"\xef\xac\x81", "ax"}, {"\r", " "}, {"x", ""}};
    struct text_buf map = {0}, digits = {0}, json = {0};
    (void)state;
    charsmap_write(&map, RULES, 3);
    base64_add(&digits, text_buf_text(&map));
    text_buf_format(
        &json,
        "{\"normalizer\":{\"type\":\"Sequence\",\"normalizers\":["
        "{\"type\":\"Lowercase\"}," PRECOMPILED(
            "%.*s") ","
                    "{\"type\":\"Replace\",\"pattern\":{\"String\":\"x\"},"
                    "\"content\":\"a\"}]},\"pre_tokenizer\":{\"type\":\"Metaspace\","
                    "\"replacement\":\"\\u2581\"}," UNIGRAM,
        TEXT_ARG(text_buf_text(&digits)));
    assert_false(json.failed);
    check(json.data, "aXa", 0, "3 2");
    check(json.data, "\xef\xac\x81\xcc\x81", 0, "3 2");
    check(json.data, "a\r\na", 0, "3 3");
    refuse("{\"normalizer\":{\"type\":\"Precompiled\"}," BYTES "," MODEL "[]}}",
           "Precompiled without a charsmap");
    refuse("{\"normalizer\":" PRECOMPILED("-") "," BYTES "," MODEL "[]}}",
           "precompiled_charsmap of 1 digits is not base64");
    refuse("{\"normalizer\":" PRECOMPILED("AAAAAAAA") "," BYTES "," MODEL "[]}}",
           "precompiled_charsmap: a tree of 0 bytes, in 6");
    text_buf_deinit(&map);
    text_buf_deinit(&digits);
    text_buf_deinit(&json);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *json, *words;
    } CASES[] = {
        {"{", "byte"},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[]}}", "0 pieces"},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":{}}}", "vocab is no array"},
        {"{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\"]]}}", "piece 0 is not"},
        {"{\"model\":{\"type\":\"Unigram\",\"unk_id\":7,\"vocab\":[[\"a\",0]]}}", "unk_id 7"},
        {"{\"model\":{\"type\":\"WordPiece\"}}", "model WordPiece"},
        {"{\"model\":{\"type\":\"BPE\",\"vocab\":[],\"merges\":[]}}", "vocab is no object"},
        {"{" BYTES ",\"model\":{\"type\":\"BPE\",\"vocab\":{},\"merges\":[]}}", "0 pieces"},
        {"{" BYTES ",\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":0},\"merges\":[]}}",
         "id 0 stands twice"},
        {"{" BYTES ",\"model\":{\"type\":\"BPE\",\"vocab\":{\"a\":7},\"merges\":[]}}",
         "an id is no integer of 0 .. 0"},
        {"{" BYTES "," MODEL "[1]}}", "merge 0"},
        {"{" BYTES "," MODEL "[\"a c\"]}}", "merge 0, a c"},
        {"{" MODEL "[]}}", "pre_tokenizer without ByteLevel"},
        {"{\"normalizer\":{\"type\":\"Nmt\"}," BYTES "," MODEL "[]}}", "normalizer Nmt"},
        {"{\"normalizer\":{\"type\":\"Replace\"}," BYTES "," MODEL "[]}}",
         "Replace without a pattern"},
        {"{\"pre_tokenizer\":{\"type\":\"FixedLength\"}," MODEL "[]}}",
         "pre_tokenizer FixedLength"},
        {"{\"pre_tokenizer\":{\"type\":\"Split\"}," MODEL "[]}}", "Split without a pattern"},
        {"{\"pre_tokenizer\":{\"type\":\"Split\",\"behavior\":\"Odd\"}," MODEL "[]}}",
         "behavior Odd"},
        {"{\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[{\"type\":\"Split\","
         "\"pattern\":{\"Regex\":\"x(?<=y)\"},\"behavior\":\"Isolated\"},{\"type\":"
         "\"ByteLevel\","
         "\"use_regex\":false}]}," MODEL "[]}}",
         "a group of this kind"},
        {"{" BYTES ",\"model\":{\"type\":\"BPE\",\"dropout\":0.1,\"vocab\":{\"a\":0},"
         "\"merges\":[]}}",
         "model with dropout"},
        {"{" BYTES ",\"decoder\":{\"type\":\"CTC\"}," MODEL "[]}}", "decoder CTC"},
        {"{" BYTES ",\"decoder\":{\"type\":\"Fuse\"}," MODEL "[]}}",
         "does not fit the pre_tokenizer, Fuse"},
        {"{" PREPENDS ",\"decoder\":{\"type\":\"ByteLevel\"}," CHARS "}",
         "does not fit the pre_tokenizer, ByteLevel"},
        {"{" PREPENDS ",\"decoder\":" TO_SPACES "," CHARS "}",
         "does not fit byte_fallback, Replace"},
        {"{" PREPENDS "," DECODER(TO_SPACES JOINS STRIPS STRIPS) "," CHARS "}",
         "decoder Strip"},
        {"{" BYTES ",\"post_processor\":{\"type\":\"Sequence\",\"processors\":[" AROUND
         "," AROUND "]}," MODEL "[]}}",
         "two that put tokens, the second TemplateProcessing"},
        {"{" BYTES ",\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":[{"
         "\"Sequence\":{\"id\":\"A\"}},{\"Sequence\":{\"id\":\"A\"}}]}," MODEL "[]}}",
         "two texts"},
        {"{" BYTES ",\"post_processor\":{\"type\":\"BertProcessing\"}," MODEL "[]}}",
         "cls is no piece"},
        {"{" BYTES ",\"post_processor\":{\"type\":\"TemplateProcessing\",\"single\":["
         "{\"SpecialToken\":{\"id\":\"<x>\"}}]}," MODEL "[]}}",
         "a token that is no piece"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++)
        refuse(CASES[i].json, CASES[i].words);
}

static void test_config(void **state)
{
    struct tokenizer *tokenizer;
    struct error err;
    const struct tokenizer_json_input input = {
        .tokenizer =
            TEXT("{\"added_tokens\":[" ADDED("4", "<x>", "") "]," BYTES "," MODEL "[]}}"),
        .config = TEXT("{\"bos_token\":\"<x>\",\"eos_token\":{\"content\":\"b\"},"
                       "\"chat_template\":[{\"name\":\"default\",\"template\":\"hi\"}]}"),
        .generation = TEXT("{\"eos_token_id\":[2,3]}"),
        .pieces_least = 9};
    (void)state;
    assert_int_equal(tokenizer_json_open(&input, &tokenizer, &err), OK);
    assert_true(tokenizer_is_end(tokenizer, 2) && tokenizer_is_end(tokenizer, 3));
    assert_false(tokenizer_is_end(tokenizer, 0));
    assert_int_equal(tokenizer_vocab_size(tokenizer), 9);
    assert_int_equal(tokenizer_bos(tokenizer), 4);
    assert_true(tokenizer_is_end(tokenizer, 1));
    assert_true(tokenizer_has_chat(tokenizer));
    tokenizer_close(tokenizer);
}

/* Of a conversation the template's control tokens count, also those found in changed text. */
static void test_trust(void **state)
{
    static const token_id WANT[] = {5, 2, 3};
    struct tokenizer *tokenizer;
    struct token_list list = {0};
    struct error err;
    const struct tokenizer_json_input input = {
        .tokenizer = TEXT("{\"added_tokens\":[" ADDED(
            "5", "<s>", ",\"normalized\":true") "]," PREPENDS "," CHARS "}"),
        .config = TEXT("{\"chat_template\":\"<s>{{ messages[0].content }} <s>\"}")};
    const struct tokenizer_message message = {.role = TEXT("user"), .content = TEXT("a a<s>")};
    (void)state;
    assert_int_equal(tokenizer_json_open(&input, &tokenizer, &err), OK);
    assert_int_equal(tokenizer_encode_chat(tokenizer, &message, 1, false, &list, &err), OK);
    assert_true(list.count > 3 && list.ids[list.count - 1] == 5);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(list.ids[i], WANT[i]);
    for (size_t i = 1; i + 1 < list.count; i++)
        assert_int_not_equal(list.ids[i], 5);
    token_list_deinit(&list);
    tokenizer_close(tokenizer);
}

/* Tokens that end a text, in the three shapes that configs have. */
static void test_ends(void **state)
{
    static const struct {
        const char *generation, *words; /* NULL: fine */
    } CASES[] = {{"{}", NULL},
                 {"{\"eos_token_id\":null}", NULL},
                 {"{\"eos_token_id\":1}", NULL},
                 {"{\"eos_token_id\":[99]}", NULL}, /* no piece: nothing ends by it */
                 {"{\"eos_token_id\":\"b\"}", "eos_token_id is no token"},
                 {"{\"eos_token_id\":[-1]}", "eos_token_id is no token"}};
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct tokenizer *tokenizer;
        struct error err;
        const struct tokenizer_json_input input = {.tokenizer =
                                                       TEXT("{" BYTES "," MODEL "[]}}"),
                                                   .generation = text_of(CASES[i].generation)};
        const enum status status = tokenizer_json_open(&input, &tokenizer, &err);
        assert_int_equal(status == OK, CASES[i].words == NULL);
        if (status != OK) {
            assert_non_null(strstr(err.text, CASES[i].words));
            continue;
        }
        assert_int_equal(tokenizer_is_end(tokenizer, 1), i == 2);
        tokenizer_close(tokenizer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_merges_in_both_notations),
        cmocka_unit_test(test_added_tokens),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_characters),
        cmocka_unit_test(test_normalized),
        cmocka_unit_test(test_splits),
        cmocka_unit_test(test_normalizers),
        cmocka_unit_test(test_unigram),
        cmocka_unit_test(test_spaces_of_pieces),
        cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_spaces_behind_tokens),
        cmocka_unit_test(test_single_words),
        cmocka_unit_test(test_tokens_of_the_model),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_decoders),
        cmocka_unit_test(test_precompiled),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_trust),
        cmocka_unit_test(test_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
