/* http_gate_test - names and sites that are ours, and those that only look so. */
#include "protocol/api/http_gate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void hosts(void **state)
{
    static const char *const names[] = {"box.lan"};
    static const char *const ours[] = {"localhost", "LocalHost:80", "127.0.0.1:8080",
                                       "10.0.0.7",  "[::1]:8080",   "[fe80::1]",
                                       "BOX.lan:1", "box.lan"};
    static const char *const others[] = {"",
                                         ":8080",
                                         "evil.example",
                                         "localhost.evil.example",
                                         "127.0.0.1.evil.example:8080",
                                         "1.2.3",
                                         "[::1",
                                         "[box.lan]",
                                         "box.lan.",
                                         "xbox.lan"};
    (void)state;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
        assert_true(http_gate_host_is_ours(text_of(ours[i]), names, 1));
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (http_gate_host_is_ours(text_of(others[i]), names, 1))
            fail_msg("%s is taken for ours", others[i]);
    assert_false(http_gate_host_is_ours(TEXT("127.0.0.1\0.example"), names, 1));
}

static void origins(void **state)
{
    const struct text host = TEXT("localhost:8080");
    (void)state;
    assert_true(http_gate_origin_is_ours(TEXT(""), host));
    assert_true(http_gate_origin_is_ours(TEXT("http://localhost:8080"), host));
    assert_true(http_gate_origin_is_ours(TEXT("https://LOCALHOST:8080"), host));
    assert_false(http_gate_origin_is_ours(TEXT("http://localhost"), host));
    assert_false(http_gate_origin_is_ours(TEXT("http://localhost:8080.evil.example"), host));
    assert_false(http_gate_origin_is_ours(TEXT("null"), host));
    assert_false(http_gate_origin_is_ours(TEXT("file://"), host));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hosts), cmocka_unit_test(origins)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
