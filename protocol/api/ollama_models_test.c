/* ollama_models_test - what is told of the loaded model. */
#include "protocol/api/ollama_models.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct engine_info INFO = {.model_name = "Some Model",
                                        .architecture = "llama",
                                        .device = "cuda",
                                        .precision = ENGINE_INT8,
                                        .parameters = 1234567890,
                                        .weight_bytes = 1000,
                                        .kv_bytes = 24,
                                        .vocab = 9,
                                        .hidden = 8,
                                        .context_max = 7};

static struct json *parse(const struct text_buf *out)
{
    struct json *root = NULL;
    assert_int_equal(json_parse(text_buf_text(out), 0, &root, NULL), OK);
    return root;
}

static bool has_text(const struct json *object, const char *key, const char *want)
{
    struct text text;
    return json_text(json_get(object, key), &text) && text_equal(text, text_of(want));
}

static bool has_number(const struct json *object, const char *key, int64_t want)
{
    int64_t number;
    return json_i64(json_get(object, key), &number) && number == want;
}

static void test_sizes_are_as_people_say_them(void **state)
{
    static const struct {
        uint64_t parameters;
        const char *want;
    } cases[] = {{292800, "293K"}, {134515008, "135M"}, {8030261248, "8.0B"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct engine_info info = INFO;
        struct text_buf tags = {0};
        info.parameters = cases[i].parameters;
        ollama_models_tags(&info, 1700000000, &tags);
        struct json *const root = parse(&tags);
        const struct json *tag = json_first(json_get(root, "models"));
        assert_true(has_text(json_get(tag, "details"), "parameter_size", cases[i].want));
        json_free(root);
        text_buf_deinit(&tags);
    }
}

static void test_lists(void **state)
{
    struct text_buf tags = {0}, ps = {0};
    struct text digest, other;
    (void)state;
    ollama_models_tags(&INFO, 1700000000, &tags);
    ollama_models_ps(&INFO, &ps);
    struct json *const tags_root = parse(&tags), *const ps_root = parse(&ps);
    const struct json *tag = json_first(json_get(tags_root, "models"));
    const struct json *running = json_first(json_get(ps_root, "models"));
    assert_true(has_text(tag, "name", "Some Model") && has_text(tag, "model", "Some Model"));
    assert_true(has_text(tag, "modified_at", "2023-11-14T22:13:20Z"));
    assert_true(has_number(tag, "size", 1000));
    assert_true(has_text(json_get(tag, "details"), "parameter_size", "1.2B"));
    assert_true(has_text(json_get(tag, "details"), "quantization_level", "int8"));
    assert_true(has_number(running, "size_vram", 1024));
    assert_true(has_number(running, "context_length", 7));
    assert_true(json_text(json_get(tag, "digest"), &digest) && digest.size == 64);
    assert_true(json_text(json_get(running, "digest"), &other) && text_equal(digest, other));
    json_free(tags_root);
    json_free(ps_root);
    text_buf_deinit(&tags);
    text_buf_deinit(&ps);
}

static void test_version(void **state)
{
    struct text_buf out = {0};
    (void)state;
    ollama_models_version(&out);
    assert_string_equal(out.data, "{\"version\":\"" OLLAMA_MODELS_VERSION "\"}");
    text_buf_deinit(&out);
}

static enum status show(const char *body, bool has_tools, struct text_buf *out,
                        struct error *err)
{
    struct json *root = NULL;
    assert_int_equal(json_parse(text_of(body), 0, &root, NULL), OK);
    const enum status status =
        ollama_models_show(&(struct ollama_models_shown){&INFO, 0, has_tools}, root, out, err);
    json_free(root);
    return status;
}

static void test_show(void **state)
{
    struct text_buf out = {0};
    struct error err = {0};
    (void)state;
    assert_int_equal(show("{\"model\":\"any\",\"verbose\":false}", false, &out, &err), OK);
    struct json *const root = parse(&out);
    const struct json *info = json_get(root, "model_info");
    assert_true(has_text(info, "general.architecture", "llama"));
    assert_true(has_number(info, "general.parameter_count", 1234567890));
    assert_true(has_number(info, "llama.context_length", 7));
    assert_true(has_number(info, "llama.embedding_length", 8));
    assert_true(has_number(info, "llama.vocab_size", 9));
    assert_int_equal(json_count(json_get(root, "capabilities")), 2);
    json_free(root);
    text_buf_clear(&out);
    assert_int_equal(show("{\"model\":\"any\"}", true, &out, &err), OK);
    assert_non_null(
        strstr(out.data, "\"capabilities\":[\"completion\",\"embedding\",\"tools\"]"));
    assert_int_equal(show("{\"model\":1}", false, &out, &err), ERR_FORMAT);
    assert_string_equal(err.text, "model: want a string");
    text_buf_deinit(&out);
}

static enum status pull(const char *body, bool *is_stream, struct text_buf *out)
{
    struct json *root = NULL;
    assert_int_equal(json_parse(text_of(body), 0, &root, NULL), OK);
    text_buf_clear(out);
    const enum status status = ollama_models_pull(root, is_stream, out, NULL);
    json_free(root);
    return status;
}

static void test_pull(void **state)
{
    struct text_buf out = {0};
    bool is_stream = false;
    (void)state;
    assert_int_equal(pull("{\"model\":\"any\"}", &is_stream, &out), OK);
    assert_true(is_stream);
    assert_string_equal(out.data,
                        "{\"status\":\"pulling manifest\"}\n{\"status\":\"success\"}\n");
    assert_int_equal(pull("{\"name\":\"any\",\"stream\":false}", &is_stream, &out), OK);
    assert_false(is_stream);
    assert_string_equal(out.data, "{\"status\":\"success\"}");
    assert_int_equal(pull("{\"stream\":0}", &is_stream, &out), ERR_FORMAT);
    text_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_are_as_people_say_them),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_show),
        cmocka_unit_test(test_pull),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
