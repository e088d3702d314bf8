/* args_test - each kind of option, its limits, and what is refused. */
#include "tools/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct {
    bool flag;
    const char *name;
    struct args_list files;
    uint32_t count;
    uint64_t seed;
    float heat;
    int mode;
} got;

static const struct args_option options[] = {
    {'j', "json", NULL, ARGS_FLAG, &got.flag, 0, 0, "a flag"},
    {0, "name", "TEXT", ARGS_TEXT, &got.name, 0, 0, "a text"},
    {'f', "file", "FILE", ARGS_LIST, &got.files, 0, 0, "a list"},
    {'n', "count", "N", ARGS_U32, &got.count, 1, 10, "a number"},
    {0, "seed", "N", ARGS_U64, &got.seed, 0, 0, "a long number"},
    {0, "heat", "T", ARGS_REAL, &got.heat, 0, 2, "a real"},
    {0, "mode", "exact|int8", ARGS_CHOICE, &got.mode, 0, 0, "a choice"},
};

static const struct args_command command = {.name = "test",
                                            .usage = "[options]",
                                            .about = "A test.",
                                            ARGS_OPTIONS(options),
                                            .words_min = 1,
                                            .words_max = 2};

/* Parses words, the last being NULL; standard output and error go nowhere. */
static enum args_result parse(const char *const *words, int *rest)
{
    char storage[16][64], *argv[17] = {storage[0]};
    int argc = 1;
    memset(&got, 0, sizeof got);
    (void)strcpy(storage[0], "test");
    for (; *words; words++, argc++) {
        (void)snprintf(storage[argc], sizeof storage[argc], "%s", *words);
        argv[argc] = storage[argc];
    }
    FILE *const err = stderr, *const out = stdout;
    stderr = stdout = fopen("/dev/null", "w");
    const enum args_result result = args_parse(&command, argc, argv, rest);
    (void)fclose(stdout);
    stderr = err;
    stdout = out;
    return result;
}

#define PARSE(rest, ...) parse((const char *const[]){__VA_ARGS__, NULL}, (rest))

static void test_kinds(void **state)
{
    int rest;
    (void)state;
    assert_int_equal(PARSE(&rest, "-j", "--name=x", "-f", "a", "-fb", "-n10", "--seed",
                           "18446744073709551615", "--heat", "0.5", "--mode", "int8", "more"),
                     ARGS_GO);
    assert_true(got.flag);
    assert_int_equal(got.files.count, 2);
    assert_int_equal(got.count, 10);
    assert_true(got.seed == UINT64_MAX);
    assert_true(got.heat > 0.4f && got.heat < 0.6f);
    assert_int_equal(got.mode, 1);
    assert_int_equal(rest, 13);
    assert_int_equal(PARSE(&rest, "--mode", "exact", "--", "-j"), ARGS_GO);
    assert_false(got.flag);
    assert_int_equal(rest, 4);
}

static void test_help(void **state)
{
    int rest;
    (void)state;
    assert_int_equal(args_exit_code(ARGS_DONE), 0);
    assert_int_equal(args_exit_code(ARGS_WRONG), 64);
    assert_int_equal(PARSE(&rest, "--help"), ARGS_DONE);
    assert_int_equal(PARSE(&rest, "-h"), ARGS_DONE);
    assert_int_equal(PARSE(&rest, "-j", "x", "--help"), ARGS_DONE);
}

static void test_refusals(void **state)
{
    static const char *const wrong[][2] = {
        {"--nothing", NULL}, {"-x", NULL},       {"--name", NULL},     {"-n", "0"},
        {"-n", "11"},        {"-n", "-1"},       {"-n", "1x"},         {"-n", ""},
        {"--heat", "nan"},   {"--heat", "2.1"},  {"--heat", "x"},      {"--mode", "int"},
        {"--mode", ""},      {"--seed", "1e3"},  {"--seed", "-1"},     {"--json=1", NULL},
        {"--seed", " 1"},    {"--heat", "1.0f"}, {"--mode", "exact|"}, {"-n", "4294967297"},
    };
    int rest;
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        if (PARSE(&rest, wrong[i][0], wrong[i][1]) != ARGS_WRONG)
            fail_msg("%s %s is taken", wrong[i][0], wrong[i][1] ? wrong[i][1] : "");
    }
}

static void test_words(void **state)
{
    (void)state;
    FILE *const err = stderr;
    char *said = NULL;
    size_t size = 0;
    stderr = open_memstream(&said, &size);
    assert_true(args_words_fit(&command, 0, 0, 0));
    assert_true(args_words_fit(&command, 1, 0, 1));
    assert_false(args_words_fit(&command, 1, 0, 0));
    assert_false(args_words_fit(&command, 2, 3, 3));
    assert_false(args_words_fit(&command, 0, 1, 2));
    (void)fclose(stderr);
    stderr = err;
    assert_string_equal(
        said, "cohort test: 1 argument, want none; usage: cohort test [options]\n"
              "cohort test: 2 arguments, want 3; usage: cohort test [options]\n"
              "cohort test: 0 arguments, want 1 to 2; usage: cohort test [options]\n");
    free(said);
}

static void test_words_are_counted_after_the_options(void **state)
{
    static const struct {
        int argc;
        enum args_result wanted;
    } cases[] = {{2, ARGS_WRONG}, {3, ARGS_GO}, {4, ARGS_GO}, {5, ARGS_WRONG}};
    char words[5][8] = {"test", "--json", "a", "b", "c"};
    char *argv[6] = {words[0], words[1], words[2], words[3], words[4], NULL};
    FILE *const err = stderr;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int rest = 0;
        stderr = fopen("/dev/null", "w");
        const enum args_result result = args_parse_words(&command, cases[i].argc, argv, &rest);
        (void)fclose(stderr);
        stderr = err;
        assert_int_equal(result, cases[i].wanted);
        assert_int_equal(rest, 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_words_are_counted_after_the_options),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
