/*
 * bombs_test - programs that try to use up time or memory: each must be refused, raise, or
 * trip a budget, within the limits' wall_s + OVER_S and MEMORY_MIB + OVER_MIB resident.
 *
 * Time is the processor's, of this process and of the program's own together: what a busy
 * machine makes them wait is not theirs. A wait that none of both works in would be seen by
 * HANG_S. Memory is the most that the program's process had resident, all of it counted.
 *
 * The bombs are those of the data folder's dsl/bombs.json, where it is there, those of
 * tests/dsl/bombs.json, and programs made at random of AMPLIFIERS, each of which makes a value
 * larger or longer to go through.
 *
 *     tests_dsl_bombs_test [HOW_MANY_AT_RANDOM [SEED]]
 */
#include "base/clock.h"
#include "base/file_map.h"
#include "base/json.h"
#include "base/sanitized.h"
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

enum { MEMORY_MIB = 64, OVER_MIB = 16, AMPLIFIED = 3 };
static const double OVER_S = 0.1, HANG_S = 60;

/* Time enough to use up all memory on a busy machine; then little time. */
static const struct dsl_limits LIMITS[] = {
    {.bytes = (size_t)MEMORY_MIB << 20, .wall_s = 1.25, .steps = 4 * 1000 * 1000},
    {.bytes = (size_t)MEMORY_MIB << 20, .wall_s = 0.02},
};

enum { REFUSED, RAISED, BUDGET, FINISHED, KINDS_COUNT };
static const char *KINDS[] = {"refused", "raised", "budget", "finished"};

/* What a program came to, told by the process that ran it. */
struct ending {
    int kind; /* index into KINDS */
    double processor_s, wall_s;
    long mib;
};

static const char *const AMPLIFIERS[] = {
    "x = [x] * 100000",
    "x = str(x) * 100000",
    "x = ''.join(map(str, [x] * 10000))",
    "x = str(x).replace('1', '1' * 10000)",
    "x = str(x).join(['ab'] * 100000)",
    "x = [x, x, [x, x, [x, x]]]",
    "for i in range(30):\n    x = [x, x]",
    "for i in range(30):\n    x = (x, x)",
    "x = repr(x)",
    "x = f'{str(x):>{1000000}}'",
    "x = '%1000000s' % (x,)",
    "x = str(x).zfill(1000000)",
    "x = (x == [1, [1, 1]], x, str(x) < str(x) + 'a')",
    "x = sorted([str(x)] * 10000)",
    "x = {i: x for i in range(100000)}",
    "x = json.dumps(x)",
    "x = json.loads(str(x))",
    "x = re.findall(r'(1|a)*?(.)', str(x))",
    "x = re.sub(r'.', 'abc' * 1000, str(x))",
    "x = re.split(r'(,)|(1)', str(x))",
    "x = list(str(x))",
    "x = str(x).split('1')",
    "x = [i for i in str(x) for j in str(x)]",
    "x = list(itertools.product([x, x, 1], repeat=12))",
    "x = list(itertools.permutations([x, 1, 2, 3, 4, 5, 6, 7, 8]))",
    "x = Counter(str(x) * 1000)",
    "x = functools.reduce(lambda a, b: [a, b], [x] * 100000)",
    "def f(n):\n    return f(n + [x]) if n else x\nx = f([x])",
    "x = hash((str(x), repr(x)))",
    "x = str(x).count('1a') + str(x).find('11' * 1000) + str(x).rfind('b1')",
    "x = max([str(x)] * 1000) + min([str(x)] * 1000)",
    "x = chunk_by_section(str(x), 10, 9)",
    "x = chunk_by_section(str(x), 100000, 99999)",
    "x = chunk_by_page(str(x)) + chunk_by_paragraph(str(x))",
    "x = bm25_retrieve_top_k_chunks([str(x), 'ab'], str(x), 5)",
    "x = chunk_by_function_and_class(str(x))",
    "x = str(x)[::-1].upper().title().swapcase()",
    "x = [str(x)[i:] for i in range(len(str(x)))]",
    "x = copy if (copy := [x][:] * 10) else x",
    "x = math.factorial(len(str(x)))",
    "x = sum([[x]] * 100000, [])",
    "x = set(str(x)) | {str(x) + str(i) for i in range(10000)}",
    "x = '{0:>999999}{0!r}{0}'.format(str(x))",
    "try:\n    x = x[10 ** 9]\nexcept Exception as e:\n    x = [str(e), repr(e), x] * 1000",
    "while len(str(x)) < 10 ** 9:\n    x = str(x) + '1'",
};

