/*
 * text_loss_test - the sums against numbers worked out by hand; and that a text gives the same
 * sums however many rows a step has, with the positions that skip and next say.
 */
#include "engine/text_loss.h"
#include "tests/harness/tiny_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { VOCAB = 4, TOKENS = 21 };

static bool is_near(double a, double b)
{
    return fabs(a - b) <= 1e-6 * (1 + fabs(b));
}

/* Probabilities 1/2, 1/4, 1/8, 1/8, the logits moved by a constant; and four of 1/4. */
static void sums_are_those_of_the_definition(void **state)
{
    (void)state;
    const float shift = 90; /* exp(90) is past F32 */
    const float ours[VOCAB] = {shift + logf(4), shift + logf(2), shift, shift};
    const float flat[VOCAB] = {-3, -3, -3, -3};
    struct text_loss loss = {0};
    assert_true(is_near(text_loss_log_sum(ours, VOCAB), (double)shift + log(8)));
    assert_int_equal(text_loss_top(ours, VOCAB), 0);
    assert_int_equal(text_loss_top(ours + 1, VOCAB - 1), 0);
    assert_int_equal(text_loss_top(flat, VOCAB), 0); /* the lowest of equals */
    text_loss_add(&loss, ours, flat, VOCAB, 1);
    assert_true(is_near(loss.nll, log(4)));
    assert_true(is_near(loss.other_nll, log(4)));
    /* KL(flat || ours) = sum of 1/4 log((1/4) / p) */
    assert_true(is_near(loss.kl, (log(0.5) + log(1) + 2 * log(2)) / 4));
    assert_int_equal(loss.same_top, 1);
    text_loss_add(&loss, ours, NULL, VOCAB, TOKEN_NONE);
    assert_int_equal(loss.positions, 2);
    assert_int_equal(loss.scored, 1);
    assert_true(is_near(loss.nll, log(4)));
}

static struct text_loss read_text(const char *path, int32_t rows, int32_t skip,
                                  const token_id *next)
{
    const struct model_run_options options = {.path = path,
                                              .threads = 1,
                                              .sequences = 1,
                                              .context_max = TOKENS,
                                              .rows_max = rows,
                                              .head_max = rows};
    struct model_run run, other;
    struct text_loss loss = {0};
    struct error err;
    token_id ids[TOKENS];
    for (token_id i = 0; i < TOKENS; i++)
        ids[i] = (i * 37 + 11) % 256;
    const struct text_loss_runs runs = {
        .run = &run, .other = &other, .skip = skip, .next = next};
    if (model_run_open(&run, &options, &err) != OK ||
        model_run_open(&other, &options, &err) != OK ||
        text_loss_run(&runs, ids, TOKENS, &loss, &err) != OK)
        fail_msg("%s", err.text);
    model_run_close(&other);
    model_run_close(&run);
    return loss;
}

static void steps_change_nothing(void **state)
{
    (void)state;
    const token_id next = 5;
    char path[32];
    const int fd = tiny_model_open(&(struct tiny_model_options){.seed = 3}, path, sizeof path);
    const struct text_loss whole = read_text(path, TOKENS, 0, NULL);
    assert_int_equal(whole.positions, TOKENS);
    assert_int_equal(whole.scored, TOKENS - 1);
    assert_int_equal(whole.same_top, TOKENS); /* of itself */
    assert_true(is_near(whole.kl, 0) && is_near(whole.other_nll, whole.nll));
    const struct text_loss parts = read_text(path, 4, 0, NULL);
    assert_true(is_near(parts.nll, whole.nll) && parts.scored == whole.scored);
    const struct text_loss end = read_text(path, 4, 9, &next);
    assert_int_equal(end.positions, TOKENS - 9);
    assert_int_equal(end.scored, TOKENS - 9);
    const struct text_loss beginning = read_text(path, 4, 9, NULL);
    assert_true(end.nll > beginning.nll && beginning.nll < whole.nll);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_of_the_definition),
        cmocka_unit_test(steps_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
