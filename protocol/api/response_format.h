/*
 * response_format - what OpenAI's response_format asks of a text, as a job's format.
 *
 *     {"type": "text"}                                       nothing
 *     {"type": "json_object"}                                any JSON object
 *     {"type": "json_schema", "json_schema": {"schema": S}}  JSON that is valid against S
 *     {"type": "json_schema", "schema": S}                   the same, as in text.format
 *     {"type": "json_object", "schema": S}                   the same, as some servers have it
 *
 * A json_schema's name, description and strict change nothing: what is said is always valid
 * where it ends by itself. A schema that the engine does not take is refused with keyword and
 * path when the job is submitted (ask_refused).
 */
#ifndef API_RESPONSE_FORMAT_H
#define API_RESPONSE_FORMAT_H

#include "protocol/api/ask.h"

/* Sets the job's format, its source, which lies in the arena, and the field it comes from: name
 * (*keeps*). NULL: text. ERR_FORMAT, ERR_LIMIT:
 * one sentence that begins with the field's name; ERR_MEMORY: the arena is full. */
MUST_USE enum status response_format_read(const struct json *format, const char *name,
                                          struct arena *arena, struct ask *ask,
                                          struct error *err);
/* The same of a schema alone. */
MUST_USE enum status response_format_schema(const struct json *schema, const char *name,
                                            struct arena *arena, struct ask *ask,
                                            struct error *err);

#endif
