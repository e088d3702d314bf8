/* journal_test - what was written is found again by the next process, and by it alone. */
#include "protocol/minions/journal.h"

#include "protocol/minions/jobs.h"
#include "tests/harness/scripted_worker.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char FORMAT_1[] =
    "PRAGMA user_version = 1;"
    "CREATE TABLE run(id INTEGER PRIMARY KEY, state INT, begun INT, ended INT, options TEXT,"
    " result TEXT);"
    "CREATE TABLE call(run INT, number INT, request TEXT, reply TEXT, is_answered INT,"
    " is_cut INT, is_estimated INT, attempts INT, sent INT, received INT, prompt_tokens INT,"
    " output_tokens INT, dollars REAL, PRIMARY KEY(run, number));"
    "CREATE TABLE job(run INT, hash TEXT, reply TEXT, is_cut INT, is_failed INT, score REAL,"
    " target_tokens INT, prompt_tokens INT, cached_tokens INT, output_tokens INT,"
    " PRIMARY KEY(run, hash)) WITHOUT ROWID;"
    "CREATE TABLE round(run INT, number INT, program TEXT, findings TEXT, jobs INT,"
    " outcomes BLOB, PRIMARY KEY(run, number));"
    "INSERT INTO run VALUES(1, 0, 1, 0, '{}', '');"
    "INSERT INTO call VALUES(1, 0, 'asked', 'said', 1, 0, 0, 1, 5, 4, 10, 2, 0.1);"
    "INSERT INTO call VALUES(1, 1, 'again', '', 0, 0, 0, 2, 5, 0, 0, 0, 0.1);"
    "INSERT INTO job VALUES(1, 'aa', '', 0, 1, 0, 0, 0, 0, 0);";

static char folder[64], path[96];
static struct arena arena;
static struct error err;

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/journal_test_XXXXXX");
    if (!mkdtemp(folder) || arena_init(&arena, 1 << 24, &err) != OK)
        return -1;
    snprintf(path, sizeof(path), "%s/runs.db", folder);
    return 0;
}

static int drop_folder(void **state)
{
    (void)state;
    static const char *const ends[] = {"", "-wal", "-shm", ".lock"};
    char file[128];
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        snprintf(file, sizeof(file), "%s%s", path, ends[i]);
        (void)unlink(file);
    }
    arena_deinit(&arena);
    return rmdir(folder);
}

static struct journal *reopen(struct journal *journal)
{
    journal_close(journal);
    assert_int_equal(journal_open(&journal, path, &err), OK);
    return journal;
}

static struct journal *begun(int64_t *run)
{
    struct journal *journal = reopen(NULL);
    assert_int_equal(journal_begin(journal, TEXT("{\"question\":\"q\"}"), run, &err), OK);
    return journal;
}

static void a_call_is_found_again(void **state)
{
    (void)state;
    int64_t run = 0;
    bool is_known = true;
    struct journal *journal = begun(&run);
    struct journal_call call = {.number = 1, .request = TEXT("body"), .attempts = 1};
    call.dollars = 0.25;
    assert_int_equal(journal_find_call(journal, 1, &call, &arena, &is_known, &err), OK);
    assert_false(is_known);
    assert_int_equal(journal_put_call(journal, &call, &err), OK);
    call.reply = TEXT("said \0 so");
    call.is_answered = call.is_cut = true;
    call.attempts = 2;
    call.sent_bytes = 1ull << 40;
    call.output_tokens = 7;
    assert_int_equal(journal_put_call(journal, &call, &err), OK);

    journal = reopen(journal);
    assert_int_equal(journal_resume(journal, run, &err), OK);
    struct journal_call found = {0};
    assert_int_equal(journal_find_call(journal, 1, &found, &arena, &is_known, &err), OK);
    assert_true(found.number == 1 && text_equal(found.request, TEXT("body")));
    assert_true(is_known && found.is_answered && found.is_cut && !found.is_estimated);
    assert_true(text_equal(found.reply, TEXT("said \0 so")));
    assert_true(found.sent_bytes == 1ull << 40 && found.dollars == 0.25);
    assert_int_equal(found.attempts, 2);
    assert_int_equal(found.output_tokens, 7);
    assert_int_equal(journal_find_call(journal, 2, &found, &arena, &is_known, &err), OK);
    assert_false(is_known);
    journal_close(journal);
}

