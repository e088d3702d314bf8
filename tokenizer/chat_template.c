/* chat_template - see chat_template.h. */
#include "tokenizer/chat_template.h"

#include "base/checked.h"
#include "base/json.h"
#include "tokenizer/jinja_parse.h"
#include "tokenizer/jinja_run.h"
#include "tokenizer/jinja_scope.h"
#include "tokenizer/jinja_string.h"

#include <stdlib.h>

/* Address space; pages that are not touched cost nothing. A node takes 200 bytes and a token
 * 32, and most have several bytes of source. A rendering copies each message a few times. */
enum {
    PARSE_SPARE = 1 << 20,
    PARSE_PER_BYTE = 300,
    RENDER_SPARE = 64 << 20,
    RENDER_PER_BYTE = 64
};

struct chat_template {
    struct arena arena;
    const struct jinja_node *body;
};

/* A copy whose lines end in \n alone, as Jinja reads them, be it in text or in a string. */
static struct text copy_lines(struct text source, struct arena *arena)
{
    char *bytes = ARENA_NEW(arena, char, source.size + 1);
    size_t size = 0;
    for (size_t i = 0; bytes && i < source.size; i++) {
        if (source.data[i] != '\r')
            bytes[size++] = source.data[i];
        else if (i + 1 == source.size || source.data[i + 1] != '\n')
            bytes[size++] = '\n';
    }
    return (struct text){bytes, size};
}

enum status chat_template_open(struct text source, struct chat_template **chat,
                               struct error *err)
{
    if (source.size > JINJA_SOURCE_BYTES_MAX)
        FAIL(err, ERR_LIMIT, "chat template: %zu bytes, the limit is %d", source.size,
             JINJA_SOURCE_BYTES_MAX);
    struct chat_template *made = calloc(1, sizeof *made);
    if (!made)
        FAIL(err, ERR_MEMORY, "chat template: no room");
    enum status status =
        arena_init(&made->arena, PARSE_SPARE + PARSE_PER_BYTE * source.size, err);
    if (status == OK) {
        struct jinja jinja = {.arena = &made->arena, .err = err};
        const struct text copy = copy_lines(source, &made->arena);
        status = copy.data ? jinja_parse(&jinja, copy, &made->body) : jinja_full(&jinja);
    }
    if (status != OK) {
        chat_template_close(made);
        return status;
    }
    *chat = made;
    return OK;
}

void chat_template_close(struct chat_template *chat)
{
    if (!chat)
        return;
    arena_deinit(&chat->arena);
    free(chat);
}

void chat_template_text_deinit(struct chat_template_text *text)
{
    arena_deinit(&text->arena);
    *text = (struct chat_template_text){0};
}

/* Sets a name to a string. */
static enum status set_text(struct jinja *jinja, const char *name, struct text text)
{
    struct jinja_value value;
    TRY(jinja_value_text(jinja, text, true, &value));
    return jinja_scope_set(jinja, text_of(name), value);
}

static enum status put_text(struct jinja *jinja, struct jinja_map *map, struct text name,
                            struct text text)
{
    struct jinja_value key, value;
    TRY(jinja_value_text(jinja, name, true, &key));
    TRY(jinja_value_text(jinja, text, false, &value));
    return jinja_value_put(jinja, map, key, value);
}

static enum status set_input(struct jinja *jinja, const struct chat_template_input *input)
{
    const struct tokenizer_conversation *conversation = &input->conversation;
    struct jinja_value messages;
    TRY(jinja_value_new(jinja, JINJA_LIST, &messages));
    for (uint32_t i = 0; i < conversation->count; i++) {
        struct jinja_value message;
        TRY(jinja_value_new(jinja, JINJA_MAP, &message));
        TRY(put_text(jinja, message.map, TEXT("role"), conversation->messages[i].role));
        TRY(put_text(jinja, message.map, TEXT("content"), conversation->messages[i].content));
        TRY(jinja_value_push(jinja, messages.list, message));
    }
    TRY(jinja_scope_set(jinja, TEXT("messages"), messages));
    TRY(jinja_scope_set(jinja, TEXT("add_generation_prompt"),
                        jinja_value_bool(conversation->add_generation_prompt)));
    TRY(set_text(jinja, "bos_token", input->bos));
    return set_text(jinja, "eos_token", input->eos);
}

static enum status set_json(struct jinja *jinja, const struct json *context)
{
    for (const struct json *at = json_first(context); at; at = json_next(at)) {
        struct jinja_value value;
        struct text text;
        const bool trusted = text_equal(json_key(at), TEXT("bos_token")) ||
                             text_equal(json_key(at), TEXT("eos_token"));
        if (trusted && json_text(at, &text))
            TRY(jinja_value_text(jinja, text, true, &value));
        else
            TRY(jinja_value_from_json(jinja, at, &value));
        TRY(jinja_scope_set(jinja, json_key(at), value));
    }
    return OK;
}

/* The stretches of trusted bytes; their count, and them when ranges is not NULL. */
static size_t trusted_ranges(struct jinja_string string, struct special_range *ranges)
{
    size_t count = 0;
    for (size_t at = 0; at < string.size;) {
        const size_t begin = at;
        while (at < string.size && string.trust[at] == string.trust[begin])
            at++;
        if (!string.trust[begin])
            continue;
        if (ranges)
            ranges[count] = (struct special_range){begin, at};
        count++;
    }
    return count;
}

