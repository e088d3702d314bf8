/* sample_typical_test - what typical_p leaves and what is drawn from it, against the definition
 * computed the slow way, in doubles and with libm: probabilities, their entropy, and tokens
 * sorted by how far their surprise lies from it. */
#include "kernels/sample_draw.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { VOCAB_MAX = 4500, WORDS = (VOCAB_MAX + 31) / 32, REF_VOCAB_MAX = 600, CASE_ROWS = 56 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Nearer than this, floats may decide otherwise than doubles. */
#define CLOSE 1e-5

typedef enum status sample_function(struct device *, const struct sample_args *);

enum kind { STEPS, UNIFORM, ONE_LEAST, PEAK, TWO_LEVELS, ONE_FINITE, RAMP, KINDS };

/* A token with what its place in an order depends on. */
struct ranked {
    double key, share;
    int32_t token;
};

static float logits[VOCAB_MAX];
static uint32_t mask[WORDS];
static struct ranked ranked[VOCAB_MAX];

static uint32_t noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Multiples of 1/16: divided by a power of two, heats are exact and so are their ties. */
static void logits_fill(enum kind kind, int32_t vocab, uint32_t *state)
{
    for (int32_t t = 0; t < vocab; t++) {
        float sum = 0.0f;
        for (int i = 0; i < 6; i++)
            sum += (float)noise(state) * 0x1p-24f - 0.5f;
        logits[t] = kind == STEPS        ? roundf(sum * 64.0f) / 16.0f
                    : kind == TWO_LEVELS ? (noise(state) % 2 == 0 ? 0.0f : -3.0f)
                    : kind == ONE_FINITE ? -INFINITY
                    : kind == RAMP       ? (float)-(t % 997) / 16.0f
                                         : 2.0f;
    }
    const uint32_t chosen = noise(state) % (uint32_t)vocab;
    if (kind == ONE_LEAST && vocab > 1)
        logits[chosen] = -INFINITY;
    if (kind == PEAK)
        logits[chosen] = 12.0f;
    if (kind == ONE_FINITE)
        logits[chosen] = -1.5f;
    for (int32_t w = 0; w < WORDS; w++)
        mask[w] = noise(state) | noise(state) << 8;
    mask[chosen / 32] |= 1u << chosen % 32;
}

static int ranked_compare(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return x->key < y->key ? -1 : x->key > y->key ? 1 : x->token < y->token ? -1 : 1;
}

static double ranked_sum(int32_t count)
{
    double sum = 0.0;
    for (int32_t i = 0; i < count; i++)
        sum += ranked[i].share;
    return sum;
}

/* How many of the sorted tokens have the share; *is_close when a float may think otherwise. */
static int32_t ranked_reach(int32_t count, double share, bool *is_close)
{
    const double total = ranked_sum(count);
    double before = 0.0;
    int32_t kept = 0;
    while (kept < count && before < share * total) {
        *is_close |= kept > 0 && share * total - before < CLOSE * total;
        before += ranked[kept++].share;
    }
    *is_close |= before - share * total < CLOSE * total;
    const double gap = kept < count ? ranked[kept].key - ranked[kept - 1].key : 0.0;
    *is_close |= gap > 0.0 && gap < CLOSE;
    return kept;
}

/* What top_k, top_p and min_p leave, hottest first. */
static int32_t exact_hottest(const struct sample_row *row, int32_t vocab, bool *is_close)
{
    double max = (double)-INFINITY;
    int32_t count = 0;
    for (int32_t t = 0; t < vocab; t++) {
        const bool is_allowed = row->allowed == NULL || (mask[t / 32] >> t % 32 & 1) != 0;
        if (!is_allowed || !(logits[t] > -INFINITY))
            continue;
        max = fmax(max, (double)logits[t]);
        ranked[count++] = (struct ranked){.key = (double)logits[t], .token = t};
    }
    for (int32_t i = 0; i < count; i++) {
        ranked[i].key = (max - ranked[i].key) / (double)row->temperature;
        ranked[i].share = exp(-ranked[i].key);
    }
    qsort(ranked, (size_t)count, sizeof ranked[0], ranked_compare);
    count = row->top_k > 0 && row->top_k < count ? row->top_k : count;
    if (row->top_p < 1.0f)
        count = ranked_reach(count, (double)row->top_p, is_close);
    while (ranked[count - 1].share < (double)row->min_p)
        count--;
    return count;
}

