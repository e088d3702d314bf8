/*
 * gguf - see gguf.h.
 *
 * The format: "GGUF", u32 version, u64 tensor count, u64 key count; then the keys: string,
 * u32 type, value; then the tensors: string name, u32 dimension count, u64 dimensions, u32
 * type, u64 offset; then padding up to a multiple of general.alignment, and the data section.
 * A string is u64 size and bytes; an array is u32 element type, u64 count and elements. All
 * numbers are little-endian. Published faults of other readers that the checks answer to:
 * counts and string sizes trusted before allocation, products of dimensions that wrap,
 * alignments of 0 or 2^31, offsets past the end, and dimensions of 0.
 */
#include "engine/gguf.h"

#include "base/checked.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    VERSION_MIN = 2,
    VERSION_MAX = 3,
    KEY_BYTES_LEAST = 8 + 1 + 4 + 1,        /* size, one byte, type, a one-byte value */
    TENSOR_BYTES_LEAST = 8 + 1 + 4 + 4 + 8, /* size, one byte, no dimension, type, offset */
};

static const struct {
    const char *name;
    size_t size; /* 0: not of fixed size */
} TYPES[] = {
    [GGUF_U8] = {"u8", 1},       [GGUF_I8] = {"i8", 1},     [GGUF_U16] = {"u16", 2},
    [GGUF_I16] = {"i16", 2},     [GGUF_U32] = {"u32", 4},   [GGUF_I32] = {"i32", 4},
    [GGUF_F32] = {"f32", 4},     [GGUF_BOOL] = {"bool", 1}, [GGUF_STRING] = {"string", 0},
    [GGUF_ARRAY] = {"array", 0}, [GGUF_U64] = {"u64", 8},   [GGUF_I64] = {"i64", 8},
    [GGUF_F64] = {"f64", 8},
};
enum { TYPE_COUNT = sizeof TYPES / sizeof TYPES[0] };

/* The file's bytes, and how far they have been read; at <= size always. */
struct cursor {
    const uint8_t *data;
    size_t size, at;
};

static size_t left(const struct cursor *cursor)
{
    return cursor->size - cursor->at;
}

static bool take(struct cursor *cursor, uint64_t count, const uint8_t **bytes)
{
    if (count > left(cursor))
        return false;
    *bytes = cursor->data + cursor->at;
    cursor->at += (size_t)count;
    return true;
}

static bool take_u32(struct cursor *cursor, uint32_t *out)
{
    const uint8_t *b;
    if (!take(cursor, 4, &b))
        return false;
    *out = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    return true;
}

static bool take_u64(struct cursor *cursor, uint64_t *out)
{
    uint32_t low, high;
    if (!take_u32(cursor, &low) || !take_u32(cursor, &high))
        return false;
    *out = (uint64_t)high << 32 | low;
    return true;
}

static enum status take_text(struct cursor *cursor, const char *what, struct text *out,
                             struct error *err)
{
    uint64_t size;
    const uint8_t *bytes;
    if (!take_u64(cursor, &size))
        FAIL(err, ERR_FORMAT, "%s: its size is cut at byte %zu, where the file ends", what,
             cursor->size);
    if (!take(cursor, size, &bytes))
        FAIL(err, ERR_FORMAT, "%s: %llu bytes at byte %zu, file has %zu", what,
             (unsigned long long)size, cursor->at, cursor->size);
    *out = (struct text){(const char *)bytes, (size_t)size};
    return OK;
}

/* A key or a tensor's name: 1 .. size_max bytes. */
static enum status take_name(struct cursor *cursor, const char *what, size_t size_max,
                             struct text *out, struct error *err)
{
    TRY(take_text(cursor, what, out, err));
    if (out->size == 0)
        FAIL(err, ERR_FORMAT, "%s: is empty", what);
    if (out->size > size_max)
        FAIL(err, ERR_LIMIT, "%s: %zu bytes, at most %zu are taken", what, out->size, size_max);
    return OK;
}

