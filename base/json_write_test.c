/* json_write_test - what is written reads back as the same, hostile strings included. */
#include "base/file_map.h"
#include "base/json.h"
#include "tests/harness/test_data.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void test_shape(void **state)
{
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    (void)state;
    json_write_object(&w);
    json_write_key(&w, "a\"");
    json_write_array(&w);
    json_write_i64(&w, INT64_MIN);
    json_write_bool(&w, true);
    json_write_null(&w);
    json_write_object(&w);
    json_write_object_end(&w);
    json_write_raw(&w, TEXT("[1]"));
    json_write_array_end(&w);
    json_write_key(&w, "b");
    json_write_text(&w, TEXT("x"));
    json_write_object_end(&w);
    assert_string_equal(out.data, "{\"a\\\"\":[-9223372036854775808,true,null,{},[1]],"
                                  "\"b\":\"x\"}");
    assert_int_equal(json_check(text_buf_text(&out), NULL), OK);
    text_buf_deinit(&out);
}

static void test_escapes(void **state)
{
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    (void)state;
    json_write_text(&w, TEXT("\"\\\b\f\n\r\t\x01\x1f\x7f\0\xc3\xa9\xff.\xed\xa0\x80"));
    assert_string_equal(
        out.data, "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\\u0000\xc3\xa9\xef\xbf\xbd."
                  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
    text_buf_deinit(&out);
}

static void test_doubles(void **state)
{
    static const double values[] = {0.0,     -0.0,    0.1,     1.0 / 3.0, 1e22,
                                    DBL_MAX, DBL_MIN, -1e-320, 5e-324,    123456789.125};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct text_buf out = {0};
        struct json_writer w = {.out = &out};
        struct json *root;
        double back = 7;
        json_write_double(&w, values[i]);
        assert_int_equal(json_parse(text_buf_text(&out), 0, &root, NULL), OK);
        assert_true(json_double(root, &back));
        assert_memory_equal(&back, &values[i], sizeof back);
        json_free(root);
        text_buf_deinit(&out);
    }
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    json_write_array(&w);
    json_write_double(&w, 0.1);
    json_write_double(&w, (double)INFINITY);
    json_write_double(&w, (double)NAN);
    json_write_array_end(&w);
    assert_string_equal(out.data, "[0.1,null,null]");
    text_buf_deinit(&out);
}

static void test_members(void **state)
{
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    (void)state;
    json_write_object(&w);
    json_write_key_text(&w, "a\"", TEXT("b\n"));
    json_write_key_i64(&w, "i", INT64_MIN);
    json_write_key_double(&w, "d", 0.5);
    json_write_key_bool(&w, "t", true);
    json_write_object_end(&w);
    assert_string_equal(out.data,
                        "{\"a\\\"\":\"b\\n\",\"i\":-9223372036854775808,\"d\":0.5,\"t\":true}");
    text_buf_deinit(&out);
}

/* Writes text, reads it back, and wants the same bytes. */
static void round_trip(struct text text)
{
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    struct json *root;
    struct text back;
    json_write_text(&w, text);
    assert_int_equal(json_parse(text_buf_text(&out), 0, &root, NULL), OK);
    assert_true(json_text(root, &back));
    assert_true(text_equal(text, back));
    json_free(root);
    text_buf_deinit(&out);
}

static void test_round_trip(void **state)
{
    char bytes[8];
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c += c < 0x3000 ? 1 : 37) {
        if (c >= 0xd800 && c <= 0xdfff)
            continue;
        bytes[0] = '"';
        const size_t size = text_utf8_put(c, bytes + 1) + 1;
        round_trip((struct text){bytes, size});
    }
}

static void test_naughty_strings(void **state)
{
    const struct test_data_path path = test_data("text/blns.json");
    struct text_buf source = {0};
    struct json *root;
    size_t count = 0;
    (void)state;
    if (!test_data_is_there(&path))
        skip();
    assert_int_equal(file_map_read(&source, path.text, 0, NULL), OK);
    assert_int_equal(json_parse(text_buf_text(&source), 0, &root, NULL), OK);
    for (const struct json *v = json_first(root); v; v = json_next(v), count++) {
        struct text text;
        assert_true(json_text(v, &text));
        round_trip(text);
    }
    assert_true(count > 400);
    json_free(root);
    text_buf_deinit(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape),      cmocka_unit_test(test_escapes),
        cmocka_unit_test(test_doubles),    cmocka_unit_test(test_members),
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_naughty_strings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
