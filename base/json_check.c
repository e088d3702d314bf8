/*
 * json_check - the strict pre-scan: is this text one JSON value, to the letter of RFC 8259?
 *
 * One pass over the bytes with a stack of one bit per level; nothing is allocated. Stricter
 * than the RFC where a reader behind us would be fooled: lone surrogates are refused, and
 * nesting is capped. A byte order mark is not white space and is refused too.
 */
#include "base/json.h"

#include <string.h>

struct scan {
    struct text source;
    size_t at;
    const char *reason; /* of the refusal at byte `at` */
};

static bool refuse(struct scan *scan, const char *reason)
{
    scan->reason = reason;
    return false;
}

/* The byte at the cursor; -1 at the end. */
static int peek(const struct scan *scan)
{
    return scan->at < scan->source.size ? (unsigned char)scan->source.data[scan->at] : -1;
}

static bool take(struct scan *scan, char byte)
{
    if (peek(scan) != (unsigned char)byte)
        return false;
    scan->at++;
    return true;
}

static void skip_space(struct scan *scan)
{
    while (take(scan, ' ') || take(scan, '\t') || take(scan, '\n') || take(scan, '\r'))
        continue;
}

static bool is_digit(int byte)
{
    return byte >= '0' && byte <= '9';
}

static bool take_digits(struct scan *scan)
{
    if (!is_digit(peek(scan)))
        return refuse(scan, "a digit is missing");
    while (is_digit(peek(scan)))
        scan->at++;
    return true;
}

static bool scan_number(struct scan *scan)
{
    (void)take(scan, '-');
    if (take(scan, '0')) {
        if (is_digit(peek(scan)))
            return refuse(scan, "a number begins with 0");
    } else if (!take_digits(scan)) {
        return false;
    }
    if (take(scan, '.') && !take_digits(scan))
        return false;
    if (take(scan, 'e') || take(scan, 'E')) {
        if (!take(scan, '+'))
            (void)take(scan, '-');
        return take_digits(scan);
    }
    return true;
}

/* Four hexadecimal digits as a number. */
static bool scan_hex4(struct scan *scan, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++, scan->at++) {
        const int byte = peek(scan);
        const int lower = byte | 0x20;
        if (is_digit(byte))
            *unit = *unit << 4 | (uint32_t)(byte - '0');
        else if (lower >= 'a' && lower <= 'f')
            *unit = *unit << 4 | (uint32_t)(lower - 'a' + 10);
        else
            return refuse(scan, "a \\u escape without four hexadecimal digits");
    }
    return true;
}

/* What comes after \u: one code unit, or a surrogate pair. */
static bool scan_unicode_escape(struct scan *scan)
{
    uint32_t unit, low;
    if (!scan_hex4(scan, &unit))
        return false;
    if (unit < 0xd800 || unit > 0xdfff)
        return true;
    if (unit > 0xdbff || !take(scan, '\\') || !take(scan, 'u'))
        return refuse(scan, "a lone surrogate");
    if (!scan_hex4(scan, &low))
        return false;
    return low >= 0xdc00 && low <= 0xdfff ? true : refuse(scan, "a lone surrogate");
}

static bool scan_string(struct scan *scan)
{
    scan->at++; /* the opening quote */
    for (;;) {
        const int byte = peek(scan);
        if (byte < 0)
            return refuse(scan, "the text ends inside a string");
        if (byte < 0x20)
            return refuse(scan, "a raw control character in a string");
        if (take(scan, '"'))
            return true;
        if (take(scan, '\\')) {
            const int escape = peek(scan);
            if (escape <= 0 || !strchr("\"\\/bfnrtu", escape))
                return refuse(scan, "an unknown escape");
            scan->at++;
            if (escape == 'u' && !scan_unicode_escape(scan))
                return false;
            continue;
        }
        const size_t before = scan->at;
        if (text_utf8_next(scan->source, &scan->at) == UINT32_MAX) {
            scan->at = before;
            return refuse(scan, "not UTF-8");
        }
    }
}

static bool scan_word(struct scan *scan, struct text word)
{
    if (!text_starts(text_slice(scan->source, scan->at, SIZE_MAX), word))
        return refuse(scan, "a value is expected");
    scan->at += word.size;
    return true;
}

/* A value that holds no others. */
static bool scan_scalar(struct scan *scan)
{
    switch (peek(scan)) {
    case '"':
        return scan_string(scan);
    case 't':
        return scan_word(scan, TEXT("true"));
    case 'f':
        return scan_word(scan, TEXT("false"));
    case 'n':
        return scan_word(scan, TEXT("null"));
    case -1:
        return refuse(scan, "the text ends where a value is expected");
    default:
        if (peek(scan) == '-' || is_digit(peek(scan)))
            return scan_number(scan);
        return refuse(scan, "a value is expected");
    }
}

static bool scan_key(struct scan *scan)
{
    skip_space(scan);
    if (peek(scan) != '"')
        return refuse(scan, "a member's name is expected");
    if (!scan_string(scan))
        return false;
    skip_space(scan);
    if (!take(scan, ':'))
        return refuse(scan, "':' is expected");
    return true;
}

struct levels {
    bool is_object[JSON_DEPTH_MAX];
    size_t depth;
};

/* Everything up to and with the next scalar or empty container: opens levels as it goes. */
static bool scan_down(struct scan *scan, struct levels *levels)
{
    for (;;) {
        skip_space(scan);
        const int byte = peek(scan);
        if (byte != '[' && byte != '{')
            return scan_scalar(scan);
        if (levels->depth == JSON_DEPTH_MAX)
            return refuse(scan, NULL);
        scan->at++;
        skip_space(scan);
        if (take(scan, byte == '{' ? '}' : ']'))
            return true;
        levels->is_object[levels->depth++] = byte == '{';
        if (byte == '{' && !scan_key(scan))
            return false;
    }
}

/* After a value: closes levels; true with *more when another value must follow. */
static bool scan_up(struct scan *scan, struct levels *levels, bool *more)
{
    for (; levels->depth > 0; levels->depth--) {
        const bool is_object = levels->is_object[levels->depth - 1];
        skip_space(scan);
        *more = take(scan, ',');
        if (*more)
            return is_object ? scan_key(scan) : true;
        if (!take(scan, is_object ? '}' : ']'))
            return refuse(scan,
                          is_object ? "',' or '}' is expected" : "',' or ']' is expected");
    }
    *more = false;
    return true;
}

enum status json_check(struct text source, struct error *err)
{
    struct scan scan = {.source = source};
    struct levels levels = {.depth = 0};
    bool ok, more = true;
    do {
        ok = scan_down(&scan, &levels) && scan_up(&scan, &levels, &more);
    } while (ok && more);
    if (ok) {
        skip_space(&scan);
        if (peek(&scan) >= 0)
            ok = refuse(&scan, "something follows the value");
    }
    if (ok)
        return OK;
    if (!scan.reason)
        FAIL(err, ERR_LIMIT, "JSON: byte %zu: nested deeper than %d levels", scan.at,
             JSON_DEPTH_MAX);
    FAIL(err, ERR_FORMAT, "JSON: byte %zu: %s", scan.at, scan.reason);
}
