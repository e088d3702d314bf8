/*
 * chat_template - a model's own chat template, parsed once and rendered per conversation.
 *
 * The rendering knows which of its bytes the template wrote and which are data from the
 * conversation (jinja.h): only the former may spell control tokens.
 *
 * Thread   an open template is read-only: any number of threads may render it.
 */
#ifndef TOKENIZER_CHAT_TEMPLATE_H
#define TOKENIZER_CHAT_TEMPLATE_H

#include "base/arena.h"
#include "tokenizer/special.h"
#include "tokenizer/tokenizer.h"

struct chat_template;
struct json;

/* Copies source. ERR_FORMAT it is no template; ERR_LIMIT past what our interpreter takes on;
 * ERR_MEMORY. */
MUST_USE enum status chat_template_open(struct text source, struct chat_template **chat,
                                        struct error *err);
void chat_template_close(struct chat_template *chat); /* NULL is fine */

struct chat_template_input {
    struct tokenizer_conversation conversation;
    struct text bos, eos; /* spellings, trusted */
    int64_t now_s;        /* Unix time for strftime_now */
};

struct chat_template_text {
    struct arena arena; /* holds the rest */
    struct text text;
    struct special_trust trusted;
};
void chat_template_text_deinit(struct chat_template_text *text); /* a zeroed one is fine */

/* Gives *out also when it fails: deinit it either way. ERR_FORMAT the template raised, or did
 * what is an error in Jinja; ERR_LIMIT an unknown construct or a budget; ERR_MEMORY. */
MUST_USE enum status chat_template_render(const struct chat_template *chat,
                                          const struct chat_template_input *input,
                                          struct chat_template_text *out, struct error *err);
/* The same from a JSON object, whose members become the template's names; its strings are data,
 * but for bos_token and eos_token. */
MUST_USE enum status chat_template_render_json(const struct chat_template *chat,
                                               const struct json *context, int64_t now_s,
                                               struct chat_template_text *out,
                                               struct error *err);

#endif
