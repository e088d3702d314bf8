/* remote_test - the remote client against a real socket: every fault ends in time, in bounds,
 * with a sentence, and the ledger agrees with the server. */
#include "protocol/minions/remote.h"

#include "base/clock.h"
#include "tests/harness/scripted_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OK_BODY                                                                                \
    "{\"choices\":[{\"message\":{\"role\":\"assistant\",\"content\":\"hello\"},"               \
    "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}"

struct exchange {
    struct scripted_server server;
    struct ledger ledger;
    struct remote_reply reply;
    struct error err;
    enum status status;
    double seconds;
};

/* One call against that script. */
static void exchange(struct exchange *x, const struct scripted_reply *replies, uint32_t count,
                     const struct remote_options *more)
{
    char url[64];
    struct remote *remote = NULL;
    memset(x, 0, sizeof(*x));
    x->ledger = (struct ledger){.price = {1, 1}, .budget_dollars = 1};
    assert_true(scripted_server_start(&x->server, replies, count));
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/v1/", x->server.port);
    struct remote_options options = {.retry_wait_s = 0.001};
    if (more)
        options = *more;
    options.url = url;
    options.model = "big";
    const struct remote_message message = {"user", TEXT("say \"hello\"")};
    assert_int_equal(remote_open(&remote, &options, &x->ledger, &x->err), OK);
    const double start = clock_now_s();
    x->status = remote_chat(remote, &message, 1, &x->reply, &x->err);
    x->seconds = clock_now_s() - start;
    remote_close(remote);
    scripted_server_stop(&x->server);
    assert_int_equal(x->ledger.calls, x->server.request_count);
    assert_int_equal(x->ledger.sent_bytes, x->server.received_bytes);
}

static void end(struct exchange *x)
{
    scripted_server_deinit(&x->server);
    text_buf_deinit(&x->reply.content);
}

static void one_good_call(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {{200, OK_BODY, SCRIPTED_WHOLE, NULL}};
    struct exchange x;
    setenv("COHORT_API_KEY", "canary-key", 1);
    exchange(&x, replies, 1, NULL);
    unsetenv("COHORT_API_KEY");
    assert_int_equal(x.status, OK);
    assert_true(text_equal(text_buf_text(&x.reply.content), TEXT("hello")));
    assert_int_equal(x.ledger.received_bytes, x.server.sent_bytes);
    assert_int_equal(x.ledger.remote_prompt_tokens, 7);
    assert_int_equal(x.ledger.remote_output_tokens, 3);
    assert_true(x.ledger.dollars > 9.9e-6 && x.ledger.dollars < 10.1e-6);
    assert_non_null(strstr(x.server.heads[0].data, "POST /v1/chat/completions HTTP/1.1\r\n"));
    assert_non_null(strstr(x.server.heads[0].data, "Authorization: Bearer canary-key\r\n"));
    assert_string_equal(x.server.bodies[0].data,
                        "{\"model\":\"big\",\"messages\":[{\"role\":\"user\",\"content\":"
                        "\"say \\\"hello\\\"\"}],\"max_tokens\":4096,\"stream\":true,"
                        "\"stream_options\":{\"include_usage\":true}}");
    end(&x);
}

static void a_500_is_tried_again(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {{500, "{}", SCRIPTED_WHOLE, NULL},
                                             {429, "{}", SCRIPTED_WHOLE, NULL},
                                             {200, OK_BODY, SCRIPTED_WHOLE, NULL}};
    struct exchange x;
    exchange(&x, replies, 3, NULL);
    assert_int_equal(x.status, OK);
    assert_int_equal(x.ledger.calls, 3);
    assert_int_equal(x.ledger.retries, 2);
    assert_true(x.ledger.dollars > 0.004); /* the 500 may have been served: it stays charged */
    end(&x);
}

static void attempts_are_few(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {
        {503, "{\"error\":{\"message\":\"busy\\nnow\"}}", SCRIPTED_WHOLE, NULL}};
    struct exchange x;
    exchange(&x, replies, 1, NULL);
    assert_int_equal(x.status, ERR_REMOTE);
    assert_int_equal(x.ledger.calls, 4);
    assert_string_equal(x.err.text, "remote: the server answered HTTP 503: busy now");
    end(&x);
}

