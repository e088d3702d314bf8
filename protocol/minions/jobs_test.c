/* jobs_test - order, samples, and outcomes that go back to their own manifests. */
#include "protocol/minions/jobs.h"

#include "tests/harness/scripted_worker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint8_t memory[1 << 20];

struct seen {
    char letters[16];
    uint32_t count;
};

/* Answers with the chunk's last letter; chunk "d" is cut off, "e" fails, "f" has none. */
static void answer(void *self, struct worker_job *job, struct arena *arena)
{
    struct seen *seen = self;
    const size_t mark = text_find(job->prompt, TEXT("<passage>\nchunk "), 0);
    assert_true(mark != SIZE_MAX);
    const char letter = job->prompt.data[mark + 16];
    assert_true(text_find(job->prompt, TEXT("Task: "), mark) != SIZE_MAX);
    assert_true(job->is_output);
    assert_true(text_equal(job->chunk, text_slice(job->prompt, mark + 10, mark + 17)));
    const bool again = seen->count > 0 && seen->letters[seen->count - 1] == letter;
    assert_true((job->temperature > 0) == again);
    seen->letters[seen->count++] = letter;
    char reply[80];
    snprintf(reply, sizeof(reply),
             letter == 'f' ? "{\"answer\": null}"
                           : "{\"answer\": \"%c%u\", \"citation\": \"chunk %c\"}",
             letter, job->key, letter);
    job->reply = text_copy(text_of(letter == 'd' ? "{\"answer" : reply), arena);
    job->is_cut = letter == 'd';
    job->is_failed = letter == 'e';
    job->prompt_tokens = 10;
}

#define JOB(words, c, t)                                                                       \
    {                                                                                          \
        .chunk = TEXT(words), .task = TEXT("task"), .chunk_id = (c), .task_id = (t)            \
    }

static void outcomes_find_their_manifests(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct scripted_worker scripted = {.answer = answer, .self = &seen};
    const struct dsl_job jobs[] = {JOB("chunk b", 1, 0), JOB("chunk a", 0, 0),
                                   JOB("chunk d", 3, 0), JOB("chunk e", 4, 0),
                                   JOB("chunk f", 5, 0), JOB("chunk b", 1, 0)};
    struct arena arena = {.base = memory, .size = sizeof(memory)};
    const struct worker worker = scripted_worker(&scripted);
    struct ledger ledger = {0};
    const struct jobs_context context = {.worker = &worker, .arena = &arena, .ledger = &ledger};
    struct jobs_outcome outcomes[6];
    const struct dsl_jobs list = {jobs, 6};
    assert_int_equal(jobs_generate(&context, &list, outcomes, NULL), OK);
    assert_string_equal(seen.letters, "abbdef");
    assert_true(text_equal(outcomes[0].output.answer, TEXT("b0")));
    assert_true(text_equal(outcomes[1].output.answer, TEXT("a1")));
    assert_true(text_equal(outcomes[5].output.answer, TEXT("b5")));
    assert_int_equal(outcomes[2].output.kind, JOB_OUTPUT_TRUNCATED);
    assert_int_equal(outcomes[3].output.kind, JOB_OUTPUT_UNREADABLE);
    assert_int_equal(outcomes[4].output.kind, JOB_OUTPUT_NONE);
    assert_int_equal(ledger.jobs, 6);
    assert_int_equal(ledger.local_prompt_tokens, 60);
    struct dsl_finished finished;
    assert_int_equal(jobs_readable(&list, outcomes, &arena, &finished, NULL), OK);
    const struct dsl_output *outputs = finished.outputs;
    assert_int_equal(finished.count, 4);
    assert_int_equal(finished.jobs[2].chunk_id, 5);
    assert_false(outputs[2].has_answer);
    assert_true(outputs[3].has_answer && outputs[3].has_citation);
    assert_true(text_equal(outputs[3].citation, TEXT("chunk b")));
}

static void samples_repeat_each_job(void **state)
{
    (void)state;
    const struct dsl_job two[] = {JOB("chunk a", 0, 0), JOB("chunk b", 1, 0)};
    struct dsl_jobs jobs = {two, 2};
    struct arena arena = {.base = memory, .size = sizeof(memory)};
    struct error err = {0};
    assert_int_equal(jobs_repeat(&jobs, 1, &arena, &err), OK);
    assert_true(jobs.list == two && jobs.count == 2);
    assert_int_equal(jobs_repeat(&jobs, 3, &arena, &err), OK);
    assert_int_equal(jobs.count, 6);
    assert_int_equal(jobs.list[2].chunk_id, 0);
    assert_int_equal(jobs.list[3].chunk_id, 1);
    assert_int_equal(jobs_repeat(&jobs, 1000, &arena, &err), ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes_find_their_manifests),
        cmocka_unit_test(samples_repeat_each_job),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