/* Moves past an entry's strings, each checked. */
static enum status skip_strings(struct cursor *cursor, const struct gguf_entry *entry,
                                struct error *err)
{
    char what[GGUF_NAME_BYTES_MAX + 48];
    struct text string;
    for (uint64_t i = 0; i < entry->count; i++) {
        const size_t at = cursor->at;
        if (take_text(cursor, "", &string, NULL) == OK)
            continue;
        cursor->at = at;
        (void)snprintf(what, sizeof what, "key %s[%llu]", gguf_label(entry->key).text,
                       (unsigned long long)i);
        return take_text(cursor, what, &string, err);
    }
    return OK;
}

static enum status check_bools(const struct gguf_entry *entry, struct error *err)
{
    for (uint64_t i = 0; i < entry->count; i++) {
        if (entry->data[i] > 1)
            FAIL(err, ERR_FORMAT, "key %s: a bool of %u, it must be 0 or 1",
                 gguf_label(entry->key).text, entry->data[i]);
    }
    return OK;
}

/* The elements of an entry whose type and count are known. */
static enum status take_elements(struct cursor *cursor, struct gguf_entry *entry,
                                 struct error *err)
{
    const bool is_strings = entry->type == GGUF_STRING;
    const size_t least = is_strings ? 8 : TYPES[entry->type].size;
    if (entry->count > left(cursor) / least)
        FAIL(err, ERR_FORMAT, "key %s: %llu elements of type %s, file has %zu bytes left",
             gguf_label(entry->key).text, (unsigned long long)entry->count,
             TYPES[entry->type].name, left(cursor));
    const size_t begin = cursor->at;
    entry->data = cursor->data + begin;
    if (is_strings)
        TRY(skip_strings(cursor, entry, err));
    else
        cursor->at += (size_t)entry->count * least; /* fits: count <= left / least */
    entry->size = cursor->at - begin;
    return entry->type == GGUF_BOOL ? check_bools(entry, err) : OK;
}

static enum status take_type(struct cursor *cursor, const struct gguf_entry *entry,
                             uint32_t *type, struct error *err)
{
    if (!take_u32(cursor, type))
        FAIL(err, ERR_FORMAT, "key %s: its type is cut at byte %zu, where the file ends",
             gguf_label(entry->key).text, cursor->size);
    if (*type >= TYPE_COUNT)
        FAIL(err, ERR_FORMAT, "key %s: type %u, the greatest known is %d",
             gguf_label(entry->key).text, *type, TYPE_COUNT - 1);
    return OK;
}

static enum status take_entry(struct cursor *cursor, uint32_t index, struct gguf_entry *entry,
                              struct error *err)
{
    char what[32];
    uint32_t type;
    (void)snprintf(what, sizeof what, "key number %u", index);
    TRY(take_name(cursor, what, GGUF_KEY_BYTES_MAX, &entry->key, err));
    TRY(take_type(cursor, entry, &type, err));
    entry->is_array = type == GGUF_ARRAY;
    entry->count = 1;
    if (entry->is_array) {
        TRY(take_type(cursor, entry, &type, err));
        if (type == GGUF_ARRAY)
            FAIL(err, ERR_LIMIT, "key %s: an array of arrays, which is not read",
                 gguf_label(entry->key).text);
        if (!take_u64(cursor, &entry->count))
            FAIL(err, ERR_FORMAT, "key %s: its count is cut at byte %zu, where the file ends",
                 gguf_label(entry->key).text, cursor->size);
    }
    entry->type = (enum gguf_type)type;
    return take_elements(cursor, entry, err);
}

static enum status take_dims(struct cursor *cursor, struct gguf_tensor *tensor,
                             struct error *err)
{
    const struct gguf_label label = gguf_label(tensor->name);
    if (!take_u32(cursor, &tensor->dim_count))
        FAIL(err, ERR_FORMAT, "tensor %s: is cut at byte %zu, where the file ends", label.text,
             cursor->size);
    if (tensor->dim_count > GGUF_DIMS_MAX)
        FAIL(err, ERR_FORMAT, "tensor %s: %u dimensions, at most %d", label.text,
             tensor->dim_count, GGUF_DIMS_MAX);
    for (uint32_t i = 0; i < GGUF_DIMS_MAX; i++) {
        uint64_t dim = 1;
        if (i < tensor->dim_count && !take_u64(cursor, &dim))
            FAIL(err, ERR_FORMAT, "tensor %s: is cut at byte %zu, where the file ends",
                 label.text, cursor->size);
        if (dim == 0 || dim > INT64_MAX)
            FAIL(err, ERR_FORMAT, "tensor %s: dimension %u is %llu, must be 1 .. 2^63-1",
                 label.text, i, (unsigned long long)dim);
        tensor->dims[i] = (int64_t)dim;
    }
    return OK;
}

