/*
 * Tests of safetensors: a small valid file read back, all its truncations and single-bit flips,
 * a table of faults with the words of their refusal, and the malformed files of the shared
 * data. Each file is read from an exact-size heap copy, so that the address sanitizer sees one
 * byte too many.
 */
#include "engine/safetensors.h"

#include "base/file_map.h"
#include "tests/harness/test_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FILE_BYTES = 1024 };

#define VALID                                                                                  \
    "{\"b\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[4,12]},"                      \
    "\"a\":{\"dtype\":\"BF16\",\"shape\":[2],\"data_offsets\":[0,4]},"                         \
    "\"__metadata__\":{\"format\":\"pt\"}}  "

/* Header and data, as a file. */
static size_t make(uint8_t file[FILE_BYTES], const char *header, size_t data)
{
    const size_t size = strlen(header);
    assert_true(8 + size + data <= FILE_BYTES);
    memset(file, 0, FILE_BYTES);
    file[0] = (uint8_t)size;
    file[1] = (uint8_t)(size >> 8);
    memcpy(file + 8, header, size);
    for (size_t i = 0; i < data; i++)
        file[8 + size + i] = (uint8_t)i;
    return 8 + size + data;
}

static enum status read_copy(const uint8_t *data, size_t size, struct error *err)
{
    struct safetensors file;
    uint8_t *copy = malloc(size + (size == 0));
    volatile uint64_t sum = 0;
    assert_non_null(copy);
    if (size > 0)
        memcpy(copy, data, size);
    const enum status status =
        safetensors_init(&file, (struct text){(const char *)copy, size}, err);
    for (uint32_t i = 0; status == OK && i < file.tensor_count; i++) {
        for (size_t j = 0; j < file.tensors[i].size; j++)
            sum += file.tensors[i].data[j];
    }
    (void)sum; /* every byte was read */
    if (status == OK)
        safetensors_deinit(&file);
    free(copy);
    return status;
}

static void test_valid(void **state)
{
    uint8_t bytes[FILE_BYTES];
    struct safetensors file;
    struct error err;
    struct text value;
    const size_t size = make(bytes, VALID, 12);
    (void)state;
    assert_int_equal(safetensors_init(&file, (struct text){(const char *)bytes, size}, &err),
                     OK);
    assert_int_equal(file.tensor_count, 2);
    const struct safetensors_tensor *b = safetensors_find(&file, TEXT("b"));
    assert_non_null(b);
    assert_string_equal(b->dtype, "F32");
    assert_int_equal(b->dim_count, 2);
    assert_int_equal(b->dims[0], 2);
    assert_int_equal(b->size, 8);
    assert_int_equal(b->data[0], 4);
    assert_null(safetensors_find(&file, TEXT("c")));
    assert_true(json_text(json_get(file.metadata, "format"), &value));
    safetensors_deinit(&file);
}

static void test_truncated_and_flipped(void **state)
{
    uint8_t bytes[FILE_BYTES];
    struct error err;
    const size_t size = make(bytes, VALID, 12);
    uint32_t refused = 0;
    (void)state;
    for (size_t cut = 0; cut < size; cut++) {
        err.text[0] = '\0';
        assert_int_not_equal(read_copy(bytes, cut, &err), OK);
        assert_true(strlen(err.text) > 10);
    }
    for (size_t bit = 0; bit < 8 * (size - 12); bit++) {
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        refused += read_copy(bytes, size, &err) != OK;
        bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    print_message("    %u of %zu flipped bits of the header refused\n", refused,
                  8 * (size - 12));
    assert_true(refused > 4 * (size - 12));
}

static void test_faults(void **state)
{
    static const struct {
        const char *header, *words;
        size_t data;
    } CASES[] = {
        {"[]", "does not begin with {", 0},
        {"{\"a\":1}", "is no object", 0},
        {"{\"a\":{\"shape\":[],\"data_offsets\":[0,4]}}", "dtype is missing", 4},
        {"{\"a\":{\"dtype\":\"F4\",\"shape\":[],\"data_offsets\":[0,4]}}", "dtype F4", 4},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", "dimension 0", 4},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1.5],\"data_offsets\":[0,4]}}", "dimension 0",
         4},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}",
         "passes 2^63", 0},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", "bytes 4 .. 0", 4},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,5]}}",
         "data section of 4", 4},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,3]}}", "has 3 bytes", 4},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}", "begins at byte 4",
         8},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]},"
         "\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,8]}}",
         "stands twice", 8},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", "the section at 5",
         5},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}",
         "at most 8", 4},
        {"{\"__metadata__\":{\"a\":1}}", "a is no string", 0},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", "metadata: stands twice", 0},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        uint8_t bytes[FILE_BYTES];
        struct error err;
        const size_t size = make(bytes, CASES[i].header, CASES[i].data);
        assert_int_not_equal(read_copy(bytes, size, &err), OK);
        if (!strstr(err.text, CASES[i].words))
            fail_msg("%s: says \"%s\", not \"%s\"", CASES[i].header, err.text, CASES[i].words);
    }
}

static void test_header_too_large(void **state)
{
    uint8_t bytes[FILE_BYTES];
    struct error err;
    const size_t size = make(bytes, VALID, 12);
    (void)state;
    bytes[3] = 0x7f;
    assert_int_equal(read_copy(bytes, size, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "at most 100000000"));
}

static void test_shared_files(void **state)
{
    struct test_data_path path = test_data("malformed/safetensors/cases.json");
    struct text_buf source = {0}, bytes = {0};
    struct json *cases = NULL;
    struct error err;
    (void)state;
    if (!test_data_is_there(&path))
        skip();
    assert_int_equal(file_map_read(&source, path.text, 0, &err), OK);
    assert_int_equal(json_parse(text_buf_text(&source), 0, &cases, &err), OK);
    for (const struct json *at = json_first(cases); at; at = json_next(at)) {
        struct text file, verdict;
        assert_true(json_text(json_get(at, "file"), &file));
        assert_true(json_text(json_get(at, "verdict"), &verdict));
        path = test_data("malformed/safetensors/%.*s", TEXT_ARG(file));
        text_buf_clear(&bytes);
        assert_int_equal(file_map_read(&bytes, path.text, 0, &err), OK);
        const enum status status = read_copy((const uint8_t *)bytes.data, bytes.size, &err);
        if ((status == OK) != text_equal(verdict, TEXT("accept")))
            fail_msg("%.*s: want %.*s, got %s", TEXT_ARG(file), TEXT_ARG(verdict),
                     status == OK ? "accept" : err.text);
    }
    print_message("    %zu files judged rightly\n", json_count(cases));
    json_free(cases);
    text_buf_deinit(&source);
    text_buf_deinit(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),        cmocka_unit_test(test_truncated_and_flipped),
        cmocka_unit_test(test_faults),       cmocka_unit_test(test_header_too_large),
        cmocka_unit_test(test_shared_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
