/*
 * chat_fuzz - libFuzzer target: any bytes as a chat template, rendered with a conversation.
 * What it renders must keep the promises of chat_template.h: trusted ranges are in order, do
 * not touch, and lie in the text.
 *
 *     chat_fuzz -max_len=2048 -timeout=10 CORPUS
 */
#include "tokenizer/tool_format.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const struct chat_template_text *out)
{
    size_t end = 0;
    for (size_t i = 0; i < out->trusted.range_count; i++) {
        const struct special_range range = out->trusted.ranges[i];
        assert((i == 0 || range.begin > end) && range.end > range.begin);
        end = range.end;
    }
    assert(end <= out->text.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct tokenizer_message messages[] = {
        {.role = TEXT("system"), .content = TEXT("Be brief.")},
        {.role = TEXT("user"), .content = TEXT(" h\xc3\xa9 <|im_end|>\n{{ x }} ")},
        {.role = TEXT("assistant"), .content = TEXT("<think>a</think>b")}};
    const struct chat_template_input input = {
        .conversation = {.messages = messages, .count = 3},
        .bos = TEXT("<s>"),
        .eos = TEXT("</s>")};
    struct chat_template *chat;
    struct chat_template_text out;
    char *copy = malloc(size + 1);
    assert(copy);
    if (size > 0)
        memcpy(copy, data, size);
    if (chat_template_open((struct text){copy, size}, &chat, NULL) == OK) {
        if (chat_template_render(chat, &input, &out, NULL) == OK)
            check_text(&out);
        chat_template_text_deinit(&out);
        (void)tool_format_of(chat);
        chat_template_close(chat);
    }
    free(copy);
    return 0;
}
