/*
 * matcher_test - texts of a schema and others; random texts that keep to the matcher never run
 * into a dead end and always parse; what is not supported is named with its path.
 */
#include "tests/harness/matcher_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { WALKS = 20, WALK_BYTES = 200, END_BYTES = 4000 };

static struct matcher_case the_case;
static struct matcher *const matcher = &the_case.matcher;

static const struct {
    const char *schema, *yes[3], *no[4];
} texts[] = {
    {"{\"properties\": {\"a\": {\"$ref\": \"#\"}}, \"additionalProperties\": false, "
     "\"type\": \"object\"}",
     {"{}", "{\"a\": {\"a\":{}}}", "{\n  \"a\": {}\n}"},
     {"{\"b\": {}}", "{\"a\": {}, \"a\": {}}", "[]", "{\"a\": {}"}},
    {"{\"type\": \"object\", \"properties\": {\"b\": {\"type\": \"null\"}, \"a\": {\"type\": "
     "\"null\"}, \"ab\": {\"type\": \"null\"}}, \"required\": [\"a\", \"ab\", \"b\"], "
     "\"additionalProperties\": false, \"x-in-order\": true}",
     {"{\"b\": null, \"a\": null, \"ab\": null}", "{\n\"b\":null,\"a\":null,\"ab\":null\n}"},
     {"{\"a\": null, \"b\": null, \"ab\": null}", "{\"b\": null, \"ab\": null, \"a\": null}",
      "{\"b\": null, \"a\": null}", "{}"}},
    {"{\"type\": \"integer\", \"minimum\": -12, \"exclusiveMaximum\": 305}",
     {"-12", "0", "304"},
     {"-13", "305", "1.5", "3000"}},
    {"{\"anyOf\": [{\"type\": \"integer\"}, {\"type\": \"array\", \"items\": {\"type\": "
     "\"null\"}, \"minItems\": 1, \"maxItems\": 2}]}",
     {"7", "[null]", "[null, null]"},
     {"[]", "[null, null, null]", "\"7\""}},
    {"{\"type\": \"string\", \"format\": \"date\"}",
     {"\"2024-02-29\""},
     {"\"2024-13-01\"", "\"2024\""}},
    {"{\"type\": \"string\", \"minLength\": 2, \"maxLength\": 3}",
     {"\"ab\"", "\"\xc3\xa9\\n\\ud83d\\ude00\""},
     {"\"a\"", "\"abcd\"", "\"\\ud83d\\ude00\""}},
    /* as many letters as the matcher counts, beside another maximum */
    {"{\"type\": \"string\", \"pattern\": \"^\\\\p{L}{1,20}$\"}",
     {"\"\xc3\xa9\"", "\"abcdefghijklmnopqrs\xe4\xb8\xad\""},
     {"\"\"", "\"abcdefghijklmnopqrst\xe4\xb8\xad\"", "\"a b\""}},
    {"{\"type\": \"string\", \"pattern\": \"^[\\\\p{L}\\\\p{N} ]{2,50}$\", \"maxLength\": 4}",
     {"\"\xc3\xa9 1\"", "\"ab12\""},
     {"\"a\"", "\"abcde\"", "\"ab!\""}},
    {"{\"type\": [\"string\", \"null\"], \"pattern\": \"^\\\\p{L}{0,50}$\", \"minLength\": 51}",
     {"null"},
     {"\"a\"", "\"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz\""}},
    {"{\"enum\": [\"a\\\"b\", 3, null]}", {"\"a\\\"b\"", "3", "null"}, {"\"a\"", "4"}},
    {"{\"type\": \"string\", \"pattern\": \"^(?=.*[0-9])(?!.*xx)[a-z0-9\\\"]+$\", "
     "\"maxLength\": 26}",
     {"\"a1\"", "\"\\\"1abcdefghijklmnopqrstuvwx\""},
     {"\"a\"", "\"1axx\"", "\"\\\"1abcdefghijklmnopqrstuvwxy\""}},
    {"{\"type\": \"string\", \"pattern\": \"^[ab]*\xc3\xa9$\", \"maxLength\": 26}",
     {"\"ababababababababababababa\xc3\xa9\""},
     {"\"ababababababababababababab\xc3\xa9\"", "\"ab\""}},
    {"{\"enum\": [[1, {\"a\": null}], \"x\"]}",
     {"[1, {\"a\": null}]", "\"x\""},
     {"[1, {}]", "[1]", "[1, {\"a\": null}, 1]", "\"y\""}},
    {"{\"minimum\": -0.25, \"exclusiveMaximum\": 12.5, \"type\": \"number\"}",
     {"-0.25", "1.24E+01", "-2.5e-1"},
     {"-0.26", "12.5", "1.25e1", "-1"}},
    {"{\"multipleOf\": 0.05, \"type\": \"number\"}",
     {"1.15", "-3", "0.5"},
     {"0.01", "1.151", "0.055"}},
    {"{\"type\": [\"integer\", \"string\"], \"not\": {\"enum\": [3, \"a\"]}}",
     {"4", "\"b\"", "30"},
     {"3", "3.0", "\"a\"", "null"}},
    {"{\"type\": [\"string\", \"number\"], \"not\": {\"anyOf\": [{\"type\": \"integer\"}, "
     "{\"pattern\": \"^a\"}]}}",
     {"\"ba\""},
     {"1", "1.5", "\"ab\""}},
    {"{\"type\": \"object\", \"not\": {\"patternProperties\": {\"^x\": {\"type\": "
     "\"null\"}}}}",
     {"{\"x\": 1}", "{\"xa\": null, \"xb\": 2}"},
     {"{}", "{\"y\": 1}", "{\"xa\": null}"}},
    {"{\"type\": \"object\", \"maxProperties\": 1, \"allOf\": [{\"not\": "
     "{\"additionalProperties\": {\"minimum\": 5}}}, {\"not\": {\"propertyNames\": "
     "{\"enum\": "
     "[\"a\"]}}}]}",
     {"{\"b\": 4}"},
     {"{\"a\": 4}", "{\"b\": 5}", "{}", "{\"b\": 4, \"a\": 1}"}},
    {"{\"type\": \"object\", \"dependentRequired\": {\"a\": [\"b\"]}, \"if\": "
     "{\"required\": "
     "[\"b\"]}, \"then\": {\"required\": [\"c\"]}}",
     {"{\"a\": 1, \"b\": 2, \"c\": 3}", "{\"c\": 0}", "{\"x\": 1}"},
     {"{\"a\": 1}", "{\"b\": 1}", "{\"a\": 1, \"b\": 2}", "[]"}},
    {"{\"type\": \"object\", \"oneOf\": [{\"required\": [\"a\"]}, {\"required\": "
     "[\"b\"]}]}",
     {"{\"a\": 1}", "{\"c\": 1, \"b\": 2}"},
     {"{}", "{\"a\": 1, \"b\": 1}"}},
    {"{\"type\": \"array\", \"contains\": {\"type\": \"null\"}, \"maxItems\": 2, \"not\": "
     "{\"contains\": {\"const\": 7}}}",
     {"[null]", "[1, null]", "[null, null]"},
     {"[]", "[7, null]", "[1, 2]", "[1, 2, null]"}},
    {"{\"type\": \"array\", \"contains\": {\"minimum\": 5, \"type\": \"integer\"}, "
     "\"minContains\": "
     "2, \"maxContains\": 3, \"maxItems\": 4}",
     {"[5, 6]", "[null, 5, 1, 6]", "[5, 6, 7, 4]"},
     {"[5]", "[5, 6, 7, 8]", "[5, 1, 1, 1]", "[]"}},
    {"{\"type\": \"array\", \"uniqueItems\": true, \"minItems\": 2, \"items\": {\"enum\": [1, "
     "\"1\", true]}}",
     {"[1, \"1\"]", "[true, \"1\", 1]"},
     {"[1, 1]", "[1, 1.0]", "[true]", "[1, true, \"1\", 1]"}},
    {"{\"type\": \"object\", \"unevaluatedProperties\": false, \"properties\": {\"a\": {}}, "
     "\"anyOf\": "
     "[{\"properties\": {\"b\": {\"type\": \"null\"}}}, {\"required\": [\"c\"], "
     "\"properties\": {\"c\": "
     "{}}}]}",
     {"{\"a\": 1}", "{\"a\": 1, \"b\": null, \"c\": 1}", "{\"c\": 1}"},
     {"{\"b\": 1}", "{\"b\": 1, \"c\": 1}", "{\"z\": 1}", "{\"b\": null, \"z\": 1}"}},
    /* names that are not listed may come twice: no two of them have to count */
    {"{\"type\": \"object\", \"required\": [\"a\"], \"minProperties\": 2}",
     {"{\"a\": 1, \"b\": 2}", "{\"x\": 1, \"x\": 2, \"a\": 3}"},
     {"{\"a\": 1}", "{\"x\": 1, \"x\": 2}", "{\"x\": 1, \"y\": 2}", "{}"}},
    /* nor does one undo what the other met, whichever a reader takes */
    {"{\"type\": \"object\", \"not\": {\"patternProperties\": {\"^x\": {\"type\": \"null\"}}}}",
     {"{\"xa\": null, \"xb\": 2}", "{\"xb\": 2, \"xa\": null}",
      "{\"y\": 1, \"y\": 2, \"xa\": 3}"},
     {"{\"xa\": 1, \"xa\": null}", "{\"xa\": null, \"xa\": 1}",
      "{\"x\\n\": 1, \"x\\u000a\": null}", "{\"x\\u000A\": null, \"x\\n\": 1}"}},
    {"{\"type\": \"object\", \"allOf\": [{\"not\": {\"additionalProperties\": {\"type\": "
     "\"null\"}}}, "
     "{\"not\": {\"additionalProperties\": {\"type\": \"number\"}}}]}",
     {"{\"a\": true}", "{\"a\": 1, \"b\": null}", "{\"a\": true, \"a\": \"\"}"},
     {"{\"a\": null, \"a\": 1}", "{\"a\": true, \"a\": null}",
      "{\"b\": 1, \"a\": 1, \"a\": null}"}},
    {"{\"type\": \"object\", \"not\": {\"patternProperties\": {\"^(ab?|c)$\": {\"type\": "
     "\"null\"}}}}",
     {"{\"a\": null, \"c\": 1}"},
     {"{\"a\": null, \"a\": 1}", "{\"a\": 1, \"a\": null}",
      "{\"ab\": 1, \"c\": null, \"c\": 1}"}},
    {"{\"$id\": \"http://a/b.json\", \"$defs\": {\"x\": {\"$id\": \"c.json\", \"$defs\": "
     "{\"y\": "
     "{\"$anchor\": \"here\", \"type\": \"null\"}}}}, \"items\": {\"$ref\": "
     "\"c.json#here\"}, \"type\": \"array\"}",
     {"[null]", "[]"},
     {"[1]"}},
};

