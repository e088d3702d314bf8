/* multipart - see multipart.h. */
#include "protocol/api/multipart.h"

#include <string.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool starts_as(struct text text, const char *prefix)
{
    const size_t size = strlen(prefix);
    for (size_t i = 0; i < size; i++)
        if (i >= text.size || lower(text.data[i]) != prefix[i])
            return false;
    return true;
}

/* Takes the next ";"-separated piece off *rest; quotes are stepped over. */
static bool next_piece(struct text *rest, struct text *piece)
{
    bool is_quoted = false;
    size_t end = 0;
    if (rest->size == 0)
        return false;
    while (end < rest->size && (is_quoted || rest->data[end] != ';')) {
        if (is_quoted && rest->data[end] == '\\' && end + 1 < rest->size)
            end++;
        else if (rest->data[end] == '"')
            is_quoted = !is_quoted;
        end++;
    }
    *piece = text_trim(text_slice(*rest, 0, end));
    *rest = text_slice(*rest, end + 1, rest->size);
    return true;
}

/* The value of a header's parameter, without its quotes (escapes in it stay). */
static bool parameter(struct text header, const char *name, struct text *value)
{
    const size_t size = strlen(name);
    struct text piece;
    (void)next_piece(&header, &piece); /* what it is a parameter of */
    while (next_piece(&header, &piece)) {
        if (!starts_as(piece, name) || piece.size <= size || piece.data[size] != '=')
            continue;
        *value = text_slice(piece, size + 1, piece.size);
        if (value->size >= 2 && value->data[0] == '"' && value->data[value->size - 1] == '"')
            *value = text_slice(*value, 1, value->size - 1);
        return true;
    }
    return false;
}

/* "--" and the boundary. */
static enum status read_boundary(struct text content_type, char delimiter[], struct text *out,
                                 struct error *err)
{
    struct text boundary = {0};
    if (!starts_as(content_type, "multipart/form-data"))
        FAIL(err, ERR_FORMAT, "Content-Type: want multipart/form-data");
    if (!parameter(content_type, "boundary", &boundary) || boundary.size == 0 ||
        boundary.size > MULTIPART_BOUNDARY_MAX)
        FAIL(err, ERR_FORMAT, "Content-Type: want a boundary of 1 to %d bytes",
             MULTIPART_BOUNDARY_MAX);
    memcpy(delimiter, "\r\n--", 4);
    memcpy(delimiter + 4, boundary.data, boundary.size);
    *out = (struct text){delimiter, boundary.size + 4};
    return OK;
}

static enum status read_headers(struct text headers, struct multipart_part *part,
                                struct error *err)
{
    static const char disposition[] = "content-disposition:";
    for (size_t at = 0; at < headers.size;) {
        size_t end = text_find(headers, TEXT("\r\n"), at);
        end = end == SIZE_MAX ? headers.size : end;
        const struct text line = text_slice(headers, at, end);
        at = end + 2;
        if (!starts_as(line, disposition))
            continue;
        const struct text value =
            text_trim(text_slice(line, sizeof disposition - 1, line.size));
        (void)parameter(value, "filename", &part->file_name);
        if (starts_as(value, "form-data") && parameter(value, "name", &part->name))
            return OK;
    }
    FAIL(err, ERR_FORMAT, "body: a part without a Content-Disposition that names it");
}

/* One part, from behind its boundary's line on; *at goes to behind the next delimiter. */
static enum status read_part(struct text body, struct text delimiter, size_t *at,
                             struct multipart_part *part, struct error *err)
{
    const size_t end = text_find(body, delimiter, *at);
    const size_t head = text_find(body, TEXT("\r\n\r\n"), *at);
    if (end == SIZE_MAX)
        FAIL(err, ERR_FORMAT, "body: its last part does not end with the boundary");
    if (head == SIZE_MAX || head + 4 > end + 2)
        FAIL(err, ERR_FORMAT, "body: a part without an empty line behind its headers");
    if (head - *at > MULTIPART_HEADERS_MAX)
        FAIL(err, ERR_LIMIT, "body: a part's headers have %zu bytes, at most %d are taken",
             head - *at, MULTIPART_HEADERS_MAX);
    TRY(read_headers(text_slice(body, *at, head), part, err));
    /* Nothing in it: the line end of the headers' end is that of the delimiter. */
    part->content = head + 4 > end ? TEXT("") : text_slice(body, head + 4, end);
    *at = end + delimiter.size;
    return OK;
}

enum status multipart_parse(struct text content_type, struct text body, struct multipart *out,
                            struct error *err)
{
    char bytes[MULTIPART_BOUNDARY_MAX + 4];
    struct text delimiter;
    *out = (struct multipart){0};
    TRY(read_boundary(content_type, bytes, &delimiter, err));
    const struct text first = text_slice(delimiter, 2, delimiter.size);
    size_t at = text_starts(body, first) ? 0 : text_find(body, delimiter, 0);
    if (at == SIZE_MAX)
        FAIL(err, ERR_FORMAT, "body: the boundary is nowhere in it");
    at += text_starts(body, first) ? first.size : delimiter.size;
    for (;;) {
        const struct text rest = text_slice(body, at, body.size);
        if (text_starts(rest, TEXT("--")))
            return OK;
        const size_t line_end = text_find(rest, TEXT("\r\n"), 0);
        if (line_end == SIZE_MAX || text_trim(text_slice(rest, 0, line_end)).size > 0)
            FAIL(err, ERR_FORMAT, "body: more than a boundary on its line");
        if (out->count == MULTIPART_PARTS_MAX)
            FAIL(err, ERR_LIMIT, "body: more than %d parts", MULTIPART_PARTS_MAX);
        at += line_end + 2;
        TRY(read_part(body, delimiter, &at, &out->parts[out->count], err));
        out->count++;
    }
}

const struct multipart_part *multipart_find(const struct multipart *form, const char *name)
{
    for (uint32_t i = 0; i < form->count; i++)
        if (text_equal(form->parts[i].name, text_of(name)))
            return &form->parts[i];
    return NULL;
}
