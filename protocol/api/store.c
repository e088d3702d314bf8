/* store - see store.h. */
#include "protocol/api/store.h"

#include "base/clock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { FORMAT = 1, BUSY_WAIT_MS = 5000 };

/* AUTOINCREMENT: an id is never given twice, so a client's old id names nothing else. */
static const char TABLES[] =
    "CREATE TABLE file(id INTEGER PRIMARY KEY AUTOINCREMENT, purpose TEXT, name TEXT,"
    " bytes INT, created INT, content BLOB);"
    "CREATE TABLE batch(id INTEGER PRIMARY KEY AUTOINCREMENT, file INT, endpoint TEXT,"
    " metadata TEXT, errors TEXT, state INT, created INT, begun INT, finalizing INT,"
    " cancelling INT, ended INT, total INT, completed INT, failed INT, output_file INT,"
    " error_file INT);"
    "CREATE TABLE result(batch INT, custom_id BLOB, line INT, is_error INT, text BLOB,"
    " PRIMARY KEY(batch, custom_id));"
    "PRAGMA user_version = 1;";

/* What the statements below say in numbers. */
static_assert(STORE_VALIDATING == 0 && STORE_IN_PROGRESS == 1 && STORE_FINALIZING == 2 &&
                  STORE_CANCELLING == 3 && STORE_COMPLETED == 4 && STORE_FAILED == 5,
              "states in rows keep their numbers");

#define FILE_COLUMNS "id, purpose, name, bytes, created"
#define BATCH_COLUMNS                                                                          \
    "id, file, endpoint, metadata, errors, state, created, begun, finalizing, cancelling,"     \
    " ended, total, completed, failed, output_file, error_file"

struct store {
    sqlite3 *db;
    char *path;
    int lock_file;
    pthread_mutex_t lock; /* recursive: a transaction holds it around its statements */
    bool has_lock;
};

/* A statement on its way: parameters go in from left to right, columns come out so. It holds
 * the lock from query_on to query_end; the first failure stays. */
struct query {
    struct store *store;
    sqlite3_stmt *statement;
    int at, code;
    struct arena *arena;
    bool is_full;
};

static enum status fail(const struct store *store, int code, struct error *err)
{
    const char *why = store->db ? sqlite3_errmsg(store->db) : sqlite3_errstr(code);
    const bool is_damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    FAIL(err, is_damaged ? ERR_FORMAT : ERR_IO, "store %.100s: %.100s", store->path, why);
}

static struct query query_on(struct store *store, const char *sql)
{
    struct query query = {.store = store};
    pthread_mutex_lock(&store->lock);
    query.code = sqlite3_prepare_v2(store->db, sql, -1, &query.statement, NULL);
    return query;
}

static void put_i64(struct query *query, int64_t value)
{
    query->at++;
    if (query->code == SQLITE_OK)
        query->code = sqlite3_bind_int64(query->statement, query->at, value);
}

/* Bytes: text as SQLite has it would end at a NUL for some of its functions. */
static void put_bytes(struct query *query, struct text text)
{
    query->at++;
    if (query->code == SQLITE_OK)
        query->code = sqlite3_bind_blob64(query->statement, query->at,
                                          text.data ? text.data : "", text.size, SQLITE_STATIC);
}

/* True: a row is there to be read. */
static bool next_row(struct query *query)
{
    query->at = 0;
    if (query->code == SQLITE_OK || query->code == SQLITE_ROW)
        query->code = sqlite3_step(query->statement);
    return query->code == SQLITE_ROW;
}

static int64_t get_i64(struct query *query)
{
    return sqlite3_column_int64(query->statement, query->at++);
}

/* Valid until the next row. */
static struct text look_bytes(struct query *query)
{
    const int at = query->at++;
    const void *data = sqlite3_column_blob(query->statement, at);
    return (struct text){data, (size_t)sqlite3_column_bytes(query->statement, at)};
}

static struct text get_bytes(struct query *query)
{
    const struct text bytes = look_bytes(query);
    const struct text copy = text_copy(bytes, query->arena);
    query->is_full |= !copy.data;
    return copy;
}

