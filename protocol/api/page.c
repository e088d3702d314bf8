/* page - see page.h. The assembler takes the file in: no array to compile, none to lose. */
#include "protocol/api/page.h"

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

/* The hash of text in base64 (RFC 4648), as CSP wants it. */
static void hash_text(struct text text, char base64[BASE64_BYTES])
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char hex[SHA256_HEX_BYTES];
    uint8_t bytes[HASH_BYTES + 1] = {0};
    struct sha256 hash;
    size_t at = 0;
    sha256_init(&hash);
    sha256_add(&hash, text.data, text.size);
    sha256_hex(&hash, hex);
    for (size_t i = 0; i < HASH_BYTES; i++)
        bytes[i] = (uint8_t)(digit_of(hex[2 * i]) << 4 | digit_of(hex[2 * i + 1]));
    for (size_t i = 0; i < HASH_BYTES; i += 3) { /* 32 bytes: the last group has two */
        const uint32_t bits = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 |
                              (i + 2 < HASH_BYTES ? bytes[i + 2] : 0U);
        base64[at++] = digits[bits >> 18];
        base64[at++] = digits[bits >> 12 & 63];
        base64[at++] = digits[bits >> 6 & 63];
        base64[at++] = i + 2 < HASH_BYTES ? digits[bits & 63] : '=';
    }
    base64[at] = 0;
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