/* What a rendering starts from: messages, or a JSON object. */
struct source {
    const struct chat_template_input *input;
    const struct json *json;
    size_t bytes;
    int64_t now_s;
};

static enum status render(const struct chat_template *chat, const struct source *source,
                          struct chat_template_text *out, struct error *err)
{
    size_t size;
    *out = (struct chat_template_text){0};
    if (!checked_mul_size(source->bytes, RENDER_PER_BYTE, &size) ||
        !checked_add_size(size, RENDER_SPARE, &size))
        FAIL(err, ERR_LIMIT, "conversation: %zu bytes are too many", source->bytes);
    TRY(arena_init(&out->arena, size, err));
    struct jinja_builder written = {.arena = &out->arena};
    struct jinja_scope names = {0};
    struct jinja jinja = {.arena = &out->arena,
                          .err = err,
                          .scope = &names,
                          .out = &written,
                          .now_s = source->now_s};
    TRY(source->input ? set_input(&jinja, source->input) : set_json(&jinja, source->json));
    TRY(jinja_run(&jinja, chat->body));
    const struct jinja_string string = {written.data, written.trust, written.size};
    out->text = jinja_string_text(string);
    const size_t count = trusted_ranges(string, NULL);
    struct special_range *ranges = JINJA_NEW(&jinja, struct special_range, count);
    if (!ranges)
        return jinja_full(&jinja);
    (void)trusted_ranges(string, ranges);
    out->trusted = (struct special_trust){ranges, count};
    return OK;
}

static void write_message(struct json_writer *w, const struct tokenizer_message *message)
{
    json_write_object(w);
    json_write_key_text(w, "role", message->role);
    json_write_key_text(w, "content", message->content);
    if (message->tool_calls.size > 0) {
        json_write_key(w, "tool_calls");
        json_write_raw(w, message->tool_calls);
    }
    if (message->tool_call_id.size > 0)
        json_write_key_text(w, "tool_call_id", message->tool_call_id);
    if (message->name.size > 0)
        json_write_key_text(w, "name", message->name);
    json_write_object_end(w);
}

/* A conversation with tools, as the object that its template is rendered with. */
static void write_conversation(struct json_writer *w, const struct chat_template_input *input)
{
    const struct tokenizer_conversation *conversation = &input->conversation;
    json_write_object(w);
    json_write_key(w, "messages");
    json_write_array(w);
    for (uint32_t i = 0; i < conversation->count; i++)
        write_message(w, &conversation->messages[i]);
    json_write_array_end(w);
    if (conversation->tools.size > 0) {
        json_write_key(w, "tools");
        json_write_raw(w, conversation->tools);
    }
    json_write_key_bool(w, "add_generation_prompt", conversation->add_generation_prompt);
    json_write_key_text(w, "bos_token", input->bos);
    json_write_key_text(w, "eos_token", input->eos);
    json_write_object_end(w);
}

static enum status render_tools(const struct chat_template *chat,
                                const struct chat_template_input *input,
                                struct chat_template_text *out, struct error *err)
{
    struct text_buf text = {0};
    struct json_writer w = {.out = &text};
    struct json *root = NULL;
    enum status status = OK;
    write_conversation(&w, input);
    if (text.failed)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__,
                           "conversation: no room for its %zu bytes", text.size);
    else
        status = json_parse(text_buf_text(&text), 0, &root, err);
    const struct source source = {.json = root, .bytes = text.size, .now_s = input->now_s};
    if (status == OK)
        status = render(chat, &source, out, err);
    json_free(root);
    text_buf_deinit(&text);
    return status;
}

/* Adds what a message takes; false past the limit. */
static bool add_bytes(const struct tokenizer_message *message, size_t *bytes)
{
    return checked_add_size(*bytes, message->role.size, bytes) &&
           checked_add_size(*bytes, message->content.size, bytes) &&
           checked_add_size(*bytes, message->tool_calls.size, bytes) &&
           checked_add_size(*bytes, message->tool_call_id.size, bytes) &&
           checked_add_size(*bytes, message->name.size, bytes) && *bytes <= TOKENIZER_TEXT_MAX;
}

enum status chat_template_render(const struct chat_template *chat,
                                 const struct chat_template_input *input,
                                 struct chat_template_text *out, struct error *err)
{
    const struct tokenizer_conversation *conversation = &input->conversation;
    struct source source = {.input = input, .now_s = input->now_s};
    bool has_tools = conversation->tools.size > 0;
    *out = (struct chat_template_text){0};
    for (uint32_t i = 0; i < conversation->count; i++) {
        const struct tokenizer_message *message = &conversation->messages[i];
        if (!add_bytes(message, &source.bytes))
            FAIL(err, ERR_LIMIT, "conversation: message %u goes past %d bytes", i,
                 TOKENIZER_TEXT_MAX);
        has_tools |= message->tool_calls.size > 0 || message->tool_call_id.size > 0 ||
                     message->name.size > 0;
    }
    return has_tools ? render_tools(chat, input, out, err) : render(chat, &source, out, err);
}

enum status chat_template_render_json(const struct chat_template *chat,
                                      const struct json *context, int64_t now_s,
                                      struct chat_template_text *out, struct error *err)
{
    const struct source source = {.json = context, .now_s = now_s};
    return render(chat, &source, out, err);
}
