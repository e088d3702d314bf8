/*
 * store_query - statements on the store's database: the inside of store.h, shared by its files.
 *
 *     store          opening, transactions, files
 *     store_batches  batches and their results
 *
 * A statement is on its way from store_query_on to store_query_end, or _run: parameters go in
 * from left to right, columns come out so. It holds the store's lock meanwhile. The first
 * failure stays, what comes after it does nothing, and the end tells it.
 */
#ifndef API_STORE_QUERY_H
#define API_STORE_QUERY_H

#include "protocol/api/store.h"

#include <pthread.h>
#include <sqlite3.h>

struct store {
    sqlite3 *db;
    char *path;
    int lock_file;
    pthread_mutex_t lock; /* recursive: a transaction holds it around its statements */
    bool has_lock;
};

struct store_query {
    struct store *store;
    sqlite3_stmt *statement;
    int at, code;
    struct arena *arena; /* of store_query_get_bytes */
    bool is_full;        /* no memory for what came out */
};

struct store_query store_query_on(struct store *store, const char *sql);
void store_query_put_i64(struct store_query *query, int64_t value);
void store_query_put_bytes(struct store_query *query, struct text text); /* borrowed */
/* True: a row is there to be read. */
bool store_query_next(struct store_query *query);
int64_t store_query_get_i64(struct store_query *query);
struct text store_query_look_bytes(struct store_query *query); /* valid until the next row */
struct text store_query_get_bytes(struct store_query *query);  /* a copy in the arena */
/* ERR_FORMAT the database is damaged; ERR_IO; ERR_MEMORY it is full. */
MUST_USE enum status store_query_end(struct store_query *query, struct error *err);
/* Runs a statement that gives no rows, and ends it. */
MUST_USE enum status store_query_run(struct store_query *query, struct error *err);

/* Statements without parameters and rows. The lock is the caller's. */
MUST_USE enum status store_query_sql(struct store *store, const char *sql, struct error *err);
/* One number, of a statement with at most one parameter; 0: no row. */
MUST_USE enum status store_query_number(struct store *store, const char *sql, int64_t parameter,
                                        int64_t *number, struct error *err);
/* What SQLite says of its last failure. */
enum status store_query_fail(const struct store *store, int code, struct error *err);

/* A new file as a row: what store_add_file does once there is room. */
MUST_USE enum status store_insert_file(struct store *store, struct store_file *file,
                                       struct text content, struct error *err);

#endif