static void a_refused_key_is_said_once(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {
        {401, "{\"error\":{\"message\":\"bad key canary\"}}", SCRIPTED_WHOLE, NULL}};
    for (int has_key = 0; has_key < 2; has_key++) {
        struct exchange x;
        if (has_key)
            setenv("COHORT_API_KEY", "canary-key", 1);
        exchange(&x, replies, 1, NULL);
        unsetenv("COHORT_API_KEY");
        assert_int_equal(x.status, ERR_REMOTE);
        assert_int_equal(x.ledger.calls, 1);
        assert_non_null(strstr(x.err.text, "(HTTP 401); set COHORT_API_KEY"));
        assert_non_null(
            strstr(x.err.text, has_key ? "refused the key" : "wants a key, and there is none"));
        assert_null(strstr(x.err.text, "canary"));
        assert_true(x.ledger.dollars == 0);
        end(&x);
    }
}

static void a_cut_body_is_not_paid_twice(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {{200, OK_BODY, SCRIPTED_CUT, NULL}};
    struct exchange x;
    exchange(&x, replies, 1, NULL);
    assert_int_equal(x.status, ERR_REMOTE);
    assert_int_equal(x.ledger.calls, 1);
    assert_non_null(strstr(x.err.text, "broke off after"));
    assert_true(x.ledger.dollars > 0);
    end(&x);
}

static void an_endless_body_is_cut_off(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {{200, OK_BODY, SCRIPTED_ENDLESS, NULL}};
    const struct remote_options options = {.response_max = 100000};
    struct exchange x;
    exchange(&x, replies, 1, &options);
    assert_int_equal(x.status, ERR_LIMIT);
    assert_non_null(strstr(x.err.text, "larger than 100000 bytes"));
    assert_true(x.ledger.received_bytes < 200000); /* the wire is a buffer ahead */
    end(&x);
}

static void a_hang_ends_at_the_deadline(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {{200, OK_BODY, SCRIPTED_HANG, NULL}};
    const struct remote_options options = {.deadline_s = 0.3};
    struct exchange x;
    exchange(&x, replies, 1, &options);
    assert_int_equal(x.status, ERR_REMOTE);
    assert_int_equal(x.ledger.calls, 1);
    assert_non_null(strstr(x.err.text, "no whole reply within 0.3 s"));
    assert_true(x.seconds < 1.3);
    end(&x);
}

static void a_reset_is_not_retried(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {{200, OK_BODY, SCRIPTED_RESET, NULL}};
    struct exchange x;
    exchange(&x, replies, 1, NULL);
    assert_int_equal(x.status, ERR_REMOTE);
    assert_int_equal(x.ledger.calls, 1);
    end(&x);
}

static void a_long_retry_after_is_not_waited_for(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {
        {429, "{}", SCRIPTED_WHOLE, "Retry-After: 1000000000"}};
    struct exchange x;
    exchange(&x, replies, 1, NULL);
    assert_int_equal(x.status, ERR_REMOTE);
    assert_int_equal(x.ledger.calls, 1);
    assert_true(x.seconds < 2);
    end(&x);
}

static void redirects_are_not_followed(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {
        {302, "{}", SCRIPTED_WHOLE, "Location: file:///etc/passwd"}};
    struct exchange x;
    exchange(&x, replies, 1, NULL);
    assert_int_equal(x.status, ERR_REMOTE);
    assert_int_equal(x.ledger.calls, 1);
    assert_non_null(strstr(x.err.text, "HTTP 302"));
    end(&x);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {"", "[]", "{\"choices\":[]}", "not json",
                                         "{\"choices\":[{\"message\":{\"content\":7}}]}"};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        const struct scripted_reply replies[] = {{200, bodies[i], SCRIPTED_WHOLE, NULL}};
        struct exchange x;
        exchange(&x, replies, 1, NULL);
        assert_int_equal(x.status, ERR_REMOTE);
        assert_int_equal(x.ledger.calls, 1);
        end(&x);
    }
}

#define EVENT(json) "data: " json "\n\n"

static void a_stream_is_put_together(void **state)
{
    (void)state;
    static const char body[] = ": keep-alive\n\n" EVENT(
        "{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}")
        EVENT("{\"choices\":[{\"delta\":{\"content\":\"hel\"}}]}") EVENT(
            "{\"choices\":[{\"delta\":{\"content\":\"lo\"},\"finish_reason\":\"length\"}]}")
            EVENT("{\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3}}")
                EVENT("[DONE]");
    const struct scripted_reply replies[] = {
        {200, body, SCRIPTED_WHOLE, "Content-Type: text/event-stream"}};
    struct exchange x;
    exchange(&x, replies, 1, NULL);
    assert_int_equal(x.status, OK);
    assert_true(text_equal(text_buf_text(&x.reply.content), TEXT("hello")));
    assert_true(x.reply.is_cut && !x.ledger.is_estimated);
    assert_int_equal(x.ledger.remote_prompt_tokens, 7);
    assert_int_equal(x.ledger.received_bytes, x.server.sent_bytes);
    end(&x);
}

