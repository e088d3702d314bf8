/*
 * engine_test - the door with real models behind it: the same job gives the same text alone and
 * among 95 others, in any order, with 1 or 2 threads, in pools large and small, in both
 * precisions; shaped output parses; a score is what generating said; cancels and closing leave
 * nothing behind; the engine thread does not allocate.
 *
 * A tiny random model is always there; the trained ones are used where they are found.
 */
#include "base/json.h"
#include "base/sanitized.h"
#include "engine/engine.h"
#include "tests/harness/engine_jobs.h"
#include "tests/harness/test_data.h"
#include "tests/harness/tiny_model.h"
#include "tokenizer/tokenizer.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { JOBS = 96, SAMPLES = 4, TEXT_MAX = 4096, PROMPT_MAX = 160, EVENTS = 64 };

#if SANITIZED
enum { COUNTS_ALLOCATIONS = 0, COMPANY = 32 }; /* several times slower */
static atomic_uint foreign_allocations;
#else
/* Every malloc of this program comes here; those of threads but the first are counted. */
enum { COUNTS_ALLOCATIONS = 1, COMPANY = JOBS };
static atomic_uint foreign_allocations;
static pthread_t first_thread;
static atomic_bool is_counting;
void *__libc_malloc(size_t size);
void *malloc(size_t size);

void *malloc(size_t size)
{
    if (atomic_load(&is_counting) && !pthread_equal(pthread_self(), first_thread))
        atomic_fetch_add(&foreign_allocations, 1);
    return __libc_malloc(size);
}
#endif

static void count_allocations(bool on)
{
#if !SANITIZED
    first_thread = pthread_self();
    atomic_store(&is_counting, on);
#else
    (void)on;
#endif
}

static char tiny_path[64];

/* What one run of all jobs gave. */
struct outcome {
    char texts[JOBS][SAMPLES][TEXT_MAX];
    uint32_t sizes[JOBS][SAMPLES];
    uint64_t marks[JOBS][SAMPLES]; /* of log-probabilities and best tokens, in their order */
    struct engine_event done[JOBS][SAMPLES];
    uint32_t done_count;
};

struct jobs {
    token_id prompts[JOBS][PROMPT_MAX];
    struct engine_job asks[JOBS];
    uint32_t count;
};

static const struct text stops[] = {{.data = "e", .size = 1}, {.data = "ing", .size = 3}};

static const struct engine_bias biases[] = {{101, 3.5f}, {32, -100}, {116, 1}};

static void options_make(struct engine_job *ask, uint32_t i)
{
    if (i % 5 == 1)
        ask->repetition_penalty = 1.3f;
    if (i % 5 == 2 || i % 7 == 0)
        ask->presence_penalty = 0.7f;
    if (i % 10 == 2)
        ask->frequency_penalty = -0.4f;
    if (i % 4 == 1) {
        ask->biases = biases;
        ask->bias_count = 3;
    }
    if (i % 6 == 3)
        ask->min_p = 0.05f;
    if (i % 9 == 3)
        ask->typical_p = 0.7f;
    if (i % 3 == 1)
        ask->top_count = 1 + i % ENGINE_TOPS_MAX;
    ask->priority = (int32_t)(i % 13) - 6;
}

