/* document_text - see document_text.h. */
#include "protocol/minions/document_text.h"

#include <stdbool.h>

enum {
    NUL_SHARE = 100,    /* one in so many may be NUL: text taken out of a PDF has some */
    CONTROL_SHARE = 30, /* and one in so many a control character, outside of UTF-8; of random
                           bytes one in ten is one */
    FAULT_SHARE = 10,   /* faulty UTF-8 has so many valid sequences for each fault */
    UTF16_SHARE = 4     /* UTF-16 without a mark: one character in so many is below U+0100 */
};
#define REPLACEMENT 0xfffdu

/* What Windows-1252 has at 0x80 to 0x9f; the five without a character keep their number. */
static const uint16_t WINDOWS_1252[32] = {
    0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x008d, 0x017d, 0x008f, 0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178};

uint32_t document_text_windows_1252(uint8_t byte)
{
    return byte >= 0x80 && byte < 0xa0 ? WINDOWS_1252[byte - 0x80] : byte;
}

/* Appends characters; a carriage return is held back until it is known what follows. */
struct writer {
    struct text_buf *out;
    bool is_return;
};

static void put(struct writer *writer, uint32_t code_point)
{
    char bytes[4];
    if (writer->is_return && code_point != '\n')
        text_buf_byte(writer->out, '\n');
    writer->is_return = code_point == '\r';
    if (!writer->is_return)
        text_buf_add(writer->out, (struct text){bytes, text_utf8_put(code_point, bytes)});
}

static void finish(struct writer *writer)
{
    if (writer->is_return)
        text_buf_byte(writer->out, '\n');
}

/* UTF-8 as it is: what stands between carriage returns is copied at once. */
static void put_utf8(struct writer *writer, struct text text)
{
    for (size_t at = 0; at < text.size;) {
        size_t end = text_find(text, TEXT("\r"), at);
        if (end == SIZE_MAX)
            end = text.size;
        text_buf_add(writer->out, text_slice(text, at, end));
        if (end < text.size)
            text_buf_byte(writer->out, '\n');
        at = end + 1;
        if (at < text.size && text.data[at] == '\n')
            at++;
    }
}

static void put_faulty(struct writer *writer, struct text text, size_t *faults)
{
    for (size_t at = 0; at < text.size;) {
        uint32_t code_point = text_utf8_next(text, &at);
        *faults += code_point == UINT32_MAX;
        put(writer, code_point == UINT32_MAX ? REPLACEMENT : code_point);
    }
}

static void put_windows(struct writer *writer, struct text text)
{
    for (size_t i = 0; i < text.size; i++)
        put(writer, document_text_windows_1252((uint8_t)text.data[i]));
}

static uint32_t unit_at(struct text text, size_t at, bool is_big)
{
    const uint8_t first = (uint8_t)text.data[at], second = (uint8_t)text.data[at + 1];
    return is_big ? (uint32_t)first << 8 | second : (uint32_t)second << 8 | first;
}

static void put_utf16(struct writer *writer, struct text text, bool is_big, size_t *faults)
{
    size_t at = 0;
    while (at + 1 < text.size) {
        uint32_t code_point = unit_at(text, at, is_big);
        at += 2;
        if (code_point >= 0xd800 && code_point < 0xe000) {
            const uint32_t low = at + 1 < text.size ? unit_at(text, at, is_big) : 0;
            const bool is_pair = code_point < 0xdc00 && low >= 0xdc00 && low < 0xe000;
            code_point = is_pair ? 0x10000 + ((code_point - 0xd800) << 10) + (low - 0xdc00)
                                 : REPLACEMENT;
            at += is_pair ? 2 : 0;
            *faults += !is_pair;
        }
        put(writer, code_point);
    }
    if (at < text.size) { /* half a character */
        put(writer, REPLACEMENT);
        ++*faults;
    }
}

/* What the bytes are made of. */
struct census {
    size_t nuls[2]; /* at even and at odd places */
    size_t controls, high;
};

static struct census count_bytes(struct text bytes)
{
    struct census census = {0};
    for (size_t i = 0; i < bytes.size; i++) {
        const uint8_t byte = (uint8_t)bytes.data[i];
        census.nuls[i % 2] += byte == 0;
        census.high += byte >= 0x80;
        census.controls +=
            (byte < ' ' && byte != 0 && !(byte >= '\t' && byte <= '\r') && byte != 0x1b) ||
            byte == 0x7f;
    }
    return census;
}

/* Whether the bytes are UTF-16 by the place of their NULs: many on one side, none to speak of
 * on the other. */
