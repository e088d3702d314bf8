/* logprob - see logprob.h. */
#include "protocol/api/logprob.h"

#include <stdlib.h>

/* Room for wanted items of size bytes; false: no memory, and what was there is kept. */
static bool grow(void **items, uint32_t *capacity, uint32_t wanted, size_t size)
{
    uint32_t made = *capacity > 0 ? *capacity : 16;
    while (made < wanted)
        made *= 2; /* events are capped by the context */
    if (made == *capacity)
        return true;
    void *grown = realloc(*items, made * size);
    if (!grown)
        return false;
    *items = grown;
    *capacity = made;
    return true;
}

/* Bytes that begin a character. */
static uint32_t characters(struct text text)
{
    uint32_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

uint32_t logprob_list_characters(const struct logprob_list *list)
{
    if (list->count == 0)
        return 0;
    const struct logprob_token *last = &list->tokens[list->count - 1];
    return last->offset + characters(last->bytes);
}

/* A token's bytes where it begins a text. */
static struct text first_bytes(const struct tokenizer *tokenizer, token_id token)
{
    const struct text bytes = tokenizer_bytes(tokenizer, token);
    struct text_buf shown = {0};
    tokenizer_decode(tokenizer, &token, 1, false, &shown);
    const size_t lost = bytes.size > shown.size && !shown.failed ? bytes.size - shown.size : 0;
    text_buf_deinit(&shown);
    return text_slice(bytes, lost, bytes.size);
}

void logprob_list_add(struct logprob_list *list, const struct tokenizer *tokenizer,
                      const struct engine_event *event)
{
    if (event->token == TOKEN_NONE || list->failed)
        return;
    const uint32_t offset = logprob_list_characters(list);
    list->failed =
        !grow((void **)&list->tokens, &list->capacity, list->count + 1, sizeof *list->tokens) ||
        !grow((void **)&list->tops, &list->top_capacity, list->top_count + event->top_count,
              sizeof *list->tops);
    if (list->failed)
        return;
    struct logprob_token *token = &list->tokens[list->count++];
    *token = (struct logprob_token){.bytes = tokenizer_bytes(tokenizer, event->token),
                                    .logprob = event->logprob,
                                    .top_first = list->top_count,
                                    .offset = offset};
    if (list->is_at_start && token->bytes.size > 0) {
        token->bytes = first_bytes(tokenizer, event->token);
        list->is_at_start = false;
    }
    for (uint32_t i = 0; i < event->top_count && event->tops[i].token != TOKEN_NONE; i++) {
        list->tops[list->top_count++] = (struct logprob_top){
            tokenizer_bytes(tokenizer, event->tops[i].token), event->tops[i].logprob};
        token->top_count++;
    }
}

void logprob_list_deinit(struct logprob_list *list)
{
    free(list->tokens);
    free(list->tops);
    *list = (struct logprob_list){0};
}
