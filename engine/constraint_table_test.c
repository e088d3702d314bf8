/*
 * constraint_table_test - jobs of one source share a constraint, also from several threads;
 * what nobody holds is kept for a while and not for ever; what cannot be is refused with the
 * keyword and its path, or the byte.
 */
#include "engine/constraint_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { THREADS = 4, TAKES = 60, SOURCES = 5 };

static struct constraint_table table;

static struct constraint *take(const char *source)
{
    struct constraint *taken = NULL;
    struct error err;
    if (constraint_table_take(&table, CONSTRAINT_REGEX, text_of(source), &taken, &err) != OK)
        fail_msg("%s: %s", source, err.text);
    return taken;
}

static void one_source_is_one_constraint(void **state)
{
    (void)state;
    struct constraint *a = take("a+");
    struct constraint *b = take("a+");
    struct constraint *c = take("b+");
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, c);
    assert_int_equal(table.held_bytes, a->arena.size + c->arena.size);
    constraint_table_drop(a);
    constraint_table_drop(c);
    assert_int_equal(table.held_bytes, b->arena.size);
    assert_ptr_equal(take("b+"), c); /* kept */
    constraint_table_drop(b);
    constraint_table_drop(c);
    assert_int_equal(table.held_bytes, 0);
}

static void idle_ones_are_forgotten(void **state)
{
    char source[32];
    (void)state;
    struct constraint *held = take("held");
    for (int i = 0; i < 3 * CONSTRAINT_TABLE_IDLE_MAX; i++) {
        (void)snprintf(source, sizeof source, "x{%d}", i + 1);
        constraint_table_drop(take(source));
        assert_true(table.count <= CONSTRAINT_TABLE_IDLE_MAX + 1);
    }
    assert_ptr_equal(take("held"), held);
    constraint_table_drop(held);
    constraint_table_drop(held);
    assert_int_equal(table.idle_count, table.count);
}

static void *take_and_drop(void *context)
{
    char source[32];
    (void)context;
    for (int i = 0; i < TAKES; i++) {
        struct constraint *taken;
        (void)snprintf(source, sizeof source, "y{%d}", i % SOURCES + 1);
        if (constraint_table_take(&table, CONSTRAINT_REGEX, text_of(source), &taken, NULL) !=
            OK)
            return &table;
        constraint_table_drop(taken);
    }
    return NULL;
}

static void threads_share_them(void **state)
{
    pthread_t threads[THREADS];
    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_drop, NULL), 0);
    for (int i = 0; i < THREADS; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(table.held_bytes, 0);
    assert_int_equal(table.idle_count, table.count);
}

static void refusals_say_where(void **state)
{
    static const struct {
        enum constraint_kind kind;
        const char *source, *said;
        enum status status;
    } cases[] = {
        {CONSTRAINT_SCHEMA, "{\"properties\": {\"a\": {\"uniqueItems\": true}}}",
         "#/properties/a: uniqueItems", ERR_LIMIT},
        {CONSTRAINT_SCHEMA, "{\"type\": \"strin\"}", "strin", ERR_FORMAT},
        {CONSTRAINT_SCHEMA, "{", "byte 1", ERR_FORMAT},
        {CONSTRAINT_SCHEMA, "7", "schema", ERR_FORMAT},
        {CONSTRAINT_REGEX, "a(?=b)", "byte 4, look-around", ERR_LIMIT},
        {CONSTRAINT_REGEX, "a(", "without its )", ERR_FORMAT},
        {CONSTRAINT_REGEX, "[^\\s\\S]", "no text matches", ERR_LIMIT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct constraint *taken = NULL;
        struct error err = {0};
        const enum status status = constraint_table_take(
            &table, cases[i].kind, text_of(cases[i].source), &taken, &err);
        if (status != cases[i].status || !strstr(err.text, cases[i].said))
            fail_msg("%s: status %d, %s", cases[i].source, (int)status, err.text);
    }
    static char much[CONSTRAINT_SOURCE_MAX + 1];
    struct constraint *taken = NULL;
    struct error err = {0};
    memset(much, 'a', sizeof much);
    assert_int_equal(constraint_table_take(&table, CONSTRAINT_REGEX,
                                           (struct text){much, sizeof much}, &taken, &err),
                     ERR_LIMIT);
    assert_non_null(strstr(err.text, "1048577 bytes"));
}

static int make(void **state)
{
    (void)state;
    return constraint_table_init(&table, NULL) == OK ? 0 : -1;
}

static int unmake(void **state)
{
    (void)state;
    constraint_table_deinit(&table);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_source_is_one_constraint),
        cmocka_unit_test(idle_ones_are_forgotten),
        cmocka_unit_test(threads_share_them),
        cmocka_unit_test(refusals_say_where),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
