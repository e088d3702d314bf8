/*
 * tokenizer_vectors_test - real vocabularies against the ids that the Hugging Face library and
 * llama.cpp give: every string of the test data, encoded and decoded, and a book that must come
 * back byte by byte. What is not at hand is skipped with a line.
 */
#include "base/clock.h"
#include "base/file_map.h"
#include "base/json.h"
#include "tests/harness/test_data.h"
#include "tests/harness/vocab_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(enum status status, const struct error *err)
{
    if (status != OK)
        fail_msg("%s", err->text);
}

static void read_data(const char *name, struct text_buf *buf)
{
    const struct test_data_path path = test_data("%s", name);
    struct error err;
    if (!test_data_is_there(&path))
        skip();
    check(file_map_read(buf, path.text, 0, &err), &err);
}

/* SmolLM2's vocabulary is inside the demo model. */
static struct tokenizer *open_demo(void)
{
    const struct test_data_path path = test_data_demo_model();
    struct tokenizer *tokenizer = NULL;
    struct error err;
    if (!test_data_is_there(&path))
        skip();
    check(vocab_file_open_gguf(path.text, &tokenizer, &err), &err);
    return tokenizer;
}

static void check_ids(const struct token_list *list, const struct json *want, const char *name,
                      struct text string)
{
    size_t i = 0;
    for (const struct json *at = json_first(want); at; at = json_next(at), i++) {
        int64_t id = TOKEN_NONE;
        assert_true(json_i64(at, &id));
        if (i >= list->count || list->ids[i] != id)
            fail_msg("%s: token %zu of '%.*s' is %d, want %lld", name, i, TEXT_ARG(string),
                     i < list->count ? list->ids[i] : TOKEN_NONE, (long long)id);
    }
    assert_int_equal(list->count, i);
}

/* One string: its ids, and what they decode to. */
static void check_vector(const struct tokenizer *tokenizer, const char *name,
                         const struct json *string, struct text line)
{
    struct token_list list = {0};
    struct text_buf decoded = {0};
    struct text text, want;
    struct json *vector;
    struct error err;
    check(json_parse(line, 0, &vector, &err), &err);
    assert_true(json_text(string, &text));
    check(tokenizer_encode(tokenizer, text, TOKENIZER_SPECIAL, &list, &err), &err);
    check_ids(&list, json_get(vector, "ids"), name, text);
    if (json_get(vector, "with_special")) {
        struct token_list bounded = {0};
        const uint32_t flags = TOKENIZER_SPECIAL | TOKENIZER_BOUNDS;
        check(tokenizer_encode(tokenizer, text, flags, &bounded, &err), &err);
        check_ids(&bounded, json_get(vector, "with_special"), name, text);
        token_list_deinit(&bounded);
    }
    want = text;
    (void)json_text(json_get(vector, "decoded"), &want);
    tokenizer_decode(tokenizer, list.ids, list.count, true, &decoded);
    if (!text_equal(text_buf_text(&decoded), want))
        fail_msg("%s: '%.*s' comes back as '%s'", name, TEXT_ARG(text), decoded.data);
    json_free(vector);
    token_list_deinit(&list);
    text_buf_deinit(&decoded);
}

/* tokenizers/vectors/dev: line i of name.jsonl belongs to string i. */
static void check_vectors(const struct tokenizer *tokenizer, const char *name)
{
    struct text_buf strings = {0}, lines = {0};
    struct json *root;
    struct error err;
    char file[128];
    (void)snprintf(file, sizeof file, "tokenizers/vectors/dev/%s.jsonl", name);
    read_data("tokenizers/vectors/dev/strings.json", &strings);
    read_data(file, &lines);
    check(json_parse(text_buf_text(&strings), 0, &root, &err), &err);
    const struct text all = text_buf_text(&lines);
    size_t begin = 0, count = 0;
    for (const struct json *at = json_first(root); at; at = json_next(at), count++) {
        const size_t end = text_find(all, TEXT("\n"), begin);
        assert_true(begin < all.size);
        check_vector(tokenizer, name, at, text_slice(all, begin, end));
        begin = end < all.size ? end + 1 : all.size;
    }
    print_message("%s: %zu of %zu strings identical\n", name, count, json_count(root));
    assert_true(count > 0 && begin == all.size);
    json_free(root);
    text_buf_deinit(&strings);
    text_buf_deinit(&lines);
}

/* The ids of a line of numbers. */
static void check_line(const struct tokenizer *tokenizer, const char *name, struct text text,
                       struct text line)
{
    struct token_list list = {0};
    struct text_buf written = {0};
    struct error err;
    check(tokenizer_encode(tokenizer, text, TOKENIZER_SPECIAL, &list, &err), &err);
    for (size_t i = 0; i < list.count; i++)
        text_buf_format(&written, "%s%d", i > 0 ? " " : "", list.ids[i]);
    if (!text_equal(text_buf_text(&written), text_trim(line)))
        fail_msg("%s: '%.*s' gives %s, want %.*s", name, TEXT_ARG(text), written.data,
                 TEXT_ARG(line));
    token_list_deinit(&list);
    text_buf_deinit(&written);
}