static void answer(void *self, struct worker_job *job, struct arena *replies)
{
    (void)self;
    char said[32];
    snprintf(said, sizeof(said), "reply %u", job->key);
    job->reply = text_copy(text_of(said), replies);
    job->score = -1.5 * job->key;
    job->is_failed = job->key == 3;
    job->prompt_tokens = 10;
    job->output_tokens = job->key;
}

/* Jobs 0 .. count-1, run with that journal; how many the worker itself was asked. */
static uint32_t run_jobs(struct journal *journal, struct worker_job *jobs, uint32_t count,
                         struct ledger *ledger)
{
    struct scripted_worker scripted = {.answer = answer};
    const struct worker worker = scripted_worker(&scripted);
    struct worker_progress progress = {0};
    const struct jobs_context context = {.worker = &worker,
                                         .journal = journal,
                                         .arena = &arena,
                                         .progress = &progress,
                                         .ledger = ledger};
    for (uint32_t i = 0; i < count; i++)
        jobs[i] = (struct worker_job){.prompt = TEXT("prompt"), .key = i, .max_tokens = 9};
    assert_int_equal(jobs_run(&context, jobs, count, &err), OK);
    assert_int_equal(progress.jobs_done, count);
    return scripted.total;
}

static void jobs_are_not_done_twice(void **state)
{
    (void)state;
    int64_t run = 0;
    struct worker_job first[8], again[12];
    struct ledger ledger = {0}, other = {0};
    struct journal *journal = begun(&run);
    assert_int_equal(run_jobs(journal, first, 8, &ledger), 8);
    journal = reopen(journal);
    assert_int_equal(journal_resume(journal, run, &err), OK);
    assert_int_equal(run_jobs(journal, again, 12, &other), 5); /* four new, one that failed */
    for (uint32_t i = 0; i < 8; i++) {
        assert_true(text_equal(first[i].reply, again[i].reply));
        assert_true(first[i].score == again[i].score);
    }
    assert_int_equal(other.local_prompt_tokens, 120);
    assert_int_equal(other.local_output_tokens, 66);
    /* Another prompt is another job. */
    bool is_known = true;
    struct worker_job job = {.prompt = TEXT("prompt."), .max_tokens = 9};
    assert_int_equal(journal_find_job(journal, &job, &arena, &is_known, &err), OK);
    assert_false(is_known);
    journal_close(journal);
}

static void runs_are_listed(void **state)
{
    (void)state;
    int64_t first = 0, second = 0;
    struct journal *journal = begun(&first);
    const struct journal_round round = {
        2, TEXT("def prepare_jobs"), TEXT("findings"), 6, {1, 2, 3, 0, 0, 0, 0, 4}};
    assert_int_equal(journal_put_round(journal, &round, &err), OK);
    const struct journal_call call = {.number = 0, .request = TEXT("asked")};
    assert_int_equal(journal_put_call(journal, &call, &err), OK);
    assert_int_equal(journal_end(journal, JOURNAL_ANSWERED, TEXT("{}"), &err), OK);
    journal_close(journal);
    journal = begun(&second);
    struct journal_run *runs = NULL;
    uint32_t count = 0;
    assert_int_equal(journal_runs(journal, &arena, &runs, &count, &err), OK);
    assert_true(count >= 2 && runs[0].id == second && runs[1].id == first);
    assert_int_equal(runs[0].state, JOURNAL_UNFINISHED);
    assert_int_equal(runs[1].state, JOURNAL_ANSWERED);
    assert_true(runs[1].ended_unix_s >= runs[1].begun_unix_s && runs[0].ended_unix_s == 0);
    assert_true(text_equal(runs[1].options, TEXT("{\"question\":\"q\"}")));
    struct journal_round *rounds = NULL;
    assert_int_equal(journal_rounds(journal, first, &arena, &rounds, &count, &err), OK);
    assert_int_equal(count, 1);
    assert_true(rounds->number == 2 && rounds->jobs == 6 && rounds->outcomes[7] == 4);
    assert_true(text_equal(rounds->findings, TEXT("findings")));
    struct journal_call *calls = NULL;
    assert_int_equal(journal_calls(journal, first, &arena, &calls, &count, &err), OK);
    assert_true(count == 1 && text_equal(calls->request, TEXT("asked")));
    bool is_known = true;
    struct journal_run run;
    assert_int_equal(journal_find_run(journal, 999, &run, &arena, &is_known, &err), OK);
    assert_false(is_known);
    journal_close(journal);
}

