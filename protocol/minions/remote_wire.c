/* remote_wire - see remote_wire.h. */
#include "protocol/minions/remote_wire.h"

#include "base/json.h"
#include "protocol/minions/sse.h"

#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 160 };

enum remote_wire_kind remote_wire_guess(struct text url)
{
    const bool is_anthropic = text_find(url, TEXT("://api.anthropic.com"), 0) != SIZE_MAX ||
                              text_find(url, TEXT("/anthropic"), 0) != SIZE_MAX;
    return is_anthropic ? REMOTE_WIRE_ANTHROPIC : REMOTE_WIRE_OPENAI;
}

const char *remote_wire_path(enum remote_wire_kind kind, struct text url)
{
    if (kind == REMOTE_WIRE_OPENAI)
        return "/chat/completions";
    while (text_ends(url, TEXT("/")))
        url.size--;
    return text_ends(url, TEXT("/v1")) ? "/messages" : "/v1/messages";
}

/* ---- requests ---- */

static bool is_system(const struct remote_message *message)
{
    return strcmp(message->role, "system") == 0;
}

static void write_messages(const struct remote_wire *wire,
                           const struct remote_message *messages, uint32_t count,
                           struct json_writer *w)
{
    json_write_key(w, "messages");
    json_write_array(w);
    for (uint32_t i = 0; i < count; i++) {
        if (wire->kind == REMOTE_WIRE_ANTHROPIC && is_system(&messages[i]))
            continue;
        json_write_object(w);
        json_write_key_text(w, "role", text_of(messages[i].role));
        json_write_key_text(w, "content", messages[i].content);
        json_write_object_end(w);
    }
    json_write_array_end(w);
}

void remote_wire_write(const struct remote_wire *wire, const struct remote_message *messages,
                       uint32_t count, struct text_buf *body)
{
    struct json_writer w = {.out = body};
    const bool is_openai = wire->kind == REMOTE_WIRE_OPENAI;
    json_write_object(&w);
    json_write_key_text(&w, "model", text_of(wire->model));
    for (uint32_t i = 0; i < count && !is_openai; i++)
        if (is_system(&messages[i]))
            json_write_key_text(&w, "system", messages[i].content);
    write_messages(wire, messages, count, &w);
    json_write_key_i64(
        &w, is_openai && wire->wants_completion_limit ? "max_completion_tokens" : "max_tokens",
        wire->output_tokens_max);
    if (!wire->wants_no_stream)
        json_write_key_bool(&w, "stream", true);
    if (is_openai && !wire->wants_no_stream && !wire->wants_no_stream_options) {
        json_write_key(&w, "stream_options");
        json_write_object(&w);
        json_write_key_bool(&w, "include_usage", true);
        json_write_object_end(&w);
    }
    json_write_object_end(&w);
}

static bool has(struct text text, struct text words)
{
    return text_find(text, words, 0) != SIZE_MAX;
}

bool remote_wire_learn(struct remote_wire *wire, struct text body)
{
    bool *wants = has(body, TEXT("max_completion_tokens")) ? &wire->wants_completion_limit
                  : has(body, TEXT("stream_options"))      ? &wire->wants_no_stream_options
                  : has(body, TEXT("stream"))              ? &wire->wants_no_stream
                                                           : NULL;
    if (!wants || *wants)
        return false;
    *wants = true;
    return true;
}

void remote_wire_match(struct remote_wire *wire, struct text body)
{
    const struct text tail = text_slice(body, body.size > 200 ? body.size - 200 : 0, body.size);
    wire->wants_completion_limit = has(tail, TEXT("\"max_completion_tokens\":"));
    wire->wants_no_stream = !has(tail, TEXT("\"stream\":true"));
    wire->wants_no_stream_options = !has(tail, TEXT("\"stream_options\":"));
}

/* ---- replies ---- */

/* What has been read of a reply. */
struct reading {
    struct remote_reply *reply;
    bool has_content, is_whole; /* the server said that it was done */
    char words[WORDS_MAX];      /* of an error inside a stream */
};

/* A count out of a usage object. */
static bool read_count(const struct json *usage, const char *key, uint64_t *count)
{
    int64_t value = 0;
    if (!json_i64(json_get(usage, key), &value) || value < 0 || value > INT32_MAX)
        return false;
    *count = (uint64_t)value;
    return true;
}

static void add_content(struct reading *r, struct text content)
{
    text_buf_add(&r->reply->content, content);
    r->has_content = true;
}

/* Content as a string, or as a list of parts of which those of text count. */
static void read_content(struct reading *r, const struct json *content)
{
    struct text text = {0};
    if (json_text(content, &text)) {
        add_content(r, text);
        return;
    }
    if (json_type(content) != JSON_ARRAY)
        return;
    for (const struct json *part = json_first(content); part; part = json_next(part))
        if (json_text(json_get(part, "text"), &text))
            add_content(r, text);
}

/* A chat completion, or a chunk of one. */
static void read_openai(struct reading *r, const struct json *root)
{
    struct text word = {0};
    const struct json *choice = json_first(json_get(root, "choices"));
    const struct json *message = json_get(choice, "message");
    read_content(r, json_get(message ? message : json_get(choice, "delta"), "content"));
    if (json_text(json_get(choice, "finish_reason"), &word)) {
        r->reply->is_cut = text_equal(word, TEXT("length"));
        r->is_whole = true;
    }
    r->is_whole |= message != NULL;
    const struct json *usage = json_get(root, "usage");
    if (read_count(usage, "prompt_tokens", &r->reply->prompt_tokens) &&
        read_count(usage, "completion_tokens", &r->reply->output_tokens))
        r->reply->has_usage = true;
}