/* Every kind of job over prompts that share beginnings of odd lengths. */
static void jobs_make(struct jobs *jobs, uint32_t vocab, uint32_t prompt_max, uint32_t out_max)
{
    for (uint32_t i = 0; i < jobs->count; i++) {
        const uint32_t shared = engine_jobs_mix(i, 1) % (prompt_max * 3 / 4);
        const uint32_t own = 1 + engine_jobs_mix(i, 2) % (prompt_max / 4);
        for (uint32_t t = 0; t < shared + own; t++)
            jobs->prompts[i][t] = (token_id)((t < shared ? engine_jobs_mix(i % 5, 1000 + t)
                                                         : engine_jobs_mix(i + 77, t)) %
                                             vocab);
        struct engine_job *ask = &jobs->asks[i];
        *ask = (struct engine_job){.prompt = jobs->prompts[i],
                                   .prompt_tokens = shared + own,
                                   .max_tokens = 1 + engine_jobs_mix(i, 3) % out_max,
                                   .ignore_end = i % 2 == 0,
                                   .seed = i % 3,
                                   .job_key = i,
                                   .tag = i};
        if (i % 3 == 0)
            ask->temperature = 0.8f;
        if (i % 6 == 0)
            ask->top_p = 0.9f;
        if (i % 7 == 0)
            ask->sample_count = SAMPLES;
        if (i % 8 == 3) {
            ask->stops = stops;
            ask->stop_count = 2;
        }
        if (i % 11 == 5) {
            ask->format = ENGINE_FORMAT_SCHEMA;
            ask->format_source = text_of(engine_job_output_schema);
            ask->chunk = TEXT("Once upon a time there was a little engine.");
            ask->ignore_end = false;
            ask->max_tokens = 80;
            ask->stop_count = 0;
        }
        if (i % 13 == 6) {
            ask->format = i % 2 ? ENGINE_FORMAT_SCHEMA : ENGINE_FORMAT_REGEX;
            ask->format_source = i % 2 ? TEXT("{\"type\": \"array\"}") : TEXT("[^e]*(e|x)+");
            ask->ignore_end = false;
        }
        options_make(ask, i);
        if (i % 9 == 7) {
            ask->kind = ENGINE_EMBED;
            ask->pooling = i % 2 ? ENGINE_POOL_MEAN : ENGINE_POOL_LAST;
            ask->sample_count = 1;
        }
        if (i % 9 == 4 && shared + own > 3) {
            ask->kind = ENGINE_SCORE;
            ask->sample_count = 1;
            ask->score_tokens = 1 + engine_jobs_mix(i, 4) % (shared + own - 1);
        }
    }
}

static void note(void *context, const struct engine_event *event)
{
    struct outcome *outcome = context;
    assert_true(event->tag < JOBS && event->sample < SAMPLES);
    uint32_t *size = &outcome->sizes[event->tag][event->sample];
    uint64_t *mark = &outcome->marks[event->tag][event->sample];
    uint32_t bits;
    memcpy(&bits, &event->logprob, sizeof bits);
    *mark = *mark * 31 + bits;
    for (uint32_t i = 0; i < event->top_count; i++) {
        memcpy(&bits, &event->tops[i].logprob, sizeof bits);
        *mark = *mark * 31 + (uint32_t)event->tops[i].token * 7 + bits;
    }
    for (uint32_t i = 0; i < event->vector_size; i++) {
        memcpy(&bits, &event->vector[i], sizeof bits);
        *mark = *mark * 31 + bits;
    }
    if (event->kind == ENGINE_DONE) {
        outcome->done[event->tag][event->sample] = *event;
        outcome->done_count++;
        return;
    }
    assert_int_equal(text_utf8_valid(event->text), event->text.size);
    assert_true(*size + event->text.size < TEXT_MAX);
    memcpy(outcome->texts[event->tag][event->sample] + *size, event->text.data,
           event->text.size);
    *size += (uint32_t)event->text.size;
}

enum order { ALONE, FORWARD, BACKWARD, MIXED };

static void run_jobs(const struct engine_options *options, const struct jobs *jobs,
                     enum order order, struct outcome *outcome)
{
    struct engine *engine = engine_jobs_open(options);
    memset(outcome, 0, sizeof *outcome);
    for (uint32_t i = 0; i < jobs->count; i++) {
        const uint32_t at = order == BACKWARD ? jobs->count - 1 - i
                            : order == MIXED  ? (i * 37 + 5) % jobs->count
                                              : i;
        engine_jobs_submit(engine, &jobs->asks[at]);
        if (order == ALONE)
            engine_jobs_each(engine, note, outcome);
    }
    engine_jobs_each(engine, note, outcome);
    struct engine_stats stats;
    engine_stats(engine, &stats);
    assert_int_equal(stats.jobs_done, jobs->count);
    assert_int_equal(stats.sequences_running, 0);
    engine_close(engine);
}

