/*
 * splitter - see splitter.h.
 *
 * Ages of one family spell the same rule differently; (?i:'s) also takes U+017F, which folds to
 * s. Where a list of steps ends with GPT-2's, that is ByteLevel's own.
 */
#include "tokenizer/splitter.h"

#define SHORT_FORMS "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
#define LEAD        "[^\\r\\n\\p{L}\\p{N}]?"
#define WORD        LEAD "\\p{L}+"
#define SIGNS       " ?[^\\s\\p{L}\\p{N}]+"
#define SPACE       "\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"
#define TAIL        SIGNS "[\\r\\n]*|" SPACE

/* Llama 3's, by how digits are taken together. */
#define LLAMA3(digits) SHORT_FORMS "|" WORD "|" digits "|" TAIL

/* A word also ends where capitals begin; \p{M} goes with either. */
#define CAPITALS "\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}"
#define SMALLS   "\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}"
#define CASE(not_these, end)                                                                   \
    LEAD "[" CAPITALS not_these "]*[" SMALLS not_these "]+" end "|" LEAD                       \
         "[" CAPITALS not_these "]+[" SMALLS not_these "]*" end "|"
#define CASE_TAIL SIGNS "[\\r\\n/]*|" SPACE

/* Chinese and Japanese, as DeepSeek's have them. */
#define KANJI "\\x{4e00}-\\x{9fa5}"
#define KANA  "\\x{3040}-\\x{309f}\\x{30a0}-\\x{30ff}"
#define ASIAN "[" KANJI "\\x{800}-\\x{4e00}\\x{ac00}-\\x{d7ff}]+"
#define DEEPSEEK3                                                                              \
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\\r\\n\\p{L}\\p{P}\\p{S}]?"       \
    "[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\\r\\n]*|" SPACE
/* Letters that have a case, as of when DeepSeek's was made. */
#define CASED                                                                                  \
    "\\x{41}-\\x{5a}\\x{61}-\\x{7a}\\x{b5}\\x{c0}-\\x{d6}\\x{d8}-\\x{f6}"                      \
    "\\x{f8}-\\x{1ba}\\x{1bc}-\\x{1bf}\\x{1c4}-\\x{293}\\x{295}-\\x{2af}"                      \
    "\\x{370}-\\x{373}\\x{376}\\x{377}\\x{37b}-\\x{37d}\\x{37f}\\x{386}"                       \
    "\\x{388}-\\x{38a}\\x{38c}\\x{38e}-\\x{3a1}\\x{3a3}-\\x{3f5}"                              \
    "\\x{3f7}-\\x{481}\\x{48a}-\\x{52f}\\x{531}-\\x{556}\\x{10a0}-\\x{10c5}"                   \
    "\\x{13a0}-\\x{13f5}\\x{13f8}-\\x{13fd}\\x{1c90}-\\x{1cba}"                                \
    "\\x{1cbd}-\\x{1cbf}\\x{1d00}-\\x{1d2b}\\x{1d6b}-\\x{1d77}"                                \
    "\\x{1d79}-\\x{1d9a}\\x{1e00}-\\x{1f15}\\x{1f18}-\\x{1f1d}"                                \
    "\\x{1f20}-\\x{1f45}\\x{1f48}-\\x{1f4d}\\x{1f50}-\\x{1f57}\\x{1f59}"                       \
    "\\x{1f5b}\\x{1f5d}\\x{1f5f}-\\x{1f7d}\\x{1f80}-\\x{1fb4}"                                 \
    "\\x{1fb6}-\\x{1fbc}\\x{1fbe}\\x{1fc2}-\\x{1fc4}\\x{1fc6}-\\x{1fcc}"                       \
    "\\x{1fd0}-\\x{1fd3}\\x{1fd6}-\\x{1fdb}\\x{1fe0}-\\x{1fec}"                                \
    "\\x{1ff2}-\\x{1ff4}\\x{1ff6}-\\x{1ffc}\\x{2102}\\x{2107}"                                 \
    "\\x{210a}-\\x{2113}\\x{2115}\\x{2119}-\\x{211d}\\x{2124}\\x{2126}"                        \
    "\\x{2128}\\x{212a}-\\x{212d}\\x{212f}-\\x{2134}\\x{2139}"                                 \
    "\\x{213c}-\\x{213f}\\x{2145}-\\x{2149}\\x{214e}\\x{2183}\\x{2184}"                        \
    "\\x{2c00}-\\x{2c7b}\\x{2c7e}-\\x{2ce4}\\x{2ceb}-\\x{2cee}\\x{2cf2}"                       \
    "\\x{2cf3}\\x{a640}-\\x{a66d}\\x{a680}-\\x{a69b}\\x{a722}-\\x{a76f}"                       \
    "\\x{a771}-\\x{a787}\\x{a78b}-\\x{a78e}\\x{ab70}-\\x{abbf}"                                \
    "\\x{fb00}-\\x{fb06}\\x{fb13}-\\x{fb17}\\x{ff21}-\\x{ff3a}"                                \
    "\\x{ff41}-\\x{ff5a}\\x{10400}-\\x{1044f}\\x{104b0}-\\x{104d3}"                            \
    "\\x{104d8}-\\x{104fb}\\x{10c80}-\\x{10cb2}\\x{10cc0}-\\x{10cf2}"                          \
    "\\x{118a0}-\\x{118df}\\x{1e900}-\\x{1e943}"