static void texts_are_of_a_schema_or_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(matcher_case_compile(&the_case, texts[i].schema, NULL), OK);
        for (size_t j = 0; j < 3 && texts[i].yes[j]; j++)
            if (!matcher_case_accepts(matcher, text_of(texts[i].yes[j])))
                fail_msg("%s refuses %s", texts[i].schema, texts[i].yes[j]);
        for (size_t j = 0; j < 4 && texts[i].no[j]; j++)
            if (matcher_case_accepts(matcher, text_of(texts[i].no[j])))
                fail_msg("%s accepts %s", texts[i].schema, texts[i].no[j]);
    }
}

static const char *const walked[] = {
    "{\"type\": \"object\", \"properties\": {\"ab\": {\"type\": \"string\"}, \"abc\": "
    "{\"type\": \"integer\"}, \"d\": {\"type\": \"boolean\"}}, \"required\": [\"abc\", "
    "\"d\"], \"additionalProperties\": false, \"maxProperties\": 2}",
    "{\"type\": \"array\", \"minItems\": 3, \"items\": {\"type\": \"string\", "
    "\"pattern\": \"^[a-z]{2,4}\\\"$\"}}",
    "{\"type\": \"object\", \"patternProperties\": {\"^y\": "
    "{\"type\": \"null\"}}, \"additionalProperties\": {\"type\": \"number\"}, "
    "\"properties\": {\"x\": {\"type\": \"string\", \"minLength\": 5}}}",
    /* as many properties as there are names; names whose order is another once escaped */
    "{\"type\": \"object\", \"properties\": {\"a\\\"\": true, \"a#\": {\"enum\": [1]}, \"a!\": "
    "false, \"b\": {}}, \"minProperties\": 3, \"additionalProperties\": false}",
    /* needs: of three that some property must meet two can be met by one */
    "{\"type\": \"object\", \"maxProperties\": 3, \"required\": [\"r\"], \"allOf\": [{\"not\": "
    "{\"additionalProperties\": {\"type\": \"null\"}}}, {\"not\": {\"patternProperties\": "
    "{\"^p\": "
    "{\"type\": \"null\"}}}}, {\"not\": {\"propertyNames\": {\"maxLength\": 3}}}], "
    "\"properties\": {\"r\": {\"type\": \"null\"}}}",
    "{\"type\": \"array\", \"maxItems\": 3, \"prefixItems\": [{\"type\": \"null\"}], "
    "\"allOf\": "
    "[{\"contains\": {\"enum\": [1, 2]}}, {\"contains\": {\"enum\": [2, 3]}}, {\"contains\": "
    "{\"enum\": [4]}}]}",
    /* choices at every level of a schema that refers to itself */
    "{\"anyOf\": [{\"type\": \"array\", \"maxItems\": 2, \"items\": {\"$ref\": \"#\"}}, "
    "{\"type\": "
    "\"array\", \"minItems\": 1, \"items\": {\"$ref\": \"#\"}}, {\"type\": \"null\"}]}",
    "{\"type\": \"array\", \"uniqueItems\": true, \"minItems\": 3, \"items\": {\"enum\": [1, "
    "2, 3]}, "
    "\"contains\": {\"minimum\": 2}, \"maxContains\": 2, \"minContains\": 2}",
    "{\"type\": \"string\", \"pattern\": \"^(?=.*[A-Z])(?!.*xx)[^ ]+\\\\.$\", \"maxLength\": "
    "40}",
    "{\"type\": \"object\", \"properties\": {\"why\": {\"type\": \"string\"}, \"what\": "
    "{\"type\": "
    "[\"string\", \"null\"]}}, \"required\": [\"why\", \"what\"], \"additionalProperties\": "
    "false, \"x-in-order\": true}",
    /* what some property must meet, and few names that may */
    "{\"type\": \"object\", \"not\": {\"patternProperties\": {\"^(ab?|c)$\": {\"type\": "
    "\"null\"}}}, "
    "\"additionalProperties\": {\"enum\": [null, 1]}, \"maxProperties\": 4}",
    "{\"type\": \"object\", \"not\": {\"patternProperties\": {\"^a\": {\"type\": \"null\"}}}, "
    "\"additionalProperties\": {\"enum\": [null, 1]}, \"maxProperties\": 4}",
    /* where an object has no property, and the one around it has */
    "{\"type\": \"object\", \"required\": [\"a\"], \"additionalProperties\": false, "
    "\"properties\": {\"a\": {\"type\": \"object\", \"maxProperties\": 0, "
    "\"additionalProperties\": false, \"properties\": {\"c\": {}}}}}"};

