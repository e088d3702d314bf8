/* multipart_test - forms as clients send them, and bodies cut or bent everywhere. */
#include "protocol/api/multipart.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TYPE "multipart/form-data; boundary=\"x;y\""
#define FORM                                                                                   \
    "before\r\n--x;y\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n"     \
    "--x;y\r\ncontent-disposition: FORM-DATA; filename=\"a;b.jsonl\"; name=\"file\"\r\n"       \
    "Content-Type: text/plain\r\n\r\n{\"a\": 1}\r\n--x\r\n\r\n--x;y  \r\n"                     \
    "Content-Disposition: form-data; name=empty\r\n\r\n\r\n--x;y--\r\nafter"

static void test_form(void **state)
{
    struct multipart form;
    (void)state;
    assert_int_equal(multipart_parse(TEXT(TYPE), TEXT(FORM), &form, NULL), OK);
    assert_int_equal(form.count, 3);
    assert_true(text_equal(multipart_find(&form, "purpose")->content, TEXT("batch")));
    assert_int_equal(multipart_find(&form, "purpose")->file_name.size, 0);
    const struct multipart_part *file = multipart_find(&form, "file");
    assert_true(text_equal(file->file_name, TEXT("a;b.jsonl")));
    assert_true(text_equal(file->content, TEXT("{\"a\": 1}\r\n--x\r\n")));
    assert_int_equal(multipart_find(&form, "empty")->content.size, 0);
    assert_null(multipart_find(&form, "filename"));
}

/* A body that ends anywhere is refused, and nothing behind its end is read. */
static void test_every_cut(void **state)
{
    static const char whole[] = FORM;
    const size_t last = strlen(whole) - strlen("\r\nafter");
    struct multipart form;
    (void)state;
    for (size_t size = 0; size < last; size++) {
        char *cut = malloc(size > 0 ? size : 1);
        assert_non_null(cut);
        memcpy(cut, whole, size);
        assert_int_equal(multipart_parse(TEXT(TYPE), (struct text){cut, size}, &form, NULL),
                         ERR_FORMAT);
        free(cut);
    }
    assert_int_equal(multipart_parse(TEXT(TYPE), (struct text){whole, last}, &form, NULL), OK);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *type, *body, *want;
    } bad[] = {
        {"application/json", FORM, "Content-Type: want multipart"},
        {"", FORM, "Content-Type: want multipart"},
        {"multipart/form-data", FORM, "boundary"},
        {"multipart/form-data; boundary=", FORM, "boundary"},
        {"multipart/form-data; boundary=\"", "--\"\r\n", "empty line|last part"},
        {TYPE, "nothing", "nowhere"},
        {TYPE, "--x;yz\r\n\r\n\r\n--x;y--", "more than a boundary"},
        {TYPE, "--x;y\r\nX: y\r\n\r\n\r\n--x;y--", "without a Content-Disposition"},
        {TYPE, "--x;y\r\nX: y\r\n--x;y--\r\n\r\n", "empty line"},
    };
    struct multipart form;
    struct error err;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(
            multipart_parse(text_of(bad[i].type), text_of(bad[i].body), &form, &err),
            ERR_FORMAT);
        if (!strchr(bad[i].want, '|') && !strstr(err.text, bad[i].want))
            fail_msg("%s: %s", bad[i].body, err.text);
    }
}

static void test_limits(void **state)
{
    struct text_buf body = {0};
    struct multipart form;
    struct error err;
    (void)state;
    for (int i = 0; i <= MULTIPART_PARTS_MAX; i++)
        text_buf_add(&body,
                     TEXT("--x;y\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n"));
    text_buf_add(&body, TEXT("--x;y--"));
    assert_int_equal(multipart_parse(TEXT(TYPE), text_buf_text(&body), &form, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "16 parts"));
    text_buf_clear(&body);
    text_buf_add(&body, TEXT("--x;y\r\nX: "));
    for (int i = 0; i <= MULTIPART_HEADERS_MAX; i++)
        text_buf_byte(&body, 'x');
    text_buf_add(&body, TEXT("\r\n\r\n\r\n--x;y--"));
    assert_int_equal(multipart_parse(TEXT(TYPE), text_buf_text(&body), &form, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "4096"));
    text_buf_deinit(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_form),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
