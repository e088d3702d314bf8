/* base64 - see base64.h. */
#include "base/base64.h"

#include <stdint.h>
#include <string.h>

static const char DIGITS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_add(struct text_buf *out, struct text bytes)
{
    for (size_t at = 0; at < bytes.size; at += 3) {
        const size_t left = bytes.size - at;
        uint32_t three = 0;
        for (size_t i = 0; i < 3; i++)
            three = three << 8 | (i < left ? (unsigned char)bytes.data[at + i] : 0U);
        text_buf_byte(out, DIGITS[three >> 18]);
        text_buf_byte(out, DIGITS[three >> 12 & 63]);
        text_buf_byte(out, left > 1 ? DIGITS[three >> 6 & 63] : '=');
        text_buf_byte(out, left > 2 ? DIGITS[three & 63] : '=');
    }
}

bool base64_decode(struct text digits, struct text_buf *out)
{
    uint32_t bits = 0, count = 0;
    size_t end = digits.size;
    while (end > 0 && (digits.data[end - 1] == '=' || digits.data[end - 1] == '\n'))
        end--;
    for (size_t i = 0; i < end; i++) {
        const char c = digits.data[i];
        const char *found = c ? strchr(DIGITS, c) : NULL;
        if (c == '\n' || c == '\r')
            continue;
        if (!found)
            return false;
        bits = bits << 6 | (uint32_t)(found - DIGITS);
        count += 6;
        if (count >= 8) {
            count -= 8;
            text_buf_byte(out, (char)(bits >> count));
        }
    }
    return count < 6 && !out->failed;
}
