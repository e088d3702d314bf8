/* openai_reply - see openai_reply.h. */
#include "protocol/api/openai_reply.h"

/* A token, its log-probability and its bytes; what is no UTF-8 by itself shows as U+FFFD. */
static void write_token(struct json_writer *w, const struct logprob_top *token)
{
    struct text_buf shown = {0};
    char character[4];
    for (size_t at = 0; at < token->bytes.size;) {
        const uint32_t next = text_utf8_next(token->bytes, &at);
        const size_t size = text_utf8_put(next == UINT32_MAX ? 0xfffd : next, character);
        text_buf_add(&shown, (struct text){character, size});
    }
    json_write_key_text(w, "token", text_buf_text(&shown));
    json_write_key_double(w, "logprob",
                          token->logprob > OPENAI_REPLY_LOGPROB_MIN
                              ? (double)token->logprob
                              : (double)OPENAI_REPLY_LOGPROB_MIN);
    json_write_key(w, "bytes");
    json_write_array(w);
    for (size_t i = 0; i < token->bytes.size; i++)
        json_write_i64(w, (unsigned char)token->bytes.data[i]);
    json_write_array_end(w);
    text_buf_deinit(&shown);
}

void openai_reply_tokens(struct json_writer *w, const struct logprob_list *list, uint32_t first,
                         uint32_t count)
{
    json_write_array(w);
    for (uint32_t i = first; i < first + count; i++) {
        const struct logprob_token *token = &list->tokens[i];
        json_write_object(w);
        write_token(w, &(struct logprob_top){token->bytes, token->logprob});
        json_write_key(w, "top_logprobs");
        json_write_array(w);
        for (uint32_t t = 0; t < token->top_count; t++) {
            json_write_object(w);
            write_token(w, &list->tops[token->top_first + t]);
            json_write_object_end(w);
        }
        json_write_array_end(w);
        json_write_object_end(w);
    }
    json_write_array_end(w);
}

const char *openai_reply_finish(enum engine_finish finish)
{
    return finish == ENGINE_STOP ? "stop" : finish == ENGINE_DEADLINE ? "deadline" : "length";
}

/* A choice's logprobs, or null where they were not asked for. */
static void write_logprobs(struct json_writer *w, const struct reply *reply,
                           const struct reply_piece *piece)
{
    json_write_key(w, "logprobs");
    if (!reply->has_logprobs) {
        json_write_null(w);
        return;
    }
    json_write_object(w);
    json_write_key(w, "content");
    openai_reply_tokens(w, &reply->choices[piece->choice].logprobs, piece->token_first,
                        piece->token_count);
    json_write_key(w, "refusal");
    json_write_null(w);
    json_write_object_end(w);
}

static const char *choice_finish(const struct reply_choice *choice)
{
    return choice->calls.count > 0 ? "tool_calls" : openai_reply_finish(choice->finish);
}

/* Of a choice's call: its name and id, where that is wanted, and arguments. */
static void write_call(struct json_writer *w, const struct tool_call *call, const char *id,
                       struct text arguments)
{
    if (id) {
        json_write_key_text(w, "id", text_of(id));
        json_write_key_text(w, "type", TEXT("function"));
    }
    json_write_key(w, "function");
    json_write_object(w);
    if (id)
        json_write_key_text(w, "name", text_buf_text(&call->name));
    json_write_key_text(w, "arguments", arguments);
    json_write_object_end(w);
}

static void write_calls(struct json_writer *w, const struct reply *reply, uint32_t index)
{
    const struct tool_calls *calls = &reply->choices[index].calls;
    json_write_key(w, "tool_calls");
    json_write_array(w);
    for (uint32_t i = 0; i < calls->count; i++) {
        char id[TOOL_CALLS_ID_SIZE + 1];
        tool_calls_id(reply->id, index, i, id);
        json_write_object(w);
        write_call(w, &calls->list[i], id, text_buf_text(&calls->list[i].arguments));
        json_write_object_end(w);
    }
    json_write_array_end(w);
}

