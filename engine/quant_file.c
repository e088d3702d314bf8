/* quant_file - see quant_file.h. */
#include "engine/quant_file.h"

#include "engine/gguf_write.h"
#include "engine/quant_report.h"
#include "kernels/weight_quantize.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { RUN_BYTES = 4 << 20, QUANTIZATION_VERSION = 2, CONVERT = 1 };

/* Types by name, and their numbers as general.file_type has them. */
static const struct written {
    enum weight_type type;
    uint32_t file_type;
    bool is_small; /* fewer than 8 bits */
} types[] = {
    {WEIGHT_F16, 1, false}, {WEIGHT_BF16, 32, false}, {WEIGHT_Q8_0, 7, false},
    {WEIGHT_Q4_0, 2, true}, {WEIGHT_Q4_1, 3, true},   {WEIGHT_Q4_K, 14, true},
    {WEIGHT_Q5_0, 8, true}, {WEIGHT_Q5_1, 9, true},
};

enum { TYPE_COUNT = sizeof types / sizeof types[0] };

struct writer {
    const char *path;
    struct device *device;
    struct gguf_write_piece *pieces;
    uint8_t *run; /* RUN_BYTES, or one row */
};

struct run {
    const struct writer *writer;
    const struct gguf_write_piece *piece;
    int64_t first;
    size_t from_bytes, to_bytes; /* of a row */
    atomic_llong refused;        /* a row that the type cannot hold; -1: none */
};

static const struct written *written_of(enum weight_type type)
{
    for (int i = 0; i < TYPE_COUNT; i++)
        if (types[i].type == type)
            return &types[i];
    return NULL;
}

static bool is_head(const struct gguf *gguf, const struct gguf_tensor *tensor)
{
    return text_equal(tensor->name, TEXT("output.weight")) ||
           (text_equal(tensor->name, TEXT("token_embd.weight")) &&
            !gguf_find_tensor(gguf, "output.weight"));
}

static bool divides(enum weight_type type, int64_t row)
{
    uint32_t elems, bytes;
    return weight_type_layout(type, &elems, &bytes) && row % elems == 0;
}

static void convert_row(void *context, int32_t index, uint32_t worker)
{
    struct run *run = context;
    const struct gguf_tensor *from = run->piece->from;
    const size_t row = (size_t)(run->first + index);
    struct device *device = run->writer->device;
    float *values = device_scratch(device, worker);
    weight_dequantize_at(device_simd(device), from->type, from->data + row * run->from_bytes,
                         values, from->dims[0]);
    if (!weight_quantize((enum weight_type)run->piece->type, values,
                         run->writer->run + (size_t)index * run->to_bytes, from->dims[0]))
        atomic_store(&run->refused, (long long)row);
}

static enum status convert(void *context, const struct gguf_write_piece *piece,
                           struct gguf_write *to, struct error *err)
{
    const struct writer *writer = context;
    const struct gguf_tensor *from = piece->from;
    const int64_t rows = from->dims[1];
    struct run run = {.writer = writer,
                      .piece = piece,
                      .from_bytes = from->size / (size_t)rows,
                      .to_bytes = (size_t)piece->size / (size_t)rows,
                      .refused = -1};
    const int64_t fit = RUN_BYTES / (int64_t)run.to_bytes, most = fit > 1 ? fit : 1;
    for (; run.first < rows; run.first += most) {
        const int64_t count = rows - run.first < most ? rows - run.first : most;
        device_parallel(writer->device, (int32_t)count, convert_row, &run);
        const long long refused = atomic_load(&run.refused);
        if (refused >= 0)
            FAIL(err, ERR_FORMAT,
                 "tensor %s: row %lld has a number that is not finite or past what %s holds",
                 piece->name, refused, weight_type_name(piece->type));
        TRY(gguf_write_bytes(to, writer->run, (uint64_t)count * run.to_bytes, err));
    }
    return OK;
}

