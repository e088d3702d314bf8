/*
 * Tests of gguf_split: parts written here, opened by the first; parts that are missing, in
 * another's place, of another model, or open to doubt are refused by name.
 */
#include "engine/gguf_split.h"

#include "tests/harness/gguf_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { PARTS = 3, PATH_MAX_BYTES = 256 };

static char folder[PATH_MAX_BYTES];

/* What a part is to say. */
struct part {
    uint32_t no, count, tensors;
    const char *tensor;
};

static const char *part_path(uint32_t index)
{
    static char path[2 * PATH_MAX_BYTES];
    (void)snprintf(path, sizeof path, "%s/m-%05u-of-%05d.gguf", folder, index + 1, PARTS);
    return path;
}

static void write_part(uint32_t index, const struct part *part)
{
    struct text_buf out = {0};
    gguf_write_header(&out, 1, index == 0 ? 4 : 3);
    gguf_write_key_u32(&out, "split.no", part->no);
    gguf_write_key_u32(&out, "split.count", part->count);
    gguf_write_key_u32(&out, "split.tensors.count", part->tensors);
    if (index == 0)
        gguf_write_key_string(&out, "general.architecture", "llama");
    const struct gguf_write_tensor tensor = {part->tensor, WEIGHT_F32, {8}, 0};
    gguf_write_tensor(&out, &tensor);
    gguf_write_pad(&out, GGUF_ALIGNMENT_DEFAULT);
    for (uint32_t i = 0; i < GGUF_ALIGNMENT_DEFAULT; i++)
        text_buf_byte(&out, (char)(index + 1));
    FILE *file = fopen(part_path(index), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(out.data, 1, out.size, file), out.size);
    assert_int_equal(fclose(file), 0);
    text_buf_deinit(&out);
}

/* Three right parts, whose names are not in the order of the parts. */
static int set_up(void **state)
{
    static const char *const NAMES[PARTS] = {"b", "c", "a"};
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/gguf_split_test.XXXXXX");
    assert_non_null(mkdtemp(folder));
    for (uint32_t i = 0; i < PARTS; i++)
        write_part(i, &(struct part){i, PARTS, PARTS, NAMES[i]});
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < PARTS; i++)
        (void)unlink(part_path(i));
    return rmdir(folder);
}

static void refuse(uint32_t opened, const char *words)
{
    struct gguf_split split;
    struct error err;
    assert_int_not_equal(gguf_split_open(&split, part_path(opened), &err), OK);
    if (!strstr(err.text, words))
        fail_msg("says \"%s\", not \"%s\"", err.text, words);
}

static void test_whole(void **state)
{
    struct gguf_split split;
    struct error err;
    (void)state;
    if (gguf_split_open(&split, part_path(0), &err) != OK)
        fail_msg("%s", err.text);
    assert_int_equal(split.part_count, PARTS);
    assert_int_equal(split.gguf.tensor_count, PARTS);
    assert_int_equal(gguf_find_tensor(&split.gguf, "a")->data[0], 3);
    assert_int_equal(gguf_find_tensor(&split.gguf, "b")->data[0], 1);
    assert_int_equal(gguf_find_tensor(&split.gguf, "c")->data[0], 2);
    assert_non_null(gguf_find(&split.gguf, "general.architecture"));
    assert_null(gguf_find(&split.gguf, "split.count"));
    gguf_split_close(&split);
}

static void test_not_the_first(void **state)
{
    (void)state;
    refuse(1, "is part 2 of 3; open the first");
}

static void test_missing_part(void **state)
{
    (void)state;
    assert_int_equal(unlink(part_path(2)), 0);
    refuse(0, "m-00003-of-00003.gguf");
}

static void test_wrong_parts(void **state)
{
    (void)state;
    write_part(1, &(struct part){2, PARTS, PARTS, "c"});
    refuse(0, "m-00002-of-00003.gguf: is part 3 of 3");
    write_part(1, &(struct part){1, 4, PARTS, "c"});
    refuse(0, "m-00002-of-00003.gguf: is part 2 of 4");
    write_part(1, &(struct part){1, PARTS, 7, "c"});
    refuse(0, "of a model of 7 tensors");
    write_part(1, &(struct part){1, 0, PARTS, "c"});
    refuse(0, "m-00002-of-00003.gguf: is no part of a model");
    write_part(1, &(struct part){1, PARTS, PARTS, "a"});
    refuse(0, "tensor a: stands twice");
}

static void test_wrong_sums(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < PARTS; i++)
        write_part(i, &(struct part){i, PARTS, 9, i == 0 ? "a" : i == 1 ? "b" : "c"});
    refuse(0, "split.tensors.count is 9, the parts have 3");
    write_part(0, &(struct part){0, 5000, PARTS, "b"});
    refuse(0, "key split.count: 5000");
    write_part(0, &(struct part){0, 2, PARTS, "b"});
    refuse(0, "whose name must end with -00001-of-00002.gguf");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_the_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_missing_part, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_parts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wrong_sums, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