#define FULL_SIGNS                                                                             \
    "[!-/:-~\\x{ff01}-\\x{ff0f}\\x{ff1a}-\\x{ff5e}\\x{2018}-\\x{201f}\\x{3000}-\\x{3002}]+"
#define YOUTU                                                                                  \
    "[\\x{ac00}-\\x{d7a3}\\x{3131}-\\x{318e}]+|[\\x{ff01}\\x{2026}\\x{201c}\\x{201d}\\x{2018}" \
    "\\x{2019}\\x{2014}\\x{ff1a}\\x{ff1b}\\x{ff0c}\\x{3001}-\\x{303f}\\x{fe30}-\\x{fe4f}]+|"   \
    "[\\x{3105}-\\x{312f}]+|[" KANJI KANA "]+"
/* Everything up to a space or a sign that ends a clause, in several scripts. */
#define BLOOM " ?[^(\\s|.,!?\\x{2026}\\x{3002}\\x{ff0c}\\x{3001}\\x{964}\\x{6d4}\\x{60c})]+"
#define JAIS2_SPACE                                                                            \
    "\\s*[\\r\\n]+|\\s{512}(?!\\S)|\\s{256}(?!\\S)|\\s{128}(?!\\S)|\\s{64}(?!\\S)|"            \
    "\\s{32}(?!\\S)|\\s{16}(?!\\S)|\\s{8}(?!\\S)|\\s{4}(?!\\S)|\\s{1,2}(?!\\S)|\\s{1}"

#define STEP(regex)                                                                            \
    {                                                                                          \
        .pattern = {(regex), sizeof(regex) - 1 }                                               \
    }

