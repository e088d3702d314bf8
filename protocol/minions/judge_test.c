/* judge_test - the exact judge by tables: spellings, near misses, denials; which judge. */
#include "protocol/minions/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct judge_expected one(const struct text *answer)
{
    return (struct judge_expected){.answers = answer, .answer_count = 1, .option = -1};
}

static void folds(void **state)
{
    (void)state;
    static const struct {
        const char *text, *folded;
    } cases[] = {
        {"The  Answer\nis: an APPLE, a pear.", "answer is apple pear"},
        {"\u201cOmnipaque\u00a0240\u201d", "omnipaque 240"},
        {"1,577.50", "1577.50"},
        {"-5", "-5"},
        {"a-b", "ab"},
        {"5% < 6 %", "5 % < 6 %"},
        {"The", ""},
        {"theory", "theory"},
        {"\u00c9cole", "\u00c9cole"},
        {"...", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct text_buf buf = {0};
        judge_fold(&buf, text_of(cases[i].text));
        if (!text_equal(text_buf_text(&buf), text_of(cases[i].folded)))
            fail_msg("%s: folded to [%.*s]", cases[i].text, TEXT_ARG(text_buf_text(&buf)));
        text_buf_deinit(&buf);
    }
}

static void judges_texts(void **state)
{
    (void)state;
    static const struct {
        const char *expected, *answer;
        bool is_right;
    } cases[] = {
        {"Omnipaque 240", "omnipaque 240.", true},
        {"Omnipaque 240", "The  Omnipaque\n240", true},
        {"Omnipaque 240", "Omnipaque 24", false},
        {"Omnipaque 240", "Omnipaque 2400", false},
        {"Omnipaque 240", "not Omnipaque 240", false},
        {"Omnipaque 240", "", false},
        {"1.5", "15", false},
        {"1,500", "1500", true},
        {"-5", "5", false},
        {"yes", "Yes, because of the lesion.", true},
        {"Yes.", "YES", true},
        {"yes", "No.", false},
        {"yes", "Not yes", false},
        {"yes", "yesterday", false},
        {"no", "No, it was not.", true},
        {"no", "None", false},
        {"no", "It is yes, no doubt", false},
        {"the", "the", false}, /* nothing is left of it: nothing can be told */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct text expected = text_of(cases[i].expected);
        const struct judge_expected e = one(&expected);
        if (judge_exact(&e, text_of(cases[i].answer)) != cases[i].is_right)
            fail_msg("%s, answered %s: right is %d", cases[i].expected, cases[i].answer,
                     !cases[i].is_right);
    }
    const struct text two[] = {TEXT("BERT"), TEXT("RoBERTa")};
    const struct judge_expected any = {.answers = two, .answer_count = 2, .option = -1};
    assert_true(judge_exact(&any, TEXT("roberta")));
    assert_false(judge_exact(&any, TEXT("BERT and RoBERTa")));
}

static void reads_options(void **state)
{
    (void)state;
    const struct text options[] = {TEXT("Heart attack"), TEXT("No heart attack"),
                                   TEXT("10 mg of it"), TEXT("Aspirin"), TEXT("A and D")};
    static const struct {
        const char *answer;
        int option;
    } cases[] = {
        {"B", 1},
        {"b", 1},
        {"(b)", 1},
        {"B.", 1},
        {"B) no heart attack", 1},
        {"C: 10 mg of it", 2},
        {"**D**", 3},
        {"The answer is D.", 3},
        {"Answer: (C)", 2},
        {"Option A", 0},
        {"I would choose option D, aspirin.", 3},
        {"aspirin", 3},
        {"It was Aspirin.", 3},
        {"heart attack", 0},
        {"There was no heart attack at all", 1},
        {"a and d", 4},
        {"A patient took aspirin", 3},
        {"A patient", JUDGE_NO_OPTION},
        {"F", JUDGE_NO_OPTION},
        {"not aspirin", JUDGE_NO_OPTION},
        {"110 mg of it", JUDGE_NO_OPTION},
        {"aspirin or 10 mg of it", JUDGE_NO_OPTION},
        {"The answer is A, or the answer is B", JUDGE_NO_OPTION},
        {"", JUDGE_NO_OPTION},
        {"I don't know", JUDGE_NO_OPTION},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const int option = judge_option(options, COUNT(options), text_of(cases[i].answer));
        if (option != cases[i].option)
            fail_msg("%s: option %d, want %d", cases[i].answer, option, cases[i].option);
    }
    const struct judge_expected e = {.answers = &options[3],
                                     .answer_count = 1,
                                     .options = options,
                                     .option_count = COUNT(options),
                                     .option = 3};
    assert_true(judge_exact(&e, TEXT("D")));
    assert_false(judge_exact(&e, TEXT("C")));
    assert_false(judge_exact(&e, TEXT("none of them")));
}

static void chooses_by_what_is_expected(void **state)
{
    (void)state;
    static const struct {
        const char *expected;
        enum judge_kind with, without; /* a model */
    } cases[] = {
        {"yes", JUDGE_EXACT, JUDGE_EXACT},
        {"No.", JUDGE_EXACT, JUDGE_EXACT},
        {"72.7 billion", JUDGE_NUMERIC, JUDGE_NUMERIC},
        {"17 %", JUDGE_NUMERIC, JUDGE_NUMERIC},
        {"Omnipaque 240", JUDGE_MODEL, JUDGE_EXACT},
        {"December 31, 2019", JUDGE_MODEL, JUDGE_EXACT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct text expected = text_of(cases[i].expected);
        const struct judge_expected e = one(&expected);
        if (judge_choose(&e, true) != cases[i].with ||
            judge_choose(&e, false) != cases[i].without)
            fail_msg("%s: judged by another", cases[i].expected);
    }
    const struct text options[] = {TEXT("1"), TEXT("2")};
    const struct judge_expected e = {.answers = options,
                                     .answer_count = 1,
                                     .options = options,
                                     .option_count = 2,
                                     .option = 0};
    assert_int_equal(judge_choose(&e, true), JUDGE_EXACT);
    const struct text mixed[] = {TEXT("5"), TEXT("five")};
    const struct judge_expected m = {.answers = mixed, .answer_count = 2, .option = -1};
    assert_int_equal(judge_choose(&m, false), JUDGE_EXACT);
    assert_true(judge_numeric(&m, TEXT("it is 5"), JUDGE_TOLERANCE));
    assert_false(judge_numeric(&m, TEXT("it is 6"), JUDGE_TOLERANCE));
}

static void equal_text_needs_no_model(void **state)
{
    (void)state;
    const struct text expected[] = {TEXT("Omnipaque 240"), TEXT("Yes")};
    const struct judge_expected e = {.answers = expected, .answer_count = 2, .option = -1};
    bool is_right = false;
    assert_int_equal(judge_by_model(NULL, &e, TEXT("the omnipaque 240."), &is_right, NULL), OK);
    assert_true(is_right);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folds),
        cmocka_unit_test(judges_texts),
        cmocka_unit_test(reads_options),
        cmocka_unit_test(chooses_by_what_is_expected),
        cmocka_unit_test(equal_text_needs_no_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
