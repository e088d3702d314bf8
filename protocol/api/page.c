/*
 * page - see page.h. The assembler takes the file in: no array to compile, none to lose.
 * A cache of compiles does not see it do so (ccache:disable).
 */
#include "protocol/api/page.h"

#include "base/base64.h"
#include "base/sha256.h"

#include <stdint.h>
#include <stdio.h>

__asm__(".section .rodata\n"
        ".global page_begin\n"
        ".global page_bytes\n"
        "page_begin:\n"
        ".incbin \"" PAGE_FILE "\"\n"
        "page_end:\n"
        ".balign 8\n"
        "page_bytes: .quad page_end - page_begin\n"
        ".previous\n");
extern const char page_begin[];
extern const uint64_t page_bytes;

enum { HASH_BYTES = 32, BASE64_BYTES = 48 };

static unsigned digit_of(char hex)
{
    return hex <= '9' ? (unsigned)(hex - '0') : (unsigned)(hex - 'a' + 10);
}

/* The hash of text in base64, as CSP wants it. */
static void hash_text(struct text text, char base64[BASE64_BYTES])
{
    char hex[SHA256_HEX_BYTES], bytes[HASH_BYTES];
    struct text_buf digits = {0};
    struct sha256 hash;
    sha256_init(&hash);
    sha256_add(&hash, text.data, text.size);
    sha256_hex(&hash, hex);
    for (size_t i = 0; i < HASH_BYTES; i++)
        bytes[i] = (char)(digit_of(hex[2 * i]) << 4 | digit_of(hex[2 * i + 1]));
    base64_add(&digits, (struct text){bytes, HASH_BYTES});
    (void)snprintf(base64, BASE64_BYTES, "%.*s", TEXT_ARG(text_buf_text(&digits)));
    text_buf_deinit(&digits);
}

/* What stands between the first opening and closing tag of that name. */
static struct text inside(struct text html, struct text opening, struct text closing)
{
    const size_t begin = text_find(html, opening, 0);
    const size_t end = begin == SIZE_MAX ? SIZE_MAX : text_find(html, closing, begin);
    if (end == SIZE_MAX)
        return TEXT("");
    return text_slice(html, begin + opening.size, end);
}

void page_init(struct page *page)
{
    char style[BASE64_BYTES], script[BASE64_BYTES], hex[SHA256_HEX_BYTES];
    struct sha256 hash;
    page->html = (struct text){page_begin, page_bytes};
    hash_text(inside(page->html, TEXT("<style>"), TEXT("</style>")), style);
    hash_text(inside(page->html, TEXT("<script>"), TEXT("</script>")), script);
    (void)snprintf(page->policy, sizeof page->policy,
                   "default-src 'none'; connect-src 'self'; style-src 'sha256-%s'; "
                   "script-src 'sha256-%s'; base-uri 'none'; form-action 'none'; "
                   "frame-ancestors 'none'",
                   style, script);
    sha256_init(&hash);
    sha256_add(&hash, page->html.data, page->html.size);
    sha256_hex(&hash, hex);
    (void)snprintf(page->tag, sizeof page->tag, "\"%s\"", hex);
}
