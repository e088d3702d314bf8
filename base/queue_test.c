/* queue_test - order, refusals, and many threads at both ends (for the thread sanitizer). */
#include "base/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { PUSHERS = 2, PULLERS = 2, ITEMS = 5000 };

static void test_order_and_full(void **state)
{
    struct queue queue;
    int item;
    (void)state;
    assert_int_equal(queue_init(&queue, 3, sizeof item, NULL), OK);
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < 3; i++)
            assert_true(queue_push(&queue, &(int){round * 10 + i}, 0));
        assert_false(queue_push(&queue, &(int){99}, 0));
        assert_false(queue_push(&queue, &(int){99}, 1));
        assert_int_equal(queue_count(&queue), 3);
        for (int i = 0; i < 3; i++) {
            assert_true(queue_pull(&queue, &item, QUEUE_FOREVER));
            assert_int_equal(item, round * 10 + i);
        }
        assert_false(queue_pull(&queue, &item, 0));
        assert_false(queue_pull(&queue, &item, 1));
        assert_true(queue_push(&queue, &(int){5}, 0) && queue_pull(&queue, &item, 0));
    }
    queue_deinit(&queue);
}

static void test_close_drains(void **state)
{
    struct queue queue;
    int item;
    (void)state;
    assert_int_equal(queue_init(&queue, 3, sizeof item, NULL), OK);
    assert_true(queue_push(&queue, &(int){1}, 0));
    queue_close(&queue);
    assert_false(queue_push(&queue, &(int){2}, QUEUE_FOREVER));
    assert_true(queue_pull(&queue, &item, QUEUE_FOREVER));
    assert_int_equal(item, 1);
    assert_false(queue_pull(&queue, &item, QUEUE_FOREVER));
    queue_deinit(&queue);
    queue_deinit(&queue);
}

static void test_no_room(void **state)
{
    struct queue queue;
    struct error err;
    (void)state;
    assert_int_equal(queue_init(&queue, UINT32_MAX, SIZE_MAX / 2, &err), ERR_MEMORY);
    queue_deinit(&queue);
}

struct end {
    struct queue *queue;
    int first;
    long sum;
};

static void *push_items(void *arg)
{
    const struct end *end = arg;
    for (int i = 0; i < ITEMS; i++) {
        if (!queue_push(end->queue, &(int){end->first + i}, QUEUE_FOREVER))
            return NULL;
    }
    return NULL;
}

static void *pull_items(void *arg)
{
    struct end *end = arg;
    int item;
    while (queue_pull(end->queue, &item, QUEUE_FOREVER))
        end->sum += item;
    return NULL;
}

/* Nothing is lost or doubled, with a queue short enough that both ends wait all the time. */
static void test_threads(void **state)
{
    struct queue queue;
    struct end ends[PUSHERS + PULLERS];
    pthread_t threads[PUSHERS + PULLERS];
    long sum = 0;
    (void)state;
    assert_int_equal(queue_init(&queue, 2, sizeof(int), NULL), OK);
    for (int i = 0; i < PUSHERS + PULLERS; i++) {
        ends[i] = (struct end){.queue = &queue, .first = i * ITEMS};
        assert_int_equal(
            pthread_create(&threads[i], NULL, i < PUSHERS ? push_items : pull_items, &ends[i]),
            0);
    }
    for (int i = 0; i < PUSHERS; i++)
        pthread_join(threads[i], NULL);
    queue_close(&queue);
    for (int i = PUSHERS; i < PUSHERS + PULLERS; i++) {
        pthread_join(threads[i], NULL);
        sum += ends[i].sum;
    }
    const long count = (long)PUSHERS * ITEMS;
    assert_int_equal(sum, count * (count - 1) / 2);
    queue_deinit(&queue);
}

/* A waiting puller and a waiting pusher are woken by closing. */
static void test_close_wakes(void **state)
{
    struct queue queue;
    struct end end = {.queue = &queue};
    pthread_t thread;
    (void)state;
    assert_int_equal(queue_init(&queue, 1, sizeof(int), NULL), OK);
    assert_int_equal(pthread_create(&thread, NULL, pull_items, &end), 0);
    queue_close(&queue);
    pthread_join(thread, NULL);
    queue_deinit(&queue);

    assert_int_equal(queue_init(&queue, 1, sizeof(int), NULL), OK);
    assert_int_equal(pthread_create(&thread, NULL, push_items, &end), 0);
    queue_close(&queue);
    pthread_join(thread, NULL);
    assert_true(queue_count(&queue) <= 1);
    queue_deinit(&queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_and_full), cmocka_unit_test(test_close_drains),
        cmocka_unit_test(test_no_room),        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_close_wakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
