/* hf_tokenizer - see hf_tokenizer.h. */
#include "engine/hf_tokenizer.h"

#include "base/file_map.h"
#include "engine/gguf_get.h"
#include "tokenizer/tokenizer_json.h"

#include <stdio.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, TOKENIZER = 0, CONFIG, CHAT, GENERATION };

/* The first key is the one that GGUF's description has for the whole file. */
static const struct {
    const char *file, *key;
} TEXTS[HF_TOKENIZER_TEXTS] = {
    [TOKENIZER] = {"tokenizer.json", "tokenizer.huggingface.json"},
    [CONFIG] = {"tokenizer_config.json", "cohort.tokenizer.config"},
    [CHAT] = {"chat_template.jinja", "tokenizer.chat_template"},
    [GENERATION] = {"generation_config.json", "cohort.tokenizer.generation"},
};

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

const char *hf_tokenizer_key(uint32_t index)
{
    return TEXTS[index].key;
}

enum status hf_tokenizer_read(struct hf_tokenizer_texts *texts, const char *folder,
                              struct error *err)
{
    *texts = (struct hf_tokenizer_texts){0};
    for (uint32_t i = 0; i < HF_TOKENIZER_TEXTS; i++) {
        TRY(read_file(folder, TEXTS[i].file, &texts->texts[i], err));
        if (texts->texts[TOKENIZER].size == 0)
            return OK;
    }
    if (texts->texts[GENERATION].size == 0) /* old folders say it there */
        TRY(read_file(folder, "config.json", &texts->texts[GENERATION], err));
    return OK;
}

void hf_tokenizer_texts_deinit(struct hf_tokenizer_texts *texts)
{
    for (uint32_t i = 0; i < HF_TOKENIZER_TEXTS; i++)
        text_buf_deinit(&texts->texts[i]);
}

enum status hf_tokenizer_open(const struct gguf *gguf, uint32_t rows,
                              struct tokenizer **tokenizer, struct error *err)
{
    struct text texts[HF_TOKENIZER_TEXTS] = {{0}};
    *tokenizer = NULL;
    for (uint32_t i = 0; i < HF_TOKENIZER_TEXTS; i++)
        TRY(gguf_get_text(gguf, TEXTS[i].key, &texts[i], err));
    if (texts[TOKENIZER].size == 0)
        return OK;
    const struct tokenizer_json_input input = {.tokenizer = texts[TOKENIZER],
                                               .config = texts[CONFIG],
                                               .chat_template = texts[CHAT],
                                               .generation = texts[GENERATION],
                                               .pieces_least = rows};
    TRY(tokenizer_json_open(&input, tokenizer, err));
    const uint32_t pieces = tokenizer_vocab_size(*tokenizer);
    if (pieces == rows)
        return OK;
    tokenizer_close(*tokenizer);
    *tokenizer = NULL;
    FAIL(err, ERR_FORMAT, "tokenizer.json: %u pieces, the embedding has %u rows", pieces, rows);
}
