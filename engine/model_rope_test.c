/*
 * Tests of model_rope: frequencies and magnitudes that were worked out by hand from the papers'
 * formulas, at pairs where nothing, something and everything of a scaling acts.
 */
#include "engine/model_rope.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define NEAR(a, b) assert_true(fabs((double)(a) / (b)-1.0) < 1e-6)

/* Qwen2.5 with its YaRN: heads of 128, base 10^6, factor 4 on 32,768 positions. */
static const struct model_config YARN = {.rope_dim = 128,
                                         .rope_theta = 1e6F,
                                         .rope_factor = 4.0F,
                                         .rope_is_yarn = true,
                                         .rope_fast = 32.0F,
                                         .rope_slow = 1.0F,
                                         .rope_original = 32768};

static void test_plain_and_linear(void **state)
{
    (void)state;
    struct model_config config = {
        .rope_dim = 8, .rope_theta = 10000.0F, .rope_factor = 1.0F, .rope_local_theta = 100.0F};
    float inv_freq[4];
    const float factors[] = {1.0F, 2.0F, 4.0F, 8.0F};
    model_rope_fill(inv_freq, &config, NULL);
    NEAR(inv_freq[0], 1.0);
    NEAR(inv_freq[1], 0.1);
    NEAR(inv_freq[3], 0.001);
    model_rope_fill(inv_freq, &config, factors);
    NEAR(inv_freq[1], 0.05);
    NEAR(inv_freq[3], 0.000125);
    config.rope_factor = 8.0F;
    model_rope_fill(inv_freq, &config, NULL);
    NEAR(inv_freq[0], 0.125);
    NEAR(inv_freq[1], 0.0125);
    model_rope_fill_local(inv_freq, &config);
    NEAR(inv_freq[0], 1.0);
    NEAR(inv_freq[2], 0.1);
}

/* 128 ln(32768 / (2 pi 32)) / (2 ln 10^6) = 23.6, and 39.7 for one turn: the ramp goes from
 * pair 23 to pair 40. */
static void test_yarn(void **state)
{
    (void)state;
    float inv_freq[64];
    model_rope_fill(inv_freq, &YARN, NULL);
    NEAR(inv_freq[0], 1.0);
    NEAR(inv_freq[23], pow(1e6, -23 / 64.0));
    NEAR(inv_freq[24], pow(1e6, -24 / 64.0) * (1 - 0.75 / 17));
    NEAR(inv_freq[39], pow(1e6, -39 / 64.0) * (1 - 0.75 * 16 / 17));
    NEAR(inv_freq[40], pow(1e6, -40 / 64.0) / 4);
    NEAR(inv_freq[63], pow(1e6, -63 / 64.0) / 4);
}

static void test_magnitudes(void **state)
{
    (void)state;
    struct model_config config = YARN;
    NEAR(model_rope_magnitude(&config), 1.1386294361);
    config.rope_magnitude = 0.5F;
    NEAR(model_rope_magnitude(&config), 0.5 * 1.1386294361);
    /* Phi-3-mini-128k: sqrt(1 + ln 32 / ln 4096), which its file says too. */
    config = (struct model_config){
        .rope_factor = 1.0F, .rope_original = 4096, .context_max = 131072};
    NEAR(model_rope_magnitude(&config), 1.0);
    config.rope_is_long = true;
    NEAR(model_rope_magnitude(&config), 1.1902380714);
    config.rope_magnitude = 1.25F;
    NEAR(model_rope_magnitude(&config), 1.25);
    config = (struct model_config){
        .rope_factor = 1.0F, .rope_is_long = true, .rope_original = 4096, .context_max = 4096};
    NEAR(model_rope_magnitude(&config), 1.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_and_linear),
        cmocka_unit_test(test_yarn),
        cmocka_unit_test(test_magnitudes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