/* Input tokens as they are paid for, those written to and read from a cache among them. */
static void read_anthropic_usage(struct reading *r, const struct json *usage)
{
    uint64_t input = 0, written = 0, cached = 0, output = 0;
    if (read_count(usage, "input_tokens", &input)) {
        (void)read_count(usage, "cache_creation_input_tokens", &written);
        (void)read_count(usage, "cache_read_input_tokens", &cached);
        r->reply->prompt_tokens = input + written + cached;
    }
    if (read_count(usage, "output_tokens", &output)) {
        r->reply->output_tokens = output;
        r->reply->has_usage = true;
    }
}

/* A message, or an event of one. */
static void read_anthropic(struct reading *r, const struct json *root)
{
    struct text type = {0}, text = {0};
    (void)json_text(json_get(root, "type"), &type);
    const struct json *delta = json_get(root, "delta");
    const struct json *stopped = text_equal(type, TEXT("message_delta")) ? delta : root;
    if (text_equal(type, TEXT("content_block_delta")) &&
        json_text(json_get(delta, "text"), &text))
        add_content(r, text);
    read_content(r, json_get(root, "content"));
    read_anthropic_usage(r, json_get(json_get(root, "message"), "usage"));
    read_anthropic_usage(r, json_get(root, "usage"));
    if (json_text(json_get(stopped, "stop_reason"), &text))
        r->reply->is_cut = text_equal(text, TEXT("max_tokens"));
    r->is_whole |= text_equal(type, TEXT("message_stop")) || text_equal(type, TEXT("message"));
}

static void read_object(const struct remote_wire *wire, struct reading *r,
                        const struct json *root)
{
    if (wire->kind == REMOTE_WIRE_OPENAI)
        read_openai(r, root);
    else
        read_anthropic(r, root);
}

/* The words of an error object; false when root holds none. */
static bool read_error(const struct json *root, char *words, size_t size)
{
    struct text said = {0};
    const struct json *error = json_get(root, "error");
    if (!error || json_type(error) == JSON_NULL)
        return false;
    if (!json_text(json_get(error, "message"), &said))
        (void)json_text(error, &said);
    said = text_slice(said, 0, size - 1);
    said.size = text_utf8_valid(said);
    snprintf(words, size, "%.*s", TEXT_ARG(said));
    for (char *c = words; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    return true;
}

static enum status read_events(const struct remote_wire *wire, struct text body,
                               struct reading *r, struct error *err)
{
    struct sse sse = {.rest = body};
    struct error why = {0};
    enum status status = OK;
    while (status == OK && sse_next(&sse)) {
        struct json *root = NULL;
        const struct text data = text_trim(text_buf_text(&sse.data));
        if (text_equal(data, TEXT("[DONE]"))) {
            r->is_whole = true;
            break;
        }
        if (json_parse(data, 0, &root, &why) != OK)
            status = error_set(err, ERR_REMOTE, __FILE__, __LINE__,
                               "remote: an event of the reply is not JSON (%.120s)", why.text);
        else if (read_error(root, r->words, sizeof(r->words)))
            status = error_set(err, ERR_REMOTE, __FILE__, __LINE__,
                               "remote: the server broke off with an error: %s", r->words);
        else
            read_object(wire, r, root);
        json_free(root);
    }
    if (sse.data.failed)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "remote: no memory");
    sse_deinit(&sse);
    if (status == OK && !r->is_whole)
        FAIL(err, ERR_REMOTE, "remote: the reply broke off after %zu bytes", body.size);
    return status;
}

static bool is_events(struct text body)
{
    const struct text start = text_trim(text_slice(body, 0, 64));
    return text_starts(start, TEXT("data:")) || text_starts(start, TEXT("event:")) ||
           text_starts(start, TEXT(":"));
}

enum status remote_wire_read(const struct remote_wire *wire, struct text body,
                             struct remote_reply *reply, struct error *err)
{
    struct reading r = {.reply = reply};
    struct error why = {0};
    text_buf_clear(&reply->content);
    reply->is_cut = reply->has_usage = false;
    reply->prompt_tokens = reply->output_tokens = 0;
    if (is_events(body)) {
        TRY(read_events(wire, body, &r, err));
    } else {
        struct json *root = NULL;
        if (json_parse(body, 0, &root, &why) != OK)
            FAIL(err, ERR_REMOTE, "remote: the reply is not JSON (%.120s)", why.text);
        read_object(wire, &r, root);
        json_free(root);
    }
    if (!r.has_content)
        FAIL(err, ERR_REMOTE, "remote: the reply has no %s",
             wire->kind == REMOTE_WIRE_OPENAI ? "choices[0].message.content" : "content");
    if (reply->content.failed)
        FAIL(err, ERR_MEMORY, "remote: no memory for the reply");
    return OK;
}

void remote_wire_words(struct text body, char *words, size_t size)
{
    struct json *root = NULL;
    words[0] = '\0';
    if (json_parse(body, 0, &root, NULL) != OK)
        return;
    (void)read_error(root, words, size);
    json_free(root);
}
