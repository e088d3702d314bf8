/*
 * matcher_copy_test - strings that are copied from a chunk: whatever bytes are chosen among
 * those that fit, the citation stands in the chunk.
 */
#include "engine/matcher_copy.h"
#include "tests/harness/matcher_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { WALKS = 2000, WALK_BYTES = 150, END_BYTES = 4000 };

static const char chunk[] =
    "The offer is valid\nfor at least  three years, and valid for 3.5 years\tif \"signed\".\r\n"
    "  The offer isn't valid for the Program\xe2\x80\x94its \xc3\xa9t\xc3\xa9 is three years; "
    "C:\\offer, \xe4\xb8\x89\xe5\xb9\xb4. The end, for at least three years.\n";
static struct matcher_case the_case;
static struct matcher *const matcher = &the_case.matcher;
static struct copied copied;

static enum status compile_with(const char *source, const char *text, struct error *err)
{
    TRY(matcher_case_compile(&the_case, source, err));
    TRY(copied_make(&copied, text_of(text), &the_case.arena, err));
    matcher->copied = &copied;
    return matcher_copy_check(&the_case.schema, &copied, err);
}

static bool accepts(const char *text)
{
    return matcher_case_accepts(matcher, text_of(text));
}

static void texts_are_copied_or_not(void **state)
{
    static const struct {
        const char *schema, *yes[4], *no[5];
    } cases[] = {
        {"{\"type\": \"string\", \"x-copied-from\": \"chunk\"}",
         {"\"\"", "\"valid for at least three years\"",
          "\"if \\\"signed\\\". The offer isn't\"", "\"C:\\\\offer, \xe4\xb8\x89\""},
         {"\"valid for\\nat\"", "\"valid  for\"", "\"The off\"", "null", "\"the offer\""}},
        {"{\"type\": \"string\", \"x-copied-from\": \"chunk\", \"minLength\": 3, "
         "\"maxLength\": 5}",
         {"\"\xc3\xa9t\xc3\xa9\"", "\"valid\"", "\"3.5\"", "\"end,\""},
         {"\"\"", "\"is\"", "\"signed\"", "\"\xe5\xb9\xb4\"", "\"for a\""}},
        {"{\"type\": [\"string\", \"null\"], \"x-copied-from\": \"chunk\", \"minLength\": 1}",
         {"null", "\"Program\""},
         {"\"\"", "\"program\"", "3"}},
        {"{\"type\": \"array\", \"items\": {\"anyOf\": [{\"type\": \"integer\"}, {\"type\": "
         "\"string\", \"x-copied-from\": \"chunk\"}]}}",
         {"[]", "[\"offer\", 3, \"three years\"]"},
         {"[\"offers\"]", "[\"offer\", \"three year\"]"}},
        {"{\"allOf\": [{\"type\": \"string\", \"x-copied-from\": \"chunk\"}, {\"maxLength\": "
         "2}]}",
         {"\"is\""},
         {"\"The\"", "\"or\""}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(compile_with(cases[i].schema, chunk, NULL), OK);
        assert_true(the_case.schema.copies);
        for (size_t j = 0; j < 4 && cases[i].yes[j]; j++)
            if (!accepts(cases[i].yes[j]))
                fail_msg("%s refuses %s", cases[i].schema, cases[i].yes[j]);
        for (size_t j = 0; j < 5 && cases[i].no[j]; j++)
            if (accepts(cases[i].no[j]))
                fail_msg("%s accepts %s", cases[i].schema, cases[i].no[j]);
    }
}

static struct text walk(char text[END_BYTES])
{
    uint32_t count = 0;
    struct matcher_state at;
    matcher_start(matcher, &at);
    while (!matcher_is_complete(&at)) {
        assert_true(count < END_BYTES);
        assert_true(matcher_case_byte(matcher, &at, count >= WALK_BYTES, &text[count]));
        count++;
    }
    return (struct text){.data = text, .size = count};
}

/* The chunk with each run of ASCII white space as one space. */
static struct text fold_chunk(void)
{
    static char folded[sizeof chunk];
    size_t size = 0;
    for (const char *at = chunk; *at; at++) {
        const bool is_space = *at == ' ' || (*at >= '\t' && *at <= '\r');
        if (!is_space)
            folded[size++] = *at;
        else if (size > 0 && folded[size - 1] != ' ')
            folded[size++] = ' ';
    }
    return (struct text){.data = folded, .size = size};
}

static bool is_letter(struct text text, size_t at)
{
    const char c = at < text.size ? text.data[at] : ' ';
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Whether citation stands in the folded chunk, with no letter of its words left behind. */
static bool is_verbatim(struct text folded, struct text citation)
{
    size_t at = text_find(folded, citation, 0);
    for (; at != SIZE_MAX; at = text_find(folded, citation, at + 1)) {
        const size_t end = at + citation.size;
        const bool cut = at > 0 && is_letter(folded, at - 1) && is_letter(folded, at);
        if (!cut && !(is_letter(folded, end - 1) && is_letter(folded, end)))
            return true;
    }
    return false;
}

static size_t characters_of(struct text text)
{
    size_t count = 0;
    for (size_t at = 0; at < text.size; count++)
        text_utf8_next(text, &at);
    return count;
}

static void whatever_is_said_the_citation_is_verbatim(void **state)
{
    static const char source[] =
        "{\"type\": \"object\", \"properties\": {\"citation\": {\"type\": \"string\", "
        "\"x-copied-from\": \"chunk\", \"minLength\": %u, \"maxLength\": %u}, \"answer\": "
        "{\"type\": \"string\"}}, \"required\": [\"citation\", \"answer\"], "
        "\"additionalProperties\": false}";
    static const uint32_t lengths[][2] = {{0, 9999}, {1, 12}, {11, 14}, {60, 400}};
    const struct text folded = fold_chunk();
    (void)state;
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        char with_lengths[sizeof source + 20];
        size_t longest = 0;
        snprintf(with_lengths, sizeof with_lengths, source, lengths[i][0], lengths[i][1]);
        assert_int_equal(compile_with(with_lengths, chunk, NULL), OK);
        for (int n = 0; n < WALKS; n++) {
            char bytes[END_BYTES];
            struct json *said = NULL;
            struct text citation;
            struct text answer;
            assert_int_equal(json_parse(walk(bytes), 0, &said, NULL), OK);
            assert_true(json_text(json_get(said, "citation"), &citation));
            assert_true(json_text(json_get(said, "answer"), &answer));
            const size_t characters = characters_of(citation);
            if (citation.size > 0 && !is_verbatim(folded, citation))
                fail_msg("\"%.*s\" is not verbatim", TEXT_ARG(citation));
            assert_in_range(characters, lengths[i][0], lengths[i][1]);
            longest = characters > longest ? characters : longest;
            json_free(said);
        }
        assert_true(longest > 0);
    }
}

static void what_cannot_be_is_refused(void **state)
{
#define COPIED "{\"x-copied-from\": \"chunk\", \"type\": \"string\""
    static const struct {
        const char *schema, *chunk, *says;
    } cases[] = {
        {COPIED ", \"minLength\": 1}", " \n", "no words of 1 characters to copy"},
        {COPIED ", \"minLength\": 5, \"maxLength\": 6}", "a word", NULL},
        {COPIED ", \"minLength\": 3, \"maxLength\": 3}", "a word",
         "words of 3 to 3 characters"},
        {COPIED "}", "", NULL},
        {COPIED ", \"pattern\": \"a\"}", "a", "x-copied-from is not supported beside pattern"},
        {COPIED ", \"format\": \"date\"}", "a", "x-copied-from is not supported beside"},
        {COPIED ", \"enum\": [\"a\"]}", "a", "x-copied-from is not supported beside"},
        {"{\"items\": {\"x-copied-from\": \"prompt\"}}", "a",
         "#/items: x-copied-from other than \"chunk\""},
        {"{\"x-copied-from\": true}", "a", "x-copied-from other than \"chunk\""},
    };
#undef COPIED
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error err = {0};
        const enum status status = compile_with(cases[i].schema, cases[i].chunk, &err);
        if ((status == OK) != !cases[i].says)
            fail_msg("%s: status %d, %s", cases[i].schema, (int)status, err.text);
        if (cases[i].says && !strstr(err.text, cases[i].says))
            fail_msg("%s: \"%s\" does not say %s", cases[i].schema, err.text, cases[i].says);
    }
}

