/*
 * Tests of gguf and gguf_get: a small valid file read back, all its truncations and all its
 * single-bit flips, a table of faults with the words of their refusal, and the malformed files
 * of the shared data. Each file is read from an exact-size heap copy, so that the address
 * sanitizer sees one byte too many.
 */
#include "base/file_map.h"
#include "base/json.h"
#include "engine/gguf.h"
#include "engine/gguf_get.h"
#include "tests/harness/gguf_write.h"
#include "tests/harness/test_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Sums every byte that a read file points at, and calls every getter on every key. */
static uint64_t walk(const struct gguf *gguf)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < gguf->entry_count; i++) {
        const struct gguf_entry *entry = &gguf->entries[i];
        char key[GGUF_KEY_BYTES_MAX + 1] = {0};
        memcpy(key, entry->key.data, entry->key.size);
        int64_t number = 0;
        float real = 0;
        bool flag = false;
        struct text text = {0};
        sum += (uint64_t)gguf_get_int(gguf, key, &number, NULL);
        sum += (uint64_t)gguf_get_float(gguf, key, &real, NULL);
        sum += (uint64_t)gguf_get_bool(gguf, key, &flag, NULL);
        sum += (uint64_t)gguf_get_text(gguf, key, &text, NULL);
        for (size_t j = 0; j < entry->size; j++)
            sum += entry->data[j];
        for (size_t j = 0; j < text.size; j++)
            sum += (uint8_t)text.data[j];
    }
    for (uint32_t i = 0; i < gguf->tensor_count; i++) {
        for (size_t j = 0; j < gguf->tensors[i].size; j++)
            sum += gguf->tensors[i].data[j];
    }
    return sum;
}

/* Reads size bytes from a heap copy of exactly that size, and walks what was read. */
static enum status read_copy(const uint8_t *data, size_t size, struct error *err)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    assert_non_null(copy);
    if (size > 0)
        memcpy(copy, data, size);
    struct gguf gguf;
    const enum status status = gguf_init(&gguf, copy, size, err);
    if (status == OK) {
        volatile uint64_t sum = walk(&gguf);
        (void)sum;
        gguf_deinit(&gguf);
    }
    free(copy);
    return status;
}

/* One key of each kind, two tensors. */
static struct text_buf small_file(void)
{
    struct text_buf out = {0};
    gguf_write_header(&out, 2, 6);
    gguf_write_key_string(&out, "general.architecture", "llama");
    gguf_write_key_u32(&out, "llama.block_count", 7);
    gguf_write_key_f32(&out, "llama.eps", 0.5F);
    gguf_write_key(&out, "llama.flag", GGUF_BOOL);
    text_buf_byte(&out, 1);
    gguf_write_key_array(&out, "names", GGUF_STRING, 2);
    gguf_write_string(&out, "one");
    gguf_write_string(&out, "");
    gguf_write_key_array(&out, "numbers", GGUF_I32, 2);
    gguf_write_u32(&out, 3);
    gguf_write_u32(&out, UINT32_MAX);
    gguf_write_tensor(&out, &(struct gguf_write_tensor){"b", WEIGHT_Q8_0, {32, 2}, 0});
    gguf_write_tensor(&out, &(struct gguf_write_tensor){"a", WEIGHT_F32, {4}, 96});
    gguf_write_pad(&out, 32);
    gguf_write_zeros(&out, 96 + 32);
    return out;
}

