/* vocab_file - see vocab_file.h. */
#include "tests/harness/vocab_file.h"

#include "base/file_map.h"
#include "engine/gguf_vocab.h"
#include "tokenizer/tokenizer_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum status open_gguf(const struct gguf *gguf, struct tokenizer **tokenizer,
                             struct error *err)
{
    struct gguf_vocab vocab;
    enum status status = gguf_vocab_read(&vocab, gguf, err);
    if (status == OK)
        status = tokenizer_open(&vocab.source, tokenizer, err);
    gguf_vocab_deinit(&vocab);
    return status;
}

enum status vocab_file_open_gguf(const char *path, struct tokenizer **tokenizer,
                                 struct error *err)
{
    struct file_map map;
    struct gguf gguf;
    TRY(file_map_open(&map, path, 0, err));
    enum status status = gguf_init(&gguf, map.data, map.size, err);
    if (status == OK) {
        status = open_gguf(&gguf, tokenizer, err);
        gguf_deinit(&gguf);
    }
    file_map_close(&map);
    return status;
}

/* What xz writes for path. */
static enum status unpack(const char *path, struct text_buf *out, struct error *err)
{
    char command[600], chunk[1 << 16];
    size_t size;
    (void)snprintf(command, sizeof command, "exec xz -dc '%s' 2>/dev/null", path);
    FILE *pipe = popen(command, "r");
    if (!pipe)
        FAIL(err, ERR_IO, "xz cannot be started");
    while ((size = fread(chunk, 1, sizeof chunk, pipe)) > 0)
        text_buf_add(out, (struct text){chunk, size});
    if (pclose(pipe) != 0 || out->failed || out->size == 0)
        FAIL(err, ERR_IO, "%s cannot be unpacked", path);
    return OK;
}

enum status vocab_file_open_json(const char *path, struct tokenizer **tokenizer,
                                 struct error *err)
{
    struct text_buf text = {0};
    enum status status = text_ends(text_of(path), TEXT(".xz"))
                             ? unpack(path, &text, err)
                             : file_map_read(&text, path, TOKENIZER_JSON_BYTES_MAX, err);
    if (status == OK) {
        const struct tokenizer_json_input input = {.tokenizer = text_buf_text(&text)};
        status = tokenizer_json_open(&input, tokenizer, err);
    }
    text_buf_deinit(&text);
    return status;
}
