/* forward_graph_test - a shape is new, then seen, then recorded; the oldest gives way. */
#include "engine/forward_graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void new_then_seen_then_recorded(void **state)
{
    (void)state;
    struct forward_graph graph = {.uses = 0};
    const struct batch_pad_shape a = {4, 6, 8}, b = {4, 6, 12};
    uint32_t slot_a, slot_b, again;
    assert_int_equal(forward_graph_find(&graph, &a, &slot_a), FORWARD_GRAPH_NEW);
    assert_int_equal(forward_graph_find(&graph, &b, &slot_b), FORWARD_GRAPH_NEW);
    assert_int_not_equal(slot_a, slot_b);
    assert_int_equal(forward_graph_find(&graph, &a, &again), FORWARD_GRAPH_SEEN);
    assert_int_equal(again, slot_a);
    forward_graph_recorded(&graph, slot_a);
    assert_int_equal(forward_graph_find(&graph, &a, &again), FORWARD_GRAPH_RECORDED);
    assert_int_equal(again, slot_a);
    assert_int_equal(forward_graph_find(&graph, &b, &again), FORWARD_GRAPH_SEEN);
}

static void the_oldest_gives_way(void **state)
{
    (void)state;
    struct forward_graph graph = {.uses = 0};
    const struct batch_pad_shape keep = {1, 1, 1};
    uint32_t slot, kept;
    assert_int_equal(forward_graph_find(&graph, &keep, &kept), FORWARD_GRAPH_NEW);
    forward_graph_recorded(&graph, kept);
    for (int32_t i = 0; i < 3 * DEVICE_GRAPH_SLOTS; i++) {
        const struct batch_pad_shape shape = {2, 2, 2 + i};
        assert_int_equal(forward_graph_find(&graph, &shape, &slot), FORWARD_GRAPH_NEW);
        assert_int_not_equal(slot, kept);
        assert_int_equal(forward_graph_find(&graph, &keep, &slot), FORWARD_GRAPH_RECORDED);
    }
    const struct batch_pad_shape first = {2, 2, 2};
    assert_int_equal(forward_graph_find(&graph, &first, &slot), FORWARD_GRAPH_NEW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_then_seen_then_recorded),
        cmocka_unit_test(the_oldest_gives_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
