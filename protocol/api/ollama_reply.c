/* ollama_reply - see ollama_reply.h. */
#include "protocol/api/ollama_reply.h"

#include "protocol/api/openai_reply.h"

#include <stdio.h>
#include <time.h>

enum shape { CHAT, GENERATE };

void ollama_reply_time(int64_t unix_s, char time[OLLAMA_REPLY_TIME_SIZE])
{
    const time_t seconds = (time_t)unix_s;
    struct tm parts = {.tm_mday = 1};
    (void)gmtime_r(&seconds, &parts);
    if (strftime(time, OLLAMA_REPLY_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        time[0] = 0;
}

void ollama_reply_error(const struct reply_error *error, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    json_write_object(&w);
    json_write_key_text(&w, "error", error->text);
    json_write_object_end(&w);
}

static int64_t nanoseconds(double from_s, double to_s)
{
    return from_s > 0 && to_s > from_s ? (int64_t)((to_s - from_s) * 1e9) : 0;
}

/* Arguments are an object here. */
static void write_calls(struct json_writer *w, const struct tool_calls *calls)
{
    json_write_key(w, "tool_calls");
    json_write_array(w);
    for (uint32_t i = 0; i < calls->count; i++) {
        json_write_object(w);
        json_write_key(w, "function");
        json_write_object(w);
        json_write_key_text(w, "name", text_buf_text(&calls->list[i].name));
        json_write_key(w, "arguments");
        json_write_raw(w, text_buf_text(&calls->list[i].arguments));
        json_write_object_end(w);
        json_write_object_end(w);
    }
    json_write_array_end(w);
}

/* What is said of an object beside model and time. */
struct said {
    struct text text;
    const struct tool_calls *calls; /* NULL: none */
};

/* Model, time and text of an object; the rest is the caller's. */
static void write_head(struct json_writer *w, const struct reply *reply, enum shape shape,
                       const struct said *said)
{
    const struct text text = said->text;
    char time[OLLAMA_REPLY_TIME_SIZE];
    ollama_reply_time(reply->created, time);
    json_write_object(w);
    json_write_key_text(w, "model", reply->model);
    json_write_key_text(w, "created_at", text_of(time));
    if (shape == GENERATE) {
        json_write_key_text(w, "response", text);
        return;
    }
    json_write_key(w, "message");
    json_write_object(w);
    json_write_key_text(w, "role", TEXT("assistant"));
    json_write_key_text(w, "content", text);
    if (said->calls && said->calls->count > 0)
        write_calls(w, said->calls);
    json_write_object_end(w);
}

static void write_logprobs(struct json_writer *w, const struct reply *reply, uint32_t first,
                           uint32_t count)
{
    if (!reply->has_logprobs)
        return;
    json_write_key(w, "logprobs");
    openai_reply_tokens(w, &reply->choices[0].logprobs, first, count);
}

/* Where nothing was to be written, the model was to be loaded. */
static struct text done_reason(const struct reply_choice *choice)
{
    return choice->finish == ENGINE_STOP     ? TEXT("stop")
           : choice->output_tokens > 0       ? TEXT("length")
           : choice->finish == ENGINE_LENGTH ? TEXT("load")
                                             : TEXT("length");
}

static void write_rest(struct json_writer *w, const struct reply *reply)
{
    const struct reply_choice *choice = &reply->choices[0];
    json_write_key_bool(w, "done", true);
    json_write_key_text(w, "done_reason", done_reason(choice));
    json_write_key_i64(w, "total_duration", nanoseconds(reply->begun_s, reply->ended_s));
    json_write_key_i64(w, "load_duration", 0);
    json_write_key_i64(w, "prompt_eval_count", reply->prompt_tokens);
    json_write_key_i64(w, "prompt_eval_duration", nanoseconds(reply->begun_s, reply->first_s));
    json_write_key_i64(w, "eval_count", reply->completion_tokens);
    json_write_key_i64(w, "eval_duration", nanoseconds(reply->first_s, choice->last_s));
    json_write_object_end(w);
}

static void write_whole(const struct reply *reply, enum shape shape, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    write_head(
        &w, reply, shape,
        &(struct said){text_buf_text(&reply->choices[0].text), &reply->choices[0].calls});
    write_logprobs(&w, reply, 0, reply->choices[0].logprobs.count);
    write_rest(&w, reply);
}

static void write_piece(const struct reply *reply, const struct reply_piece *piece,
                        enum shape shape, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    write_head(&w, reply, shape, &(struct said){piece->text, NULL});
    write_logprobs(&w, reply, piece->token_first, piece->token_count);
    json_write_key_bool(&w, "done", false);
    json_write_object_end(&w);
    text_buf_byte(out, '\n');
}

static void write_last(const struct reply *reply, enum shape shape, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    write_head(&w, reply, shape, &(struct said){TEXT(""), NULL});
    write_rest(&w, reply);
    text_buf_byte(out, '\n');
}

static void chat_whole(const struct reply *reply, struct text_buf *out)
{
    write_whole(reply, CHAT, out);
}

static void chat_piece(const struct reply *reply, const struct reply_piece *piece,
                       struct text_buf *out)
{
    write_piece(reply, piece, CHAT, out);
}

static void chat_end(const struct reply *reply, struct text_buf *out)
{
    write_last(reply, CHAT, out);
}

/* The calls are a piece of their own. */
static void chat_choice_end(const struct reply *reply, uint32_t choice, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    const struct tool_calls *calls = &reply->choices[choice].calls;
    if (calls->count == 0)
        return;
    write_head(&w, reply, CHAT, &(struct said){TEXT(""), calls});
    json_write_key_bool(&w, "done", false);
    json_write_object_end(&w);
    text_buf_byte(out, '\n');
}

static void generate_whole(const struct reply *reply, struct text_buf *out)
{
    write_whole(reply, GENERATE, out);
}

static void generate_piece(const struct reply *reply, const struct reply_piece *piece,
                           struct text_buf *out)
{
    write_piece(reply, piece, GENERATE, out);
}

static void generate_end(const struct reply *reply, struct text_buf *out)
{
    write_last(reply, GENERATE, out);
}

/* All is said in pieces and at the end. */
static void no_begin(const struct reply *reply, struct text_buf *out)
{
    (void)reply;
    (void)out;
}

static void no_choice_end(const struct reply *reply, uint32_t choice, struct text_buf *out)
{
    (void)reply;
    (void)choice;
    (void)out;
}

static void stream_error(const struct reply_error *error, struct text_buf *out)
{
    ollama_reply_error(error, out);
    text_buf_byte(out, '\n');
}

/* ---- embeddings ---- */

static void embed_whole(const struct reply *reply, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    json_write_object(&w);
    json_write_key_text(&w, "model", reply->model);
    json_write_key(&w, "embeddings");
    json_write_array(&w);
    for (uint32_t i = 0; i < reply->choice_count; i++)
        reply_write_vector(&w, &reply->choices[i]);
    json_write_array_end(&w);
    json_write_key_i64(&w, "total_duration", nanoseconds(reply->begun_s, reply->ended_s));
    json_write_key_i64(&w, "load_duration", 0);
    json_write_key_i64(&w, "prompt_eval_count", reply->prompt_tokens);
    json_write_object_end(&w);
}

static void embedding_whole(const struct reply *reply, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    json_write_object(&w);
    json_write_key(&w, "embedding");
    reply_write_vector(&w, &reply->choices[0]);
    json_write_object_end(&w);
}

const struct reply_wire ollama_reply_chat_wire = {
    .stream_type = "application/x-ndjson",
    .whole = chat_whole,
    .begin = no_begin,
    .piece = chat_piece,
    .choice_end = chat_choice_end,
    .end = chat_end,
    .error = ollama_reply_error,
    .stream_error = stream_error,
};

const struct reply_wire ollama_reply_generate_wire = {
    .stream_type = "application/x-ndjson",
    .whole = generate_whole,
    .begin = no_begin,
    .piece = generate_piece,
    .choice_end = no_choice_end,
    .end = generate_end,
    .error = ollama_reply_error,
    .stream_error = stream_error,
};

const struct reply_wire ollama_reply_embed_wire = {
    .whole = embed_whole,
    .error = ollama_reply_error,
};

const struct reply_wire ollama_reply_embedding_wire = {
    .whole = embedding_whole,
    .error = ollama_reply_error,
};
