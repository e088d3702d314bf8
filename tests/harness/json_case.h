/*
 * json_case - values as a model writes them, given to a matcher byte by byte.
 */
#ifndef TESTS_HARNESS_JSON_CASE_H
#define TESTS_HARNESS_JSON_CASE_H

#include "base/json.h"
#include "engine/matcher.h"

/* value as Python's json.dumps writes it, since ", " and ": " are what models write; characters
 * past ASCII stand for themselves. */
void json_case_put(struct text_buf *out, const struct json *value);

/* Every byte is accepted, and the text is then complete. */
bool json_case_accepts(struct matcher *matcher, struct text text);

/* What xz -dc prints of path; false: it did not end well. */
bool json_case_unpack(const char *path, struct text_buf *out);

#endif
