/* keys_test - which key it is, and files that are refused. */
#include "protocol/api/keys.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/keys_test.XXXXXX";

static enum status read_file(const char *content, mode_t mode, struct keys **keys,
                             struct error *err)
{
    const int file = open(path, O_WRONLY | O_TRUNC);
    assert_true(file >= 0);
    assert_int_equal(write(file, content, strlen(content)), strlen(content));
    assert_int_equal(fchmod(file, mode), 0);
    close(file);
    *keys = NULL;
    return keys_read(keys, path, err);
}

static void found_wherever_it_stands(void **state)
{
    struct keys *keys;
    struct error err = {0};
    (void)state;
    assert_int_equal(read_file("# a note\n\n alpha \r\nbeta\nalphabet", 0600, &keys, &err), OK);
    assert_int_equal(keys_count(keys), 3);
    assert_int_equal(keys_count(NULL), 0);
    assert_int_equal(keys_find(keys, TEXT("Bearer alpha"), TEXT("")), 0);
    assert_int_equal(keys_find(keys, TEXT("bearer  beta"), TEXT("")), 1);
    assert_int_equal(keys_find(keys, TEXT(""), TEXT("alphabet")), 2);
    const struct text wrong[] = {TEXT("Bearer alph"),  TEXT("Bearer alphabeta"),
                                 TEXT("Bearer "),      TEXT("Basic alpha"),
                                 TEXT("alpha"),        TEXT(""),
                                 TEXT("Digest alpha"), TEXT("Bearer alpha\0"),
                                 TEXT("Bearer alphx"), TEXT("Bearer Alpha")};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(keys_find(keys, wrong[i], TEXT("")), KEYS_NONE);
    keys_free(keys);
}

/* As long and as many as may be; one byte at the end tells two apart. */
static void the_largest_file(void **state)
{
    char key[KEYS_BYTES_MAX + 1];
    struct text_buf file = {0};
    struct keys *keys;
    struct error err = {0};
    (void)state;
    memset(key, 'k', sizeof key);
    key[KEYS_BYTES_MAX] = 0;
    for (int i = 1; i < KEYS_MAX; i++)
        text_buf_format(&file, "%d\n", i);
    text_buf_format(&file, "%s", key);
    assert_int_equal(read_file(file.data, 0600, &keys, &err), OK);
    assert_int_equal(keys_count(keys), KEYS_MAX);
    assert_int_equal(keys_find(keys, TEXT(""), text_of(key)), KEYS_MAX - 1);
    key[KEYS_BYTES_MAX - 1] = 'x';
    assert_int_equal(keys_find(keys, TEXT(""), text_of(key)), KEYS_NONE);
    keys_free(keys);
    text_buf_format(&file, "\none too many");
    assert_int_equal(read_file(file.data, 0600, &keys, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "line 1025: at most 1024 keys"));
    text_buf_deinit(&file);
}

static void refusals(void **state)
{
    struct keys *keys;
    struct error err = {0};
    char large[KEYS_BYTES_MAX + 2];
    (void)state;
    assert_int_equal(read_file("key\n", 0644, &keys, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "mode 644 lets others read"));
    assert_int_equal(read_file("key\n", 0640, &keys, &err), ERR_FORMAT);
    assert_int_equal(read_file("key\n", 0604, &keys, &err), ERR_FORMAT);
    assert_int_equal(read_file("# none\n\n", 0600, &keys, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "there is no key in it"));
    memset(large, 'k', sizeof large);
    large[sizeof large - 1] = 0;
    assert_int_equal(read_file(large, 0600, &keys, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "line 1: a key of 513 bytes, at most 512"));
    assert_int_equal(keys_read(&keys, "/nowhere/keys", &err), ERR_IO);
}

int main(void)
{
    const int file = mkstemp(path);
    if (file < 0)
        return 1;
    close(file);
    const struct CMUnitTest tests[] = {cmocka_unit_test(found_wherever_it_stands),
                                       cmocka_unit_test(the_largest_file),
                                       cmocka_unit_test(refusals)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
