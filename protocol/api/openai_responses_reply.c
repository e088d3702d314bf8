/*
 * openai_responses_reply - replies in the words of OpenAI's responses.
 *
 *     response.created, .in_progress
 *     response.output_item.added, .content_part.added         of each message
 *     response.output_text.delta                              as it is written
 *     response.output_text.done, .content_part.done, .output_item.done
 *     response.completed, or .incomplete
 *
 * Events are numbered in a row; a message is a choice, of which there is one unless users'
 * messages were taken as a batch.
 */
#include "protocol/api/openai_reply.h"
#include "protocol/api/openai_responses.h"

#include <string.h>

enum { EVENTS_BEGIN = 2, EVENTS_ITEM_BEGIN = 2, EVENTS_ITEM_END = 3 };

/* Of a reply that goes on, that is there, or whose item is. */
enum stage { GOES_ON, IS_DONE };

static bool is_whole(const struct reply_choice *choice)
{
    return choice->finish == ENGINE_STOP;
}

static const char *status_of(const struct reply *reply, enum stage stage)
{
    if (stage == GOES_ON)
        return "in_progress";
    for (uint32_t i = 0; i < reply->choice_count; i++)
        if (!is_whole(&reply->choices[i]))
            return "incomplete";
    return "completed";
}

static void write_item_id(struct json_writer *w, const char *key, const struct reply *reply,
                          uint32_t choice)
{
    struct text_buf id = {0};
    const char *random = strchr(reply->id, '_');
    text_buf_format(&id, "msg_%s_%u", random ? random + 1 : reply->id, choice);
    json_write_key_text(w, key, text_buf_text(&id));
    text_buf_deinit(&id);
}

static void write_empty(struct json_writer *w, const char *key)
{
    json_write_key(w, key);
    json_write_array(w);
    json_write_array_end(w);
}

static void write_nothing(struct json_writer *w, const char *key)
{
    json_write_key(w, key);
    json_write_null(w);
}

static void write_part(struct json_writer *w, struct text text)
{
    json_write_object(w);
    json_write_key_text(w, "type", TEXT("output_text"));
    json_write_key_text(w, "text", text);
    write_empty(w, "annotations");
    write_empty(w, "logprobs");
    json_write_object_end(w);
}

static void write_item(struct json_writer *w, const struct reply *reply, uint32_t choice,
                       enum stage stage)
{
    const struct reply_choice *said = &reply->choices[choice];
    json_write_object(w);
    write_item_id(w, "id", reply, choice);
    json_write_key_text(w, "type", TEXT("message"));
    json_write_key_text(w, "role", TEXT("assistant"));
    json_write_key_text(w, "status",
                        stage == GOES_ON ? TEXT("in_progress")
                        : is_whole(said) ? TEXT("completed")
                                         : TEXT("incomplete"));
    json_write_key(w, "content");
    json_write_array(w);
    if (stage == IS_DONE)
        write_part(w, text_buf_text(&said->text));
    json_write_array_end(w);
    json_write_object_end(w);
}

static void write_usage(struct json_writer *w, const struct reply *reply)
{
    json_write_key(w, "usage");
    json_write_object(w);
    json_write_key_i64(w, "input_tokens", reply->prompt_tokens);
    json_write_key(w, "input_tokens_details");
    json_write_object(w);
    json_write_key_i64(w, "cached_tokens", reply->cached_tokens);
    json_write_key_i64(w, "cache_write_tokens", 0);
    json_write_object_end(w);
    json_write_key_i64(w, "output_tokens", reply->completion_tokens);
    json_write_key(w, "output_tokens_details");
    json_write_object(w);
    json_write_key_i64(w, "reasoning_tokens", 0);
    json_write_object_end(w);
    json_write_key_i64(w, "total_tokens",
                       (int64_t)reply->prompt_tokens + reply->completion_tokens);
    json_write_object_end(w);
}

/* Why it is incomplete, or null. */
static void write_incomplete(struct json_writer *w, const struct reply *reply, enum stage stage)
{
    json_write_key(w, "incomplete_details");
    for (uint32_t i = 0; stage == IS_DONE && i < reply->choice_count; i++) {
        if (is_whole(&reply->choices[i]))
            continue;
        json_write_object(w);
        json_write_key_text(w, "reason",
                            reply->choices[i].finish == ENGINE_DEADLINE
                                ? TEXT("deadline")
                                : TEXT("max_output_tokens"));
        json_write_object_end(w);
        return;
    }
    json_write_null(w);
}

static void write_response(struct json_writer *w, const struct reply *reply, enum stage stage)
{
    json_write_object(w);
    json_write_key_text(w, "id", text_of(reply->id));
    json_write_key_text(w, "object", TEXT("response"));
    json_write_key_i64(w, "created_at", reply->created);
    json_write_key_text(w, "status", text_of(status_of(reply, stage)));
    write_nothing(w, "error");
    write_incomplete(w, reply, stage);
    write_nothing(w, "instructions");
    json_write_key_text(w, "model", reply->model);
    json_write_key(w, "output");
    json_write_array(w);
    for (uint32_t i = 0; stage == IS_DONE && i < reply->choice_count; i++)
        write_item(w, reply, i, IS_DONE);
    json_write_array_end(w);
    json_write_key_bool(w, "parallel_tool_calls", false);
    json_write_key_text(w, "tool_choice", TEXT("none"));
    write_empty(w, "tools");
    write_nothing(w, "temperature");
    write_nothing(w, "top_p");
    json_write_key(w, "metadata");
    json_write_object(w);
    json_write_object_end(w);
    if (stage == IS_DONE)
        write_usage(w, reply);
    json_write_object_end(w);
}

