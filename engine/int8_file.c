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

#include "base/checked.h"
#include "engine/gguf_get.h"
#include "kernels/weight_row.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RUN_BYTES = 4 << 20, PATH_BYTES = 4096, VERSION = 3, TYPE_ARRAY = GGUF_ARRAY };

enum content { COPY, ROWS, SCALES };

/* A tensor to be written. SCALES follow the ROWS they belong to. */
struct piece {
    enum content content;
    const struct gguf_tensor *from;
    struct int8_file_name name;
    uint32_t type;
    uint64_t offset, size;
};

struct writer {
    const char *path;
    FILE *file;
    uint64_t at; /* bytes written */
    const struct gguf *gguf;
    struct device *device;
    struct piece *pieces; /* [piece_count] */
    uint32_t piece_count;
    float *scales; /* of the rows written last */
    int8_t *run;   /* RUN_BYTES, or one row */
};

struct run {
    const struct writer *writer;
    const struct weight_rows *rows;
    int32_t first;
};

/* ---- what is to be written ---- */

static void name_piece(struct piece *piece, struct text name)
{
    (void)snprintf(piece->name.text, sizeof piece->name.text, "%.*s", TEXT_ARG(name));
}

/* Puts the tensor's pieces in the list; returns how many. */
static uint32_t add_pieces(struct piece *pieces, const struct gguf_tensor *tensor,
                           const struct quant_report *report)
{
    const struct quant_report_matrix *matrix = quant_report_find(report, tensor);
    const bool is_embedding = text_equal(tensor->name, TEXT("token_embd.weight"));
    const bool is_int8 = matrix && !matrix->is_kept;
    uint32_t count = 0;
    if (!is_int8 || is_embedding) {
        pieces[count] = (struct piece){
            .content = COPY, .from = tensor, .type = tensor->type, .size = tensor->size};
        name_piece(&pieces[count++], tensor->name);
    }
    if (!is_int8)
        return count;
    const struct text name = is_embedding ? TEXT("output.weight") : tensor->name;
    const uint64_t outs = (uint64_t)tensor->dims[1];
    pieces[count] = (struct piece){.content = ROWS,
                                   .from = tensor,
                                   .type = WEIGHT_I8,
                                   .size = outs * (uint64_t)tensor->dims[0]};
    name_piece(&pieces[count++], name);
    pieces[count] = (struct piece){.content = SCALES,
                                   .from = tensor,
                                   .name = int8_file_scale_name(name),
                                   .type = WEIGHT_F32,
                                   .size = outs * sizeof(float)};
    return count + 1;
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
    uint64_t offset = 0;
    for (uint32_t i = 0; i < writer->piece_count; i++) {
        struct piece *piece = &writer->pieces[i];
        piece->offset = offset; /* cannot wrap: less than 13 times the source's bytes */
        offset =
            (offset + piece->size + gguf->alignment - 1) / gguf->alignment * gguf->alignment;
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

/* ---- the header ---- */

static void add_u32(struct text_buf *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        text_buf_byte(out, (char)(value >> 8 * i & 255));
}

static void add_u64(struct text_buf *out, uint64_t value)
{
    add_u32(out, (uint32_t)value);
    add_u32(out, (uint32_t)(value >> 32));
}

static void add_string(struct text_buf *out, struct text text)
{
    add_u64(out, text.size);
    text_buf_add(out, text);
}

static bool is_copied(const struct gguf_entry *entry)
{
    return !text_equal(entry->key, TEXT("general.file_type"));
}

static void add_entry(struct text_buf *out, const struct gguf_entry *entry)
{
    add_string(out, entry->key);
    if (entry->is_array)
        add_u32(out, TYPE_ARRAY);
    add_u32(out, entry->type);
    if (entry->is_array)
        add_u64(out, entry->count);
    text_buf_add(out, (struct text){(const char *)entry->data, entry->size});
}

static void add_piece(struct text_buf *out, const struct piece *piece)
{
    const uint32_t dims = piece->content == SCALES ? 1 : piece->from->dim_count;
    add_string(out, text_of(piece->name.text));
    add_u32(out, dims);
    for (uint32_t i = 0; i < dims; i++)
        add_u64(out, (uint64_t)piece->from->dims[piece->content == SCALES ? 1 : i]);
    add_u32(out, piece->type);
    add_u64(out, piece->offset);
}

static void add_header(struct text_buf *out, const struct writer *writer)
{
    const struct gguf *gguf = writer->gguf;
    uint64_t keys = 1;
    for (uint32_t i = 0; i < gguf->entry_count; i++)
        keys += is_copied(&gguf->entries[i]);
    text_buf_add(out, TEXT("GGUF"));
    add_u32(out, VERSION);
    add_u64(out, writer->piece_count);
    add_u64(out, keys);
    for (uint32_t i = 0; i < gguf->entry_count; i++) {
        if (is_copied(&gguf->entries[i]))
            add_entry(out, &gguf->entries[i]);
    }
    add_string(out, TEXT(INT8_FILE_KEY));
    add_u32(out, GGUF_U32);
    add_u32(out, INT8_FILE_VERSION);
    for (uint32_t i = 0; i < writer->piece_count; i++)
        add_piece(out, &writer->pieces[i]);
}

/* ---- the bytes ---- */

static enum status put(struct writer *writer, const void *bytes, uint64_t size,
                       struct error *err)
{
    if (size > 0 && fwrite(bytes, 1, (size_t)size, writer->file) != (size_t)size)
        FAIL(err, ERR_IO, "%s: cannot be written at byte %" PRIu64 ": %s", writer->path,
             writer->at, strerror(errno));
    writer->at += size;
    return OK;
}

/* Zeros up to the alignment. */
static enum status put_padding(struct writer *writer, struct error *err)
{
    while (writer->at % writer->gguf->alignment != 0)
        TRY(put(writer, "", 1, err));
    return OK;
}

static void make_row(void *context, int32_t index, uint32_t worker)
{
    const struct run *run = context;
    const struct weight_rows *rows = run->rows;
    const int32_t out = run->first + index;
    const int8_t *row = weight_row_make(rows, out, device_scratch(run->writer->device, worker),
                                        run->writer->scales + out);
    memcpy(run->writer->run + (size_t)index * (size_t)rows->in_dim, row, (size_t)rows->in_dim);
}

static enum status put_rows(struct writer *writer, const struct piece *piece, struct error *err)
{
    const struct gguf_tensor *from = piece->from;
    const int32_t out_dim = (int32_t)from->dims[1], in_dim = (int32_t)from->dims[0];
    const struct weight_rows rows = {.name = piece->name.text,
                                     .type = from->type,
                                     .out_dim = out_dim,
                                     .in_dim = in_dim,
                                     .blocks = from->data,
                                     .row_bytes = from->size / (size_t)out_dim};
    const size_t scratch = weight_row_scratch_bytes(in_dim);
    if (scratch > device_scratch_bytes(writer->device))
        FAIL(err, ERR_LIMIT, "tensor %s: needs %zu bytes of scratch, the device has %zu",
             piece->name.text, scratch, device_scratch_bytes(writer->device));
    const int32_t run_rows = in_dim < RUN_BYTES ? RUN_BYTES / in_dim : 1;
    for (int32_t first = 0; first < out_dim; first += run_rows) {
        const int32_t count = out_dim - first < run_rows ? out_dim - first : run_rows;
        struct run run = {writer, &rows, first};
        device_parallel(writer->device, count, make_row, &run);
        TRY(put(writer, writer->run, (uint64_t)count * (uint64_t)in_dim, err));
    }
    return OK;
}

static enum status put_all(struct writer *writer, struct error *err)
{
    struct text_buf header = {0};
    add_header(&header, writer);
    enum status status = OK;
    if (header.failed)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "%s: no room for its header",
                           writer->path);
    if (status == OK)
        status = put(writer, header.data, header.size, err);
    text_buf_deinit(&header);
    TRY(status);
    TRY(put_padding(writer, err));
    for (uint32_t i = 0; i < writer->piece_count; i++) {
        const struct piece *piece = &writer->pieces[i];
        if (piece->content == COPY)
            TRY(put(writer, piece->from->data, piece->size, err));
        else if (piece->content == ROWS)
            TRY(put_rows(writer, piece, err));
        else
            TRY(put(writer, writer->scales, piece->size, err));
        TRY(put_padding(writer, err));
    }
    return OK;
}

/* Writes to a file beside path, then gives it the name. */
static enum status put_file(struct writer *writer, struct error *err)
{
    char part[PATH_BYTES];
    const int size = snprintf(part, sizeof part, "%s.%ld.part", writer->path, (long)getpid());
    if (size < 0 || (size_t)size >= sizeof part)
        FAIL(err, ERR_LIMIT, "%s: the path is longer than %d bytes", writer->path,
             PATH_BYTES - 32);
    const int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    writer->file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (!writer->file) {
        const int reason = errno;
        if (fd >= 0)
            (void)close(fd);
        FAIL(err, ERR_IO, "%s: cannot be made: %s", part, strerror(reason));
    }
    enum status status = put_all(writer, err);
    const bool is_flushed = fflush(writer->file) == 0 && fsync(fd) == 0;
    const bool is_closed = fclose(writer->file) == 0;
    if (status == OK && (!is_flushed || !is_closed || rename(part, writer->path) != 0))
        status = error_set(err, ERR_IO, __FILE__, __LINE__, "%s: cannot be written: %s",
                           writer->path, strerror(errno));
    if (status != OK)
        (void)unlink(part);
    return status;
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
    struct writer writer = {.path = path, .gguf = gguf, .device = device};
    enum status status = plan(&writer, report, err);
    if (status == OK)
        status = put_file(&writer, err);
    free(writer.run);
    free(writer.scales);
    free(writer.pieces);
    return status;
}
