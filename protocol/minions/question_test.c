/* question_test - kinds of questions, and sentences that have the form of an answer. */
#include "protocol/minions/question.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static bool fits(const char *question, const char *sentence)
{
    const struct text text = text_of(question);
    return question_fit(question_kind(text), text, text_of(sentence)) != QUESTION_FITS_NOT;
}

static bool fits_well(const char *question, const char *sentence)
{
    const struct text text = text_of(question);
    return question_fit(question_kind(text), text, text_of(sentence)) == QUESTION_FITS_WELL;
}

static void kinds(void **state)
{
    (void)state;
    assert_int_equal(question_kind(TEXT("How many days are left?")), QUESTION_AMOUNT);
    assert_int_equal(question_kind(TEXT("From how many copies on?")), QUESTION_AMOUNT);
    assert_int_equal(question_kind(TEXT("By when must I pay?")), QUESTION_TIME);
    assert_int_equal(question_kind(TEXT("What was the net income?")), QUESTION_AMOUNT);
    assert_int_equal(question_kind(TEXT("What does price mean?")), QUESTION_DEFINITION);
    assert_int_equal(question_kind(TEXT("In which year was it?")), QUESTION_TIME);
    assert_int_equal(question_kind(TEXT("What happens when it ends?")), QUESTION_OTHER);
    assert_int_equal(question_kind(TEXT("What is a User Product?")), QUESTION_DEFINITION);
    assert_int_equal(question_kind(TEXT("What does convey mean?")), QUESTION_DEFINITION);
    assert_int_equal(question_kind(TEXT("May I sell it?")), QUESTION_YES_NO);
    assert_int_equal(question_kind(TEXT("Who is the owner?")), QUESTION_DEFINITION);
    assert_int_equal(question_kind(TEXT("Who wrote it?")), QUESTION_PERSON);
    assert_int_equal(question_kind(TEXT("By whom was it signed?")), QUESTION_SIGNER);
    assert_int_equal(question_kind(TEXT("Whose signature is it?")), QUESTION_SIGNER);
    assert_int_equal(question_kind(TEXT("Who is the signatory?")), QUESTION_SIGNER);
    assert_int_equal(question_kind(TEXT("When was it signed?")), QUESTION_TIME);
    assert_int_equal(question_kind(TEXT("Must it be signed?")), QUESTION_YES_NO);
    assert_int_equal(question_kind(TEXT("What does signed mean?")), QUESTION_DEFINITION);
    assert_int_equal(question_kind(TEXT("What must I do when it breaks?")), QUESTION_OTHER);
    assert_int_equal(question_kind(TEXT("")), QUESTION_OTHER);
    assert_int_equal(question_kind(TEXT("\xff\xfe?")), QUESTION_OTHER);
}

static void amounts(void **state)
{
    (void)state;
    assert_true(fits("How long?", "It holds for three years."));
    assert_true(fits("How many?", "At most 5 words."));
    assert_false(fits("How many?", "As you like it."));
}

static void times_and_names(void **state)
{
    (void)state;
    assert_true(fits_well("When was it?", "It was on May 3."));
    assert_true(fits_well("When was it?", "It was in 1998."));
    assert_false(fits_well("When was it?", "You may come at 1234."));
    assert_true(fits("When was it?", "It was at noon plus 3."));
    assert_false(fits("When was it?", "It may be late."));
    assert_true(fits("Who won?", "The cup went to Ann Lee."));
    assert_true(fits("Who won?", "The Free Software Foundation has it."));
    assert_false(fits("Who won the Grand Prix?", "The Grand Prix is over."));
    assert_true(fits_well("Who signed?", "By: /s/ Ann Lee"));
    assert_true(fits("Who signed?", "It was signed by Ann Lee."));
    assert_false(fits_well("Who signed?", "It was signed by Ann Lee."));
    assert_false(fits("Who signed?", "It was signed by the master."));
    assert_false(fits("Who won?", "It is Ann, not Bo."));
    assert_false(fits("Who won?", "THE CUP IS GONE"));
}

static void definitions(void **state)
{
    (void)state;
    assert_true(fits("What is a widget?", "A \"widget\" means a thing."));
    assert_true(fits("What is a Widget?", "\xe2\x80\x9cWidgets\xe2\x80\x9d are things."));
    assert_true(fits("What is a widget?", "Such a thing is called \"Widget\"."));
    assert_true(fits("What is a widget?", "A widget is a thing."));
    assert_true(fits("Who is the owner?", "Whoever pays (the \"Owner\") has it."));
    assert_false(fits("Who is the owner?", "He pays (or not) the \"Owner\" for it."));
    assert_false(fits("What is a widget?", "A \"gadget\" means a widget."));
    assert_false(fits("What is a widget?", "You may sell a \"widget\"."));
    assert_false(fits("What is a widget?", "The price of a widget is high."));
    assert_false(fits("What is a widget?", "An unclosed \"widget is"));
    assert_false(fits("What is a contribution?", "A \"contributor\" is a person."));
    assert_false(fits("What is it?", "\"The\" is a word."));
}

/* Just what is asked, with all that is asked of it. */
static void exact_definitions(void **state)
{
    (void)state;
    assert_true(fits_well("What is a widget?", "A \"widget\" means a thing."));
    assert_true(fits_well("What are the Blue Widgets?",
                          "The \"Blue Widgets\" of a shop include all that is blue."));
    assert_true(fits_well("What does mending a widget mean?",
                          "To \"mend\" a widget means to make it whole."));
    assert_true(fits("What is a blue widget?", "A \"widget\" means a thing."));
    assert_false(fits_well("What is a blue widget?", "A \"widget\" means a thing."));
    assert_false(fits_well("What is a widget?", "A widget is a thing."));
}

static void permissions(void **state)
{
    (void)state;
    assert_true(fits("Can I copy it?", "You may copy it."));
    assert_false(fits("Can I copy it?", "Copies are made of paper."));
    assert_true(fits_well("Is there a price?", "THERE IS NO PRICE FOR IT."));
    assert_false(fits_well("Is there a price?", "There is no way to pay."));
    assert_false(fits_well("Is there a price?", "You may ask any price."));
    assert_false(fits_well("Is it free?", "There is no price, so it is free."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds),
        cmocka_unit_test(amounts),
        cmocka_unit_test(times_and_names),
        cmocka_unit_test(definitions),
        cmocka_unit_test(exact_definitions),
        cmocka_unit_test(permissions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