static void same_outcome(const struct jobs *jobs, const struct outcome *a,
                         const struct outcome *b)
{
    for (uint32_t i = 0; i < jobs->count; i++) {
        const uint32_t samples = jobs->asks[i].sample_count;
        for (uint32_t s = 0; s < (samples ? samples : 1); s++) {
            assert_string_equal(a->texts[i][s], b->texts[i][s]);
            assert_true(a->marks[i][s] == b->marks[i][s]);
            assert_int_equal(a->done[i][s].finish, b->done[i][s].finish);
            assert_int_equal(a->done[i][s].stop_string, b->done[i][s].stop_string);
            assert_int_equal(a->done[i][s].output_tokens, b->done[i][s].output_tokens);
            assert_true(a->done[i][s].score == b->done[i][s].score);
        }
    }
}

static void check_job_output(struct text text)
{
    struct json *root = NULL;
    struct error err;
    struct text explanation;
    if (json_parse(text, 0, &root, &err) != OK)
        fail_msg("%s: %.*s", err.text, TEXT_ARG(text));
    assert_int_equal(json_count(root), 3);
    assert_true(json_text(json_get(root, "explanation"), &explanation));
    assert_non_null(json_get(root, "citation"));
    assert_non_null(json_get(root, "answer"));
    json_free(root);
}

/* The outcome makes sense in itself. */
static void check_outcome(const struct jobs *jobs, const struct outcome *outcome)
{
    for (uint32_t i = 0; i < jobs->count; i++) {
        const struct engine_job *ask = &jobs->asks[i];
        const struct engine_event *done = &outcome->done[i][0];
        const struct text text = {outcome->texts[i][0], outcome->sizes[i][0]};
        assert_int_equal(done->kind, ENGINE_DONE);
        assert_int_equal(done->prompt_tokens, ask->prompt_tokens);
        if (ask->kind != ENGINE_GENERATE) {
            assert_int_equal(done->finish, ENGINE_STOP);
            assert_true(ask->kind == ENGINE_EMBED ? outcome->marks[i][0] != 0
                                                  : done->score < 0);
            continue;
        }
        for (uint32_t s = 0; s < ask->stop_count; s++)
            assert_int_equal(text_find(text, ask->stops[s], 0), SIZE_MAX);
        assert_true(done->stop_string <= ask->stop_count);
        if (done->stop_string > 0)
            assert_int_equal(done->finish, ENGINE_STOP);
        else if (ask->ignore_end && ask->format == ENGINE_FORMAT_TEXT)
            assert_int_not_equal(done->finish, ENGINE_STOP);
        if (ask->format_source.data == engine_job_output_schema) {
            assert_int_equal(done->finish, ENGINE_STOP);
            check_job_output(text);
        } else if (ask->ignore_end && ask->stop_count == 0) {
            assert_int_equal(done->output_tokens, ask->max_tokens);
            assert_int_equal(done->finish, ENGINE_LENGTH);
        }
    }
}

static void any_company(const char *path, struct jobs *jobs, uint32_t small_pool)
{
    static struct outcome alone;
    static struct outcome other;
    for (int precision = ENGINE_EXACT; precision <= ENGINE_INT8; precision++) {
        struct engine_options options = {.device = ENGINE_CPU,
                                         .model_path = path,
                                         .precision = (enum engine_precision)precision,
                                         .threads = 1};
        run_jobs(&options, jobs, ALONE, &alone);
        check_outcome(jobs, &alone);
        options.threads = 2;
        options.step_tokens = 64;
        run_jobs(&options, jobs, FORWARD, &other);
        same_outcome(jobs, &alone, &other);
        options.step_tokens = 0;
        run_jobs(&options, jobs, MIXED, &other);
        same_outcome(jobs, &alone, &other);
        options.threads = 1;
        options.kv_pages = small_pool;
        options.step_tokens = 37;
        run_jobs(&options, jobs, BACKWARD, &other);
        same_outcome(jobs, &alone, &other);
    }
    print_message("%u jobs%s\n", jobs->count,
                  jobs->count < JOBS ? ", fewer than the release build has of small models"
                                     : "");
}

static void same_text_in_any_company_tiny(void **state)
{
    (void)state;
    static struct jobs jobs = {.count = COMPANY};
    jobs_make(&jobs, TINY_MODEL_VOCAB, 120, 30);
    any_company(tiny_path, &jobs, 32);
}