/* Runs the bomb as the body of a module, unless it defines all itself. */
static int run(struct text bomb, const struct dsl_limits *limits)
{
    static const char TAIL[] = "\ndef prepare_jobs(context, a=None, b=None):\n    return []\n";
    static const char LAST[] = "\ndef transform_outputs(jobs):\n    return ''\n";
    struct text_buf source = {0};
    struct dsl_program *program = NULL;
    struct dsl_fault fault = {0};
    struct dsl_jobs jobs;
    const struct text document = TEXT("x");
    text_buf_add(&source, bomb);
    if (text_find(bomb, TEXT("def prepare_jobs"), 0) == SIZE_MAX)
        text_buf_add(&source, text_of(TAIL));
    if (text_find(bomb, TEXT("def transform_outputs"), 0) == SIZE_MAX)
        text_buf_add(&source, text_of(LAST));
    const struct dsl_options options = {text_buf_text(&source), &document, 1, limits};
    enum status status = dsl_open(&program, &options, &fault, NULL);
    if (status == OK)
        status = dsl_prepare_jobs(program, NULL, &jobs, &fault, NULL);
    dsl_close(program);
    text_buf_deinit(&source);
    if (status != OK)
        fprintf(stderr, "line %d: %s %.90s\n", fault.line, fault.exception, fault.message);
    if (status != OK && strstr(fault.message, "its process ended"))
        return KINDS_COUNT; /* nothing of ours noticed that it was too much */
    return status == OK ? FINISHED : (int)fault.kind;
}

static double used_s(int who)
{
    struct rusage usage;
    assert_int_equal(getrusage(who, &usage), 0);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

static long children_mib(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_CHILDREN, &usage), 0);
    return usage.ru_maxrss / 1024;
}

/* In a process of its own, so that what it waited for is the bomb alone. */
static bool explode(struct text bomb, const struct dsl_limits *limits, struct ending *ending)
{
    int how = 0, ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        const double start = clock_now_s();
        ending->kind = run(bomb, limits);
        ending->wall_s = clock_now_s() - start;
        ending->processor_s = used_s(RUSAGE_SELF) + used_s(RUSAGE_CHILDREN);
        ending->mib = children_mib();
        _exit(write(ends[1], ending, sizeof(*ending)) == (ssize_t)sizeof(*ending) ? 0 : 1);
    }
    close(ends[1]);
    const bool is_told = read(ends[0], ending, sizeof(*ending)) == (ssize_t)sizeof(*ending);
    close(ends[0]);
    waitpid(child, &how, 0);
    return is_told && WIFEXITED(how) && WEXITSTATUS(how) == 0;
}

static bool is_within(const struct ending *ending, const struct dsl_limits *limits)
{
    if (SANITIZED) /* slower and larger */
        return ending->wall_s < HANG_S;
    return ending->processor_s <= limits->wall_s + OVER_S &&
           ending->mib <= MEMORY_MIB + OVER_MIB && ending->wall_s < HANG_S;
}

/* What came of several. */
struct tally {
    int total, contained, kinds[KINDS_COUNT];
    double worst_over_s;
    long worst_mib;
};