static void write_choice(struct json_writer *w, const struct reply *reply, uint32_t index)
{
    const struct reply_choice *choice = &reply->choices[index];
    const struct reply_piece all = {.choice = index, .token_count = choice->logprobs.count};
    json_write_object(w);
    json_write_key_i64(w, "index", index);
    json_write_key(w, "message");
    json_write_object(w);
    json_write_key_text(w, "role", TEXT("assistant"));
    json_write_key(w, "content");
    if (choice->calls.count > 0 && text_trim(text_buf_text(&choice->text)).size == 0)
        json_write_null(w);
    else
        json_write_text(w, text_buf_text(&choice->text));
    json_write_key(w, "refusal");
    json_write_null(w);
    if (choice->calls.count > 0)
        write_calls(w, reply, index);
    json_write_object_end(w);
    write_logprobs(w, reply, &all);
    json_write_key_text(w, "finish_reason", text_of(choice_finish(choice)));
    json_write_object_end(w);
}

void openai_reply_usage(struct json_writer *w, const struct reply *reply)
{
    json_write_key(w, "usage");
    json_write_object(w);
    json_write_key_i64(w, "prompt_tokens", reply->prompt_tokens);
    json_write_key_i64(w, "completion_tokens", reply->completion_tokens);
    json_write_key_i64(w, "total_tokens",
                       (int64_t)reply->prompt_tokens + reply->completion_tokens);
    json_write_key(w, "prompt_tokens_details");
    json_write_object(w);
    json_write_key_i64(w, "cached_tokens", reply->cached_tokens);
    json_write_object_end(w);
    json_write_object_end(w);
}

static void write_head(struct json_writer *w, const struct reply *reply, struct text object)
{
    json_write_object(w);
    json_write_key_text(w, "id", text_of(reply->id));
    json_write_key_text(w, "object", object);
    json_write_key_i64(w, "created", reply->created);
    json_write_key_text(w, "model", reply->model);
    json_write_key(w, "choices");
    json_write_array(w);
}

void openai_reply_chat(struct json_writer *w, const struct reply *reply)
{
    write_head(w, reply, TEXT("chat.completion"));
    for (uint32_t i = 0; i < reply->choice_count; i++)
        write_choice(w, reply, i);
    json_write_array_end(w);
    openai_reply_usage(w, reply);
    json_write_object_end(w);
}

void openai_reply_error(struct json_writer *w, const struct reply_error *error)
{
    const char *type = error->status == 401   ? "authentication_error"
                       : error->status == 403 ? "permission_error"
                       : error->status == 404 ? "not_found_error"
                       : error->status == 429 ? "rate_limit_error"
                       : error->status < 500  ? "invalid_request_error"
                                              : "server_error";
    json_write_object(w);
    json_write_key(w, "error");
    json_write_object(w);
    json_write_key_text(w, "message", error->text);
    json_write_key_text(w, "type", text_of(type));
    json_write_key(w, "param");
    if (error->param)
        json_write_text(w, text_of(error->param));
    else
        json_write_null(w);
    json_write_key(w, "code");
    json_write_null(w);
    json_write_object_end(w);
    json_write_object_end(w);
}

/* ---- as a wire ---- */

static void chat_whole(const struct reply *reply, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    openai_reply_chat(&w, reply);
}

void openai_reply_error_whole(const struct reply_error *error, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    openai_reply_error(&w, error);
}

void openai_reply_error_event(const struct reply_error *error, struct text_buf *out)
{
    text_buf_add(out, TEXT("data: "));
    openai_reply_error_whole(error, out);
    text_buf_add(out, TEXT("\n\n"));
}

/* What stands behind a chunk's choice. */
static void write_chunk_end(struct json_writer *w, const struct reply *reply)
{
    json_write_object_end(w);
    json_write_array_end(w);
    if (reply->has_usage) {
        json_write_key(w, "usage");
        json_write_null(w);
    }
    json_write_object_end(w);
    text_buf_add(w->out, TEXT("\n\n"));
}

