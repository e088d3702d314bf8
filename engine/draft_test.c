/* draft_test - places are found, followed and lost; no more is drafted than has agreed. */
#include "engine/draft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { PROMPT = 12 };

static const token_id prompt[PROMPT] = {1, 2, 3, 4, 5, 6, 9, 2, 3, 4, 7, 8};

/* Says the tokens one after the other. */
static struct draft follow(const token_id *outputs, uint32_t count)
{
    struct draft draft = {0};
    struct draft_text text = {.prompt = prompt, .outputs = outputs, .prompt_tokens = PROMPT};
    for (text.output_count = 1; text.output_count <= count; text.output_count++)
        draft_follow(&draft, &text);
    return draft;
}

static uint32_t next(const struct draft *draft, uint32_t most, token_id *tokens)
{
    const struct draft_text text = {.prompt = prompt, .prompt_tokens = PROMPT};
    return draft_tokens(draft, &text, most, tokens);
}

static void two_tokens_are_chance(void **state)
{
    (void)state;
    token_id tokens[DRAFT_MAX];
    const token_id outputs[] = {50, 2, 3};
    const struct draft draft = follow(outputs, 3);
    assert_int_equal(next(&draft, DRAFT_MAX, tokens), 0);
}

static void three_are_a_copy(void **state)
{
    (void)state;
    token_id tokens[DRAFT_MAX];
    const token_id outputs[] = {50, 2, 3, 4};
    const struct draft draft = follow(outputs, 4); /* both places agree: the first */
    assert_int_equal(next(&draft, DRAFT_MAX, tokens), 3);
    assert_int_equal(tokens[0], 5);
    assert_int_equal(tokens[2], 9);
    assert_int_equal(next(&draft, 2, tokens), 2);
}

static void the_longer_agreement_wins(void **state)
{
    (void)state;
    token_id tokens[DRAFT_MAX];
    const token_id outputs[] = {9, 2, 3, 4};
    const struct draft draft = follow(outputs, 4);
    assert_int_equal(draft.at, 10);
    assert_int_equal(next(&draft, DRAFT_MAX, tokens), 2); /* the prompt ends there */
    assert_int_equal(tokens[0], 7);
}

static void a_copy_is_followed_and_lost(void **state)
{
    (void)state;
    token_id tokens[DRAFT_MAX];
    const token_id outputs[] = {1, 2, 3, 4, 5, 77};
    struct draft draft = follow(outputs, 5);
    assert_int_equal(draft.at, 5);
    assert_int_equal(draft.agreed, 5);
    draft = follow(outputs, 6);
    assert_int_equal(next(&draft, DRAFT_MAX, tokens), 0);
}

/* Leaving one place it goes on at another that agrees. */
static void another_place_is_found(void **state)
{
    (void)state;
    const token_id outputs[] = {1, 2, 3, 4, 7};
    const struct draft draft = follow(outputs, 5);
    assert_int_equal(draft.at, 11);
    assert_int_equal(draft.agreed, 4);
}

static void the_end_of_the_prompt_is_the_end(void **state)
{
    (void)state;
    token_id tokens[DRAFT_MAX];
    const token_id outputs[] = {4, 7, 8, 8};
    struct draft draft = follow(outputs, 3);
    assert_int_equal(next(&draft, DRAFT_MAX, tokens), 0);
    draft = follow(outputs, 4);
    assert_int_equal(next(&draft, DRAFT_MAX, tokens), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_tokens_are_chance),
        cmocka_unit_test(three_are_a_copy),
        cmocka_unit_test(the_longer_agreement_wins),
        cmocka_unit_test(a_copy_is_followed_and_lost),
        cmocka_unit_test(another_place_is_found),
        cmocka_unit_test(the_end_of_the_prompt_is_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
