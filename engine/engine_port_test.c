/* engine_port_test - two threads' worth of jobs on one engine, each with its own events. */
#include "engine/engine.h"
#include "tests/harness/engine_jobs.h"
#include "tests/harness/tiny_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

enum { JOBS = 3, EVENTS = 64, LONG_TOKENS = 64 };

static char path[64];
static const token_id PROMPT[] = {1, 9, 17, 4, 33, 8, 2, 5};

static struct engine_job job_of(struct engine_port *port, uint64_t tag)
{
    return (struct engine_job){.kind = ENGINE_GENERATE,
                               .prompt = PROMPT,
                               .prompt_tokens = 5 + (uint32_t)tag % 3,
                               .max_tokens = 8,
                               .ignore_end = true,
                               .port = port,
                               .tag = tag};
}

/* Ends of jobs that come out of a port (NULL: the engine's own poll), as bits of their tags. */
static uint64_t ends(struct engine *engine, struct engine_port *port, enum engine_finish want)
{
    struct engine_event events[EVENTS];
    uint64_t tags = 0;
    for (;;) {
        const size_t count = port ? engine_port_poll(port, events, EVENTS, -1)
                                  : engine_poll(engine, events, EVENTS, -1);
        if (count == 0)
            return tags;
        for (size_t i = 0; i < count; i++) {
            if (events[i].kind != ENGINE_DONE)
                continue;
            assert_int_equal(events[i].finish, want);
            tags |= 1U << events[i].tag;
        }
    }
}

static struct engine *open_engine(void)
{
    const struct engine_options options = {
        .device = ENGINE_CPU, .model_path = path, .threads = 1};
    return engine_jobs_open(&options);
}

static void each_port_has_the_events_of_its_own_jobs(void **state)
{
    (void)state;
    struct engine *engine = open_engine();
    struct engine_port *ports[2];
    struct error err = {0};
    for (int p = 0; p < 2; p++)
        assert_int_equal(engine_port_open(engine, &ports[p], &err), OK);
    for (uint64_t tag = 0; tag < JOBS; tag++) {
        struct engine_port *const to[] = {NULL, ports[0], ports[1]};
        const struct engine_job job = job_of(to[tag], tag);
        engine_jobs_submit(engine, &job);
    }
    assert_int_equal(ends(engine, ports[1], ENGINE_LENGTH), 4);
    assert_int_equal(ends(engine, NULL, ENGINE_LENGTH), 1);
    assert_int_equal(ends(engine, ports[0], ENGINE_LENGTH), 2);
    for (int p = 0; p < 2; p++)
        engine_port_close(ports[p]);
    engine_close(engine);
}

/* What an event points to lies in the port until the next poll, for each of its own. */
static void texts_and_tops_come_with_their_events(void **state)
{
    (void)state;
    struct engine *engine = open_engine();
    struct engine_port *port;
    struct engine_event events[EVENTS];
    struct error err = {0};
    assert_int_equal(engine_port_open(engine, &port, &err), OK);
    struct engine_job job = job_of(port, 0);
    job.top_count = 2;
    engine_jobs_submit(engine, &job);
    uint32_t tokens = 0, ends_seen = 0;
    while (ends_seen == 0) {
        const size_t count = engine_port_poll(port, events, EVENTS, -1);
        assert_true(count > 0);
        for (size_t i = 0; i < count; i++) {
            ends_seen += events[i].kind == ENGINE_DONE;
            if (events[i].kind != ENGINE_TOKEN || events[i].token == TOKEN_NONE)
                continue;
            assert_true(events[i].text.size == 0 || events[i].text.data);
            assert_int_equal(events[i].top_count, 2);
            assert_int_equal(events[i].tops[0].token, events[i].token); /* greedy */
            assert_true(events[i].tops[0].logprob >= events[i].tops[1].logprob);
            tokens++;
        }
    }
    assert_int_equal(tokens, job.max_tokens);
    assert_int_equal(engine_port_poll(port, events, EVENTS, -1), 0); /* nobody to wait for */
    engine_port_close(port);
    engine_close(engine);
}

static void a_port_that_closes_ends_its_jobs_alone(void **state)
{
    (void)state;
    struct engine *engine = open_engine();
    struct engine_port *port;
    struct engine_stats stats;
    struct error err = {0};
    assert_int_equal(engine_port_open(engine, &port, &err), OK);
    for (uint64_t tag = 0; tag < JOBS; tag++) {
        struct engine_job job = job_of(port, tag);
        job.max_tokens = LONG_TOKENS;
        engine_jobs_submit(engine, &job);
    }
    const struct engine_job kept = job_of(NULL, 5);
    engine_jobs_submit(engine, &kept);
    engine_port_close(port);
    assert_int_equal(ends(engine, NULL, ENGINE_LENGTH), 1U << 5);
    engine_stats(engine, &stats);
    assert_int_equal(stats.jobs_done, JOBS + 1);
    assert_true(stats.cancelled > 0);
    engine_close(engine);
}

static void ports_have_a_limit_that_is_told(void **state)
{
    (void)state;
    struct engine *engine = open_engine();
    struct engine_port *ports[65] = {0};
    struct error err = {0};
    uint32_t count = 0;
    while (count < 65 && engine_port_open(engine, &ports[count], &err) == OK)
        count++;
    assert_int_equal(count, 64);
    assert_int_equal(err.status, ERR_LIMIT);
    while (count > 0)
        engine_port_close(ports[--count]);
    engine_close(engine);
}

int main(void)
{
    const struct tiny_model_options tiny = {.seed = 8};
    const int file = tiny_model_open(&tiny, path, sizeof path);
    if (file < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_port_has_the_events_of_its_own_jobs),
        cmocka_unit_test(texts_and_tops_come_with_their_events),
        cmocka_unit_test(a_port_that_closes_ends_its_jobs_alone),
        cmocka_unit_test(ports_have_a_limit_that_is_told),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    close(file);
    return failed;
}
