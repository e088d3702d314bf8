/* bm25_test - the formula against a value worked out by hand, and its order. */
#include "base/bm25.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void formula(void **state)
{
    (void)state;
    const struct bm25_params params = {.k1 = 1.2, .b = 0.75, .delta = 1};
    const struct bm25_passage passages[] = {
        {.text = TEXT("red fox")}, {.text = TEXT("red red dog barks")}, {.text = TEXT("cat")}};
    double scores[3];
    bm25_rank(&params, passages, 3, TEXT("the red fox"), scores);
    /* sizes 2, 4, 1; mean 7/3. red: n_w 2, idf ln 2. fox: n_w 1, idf ln 4. */
    const double mean = 7.0 / 3.0;
    const double norm0 = 1.2 * (0.25 + 0.75 * 2 / mean), norm1 = 1.2 * (0.25 + 0.75 * 4 / mean);
    const double first = (log(2) + log(4)) * (1 + 2.2 / (1 + norm0));
    const double second = log(2) * (1 + 2 * 2.2 / (2 + norm1));
    assert_true(fabs(scores[0] - first) < 1e-12);
    assert_true(fabs(scores[1] - second) < 1e-12);
    assert_true(scores[2] == 0);
}

static void a_heading_helps_a_little(void **state)
{
    (void)state;
    const struct bm25_passage passages[] = {{.text = TEXT("plain words")},
                                            {TEXT("plain words"), TEXT("Fox")},
                                            {.text = TEXT("fox words")}};
    double scores[3];
    bm25_rank(&bm25_default, passages, 3, TEXT("fox"), scores);
    assert_true(scores[0] == 0 && scores[1] > 0 && scores[2] > scores[1]);
}

static void a_heading_counts_for_all_under_it(void **state)
{
    (void)state;
    const struct text fox = TEXT("Fox"), cat = TEXT("Cat");
    const struct bm25_passage passages[] = {{TEXT("plain words"), fox},
                                            {TEXT("other words"), fox},
                                            {TEXT("plain words"), cat},
                                            {TEXT("plain words"), fox},
                                            {.text = TEXT("plain words")}};
    double scores[5];
    bm25_rank(&bm25_default, passages, 5, TEXT("fox"), scores);
    assert_true(scores[0] > 0 && scores[1] == scores[0] && scores[3] == scores[0]);
    assert_true(scores[2] == 0 && scores[4] == 0);
}

static void weights_multiply(void **state)
{
    (void)state;
    const struct bm25_passage passages[] = {{.text = TEXT("red fox")},
                                            {.text = TEXT("blue horse")}};
    struct bm25_query query = {.count = 0};
    double alone[2], weighed[2];
    bm25_rank(&bm25_chunks, passages, 2, TEXT("fox horse"), alone);
    bm25_query_add(&query, TEXT("the horse"), 2);
    bm25_query_add(&query, TEXT("fox horses"), 1);
    assert_int_equal(query.count, 2);
    bm25_score(&bm25_chunks, passages, 2, &query, weighed);
    assert_true(fabs(weighed[0] - alone[0]) < 1e-12 && alone[0] > 0);
    assert_true(fabs(weighed[1] - 3 * alone[1]) < 1e-12);
}

static void words_past_the_most_are_left_out(void **state)
{
    (void)state;
    struct bm25_query query = {.count = 0};
    struct text_buf buf = {0};
    for (int i = 0; i < BM25_QUERY_WORDS_MAX + 9; i++)
        text_buf_format(&buf, "w%dx ", i);
    bm25_query_add(&query, TEXT("already"), 1);
    bm25_query_add(&query, text_buf_text(&buf), 1);
    bm25_query_add(&query, TEXT("already"), 1);
    assert_int_equal(query.count, BM25_QUERY_WORDS_MAX);
    assert_true(query.weights[0] == 2);
    text_buf_deinit(&buf);
}

static void nothing_to_rank(void **state)
{
    (void)state;
    double score = -1;
    const struct bm25_passage empty = {0};
    bm25_rank(&bm25_default, &empty, 1, TEXT("word"), &score);
    assert_true(score == 0);
    bm25_rank(&bm25_default, &empty, 0, TEXT("word"), &score);
    bm25_rank(&bm25_default, &empty, 1, TEXT(""), &score);
    assert_true(score == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formula),
        cmocka_unit_test(a_heading_helps_a_little),
        cmocka_unit_test(a_heading_counts_for_all_under_it),
        cmocka_unit_test(weights_multiply),
        cmocka_unit_test(words_past_the_most_are_left_out),
        cmocka_unit_test(nothing_to_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
