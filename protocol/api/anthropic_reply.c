/* anthropic_reply - see anthropic_reply.h. */
#include "protocol/api/anthropic_reply.h"

static struct text stop_reason(const struct reply_choice *choice)
{
    return choice->finish != ENGINE_STOP ? TEXT("max_tokens")
           : choice->stop_string > 0     ? TEXT("stop_sequence")
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

/* The message with its text; choice NULL: it begins. */
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
        write_block(w, text_buf_text(&choice->text));
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
    w = open_event(out, "content_block_start");
    json_write_key_i64(&w, "index", 0);
    json_write_key(&w, "content_block");
    write_block(&w, TEXT(""));
    close_event(&w);
}

static void message_piece(const struct reply *reply, const struct reply_piece *piece,
                          struct text_buf *out)
{
    struct json_writer w = open_event(out, "content_block_delta");
    (void)reply;
    json_write_key_i64(&w, "index", 0);
    json_write_key(&w, "delta");
    json_write_object(&w);
    json_write_key_text(&w, "type", TEXT("text_delta"));
    json_write_key_text(&w, "text", piece->text);
    json_write_object_end(&w);
    close_event(&w);
}

static void message_choice_end(const struct reply *reply, uint32_t choice, struct text_buf *out)
{
    struct json_writer w = open_event(out, "content_block_stop");
    (void)reply;
    json_write_key_i64(&w, "index", choice);
    close_event(&w);
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
