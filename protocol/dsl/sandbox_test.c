/* sandbox_test - what a child can do, and what it cannot; and bytes from one that lies. */
#include "protocol/dsl/sandbox.h"

#include "base/clock.h"
#include "protocol/dsl/limits.h"
#include "protocol/dsl/message.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct error err;

/* Starts serve, sends it message, waits for its reply. */
static enum sandbox_end run(void (*serve)(void *, int), struct text message, double wait_s,
                            struct text_buf *reply)
{
    struct sandbox sandbox;
    const struct sandbox_options options = {.memory_bytes = 32 << 20, .serve = serve};
    assert_int_equal(sandbox_start(&sandbox, &options, &err), OK);
    enum sandbox_end end = sandbox_send(&sandbox, message, wait_s);
    if (end == SANDBOX_DONE)
        end = sandbox_receive(&sandbox, 1 << 24, wait_s, reply);
    sandbox_stop(&sandbox);
    sandbox_stop(&sandbox); /* twice is fine */
    return end;
}

static void serve_echo(void *self, int socket)
{
    struct text_buf message = {0};
    (void)self;
    if (sandbox_get(socket, &message))
        (void)sandbox_put(socket, text_buf_text(&message));
    _exit(0);
}

static void messages_of_any_size_come_back(void **state)
{
    (void)state;
    struct text_buf large = {0}, reply = {0};
    assert_int_equal(run(serve_echo, TEXT(""), 1e12, &reply), SANDBOX_DONE);
    assert_int_equal(reply.size, 0);
    for (int i = 0; i < 3000000; i++)
        text_buf_byte(&large, (char)(i % 251));
    assert_int_equal(run(serve_echo, text_buf_text(&large), 20, &reply), SANDBOX_DONE);
    assert_true(text_equal(text_buf_text(&large), text_buf_text(&reply)));
    text_buf_deinit(&large);
    text_buf_deinit(&reply);
}

/* Waits for the message: a child that has ended cannot be sent one. */
static void get_message(int socket)
{
    struct text_buf message = {0};
    if (!sandbox_get(socket, &message))
        _exit(1);
    text_buf_deinit(&message);
}

/* Tells what it has: its environment, and how many descriptors can be duplicated. */
static void serve_belongings(void *self, int socket)
{
    const char *canary = getenv("COHORT_API_KEY");
    (void)self;
    get_message(socket);
    (void)sandbox_put(socket, canary ? text_of(canary) : TEXT("nothing"));
    _exit(0);
}

static void the_environment_is_gone(void **state)
{
    (void)state;
    struct text_buf reply = {0};
    assert_int_equal(setenv("COHORT_API_KEY", "canary", 1), 0);
    assert_int_equal(run(serve_belongings, TEXT(""), 10, &reply), SANDBOX_DONE);
    assert_true(text_equal(text_buf_text(&reply), TEXT("nothing")));
    assert_string_equal(getenv("COHORT_API_KEY"), "canary"); /* the parent's stays */
    text_buf_deinit(&reply);
}

static void serve_descriptors(void *self, int socket)
{
    char open_ones[256] = "";
    size_t size = 0;
    char byte;
    (void)self;
    get_message(socket);
    for (int descriptor = 0; descriptor < 200; descriptor++)
        if (descriptor != socket && read(descriptor, &byte, 0) == 0)
            open_ones[size++] = (char)('0' + descriptor % 10);
    (void)sandbox_put(socket, (struct text){open_ones, size});
    _exit(0);
}

static void descriptors_are_closed(void **state)
{
    (void)state;
    struct text_buf reply = {0};
    const int file = open("/dev/null", O_RDONLY); /* not marked to be closed */
    assert_true(file > 0);
    assert_int_equal(run(serve_descriptors, TEXT(""), 10, &reply), SANDBOX_DONE);
    assert_int_equal(reply.size, 0);
    close(file);
    text_buf_deinit(&reply);
}

static void serve_hog(void *self, int socket)
{
    (void)self;
    size_t taken = 0;
    get_message(socket);
    for (char *part; taken < (size_t)1 << 31 && (part = malloc(1 << 20)); taken += 1 << 20)
        memset(part, 1, 1 << 20);
    (void)sandbox_put(socket, taken < (size_t)200 << 20 ? TEXT("held") : TEXT("too much"));
    _exit(0);
}

static void memory_is_limited(void **state)
{
    (void)state;
    struct text_buf reply = {0};
    if (!sandbox_is_strict()) {
        puts("left out: a sanitizer's own memory is not limited");
        skip();
    }
    assert_int_equal(run(serve_hog, TEXT(""), 20, &reply), SANDBOX_DONE);
    assert_true(text_equal(text_buf_text(&reply), TEXT("held")));
    text_buf_deinit(&reply);
}

static void serve_spin(void *self, int socket)
{
    (void)self;
    (void)socket;
    for (volatile unsigned i = 0;; i++)
        continue;
}

static void serve_lie(void *self, int socket)
{
    const uint64_t size = UINT64_MAX / 2;
    (void)self;
    get_message(socket);
    if (write(socket, &size, sizeof(size)) < 0)
        _exit(1);
    _exit(0);
}

static void serve_leave(void *self, int socket)
{
    (void)self;
    (void)socket;
    _exit(0);
}

static void every_end_is_told(void **state)
{
    (void)state;
    struct text_buf reply = {0};
    const double start = clock_now_s();
    assert_int_equal(run(serve_spin, TEXT(""), 0.05, &reply), SANDBOX_TIMED_OUT);
    assert_true(clock_now_s() - start < 5);
    assert_int_equal(run(serve_lie, TEXT(""), 10, &reply), SANDBOX_TOO_LARGE);
    assert_int_equal(run(serve_leave, TEXT(""), 10, &reply), SANDBOX_DIED);
    text_buf_deinit(&reply);
}