static void same_text_in_any_company_stories(void **state)
{
    (void)state;
    static struct jobs jobs = {.count = COMPANY};
    const struct test_data_path path = test_data("models/stories260K/stories260K.gguf");
    if (!test_data_is_there(&path))
        skip();
    jobs_make(&jobs, 512, 100, 30);
    any_company(path.text, &jobs, 32);
}

/* Few and short ones: the model is large for a machine that is shared. */
static void same_text_in_any_company_demo_model(void **state)
{
    (void)state;
    static struct jobs jobs = {.count = 12};
    const struct test_data_path path = test_data_demo_model();
    if (!COUNTS_ALLOCATIONS)
        print_message("skipped: under a sanitizer it takes too long\n");
    if (!COUNTS_ALLOCATIONS || !test_data_is_there(&path))
        skip();
    jobs_make(&jobs, 49152, 40, 8);
    any_company(path.text, &jobs, 24);
}

/* A prompt with what was said after it, and how likely that was. */
struct scored {
    token_id tokens[90];
    float logprobs[90];
    uint32_t count;
    double sum;
};

static void add_token(void *context, const struct engine_event *event)
{
    struct scored *said = context;
    if (event->token == TOKEN_NONE)
        return;
    assert_true(said->count < 90);
    said->logprobs[said->count] = event->logprob;
    said->tokens[said->count++] = event->token;
    said->sum += (double)event->logprob;
}

/* Scores told one by one are those of what was said; being greedy, each was the likeliest. */
static void check_told(struct engine *engine, struct engine_job *ask, const struct scored *said)
{
    struct engine_event event;
    ask->tells_scores = true;
    ask->top_count = 1;
    engine_jobs_submit(engine, ask);
    for (uint32_t i = 40; i < said->count; i++) {
        assert_int_equal(engine_poll(engine, &event, 1, -1), 1);
        assert_int_equal(event.kind, ENGINE_TOKEN);
        assert_int_equal(event.token, said->tokens[i]);
        assert_true(event.logprob == said->logprobs[i]);
        assert_int_equal(event.top_count, 1);
        assert_true(event.tops[0].token == said->tokens[i] &&
                    event.tops[0].logprob == said->logprobs[i]);
    }
    assert_int_equal(engine_poll(engine, &event, 1, -1), 1);
    assert_true(event.kind == ENGINE_DONE && event.score == said->sum);
}

/* Greedy tokens' log-probabilities, scored again as a given continuation: the same sum, bit
 * for bit, though the rows are computed side by side instead of one after the other. */
static void a_score_is_what_generating_said(void **state)
{
    (void)state;
    for (int precision = ENGINE_EXACT; precision <= ENGINE_INT8; precision++) {
        const struct engine_options options = {.device = ENGINE_CPU,
                                               .model_path = tiny_path,
                                               .precision = (enum engine_precision)precision};
        struct engine *engine = engine_jobs_open(&options);
        struct engine_event event;
        struct scored said = {.count = 40};
        for (uint32_t i = 0; i < said.count; i++)
            said.tokens[i] = (token_id)(engine_jobs_mix(i, 9) % 256);
        struct engine_job ask = {
            .prompt = said.tokens, .prompt_tokens = 40, .max_tokens = 50, .ignore_end = true};
        engine_jobs_submit(engine, &ask);
        engine_jobs_each(engine, add_token, &said);
        assert_int_equal(said.count, 90);
        ask.kind = ENGINE_SCORE;
        ask.prompt_tokens = 90;
        ask.score_tokens = 50;
        engine_jobs_submit(engine, &ask);
        assert_int_equal(engine_poll(engine, &event, 1, -1), 1);
        assert_int_equal(event.kind, ENGINE_DONE);
        assert_true(event.score == said.sum);
        check_told(engine, &ask, &said);
        engine_close(engine);
    }
}

