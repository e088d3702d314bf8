/* store_batches - see store.h: batches, and their answers as they come. */
#include "base/clock.h"
#include "protocol/api/store_query.h"

#include <assert.h>
#include <stdio.h>

/* What the statements below say in numbers. */
static_assert(STORE_VALIDATING == 0 && STORE_IN_PROGRESS == 1 && STORE_FINALIZING == 2 &&
                  STORE_CANCELLING == 3 && STORE_COMPLETED == 4 && STORE_FAILED == 5,
              "states in rows keep their numbers");

#define BATCH_COLUMNS                                                                          \
    "id, file, endpoint, metadata, errors, state, created, begun, finalizing, cancelling,"     \
    " ended, total, completed, failed, output_file, error_file"

static enum status insert_batch(struct store *store, struct store_batch *batch,
                                struct error *err)
{
    int64_t open;
    TRY(store_query_number(store, "SELECT count(*) FROM batch WHERE state < 4", 0, &open, err));
    if (open >= STORE_OPEN_MAX)
        FAIL(err, ERR_LIMIT, "batches: %lld have not ended, which is the limit",
             (long long)open);
    struct store_query oldest =
        store_query_on(store, "DELETE FROM batch WHERE id IN (SELECT id FROM batch"
                              " WHERE state >= 4 ORDER BY id DESC"
                              " LIMIT -1 OFFSET ?)");
    store_query_put_i64(&oldest, STORE_ENDED_MAX);
    TRY(store_query_run(&oldest, err));
    struct store_query query = store_query_on(
        store, "INSERT INTO batch(file, endpoint, metadata, errors, state, created,"
               " begun, finalizing, cancelling, ended, total, completed, failed,"
               " output_file, error_file) VALUES(?,?,?,'',0,?,0,0,0,0,0,0,0,0,0)");
    batch->created = clock_unix_s();
    store_query_put_i64(&query, batch->file);
    store_query_put_bytes(&query, batch->endpoint);
    store_query_put_bytes(&query, batch->metadata);
    store_query_put_i64(&query, batch->created);
    (void)store_query_next(&query);
    batch->id = sqlite3_last_insert_rowid(store->db);
    return store_query_end(&query, err);
}

enum status store_add_batch(struct store *store, struct store_batch *batch, struct error *err)
{
    TRY(store_begin(store, err));
    return store_settle(store, insert_batch(store, batch, err), err);
}

static struct store_batch get_batch(struct store_query *query)
{
    struct store_batch batch = {.id = store_query_get_i64(query)};
    batch.file = store_query_get_i64(query);
    batch.endpoint = store_query_get_bytes(query);
    batch.metadata = store_query_get_bytes(query);
    batch.errors = store_query_get_bytes(query);
    batch.state = (enum store_state)store_query_get_i64(query);
    int64_t *const numbers[] = {&batch.created,    &batch.begun,  &batch.finalizing,
                                &batch.cancelling, &batch.ended,  &batch.total,
                                &batch.completed,  &batch.failed, &batch.output_file,
                                &batch.error_file};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        *numbers[i] = store_query_get_i64(query);
    return batch;
}

enum status store_find_batch(struct store *store, struct store_batch *batch,
                             struct arena *arena, bool *found, struct error *err)
{
    struct store_query query =
        store_query_on(store, batch->id ? "SELECT " BATCH_COLUMNS " FROM batch WHERE id = ?"
                                        : "SELECT " BATCH_COLUMNS " FROM batch WHERE state < 4"
                                          " ORDER BY id LIMIT 1");
    query.arena = arena;
    if (batch->id)
        store_query_put_i64(&query, batch->id);
    *found = store_query_next(&query);
    if (*found)
        *batch = get_batch(&query);
    return store_query_end(&query, err);
}

enum status store_list_batches(struct store *store, const struct store_page *page,
                               struct arena *arena, struct store_batch **batches,
                               uint32_t *count)
{
    struct store_query query =
        store_query_on(store, "SELECT " BATCH_COLUMNS " FROM batch WHERE (?1 = 0 OR id < ?1)"
                              " ORDER BY id DESC LIMIT ?2");
    query.arena = arena;
    store_query_put_i64(&query, page->before);
    store_query_put_i64(&query, (int64_t)page->limit + 1);
    *batches = ARENA_NEW(arena, struct store_batch, (size_t)page->limit + 1);
    *count = 0;
    query.is_full = !*batches;
    while (!query.is_full && store_query_next(&query))
        (*batches)[(*count)++] = get_batch(&query);
    return store_query_end(&query, NULL);
}

enum status store_begin_batch(struct store *store, int64_t id, int64_t total, struct error *err)
{
    struct store_query query =
        store_query_on(store, "UPDATE batch SET state = 1, begun = ?, total = ?"
                              " WHERE id = ? AND state = 0");
    store_query_put_i64(&query, clock_unix_s());
    store_query_put_i64(&query, total);
    store_query_put_i64(&query, id);
    return store_query_run(&query, err);
}

