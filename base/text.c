/* text - see text.h. */
#include "base/text.h"

#include "base/checked.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_BYTES = 64 };

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct text text_of(const char *string)
{
    return (struct text){string, string ? strlen(string) : 0};
}

bool text_equal(struct text a, struct text b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

int text_compare(struct text a, struct text b)
{
    const size_t common = a.size < b.size ? a.size : b.size;
    const int order = common > 0 ? memcmp(a.data, b.data, common) : 0;
    return order != 0 ? (order > 0) - (order < 0) : (a.size > b.size) - (a.size < b.size);
}

bool text_starts(struct text text, struct text prefix)
{
    return prefix.size <= text.size && text_equal(text_slice(text, 0, prefix.size), prefix);
}

bool text_ends(struct text text, struct text suffix)
{
    return suffix.size <= text.size &&
           text_equal(text_slice(text, text.size - suffix.size, text.size), suffix);
}

size_t text_find(struct text text, struct text needle, size_t from)
{
    if (from > text.size)
        return SIZE_MAX;
    if (needle.size == 0)
        return from;
    if (needle.size > text.size - from)
        return SIZE_MAX;
    const char *hit = memmem(text.data + from, text.size - from, needle.data, needle.size);
    return hit ? (size_t)(hit - text.data) : SIZE_MAX;
}

struct text text_slice(struct text text, size_t begin, size_t end)
{
    if (end > text.size)
        end = text.size;
    if (begin > end)
        begin = end;
    return (struct text){text.data ? text.data + begin : NULL, end - begin};
}

struct text text_trim(struct text text)
{
    size_t begin = 0, end = text.size;
    while (begin < end && is_space(text.data[begin]))
        begin++;
    while (end > begin && is_space(text.data[end - 1]))
        end--;
    return text_slice(text, begin, end);
}

struct text text_copy(struct text text, struct arena *arena)
{
    size_t size;
    if (!checked_add_size(text.size, 1, &size))
        return (struct text){0};
    char *copy = ARENA_NEW(arena, char, size);
    if (!copy)
        return (struct text){0};
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    return (struct text){copy, text.size};
}

/* What the first byte says: how many bytes follow, which bits of it count, and the range that
 * the second byte must lie in (narrower where overlong forms, surrogates or values past
 * U+10FFFF begin so: RFC 3629, section 4). */
struct utf8_lead {
    uint8_t follow, bits, second_min, second_max;
};

static bool utf8_lead(uint8_t byte, struct utf8_lead *lead)
{
    *lead = (struct utf8_lead){.second_min = 0x80, .second_max = 0xbf};
    if (byte < 0xc2 || byte > 0xf4)
        return false;
    if (byte < 0xe0) {
        lead->follow = 1;
        lead->bits = byte & 0x1f;
    } else if (byte < 0xf0) {
        lead->follow = 2;
        lead->bits = byte & 0x0f;
        lead->second_min = byte == 0xe0 ? 0xa0 : 0x80;
        lead->second_max = byte == 0xed ? 0x9f : 0xbf;
    } else {
        lead->follow = 3;
        lead->bits = byte & 0x07;
        lead->second_min = byte == 0xf0 ? 0x90 : 0x80;
        lead->second_max = byte == 0xf4 ? 0x8f : 0xbf;
    }
    return true;
}

uint32_t text_utf8_next(struct text text, size_t *offset)
{
    const uint8_t *at = (const uint8_t *)text.data + *offset;
    const size_t left = text.size - *offset;
    struct utf8_lead lead;
    ++*offset;
    if (at[0] < 0x80)
        return at[0];
    if (!utf8_lead(at[0], &lead) || left <= lead.follow || at[1] < lead.second_min ||
        at[1] > lead.second_max)
        return UINT32_MAX;
    uint32_t code_point = lead.bits;
    for (size_t i = 1; i <= lead.follow; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return UINT32_MAX;
        code_point = code_point << 6 | (at[i] & 0x3fu);
    }
    *offset += lead.follow;
    return code_point;
}

size_t text_utf8_put(uint32_t code_point, char out[4])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    const size_t size = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    const uint32_t lead = size == 2 ? 0xc0 : size == 3 ? 0xe0 : 0xf0;
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code_point & 0x3f));
        code_point >>= 6;
    }
    out[0] = (char)(lead | code_point);
    return size;
}

size_t text_utf8_valid(struct text text)
{
    size_t offset = 0;
    while (offset < text.size) {
        const size_t before = offset;
        if (text_utf8_next(text, &offset) == UINT32_MAX)
            return before;
    }
    return text.size;
}

/* Room for more bytes and a NUL. */
static bool buf_reserve(struct text_buf *buf, size_t more)
{
    size_t size, with_nul;
    if (buf->failed)
        return false;
    if (!checked_add_size(buf->size, more, &size) || !checked_add_size(size, 1, &with_nul) ||
        (buf->size_max != 0 && size > buf->size_max)) {
        buf->failed = true;
        return false;
    }
    if (with_nul <= buf->capacity)
        return true;
    size_t capacity = buf->capacity ? buf->capacity : BUF_FIRST_BYTES;
    while (capacity < with_nul && capacity <= SIZE_MAX / 2)
        capacity *= 2;
    if (capacity < with_nul)
        capacity = with_nul;
    char *data = realloc(buf->data, capacity);
    if (!data) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void text_buf_deinit(struct text_buf *buf)
{
    free(buf->data);
    *buf = (struct text_buf){.size_max = buf->size_max};
}

void text_buf_clear(struct text_buf *buf)
{
    buf->size = 0;
    buf->failed = false;
    if (buf->data)
        buf->data[0] = '\0';
}

void text_buf_add(struct text_buf *buf, struct text text)
{
    if (!buf_reserve(buf, text.size))
        return;
    if (text.size > 0)
        memcpy(buf->data + buf->size, text.data, text.size);
    buf->size += text.size;
    buf->data[buf->size] = '\0';
}

void text_buf_byte(struct text_buf *buf, char byte)
{
    text_buf_add(buf, (struct text){&byte, 1});
}

void text_buf_format(struct text_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size < 0) {
        buf->failed = true;
        return;
    }
    if (!buf_reserve(buf, (size_t)size))
        return;
    va_start(args, format);
    (void)vsnprintf(buf->data + buf->size, (size_t)size + 1, format, args);
    va_end(args);
    buf->size += (size_t)size;
}

struct text text_buf_text(const struct text_buf *buf)
{
    return (struct text){buf->data, buf->size};
}