static void test_valid_file_reads_back(void **state)
{
    (void)state;
    struct text_buf file = small_file();
    struct gguf gguf;
    struct error err;
    assert_int_equal(gguf_init(&gguf, (const uint8_t *)file.data, file.size, &err), OK);
    assert_int_equal(gguf.tensor_count, 2);

    int64_t layers = 0;
    assert_int_equal(gguf_get_int(&gguf, "llama.block_count", &layers, &err), OK);
    assert_int_equal(layers, 7);
    float eps = 0;
    assert_int_equal(gguf_get_float(&gguf, "llama.eps", &eps, &err), OK);
    assert_true(eps == 0.5F);
    bool flag = false;
    assert_int_equal(gguf_get_bool(&gguf, "llama.flag", &flag, &err), OK);
    assert_true(flag);
    struct text architecture = {0};
    assert_int_equal(gguf_get_text(&gguf, "general.architecture", &architecture, &err), OK);
    assert_true(text_equal(architecture, TEXT("llama")));

    const struct gguf_entry *entry = NULL;
    const struct gguf_get_array names = {"names", GGUF_STRING, 2};
    assert_int_equal(gguf_get_array(&gguf, &names, &entry, &err), OK);
    struct text strings[2];
    gguf_get_texts(entry, strings);
    assert_true(text_equal(strings[0], TEXT("one")) && strings[1].size == 0);
    const struct gguf_get_array numbers = {"numbers", GGUF_I32, 2};
    assert_int_equal(gguf_get_array(&gguf, &numbers, &entry, &err), OK);
    int32_t values[2];
    gguf_get_i32s(entry, values);
    assert_true(values[0] == 3 && values[1] == -1);

    const struct gguf_tensor *tensor = gguf_find_tensor(&gguf, "b");
    assert_non_null(tensor);
    assert_int_equal(tensor->size, 68);
    assert_ptr_equal(tensor->data, (const uint8_t *)file.data + gguf.data_offset);
    assert_null(gguf_find_tensor(&gguf, "c"));
    gguf_deinit(&gguf);
    text_buf_deinit(&file);
}

static void test_getters_check_types_and_counts(void **state)
{
    (void)state;
    struct text_buf file = small_file();
    struct gguf gguf;
    struct error err;
    assert_int_equal(gguf_init(&gguf, (const uint8_t *)file.data, file.size, &err), OK);
    int64_t number = 11;
    assert_int_equal(gguf_get_int(&gguf, "absent", &number, &err), OK);
    assert_int_equal(number, 11);
    assert_int_equal(gguf_get_int(&gguf, "llama.eps", &number, &err), ERR_FORMAT);
    assert_string_equal(err.text, "key llama.eps: type f32, must be an integer");
    const struct gguf_entry *entry = NULL;
    const struct gguf_get_array as_floats = {"numbers", GGUF_F32, 2};
    assert_int_equal(gguf_get_array(&gguf, &as_floats, &entry, &err), ERR_FORMAT);
    assert_string_equal(err.text, "key numbers: type array of i32, must be array of f32");
    const struct gguf_get_array too_many = {"numbers", GGUF_I32, 1};
    assert_int_equal(gguf_get_array(&gguf, &too_many, &entry, &err), ERR_LIMIT);
    assert_string_equal(err.text, "key numbers: 2 elements, at most 1 are taken");
    const struct gguf_get_array scalar = {"llama.block_count", GGUF_U32, 1};
    assert_int_equal(gguf_get_array(&gguf, &scalar, &entry, &err), ERR_FORMAT);
    assert_null(entry);
    gguf_deinit(&gguf);
    text_buf_deinit(&file);
}

static void test_every_truncation_is_refused(void **state)
{
    (void)state;
    struct text_buf file = small_file();
    struct error err;
    assert_int_equal(read_copy((const uint8_t *)file.data, file.size, &err), OK);
    for (size_t size = 0; size < file.size; size++) {
        const enum status status = read_copy((const uint8_t *)file.data, size, &err);
        if (status == OK)
            fail_msg("cut to %zu of %zu bytes, it was read", size, file.size);
        assert_true(strlen(err.text) > 0);
    }
    text_buf_deinit(&file);
}

static void test_no_bit_flip_does_harm(void **state)
{
    (void)state;
    struct text_buf file = small_file();
    size_t refused = 0;
    for (size_t bit = 0; bit < file.size * 8; bit++) {
        file.data[bit / 8] ^= (char)(1 << bit % 8);
        refused += read_copy((const uint8_t *)file.data, file.size, NULL) != OK;
        file.data[bit / 8] ^= (char)(1 << bit % 8);
    }
    assert_true(refused > 500); /* of 24 + ... header bytes; flips in names and values pass */
    text_buf_deinit(&file);
}

/* Files with one fault each, made by hand; reason is what the refusal must say. */
static void check_refused(struct text_buf *file, enum status status, const char *reason)
{
    struct error err = {0};
    assert_false(file->failed);
    assert_int_equal(read_copy((const uint8_t *)file->data, file->size, &err), status);
    if (!strstr(err.text, reason))
        fail_msg("said \"%s\", not \"%s\"", err.text, reason);
    text_buf_deinit(file);
    *file = (struct text_buf){0};
}

