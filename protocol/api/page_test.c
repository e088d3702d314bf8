/* page_test - the page is there, asks for nothing outside, and its policy fits it. */
#include "protocol/api/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool has(struct text text, const char *needle)
{
    return text_find(text, text_of(needle), 0) != SIZE_MAX;
}

static void the_page_is_whole_and_asks_nobody_else(void **state)
{
    static const char *const never[] = {"http://",    "https://",  "<link",
                                        "@import",    " src=",     "innerHTML",
                                        "onclick=\"", " style=\"", "eval("};
    struct page page;
    (void)state;
    page_init(&page);
    assert_true(text_starts(page.html, TEXT("<!doctype html>")));
    assert_true(text_ends(text_trim(page.html), TEXT("</html>")));
    for (size_t i = 0; i < sizeof never / sizeof never[0]; i++)
        if (has(page.html, never[i]))
            fail_msg("the page has %s", never[i]);
}

static void the_policy_names_two_hashes(void **state)
{
    struct page page;
    (void)state;
    page_init(&page);
    const char *style = strstr(page.policy, "style-src 'sha256-");
    const char *script = strstr(page.policy, "script-src 'sha256-");
    assert_non_null(style);
    assert_non_null(script);
    assert_int_equal(strcspn(style + strlen("style-src 'sha256-"), "'"), 44);
    assert_int_equal(strcspn(script + strlen("script-src 'sha256-"), "'"), 44);
    assert_null(strstr(page.policy, "unsafe"));
    assert_int_equal(strlen(page.tag), 66);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_whole_and_asks_nobody_else),
        cmocka_unit_test(the_policy_names_two_hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