static const struct splitter SPLITTERS[] = {
    {"gpt-2 gpt2 phi-2 jina-es jina-de jina-v1-en jina-v2-es jina-v2-de jina-v2-code "
     "roberta-bpe gigachat a.x-4.0 mellum jais trillion granite-docling exaone4",
     {STEP(SPLITTER_GPT2)},
     1,
     false,
     false},
    {"mpt olmo modern-bert", {STEP(SPLITTER_GPT2)}, 1, true, false},
    {"smollm starcoder refact command-r codeshell exaone minerva-7b mellum2",
     {STEP("\\p{N}"), STEP(SPLITTER_GPT2)},
     2,
     false,
     false},
    {"falcon",
     {STEP("[\\p{P}$+<=>^~|`]+"), STEP(SPLITTER_GPT2), STEP("[0-9][0-9][0-9]")},
     3,
     false,
     false},
    {"llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano",
     {STEP(LLAMA3("\\p{N}{1,3}"))},
     1,
     false,
     true},
    {"dbrx smaug-bpe glm4 chatglm-bpe", {STEP(LLAMA3("\\p{N}{1,3}"))}, 1, false, false},
    {"minicpm5", {STEP("\\p{N}{1,3}"), STEP(LLAMA3("\\p{N}+"))}, 2, false, true},
    {"jais-2",
     {STEP(SHORT_FORMS "|" WORD "|\\p{N}{1,3}|" SIGNS "[\\r\\n]*|" JAIS2_SPACE)},
     1,
     false,
     false},
    {"qwen2 deepseek-r1-qwen kormo f2llmv2 megrez", {STEP(LLAMA3("\\p{N}"))}, 1, true, false},
    {"stablelm2 hunyuan solar-open grok-2", {STEP(LLAMA3("\\p{N}"))}, 1, false, false},
    {"qwen35",
     {STEP(SHORT_FORMS "|" LEAD
                       "[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" SPACE)},
     1,
     true,
     false},
    {"bailingmoe bailingmoe2 llada-moe",
     {STEP("'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}| "
           "?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+")},
     1,
     false,
     false},
    {"seed-coder",
     {STEP(SHORT_FORMS "|" WORD "|\\p{N}{1}| ?[^\\s\\p{L}\\p{N}\\r\\n]+|" SPACE)},
     1,
     false,
     false},
    {"exaone-moe",
     {STEP(SHORT_FORMS "|" LEAD "(?:\\p{L}\\p{M}*(?: \\p{L}\\p{M}*)*)+|\\p{N}|" SIGNS
                       "[\\r\\n/]?|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+")},
     1,
     false,
     false},
    {"laguna", {STEP("[^\\n]+|[\\n]+"), STEP(LLAMA3("\\p{N}"))}, 2, false, false},
    {"tekken", {STEP(CASE("", "") "\\p{N}|" CASE_TAIL)}, 1, false, true},
    {"gpt-4o llama4 kanana2 talkie minimax-m2",
     {STEP(CASE("", SHORT_FORMS "?") "\\p{N}{1,3}|" CASE_TAIL)},
     1,
     false,
     false},
    {"kimi-k2",
     {STEP("[\\p{Han}]+|" CASE("&&[^\\p{Han}]", SHORT_FORMS "?") "\\p{N}{1,3}|" TAIL)},
     1,
     false,
     false},
    {"youtu",
     {STEP(YOUTU), STEP(CASE("", SHORT_FORMS "?") "\\p{N}|" CASE_TAIL)},
     2,
     false,
     true},
    {"deepseek-llm",
     {STEP("[\\r\\n]"), STEP("\\s?[" CASED "]+"), STEP("\\s?" FULL_SIGNS), STEP("\\s+$"),
      STEP(ASIAN), STEP("\\p{N}")},
     6,
     false,
     false},
    {"deepseek-coder",
     {STEP("[\\r\\n]"), STEP("\\s?\\p{L}+"), STEP("\\s?\\p{P}+"), STEP(ASIAN), STEP("\\p{N}")},
     5,
     false,
     false},
    {"deepseek-v3 hunyuan-dense joyai-llm",
     {STEP("\\p{N}{1,3}"), STEP("[" KANJI KANA "]+"), STEP(DEEPSEEK3)},
     3,
     false,
     false},
    {"bloom poro-chat gpt3-finnish", {STEP(BLOOM)}, 1, false, false},
    {"viking", {STEP(BLOOM), STEP("\\p{N}")}, 2, false, false},
};
static const char NAMES[] =
    "gpt-2, olmo, smollm, falcon, llama-bpe, dbrx, qwen2, qwen35, tekken, gpt-4o, kimi-k2, "
    "deepseek-llm, deepseek-coder, deepseek-v3, bloom, viking and others";

/* Whether name is one of names. */
static bool is_named(struct text names, struct text name)
{
    for (size_t begin = 0; begin < names.size;) {
        size_t end = text_find(names, TEXT(" "), begin);
        end = end == SIZE_MAX ? names.size : end;
        if (text_equal(text_slice(names, begin, end), name))
            return true;
        begin = end + 1;
    }
    return false;
}

const struct splitter *splitter_find(struct text name)
{
    for (size_t i = 0; i < sizeof SPLITTERS / sizeof SPLITTERS[0]; i++) {
        if (is_named(text_of(SPLITTERS[i].names), name))
            return &SPLITTERS[i];
    }
    return NULL;
}

bool splitter_adds_bos(struct text name)
{
    return is_named(TEXT("llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 "
                         "jina-v5-nano tekken"),
                    name);
}

const char *splitter_names(void)
{
    return NAMES;
}
