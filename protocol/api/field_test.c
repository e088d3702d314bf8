/* field_test - each kind of field read, left alone and refused by its name; the schema. */
#include "protocol/api/field.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

struct values {
    bool flag;
    uint32_t count;
    int32_t number;
    uint64_t seed;
    float real;
    struct text word;
    const struct json *list;
    struct text any;
};

static const struct field fields[] = {
    {"flag", FIELD_BOOL, 0, 0, 0, offsetof(struct values, flag), "A flag."},
    {"count", FIELD_COUNT, 0, 1, 4294967295.0, offsetof(struct values, count), "A count."},
    {"number", FIELD_INT, 0, -5, 5, offsetof(struct values, number), "A number."},
    {"seed", FIELD_SEED, 0, 0, 0, offsetof(struct values, seed), "A seed."},
    {"real", FIELD_REAL, 0, 0.5, 2, offsetof(struct values, real), "A real."},
    {"word", FIELD_TEXT, 0, 0, 4, offsetof(struct values, word), "A word."},
    {"list", FIELD_JSON, FIELD_IS_ARRAY | FIELD_IS_STRING, 0, 0, offsetof(struct values, list),
     "A list."},
    {"user", FIELD_IGNORED, FIELD_IS_STRING, 0, 0, 0, NULL},
    {"audio", FIELD_REFUSED, 0, 0, 0, 0, "speak"},
    {"any", FIELD_TEXT, 0, 0, 0, offsetof(struct values, any), "A word of any length."},
};
static const struct field_list list = FIELD_LIST(fields);

static enum status read(const char *source, struct values *values, struct error *err)
{
    static struct json *root;
    json_free(root);
    root = NULL;
    *values = (struct values){.count = 7};
    assert_int_equal(json_parse(text_of(source), 0, &root, NULL), OK);
    return field_read(root, &list, values, err);
}

static void values_come_where_they_belong(void **state)
{
    struct values v;
    struct error err = {0};
    (void)state;
    assert_int_equal(read("{\"flag\":true,\"count\":4294967295,\"number\":-5,\"seed\":-1,"
                          "\"real\":0.5,\"word\":\"four\",\"list\":[1],\"user\":\"u\","
                          "\"audio\":[],\"unknown\":{}}",
                          &v, &err),
                     OK);
    assert_true(v.flag && v.count == UINT32_MAX && v.number == -5 && v.seed == UINT64_MAX);
    assert_true(v.real == 0.5F && text_equal(v.word, TEXT("four")));
    assert_int_equal(json_count(v.list), 1);
    assert_int_equal(read("{\"count\":null,\"list\":null}", &v, &err), OK);
    assert_true(v.count == 7 && !v.list);
}

static void what_says_nothing_is_not_refused(void **state)
{
    static const char *const nothing[] = {"null", "false", "0", "0.0", "\"none\"", "[]", "{}"};
    struct values v;
    (void)state;
    for (size_t i = 0; i < sizeof nothing / sizeof nothing[0]; i++) {
        struct text_buf source = {0};
        struct error err = {0};
        text_buf_format(&source, "{\"audio\":%s}", nothing[i]);
        if (read(source.data, &v, &err) != OK)
            fail_msg("%s: %s", source.data, err.text);
        text_buf_deinit(&source);
    }
}

/* Every field, every wrong value: refused with the name first; replies tell it. */
static void refusals_name_the_field(void **state)
{
    static const char *const wrong[] = {"true",
                                        "\"x\"",
                                        "[{}]",
                                        "{\"a\":1}",
                                        "-1",
                                        "1.5",
                                        "1e308",
                                        "\"NaN\"",
                                        "2147483648",
                                        "9007199254740993",
                                        "9223372036854775808"};
    static const uint32_t taken[] = {/* of wrong, as bits, what the field does take */
                                     1,
                                     1 << 8 | 1 << 9,
                                     1 << 4,
                                     1 << 4 | 1 << 8 | 1 << 9,
                                     1 << 5,
                                     1 << 1 | 1 << 7,
                                     1 << 1 | 1 << 2 | 1 << 7,
                                     1 << 1 | 1 << 7,
                                     0,
                                     1 << 1 | 1 << 7};
    struct values v;
    (void)state;
    for (uint32_t f = 0; f < list.count; f++) {
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
            struct text_buf source = {0};
            struct error err = {0};
            text_buf_format(&source, "{\"%s\":%s}", fields[f].name, wrong[i]);
            const bool is_taken = read(source.data, &v, &err) == OK;
            /* 2^53 + 1 is past a count */
            const bool wanted = (taken[f] >> i & 1) && !(f == 1 && i == 9);
            if (is_taken != wanted)
                fail_msg("%s: %s", source.data, err.text);
            if (!is_taken && (!field_of_refusal(&list, err.text) ||
                              strcmp(field_of_refusal(&list, err.text), fields[f].name) != 0))
                fail_msg("%s: %s", source.data, err.text);
            text_buf_deinit(&source);
        }
    }
}