static enum status plan_piece(const struct writer *writer, struct gguf_write_piece *piece,
                              enum weight_type type, struct error *err)
{
    const struct gguf_tensor *from = piece->from;
    uint32_t elems = 1, bytes = 0;
    if (type == from->type)
        return OK;
    if (!weight_type_is_supported(from->type))
        FAIL(err, ERR_LIMIT, "tensor %s: type %s is not read", piece->name,
             weight_type_name(from->type));
    const size_t scratch = device_scratch_bytes(writer->device);
    if ((uint64_t)from->dims[0] > scratch / sizeof(float) || from->dims[1] > INT32_MAX)
        FAIL(err, ERR_LIMIT, "tensor %s: %lld x %lld, at most %zu x %d", piece->name,
             (long long)from->dims[0], (long long)from->dims[1], scratch / sizeof(float),
             INT32_MAX);
    (void)weight_type_layout(type, &elems, &bytes);
    piece->content = CONVERT;
    piece->type = type;
    piece->size = (uint64_t)from->dims[0] / elems * bytes * (uint64_t)from->dims[1];
    return OK;
}

static enum status plan(struct writer *writer, const struct gguf *gguf, enum weight_type type,
                        struct error *err)
{
    uint64_t run_bytes = RUN_BYTES;
    writer->pieces = calloc((size_t)gguf->tensor_count + 1, sizeof writer->pieces[0]);
    if (!writer->pieces)
        FAIL(err, ERR_MEMORY, "%s: no room for %u tensors", writer->path, gguf->tensor_count);
    for (uint32_t i = 0; i < gguf->tensor_count; i++) {
        const struct gguf_tensor *tensor = &gguf->tensors[i];
        struct gguf_write_piece *piece = &writer->pieces[i];
        *piece = gguf_write_copy(tensor);
        TRY(plan_piece(writer, piece, quant_file_choose(gguf, tensor, type), err));
        const uint64_t row =
            tensor->dim_count == 2 ? piece->size / (uint64_t)tensor->dims[1] : 0;
        run_bytes = row > run_bytes ? row : run_bytes;
    }
    writer->run = malloc((size_t)run_bytes);
    if (!writer->run)
        FAIL(err, ERR_MEMORY, "%s: no room for %llu bytes of rows", writer->path,
             (unsigned long long)run_bytes);
    return OK;
}

bool quant_file_type(const char *name, enum weight_type *type)
{
    for (int i = 0; i < TYPE_COUNT; i++) {
        if (strcasecmp(name, weight_type_name(types[i].type)) != 0)
            continue;
        *type = types[i].type;
        return true;
    }
    return false;
}

struct quant_file_names quant_file_names(void)
{
    struct quant_file_names names = {""};
    size_t size = 0;
    for (int i = 0; i < TYPE_COUNT; i++) {
        const int added = snprintf(names.text + size, sizeof names.text - size, "%s%s",
                                   i > 0 ? ", " : "", weight_type_name(types[i].type));
        size += (size_t)added;
        assert(size < sizeof names.text);
    }
    return names;
}

enum weight_type quant_file_choose(const struct gguf *gguf, const struct gguf_tensor *tensor,
                                   enum weight_type type)
{
    const bool is_embedding = text_equal(tensor->name, TEXT("token_embd.weight"));
    if (tensor->dim_count != 2 || !(is_embedding || quant_report_is_matrix(gguf, tensor)))
        return tensor->type;
    const struct written *written = written_of(type);
    if (written && written->is_small && is_head(gguf, tensor))
        type = WEIGHT_Q8_0;
    if (!divides(type, tensor->dims[0]))
        type = divides(WEIGHT_Q8_0, tensor->dims[0]) ? WEIGHT_Q8_0 : WEIGHT_F16;
    return type;
}

enum status quant_file_write(const char *path, const struct gguf *gguf, enum weight_type type,
                             struct device *device, struct error *err)
{
    const struct written *written = written_of(type);
    if (!written)
        FAIL(err, ERR_LIMIT, "type %s is not written; %s are", weight_type_name(type),
             quant_file_names().text);
    const struct gguf_write_key keys[] = {
        {"general.file_type", written->file_type},
        {"general.quantization_version", QUANTIZATION_VERSION}};
    struct writer writer = {.path = path, .device = device};
    enum status status = plan(&writer, gguf, type, err);
    const struct gguf_write_plan file = {.path = path,
                                         .source = gguf,
                                         .pieces = writer.pieces,
                                         .piece_count = gguf->tensor_count,
                                         .keys = keys,
                                         .key_count = sizeof keys / sizeof keys[0],
                                         .make = convert,
                                         .context = &writer};
    if (status == OK)
        status = gguf_write_file(&file, err);
    free(writer.run);
    free(writer.pieces);
    return status;
}