static void responses_whole(const struct reply *reply, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    write_response(&w, reply, IS_DONE);
}

/* ---- as events ---- */

static uint32_t number_now(const struct reply *reply)
{
    return EVENTS_BEGIN + EVENTS_ITEM_BEGIN * reply->choice_count + reply->piece_count +
           EVENTS_ITEM_END * reply->end_count;
}

static struct json_writer open_event(struct text_buf *out, const char *name, uint32_t number)
{
    struct json_writer w = {.out = out};
    text_buf_format(out, "event: %s\ndata: ", name);
    json_write_object(&w);
    json_write_key_text(&w, "type", text_of(name));
    json_write_key_i64(&w, "sequence_number", number);
    return w;
}

static void close_event(struct json_writer *w)
{
    json_write_object_end(w);
    text_buf_add(w->out, TEXT("\n\n"));
}

static void send_response(const struct reply *reply, const char *name, uint32_t number,
                          enum stage stage, struct text_buf *out)
{
    struct json_writer w = open_event(out, name, number);
    json_write_key(&w, "response");
    write_response(&w, reply, stage);
    close_event(&w);
}

static void send_item(const struct reply *reply, uint32_t choice, uint32_t number,
                      enum stage stage, struct text_buf *out)
{
    struct json_writer w = open_event(
        out, stage == IS_DONE ? "response.output_item.done" : "response.output_item.added",
        number);
    json_write_key_i64(&w, "output_index", choice);
    json_write_key(&w, "item");
    write_item(&w, reply, choice, stage);
    close_event(&w);
}

/* Where in the response a text stands. */
static void write_place(struct json_writer *w, const struct reply *reply, uint32_t choice)
{
    write_item_id(w, "item_id", reply, choice);
    json_write_key_i64(w, "output_index", choice);
    json_write_key_i64(w, "content_index", 0);
}

static void send_part(const struct reply *reply, uint32_t choice, uint32_t number,
                      enum stage stage, struct text_buf *out)
{
    struct json_writer w = open_event(
        out, stage == IS_DONE ? "response.content_part.done" : "response.content_part.added",
        number);
    write_place(&w, reply, choice);
    json_write_key(&w, "part");
    write_part(&w, stage == IS_DONE ? text_buf_text(&reply->choices[choice].text) : TEXT(""));
    close_event(&w);
}

/* key and text: what a text grew by, or all of it. */
static void send_text(const struct reply *reply, uint32_t choice, const char *key,
                      struct text text, struct text_buf *out)
{
    const bool is_delta = strcmp(key, "delta") == 0;
    struct json_writer w =
        open_event(out, is_delta ? "response.output_text.delta" : "response.output_text.done",
                   number_now(reply));
    write_place(&w, reply, choice);
    json_write_key_text(&w, key, text);
    write_empty(&w, "logprobs");
    close_event(&w);
}

static void responses_begin(const struct reply *reply, struct text_buf *out)
{
    uint32_t number = 0;
    send_response(reply, "response.created", number++, GOES_ON, out);
    send_response(reply, "response.in_progress", number++, GOES_ON, out);
    for (uint32_t i = 0; i < reply->choice_count; i++) {
        send_item(reply, i, number++, GOES_ON, out);
        send_part(reply, i, number++, GOES_ON, out);
    }
}

static void responses_piece(const struct reply *reply, const struct reply_piece *piece,
                            struct text_buf *out)
{
    send_text(reply, piece->choice, "delta", piece->text, out);
}

static void responses_choice_end(const struct reply *reply, uint32_t choice,
                                 struct text_buf *out)
{
    send_text(reply, choice, "text", text_buf_text(&reply->choices[choice].text), out);
    send_part(reply, choice, number_now(reply) + 1, IS_DONE, out);
    send_item(reply, choice, number_now(reply) + 2, IS_DONE, out);
}

static void responses_end(const struct reply *reply, struct text_buf *out)
{
    const bool is_completed = strcmp(status_of(reply, IS_DONE), "completed") == 0;
    send_response(reply, is_completed ? "response.completed" : "response.incomplete",
                  number_now(reply), IS_DONE, out);
}

static void responses_stream_error(const struct reply_error *error, struct text_buf *out)
{
    struct json_writer w = open_event(out, "error", 0);
    write_nothing(&w, "code");
    json_write_key_text(&w, "message", error->text);
    write_nothing(&w, "param");
    close_event(&w);
}

const struct reply_wire openai_responses_wire = {
    .stream_type = "text/event-stream",
    .id_prefix = "resp_",
    .whole = responses_whole,
    .begin = responses_begin,
    .piece = responses_piece,
    .choice_end = responses_choice_end,
    .end = responses_end,
    .error = openai_reply_error_whole,
    .stream_error = responses_stream_error,
};
