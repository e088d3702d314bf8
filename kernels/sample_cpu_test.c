/* sample_cpu_test - Philox against its published answers, sampling against its plain twin under
 * every wish, wishes against answers worked out by hand, and what must not happen: a forbidden
 * token, a choice from NaN. */
#include "kernels/sample_draw.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    VOCAB_MAX = 4500, /* more than a slice */
    ROWS = 40,
    WORDS = (VOCAB_MAX + 31) / 32,
    SEEN_MAX = 30,
    DRAWS = 20000
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static float logits[ROWS * VOCAB_MAX];
static uint32_t masks[ROWS][WORDS];
static struct sample_seen seen[ROWS][SEEN_MAX];

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
        for (int32_t i = 0; i < SEEN_MAX; i++)
            seen[r][i] = (struct sample_seen){i * vocab / SEEN_MAX, i % 5 - 1,
                                              (float)(i % 4) * 0.75f - 1.5f};
    }
}

static struct sample_row row_make(int32_t index)
{
    static const float temperatures[] = {0.0f, 0.3f, 1.0f, 1e-30f, 5.0f};
    static const int32_t top_ks[] = {0, 0, 1, 7, 100000};
    static const float top_ps[] = {1.0f, 0.9f, 1.0f, 0.3f};
    static const float min_ps[] = {0.0f, 0.0f, 0.1f, 1.0f};
    static const float typical_ps[] = {0.0f, 0.0f, 0.5f, 1.0f, 0.0f, 0.95f};
    static const float repetitions[] = {0.0f, 1.3f, 1.0f, 0.8f};
    return (struct sample_row){.logits_row = (index * 7) % ROWS,
                               .target = index % 11 == 10 ? index : TOKEN_NONE,
                               .allowed = index % 3 == 0 ? NULL : masks[index % ROWS],
                               .temperature = temperatures[(size_t)index % COUNT(temperatures)],
                               .top_k = top_ks[(size_t)(index / 5) % COUNT(top_ks)],
                               .top_p = top_ps[(size_t)(index / 2) % COUNT(top_ps)],
                               .min_p = min_ps[(size_t)(index / 7) % COUNT(min_ps)],
                               .typical_p = typical_ps[(size_t)(index / 4) % COUNT(typical_ps)],
                               .seed = UINT64_C(0x123456789abcdef) * (uint64_t)index,
                               .job = (uint32_t)index,
                               .sample = 2,
                               .position = 3,
                               .seen = seen[index % ROWS],
                               .seen_count = index % 13 % 4 * SEEN_MAX / 3,
                               .repetition = repetitions[(size_t)(index / 3) % 4],
                               .frequency = index % 6 == 2 ? 0.4f : 0.0f,
                               .presence = index % 9 == 2 ? -0.7f : 0.0f,
                               .top_count = index % 17 == 3 ? SAMPLE_TOP_MAX : index % 2};
}

static struct sample_result sample_one(sample_function *function, struct sample_row row,
                                       int32_t vocab)
{
    struct device *device = device_new(1, DEVICE_SIMD_AVX512_VNNI);
    struct sample_result result;
    const struct sample_args args = {
        .logits = logits, .rows = &row, .results = &result, .count = 1, .vocab = vocab};
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
        sample_draw_philox(counter, cases[i] + 4);
        assert_memory_equal(counter, cases[i] + 6, sizeof counter);
    }
}

static void uniforms_stay_inside(void **state)
{
    (void)state;
    assert_true(sample_draw_uniform_of(0) > 0.0f && sample_draw_uniform_of(UINT32_MAX) < 1.0f);
    const struct sample_row row = {.seed = 5, .job = 6, .sample = 7, .position = 8};
    uint32_t words[4];
    for (int32_t token = 0; token < 100; token++) {
        sample_draw_words(&row, (uint32_t)token / 4, words);
        assert_true(sample_draw_uniform(&row, token) ==
                    sample_draw_uniform_of(words[token % 4]));
    }
}