static void random_texts_have_no_dead_end_and_parse(void **state)
{
    (void)state;
    for (size_t s = 0; s < sizeof walked / sizeof *walked; s++)
        for (int walk = 0; walk < WALKS; walk++) {
            char text[END_BYTES];
            uint32_t count = 0;
            struct matcher_state at;
            assert_int_equal(matcher_case_compile(&the_case, walked[s], NULL), OK);
            matcher_start(matcher, &at);
            while (!matcher_is_complete(&at)) {
                assert_true(count < END_BYTES);
                assert_true(matcher_case_byte(matcher, &at, count >= WALK_BYTES, &text[count]));
                count++;
                if (matcher_case_draw(40) == 0)
                    matcher_compact(matcher, &at);
            }
            const struct text made = {.data = text, .size = count};
            assert_int_equal(json_check(made, NULL), OK);
            assert_int_equal(matcher->dropped, 0);
        }
}

/* 60 levels of a schema with a choice at each are a handful of ways, not 2^60. */
static void choices_within_choices_add_up(void **state)
{
    struct matcher_state at;
    struct matcher_state next;
    (void)state;
    assert_int_equal(matcher_case_compile(&the_case, walked[6], NULL), OK);
    matcher_start(matcher, &at);
    for (int level = 0; level < 60; level++, at = next) {
        assert_true(matcher_step(matcher, &at, '[', &next));
        assert_true(next.count < 8);
    }
    for (int level = 0; level < 60; level++, at = next)
        assert_true(matcher_step(matcher, &at, ']', &next));
    assert_true(matcher_is_complete(&at));
    assert_int_equal(matcher->dropped, 0);
}

