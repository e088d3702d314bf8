/* hf_folder - see hf_folder.h. */
#include "engine/hf_folder.h"

#include "base/checked.h"
#include "engine/hf_config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    PATH_BYTES = 4096,
    NAME_BYTES_MAX = 255,
    MADE_TENSORS = 4 /* at most: rope factors, an embedding's other name */
};

/* What opening has at hand. */
struct opener {
    struct hf_folder *folder;
    const char *path;
    struct json *root; /* config.json */
    struct hf_config config;
    uint32_t capacity; /* of the table of tensors */
};

static enum status file_path(const char *folder, struct text name, char path[PATH_BYTES],
                             struct error *err)
{
    const int size = snprintf(path, PATH_BYTES, "%s/%.*s", folder, TEXT_ARG(name));
    if (size < 0 || size >= PATH_BYTES)
        FAIL(err, ERR_LIMIT, "%s: the path passes %d bytes", folder, PATH_BYTES);
    return OK;
}

static bool has_file(const char *folder, const char *name)
{
    char path[PATH_BYTES];
    struct stat status;
    return file_path(folder, text_of(name), path, NULL) == OK && stat(path, &status) == 0;
}

static enum status read_json(const char *folder, const char *name, struct json **root,
                             struct error *err)
{
    char path[PATH_BYTES];
    struct text_buf source = {0};
    struct error why;
    TRY(file_path(folder, text_of(name), path, err));
    TRY(file_map_read(&source, path, HF_FOLDER_JSON_BYTES_MAX, err));
    const enum status status = json_parse(text_buf_text(&source), 0, root, &why);
    text_buf_deinit(&source);
    if (status != OK)
        FAIL(err, status, "%s: %s", name, why.text);
    return OK;
}

/* A name alone: nothing that leads out of the folder. */
static bool is_plain_name(struct text name)
{
    return name.size > 0 && name.size <= NAME_BYTES_MAX && name.data[0] != '.' &&
           memchr(name.data, '/', name.size) == NULL &&
           memchr(name.data, '\0', name.size) == NULL;
}

static struct hf_folder_shard *find_shard(const struct hf_folder *folder, struct text name)
{
    for (uint32_t i = 0; i < folder->shard_count; i++) {
        if (text_equal(folder->shards[i].name, name))
            return &folder->shards[i];
    }
    return NULL;
}

static enum status open_shard(struct opener *opener, struct text name, struct error *err)
{
    struct hf_folder *folder = opener->folder;
    char path[PATH_BYTES];
    struct error why;
    if (folder->shard_count == HF_FOLDER_SHARDS_MAX)
        FAIL(err, ERR_LIMIT, "%s: more than %d files of weights", opener->path,
             HF_FOLDER_SHARDS_MAX);
    TRY(file_path(opener->path, name, path, err));
    struct hf_folder_shard *shard = &folder->shards[folder->shard_count];
    *shard = (struct hf_folder_shard){.name = name};
    TRY(file_map_open(&shard->map, path, 0, err));
    folder->shard_count++;
    const struct text bytes = {(const char *)shard->map.data, shard->map.size};
    const enum status status = safetensors_init(&shard->file, bytes, &why);
    if (status != OK)
        FAIL(err, status, "%.*s: %s", TEXT_ARG(name), why.text);
    return OK;
}

