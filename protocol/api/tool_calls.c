/* tool_calls - see tool_calls.h. */
#include "protocol/api/tool_calls.h"

#include "base/json.h"

#include <stdlib.h>
#include <string.h>

void tool_calls_keep(struct tool_calls *calls, uint32_t count)
{
    while (calls->count > count) {
        struct tool_call *last = &calls->list[--calls->count];
        text_buf_deinit(&last->name);
        text_buf_deinit(&last->arguments);
    }
}

void tool_calls_deinit(struct tool_calls *calls)
{
    tool_calls_keep(calls, 0);
    free(calls->list);
    *calls = (struct tool_calls){0};
}

/* What begins the calls of a format, wherever it stands; empty: they are all of the text. */
static struct text marker_of(enum tokenizer_tools format)
{
    return format == TOKENIZER_TOOLS_HERMES    ? TEXT("<tool_call>")
           : format == TOKENIZER_TOOLS_MISTRAL ? TEXT("[TOOL_CALLS]")
                                               : TEXT("");
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static size_t skip_space(struct text text, size_t at)
{
    while (at < text.size && is_space(text.data[at]))
        at++;
    return at;
}

/* The end of the JSON object or list that begins at at, by its brackets; SIZE_MAX: it has
 * none. Whether it is JSON, the parser says. */
static size_t value_end(struct text text, size_t at)
{
    bool in_string = false;
    size_t depth = 0;
    if (text.data[at] != '{' && text.data[at] != '[')
        return SIZE_MAX;
    for (; at < text.size; at++) {
        const char c = text.data[at];
        if (in_string && c == '\\')
            at++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '['))
            depth++;
        else if (!in_string && (c == '}' || c == ']') && --depth == 0)
            return at + 1;
    }
    return SIZE_MAX;
}

/* Arguments as an object; some models write it as a string. */
static bool add_arguments(const struct json *arguments, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    struct json *inner = NULL;
    struct text spelled;
    if (json_type(arguments) == JSON_OBJECT) {
        json_write_value(&w, arguments);
        return true;
    }
    if (!json_text(arguments, &spelled) || json_parse(spelled, 0, &inner, NULL) != OK)
        return false;
    const bool is_object = json_type(inner) == JSON_OBJECT;
    if (is_object)
        json_write_value(&w, inner);
    json_free(inner);
    return is_object;
}

static bool add_call(const struct json *value, struct tool_calls *calls)
{
    const struct json *arguments = json_get(value, "arguments");
    struct text name;
    if (!arguments)
        arguments = json_get(value, "parameters");
    if (!json_text(json_get(value, "name"), &name) || name.size == 0 ||
        calls->count == TOOL_CALLS_MAX)
        return false;
    if (!calls->list)
        calls->list = calloc(TOOL_CALLS_MAX, sizeof *calls->list);
    if (!calls->list)
        return false;
    struct tool_call *call = &calls->list[calls->count++];
    text_buf_add(&call->name, name);
    return add_arguments(arguments, &call->arguments) && !call->name.failed &&
           !call->arguments.failed;
}

/* The calls of a JSON text: an object, or a list of them. */
static bool add_json(struct text text, struct tool_calls *calls)
{
    struct json *root = NULL;
    if (json_parse(text, 0, &root, NULL) != OK)
        return false;
    bool is_call = true;
    if (json_type(root) == JSON_ARRAY)
        for (const struct json *at = json_first(root); at && is_call; at = json_next(at))
            is_call = add_call(at, calls);
    else
        is_call = add_call(root, calls);
    json_free(root);
    return is_call;
}

/* <tool_call> JSON </tool_call>, once or more; the last end may be missing. */
static bool read_hermes(struct text text, struct tool_calls *calls)
{
    size_t at = 0;
    while (text_starts(text_slice(text, at, text.size), TEXT("<tool_call>"))) {
        at = skip_space(text, at + TEXT("<tool_call>").size);
        const size_t end = at < text.size ? value_end(text, at) : SIZE_MAX;
        if (end == SIZE_MAX || !add_json(text_slice(text, at, end), calls))
            return false;
        at = skip_space(text, end);
        if (text_starts(text_slice(text, at, text.size), TEXT("</tool_call>")))
            at = skip_space(text, at + TEXT("</tool_call>").size);
        else if (at < text.size)
            return false;
    }
    return at >= text.size;
}

/* JSON values with white space or semicolons between them, to the end. */
static bool read_values(struct text text, struct tool_calls *calls)
{
    size_t at = skip_space(text, 0);
    while (at < text.size) {
        const size_t end = value_end(text, at);
        if (end == SIZE_MAX || !add_json(text_slice(text, at, end), calls))
            return false;
        at = skip_space(text, end);
        if (at < text.size && text.data[at] == ';')
            at = skip_space(text, at + 1);
    }
    return true;
}

static struct text without_tag(struct text text)
{
    const size_t at = skip_space(text, 0);
    const struct text rest = text_slice(text, at, text.size);
    const struct text tag = TEXT("<|python_tag|>");
    return text_starts(rest, tag) ? text_slice(rest, skip_space(rest, tag.size), rest.size)
                                  : rest;
}

bool tool_calls_read(const struct tool_calls_reader *reader, struct text text,
                     struct tool_calls *calls, size_t *content_size)
{
    const struct text marker = marker_of(reader->format);
    bool is_call;
    *content_size = 0;
    if (reader->is_forced) {
        is_call = read_values(text, calls);
    } else if (marker.size == 0) {
        const struct text rest = without_tag(text);
        is_call = rest.size > 0 && rest.data[0] == '{' && read_values(rest, calls);
    } else {
        const size_t at = text_find(text, marker, 0);
        const struct text rest = text_slice(text, at, text.size);
        *content_size = at;
        is_call = at != SIZE_MAX &&
                  (reader->format == TOKENIZER_TOOLS_HERMES
                       ? read_hermes(rest, calls)
                       : read_values(text_slice(rest, marker.size, rest.size), calls));
    }
    if (is_call && calls->count > 0)
        return true;
    tool_calls_deinit(calls);
    return false;
}

/* Bytes of the text's end that may begin the marker. */
static size_t begun(struct text text, struct text marker)
{
    size_t size = marker.size - 1 < text.size ? marker.size - 1 : text.size;
    while (size > 0 && !text_starts(marker, text_slice(text, text.size - size, text.size)))
        size--;
    return size;
}

size_t tool_calls_content(const struct tool_calls_reader *reader, struct text text,
                          size_t shown)
{
    const struct text marker = marker_of(reader->format);
    if (reader->is_forced)
        return 0;
    if (marker.size == 0) {
        const size_t at = skip_space(text, 0);
        const struct text rest = text_slice(text, at, text.size);
        const bool may_be = rest.size == 0 || rest.data[0] == '{' || rest.data[0] == '<';
        return may_be ? 0 : text.size;
    }
    const size_t at = text_find(text, marker, shown);
    return at != SIZE_MAX ? at : text.size - begun(text_slice(text, shown, text.size), marker);
}

void tool_calls_id(const char *reply_id, uint32_t choice, uint32_t index,
                   char id[TOOL_CALLS_ID_SIZE + 1])
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    uint64_t hash = 0xcbf29ce484222325; /* FNV-1a */
    for (const char *c = reply_id; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
    hash = (hash ^ choice) * 0x100000001b3;
    hash = (hash ^ index) * 0x100000001b3;
    hash ^= hash >> 32;
    for (int i = 0; i < TOOL_CALLS_ID_SIZE; i++, hash /= 36)
        id[i] = digits[hash % 36];
    id[TOOL_CALLS_ID_SIZE] = 0;
}
