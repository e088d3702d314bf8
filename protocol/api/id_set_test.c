/* id_set_test - ids in, ids found, across growth. */
#include "protocol/api/id_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static struct text name_of(int i, char bytes[32])
{
    (void)snprintf(bytes, 32, "request-%d", i);
    return text_of(bytes);
}

static void test_many(void **state)
{
    struct id_set set = {0};
    char bytes[32];
    bool is_new;
    (void)state;
    assert_false(id_set_has(&set, TEXT("request-0")));
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5000; i++) {
            assert_int_equal(id_set_add(&set, name_of(i, bytes), &is_new, NULL), OK);
            assert_int_equal(is_new, round == 0);
        }
    }
    assert_int_equal(set.id_count, 5000);
    assert_true(id_set_has(&set, TEXT("request-4999")));
    assert_false(id_set_has(&set, TEXT("request-5000")));
    assert_false(id_set_has(&set, TEXT("request-"))); /* a prefix is another id */
    id_set_deinit(&set);
    id_set_deinit(&set);
}

static void test_odd_bytes(void **state)
{
    struct id_set set = {0};
    bool is_new;
    (void)state;
    assert_int_equal(id_set_add(&set, TEXT(""), &is_new, NULL), OK);
    assert_true(is_new && id_set_has(&set, TEXT("")));
    assert_int_equal(id_set_add(&set, TEXT("a\0b"), &is_new, NULL), OK);
    assert_true(is_new);
    assert_false(id_set_has(&set, TEXT("a")) || id_set_has(&set, TEXT("a\0c")));
    id_set_deinit(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_odd_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