/* A text longer than all frames: those that are not needed are forgotten on the way. */
static void a_long_text_is_followed_by_compacting(void **state)
{
    struct matcher_state at;
    struct matcher_state next;
    (void)state;
    assert_int_equal(
        matcher_case_compile(&the_case, "{\"type\": \"string\", \"maxLength\": 100000}", NULL),
        OK);
    matcher_start(matcher, &at);
    for (int i = 0; i < 50000; i++, at = next) {
        assert_true(matcher_step(matcher, &at, i == 0 ? '"' : 'a', &next));
        if (matcher->frame_count > MATCHER_FRAMES_MAX / 2)
            matcher_compact(matcher, &next);
    }
    assert_true(matcher_step(matcher, &at, '"', &next));
    assert_true(matcher_is_complete(&next));
    /* without it the matcher says what it left out */
    matcher_start(matcher, &at);
    for (int i = 0; i < 50000 && matcher->dropped == 0; i++, at = next)
        (void)matcher_step(matcher, &at, i == 0 ? '"' : 'a', &next);
    assert_true(matcher->dropped > 0);
}

static void what_is_not_supported_is_named(void **state)
{
    static const char *const cases[][2] = {
        {"{\"properties\": {\"a\": {\"not\": {\"uniqueItems\": true}}}}",
         "#/properties/a/not: uniqueItems"},
        {"{\"items\": {\"uniqueItems\": true}}", "#/items: uniqueItems"},
        {"{\"$ref\": \"other.json\"}", "other.json"},
        {"{\"oneOf\": [{\"uniqueItems\": true}, {\"minItems\": 2}]}", "uniqueItems"},
        {"{\"pattern\": \"a(?=a)\"}", "look-around"},
        {"{\"minimum\": 1e300}", "minimum: 1e+300"},
        {"{\"multipleOf\": 0.123457}", "multipleOf: 0.123457"},
        {"{\"type\": \"object\", \"required\": [\"a\"], \"properties\": {\"b\": "
         "{\"minProperties\": 2}}, \"minProperties\": 2}",
         "schema #/properties/b: minProperties of two or more"},
        {"{\"type\": \"object\", \"not\": {\"maxProperties\": 1}}",
         "schema #/not: minProperties of two or more"},
        {"{\"x-in-order\": 1}", "x-in-order other than a bool"},
        {"{\"x-in-order\": true, \"properties\": {\"a\": true}, \"required\": [\"a\"], "
         "\"additionalProperties\": "
         "{\"type\": \"null\"}, "
         "\"type\": \"object\"}",
         "x-in-order is not supported but"},
        {"{\"x-in-order\": true, \"properties\": {\"a\": true}, \"type\": \"object\", "
         "\"additionalProperties\": false}",
         "x-in-order is not supported but"},
        {"false", "no value"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        assert_int_not_equal(matcher_case_compile(&the_case, cases[i][0], &err), OK);
        if (!strstr(err.text, cases[i][1]))
            fail_msg("%s: \"%s\" does not say %s", cases[i][0], err.text, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_of_a_schema_or_not),
        cmocka_unit_test(random_texts_have_no_dead_end_and_parse),
        cmocka_unit_test(choices_within_choices_add_up),
        cmocka_unit_test(a_long_text_is_followed_by_compacting),
        cmocka_unit_test(what_is_not_supported_is_named),
    };
    if (!matcher_case_init(&the_case))
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    matcher_case_deinit(&the_case);
    return failed;
}