static enum status query_end(struct query *query, struct error *err)
{
    struct store *store = query->store;
    enum status status = OK;
    if (query->code != SQLITE_OK && query->code != SQLITE_ROW && query->code != SQLITE_DONE)
        status = fail(store, query->code, err);
    else if (query->is_full)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "no room for what is kept");
    sqlite3_finalize(query->statement);
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* Runs a statement that gives no rows. */
static enum status query_run(struct query *query, struct error *err)
{
    (void)next_row(query);
    return query_end(query, err);
}

static enum status run_sql(struct store *store, const char *sql, struct error *err)
{
    const int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? OK : fail(store, code, err);
}

/* One number, of a statement with at most one parameter. */
static enum status ask_number(struct store *store, const char *sql, int64_t parameter,
                              int64_t *number, struct error *err)
{
    struct query query = query_on(store, sql);
    if (strchr(sql, '?'))
        put_i64(&query, parameter);
    *number = next_row(&query) ? get_i64(&query) : 0;
    return query_end(&query, err);
}

enum status store_begin(struct store *store, struct error *err)
{
    pthread_mutex_lock(&store->lock);
    const enum status status = run_sql(store, "BEGIN IMMEDIATE", err);
    if (status != OK)
        pthread_mutex_unlock(&store->lock);
    return status;
}

enum status store_settle(struct store *store, enum status status, struct error *err)
{
    struct error why;
    if (status == OK)
        status = run_sql(store, "COMMIT", err);
    if (status != OK)
        (void)run_sql(store, "ROLLBACK", &why);
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* ---- open, close ---- */

static enum status take_lock(struct store *store, struct error *err)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s.lock", store->path) >= (int)sizeof path)
        FAIL(err, ERR_LIMIT, "store %.100s: its path is too long", store->path);
    store->lock_file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock_file < 0)
        FAIL(err, ERR_IO, "%.150s: %s", path, strerror(errno));
    if (flock(store->lock_file, LOCK_EX | LOCK_NB) != 0)
        FAIL(err, ERR_CANCELLED, "store %.150s: another process has it", store->path);
    return OK;
}

static enum status make_tables(struct store *store, struct error *err)
{
    int64_t format;
    TRY(ask_number(store, "PRAGMA user_version", 0, &format, err));
    if (format == FORMAT)
        return OK;
    if (format != 0)
        FAIL(err, ERR_FORMAT, "store %.100s: its format is %lld, format %d can be read",
             store->path, (long long)format, FORMAT);
    TRY(store_begin(store, err));
    return store_settle(store, run_sql(store, TABLES, err), err);
}

