/* anthropic_reply - see anthropic_reply.h. */
#include "protocol/api/anthropic_reply.h"

static struct text stop_reason(const struct reply_choice *choice)
{
    return choice->calls.count > 0         ? TEXT("tool_use")
           : choice->finish != ENGINE_STOP ? TEXT("max_tokens")
           : choice->stop_string > 0       ? TEXT("stop_sequence")
                                           : TEXT("end_turn");
}

/* Why the message ended; choice NULL: it goes on. */
static void write_stop(struct json_writer *w, const struct reply *reply,
                       const struct reply_choice *choice)
{
    json_write_key(w, "stop_reason");
    if (choice)
        json_write_text(w, stop_reason(choice));
    else
        json_write_null(w);
    json_write_key(w, "stop_sequence");
    if (choice && choice->finish == ENGINE_STOP && choice->stop_string > 0 &&
        choice->stop_string <= reply->stop_count)
        json_write_text(w, text_buf_text(&reply->stops[choice->stop_string - 1]));
    else
        json_write_null(w);
}

static void write_usage(struct json_writer *w, uint32_t input_tokens, uint32_t output_tokens)
{
    json_write_key(w, "usage");
    json_write_object(w);
    json_write_key_i64(w, "input_tokens", input_tokens);
    json_write_key_i64(w, "cache_creation_input_tokens", 0);
    json_write_key_i64(w, "cache_read_input_tokens", 0);
    json_write_key_i64(w, "output_tokens", output_tokens);
    json_write_object_end(w);
}

static void write_block(struct json_writer *w, struct text text)
{
    json_write_object(w);
    json_write_key_text(w, "type", TEXT("text"));
    json_write_key_text(w, "text", text);
    json_write_object_end(w);
}

/* A call with its input, which in a stream follows by itself. */
static void write_call(struct json_writer *w, const struct reply *reply, uint32_t index,
                       struct text input)
{
    char id[TOOL_CALLS_ID_SIZE + 1];
    tool_calls_id(reply->id, 0, index, id);
    json_write_object(w);
    json_write_key_text(w, "type", TEXT("tool_use"));
    json_write_key_text(w, "id", text_of(id));
    json_write_key_text(w, "name", text_buf_text(&reply->choices[0].calls.list[index].name));
    json_write_key(w, "input");
    json_write_raw(w, input);
    json_write_object_end(w);
}

static void write_blocks(struct json_writer *w, const struct reply *reply)
{
    const struct reply_choice *choice = &reply->choices[0];
    const struct tool_calls *calls = &choice->calls;
    if (calls->count == 0 || text_trim(text_buf_text(&choice->text)).size > 0)
        write_block(w, text_buf_text(&choice->text));
    for (uint32_t i = 0; i < calls->count; i++)
        write_call(w, reply, i, text_buf_text(&calls->list[i].arguments));
}

/* The message with its blocks; choice NULL: it begins. */
static void write_message(struct json_writer *w, const struct reply *reply,
                          const struct reply_choice *choice)
{
    json_write_object(w);
    json_write_key_text(w, "id", text_of(reply->id));
    json_write_key_text(w, "type", TEXT("message"));
    json_write_key_text(w, "role", TEXT("assistant"));
    json_write_key_text(w, "model", reply->model);
    json_write_key(w, "content");
    json_write_array(w);
    if (choice)
        write_blocks(w, reply);
    json_write_array_end(w);
    write_stop(w, reply, choice);
    write_usage(w, choice ? reply->prompt_tokens : reply->asked_tokens,
                choice ? reply->completion_tokens : 0);
    json_write_object_end(w);
}

static void message_whole(const struct reply *reply, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    write_message(&w, reply, &reply->choices[0]);
}

/* ---- as events ---- */

static struct json_writer open_event(struct text_buf *out, const char *name)
{
    struct json_writer w = {.out = out};
    text_buf_format(out, "event: %s\ndata: ", name);
    json_write_object(&w);
    json_write_key_text(&w, "type", text_of(name));
    return w;
}

static void close_event(struct json_writer *w)
{
    json_write_object_end(w);
    text_buf_add(w->out, TEXT("\n\n"));
}

