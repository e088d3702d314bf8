/*
 * engine_failure_test - a kernel fails in the middle of a run: the engine ends every job with
 * the device's sentence and takes no more, and `cohort batch` exits with what was answered
 * before in its file; run again, it does the rest.
 */
#include "base/clock.h"
#include "engine/engine.h"
#include "engine/text_loss.h"
#include "kernels/device_emu.h"
#include "tests/harness/failing_launch.h"
#include "tests/harness/tiny_model.h"
#include "tools/cohort.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>

enum { JOBS = 12, SAMPLES = 2, REQUESTS = 12, ANSWERED = 3, EVENTS = 64, TEXT_MAX = 1 << 16 };
#define ENDS_WITHIN_S 30.0 /* wanted: 1 s on a machine of its own; what it took is printed */

enum { LOOKS_MAX = 2000000 }; /* at the file, before a launch goes on and fails the test */

static char folder[] = "/tmp/engine-failure-XXXXXX";
static char model[64], asked[64], first_out[64], failed_out[64], said_path[64];

/* Seen by the child and by us: launches so far; which one may be the first to fail. */
static struct {
    volatile uint64_t launches, fails_from;
    volatile double failed_s; /* when it failed, by clock_now_s */
} * shared;

static uint32_t lines_in(const char *path)
{
    uint32_t lines = 0;
    FILE *file = fopen(path, "r");
    for (int c; file && (c = fgetc(file)) != EOF;)
        lines += c == '\n';
    if (file)
        (void)fclose(file);
    return lines;
}

static bool never(uint64_t launch)
{
    shared->launches = launch;
    return false;
}

/* By then some requests have ended: their lines come while this launch waits. */
static bool when_some_are_answered(uint64_t launch)
{
    if (launch != shared->fails_from)
        return false;
    for (int looks = 0; looks < LOOKS_MAX && lines_in(failed_out) < ANSWERED; looks++)
        (void)sched_yield();
    shared->failed_s = clock_now_s();
    return true; /* too few lines are seen by who counts them */
}

static void engine_ends(uint64_t at)
{
    static const token_id prompt[] = {104, 101, 108, 108, 111};
    const struct engine_options options = {
        .model_path = model, .device = ENGINE_EMU, .precision = ENGINE_INT8, .threads = 1};
    struct engine *engine;
    struct engine_event events[EVENTS];
    struct error err = {0};
    uint32_t failed = 0, ended = 0;
    uint64_t id;
    assert_int_equal(engine_open(&engine, &options, &err), OK);
    shared->fails_from = shared->launches + at;
    for (uint32_t i = 0; i < JOBS; i++) {
        const struct engine_job job = {.prompt = prompt,
                                       .prompt_tokens = 5,
                                       .sample_count = SAMPLES,
                                       .max_tokens = 40,
                                       .ignore_end = true,
                                       .tag = i};
        /* Those that come after the failure are refused, and count as ended. */
        if (engine_submit(engine, &job, &id, &err) != OK)
            failed += SAMPLES, ended += SAMPLES;
    }
    for (size_t count; (count = engine_poll(engine, events, EVENTS, -1)) > 0;)
        for (size_t i = 0; i < count; i++) {
            ended += events[i].kind == ENGINE_DONE;
            /* Whoever sees a failed job can ask why. */
            if (events[i].kind == ENGINE_DONE && events[i].finish == ENGINE_FAILED)
                assert_int_equal(engine_failure(engine, &err), ERR_DEVICE);
            failed += events[i].kind == ENGINE_DONE && events[i].finish == ENGINE_FAILED;
        }
    const double took_s = clock_now_s() - shared->failed_s;
    print_message("launch %llu failed: every job had ended %.3f s later\n",
                  (unsigned long long)at, took_s);
    assert_true(took_s < ENDS_WITHIN_S);
    assert_int_equal(ended, JOBS * SAMPLES);
    assert_int_equal(failed, JOBS * SAMPLES);
    assert_int_equal(engine_failure(engine, &err), ERR_DEVICE);
    assert_non_null(strstr(err.text, "touches memory that is not there"));
    const struct engine_job late = {
        .prompt = prompt, .prompt_tokens = 5, .sample_count = 1, .max_tokens = 1};
    assert_int_equal(engine_submit(engine, &late, &id, &err), ERR_DEVICE);
    assert_non_null(strstr(err.text, "touches memory that is not there"));
    engine_close(engine);
}

static bool at_offset(uint64_t launch)
{
    shared->launches = launch;
    if (launch == shared->fails_from)
        shared->failed_s = clock_now_s();
    return launch == shared->fails_from;
}

/* At the first launch, in a prefill, and while many decode. */
static void every_job_ends_with_the_devices_sentence(void **state)
{
    (void)state;
    const uint64_t places[] = {1, 17, 200};
    failing_launch_asks = at_offset;
    shared->launches = 0; /* of this process */
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        shared->fails_from = 0;
        engine_ends(places[i]);
        device_emu_clear();
    }
    failing_launch_asks = NULL;
}

static bool always(uint64_t launch)
{
    (void)launch;
    return true;
}