static void test_faults_in_keys_are_named(void **state)
{
    (void)state;
    struct text_buf f = {0};
    gguf_write_header(&f, 0, UINT64_MAX);
    check_refused(&f, ERR_FORMAT, "GGUF key count: 18446744073709551615, 0 bytes can hold 0");

    gguf_write_header(&f, 0, 1);
    gguf_write_u64(&f, UINT64_MAX);
    gguf_write_zeros(&f, 32);
    check_refused(&f, ERR_FORMAT, "key number 0: 18446744073709551615 bytes");

    gguf_write_header(&f, 0, 1);
    gguf_write_key_u32(&f, "", 1);
    check_refused(&f, ERR_FORMAT, "key number 0: is empty");

    gguf_write_header(&f, 0, 1);
    gguf_write_key(&f, "k", 13);
    gguf_write_zeros(&f, 8);
    check_refused(&f, ERR_FORMAT, "key k: type 13, the greatest known is 12");

    gguf_write_header(&f, 0, 1);
    gguf_write_key_array(&f, "k", GGUF_U64, (uint64_t)1 << 61);
    check_refused(&f, ERR_FORMAT, "key k: 2305843009213693952 elements of type u64");

    gguf_write_header(&f, 0, 1);
    gguf_write_key_array(&f, "k", GGUF_ARRAY, 1);
    gguf_write_zeros(&f, 12);
    check_refused(&f, ERR_LIMIT, "key k: an array of arrays");

    gguf_write_header(&f, 0, 1);
    gguf_write_key_array(&f, "k", GGUF_STRING, 2);
    gguf_write_string(&f, "fine");
    gguf_write_u64(&f, 99);
    check_refused(&f, ERR_FORMAT, "key k[1]: 99 bytes at byte");

    gguf_write_header(&f, 0, 1);
    gguf_write_key(&f, "k", GGUF_BOOL);
    text_buf_byte(&f, 2);
    check_refused(&f, ERR_FORMAT, "key k: a bool of 2");

    gguf_write_header(&f, 0, 2);
    gguf_write_key_u32(&f, "evil\x1b[2J", 1);
    gguf_write_key_u32(&f, "evil\x1b[2J", 2);
    check_refused(&f, ERR_FORMAT, "key evil?[2J: stands twice in the file");

    static const uint32_t ALIGNMENTS[] = {0, 1, 12, 0x80000000U, UINT32_MAX};
    for (size_t i = 0; i < sizeof ALIGNMENTS / sizeof ALIGNMENTS[0]; i++) {
        gguf_write_header(&f, 0, 1);
        gguf_write_key_u32(&f, "general.alignment", ALIGNMENTS[i]);
        check_refused(&f, ERR_FORMAT, "must be a power of two, 8 .. 65536");
    }
    gguf_write_header(&f, 0, 1);
    gguf_write_key_string(&f, "general.alignment", "32");
    check_refused(&f, ERR_FORMAT, "key general.alignment: type string, must be u32");
}

/* A file of one key and two tensors, with data_bytes of data. */
static struct text_buf tensor_file(struct gguf_write_tensor first,
                                   struct gguf_write_tensor second, size_t data_bytes)
{
    struct text_buf f = {0};
    gguf_write_header(&f, 2, 0);
    gguf_write_tensor(&f, &first);
    gguf_write_tensor(&f, &second);
    gguf_write_pad(&f, GGUF_ALIGNMENT_DEFAULT);
    gguf_write_zeros(&f, data_bytes);
    return f;
}

