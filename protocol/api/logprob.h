/*
 * logprob - the log-probabilities of a text's tokens, and of the likeliest beside each.
 *
 * Owner    zero a list before first use; logprob_list_deinit frees it. The bytes of tokens are
 *          the tokenizer's: valid as long as that.
 */
#ifndef API_LOGPROB_H
#define API_LOGPROB_H

#include "base/text.h"
#include "engine/engine.h"
#include "tokenizer/tokenizer.h"

struct logprob_top {
    struct text bytes;
    float logprob;
};

struct logprob_token {
    struct text bytes;
    float logprob;
    uint32_t top_first, top_count; /* of the list's tops, best first */
    uint32_t offset;               /* characters of the list's tokens before it */
};

struct logprob_list {
    struct logprob_token *tokens; /* [count] */
    struct logprob_top *tops;     /* [top_count] */
    uint32_t count, capacity, top_count, top_capacity;
    bool is_at_start; /* set by the caller: what comes next begins a whole text, and may lose a
                         space (tokenizer_decode); logprob_list_add takes it back */
    bool failed;      /* no memory: later ones are left out */
};

/* Adds an event's token; events without one add nothing. */
void logprob_list_add(struct logprob_list *list, const struct tokenizer *tokenizer,
                      const struct engine_event *event);
/* Characters of its tokens. */
uint32_t logprob_list_characters(const struct logprob_list *list);
void logprob_list_deinit(struct logprob_list *list);

#endif
