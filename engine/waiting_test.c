/* waiting_test - which job comes next: cohorts together, first arrivals first, no starving. */
#include "engine/waiting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { JOBS_MAX = 2000, PROMPT = 64 };

static struct arena arena;
static struct waiting waiting;
static struct seq_job *jobs[JOBS_MAX];

static int make(void **state)
{
    (void)state;
    assert_int_equal(arena_init(&arena, 1 << 20, NULL), OK);
    assert_int_equal(waiting_init(&waiting, JOBS_MAX, PROMPT, &arena, NULL), OK);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    while (waiting.eldest)
        waiting_remove(&waiting, waiting.eldest);
    for (int i = 0; i < JOBS_MAX; i++) {
        free(jobs[i]);
        jobs[i] = NULL;
    }
    arena_deinit(&arena);
    return 0;
}

/* Job `id`: a header that all share, a chunk that its cohort shares, a tail of its own. */
static struct seq *add_ranked(uint64_t id, token_id chunk, int32_t priority)
{
    token_id prompt[PROMPT];
    for (int i = 0; i < PROMPT; i++)
        prompt[i] = i < 16 ? 1 : i < 48 ? 100 + chunk : (token_id)(id * 7919 % 1000);
    const struct engine_job ask = {.prompt = prompt,
                                   .prompt_tokens = PROMPT,
                                   .sample_count = 1,
                                   .max_tokens = 1,
                                   .priority = priority};
    jobs[id] = seq_job_new(&ask, id, 1, 0);
    assert_non_null(jobs[id]);
    waiting_add(&waiting, &jobs[id]->seqs[0]);
    waiting_check(&waiting);
    return &jobs[id]->seqs[0];
}

static struct seq *add(uint64_t id, token_id chunk)
{
    return add_ranked(id, chunk, 0);
}

static uint64_t admit_next(struct seq *const *running, uint32_t running_count)
{
    struct seq *next = waiting_next(&waiting, running, running_count);
    if (!next)
        return UINT64_MAX;
    waiting_admit(&waiting, next);
    waiting_check(&waiting);
    return next->job->id;
}

static void cohorts_in_order_of_first_arrival(void **state)
{
    (void)state;
    for (uint64_t id = 0; id < 12; id++)
        add(id, (token_id)(id * 3 % 4)); /* chunks 0 3 2 1 0 3 2 1 ... */
    bool seen[12] = {false};
    const uint64_t first[] = {0, 1, 2, 3};
    for (int cohort = 0; cohort < 4; cohort++)
        for (int i = 0; i < 3; i++) {
            const uint64_t id = admit_next(NULL, 0);
            assert_true(id < 12 && !seen[id]);
            seen[id] = true;
            assert_int_equal(id % 4, first[cohort]);
            if (i == 0)
                assert_int_equal(id, first[cohort]);
        }
    assert_int_equal(admit_next(NULL, 0), UINT64_MAX);
}

static void late_mates_of_running_ones_come_first(void **state)
{
    (void)state;
    struct seq *running[2] = {add(0, 5), add(1, 6)};
    assert_int_equal(admit_next(NULL, 0), 0);
    assert_int_equal(admit_next(running, 1), 1);
    add(2, 7);
    add(3, 5);
    add(4, 8);
    assert_int_equal(admit_next(running, 2), 3);
    assert_int_equal(admit_next(running, 2), 2);
    assert_int_equal(admit_next(running, 2), 4);
}

static void the_eldest_is_passed_over_so_often_and_no_more(void **state)
{
    (void)state;
    add(0, 1);
    assert_int_equal(admit_next(NULL, 0), 0);
    add(1, 2); /* of another cohort */
    uint64_t id = 2;
    uint64_t admitted = 0;
    for (int overtakes = 0; admitted != 1; overtakes++) {
        assert_true(overtakes <= WAITING_OVERTAKES_MAX && id < JOBS_MAX);
        add(id++, 1); /* the first cohort never ends */
        admitted = admit_next(NULL, 0);
        assert_true(admitted != 1 || overtakes == WAITING_OVERTAKES_MAX);
    }
}

static void preempted_ones_go_back_to_the_front(void **state)
{
    (void)state;
    struct seq *first = add(3, 1);
    assert_int_equal(admit_next(NULL, 0), 3);
    add(10, 2);
    add(11, 3);
    waiting_add(&waiting, first);
    waiting_check(&waiting);
    assert_ptr_equal(waiting.eldest, first);
    waiting_remove(&waiting, &jobs[10]->seqs[0]);
    waiting_check(&waiting);
    assert_int_equal(admit_next(NULL, 0), 3);
    assert_int_equal(admit_next(NULL, 0), 11);
}

/* The greater priority first, among equals the elder, mates only among equals. */
static void priorities_go_first(void **state)
{
    (void)state;
    const struct {
        token_id chunk;
        int32_t priority;
    } jobs_in[] = {{1, 0}, {1, 0}, {1, -5}, {2, 7}, {1, 7}, {3, 100}, {2, 0}, {2, -100}};
    const uint64_t order[] = {5, 3, 4, 0, 1, 6, 2, 7};
    for (uint64_t id = 0; id < 8; id++)
        add_ranked(id, jobs_in[id].chunk, jobs_in[id].priority);
    for (int i = 0; i < 8; i++)
        assert_int_equal(admit_next(NULL, 0), order[i]);
}

/* However many of a greater priority come, a job waits for so many and no more. */
static void less_priority_is_not_starved(void **state)
{
    (void)state;
    uint64_t id = 1, admitted = 0;
    add(id++, 0);
    for (int passed = 0; admitted != 1; passed++) {
        assert_true(passed <= ENGINE_PRIORITY_JOBS && id < JOBS_MAX);
        add_ranked(id, (token_id)id, 1); /* of no cohort that is there */
        id++;
        admitted = admit_next(NULL, 0);
        assert_true(admitted != 1 || passed == ENGINE_PRIORITY_JOBS - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cohorts_in_order_of_first_arrival, make, unmake),
        cmocka_unit_test_setup_teardown(late_mates_of_running_ones_come_first, make, unmake),
        cmocka_unit_test_setup_teardown(the_eldest_is_passed_over_so_often_and_no_more, make,
                                        unmake),
        cmocka_unit_test_setup_teardown(priorities_go_first, make, unmake),
        cmocka_unit_test_setup_teardown(less_priority_is_not_starved, make, unmake),
        cmocka_unit_test_setup_teardown(preempted_ones_go_back_to_the_front, make, unmake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
