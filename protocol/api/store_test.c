/* store_test - files and batches kept over a process's end, limits, and what is refused. */
#include "protocol/api/store.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/cohort-store-XXXXXX";
static char path[64];
static struct arena arena;

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) && arena_init(&arena, 16 << 20, NULL) == OK ? 0 : -1;
}

static void remove_store(void)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char name[96];
        (void)snprintf(name, sizeof name, "%s%s", path, endings[i]);
        (void)unlink(name);
    }
}

static int remove_folder(void **state)
{
    (void)state;
    remove_store();
    arena_deinit(&arena);
    return rmdir(folder);
}

static int begin_test(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "%s/batches.db", folder);
    remove_store();
    arena_rewind(&arena, 0);
    return 0;
}

static struct store *open_store(void)
{
    struct store *store;
    struct error err;
    if (store_open(&store, path, &err) != OK)
        fail_msg("%s", err.text);
    return store;
}

static int64_t add_file(struct store *store, const char *purpose, struct text content)
{
    struct store_file file = {.purpose = text_of(purpose), .name = TEXT("a")};
    assert_int_equal(store_add_file(store, &file, content, NULL), OK);
    return file.id;
}

static int64_t add_batch(struct store *store, int64_t file)
{
    struct store_batch batch = {.file = file, .endpoint = TEXT("/x"), .metadata = TEXT("{}")};
    assert_int_equal(store_add_batch(store, &batch, NULL), OK);
    return batch.id;
}

static struct store_batch find(struct store *store, int64_t id)
{
    struct store_batch batch = {.id = id};
    bool found;
    assert_int_equal(store_find_batch(store, &batch, &arena, &found, NULL), OK);
    return found ? batch : (struct store_batch){0};
}

/* Ids stand in another order than lines. */
static enum status add_result(struct store *store, int64_t batch, int64_t line, bool is_error)
{
    char id[32], text[32];
    (void)snprintf(id, sizeof id, "id%lld", (long long)(9 - line));
    (void)snprintf(text, sizeof text, "%s %lld\n", is_error ? "error" : "answer",
                   (long long)line);
    const struct store_result result = {.batch = batch,
                                        .line = line,
                                        .custom_id = text_of(id),
                                        .text = text_of(text),
                                        .is_error = is_error};
    return store_add_result(store, &result, NULL);
}

static void check_content(struct store *store, int64_t id, struct text want)
{
    struct text_buf content = {0};
    bool found;
    assert_int_equal(store_read_file(store, id, &content, &found, NULL), OK);
    assert_true(found && text_equal(text_buf_text(&content), want));
    text_buf_deinit(&content);
}

static void test_files(void **state)
{
    const struct text bytes = TEXT("\0\xff'; DROP TABLE file");
    struct store *store = open_store();
    struct store_file *files, file;
    uint32_t count;
    bool found;
    (void)state;
    const int64_t first = add_file(store, "batch", bytes);
    const int64_t second = add_file(store, "user_data", TEXT(""));
    store_close(store);
    store = open_store();
    check_content(store, first, bytes);
    check_content(store, second, TEXT(""));
    file.id = first;
    assert_int_equal(store_find_file(store, &file, &arena, &found, NULL), OK);
    assert_true(found && file.bytes == (int64_t)bytes.size && file.created > 0);
    struct store_page page = {.limit = 1};
    assert_int_equal(store_list_files(store, &page, &arena, &files, &count), OK);
    assert_true(count == 2 && files[0].id == second);
    page.before = second;
    assert_int_equal(store_list_files(store, &page, &arena, &files, &count), OK);
    assert_true(count == 1 && files[0].id == first);
    page = (struct store_page){.limit = 5, .purpose = TEXT("batch")};
    assert_int_equal(store_list_files(store, &page, &arena, &files, &count), OK);
    assert_true(count == 1 && files[0].id == first);
    assert_int_equal(store_drop_file(store, second, &found, NULL), OK);
    assert_true(found);
    assert_int_equal(store_drop_file(store, second, &found, NULL), OK);
    assert_false(found);
    assert_true(add_file(store, "batch", bytes) > second); /* its id is not given again */
    store_close(store);
}