/* A chunk with one choice. piece NULL: its end; its text {NULL}: its beginning. */
static void write_chunk(const struct reply *reply, uint32_t choice,
                        const struct reply_piece *piece, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    text_buf_add(out, TEXT("data: "));
    write_head(&w, reply, TEXT("chat.completion.chunk"));
    json_write_object(&w);
    json_write_key_i64(&w, "index", choice);
    json_write_key(&w, "delta");
    json_write_object(&w);
    if (piece && !piece->text.data)
        json_write_key_text(&w, "role", TEXT("assistant"));
    if (piece)
        json_write_key_text(&w, "content", piece->text);
    json_write_object_end(&w);
    if (piece && piece->text.data) {
        write_logprobs(&w, reply, piece);
    } else {
        json_write_key(&w, "logprobs");
        json_write_null(&w);
    }
    json_write_key(&w, "finish_reason");
    if (piece)
        json_write_null(&w);
    else
        json_write_text(&w, text_of(choice_finish(&reply->choices[choice])));
    write_chunk_end(&w, reply);
}

static void chat_begin(const struct reply *reply, struct text_buf *out)
{
    const struct reply_piece nothing = {0};
    for (uint32_t i = 0; i < reply->choice_count; i++)
        write_chunk(reply, i, &nothing, out);
}

static void chat_piece(const struct reply *reply, const struct reply_piece *piece,
                       struct text_buf *out)
{
    write_chunk(reply, piece->choice, piece, out);
}

/* A chunk with a part of a call. */
static void write_call_chunk(const struct reply *reply, uint32_t choice, uint32_t index,
                             bool is_head, struct text_buf *out)
{
    const struct tool_call *call = &reply->choices[choice].calls.list[index];
    char id[TOOL_CALLS_ID_SIZE + 1];
    struct json_writer w = {.out = out};
    tool_calls_id(reply->id, choice, index, id);
    text_buf_add(out, TEXT("data: "));
    write_head(&w, reply, TEXT("chat.completion.chunk"));
    json_write_object(&w);
    json_write_key_i64(&w, "index", choice);
    json_write_key(&w, "delta");
    json_write_object(&w);
    json_write_key(&w, "tool_calls");
    json_write_array(&w);
    json_write_object(&w);
    json_write_key_i64(&w, "index", index);
    write_call(&w, call, is_head ? id : NULL,
               is_head ? TEXT("") : text_buf_text(&call->arguments));
    json_write_object_end(&w);
    json_write_array_end(&w);
    json_write_object_end(&w);
    json_write_key(&w, "logprobs");
    json_write_null(&w);
    json_write_key(&w, "finish_reason");
    json_write_null(&w);
    write_chunk_end(&w, reply);
}

static void chat_choice_end(const struct reply *reply, uint32_t choice, struct text_buf *out)
{
    for (uint32_t i = 0; i < reply->choices[choice].calls.count; i++) {
        write_call_chunk(reply, choice, i, true, out);
        write_call_chunk(reply, choice, i, false, out);
    }
    write_chunk(reply, choice, NULL, out);
}

static void chat_end(const struct reply *reply, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    if (reply->has_usage) {
        text_buf_add(out, TEXT("data: "));
        write_head(&w, reply, TEXT("chat.completion.chunk"));
        json_write_array_end(&w);
        openai_reply_usage(&w, reply);
        json_write_object_end(&w);
        text_buf_add(out, TEXT("\n\n"));
    }
    text_buf_add(out, TEXT("data: [DONE]\n\n"));
}

const struct reply_wire openai_reply_chat_wire = {
    .stream_type = "text/event-stream",
    .whole = chat_whole,
    .begin = chat_begin,
    .piece = chat_piece,
    .choice_end = chat_choice_end,
    .end = chat_end,
    .error = openai_reply_error_whole,
    .stream_error = openai_reply_error_event,
};
