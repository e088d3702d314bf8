/*
 * tokenizer_fuzz - libFuzzer target: any bytes as a tokenizer.json. Where one opens, a text is
 * encoded and its tokens are decoded, special spellings and bounds among them.
 *
 *     tokenizer_fuzz -max_len=4096 -rss_limit_mb=512 -timeout=2 CORPUS
 */
#include "tokenizer/tokenizer_json.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(const struct tokenizer *tokenizer, struct text text)
{
    struct token_list list = {0};
    struct text_buf decoded = {0};
    const uint32_t flags = TOKENIZER_SPECIAL | TOKENIZER_BOUNDS;
    if (tokenizer_encode(tokenizer, text, flags, &list, NULL) == OK)
        tokenizer_decode(tokenizer, list.ids, list.count, true, &decoded);
    for (size_t i = 0; i < list.count; i++)
        assert(list.ids[i] >= 0 && (uint32_t)list.ids[i] < tokenizer_vocab_size(tokenizer));
    token_list_deinit(&list);
    text_buf_deinit(&decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);
    struct tokenizer *tokenizer;
    struct error err = {0};
    if (!copy)
        return 0;
    if (size > 0)
        memcpy(copy, data, size);
    const struct tokenizer_json_input input = {.tokenizer = {copy, size}};
    if (tokenizer_json_open(&input, &tokenizer, &err) == OK) {
        use(tokenizer, TEXT("ab <x>  a\n\xe2\x96\x81 12345 it's \xc3\xa9\xff"));
        use(tokenizer, (struct text){copy, size});
        tokenizer_close(tokenizer);
    } else {
        assert(err.status != OK && err.text[0] != '\0');
    }
    free(copy);
    return 0;
}