/* tokenizers/gguf_vocab: strings with a separator line between, ids line by line. */
static void check_out_file(const struct tokenizer *tokenizer, const char *name)
{
    const struct text separator = TEXT("\n__ggml_vocab_test__\n");
    struct text_buf input = {0}, lines = {0};
    char file[128];
    (void)snprintf(file, sizeof file, "tokenizers/gguf_vocab/ggml-vocab-%s.gguf.out", name);
    read_data("tokenizers/gguf_vocab/ggml-vocab.inp", &input);
    read_data(file, &lines);
    const struct text strings = text_buf_text(&input), all = text_buf_text(&lines);
    size_t at = 0, line = 0, count = 0;
    while (line < all.size) {
        size_t end = text_find(strings, separator, at);
        size_t line_end = text_find(all, TEXT("\n"), line);
        end = end < strings.size ? end : strings.size;
        line_end = line_end < all.size ? line_end : all.size;
        check_line(tokenizer, name, text_slice(strings, at, end),
                   text_slice(all, line, line_end));
        at = end + separator.size;
        line = line_end + 1;
        count++;
    }
    print_message("%s: %zu strings identical\n", name, count);
    assert_true(count >= 46);
    text_buf_deinit(&input);
    text_buf_deinit(&lines);
}

static void test_smollm2(void **state)
{
    struct tokenizer *tokenizer = open_demo();
    (void)state;
    check_vectors(tokenizer, "smollm2");
    tokenizer_close(tokenizer);
}

static enum status open_vocabulary(const char *name, struct tokenizer **tokenizer,
                                   struct error *err)
{
    const struct test_data_path path =
        test_data("tokenizers/gguf_vocab/ggml-vocab-%s.gguf", name);
    if (!test_data_is_there(&path))
        skip();
    return vocab_file_open_gguf(path.text, tokenizer, err);
}

static void test_gguf_vocabularies(void **state)
{
    static const char *const names[] = {"gpt-2",     "starcoder", "falcon",
                                        "llama-spm", "phi-3",     "deepseek-llm"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct tokenizer *tokenizer;
        struct error err;
        check(open_vocabulary(names[i], &tokenizer, &err), &err);
        check_out_file(tokenizer, names[i]);
        if (strcmp(names[i], "llama-spm") == 0)
            check_vectors(tokenizer, "llama2-sentencepiece");
        tokenizer_close(tokenizer);
    }
}

static void test_json_vocabularies(void **state)
{
    static const struct {
        const char *file, *vectors, *out;
    } cases[] = {
        {"tokenizers/gpt2/tokenizer.json.xz", "gpt2", "gpt-2"},
        {"tokenizers/llama3/tokenizer.json.xz", "llama3", "llama-bpe"},
        {"tokenizers/llama3.2/tokenizer.json.xz", "llama3.2", NULL},
        {"tokenizers/qwen2.5/tokenizer.json.xz", "qwen2.5", "qwen2"},
        {"tokenizers/qwen3/tokenizer.json.xz", "qwen3", NULL},
        {"tokenizers/mistral-nemo/tokenizer.json.xz", "mistral-nemo", NULL},
        {"tokenizers/llama2/tokenizer.json.xz", "llama2-hf", NULL},
        {"tokenizers/mistral-v0.1-spm/tokenizer.json.xz", "mistral-v0.1-spm", NULL},
        {"tokenizers/gemma2/tokenizer.json.xz", "gemma2", NULL},
        {"tokenizers/gemma3/tokenizer.json.xz", "gemma3", NULL},
        {"models/tinystories656k/tokenizer.json", "tinystories656k", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tokenizer *tokenizer;
        struct error err;
        const struct test_data_path path = test_data("%s", cases[i].file);
        if (!test_data_is_there(&path))
            skip();
        check(vocab_file_open_json(path.text, &tokenizer, &err), &err);
        check_vectors(tokenizer, cases[i].vectors);
        if (cases[i].out)
            check_out_file(tokenizer, cases[i].out);
        tokenizer_close(tokenizer);
    }
}

/* A whole book comes back; the speed is printed, not judged. */
static void test_book(void **state)
{
    struct tokenizer *tokenizer = open_demo();
    struct text_buf book = {0}, decoded = {0};
    struct token_list list = {0};
    struct error err;
    (void)state;
    read_data("text/moby-dick.txt", &book);
    const double begin_s = clock_now_s();
    check(tokenizer_encode(tokenizer, text_buf_text(&book), TOKENIZER_PLAIN, &list, &err),
          &err);
    const double encode_s = clock_now_s() - begin_s;
    tokenizer_decode(tokenizer, list.ids, list.count, false, &decoded);
    const double decode_s = clock_now_s() - begin_s - encode_s;
    assert_true(text_equal(text_buf_text(&book), text_buf_text(&decoded)));
    print_message("book: %zu bytes, %zu tokens, encode %.1f MB/s, decode %.1f MB/s\n",
                  book.size, list.count, (double)book.size / 1e6 / encode_s,
                  (double)book.size / 1e6 / decode_s);
    token_list_deinit(&list);
    text_buf_deinit(&book);
    text_buf_deinit(&decoded);
    tokenizer_close(tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_smollm2),
        cmocka_unit_test(test_gguf_vocabularies),
        cmocka_unit_test(test_json_vocabularies),
        cmocka_unit_test(test_book),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
