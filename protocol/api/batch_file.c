/* batch_file - see batch_file.h. */
#include "protocol/api/batch_file.h"

#include "base/file_map.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

bool batch_file_next_line(struct batch_file_lines *lines, struct text *line)
{
    while (lines->at < lines->source.size) {
        const size_t begin = lines->at;
        size_t end = text_find(lines->source, TEXT("\n"), begin);
        if (end == SIZE_MAX)
            end = lines->source.size;
        lines->at = end < lines->source.size ? end + 1 : end;
        lines->number++;
        *line = text_trim(text_slice(lines->source, begin, end));
        if (line->size > 0)
            return true;
    }
    return false;
}

static const char *const URLS[] = {"/v1/chat/completions", "/v1/completions", "/v1/embeddings",
                                   "/v1/responses"};

bool batch_file_takes(struct text url)
{
    bool is_taken = false;
    for (size_t i = 0; i < sizeof URLS / sizeof URLS[0]; i++)
        is_taken |= text_equal(url, text_of(URLS[i]));
    return is_taken;
}

static enum status check_request(struct batch_file_request *request, size_t number,
                                 struct error *err)
{
    struct text method = {0};
    if (!json_text(json_get(request->root, "custom_id"), &request->custom_id))
        FAIL(err, ERR_FORMAT, "line %zu: custom_id is missing or no string", number);
    if (request->custom_id.size > BATCH_FILE_ID_MAX)
        FAIL(err, ERR_LIMIT, "line %zu: custom_id has %zu bytes, at most %d are taken", number,
             request->custom_id.size, BATCH_FILE_ID_MAX);
    if (!json_text(json_get(request->root, "method"), &method) ||
        !text_equal(method, TEXT("POST")))
        FAIL(err, ERR_FORMAT, "line %zu: method: want \"POST\"", number);
    if (!json_text(json_get(request->root, "url"), &request->url) ||
        !batch_file_takes(request->url))
        FAIL(err, ERR_LIMIT,
             "line %zu: url: \"%.*s\"; want /v1/chat/completions, /v1/completions, "
             "/v1/embeddings or /v1/responses",
             number, TEXT_ARG(text_slice(request->url, 0, 40)));
    request->body = json_get(request->root, "body");
    if (json_type(request->body) != JSON_OBJECT)
        FAIL(err, ERR_FORMAT, "line %zu: body is missing or no object", number);
    return OK;
}

enum status batch_file_parse(struct text line, size_t number,
                             struct batch_file_request *request, struct error *err)
{
    struct error inner = {0};
    *request = (struct batch_file_request){0};
    const enum status parsed = json_parse(line, BATCH_FILE_LINE_MAX, &request->root, &inner);
    if (parsed != OK)
        FAIL(err, parsed, "line %zu: %s", number, inner.text);
    const enum status status = check_request(request, number, err);
    if (status != OK) {
        json_free(request->root);
        request->root = NULL;
    }
    return status;
}

static bool is_chat(struct text url)
{
    return text_equal(url, TEXT("/v1/chat/completions")) ||
           text_equal(url, TEXT("/v1/responses"));
}

enum status batch_file_check(struct text source, struct text url,
                             struct batch_file_count *count, struct error *err)
{
    struct batch_file_lines lines = {.source = source};
    struct batch_file_request request;
    struct id_set seen = {0};
    struct text line;
    enum status status = OK;
    *count = (struct batch_file_count){0};
    while (status == OK && batch_file_next_line(&lines, &line)) {
        bool is_new = true;
        status = batch_file_parse(line, lines.number, &request, err);
        if (status == OK && url.size > 0 && !text_equal(request.url, url))
            status = error_set(err, ERR_FORMAT, __FILE__, __LINE__,
                               "line %zu: url: %.*s, in a batch of %.*s", lines.number,
                               TEXT_ARG(request.url), TEXT_ARG(text_slice(url, 0, 40)));
        if (status == OK)
            status = id_set_add(&seen, request.custom_id, &is_new, err);
        if (status == OK && !is_new)
            status = error_set(err, ERR_FORMAT, __FILE__, __LINE__,
                               "line %zu: custom_id \"%.*s\" comes twice", lines.number,
                               TEXT_ARG(text_slice(request.custom_id, 0, 80)));
        if (status == OK)
            count->chats += is_chat(request.url);
        json_free(request.root);
    }
    count->lines = seen.id_count;
    id_set_deinit(&seen);
    return status;
}