/* What typical_p leaves of these, by the definition. */
static int32_t exact_typical(const struct sample_row *row, int32_t count, bool *is_close)
{
    double entropy = 0.0;
    const double total = ranked_sum(count);
    for (int32_t i = 0; i < count; i++) {
        const double p = ranked[i].share / total;
        entropy -= p > 0.0 ? p * log(p) : 0.0;
    }
    for (int32_t i = 0; i < count; i++)
        ranked[i].key = fabs(-log(ranked[i].share / total) - entropy);
    qsort(ranked, (size_t)count, sizeof ranked[0], ranked_compare);
    return ranked_reach(count, (double)row->typical_p, is_close);
}

/* The token that is drawn. */
static token_id exact_draw(const struct sample_row *row, int32_t vocab, bool *is_close)
{
    int32_t count = exact_hottest(row, vocab, is_close);
    if (row->typical_p > 0.0f && row->typical_p < 1.0f)
        count = exact_typical(row, count, is_close);
    token_id best = TOKEN_NONE;
    double most = (double)-INFINITY, second = (double)-INFINITY;
    for (int32_t i = 0; i < count; i++) {
        const double uniform = (double)sample_draw_uniform(row, ranked[i].token);
        const double score = log(ranked[i].share) - log(-log(uniform));
        second = fmax(second, fmin(score, most));
        best = score > most ? ranked[i].token : best;
        most = fmax(most, score);
    }
    *is_close |= most - second < CLOSE;
    return best;
}

static struct device *device_new(enum device_simd simd)
{
    struct device *device;
    const struct device_options options = {.threads = 1, .simd_max = simd};
    assert_int_equal(device_open(&device, &options, NULL), OK);
    return device;
}

static struct sample_row row_make(uint32_t index)
{
    static const float shares[] = {0.47f, 0.89f, 0.21f, 1e-6f, 0.9987f, 0.963f, 0.0f, 1.0f};
    static const float temperatures[] = {1.0f, 0.5f, 2.0f};
    static const int32_t top_ks[] = {0, 0, 0, 5, 0, 40};
    static const float top_ps[] = {1.0f, 1.0f, 1.0f, 1.0f, 0.79f};
    static const float min_ps[] = {0.0f, 0.0f, 0.0f, 0.15f};
    return (struct sample_row){.target = TOKEN_NONE,
                               .allowed = index % 2 == 1 ? mask : NULL,
                               .temperature = temperatures[index % COUNT(temperatures)],
                               .top_k = top_ks[index / 2 % COUNT(top_ks)],
                               .top_p = top_ps[index / 3 % COUNT(top_ps)],
                               .min_p = min_ps[index / 5 % COUNT(min_ps)],
                               .typical_p = shares[index / 2 % COUNT(shares)],
                               .seed = 77,
                               .job = index,
                               .position = 5};
}

/* How many of the rows were too close to be told. */
static uint32_t case_check(struct device *device, sample_function *function, int32_t vocab,
                           const char *who)
{
    struct sample_row rows[CASE_ROWS];
    struct sample_result results[CASE_ROWS];
    uint32_t close = 0;
    for (uint32_t i = 0; i < CASE_ROWS; i++)
        rows[i] = row_make(i);
    const struct sample_args args = {
        .logits = logits, .rows = rows, .results = results, .count = CASE_ROWS, .vocab = vocab};
    assert_int_equal(function(device, &args), OK);
    for (uint32_t i = 0; i < CASE_ROWS; i++) {
        bool is_close = false;
        const token_id expected = exact_draw(&rows[i], vocab, &is_close);
        if (!is_close && results[i].token != expected)
            fail_msg("%s, vocab %d, row %u (typical_p %g, top_k %d, top_p %g, min_p %g): %d, "
                     "should be %d",
                     who, vocab, i, (double)rows[i].typical_p, rows[i].top_k,
                     (double)rows[i].top_p, (double)rows[i].min_p, results[i].token, expected);
        close += is_close;
    }
    return close;
}