static void long_words_and_what_is_no_object(void **state)
{
    struct values v;
    struct error err = {0};
    (void)state;
    assert_int_equal(read("{\"word\":\"fives\"}", &v, &err), ERR_LIMIT);
    assert_string_equal(err.text, "word: 5 bytes, at most 4 are taken");
    assert_int_equal(read("[]", &v, &err), ERR_FORMAT);
    assert_null(field_of_refusal(&list, err.text));
    assert_int_equal(read("{\"list\":true}", &v, &err), ERR_FORMAT);
    assert_string_equal(err.text, "list: want a string or a list");
    assert_int_equal(read("{\"audio\":{\"a\":1}}", &v, &err), ERR_LIMIT);
    assert_string_equal(err.text, "audio: not supported; speak");
}

static void a_refusal_names_its_field_first(void **state)
{
    static const char *const others[] = {"words: no", "wor: no", "word no",
                                         "word",      "",        "the word: no"};
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_null(field_of_refusal(&list, others[i]));
    assert_null(field_of_refusal(NULL, "word: no"));
    assert_string_equal(field_of_refusal(&list, "word: no"), "word");
    assert_string_equal(field_of_refusal(&list, "list[2].text: no"), "list");
    assert_string_equal(field_of_refusal(&list, "seed.first: no"), "seed");
}

static void the_schema_has_them_all(void **state)
{
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    (void)state;
    field_schema_write(&w, &list);
    assert_int_equal(json_check(text_buf_text(&out), NULL), OK);
    for (uint32_t f = 0; f < list.count; f++)
        assert_non_null(strstr(out.data, fields[f].name));
    assert_non_null(strstr(out.data, "\"real\":{\"type\":[\"number\",\"null\"],\"minimum\":0.5,"
                                     "\"maximum\":2,\"description\":\"A real.\"}"));
    assert_non_null(strstr(out.data, "\"word\":{\"type\":[\"string\",\"null\"],\"maxLength\":4,"
                                     "\"description\":\"A word.\"}"));
    assert_non_null(strstr(out.data, "\"list\":{\"type\":[\"string\",\"array\",\"null\"],"));
    assert_non_null(strstr(out.data, "\"user\":{\"type\":[\"string\",\"null\"],"
                                     "\"description\":\"Taken; changes nothing.\"}"));
    assert_non_null(strstr(out.data, "\"audio\":{\"description\":\"Not supported.\"}"));
    text_buf_deinit(&out);
}

static void a_part_is_published_in_its_place(void **state)
{
    static const struct field inner[] = {
        {"size", FIELD_COUNT, 0, 1, 9, 0, "A size."},
    };
    static const struct field outer[] = {
        {"options", FIELD_JSON, FIELD_IS_OBJECT, 0, 0, 0, "Options."},
        {"flag", FIELD_BOOL, 0, 0, 0, 0, "A flag."},
    };
    static const struct field_list part = FIELD_LIST(inner);
    static const struct field_list whole = FIELD_LIST_WITH(outer, "options", &part);
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    (void)state;
    field_schema_write(&w, &whole);
    text_buf_byte(&out, 0);
    assert_string_equal(
        out.data, "{\"type\":\"object\",\"properties\":{"
                  "\"options\":{\"type\":[\"object\",\"null\"],\"description\":\"Options.\","
                  "\"properties\":{\"size\":{\"type\":[\"integer\",\"null\"],\"minimum\":1,"
                  "\"maximum\":9,\"description\":\"A size.\"}}},"
                  "\"flag\":{\"type\":[\"boolean\",\"null\"],\"description\":\"A flag.\"}}}");
    text_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_come_where_they_belong),
        cmocka_unit_test(refusals_name_the_field),
        cmocka_unit_test(what_says_nothing_is_not_refused),
        cmocka_unit_test(a_refusal_names_its_field_first),
        cmocka_unit_test(long_words_and_what_is_no_object),
        cmocka_unit_test(the_schema_has_them_all),
        cmocka_unit_test(a_part_is_published_in_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
