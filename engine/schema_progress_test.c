/*
 * schema_progress_test - whether an object can be completed, as a search through everything
 * that may still come finds it: random small objects.
 */
#include "engine/schema_progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { NAMES = 6, OTHERS = 3, OPTIONS = 4, OBJECTS = 3000, PLACES = 40, COUNT_MAX = 9 };

struct world {
    struct schema_object object;
    struct schema_options ways[NAMES + OTHERS];
    struct schema_option options[NAMES + OTHERS][OPTIONS];
    uint32_t sets[NAMES + OTHERS];
    uint16_t alike[NAMES];
    signed char known[1 << NAMES][COUNT_MAX + 1][1 << SCHEMA_NEEDS_MAX]; /* 0: not asked */
};

static uint32_t random_state = 1;

static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

static void make_way(struct world *world, uint32_t way)
{
    struct schema_options *options = &world->ways[way];
    struct schema_object *object = &world->object;
    options->list = world->options[way];
    options->count = options->total = draw(OPTIONS + 1);
    for (uint32_t i = 0; i < options->count; i++)
        options->list[i] = (struct schema_option){
            .node = 1, .meets = (uint16_t)(draw(2) ? draw(object->needs + 1u) : 0)};
    if (options->count == 0)
        return;
    if (way < NAMES)
        object->usable.names.bits[0] |= 1ull << way;
    else
        object->usable.others |= 1ull << (way - NAMES);
    if (way < NAMES && draw(4) == 0)
        object->required.bits[0] |= 1ull << way;
}

static void make_world(struct world *world)
{
    const uint32_t others = draw(3) ? draw(OTHERS + 1) : 0;
    memset(world, 0, sizeof *world);
    struct schema_object *object = &world->object;
    *object = (struct schema_object){.ways = world->ways,
                                     .name_count = NAMES,
                                     .way_count = NAMES + others,
                                     .sets = world->sets,
                                     .alike = world->alike,
                                     .min = draw(4),
                                     .max = draw(2) ? draw(COUNT_MAX) : COUNT_MAX,
                                     .needs = (uint16_t)((1u << draw(SCHEMA_NEEDS_MAX)) - 1)};
    for (uint32_t way = 0; way < object->way_count; way++)
        make_way(world, way);
    schema_progress_fill(object);
}

/* By trying each property that may come next. */
static bool can_end(struct world *world, uint32_t seen, uint32_t count, uint32_t met)
{
    const struct schema_object *object = &world->object;
    if (count > object->max || count > COUNT_MAX)
        return false;
    signed char *known = &world->known[seen][count][met];
    if (*known != 0)
        return *known > 0;
    bool can = met == object->needs && count >= object->min &&
               (object->required.bits[0] & ~(uint64_t)seen) == 0;
    for (uint32_t way = 0; !can && way < object->way_count; way++) {
        const uint32_t bit = way < NAMES ? 1u << way : 0;
        for (uint32_t i = 0; !(seen & bit) && !can && i < world->ways[way].count; i++)
            can = can_end(world, seen | bit, count + 1, met | world->options[way][i].meets);
    }
    *known = can ? 1 : -1;
    return can;
}

static void check_place(struct world *world)
{
    const struct schema_object *object = &world->object;
    const uint32_t seen = draw(1u << NAMES) & (uint32_t)object->usable.names.bits[0];
    const uint32_t count = (uint32_t)__builtin_popcount(seen) + draw(2);
    const struct schema_progress progress = {
        .seen = {.bits = {seen}},
        .count = count,
        .met = (uint16_t)(draw(object->needs + 1u) & object->needs)};
    if (count > COUNT_MAX)
        return;
    assert_int_equal(schema_progress_can_end(object, &progress),
                     can_end(world, seen, count, progress.met));
    for (uint32_t way = 0; way < object->way_count; way++) {
        const uint32_t bit = way < NAMES ? 1u << way : 0;
        bool can = false;
        if (seen & bit)
            continue;
        for (uint32_t i = 0; i < world->ways[way].count; i++)
            can = can || can_end(world, seen | bit, count + 1,
                                 progress.met | world->options[way][i].meets);
        assert_int_equal(schema_progress_can_take(object, &progress, way), can);
    }
}

static void finds_what_a_search_finds(void **state)
{
    static struct world world;
    (void)state;
    for (uint32_t n = 0; n < OBJECTS; n++) {
        make_world(&world);
        for (uint32_t place = 0; place < PLACES; place++)
            check_place(&world);
    }
}

/* Three needs of which the last is met by a name alone; the first name is reserved. */
static void needs_met_by_values_are_looked_after(void **state)
{
    enum { NAME, OTHER, A = 1, B = 2, C = 4 };
    struct schema_option list[2][3] = {{{1, 0, 0}, {1, A, 0}, {1, A | B | C, 0}},
                                       {{1, 0, 0}, {1, A | C, 0}, {1, C, 0}}};
    struct schema_options ways[] = {{list[0], 3, 3}, {list[1], 3, 3}};
    uint32_t sets[2];
    uint16_t alike[1];
    struct schema_object object = {.ways = ways,
                                   .name_count = 1,
                                   .way_count = 2,
                                   .sets = sets,
                                   .alike = alike,
                                   .max = SCHEMA_NO_MAX,
                                   .needs = A | B | C,
                                   .by_value = A | B,
                                   .reserved = {.bits = {1}},
                                   .usable = {.names = {.bits = {1}}, .others = 1}};
    (void)state;
    schema_progress_fill(&object);
    assert_int_equal(schema_progress_may_meet(&object, NAME), A | B);
    assert_int_equal(schema_progress_may_meet(&object, OTHER), A);
    assert_false(schema_progress_is_free(&object, NAME, 0, 0)); /* it would be used up */
    assert_true(schema_progress_is_free(&object, NAME, 0, A));
    assert_false(schema_progress_is_free(&object, NAME, A, A)); /* and B is left */
    assert_true(schema_progress_is_free(&object, NAME, A | B, 0));
    assert_true(schema_progress_is_free(&object, OTHER, 0, 0));
    assert_true(schema_progress_may_repeat(&object, NAME, 0, A));   /* it comes once */
    assert_false(schema_progress_may_repeat(&object, OTHER, 0, A)); /* the first counts */
    assert_false(schema_progress_may_repeat(&object, OTHER, A, 0)); /* the last does */
    assert_true(schema_progress_may_repeat(&object, OTHER, A, A));
    assert_true(schema_progress_may_repeat(&object, OTHER, B, C)); /* by the name */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(finds_what_a_search_finds),
                                       cmocka_unit_test(needs_met_by_values_are_looked_after)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
