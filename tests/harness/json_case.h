/*
 * json_case - JSON that tests and benches read: values as a model writes them, packed files.
 */
#ifndef TESTS_HARNESS_JSON_CASE_H
#define TESTS_HARNESS_JSON_CASE_H

#include "base/json.h"

/* value as Python's json.dumps writes it, since ", " and ": " are what models write; characters
 * past ASCII stand for themselves. */
void json_case_put(struct text_buf *out, const struct json *value);

/* What xz -dc prints of path; false: it did not end well. */
bool json_case_unpack(const char *path, struct text_buf *out);

#endif
