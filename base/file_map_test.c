/* file_map_test - mapping and reading files, pipes and what cannot be opened. */
#include "base/file_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/cohort-file-map-XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(path, sizeof path, "%s/file", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    (void)unlink(path);
    return rmdir(folder);
}

static void write_file(size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    for (size_t i = 0; i < size; i++)
        assert_int_not_equal(putc((int)(i % 251), file), EOF);
    assert_int_equal(fclose(file), 0);
}

static void test_map(void **state)
{
    struct file_map map;
    struct error err;
    (void)state;
    write_file(100000);
    assert_int_equal(file_map_open(&map, path, 100000, &err), OK);
    assert_int_equal(map.size, 100000);
    assert_int_equal(map.data[99999], 99999 % 251);
    file_map_close(&map);
    file_map_close(&map);
    assert_int_equal(file_map_open(&map, path, 99999, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "100000 bytes"));
    assert_null(map.data);
    write_file(0);
    assert_int_equal(file_map_open(&map, path, 1, &err), OK);
    assert_true(map.data == NULL && map.size == 0);
    file_map_close(&map);
}

static void test_read(void **state)
{
    struct text_buf buf = {0}, small = {.size_max = 10};
    struct error err;
    (void)state;
    write_file(200000);
    assert_int_equal(file_map_read(&buf, path, 200000, &err), OK);
    assert_int_equal(buf.size, 200000);
    assert_int_equal((unsigned char)buf.data[199999], 199999 % 251);
    text_buf_clear(&buf);
    assert_int_equal(file_map_read(&buf, path, 199999, &err), ERR_LIMIT);
    assert_int_equal(file_map_read(&small, path, 0, &err), ERR_MEMORY);
    text_buf_deinit(&buf);
    text_buf_deinit(&small);
}

static void test_standard_input(void **state)
{
    struct text_buf buf = {0};
    int ends[2];
    (void)state;
    const int saved = dup(STDIN_FILENO);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "piped", 5), 5);
    assert_int_equal(close(ends[1]), 0);
    assert_int_equal(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(file_map_read(&buf, "-", 100, NULL), OK);
    assert_true(text_equal(text_buf_text(&buf), TEXT("piped")));
    (void)dup2(saved, STDIN_FILENO);
    (void)close(saved);
    (void)close(ends[0]);
    text_buf_deinit(&buf);
}

static void test_refusals(void **state)
{
    struct file_map map;
    struct text_buf buf = {0};
    struct error err;
    (void)state;
    assert_int_equal(file_map_open(&map, "/nonexistent/file", 0, &err), ERR_IO);
    assert_non_null(strstr(err.text, "/nonexistent/file: No such file"));
    assert_int_equal(file_map_open(&map, "/tmp", 0, &err), ERR_IO);
    assert_non_null(strstr(err.text, "not a regular file"));
    assert_int_equal(file_map_read(&buf, "/tmp", 0, &err), ERR_IO);
    assert_non_null(strstr(err.text, "/tmp: Is a directory"));
    assert_int_equal(file_map_read(&buf, "/nonexistent/file", 0, &err), ERR_IO);
    assert_non_null(strstr(err.text, "/nonexistent/file: No such file"));
    (void)unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(file_map_open(&map, path, 0, &err), ERR_IO);
    text_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_map),
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_standard_input),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
