/*
 * json_fuzz - libFuzzer target: any bytes as JSON, as a batch line and as a request of each
 * API's kinds, and as what a model wrote, perhaps with calls of tools. They are copied to
 * the heap in their exact size, so that one byte too many is seen. Every string of what is
 * accepted is written and read again, and must come back the same.
 *
 *     json_fuzz -max_len=4096 -timeout=1 CORPUS
 */
#include "base/json.h"
#include "protocol/api/anthropic.h"
#include "protocol/api/batch_file.h"
#include "protocol/api/ollama.h"
#include "protocol/api/openai.h"
#include "protocol/api/openai_embed.h"
#include "protocol/api/openai_responses.h"
#include "protocol/api/openai_text.h"
#include "protocol/api/tool_calls.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_BYTES = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(struct text text)
{
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    struct json *root;
    struct text back;
    json_write_text(&w, text);
    const enum status status = json_parse(text_buf_text(&out), 0, &root, NULL);
    assert(status == OK);
    const bool is_text = json_text(root, &back);
    assert(is_text && text_equal(text, back));
    json_free(root);
    text_buf_deinit(&out);
}

static void walk(const struct json *value)
{
    for (; value; value = json_next(value)) {
        struct text text;
        int64_t whole = 0;
        double real = 0;
        if (json_text(value, &text))
            round_trip(text);
        if (json_i64(value, &whole) && json_double(value, &real))
            assert(real >= -9.3e18 && real <= 9.3e18);
        assert(json_key(value).size <= SIZE_MAX / 2);
        walk(json_first(value));
    }
}

static void try_parse(struct text source)
{
    struct json *root;
    const enum status checked = json_check(source, NULL);
    const enum status parsed = json_parse(source, 0, &root, NULL);
    assert(checked == parsed);
    walk(root);
    json_free(root);
}

static void try_request(struct text source)
{
    static enum status (*const parsers[])(const struct json *body, struct arena *arena,
                                          struct ask *ask, struct error *err) = {
        openai_chat_parse, openai_text_parse,     openai_embed_parse, openai_responses_parse,
        ollama_chat_parse, ollama_generate_parse, ollama_embed_parse, anthropic_messages_parse};
    static uint8_t room[ROOM_BYTES];
    struct batch_file_request request;
    if (batch_file_parse(source, 1, &request, NULL) == OK) {
        for (size_t i = 0; i < sizeof parsers / sizeof parsers[0]; i++) {
            struct arena arena = {.base = room, .size = sizeof room};
            struct ask ask;
            (void)(parsers[i](request.body, &arena, &ask, NULL) == OK);
        }
    }
    json_free(request.root);
}

/* What may be shown of a text's beginning is no part of the calls in the whole of it. */
static void try_calls(struct text source)
{
    for (int i = 0; i < 6; i++) {
        const struct tool_calls_reader reader = {
            (enum tokenizer_tools)(TOKENIZER_TOOLS_HERMES + i % 3), i >= 3};
        struct tool_calls calls = {0};
        size_t shown = 0, content;
        for (size_t end = 0; end < source.size; end += 1 + source.size / 8)
            shown = tool_calls_content(&reader, text_slice(source, 0, end), shown);
        const bool is_call = tool_calls_read(&reader, source, &calls, &content);
        assert(is_call == (calls.count > 0));
        assert(!is_call || (shown <= content && content <= source.size));
        tool_calls_deinit(&calls);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = malloc(size ? size : 1);
    assert(copy);
    if (size > 0)
        memcpy(copy, data, size);
    try_parse((struct text){copy, size});
    try_request((struct text){copy, size});
    try_calls((struct text){copy, size});
    free(copy);
    return 0;
}
