/*
 * mask_vocab_test - schemas of the wild over a real vocabulary: of valid instances each token,
 * as the tokenizer makes them, is in its mask and the end is at the end; of others one is not.
 */
#include "engine/masks.h"
#include "engine/vocab_texts.h"
#include "tests/harness/json_case.h"
#include "tests/harness/maskbench.h"
#include "tests/harness/test_data.h"
#include "tests/harness/vocab_file.h"

#include <stdio.h>
#include <stdlib.h>

struct judge {
    const struct tokenizer *tokenizer;
    struct vocab_texts texts;
    struct masks masks;
    uint64_t tokens;
    uint32_t schemas, refused, valid, invalid, wrong;
};

/* Whether all tokens are in their masks, and an end token after them. */
static bool keeps_to(struct judge *judge, const struct constraint *constraint,
                     const struct token_list *list)
{
    static struct constraint_text text;
    struct matcher *matcher = &judge->masks.walk.matcher;
    constraint_start(constraint, matcher, &text);
    for (size_t i = 0; i < list->count; i++) {
        const uint32_t token = (uint32_t)list->ids[i];
        masks_begin(&judge->masks);
        const uint32_t *mask = masks_of(&judge->masks, constraint, &text, UINT32_MAX);
        if ((mask[token / 32] >> token % 32 & 1) == 0)
            return false;
        if (!constraint_advance(constraint, matcher, &text, judge->texts.bytes[token]))
            return false;
        judge->tokens++;
    }
    const uint32_t *mask = masks_of(&judge->masks, constraint, &text, UINT32_MAX);
    for (uint32_t w = 0; w < judge->masks.walk.words; w++)
        if (mask[w] & judge->texts.ends[w])
            return true;
    return false;
}

static void run_test(struct judge *judge, const struct constraint *constraint,
                     const struct maskbench_case *each, const struct json *test)
{
    struct text_buf text = {0};
    struct token_list list = {0};
    bool valid = false;
    json_bool(json_get(test, "valid"), &valid);
    json_case_put(&text, json_get(test, "data"));
    if (tokenizer_encode(judge->tokenizer, text_buf_text(&text), TOKENIZER_PLAIN, &list,
                         NULL) != OK)
        abort();
    judge->valid += valid;
    judge->invalid += !valid;
    if (keeps_to(judge, constraint, &list) != valid) {
        printf("WRONG %s %.*s: %.200s\n", valid ? "valid" : "invalid", TEXT_ARG(each->name),
               text.data);
        judge->wrong++;
    }
    token_list_deinit(&list);
    text_buf_deinit(&text);
}

static void run_case(struct judge *judge, const struct maskbench_case *each)
{
    struct text_buf source = {0};
    struct constraint *constraint;
    if (!each->agrees)
        return;
    judge->schemas++;
    json_case_put(&source, each->schema);
    if (constraint_new(&constraint, CONSTRAINT_SCHEMA, text_buf_text(&source), NULL) != OK) {
        judge->refused++;
        text_buf_deinit(&source);
        return;
    }
    for (const struct json *test = json_first(each->tests); test; test = json_next(test))
        run_test(judge, constraint, each, test);
    constraint_free(constraint);
    text_buf_deinit(&source);
}

static bool open_judge(struct judge *judge, const char *path, struct tokenizer **tokenizer,
                       struct arena *arena)
{
    struct error err;
    if (vocab_file_open_gguf(path, tokenizer, &err) != OK) {
        printf("mask_vocab: %s\n", err.text);
        return false;
    }
    judge->tokenizer = *tokenizer;
    const uint32_t vocab = tokenizer_vocab_size(*tokenizer);
    if (arena_init(arena, (size_t)256 << 20, NULL) != OK ||
        vocab_texts_init(&judge->texts, *tokenizer, vocab, arena, NULL) != OK)
        abort();
    const struct masks_options options = {judge->texts.bytes, judge->texts.ends, vocab, 1};
    if (masks_init(&judge->masks, &options, arena, NULL) != OK)
        abort();
    return true;
}

int main(void)
{
    static struct maskbench file;
    static struct judge judge;
    struct maskbench_case each;
    struct tokenizer *tokenizer = NULL;
    struct arena arena = {0};
    const struct test_data_path path = test_data_demo_model();
    if (!maskbench_open(&file))
        return 77;
    if (!open_judge(&judge, path.text, &tokenizer, &arena)) {
        (void)maskbench_close(&file);
        return 77;
    }
    while (maskbench_next(&file, &each))
        run_case(&judge, &each);
    const bool ended = maskbench_close(&file);
    printf("%u schemas, %u refused; %u valid and %u other instances, %llu tokens: %u wrong\n",
           judge.schemas, judge.refused, judge.valid, judge.invalid,
           (unsigned long long)judge.tokens, judge.wrong);
    tokenizer_close(tokenizer);
    arena_deinit(&arena);
    return !ended || judge.valid == 0 || judge.invalid == 0 || judge.wrong > 0;
}
