/* seen_test - the list of a job, and of a sequence that grows: held against a plain count. */
#include "engine/seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VOCAB = 50, PROMPT = 30, OUTPUT = 200, BIASES = 3 };

static const struct engine_bias biases[BIASES] = {{49, 2.0f}, {3, -100.0f}, {7, 0.5f}};

/* How often token is among the first count of tokens. */
static int32_t count_of(const token_id *tokens, uint32_t count, token_id token)
{
    int32_t found = 0;
    for (uint32_t i = 0; i < count; i++)
        found += tokens[i] == token;
    return found;
}

static void counts_prompt_output_and_bias(void **state)
{
    (void)state;
    token_id prompt[PROMPT], output[OUTPUT];
    for (uint32_t i = 0; i < PROMPT; i++)
        prompt[i] = (token_id)(i * i % 23);
    for (uint32_t i = 0; i < OUTPUT; i++)
        output[i] = (token_id)(i * i * 7 % 41);
    const struct engine_job ask = {.prompt = prompt,
                                   .prompt_tokens = PROMPT,
                                   .presence_penalty = 0.5f,
                                   .biases = biases,
                                   .bias_count = BIASES};
    struct sample_seen *job;
    struct sample_seen list[VOCAB + BIASES];
    struct seen seen = {.list = list, .grows = true};
    assert_true(seen_of_job(&ask, &job, &seen.count));
    memcpy(list, job, seen.count * sizeof *list);
    free(job);
    for (uint32_t said = 0; said <= OUTPUT; said++) {
        uint32_t at = 0;
        for (token_id t = 0; t < VOCAB; t++) {
            const int32_t out = count_of(output, said, t);
            const bool in_prompt = count_of(prompt, PROMPT, t) > 0;
            const bool biased = t == 49 || t == 3 || t == 7;
            if (out == 0 && !in_prompt && !biased)
                continue;
            assert_true(at < seen.count);
            assert_int_equal(list[at].token, t);
            assert_int_equal(list[at].count, out > 0 || in_prompt ? out : SAMPLE_UNSEEN);
            const float bias = t == 49 ? 2.0f : t == 3 ? -100.0f : t == 7 ? 0.5f : 0.0f;
            assert_memory_equal(&list[at].bias, &bias, sizeof bias);
            at++;
        }
        assert_int_equal(at, seen.count);
        if (said < OUTPUT)
            seen_add(&seen, output[said]);
    }
}

static void stays_as_it_is_without_penalties(void **state)
{
    (void)state;
    const token_id prompt[] = {1, 2, 3};
    struct sample_seen *job;
    struct seen seen = {.list = NULL};
    struct engine_job ask = {.prompt = prompt, .prompt_tokens = 3, .repetition_penalty = 1.0f};
    assert_true(seen_of_job(&ask, &job, &seen.count));
    assert_null(job);
    assert_int_equal(seen.count, 0);
    seen_add(&seen, 5);
    assert_int_equal(seen.count, 0);
    ask.biases = biases;
    ask.bias_count = BIASES;
    assert_true(seen_of_job(&ask, &job, &seen.count));
    assert_int_equal(seen.count, BIASES);
    assert_int_equal(job[0].token, 3);
    assert_int_equal(job[2].token, 49);
    free(job);
    const float repetitions[] = {0.0f, 1.0f, 0.5f, 1.5f};
    for (size_t i = 0; i < 4; i++) {
        ask.repetition_penalty = repetitions[i];
        assert_int_equal(seen_is_wanted(&ask), i >= 2);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_prompt_output_and_bias),
        cmocka_unit_test(stays_as_it_is_without_penalties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
