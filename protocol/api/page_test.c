/* page_test - the page is there, asks for nothing outside, and its policy fits it. */
#include "protocol/api/page.h"

#include "base/base64.h"
#include "base/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
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

static void hex_of(struct text text, char hex[SHA256_HEX_BYTES])
{
    struct sha256 hash;
    sha256_init(&hash);
    sha256_add(&hash, text.data, text.size);
    sha256_hex(&hash, hex);
}

/* The policy has, behind this directive, the hash of what the page has between those tags. */
static void check_hash(const struct page *page, const char *directive, const char *name)
{
    char opening[16], closing[16], want[SHA256_HEX_BYTES], got[SHA256_HEX_BYTES] = "";
    struct text_buf bytes = {0};
    (void)snprintf(opening, sizeof opening, "<%s>", name);
    (void)snprintf(closing, sizeof closing, "</%s>", name);
    const size_t begin = text_find(page->html, text_of(opening), 0) + strlen(opening);
    const size_t end = text_find(page->html, text_of(closing), begin);
    assert_true(end != SIZE_MAX && end > begin);
    hex_of(text_slice(page->html, begin, end), want);
    const char *digits = strstr(page->policy, directive);
    assert_non_null(digits);
    digits += strlen(directive);
    const struct text hash = {digits, strcspn(digits, "'")};
    assert_true(base64_decode(hash, &bytes));
    assert_int_equal(bytes.size, 32);
    for (size_t i = 0; i < bytes.size; i++)
        (void)snprintf(got + 2 * i, 3, "%02x", (unsigned char)bytes.data[i]);
    assert_string_equal(got, want);
    text_buf_deinit(&bytes);
}

static void the_policy_allows_its_own_parts_alone(void **state)
{
    static const char *const parts[] = {"default-src 'none'; ", "connect-src 'self'; ",
                                        "; base-uri 'none'; ", "; form-action 'none'; ",
                                        "; frame-ancestors 'none'"};
    struct page page;
    (void)state;
    page_init(&page);
    check_hash(&page, "style-src 'sha256-", "style");
    check_hash(&page, "script-src 'sha256-", "script");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        assert_non_null(strstr(page.policy, parts[i]));
    assert_int_equal(strcspn(page.policy, "*"), strlen(page.policy));
    assert_null(strstr(page.policy, "unsafe"));
}

static void the_tag_is_the_hash_of_the_page(void **state)
{
    char hex[SHA256_HEX_BYTES], want[PAGE_TAG_BYTES];
    struct page page;
    (void)state;
    page_init(&page);
    hex_of(page.html, hex);
    (void)snprintf(want, sizeof want, "\"%s\"", hex);
    assert_string_equal(page.tag, want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_whole_and_asks_nobody_else),
        cmocka_unit_test(the_policy_allows_its_own_parts_alone),
        cmocka_unit_test(the_tag_is_the_hash_of_the_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
