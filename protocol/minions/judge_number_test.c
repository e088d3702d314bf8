/* judge_number_test - numbers in the spellings of filings and replies, and near misses. */
#include "protocol/minions/judge_number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void reads_every_spelling(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        double value;
        enum judge_number_kind kind;
    } cases[] = {
        {"1577", 1577, JUDGE_NUMBER_PLAIN},
        {"1,577", 1577, JUDGE_NUMBER_PLAIN},
        {"1,577.00", 1577, JUDGE_NUMBER_PLAIN},
        {"1'577'000", 1577000, JUDGE_NUMBER_PLAIN},
        {"1\u202f577\u202f000", 1577000, JUDGE_NUMBER_PLAIN},
        {"1\u00a0577", 1577, JUDGE_NUMBER_PLAIN},
        {"1.577,5", 1577.5, JUDGE_NUMBER_PLAIN},
        {"1.577", 1.577, JUDGE_NUMBER_PLAIN},
        {"12,34", 12, JUDGE_NUMBER_PLAIN},
        {"-3.5", -3.5, JUDGE_NUMBER_PLAIN},
        {"\u22123.5", -3.5, JUDGE_NUMBER_PLAIN},
        {"1.5e6", 1.5e6, JUDGE_NUMBER_PLAIN},
        {"2.5x", 2.5, JUDGE_NUMBER_PLAIN},
        {"5 years", 5, JUDGE_NUMBER_PLAIN},
        {"10 mg", 10, JUDGE_NUMBER_PLAIN},
        {"$1,577.00", 1577, JUDGE_NUMBER_SUM},
        {"$ 1,577", 1577, JUDGE_NUMBER_SUM},
        {"US$1,577", 1577, JUDGE_NUMBER_SUM},
        {"USD 1,577 million", 1577e6, JUDGE_NUMBER_SUM},
        {"USD1577", 1577, JUDGE_NUMBER_SUM},
        {"1,577 million US dollars", 1577e6, JUDGE_NUMBER_SUM},
        {"\u20ac1.5 Millionen", 1.5, JUDGE_NUMBER_SUM},
        {"72.7 billion", 72.7e9, JUDGE_NUMBER_SUM},
        {"$72.7B", 72.7e9, JUDGE_NUMBER_SUM},
        {"$72.7 bn", 72.7e9, JUDGE_NUMBER_SUM},
        {"$1.6mm", 1.6e6, JUDGE_NUMBER_SUM},
        {"16.5k", 16500, JUDGE_NUMBER_SUM},
        {"1.2 trillion", 1.2e12, JUDGE_NUMBER_SUM},
        {"-$5 million", -5e6, JUDGE_NUMBER_SUM},
        {"$-5 million", -5e6, JUDGE_NUMBER_SUM},
        {"(1,577)", -1577, JUDGE_NUMBER_PLAIN},
        {"($1,577)", -1577, JUDGE_NUMBER_SUM},
        {"$(1,577)", -1577, JUDGE_NUMBER_SUM},
        {"(1,577) million", -1577e6, JUDGE_NUMBER_SUM},
        {"(3.2%)", -3.2, JUDGE_NUMBER_PERCENT},
        {"(3.2)%", -3.2, JUDGE_NUMBER_PERCENT},
        {"17.5%", 17.5, JUDGE_NUMBER_PERCENT},
        {"17.5 %", 17.5, JUDGE_NUMBER_PERCENT},
        {"17.5 percent", 17.5, JUDGE_NUMBER_PERCENT},
        {"17.5 per cent", 17.5, JUDGE_NUMBER_PERCENT},
        {"250 basis points", 2.5, JUDGE_NUMBER_PERCENT},
        {"250bps", 2.5, JUDGE_NUMBER_PERCENT},
        {"0.", 0, JUDGE_NUMBER_PLAIN},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct judge_number number;
        size_t offset = 0;
        if (!judge_number_next(text_of(cases[i].text), &offset, &number))
            fail_msg("%s: no number is read", cases[i].text);
        const double off = number.value - cases[i].value;
        const double most =
            1e-9 * (cases[i].value < 0 ? 1 - cases[i].value : 1 + cases[i].value);
        if (off < -most || off > most || number.kind != cases[i].kind)
            fail_msg("%s: read as %g of kind %d", cases[i].text, number.value, number.kind);
    }
}

static void knows_what_is_no_number(void **state)
{
    (void)state;
    static const char *const none[] = {"",          "none", "FY2018", "Q2",
                                       "form 10-K", "T7",   "19p13",  "COVID-19",
                                       "3D model",  "v_2",  "five"};
    for (size_t i = 0; i < COUNT(none); i++) {
        struct judge_number number;
        size_t offset = 0;
        if (judge_number_next(text_of(none[i]), &offset, &number))
            fail_msg("%s: read as %g", none[i], number.value);
    }
}

