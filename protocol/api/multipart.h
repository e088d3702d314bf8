/*
 * multipart - a multipart/form-data body (RFC 7578), whole in memory, as its parts.
 *
 *     --B CRLF headers CRLF CRLF content CRLF --B CRLF ... CRLF --B--
 *
 * Of the headers only Content-Disposition is read. What stands before the first boundary and
 * behind the last is passed over.
 */
#ifndef API_MULTIPART_H
#define API_MULTIPART_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    MULTIPART_PARTS_MAX = 16,
    MULTIPART_BOUNDARY_MAX = 70, /* RFC 2046 */
    MULTIPART_HEADERS_MAX = 4096 /* bytes, of one part */
};

struct multipart_part {
    struct text name, file_name, content; /* file_name: empty where none is given */
};

struct multipart {
    struct multipart_part parts[MULTIPART_PARTS_MAX];
    uint32_t count;
};

/* content_type is the header's value. ERR_FORMAT: it is not multipart/form-data, or the body is
 * not what it says; ERR_LIMIT: too many parts, or too long a header. The parts borrow. */
MUST_USE enum status multipart_parse(struct text content_type, struct text body,
                                     struct multipart *out, struct error *err);

/* NULL: there is no part of that name. Of several the first. */
const struct multipart_part *multipart_find(const struct multipart *form, const char *name);

#endif