/* Each tensor of the index lies in the file that it names. */
static enum status open_index(struct opener *opener, struct error *err)
{
    struct hf_folder *folder = opener->folder;
    TRY(read_json(opener->path, "model.safetensors.index.json", &folder->index, err));
    const struct json *map = json_get(folder->index, "weight_map");
    size_t stored = 0;
    if (json_type(map) != JSON_OBJECT)
        FAIL(err, ERR_FORMAT, "model.safetensors.index.json: weight_map is no object");
    for (const struct json *at = json_first(map); at; at = json_next(at)) {
        struct text name;
        if (!json_text(at, &name) || !is_plain_name(name))
            FAIL(err, ERR_FORMAT,
                 "model.safetensors.index.json: the file of tensor %s is no "
                 "name of a file in the folder",
                 gguf_label(json_key(at)).text);
        char label[NAME_BYTES_MAX + 1];
        (void)snprintf(label, sizeof label, "%.*s", TEXT_ARG(name));
        if (!find_shard(folder, name) && !has_file(opener->path, label))
            FAIL(err, ERR_FORMAT,
                 "model.safetensors.index.json: tensor %s lies in %s, which is missing",
                 gguf_label(json_key(at)).text, label);
        if (!find_shard(folder, name))
            TRY(open_shard(opener, name, err));
        if (!safetensors_find(&find_shard(folder, name)->file, json_key(at)))
            FAIL(err, ERR_FORMAT, "%.*s: tensor %s, which the index puts there, is missing",
                 TEXT_ARG(name), gguf_label(json_key(at)).text);
    }
    for (uint32_t i = 0; i < folder->shard_count; i++)
        stored += folder->shards[i].file.tensor_count;
    if (stored != json_count(map))
        FAIL(err, ERR_FORMAT, "model.safetensors.index.json: %zu tensors, the files have %zu",
             json_count(map), stored);
    return OK;
}

static enum status open_shards(struct opener *opener, struct error *err)
{
    struct hf_folder *folder = opener->folder;
    folder->shards = calloc(HF_FOLDER_SHARDS_MAX, sizeof folder->shards[0]);
    if (!folder->shards)
        FAIL(err, ERR_MEMORY, "%s: no memory to open it", opener->path);
    if (has_file(opener->path, "model.safetensors"))
        return open_shard(opener, TEXT("model.safetensors"), err);
    if (has_file(opener->path, "model.safetensors.index.json"))
        return open_index(opener, err);
    FAIL(err, ERR_FORMAT, "%s: has neither model.safetensors nor model.safetensors.index.json",
         opener->path);
}

static enum status weight_type_of(const struct safetensors_tensor *from, enum weight_type *type,
                                  struct error *err)
{
    static const struct {
        const char *dtype;
        enum weight_type type;
    } TYPES[] = {{"F32", WEIGHT_F32}, {"F16", WEIGHT_F16}, {"BF16", WEIGHT_BF16}};
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        if (strcmp(from->dtype, TYPES[i].dtype) != 0)
            continue;
        *type = TYPES[i].type;
        return OK;
    }
    FAIL(err, ERR_LIMIT, "tensor %s: dtype %s is not supported; supported are F32, F16, BF16",
         gguf_label(from->name).text, from->dtype);
}

static enum status push(struct opener *opener, const char *name, struct gguf_tensor **out,
                        struct error *err)
{
    struct gguf *gguf = &opener->folder->gguf;
    const struct text copy = text_copy(text_of(name), &opener->folder->arena);
    if (!copy.data || gguf->tensor_count == opener->capacity)
        FAIL(err, ERR_MEMORY, "tensor %s: no room", name);
    *out = &gguf->tensors[gguf->tensor_count++];
    **out = (struct gguf_tensor){.name = copy, .dims = {1, 1, 1, 1}};
    return OK;
}

/* Norms that are stored as distances from 1. */
static enum status shift_norm(struct arena *arena, struct gguf_tensor *tensor,
                              struct error *err)
{
    const int64_t count = tensor->dims[0];
    float *values = ARENA_NEW(arena, float, (size_t)count);
    if (!values)
        FAIL(err, ERR_MEMORY, "tensor %s: no room", gguf_label(tensor->name).text);
    weight_dequantize(tensor->type, tensor->data, values, count);
    for (int64_t i = 0; i < count; i++)
        values[i] += 1.0F;
    tensor->type = WEIGHT_F32;
    tensor->data = (const uint8_t *)values;
    tensor->size = (size_t)count * sizeof values[0];
    return OK;
}

/* Kernels read as GGUF files let them: at multiples of GGUF_ALIGNMENT_MIN. */
static enum status align(struct arena *arena, struct gguf_tensor *tensor, struct error *err)
{
    if ((uintptr_t)tensor->data % GGUF_ALIGNMENT_MIN == 0)
        return OK;
    void *copy = arena_push(arena, tensor->size, 1, GGUF_ALIGNMENT_DEFAULT);
    if (!copy)
        FAIL(err, ERR_MEMORY, "tensor %s: no room", gguf_label(tensor->name).text);
    memcpy(copy, tensor->data, tensor->size);
    tensor->data = copy;
    return OK;
}

