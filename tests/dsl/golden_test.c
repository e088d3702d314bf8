/*
 * golden_test - small programs that print, each with what it must print.
 *
 * In golden/NAME.py, every comment `# expect: TEXT` is a line of output, in order. A program
 * that must fail has `# expect error: CLASS: MESSAGE` or `# expect refused: LINE: MESSAGE` or
 * `# expect budget` as its last one. With file names as arguments, runs those and shows what
 * they print instead; with `-`, programs from standard input, a zero byte between them, and
 * ends what each prints with a byte 0xff (oracle.py).
 */
#include "protocol/dsl/builtins.h"
#include "protocol/dsl/eval.h"
#include "protocol/dsl/lower.h"
#include "protocol/dsl/repr.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char FOLDER[] = "tests/dsl/golden";
static const struct dsl_limits LIMITS = {.steps = 20 * 1000 * 1000,
                                         .bytes = (size_t)128 << 20,
                                         .depth = 100,
                                         .source_bytes = 32 << 10,
                                         .jobs = 2048,
                                         .chunk_bytes = (size_t)16 << 20,
                                         .output_bytes = 1 << 20};

static bool open_globals(struct interp *in, const struct scope *globals)
{
    in->global_count = globals->symbol_count;
    in->globals = interp_alloc(in, (size_t)in->global_count + 1, sizeof *in->globals);
    in->builtins = interp_alloc(in, (size_t)in->global_count + 1, sizeof *in->builtins);
    for (uint32_t i = 0; in->builtins && i < in->global_count; i++)
        if (!builtins_find(in, str_text(globals->symbols[i].name), &in->builtins[i]))
            return false;
    return in->globals && in->builtins;
}

static void write_failure(struct interp *in, struct text_buf *out)
{
    struct str *message = in->raised ? exception_text(in, in->raised) : NULL;
    if (!message) {
        text_buf_add(out, TEXT("budget\n"));
        return;
    }
    text_buf_format(out, "error: %s: %.*s\n", in->raised->type->name,
                    TEXT_ARG(str_text(message)));
}

/* What the program prints, and how it ends when not well; for the oracle, too, where an integer
 * left 64 bits. */
static void run(struct text source, bool is_oracle, struct text_buf *out)
{
    struct interp in;
    struct dsl_fault fault = {0};
    struct scope *globals = NULL;
    struct error err;
    assert_int_equal(interp_init(&in, &LIMITS, &err), OK);
    in.print_to = out;
    in.tells_left_64 = is_oracle;
    const struct syntax *syntax = parse_source(&in, source, &fault);
    const struct code *code = syntax ? lower_module(&in, syntax, &fault, &globals) : NULL;
    if (!code)
        text_buf_format(out, "refused: %d: %s\n", fault.line, fault.message);
    else if (!open_globals(&in, globals) || !eval_module(&in, code))
        write_failure(&in, out);
    interp_deinit(&in);
}

static struct text read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *data = calloc(1, 1 << 16);
    assert_non_null(file);
    assert_non_null(data);
    const size_t size = fread(data, 1, (1 << 16) - 1, file);
    fclose(file);
    return (struct text){data, size};
}

/* The lines that the comments ask for. */
static void expected_of(struct text source, struct text_buf *out)
{
    for (size_t at = 0; (at = text_find(source, TEXT("# expect"), at)) != SIZE_MAX;) {
        const size_t end = text_find(source, TEXT("\n"), at);
        struct text line = text_slice(source, at + strlen("# expect"), end);
        const bool plain = text_starts(line, TEXT(":"));
        line = text_slice(line, line.size > 1 && (!plain || line.data[1] == ' ') ? 1 : 0,
                          line.size);
        if (plain)
            line = text_slice(line, 1, line.size);
        text_buf_add(out, line);
        text_buf_byte(out, '\n');
        at = end == SIZE_MAX ? source.size : end;
    }
}

static bool passes(const char *path)
{
    struct text source = read_file(path);
    struct text_buf got = {0}, want = {0};
    run(source, false, &got);
    expected_of(source, &want);
    const bool same = text_equal(text_buf_text(&got), text_buf_text(&want));
    if (!same)
        printf("%s\n---- prints\n%.*s---- want\n%.*s", path, TEXT_ARG(text_buf_text(&got)),
               TEXT_ARG(text_buf_text(&want)));
    text_buf_deinit(&got);
    text_buf_deinit(&want);
    free((void *)(uintptr_t)source.data);
    return same;
}

static void all_programs(void **state)
{
    DIR *folder = opendir(FOLDER);
    int passed = 0, total = 0;
    (void)state;
    assert_non_null(folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[512];
        if (!text_ends(text_of(entry->d_name), TEXT(".py")))
            continue;
        snprintf(path, sizeof path, "%s/%s", FOLDER, entry->d_name);
        total++;
        passed += passes(path);
    }
    closedir(folder);
    printf("golden programs: %d of %d\n", passed, total);
    assert_true(total > 0);
    assert_int_equal(passed, total);
}

static int show(int count, char **paths)
{
    for (int i = 0; i < count; i++) {
        struct text_buf out = {0};
        struct text source = read_file(paths[i]);
        run(source, true, &out);
        if (out.size > 0)
            fwrite(out.data, 1, out.size, stdout);
        text_buf_deinit(&out);
        free((void *)(uintptr_t)source.data);
    }
    return 0;
}

static int show_stream(void)
{
    struct text_buf in = {0}, out = {0};
    char block[1 << 14];
    for (size_t size; (size = fread(block, 1, sizeof block, stdin)) > 0;)
        text_buf_add(&in, (struct text){block, size});
    const struct text all = text_buf_text(&in);
    for (size_t at = 0; at < all.size;) {
        const size_t end = text_find(all, (struct text){"", 1}, at);
        run(text_slice(all, at, end), true, &out);
        text_buf_byte(&out, (char)0xff); /* no text has it */
        at = end == SIZE_MAX ? all.size : end + 1;
    }
    const bool written = out.size == 0 || fwrite(out.data, 1, out.size, stdout) == out.size;
    text_buf_deinit(&in);
    text_buf_deinit(&out);
    return written ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "-") == 0)
        return show_stream();

    const struct CMUnitTest tests[] = {cmocka_unit_test(all_programs)};
    return argc > 1 ? show(argc - 1, argv + 1) : cmocka_run_group_tests(tests, NULL, NULL);
}
