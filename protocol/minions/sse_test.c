/* sse_test - events as the standard's own examples have them, and bodies cut anywhere. */
#include "protocol/minions/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char BODY[] = ": a comment\n\nevent: add\ndata: 73857293\n\r\ndata\n\ndata:one\r\n"
                           "data:  two\r\nid: 4\r\n\r\nevent: x\rdata: y\r\r"
                           "event: none\n\ndata: {\"a\": 1}\nretry: 10\n\ndata: cut off\n";

static void events_in_order(void **state)
{
    (void)state;
    static const char *const wanted[][2] = {
        {"add", "73857293"}, {"", ""}, {"", "one\n two"}, {"x", "y"}, {"", "{\"a\": 1}"}};
    struct sse sse = {.rest = {BODY, sizeof(BODY) - 1}};
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        assert_true(sse_next(&sse));
        assert_true(text_equal(sse.event, text_of(wanted[i][0])));
        assert_true(text_equal(text_buf_text(&sse.data), text_of(wanted[i][1])));
    }
    assert_false(sse_next(&sse));
    sse_deinit(&sse);
}

static void a_cut_body_gives_a_prefix(void **state)
{
    (void)state;
    uint32_t before = 0;
    for (size_t size = 0; size <= sizeof(BODY) - 1; size++) {
        struct sse sse = {.rest = {BODY, size}};
        uint32_t events = 0;
        while (sse_next(&sse))
            events++;
        assert_true(events == before || events == before + 1);
        before = events;
        sse_deinit(&sse);
    }
    assert_int_equal(before, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_in_order),
        cmocka_unit_test(a_cut_body_gives_a_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
