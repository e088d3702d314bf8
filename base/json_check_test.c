/*
 * json_check_test - the pre-scan by a table of our own, by every cut of a value, and by the
 * public JSONTestSuite where it lies at hand.
 */
#include "base/file_map.h"
#include "base/json.h"
#include "tests/harness/test_data.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

static void test_accepts(void **state)
{
    static const char *const good[] = {
        "0",
        "-0",
        "0.5e-3",
        "1E+2",
        "\"\"",
        " [ ] ",
        "{}",
        "[[],{}]",
        "null",
        "{\"\":{\"a\":[1,\"b\",true]}}",
        "\"\\u00e9\\ud83d\\ude00\"",
        "\"\x7f\"",
        "\"\xf0\x9f\x98\x80\"",
        "\t[1\r\n,2]\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct error err = {0};
        if (json_check(text_of(good[i]), &err) != OK)
            fail_msg("%s: %s", good[i], err.text);
    }
}

static void test_refuses(void **state)
{
    static const struct {
        const char *source, *want;
    } bad[] = {
        {"", "byte 0: the text ends where a value"},
        {"01", "byte 1: a number begins with 0"},
        {"-", "byte 1: a digit"},
        {"1.", "byte 2: a digit"},
        {"1e+", "byte 3: a digit"},
        {"+1", "byte 0: a value"},
        {".5", "byte 0: a value"},
        {"NaN", "byte 0: a value"},
        {"nul", "byte 0: a value"},
        {"[1,]", "byte 3: a value"},
        {"[1 2]", "byte 3: ',' or ']'"},
        {"[1}", "byte 2: ',' or ']'"},
        {"{\"a\":1,}", "byte 7: a member's name"},
        {"{\"a\" 1}", "byte 5: ':'"},
        {"{a:1}", "byte 1: a member's name"},
        {"1 1", "byte 2: something follows"},
        {"\xef\xbb\xbf"
         "1",
         "byte 0: a value"},
        {"\"\n\"", "byte 1: a raw control"},
        {"\"\\x\"", "byte 2: an unknown escape"},
        {"\"\\u12g4\"", "byte 5: a \\u escape"},
        {"\"\\ud800\"", "byte 7: a lone surrogate"},
        {"\"\\udc00\"", "byte 7: a lone surrogate"},
        {"\"\\ud800\\u0041\"", "byte 13: a lone surrogate"},
        {"\"\xff\"", "byte 1: not UTF-8"},
        {"\"\xed\xa0\x80\"", "byte 1: not UTF-8"},
        {"\"a", "byte 2: the text ends inside"},
        {"'a'", "byte 0: a value"},
        {"[1]//", "byte 3: something follows"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct error err = {0};
        assert_int_equal(json_check(text_of(bad[i].source), &err), ERR_FORMAT);
        if (!strstr(err.text, bad[i].want))
            fail_msg("%s: got \"%s\", want \"%s\"", bad[i].source, err.text, bad[i].want);
    }
    assert_int_equal(json_check(TEXT("1\0"), NULL), ERR_FORMAT);
    assert_int_equal(json_check(TEXT("\"\0\""), NULL), ERR_FORMAT);
}

static void test_depth(void **state)
{
    char source[2 * JSON_DEPTH_MAX + 3];
    struct error err;
    (void)state;
    for (size_t depth = JSON_DEPTH_MAX; depth <= JSON_DEPTH_MAX + 1; depth++) {
        memset(source, '[', depth);
        memset(source + depth, ']', depth);
        const enum status want = depth > JSON_DEPTH_MAX ? ERR_LIMIT : OK;
        assert_int_equal(json_check((struct text){source, 2 * depth}, &err), want);
    }
    assert_non_null(strstr(err.text, "deeper than 128 levels"));
}

/* Every cut of a value is refused, and no byte past the cut is read: it ends at a page that
 * may not be touched. */
static void test_cuts(void **state)
{
    static const char source[] = "{\"k\\u00e9\\ud83d\\ude00\":[1,-2.5e+7,true,false,null,"
                                 "\"\xf0\x9f\x98\x80\"],\"b\":{}}";
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), size = sizeof source - 1;
    (void)state;
    char *base =
        mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(base != MAP_FAILED);
    assert_int_equal(mprotect(base + page, page, PROT_NONE), 0);
    for (size_t cut = 0; cut <= size; cut++) {
        char *at = base + page - cut;
        memcpy(at, source, cut);
        const enum status want = cut == size ? OK : ERR_FORMAT;
        assert_int_equal(json_check((struct text){at, cut}, NULL), want);
    }
    munmap(base, 2 * page);
}

static void check_suite_file(const char *folder, const char *name, size_t counts[2])
{
    char path[512];
    struct text_buf buf = {0};
    struct json *root = NULL;
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(file_map_read(&buf, path, 0, NULL), OK);
    const enum status status = json_parse(text_buf_text(&buf), 0, &root, NULL);
    json_free(root);
    text_buf_deinit(&buf);
    if (name[0] == 'y' && status != OK)
        fail_msg("%s is refused", name);
    if (name[0] == 'n' && status == OK)
        fail_msg("%s is accepted", name);
    counts[0] += name[0] == 'y';
    counts[1] += name[0] == 'n';
}

static void test_suite(void **state)
{
    char folder[] = "/tmp/cohort-json-XXXXXX", command[1024], inner[64];
    const struct test_data_path suite = test_data("json/nst_JSONTestSuite.tar.xz");
    size_t counts[2] = {0, 0};
    (void)state;
    if (!test_data_is_there(&suite))
        skip();
    assert_non_null(mkdtemp(folder));
    (void)snprintf(command, sizeof command, "tar -xJf '%s' -C %s", suite.text, folder);
    assert_int_equal(system(command), 0);
    (void)snprintf(inner, sizeof inner, "%s/test_parsing", folder);
    DIR *files = opendir(inner);
    assert_non_null(files);
    for (const struct dirent *entry; (entry = readdir(files));) {
        if (strchr("yni", entry->d_name[0]))
            check_suite_file(inner, entry->d_name, counts);
    }
    closedir(files);
    assert_int_equal(counts[0], 95);
    assert_int_equal(counts[1], 188);
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts), cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_depth),   cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_suite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
