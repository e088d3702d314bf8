/* store - see store.h. */
#include "protocol/api/store.h"

#include "base/clock.h"
#include "protocol/api/store_query.h"

#include <errno.h>
#include <fcntl.h>
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

#define FILE_COLUMNS "id, purpose, name, bytes, created"

enum status store_begin(struct store *store, struct error *err)
{
    pthread_mutex_lock(&store->lock);
    const enum status status = store_query_sql(store, "BEGIN IMMEDIATE", err);
    if (status != OK)
        pthread_mutex_unlock(&store->lock);
    return status;
}

enum status store_settle(struct store *store, enum status status, struct error *err)
{
    struct error why;
    if (status == OK)
        status = store_query_sql(store, "COMMIT", err);
    if (status != OK)
        (void)!store_query_sql(store, "ROLLBACK", &why);
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
    TRY(store_query_number(store, "PRAGMA user_version", 0, &format, err));
    if (format == FORMAT)
        return OK;
    if (format != 0)
        FAIL(err, ERR_FORMAT, "store %.100s: its format is %lld, format %d can be read",
             store->path, (long long)format, FORMAT);
    TRY(store_begin(store, err));
    return store_settle(store, store_query_sql(store, TABLES, err), err);
}

static enum status set_up(struct store *store, struct error *err)
{
    TRY(take_lock(store, err));
    const int code =
        sqlite3_open_v2(store->path, &store->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK)
        return store_query_fail(store, code, err);
    sqlite3_busy_timeout(store->db, BUSY_WAIT_MS);
    TRY(store_query_sql(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;", err));
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

enum status store_insert_file(struct store *store, struct store_file *file, struct text content,
                              struct error *err)
{
    struct store_query query =
        store_query_on(store, "INSERT INTO file(purpose, name, bytes, created,"
                              " content) VALUES(?,?,?,?,?)");
    file->bytes = (int64_t)content.size;
    file->created = clock_unix_s();
    store_query_put_bytes(&query, file->purpose);
    store_query_put_bytes(&query, file->name);
    store_query_put_i64(&query, file->bytes);
    store_query_put_i64(&query, file->created);
    store_query_put_bytes(&query, content);
    (void)store_query_next(&query);
    file->id = sqlite3_last_insert_rowid(store->db);
    return store_query_end(&query, err);
}

static enum status check_room(struct store *store, size_t bytes, struct error *err)
{
    int64_t count, held;
    if (bytes > STORE_FILE_BYTES_MAX)
        FAIL(err, ERR_LIMIT, "file: it has %zu bytes, at most %d are taken", bytes,
             STORE_FILE_BYTES_MAX);
    TRY(store_query_number(
        store, "SELECT count(*) FROM file WHERE purpose <> CAST('batch_output' AS BLOB)", 0,
        &count, err));
    if (count >= STORE_FILES_MAX)
        FAIL(err, ERR_LIMIT, "file: %lld are kept, which is the limit; delete some",
             (long long)count);
    TRY(store_query_number(store, "SELECT sum(bytes) FROM file", 0, &held, err));
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
        status = store_insert_file(store, file, content, err);
    return store_settle(store, status, err);
}

static struct store_file get_file(struct store_query *query)
{
    struct store_file file = {.id = store_query_get_i64(query)};
    file.purpose = store_query_get_bytes(query);
    file.name = store_query_get_bytes(query);
    file.bytes = store_query_get_i64(query);
    file.created = store_query_get_i64(query);
    return file;
}

enum status store_find_file(struct store *store, struct store_file *file, struct arena *arena,
                            bool *found, struct error *err)
{
    struct store_query query =
        store_query_on(store, "SELECT " FILE_COLUMNS " FROM file WHERE id = ?");
    query.arena = arena;
    store_query_put_i64(&query, file->id);
    *found = store_query_next(&query);
    if (*found)
        *file = get_file(&query);
    return store_query_end(&query, err);
}

enum status store_read_file(struct store *store, int64_t id, struct text_buf *content,
                            bool *found, struct error *err)
{
    struct store_query query = store_query_on(store, "SELECT content FROM file WHERE id = ?");
    store_query_put_i64(&query, id);
    *found = store_query_next(&query);
    if (*found)
        text_buf_add(content, store_query_look_bytes(&query));
    query.is_full = content->failed;
    return store_query_end(&query, err);
}

enum status store_list_files(struct store *store, const struct store_page *page,
                             struct arena *arena, struct store_file **files, uint32_t *count)
{
    struct store_query query = store_query_on(
        store, "SELECT " FILE_COLUMNS " FROM file WHERE (?1 = 0 OR id < ?1)"
               " AND (length(?2) = 0 OR purpose = ?2) ORDER BY id DESC LIMIT ?3");
    query.arena = arena;
    store_query_put_i64(&query, page->before);
    store_query_put_bytes(&query, page->purpose);
    store_query_put_i64(&query, (int64_t)page->limit + 1);
    *files = ARENA_NEW(arena, struct store_file, (size_t)page->limit + 1);
    *count = 0;
    query.is_full = !*files;
    while (!query.is_full && store_query_next(&query))
        (*files)[(*count)++] = get_file(&query);
    return store_query_end(&query, NULL);
}

static enum status drop_file(struct store *store, int64_t id, bool *found, struct error *err)
{
    int64_t users;
    TRY(store_query_number(store, "SELECT count(*) FROM batch WHERE file = ? AND state < 4", id,
                           &users, err));
    if (users > 0)
        FAIL(err, ERR_CANCELLED, "file: a batch that has not ended needs it");
    struct store_query query = store_query_on(store, "DELETE FROM file WHERE id = ?");
    store_query_put_i64(&query, id);
    (void)store_query_next(&query);
    *found = sqlite3_changes(store->db) > 0;
    return store_query_end(&query, err);
}

enum status store_drop_file(struct store *store, int64_t id, bool *found, struct error *err)
{
    *found = false;
    TRY(store_begin(store, err));
    return store_settle(store, drop_file(store, id, found, err), err);
}