static void message_begin(const struct reply *reply, struct text_buf *out)
{
    struct json_writer w = open_event(out, "message_start");
    json_write_key(&w, "message");
    write_message(&w, reply, NULL);
    close_event(&w);
}

static struct json_writer open_block_event(struct text_buf *out, const char *name,
                                           uint32_t index)
{
    struct json_writer w = open_event(out, name);
    json_write_key_i64(&w, "index", index);
    return w;
}

static void begin_text(struct text_buf *out)
{
    struct json_writer w = open_block_event(out, "content_block_start", 0);
    json_write_key(&w, "content_block");
    write_block(&w, TEXT(""));
    close_event(&w);
}

/* More of a block: field is what it is of. */
static void write_delta(struct text_buf *out, uint32_t index, const char *type,
                        const char *field, struct text more)
{
    struct json_writer w = open_block_event(out, "content_block_delta", index);
    json_write_key(&w, "delta");
    json_write_object(&w);
    json_write_key_text(&w, "type", text_of(type));
    json_write_key_text(&w, field, more);
    json_write_object_end(&w);
    close_event(&w);
}

static void end_block(struct text_buf *out, uint32_t index)
{
    struct json_writer w = open_block_event(out, "content_block_stop", index);
    close_event(&w);
}

static void message_piece(const struct reply *reply, const struct reply_piece *piece,
                          struct text_buf *out)
{
    if (reply->piece_count == 0)
        begin_text(out);
    write_delta(out, 0, "text_delta", "text", piece->text);
}

static void message_choice_end(const struct reply *reply, uint32_t choice, struct text_buf *out)
{
    const struct tool_calls *calls = &reply->choices[choice].calls;
    uint32_t index = 0;
    if (reply->piece_count == 0 && calls->count == 0)
        begin_text(out);
    if (reply->piece_count > 0 || calls->count == 0)
        end_block(out, index++);
    for (uint32_t i = 0; i < calls->count; i++, index++) {
        struct json_writer w = open_block_event(out, "content_block_start", index);
        json_write_key(&w, "content_block");
        write_call(&w, reply, i, TEXT("{}"));
        close_event(&w);
        write_delta(out, index, "input_json_delta", "partial_json",
                    text_buf_text(&calls->list[i].arguments));
        end_block(out, index);
    }
}

static void message_end(const struct reply *reply, struct text_buf *out)
{
    struct json_writer w = open_event(out, "message_delta");
    json_write_key(&w, "delta");
    json_write_object(&w);
    write_stop(&w, reply, &reply->choices[0]);
    json_write_object_end(&w);
    write_usage(&w, reply->prompt_tokens, reply->completion_tokens);
    close_event(&w);
    w = open_event(out, "message_stop");
    close_event(&w);
}

/* ---- errors ---- */

static struct text error_type(int status)
{
    switch (status) {
    case 401:
        return TEXT("authentication_error");
    case 403:
        return TEXT("permission_error");
    case 404:
        return TEXT("not_found_error");
    case 413:
        return TEXT("request_too_large");
    case 429:
        return TEXT("rate_limit_error");
    case 503:
        return TEXT("overloaded_error");
    default:
        return status < 500 ? TEXT("invalid_request_error") : TEXT("api_error");
    }
}

static void write_error(struct json_writer *w, const struct reply_error *error)
{
    json_write_key(w, "error");
    json_write_object(w);
    json_write_key_text(w, "type", error_type(error->status));
    json_write_key_text(w, "message", error->text);
    json_write_object_end(w);
}

static void message_error(const struct reply_error *error, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    json_write_object(&w);
    json_write_key_text(&w, "type", TEXT("error"));
    write_error(&w, error);
    json_write_object_end(&w);
}

static void message_stream_error(const struct reply_error *error, struct text_buf *out)
{
    struct json_writer w = open_event(out, "error");
    write_error(&w, error);
    close_event(&w);
}

const struct reply_wire anthropic_reply_wire = {
    .stream_type = "text/event-stream",
    .id_prefix = "msg_",
    .whole = message_whole,
    .begin = message_begin,
    .piece = message_piece,
    .choice_end = message_choice_end,
    .end = message_end,
    .error = message_error,
    .stream_error = message_stream_error,
};