static enum status add_tensor(struct opener *opener, const struct safetensors_tensor *from,
                              const char *name, struct error *err)
{
    struct gguf_tensor *tensor;
    TRY(push(opener, name, &tensor, err));
    TRY(weight_type_of(from, &tensor->type, err));
    if (from->dim_count == 0 || from->dim_count > GGUF_DIMS_MAX || from->size == 0)
        FAIL(err, ERR_LIMIT, "tensor %s: %u dimensions and %zu bytes, must be 1 .. %d and some",
             gguf_label(from->name).text, from->dim_count, from->size, GGUF_DIMS_MAX);
    tensor->dim_count = from->dim_count;
    for (uint32_t i = 0; i < from->dim_count; i++)
        tensor->dims[i] = from->dims[from->dim_count - 1 - i];
    tensor->data = from->data;
    tensor->size = from->size;
    tensor->offset = from->begin;
    TRY(align(&opener->folder->arena, tensor, err));
    if (opener->config.family->is_gemma && from->dim_count == 1)
        TRY(shift_norm(&opener->folder->arena, tensor, err));
    return OK;
}

static enum status add_shard(struct opener *opener, const struct hf_folder_shard *shard,
                             struct error *err)
{
    for (uint32_t i = 0; i < shard->file.tensor_count; i++) {
        const struct safetensors_tensor *from = &shard->file.tensors[i];
        struct hf_names_tensor name;
        if (hf_names_is_ignored(from->name))
            continue;
        if (!hf_names_tensor(opener->config.family, from->name, &name))
            FAIL(err, ERR_LIMIT, "tensor %s: architecture %s has no place for it",
                 gguf_label(from->name).text, opener->config.family->hf);
        TRY(add_tensor(opener, from, name.text, err));
    }
    return OK;
}

/* A head and an embedding that are one matrix, of which files store either, or both. */
static enum status tie(struct opener *opener, struct error *err)
{
    struct gguf *gguf = &opener->folder->gguf;
    TRY(gguf_sort_tensors(gguf, err));
    const struct gguf_tensor *embed = gguf_find_tensor(gguf, "token_embd.weight");
    struct gguf_tensor *head = NULL;
    for (uint32_t i = 0; i < gguf->tensor_count; i++) {
        if (strcmp(gguf->tensors[i].name.data, "output.weight") == 0)
            head = &gguf->tensors[i];
    }
    if (!embed && head && opener->config.is_tied) {
        head->name = TEXT("token_embd.weight");
    } else if (embed && head && opener->config.is_tied) {
        *head = gguf->tensors[--gguf->tensor_count];
    } else if (embed && !head && opener->config.says_tied && !opener->config.is_tied) {
        FAIL(err, ERR_FORMAT,
             "tensor lm_head.weight: is missing, and config.json says that "
             "tie_word_embeddings is false");
    }
    return OK;
}

static enum status add_factors(struct opener *opener, struct error *err)
{
    static const char *const NAMES[] = {[HF_CONFIG_LLAMA3] = "rope_freqs.weight",
                                        [HF_CONFIG_SHORT] = "rope_factors_short.weight",
                                        [HF_CONFIG_LONG] = "rope_factors_long.weight"};
    for (int kind = HF_CONFIG_LLAMA3; kind <= HF_CONFIG_LONG; kind++) {
        float factors[HF_CONFIG_PAIRS_MAX];
        struct gguf_tensor *tensor;
        uint32_t count;
        TRY(hf_config_factors(&opener->config, (enum hf_config_factors)kind, factors, &count,
                              err));
        if (count == 0)
            continue;
        TRY(push(opener, NAMES[kind], &tensor, err));
        float *copy = ARENA_NEW(&opener->folder->arena, float, count);
        if (!copy)
            FAIL(err, ERR_MEMORY, "tensor %s: no room", NAMES[kind]);
        memcpy(copy, factors, count * sizeof factors[0]);
        tensor->type = WEIGHT_F32;
        tensor->dim_count = 1;
        tensor->dims[0] = count;
        tensor->data = (const uint8_t *)copy;
        tensor->size = count * sizeof factors[0];
    }
    return OK;
}

