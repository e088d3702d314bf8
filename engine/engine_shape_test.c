/*
 * engine_shape_test - texts of jobs with a schema or a regular expression, drawn hot from a
 * model that writes gibberish: each that ended by itself parses and is valid, whatever the
 * seed; each ends by itself that has tokens for the shortest text; guessed ahead, with few
 * pages or one by one the tokens are the same; what is cut is the beginning of something
 * valid; what cannot be asked for is refused.
 */
#include "base/json.h"
#include "engine/constraint.h"
#include "engine/engine.h"
#include "engine/mask_walk.h"
#include "tests/harness/engine_jobs.h"
#include "tests/harness/tiny_model.h"
#include "tokenizer/tokenizer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { SEEDS = 50, PROMPT = 20, HURRIED = 24 };

/* Some end soon whatever is drawn; the model closes no free string by itself. */
static const struct shape {
    enum engine_format format;
    const char *source;
    uint32_t tokens_max; /* by which every text has ended; 0: no such bound */
} shapes[] = {
    {ENGINE_FORMAT_SCHEMA,
     "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\",\"maxLength\":6},"
     "\"age\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":150},\"kind\":{\"enum\":[\"a\","
     "\"b\\u00e9\",null]}},\"required\":[\"name\",\"age\",\"kind\"],\"additionalProperties\":"
     "false}",
     0},
    {ENGINE_FORMAT_SCHEMA, "{\"enum\": [\"yes\", \"no\", 12, null]}", 80},
    {ENGINE_FORMAT_SCHEMA,
     "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"pattern\":\"^[a-c]{2,4}$\"},"
     "\"minItems\":1,\"maxItems\":3}",
     0},
    {ENGINE_FORMAT_SCHEMA, "{\"type\":\"string\",\"format\":\"date\"}", 80},
    {ENGINE_FORMAT_SCHEMA,
     "{\"anyOf\":[{\"type\":\"boolean\"},{\"type\":\"object\",\"properties\":{\"x\":{\"$ref\":"
     "\"#\"}},\"required\":[\"x\"],\"additionalProperties\":false}]}",
     0},
    {ENGINE_FORMAT_SCHEMA, "{\"type\":\"object\"}", 0},
    {ENGINE_FORMAT_SCHEMA, "{\"type\":\"number\"}", 0},
    {ENGINE_FORMAT_REGEX, "(ab|c\\d){1,4}(-[x-z]+)?;", 0},
    {ENGINE_FORMAT_REGEX, "[^\\x00-\\x7f]{3}", 12},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

static char path[64];
static token_id prompt[PROMPT];

static struct engine_job job_of(uint32_t shape, uint32_t seed)
{
    return (struct engine_job){.format = shapes[shape].format,
                               .format_source = text_of(shapes[shape].source),
                               .prompt = prompt,
                               .prompt_tokens = PROMPT,
                               .sample_count = 1,
                               .max_tokens = 300,
                               .temperature = 1.5f,
                               .seed = seed,
                               .tag = (uint64_t)shape * SEEDS + seed};
}

static struct matcher *make_matcher(struct arena *arena)
{
    struct matcher *matcher = calloc(1, sizeof *matcher);
    assert_non_null(matcher);
    assert_int_equal(arena_init(arena, (size_t)4 << 20, NULL), OK);
    assert_int_equal(matcher_init(matcher, NULL, arena, NULL), OK);
    return matcher;
}

static struct constraint *compiled[SHAPES];

static const struct constraint *constraint_of(const struct shape *shape)
{
    struct constraint **constraint = &compiled[shape - shapes];
    const bool is_schema = shape->format == ENGINE_FORMAT_SCHEMA;
    if (!*constraint)
        assert_int_equal(constraint_new(constraint,
                                        is_schema ? CONSTRAINT_SCHEMA : CONSTRAINT_REGEX,
                                        text_of(shape->source), NULL),
                         OK);
    return *constraint;
}