static bool is_utf16(const struct census *census, size_t size, bool is_big)
{
    const size_t side = census->nuls[is_big ? 0 : 1], other = census->nuls[is_big ? 1 : 0];
    return size >= 4 && size % 2 == 0 && side > size / 2 / UTF16_SHARE &&
           other <= size / 2 / NUL_SHARE;
}

static enum status check_utf16(struct text bytes, const struct census *census, size_t faults,
                               struct error *err)
{
    const size_t most = bytes.size / 2 / CONTROL_SHARE + 1;
    if (faults > most || census->controls > most)
        FAIL(err, ERR_FORMAT,
             "%zu faults and %zu control characters in %zu bytes that begin as UTF-16; this is "
             "not a text file",
             faults, census->controls, bytes.size);
    return OK;
}

static enum status check_controls(struct text bytes, const struct census *census, bool is_utf8,
                                  struct error *err)
{
    const size_t nuls = census->nuls[0] + census->nuls[1];
    if (nuls > bytes.size / NUL_SHARE)
        FAIL(err, ERR_FORMAT, "%zu of %zu bytes are NUL; this is not a text file", nuls,
             bytes.size);
    if (!is_utf8 && census->controls > bytes.size / CONTROL_SHARE)
        FAIL(err, ERR_FORMAT,
             "%zu of %zu bytes are control characters; this is not a text file",
             census->controls, bytes.size);
    return OK;
}

/* Whether what is above ASCII is UTF-8 but for a few faults. */
static bool is_nearly_utf8(struct text text, size_t from)
{
    size_t valid = 0, faults = 0;
    for (size_t at = 0; at < text.size;) {
        const size_t before = at;
        if (text_utf8_next(text, &at) == UINT32_MAX)
            faults++;
        else
            valid += at - before > 1;
    }
    return from < text.size && valid / FAULT_SHARE >= faults;
}

static enum document_encoding encoding_of(struct text bytes, const struct census *census,
                                          size_t valid)
{
    if (text_starts(bytes, TEXT("\xff\xfe")))
        return DOCUMENT_UTF16_LE;
    if (text_starts(bytes, TEXT("\xfe\xff")))
        return DOCUMENT_UTF16_BE;
    if (is_utf16(census, bytes.size, false))
        return DOCUMENT_UTF16_LE;
    if (is_utf16(census, bytes.size, true))
        return DOCUMENT_UTF16_BE;
    if (valid == bytes.size)
        return DOCUMENT_UTF8;
    return is_nearly_utf8(bytes, valid) ? DOCUMENT_UTF8_FAULTY : DOCUMENT_WINDOWS_1252;
}

static bool has_mark(struct text bytes, enum document_encoding encoding)
{
    if (encoding == DOCUMENT_UTF16_LE)
        return text_starts(bytes, TEXT("\xff\xfe"));
    if (encoding == DOCUMENT_UTF16_BE)
        return text_starts(bytes, TEXT("\xfe\xff"));
    return text_starts(bytes, TEXT("\xef\xbb\xbf"));
}

enum status document_text_decode(struct text bytes, struct text_buf *out,
                                 struct document_text_found *found, struct error *err)
{
    const struct census census = count_bytes(bytes);
    const size_t valid = text_utf8_valid(bytes);
    struct writer writer = {.out = out};
    *found = (struct document_text_found){.encoding = encoding_of(bytes, &census, valid),
                                          .fault_offset = valid};
    const bool is_wide =
        found->encoding == DOCUMENT_UTF16_LE || found->encoding == DOCUMENT_UTF16_BE;
    if (!is_wide)
        TRY(check_controls(bytes, &census, found->encoding == DOCUMENT_UTF8, err));
    const size_t mark = !has_mark(bytes, found->encoding) ? 0 : is_wide ? 2 : 3;
    const struct text text = text_slice(bytes, mark, bytes.size);
    if (found->encoding == DOCUMENT_UTF8)
        put_utf8(&writer, text);
    else if (found->encoding == DOCUMENT_UTF8_FAULTY)
        put_faulty(&writer, text, &found->faults);
    else if (is_wide)
        put_utf16(&writer, text, found->encoding == DOCUMENT_UTF16_BE, &found->faults);
    else
        put_windows(&writer, text);
    finish(&writer);
    if (out->failed)
        FAIL(err, ERR_LIMIT, "its text is larger than the %zu bytes that may be read",
             out->size_max);
    return is_wide ? check_utf16(bytes, &census, found->faults, err) : OK;
}