static void a_stream_without_an_end_is_no_answer(void **state)
{
    (void)state;
    static const struct {
        const char *body, *words;
    } cases[] = {
        {EVENT("{\"choices\":[{\"delta\":{\"content\":\"hel\"}}]}"), "broke off after"},
        {EVENT("{\"choices\":[{\"delta\":{\"content\":\"h\"}}]}")
             EVENT("{\"error\":{\"message\":\"over\\nloaded\"}}"),
         "broke off with an error: over loaded"},
        {EVENT("{\"choices\""), "an event of the reply is not JSON"},
        {EVENT("[DONE]"), "has no choices[0].message.content"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct scripted_reply replies[] = {{200, cases[i].body, SCRIPTED_WHOLE, NULL}};
        struct exchange x;
        exchange(&x, replies, 1, NULL);
        assert_int_equal(x.status, ERR_REMOTE);
        assert_non_null(strstr(x.err.text, cases[i].words));
        assert_int_equal(x.ledger.calls, 1);
        assert_true(x.ledger.dollars > 0); /* it may have been paid */
        end(&x);
    }
}

static void a_message_of_the_other_wire(void **state)
{
    (void)state;
    static const char body[] = "event: message_start\n" EVENT(
        "{\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":20,"
        "\"cache_read_input_tokens\":5,\"output_tokens\":1}}}") "event: ping\n" EVENT("{\"type"
                                                                                      "\":"
                                                                                      "\"ping\""
                                                                                      "}")
        EVENT("{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\","
              "\"text\":\"hel\"}}")
            EVENT("{\"type\":\"content_block_delta\",\"delta\":{\"type\":\"text_delta\","
                  "\"text\":\"lo\"}}")
                EVENT("{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"max_tokens\"},"
                      "\"usage\":{\"output_tokens\":9}}") EVENT("{\"type\":\"message_stop\"}");
    static const char whole[] =
        "{\"type\":\"message\",\"content\":[{\"type\":\"text\",\"text\":\"hello\"}],"
        "\"stop_reason\":\"max_tokens\",\"usage\":{\"input_tokens\":25,\"output_tokens\":9}}";
    const struct remote_options options = {.api = REMOTE_API_ANTHROPIC, .retry_wait_s = 0.001};
    for (int i = 0; i < 2; i++) {
        const struct scripted_reply replies[] = {
            {529, "{\"error\":{\"message\":\"overloaded\"}}", SCRIPTED_WHOLE, NULL},
            {200, i ? whole : body, SCRIPTED_WHOLE, NULL}};
        struct exchange x;
        setenv("ANTHROPIC_API_KEY", "canary-key", 1);
        exchange(&x, replies, 2, &options);
        unsetenv("ANTHROPIC_API_KEY");
        assert_int_equal(x.status, OK);
        assert_true(text_equal(text_buf_text(&x.reply.content), TEXT("hello")));
        assert_true(x.reply.is_cut);
        assert_int_equal(x.ledger.remote_prompt_tokens, 25);
        assert_int_equal(x.ledger.remote_output_tokens, 9);
        assert_int_equal(x.ledger.retries, 1);
        assert_non_null(strstr(x.server.heads[0].data, "POST /v1/messages HTTP/1.1\r\n"));
        assert_non_null(strstr(x.server.heads[0].data, "x-api-key: canary-key\r\n"));
        assert_non_null(strstr(x.server.heads[0].data, "anthropic-version: 2023-06-01\r\n"));
        end(&x);
    }
}

static void a_server_that_knows_no_streams(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {
        {400, "{\"error\":{\"message\":\"unknown field stream_options\"}}", SCRIPTED_WHOLE,
         NULL},
        {400, "{\"error\":{\"message\":\"stream must be false\"}}", SCRIPTED_WHOLE, NULL},
        {200, OK_BODY, SCRIPTED_WHOLE, NULL}};
    struct exchange x;
    exchange(&x, replies, 3, NULL);
    assert_int_equal(x.status, OK);
    assert_null(strstr(x.server.bodies[1].data, "stream_options"));
    assert_null(strstr(x.server.bodies[2].data, "stream"));
    assert_int_equal(x.ledger.calls, 3);
    end(&x);
}

static void the_other_name_of_the_limit(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {
        {400, "{\"error\":{\"message\":\"use 'max_completion_tokens' instead\"}}",
         SCRIPTED_WHOLE, NULL},
        {200, OK_BODY, SCRIPTED_WHOLE, NULL}};
    struct exchange x;
    exchange(&x, replies, 2, NULL);
    assert_int_equal(x.status, OK);
    assert_non_null(strstr(x.server.bodies[1].data, "\"max_completion_tokens\":4096"));
    end(&x);
}

static void missing_usage_is_estimated(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {
        {200, "{\"choices\":[{\"message\":{\"content\":\"hi\"}}]}", SCRIPTED_WHOLE, NULL}};
    struct exchange x;
    exchange(&x, replies, 1, NULL);
    assert_int_equal(x.status, OK);
    assert_true(x.ledger.is_estimated);
    assert_true(x.ledger.remote_prompt_tokens > 10);
    end(&x);
}

static void nobody_listens(void **state)
{
    (void)state;
    const struct scripted_reply replies[] = {{200, OK_BODY, SCRIPTED_WHOLE, NULL}};
    struct scripted_server server;
    struct ledger ledger = {.budget_dollars = 1, .price = {1, 1}};
    struct remote_reply reply = {0};
    struct remote *remote = NULL;
    struct error err = {0};
    char url[64];
    assert_true(scripted_server_start(&server, replies, 1));
    scripted_server_stop(&server);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/v1", server.port);
    const struct remote_options options = {.url = url, .model = "big", .retry_wait_s = 0.001};
    const struct remote_message message = {"user", TEXT("hi")};
    assert_int_equal(remote_open(&remote, &options, &ledger, &err), OK);
    assert_int_equal(remote_chat(remote, &message, 1, &reply, &err), ERR_REMOTE);
    assert_non_null(strstr(err.text, "no connection to http://127.0.0.1:"));
    assert_int_equal(ledger.sent_bytes, 0);
    assert_true(ledger.dollars == 0);
    ledger.budget_dollars = 0.000001;
    assert_int_equal(remote_chat(remote, &message, 1, &reply, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "nothing was sent"));
    remote_close(remote);
    scripted_server_deinit(&server);
    text_buf_deinit(&reply.content);
}

static void addresses_that_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {"http://example.com/v1",
                                       "ftp://127.0.0.1/",
                                       "file:///etc/passwd",
                                       "https://user:pw@example.com",
                                       "",
                                       "http://127.evil.com/v1"};
    struct ledger ledger = {0};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct remote *remote = NULL;
        struct error err = {0};
        const struct remote_options options = {.url = urls[i], .model = "big"};
        assert_int_equal(remote_open(&remote, &options, &ledger, &err), ERR_FORMAT);
        assert_true(err.text[0] != '\0');
    }
    setenv("COHORT_API_KEY", "a\r\nX-Evil: 1", 1);
    struct remote *remote = NULL;
    const struct remote_options options = {.url = "https://example.com", .model = "big"};
    assert_int_equal(remote_open(&remote, &options, &ledger, NULL), ERR_FORMAT);
    unsetenv("COHORT_API_KEY");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_good_call),
        cmocka_unit_test(a_500_is_tried_again),
        cmocka_unit_test(attempts_are_few),
        cmocka_unit_test(a_refused_key_is_said_once),
        cmocka_unit_test(a_cut_body_is_not_paid_twice),
        cmocka_unit_test(an_endless_body_is_cut_off),
        cmocka_unit_test(a_hang_ends_at_the_deadline),
        cmocka_unit_test(a_reset_is_not_retried),
        cmocka_unit_test(a_long_retry_after_is_not_waited_for),
        cmocka_unit_test(redirects_are_not_followed),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(a_stream_is_put_together),
        cmocka_unit_test(a_stream_without_an_end_is_no_answer),
        cmocka_unit_test(a_message_of_the_other_wire),
        cmocka_unit_test(a_server_that_knows_no_streams),
        cmocka_unit_test(the_other_name_of_the_limit),
        cmocka_unit_test(missing_usage_is_estimated),
        cmocka_unit_test(nobody_listens),
        cmocka_unit_test(addresses_that_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
