/* openai_embed - see openai_embed.h. */
#include "protocol/api/openai_embed.h"

#include "base/base64.h"
#include "protocol/api/openai_reply.h"

#include <stddef.h>
#include <string.h>

struct body {
    struct ask ask;
    const struct json *input;
    struct text encoding;
};

static const struct field embed_fields[] = {
    {"model", FIELD_TEXT, 0, 0, 512, offsetof(struct body, ask.model),
     "Any name: the loaded model answers."},
    {"input", FIELD_JSON, FIELD_IS_STRING | FIELD_IS_ARRAY, 0, 0, offsetof(struct body, input),
     "A string, a list of strings, tokens, or lists of them."},
    {"encoding_format", FIELD_TEXT, 0, 0, 16, offsetof(struct body, encoding),
     "float or base64 (of little-endian floats). Default float."},
    {"priority", FIELD_INT, 0, -ENGINE_PRIORITY_MAX, ENGINE_PRIORITY_MAX,
     offsetof(struct body, ask.job.priority), "The greater goes first."},
    {"dimensions", FIELD_REFUSED, 0, 0, 0, 0, "vectors are as long as the model's"},
    {"user", FIELD_IGNORED, 0, 0, 0, 0, NULL},
};

const struct field_list openai_embed_fields = FIELD_LIST(embed_fields);

enum status openai_embed_parse(const struct json *from, struct arena *arena, struct ask *ask,
                               struct error *err)
{
    struct body body = {.ask = {.kind = ASK_EMBED, .prompt_field = "input"},
                        .encoding = TEXT("float")};
    *ask = body.ask;
    TRY(field_read(from, &openai_embed_fields, &body, err));
    TRY(ask_read_prompts(body.input, "input", arena, &body.ask, err));
    body.ask.job.pooling = ENGINE_POOL_MEAN;
    body.ask.is_base64 = text_equal(body.encoding, TEXT("base64"));
    if (!body.ask.is_base64 && !text_equal(body.encoding, TEXT("float")))
        FAIL(err, ERR_LIMIT, "encoding_format: \"%.*s\"; float and base64 are taken",
             TEXT_ARG(body.encoding));
    *ask = body.ask;
    return OK;
}

/* ---- replies ---- */

static void write_base64(struct json_writer *w, const struct reply_choice *choice)
{
    struct text_buf digits = {0};
    for (uint32_t at = 0; at < choice->vector_size; at += 3) { /* 12 bytes: whole digits */
        const uint32_t count = choice->vector_size - at < 3 ? choice->vector_size - at : 3;
        uint8_t bytes[12];
        for (uint32_t i = 0; i < 4 * count; i++) {
            uint32_t bits;
            memcpy(&bits, &choice->vector[at + i / 4], sizeof bits);
            bytes[i] = (uint8_t)(bits >> 8 * (i % 4));
        }
        base64_add(&digits, (struct text){(const char *)bytes, (size_t)4 * count});
    }
    json_write_text(w, text_buf_text(&digits));
    text_buf_deinit(&digits);
}

static void embed_whole(const struct reply *reply, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    json_write_object(&w);
    json_write_key_text(&w, "object", TEXT("list"));
    json_write_key_text(&w, "model", reply->model);
    json_write_key(&w, "data");
    json_write_array(&w);
    for (uint32_t i = 0; i < reply->choice_count; i++) {
        json_write_object(&w);
        json_write_key_text(&w, "object", TEXT("embedding"));
        json_write_key_i64(&w, "index", i);
        json_write_key(&w, "embedding");
        if (reply->is_base64)
            write_base64(&w, &reply->choices[i]);
        else
            reply_write_vector(&w, &reply->choices[i]);
        json_write_object_end(&w);
    }
    json_write_array_end(&w);
    json_write_key(&w, "usage");
    json_write_object(&w);
    json_write_key_i64(&w, "prompt_tokens", reply->prompt_tokens);
    json_write_key_i64(&w, "total_tokens", reply->prompt_tokens);
    json_write_object_end(&w);
    json_write_object_end(&w);
}

const struct reply_wire openai_embed_wire = {
    .id_prefix = "embd-",
    .whole = embed_whole,
    .error = openai_reply_error_whole,
};