static enum status set_up(struct store *store, struct error *err)
{
    TRY(take_lock(store, err));
    const int code =
        sqlite3_open_v2(store->path, &store->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return fail(store, code, err);
    sqlite3_busy_timeout(store->db, BUSY_WAIT_MS);
    TRY(run_sql(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;", err));
    return make_tables(store, err);
}

static bool init_lock(struct store *store)
{
    pthread_mutexattr_t kind;
    if (pthread_mutexattr_init(&kind) != 0)
        return false;
    (void)pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
    store->has_lock = pthread_mutex_init(&store->lock, &kind) == 0;
    (void)pthread_mutexattr_destroy(&kind);
    return store->has_lock;
}

enum status store_open(struct store **store, const char *path, struct error *err)
{
    struct store *made = calloc(1, sizeof *made);
    if (!made)
        FAIL(err, ERR_MEMORY, "store %.100s: no memory", path);
    made->lock_file = -1;
    made->path = strdup(path);
    enum status status = OK;
    if (!made->path || !init_lock(made))
        status =
            error_set(err, ERR_MEMORY, __FILE__, __LINE__, "store %.100s: no memory", path);
    if (status == OK)
        status = set_up(made, err);
    if (status != OK) {
        store_close(made);
        return status;
    }
    *store = made;
    return OK;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    sqlite3_close(store->db);
    if (store->lock_file >= 0)
        (void)close(store->lock_file);
    if (store->has_lock)
        pthread_mutex_destroy(&store->lock);
    free(store->path);
    free(store);
}

/* ---- files ---- */

static enum status insert_file(struct store *store, struct store_file *file,
                               struct text content, struct error *err)
{
    struct query query = query_on(store, "INSERT INTO file(purpose, name, bytes, created,"
                                         " content) VALUES(?,?,?,?,?)");
    file->bytes = (int64_t)content.size;
    file->created = clock_unix_s();
    put_bytes(&query, file->purpose);
    put_bytes(&query, file->name);
    put_i64(&query, file->bytes);
    put_i64(&query, file->created);
    put_bytes(&query, content);
    (void)next_row(&query);
    file->id = sqlite3_last_insert_rowid(store->db);
    return query_end(&query, err);
}

static enum status check_room(struct store *store, size_t bytes, struct error *err)
{
    int64_t count, held;
    if (bytes > STORE_FILE_BYTES_MAX)
        FAIL(err, ERR_LIMIT, "file: it has %zu bytes, at most %d are taken", bytes,
             STORE_FILE_BYTES_MAX);
    TRY(ask_number(store,
                   "SELECT count(*) FROM file WHERE purpose <> CAST('batch_output' AS BLOB)", 0,
                   &count, err));
    if (count >= STORE_FILES_MAX)
        FAIL(err, ERR_LIMIT, "file: %lld are kept, which is the limit; delete some",
             (long long)count);
    TRY(ask_number(store, "SELECT sum(bytes) FROM file", 0, &held, err));
    if ((int64_t)bytes > STORE_BYTES_MAX - held)
        FAIL(err, ERR_LIMIT,
             "file: %lld bytes are kept and this has %zu, %lld is the limit of "
             "all; delete some",
             (long long)held, bytes, (long long)STORE_BYTES_MAX);
    return OK;
}

enum status store_add_file(struct store *store, struct store_file *file, struct text content,
                           struct error *err)
{
    TRY(store_begin(store, err));
    enum status status = check_room(store, content.size, err);
    if (status == OK)
        status = insert_file(store, file, content, err);
    return store_settle(store, status, err);
}

static struct store_file get_file(struct query *query)
{
    struct store_file file = {.id = get_i64(query)};
    file.purpose = get_bytes(query);
    file.name = get_bytes(query);
    file.bytes = get_i64(query);
    file.created = get_i64(query);
    return file;
}

enum status store_find_file(struct store *store, struct store_file *file, struct arena *arena,
                            bool *found, struct error *err)
{
    struct query query = query_on(store, "SELECT " FILE_COLUMNS " FROM file WHERE id = ?");
    query.arena = arena;
    put_i64(&query, file->id);
    *found = next_row(&query);
    if (*found)
        *file = get_file(&query);
    return query_end(&query, err);
}

enum status store_read_file(struct store *store, int64_t id, struct text_buf *content,
                            bool *found, struct error *err)
{
    struct query query = query_on(store, "SELECT content FROM file WHERE id = ?");
    put_i64(&query, id);
    *found = next_row(&query);
    if (*found)
        text_buf_add(content, look_bytes(&query));
    query.is_full = content->failed;
    return query_end(&query, err);
}

enum status store_list_files(struct store *store, const struct store_page *page,
                             struct arena *arena, struct store_file **files, uint32_t *count)
{
    struct query query =
        query_on(store, "SELECT " FILE_COLUMNS " FROM file WHERE (?1 = 0 OR id < ?1)"
                        " AND (length(?2) = 0 OR purpose = ?2) ORDER BY id DESC LIMIT ?3");
    query.arena = arena;
    put_i64(&query, page->before);
    put_bytes(&query, page->purpose);
    put_i64(&query, (int64_t)page->limit + 1);
    *files = ARENA_NEW(arena, struct store_file, (size_t)page->limit + 1);
    *count = 0;
    query.is_full = !*files;
    while (!query.is_full && next_row(&query))
        (*files)[(*count)++] = get_file(&query);
    return query_end(&query, NULL);
}

static enum status drop_file(struct store *store, int64_t id, bool *found, struct error *err)
{
    int64_t users;
    TRY(ask_number(store, "SELECT count(*) FROM batch WHERE file = ? AND state < 4", id, &users,
                   err));
    if (users > 0)
        FAIL(err, ERR_CANCELLED, "file: a batch that has not ended needs it");
    struct query query = query_on(store, "DELETE FROM file WHERE id = ?");
    put_i64(&query, id);
    (void)next_row(&query);
    *found = sqlite3_changes(store->db) > 0;
    return query_end(&query, err);
}

enum status store_drop_file(struct store *store, int64_t id, bool *found, struct error *err)
{
    *found = false;
    TRY(store_begin(store, err));
    return store_settle(store, drop_file(store, id, found, err), err);
}

/* ---- batches ---- */

static enum status insert_batch(struct store *store, struct store_batch *batch,
                                struct error *err)
{
    int64_t open;
    TRY(ask_number(store, "SELECT count(*) FROM batch WHERE state < 4", 0, &open, err));
    if (open >= STORE_OPEN_MAX)
        FAIL(err, ERR_LIMIT, "batches: %lld have not ended, which is the limit",
             (long long)open);
    struct query oldest = query_on(store, "DELETE FROM batch WHERE id IN (SELECT id FROM batch"
                                          " WHERE state >= 4 ORDER BY id DESC"
                                          " LIMIT -1 OFFSET ?)");
    put_i64(&oldest, STORE_ENDED_MAX);
    TRY(query_run(&oldest, err));
    struct query query =
        query_on(store, "INSERT INTO batch(file, endpoint, metadata, errors, state, created,"
                        " begun, finalizing, cancelling, ended, total, completed, failed,"
                        " output_file, error_file) VALUES(?,?,?,'',0,?,0,0,0,0,0,0,0,0,0)");
    batch->created = clock_unix_s();
    put_i64(&query, batch->file);
    put_bytes(&query, batch->endpoint);
    put_bytes(&query, batch->metadata);
    put_i64(&query, batch->created);
    (void)next_row(&query);
    batch->id = sqlite3_last_insert_rowid(store->db);
    return query_end(&query, err);
}

enum status store_add_batch(struct store *store, struct store_batch *batch, struct error *err)
{
    TRY(store_begin(store, err));
    return store_settle(store, insert_batch(store, batch, err), err);
}

static struct store_batch get_batch(struct query *query)
{
    struct store_batch batch = {.id = get_i64(query)};
    batch.file = get_i64(query);
    batch.endpoint = get_bytes(query);
    batch.metadata = get_bytes(query);
    batch.errors = get_bytes(query);
    batch.state = (enum store_state)get_i64(query);
    int64_t *const numbers[] = {&batch.created,    &batch.begun,  &batch.finalizing,
                                &batch.cancelling, &batch.ended,  &batch.total,
                                &batch.completed,  &batch.failed, &batch.output_file,
                                &batch.error_file};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        *numbers[i] = get_i64(query);
    return batch;
}

enum status store_find_batch(struct store *store, struct store_batch *batch,
                             struct arena *arena, bool *found, struct error *err)
{
    struct query query =
        query_on(store, batch->id ? "SELECT " BATCH_COLUMNS " FROM batch WHERE id = ?"
                                  : "SELECT " BATCH_COLUMNS " FROM batch WHERE state < 4"
                                    " ORDER BY id LIMIT 1");
    query.arena = arena;
    if (batch->id)
        put_i64(&query, batch->id);
    *found = next_row(&query);
    if (*found)
        *batch = get_batch(&query);
    return query_end(&query, err);
}

enum status store_list_batches(struct store *store, const struct store_page *page,
                               struct arena *arena, struct store_batch **batches,
                               uint32_t *count)
{
    struct query query =
        query_on(store, "SELECT " BATCH_COLUMNS " FROM batch WHERE (?1 = 0 OR id < ?1)"
                        " ORDER BY id DESC LIMIT ?2");
    query.arena = arena;
    put_i64(&query, page->before);
    put_i64(&query, (int64_t)page->limit + 1);
    *batches = ARENA_NEW(arena, struct store_batch, (size_t)page->limit + 1);
    *count = 0;
    query.is_full = !*batches;
    while (!query.is_full && next_row(&query))
        (*batches)[(*count)++] = get_batch(&query);
    return query_end(&query, NULL);
}

enum status store_begin_batch(struct store *store, int64_t id, int64_t total, struct error *err)
{
    struct query query = query_on(store, "UPDATE batch SET state = 1, begun = ?, total = ?"
                                         " WHERE id = ? AND state = 0");
    put_i64(&query, clock_unix_s());
    put_i64(&query, total);
    put_i64(&query, id);
    return query_run(&query, err);
}

enum status store_fail_batch(struct store *store, int64_t id, struct text errors,
                             struct error *err)
{
    struct query query = query_on(store, "UPDATE batch SET state = 5, ended = ?, errors = ?"
                                         " WHERE id = ? AND state < 4");
    put_i64(&query, clock_unix_s());
    put_bytes(&query, errors);
    put_i64(&query, id);
    return query_run(&query, err);
}

enum status store_cancel_batch(struct store *store, int64_t id, struct error *err)
{
    struct query query = query_on(store, "UPDATE batch SET state = 3, cancelling = ?"
                                         " WHERE id = ? AND state < 2");
    put_i64(&query, clock_unix_s());
    put_i64(&query, id);
    return query_run(&query, err);
}

/* ---- results ---- */

enum status store_add_result(struct store *store, const struct store_result *result,
                             struct error *err)
{
    struct query query = query_on(store, "INSERT OR IGNORE INTO result VALUES(?,?,?,?,?)");
    put_i64(&query, result->batch);
    put_bytes(&query, result->custom_id);
    put_i64(&query, result->line);
    put_i64(&query, result->is_error);
    put_bytes(&query, result->text);
    (void)next_row(&query);
    const bool is_new = sqlite3_changes(store->db) > 0;
    TRY(query_end(&query, err));
    if (!is_new)
        return OK;
    struct query counted = query_on(
        store, result->is_error ? "UPDATE batch SET failed = failed + 1 WHERE id = ?"
                                : "UPDATE batch SET completed = completed + 1 WHERE id = ?");
    put_i64(&counted, result->batch);
    return query_run(&counted, err);
}

enum status store_read_done(struct store *store, int64_t batch, struct id_set *done,
                            struct error *err)
{
    struct query query = query_on(store, "SELECT custom_id FROM result WHERE batch = ?");
    bool is_new;
    put_i64(&query, batch);
    while (!query.is_full && next_row(&query))
        query.is_full = id_set_add(done, look_bytes(&query), &is_new, err) != OK;
    return query_end(&query, err);
}

/* *id: of a new file with the batch's answers, or with its errors; 0: there are none. */
static enum status file_results(struct store *store, int64_t batch, bool is_error, int64_t *id,
                                struct error *err)
{
    struct query query = query_on(store, "SELECT text FROM result WHERE batch = ?"
                                         " AND is_error = ? ORDER BY line");
    struct text_buf all = {0};
    char name[64];
    put_i64(&query, batch);
    put_i64(&query, is_error);
    while (next_row(&query))
        text_buf_add(&all, look_bytes(&query));
    query.is_full = all.failed;
    enum status status = query_end(&query, err);
    (void)snprintf(name, sizeof name, "batch_%lld_%s.jsonl", (long long)batch,
                   is_error ? "error" : "output");
    struct store_file file = {.purpose = TEXT("batch_output"), .name = text_of(name)};
    if (status == OK && all.size > 0)
        status = insert_file(store, &file, text_buf_text(&all), err);
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
    struct query query = query_on(store, "UPDATE batch SET state = ?1, ended = ?2,"
                                         " output_file = ?3, error_file = ?4"
                                         " WHERE id = ?5");
    put_i64(&query, state);
    put_i64(&query, clock_unix_s());
    put_i64(&query, output);
    put_i64(&query, errors);
    put_i64(&query, id);
    TRY(query_run(&query, err));
    struct query rows = query_on(store, "DELETE FROM result WHERE batch = ?");
    put_i64(&rows, id);
    return query_run(&rows, err);
}

enum status store_end_batch(struct store *store, int64_t id, enum store_state state,
                            struct error *err)
{
    struct query query = query_on(store, "UPDATE batch SET state = 2, finalizing = ?"
                                         " WHERE id = ? AND state = 1");
    put_i64(&query, clock_unix_s());
    put_i64(&query, id);
    TRY(query_run(&query, err));
    TRY(store_begin(store, err));
    return store_settle(store, end_batch(store, id, state, err), err);
}
