/* hf_tokenizer - see hf_tokenizer.h. */
#include "engine/hf_tokenizer.h"

#include "base/file_map.h"
#include "tokenizer/tokenizer_json.h"

#include <stdio.h>
#include <unistd.h>

enum { PATH_BYTES = 4096 };

/* The file's text, or none where there is no such file. */
static enum status read_file(const char *folder, const char *name, struct text_buf *out,
                             struct error *err)
{
    char path[PATH_BYTES];
    const int size = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (size < 0 || size >= PATH_BYTES)
        FAIL(err, ERR_LIMIT, "%s: the path passes %d bytes", folder, PATH_BYTES);
    if (access(path, F_OK) != 0)
        return OK;
    return file_map_read(out, path, TOKENIZER_JSON_BYTES_MAX, err);
}

static enum status open_texts(const struct tokenizer_json_input *input,
                              struct tokenizer **tokenizer, struct error *err)
{
    TRY(tokenizer_json_open(input, tokenizer, err));
    const uint32_t pieces = tokenizer_vocab_size(*tokenizer);
    if (pieces == input->pieces_least)
        return OK;
    tokenizer_close(*tokenizer);
    *tokenizer = NULL;
    FAIL(err, ERR_FORMAT, "tokenizer.json: %u pieces, the embedding has %u rows", pieces,
         input->pieces_least);
}

enum status hf_tokenizer_open(const char *folder, uint32_t rows, struct tokenizer **tokenizer,
                              struct error *err)
{
    struct text_buf json = {0}, config = {0}, chat = {0}, generation = {0};
    *tokenizer = NULL;
    enum status status = read_file(folder, "tokenizer.json", &json, err);
    if (status == OK)
        status = read_file(folder, "tokenizer_config.json", &config, err);
    if (status == OK)
        status = read_file(folder, "chat_template.jinja", &chat, err);
    if (status == OK)
        status = read_file(folder, "generation_config.json", &generation, err);
    if (status == OK && generation.size == 0) /* old folders say it there */
        status = read_file(folder, "config.json", &generation, err);
    if (status == OK && json.size > 0) {
        const struct tokenizer_json_input input = {.tokenizer = text_buf_text(&json),
                                                   .config = text_buf_text(&config),
                                                   .chat_template = text_buf_text(&chat),
                                                   .generation = text_buf_text(&generation),
                                                   .pieces_least = rows};
        status = open_texts(&input, tokenizer, err);
    }
    text_buf_deinit(&json);
    text_buf_deinit(&config);
    text_buf_deinit(&chat);
    text_buf_deinit(&generation);
    return status;
}