static void cancels_end_what_runs(void **state)
{
    (void)state;
    static struct jobs jobs = {.count = JOBS};
    static struct outcome outcome;
    const struct engine_options options = {
        .device = ENGINE_CPU, .model_path = tiny_path, .kv_pages = 64};
    struct engine *engine;
    uint64_t ids[JOBS];
    uint32_t samples = 0;
    memset(&outcome, 0, sizeof outcome);
    jobs_make(&jobs, TINY_MODEL_VOCAB, 120, 30);
    assert_int_equal(engine_open(&engine, &options, NULL), OK);
    for (uint32_t i = 0; i < JOBS; i++) {
        ids[i] = engine_jobs_submit(engine, &jobs.asks[i]);
        samples += jobs.asks[i].sample_count > 1 ? jobs.asks[i].sample_count : 1;
        if (i % 2)
            engine_cancel(engine, ids[i / 2]);
    }
    engine_cancel(engine, 1234567); /* nobody's */
    engine_jobs_each(engine, note, &outcome);
    assert_int_equal(outcome.done_count, samples);
    for (uint32_t i = JOBS / 2; i < JOBS; i++)
        assert_int_not_equal(outcome.done[i][0].finish, ENGINE_CANCELLED);
    struct engine_stats stats;
    engine_stats(engine, &stats);
    assert_int_equal(stats.kv_pages_free, 64);
    assert_true(stats.cancelled > 0 && stats.cancel_steps_max <= 1);
    engine_close(engine);
}

static void closes_with_jobs_inside(void **state)
{
    (void)state;
    static struct jobs jobs = {.count = JOBS};
    jobs_make(&jobs, TINY_MODEL_VOCAB, 120, 30);
    for (uint32_t polled = 0; polled < 3; polled++) {
        const struct engine_options options = {.device = ENGINE_CPU, .model_path = tiny_path};
        struct engine *engine;
        struct engine_event events[EVENTS];
        assert_int_equal(engine_open(&engine, &options, NULL), OK);
        for (uint32_t i = 0; i < JOBS; i++)
            engine_jobs_submit(engine, &jobs.asks[i]);
        for (uint32_t i = 0; i < polled; i++)
            assert_true(engine_poll(engine, events, EVENTS, -1) > 0);
        engine_close(engine);
    }
}

static void refuses_at_the_door(void **state)
{
    (void)state;
    struct engine *engine;
    struct error err;
    struct engine_options options = {.model_path = NULL};
    assert_int_equal(engine_open(&engine, &options, &err), ERR_FORMAT);
    options.model_path = "/nowhere/model.gguf";
    assert_int_equal(engine_open(&engine, &options, &err), ERR_IO);
    options = (struct engine_options){
        .device = ENGINE_CPU, .model_path = tiny_path, .step_tokens = 1u << 20};
    assert_int_equal(engine_open(&engine, &options, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "step_tokens: 1048576"));
    options =
        (struct engine_options){.device = ENGINE_CPU, .model_path = tiny_path, .kv_bytes = 1};
    assert_int_equal(engine_open(&engine, &options, &err), ERR_LIMIT);
    options =
        (struct engine_options){.device = ENGINE_CPU, .model_path = tiny_path, .kv_pages = 2};
    assert_int_equal(engine_open(&engine, &options, &err), OK);
    const token_id prompt[40] = {0};
    const struct engine_job ask = {.prompt = prompt, .prompt_tokens = 40, .max_tokens = 1};
    uint64_t id;
    assert_int_equal(engine_submit(engine, &ask, &id, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "40 tokens"));
    struct engine_event event;
    assert_int_equal(engine_poll(engine, &event, 1, -1), 0);
    engine_close(engine);
}