/* Address space for names and for a copy of everything in F32: what is not used costs none. */
static enum status reserve(struct opener *opener, struct error *err)
{
    struct hf_folder *folder = opener->folder;
    size_t bytes = HF_FOLDER_JSON_BYTES_MAX, count = MADE_TENSORS;
    bool fits = true;
    for (uint32_t i = 0; i < folder->shard_count; i++) {
        const struct hf_folder_shard *shard = &folder->shards[i];
        size_t more;
        count += shard->file.tensor_count;
        fits = fits && checked_mul_size(shard->map.size, 3, &more) &&
               checked_add_size(bytes, more, &bytes);
    }
    if (!fits || count > GGUF_TENSORS_MAX)
        FAIL(err, ERR_LIMIT, "%s: %zu tensors in too many bytes, at most %d", opener->path,
             count, GGUF_TENSORS_MAX);
    TRY(arena_init(&folder->arena, bytes, err));
    free(folder->gguf.tensors);
    folder->gguf.tensors = calloc(count, sizeof folder->gguf.tensors[0]);
    opener->capacity = (uint32_t)count;
    if (!folder->gguf.tensors)
        FAIL(err, ERR_MEMORY, "%s: no room for %zu tensors", opener->path, count);
    return OK;
}

static enum status add_tensors(struct opener *opener, struct error *err)
{
    struct gguf *gguf = &opener->folder->gguf;
    TRY(reserve(opener, err));
    for (uint32_t i = 0; i < opener->folder->shard_count; i++)
        TRY(add_shard(opener, &opener->folder->shards[i], err));
    TRY(tie(opener, err));
    TRY(add_factors(opener, err));
    return gguf_sort_tensors(gguf, err);
}

static enum status write_keys(struct opener *opener, struct error *err)
{
    struct hf_tokenizer_texts tokenizer;
    enum status status = hf_tokenizer_read(&tokenizer, opener->path, err);
    if (status == OK)
        status = hf_config_write(&opener->config, &tokenizer, &opener->folder->keys, err);
    hf_tokenizer_texts_deinit(&tokenizer);
    return status;
}

/* The folder's own name. */
static struct text base_name(const char *path)
{
    struct text name = text_of(path);
    while (name.size > 1 && name.data[name.size - 1] == '/')
        name.size--;
    for (size_t i = name.size; i > 0; i--) {
        if (name.data[i - 1] == '/' && i < name.size)
            return text_slice(name, i, name.size);
    }
    return name;
}

static enum status open_all(struct opener *opener, struct error *err)
{
    struct hf_folder *folder = opener->folder;
    if (!has_file(opener->path, "config.json"))
        FAIL(err, ERR_FORMAT, "%s: is a folder without config.json, so no model", opener->path);
    TRY(read_json(opener->path, "config.json", &opener->root, err));
    TRY(hf_config_read(&opener->config, opener->root, err));
    opener->config.name = base_name(opener->path);
    TRY(write_keys(opener, err));
    TRY(gguf_init(&folder->gguf, (const uint8_t *)folder->keys.data, folder->keys.size, err));
    TRY(open_shards(opener, err));
    return add_tensors(opener, err);
}

bool hf_folder_is(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

enum status hf_folder_open(struct hf_folder *folder, const char *path, struct error *err)
{
    struct opener opener = {.folder = folder, .path = path};
    *folder = (struct hf_folder){0};
    const enum status status = open_all(&opener, err);
    json_free(opener.root);
    if (status != OK)
        hf_folder_close(folder);
    return status;
}

void hf_folder_close(struct hf_folder *folder)
{
    for (uint32_t i = 0; i < folder->shard_count; i++) {
        safetensors_deinit(&folder->shards[i].file);
        file_map_close(&folder->shards[i].map);
    }
    free(folder->shards);
    gguf_deinit(&folder->gguf);
    text_buf_deinit(&folder->keys);
    json_free(folder->index);
    arena_deinit(&folder->arena);
    *folder = (struct hf_folder){0};
}
