/* load_make_test - the loads have the jobs, groups and waves that they say. */
#include "bench/load_make.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void t1_is_one_after_the_other(void **state)
{
    (void)state;
    const struct load_make_shape shape = {.jobs = 3, .own = 128, .out = 7};
    struct load load;
    assert_int_equal(load_make_t1(&shape, &load, NULL), OK);
    assert_int_equal(load.count, 3);
    assert_int_equal(load.jobs[2].wave, 2);
    assert_int_not_equal(load.jobs[1].group, load.jobs[2].group);
    assert_int_equal(load.jobs[1].shared, 0);
    load_make_free(&load);
}

static void t3_comes_in_two_orders(void **state)
{
    (void)state;
    struct load_make_shape shape = {.chunks = 4, .jobs = 3, .shared = 80, .own = 25, .out = 9};
    struct load load;
    assert_int_equal(load_make_t3(&shape, &load, NULL), OK);
    assert_int_equal(load.count, 12);
    assert_int_equal(load.jobs[2].group, 0);
    assert_int_equal(load.jobs[3].group, 1);
    assert_true(load.ideal_tokens == 4 * (80 + 3 * 25));
    load_make_free(&load);
    shape.by_task = true;
    assert_int_equal(load_make_t3(&shape, &load, NULL), OK);
    assert_int_equal(load.jobs[3].group, 3);
    assert_int_equal(load.jobs[4].group, 0);
    assert_int_equal(load.jobs[4].number, 1); /* the second job of chunk 0, in either order */
    load_make_free(&load);
    shape = (struct load_make_shape){.chunks = 1 << 20, .jobs = 1 << 20};
    assert_int_equal(load_make_t3(&shape, &load, NULL), ERR_LIMIT);
    load_make_free(&load);
}

static void rounds_are_cut_into_chunks(void **state)
{
    (void)state;
    const uint32_t told[] = {127, 254, 254, 127, 0}, many[] = {12, 254}, equal[] = {404, 404};
    assert_int_equal(load_make_chunks(told, 5, 254, 2), 127);
    assert_int_equal(load_make_chunks(told, 5, 127, 2), 127);
    assert_int_equal(load_make_chunks(told, 5, 0, 2), 0);
    assert_int_equal(load_make_chunks(many, 2, 254, 2), 127); /* 2 in common tells nothing */
    assert_int_equal(load_make_chunks(many, 2, 12, 2), 6);
    assert_int_equal(load_make_chunks(equal, 2, 404, 2), 202); /* nor does 404 */
    assert_int_equal(load_make_chunks(equal, 2, 404, 3), 135);
    assert_int_equal(load_make_chunks(equal, 0, 404, 1), 404);
}

static enum status read_some(const char *content, uint32_t runs, uint32_t every,
                             struct load *load)
{
    char path[] = "/tmp/load_make_XXXXXX";
    (void)close(mkstemp(path));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(content, file);
    assert_int_equal(fclose(file), 0);
    struct error err;
    const struct load_make_record record = {
        .path = path, .runs = runs, .every = every, .shrink = 2, .own = 200, .per_chunk = 2};
    const enum status status = load_make_t4(&record, load, &err);
    (void)unlink(path);
    return status;
}

static enum status read_content(const char *content, uint32_t runs, struct load *load)
{
    return read_some(content, runs, 1, load);
}

static void t4_follows_the_record(void **state)
{
    (void)state;
    struct load load;
    static const char two[] =
        "{\"runs\":[{\"jobs\":[2,4],\"local_prompt\":4800,\"local_completion\":120,"
        "\"local_s\":3},{\"jobs\":[1],\"local_prompt\":10,\"local_completion\":0,"
        "\"local_s\":0.5}]}";
    assert_int_equal(read_content(two, 9, &load), OK);
    assert_int_equal(load.count, 7);
    assert_int_equal(load.jobs[0].shared + load.jobs[0].own, 400); /* 4800 / 6 / 2 */
    assert_int_equal(load.jobs[0].shared, 300);                    /* 200 / 2 are its own */
    assert_int_equal(load.jobs[6].own, 2);                         /* of 5: at most half */
    assert_int_equal(load.chunks, 2 + 2 + 1); /* the first round's count divides the second */
    assert_non_null(strstr(load.assumed, "200 tokens are the job's own"));
    assert_non_null(strstr(load.assumed, "75.0 %")); /* 1803 of 2405 */
    assert_non_null(strstr(load.assumed, "1.40"));
    assert_int_equal(load.jobs[0].out, 10);
    assert_int_equal(load.jobs[6].out, 1);
    assert_int_equal(load.jobs[1].wave, 0);
    assert_int_equal(load.jobs[2].wave, 1);
    assert_int_equal(load.jobs[2].group, load.jobs[4].group);
    assert_int_equal(load.jobs[2].group, load.jobs[0].group); /* the same chunk next round */
    assert_int_not_equal(load.jobs[6].group, load.jobs[0].group);
    assert_true(load.recorded_jobs_per_s == 2);
    /* 100 of each job and 300 of a chunk in each round; 2 + 3 of the second run's */
    assert_true(load.ideal_tokens == 6 * 100 + (2 + 2) * 300 + 2 + 3);
    load_make_free(&load);
    assert_int_equal(read_content(two, 1, &load), OK);
    assert_int_equal(load.count, 6);
    load_make_free(&load);
}

