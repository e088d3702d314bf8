/* remote_record - see remote_record.h. */
#include "protocol/minions/remote_record.h"

#include "base/file_map.h"
#include "base/json.h"

#include <errno.h>
#include <string.h>

#define FILE_BYTES_MAX ((size_t)64 << 20)

enum status remote_record_open(struct remote_record *record, const char *path,
                               struct error *err)
{
    record->file = fopen(path, "we");
    if (!record->file)
        FAIL(err, ERR_IO, "record %.150s: %s", path, strerror(errno));
    return OK;
}

enum status remote_record_add(struct remote_record *record, struct text request,
                              const struct remote_reply *reply, struct error *err)
{
    struct text_buf line = {0};
    struct json_writer w = {.out = &line};
    json_write_object(&w);
    json_write_key(&w, "request");
    json_write_raw(&w, request);
    json_write_key_text(&w, "reply", text_buf_text(&reply->content));
    json_write_key_bool(&w, "is_cut", reply->is_cut);
    json_write_key_i64(&w, "prompt_tokens", (int64_t)reply->prompt_tokens);
    json_write_key_i64(&w, "output_tokens", (int64_t)reply->output_tokens);
    json_write_object_end(&w);
    text_buf_byte(&line, '\n');
    const bool is_written = !line.failed &&
                            fwrite(line.data, 1, line.size, record->file) == line.size &&
                            fflush(record->file) == 0;
    text_buf_deinit(&line);
    if (!is_written)
        FAIL(err, ERR_IO, "record: a call could not be written: %s", strerror(errno));
    return OK;
}

enum status remote_record_read(struct remote_record *record, const char *path,
                               struct error *err)
{
    return file_map_read(&record->lines, path, FILE_BYTES_MAX, err);
}

enum status remote_record_next(struct remote_record *record, struct remote_reply *reply,
                               struct error *err)
{
    const struct text lines = text_buf_text(&record->lines);
    struct text line = {0}, content = {0};
    struct json *root = NULL;
    while (line.size == 0 && record->at < lines.size) {
        size_t end = text_find(lines, TEXT("\n"), record->at);
        line = text_trim(text_slice(lines, record->at, end));
        record->at = end == SIZE_MAX ? lines.size : end + 1;
    }
    if (line.size == 0)
        FAIL(err, ERR_REMOTE, "replay: the file holds %u calls, and one more is made",
             record->given);
    TRY(json_parse(line, 0, &root, err));
    text_buf_clear(&reply->content);
    const bool is_read = json_text(json_get(root, "reply"), &content);
    text_buf_add(&reply->content, content);
    reply->is_cut = false;
    (void)json_bool(json_get(root, "is_cut"), &reply->is_cut);
    reply->prompt_tokens = reply->output_tokens = 0; /* nothing was sent */
    json_free(root);
    if (!is_read)
        FAIL(err, ERR_FORMAT, "replay: call %u of the file has no reply", record->given + 1);
    if (reply->content.failed)
        FAIL(err, ERR_MEMORY, "replay: no memory");
    record->given++;
    return OK;
}

void remote_record_close(struct remote_record *record)
{
    if (record->file)
        (void)fclose(record->file); /* each line was flushed */
    text_buf_deinit(&record->lines);
    *record = (struct remote_record){0};
}
