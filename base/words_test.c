/* words_test - word boundaries, stems that meet, common words, other scripts. */
#include "base/words.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static uint64_t stem_of(const char *word)
{
    struct words_reader reader = {.text = text_of(word)};
    struct words_word first;
    assert_true(words_next(&reader, &first));
    return first.stem;
}

static void inflections_meet(void **state)
{
    (void)state;
    assert_true(stem_of("terminate") == stem_of("Terminated"));
    assert_true(stem_of("terminate") == stem_of("terminations"));
    assert_true(stem_of("violation") == stem_of("violations"));
    assert_true(stem_of("license") == stem_of("LICENSES"));
    assert_true(stem_of("copy") == stem_of("copy"));
    assert_false(stem_of("patent") == stem_of("parent"));
}

static void irregular_forms_meet(void **state)
{
    (void)state;
    assert_true(stem_of("held") == stem_of("Holding"));
    assert_true(stem_of("bought") == stem_of("Buy"));
    assert_true(stem_of("written") == stem_of("WROTE"));
    assert_true(stem_of("began") == stem_of("begin")); /* the first of them */
    assert_true(stem_of("wrote") == stem_of("write")); /* and the last */
    assert_true(stem_of("licence") == stem_of("licenses"));
    assert_false(stem_of("heldx") == stem_of("hold"));
    assert_false(stem_of("written") == stem_of("read"));
    struct words_reader reader = {.text = TEXT("company's don't")};
    struct words_word word;
    static const bool common[] = {false, true, false, true};
    for (size_t i = 0; i < 4; i++) {
        assert_true(words_next(&reader, &word));
        assert_int_equal(word.is_common, common[i]);
    }
}

static void boundaries_and_kinds(void **state)
{
    (void)state;
    struct words_reader reader = {.text = TEXT("The 30 days'\xe2\x80\x94na\xc3\xafve.")};
    struct words_word word;
    assert_true(words_next(&reader, &word));
    assert_true(word.is_common && word.offset == 0 && word.size == 3);
    assert_true(words_next(&reader, &word));
    assert_true(word.is_number && !word.is_common && word.offset == 4 && word.size == 2);
    assert_true(words_next(&reader, &word));
    assert_int_equal(word.size, 4);
    assert_true(words_next(&reader, &word)); /* the dash is a gap, the i with dots is not */
    assert_int_equal(word.size, 6);
    assert_false(words_next(&reader, &word));
}

static void common_words(void **state)
{
    (void)state;
    struct words_reader reader = {
        .text = TEXT("A about Should YOUR whose wi there would-be you yours aa without")};
    static const bool wanted[] = {true, true, true, true,  true,  false, true,
                                  true, true, true, false, false, false};
    struct words_word word;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        assert_true(words_next(&reader, &word));
        assert_int_equal(word.is_common, wanted[i]);
    }
    assert_false(words_next(&reader, &word));
}

static void ideographs_stand_alone(void **state)
{
    (void)state;
    struct words_reader reader = {.text = TEXT("\xe8\xae\xb8\xe5\x8f\xaf ab")};
    struct words_word word;
    int count = 0;
    while (words_next(&reader, &word))
        count++;
    assert_int_equal(count, 3);
}

static void content_words_and_share(void **state)
{
    (void)state;
    uint64_t stems[8];
    const uint32_t count =
        words_content(TEXT("Who may publish the revised versions?"), stems, 8);
    assert_int_equal(count, 3);
    assert_true(words_share(TEXT("They publish two big revisions"), stems, count) == 0.5);
    assert_true(words_share(TEXT("the of"), stems, count) == 1.0);
    assert_int_equal(words_content(TEXT("who is it"), stems, 8), 3);
    assert_int_equal(words_content(TEXT("a1 a2 a3 a4"), stems, 2), 2);
}

static void hostile_bytes(void **state)
{
    (void)state;
    struct words_reader reader = {.text = TEXT("\xff\xfe\xc3")};
    struct words_word word;
    assert_false(words_next(&reader, &word));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(inflections_meet),        cmocka_unit_test(irregular_forms_meet),
        cmocka_unit_test(boundaries_and_kinds),    cmocka_unit_test(ideographs_stand_alone),
        cmocka_unit_test(content_words_and_share), cmocka_unit_test(common_words),
        cmocka_unit_test(hostile_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