static void t4_takes_one_chunk_of_some(void **state)
{
    (void)state;
    struct load load;
    static const char run[] =
        "{\"runs\":[{\"jobs\":[12,0,254,127],\"local_prompt\":314400,\"local_completion\":7860,"
        "\"local_s\":131}]}";
    static const uint32_t expected[3][3] = {
        /* every, chunks, jobs: of 6, 0, 127 and 64 chunks with 2, 0, 2 and 1.98 jobs each */
        {1, 6 + 127 + 64, 12 + 254 + 127},
        {8, 1 + 16 + 8, 2 + 32 + 16},
        {1000, 1 + 1 + 1, 2 + 2 + 2}};
    for (int i = 0; i < 3; i++) {
        assert_int_equal(read_some(run, 1, expected[i][0], &load), OK);
        assert_int_equal(load.chunks, expected[i][1]);
        assert_int_equal(load.count, expected[i][2]);
        const struct load_job *last = &load.jobs[load.count - 1];
        assert_int_equal(last->shared + last->own, 400); /* a job stays as long as it is */
        assert_int_equal(last->out, 10);
        assert_int_equal(last->wave, 2);
        assert_true(load.recorded_jobs_per_s == 3); /* of the record, not of what is taken */
        load_make_free(&load);
    }
}

static void malformed_records_are_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "{\"runs\":[{\"jobs\":[-1],\"local_prompt\":1,\"local_completion\":1,\"local_s\":1}]}",
        "{\"runs\":[{\"jobs\":[1],\"local_prompt\":{},\"local_completion\":1,\"local_s\":1}]}",
        "{\"runs\":[{\"jobs\":[1],\"local_prompt\":-5,\"local_completion\":1,\"local_s\":1}]}",
        "{\"runs\":[{\"jobs\":[1],\"local_prompt\":1,\"local_completion\":-1,\"local_s\":1}]}",
        ("{\"runs\":[{\"jobs\":[1],\"local_prompt\":1e12,\"local_completion\":1,\"local_s\":1}]"
         "}"),
        "{\"runs\":[{\"jobs\":[1.5],\"local_prompt\":1,\"local_completion\":1,\"local_s\":1}]}",
    };
    struct load load;
    const struct load_make_record none = {"/nonexistent/file", 1, 1, 1, 1, 1};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(read_content(wrong[i], 9, &load), ERR_FORMAT);
        load_make_free(&load);
    }
    struct text_buf rounds = {0}; /* one more than there may be */
    text_buf_format(&rounds, "{\"runs\":[{\"jobs\":[1");
    for (int i = 0; i < 64; i++)
        text_buf_format(&rounds, ",1");
    text_buf_format(&rounds, "],\"local_prompt\":1,\"local_completion\":1,\"local_s\":1}]}");
    assert_int_equal(read_content(rounds.data, 9, &load), ERR_FORMAT);
    text_buf_deinit(&rounds);
    load_make_free(&load);
    assert_int_equal(read_content("{}", 9, &load), ERR_LIMIT); /* no jobs */
    load_make_free(&load);
    assert_int_equal(load_make_t4(&none, &load, NULL), ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(t1_is_one_after_the_other),
        cmocka_unit_test(t3_comes_in_two_orders),
        cmocka_unit_test(rounds_are_cut_into_chunks),
        cmocka_unit_test(t4_follows_the_record),
        cmocka_unit_test(t4_takes_one_chunk_of_some),
        cmocka_unit_test(malformed_records_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
