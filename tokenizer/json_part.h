/* json_part - parts of a tokenizer.json: objects that say what they are in "type". */
#ifndef TOKENIZER_JSON_PART_H
#define TOKENIZER_JSON_PART_H

#include "base/json.h"

struct text json_part_type(const struct json *part); /* empty when it has none */
bool json_part_is(const struct json *part, const char *type);
/* A member that says true; fallback where it says nothing. */
bool json_part_flag(const struct json *object, const char *name, bool fallback);
bool json_part_equal(const struct json *value, const char *text);
/* The parts of a Sequence, which has them under members, and those of a Sequence in it; or the
 * part alone, or none for null. False: more than max. */
bool json_part_list(const struct json *part, const char *members, const struct json **parts,
                    uint32_t max, uint32_t *count);
/* ERR_LIMIT: what, of that name, is not supported. */
enum status json_part_refuse(const char *what, struct text name, struct error *err);

#endif
