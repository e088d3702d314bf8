/* ollama_reply_test - replies of the documented shape: whole, a line at a time, vectors. */
#include "protocol/api/ollama_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "{\"model\":\"m\",\"created_at\":\"2023-11-14T22:13:20Z\","
#define REST                                                                                   \
    "\"total_duration\":4000000000,\"load_duration\":0,\"prompt_eval_count\":5,"               \
    "\"prompt_eval_duration\":1000000000,\"eval_count\":3,\"eval_duration\":2000000000}"

static struct reply reply_of(uint32_t count)
{
    struct reply reply;
    assert_int_equal(reply_init(&reply, count, NULL), OK);
    reply.model = TEXT("m");
    reply.created = 1700000000;
    reply.prompt_tokens = 5;
    reply.completion_tokens = 3;
    reply.begun_s = 10;
    reply.first_s = 11;
    reply.ended_s = 14;
    reply.choices[0].last_s = 13;
    reply.choices[0].output_tokens = 3;
    return reply;
}

static void test_whole(void **state)
{
    struct text_buf out = {0};
    struct reply reply = reply_of(1);
    (void)state;
    text_buf_add(&reply.choices[0].text, TEXT("a\"b"));
    ollama_reply_chat_wire.whole(&reply, &out);
    assert_string_equal(out.data,
                        HEAD "\"message\":{\"role\":\"assistant\",\"content\":\"a\\\"b\"},"
                             "\"done\":true,\"done_reason\":\"stop\"," REST);
    text_buf_clear(&out);
    reply.choices[0].finish = ENGINE_LENGTH;
    ollama_reply_generate_wire.whole(&reply, &out);
    assert_string_equal(out.data, HEAD "\"response\":\"a\\\"b\",\"done\":true,"
                                       "\"done_reason\":\"length\"," REST);
    text_buf_deinit(&out);
    reply_deinit(&reply);
}

static void test_stream(void **state)
{
    struct text_buf out = {0};
    struct reply reply = reply_of(1);
    const struct reply_piece piece = {.text = TEXT("hi")};
    (void)state;
    ollama_reply_chat_wire.begin(&reply, &out);
    ollama_reply_chat_wire.piece(&reply, &piece, &out);
    ollama_reply_chat_wire.choice_end(&reply, 0, &out);
    ollama_reply_chat_wire.end(&reply, &out);
    assert_string_equal(out.data,
                        HEAD "\"message\":{\"role\":\"assistant\",\"content\":\"hi\"},"
                             "\"done\":false}\n" HEAD
                             "\"message\":{\"role\":\"assistant\",\"content\":\"\"},"
                             "\"done\":true,\"done_reason\":\"stop\"," REST "\n");
    text_buf_clear(&out);
    ollama_reply_generate_wire.piece(&reply, &piece, &out);
    ollama_reply_generate_wire.end(&reply, &out);
    assert_string_equal(out.data, HEAD "\"response\":\"hi\",\"done\":false}\n" HEAD
                                       "\"response\":\"\",\"done\":true,"
                                       "\"done_reason\":\"stop\"," REST "\n");
    text_buf_deinit(&out);
    reply_deinit(&reply);
}

/* Arguments are an object; in a stream the calls stand before the end. */
static void test_calls(void **state)
{
    static const char message[] = HEAD
        "\"message\":{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"function\":"
        "{\"name\":\"f\",\"arguments\":{\"a\":\"b\"}}}]},";
    const struct tool_calls_reader reader = {.format = TOKENIZER_TOOLS_HERMES};
    struct text_buf out = {0}, want = {0};
    struct reply reply = reply_of(1);
    size_t content;
    (void)state;
    assert_true(tool_calls_read(
        &reader, TEXT("<tool_call>{\"name\":\"f\",\"arguments\":{\"a\":\"b\"}}</tool_call>"),
        &reply.choices[0].calls, &content));
    ollama_reply_chat_wire.whole(&reply, &out);
    text_buf_format(&want, "%s\"done\":true,\"done_reason\":\"stop\"," REST, message);
    assert_string_equal(out.data, want.data);
    text_buf_clear(&out);
    text_buf_clear(&want);
    ollama_reply_chat_wire.choice_end(&reply, 0, &out);
    text_buf_format(&want, "%s\"done\":false}\n", message);
    assert_string_equal(out.data, want.data);
    text_buf_deinit(&out);
    text_buf_deinit(&want);
    reply_deinit(&reply);
}

