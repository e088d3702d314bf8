/* sched_test - the decision as a table of states, and its promises over random states. */
#include "engine/sched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEQS_MAX = 24, SPLIT = 128 };

#define OWN .wait_for = SCHED_NONE
/* Computes its own prompt from ready to total. */
#define PREFILL(a, at, end)                                                                    \
    {                                                                                          \
        .age = a, .ready = at, .total = end, .heads_from = (end)-1, .run_until = end, OWN      \
    }
/* Appends one token at position at. */
#define DECODE(a, at)                                                                          \
    {                                                                                          \
        .age = a, .ready = at, .total = (at) + 1, .heads_from = at, .run_until = (at) + 1, OWN \
    }

static const struct sched_limits wide = {
    .rows_max = 100, .heads_max = 50, .partials_max = 9999, .split = SPLIT};

static struct sched_rows rows[SEQS_MAX];

static struct sched_decision decide(struct sched_limits limits, const struct sched_seq *seqs,
                                    uint32_t count, uint32_t pages,
                                    struct sched_waiting waiting)
{
    const struct sched_state state = {.limits = limits,
                                      .seqs = seqs,
                                      .seq_count = count,
                                      .slots_free = 8,
                                      .pages_available = pages,
                                      .waiting = waiting};
    struct sched_decision decision = {.rows = rows};
    sched_decide(&state, &decision);
    return decision;
}

static const struct sched_waiting nobody = {.there = false};

static void nothing_to_do(void **state)
{
    (void)state;
    assert_int_equal(decide(wide, NULL, 0, 5, nobody).kind, SCHED_DO_NOTHING);
}

static void decodes_first_then_prefills_in_order(void **state)
{
    (void)state;
    const struct sched_seq seqs[] = {PREFILL(1, 30, 90), DECODE(2, 70), PREFILL(3, 0, 80),
                                     DECODE(4, 10), PREFILL(5, 0, 9)};
    const struct sched_decision decision = decide(wide, seqs, 5, 0, nobody);
    assert_int_equal(decision.kind, SCHED_DO_RUN);
    assert_int_equal(decision.rows_total, 100);
    assert_int_equal(decision.decode_rows, 2);
    const uint32_t first[] = {30, 70, 0, 10, 0};
    const uint32_t count[] = {60, 1, 38, 1, 0};
    for (int i = 0; i < 5; i++) {
        assert_int_equal(rows[i].count, count[i]);
        assert_int_equal(rows[i].first, first[i]);
    }
}

static void followers_run_once_the_prefix_is_there(void **state)
{
    (void)state;
    struct sched_seq seqs[] = {PREFILL(1, 32, 80), PREFILL(2, 32, 90), PREFILL(3, 32, 70)};
    for (int i = 1; i < 3; i++) {
        seqs[i].wait_for = 0;
        seqs[i].wait_until = 64;
    }
    decide(wide, seqs, 3, 0, nobody); /* the leader passes 64 in this step */
    assert_int_equal(rows[0].count, 48);
    assert_int_equal(rows[1].first, 64);
    assert_int_equal(rows[1].count, 26);
    assert_int_equal(rows[2].count, 6);
    seqs[0].ready = 0;
    const struct sched_limits narrow = {
        .rows_max = 60, .heads_max = 9, .partials_max = 999, .split = SPLIT};
    decide(narrow, seqs, 3, 0, nobody); /* it does not */
    assert_int_equal(rows[0].count, 60);
    assert_int_equal(rows[1].count + rows[2].count, 0);
}

static void keeps_to_heads_and_partials(void **state)
{
    (void)state;
    struct sched_seq score[] = {PREFILL(1, 0, 60)};
    score[0].heads_from = 20;
    struct sched_limits limits = {
        .rows_max = 100, .heads_max = 7, .partials_max = 999, .split = SPLIT};
    decide(limits, score, 1, 0, nobody);
    assert_int_equal(rows[0].count, 27);
    const struct sched_seq deep[] = {PREFILL(1, 120, 200)};
    limits.partials_max = 8 + 2 * 5 + 1; /* 8 rows of one partial, 5 of two, 1 left */
    decide(limits, deep, 1, 0, nobody);
    assert_int_equal(rows[0].count, 13);
}

static void preempts_the_youngest_when_pages_are_short(void **state)
{
    (void)state;
    struct sched_seq seqs[] = {DECODE(7, 16), DECODE(3, 16), DECODE(9, 5), DECODE(4, 32)};
    seqs[0].wants_page = seqs[1].wants_page = seqs[3].wants_page = true;
    assert_int_equal(decide(wide, seqs, 4, 3, nobody).kind, SCHED_DO_RUN);
    const struct sched_decision decision = decide(wide, seqs, 4, 2, nobody);
    assert_int_equal(decision.kind, SCHED_DO_PREEMPT);
    assert_int_equal(decision.victim, 2);
}