static void one_process_holds_a_run(void **state)
{
    (void)state;
    int64_t run = 0;
    struct journal *journal = begun(&run), *other = NULL;
    assert_int_equal(journal_open(&other, path, &err), OK);
    assert_int_equal(journal_resume(other, run, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "another process is at it"));
    assert_int_equal(journal_end(journal, JOURNAL_FAILED, TEXT("no"), &err), OK);
    journal_close(journal);
    /* One that failed may be gone on with. */
    assert_int_equal(journal_resume(other, run, &err), OK);
    assert_int_equal(journal_end(other, JOURNAL_ANSWERED, TEXT("{}"), &err), OK);
    other = reopen(other);
    assert_int_equal(journal_resume(other, run, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "it was answered"));
    assert_int_equal(journal_resume(other, 12345, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "run 12345: there is none"));
    journal_close(other);
}

/* A journal as format 1 left it, and one of a format to come. */
static void an_old_format_is_brought_to_this_one(void **state)
{
    (void)state;
    char old[128], to_come[128];
    struct journal *journal = NULL;
    struct journal_call call = {0};
    sqlite3 *db = NULL;
    bool is_known = false;
    snprintf(old, sizeof(old), "%s/old.db", folder);
    snprintf(to_come, sizeof(to_come), "%s/new.db", folder);
    assert_int_equal(sqlite3_open(old, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, FORMAT_1, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    for (int i = 0; i < 2; i++) { /* the second finds today's */
        assert_int_equal(journal_open(&journal, old, &err), OK);
        assert_int_equal(journal_resume(journal, 1, &err), OK);
        assert_int_equal(journal_find_call(journal, 0, &call, &arena, &is_known, &err), OK);
        assert_true(is_known && call.is_answered && call.tokens == 12);
        assert_int_equal(journal_find_call(journal, 1, &call, &arena, &is_known, &err), OK);
        assert_true(is_known && !call.is_answered && call.tokens == 2 * (5 + 4096));
        journal_close(journal);
    }
    assert_int_equal(sqlite3_open(to_come, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 9", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(journal_open(&journal, to_come, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "its format is 9, formats 1 to 2 can be read"));
    assert_int_equal(unlink(to_come), 0);
    assert_int_equal(unlink(old), 0);
    assert_int_equal(unlink(strcat(old, ".lock")), 0);
}

static void what_is_no_journal_is_refused(void **state)
{
    (void)state;
    char bad[128];
    struct journal *journal = NULL;
    snprintf(bad, sizeof(bad), "%s/bad.db", folder);
    FILE *file = fopen(bad, "w");
    assert_non_null(file);
    for (int i = 0; i < 400; i++)
        assert_true(fputs("this is no database\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(journal_open(&journal, bad, &err), ERR_FORMAT);
    assert_int_equal(unlink(bad), 0);
    snprintf(bad, sizeof(bad), "%s/no/runs.db", folder);
    assert_int_equal(journal_open(&journal, bad, &err), ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_found_again),
        cmocka_unit_test(jobs_are_not_done_twice),
        cmocka_unit_test(runs_are_listed),
        cmocka_unit_test(one_process_holds_a_run),
        cmocka_unit_test(an_old_format_is_brought_to_this_one),
        cmocka_unit_test(what_is_no_journal_is_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
