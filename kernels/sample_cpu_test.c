/* sample_cpu_test - Philox against its published answers, sampling against its plain twin under
 * every wish, and what must not happen: a forbidden token, a choice from NaN. */
#include "kernels/sample.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { VOCAB_MAX = 2100, ROWS = 40, WORDS = (VOCAB_MAX + 31) / 32, DRAWS = 20000 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static float logits[ROWS * VOCAB_MAX];
static uint32_t masks[ROWS][WORDS];

typedef enum status sample_function(struct device *, const struct sample_args *);

static struct device *device_new(uint32_t threads, enum device_simd simd)
{
    struct device *device;
    const struct device_options options = {.threads = threads, .simd_max = simd};
    assert_int_equal(device_open(&device, &options, NULL), OK);
    return device;
}

static uint32_t noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Logits like a model's, about normal; with steps, so that there are ties. */
static void logits_fill(int32_t vocab, uint32_t seed)
{
    for (int32_t i = 0; i < ROWS * vocab; i++) {
        float sum = 0.0f;
        for (int32_t k = 0; k < 6; k++)
            sum += (float)noise(&seed) * 0x1p-24f - 0.5f;
        logits[i] = roundf(sum * 64.0f) / 16.0f;
    }
    for (int32_t r = 0; r < ROWS; r++) {
        for (int32_t w = 0; w < WORDS; w++)
            masks[r][w] = r % 5 == 4 ? 0 : noise(&seed) | noise(&seed) << 8;
        masks[r][vocab / 64] |= 1;
    }
}

static struct sample_row row_make(int32_t index)
{
    static const float temperatures[] = {0.0f, 0.3f, 1.0f, 1e-30f, 5.0f};
    static const int32_t top_ks[] = {0, 0, 1, 7, 100000};
    static const float top_ps[] = {1.0f, 0.9f, 1.0f, 0.3f};
    static const float min_ps[] = {0.0f, 0.0f, 0.1f};
    return (struct sample_row){.logits_row = (index * 7) % ROWS,
                               .target = index % 11 == 10 ? index : TOKEN_NONE,
                               .allowed = index % 3 == 0 ? NULL : masks[index % ROWS],
                               .temperature = temperatures[(size_t)index % COUNT(temperatures)],
                               .top_k = top_ks[(size_t)(index / 5) % COUNT(top_ks)],
                               .top_p = top_ps[(size_t)(index / 2) % COUNT(top_ps)],
                               .min_p = min_ps[(size_t)(index / 7) % COUNT(min_ps)],
                               .seed = UINT64_C(0x123456789abcdef) * (uint64_t)index,
                               .job = (uint32_t)index,
                               .sample = 2,
                               .position = 3};
}

static struct sample_result sample_one(sample_function *function, struct sample_row row,
                                       int32_t vocab)
{
    struct device *device = device_new(1, DEVICE_SIMD_AVX512_VNNI);
    struct sample_result result;
    const struct sample_args args = {logits, &row, &result, 1, vocab};
    assert_int_equal(function(device, &args), OK);
    device_close(device);
    return result;
}

static void philox_gives_the_published_words(void **state)
{
    (void)state;
    const uint32_t cases[][10] = {
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d,
         0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09,
         0x94fdcceb, 0x5001e420, 0x24126ea1}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        uint32_t counter[4];
        memcpy(counter, cases[i], sizeof counter);
        sample_philox(counter, cases[i] + 4);
        assert_memory_equal(counter, cases[i] + 6, sizeof counter);
    }
}

static void uniforms_stay_inside(void **state)
{
    (void)state;
    assert_true(sample_uniform_of(0) > 0.0f && sample_uniform_of(UINT32_MAX) < 1.0f);
    const struct sample_row row = {.seed = 5, .job = 6, .sample = 7, .position = 8};
    uint32_t words[4];
    for (int32_t token = 0; token < 100; token++) {
        sample_words(&row, (uint32_t)token / 4, words);
        assert_true(sample_uniform(&row, token) == sample_uniform_of(words[token % 4]));
    }
}

static void check_twin(struct device *device, int32_t vocab, int32_t count)
{
    struct sample_row *rows = malloc((size_t)count * sizeof *rows);
    struct sample_result *expected = malloc((size_t)count * sizeof *expected);
    struct sample_result *found = malloc((size_t)count * sizeof *found);
    assert_true(rows && expected && found);
    for (int32_t i = 0; i < count; i++) {
        rows[i] = row_make(i);
        rows[i].target = rows[i].target >= vocab ? vocab - 1 : rows[i].target;
    }
    const struct sample_args ref = {logits, rows, expected, count, vocab};
    const struct sample_args cpu = {logits, rows, found, count, vocab};
    assert_int_equal(sample_ref(device, &ref), OK);
    assert_int_equal(sample_cpu(device, &cpu), OK);
    for (int32_t i = 0; i < count; i++) {
        if (found[i].token != expected[i].token ||
            !(fabsf(found[i].logprob - expected[i].logprob) <= 2e-6f))
            fail_msg("vocab %d, row %d: token %d at %g, should be %d at %g", vocab, i,
                     found[i].token, (double)found[i].logprob, expected[i].token,
                     (double)expected[i].logprob);
    }
    free(rows);
    free(expected);
    free(found);
}

