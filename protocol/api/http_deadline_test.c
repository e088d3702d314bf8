/* http_deadline_test - connections are shut in the order of their time, and no others. */
#include "protocol/api/http_deadline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { COUNT = 4 };

struct pairs {
    struct http_deadlines all;
    struct http_deadline own[COUNT];
    int others[COUNT];
};

static void open_pairs(struct pairs *pairs)
{
    *pairs = (struct pairs){0};
    for (int i = 0; i < COUNT; i++) {
        int ends[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
        pairs->own[i].descriptor = ends[0];
        pairs->others[i] = ends[1];
    }
}

static void close_pairs(struct pairs *pairs)
{
    for (int i = 0; i < COUNT; i++) {
        (void)close(pairs->own[i].descriptor);
        (void)close(pairs->others[i]);
    }
}

/* A bit for each connection whose other side reads its end. */
static unsigned shut(const struct pairs *pairs)
{
    unsigned bits = 0;
    for (int i = 0; i < COUNT; i++) {
        char byte;
        bits |= (unsigned)(recv(pairs->others[i], &byte, 1, MSG_DONTWAIT) == 0) << i;
    }
    return bits;
}

static void test_order(void **state)
{
    struct pairs pairs;
    (void)state;
    open_pairs(&pairs);
    assert_int_equal(http_deadline_wait_ms(&pairs.all, 0), -1);
    assert_true(http_deadline_set(&pairs.all, &pairs.own[0], 10));
    assert_false(http_deadline_set(&pairs.all, &pairs.own[1], 10.5));
    assert_false(http_deadline_set(&pairs.all, &pairs.own[2], 11));
    assert_false(http_deadline_set(&pairs.all, &pairs.own[3], 12));
    assert_int_equal(http_deadline_wait_ms(&pairs.all, 9), 1001);
    assert_int_equal(http_deadline_wait_ms(&pairs.all, 20), 1);
    assert_int_equal(http_deadline_pass(&pairs.all, 9.9), 0);
    assert_int_equal(shut(&pairs), 0);
    assert_int_equal(http_deadline_pass(&pairs.all, 10.5), 2);
    assert_int_equal(shut(&pairs), 3);
    assert_int_equal(http_deadline_pass(&pairs.all, 10.5), 0);
    assert_int_equal(http_deadline_pass(&pairs.all, 99), 2);
    assert_int_equal(shut(&pairs), 15);
    assert_int_equal(http_deadline_wait_ms(&pairs.all, 99), -1);
    close_pairs(&pairs);
}

/* Of those whose request is there, the first, the middle ones and the last. */
static void test_clear(void **state)
{
    (void)state;
    for (int cleared = 0; cleared < COUNT; cleared++) {
        struct pairs pairs;
        open_pairs(&pairs);
        for (int i = 0; i < COUNT; i++)
            (void)http_deadline_set(&pairs.all, &pairs.own[i], 1 + i);
        http_deadline_clear(&pairs.all, &pairs.own[cleared]);
        http_deadline_clear(&pairs.all, &pairs.own[cleared]);
        assert_int_equal(http_deadline_pass(&pairs.all, 9), COUNT - 1);
        assert_int_equal(shut(&pairs), 15U & ~(1U << cleared));
        assert_true(http_deadline_set(&pairs.all, &pairs.own[cleared], 20));
        assert_int_equal(http_deadline_pass(&pairs.all, 20), 1);
        close_pairs(&pairs);
    }
}

static void test_again(void **state)
{
    struct pairs pairs;
    (void)state;
    open_pairs(&pairs);
    (void)http_deadline_set(&pairs.all, &pairs.own[0], 1);
    (void)http_deadline_set(&pairs.all, &pairs.own[1], 2);
    assert_false(http_deadline_set(&pairs.all, &pairs.own[0], 3));
    assert_int_equal(http_deadline_pass(&pairs.all, 2), 1);
    assert_int_equal(shut(&pairs), 2);
    assert_true(http_deadline_set(&pairs.all, &pairs.own[0], 4)); /* it alone, once more */
    assert_int_equal(http_deadline_pass(&pairs.all, 3), 0);
    assert_int_equal(http_deadline_pass(&pairs.all, 4), 1);
    close_pairs(&pairs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_clear),
        cmocka_unit_test(test_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
