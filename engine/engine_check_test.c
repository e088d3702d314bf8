/* engine_check_test - each field past its limit is refused by name; so are NaN and infinity. */
#include "engine/engine_check.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const token_id prompt[] = {1, 2, 3, 4};
static const token_id wild[] = {1, 100};
static const token_id negative[] = {-1};
static char long_stop[ENGINE_STOP_BYTES_MAX + 1];
static const struct text no_stop = {.data = "", .size = 0};
static const struct text too_long = {.data = long_stop, .size = sizeof long_stop};
static const struct text not_utf8 = {.data = "a\xff", .size = 2};
static const struct text good_stop = {.data = "\xc3\xa9", .size = 2};

static const struct engine_bias far_bias[] = {{100, 1}}, nan_bias[] = {{1, NAN}};
static const struct engine_bias twice_bias[] = {{3, 1}, {3, 2}};

static const struct engine_check_limits limits = {
    .vocab = 100, .tokens_max = 20, .has_tokenizer = true};

#define JOB(tokens, count, max, ...)                                                           \
    {                                                                                          \
        .prompt = tokens, .prompt_tokens = count, .max_tokens = max, __VA_ARGS__               \
    }

struct refusal {
    struct engine_job job;
    enum status status;
    const char *words;
};

static void refuses_with_a_sentence(void **state)
{
    (void)state;
    const struct refusal refusals[] = {
        {JOB(prompt, 4, 5, .kind = (enum engine_kind)7), ERR_FORMAT, "kind: 7"},
        {JOB(prompt, 4, 5, .kind = ENGINE_EMBED, .pooling = (enum engine_pooling)2), ERR_FORMAT,
         "pooling: 2"},
        {JOB(prompt, 4, 5, .format = (enum engine_format)9), ERR_FORMAT, "format: 9"},
        {JOB(prompt, 0, 5, .seed = 0), ERR_FORMAT, "prompt: it is empty"},
        {JOB(NULL, 4, 5, .seed = 0), ERR_FORMAT, "prompt: it is empty"},
        {JOB(prompt, 20, 5, .seed = 0), ERR_LIMIT, "20 tokens, the context has room for 19"},
        {JOB(wild, 2, 5, .seed = 0), ERR_FORMAT, "token 1 is 100"},
        {JOB(negative, 1, 5, .seed = 0), ERR_FORMAT, "token 0 is -1"},
        {JOB(prompt, 4, 0, .seed = 0), ERR_LIMIT, "max_tokens: 0"},
        {JOB(prompt, 4, 5, .sample_count = 129), ERR_LIMIT,
         "sample_count: 129, the limit is 128"},
        {JOB(prompt, 4, 5, .temperature = NAN), ERR_LIMIT, "temperature: nan"},
        {JOB(prompt, 4, 5, .temperature = INFINITY), ERR_LIMIT, "temperature: inf"},
        {JOB(prompt, 4, 5, .temperature = -0.5f), ERR_LIMIT, "temperature: -0.5"},
        {JOB(prompt, 4, 5, .top_k = -1), ERR_LIMIT, "top_k: -1"},
        {JOB(prompt, 4, 5, .top_p = NAN), ERR_LIMIT, "top_p: nan"},
        {JOB(prompt, 4, 5, .top_p = 1.5f), ERR_LIMIT, "top_p: 1.5"},
        {JOB(prompt, 4, 5, .min_p = 1.5f), ERR_LIMIT, "min_p: 1.5"},
        {JOB(prompt, 4, 5, .min_p = NAN), ERR_LIMIT, "min_p: nan"},
        {JOB(prompt, 4, 5, .typical_p = 1.5f), ERR_LIMIT, "typical_p: 1.5, want above 0"},
        {JOB(prompt, 4, 5, .typical_p = -0.5f), ERR_LIMIT, "typical_p: -0.5"},
        {JOB(prompt, 4, 5, .typical_p = NAN), ERR_LIMIT, "typical_p: nan"},
        {JOB(prompt, 4, 5, .repetition_penalty = -1), ERR_LIMIT, "repetition_penalty: -1"},
        {JOB(prompt, 4, 5, .repetition_penalty = 101), ERR_LIMIT, "want 0.01 to 100"},
        {JOB(prompt, 4, 5, .repetition_penalty = NAN), ERR_LIMIT, "repetition_penalty: nan"},
        {JOB(prompt, 4, 5, .presence_penalty = 2.5f), ERR_LIMIT, "presence_penalty: 2.5"},
        {JOB(prompt, 4, 5, .frequency_penalty = NAN), ERR_LIMIT, "frequency_penalty: nan"},
        {JOB(prompt, 4, 5, .frequency_penalty = -INFINITY), ERR_LIMIT,
         "frequency_penalty: -inf"},
        {JOB(prompt, 4, 5, .top_count = 21), ERR_LIMIT, "top_logprobs: 21, the limit is 20"},
        {JOB(prompt, 4, 5, .biases = far_bias, .bias_count = 1), ERR_LIMIT,
         "logit_bias: token 100, the vocabulary ends at 99"},
        {JOB(prompt, 4, 5, .biases = nan_bias, .bias_count = 1), ERR_LIMIT,
         "logit_bias: nan for token 1"},
        {JOB(prompt, 4, 5, .biases = twice_bias, .bias_count = 2), ERR_FORMAT,
         "logit_bias: token 3 comes twice"},
        {JOB(prompt, 4, 5, .biases = far_bias, .bias_count = 1025), ERR_LIMIT,
         "logit_bias: 1025 tokens, the limit is 1024"},
        {JOB(prompt, 4, 5, .priority = 101), ERR_LIMIT, "priority: 101, want -100 to 100"},
        {JOB(prompt, 4, 5, .priority = -101), ERR_LIMIT, "priority: -101"},
        {JOB(prompt, 4, 5, .stops = &no_stop, .stop_count = 1), ERR_LIMIT,
         "string 0 has 0 bytes"},
        {JOB(prompt, 4, 5, .stops = &too_long, .stop_count = 1), ERR_LIMIT,
         "string 0 has 257 bytes"},
        {JOB(prompt, 4, 5, .stops = &not_utf8, .stop_count = 1), ERR_FORMAT,
         "not UTF-8 at byte 1"},
        {JOB(prompt, 4, 5, .stops = &good_stop, .stop_count = 17), ERR_LIMIT, "17 strings"},
        {JOB(prompt, 4, 5, .format = ENGINE_FORMAT_SCHEMA, .ignore_end = true), ERR_FORMAT,
         "ignore_end: a text of a schema"},
        {JOB(prompt, 4, 5, .kind = ENGINE_SCORE), ERR_LIMIT,
         "score_tokens: 0 of a prompt of 4"},
        {JOB(prompt, 4, 5, .kind = ENGINE_SCORE, .score_tokens = 4), ERR_LIMIT, "want 1 to 3"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct engine_job checked;
        struct error err = {.text = ""};
        const enum status status = engine_check_job(&refusals[i].job, &limits, &checked, &err);
        if (status != refusals[i].status || !strstr(err.text, refusals[i].words))
            fail_msg("case %zu: %s, \"%s\", want \"%s\"", i, error_word(status), err.text,
                     refusals[i].words);
    }
}

static void makes_defaults_explicit(void **state)
{
    (void)state;
    struct engine_job checked;
    const struct engine_job job = JOB(prompt, 4, 1000, .stops = &good_stop, .stop_count = 1);
    assert_int_equal(engine_check_job(&job, &limits, &checked, NULL), OK);
    assert_int_equal(checked.max_tokens, 16);
    assert_int_equal(checked.sample_count, 1);
    assert_true(checked.top_p == 1);
    const struct engine_job surest = JOB(prompt, 4, 9, .min_p = 1, .typical_p = 1);
    assert_int_equal(engine_check_job(&surest, &limits, &checked, NULL), OK);
    const struct engine_job shaped = JOB(prompt, 4, 1, .format = ENGINE_FORMAT_SCHEMA);
    assert_int_equal(engine_check_job(&shaped, &limits, &checked, NULL), OK);
    const struct engine_job score =
        JOB(prompt, 4, 0, .kind = ENGINE_SCORE, .score_tokens = 3, .sample_count = 9);
    assert_int_equal(engine_check_job(&score, &limits, &checked, NULL), OK);
    assert_int_equal(checked.sample_count, 1);
}

static void without_a_tokenizer(void **state)
{
    (void)state;
    struct engine_job checked;
    struct error err;
    const struct engine_check_limits bare = {.vocab = 100, .tokens_max = 20};
    const struct engine_job stop = JOB(prompt, 4, 5, .stops = &good_stop, .stop_count = 1);
    assert_int_equal(engine_check_job(&stop, &bare, &checked, &err), ERR_LIMIT);
    const struct engine_job shaped = JOB(prompt, 4, 15, .format = ENGINE_FORMAT_SCHEMA);
    assert_int_equal(engine_check_job(&shaped, &bare, &checked, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "the model has no tokenizer"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_with_a_sentence),
        cmocka_unit_test(makes_defaults_explicit),
        cmocka_unit_test(without_a_tokenizer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
