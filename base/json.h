/*
 * json - reading and writing JSON.
 *
 * Reading is cJSON behind a strict pre-scan (RFC 8259): valid UTF-8, no raw control characters,
 * no leading zeros, nothing after the value, nesting and size capped, lone surrogates refused,
 * and each refusal names the byte. cJSON alone accepts several of these. A string may contain
 * \u0000: its size counts, not the NUL (in a member's name it reads as the byte 0xff).
 * Integers keep 64 bits: a number is read again from its own text, which the value keeps. Of
 * members with the same name the first is found.
 *
 * Writing appends to a text_buf through struct json_writer, which puts commas and escapes.
 *
 * Owner    json_parse gives the root; json_free takes it. Everything reached from the root is
 *          valid until then.
 * Failure  getters on NULL or on another type answer "no" (NULL, false), so that a path can be
 *          followed without a check at each step.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { JSON_DEPTH_MAX = 128 };

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json; /* a value; cJSON's node */

/* ERR_FORMAT with the byte offset and the reason; ERR_LIMIT past size_max bytes (0: none) or
 * JSON_DEPTH_MAX levels. */
MUST_USE enum status json_parse(struct text source, size_t size_max, struct json **root,
                                struct error *err);
void json_free(struct json *root); /* NULL is fine */

/* The pre-scan alone: OK when source is one strict JSON value. */
MUST_USE enum status json_check(struct text source, struct error *err);

enum json_type json_type(const struct json *value); /* NULL counts as JSON_NULL */
const struct json *json_get(const struct json *object, const char *key); /* case counts */
const struct json *json_first(const struct json *array_or_object);
const struct json *json_next(const struct json *value);
size_t json_count(const struct json *array_or_object);
struct text json_key(const struct json *member); /* its name in its object */

bool json_text(const struct json *value, struct text *out);
bool json_double(const struct json *value, double *out); /* finite only */
bool json_i64(const struct json *value, int64_t *out);   /* an integer that fits exactly */
bool json_bool(const struct json *value, bool *out);
/* As it was written; false also for a whole number of few digits. */
bool json_number_text(const struct json *value, struct text *out);

enum { JSON_WRITER_DEPTH_MAX = 32 };

struct json_writer {
    struct text_buf *out;
    uint32_t depth;
    bool has_item[JSON_WRITER_DEPTH_MAX]; /* a comma is due at this level */
    bool after_key;
};

/* Bytes that are not UTF-8 are written as U+FFFD. */
void json_write_object(struct json_writer *w);
void json_write_object_end(struct json_writer *w);
void json_write_array(struct json_writer *w);
void json_write_array_end(struct json_writer *w);
void json_write_key(struct json_writer *w, const char *key);
void json_write_text(struct json_writer *w, struct text value);
void json_write_i64(struct json_writer *w, int64_t value);
void json_write_double(struct json_writer *w, double value); /* not finite: null */
void json_write_bool(struct json_writer *w, bool value);
void json_write_null(struct json_writer *w);
/* A value that was read, with all in it: numbers as they were written. */
void json_write_value(struct json_writer *w, const struct json *value);
/* Text that is JSON already, taken as it is. */
void json_write_raw(struct json_writer *w, struct text json);

/* json_write_key, and the value behind it. */
void json_write_key_text(struct json_writer *w, const char *key, struct text value);
void json_write_key_i64(struct json_writer *w, const char *key, int64_t value);
void json_write_key_double(struct json_writer *w, const char *key, double value);
void json_write_key_bool(struct json_writer *w, const char *key, bool value);

#ifdef __cplusplus
}
#endif
#endif
