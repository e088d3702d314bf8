/*
 * engine_copied_test - jobs whose texts copy from a chunk, drawn hot from a model that writes
 * gibberish: every citation stands in the job's own chunk, whoever else runs; guessed ahead or
 * one by one the tokens are the same; without a chunk, or words in it, they are refused.
 */
#include "base/json.h"
#include "engine/engine.h"
#include "tests/harness/engine_jobs.h"
#include "tests/harness/tiny_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SEEDS = 40, PROMPT = 20, CHUNKS = 3, JOBS = CHUNKS * SEEDS };

static const char schema[] =
    "{\"type\": \"object\", \"properties\": {\"citation\": {\"type\": [\"string\", \"null\"], "
    "\"x-copied-from\": \"chunk\", \"minLength\": 1, \"maxLength\": 60}, \"sure\": {\"type\": "
    "\"boolean\"}}, \"required\": [\"citation\", \"sure\"], \"additionalProperties\": false}";

/* With one space between words, so that what is copied can be found as it is. */
static const char *const chunks[CHUNKS] = {
    "The offer is valid for at least three years, and valid for as long as \"you\" say.",
    "The other offer isn't valid: a \\ in 3.5 \xc3\xa9t\xc3\xa9s \xe2\x80\x94 the offer ends.",
    "word"};

/* Long ones, so that there is something to guess ahead. */
static const char long_schema[] =
    "{\"type\": [\"string\", \"null\"], \"x-copied-from\": \"chunk\", \"minLength\": 30}";

static char path[64];
static token_id prompt[PROMPT];

/* Jobs of different chunks come in turn, so that they stand at the same places side by side. */
static struct engine_job job_of(uint32_t index)
{
    return (struct engine_job){.format = ENGINE_FORMAT_SCHEMA,
                               .format_source = text_of(schema),
                               .chunk = text_of(chunks[index % CHUNKS]),
                               .prompt = prompt,
                               .prompt_tokens = PROMPT,
                               .sample_count = 1,
                               .max_tokens = 300,
                               .temperature = 1.5f,
                               .seed = index,
                               .tag = index};
}

/* Whether the text has a citation; it must be its chunk's. */
static bool judge(struct text said, struct text chunk)
{
    struct json *root = NULL;
    struct text citation;
    struct error err;
    if (json_parse(said, 0, &root, &err) != OK)
        fail_msg("%s: %.*s", err.text, TEXT_ARG(said));
    const bool cites = json_text(json_get(root, "citation"), &citation);
    if (cites && (citation.size == 0 || text_find(chunk, citation, 0) == SIZE_MAX))
        fail_msg("\"%.*s\" is not in: %.*s", TEXT_ARG(citation), TEXT_ARG(chunk));
    json_free(root);
    return cites;
}

static void every_citation_is_its_chunks(void **state)
{
    static struct engine_jobs_text texts[JOBS];
    const struct engine_options options = {.device = ENGINE_CPU, .model_path = path};
    struct engine *engine = engine_jobs_open(&options);
    uint32_t cited[CHUNKS] = {0};
    (void)state;
    for (uint32_t i = 0; i < JOBS; i++) {
        const struct engine_job job = job_of(i);
        engine_jobs_submit(engine, &job);
    }
    engine_jobs_texts(engine, texts, JOBS);
    for (uint32_t i = 0; i < JOBS; i++) {
        const enum engine_finish finish = texts[i].done.finish;
        assert_true(finish == ENGINE_STOP || finish == ENGINE_LENGTH);
        const struct text said = {texts[i].bytes, texts[i].size};
        if (finish == ENGINE_STOP)
            cited[i % CHUNKS] += judge(said, text_of(chunks[i % CHUNKS]));
    }
    for (uint32_t c = 0; c < CHUNKS; c++)
        assert_true(cited[c] > 0);
    engine_close(engine);
}

static void tokens_are_the_same_however_computed(void **state)
{
    enum { COUNT = 18 };
    static struct engine_job jobs[COUNT];
    static token_id like[128];
    struct engine_options options = {.device = ENGINE_CPU, .model_path = path};
    struct engine_jobs_outcome first, other;
    struct engine_stats stats;
    const uint32_t size = (uint32_t)strlen(chunks[0]);
    (void)state;
    for (uint32_t i = 0; i < size; i++)
        like[i] = (token_id)(unsigned char)chunks[0][i];
    for (uint32_t i = 0; i < COUNT; i++) {
        jobs[i] = job_of(i);
        jobs[i].format_source = text_of(long_schema);
        jobs[i].prompt = like;
        jobs[i].prompt_tokens = size;
        jobs[i].max_tokens = 90;
        jobs[i].temperature = i % 2 ? 0.7f : 0;
    }
    engine_jobs_init(&first, COUNT);
    engine_jobs_init(&other, COUNT);
    engine_jobs_run(&options, jobs, COUNT, &first, &stats);
    assert_true(stats.accepted_tokens > 0); /* of citations, which stand in the prompt */
    options.no_drafts = true;
    options.sequences_max = 1;
    engine_jobs_run(&options, jobs, COUNT, &other, NULL);
    for (uint32_t i = 0; i < COUNT; i++)
        (void)engine_jobs_same(&first, &other, i, "one by one");
    engine_jobs_deinit(&first);
    engine_jobs_deinit(&other);
}

static void what_cannot_be_copied_is_refused(void **state)
{
    const struct engine_options options = {.device = ENGINE_CPU, .model_path = path};
    struct engine *engine = engine_jobs_open(&options);
    struct engine_job job = job_of(0);
    struct error err;
    uint64_t id;
    char *large = calloc(1, (1 << 20) + 1);
    (void)state;
    assert_non_null(large);
    job.chunk = (struct text){0};
    assert_int_equal(engine_submit(engine, &job, &id, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "there is no chunk"));
    job.chunk = (struct text){large, (1 << 20) + 1};
    assert_int_equal(engine_submit(engine, &job, &id, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "1048577 bytes"));
    job.chunk = TEXT(" \n");
    job.format_source = TEXT("{\"type\": \"string\", \"x-copied-from\": \"chunk\", "
                             "\"minLength\": 1}");
    assert_int_equal(engine_submit(engine, &job, &id, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "no words of 1 characters to copy"));
    engine_close(engine);
    free(large);
}

int main(void)
{
    const int fd = tiny_model_open(&(struct tiny_model_options){.seed = 5}, path, sizeof path);
    for (uint32_t i = 0; i < PROMPT; i++)
        prompt[i] = (token_id)(i * 37 % 256);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_citation_is_its_chunks),
        cmocka_unit_test(tokens_are_the_same_however_computed),
        cmocka_unit_test(what_cannot_be_copied_is_refused),
    };
    const int failed = fd < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
    if (fd >= 0)
        close(fd);
    return failed;
}
