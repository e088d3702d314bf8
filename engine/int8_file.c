/*
 * int8_file - see int8_file.h.
 *
 * The format: GGUF version 3. Every key of the source is copied as it is, but for
 * general.file_type, and one is added:
 *
 *     cohort.int8.version  u32  1
 *
 * A matrix NAME.weight of out_dim rows of in_dim numbers becomes two tensors:
 *
 *     NAME.weight  I8   [in_dim, out_dim]  row by row, not padded; |q| <= 127
 *     NAME.scale   F32  [out_dim]          finite, not negative
 *
 * Row o is scale[o] times q[o, :], rotated back by the block Hadamard transform of
 * kernels/weight.h along in_dim. When the head is tied to the embedding, output.weight and
 * output.scale hold its int8 form, and token_embd.weight stays beside them in its own. Tensors
 * of one dimension, and matrices that the rule of quant_report.h keeps, stay as they are.
 *
 * Version 1 means just this. A reader refuses other versions, I8 matrices without the key, and
 * precision exact: what was rounded away cannot come back.
 */
#include "engine/int8_file.h"

#include "engine/gguf_get.h"
#include "engine/gguf_write.h"
#include "kernels/weight_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUN_BYTES = 4 << 20 };

enum content { COPY, ROWS, SCALES }; /* SCALES follow the ROWS they belong to */

struct writer {
    const char *path;
    const struct gguf *gguf;
    struct device *device;
    struct gguf_write_piece *pieces; /* [piece_count] */
    uint32_t piece_count;
    float *scales; /* of the rows written last */
    int8_t *run;   /* RUN_BYTES, or one row */
};

struct run {
    const struct writer *writer;
    const struct weight_rows *rows;
    int32_t first;
};

/* Puts the tensor's pieces in the list; returns how many. */
static uint32_t add_pieces(struct gguf_write_piece *pieces, const struct gguf_tensor *tensor,
                           const struct quant_report *report)
{
    const struct quant_report_matrix *matrix = quant_report_find(report, tensor);
    const bool is_embedding = text_equal(tensor->name, TEXT("token_embd.weight"));
    const bool is_int8 = matrix && !matrix->is_kept;
    uint32_t count = 0;
    if (!is_int8 || is_embedding)
        pieces[count++] = gguf_write_copy(tensor);
    if (!is_int8)
        return count;
    const struct text name = is_embedding ? TEXT("output.weight") : tensor->name;
    const uint64_t outs = (uint64_t)tensor->dims[1];
    struct gguf_write_piece *rows = &pieces[count], *scales = &pieces[count + 1];
    *rows = *scales = gguf_write_copy(tensor);
    (void)snprintf(rows->name, sizeof rows->name, "%.*s", TEXT_ARG(name));
    rows->content = ROWS;
    rows->type = WEIGHT_I8;
    rows->size = outs * (uint64_t)tensor->dims[0];
    const struct int8_file_name scale_name = int8_file_scale_name(name);
    memcpy(scales->name, scale_name.text, sizeof scales->name);
    scales->content = SCALES;
    scales->type = WEIGHT_F32;
    scales->dim_count = 1;
    scales->dims[0] = tensor->dims[1];
    scales->size = outs * sizeof(float);
    return count + 2;
}

static enum status plan(struct writer *writer, const struct quant_report *report,
                        struct error *err)
{
    const struct gguf *gguf = writer->gguf;
    int64_t outs_max = 1, row_max = 1;
    writer->pieces = calloc(3 * (size_t)gguf->tensor_count + 1, sizeof writer->pieces[0]);
    if (!writer->pieces)
        FAIL(err, ERR_MEMORY, "%s: no room for %u tensors", writer->path, gguf->tensor_count);
    for (uint32_t i = 0; i < gguf->tensor_count; i++)
        writer->piece_count +=
            add_pieces(writer->pieces + writer->piece_count, &gguf->tensors[i], report);
    for (uint32_t i = 0; i < writer->piece_count; i++) {
        const struct gguf_write_piece *piece = &writer->pieces[i];
        if (piece->content != ROWS)
            continue;
        outs_max = piece->from->dims[1] > outs_max ? piece->from->dims[1] : outs_max;
        row_max = piece->from->dims[0] > row_max ? piece->from->dims[0] : row_max;
    }
    writer->scales = calloc((size_t)outs_max, sizeof(float));
    writer->run = malloc(RUN_BYTES > row_max ? RUN_BYTES : (size_t)row_max);
    if (!writer->scales || !writer->run)
        FAIL(err, ERR_MEMORY, "%s: no room for %lld scales", writer->path, (long long)outs_max);
    return OK;
}

