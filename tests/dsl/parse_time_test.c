/*
 * parse_time_test - sources of 32 KiB, as hard to parse as could be found: each is lowered or
 * refused within 250 ms. Processor time is counted, so that other work beside it does
 * not; builds with sanitizers, several times slower, only run them.
 */
#include "base/sanitized.h"
#include "protocol/dsl/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { SOURCE_BYTES = 32 << 10, TIME_MS_MAX = 250 };

static const struct dsl_limits LIMITS = {.steps = 1000000,
                                         .bytes = (size_t)64 << 20,
                                         .depth = 100,
                                         .source_bytes = SOURCE_BYTES,
                                         .jobs = 10,
                                         .chunk_bytes = 1 << 20,
                                         .output_bytes = 1 << 20};

/* head, as many pieces as fit, tail */
static const struct {
    const char *head, *piece, *tail;
} SOURCES[] = {
    {"", "...", ""},
    {"", "with a:", ""},
    {"", "class a:", ""},
    {"", "'''a", ""},
    {"", "exec ", ""},
    {"", "a,", "=b"},
    {"", "type a = ", ""},
    {"f(", "*a,", ")"},
    {"", "a;", ""},
    {"x=a[", ":", "]"},
    {"", "@", ""},
    {"x='''", "a\n", ""},
    {"x=f'", "{a}", "'"},
    {"x=f'", "{", "'"},
    {"x=f'", "{f'", ""},
    {"", "(", ""},
    {"", "[{", ""},
    {"x = 1 ", "\\\n", ""},
    {"x = \"", "\\\n", ""},
    {"x=1", "+1", ""},
    {"x=", "-", "1"},
    {"x=", "not ", "1"},
    {"x=1", "**1", ""},
    {"x=1", "<1", ""},
    {"x=a", ".a", ""},
    {"x=a", "()", ""},
    {"x=a", "[0]", ""},
    {"x=", "lambda:", "1"},
    {"x=", "1 if 1 else ", "1"},
    {"", "def f():pass\n", ""},
    {"x={", "1:1,", "}"},
    {"x=[a", " for a in b", "]"},
    {"", "if a: b\nelse: c\n", ""},
    {"", "'", ""},
    {"", "print >>a,", ""},
    {"", "await ", ""},
    {"x=f'", "{a:{b}}", "'"},
    {"x=f'", "{a!r:>", ""},
    {"", "(')\n", ""},
    {"", "a:b\n", ""},
    {"", "if a:\n ", ""},
    {"", "if a:\n\t", "b"},
    {"", " a\n", ""},
    {"", "  a\n b\n", ""},
    {"", "else:\n", ""},
    {"", "try:\n pass\n", ""},
    {"x=", "lambda a=", "1"},
    {"x=", "(lambda a:b)(", ""},
    {"x=[", "[a for a in b],", "]"},
    {"x=[", "[a for a in ", ""},
    {"x={", "'a':{},", "}"},
    {"x={", "**a,", "}"},
    {"x=", "f'{a}'", ""},
    {"x=f'", "{a!r:>{b}.{c}}", "'"},
    {"x=f'''", "{f'''", ""},
    {"x=", "f\"{", ""},
    {"x=", "'a' ", ""},
    {"x=", "'\n", ""},
    {"x=", "\"\"\"", ""},
    {"x=a", " if b else c", ""},
    {"x=a", " if b", ""},
    {"x=a", " and not b", ""},
    {"x=a", "[b", ""},
    {"x=a", "[b:c,", "]"},
    {"x=a", "(b=c)", ""},
    {"f(", "a=b,", ")"},
    {"def f(", "a,", "): pass"},
    {"", "def f(a:", ""},
    {"", "@a\n", "def f(): pass"},
    {"", "a=", "b"},
    {"", "a:b=", "c"},
    {"", "*a,", "=b"},
    {"", "(yield ", ""},
    {"", "(a:=", ""},
    {"x=", "1", ""},
    {"from a import ", "b,", "c"},
    {"import a", ".b", ""},
    {"from ", ".", " import a"},
    {"global ", "a,", "a"},
    {"", "match a:\n case b:\n  ", ""},
    {"", "match ", ""},
    {"match a:\n case ", "b|", "c: pass"},
    {"", "case ", ""},
    {"", "print ", ""},
    {"", "assert a,", "b"},
    {"", "for a in b:", ""},
    {"", "while a:\n", ""},
    {"", "try:\n except", ""},
    {"", "except a as b:\n", ""},
    {"", "async ", ""},
    {"", "~", "a"},
    {"", "?", ""},
    {"", "\xc3\xa9", ""},
    {"", "\xe2\x80\xa8", ""},
    {"", "\f\n", ""},
    {"", "\r", ""},
    {"", ";", ""},
    {"", ":", ""},
    {"", ")", ""},
    {"", "a b ", ""},
    {"x=", "()", ""},
};

static double processor_ms(void)
{
    struct timespec now;
    assert_int_equal(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec * 1e-6;
}

/* Opens it, and says how long that took. */
static double try_source(const char *head, const char *piece, const char *tail)
{
    static char source[SOURCE_BYTES + 1];
    const size_t ends = strlen(head) + strlen(tail);
    struct program *program = NULL;
    struct dsl_fault fault = {0};
    size_t size = strlen(head);
    strcpy(source, head);
    for (; size + strlen(piece) + ends - strlen(head) <= SOURCE_BYTES; size += strlen(piece))
        strcpy(source + size, piece);
    strcpy(source + size, tail);
    const struct dsl_options options = {text_of(source), NULL, 0, &LIMITS};
    const double begin = processor_ms();
    assert_int_not_equal(program_open(&program, &options, &fault, NULL), OK);
    program_close(program);
    assert_true(fault.message[0] != '\0');
    return processor_ms() - begin;
}

static void hard_sources(void **state)
{
    double worst_ms = 0;
    const char *worst = "";
    (void)state;
    for (size_t i = 0; i < sizeof SOURCES / sizeof SOURCES[0]; i++) {
        const double ms = try_source(SOURCES[i].head, SOURCES[i].piece, SOURCES[i].tail);
        if (ms > worst_ms)
            worst = SOURCES[i].piece;
        worst_ms = ms > worst_ms ? ms : worst_ms;
    }
    printf("the hardest: %.0f ms, of `%s`\n", worst_ms, worst);
    if (!SANITIZED)
        assert_true(worst_ms <= TIME_MS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hard_sources)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
