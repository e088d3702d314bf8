/*
 * mask_bench - what the masks of constrained texts cost, by processor time: real schemas, and
 * the tokens of their valid instances as a model that writes them would ask for their masks.
 *
 *     mask_bench VOCABULARY [SCHEMA]
 *
 * VOCABULARY is a GGUF file or a tokenizer.json (which may be packed by xz). Each instance is
 * gone through twice, since jobs of one schema seldom come alone: the first time by a table
 * that has seen only the schema's other instances. Printed are microseconds per token, of the
 * mask and of moving past the token, and how many masks were found in the table; at last those
 * of masks at the same places when just as many tokens are left as lead to an end. With SCHEMA,
 * the name of one, its slowest place is shown too.
 */
#include "base/clock.h"
#include "engine/masks.h"
#include "engine/vocab_texts.h"
#include "tests/harness/json_case.h"
#include "tests/harness/maskbench.h"
#include "tests/harness/vocab_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMES_MAX = 1 << 20, VIEWED_BYTES = 60 };

struct times {
    double us[TIMES_MAX];
    uint32_t count;
};

struct bench {
    const struct tokenizer *tokenizer;
    const char *wanted; /* the schema of which the slowest place is shown, or NULL */
    struct vocab_texts texts;
    struct masks masks;
    struct times first, again, moves, fresh; /* fresh: of first, masks that had to be made */
    struct times near;                       /* as few tokens left as there can be */
    uint64_t found_first, refused, wrong;
    double slowest_us;
};

static void add(struct times *times, double us)
{
    if (times->count < TIMES_MAX)
        times->us[times->count++] = us;
}

