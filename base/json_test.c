/* json_test - values, exact integers, paths that lead nowhere, and limits. */
#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct json *parse(const char *source)
{
    struct json *root;
    struct error err;
    if (json_parse(text_of(source), 0, &root, &err) != OK)
        fail_msg("%s: %s", source, err.text);
    return root;
}

static void test_types(void **state)
{
    struct json *root = parse("[null,true,false,1,\"s\",[],{}]");
    static const enum json_type want[] = {JSON_NULL,   JSON_BOOL,  JSON_BOOL,  JSON_NUMBER,
                                          JSON_STRING, JSON_ARRAY, JSON_OBJECT};
    size_t i = 0;
    (void)state;
    assert_int_equal(json_count(root), 7);
    for (const struct json *v = json_first(root); v; v = json_next(v))
        assert_int_equal(json_type(v), want[i++]);
    assert_int_equal(i, 7);
    assert_int_equal(json_type(NULL), JSON_NULL);
    json_free(root);
    json_free(NULL);
}

static void test_paths(void **state)
{
    struct json *root = parse("{\"a\":{\"B\":[10,{\"\":\"x\"}]},\"a\":2}");
    const struct json *list = json_get(json_get(root, "a"), "B");
    struct text text;
    int64_t number;
    bool flag;
    (void)state;
    assert_true(json_i64(json_first(list), &number) && number == 10);
    assert_true(json_text(json_get(json_next(json_first(list)), ""), &text));
    assert_true(text_equal(text, TEXT("x")));
    assert_true(text_equal(json_key(json_first(root)), TEXT("a")));
    assert_null(json_get(json_get(root, "a"), "b"));
    assert_null(json_get(json_get(json_get(root, "x"), "y"), "z"));
    assert_null(json_get(list, "a"));
    assert_null(json_first(NULL));
    assert_null(json_next(NULL));
    assert_int_equal(json_count(NULL), 0);
    assert_int_equal(json_key(NULL).size, 0);
    assert_false(json_text(list, &text) || json_i64(list, &number) || json_bool(list, &flag));
    assert_false(json_text(NULL, &text) || json_i64(NULL, &number) || json_bool(NULL, &flag));
    json_free(root);
}

static void test_exact_integers(void **state)
{
    static const struct {
        const char *source;
        bool fits;
        int64_t want;
    } cases[] = {
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"9007199254740993", true, 9007199254740993},
        {"999999999999999", true, 999999999999999},
        {"-0", true, 0},
        {"3.0", true, 3},
        {"3.00000000000000000001", false, 0},
        {"9007199254740992.5", false, 0},
        {"1e2", false, 0},
        {"0.5", false, 0},
        {"1e-400", false, 0},
        {"1e400", false, 0},
        {"100000000000000000000000000000000000000000000000000000000000000000000000000", false,
         0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json *root = parse(cases[i].source);
        int64_t number = 0;
        const bool fits = json_i64(root, &number);
        if (fits != cases[i].fits || number != cases[i].want)
            fail_msg("%s reads as %lld", cases[i].source, (long long)number);
        json_free(root);
    }
}

/* Numbers inside strings and keys must not shift which text belongs to which number. */
static void test_numbers_keep_their_place(void **state)
{
    struct json *root = parse("{\"1\":\"2\\\"3\",\"4\":[\"-5\",9007199254740993],"
                              "\"6e7\":{\"8\":-9007199254740995},\"\\\\\":2251799813685249.5}");
    int64_t number;
    double real;
    (void)state;
    assert_true(json_i64(json_next(json_first(json_get(root, "4"))), &number));
    assert_true(number == 9007199254740993);
    assert_true(json_i64(json_get(json_get(root, "6e7"), "8"), &number));
    assert_true(number == -9007199254740995);
    assert_true(json_double(json_get(root, "\\"), &real));
    assert_true(real > 2251799813685249.0 && real < 2251799813685250.0);
    json_free(root);
}

static void test_doubles(void **state)
{
    struct json *root = parse(
        "[0.1,1e400,-1e400,1e-400,"
        "-0.00000000000000000000000000000000000000000000000000000000000000000000000000001,12]");
    const struct json *v = json_first(root);
    double real = 7;
    (void)state;
    assert_true(json_double(v, &real) && real > 0.0999 && real < 0.1001);
    assert_false(json_double(v = json_next(v), &real));
    assert_false(json_double(v = json_next(v), &real));
    assert_true(json_double(v = json_next(v), &real));
    assert_true(json_double(v = json_next(v), &real));
    assert_true(real < -0.9e-77 && real > -1.1e-77);
    assert_true(json_double(json_next(v), &real) && real > 11.9 && real < 12.1);
    json_free(root);
}

static void test_strings(void **state)
{
    struct json *root = parse("\"a\\u00e9\\ud83d\\ude00\\n\\/\"");
    struct text text;
    (void)state;
    assert_true(json_text(root, &text));
    assert_true(text_equal(text, TEXT("a\xc3\xa9\xf0\x9f\x98\x80\n/")));
    json_free(root);
}

static void test_nul(void **state)
{
    struct json *root = parse("{\"a\\u0000b\":1,\"a\":\"\\ud83d\\ude00\\u00e9\\\\\\u0000z\","
                              "\"\":\"\\\\u0000\"}");
    struct text text;
    (void)state;
    assert_true(json_text(json_get(root, "a"), &text));
    assert_true(text_equal(text, TEXT("\xf0\x9f\x98\x80\xc3\xa9\\\0z")));
    assert_true(json_text(json_get(root, ""), &text));
    assert_true(text_equal(text, TEXT("\\u0000")));
    assert_true(text_equal(json_key(json_first(root)), TEXT("a\xff"
                                                            "b")));
    json_free(root);
}

static void test_limits(void **state)
{
    struct json *root = (struct json *)&root;
    struct error err;
    (void)state;
    assert_int_equal(json_parse(TEXT("[1,2]"), 4, &root, &err), ERR_LIMIT);
    assert_null(root);
    assert_int_equal(json_parse(TEXT("[1,2"), 4, &root, &err), ERR_FORMAT);
    assert_int_equal(json_parse(TEXT("[12]"), 4, &root, &err), OK);
    json_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_paths),
        cmocka_unit_test(test_exact_integers),
        cmocka_unit_test(test_numbers_keep_their_place),
        cmocka_unit_test(test_doubles),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_nul),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
