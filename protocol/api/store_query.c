/* store_query - see store_query.h. */
#include "protocol/api/store_query.h"

#include <string.h>

enum status store_query_fail(const struct store *store, int code, struct error *err)
{
    const char *why = store->db ? sqlite3_errmsg(store->db) : sqlite3_errstr(code);
    const bool is_damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    FAIL(err, is_damaged ? ERR_FORMAT : ERR_IO, "store %.100s: %.100s", store->path, why);
}

struct store_query store_query_on(struct store *store, const char *sql)
{
    struct store_query query = {.store = store};
    pthread_mutex_lock(&store->lock);
    query.code = sqlite3_prepare_v2(store->db, sql, -1, &query.statement, NULL);
    return query;
}

void store_query_put_i64(struct store_query *query, int64_t value)
{
    query->at++;
    if (query->code == SQLITE_OK)
        query->code = sqlite3_bind_int64(query->statement, query->at, value);
}

/* Bytes: text as SQLite has it would end at a NUL for some of its functions. */
void store_query_put_bytes(struct store_query *query, struct text text)
{
    query->at++;
    if (query->code == SQLITE_OK)
        query->code = sqlite3_bind_blob64(query->statement, query->at,
                                          text.data ? text.data : "", text.size, SQLITE_STATIC);
}

bool store_query_next(struct store_query *query)
{
    query->at = 0;
    if (query->code == SQLITE_OK || query->code == SQLITE_ROW)
        query->code = sqlite3_step(query->statement);
    return query->code == SQLITE_ROW;
}

int64_t store_query_get_i64(struct store_query *query)
{
    return sqlite3_column_int64(query->statement, query->at++);
}

struct text store_query_look_bytes(struct store_query *query)
{
    const int at = query->at++;
    const void *data = sqlite3_column_blob(query->statement, at);
    return (struct text){data, (size_t)sqlite3_column_bytes(query->statement, at)};
}

struct text store_query_get_bytes(struct store_query *query)
{
    const struct text bytes = store_query_look_bytes(query);
    const struct text copy = text_copy(bytes, query->arena);
    query->is_full |= !copy.data;
    return copy;
}

enum status store_query_end(struct store_query *query, struct error *err)
{
    struct store *store = query->store;
    enum status status = OK;
    if (query->code != SQLITE_OK && query->code != SQLITE_ROW && query->code != SQLITE_DONE)
        status = store_query_fail(store, query->code, err);
    else if (query->is_full)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "no room for what is kept");
    sqlite3_finalize(query->statement);
    pthread_mutex_unlock(&store->lock);
    return status;
}

enum status store_query_run(struct store_query *query, struct error *err)
{
    (void)store_query_next(query);
    return store_query_end(query, err);
}

enum status store_query_sql(struct store *store, const char *sql, struct error *err)
{
    const int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? OK : store_query_fail(store, code, err);
}

enum status store_query_number(struct store *store, const char *sql, int64_t parameter,
                               int64_t *number, struct error *err)
{
    struct store_query query = store_query_on(store, sql);
    if (strchr(sql, '?'))
        store_query_put_i64(&query, parameter);
    *number = store_query_next(&query) ? store_query_get_i64(&query) : 0;
    return store_query_end(&query, err);
}