/* Bytes of the tensor from its shape and type. */
static enum status measure_tensor(struct gguf_tensor *tensor, uint32_t type, struct error *err)
{
    const struct gguf_label label = gguf_label(tensor->name);
    uint32_t block_elems, block_bytes;
    if (!weight_type_layout(type, &block_elems, &block_bytes))
        FAIL(err, ERR_LIMIT, "tensor %s: type %u is not one that is read", label.text, type);
    if (tensor->dims[0] % block_elems != 0)
        FAIL(err, ERR_FORMAT, "tensor %s: rows of %lld, type %s needs a multiple of %u",
             label.text, (long long)tensor->dims[0], weight_type_name(type), block_elems);
    int64_t bytes = tensor->dims[0] / block_elems;
    bool fits = checked_mul_i64(bytes, block_bytes, &bytes);
    for (uint32_t i = 1; i < GGUF_DIMS_MAX; i++)
        fits = fits && checked_mul_i64(bytes, tensor->dims[i], &bytes);
    if (!fits || !checked_u64_to_size((uint64_t)bytes, &tensor->size))
        FAIL(err, ERR_FORMAT, "tensor %s: %lld x %lld x %lld x %lld of %s passes 2^63 bytes",
             label.text, (long long)tensor->dims[0], (long long)tensor->dims[1],
             (long long)tensor->dims[2], (long long)tensor->dims[3], weight_type_name(type));
    tensor->type = (enum weight_type)type;
    return OK;
}

static enum status take_tensor(struct cursor *cursor, uint32_t index,
                               struct gguf_tensor *tensor, struct error *err)
{
    char what[32];
    uint32_t type;
    (void)snprintf(what, sizeof what, "tensor number %u", index);
    TRY(take_name(cursor, what, GGUF_NAME_BYTES_MAX, &tensor->name, err));
    TRY(take_dims(cursor, tensor, err));
    if (!take_u32(cursor, &type) || !take_u64(cursor, &tensor->offset))
        FAIL(err, ERR_FORMAT, "tensor %s: is cut at byte %zu, where the file ends",
             gguf_label(tensor->name).text, cursor->size);
    return measure_tensor(tensor, type, err);
}

static enum status take_header(struct cursor *cursor, struct gguf *gguf, struct error *err)
{
    const uint8_t *magic;
    uint64_t tensor_count, key_count;
    if (!take(cursor, 4, &magic) || memcmp(magic, "GGUF", 4) != 0)
        FAIL(err, ERR_FORMAT, "not a GGUF file: it does not begin with \"GGUF\"");
    if (!take_u32(cursor, &gguf->version) || !take_u64(cursor, &tensor_count) ||
        !take_u64(cursor, &key_count))
        FAIL(err, ERR_FORMAT, "GGUF header: file has %zu bytes, it needs 24", cursor->size);
    if ((gguf->version & 0xffff) == 0 && gguf->version != 0)
        FAIL(err, ERR_LIMIT, "GGUF version: bytes in big-endian order, which is not read");
    if (gguf->version < VERSION_MIN || gguf->version > VERSION_MAX)
        FAIL(err, ERR_LIMIT, "GGUF version: %u, versions %d and %d are read", gguf->version,
             VERSION_MIN, VERSION_MAX);
    if (key_count > left(cursor) / KEY_BYTES_LEAST)
        FAIL(err, ERR_FORMAT, "GGUF key count: %llu, %zu bytes can hold %zu",
             (unsigned long long)key_count, left(cursor), left(cursor) / KEY_BYTES_LEAST);
    if (tensor_count > left(cursor) / TENSOR_BYTES_LEAST)
        FAIL(err, ERR_FORMAT, "GGUF tensor count: %llu, %zu bytes can hold %zu",
             (unsigned long long)tensor_count, left(cursor), left(cursor) / TENSOR_BYTES_LEAST);
    if (key_count > GGUF_KEYS_MAX || tensor_count > GGUF_TENSORS_MAX)
        FAIL(err, ERR_LIMIT, "GGUF counts: %llu keys and %llu tensors, at most %d and %d",
             (unsigned long long)key_count, (unsigned long long)tensor_count, GGUF_KEYS_MAX,
             GGUF_TENSORS_MAX);
    gguf->entry_count = (uint32_t)key_count;
    gguf->tensor_count = (uint32_t)tensor_count;
    return OK;
}