/* Sizes that follow from options, so that the memory of the moment has no say. */
static void a_look_says_what_opening_does(void **state)
{
    (void)state;
    static const struct engine_options all[] = {
        {.device = ENGINE_CPU, .kv_bytes = 1 << 22},
        {.device = ENGINE_CPU, .kv_bytes = 1 << 16, .precision = ENGINE_INT8},
        {.device = ENGINE_CPU, .sequences_max = 2, .step_tokens = 64, .kv = ENGINE_KV_F16},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct engine_options options = all[i];
        struct engine *engine;
        struct engine_info look = {0};
        options.model_path = tiny_path;
        assert_int_equal(engine_look(&options, &look, NULL), OK);
        assert_int_equal(engine_open(&engine, &options, NULL), OK);
        const struct engine_info *info = engine_info(engine);
        assert_string_equal(look.device_name, info->device_name);
        assert_string_equal(look.kv, info->kv);
        assert_true(look.weight_bytes == info->weight_bytes && look.weight_bytes > 0);
        assert_true(look.kv_bytes == info->kv_bytes && look.kv_pages == info->kv_pages);
        assert_int_equal(look.context_max, info->context_max);
        assert_int_equal(look.sequences_max, info->sequences_max);
        assert_int_equal(look.step_tokens, info->step_tokens);
        assert_int_equal(look.page_tokens, info->page_tokens);
        engine_close(engine);
    }
    struct engine_options none = all[0];
    struct engine_info look;
    none.model_path = "/nowhere/model.gguf";
    assert_int_equal(engine_look(&none, &look, NULL), ERR_IO);
}

static uint64_t parameters_of(bool has_own_head, enum engine_precision precision)
{
    struct engine_info info = {0};
    char path[64];
    const struct tiny_model_options tiny = {.has_own_head = has_own_head};
    const int file = tiny_model_open(&tiny, path, sizeof path);
    const struct engine_options options = {
        .device = ENGINE_CPU, .precision = precision, .model_path = path, .threads = 1};
    assert_int_equal(engine_look(&options, &info, NULL), OK);
    (void)close(file);
    return info.parameters;
}

/* Whether a model is one of less than a billion parameters must not depend on its form. */
static void parameters_are_those_of_the_file(void **state)
{
    (void)state;
    enum { HIDDEN = 64, FFN = 96, KV = 32, LAYERS = 2 };
    const uint64_t norms = (2 * LAYERS + 1) * HIDDEN;
    const uint64_t matrices = 2 * HIDDEN * HIDDEN + 2 * HIDDEN * KV + 3 * HIDDEN * FFN;
    const uint64_t table = TINY_MODEL_VOCAB * HIDDEN;
    for (int precision = ENGINE_EXACT; precision <= ENGINE_INT8; precision++) {
        const enum engine_precision as = (enum engine_precision)precision;
        assert_int_equal(parameters_of(false, as), LAYERS * matrices + norms + table);
        assert_int_equal(parameters_of(true, as), LAYERS * matrices + norms + 2 * table);
    }
}

static void the_engine_thread_does_not_allocate(void **state)
{
    (void)state;
    static struct jobs jobs = {.count = JOBS};
    static struct outcome outcome;
    if (!COUNTS_ALLOCATIONS) {
        print_message("left out: a sanitizer has malloc, so allocations are not counted\n");
        skip();
    }
    const struct engine_options options = {
        .device = ENGINE_CPU, .model_path = tiny_path, .kv_pages = 64};
    struct engine *engine = engine_jobs_open(&options);
    memset(&outcome, 0, sizeof outcome);
    jobs_make(&jobs, TINY_MODEL_VOCAB, 120, 30);
    assert_int_equal(engine_open(&engine, &options, NULL), OK);
    count_allocations(true);
    for (uint32_t i = 0; i < JOBS; i++)
        engine_jobs_submit(engine, &jobs.asks[i]);
    engine_jobs_each(engine, note, &outcome);
    count_allocations(false);
    assert_int_equal(atomic_load(&foreign_allocations), 0);
    engine_close(engine);
}

int main(void)
{
    const struct tiny_model_options tiny = {.seed = 5};
    const int file = tiny_model_open(&tiny, tiny_path, sizeof tiny_path);
    if (file < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_at_the_door),
        cmocka_unit_test(a_look_says_what_opening_does),
        cmocka_unit_test(parameters_are_those_of_the_file),
        cmocka_unit_test(a_score_is_what_generating_said),
        cmocka_unit_test(cancels_end_what_runs),
        cmocka_unit_test(closes_with_jobs_inside),
        cmocka_unit_test(the_engine_thread_does_not_allocate),
        cmocka_unit_test(same_text_in_any_company_tiny),
        cmocka_unit_test(same_text_in_any_company_stories),
        cmocka_unit_test(same_text_in_any_company_demo_model),
    };
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    close(file);
    return failed;
}
