/* worker_remote_test - a job as a request's body, and replies read into it. */
#include "protocol/minions/worker_remote.h"

#include "base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { ARENA_BYTES = 1 << 16 };

static int64_t seed_in(struct text body)
{
    struct json *root = NULL;
    int64_t seed = -1;
    assert_int_equal(json_parse(body, 0, &root, NULL), OK);
    assert_true(json_i64(json_get(root, "seed"), &seed));
    json_free(root);
    return seed;
}

static void a_job_is_a_chat(void **state)
{
    (void)state;
    struct text_buf body = {0}, other = {0};
    struct worker_job job = {.prompt = TEXT("say \"a\""), .max_tokens = 9, .seed = 4, .key = 1};
    worker_remote_write(&job, &body);
    assert_true(
        text_starts(text_buf_text(&body),
                    TEXT("{\"messages\":[{\"role\":\"user\",\"content\":\"say "
                         "\\\"a\\\"\"}],\"max_tokens\":9,\"temperature\":0,\"seed\":")));
    job.key = 2; /* another sample of it */
    worker_remote_write(&job, &other);
    assert_int_not_equal(seed_in(text_buf_text(&body)), seed_in(text_buf_text(&other)));
    assert_in_range(seed_in(text_buf_text(&body)), 0, INT32_MAX);
    text_buf_deinit(&body);
    text_buf_deinit(&other);
}

static struct worker_job read_reply(struct text body, struct arena *arena)
{
    struct worker_job job = {.opening = TEXT("So: ")};
    assert_int_equal(worker_remote_read(body, &job, arena, NULL), OK);
    return job;
}

static void replies(void **state)
{
    (void)state;
    struct arena arena = {0};
    assert_int_equal(arena_init(&arena, ARENA_BYTES, NULL), OK);
    struct worker_job job =
        read_reply(TEXT("{\"choices\":[{\"message\":{\"content\":\"So: "
                        "yes\"},\"finish_reason\":\"length\"}],"
                        "\"usage\":{\"prompt_tokens\":10,\"completion_tokens\":3,"
                        "\"prompt_tokens_details\":{\"cached_tokens\":99}}}"),
                   &arena);
    assert_true(text_equal(job.reply, TEXT("yes")));
    assert_true(job.is_cut && !job.is_failed);
    assert_int_equal(job.prompt_tokens, 10);
    assert_int_equal(job.output_tokens, 3);
    assert_int_equal(job.cached_tokens, 10); /* no more than were read */
    job = read_reply(TEXT("{\"choices\":[{\"message\":{\"content\":\"no\"},"
                          "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":-4}}"),
                     &arena);
    assert_true(text_equal(job.reply, TEXT("no")));
    assert_true(!job.is_cut && !job.is_failed && job.prompt_tokens == 0);
    job = read_reply(TEXT("{\"choices\":[{\"message\":{\"content\":null}}]}"), &arena);
    assert_true(job.is_failed && job.reply.size == 0);
    job = read_reply(TEXT("{\"choices\":"), &arena);
    assert_true(job.is_failed);
    arena_deinit(&arena);
}

static void scores_are_not_given(void **state)
{
    (void)state;
    struct worker worker = {0};
    struct error err = {0};
    struct worker_job job = {.kind = WORKER_SCORE}, *list[] = {&job};
    const struct worker_fleet_options options = {.urls = "http://127.0.0.1:9"};
    assert_int_equal(worker_remote_init(&worker, &options, &err), OK);
    assert_int_equal(worker.start(worker.self, list, 1, NULL, &err), ERR_LIMIT);
    worker_remote_deinit(&worker);
    worker_remote_deinit(&worker); /* safe again */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_is_a_chat),
        cmocka_unit_test(replies),
        cmocka_unit_test(scores_are_not_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
