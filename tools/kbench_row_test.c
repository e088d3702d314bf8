/* kbench_row_test - rows go out as JSON and come back; a slower one is seen, by name. */
#include "tools/kbench_row.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct kbench_row row_of(int32_t m, double us)
{
    struct kbench_row row = {
        .device = "test \"quoted\"",
        .kernel = "matmul",
        .variant = "down",
        .model = "llama-3.1-8b",
        .dtype = "int8",
        .m = m,
        .mode = KBENCH_WARM,
        .timing = {.us = {us, us, us, 0, 10}, .launches = 4, .sets = 1},
        .work = {.bytes = 1e6, .operations = 2e9, .unit = KBENCH_UNIT_S8_S32},
        .bandwidth_measured = 1e12};
    (void)snprintf(row.shape, sizeof row.shape, "4096x14336");
    return row;
}

static void write_file(const char *path, const struct kbench_row *rows, int count)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fprintf(file, "{\"record\":\"head\",\"device\":\"x\"}\n\n");
    for (int i = 0; i < count; i++) {
        struct text_buf out = {0};
        struct json_writer w = {.out = &out};
        kbench_row_write(&rows[i], &w);
        (void)fprintf(file, "%.*s\n", TEXT_ARG(text_buf_text(&out)));
        text_buf_deinit(&out);
    }
    assert_int_equal(fclose(file), 0);
}

/* The number of a column as it is written; -1: it is not. */
static double column_of(const struct kbench_row *row, const char *name)
{
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    struct json *root = NULL;
    double number = -1;
    kbench_row_write(row, &w);
    assert_int_equal(json_parse(text_buf_text(&out), 0, &root, NULL), OK);
    (void)json_double(json_get(root, name), &number);
    json_free(root);
    text_buf_deinit(&out);
    return number;
}

static void expect_column(const struct kbench_row *row, const char *name, double wanted)
{
    const double number = column_of(row, name);
    if (!(fabs(number - wanted) < 1e-9))
        fail_msg("%s: %g instead of %g", name, number, wanted);
}

static void columns_are_of_what_is_known(void **state)
{
    (void)state;
    struct kbench_row row = row_of(16, 2); /* 1e6 bytes in 2 us: 5e11 per second */
    row.bandwidth_named = 2e12;
    row.peak_named = 4e15;
    row.roof.us = 1;
    row.slowdown = KBENCH_ROW_THROTTLED * 1.01;
    row.launch = (struct kbench_launch){.count = 2, .is_told = true, .occupancy = 0.5};
    expect_column(&row, "bytes_of_measured", 0.5);
    expect_column(&row, "bytes_of_named", 0.25);
    expect_column(&row, "operations_of_named", 0.25);
    expect_column(&row, "operations_of_measured", -1);
    expect_column(&row, "sol", 0.5);
    expect_column(&row, "throttled", 1);
    expect_column(&row, "occupancy", 0.5);
    expect_column(&row, "occupancy_at_most", -1);
    row.slowdown = KBENCH_ROW_THROTTLED * 0.99;
    row.launch.is_told = false;
    expect_column(&row, "throttled", 0);
    expect_column(&row, "occupancy", -1);
    expect_column(&row, "occupancy_at_most", 0.5);
    row.timing.us.count = 0;
    expect_column(&row, "us", -1);
    expect_column(&row, "sol", -1);
}

static void a_slower_row_is_seen(void **state)
{
    (void)state;
    char path[] = "/tmp/kbench_row_XXXXXX";
    struct kbench_old old;
    struct error err;
    const struct kbench_row before[] = {row_of(16, 50), row_of(17, 80), row_of(16, 40)};
    (void)close(mkstemp(path));
    write_file(path, before, 3);
    assert_int_equal(kbench_row_old_open(&old, path, &err), OK);
    assert_int_equal(old.count, 3);
    const struct kbench_row slower = row_of(16, 44), other = row_of(18, 1);
    struct kbench_change change;
    assert_true(kbench_row_change(&old, &slower, &change));
    assert_true(fabs(change.ratio - 1.1) < 1e-9); /* the last one counts */
    assert_string_equal(change.figure, "us");
    assert_false(kbench_row_change(&old, &other, &change));
    struct kbench_row graph = slower;
    graph.mode = KBENCH_GRAPH;
    assert_false(kbench_row_change(&old, &graph, &change));
    assert_non_null(strstr(kbench_row_key(&slower).text, "matmul down"));
    kbench_row_old_close(&old);
    (void)unlink(path);
}