static int order(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void show(const char *what, struct times *times)
{
    if (times->count == 0)
        return;
    qsort(times->us, times->count, sizeof *times->us, order);
    double sum = 0;
    for (uint32_t i = 0; i < times->count; i++)
        sum += times->us[i];
    printf("%-28s %8u  mean %8.2f  median %8.2f  p90 %8.2f  p99 %8.2f  most %8.2f us\n", what,
           times->count, sum / times->count, times->us[times->count / 2],
           times->us[times->count / 10 * 9], times->us[(uint64_t)times->count * 99 / 100],
           times->us[times->count - 1]);
}

static void show_place(struct bench *bench, const struct token_list *list, size_t at, double us)
{
    struct text_buf text = {0};
    if (us <= bench->slowest_us)
        return;
    bench->slowest_us = us;
    for (size_t i = 0; i < at; i++)
        text_buf_add(&text, tokenizer_bytes(bench->tokenizer, list->ids[i]));
    const size_t from = text.size > VIEWED_BYTES ? text.size - VIEWED_BYTES : 0;
    printf("%8.0f us after ...%s\n", us, text.data ? text.data + from : "");
    text_buf_deinit(&text);
}

static void follow(struct bench *bench, const struct constraint *constraint,
                   const struct token_list *list, bool is_first)
{
    struct constraint_text text;
    const uint64_t found = bench->masks.found;
    constraint_start(constraint, &bench->masks.walk.matcher, &text);
    for (size_t i = 0; i < list->count; i++) {
        const uint64_t made = bench->masks.made;
        const uint32_t token = (uint32_t)list->ids[i];
        masks_begin(&bench->masks);
        const double begin = clock_cpu_s();
        const uint32_t *mask = masks_of(&bench->masks, constraint, &text, UINT32_MAX - 1);
        const double us = 1e6 * (clock_cpu_s() - begin);
        add(is_first ? &bench->first : &bench->again, us);
        if (is_first && bench->masks.made > made)
            add(&bench->fresh, us);
        if (bench->wanted)
            show_place(bench, list, i, us);
        bench->wrong += (mask[token / 32] >> token % 32 & 1) == 0;
        const double then = clock_cpu_s();
        if (!constraint_advance(constraint, &bench->masks.walk.matcher, &text,
                                bench->texts.bytes[token]))
            return;
        add(&bench->moves, 1e6 * (clock_cpu_s() - then));
    }
    if (is_first)
        bench->found_first += bench->masks.found - found;
}

/* The masks along an instance whose every token is the last that may be spent on more than the
 * way to an end. */
static void hurry(struct bench *bench, const struct constraint *constraint,
                  const struct token_list *list)
{
    struct constraint_text text;
    constraint_start(constraint, &bench->masks.walk.matcher, &text);
    for (size_t i = 0; i < list->count; i++) {
        const uint32_t fewest = mask_walk_fewest(&bench->masks.walk, constraint, &text);
        masks_begin(&bench->masks);
        const double begin = clock_cpu_s();
        (void)masks_of(&bench->masks, constraint, &text, fewest);
        if (fewest > 0 && fewest != UINT32_MAX)
            add(&bench->near, 1e6 * (clock_cpu_s() - begin));
        if (!constraint_advance(constraint, &bench->masks.walk.matcher, &text,
                                bench->texts.bytes[list->ids[i]]))
            return;
    }
}

static void run_case(struct bench *bench, const struct maskbench_case *each)
{
    struct text_buf source = {0};
    struct constraint *constraint;
    struct error err;
    json_case_put(&source, each->schema);
    if (bench->wanted && !text_equal(each->name, text_of(bench->wanted))) {
        text_buf_deinit(&source);
        return;
    }
    if (constraint_new(&constraint, CONSTRAINT_SCHEMA, text_buf_text(&source), &err) != OK) {
        bench->refused++;
        text_buf_deinit(&source);
        return;
    }
    for (int round = 0; round < 3; round++) {
        const struct json *test = json_first(each->tests);
        for (; test; test = json_next(test)) {
            struct token_list list = {0};
            bool valid = false;
            json_bool(json_get(test, "valid"), &valid);
            text_buf_clear(&source);
            json_case_put(&source, json_get(test, "data"));
            if (valid && tokenizer_encode(bench->tokenizer, text_buf_text(&source),
                                          TOKENIZER_PLAIN, &list, &err) == OK) {
                if (round < 2)
                    follow(bench, constraint, &list, round == 0);
                else
                    hurry(bench, constraint, &list);
            }
            token_list_deinit(&list);
        }
    }
    text_buf_deinit(&source);
    constraint_free(constraint);
}

static enum status open_bench(struct bench *bench, struct arena *arena, struct error *err)
{
    const uint32_t vocab = tokenizer_vocab_size(bench->tokenizer);
    TRY(arena_init(arena, (size_t)1 << 30, err));
    TRY(vocab_texts_init(&bench->texts, bench->tokenizer, vocab, arena, err));
    const struct masks_options options = {
        .bytes = bench->texts.bytes, .ends = bench->texts.ends, .vocab = vocab, .rows_max = 1};
    const double begin = clock_cpu_s();
    TRY(masks_init(&bench->masks, &options, arena, err));
    printf("%u tokens, %u nodes, %u for what is not plain; ready in %.0f ms\n", vocab,
           bench->masks.walk.tree.node_count, bench->masks.walk.special.node_count,
           1e3 * (clock_cpu_s() - begin));
    return OK;
}

int main(int argc, char **argv)
{
    static struct bench bench;
    static struct maskbench file;
    struct maskbench_case each;
    struct tokenizer *tokenizer;
    struct arena arena = {0};
    struct error err;
    uint32_t schemas = 0;
    if (argc < 2) {
        (void)fprintf(stderr, "mask_bench VOCABULARY [SCHEMA]\n");
        return 2;
    }
    if (!maskbench_open(&file))
        return 77;
    enum status status = text_ends(text_of(argv[1]), TEXT(".gguf"))
                             ? vocab_file_open_gguf(argv[1], &tokenizer, &err)
                             : vocab_file_open_json(argv[1], &tokenizer, &err);
    if (status == OK) {
        bench.tokenizer = tokenizer;
        bench.wanted = argc > 2 ? argv[2] : NULL;
        status = open_bench(&bench, &arena, &err);
    }
    if (status != OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (; maskbench_next(&file, &each); schemas++)
        run_case(&bench, &each);
    show("masks, first time", &bench.first);
    show("of these, not found", &bench.fresh);
    show("masks, again", &bench.again);
    show("moving past a token", &bench.moves);
    show("masks near the last token", &bench.near);
    printf("%u schemas, %llu refused; found the first time %.1f %%; %llu tokens not allowed\n",
           schemas, (unsigned long long)bench.refused,
           100.0 * (double)bench.found_first / (bench.first.count > 0 ? bench.first.count : 1),
           (unsigned long long)bench.wrong);
    const bool ended = maskbench_close(&file);
    tokenizer_close(tokenizer);
    arena_deinit(&arena);
    return !ended;
}
