/* batch_file_test - request lines, result lines, and an output cut at every byte. */
#include "protocol/api/batch_file.h"

#include "base/file_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/cohort-batch-XXXXXX";

static int make_file(void **state)
{
    (void)state;
    const int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_file(struct text text)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text.data, 1, text.size, file), text.size);
    assert_int_equal(fclose(file), 0);
}

static void test_lines(void **state)
{
    struct batch_file_lines lines = {.source = TEXT("\n a \r\n\n\nb")};
    struct text line;
    (void)state;
    assert_true(batch_file_next_line(&lines, &line));
    assert_true(text_equal(line, TEXT("a")) && lines.number == 2);
    assert_true(batch_file_next_line(&lines, &line));
    assert_true(text_equal(line, TEXT("b")) && lines.number == 5);
    assert_false(batch_file_next_line(&lines, &line));
}

static void test_requests(void **state)
{
    static const struct {
        const char *line, *want;
    } bad[] = {
        {"{", "line 7: JSON: byte 1"},
        {"[]", "line 7: custom_id"},
        {"{\"custom_id\":1}", "line 7: custom_id"},
        {"{\"custom_id\":\"a\"}", "line 7: method"},
        {"{\"custom_id\":\"a\",\"method\":\"GET\"}", "line 7: method"},
        {"{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/messages\"}", "line 7: url"},
        {"{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\"}",
         "line 7: body"},
    };
    struct batch_file_request request;
    struct error err;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_not_equal(batch_file_parse(text_of(bad[i].line), 7, &request, &err), OK);
        assert_null(request.root);
        if (!strstr(err.text, bad[i].want))
            fail_msg("%s: %s", bad[i].line, err.text);
    }
    const struct text good = TEXT("{\"custom_id\":\"a\",\"method\":\"POST\","
                                  "\"url\":\"/v1/chat/completions\",\"body\":{\"n\":1}}");
    assert_int_equal(batch_file_parse(good, 1, &request, &err), OK);
    assert_true(text_equal(request.custom_id, TEXT("a")));
    assert_true(text_equal(request.url, TEXT("/v1/chat/completions")));
    assert_non_null(json_get(request.body, "n"));
    json_free(request.root);
}

#define LINE(id, url)                                                                          \
    "{\"custom_id\":\"" id "\",\"method\":\"POST\",\"url\":\"" url "\",\"body\":{}}\n"

/* In one file requests may go to several places, unless it is a batch of one. */
static void test_urls(void **state)
{
    const struct text lines = TEXT(LINE("a", "/v1/completions") LINE("b", "/v1/embeddings")
                                       LINE("c", "/v1/responses"));
    struct error err;
    struct batch_file_count count;
    (void)state;
    assert_int_equal(batch_file_check(lines, TEXT(""), &count, &err), OK);
    assert_int_equal(count.lines, 3);
    assert_int_equal(count.chats, 1);
    assert_int_equal(batch_file_check(lines, TEXT("/v1/completions"), &count, &err),
                     ERR_FORMAT);
    assert_string_equal(err.text, "line 2: url: /v1/embeddings, in a batch of /v1/completions");
    assert_int_equal(batch_file_check(text_slice(lines, 0, text_find(lines, TEXT("\n"), 0)),
                                      TEXT("/v1/completions"), &count, &err),
                     OK);
    assert_true(batch_file_takes(TEXT("/v1/completions")));
    assert_false(batch_file_takes(TEXT("/v1/completion")));
}

static enum status append(struct batch_file_output *output, const char *id)
{
    const struct batch_file_result result = {text_of(id), 200, TEXT("{\"x\":[1]}")};
    return batch_file_append(output, &result, NULL);
}

/* Whatever byte the output was cut at, whole lines count, the rest is dropped, and what is
 * appended then stands on a line of its own. */
static void test_every_cut(void **state)
{
    struct batch_file_output output;
    struct text_buf whole = {0}, after = {0};
    struct error err;
    (void)state;
    write_file(TEXT(""));
    assert_int_equal(batch_file_open(&output, path, &err), OK);
    assert_int_equal(append(&output, "first\""), OK);
    assert_int_equal(append(&output, "second"), OK);
    batch_file_close(&output);
    assert_int_equal(file_map_read(&whole, path, 0, &err), OK);
    const size_t first = text_find(text_buf_text(&whole), TEXT("\n"), 0) + 1;
    for (size_t cut = 0; cut <= whole.size; cut++) {
        write_file(text_slice(text_buf_text(&whole), 0, cut));
        assert_int_equal(batch_file_open(&output, path, &err), OK);
        assert_int_equal(id_set_has(&output.done, TEXT("first\"")), cut >= first);
        assert_int_equal(id_set_has(&output.done, TEXT("second")), cut == whole.size);
        const size_t kept = cut == whole.size ? cut : cut >= first ? first : 0;
        assert_int_equal(output.torn_bytes, cut - kept);
        assert_int_equal(append(&output, "third"), OK);
        batch_file_close(&output);
        text_buf_clear(&after);
        assert_int_equal(file_map_read(&after, path, 0, &err), OK);
        assert_memory_equal(after.data, whole.data, kept);
        assert_true(text_starts(text_slice(text_buf_text(&after), kept, SIZE_MAX),
                                TEXT("{\"id\":\"batch_req_")));
        assert_int_equal(after.data[after.size - 1], '\n');
    }
    text_buf_deinit(&whole);
    text_buf_deinit(&after);
}

static void test_result_line(void **state)
{
    struct batch_file_output output;
    struct text_buf all = {0};
    struct json *root;
    struct text text;
    int64_t code;
    (void)state;
    write_file(TEXT(""));
    assert_int_equal(batch_file_open(&output, path, NULL), OK);
    assert_int_equal(append(&output, "a\nb"), OK);
    batch_file_close(&output);
    assert_int_equal(file_map_read(&all, path, 0, NULL), OK);
    assert_int_equal(json_parse(text_buf_text(&all), 0, &root, NULL), OK);
    assert_true(json_text(json_get(root, "custom_id"), &text));
    assert_true(text_equal(text, TEXT("a\nb")));
    assert_true(json_i64(json_get(json_get(root, "response"), "status_code"), &code));
    assert_int_equal(code, 200);
    assert_true(json_text(json_get(json_get(root, "response"), "request_id"), &text));
    assert_true(text_starts(text, TEXT("req_")));
    assert_int_equal(json_type(json_get(root, "error")), JSON_NULL);
    json_free(root);
    text_buf_deinit(&all);
}

/* A file that is not ours is left as it is; one in use is refused. */
static void test_refusals(void **state)
{
    struct batch_file_output output, second;
    struct text_buf all = {0};
    struct error err;
    (void)state;
    write_file(TEXT("my notes\nand more"));
    assert_int_equal(batch_file_open(&output, path, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "output line 1"));
    assert_int_equal(file_map_read(&all, path, 0, NULL), OK);
    assert_true(text_equal(text_buf_text(&all), TEXT("my notes\nand more")));
    text_buf_deinit(&all);
    write_file(TEXT(""));
    assert_int_equal(batch_file_open(&output, path, &err), OK);
    assert_int_equal(batch_file_open(&second, path, &err), ERR_CANCELLED);
    batch_file_close(&output);
    assert_int_equal(batch_file_open(&output, "/nonexistent/out", &err), ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),       cmocka_unit_test(test_requests),
        cmocka_unit_test(test_urls),        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_result_line), cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
