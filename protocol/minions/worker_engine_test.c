/* worker_engine_test - the worker on a real engine with a real, tiny model. */
#include "protocol/minions/worker_engine.h"

#include "base/json.h"
#include "protocol/minions/job_output.h"
#include "protocol/minions/jobs.h"
#include "tests/harness/test_data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct engine *engine;
static struct worker worker;
static struct arena arena;

static int open_model(void **state)
{
    (void)state;
    const struct test_data_path path = test_data("models/stories260K/stories260K.gguf");
    struct error err = {0};
    if (!test_data_is_there(&path))
        exit(77);
    const struct engine_options options = {.model_path = path.text, .threads = 1};
    if (engine_open(&engine, &options, &err) != OK ||
        worker_engine_init(&worker, engine, &err) != OK ||
        arena_init(&arena, 64u << 20, &err) != OK) {
        printf("%s\n", err.text);
        return -1;
    }
    return 0;
}

static int close_model(void **state)
{
    (void)state;
    worker_engine_deinit(&worker);
    engine_close(engine);
    arena_deinit(&arena);
    return 0;
}

static void run(struct worker_job *jobs, uint32_t count, struct worker_progress *progress)
{
    struct error err = {0};
    struct ledger ledger = {0};
    const struct jobs_context context = {
        .worker = &worker, .arena = &arena, .progress = progress, .ledger = &ledger};
    if (jobs_run(&context, jobs, count, &err) != OK)
        fail_msg("%s", err.text);
}

static void writes_the_same_alone_and_in_company(void **state)
{
    (void)state;
    struct worker_job alone = {
        .kind = WORKER_WRITE, .prompt = TEXT("Once upon a time"), .max_tokens = 12};
    run(&alone, 1, NULL);
    assert_true(alone.reply.size > 10);
    assert_true(alone.is_cut);
    assert_int_equal(alone.output_tokens, 12);
    struct worker_progress progress = {0};
    struct worker_job many[40];
    for (uint32_t i = 0; i < 40; i++)
        many[i] = alone;
    many[7].prompt = TEXT("The little dog");
    run(many, 40, &progress);
    assert_int_equal(atomic_load(&progress.jobs_done), 40);
    assert_true(text_equal(many[39].reply, alone.reply));
    assert_false(text_equal(many[7].reply, alone.reply));
    assert_true(many[39].cached_tokens > 0);
}

static void scores_what_is_likely_higher(void **state)
{
    (void)state;
    struct worker_job jobs[] = {
        {.kind = WORKER_SCORE, .prompt = TEXT("Once upon a"), .target = TEXT(" time")},
        {.kind = WORKER_SCORE, .prompt = TEXT("Once upon a"), .target = TEXT(" qqqq")},
        {.kind = WORKER_SCORE, .prompt = TEXT("Once upon a"), .target = TEXT("")}};
    run(jobs, 3, NULL);
    assert_true(jobs[0].score < 0 && jobs[0].score > jobs[1].score + 1);
    assert_true(jobs[0].target_tokens > 0);
    assert_true(jobs[2].is_failed); /* nothing to score: it fails alone */
}

static void what_does_not_fit_fails_alone(void **state)
{
    (void)state;
    struct text_buf large = {0};
    for (int i = 0; i < 20000; i++)
        text_buf_add(&large, TEXT("word "));
    struct worker_job jobs[] = {
        {.kind = WORKER_WRITE, .prompt = text_buf_text(&large), .max_tokens = 4},
        {.kind = WORKER_WRITE, .prompt = TEXT("Once"), .max_tokens = 4}};
    struct worker_progress progress = {0};
    run(jobs, 2, &progress);
    assert_true(jobs[0].is_failed);
    assert_false(jobs[1].is_failed);
    assert_true(jobs[1].reply.size > 0);
    assert_int_equal(atomic_load(&progress.jobs_done), 2);
    text_buf_deinit(&large);
}

/* A reply whose citation did not count: it is null, or empty. */
static void check_quotes_nothing(struct text reply)
{
    struct json *root = NULL;
    struct text citation = {0};
    assert_int_equal(json_parse(reply, 0, &root, NULL), OK);
    if (json_text(json_get(root, "citation"), &citation) && text_trim(citation).size > 0)
        fail_msg("cites %.*s", TEXT_ARG(citation));
    json_free(root);
}

/* Whatever is drawn: what is not cut is read, and cites what stands in its chunk. */
static void outputs_cite_their_chunk(void **state)
{
    enum { JOBS = 48 };
    static const char *const names[] = {"\"explanation\"", "\"citation\"", "\"answer\""};
    const struct text chunk =
        TEXT("Tom had a  big red ball. He said: \"Let's play,\" and\nran.");
    static struct worker_job jobs[JOBS];
    uint32_t whole = 0, cited = 0;
    (void)state;
    for (uint32_t i = 0; i < JOBS; i++)
        jobs[i] = (struct worker_job){.kind = WORKER_WRITE,
                                      .prompt = TEXT("Once upon a time"),
                                      .chunk = chunk,
                                      .is_output = true,
                                      .max_tokens = 480,
                                      .temperature = 1.5F,
                                      .key = i};
    run(jobs, JOBS, NULL);
    for (uint32_t i = 0; i < JOBS; i++) {
        struct job_output output;
        size_t at = 0;
        assert_false(jobs[i].is_failed);
        if (jobs[i].is_cut)
            continue;
        job_output_parse(jobs[i].reply, false, chunk, &arena, &output);
        assert_int_not_equal(output.kind, JOB_OUTPUT_UNREADABLE);
        if (output.citation.size == 0)
            check_quotes_nothing(jobs[i].reply);
        for (size_t n = 0; n < 3; n++) {
            at = text_find(jobs[i].reply, text_of(names[n]), at);
            assert_true(at != SIZE_MAX);
        }
        whole++;
        cited += output.citation.size > 0;
    }
    print_message("    %u of %d whole, %u cite\n", whole, JOBS, cited);
    assert_true(whole >= JOBS / 4 && cited >= whole / 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_same_alone_and_in_company),
        cmocka_unit_test(scores_what_is_likely_higher),
        cmocka_unit_test(what_does_not_fit_fails_alone),
        cmocka_unit_test(outputs_cite_their_chunk),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
