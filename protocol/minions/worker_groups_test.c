/* worker_groups_test - who takes what, in which order, and where a group is found again. */
#include "protocol/minions/worker_groups.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ALONE = 1000, TICKETS = 6 };

static struct worker_groups *fresh(void)
{
    struct worker_groups *groups = calloc(1, sizeof(*groups));
    assert_non_null(groups);
    worker_groups_init(groups);
    return groups;
}

static void release(struct worker_groups *groups)
{
    worker_groups_deinit(groups);
    free(groups);
}

static void add(struct worker_groups *groups, struct worker_ticket *tickets,
                const uint64_t *names, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        tickets[i] = (struct worker_ticket){.group = names[i]};
        assert_int_equal(worker_groups_add(groups, &tickets[i], NULL), OK);
    }
}

static void a_group_stays_with_its_server(void **state)
{
    (void)state;
    struct worker_groups *groups = fresh();
    struct worker_ticket tickets[TICKETS];
    add(groups, tickets, (const uint64_t[]){7, 8, 7, 8, 7, 9}, TICKETS);
    assert_ptr_equal(worker_groups_take(groups, 0, ALONE), &tickets[0]); /* the oldest */
    assert_ptr_equal(worker_groups_take(groups, 1, ALONE), &tickets[1]); /* nobody's oldest */
    assert_ptr_equal(worker_groups_take(groups, 0, ALONE), &tickets[2]);
    assert_ptr_equal(worker_groups_take(groups, 0, ALONE), &tickets[4]);
    assert_ptr_equal(worker_groups_take(groups, 0, ALONE), &tickets[5]);
    assert_null(worker_groups_take(groups, 0, ALONE)); /* the last one waits for server 1 */
    assert_ptr_equal(worker_groups_take(groups, 1, ALONE), &tickets[3]);
    assert_int_equal(groups->count, 0);
    release(groups);
}

static void it_is_found_again(void **state)
{
    (void)state;
    struct worker_groups *groups = fresh();
    struct worker_ticket tickets[2];
    add(groups, tickets, (const uint64_t[]){7}, 1);
    assert_non_null(worker_groups_take(groups, 3, ALONE));
    add(groups, tickets, (const uint64_t[]){7, 8}, 2);
    assert_ptr_equal(worker_groups_take(groups, 1, ALONE), &tickets[1]);
    assert_null(worker_groups_take(groups, 1, ALONE));
    worker_groups_abandon(groups, 3);
    assert_ptr_equal(worker_groups_take(groups, 1, ALONE), &tickets[0]);
    release(groups);
}

static void a_long_one_is_helped_out_with(void **state)
{
    (void)state;
    struct worker_groups *groups = fresh();
    struct worker_ticket tickets[TICKETS];
    add(groups, tickets, (const uint64_t[]){7, 7, 7, 7, 7, 7}, TICKETS);
    assert_ptr_equal(worker_groups_take(groups, 0, 4), &tickets[0]);
    assert_ptr_equal(worker_groups_take(groups, 1, 4), &tickets[1]); /* 5 wait */
    assert_null(worker_groups_take(groups, 1, 4));                   /* 4 do not */
    assert_ptr_equal(worker_groups_take(groups, 0, 4), &tickets[2]);
    release(groups);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_stays_with_its_server),
        cmocka_unit_test(it_is_found_again),
        cmocka_unit_test(a_long_one_is_helped_out_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