static void tells_whole_numbers_from_sentences(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_whole;
    } cases[] = {
        {"72.7 billion", true},
        {"$1,577.00", true},
        {"17.5 %.", true},
        {"(1,577)", true},
        {"5 years", true},
        {"12 patients", true},
        {"2018", true},
        {"Omnipaque 240", false},
        {"December 31, 2019", false},
        {"5 to 10", false},
        {"3 days after it", false},
        {"yes", false},
        {"In 2018 it was 5", false},
        {"10/03/2015", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct judge_number number;
        if (judge_number_whole(text_of(cases[i].text), &number) != cases[i].is_whole)
            fail_msg("%s: whole is %d", cases[i].text, !cases[i].is_whole);
    }
}

struct match {
    const char *expected, *question, *answer;
    bool is_right;
};

static void check(const struct match *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct match *c = &cases[i];
        struct judge_number expected;
        assert_true(judge_number_whole(text_of(c->expected), &expected));
        if (judge_number_matches(&expected, text_of(c->question), text_of(c->answer), 0.01) !=
            c->is_right)
            fail_msg("%s, asked %s, answered %s: right is %d", c->expected, c->question,
                     c->answer, !c->is_right);
    }
}

static void matches_within_the_tolerance(void **state)
{
    (void)state;
    static const struct match cases[] = {
        {"72.7 billion", "", "$72,705 million", true},
        {"72.7 billion", "", "$72.7B as of December 31, 2019", true},
        {"72.7 billion", "", "As of December 31, 2019, it was $72.7 billion.", true},
        {"72.7 billion", "", "In 2019: 72,705,000,000 dollars", true},
        {"72.7 billion", "", "72.0 billion", true}, /* 0.96 % off */
        {"72.7 billion", "", "71.9 billion", false},
        {"72.7 billion", "", "72.7 million", false},
        {"72.7 billion", "", "7.27 billion", false},
        {"72.7 billion", "", "-72.7 billion", false},
        {"72.7 billion", "", "not 72.7 billion", false},
        {"72.7 billion", "", "It isn't 72.7 billion.", false},
        {"72.7 billion", "", "It is not 61 billion but 72.7 billion", true},
        {"72.7 billion", "", "61 billion or 72.7 billion", false},
        {"72.7 billion", "", "unknown", false},
        {"72.7 billion", "", "", false},
        {"72.7 billion", "", "72.7", false},
        {"$1577.00", "What is capex (in USD millions)?", "$1,577 million", true},
        {"$1577.00", "What is capex (in USD millions)?", "1.577 billion", true},
        {"$1577.00", "What is capex (in USD millions)?", "1577", true},
        {"$1577.00", "What is capex (in USD thousands)?", "$1,577 million", false},
        {"$1577.00", "What is capex?", "$1,577 million", false},
        {"0", "", "0", true},
        {"0", "", "0.001", false},
    };
    check(cases, COUNT(cases));
}

static void minds_signs_shares_and_units(void **state)
{
    (void)state;
    static const struct match cases[] = {
        {"17.5 %", "", "17.5 percent", true},
        {"17.5 %", "", "0.175", true},
        {"17.5 %", "", "17.5", true},
        {"17.5 %", "", "$17.5", false},
        {"17.5 %", "", "1.75 %", false},
        {"17.5 %", "", "rose from $4 million by 17.5 %", true},
        {"0.66", "", "66 %", true},
        {"66", "", "66 %", false},
        {"42%", "", "4.2 / 10 = 42%", true},
        {"42%", "", "42 / 100 = 41%", false},
        {"-3.2 %", "", "(3.2)%", true},
        {"-3.2 %", "", "a decrease of 3.2 %", true},
        {"-3.2 %", "", "3.2 %", false},
        {"3.2 %", "", "-3.2 %", false},
        {"(1,577)", "", "-1577", true},
        {"(1,577)", "", "a loss of 1,577", true},
        {"5 years", "", "five (5) years", true},
        {"5 years", "", "5 months", false},
        {"5 years", "", "5", true},
        {"5", "", "Q2 saw 5 of them in 2018", true},
        {"2018", "", "in 2018", true},
        {"2018", "", "2019", false},
        {"2018", "", "5 in 2018", true},
    };
    check(cases, COUNT(cases));
}

/* Whatever the bytes, reading ends and stays inside. */
static void reads_any_bytes(void **state)
{
    (void)state;
    uint32_t seed = 1;
    static const char alphabet[] = "0123456789.,'-()%$ eEmMbk=/\xe2\x80\xaf\xc2\xa0xnot";
    for (int round = 0; round < 20000; round++) {
        char bytes[24];
        const size_t size = (size_t)(round % 24);
        for (size_t i = 0; i < size; i++) {
            seed = seed * 1664525u + 1013904223u;
            bytes[i] = alphabet[(seed >> 16) % (sizeof(alphabet) - 1)];
        }
        const struct text text = {bytes, size};
        struct judge_number number;
        for (size_t offset = 0, last = 0; judge_number_next(text, &offset, &number);) {
            assert_true(offset > last && offset <= size);
            assert_true(number.offset + number.size == offset);
            last = offset;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_spelling),
        cmocka_unit_test(knows_what_is_no_number),
        cmocka_unit_test(tells_whole_numbers_from_sentences),
        cmocka_unit_test(matches_within_the_tolerance),
        cmocka_unit_test(minds_signs_shares_and_units),
        cmocka_unit_test(reads_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