/* A token's own bytes beside it, in the place of its piece. */
static void test_logprobs(void **state)
{
    struct text_buf out = {0};
    struct reply reply = reply_of(1);
    struct logprob_top tops[] = {{TEXT("b"), -0.5f}};
    struct logprob_token tokens[] = {{.bytes = TEXT("a"), .logprob = -2},
                                     {.bytes = TEXT("b"), .logprob = -0.5f, .top_count = 1}};
    const struct reply_piece piece = {.text = TEXT("b"), .token_first = 1, .token_count = 1};
    (void)state;
    reply.has_logprobs = true;
    reply.choices[0].logprobs =
        (struct logprob_list){.tokens = tokens, .tops = tops, .count = 2, .top_count = 1};
    ollama_reply_generate_wire.piece(&reply, &piece, &out);
    assert_string_equal(out.data, HEAD
                        "\"response\":\"b\",\"logprobs\":[{\"token\":\"b\",\"logprob\":-0.5,"
                        "\"bytes\":[98],\"top_logprobs\":[{\"token\":\"b\",\"logprob\":-0.5,"
                        "\"bytes\":[98]}]}],\"done\":false}\n");
    text_buf_clear(&out);
    ollama_reply_generate_wire.whole(&reply, &out);
    assert_non_null(strstr(out.data, "\"logprobs\":[{\"token\":\"a\",\"logprob\":-2,"));
    text_buf_deinit(&out);
    reply.choices[0].logprobs = (struct logprob_list){0};
    reply_deinit(&reply);
}

/* Nothing was asked, as a client does that loads a model; no time of a token is there then. */
static void test_load(void **state)
{
    struct text_buf out = {0};
    struct reply reply = reply_of(1);
    (void)state;
    reply.choices[0] = (struct reply_choice){.finish = ENGINE_LENGTH};
    reply.first_s = 0;
    reply.completion_tokens = 0;
    ollama_reply_chat_wire.whole(&reply, &out);
    assert_non_null(strstr(out.data, "\"done_reason\":\"load\""));
    assert_non_null(strstr(out.data, "\"prompt_eval_duration\":0,\"eval_count\":0,"
                                     "\"eval_duration\":0}"));
    text_buf_deinit(&out);
    reply_deinit(&reply);
}

static void test_vectors(void **state)
{
    const float vector[] = {3, 4};
    struct text_buf out = {0};
    struct reply reply = reply_of(2);
    (void)state;
    for (int i = 0; i < 2; i++)
        reply_set_vector(&reply.choices[i], vector, 2);
    reply.choices[1].vector[0] = -0.5F;
    reply.choices[0].vector[0] = 0.25F;
    reply.choices[0].vector[1] = reply.choices[1].vector[1] = 1;
    ollama_reply_embed_wire.whole(&reply, &out);
    assert_string_equal(out.data, "{\"model\":\"m\",\"embeddings\":[[0.25,1],[-0.5,1]],"
                                  "\"total_duration\":4000000000,\"load_duration\":0,"
                                  "\"prompt_eval_count\":5}");
    text_buf_clear(&out);
    ollama_reply_embedding_wire.whole(&reply, &out);
    assert_string_equal(out.data, "{\"embedding\":[0.25,1]}");
    text_buf_deinit(&out);
    reply_deinit(&reply);
}

static void test_errors(void **state)
{
    const struct reply_error error = {.status = 400, .text = TEXT("x: \"no\"")};
    struct text_buf out = {0};
    (void)state;
    ollama_reply_chat_wire.error(&error, &out);
    ollama_reply_chat_wire.stream_error(&error, &out);
    assert_string_equal(out.data,
                        "{\"error\":\"x: \\\"no\\\"\"}{\"error\":\"x: \\\"no\\\"\"}\n");
    text_buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),  cmocka_unit_test(test_stream),
        cmocka_unit_test(test_calls),  cmocka_unit_test(test_logprobs),
        cmocka_unit_test(test_load),   cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