enum status store_fail_batch(struct store *store, int64_t id, struct text errors,
                             struct error *err)
{
    struct store_query query =
        store_query_on(store, "UPDATE batch SET state = 5, ended = ?, errors = ?"
                              " WHERE id = ? AND state < 4");
    store_query_put_i64(&query, clock_unix_s());
    store_query_put_bytes(&query, errors);
    store_query_put_i64(&query, id);
    return store_query_run(&query, err);
}

enum status store_cancel_batch(struct store *store, int64_t id, struct error *err)
{
    struct store_query query =
        store_query_on(store, "UPDATE batch SET state = 3, cancelling = ?"
                              " WHERE id = ? AND state < 2");
    store_query_put_i64(&query, clock_unix_s());
    store_query_put_i64(&query, id);
    return store_query_run(&query, err);
}

/* ---- results ---- */

enum status store_add_result(struct store *store, const struct store_result *result,
                             struct error *err)
{
    struct store_query query =
        store_query_on(store, "INSERT OR IGNORE INTO result VALUES(?,?,?,?,?)");
    store_query_put_i64(&query, result->batch);
    store_query_put_bytes(&query, result->custom_id);
    store_query_put_i64(&query, result->line);
    store_query_put_i64(&query, result->is_error);
    store_query_put_bytes(&query, result->text);
    (void)store_query_next(&query);
    const bool is_new = sqlite3_changes(store->db) > 0;
    TRY(store_query_end(&query, err));
    if (!is_new)
        return OK;
    struct store_query counted = store_query_on(
        store, result->is_error ? "UPDATE batch SET failed = failed + 1 WHERE id = ?"
                                : "UPDATE batch SET completed = completed + 1 WHERE id = ?");
    store_query_put_i64(&counted, result->batch);
    return store_query_run(&counted, err);
}

enum status store_read_done(struct store *store, int64_t batch, struct id_set *done,
                            struct error *err)
{
    struct store_query query =
        store_query_on(store, "SELECT custom_id FROM result WHERE batch = ?");
    bool is_new;
    store_query_put_i64(&query, batch);
    while (!query.is_full && store_query_next(&query))
        query.is_full = id_set_add(done, store_query_look_bytes(&query), &is_new, err) != OK;
    return store_query_end(&query, err);
}

/* *id: of a new file with the batch's answers, or with its errors; 0: there are none. */
static enum status file_results(struct store *store, int64_t batch, bool is_error, int64_t *id,
                                struct error *err)
{
    struct store_query query = store_query_on(store, "SELECT text FROM result WHERE batch = ?"
                                                     " AND is_error = ? ORDER BY line");
    struct text_buf all = {0};
    char name[64];
    store_query_put_i64(&query, batch);
    store_query_put_i64(&query, is_error);
    while (store_query_next(&query))
        text_buf_add(&all, store_query_look_bytes(&query));
    query.is_full = all.failed;
    enum status status = store_query_end(&query, err);
    (void)snprintf(name, sizeof name, "batch_%lld_%s.jsonl", (long long)batch,
                   is_error ? "error" : "output");
    struct store_file file = {.purpose = TEXT("batch_output"), .name = text_of(name)};
    if (status == OK && all.size > 0)
        status = store_insert_file(store, &file, text_buf_text(&all), err);
    *id = file.id;
    text_buf_deinit(&all);
    return status;
}

static enum status end_batch(struct store *store, int64_t id, enum store_state state,
                             struct error *err)
{
    int64_t output, errors;
    TRY(file_results(store, id, false, &output, err));
    TRY(file_results(store, id, true, &errors, err));
    struct store_query query = store_query_on(store, "UPDATE batch SET state = ?1, ended = ?2,"
                                                     " output_file = ?3, error_file = ?4"
                                                     " WHERE id = ?5");
    store_query_put_i64(&query, state);
    store_query_put_i64(&query, clock_unix_s());
    store_query_put_i64(&query, output);
    store_query_put_i64(&query, errors);
    store_query_put_i64(&query, id);
    TRY(store_query_run(&query, err));
    struct store_query rows = store_query_on(store, "DELETE FROM result WHERE batch = ?");
    store_query_put_i64(&rows, id);
    return store_query_run(&rows, err);
}

enum status store_end_batch(struct store *store, int64_t id, enum store_state state,
                            struct error *err)
{
    struct store_query query =
        store_query_on(store, "UPDATE batch SET state = 2, finalizing = ?"
                              " WHERE id = ? AND state = 1");
    store_query_put_i64(&query, clock_unix_s());
    store_query_put_i64(&query, id);
    TRY(store_query_run(&query, err));
    TRY(store_begin(store, err));
    return store_settle(store, end_batch(store, id, state, err), err);
}