static struct kbench_row counted(uint64_t sectors, uint64_t barriers)
{
    struct kbench_row row = row_of(16, 0);
    row.timing = (struct kbench_timing){.launches = 0};
    row.has_counters = true;
    row.counters = (struct device_emu_counters){.global_sectors = sectors,
                                                .shared_wavefronts = 10,
                                                .mma_s8 = 3,
                                                .mma_f16 = 4,
                                                .barriers = barriers};
    return row;
}

/* Without times the counter that grew most is what changed; from nothing to something is
 * more than any share. */
static void counters_stand_in_for_times(void **state)
{
    (void)state;
    char path[] = "/tmp/kbench_row_XXXXXX";
    struct kbench_old old;
    struct kbench_change change;
    struct error err;
    const struct kbench_row before = counted(100, 0), timed = row_of(16, 5);
    const struct kbench_row more = counted(110, 0), less = counted(90, 0), new = counted(1, 2);
    (void)close(mkstemp(path));
    write_file(path, &before, 1);
    assert_int_equal(kbench_row_old_open(&old, path, &err), OK);
    assert_true(kbench_row_change(&old, &more, &change));
    assert_string_equal(change.figure, "sectors");
    assert_true(fabs(change.ratio - 1.1) < 1e-9);
    assert_true(kbench_row_change(&old, &before, &change));
    assert_true(change.ratio == 1);
    assert_true(kbench_row_change(&old, &less, &change));
    assert_true(change.ratio == 1); /* the others are as they were */
    assert_true(kbench_row_change(&old, &new, &change));
    assert_string_equal(change.figure, "barriers");
    assert_true(isinf(change.ratio));
    assert_false(kbench_row_change(&old, &timed, &change)); /* no figure in common */
    kbench_row_old_close(&old);
    (void)unlink(path);
}

static void expect_refusal(const char *content, enum status wanted)
{
    char path[] = "/tmp/kbench_row_XXXXXX";
    struct kbench_old old;
    struct error err;
    (void)close(mkstemp(path));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(content, file);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(kbench_row_old_open(&old, path, &err), wanted);
    if (wanted != OK)
        assert_non_null(strstr(err.text, "line 2"));
    kbench_row_old_close(&old);
    (void)unlink(path);
}

static void files_that_are_none_are_refused(void **state)
{
    (void)state;
    struct kbench_old old;
    struct error err;
    expect_refusal("", OK);
    expect_refusal("{}\n{}\n", OK);
    expect_refusal("{}\n{\"record\":\"row\"}\n", ERR_FORMAT); /* no M */
    expect_refusal("{}\n{\"record\":\"row\",\"m\":1.5}", ERR_FORMAT);
    expect_refusal("{}\n{\"record\":\"row\",\"m\":1,\"us\":-3}", ERR_FORMAT);
    expect_refusal("{}\n{", ERR_FORMAT);
    assert_int_equal(kbench_row_old_open(&old, "/nonexistent/file", &err), ERR_IO);
    kbench_row_old_close(&old);
}

/* Every line has as many columns as the title, and words with commas are quoted. */
static void csv_has_one_shape(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    struct kbench_row row = row_of(1, 10);
    row.device = "cpu avx2, 2 threads";
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    kbench_row_csv_title(file);
    kbench_row_csv(&row, file);
    assert_int_equal(fclose(file), 0);
    int commas[2] = {0}, line = 0;
    bool is_quoted = false;
    for (size_t i = 0; i < size; i++) {
        is_quoted ^= text[i] == '"';
        if (text[i] == '\n')
            line++;
        else if (text[i] == ',' && !is_quoted)
            commas[line]++;
    }
    assert_int_equal(line, 2);
    assert_int_equal(commas[0], commas[1]);
    free(text);
}

/* Cold goes on with each sample, graph and batch with each launch of one; warm stays. */
static void modes_go_round_the_buffers(void **state)
{
    (void)state;
    assert_int_equal(kbench_time_set(KBENCH_COLD, 5, 2, 4), 1);
    assert_int_equal(kbench_time_set(KBENCH_WARM, 5, 2, 4), 0);
    assert_int_equal(kbench_time_set(KBENCH_GRAPH, 1, 6, 4), 2);
    assert_int_equal(kbench_time_set(KBENCH_BATCH, 1, 7, 4), 3);
    for (int mode = 0; mode < KBENCH_MODES; mode++)
        assert_non_null(kbench_time_mode_name((enum kbench_mode)mode));
    assert_string_equal(kbench_time_mode_name(KBENCH_BATCH), "batch");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_of_what_is_known),
        cmocka_unit_test(a_slower_row_is_seen),
        cmocka_unit_test(counters_stand_in_for_times),
        cmocka_unit_test(files_that_are_none_are_refused),
        cmocka_unit_test(csv_has_one_shape),
        cmocka_unit_test(modes_go_round_the_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
