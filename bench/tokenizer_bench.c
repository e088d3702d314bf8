/*
 * tokenizer_bench - megabytes of text per second of processor time on one core: the splitter
 * alone, and encoding. The best of several runs is reported.
 *
 *     tokenizer_bench VOCABULARY SPLITTER TEXT...
 *
 * VOCABULARY is a GGUF file or a tokenizer.json (which may be packed by xz), SPLITTER the name
 * of a splitter, such as llama-bpe.
 */
#include "base/clock.h"
#include "base/file_map.h"
#include "tests/harness/vocab_file.h"
#include "tokenizer/pretokenize.h"

#include <stdio.h>

enum { RUNS = 5 };

static size_t split(const struct pretokenize *splitter, struct text text)
{
    struct pretokenize_cursor cursor;
    struct text piece;
    size_t pieces = 0;
    pretokenize_begin(&cursor, splitter, text);
    while (pretokenize_next(&cursor, &piece))
        pieces++;
    return pieces;
}

static int measure(const struct tokenizer *tokenizer, const struct pretokenize *splitter,
                   const char *path)
{
    struct text_buf source = {0};
    struct token_list list = {0};
    struct error err;
    size_t pieces = 0;
    double split_s = 1e9, encode_s = 1e9;
    if (file_map_read(&source, path, 0, &err) != OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    const struct text text = text_buf_text(&source);
    for (int i = 0; i < RUNS; i++) {
        double begin = clock_cpu_s(), took;
        pieces = split(splitter, text);
        took = clock_cpu_s() - begin;
        split_s = took < split_s ? took : split_s;
        list.count = 0;
        begin = clock_cpu_s();
        if (tokenizer_encode(tokenizer, text, TOKENIZER_PLAIN, &list, &err) != OK)
            return 1;
        took = clock_cpu_s() - begin;
        encode_s = took < encode_s ? took : encode_s;
    }
    (void)printf("%s: %zu bytes, %zu pieces %.0f MB/s, %zu tokens %.1f MB/s\n", path, text.size,
                 pieces, (double)text.size / 1e6 / split_s, list.count,
                 (double)text.size / 1e6 / encode_s);
    token_list_deinit(&list);
    text_buf_deinit(&source);
    return 0;
}

int main(int argc, char **argv)
{
    struct tokenizer *tokenizer;
    struct error err;
    int failed = 0;
    struct arena arena = {0};
    struct pretokenize pretokenize;
    const struct splitter *splitter = argc > 3 ? splitter_find(text_of(argv[2])) : NULL;
    if (!splitter) {
        (void)fprintf(stderr, "tokenizer_bench VOCABULARY SPLITTER TEXT...; splitters: %s\n",
                      splitter_names());
        return 2;
    }
    enum status status = arena_init(&arena, 64 << 20, &err);
    if (status == OK)
        status =
            pretokenize_init(&pretokenize, splitter->steps, splitter->step_count, &arena, &err);
    if (status == OK)
        status = text_ends(text_of(argv[1]), TEXT(".gguf"))
                     ? vocab_file_open_gguf(argv[1], &tokenizer, &err)
                     : vocab_file_open_json(argv[1], &tokenizer, &err);
    if (status != OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (int i = 3; i < argc; i++)
        failed |= measure(tokenizer, &pretokenize, argv[i]);
    tokenizer_close(tokenizer);
    arena_deinit(&arena);
    return failed;
}
