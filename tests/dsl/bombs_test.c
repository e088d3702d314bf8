/*
 * bombs_test - programs that try to use up time or memory: each must be refused, raise, or
 * trip a budget, in bounded time and memory.
 *
 * Needs the data folder's dsl/bombs.json; skipped without it.
 */
#include "base/clock.h"
#include "base/file_map.h"
#include "base/json.h"
#include "protocol/dsl/dsl.h"
#include "tests/harness/test_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MEMORY_MIB = 64, OVERHEAD_MIB = 64, SECONDS_MAX = 60, SKIPPED = 77 };

static const char *KINDS[] = {"refused", "raised", "budget", "finished"};

/* Runs the bomb as the body of a module; answers how it ended, an index into KINDS. */
static int run(struct text bomb)
{
    static const char TAIL[] = "\ndef prepare_jobs(context, a=None, b=None):\n    return []\n"
                               "def transform_outputs(jobs):\n    return ''\n";
    const struct dsl_limits limits = {.steps = 20 * 1000 * 1000,
                                      .bytes = (size_t)MEMORY_MIB << 20};
    struct text_buf source = {0};
    struct dsl_program *program = NULL;
    struct dsl_fault fault = {0};
    struct dsl_jobs jobs;
    const struct text document = TEXT("x");
    text_buf_add(&source, bomb);
    text_buf_add(&source, text_of(TAIL));
    const struct dsl_options options = {text_buf_text(&source), &document, 1, &limits};
    enum status status = dsl_open(&program, &options, &fault, NULL);
    if (status == OK)
        status = dsl_prepare_jobs(program, NULL, &jobs, &fault, NULL);
    dsl_close(program);
    text_buf_deinit(&source);
    if (status != OK)
        fprintf(stderr, "line %d: %s %.90s\n", fault.line, fault.exception, fault.message);
    return status == OK ? 3 : (int)fault.kind;
}

/* In a child, so that its memory and its crashes are its own. */
static bool survives(const char *name, struct text bomb, int counts[4])
{
    int how = 0;
    struct rusage usage;
    const double begin = clock_now_s();
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0)
        _exit(run(bomb));
    wait4(child, &how, 0, &usage);
    const double seconds = clock_now_s() - begin;
    const long mib = usage.ru_maxrss / 1024;
    if (!WIFEXITED(how) || WEXITSTATUS(how) > 3) {
        printf("%s: died\n", name);
        return false;
    }
    counts[WEXITSTATUS(how)]++;
    printf("%-12s %-8s %6.2f s %4ld MiB\n", name, KINDS[WEXITSTATUS(how)], seconds, mib);
    return seconds < SECONDS_MAX && mib < MEMORY_MIB + OVERHEAD_MIB;
}

static void bombs(void **state)
{
    int survived = 0, total = 0, counts[4] = {0};
    for (const struct json *bomb = json_first(*state); bomb; bomb = json_next(bomb)) {
        struct text source = {0};
        char name[64];
        snprintf(name, sizeof name, "%.*s", TEXT_ARG(json_key(bomb)));
        assert_true(json_text(bomb, &source));
        total++;
        survived += survives(name, source, counts);
    }
    printf("bombs: %d of %d contained; refused %d, raised %d, budget %d, finished %d\n",
           survived, total, counts[0], counts[1], counts[2], counts[3]);
    assert_int_equal(survived, total);
}

int main(void)
{
    const struct test_data_path path = test_data("dsl/bombs.json");
    struct file_map map;
    struct json *root = NULL;
    if (!test_data_is_there(&path))
        return SKIPPED;
    if (file_map_open(&map, path.text, 0, NULL) != OK ||
        json_parse((struct text){(const char *)map.data, map.size}, 0, &root, NULL) != OK)
        return 1;
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(bombs, root)};
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    json_free(root);
    file_map_close(&map);
    return failed;
}
