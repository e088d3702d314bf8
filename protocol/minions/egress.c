/* egress - see egress.h. */
#include "protocol/minions/egress.h"

#include "base/clock.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One write where the system takes it at once, so that lines of two processes do not mix. */
static enum status append(const struct egress *egress, struct text line, struct error *err)
{
    while (line.size > 0) {
        const ssize_t taken = write(egress->descriptor, line.data, line.size);
        if (taken < 0 && errno == EINTR)
            continue;
        if (taken <= 0)
            FAIL(err, ERR_IO, "egress log %.100s: %s; nothing was sent", egress->path,
                 strerror(errno));
        line = text_slice(line, (size_t)taken, line.size);
    }
    return OK;
}

/* Ends a line that a full disk or a kill cut short, so that the next begins a line. */
static enum status end_torn_line(const struct egress *egress, struct error *err)
{
    char last = '\n';
    const off_t size = lseek(egress->descriptor, 0, SEEK_END);
    if (size <= 0 || pread(egress->descriptor, &last, 1, size - 1) != 1 || last == '\n')
        return OK;
    return append(egress, TEXT("\n"), err);
}

enum status egress_open(struct egress *egress, const char *path, struct error *err)
{
    *egress = (struct egress){.path = strdup(path)};
    if (!egress->path)
        FAIL(err, ERR_MEMORY, "egress log %.100s: no memory", path);
    egress->descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (egress->descriptor < 0) {
        free(egress->path);
        egress->path = NULL;
        FAIL(err, ERR_IO, "egress log %.100s: %s", path, strerror(errno));
    }
    const enum status status = end_torn_line(egress, err);
    if (status != OK)
        egress_close(egress);
    return status;
}

enum status egress_add(const struct egress *egress, const struct egress_record *record,
                       struct error *err)
{
    struct text_buf line = {0};
    struct json_writer w = {.out = &line};
    if (!egress->path)
        return OK;
    json_write_object(&w);
    json_write_key_i64(&w, "unix_s", clock_unix_s());
    json_write_key_i64(&w, "run", record->run);
    json_write_key_i64(&w, "call", record->call);
    json_write_key_i64(&w, "attempt", record->attempt);
    json_write_key_text(&w, "url", record->url);
    json_write_key_i64(&w, "bytes", (int64_t)record->body.size);
    json_write_key(&w, "body");
    json_write_raw(&w, record->body);
    json_write_object_end(&w);
    text_buf_byte(&line, '\n');
    enum status status = OK;
    if (line.failed)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "egress log: no memory");
    else
        status = append(egress, text_buf_text(&line), err);
    text_buf_deinit(&line);
    return status;
}

void egress_close(struct egress *egress)
{
    if (!egress->path)
        return;
    close(egress->descriptor);
    free(egress->path);
    *egress = (struct egress){0};
}
