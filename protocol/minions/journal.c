/*
 * journal - see journal.h.
 *
 * A row is one transaction. Statements are prepared once.
 */
#include "protocol/minions/journal.h"

#include "base/clock.h"
#include "base/sha256.h"
#include "protocol/minions/journal_lock.h"
#include "protocol/minions/journal_tables.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUSY_WAIT_MS = 5000, LIST_MAX = 100000 };

enum sql {
    RUN_BEGIN,
    RUN_END,
    RUN_FIND,
    RUN_LIST,
    CALL_PUT,
    CALL_FIND,
    CALL_LIST,
    JOB_PUT,
    JOB_FIND,
    ROUND_PUT,
    ROUND_LIST,
    SQL_COUNT
};

#define RUN_COLUMNS "id, state, begun, ended, options, result"
#define CALL_COLUMNS                                                                           \
    "number, request, reply, is_answered, is_cut, is_estimated, attempts, sent, received,"     \
    " prompt_tokens, output_tokens, dollars, tokens"

static const char *const SQL[SQL_COUNT] = {
    [RUN_BEGIN] = "INSERT INTO run(state, begun, ended, options, result)"
                  " VALUES(0, ?, 0, ?, '')",
    [RUN_END] = "UPDATE run SET state = ?, ended = ?, result = ? WHERE id = ?",
    [RUN_FIND] = "SELECT " RUN_COLUMNS " FROM run WHERE id = ?",
    [RUN_LIST] = "SELECT " RUN_COLUMNS " FROM run ORDER BY id DESC",
    [CALL_PUT] = "INSERT OR REPLACE INTO call(run, " CALL_COLUMNS ")"
                 " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [CALL_FIND] = "SELECT " CALL_COLUMNS " FROM call WHERE run = ? AND number = ?",
    [CALL_LIST] = "SELECT " CALL_COLUMNS " FROM call WHERE run = ? ORDER BY number",
    [JOB_PUT] = "INSERT OR REPLACE INTO job VALUES(?,?,?,?,?,?,?,?,?)",
    [JOB_FIND] = "SELECT reply, is_cut, score, target_tokens, prompt_tokens,"
                 " cached_tokens, output_tokens FROM job WHERE run = ? AND hash = ?",
    [ROUND_PUT] = "INSERT OR REPLACE INTO round VALUES(?,?,?,?,?,?)",
    [ROUND_LIST] = "SELECT number, program, findings, jobs, outcomes FROM round WHERE run = ?"
                   " ORDER BY number",
};

struct journal {
    sqlite3 *db;
    char *path;
    int lock; /* descriptor of FILE.lock; -1: no run is held */
    int64_t run, begun_unix_s;
    bool is_resumed; /* else there is nothing to be found */
    sqlite3_stmt *statements[SQL_COUNT];
};

/* A statement whose parameters, or columns, are gone through from left to right. */
struct cursor {
    sqlite3_stmt *statement;
    int at;
    struct arena *arena; /* of texts read */
    bool is_full;
};

static enum status fail(struct journal *journal, int code, struct error *err)
{
    return journal_tables_fail(journal->db, journal->path, code, err);
}

/* ---- parameters in, columns out ---- */

static struct cursor cursor_on(struct journal *journal, enum sql sql, struct arena *arena)
{
    return (struct cursor){.statement = journal->statements[sql], .arena = arena};
}

static void put_text(struct cursor *cursor, struct text text)
{
    sqlite3_bind_text64(cursor->statement, ++cursor->at, text.data ? text.data : "", text.size,
                        SQLITE_STATIC, SQLITE_UTF8);
}

static void put_i64(struct cursor *cursor, int64_t value)
{
    sqlite3_bind_int64(cursor->statement, ++cursor->at, value);
}

static void put_double(struct cursor *cursor, double value)
{
    sqlite3_bind_double(cursor->statement, ++cursor->at, value);
}

static struct text get_text(struct cursor *cursor)
{
    const int at = cursor->at++;
    const void *data = sqlite3_column_text(cursor->statement, at);
    const struct text text = {data, (size_t)sqlite3_column_bytes(cursor->statement, at)};
    const struct text copy = text_copy(text, cursor->arena);
    cursor->is_full |= text.size > 0 && !copy.data;
    return copy;
}