/* Where the text stands, byte by byte. */
static void judge(const struct shape *shape, struct text text, enum engine_finish finish)
{
    static struct constraint_text at;
    struct arena arena;
    struct matcher *matcher = make_matcher(&arena);
    const struct constraint *constraint = constraint_of(shape);
    struct error err;
    const bool is_schema = shape->format == ENGINE_FORMAT_SCHEMA;
    constraint_start(constraint, matcher, &at);
    if (finish == ENGINE_LENGTH && text_ends(text, TEXT("\xef\xbf\xbd")))
        text.size -= 3; /* a character was cut in two */
    if (!constraint_advance(constraint, matcher, &at, text))
        fail_msg("%s: not of it: %.*s", shape->source, TEXT_ARG(text));
    if (finish == ENGINE_STOP && !constraint_is_complete(constraint, &at))
        fail_msg("%s: not complete: %.*s", shape->source, TEXT_ARG(text));
    if (finish == ENGINE_STOP && is_schema && json_check(text, &err) != OK)
        fail_msg("%s: %s: %.*s", shape->source, err.text, TEXT_ARG(text));
    arena_deinit(&arena);
    free(matcher);
}

static void what_has_ended_is_valid(void **state)
{
    static struct engine_jobs_text texts[SHAPES * SEEDS];
    const struct engine_options options = {.device = ENGINE_CPU, .model_path = path};
    struct engine *engine = engine_jobs_open(&options);
    (void)state;
    for (uint32_t shape = 0; shape < SHAPES; shape++)
        for (uint32_t seed = 0; seed < SEEDS; seed++) {
            const struct engine_job job = job_of(shape, seed);
            engine_jobs_submit(engine, &job);
        }
    engine_jobs_texts(engine, texts, SHAPES * SEEDS);
    for (uint32_t i = 0; i < SHAPES * SEEDS; i++) {
        const struct shape *shape = &shapes[i / SEEDS];
        const enum engine_finish finish = texts[i].done.finish;
        assert_int_equal(finish, ENGINE_STOP);
        if (shape->tokens_max > 0)
            assert_true(texts[i].done.output_tokens <= shape->tokens_max);
        judge(shape, (struct text){texts[i].bytes, texts[i].size}, finish);
    }
    engine_close(engine);
}

/* Bytes of a shape's shortest text, and one for the token that ends it where it could go on. */
static uint32_t fewest_of(const struct shape *shape)
{
    static struct constraint_text at;
    static struct mask_walk walk; /* for its matcher */
    struct arena arena;
    const struct constraint *constraint = constraint_of(shape);
    assert_int_equal(arena_init(&arena, (size_t)4 << 20, NULL), OK);
    assert_int_equal(matcher_init(&walk.matcher, NULL, &arena, NULL), OK);
    constraint_start(constraint, &walk.matcher, &at);
    const uint32_t fewest = mask_walk_fewest(&walk, constraint, &at);
    arena_deinit(&arena);
    return fewest;
}

/* Budgets from the shortest text on, seeds, every shape, drawn hot: every text ends by itself
 * and is valid. */
static void texts_end_within_their_tokens(void **state)
{
    static struct engine_jobs_text texts[SHAPES * HURRIED];
    const struct engine_options options = {.device = ENGINE_CPU, .model_path = path};
    struct engine *engine = engine_jobs_open(&options);
    (void)state;
    for (uint32_t shape = 0; shape < SHAPES; shape++)
        for (uint32_t k = 0; k < HURRIED; k++) {
            struct engine_job job = job_of(shape, k);
            job.tag = (uint64_t)shape * HURRIED + k;
            job.temperature = 3;
            job.max_tokens = fewest_of(&shapes[shape]) + k / 2;
            engine_jobs_submit(engine, &job);
        }
    engine_jobs_texts(engine, texts, SHAPES * HURRIED);
    for (uint32_t i = 0; i < SHAPES * HURRIED; i++) {
        const struct text text = {texts[i].bytes, texts[i].size};
        if (texts[i].done.finish != ENGINE_STOP)
            fail_msg("%s: cut: %.*s", shapes[i / HURRIED].source, TEXT_ARG(text));
        judge(&shapes[i / HURRIED], text, ENGINE_STOP);
    }
    engine_close(engine);
}

