/* prices_test - the longest name counts, the user's file before our table. */
#include "tools/prices.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64], path[128];

static void write_prices(const char *lines)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(lines, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
    (void)state;
    snprintf(folder, sizeof(folder), "/tmp/prices_test_XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/cohort", folder);
    if (mkdir(path, 0700) != 0)
        return -1;
    snprintf(path, sizeof(path), "%s/cohort/prices", folder);
    return setenv("XDG_CONFIG_HOME", folder, 1);
}

static int drop_folder(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

static void finds(const char *model, double in, double out, bool known)
{
    struct ledger_price price = {0};
    struct error err = {0};
    bool is_known = !known;
    assert_int_equal(prices_find(model, &price, &is_known, &err), OK);
    assert_true(is_known == known && price.in == in && price.out == out);
}

static void the_longest_name_counts(void **state)
{
    (void)state;
    finds("gpt-4o-2024-08-06", 2.5, 10, true);
    finds("gpt-4o-mini-2024-07-18", 0.15, 0.6, true);
    finds("claude-sonnet-4-20250514", 3, 15, true);
    finds("my-own-model", 2.5, 10, false);
    write_prices("# mine\nmy-own 1 2   # cheap\n\nmy-own-model 0 0.5\ngpt-4o 9 9\n");
    finds("my-own-thing", 1, 2, true);
    finds("my-own-model-7b", 0, 0.5, true);
    finds("gpt-4o-mini", 9, 9, true); /* any line of the file is before the table */
    finds("o3", 2, 8, true);
}

static void a_wrong_line_is_named(void **state)
{
    (void)state;
    static const char *const wrong[] = {"x\n", "x 1\n", "x 1 2 3\n", "x -1 2\n", "x a b\n"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char lines[64];
        struct ledger_price price;
        struct error err = {0};
        bool is_known;
        snprintf(lines, sizeof(lines), "good 1 2\n%s", wrong[i]);
        write_prices(lines);
        assert_int_equal(prices_find("o3", &price, &is_known, &err), ERR_FORMAT);
        assert_non_null(strstr(err.text, "prices line 2: a price is NAME IN OUT"));
    }
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_name_counts),
        cmocka_unit_test(a_wrong_line_is_named),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