static void draws_are_those_of_the_definition(void **state)
{
    (void)state;
    static const int32_t vocabs[] = {1, 2, 31, 33, 517, VOCAB_MAX};
    struct device *scalar = device_new(DEVICE_SIMD_SCALAR);
    struct device *widest = device_new(DEVICE_SIMD_WIDEST);
    uint32_t seed = 1, close = 0, all = 0;
    for (size_t v = 0; v < COUNT(vocabs); v++) {
        for (int kind = 0; kind < KINDS; kind++) {
            logits_fill((enum kind)kind, vocabs[v], &seed);
            close += case_check(scalar, sample_cpu, vocabs[v], "scalar");
            close += case_check(widest, sample_cpu, vocabs[v], "widest");
            all += 2 * CASE_ROWS;
            if (vocabs[v] <= REF_VOCAB_MAX)
                (void)case_check(scalar, sample_ref, vocabs[v], "twin");
        }
    }
    print_message("%u of %u rows are too close to be told\n", close, all);
    assert_true(close * 40 < all);
    device_close(scalar);
    device_close(widest);
}

/* Of equal tokens, as many as make up the share to the last one, and no more: each is drawn. */
static void of_equal_tokens_the_first_are_left(void **state)
{
    (void)state;
    enum { VOCAB = 64, DRAWS = 2000 };
    static struct sample_row rows[DRAWS];
    static struct sample_result results[DRAWS];
    struct device *device = device_new(DEVICE_SIMD_WIDEST);
    sample_function *const functions[] = {sample_ref, sample_cpu};
    const struct sample_args args = {
        .logits = logits, .rows = rows, .results = results, .count = DRAWS, .vocab = VOCAB};
    for (int32_t t = 0; t < VOCAB; t++)
        logits[t] = -7.25f;
    for (int32_t kept = 1; kept < VOCAB; kept *= 2) {
        for (uint32_t i = 0; i < DRAWS; i++) {
            rows[i] = (struct sample_row){.target = TOKEN_NONE,
                                          .temperature = 0.7f,
                                          .top_p = 1.0f,
                                          .typical_p = (float)kept / VOCAB,
                                          .position = i};
        }
        for (size_t f = 0; f < COUNT(functions); f++) {
            bool is_drawn[VOCAB] = {false};
            assert_int_equal(functions[f](device, &args), OK);
            for (uint32_t i = 0; i < DRAWS; i++)
                is_drawn[results[i].token] = true;
            for (int32_t t = 0; t < VOCAB; t++)
                assert_int_equal(is_drawn[t], t < kept);
        }
    }
    device_close(device);
}

/* One token has 0.4, and thirty 0.02 each: H is about 2.71, the thirty's surprise 3.91, the
 * best one's 0.92. So half of the mass is made up by 25 of the thirty, and the best is cut. */
static void the_best_token_may_be_cut(void **state)
{
    (void)state;
    enum { VOCAB = 31, DRAWS = 500 };
    static struct sample_row rows[DRAWS];
    static struct sample_result results[DRAWS];
    struct device *device = device_new(DEVICE_SIMD_WIDEST);
    const struct sample_args args = {
        .logits = logits, .rows = rows, .results = results, .count = DRAWS, .vocab = VOCAB};
    for (int32_t t = 0; t < VOCAB; t++)
        logits[t] = t == 3 ? logf(0.4f) : logf(0.02f);
    for (uint32_t i = 0; i < DRAWS; i++)
        rows[i] = (struct sample_row){.target = TOKEN_NONE,
                                      .temperature = 1.0f,
                                      .top_p = 1.0f,
                                      .typical_p = 0.49f,
                                      .position = i};
    assert_int_equal(sample_cpu(device, &args), OK);
    for (uint32_t i = 0; i < DRAWS; i++)
        assert_true(results[i].token != 3 && results[i].token < 26);
    device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(draws_are_those_of_the_definition),
        cmocka_unit_test(of_equal_tokens_the_first_are_left),
        cmocka_unit_test(the_best_token_may_be_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