/* Jobs of all shapes with samples, penalties and prompts that look like what they say. */
static uint32_t make_mixed(struct engine_job *jobs, token_id *like)
{
    static const char looks[] =
        "{\"name\": \"ab\", \"age\": 12, \"kind\": \"a\"} [\"aab\", \"bca\"]";
    uint32_t count = 0;
    for (uint32_t i = 0; i < sizeof looks - 1; i++)
        like[i] = (token_id)(unsigned char)looks[i];
    for (uint32_t shape = 0; shape < SHAPES; shape++)
        for (uint32_t k = 0; k < 3; k++) {
            struct engine_job *job = &jobs[count];
            *job = job_of(shape, k);
            job->tag = count++;
            job->max_tokens = 40 + 9 * k;
            job->sample_count = k == 1 ? ENGINE_JOBS_SAMPLES : 1;
            job->temperature = k == 0 ? 0 : 0.7f;
            job->prompt = like;
            job->prompt_tokens = sizeof looks - 1;
            if (k == 2)
                job->presence_penalty = 0.5f;
        }
    return count;
}

static void tokens_are_the_same_however_computed(void **state)
{
    static struct engine_job jobs[SHAPES * 3];
    static token_id like[128];
    const uint32_t count = make_mixed(jobs, like);
    struct engine_options options = {.device = ENGINE_CPU, .model_path = path};
    struct engine_jobs_outcome first, other;
    struct engine_stats stats;
    (void)state;
    engine_jobs_init(&first, count);
    engine_jobs_init(&other, count);
    engine_jobs_run(&options, jobs, count, &first, &stats);
    assert_true(stats.accepted_tokens > 0); /* of what looks like the prompt */
    options.no_drafts = true;
    options.sequences_max = 1;
    engine_jobs_run(&options, jobs, count, &other, NULL);
    for (uint32_t i = 0; i < count; i++)
        (void)engine_jobs_same(&first, &other, i, "one by one");
    options.no_drafts = false;
    options.sequences_max = 16;
    options.kv_pages = 10;
    engine_jobs_run(&options, jobs, count, &other, &stats);
    assert_true(stats.preemptions > 0);
    for (uint32_t i = 0; i < count; i++)
        (void)engine_jobs_same(&first, &other, i, "few pages");
    engine_jobs_deinit(&first);
    engine_jobs_deinit(&other);
}

/* Names are forced once they have begun, of a JobOutput too: steps are saved, and the tokens
 * are those that would have come without. White space is free, so that no guess goes past it:
 * what a JobOutput saves is had from its names, and its strings take what tokens there are. */
static void forced_text_is_jumped_over(void **state)
{
    static const char *const sources[] = {
        "{\"type\":\"object\",\"properties\":{\"explanation_of_it\":{\"enum\":[\"correct\","
        "\"incorrect\"]},\"what_was_asked\":{\"type\":\"boolean\"}},\"required\":["
        "\"explanation_of_it\",\"what_was_asked\"],\"additionalProperties\":false}",
        "(yes, that is so|no, it is not)\\.",
        engine_job_output_schema,
    };
    static const enum engine_format formats[] = {ENGINE_FORMAT_SCHEMA, ENGINE_FORMAT_REGEX,
                                                 ENGINE_FORMAT_SCHEMA};
    static const uint32_t saved[] = {40, 12, 20};
    struct engine_options options = {.device = ENGINE_CPU, .model_path = path};
    struct engine_jobs_outcome with, without;
    (void)state;
    engine_jobs_init(&with, 1);
    engine_jobs_init(&without, 1);
    for (uint32_t i = 0; i < 3; i++) {
        struct engine_stats jumped, stepped;
        struct engine_job job = job_of(0, 1);
        job.format = formats[i];
        job.format_source = text_of(sources[i]);
        job.chunk = TEXT("It is so, as was said.");
        job.tag = 0;
        job.max_tokens = ENGINE_JOBS_TOKENS;
        options.no_drafts = true;
        engine_jobs_run(&options, &job, 1, &without, &stepped);
        options.no_drafts = false;
        engine_jobs_run(&options, &job, 1, &with, &jumped);
        print_message("%u tokens, steps %u instead of %u\n", with.samples[0][0].count,
                      (unsigned)jumped.steps, (unsigned)stepped.steps);
        (void)engine_jobs_same(&without, &with, 0, "jumped over");
        assert_true(with.samples[0][0].done.finish == ENGINE_STOP);
        assert_true(jumped.steps + saved[i] <= stepped.steps);
    }
    engine_jobs_deinit(&with);
    engine_jobs_deinit(&without);
}

