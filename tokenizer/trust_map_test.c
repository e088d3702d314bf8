/* Tests of trust_map: ranges where changes move, lengthen and join bytes. */
#include "tokenizer/trust_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MARK "\xe2\x96\x81"

/* The mapped ranges as "begin-end begin-end"; the stretch begins at offset 2 of its text. */
static void check(const struct tokenizer_change *changes, uint32_t count, const char *text,
                  struct special_trust trust, const char *want)
{
    struct arena arena;
    struct error err;
    struct normalizer normalizer;
    struct normalizer_scratch scratch = {0};
    struct trust_map map = {0};
    struct trust_stretch stretch = {text_of(text), text_of(text), 2};
    char got[128] = "";
    size_t size = 0;
    assert_int_equal(arena_init(&arena, 1 << 24, &err), OK);
    assert_int_equal(normalizer_init(&normalizer, changes, count, &arena, &err), OK);
    assert_true(normalizer_apply(&normalizer, &scratch, &stretch.changed));
    assert_true(trust_map_make(&map, &normalizer, stretch, trust));
    for (size_t i = 0; i < map.count; i++)
        size += (size_t)snprintf(got + size, sizeof got - size, "%s%zu-%zu", i > 0 ? " " : "",
                                 map.ranges[i].begin, map.ranges[i].end);
    if (strcmp(got, want) != 0)
        fail_msg("'%s' gives '%s', want '%s'", text, got, want);
    trust_map_deinit(&map);
    normalizer_scratch_deinit(&scratch);
    arena_deinit(&arena);
}

static void test_marks(void **state)
{
    static const struct tokenizer_change MARKS[] = {
        {.kind = TOKENIZER_PREPEND, .pattern = {"", 0}, .content = {MARK, 3}},
        {.kind = TOKENIZER_REPLACE,
         .is_literal = true,
         .pattern = {" ", 1},
         .content = {MARK, 3}}};
    static const struct special_range RANGES[] = {{0, 4}, {6, 7}, {9, 20}};
    (void)state;
    /* The mark before a text is of its first range, each space three bytes long. */
    check(MARKS, 2, "ab c d ef", (struct special_trust){RANGES, 3}, "0-5 9-12 16-18");
    check(MARKS, 2, "ab", (struct special_trust){RANGES, 3}, "0-5");
    check(MARKS, 2, "ab", (struct special_trust){RANGES, 0}, "");
}

/* A mark of the next stretch that goes into a letter of this one: no more trust. */
static void test_joined(void **state)
{
    static const struct tokenizer_change COMPOSE[] = {
        {.kind = TOKENIZER_NFC, .pattern = {"", 0}, .content = {"", 0}}};
    static const struct special_range RANGES[] = {{2, 4}, {6, 7}};
    (void)state;
    check(COMPOSE, 1, "xe\xcc\x81y", (struct special_trust){RANGES, 2}, "");
    check(COMPOSE, 1, "xyabc", (struct special_trust){RANGES, 2}, "0-2 4-5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_joined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
