/* journal_tables - see journal_tables.h. */
#include "protocol/minions/journal_tables.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>

enum { FORMAT = 2 };

static const char TABLES[] =
    "CREATE TABLE IF NOT EXISTS run(id INTEGER PRIMARY KEY, state INT, begun INT, ended INT,"
    " options TEXT, result TEXT);"
    "CREATE TABLE IF NOT EXISTS call(run INT, number INT, request TEXT, reply TEXT,"
    " is_answered INT, is_cut INT, is_estimated INT, attempts INT, sent INT, received INT,"
    " prompt_tokens INT, output_tokens INT, dollars REAL, tokens INT,"
    " PRIMARY KEY(run, number));"
    "CREATE TABLE IF NOT EXISTS job(run INT, hash TEXT, reply TEXT, is_cut INT, score REAL,"
    " target_tokens INT, prompt_tokens INT, cached_tokens INT, output_tokens INT,"
    " PRIMARY KEY(run, hash)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS round(run INT, number INT, program TEXT, findings TEXT,"
    " jobs INT, outcomes BLOB, PRIMARY KEY(run, number));";

/* Of format 1: failed jobs are no longer kept, and what a call is charged in tokens is. */
static const char FROM_1[] =
    "DELETE FROM job WHERE is_failed; ALTER TABLE job DROP COLUMN is_failed;"
    "ALTER TABLE call ADD COLUMN tokens INT;"
    "UPDATE call SET tokens = CASE WHEN is_answered THEN prompt_tokens + output_tokens"
    " ELSE attempts * (length(CAST(request AS BLOB)) + 4096) END;";

enum status journal_tables_fail(struct sqlite3 *db, const char *path, int code,
                                struct error *err)
{
    const char *why = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    const bool is_damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
    FAIL(err, is_damaged ? ERR_FORMAT : ERR_IO, "journal %.100s: %.100s", path, why);
}

static enum status run_sql(sqlite3 *db, const char *path, const char *sql, struct error *err)
{
    const int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? OK : journal_tables_fail(db, path, code, err);
}

static enum status read_format(sqlite3 *db, const char *path, int *format, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &statement, NULL);
    if (code != SQLITE_OK)
        return journal_tables_fail(db, path, code, err);
    code = sqlite3_step(statement);
    *format = sqlite3_column_int(statement, 0);
    sqlite3_finalize(statement);
    return code == SQLITE_ROW ? OK : journal_tables_fail(db, path, code, err);
}

/* Makes the tables, or those of format 1 into today's; all of it or none. */
static enum status make_tables(sqlite3 *db, const char *path, struct error *err)
{
    int format = 0;
    TRY(read_format(db, path, &format, err));
    if (format != 0 && format != 1 && format != FORMAT)
        FAIL(err, ERR_FORMAT, "journal %.100s: its format is %d, formats 1 to %d can be read",
             path, format, FORMAT);
    if (format == FORMAT)
        return OK;
    if (format == 1)
        TRY(run_sql(db, path, FROM_1, err));
    char sql[40];
    snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", FORMAT);
    TRY(run_sql(db, path, sql, err));
    return run_sql(db, path, TABLES, err);
}

enum status journal_tables_make(struct sqlite3 *db, const char *path, struct error *err)
{
    TRY(run_sql(db, path, "BEGIN IMMEDIATE", err)); /* of two processes one changes tables */
    TRY(make_tables(db, path, err));
    return run_sql(db, path, "COMMIT", err);
}
