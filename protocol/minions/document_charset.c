/*
 * document_charset - see document_charset.h.
 *
 * The names are those of the WHATWG's Encoding standard, section 4.2, the usual ones; as there,
 * a name of an older set stands for the wider one that pages mean by it.
 */
#include "protocol/minions/document_charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

enum { HEAD_BYTES = 1024, BLOCK_BYTES = 4096 };

static const struct {
    const char *label, *charset;
} CHARSETS[] = {
    {"iso-8859-2", "ISO-8859-2"},   {"iso-8859-3", "ISO-8859-3"},
    {"iso-8859-4", "ISO-8859-4"},   {"iso-8859-5", "ISO-8859-5"},
    {"iso-8859-6", "ISO-8859-6"},   {"iso-8859-7", "ISO-8859-7"},
    {"iso-8859-8", "ISO-8859-8"},   {"iso-8859-9", "CP1254"},
    {"iso-8859-10", "ISO-8859-10"}, {"iso-8859-13", "ISO-8859-13"},
    {"iso-8859-14", "ISO-8859-14"}, {"iso-8859-15", "ISO-8859-15"},
    {"iso-8859-16", "ISO-8859-16"}, {"windows-1250", "CP1250"},
    {"windows-1251", "CP1251"},     {"windows-1253", "CP1253"},
    {"windows-1254", "CP1254"},     {"windows-1255", "CP1255"},
    {"windows-1256", "CP1256"},     {"windows-1257", "CP1257"},
    {"windows-1258", "CP1258"},     {"windows-874", "CP874"},
    {"koi8-r", "KOI8-R"},           {"koi8-u", "KOI8-U"},
    {"macintosh", "MACINTOSH"},     {"ibm866", "CP866"},
    {"shift_jis", "CP932"},         {"shift-jis", "CP932"},
    {"windows-31j", "CP932"},       {"euc-jp", "EUC-JP"},
    {"gb2312", "GB18030"},          {"gbk", "GB18030"},
    {"gb18030", "GB18030"},         {"big5", "BIG5"},
    {"big5-hkscs", "BIG5-HKSCS"},   {"euc-kr", "CP949"},
    {"ks_c_5601-1987", "CP949"},
};

static bool is_part(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_';
}

/* The label after `charset` or `encoding` at text[at]: behind '=', white space and a quote;
 * empty when it is not that. */
static struct text label_at(struct text text, size_t at)
{
    while (at < text.size && strchr(" \t\r\n", text.data[at]) && text.data[at])
        at++;
    if (at >= text.size || text.data[at] != '=')
        return (struct text){0};
    at++;
    while (at < text.size && strchr(" \t\r\n\"'", text.data[at]) && text.data[at])
        at++;
    size_t end = at;
    while (end < text.size && is_part(text.data[end]))
        end++;
    return text_slice(text, at, end);
}

static const char *charset_of(struct text label)
{
    for (size_t i = 0; i < sizeof(CHARSETS) / sizeof(CHARSETS[0]); i++)
        if (strlen(CHARSETS[i].label) == label.size &&
            strncasecmp(CHARSETS[i].label, label.data, label.size) == 0)
            return CHARSETS[i].charset;
    return NULL;
}

/* Whether a tag that begins with word opens at text[at]. */
static bool opens(struct text text, size_t at, const char *word)
{
    const size_t size = strlen(word);
    return text.size - at > size && strncasecmp(text.data + at, word, size) == 0 &&
           !is_part(text.data[at + size]);
}

const char *document_charset_declared(struct text bytes)
{
    const struct text head = text_slice(bytes, 0, HEAD_BYTES);
    for (size_t at = 0; (at = text_find(head, TEXT("<"), at)) != SIZE_MAX; at++) {
        const bool is_meta = opens(head, at, "<meta");
        if (text_starts(text_slice(head, at, head.size), TEXT("<!--"))) {
            const size_t end = text_find(head, TEXT("-->"), at);
            at = end == SIZE_MAX ? head.size : end;
        }
        if (!is_meta && !opens(head, at, "<?xml"))
            continue;
        const size_t end = text_find(head, TEXT(">"), at);
        const struct text tag = text_slice(head, at, end);
        const char *word = is_meta ? "charset" : "encoding";
        for (size_t i = 1; i + strlen(word) < tag.size; i++) {
            if (is_part(tag.data[i - 1]) || !opens(tag, i, word))
                continue;
            const struct text label = label_at(tag, i + strlen(word));
            if (label.size > 0)
                return charset_of(label);
        }
    }
    return NULL;
}

enum status document_charset_decode(struct text bytes, const char *charset,
                                    struct text_buf *out, size_t *faults, struct error *err)
{
    char block[BLOCK_BYTES];
    union {
        const char *borrowed;
        char *passed; /* iconv does not write there */
    } input = {.borrowed = bytes.data};
    size_t left = bytes.size;
    const iconv_t converter = iconv_open("UTF-8", charset);
    if (converter == (iconv_t)-1)
        FAIL(err, ERR_FORMAT, "it is in %s, which is not converted here", charset);
    while (left > 0 && !out->failed) {
        char *to = block;
        size_t room = sizeof(block);
        const bool is_stuck =
            iconv(converter, &input.passed, &left, &to, &room) == (size_t)-1 && errno != E2BIG;
        text_buf_add(out, (struct text){block, sizeof(block) - room});
        if (!is_stuck)
            continue;
        text_buf_add(out, TEXT("\xef\xbf\xbd"));
        ++*faults;
        input.passed++;
        left--;
    }
    (void)iconv_close(converter);
    if (out->failed)
        FAIL(err, ERR_LIMIT, "its text is larger than the %zu bytes that may be read",
             out->size_max);
    return OK;
}