static void try_limits(const char *name, struct text bomb, const struct dsl_limits *limits,
                       struct tally *tally)
{
    struct ending ending = {0};
    tally->total++;
    if (!explode(bomb, limits, &ending) || ending.kind == KINDS_COUNT) {
        printf("%s: died\n%.*s\n", name, TEXT_ARG(bomb));
        return;
    }
    const bool is_fine = is_within(&ending, limits);
    const double over_s = ending.processor_s - limits->wall_s;
    printf("%-24s %-8s %6.2f s, waited %6.2f s, limit %g s, %4ld MiB%s\n", name,
           KINDS[ending.kind], ending.processor_s, ending.wall_s, limits->wall_s, ending.mib,
           is_fine ? "" : "  OVER");
    if (!is_fine)
        printf("%.*s\n", TEXT_ARG(text_slice(bomb, 0, 400)));
    tally->contained += is_fine;
    tally->kinds[ending.kind]++;
    tally->worst_over_s = over_s > tally->worst_over_s ? over_s : tally->worst_over_s;
    tally->worst_mib = ending.mib > tally->worst_mib ? ending.mib : tally->worst_mib;
}

static void try_bomb(const char *name, struct text bomb, struct tally *tally)
{
    for (size_t i = 0; i < sizeof LIMITS / sizeof LIMITS[0]; i++)
        try_limits(name, bomb, &LIMITS[i], tally);
}

static void check_tally(const char *what, const struct tally *t)
{
    printf("%s: %d of %d contained; refused %d, raised %d, budget %d, finished %d; "
           "at most %.2f s over the limit, %ld MiB\n",
           what, t->contained, t->total, t->kinds[REFUSED], t->kinds[RAISED], t->kinds[BUDGET],
           t->kinds[FINISHED], t->worst_over_s, t->worst_mib);
    assert_int_equal(t->contained, t->total);
}

static void try_file(const char *path)
{
    struct file_map map;
    struct json *root = NULL;
    struct tally tally = {0};
    assert_int_equal(file_map_open(&map, path, 0, NULL), OK);
    assert_int_equal(
        json_parse((struct text){(const char *)map.data, map.size}, 0, &root, NULL), OK);
    for (const struct json *bomb = json_first(root); bomb; bomb = json_next(bomb)) {
        struct text source = {0};
        char name[64];
        snprintf(name, sizeof name, "%.*s", TEXT_ARG(json_key(bomb)));
        assert_true(json_text(bomb, &source));
        try_bomb(name, source, &tally);
    }
    json_free(root);
    file_map_close(&map);
    check_tally(path, &tally);
}

static void bombs_of_the_data(void **state)
{
    const struct test_data_path path = test_data("dsl/bombs.json");
    (void)state;
    if (!test_data_is_there(&path))
        skip();
    try_file(path.text);
}

static void bombs_of_the_tree(void **state)
{
    (void)state;
    try_file("tests/dsl/bombs.json");
}

static struct {
    unsigned count, seed;
} at_random = {6, 1};

static unsigned draw(unsigned below)
{
    at_random.seed = at_random.seed * 1664525u + 1013904223u;
    return (at_random.seed >> 8) % below;
}

static void bombs_at_random(void **state)
{
    enum { COUNT = sizeof AMPLIFIERS / sizeof AMPLIFIERS[0] };
    struct tally tally = {0};
    (void)state;
    for (unsigned i = 0; i < at_random.count; i++) {
        struct text_buf source = {0};
        char name[32];
        snprintf(name, sizeof name, "random %u", i);
        text_buf_add(&source, TEXT("import re, json, math, itertools, functools\n"
                                   "from collections import Counter\nx = [1, 1]\n"));
        for (int j = 0; j < AMPLIFIED; j++)
            text_buf_format(&source, "%s\n", AMPLIFIERS[draw(COUNT)]);
        try_bomb(name, text_buf_text(&source), &tally);
        text_buf_deinit(&source);
    }
    check_tally("made at random", &tally);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bombs_of_the_data),
        cmocka_unit_test(bombs_of_the_tree),
        cmocka_unit_test(bombs_at_random),
    };
    if (argc > 1)
        at_random.count = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        at_random.seed = (unsigned)strtoul(argv[2], NULL, 10);
    struct error err;
    if (dsl_try_limits(&err) != OK) { /* once, not in each bomb's process */
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