static void a_string_without_words_is_not_begun(void **state)
{
    struct matcher_state at;
    struct matcher_state next;
    (void)state;
    assert_int_equal(compile_with("{\"type\": [\"string\", \"null\"], \"x-copied-from\": "
                                  "\"chunk\", \"minLength\": 7}",
                                  "a word", NULL),
                     OK);
    matcher_start(matcher, &at);
    assert_false(matcher_step(matcher, &at, '"', &next));
    assert_true(accepts("null"));
}

static void no_chunk_is_a_refusal_for_schemas_that_copy(void **state)
{
    struct error err = {0};
    (void)state;
    assert_int_equal(matcher_case_compile(&the_case, "{\"x-copied-from\": \"chunk\"}", &err),
                     OK);
    assert_int_equal(matcher_copy_check(&the_case.schema, NULL, &err), ERR_FORMAT);
    assert_non_null(strstr(err.text, "there is no chunk"));
    assert_false(accepts("\"\"")); /* and without asking, nothing can be copied */
    assert_true(accepts("3"));
    assert_int_equal(matcher_case_compile(&the_case, "{\"type\": \"string\"}", NULL), OK);
    assert_int_equal(matcher_copy_check(&the_case.schema, NULL, NULL), OK);
    assert_true(accepts("\"x\""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_copied_or_not),
        cmocka_unit_test(whatever_is_said_the_citation_is_verbatim),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(a_string_without_words_is_not_begun),
        cmocka_unit_test(no_chunk_is_a_refusal_for_schemas_that_copy),
    };
    if (!matcher_case_init(&the_case))
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    matcher_case_deinit(&the_case);
    return failed;
}