/* One whole line of an earlier run: its id is done. */
static enum status take_done(struct batch_file_output *output, struct text line, size_t number,
                             struct error *err)
{
    struct json *root = NULL;
    struct text id = {0};
    bool is_new;
    enum status status = json_parse(line, 0, &root, NULL);
    if (status != OK || !json_text(json_get(root, "custom_id"), &id) ||
        !json_get(root, "response"))
        status = error_set(err, ERR_FORMAT, __FILE__, __LINE__,
                           "output line %zu is not the result of a batch: give another file",
                           number);
    else
        status = id_set_add(&output->done, id, &is_new, err);
    json_free(root);
    return status;
}

static enum status read_done(struct batch_file_output *output, struct text all,
                             struct error *err)
{
    struct text line;
    size_t whole = all.size;
    while (whole > 0 && all.data[whole - 1] != '\n')
        whole--;
    output->torn_bytes = all.size - whole;
    struct batch_file_lines lines = {.source = text_slice(all, 0, whole)};
    while (batch_file_next_line(&lines, &line))
        TRY(take_done(output, line, lines.number, err));
    if (output->torn_bytes > 0 && ftruncate(output->fd, (off_t)whole) != 0)
        FAIL(err, ERR_IO, "cannot drop the torn last line: %s", strerror(errno));
    return OK;
}

enum status batch_file_open(struct batch_file_output *output, const char *path,
                            struct error *err)
{
    struct text_buf all = {0};
    *output = (struct batch_file_output){
        .fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)};
    if (output->fd < 0)
        FAIL(err, ERR_IO, "%s: %s", path, strerror(errno));
    enum status status = OK;
    if (flock(output->fd, LOCK_EX | LOCK_NB) != 0)
        status = error_set(err, ERR_CANCELLED, __FILE__, __LINE__,
                           "%s: another process is writing it", path);
    if (status == OK)
        status = file_map_read(&all, path, 0, err);
    if (status == OK)
        status = read_done(output, text_buf_text(&all), err);
    text_buf_deinit(&all);
    if (status != OK)
        batch_file_close(output);
    return status;
}

void batch_file_close(struct batch_file_output *output)
{
    if (output->fd >= 0)
        (void)close(output->fd);
    id_set_deinit(&output->done);
    output->fd = -1;
}

static enum status write_all(int fd, struct text bytes, struct error *err)
{
    while (bytes.size > 0) {
        const ssize_t count = write(fd, bytes.data, bytes.size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            FAIL(err, ERR_IO, "cannot write a result: %s", strerror(errno));
        bytes = text_slice(bytes, (size_t)count, bytes.size);
    }
    if (fdatasync(fd) != 0 && errno != EINVAL && errno != EROFS)
        FAIL(err, ERR_IO, "cannot write a result to the disk: %s", strerror(errno));
    return OK;
}

void batch_file_write(const struct batch_file_result *result, struct text_buf *line)
{
    struct json_writer w = {.out = line};
    char id[48];
    json_write_object(&w);
    json_write_key(&w, "id");
    (void)snprintf(id, sizeof id, "batch_req_%016" PRIx64, id_set_hash(result->custom_id));
    json_write_text(&w, text_of(id));
    json_write_key_text(&w, "custom_id", result->custom_id);
    json_write_key(&w, "response");
    json_write_object(&w);
    json_write_key_i64(&w, "status_code", result->status_code);
    json_write_key_text(&w, "request_id", text_slice(text_of(id), 6, SIZE_MAX)); /* req_... */
    json_write_key(&w, "body");
    json_write_raw(&w, result->body);
    json_write_object_end(&w);
    json_write_key(&w, "error");
    json_write_null(&w);
    json_write_object_end(&w);
    text_buf_byte(line, '\n');
}

enum status batch_file_append(struct batch_file_output *output,
                              const struct batch_file_result *result, struct error *err)
{
    struct text_buf line = {0};
    bool is_new;
    enum status status = OK;
    batch_file_write(result, &line);
    if (line.failed)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "no memory for a result");
    if (status == OK)
        status = write_all(output->fd, text_buf_text(&line), err);
    if (status == OK)
        status = id_set_add(&output->done, result->custom_id, &is_new, err);
    text_buf_deinit(&line);
    return status;
}