static void the_limits_hold(void **state)
{
    (void)state;
    assert_int_equal(limits_try(&err), OK);
}

/* ---- messages from a process that was taken over ---- */

static const struct text DOCUMENT = {"one two three", 13};
static const struct dsl_limits LIMITS = {.jobs = 100};
static const struct dsl_options OPTIONS = {.documents = &DOCUMENT, 1, .limits = &LIMITS};

static void jobs_go_there_and_back(void **state)
{
    (void)state;
    const struct dsl_job list[] = {{TEXT("two"), TEXT("t"), TEXT("a"), 0, 0, 0, 0, 4},
                                   {TEXT("made up"), TEXT("u"), TEXT(""), 1, 1, 1, -1, 0},
                                   {TEXT("two"), TEXT("u"), TEXT("b"), 0, 1, 2, 0, 4}};
    const struct dsl_jobs jobs = {list, 3};
    struct text_buf message = {0};
    message_put_jobs(&message, &jobs);
    struct message_reader reader = {.rest = text_buf_text(&message)};
    struct dsl_jobs back = {0};
    assert_true(message_get_jobs(&reader, &OPTIONS, &back));
    assert_int_equal(back.count, 3);
    assert_true(back.list[2].chunk.data == DOCUMENT.data + 4 && back.list[2].offset == 4);
    assert_true(text_equal(back.list[1].chunk, TEXT("made up")));
    assert_int_equal(back.list[1].document, -1);
    assert_true(text_equal(back.list[2].task, TEXT("u")) && back.list[2].job_id == 2);
    assert_true(text_equal(back.list[2].advice, TEXT("b")));
    free((void *)(uintptr_t)back.list);
    /* Cut anywhere, or with any byte changed, it is refused or it is jobs within bounds. */
    for (size_t i = 0; i < message.size; i++) {
        reader = (struct message_reader){.rest = {message.data, i}};
        assert_false(message_get_jobs(&reader, &OPTIONS, &back));
        for (int bit = 0; bit < 8; bit++) {
            message.data[i] = (char)(message.data[i] ^ 1 << bit);
            reader = (struct message_reader){.rest = text_buf_text(&message)};
            if (message_get_jobs(&reader, &OPTIONS, &back)) {
                for (uint32_t job = 0; job < back.count; job++)
                    assert_true(back.list[job].document < 0 ||
                                back.list[job].offset + back.list[job].chunk.size <= 13);
                free((void *)(uintptr_t)back.list);
            }
            message.data[i] = (char)(message.data[i] ^ 1 << bit);
        }
    }
    text_buf_deinit(&message);
}

/* What a chunk of the program's own and a task take when a hundred jobs share them. */
enum { SHARING = 100 };

static void make_sharing(struct dsl_job jobs[SHARING], struct dsl_output outputs[SHARING])
{
    static char chunk[1000], task[1000];
    memset(chunk, 'c', sizeof(chunk));
    memset(task, 't', sizeof(task));
    memset(outputs, 0, SHARING * sizeof(*outputs));
    outputs[0] = (struct dsl_output){.has_answer = true, .answer = TEXT("yes")};
    for (int i = 0; i < SHARING; i++)
        jobs[i] = (struct dsl_job){{chunk, 1000}, {task, 1000}, TEXT("a"), 0, 0, i, -1, 0};
    jobs[7].chunk.size = 10; /* another text though the id is the same */
    jobs[8].document = 0;
    jobs[8].chunk = text_slice(DOCUMENT, 4, 7);
    jobs[8].offset = 4;
    jobs[9].task_id = jobs[9].chunk_id = INT32_MAX;
}

static void shared_texts_go_once(void **state)
{
    (void)state;
    struct dsl_job jobs[SHARING];
    struct dsl_output outputs[SHARING];
    struct dsl_finished back = {0};
    struct text_buf message = {0};
    make_sharing(jobs, outputs);
    message_put_finished(&message, &(struct dsl_finished){jobs, outputs, SHARING});
    assert_true(message.size < 30000);
    struct message_reader reader = {.rest = text_buf_text(&message)};
    assert_true(message_get_finished(&reader, &OPTIONS, &back));
    assert_int_equal(back.count, SHARING);
    for (int i = 0; i < SHARING; i++) {
        assert_true(text_equal(back.jobs[i].chunk, jobs[i].chunk));
        assert_true(text_equal(back.jobs[i].task, jobs[i].task));
        assert_int_equal(back.jobs[i].document, jobs[i].document);
        assert_int_equal(back.jobs[i].offset, jobs[i].offset);
        assert_int_equal(back.jobs[i].job_id, i);
    }
    assert_true(text_equal(back.outputs[0].answer, TEXT("yes")));
    free((void *)(uintptr_t)back.jobs);
    for (size_t i = 0; i < message.size; i += i < 4000 ? 1 : 97) {
        reader = (struct message_reader){.rest = {message.data, i}};
        assert_false(message_get_finished(&reader, &OPTIONS, &back));
        message.data[i] = (char)(message.data[i] ^ 5);
        reader = (struct message_reader){.rest = text_buf_text(&message)};
        if (message_get_finished(&reader, &OPTIONS, &back))
            free((void *)(uintptr_t)back.jobs);
        message.data[i] = (char)(message.data[i] ^ 5);
    }
    text_buf_deinit(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_any_size_come_back),
        cmocka_unit_test(the_environment_is_gone),
        cmocka_unit_test(descriptors_are_closed),
        cmocka_unit_test(memory_is_limited),
        cmocka_unit_test(every_end_is_told),
        cmocka_unit_test(the_limits_hold),
        cmocka_unit_test(jobs_go_there_and_back),
        cmocka_unit_test(shared_texts_go_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
