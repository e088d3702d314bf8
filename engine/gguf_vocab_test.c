/*
 * gguf_vocab_test - unigram vocabularies of GGUF files: the tokens they give, which files are
 * taken as one, and what is refused. Byte-level ones and SentencePiece's merges are tested with
 * whole models.
 */
#include "engine/gguf_vocab.h"

#include "tests/harness/charsmap_write.h"
#include "tests/harness/gguf_write.h"
#include "tokenizer/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define MARK "\xe2\x96\x81"

/* What a file says beside its pieces. */
struct file {
    const char *model;
    bool is_ranked; /* scores are ranks */
    bool has_map, merges_spaces, has_bounds;
    uint32_t map_type; /* 0: GGUF_U8 */
    uint32_t map_cut;  /* bytes of the map that are left out */
};

static const struct {
    const char *spelling;
    int32_t kind;
    float score, rank;
} PIECES[] = {
    {"<pad>", TOKENIZER_CONTROL, 0.0f, 0.0f},   {"</s>", TOKENIZER_CONTROL, 0.0f, 0.0f},
    {"<unk>", TOKENIZER_UNKNOWN, 0.0f, 0.0f},   {MARK, TOKENIZER_NORMAL, -2.25f, -5.0f},
    {"f", TOKENIZER_NORMAL, -3.5f, -4.0f},      {"i", TOKENIZER_NORMAL, -3.5f, -3.0f},
    {"fi", TOKENIZER_NORMAL, -4.5f, 0.0f},      {"if", TOKENIZER_NORMAL, -4.25f, -2.0f},
    {MARK "f", TOKENIZER_NORMAL, -9.5f, -6.0f},
};
enum { PIECE_COUNT = sizeof PIECES / sizeof PIECES[0] };

static void put_map(struct text_buf *out, const struct file *file)
{
    static const struct charsmap_write_rule RULES[] = {{"\xef\xac\x81", "fi"}, {"\t", " "}};
    struct text_buf map = {0};
    const uint32_t type = file->map_type ? file->map_type : GGUF_U8;
    charsmap_write(&map, RULES, 2);
    const uint64_t size = (map.size - file->map_cut) / (type == GGUF_U32 ? 4 : 1);
    gguf_write_key_array(out, "tokenizer.ggml.precompiled_charsmap", type, size);
    text_buf_add(out, (struct text){map.data, (size_t)size * (type == GGUF_U32 ? 4 : 1)});
    text_buf_deinit(&map);
}

static void put_flag(struct text_buf *out, const char *key, bool value)
{
    gguf_write_key(out, key, GGUF_BOOL);
    text_buf_byte(out, value);
}

static void put_file(struct text_buf *out, const struct file *file)
{
    const uint32_t more = (file->has_map ? 1u : 0u) + (file->merges_spaces ? 1u : 0u) +
                          (file->has_bounds ? 2u : 0u);
    gguf_write_header(out, 0, 4 + more);
    gguf_write_key_string(out, "tokenizer.ggml.model", file->model);
    gguf_write_key_array(out, "tokenizer.ggml.tokens", GGUF_STRING, PIECE_COUNT);
    for (int i = 0; i < PIECE_COUNT; i++)
        gguf_write_string(out, PIECES[i].spelling);
    gguf_write_key_array(out, "tokenizer.ggml.scores", GGUF_F32, PIECE_COUNT);
    for (int i = 0; i < PIECE_COUNT; i++) {
        const float score = file->is_ranked ? PIECES[i].rank : PIECES[i].score;
        text_buf_add(out, (struct text){(const char *)&score, sizeof score});
    }
    gguf_write_key_array(out, "tokenizer.ggml.token_type", GGUF_I32, PIECE_COUNT);
    for (int i = 0; i < PIECE_COUNT; i++)
        gguf_write_u32(out, (uint32_t)PIECES[i].kind);
    if (file->has_map)
        put_map(out, file);
    if (file->merges_spaces)
        put_flag(out, "tokenizer.ggml.remove_extra_whitespaces", true);
    if (file->has_bounds) {
        gguf_write_key_u32(out, "tokenizer.ggml.eos_token_id", 1);
        put_flag(out, "tokenizer.ggml.add_space_prefix", false);
    }
    gguf_write_pad(out, GGUF_ALIGNMENT_DEFAULT);
}

/* Takes bytes. */
static enum status open_bytes(struct text_buf *bytes, struct tokenizer **tokenizer,
                              struct error *err)
{
    struct gguf_vocab vocab;
    struct gguf gguf;
    assert_int_equal(gguf_init(&gguf, (const uint8_t *)bytes->data, bytes->size, err), OK);
    enum status status = gguf_vocab_read(&vocab, &gguf, err);
    if (status == OK)
        status = tokenizer_open(&vocab.source, tokenizer, err);
    gguf_vocab_deinit(&vocab);
    gguf_deinit(&gguf);
    text_buf_deinit(bytes);
    return status;
}

static enum status open_file(const struct file *file, struct tokenizer **tokenizer,
                             struct error *err)
{
    struct text_buf bytes = {0};
    put_file(&bytes, file);
    return open_bytes(&bytes, tokenizer, err);
}

static void check(const struct file *file, const char *text, uint32_t flags, const char *want)
{
    struct tokenizer *tokenizer;
    struct token_list list = {0};
    struct text_buf ids = {0};
    struct error err;
    if (open_file(file, &tokenizer, &err) != OK)
        fail_msg("%s", err.text);
    assert_int_equal(tokenizer_encode(tokenizer, text_of(text), flags, &list, &err), OK);
    for (size_t i = 0; i < list.count; i++)
        text_buf_format(&ids, "%s%d", i > 0 ? " " : "", list.ids[i]);
    if (!text_equal(text_buf_text(&ids), text_of(want)))
        fail_msg("%s: '%s' gives '%.*s', want '%s'", file->model, text,
                 TEXT_ARG(text_buf_text(&ids)), want);
    text_buf_deinit(&ids);
    token_list_deinit(&list);
    tokenizer_close(tokenizer);
}

