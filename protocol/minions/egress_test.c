/* egress_test - lines are whole, whatever the last one was. */
#include "protocol/minions/egress.h"

#include "base/file_map.h"
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void add(const char *path, uint32_t call)
{
    struct egress egress = {0};
    struct error err = {0};
    const struct egress_record record = {
        .run = 3, .call = call, .attempt = 1, .url = TEXT("https://h"), .body = TEXT("{}")};
    assert_int_equal(egress_open(&egress, path, &err), OK);
    assert_int_equal(egress_add(&egress, &record, &err), OK);
    egress_close(&egress);
}

static void a_torn_line_is_ended_first(void **state)
{
    (void)state;
    char folder[] = "/tmp/egress_test_XXXXXX", path[64];
    struct text_buf log = {0};
    struct error err = {0};
    struct stat info;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/egress.jsonl", folder);
    add(path, 1);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(truncate(path, info.st_size - 9), 0);
    add(path, 2);
    add(path, 3);
    assert_int_equal(file_map_read(&log, path, 4096, &err), OK);
    const struct text lines = text_buf_text(&log);
    size_t at = 0;
    for (int i = 0; i < 3; i++) {
        struct json *root = NULL;
        int64_t call = 0;
        const size_t end = text_find(lines, TEXT("\n"), at);
        assert_true(end != SIZE_MAX);
        const enum status status = json_parse(text_slice(lines, at, end), 0, &root, NULL);
        assert_true(i == 0 ? status != OK
                           : status == OK && json_i64(json_get(root, "call"), &call) &&
                                 call == i + 1);
        json_free(root);
        at = end + 1;
    }
    assert_int_equal(at, lines.size);
    text_buf_deinit(&log);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_torn_line_is_ended_first)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