static int compare_entries(const void *a, const void *b)
{
    return text_compare(((const struct gguf_entry *)a)->key,
                        ((const struct gguf_entry *)b)->key);
}

static int compare_tensors(const void *a, const void *b)
{
    return text_compare(((const struct gguf_tensor *)a)->name,
                        ((const struct gguf_tensor *)b)->name);
}

static enum status read_entries(struct cursor *cursor, struct gguf *gguf, struct error *err)
{
    const uint32_t count = gguf->entry_count;
    if (count == 0)
        return OK;
    gguf->entries = calloc(count, sizeof gguf->entries[0]);
    if (!gguf->entries)
        FAIL(err, ERR_MEMORY, "GGUF: no memory for %u keys", count);
    for (uint32_t i = 0; i < count; i++)
        TRY(take_entry(cursor, i, &gguf->entries[i], err));
    qsort(gguf->entries, count, sizeof gguf->entries[0], compare_entries);
    for (uint32_t i = 1; i < count; i++) {
        if (compare_entries(&gguf->entries[i - 1], &gguf->entries[i]) == 0)
            FAIL(err, ERR_FORMAT, "key %s: stands twice in the file",
                 gguf_label(gguf->entries[i].key).text);
    }
    return OK;
}

static enum status read_alignment(struct gguf *gguf, struct error *err)
{
    const struct gguf_entry *entry = gguf_find(gguf, "general.alignment");
    gguf->alignment = GGUF_ALIGNMENT_DEFAULT;
    if (!entry)
        return OK;
    if (entry->is_array || entry->type != GGUF_U32)
        FAIL(err, ERR_FORMAT, "key general.alignment: type %s%s, must be u32",
             entry->is_array ? "array of " : "", gguf_type_name(entry->type));
    struct cursor cursor = {entry->data, entry->size, 0};
    const bool has_value = take_u32(&cursor, &gguf->alignment);
    assert(has_value);
    const uint32_t alignment = gguf->alignment;
    if (alignment < GGUF_ALIGNMENT_MIN || alignment > GGUF_ALIGNMENT_MAX ||
        (alignment & (alignment - 1)) != 0)
        FAIL(err, ERR_FORMAT, "key general.alignment: %u, must be a power of two, %d .. %d",
             alignment, GGUF_ALIGNMENT_MIN, GGUF_ALIGNMENT_MAX);
    return OK;
}

/* Gives each tensor its place. Tensors stand in the file in the order of their descriptions,
 * and each, the last too, is padded to the alignment: a file that lacks some was cut. */
static enum status place_tensors(struct cursor *cursor, struct gguf *gguf, struct error *err)
{
    size_t end = 0; /* of the tensor before, in the data section */
    if (!checked_align_size(cursor->at, gguf->alignment, &gguf->data_offset) ||
        gguf->data_offset > cursor->size)
        FAIL(err, ERR_FORMAT, "GGUF data section: begins past the end of the file, byte %zu",
             cursor->size);
    const size_t data_size = cursor->size - gguf->data_offset;
    for (uint32_t i = 0; i < gguf->tensor_count; i++) {
        struct gguf_tensor *tensor = &gguf->tensors[i];
        const struct gguf_label label = gguf_label(tensor->name);
        size_t offset, padded;
        if (tensor->offset % gguf->alignment != 0)
            FAIL(err, ERR_FORMAT, "tensor %s: offset %llu is no multiple of the alignment %u",
                 label.text, (unsigned long long)tensor->offset, gguf->alignment);
        if (!checked_u64_to_size(tensor->offset, &offset) ||
            !checked_align_size(tensor->size, gguf->alignment, &padded) ||
            !checked_range(offset, padded, data_size))
            FAIL(err, ERR_FORMAT,
                 "tensor %s: %zu bytes and padding at offset %llu, data section has %zu",
                 label.text, tensor->size, (unsigned long long)tensor->offset, data_size);
        if (offset < end)
            FAIL(err, ERR_FORMAT, "tensor %s: begins at offset %zu, the one before ends at %zu",
                 label.text, offset, end);
        end = offset + padded; /* fits: it lies in the file */
        tensor->data = cursor->data + gguf->data_offset + offset;
    }
    return OK;
}