/* The whole context is taken up by what may not end: the text is cut. */
static void a_text_is_cut_where_its_tokens_end(void **state)
{
    struct engine_jobs_text texts[2] = {0};
    const struct engine_options options = {.device = ENGINE_CPU, .model_path = path};
    struct engine *engine = engine_jobs_open(&options);
    struct engine_job job = job_of(0, 3);
    const struct shape digits = {ENGINE_FORMAT_REGEX, "\\d{50}", 0};
    (void)state;
    job.format = digits.format;
    job.format_source = text_of(digits.source);
    job.tag = 0;
    job.max_tokens = 49;
    engine_jobs_submit(engine, &job);
    job.tag = 1;
    job.max_tokens = 50;
    engine_jobs_submit(engine, &job);
    engine_jobs_texts(engine, texts, 2);
    assert_int_equal(texts[0].done.finish, ENGINE_LENGTH);
    assert_int_equal(texts[1].done.finish, ENGINE_STOP);
    assert_int_equal(texts[0].size, 49);
    assert_int_equal(texts[1].size, 50);
    assert_memory_equal(texts[0].bytes, texts[1].bytes, 49);
    engine_close(engine);
}

/* Driven down to the deepest nesting that is taken, into an object that demands one more: no
 * token may come, and that is no failure. */
static void a_text_that_cannot_go_on_ends(void **state)
{
    struct engine_jobs_text said = {0};
    static const struct engine_bias biases[] = {
        {'[', 100}, {'{', 100}, {']', -100}, {' ', -100}, {'\n', -100}};
    const struct engine_options options = {.device = ENGINE_CPU, .model_path = path};
    struct engine *engine = engine_jobs_open(&options);
    struct engine_job job = job_of(0, 1);
    (void)state;
    job.format_source =
        TEXT("{\"type\": \"array\", \"items\": {\"type\": \"object\", \"properties\": "
             "{\"x\": {\"$ref\": \"#\"}}, \"required\": [\"x\"], \"additionalProperties\": "
             "false}}");
    job.tag = 0;
    job.temperature = 0;
    job.max_tokens = 480;
    job.biases = biases;
    job.bias_count = 5;
    engine_jobs_submit(engine, &job);
    engine_jobs_texts(engine, &said, 1);
    assert_int_equal(said.done.finish, ENGINE_LENGTH);
    assert_true(said.done.output_tokens < job.max_tokens);
    const struct text text = {said.bytes, said.size};
    assert_true(text_ends(text_trim(text), TEXT("{\"x\":")));
    engine_close(engine);
}

static void what_cannot_be_is_refused(void **state)
{
    const struct engine_options options = {.device = ENGINE_CPU, .model_path = path};
    struct engine *engine = engine_jobs_open(&options);
    struct engine_job job = job_of(0, 1);
    struct error err;
    uint64_t id;
    (void)state;
    job.format_source =
        TEXT("{\"type\": \"object\", \"properties\": {\"a\": {\"uniqueItems\": true}}}");
    assert_int_equal(engine_submit(engine, &job, &id, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "#/properties/a"));
    job.format_source = TEXT("");
    assert_int_equal(engine_submit(engine, &job, &id, &err), ERR_FORMAT);
    job = job_of(SHAPES - 1, 1);
    job.ignore_end = true;
    assert_int_equal(engine_submit(engine, &job, &id, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "ignore_end"));
    job.ignore_end = false;
    job.format = (enum engine_format)9;
    assert_int_equal(engine_submit(engine, &job, &id, &err), ERR_FORMAT);
    engine_close(engine);
}

int main(void)
{
    const int fd = tiny_model_open(&(struct tiny_model_options){.seed = 5}, path, sizeof path);
    for (uint32_t i = 0; i < PROMPT; i++)
        prompt[i] = (token_id)(i * 37 % 256);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_ended_is_valid),
        cmocka_unit_test(texts_end_within_their_tokens),
        cmocka_unit_test(tokens_are_the_same_however_computed),
        cmocka_unit_test(forced_text_is_jumped_over),
        cmocka_unit_test(a_text_is_cut_where_its_tokens_end),
        cmocka_unit_test(a_text_that_cannot_go_on_ends),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    const int failed = fd < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
    for (uint32_t i = 0; i < SHAPES; i++)
        constraint_free(compiled[i]);
    if (fd >= 0)
        close(fd);
    return failed;
}