static void check_tops(const struct sample_row *row, const struct sample_top *found,
                       const struct sample_top *expected)
{
    for (int32_t n = 0; n < row->top_count; n++) {
        assert_int_equal(found[n].token, expected[n].token);
        assert_true(fabsf(found[n].logprob - expected[n].logprob) <= 2e-6f);
    }
}

static void check_twin(struct device *device, int32_t vocab, int32_t count, float softcap)
{
    struct sample_row *rows = malloc((size_t)count * sizeof *rows);
    struct sample_result *results = malloc(2 * (size_t)count * sizeof *results);
    struct sample_top *tops = malloc(2 * (size_t)count * SAMPLE_TOP_MAX * sizeof *tops);
    assert_true(rows && results && tops);
    for (int32_t i = 0; i < count; i++) {
        rows[i] = row_make(i);
        rows[i].target = rows[i].target >= vocab ? vocab - 1 : rows[i].target;
    }
    struct sample_args args = {.logits = logits,
                               .rows = rows,
                               .results = results,
                               .count = count,
                               .vocab = vocab,
                               .tops = tops,
                               .softcap = softcap};
    assert_int_equal(sample_ref(device, &args), OK);
    args.results = results + count;
    args.tops = tops + count * SAMPLE_TOP_MAX;
    assert_int_equal(sample_cpu(device, &args), OK);
    for (int32_t i = 0; i < count; i++) {
        const struct sample_result found = args.results[i], expected = results[i];
        if (found.token != expected.token ||
            !(fabsf(found.logprob - expected.logprob) <= 2e-6f))
            fail_msg("vocab %d, row %d: token %d at %g, should be %d at %g", vocab, i,
                     found.token, (double)found.logprob, expected.token,
                     (double)expected.logprob);
        check_tops(&rows[i], args.tops + i * SAMPLE_TOP_MAX, tops + i * SAMPLE_TOP_MAX);
    }
    free(rows);
    free(results);
    free(tops);
}

static const enum device_simd levels[] = {DEVICE_SIMD_SCALAR, DEVICE_SIMD_WIDEST};

static void sampling_follows_the_twin(void **state)
{
    (void)state;
    const int32_t vocabs[] = {65, 128, 517, VOCAB_MAX};
    for (size_t level = 0; level < COUNT(levels); level++) {
        struct device *device = device_new(2, levels[level]);
        for (size_t i = 0; i < COUNT(vocabs); i++) {
            logits_fill(vocabs[i], (uint32_t)i + 1);
            check_twin(device, vocabs[i], i < 3 ? 420 : 24, i % 2 == 0 ? 0.0f : 2.5f);
        }
        device_close(device);
    }
}