static void make_row(void *context, int32_t index, uint32_t worker)
{
    const struct run *run = context;
    const struct weight_rows *rows = run->rows;
    const int32_t out = run->first + index;
    const int8_t *row =
        weight_row_make(rows, out, run->writer->device, worker, run->writer->scales + out);
    memcpy(run->writer->run + (size_t)index * (size_t)rows->in_dim, row, (size_t)rows->in_dim);
}

static enum status put_rows(struct writer *writer, const struct gguf_write_piece *piece,
                            struct gguf_write *to, struct error *err)
{
    const struct gguf_tensor *from = piece->from;
    const int32_t out_dim = (int32_t)from->dims[1], in_dim = (int32_t)from->dims[0];
    const struct weight_rows rows = {.name = piece->name,
                                     .type = from->type,
                                     .out_dim = out_dim,
                                     .in_dim = in_dim,
                                     .blocks = from->data,
                                     .row_bytes = from->size / (size_t)out_dim};
    const size_t scratch = weight_row_scratch_bytes(in_dim);
    if (scratch > device_scratch_bytes(writer->device))
        FAIL(err, ERR_LIMIT, "tensor %s: needs %zu bytes of scratch, the device has %zu",
             piece->name, scratch, device_scratch_bytes(writer->device));
    const int32_t run_rows = in_dim < RUN_BYTES ? RUN_BYTES / in_dim : 1;
    for (int32_t first = 0; first < out_dim; first += run_rows) {
        const int32_t count = out_dim - first < run_rows ? out_dim - first : run_rows;
        struct run run = {writer, &rows, first};
        device_parallel(writer->device, count, make_row, &run);
        TRY(gguf_write_bytes(to, writer->run, (uint64_t)count * (uint64_t)in_dim, err));
    }
    return OK;
}

static enum status make(void *context, const struct gguf_write_piece *piece,
                        struct gguf_write *to, struct error *err)
{
    struct writer *writer = context;
    return piece->content == ROWS ? put_rows(writer, piece, to, err)
                                  : gguf_write_bytes(to, writer->scales, piece->size, err);
}

struct int8_file_name int8_file_scale_name(struct text matrix)
{
    struct int8_file_name name;
    if (text_ends(matrix, TEXT(".weight")))
        matrix.size -= strlen(".weight");
    (void)snprintf(name.text, sizeof name.text, "%.*s.scale", TEXT_ARG(matrix));
    return name;
}

enum status int8_file_check(const struct gguf *gguf, bool *is_int8, struct error *err)
{
    int64_t version = 0;
    *is_int8 = gguf_find(gguf, INT8_FILE_KEY) != NULL;
    if (!*is_int8)
        return OK;
    TRY(gguf_get_int(gguf, INT8_FILE_KEY, &version, err));
    if (version != INT8_FILE_VERSION)
        FAIL(err, ERR_LIMIT, "key %s: %lld, version %d is read", INT8_FILE_KEY,
             (long long)version, INT8_FILE_VERSION);
    return OK;
}

enum status int8_file_write(const char *path, const struct gguf *gguf,
                            const struct quant_report *report, struct device *device,
                            struct error *err)
{
    static const struct gguf_write_key keys[] = {{"general.file_type", GGUF_WRITE_NO_KEY},
                                                 {INT8_FILE_KEY, INT8_FILE_VERSION}};
    struct writer writer = {.path = path, .gguf = gguf, .device = device};
    enum status status = plan(&writer, report, err);
    const struct gguf_write_plan file = {.path = path,
                                         .source = gguf,
                                         .pieces = writer.pieces,
                                         .piece_count = writer.piece_count,
                                         .keys = keys,
                                         .key_count = sizeof keys / sizeof keys[0],
                                         .make = make,
                                         .context = &writer};
    if (status == OK)
        status = gguf_write_file(&file, err);
    free(writer.run);
    free(writer.scales);
    free(writer.pieces);
    return status;
}