static void run_sql(const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void check_refused(struct store *store, size_t bytes, const char *want)
{
    struct store_file file = {.purpose = TEXT("batch"), .name = TEXT("a")};
    struct error err;
    /* Its size is looked at before its bytes are. */
    assert_int_equal(store_add_file(store, &file, (struct text){"", bytes}, &err), ERR_LIMIT);
    if (!strstr(err.text, want))
        fail_msg("%s", err.text);
}

static void test_limits(void **state)
{
    struct store *store = open_store();
    struct store_batch batch = {.endpoint = TEXT("/x")};
    struct error err;
    (void)state;
    check_refused(store, (size_t)STORE_FILE_BYTES_MAX + 1, "at most 268435456");
    const int64_t file = add_file(store, "batch", TEXT("x"));
    run_sql("UPDATE file SET bytes = 4294967295");
    check_refused(store, 2, "4294967296 is the limit of all");
    (void)add_file(store, "batch", TEXT("x"));
    check_refused(store, 1, "the limit of all");
    run_sql("UPDATE file SET bytes = 1");
    for (int i = 2; i < STORE_FILES_MAX; i++)
        (void)add_file(store, "batch", TEXT(""));
    check_refused(store, 0, "1024 are kept");
    for (int i = 0; i < STORE_OPEN_MAX; i++)
        (void)add_batch(store, file);
    assert_int_equal(store_add_batch(store, &batch, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "64 have not ended"));
    store_close(store);
}

static void test_batch(void **state)
{
    struct store *store = open_store();
    bool found;
    (void)state;
    const int64_t file = add_file(store, "batch", TEXT("x"));
    const int64_t id = add_batch(store, file), next = add_batch(store, file);
    assert_true(find(store, 0).id == id && find(store, id).state == STORE_VALIDATING);
    assert_int_equal(store_drop_file(store, file, &found, NULL), ERR_CANCELLED);
    assert_int_equal(store_begin_batch(store, id, 4, NULL), OK);
    assert_int_equal(store_begin(store, NULL), OK);
    for (int64_t line = 4; line > 0; line--)
        assert_int_equal(add_result(store, id, line, line == 2), OK);
    assert_int_equal(add_result(store, id, 3, true), OK); /* it has one */
    assert_int_equal(store_settle(store, OK, NULL), OK);
    assert_int_equal(store_begin(store, NULL), OK);
    assert_int_equal(add_result(store, id, 5, false), OK);
    assert_int_equal(store_settle(store, ERR_MEMORY, NULL), ERR_MEMORY); /* gone again */
    assert_int_equal(store_end_batch(store, id, STORE_COMPLETED, NULL), OK);
    const struct store_batch batch = find(store, id);
    assert_true(batch.state == STORE_COMPLETED && batch.ended > 0 && batch.finalizing > 0);
    assert_true(batch.total == 4 && batch.completed == 3 && batch.failed == 1);
    check_content(store, batch.output_file, TEXT("answer 1\nanswer 3\nanswer 4\n"));
    check_content(store, batch.error_file, TEXT("error 2\n"));
    assert_int_equal(store_cancel_batch(store, id, NULL), OK);
    assert_int_equal(find(store, id).state, STORE_COMPLETED);
    assert_true(find(store, 0).id == next);
    assert_int_equal(store_cancel_batch(store, next, NULL), OK);
    assert_int_equal(find(store, next).state, STORE_CANCELLING);
    assert_int_equal(store_end_batch(store, next, STORE_CANCELLED, NULL), OK);
    assert_true(find(store, next).output_file == 0 && find(store, 0).id == 0);
    assert_int_equal(store_drop_file(store, file, &found, NULL), OK);
    store_close(store);
}

/* A process that ends in the midst of a transaction leaves those before it, whole. */
static void test_death(void **state)
{
    struct store *store = open_store();
    struct id_set done = {0};
    int code;
    (void)state;
    const int64_t id = add_batch(store, add_file(store, "batch", TEXT("x")));
    store_close(store);
    const pid_t child = fork();
    if (child == 0) {
        store = open_store();
        bool is_ok = store_begin_batch(store, id, 9, NULL) == OK;
        is_ok = is_ok && store_begin(store, NULL) == OK;
        is_ok = is_ok && add_result(store, id, 1, false) == OK;
        is_ok = is_ok && store_settle(store, OK, NULL) == OK && store_begin(store, NULL) == OK;
        is_ok = is_ok && add_result(store, id, 2, false) == OK;
        _exit(is_ok ? 7 : 1);
    }
    assert_int_equal(waitpid(child, &code, 0), child);
    assert_true(WIFEXITED(code) && WEXITSTATUS(code) == 7);
    store = open_store();
    assert_int_equal(store_read_done(store, id, &done, NULL), OK);
    assert_true(done.id_count == 1 && id_set_has(&done, TEXT("id8")));
    assert_int_equal(find(store, 0).state, STORE_IN_PROGRESS);
    assert_int_equal(find(store, id).completed, 1);
    id_set_deinit(&done);
    store_close(store);
}

static void test_refusals(void **state)
{
    struct store *store = open_store(), *second;
    struct error err;
    (void)state;
    assert_int_equal(store_open(&second, path, &err), ERR_CANCELLED);
    assert_non_null(strstr(err.text, "another process"));
    store_close(store);
    run_sql("PRAGMA user_version = 9");
    assert_int_equal(store_open(&store, path, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "its format is 9"));
    remove_store();
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (int i = 0; i < 5000; i++)
        (void)fputs("no database", file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(store_open(&store, path, &err), ERR_FORMAT);
    assert_int_equal(store_open(&store, "/nonexistent/store", &err), ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_files, begin_test),
        cmocka_unit_test_setup(test_limits, begin_test),
        cmocka_unit_test_setup(test_batch, begin_test),
        cmocka_unit_test_setup(test_death, begin_test),
        cmocka_unit_test_setup(test_refusals, begin_test),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
