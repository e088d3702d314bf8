/*
 * safetensors - see safetensors.h.
 *
 * The format: u64 header size, little-endian; the header, a JSON object, which may end in
 * spaces; the data section. A member of the object is a tensor, {"dtype", "shape",
 * "data_offsets": [begin, end)} within the data section, or "__metadata__", an object of
 * strings. The tensors, whatever their order in the header, fill the data section without a
 * hole. Published faults of other readers that the checks answer to: offsets past the end,
 * products of a shape that wrap, tensors that share bytes.
 */
#include "engine/safetensors.h"

#include "base/checked.h"
#include "engine/gguf.h"

#include <stdlib.h>

enum { SIZE_BYTES = 8 };

static const struct {
    const char *name;
    uint32_t bytes;
} DTYPES[] = {
    {"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1},
    {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},
    {"U32", 4},  {"F32", 4}, {"F64", 8}, {"I64", 8},     {"U64", 8},
};

static int by_name(const void *a, const void *b)
{
    return text_compare(((const struct safetensors_tensor *)a)->name,
                        ((const struct safetensors_tensor *)b)->name);
}

static int by_place(const void *a, const void *b)
{
    const struct safetensors_tensor *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    return (x->size > y->size) - (x->size < y->size);
}

static enum status read_shape(struct safetensors_tensor *tensor, const struct json *shape,
                              struct error *err)
{
    const struct gguf_label label = gguf_label(tensor->name);
    if (json_type(shape) != JSON_ARRAY)
        FAIL(err, ERR_FORMAT, "tensor %s: its shape is missing or no array", label.text);
    for (const struct json *at = json_first(shape); at; at = json_next(at)) {
        int64_t dim;
        if (tensor->dim_count == SAFETENSORS_DIMS_MAX)
            FAIL(err, ERR_LIMIT, "tensor %s: %zu dimensions, at most %d", label.text,
                 json_count(shape), SAFETENSORS_DIMS_MAX);
        if (!json_i64(at, &dim) || dim < 0)
            FAIL(err, ERR_FORMAT, "tensor %s: dimension %u is no integer of 0 .. 2^63-1",
                 label.text, tensor->dim_count);
        tensor->dims[tensor->dim_count++] = dim;
    }
    return OK;
}

/* Bytes that shape and type come to. */
static enum status measure(const struct safetensors_tensor *tensor, uint32_t elem_bytes,
                           int64_t *bytes, struct error *err)
{
    *bytes = elem_bytes;
    for (uint32_t i = 0; i < tensor->dim_count; i++) {
        if (!checked_mul_i64(*bytes, tensor->dims[i], bytes))
            FAIL(err, ERR_FORMAT, "tensor %s: its shape passes 2^63 bytes",
                 gguf_label(tensor->name).text);
    }
    return OK;
}

static enum status read_dtype(struct safetensors_tensor *tensor, const struct json *dtype,
                              uint32_t *elem_bytes, struct error *err)
{
    struct text name;
    if (!json_text(dtype, &name))
        FAIL(err, ERR_FORMAT, "tensor %s: its dtype is missing or no string",
             gguf_label(tensor->name).text);
    for (size_t i = 0; i < sizeof DTYPES / sizeof DTYPES[0]; i++) {
        if (!text_equal(name, text_of(DTYPES[i].name)))
            continue;
        tensor->dtype = DTYPES[i].name;
        *elem_bytes = DTYPES[i].bytes;
        return OK;
    }
    FAIL(err, ERR_LIMIT, "tensor %s: dtype %s is not one that is read",
         gguf_label(tensor->name).text, gguf_label(name).text);
}

static enum status read_tensor(struct safetensors_tensor *tensor, const struct json *member,
                               struct text data, struct error *err)
{
    uint32_t elem_bytes = 0;
    int64_t begin, end, bytes;
    *tensor = (struct safetensors_tensor){.name = json_key(member)};
    const struct gguf_label label = gguf_label(tensor->name);
    if (json_type(member) != JSON_OBJECT)
        FAIL(err, ERR_FORMAT, "tensor %s: its description is no object", label.text);
    TRY(read_dtype(tensor, json_get(member, "dtype"), &elem_bytes, err));
    TRY(read_shape(tensor, json_get(member, "shape"), err));
    TRY(measure(tensor, elem_bytes, &bytes, err));
    const struct json *offsets = json_get(member, "data_offsets");
    if (json_type(offsets) != JSON_ARRAY || json_count(offsets) != 2 ||
        !json_i64(json_first(offsets), &begin) ||
        !json_i64(json_next(json_first(offsets)), &end))
        FAIL(err, ERR_FORMAT, "tensor %s: its data_offsets are no two integers", label.text);
    if (begin < 0 || end < begin || (uint64_t)end > data.size)
        FAIL(err, ERR_FORMAT, "tensor %s: bytes %lld .. %lld of a data section of %zu",
             label.text, (long long)begin, (long long)end, data.size);
    if (end - begin != bytes)
        FAIL(err, ERR_FORMAT, "tensor %s: has %lld bytes, its shape and type %s say %lld",
             label.text, (long long)(end - begin), tensor->dtype, (long long)bytes);
    tensor->begin = (size_t)begin;
    tensor->size = (size_t)bytes;
    tensor->data = (const uint8_t *)data.data + tensor->begin;
    return OK;
}

static enum status check_metadata(const struct json *metadata, struct error *err)
{
    struct text value;
    if (json_type(metadata) != JSON_OBJECT)
        FAIL(err, ERR_FORMAT, "safetensors metadata: is no object");
    for (const struct json *at = json_first(metadata); at; at = json_next(at)) {
        if (!json_text(at, &value))
            FAIL(err, ERR_FORMAT, "safetensors metadata: %s is no string",
                 gguf_label(json_key(at)).text);
    }
    return OK;
}

/* Each tensor begins where the one before it ends, and the last ends with the file. */
static enum status check_places(struct safetensors *file, struct text data, struct error *err)
{
    size_t end = 0;
    const uint32_t count = file->tensor_count;
    qsort(file->tensors, count, sizeof file->tensors[0], by_place);
    for (uint32_t i = 0; i < count; i++) {
        const struct safetensors_tensor *tensor = &file->tensors[i];
        if (tensor->begin != end)
            FAIL(err, ERR_FORMAT,
                 "tensor %s: begins at byte %zu, where the one before ends at %zu",
                 gguf_label(tensor->name).text, tensor->begin, end);
        end = tensor->begin + tensor->size; /* fits: held against the data section */
    }
    if (end != data.size)
        FAIL(err, ERR_FORMAT,
             "safetensors data: the tensors end at byte %zu, the section at %zu", end,
             data.size);
    qsort(file->tensors, count, sizeof file->tensors[0], by_name);
    for (uint32_t i = 1; i < count; i++) {
        if (by_name(&file->tensors[i - 1], &file->tensors[i]) == 0)
            FAIL(err, ERR_FORMAT, "tensor %s: stands twice in the file",
                 gguf_label(file->tensors[i].name).text);
    }
    return OK;
}

static enum status read_members(struct safetensors *file, struct text data, struct error *err)
{
    const size_t members = json_count(file->root);
    if (json_type(file->root) != JSON_OBJECT)
        FAIL(err, ERR_FORMAT, "safetensors header: is no object");
    if (members > SAFETENSORS_TENSORS_MAX)
        FAIL(err, ERR_LIMIT, "safetensors header: %zu tensors, at most %d", members,
             SAFETENSORS_TENSORS_MAX);
    file->tensors = calloc(members + 1, sizeof file->tensors[0]);
    if (!file->tensors)
        FAIL(err, ERR_MEMORY, "safetensors header: no memory for %zu tensors", members);
    for (const struct json *at = json_first(file->root); at; at = json_next(at)) {
        if (!text_equal(json_key(at), TEXT("__metadata__"))) {
            TRY(read_tensor(&file->tensors[file->tensor_count], at, data, err));
            file->tensor_count++;
            continue;
        }
        if (file->metadata)
            FAIL(err, ERR_FORMAT, "safetensors metadata: stands twice in the file");
        TRY(check_metadata(at, err));
        file->metadata = at;
    }
    return check_places(file, data, err);
}

enum status safetensors_init(struct safetensors *file, struct text bytes, struct error *err)
{
    uint64_t header = 0;
    *file = (struct safetensors){0};
    if (bytes.size < SIZE_BYTES)
        FAIL(err, ERR_FORMAT, "safetensors header: file has %zu bytes, its size alone takes %d",
             bytes.size, SIZE_BYTES);
    for (uint32_t i = 0; i < SIZE_BYTES; i++)
        header |= (uint64_t)(uint8_t)bytes.data[i] << 8 * i;
    if (header > SAFETENSORS_HEADER_BYTES_MAX)
        FAIL(err, ERR_LIMIT, "safetensors header: %llu bytes, at most %d",
             (unsigned long long)header, SAFETENSORS_HEADER_BYTES_MAX);
    if (header > bytes.size - SIZE_BYTES)
        FAIL(err, ERR_FORMAT, "safetensors header: %llu bytes, file has %zu after its size",
             (unsigned long long)header, bytes.size - SIZE_BYTES);
    const size_t begin = SIZE_BYTES + (size_t)header;
    const struct text json = text_slice(bytes, SIZE_BYTES, begin);
    if (json.size == 0 || json.data[0] != '{')
        FAIL(err, ERR_FORMAT, "safetensors header: does not begin with {");
    TRY(json_parse(json, SAFETENSORS_HEADER_BYTES_MAX, &file->root, err));
    const enum status status = read_members(file, text_slice(bytes, begin, bytes.size), err);
    if (status != OK)
        safetensors_deinit(file);
    return status;
}

void safetensors_deinit(struct safetensors *file)
{
    json_free(file->root);
    free(file->tensors);
    *file = (struct safetensors){0};
}

const struct safetensors_tensor *safetensors_find(const struct safetensors *file,
                                                  struct text name)
{
    const struct safetensors_tensor key = {.name = name};
    if (file->tensor_count == 0)
        return NULL;
    return bsearch(&key, file->tensors, file->tensor_count, sizeof key, by_name);
}
