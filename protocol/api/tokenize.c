/* tokenize - see tokenize.h. */
#include "protocol/api/tokenize.h"

#include "tokenizer/tokenizer.h"

#include <stddef.h>

struct body {
    struct text prompt, content;
    const struct json *tokens;
    bool is_special;
};

static const struct field text_fields[] = {
    {"prompt", FIELD_TEXT, 0, 0, 0, offsetof(struct body, prompt), "The text."},
    {"content", FIELD_TEXT, 0, 0, 0, offsetof(struct body, content),
     "The same, where no prompt is."},
    {"add_special_tokens", FIELD_BOOL, 0, 0, 0, offsetof(struct body, is_special),
     "With the tokens that begin and end a text, where the model has them. Default true."},
    {"model", FIELD_IGNORED, FIELD_IS_STRING, 0, 0, 0, NULL},
};
static const struct field back_fields[] = {
    {"tokens", FIELD_JSON, FIELD_IS_ARRAY, 0, 0, offsetof(struct body, tokens), "Token ids."},
    {"model", FIELD_IGNORED, FIELD_IS_STRING, 0, 0, 0, NULL},
};
const struct field_list tokenize_fields = FIELD_LIST(text_fields);
const struct field_list tokenize_back_fields = FIELD_LIST(back_fields);

enum status tokenize_text(const struct engine *engine, const struct json *body,
                          struct text_buf *out, struct error *err)
{
    struct body read = {.is_special = true};
    struct token_list ids = {0};
    struct json_writer w = {.out = out};
    TRY(field_read(body, &tokenize_fields, &read, err));
    if (!read.prompt.data && !read.content.data)
        FAIL(err, ERR_FORMAT, "prompt: there is none");
    const enum status status = tokenizer_encode(
        engine_tokenizer(engine), read.prompt.data ? read.prompt : read.content,
        read.is_special ? TOKENIZER_BOUNDS : TOKENIZER_PLAIN, &ids, err);
    if (status == OK) {
        json_write_object(&w);
        json_write_key_i64(&w, "count", (int64_t)ids.count);
        json_write_key_i64(&w, "max_model_len", engine_info(engine)->context_max);
        json_write_key(&w, "tokens");
        json_write_array(&w);
        for (size_t i = 0; i < ids.count; i++)
            json_write_i64(&w, ids.ids[i]);
        json_write_array_end(&w);
        json_write_object_end(&w);
    }
    token_list_deinit(&ids);
    return status;
}

static enum status read_ids(const struct engine *engine, const struct json *list,
                            struct token_list *ids, struct error *err)
{
    const int64_t vocab = engine_info(engine)->vocab;
    for (const struct json *item = json_first(list); item; item = json_next(item)) {
        int64_t id;
        if (!json_i64(item, &id))
            FAIL(err, ERR_FORMAT, "tokens: want a list of whole numbers");
        if (id < 0 || id >= vocab)
            FAIL(err, ERR_LIMIT, "tokens: %lld is not in 0 to %lld", (long long)id,
                 (long long)vocab - 1);
        if (!token_list_add(ids, (token_id)id))
            FAIL(err, ERR_MEMORY, "no memory for the tokens");
    }
    return OK;
}

enum status tokenize_back(const struct engine *engine, const struct json *body,
                          struct text_buf *out, struct error *err)
{
    struct body read = {0};
    struct token_list ids = {0};
    struct text_buf text = {0};
    struct json_writer w = {.out = out};
    TRY(field_read(body, &tokenize_back_fields, &read, err));
    if (!read.tokens)
        FAIL(err, ERR_FORMAT, "tokens: there are none");
    enum status status = read_ids(engine, read.tokens, &ids, err);
    if (status == OK) {
        tokenizer_decode(engine_tokenizer(engine), ids.ids, ids.count, true, &text);
        json_write_object(&w);
        json_write_key_text(&w, "prompt", text_buf_text(&text));
        json_write_key_text(&w, "content", text_buf_text(&text));
        json_write_object_end(&w);
        if (text.failed)
            status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "no memory for the text");
    }
    text_buf_deinit(&text);
    token_list_deinit(&ids);
    return status;
}