static void test_faults_in_tensors_are_named(void **state)
{
    (void)state;
    const struct gguf_write_tensor good = {"good", WEIGHT_F32, {8}, 0};
    const struct {
        struct gguf_write_tensor tensor;
        enum status status;
        const char *reason;
    } faults[] = {
        {{"good", WEIGHT_F32, {8}, 32}, ERR_FORMAT, "tensor good: stands twice"},
        {{"t", 99, {8}, 32}, ERR_LIMIT, "tensor t: type 99 is not one that is read"},
        {{"t", UINT32_MAX, {8}, 32}, ERR_LIMIT, "tensor t: type 4294967295"},
        {{"t", WEIGHT_Q8_0, {33}, 32},
         ERR_FORMAT,
         "rows of 33, type Q8_0 needs a multiple of 32"},
        {{"t", WEIGHT_F32, {UINT64_MAX}, 32},
         ERR_FORMAT,
         "dimension 0 is 18446744073709551615"},
        {{"t", WEIGHT_F32, {1ULL << 32, 1ULL << 32}, 32}, ERR_FORMAT, "passes 2^63 bytes"},
        {{"t", WEIGHT_F32, {1ULL << 61, 2}, 32}, ERR_FORMAT, "passes 2^63 bytes"},
        {{"t", WEIGHT_F32, {8}, 33},
         ERR_FORMAT,
         "offset 33 is no multiple of the alignment 32"},
        {{"t", WEIGHT_F32, {8}, 0},
         ERR_FORMAT,
         "begins at offset 0, the one before ends at 32"},
        {{"t", WEIGHT_F32, {9}, 32}, ERR_FORMAT, "36 bytes and padding at offset 32"},
        {{"t", WEIGHT_F32, {8}, UINT64_MAX - 31}, ERR_FORMAT, "data section has 64"},
        {{"", WEIGHT_F32, {8}, 32}, ERR_FORMAT, "tensor number 1: is empty"},
    };
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        struct text_buf f = tensor_file(good, faults[i].tensor, 64);
        check_refused(&f, faults[i].status, faults[i].reason);
    }
    struct text_buf f = {0};
    gguf_write_header(&f, 1, 0);
    gguf_write_string(&f, "t");
    gguf_write_u32(&f, 5);
    gguf_write_zeros(&f, 64);
    check_refused(&f, ERR_FORMAT, "tensor t: 5 dimensions, at most 4");

    gguf_write_header(&f, 1, 0);
    gguf_write_string(&f, "t");
    gguf_write_u32(&f, 1);
    gguf_write_zeros(&f, 64);
    check_refused(&f, ERR_FORMAT, "tensor t: dimension 0 is 0");

    f = tensor_file(good, (struct gguf_write_tensor){"t", WEIGHT_F32, {8}, 32}, 0);
    check_refused(&f, ERR_FORMAT, "tensor good: 32 bytes and padding at offset 0");
}

static void judge(const struct json *one)
{
    struct text file, verdict;
    struct file_map map;
    struct error err = {0};
    assert_true(json_text(json_get(one, "file"), &file));
    assert_true(json_text(json_get(one, "verdict"), &verdict));
    const struct test_data_path path = test_data("malformed/gguf/%.*s", TEXT_ARG(file));
    assert_int_equal(file_map_open(&map, path.text, 0, &err), OK);
    const enum status status = read_copy(map.data, map.size, &err);
    for (size_t size = 0; status == OK && size < map.size; size++)
        assert_int_not_equal(read_copy(map.data, size, NULL), OK);
    file_map_close(&map);
    print_message("    %-30.*s %-10.*s %s\n", TEXT_ARG(file), TEXT_ARG(verdict),
                  status == OK ? "read" : err.text);
    if (text_equal(verdict, TEXT("accept")) || text_equal(verdict, TEXT("parse-only")))
        assert_int_equal(status, OK);
    if (text_equal(verdict, TEXT("reject")))
        assert_true(status == ERR_FORMAT || status == ERR_LIMIT);
}

static void test_malformed_files_as_said(void **state)
{
    (void)state;
    const struct test_data_path path = test_data("malformed/gguf/cases.json");
    struct text_buf source = {0};
    struct json *cases;
    struct error err;
    if (!test_data_is_there(&path))
        skip();
    assert_int_equal(file_map_read(&source, path.text, 0, &err), OK);
    assert_int_equal(json_parse(text_buf_text(&source), 0, &cases, &err), OK);
    assert_true(json_count(cases) > 20);
    for (const struct json *one = json_first(cases); one; one = json_next(one))
        judge(one);
    json_free(cases);
    text_buf_deinit(&source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid_file_reads_back),
        cmocka_unit_test(test_getters_check_types_and_counts),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_no_bit_flip_does_harm),
        cmocka_unit_test(test_faults_in_keys_are_named),
        cmocka_unit_test(test_faults_in_tensors_are_named),
        cmocka_unit_test(test_malformed_files_as_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