static void sampling_follows_the_twin(void **state)
{
    (void)state;
    const int32_t vocabs[] = {65, 128, 517, 2100};
    for (int level = DEVICE_SIMD_SCALAR; level <= DEVICE_SIMD_AVX2; level++) {
        struct device *device = device_new(2, (enum device_simd)level);
        for (size_t i = 0; i < COUNT(vocabs); i++) {
            logits_fill(vocabs[i], (uint32_t)i + 1);
            check_twin(device, vocabs[i], i < 3 ? 420 : 60);
        }
        device_close(device);
    }
}

static void levels_and_company_change_nothing(void **state)
{
    (void)state;
    enum { ROW_COUNT = 210, VOCAB = 517 };
    struct sample_row rows[ROW_COUNT];
    struct sample_result results[2][ROW_COUNT];
    logits_fill(VOCAB, 9);
    for (int level = DEVICE_SIMD_SCALAR; level <= DEVICE_SIMD_AVX2; level++) {
        struct device *device = device_new((uint32_t)level + 1, (enum device_simd)level);
        for (int32_t i = 0; i < ROW_COUNT; i++)
            rows[i] = row_make(i);
        const struct sample_args args = {logits, rows, results[level], ROW_COUNT, VOCAB};
        assert_int_equal(sample_cpu(device, &args), OK);
        device_close(device);
    }
    assert_memory_equal(results[0], results[1], sizeof results[0]);
    for (int32_t i = 0; i < ROW_COUNT; i++) {
        const struct sample_result alone = sample_one(sample_cpu, rows[i], VOCAB);
        assert_memory_equal(&alone, &results[0][i], sizeof alone);
    }
}

static void unsound_rows_give_no_token(void **state)
{
    (void)state;
    sample_function *functions[] = {sample_ref, sample_cpu};
    const float poisons[] = {NAN, INFINITY};
    uint32_t nothing[WORDS] = {0};
    for (size_t f = 0; f < COUNT(functions); f++) {
        for (int32_t at = 0; at < 100; at++) {
            logits_fill(100, 3);
            logits[at] = poisons[at % 2];
            const struct sample_row row = {.target = at % 3 == 0 ? 5 : TOKEN_NONE,
                                           .top_p = 1.0f,
                                           .temperature = at % 4 == 0 ? 1.0f : 0.0f};
            const struct sample_result result = sample_one(functions[f], row, 100);
            assert_int_equal(result.token, TOKEN_NONE);
            assert_true(isnan(result.logprob));
        }
        logits_fill(100, 3);
        struct sample_row row = {.target = TOKEN_NONE, .allowed = nothing, .top_p = 1.0f};
        assert_int_equal(sample_one(functions[f], row, 100).token, TOKEN_NONE);
        row.temperature = 1.0f;
        assert_int_equal(sample_one(functions[f], row, 100).token, TOKEN_NONE);
        nothing[1] = 4; /* token 34 alone, and it cannot come */
        logits[34] = -INFINITY;
        assert_int_equal(sample_one(functions[f], row, 100).token, TOKEN_NONE);
        nothing[1] = 0;
    }
}

static void the_lowest_number_wins_a_tie(void **state)
{
    (void)state;
    const struct sample_row row = {.target = TOKEN_NONE, .top_p = 1.0f};
    for (int32_t i = 0; i < 100; i++)
        logits[i] = i == 37 || i == 38 || i == 99 ? 2.0f : 1.0f;
    assert_int_equal(sample_one(sample_cpu, row, 100).token, 37);
    assert_int_equal(sample_one(sample_ref, row, 100).token, 37);
}

/* Over many positions, tokens come as often as the softmax says: within five standard
 * deviations for each of eight tokens. */
static void draws_follow_the_softmax(void **state)
{
    (void)state;
    enum { TOKENS = 8 };
    static struct sample_row rows[DRAWS];
    static struct sample_result results[DRAWS];
    int counts[TOKENS] = {0};
    double total = 0.0;
    for (int32_t t = 0; t < TOKENS; t++) {
        logits[t] = 0.4f * (float)(t * 5 % TOKENS);
        total += exp((double)logits[t] / 0.7);
    }
    for (int32_t i = 0; i < DRAWS; i++)
        rows[i] = (struct sample_row){.target = TOKEN_NONE,
                                      .temperature = 0.7f,
                                      .top_p = 1.0f,
                                      .seed = 42,
                                      .position = (uint32_t)i};
    struct device *device = device_new(2, DEVICE_SIMD_AVX512_VNNI);
    const struct sample_args args = {logits, rows, results, DRAWS, TOKENS};
    assert_int_equal(sample_cpu(device, &args), OK);
    device_close(device);
    for (int32_t i = 0; i < DRAWS; i++)
        counts[results[i].token]++;
    for (int32_t t = 0; t < TOKENS; t++) {
        const double share = exp((double)logits[t] / 0.7) / total;
        const double off = fabs(counts[t] - DRAWS * share);
        assert_true(off <= 5.0 * sqrt(DRAWS * share * (1.0 - share)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(philox_gives_the_published_words),
        cmocka_unit_test(uniforms_stay_inside),
        cmocka_unit_test(sampling_follows_the_twin),
        cmocka_unit_test(levels_and_company_change_nothing),
        cmocka_unit_test(unsound_rows_give_no_token),
        cmocka_unit_test(the_lowest_number_wins_a_tie),
        cmocka_unit_test(draws_follow_the_softmax),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
