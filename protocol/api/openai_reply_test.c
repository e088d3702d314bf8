/* openai_reply_test - replies of the documented shape, whole and as a stream. */
#include "protocol/api/openai_reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

/* A reply of count choices; the caller's to deinit. */
static struct reply reply_of(uint32_t count)
{
    struct reply reply;
    assert_int_equal(reply_init(&reply, count, NULL), OK);
    (void)strcpy(reply.id, "chatcmpl-1");
    reply.model = TEXT("m");
    reply.created = 1700000000;
    reply.prompt_tokens = 5;
    reply.cached_tokens = 4;
    reply.completion_tokens = 3;
    return reply;
}

/* OpenAI's shape: each token with its bytes, beside it the best of its place. */
static void test_logprobs(void **state)
{
    (void)state;
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    struct reply reply = reply_of(2);
    struct logprob_top tops[] = {{TEXT(" a"), -0.5f}, {TEXT("\xc3"), -1e30f}};
    struct logprob_token tokens[] = {{TEXT(" a"), -0.5f, 0, 2, 0},
                                     {TEXT("\xc3"), -1e30f, 2, 0, 2}};
    reply.has_logprobs = true;
    reply.choices[0].finish = ENGINE_DEADLINE;
    reply.choices[0].logprobs =
        (struct logprob_list){.tokens = tokens, .tops = tops, .count = 2, .top_count = 2};
    openai_reply_chat(&w, &reply);
    assert_int_equal(json_check(text_buf_text(&out), NULL), OK);
    assert_non_null(strstr(
        out.data,
        "\"logprobs\":{\"content\":[{\"token\":\" a\",\"logprob\":-0.5,\"bytes\":[32,97],"
        "\"top_logprobs\":[{\"token\":\" a\",\"logprob\":-0.5,\"bytes\":[32,97]},"
        "{\"token\":\"\xef\xbf\xbd\",\"logprob\":-9999,\"bytes\":[195]}]},"
        "{\"token\":\"\xef\xbf\xbd\",\"logprob\":-9999,\"bytes\":[195],"
        "\"top_logprobs\":[]}],\"refusal\":null},\"finish_reason\":\"deadline\""));
    assert_non_null(strstr(out.data, "\"logprobs\":{\"content\":[],\"refusal\":null}"));
    text_buf_deinit(&out);
    reply.choices[0].logprobs = (struct logprob_list){0};
    reply_deinit(&reply);
}

static void test_completion(void **state)
{
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    struct reply reply = reply_of(2);
    (void)state;
    text_buf_add(&reply.choices[0].text, TEXT("a\"b"));
    reply.choices[1].finish = ENGINE_LENGTH;
    openai_reply_chat(&w, &reply);
    assert_string_equal(
        out.data,
        "{\"id\":\"chatcmpl-1\",\"object\":\"chat.completion\",\"created\":1700000000,"
        "\"model\":\"m\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
        "\"content\":\"a\\\"b\",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"stop\"}"
        ","
        "{\"index\":1,\"message\":{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null},"
        "\"logprobs\":null,\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":5,"
        "\"completion_tokens\":3,\"total_tokens\":8,\"prompt_tokens_details\":"
        "{\"cached_tokens\":4}}}");
    text_buf_deinit(&out);
    reply_deinit(&reply);
}

static void test_stream(void **state)
{
    struct text_buf out = {0};
    struct reply reply = reply_of(1);
    const struct reply_piece piece = {.text = TEXT("hi")};
    const char *const head =
        "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\","
        "\"created\":1700000000,\"model\":\"m\",\"choices\":[";
    struct text_buf want = {0};
    (void)state;
    reply.has_usage = true;
    openai_reply_chat_wire.begin(&reply, &out);
    openai_reply_chat_wire.piece(&reply, &piece, &out);
    openai_reply_chat_wire.choice_end(&reply, 0, &out);
    openai_reply_chat_wire.end(&reply, &out);
    text_buf_format(&want,
                    "%s{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},"
                    "\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n",
                    head);
    text_buf_format(&want,
                    "%s{\"index\":0,\"delta\":{\"content\":\"hi\"},\"logprobs\":null,"
                    "\"finish_reason\":null}],\"usage\":null}\n\n",
                    head);
    text_buf_format(
        &want,
        "%s{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}],"
        "\"usage\":null}\n\n",
        head);
    text_buf_format(&want,
                    "%s],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3,"
                    "\"total_tokens\":8,\"prompt_tokens_details\":{\"cached_tokens\":4}}}\n\n"
                    "data: [DONE]\n\n",
                    head);
    assert_string_equal(out.data, want.data);
    text_buf_deinit(&out);
    text_buf_deinit(&want);
    reply_deinit(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_completion),
        cmocka_unit_test(test_logprobs),
        cmocka_unit_test(test_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
