/*
 * page - the page at /: one file of HTML, style and script, carried in the binary.
 *
 * Its Content-Security-Policy allows the style and the script that are in it, by their hashes,
 * and requests to the server it came from; nothing else.
 */
#ifndef API_PAGE_H
#define API_PAGE_H

#include "base/text.h"

enum { PAGE_POLICY_BYTES = 512, PAGE_TAG_BYTES = 72 };

struct page {
    struct text html;
    char policy[PAGE_POLICY_BYTES]; /* the value of Content-Security-Policy */
    char tag[PAGE_TAG_BYTES];       /* of ETag, with its quotes */
};

void page_init(struct page *page);

#endif
