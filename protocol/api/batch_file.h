/*
 * batch_file - OpenAI's batch files: request lines in, result lines out, nothing lost.
 *
 *     in   {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": {...}}
 *          (or /v1/completions, /v1/embeddings, /v1/responses)
 *     out  {"id": ..., "custom_id": "a", "response": {"status_code", "request_id", "body"},
 *           "error": null}
 *
 * The output only ever grows by whole lines, each on the disk before the next: after a kill the
 * next run finds which custom_ids are done, drops a torn last line, and does the rest.
 *
 * Owner    batch_file_open gives, batch_file_close takes.
 * Thread   one thread; the output is locked against a second process.
 */
#ifndef API_BATCH_FILE_H
#define API_BATCH_FILE_H

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"
#include "protocol/api/id_set.h"

#include <stdbool.h>

enum { BATCH_FILE_LINE_MAX = 64 << 20, BATCH_FILE_ID_MAX = 512 };

/* The lines of a text, without their ends; blank ones are passed over. */
struct batch_file_lines {
    struct text source;
    size_t at;
    size_t number; /* of the line given last, from 1 */
};
bool batch_file_next_line(struct batch_file_lines *lines, struct text *line);

struct batch_file_request {
    struct json *root; /* the caller frees */
    struct text custom_id, url;
    const struct json *body;
};

/* Whether a line's request may go there. */
bool batch_file_takes(struct text url);

/* Parses one request line, at most BATCH_FILE_LINE_MAX bytes. ERR_FORMAT / ERR_LIMIT: not
 * JSON, no custom_id, or an endpoint that is not ours; the sentence begins with the line's
 * number. */
MUST_USE enum status batch_file_parse(struct text line, size_t number,
                                      struct batch_file_request *request, struct error *err);

/* The form of every line, that all go to url (empty: each where it likes), and that no
 * custom_id comes twice. */
struct batch_file_count {
    size_t lines, chats; /* chats: that want the model's chat template */
};
MUST_USE enum status batch_file_check(struct text source, struct text url,
                                      struct batch_file_count *count, struct error *err);

struct batch_file_output {
    int fd;
    struct id_set done; /* custom_ids that have their line */
    size_t torn_bytes;  /* of an unfinished last line, dropped */
};

/* Opens or makes path and reads which ids are done. ERR_CANCELLED another process has it;
 * ERR_FORMAT a whole line is not a result: it is not ours, nothing is changed. */
MUST_USE enum status batch_file_open(struct batch_file_output *output, const char *path,
                                     struct error *err);
void batch_file_close(struct batch_file_output *output);

/* One result: body is JSON already. */
struct batch_file_result {
    struct text custom_id;
    int status_code;
    struct text body;
};

/* The result's line, with its end. */
void batch_file_write(const struct batch_file_result *result, struct text_buf *line);
/* Appends the result's line and waits until the disk has it. */
MUST_USE enum status batch_file_append(struct batch_file_output *output,
                                       const struct batch_file_result *result,
                                       struct error *err);

#endif