static enum status read_tensors(struct cursor *cursor, struct gguf *gguf, struct error *err)
{
    const uint32_t count = gguf->tensor_count;
    if (count == 0)
        return OK;
    gguf->tensors = calloc(count, sizeof gguf->tensors[0]);
    if (!gguf->tensors)
        FAIL(err, ERR_MEMORY, "GGUF: no memory for %u tensors", count);
    for (uint32_t i = 0; i < count; i++)
        TRY(take_tensor(cursor, i, &gguf->tensors[i], err));
    TRY(place_tensors(cursor, gguf, err));
    return gguf_sort_tensors(gguf, err);
}

static enum status read_all(struct cursor *cursor, struct gguf *gguf, struct error *err)
{
    TRY(take_header(cursor, gguf, err));
    TRY(read_entries(cursor, gguf, err));
    TRY(read_alignment(gguf, err));
    return read_tensors(cursor, gguf, err);
}

enum status gguf_init(struct gguf *gguf, const uint8_t *data, size_t size, struct error *err)
{
    assert((uintptr_t)data % GGUF_ALIGNMENT_MIN == 0);
    struct cursor cursor = {data, size, 0};
    *gguf = (struct gguf){0};
    const enum status status = read_all(&cursor, gguf, err);
    if (status != OK)
        gguf_deinit(gguf);
    return status;
}

void gguf_deinit(struct gguf *gguf)
{
    free(gguf->entries);
    free(gguf->tensors);
    *gguf = (struct gguf){0};
}

enum status gguf_sort_tensors(struct gguf *gguf, struct error *err)
{
    const uint32_t count = gguf->tensor_count;
    if (count > 0)
        qsort(gguf->tensors, count, sizeof gguf->tensors[0], compare_tensors);
    for (uint32_t i = 1; i < count; i++) {
        if (compare_tensors(&gguf->tensors[i - 1], &gguf->tensors[i]) == 0)
            FAIL(err, ERR_FORMAT, "tensor %s: stands twice",
                 gguf_label(gguf->tensors[i].name).text);
    }
    return OK;
}

const struct gguf_entry *gguf_find(const struct gguf *gguf, const char *key)
{
    const struct gguf_entry wanted = {.key = text_of(key)};
    if (gguf->entry_count == 0)
        return NULL;
    return bsearch(&wanted, gguf->entries, gguf->entry_count, sizeof wanted, compare_entries);
}

const struct gguf_tensor *gguf_find_tensor(const struct gguf *gguf, const char *name)
{
    const struct gguf_tensor wanted = {.name = text_of(name)};
    if (gguf->tensor_count == 0)
        return NULL;
    return bsearch(&wanted, gguf->tensors, gguf->tensor_count, sizeof wanted, compare_tensors);
}

struct gguf_label gguf_label(struct text name)
{
    struct gguf_label label = {0};
    const bool is_cut = name.size > GGUF_NAME_BYTES_MAX;
    const size_t size = is_cut ? GGUF_NAME_BYTES_MAX : name.size;
    for (size_t i = 0; i < size; i++)
        label.text[i] = name.data[i] > ' ' && name.data[i] < 0x7f ? name.data[i] : '?';
    if (is_cut)
        memcpy(label.text + size, "...", 3);
    return label;
}

const char *gguf_type_name(enum gguf_type type)
{
    return TYPES[type].name;
}
