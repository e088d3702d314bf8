/* fold - see fold.h. */
#include "protocol/minions/fold.h"

#include <string.h>

/* The folded bytes of a text, one at a time. */
struct fold_reader {
    struct text rest;
    bool started;
};

bool fold_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next folded byte, or -1 at the end. White space at either end never shows. */
static int reader_next(struct fold_reader *reader)
{
    struct text *rest = &reader->rest;
    bool space = false;
    while (rest->size > 0 && fold_is_space(rest->data[0])) {
        *rest = text_slice(*rest, 1, rest->size);
        space = true;
    }
    if (rest->size == 0)
        return -1;
    if (space && reader->started) {
        /* The space is given now; the byte after it stays for the next call. */
        reader->started = false;
        return ' ';
    }
    reader->started = true;
    const unsigned char c = (unsigned char)rest->data[0];
    *rest = text_slice(*rest, 1, rest->size);
    return c;
}

void fold_add(struct text_buf *buf, struct text text)
{
    struct fold_reader reader = {.rest = text};
    for (int c = reader_next(&reader); c >= 0; c = reader_next(&reader))
        text_buf_byte(buf, (char)c);
}

/* Bytes of hay from its start that spell needle (trimmed, not empty); 0 when they do not. */
static size_t match_size(struct text hay, struct text needle)
{
    size_t h = 0;
    for (size_t n = 0; n < needle.size;) {
        if (!fold_is_space(needle.data[n])) {
            if (h >= hay.size || hay.data[h] != needle.data[n])
                return 0;
            h++;
            n++;
            continue;
        }
        const size_t before = h;
        while (h < hay.size && fold_is_space(hay.data[h]))
            h++;
        if (h == before)
            return 0;
        while (fold_is_space(needle.data[n])) /* trimmed: it ends before needle.size */
            n++;
    }
    return h;
}

bool fold_find(struct text hay, struct text needle, size_t *offset, size_t *size)
{
    needle = text_trim(needle);
    if (needle.size == 0)
        return false;
    size_t at = 0;
    while (at < hay.size) {
        const char *hit = memchr(hay.data + at, needle.data[0], hay.size - at);
        if (!hit)
            return false;
        at = (size_t)(hit - hay.data);
        const size_t matched = match_size(text_slice(hay, at, hay.size), needle);
        if (matched > 0) {
            *offset = at;
            *size = matched;
            return true;
        }
        at++;
    }
    return false;
}

uint64_t fold_hash(struct text text)
{
    struct fold_reader reader = {.rest = text};
    uint64_t hash = 14695981039346656037u;
    for (int c = reader_next(&reader); c >= 0; c = reader_next(&reader))
        hash = (hash ^ (uint64_t)c) * 1099511628211u;
    return hash;
}

bool fold_equal(struct text a, struct text b)
{
    struct fold_reader x = {.rest = a}, y = {.rest = b};
    for (;;) {
        const int c = reader_next(&x), d = reader_next(&y);
        if (c != d)
            return false;
        if (c < 0)
            return true;
    }
}
