/* gguf_write - see gguf_write.h. */
#include "engine/gguf_write.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 4096, VERSION = 3, TYPE_ARRAY = GGUF_ARRAY };

struct gguf_write {
    const struct gguf_write_plan *plan;
    FILE *file;
    uint64_t at; /* bytes written */
};

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

static bool is_copied(const struct gguf_write_plan *plan, const struct gguf_entry *entry)
{
    for (uint32_t i = 0; i < plan->key_count; i++)
        if (text_equal(entry->key, text_of(plan->keys[i].name)))
            return false;
    return true;
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

static void add_piece(struct text_buf *out, const struct gguf_write_piece *piece)
{
    add_string(out, text_of(piece->name));
    add_u32(out, piece->dim_count);
    for (uint32_t i = 0; i < piece->dim_count; i++)
        add_u64(out, (uint64_t)piece->dims[i]);
    add_u32(out, piece->type);
    add_u64(out, piece->offset);
}

static void add_header(struct text_buf *out, const struct gguf_write_plan *plan)
{
    const struct gguf *source = plan->source;
    uint64_t keys = 0;
    for (uint32_t i = 0; i < source->entry_count; i++)
        keys += is_copied(plan, &source->entries[i]);
    for (uint32_t i = 0; i < plan->key_count; i++)
        keys += plan->keys[i].value != GGUF_WRITE_NO_KEY;
    text_buf_add(out, TEXT("GGUF"));
    add_u32(out, VERSION);
    add_u64(out, plan->piece_count);
    add_u64(out, keys);
    for (uint32_t i = 0; i < source->entry_count; i++) {
        if (is_copied(plan, &source->entries[i]))
            add_entry(out, &source->entries[i]);
    }
    for (uint32_t i = 0; i < plan->key_count; i++) {
        if (plan->keys[i].value == GGUF_WRITE_NO_KEY)
            continue;
        add_string(out, text_of(plan->keys[i].name));
        add_u32(out, GGUF_U32);
        add_u32(out, plan->keys[i].value);
    }
    for (uint32_t i = 0; i < plan->piece_count; i++)
        add_piece(out, &plan->pieces[i]);
}

/* Zeros up to the alignment. */
static enum status put_padding(struct gguf_write *to, struct error *err)
{
    while (to->at % to->plan->source->alignment != 0)
        TRY(gguf_write_bytes(to, "", 1, err));
    return OK;
}

static enum status put_header(struct gguf_write *to, struct error *err)
{
    struct text_buf header = {0};
    enum status status = OK;
    add_header(&header, to->plan);
    if (header.failed)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "%s: no room for its header",
                           to->plan->path);
    if (status == OK)
        status = gguf_write_bytes(to, header.data, header.size, err);
    text_buf_deinit(&header);
    return status == OK ? put_padding(to, err) : status;
}

static enum status put_all(struct gguf_write *to, struct error *err)
{
    const struct gguf_write_plan *plan = to->plan;
    TRY(put_header(to, err));
    for (uint32_t i = 0; i < plan->piece_count; i++) {
        const struct gguf_write_piece *piece = &plan->pieces[i];
        const uint64_t begin = to->at;
        if (piece->content == 0)
            TRY(gguf_write_bytes(to, piece->from->data, piece->size, err));
        else
            TRY(plan->make(plan->context, piece, to, err));
        assert(to->at - begin == piece->size);
        TRY(put_padding(to, err));
    }
    return OK;
}

static void place_pieces(const struct gguf_write_plan *plan)
{
    const uint64_t alignment = plan->source->alignment;
    uint64_t offset = 0;
    for (uint32_t i = 0; i < plan->piece_count; i++) {
        plan->pieces[i].offset = offset; /* cannot wrap: some times the source's bytes */
        offset = (offset + plan->pieces[i].size + alignment - 1) / alignment * alignment;
    }
}

struct gguf_write_piece gguf_write_copy(const struct gguf_tensor *tensor)
{
    struct gguf_write_piece piece = {.type = tensor->type,
                                     .dim_count = tensor->dim_count,
                                     .size = tensor->size,
                                     .from = tensor};
    memcpy(piece.dims, tensor->dims, sizeof piece.dims);
    (void)snprintf(piece.name, sizeof piece.name, "%.*s", TEXT_ARG(tensor->name));
    return piece;
}

enum status gguf_write_file(const struct gguf_write_plan *plan, struct error *err)
{
    char part[PATH_BYTES];
    struct gguf_write to = {.plan = plan};
    const int size = snprintf(part, sizeof part, "%s.%ld.part", plan->path, (long)getpid());
    if (size < 0 || (size_t)size >= sizeof part)
        FAIL(err, ERR_LIMIT, "%s: the path is longer than %d bytes", plan->path,
             PATH_BYTES - 32);
    const int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    to.file = fd >= 0 ? fdopen(fd, "wb") : NULL;
    if (!to.file) {
        const int reason = errno;
        if (fd >= 0)
            (void)close(fd);
        FAIL(err, ERR_IO, "%s: cannot be made: %s", plan->path, strerror(reason));
    }
    place_pieces(plan);
    enum status status = put_all(&to, err);
    const bool is_flushed = fflush(to.file) == 0 && fsync(fd) == 0;
    const bool is_closed = fclose(to.file) == 0;
    if (status == OK && (!is_flushed || !is_closed || rename(part, plan->path) != 0))
        status = error_set(err, ERR_IO, __FILE__, __LINE__, "%s: cannot be written: %s",
                           plan->path, strerror(errno));
    if (status != OK)
        (void)unlink(part);
    return status;
}

enum status gguf_write_bytes(struct gguf_write *to, const void *bytes, uint64_t size,
                             struct error *err)
{
    if (size > 0 && fwrite(bytes, 1, (size_t)size, to->file) != (size_t)size)
        FAIL(err, ERR_IO, "%s: cannot be written at byte %" PRIu64 ": %s", to->plan->path,
             to->at, strerror(errno));
    to->at += size;
    return OK;
}
