/* vocab_file - see vocab_file.h. */
#include "tests/harness/vocab_file.h"

#include "base/file_map.h"
#include "engine/gguf_get.h"
#include "tokenizer/tokenizer_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MERGES_MAX = 1 << 20 };

/* The arrays that a tokenizer_source borrows. */
struct arrays {
    struct text *pieces, *merges;
    float *scores;
    int32_t *kinds;
};

static void free_arrays(struct arrays *arrays)
{
    free(arrays->pieces);
    free(arrays->merges);
    free(arrays->scores);
    free(arrays->kinds);
}

static void *new_array(size_t count, size_t elem_size)
{
    void *array = calloc(count + 1, elem_size);
    if (!array)
        abort();
    return array;
}

static enum status gguf_arrays(const struct gguf *gguf, struct arrays *arrays,
                               struct tokenizer_source *source, struct error *err)
{
    const struct gguf_entry *pieces = NULL, *merges = NULL, *scores = NULL, *kinds = NULL;
    const struct gguf_get_array wants[] = {
        {"tokenizer.ggml.tokens", GGUF_STRING, TOKENIZER_PIECES_MAX},
        {"tokenizer.ggml.merges", GGUF_STRING, MERGES_MAX},
        {"tokenizer.ggml.scores", GGUF_F32, TOKENIZER_PIECES_MAX},
        {"tokenizer.ggml.token_type", GGUF_I32, TOKENIZER_PIECES_MAX}};
    TRY(gguf_get_array(gguf, &wants[0], &pieces, err));
    TRY(gguf_get_array(gguf, &wants[1], &merges, err));
    TRY(gguf_get_array(gguf, &wants[2], &scores, err));
    TRY(gguf_get_array(gguf, &wants[3], &kinds, err));
    if (!pieces || (scores && scores->count != pieces->count) ||
        (kinds && kinds->count != pieces->count))
        FAIL(err, ERR_FORMAT, "a vocabulary without pieces, or with arrays of other lengths");
    arrays->pieces = new_array(pieces->count, sizeof *arrays->pieces);
    gguf_get_texts(pieces, arrays->pieces);
    if (merges) {
        arrays->merges = new_array(merges->count, sizeof *arrays->merges);
        gguf_get_texts(merges, arrays->merges);
        source->merge_count = (uint32_t)merges->count;
    }
    if (scores)
        gguf_get_f32s(scores, arrays->scores = new_array(scores->count, sizeof(float)));
    if (kinds)
        gguf_get_i32s(kinds, arrays->kinds = new_array(kinds->count, sizeof(int32_t)));
    source->piece_count = (uint32_t)pieces->count;
    return OK;
}

static enum status open_source(struct tokenizer_source *source, const struct arrays *arrays,
                               struct tokenizer **tokenizer, struct error *err)
{
    source->pieces = arrays->pieces;
    source->merges = arrays->merges;
    source->scores = arrays->scores;
    source->kinds = arrays->kinds;
    return tokenizer_open(source, tokenizer, err);
}

static enum status open_gguf(const struct gguf *gguf, struct tokenizer **tokenizer,
                             struct error *err)
{
    struct tokenizer_source source = {0};
    struct arrays arrays = {0};
    int64_t unknown = TOKEN_NONE;
    TRY(gguf_get_text(gguf, "tokenizer.ggml.model", &source.model, err));
    TRY(gguf_get_text(gguf, "tokenizer.ggml.pre", &source.pre, err));
    TRY(gguf_get_int(gguf, "tokenizer.ggml.unknown_token_id", &unknown, err));
    source.add_space_prefix = text_equal(source.model, TEXT("llama"));
    TRY(gguf_get_bool(gguf, "tokenizer.ggml.add_space_prefix", &source.add_space_prefix, err));
    source.bos = source.eos = source.eot = TOKEN_NONE;
    source.unknown = (token_id)unknown;
    enum status status = gguf_arrays(gguf, &arrays, &source, err);
    if (status == OK)
        status = open_source(&source, &arrays, tokenizer, err);
    free_arrays(&arrays);
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