static void admits_what_fits_beside_the_growth(void **state)
{
    (void)state;
    struct sched_seq seqs[] = {DECODE(1, 16), DECODE(2, 20)};
    seqs[0].page_growth = 4;
    seqs[1].page_growth = 3;
    seqs[1].wants_page = true;
    struct sched_waiting next = {.there = true, .pages = 10, .page_growth = 2};
    assert_int_equal(decide(wide, seqs, 2, 20, next).kind, SCHED_DO_ADMIT);
    assert_int_equal(decide(wide, seqs, 2, 19, next).kind, SCHED_DO_RUN);
    assert_int_equal(decide(wide, NULL, 0, 10, next).kind, SCHED_DO_ADMIT); /* alone */
    const struct sched_limits full = {
        .rows_max = 2, .heads_max = 9, .partials_max = 99, .split = SPLIT};
    assert_int_equal(decide(full, seqs, 2, 20, next).kind, SCHED_DO_RUN);
}

static struct sched_seq random_seq(uint32_t index)
{
    const uint32_t ready = (uint32_t)rand() % 300;
    const uint32_t more = rand() % 2 ? 1 : 1 + (uint32_t)rand() % 200;
    struct sched_seq seq = PREFILL((uint64_t)rand() % 50, ready, ready + more);
    if (more > 1 && rand() % 3 == 0)
        seq.heads_from = ready + (uint32_t)rand() % more;
    if (more > 1 && index > 0 && rand() % 3 == 0) {
        seq.wait_for = rand() % (int)index;
        seq.wait_until = ready + (uint32_t)rand() % more;
    }
    seq.wants_page = more == 1 && rand() % 2;
    seq.page_growth = (uint32_t)rand() % 4;
    return seq;
}

static void check_run(const struct sched_state *state, const struct sched_decision *decision)
{
    uint32_t total = 0;
    uint32_t heads = 0;
    uint32_t partials = 0;
    for (uint32_t i = 0; i < state->seq_count; i++) {
        const struct sched_seq *seq = &state->seqs[i];
        total += rows[i].count;
        for (uint32_t p = rows[i].first; p < rows[i].first + rows[i].count; p++) {
            heads += p >= seq->heads_from;
            partials += p / state->limits.split + 1;
        }
        if (rows[i].count == 0)
            continue;
        assert_true(rows[i].first + rows[i].count <= seq->run_until);
        if (seq->wait_for == SCHED_NONE) {
            assert_int_equal(rows[i].first, seq->ready);
            continue;
        }
        const struct sched_rows other = rows[seq->wait_for];
        assert_int_equal(rows[i].first, seq->wait_until);
        assert_true(other.first + other.count >= seq->wait_until);
    }
    assert_int_equal(total, decision->rows_total);
    assert_true(total > 0 && total <= state->limits.rows_max);
    assert_true(heads <= state->limits.heads_max);
    assert_true(partials <= state->limits.partials_max);
}

static void promises_hold_at_random(void **test_state)
{
    (void)test_state;
    srand(5);
    for (int round = 0; round < 20000; round++) {
        struct sched_seq seqs[SEQS_MAX];
        const uint32_t count = (uint32_t)rand() % SEQS_MAX;
        uint32_t wanted = 0;
        uint64_t oldest = UINT64_MAX;
        for (uint32_t i = 0; i < count; i++) {
            seqs[i] = random_seq(i);
            wanted += seqs[i].wants_page;
            oldest = seqs[i].age < oldest ? seqs[i].age : oldest;
        }
        if (count > 0)
            seqs[0].wait_for = SCHED_NONE; /* the first admitted waits for nobody */
        const struct sched_state state = {
            .limits = {.rows_max = 1 + (uint32_t)rand() % 300,
                       .heads_max = 1 + (uint32_t)rand() % 20,
                       .partials_max = 5 + (uint32_t)rand() % 500,
                       .split = rand() % 2 ? SPLIT : 2 * SPLIT},
            .seqs = seqs,
            .seq_count = count,
            .slots_free = (uint32_t)rand() % 3,
            .pages_available = (uint32_t)rand() % 30,
            .waiting = {.there = count > 0 && rand() % 2, .pages = (uint32_t)rand() % 9}};
        struct sched_decision decision = {.rows = rows};
        sched_decide(&state, &decision);
        if (decision.kind == SCHED_DO_RUN) {
            check_run(&state, &decision);
            assert_true(wanted <= state.pages_available || count == 1);
        } else if (decision.kind == SCHED_DO_PREEMPT) {
            assert_true(count > 1 && wanted > state.pages_available);
            for (uint32_t i = 0; i < count; i++)
                assert_true(seqs[i].age <= seqs[decision.victim].age);
        } else if (decision.kind == SCHED_DO_ADMIT) {
            assert_true(state.waiting.there && state.slots_free > 0);
            assert_true(wanted + state.waiting.pages <= state.pages_available);
        } else {
            assert_int_equal(count, 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_to_do),
        cmocka_unit_test(decodes_first_then_prefills_in_order),
        cmocka_unit_test(followers_run_once_the_prefix_is_there),
        cmocka_unit_test(keeps_to_heads_and_partials),
        cmocka_unit_test(preempts_the_youngest_when_pages_are_short),
        cmocka_unit_test(admits_what_fits_beside_the_growth),
        cmocka_unit_test(promises_hold_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
