/* admission_test - whoever floods stops in time, and goes behind who does not. */
#include "protocol/api/admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static uint32_t flood(struct admission *admission, uint32_t key, uint32_t *in_front)
{
    uint32_t in = 0;
    int32_t lowered;
    *in_front = 0;
    for (; admission_enter(admission, key, &lowered); in++)
        *in_front += lowered == 0;
    return in;
}

static void one_share(void **state)
{
    struct error err = {0};
    (void)state;
    for (uint32_t keys = 0; keys < 2; keys++) {
        struct admission admission = {0};
        uint32_t in_front;
        const struct admission_shares shares = {keys, 12, 2};
        assert_int_equal(admission_init(&admission, &shares, &err), OK);
        assert_int_equal(flood(&admission, UINT32_MAX, &in_front), 12);
        assert_int_equal(in_front, 12);
        admission_leave(&admission, UINT32_MAX);
        assert_int_equal(flood(&admission, 0, &in_front), 1);
        admission_deinit(&admission);
    }
}

/* The first flood stops at half, the second at half of the rest; room comes back. */
static void shares(void **state)
{
    struct admission admission = {0};
    struct error err = {0};
    uint32_t in_front;
    int32_t lowered;
    const struct admission_shares shares = {3, 12, 4};
    (void)state;
    assert_int_equal(admission_init(&admission, &shares, &err), OK);
    assert_int_equal(flood(&admission, 0, &in_front), 6);
    assert_int_equal(in_front, 4);
    assert_int_equal(flood(&admission, 1, &in_front), 3);
    assert_int_equal(in_front, 3);
    assert_true(admission_enter(&admission, 2, &lowered));
    assert_int_equal(lowered, 0);
    assert_false(admission_enter(&admission, 0, &lowered));
    admission_leave(&admission, 0);
    assert_false(admission_enter(&admission, 0, &lowered)); /* 5 held, 3 free */
    for (int i = 0; i < 3; i++)
        admission_leave(&admission, 0);
    assert_true(admission_enter(&admission, 0, &lowered)); /* 2 held, 6 free */
    assert_int_equal(lowered, 0);
    admission_deinit(&admission);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(one_share), cmocka_unit_test(shares)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
