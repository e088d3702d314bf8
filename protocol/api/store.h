/*
 * store - the files and batches that clients left here, in one SQLite file.
 *
 *     batch   VALIDATING -> IN_PROGRESS -> FINALIZING -> COMPLETED
 *                 |             \-> CANCELLING -> CANCELLED
 *                 \-> FAILED
 *
 * While a batch runs each answer is a row of its own; at its end the rows become files, in
 * the order of the input's lines, in one transaction. So at whatever moment a process is
 * killed, the next one finds what was answered, and only that.
 *
 * Owner    store_open gives, store_close takes. Texts that are read lie in the caller's arena.
 * Thread   any; one at a time is inside. A second process is refused.
 */
#ifndef API_STORE_H
#define API_STORE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "protocol/api/id_set.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    STORE_FILES_MAX = 1024, /* that clients sent; results come on top */
    STORE_FILE_BYTES_MAX = 256 << 20,
    STORE_OPEN_MAX = 64,    /* batches that have not ended */
    STORE_ENDED_MAX = 1024, /* older ones are forgotten; their files stay */
    STORE_LIST_MAX = 1000   /* of one list */
};
#define STORE_BYTES_MAX ((int64_t)4 << 30) /* of all files */

enum store_state {
    STORE_VALIDATING,
    STORE_IN_PROGRESS,
    STORE_FINALIZING,
    STORE_CANCELLING,
    STORE_COMPLETED, /* from here on: ended */
    STORE_FAILED,
    STORE_CANCELLED
};

struct store;

struct store_file {
    int64_t id, bytes, created;
    struct text purpose, name;
};

struct store_batch {
    int64_t id, file;
    struct text endpoint, metadata, errors; /* the last two JSON, or empty */
    enum store_state state;
    int64_t created, begun, finalizing, cancelling, ended; /* Unix seconds; 0: not yet */
    int64_t total, completed, failed;                      /* requests */
    int64_t output_file, error_file;                       /* 0: none */
};

/* A list from new to old; before: only what is older than this id (0: all). */
struct store_page {
    int64_t before;
    uint32_t limit;
    struct text purpose; /* of files; empty: any */
};

/* ERR_CANCELLED another process has it; ERR_FORMAT it is damaged or of another version; ERR_IO;
 * ERR_MEMORY. */
MUST_USE enum status store_open(struct store **store, const char *path, struct error *err);
void store_close(struct store *store); /* NULL is fine */

/* ERR_LIMIT: one file, or all of them, would be too many or too large. */
MUST_USE enum status store_add_file(struct store *store, struct store_file *file,
                                    struct text content, struct error *err);
/* *found false: there is none of that id. */
MUST_USE enum status store_find_file(struct store *store, struct store_file *file,
                                     struct arena *arena, bool *found, struct error *err);
MUST_USE enum status store_read_file(struct store *store, int64_t id, struct text_buf *content,
                                     bool *found, struct error *err);
/* files has room for page->limit + 1: *count beyond limit says that there are more. */
MUST_USE enum status store_list_files(struct store *store, const struct store_page *page,
                                      struct arena *arena, struct store_file **files,
                                      uint32_t *count);
/* ERR_CANCELLED: a batch that has not ended needs it. */
MUST_USE enum status store_drop_file(struct store *store, int64_t id, bool *found,
                                     struct error *err);

/* A new one, of file, endpoint and metadata. ERR_LIMIT: too many have not ended. */
MUST_USE enum status store_add_batch(struct store *store, struct store_batch *batch,
                                     struct error *err);
/* batch->id 0: the oldest that has not ended. */
MUST_USE enum status store_find_batch(struct store *store, struct store_batch *batch,
                                      struct arena *arena, bool *found, struct error *err);
MUST_USE enum status store_list_batches(struct store *store, const struct store_page *page,
                                        struct arena *arena, struct store_batch **batches,
                                        uint32_t *count);
/* The lines are sound, and so many. */
MUST_USE enum status store_begin_batch(struct store *store, int64_t id, int64_t total,
                                       struct error *err);
/* No line is answered; errors is JSON. */
MUST_USE enum status store_fail_batch(struct store *store, int64_t id, struct text errors,
                                      struct error *err);
/* One that has all its answers, or has ended, is left as it is. */
MUST_USE enum status store_cancel_batch(struct store *store, int64_t id, struct error *err);

struct store_result {
    int64_t batch, line;
    struct text custom_id, text; /* the result's line, with its end */
    bool is_error;               /* not status 200 */
};

/* From begin to settle no other thread gets in, and what is added is kept as one: all of it if
 * status is OK, else nothing. settle answers status, or why it could not be kept. */
MUST_USE enum status store_begin(struct store *store, struct error *err);
MUST_USE enum status store_settle(struct store *store, enum status status, struct error *err);
/* Between the two. A second one of the same batch and custom_id is passed over. */
MUST_USE enum status store_add_result(struct store *store, const struct store_result *result,
                                      struct error *err);
MUST_USE enum status store_read_done(struct store *store, int64_t batch, struct id_set *done,
                                     struct error *err);
/* Its answers become files, and it has ended: COMPLETED or CANCELLED. */
MUST_USE enum status store_end_batch(struct store *store, int64_t id, enum store_state state,
                                     struct error *err);

#endif
