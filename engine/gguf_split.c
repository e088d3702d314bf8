/* gguf_split - see gguf_split.h. */
#include "engine/gguf_split.h"

#include "engine/gguf_get.h"

#include <stdio.h>
#include <stdlib.h>

enum { PATH_BYTES = 4096, SUFFIX_BYTES = sizeof "-00001-of-00002.gguf" - 1 };

/* What a part says of itself. */
struct place {
    int64_t no, count, tensors; /* count 0: it is no part; tensors -1: unsaid */
};

static enum status read_place(const struct gguf *gguf, struct place *place, struct error *err)
{
    *place = (struct place){.tensors = -1};
    TRY(gguf_get_int(gguf, "split.no", &place->no, err));
    TRY(gguf_get_int(gguf, "split.count", &place->count, err));
    TRY(gguf_get_int(gguf, "split.tensors.count", &place->tensors, err));
    if (place->count < 0 || place->count > GGUF_SPLIT_PARTS_MAX)
        FAIL(err, ERR_LIMIT, "key split.count: %lld, must be 0 .. %d", (long long)place->count,
             GGUF_SPLIT_PARTS_MAX);
    return OK;
}

/* The path of part number index (from 0), from the path of the first. */
static enum status part_path(const char *first, int64_t index, int64_t count,
                             char path[PATH_BYTES], struct error *err)
{
    char suffix[64];
    const struct text text = text_of(first);
    (void)snprintf(suffix, sizeof suffix, "-%05d-of-%05lld.gguf", 1, (long long)count);
    if (!text_ends(text, text_of(suffix)))
        FAIL(err, ERR_FORMAT, "%s: is the first of %lld parts, whose name must end with %s",
             first, (long long)count, suffix);
    (void)snprintf(suffix, sizeof suffix, "-%05lld-of-%05lld.gguf", (long long)index + 1,
                   (long long)count);
    const int size =
        snprintf(path, PATH_BYTES, "%.*s%s", (int)(text.size - SUFFIX_BYTES), first, suffix);
    if (size < 0 || size >= PATH_BYTES)
        FAIL(err, ERR_LIMIT, "%s: the path passes %d bytes", first, PATH_BYTES);
    return OK;
}

/* The tensors of a part, behind those there are. */
static enum status take_tensors(struct gguf *gguf, const struct gguf *part, const char *path,
                                struct error *err)
{
    const size_t count = (size_t)gguf->tensor_count + part->tensor_count;
    if (count > GGUF_TENSORS_MAX)
        FAIL(err, ERR_LIMIT, "%s: %zu tensors with it, at most %d", path, count,
             GGUF_TENSORS_MAX);
    struct gguf_tensor *tensors =
        reallocarray(gguf->tensors, count + 1, sizeof gguf->tensors[0]);
    if (!tensors)
        FAIL(err, ERR_MEMORY, "%s: no room for its %u tensors", path, part->tensor_count);
    gguf->tensors = tensors;
    for (uint32_t i = 0; i < part->tensor_count; i++)
        tensors[gguf->tensor_count++] = part->tensors[i];
    return OK;
}

static enum status check_part(const struct gguf *part, int64_t index, const struct place *first,
                              const char *path, struct error *err)
{
    struct place place;
    TRY(read_place(part, &place, err));
    if (place.count == 0)
        FAIL(err, ERR_FORMAT, "%s: is no part of a model: it has no key split.count", path);
    if (place.no != index || place.count != first->count || place.tensors != first->tensors)
        FAIL(
            err, ERR_FORMAT,
            "%s: is part %lld of %lld of a model of %lld tensors, must be part %lld of %lld of "
            "%lld",
            path, (long long)place.no + 1, (long long)place.count, (long long)place.tensors,
            (long long)index + 1, (long long)first->count, (long long)first->tensors);
    return OK;
}

static enum status add_part(struct gguf_split *split, const char *path, int64_t index,
                            const struct place *first, struct error *err)
{
    struct file_map *map = &split->maps[split->part_count];
    struct gguf part;
    struct error why;
    TRY(file_map_open(map, path, 0, err));
    split->part_count++;
    enum status status = gguf_init(&part, map->data, map->size, &why);
    if (status != OK)
        FAIL(err, status, "%s: %s", path, why.text);
    status = check_part(&part, index, first, path, err);
    if (status == OK)
        status = take_tensors(&split->gguf, &part, path, err);
    gguf_deinit(&part);
    return status;
}

static enum status add_parts(struct gguf_split *split, const char *path,
                             const struct place *first, struct error *err)
{
    struct gguf *gguf = &split->gguf;
    if (first->no != 0)
        FAIL(err, ERR_FORMAT, "%s: is part %lld of %lld; open the first", path,
             (long long)first->no + 1, (long long)first->count);
    struct file_map *maps = reallocarray(split->maps, (size_t)first->count, sizeof *maps);
    if (!maps)
        FAIL(err, ERR_MEMORY, "%s: no room for %lld parts", path, (long long)first->count);
    split->maps = maps;
    for (int64_t i = 1; i < first->count; i++) {
        char part[PATH_BYTES];
        TRY(part_path(path, i, first->count, part, err));
        TRY(add_part(split, part, i, first, err));
    }
    if (first->tensors >= 0 && first->tensors != gguf->tensor_count)
        FAIL(err, ERR_FORMAT, "%s: key split.tensors.count is %lld, the parts have %u", path,
             (long long)first->tensors, gguf->tensor_count);
    return gguf_sort_tensors(gguf, err);
}

/* The whole is no part any more. */
static void drop_keys(struct gguf *gguf)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < gguf->entry_count; i++) {
        if (!text_starts(gguf->entries[i].key, TEXT("split.")))
            gguf->entries[kept++] = gguf->entries[i];
    }
    gguf->entry_count = kept;
}

static enum status open_all(struct gguf_split *split, const char *path, struct error *err)
{
    struct place first;
    split->maps = calloc(1, sizeof split->maps[0]);
    if (!split->maps)
        FAIL(err, ERR_MEMORY, "%s: no memory to open it", path);
    TRY(file_map_open(&split->maps[0], path, 0, err));
    split->part_count = 1;
    struct error why;
    const enum status status =
        gguf_init(&split->gguf, split->maps[0].data, split->maps[0].size, &why);
    if (status != OK)
        FAIL(err, status, "%s: %s", path, why.text);
    TRY(read_place(&split->gguf, &first, err));
    if (first.count > 1)
        TRY(add_parts(split, path, &first, err));
    drop_keys(&split->gguf);
    return OK;
}

enum status gguf_split_open(struct gguf_split *split, const char *path, struct error *err)
{
    *split = (struct gguf_split){0};
    const enum status status = open_all(split, path, err);
    if (status != OK)
        gguf_split_close(split);
    return status;
}

void gguf_split_close(struct gguf_split *split)
{
    gguf_deinit(&split->gguf);
    for (uint32_t i = 0; i < split->part_count; i++)
        file_map_close(&split->maps[i]);
    free(split->maps);
    *split = (struct gguf_split){0};
}