static void test_t5(void **state)
{
    const struct file plain = {.model = "t5"};
    const struct file map = {.model = "t5", .has_map = true};
    const struct file signed_map = {.model = "t5", .has_map = true, .map_type = GGUF_I8};
    const struct file merges = {.model = "t5", .has_map = true, .merges_spaces = true};
    const struct file bounds = {.model = "t5", .has_bounds = true};
    (void)state;
    check(&plain, "ifi", 0, "3 7 5");
    check(&plain, "f", 0, "3 4");
    check(&plain, "\xef\xac\x81", 0, "3 2"); /* the unknown piece is that of its kind */
    check(&map, "\xef\xac\x81", 0, "3 6");
    check(&signed_map, "\xef\xac\x81", 0, "3 6");
    check(&map, "i\t\ti ", 0, "3 5 3 3 5 3");
    check(&merges, " i\t\ti ", 0, "3 5 3 5");
    check(&merges, " \t ", 0, "");
    check(&plain, "i", TOKENIZER_BOUNDS, "3 5"); /* no EOS is known */
    check(&bounds, "i", TOKENIZER_BOUNDS, "5 1");
}

static void test_scores_tell(void **state)
{
    const struct file ranked = {.model = "llama", .is_ranked = true};
    const struct file weighed = {.model = "llama"};
    (void)state;
    check(&ranked, "fif", 0, "3 6 4");
    check(&weighed, "fif", 0, "3 4 7"); /* merged by score it would be 8 7 */
}

/* What a file says of the tokens around a text, and what is so where it says nothing. */
struct bounds {
    const char *model, *pre;
    int32_t bos, add_bos; /* -1: the file does not say */
    const char *want;     /* of "i" */
};

static void put_bounds(struct text_buf *out, const struct bounds *bounds)
{
    gguf_write_header(out, 0,
                      4 + (bounds->bos >= 0 ? 1u : 0u) + (bounds->add_bos >= 0 ? 1u : 0u));
    gguf_write_key_string(out, "tokenizer.ggml.model", bounds->model);
    gguf_write_key_string(out, "tokenizer.ggml.pre", bounds->pre);
    gguf_write_key_array(out, "tokenizer.ggml.tokens", GGUF_STRING, 4);
    gguf_write_string(out, "<s>");
    gguf_write_string(out, "</s>");
    gguf_write_string(out, "i");
    gguf_write_string(out, MARK);
    gguf_write_key_array(out, "tokenizer.ggml.scores", GGUF_F32, 4);
    for (uint32_t i = 0; i < 4; i++)
        gguf_write_u32(out, 0);
    if (bounds->bos >= 0)
        gguf_write_key_u32(out, "tokenizer.ggml.bos_token_id", (uint32_t)bounds->bos);
    if (bounds->add_bos >= 0)
        put_flag(out, "tokenizer.ggml.add_bos_token", bounds->add_bos == 1);
    gguf_write_pad(out, GGUF_ALIGNMENT_DEFAULT);
}

static void test_bounds(void **state)
{
    static const struct bounds CASES[] = {
        {"llama", "", 0, -1, "0 3 2"}, /* SentencePiece: BOS */
        {"llama", "", 0, 0, "3 2"},          {"llama", "", -1, -1, "3 2"}, /* none is known */
        {"gpt2", "gpt-2", 0, -1, "2"},       {"gpt2", "gpt-2", 0, 1, "0 2"},
        {"gpt2", "llama-bpe", 0, -1, "0 2"}, /* by the splitter's name */
        {"gpt2", "llama-bpe", 0, 0, "2"},    {"gpt2", "llama-bpe", 1, 1, "1 2"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct text_buf bytes = {0}, ids = {0};
        struct tokenizer *tokenizer;
        struct token_list list = {0};
        struct error err;
        put_bounds(&bytes, &CASES[i]);
        if (open_bytes(&bytes, &tokenizer, &err) != OK)
            fail_msg("%s", err.text);
        assert_int_equal(tokenizer_encode(tokenizer, TEXT("i"), TOKENIZER_BOUNDS, &list, &err),
                         OK);
        for (size_t k = 0; k < list.count; k++)
            text_buf_format(&ids, "%s%d", k > 0 ? " " : "", list.ids[k]);
        if (!text_equal(text_buf_text(&ids), text_of(CASES[i].want)))
            fail_msg("case %zu: %.*s", i, TEXT_ARG(text_buf_text(&ids)));
        text_buf_deinit(&ids);
        token_list_deinit(&list);
        tokenizer_close(tokenizer);
    }
}

static void refuse(const struct file *file, const char *reason)
{
    struct tokenizer *tokenizer;
    struct error err;
    assert_int_equal(open_file(file, &tokenizer, &err), ERR_FORMAT);
    if (!strstr(err.text, reason))
        fail_msg("said \"%s\", not \"%s\"", err.text, reason);
}

static void test_refusals(void **state)
{
    (void)state;
    refuse(&(struct file){.model = "t5", .has_map = true, .map_type = GGUF_U32},
           "key tokenizer.ggml.precompiled_charsmap: type array of u32, must be array of u8");
    refuse(&(struct file){.model = "t5", .has_map = true, .map_cut = 1},
           "precompiled_charsmap: its last content does not end with NUL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_t5),
        cmocka_unit_test(test_scores_tell),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
