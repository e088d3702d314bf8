/* openai_responses_test - bodies as messages, refusals by field, events numbered in a row. */
#include "protocol/api/openai_responses.h"

#include "tests/harness/parsed.h"

#include <stdio.h>

static struct parsed parse(const char *body)
{
    return parsed_body(openai_responses_parse, body);
}

static void test_messages(void **state)
{
    (void)state;
    struct parsed p = parse(
        "{\"instructions\":\"be brief\",\"input\":[{\"role\":\"user\",\"content\":\"a\"},"
        "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":"
        "\"output_text\",\"text\":\"b\"}]},{\"role\":\"developer\",\"content\":[{\"type\":"
        "\"input_text\",\"text\":\"c\"},{\"type\":\"input_text\",\"text\":\"d\"}]}],"
        "\"max_output_tokens\":7,\"temperature\":0,\"text\":{\"format\":{\"type\":"
        "\"json_schema\",\"name\":\"n\",\"schema\":{\"type\":\"null\"}}}}");
    assert_int_equal(p.status, OK);
    const struct ask_prompt *prompt = &p.ask.prompts[0];
    static const char *const want[] = {"system",    "be brief", "user",   "a",
                                       "assistant", "b",        "system", "cd"};
    assert_int_equal(prompt->message_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_true(text_equal(prompt->messages[i].role, text_of(want[2 * i])));
        assert_true(text_equal(prompt->messages[i].content, text_of(want[2 * i + 1])));
    }
    assert_int_equal(p.ask.job.max_tokens, 7);
    assert_int_equal(p.ask.job.format, ENGINE_FORMAT_SCHEMA);
    assert_true(text_equal(p.ask.job.format_source, TEXT("{\"type\":\"null\"}")));
    json_free(p.root);
    p = parse("{\"input\":\"hi\"}");
    assert_int_equal(p.status, OK);
    assert_int_equal(p.ask.prompts[0].message_count, 1);
    assert_true(text_equal(p.ask.prompts[0].messages[0].role, TEXT("user")));
    json_free(p.root);
}

static void test_refusals(void **state)
{
    static const struct {
        const char *body, *name;
    } cases[] = {
        {"{}", "input"},
        {"{\"input\":[]}", "input"},
        {"{\"input\":[1]}", "input"},
        {"{\"input\":[{\"role\":\"user\"}]}", "input"},
        {"{\"input\":[{\"role\":\"tool\",\"content\":\"\"}]}", "input"},
        {"{\"input\":[{\"type\":\"reasoning\"}]}", "input"},
        {"{\"input\":[{\"role\":\"user\",\"content\":[{\"type\":\"input_image\"}]}]}", "input"},
        {"{\"input\":\"a\",\"previous_response_id\":\"r\"}", "previous_response_id"},
        {"{\"input\":\"a\",\"tools\":[{}]}", "tools"},
        {"{\"input\":\"a\",\"max_output_tokens\":0}", "max_output_tokens"},
        {"{\"input\":\"a\",\"text\":{\"format\":{}}}", "text"},
        {"{\"input\":\"a\",\"background\":true}", "background"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        parsed_blames(openai_responses_parse, cases[i].body, &openai_responses_fields,
                      cases[i].name);
}

/* Two messages, a piece of each, the second cut: every event has the next number. */
static void test_events(void **state)
{
    const struct reply_wire *wire = &openai_responses_wire;
    struct reply_choice choices[2] = {
        {.text = {.data = "A", .size = 1}},
        {.text = {.data = "B", .size = 1}, .finish = ENGINE_LENGTH}};
    struct reply reply = {.id = "resp_1", .choices = choices, .choice_count = 2};
    struct text_buf out = {0};
    size_t at = 0;
    (void)state;
    wire->begin(&reply, &out);
    for (uint32_t i = 0; i < 2; i++, reply.piece_count++)
        wire->piece(&reply, &(struct reply_piece){.choice = i, .text = TEXT("x")}, &out);
    for (uint32_t i = 0; i < 2; i++, reply.end_count++)
        wire->choice_end(&reply, i, &out);
    wire->end(&reply, &out);
    for (int i = 0; i < 15; i++) {
        char number[40];
        (void)snprintf(number, sizeof number, "\"sequence_number\":%d,", i);
        const size_t found = text_find(text_buf_text(&out), text_of(number), at);
        assert_true(found != SIZE_MAX);
        at = found;
    }
    assert_non_null(strstr(out.data, "event: response.incomplete\ndata: {\"type\":"
                                     "\"response.incomplete\",\"sequence_number\":14,"));
    assert_non_null(strstr(out.data, "\"incomplete_details\":{\"reason\":"
                                     "\"max_output_tokens\"}"));
    text_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