static int64_t get_i64(struct cursor *cursor)
{
    return sqlite3_column_int64(cursor->statement, cursor->at++);
}

static uint32_t get_u32(struct cursor *cursor)
{
    const int64_t value = get_i64(cursor);
    return value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
}

static double get_double(struct cursor *cursor)
{
    return sqlite3_column_double(cursor->statement, cursor->at++);
}

static void rest(struct cursor *cursor)
{
    sqlite3_reset(cursor->statement);
    sqlite3_clear_bindings(cursor->statement);
}

/* Runs a statement that gives no rows. */
static enum status commit(struct journal *journal, struct cursor *cursor, struct error *err)
{
    const int code = sqlite3_step(cursor->statement);
    const enum status status = code == SQLITE_DONE ? OK : fail(journal, code, err);
    rest(cursor);
    return status;
}

/* Goes to the next row; false in *has_row past the last. */
static enum status step(struct journal *journal, struct cursor *cursor, bool *has_row,
                        struct error *err)
{
    const int code = sqlite3_step(cursor->statement);
    *has_row = code == SQLITE_ROW;
    cursor->at = 0;
    if (code == SQLITE_ROW || code == SQLITE_DONE)
        return OK;
    return fail(journal, code, err);
}

/* ---- open, close ---- */

static enum status run_sql(struct journal *journal, const char *sql, struct error *err)
{
    const int code = sqlite3_exec(journal->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? OK : fail(journal, code, err);
}

static enum status set_up(struct journal *journal, struct error *err)
{
    sqlite3_busy_timeout(journal->db, BUSY_WAIT_MS);
    /* A checkpoint waits for the disk, and a round's jobs would cause a dozen: with 8,000 pages
     * (32 MB) in place of 1,000 there is one at the end, and 1,008 jobs took 60 ms, not 320. */
    TRY(run_sql(journal,
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; "
                "PRAGMA wal_autocheckpoint = 8000;",
                err));
    TRY(journal_tables_make(journal->db, journal->path, err));
    for (int i = 0; i < SQL_COUNT; i++) {
        const int code = sqlite3_prepare_v3(journal->db, SQL[i], -1, SQLITE_PREPARE_PERSISTENT,
                                            &journal->statements[i], NULL);
        if (code != SQLITE_OK)
            return fail(journal, code, err);
    }
    return OK;
}

enum status journal_open(struct journal **out, const char *path, struct error *err)
{
    struct journal *journal = calloc(1, sizeof(*journal));
    if (journal)
        journal->path = strdup(path);
    if (!journal || !journal->path) {
        free(journal);
        FAIL(err, ERR_MEMORY, "journal %.100s: no memory", path);
    }
    journal->lock = -1;
    const int code =
        sqlite3_open_v2(path, &journal->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    const enum status status =
        code == SQLITE_OK ? set_up(journal, err) : fail(journal, code, err);
    if (status != OK) {
        journal_close(journal);
        return status;
    }
    *out = journal;
    return OK;
}

void journal_close(struct journal *journal)
{
    if (!journal)
        return;
    for (int i = 0; i < SQL_COUNT; i++)
        sqlite3_finalize(journal->statements[i]);
    sqlite3_close(journal->db);
    journal_lock_drop(&journal->lock);
    free(journal->path);
    free(journal);
}

/* ---- runs ---- */

static enum status hold(struct journal *journal, int64_t run, struct error *err)
{
    TRY(journal_lock_take(&journal->lock, journal->path, run, err));
    journal->run = run;
    return OK;
}

enum status journal_begin(struct journal *journal, struct text options, int64_t *run,
                          struct error *err)
{
    struct cursor cursor = cursor_on(journal, RUN_BEGIN, NULL);
    journal->begun_unix_s = clock_unix_s();
    put_i64(&cursor, journal->begun_unix_s);
    put_text(&cursor, options);
    TRY(commit(journal, &cursor, err));
    *run = sqlite3_last_insert_rowid(journal->db);
    journal->is_resumed = false;
    return hold(journal, *run, err);
}

/* state < 0: there is no such run. */
static enum status read_state(struct journal *journal, int64_t run, int *state,
                              struct error *err)
{
    struct cursor cursor = cursor_on(journal, RUN_FIND, NULL);
    bool is_known = false;
    put_i64(&cursor, run);
    const enum status status = step(journal, &cursor, &is_known, err);
    *state = is_known ? sqlite3_column_int(cursor.statement, 1) : -1;
    journal->begun_unix_s = is_known ? sqlite3_column_int64(cursor.statement, 2) : 0;
    rest(&cursor);
    return status;
}

enum status journal_resume(struct journal *journal, int64_t run, struct error *err)
{
    int state = -1;
    TRY(read_state(journal, run, &state, err));
    if (state < 0)
        FAIL(err, ERR_FORMAT, "run %lld: there is none of that number in %.100s",
             (long long)run, journal->path);
    TRY(hold(journal, run, err));
    TRY(read_state(journal, run, &state, err)); /* whoever held it may have ended it */
    if (state == JOURNAL_ANSWERED)
        FAIL(err, ERR_FORMAT, "run %lld: it was answered; `cohort runs show %lld` shows it",
             (long long)run, (long long)run);
    journal->is_resumed = true;
    return OK;
}

int64_t journal_run_number(const struct journal *journal)
{
    return journal->run;
}

void journal_key(const struct journal *journal, char key[JOURNAL_KEY_BYTES])
{
    snprintf(key, JOURNAL_KEY_BYTES, "%lld-%lld", (long long)journal->run,
             (long long)journal->begun_unix_s);
}

enum status journal_end(struct journal *journal, enum journal_state state, struct text result,
                        struct error *err)
{
    struct cursor cursor = cursor_on(journal, RUN_END, NULL);
    put_i64(&cursor, state);
    put_i64(&cursor, clock_unix_s());
    put_text(&cursor, result);
    put_i64(&cursor, journal->run);
    return commit(journal, &cursor, err);
}

static void read_run(struct cursor *cursor, void *row)
{
    struct journal_run *run = row;
    run->id = get_i64(cursor);
    run->state = (enum journal_state)get_i64(cursor);
    run->begun_unix_s = get_i64(cursor);
    run->ended_unix_s = get_i64(cursor);
    run->options = get_text(cursor);
    run->result = get_text(cursor);
}

/* ---- calls ---- */

static void read_call(struct cursor *cursor, void *row)
{
    struct journal_call *call = row;
    call->number = get_u32(cursor);
    call->request = get_text(cursor);
    call->reply = get_text(cursor);
    call->is_answered = get_i64(cursor) != 0;
    call->is_cut = get_i64(cursor) != 0;
    call->is_estimated = get_i64(cursor) != 0;
    call->attempts = get_u32(cursor);
    call->sent_bytes = (uint64_t)get_i64(cursor);
    call->received_bytes = (uint64_t)get_i64(cursor);
    call->prompt_tokens = (uint64_t)get_i64(cursor);
    call->output_tokens = (uint64_t)get_i64(cursor);
    call->dollars = get_double(cursor);
    call->tokens = (uint64_t)get_i64(cursor);
}

enum status journal_find_call(struct journal *journal, uint32_t number,
                              struct journal_call *call, struct arena *arena, bool *is_known,
                              struct error *err)
{
    *is_known = false;
    if (!journal->is_resumed)
        return OK;
    struct cursor cursor = cursor_on(journal, CALL_FIND, arena);
    put_i64(&cursor, journal->run);
    put_i64(&cursor, number);
    const enum status status = step(journal, &cursor, is_known, err);
    if (status == OK && *is_known)
        read_call(&cursor, call);
    rest(&cursor);
    if (status == OK && cursor.is_full)
        FAIL(err, ERR_MEMORY, "journal: no room for call %u", number);
    return status;
}

enum status journal_put_call(struct journal *journal, const struct journal_call *call,
                             struct error *err)
{
    struct cursor cursor = cursor_on(journal, CALL_PUT, NULL);
    put_i64(&cursor, journal->run);
    put_i64(&cursor, call->number);
    put_text(&cursor, call->request);
    put_text(&cursor, call->reply);
    put_i64(&cursor, call->is_answered);
    put_i64(&cursor, call->is_cut);
    put_i64(&cursor, call->is_estimated);
    put_i64(&cursor, call->attempts);
    put_i64(&cursor, (int64_t)call->sent_bytes);
    put_i64(&cursor, (int64_t)call->received_bytes);
    put_i64(&cursor, (int64_t)call->prompt_tokens);
    put_i64(&cursor, (int64_t)call->output_tokens);
    put_double(&cursor, call->dollars);
    put_i64(&cursor, (int64_t)call->tokens);
    return commit(journal, &cursor, err);
}

/* ---- jobs ---- */

static void hash_text(struct sha256 *hash, struct text text)
{
    const uint64_t size = text.size;
    sha256_add(hash, &size, sizeof(size));
    sha256_add(hash, text.data, text.size);
}

/* All that a job's result depends on. */
static void hash_job(const struct worker_job *job, char hex[SHA256_HEX_BYTES])
{
    struct sha256 hash;
    const uint64_t numbers[] = {(uint64_t)job->kind, job->is_output, job->max_tokens, job->seed,
                                job->key};
    sha256_init(&hash);
    hash_text(&hash, job->prompt);
    hash_text(&hash, job->target);
    hash_text(&hash, job->opening);
    sha256_add(&hash, numbers, sizeof(numbers));
    sha256_add(&hash, &job->temperature, sizeof(job->temperature));
    sha256_hex(&hash, hex);
}

enum status journal_find_job(struct journal *journal, struct worker_job *job,
                             struct arena *arena, bool *is_known, struct error *err)
{
    *is_known = false;
    if (!journal->is_resumed)
        return OK;
    char hex[SHA256_HEX_BYTES];
    struct cursor cursor = cursor_on(journal, JOB_FIND, arena);
    hash_job(job, hex);
    put_i64(&cursor, journal->run);
    put_text(&cursor, text_of(hex));
    const enum status status = step(journal, &cursor, is_known, err);
    if (status == OK && *is_known) {
        job->reply = get_text(&cursor);
        job->is_cut = get_i64(&cursor) != 0;
        job->score = get_double(&cursor);
        job->target_tokens = get_u32(&cursor);
        job->prompt_tokens = get_u32(&cursor);
        job->cached_tokens = get_u32(&cursor);
        job->output_tokens = get_u32(&cursor);
    }
    rest(&cursor);
    if (status == OK && cursor.is_full)
        FAIL(err, ERR_MEMORY, "journal: no room for a job's reply");
    return status;
}

enum status journal_put_job(struct journal *journal, const struct worker_job *job,
                            struct error *err)
{
    char hex[SHA256_HEX_BYTES];
    struct cursor cursor = cursor_on(journal, JOB_PUT, NULL);
    hash_job(job, hex);
    put_i64(&cursor, journal->run);
    put_text(&cursor, text_of(hex));
    put_text(&cursor, job->reply);
    put_i64(&cursor, job->is_cut);
    put_double(&cursor, job->score);
    put_i64(&cursor, job->target_tokens);
    put_i64(&cursor, job->prompt_tokens);
    put_i64(&cursor, job->cached_tokens);
    put_i64(&cursor, job->output_tokens);
    return commit(journal, &cursor, err);
}

/* ---- rounds ---- */

enum status journal_put_round(struct journal *journal, const struct journal_round *round,
                              struct error *err)
{
    struct cursor cursor = cursor_on(journal, ROUND_PUT, NULL);
    put_i64(&cursor, journal->run);
    put_i64(&cursor, round->number);
    put_text(&cursor, round->program);
    put_text(&cursor, round->findings);
    put_i64(&cursor, round->jobs);
    sqlite3_bind_blob(cursor.statement, ++cursor.at, round->outcomes, sizeof(round->outcomes),
                      SQLITE_STATIC);
    return commit(journal, &cursor, err);
}

static void read_round(struct cursor *cursor, void *row)
{
    struct journal_round *round = row;
    round->number = get_u32(cursor);
    round->program = get_text(cursor);
    round->findings = get_text(cursor);
    round->jobs = get_u32(cursor);
    const void *outcomes = sqlite3_column_blob(cursor->statement, cursor->at);
    const size_t size = (size_t)sqlite3_column_bytes(cursor->statement, cursor->at);
    if (outcomes && size == sizeof(round->outcomes))
        memcpy(round->outcomes, outcomes, size);
}

/* ---- lists ---- */

/* The rows of a statement, each of row_bytes, as read fills them. */
struct list {
    enum sql sql;
    size_t row_bytes;
    void (*read)(struct cursor *cursor, void *row);
    void *rows;
    uint32_t count;
};

/* Texts and rows come out of one arena: rows are gathered aside and copied in one piece. */
static enum status gather(struct journal *journal, struct cursor *cursor, struct list *list,
                          struct error *err)
{
    bool has_row = false;
    size_t capacity = 0;
    for (;;) {
        TRY(step(journal, cursor, &has_row, err));
        if (!has_row || list->count == LIST_MAX)
            return OK;
        if (list->count == capacity) {
            capacity = capacity ? 2 * capacity : 16;
            void *more = realloc(list->rows, capacity * list->row_bytes);
            if (!more)
                FAIL(err, ERR_MEMORY, "journal: no room for %zu rows", capacity);
            list->rows = more;
        }
        char *row = (char *)list->rows + list->count++ * list->row_bytes;
        memset(row, 0, list->row_bytes);
        list->read(cursor, row);
        if (cursor->is_full)
            FAIL(err, ERR_MEMORY, "journal: no room for what row %u holds", list->count);
    }
}

/* run 0: of all of them. */
static enum status read_list(struct journal *journal, struct list *list, int64_t run,
                             struct arena *arena, struct error *err)
{
    struct cursor cursor = cursor_on(journal, list->sql, arena);
    if (run > 0)
        put_i64(&cursor, run);
    enum status status = gather(journal, &cursor, list, err);
    rest(&cursor);
    void *kept = arena_push(arena, list->count, list->row_bytes, _Alignof(max_align_t));
    if (status == OK && !kept)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "journal: no room for %u rows",
                           list->count);
    if (status == OK && list->count > 0)
        memcpy(kept, list->rows, list->count * list->row_bytes);
    free(list->rows);
    list->rows = kept;
    return status;
}

enum status journal_find_run(struct journal *journal, int64_t id, struct journal_run *run,
                             struct arena *arena, bool *is_known, struct error *err)
{
    struct list list = {RUN_FIND, sizeof(*run), read_run, NULL, 0};
    *is_known = false;
    if (id <= 0)
        return OK;
    TRY(read_list(journal, &list, id, arena, err));
    *is_known = list.count == 1;
    if (*is_known)
        *run = *(struct journal_run *)list.rows;
    return OK;
}

enum status journal_runs(struct journal *journal, struct arena *arena,
                         struct journal_run **runs, uint32_t *count, struct error *err)
{
    struct list list = {RUN_LIST, sizeof(**runs), read_run, NULL, 0};
    TRY(read_list(journal, &list, 0, arena, err));
    *runs = list.rows;
    *count = list.count;
    return OK;
}

enum status journal_rounds(struct journal *journal, int64_t run, struct arena *arena,
                           struct journal_round **rounds, uint32_t *count, struct error *err)
{
    struct list list = {ROUND_LIST, sizeof(**rounds), read_round, NULL, 0};
    TRY(read_list(journal, &list, run, arena, err));
    *rounds = list.rows;
    *count = list.count;
    return OK;
}

enum status journal_calls(struct journal *journal, int64_t run, struct arena *arena,
                          struct journal_call **calls, uint32_t *count, struct error *err)
{
    struct list list = {CALL_LIST, sizeof(**calls), read_call, NULL, 0};
    TRY(read_list(journal, &list, run, arena, err));
    *calls = list.rows;
    *count = list.count;
    return OK;
}