/* Without the scheduler: a pass that fails says why, and so does whoever wants logits of it. */
static void logits_of_a_failed_pass_are_refused(void **state)
{
    (void)state;
    static const token_id ids[] = {104, 101, 108, 108, 111};
    const struct model_run_options options = {.path = model,
                                              .device = DEVICE_EMU,
                                              .kv_type = KV_F16,
                                              .threads = 1,
                                              .sequences = 1,
                                              .context_max = 32,
                                              .rows_max = 8,
                                              .head_max = 8};
    struct model_run run;
    struct text_loss loss = {0};
    struct error err = {0};
    const float *logits;
    const struct text_loss_runs runs = {.run = &run};
    assert_int_equal(model_run_open(&run, &options, &err), OK);
    assert_int_equal(text_loss_run(&runs, ids, 5, &loss, &err), OK);
    assert_int_equal(loss.scored, 4);
    failing_launch_asks = always;
    assert_int_equal(text_loss_run(&runs, ids, 5, &loss, &err), ERR_DEVICE);
    assert_non_null(strstr(err.text, "touches memory that is not there"));
    err = (struct error){0};
    assert_int_equal(model_run_fetch(&run, &logits, &err), ERR_DEVICE);
    assert_non_null(strstr(err.text, "touches memory that is not there"));
    failing_launch_asks = NULL;
    model_run_close(&run);
    device_emu_clear();
}

/* Exit code of cohort batch in a process of its own; what it says goes to said_path. */
static int batch(const char *out, bool (*asks)(uint64_t))
{
    char *words[] = {"batch", "--model",           model, "--device", "emu",
                     asked,   (char *)(size_t)out, NULL};
    int status = 0;
    (void)fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        const struct device_emu_options fast = {.seed = 1};
        device_emu_configure(&fast);
        failing_launch_asks = asks;
        if (!freopen(said_path, "w", stderr))
            _exit(99);
        exit(batch_main(7, words));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void read_file(const char *path, char *text)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, TEXT_MAX - 1, file)] = '\0';
    (void)fclose(file);
}

/* From "choices" to "usage" of the line with that custom_id, which must be there once. */
static size_t answer_of(const char *text, uint32_t request, const char **answer)
{
    char name[48];
    (void)snprintf(name, sizeof name, "\"custom_id\":\"request-%u\"", request);
    const char *line = strstr(text, name);
    if (!line)
        return 0;
    assert_null(strstr(line + 1, name));
    const char *end = strstr(line, ",\"usage\"");
    *answer = strstr(line, "\"choices\"");
    if (!*answer || !end || *answer > end)
        fail_msg("no answer: %.400s", line);
    return (size_t)(end - *answer);
}

/* How many requests have an answer in `text`; each must be that of `wanted`. */
static uint32_t answers_same(const char *text, const char *wanted)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < REQUESTS; i++) {
        const char *a = NULL, *b = NULL;
        const size_t size = answer_of(text, i, &a), want = answer_of(wanted, i, &b);
        if (size == 0)
            continue;
        assert_int_equal(size, want);
        assert_memory_equal(a, b, size);
        count++;
    }
    return count;
}

static void a_batch_keeps_what_was_answered(void **state)
{
    (void)state;
    static char wanted[TEXT_MAX], text[TEXT_MAX];
    assert_int_equal(batch(first_out, never), EX_OK);
    read_file(first_out, wanted);
    assert_int_equal(answers_same(wanted, wanted), REQUESTS);
    shared->fails_from = shared->launches * 3 / 4;
    assert_int_equal(batch(failed_out, when_some_are_answered), EX_SOFTWARE);
    const double took_s = clock_now_s() - shared->failed_s;
    print_message("cohort batch had ended %.3f s after the failure\n", took_s);
    assert_true(took_s < ENDS_WITHIN_S);
    read_file(said_path, text);
    assert_non_null(strstr(text, "cohort batch: "));
    assert_non_null(strstr(text, "touches memory that is not there"));
    read_file(failed_out, text);
    const uint32_t before = answers_same(text, wanted);
    assert_true(before >= ANSWERED && before < REQUESTS);
    assert_int_equal(lines_in(failed_out), before); /* no line for what failed */
    assert_int_equal(batch(failed_out, never), EX_OK);
    read_file(failed_out, text);
    assert_int_equal(answers_same(text, wanted), REQUESTS);
    assert_int_equal(lines_in(failed_out), REQUESTS);
    print_message("%u of %d answered before the failure, the rest when run again\n", before,
                  REQUESTS);
}

static int open_all(void **state)
{
    (void)state;
    const struct tiny_model_options tiny = {
        .seed = 11, .hidden = 128, .heads = 2, .kv_heads = 1, .context = 256};
    struct text_buf file = {0};
    shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || !mkdtemp(folder))
        return 1;
    (void)snprintf(model, sizeof model, "%s/tiny.gguf", folder);
    (void)snprintf(asked, sizeof asked, "%s/in.jsonl", folder);
    (void)snprintf(first_out, sizeof first_out, "%s/first.jsonl", folder);
    (void)snprintf(failed_out, sizeof failed_out, "%s/failed.jsonl", folder);
    (void)snprintf(said_path, sizeof said_path, "%s/said", folder);
    tiny_model_write(&file, &tiny);
    FILE *out = fopen(model, "w");
    const bool wrote = out && fwrite(file.data, 1, file.size, out) == file.size;
    text_buf_deinit(&file);
    if (!wrote || fclose(out) != 0 || !(out = fopen(asked, "w")))
        return 1;
    for (uint32_t i = 0; i < REQUESTS; i++) /* the later, the longer */
        (void)fprintf(out,
                      "{\"custom_id\":\"request-%u\",\"method\":\"POST\",\"url\":"
                      "\"/v1/chat/completions\",\"body\":{\"model\":\"tiny\",\"max_tokens\":%u,"
                      "\"messages\":[{\"role\":\"user\",\"content\":\"number %u\"}]}}\n",
                      i, 2 + 4 * i, i);
    return fclose(out);
}

static int close_all(void **state)
{
    (void)state;
    const char *const paths[] = {model, asked, first_out, failed_out, said_path};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        (void)unlink(paths[i]);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_keeps_what_was_answered), /* forks: before any thread */
        cmocka_unit_test(every_job_ends_with_the_devices_sentence),
        cmocka_unit_test(logits_of_a_failed_pass_are_refused),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