static void levels_and_company_change_nothing(void **state)
{
    (void)state;
    enum { ROW_COUNT = 210, VOCAB = 517 };
    static struct sample_row rows[ROW_COUNT];
    static struct sample_result results[2][ROW_COUNT];
    static struct sample_top tops[2][ROW_COUNT][SAMPLE_TOP_MAX];
    logits_fill(VOCAB, 9);
    for (size_t level = 0; level < COUNT(levels); level++) {
        struct device *device = device_new((uint32_t)level + 1, levels[level]);
        for (int32_t i = 0; i < ROW_COUNT; i++)
            rows[i] = row_make(i);
        const struct sample_args args = {.logits = logits,
                                         .rows = rows,
                                         .results = results[level],
                                         .tops = tops[level][0],
                                         .count = ROW_COUNT,
                                         .vocab = VOCAB};
        assert_int_equal(sample_cpu(device, &args), OK);
        device_close(device);
    }
    assert_memory_equal(results[0], results[1], sizeof results[0]);
    assert_memory_equal(tops[0], tops[1], sizeof tops[0]);
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

/* Penalties, one by one, at logits 2, 3, -1 of tokens 0, 1, 2 (1 seen twice, 2 once). */
static void penalties_are_what_they_say(void **state)
{
    (void)state;
    const struct sample_seen before[] = {{1, 2, 0.0f}, {2, 1, 0.0f}};
    const struct {
        float repetition, frequency, presence;
        token_id best;
        float w1, w2;
    } cases[] = {{0.0f, 0.0f, 0.0f, 1, 3.0f, -1.0f},    {1.0f, 0.0f, 0.0f, 1, 3.0f, -1.0f},
                 {2.0f, 0.0f, 0.0f, 0, 1.5f, -2.0f},    {0.5f, 0.0f, 0.0f, 1, 6.0f, -0.5f},
                 {0.0f, 0.75f, 0.0f, 0, 1.5f, -1.75f},  {0.0f, 0.0f, 1.25f, 0, 1.75f, -2.25f},
                 {2.0f, -0.5f, 0.25f, 1, 2.25f, -1.75f}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct sample_row row = {.target = TOKEN_NONE,
                                       .top_p = 1.0f,
                                       .seen = before,
                                       .seen_count = 2,
                                       .repetition = cases[i].repetition,
                                       .frequency = cases[i].frequency,
                                       .presence = cases[i].presence};
        logits[0] = 2.0f, logits[1] = 3.0f, logits[2] = -1.0f;
        assert_true(sample_draw_penalty(&row, 3.0f, &before[0]) == cases[i].w1);
        assert_true(sample_draw_penalty(&row, -1.0f, &before[1]) == cases[i].w2);
        const struct sample_result found = sample_one(sample_cpu, row, 3);
        assert_int_equal(found.token, cases[i].best);
        const double sum = exp(2.0) + exp(3.0) + exp(-1.0);
        assert_true(fabs((double)found.logprob - ((double)logits[found.token] - log(sum))) <
                    1e-6);
    }
    /* Beyond all measure: still a finite choice; what could not come cannot now. */
    const struct sample_row wild = {.repetition = 1e-38f, .frequency = -3e38f};
    const struct sample_seen often = {0, 2000000, 3e38f};
    assert_true(isfinite(sample_draw_penalty(&wild, 5.0f, &often)));
    assert_true(sample_draw_penalty(&wild, -INFINITY, &often) == -INFINITY);
}

/* What is in the prompt alone is repetition's only; a bias is added to any, last. */
static void lists_tell_prompt_output_and_bias_apart(void **state)
{
    (void)state;
    const struct sample_row row = {.repetition = 2.0f, .frequency = 0.5f, .presence = 1.0f};
    const struct {
        struct sample_seen seen;
        float w;
    } cases[] = {{{0, 2, 0.0f}, 0.0f},
                 {{0, 1, 0.25f}, 0.75f},
                 {{0, 0, 0.0f}, 2.0f},
                 {{0, 0, -3.0f}, -1.0f},
                 {{0, SAMPLE_UNSEEN, 0.0f}, 4.0f},
                 {{0, SAMPLE_UNSEEN, -100.0f}, -96.0f}};
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_true(sample_draw_penalty(&row, 4.0f, &cases[i].seen) == cases[i].w);
}

static void softcaps_are_tanh(void **state)
{
    (void)state;
    for (float logit = -200.0f; logit < 200.0f; logit += 0.037f) {
        const double wanted = 30.0 * tanh((double)logit / 30.0);
        assert_true(fabs((double)sample_draw_cap(logit, 30.0f) - wanted) < 30.0 * 4e-7);
    }
    assert_true(sample_draw_cap(7.0f, 0.0f) == 7.0f);
    assert_true(sample_draw_cap(-INFINITY, 30.0f) == -INFINITY);
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
    const struct sample_args args = {
        .logits = logits, .rows = rows, .results = results, .count = DRAWS, .vocab = TOKENS};
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
        cmocka_unit_test(penalties_are_what_they_say),
        cmocka_unit_test(lists_tell_prompt_output_and_bias_apart),
        cmocka_unit_test(softcaps_are_tanh),
        cmocka_unit_test(draws_follow_the_softmax),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
