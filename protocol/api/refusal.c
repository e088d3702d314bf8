/* refusal - see refusal.h. */
#include "protocol/api/refusal.h"

#include "protocol/api/openai_reply.h"

int refusal_status(enum status status)
{
    switch (status) {
    case ERR_FORMAT:
    case ERR_LIMIT:
        return 400;
    case ERR_REMOTE:
        return 502;
    case ERR_MEMORY:
    case ERR_DEVICE:
        return 503;
    default:
        return 500;
    }
}

void refusal_answer(struct http_exchange *exchange, const struct reply_wire *wire,
                    const struct reply_error *error)
{
    static const struct http_field again = {"Retry-After", "1"};
    static const struct http_field challenge = {"WWW-Authenticate", "Bearer"};
    const bool is_later = error->status == 429 || error->status == 503;
    const bool has_field = is_later || error->status == 401;
    struct text_buf body = {0};
    (wire ? wire : &openai_reply_chat_wire)->error(error, &body);
    http_answer(exchange, &(struct http_reply){.status = error->status,
                                               .body = text_buf_text(&body),
                                               .fields = is_later ? &again : &challenge,
                                               .field_count = has_field});
    text_buf_deinit(&body);
}

void refusal_say(struct http_exchange *exchange, int status, const char *sentence)
{
    refusal_answer(exchange, NULL,
                   &(struct reply_error){.status = status, .text = text_of(sentence)});
}
