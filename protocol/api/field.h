/*
 * field - the request table: one row per field of a request's body.
 *
 * From a row come the reading (type, range, where the value goes), the sentence of a refusal
 * (which begins with the field's name), and its line in the published openapi.json. What takes
 * more than one value to judge is left to the parser of the endpoint, as FIELD_JSON.
 */
#ifndef API_FIELD_H
#define API_FIELD_H

#include "base/error.h"
#include "base/json.h"

#include <stddef.h>
#include <stdint.h>

enum field_kind {
    FIELD_BOOL,    /* bool */
    FIELD_COUNT,   /* uint32_t, min .. max */
    FIELD_INT,     /* int32_t, min .. max */
    FIELD_SEED,    /* uint64_t: any whole number of 64 bits, signed */
    FIELD_REAL,    /* float, min .. max */
    FIELD_TEXT,    /* struct text, at most max bytes (0: any) */
    FIELD_JSON,    /* const struct json *: of a type in types, read by the endpoint's parser */
    FIELD_IGNORED, /* of a type in types; changes nothing here */
    FIELD_REFUSED  /* anything but null, false, 0, "none" or an empty container is refused */
};

/* Bits of FIELD_JSON's and FIELD_IGNORED's types; 0: any. */
enum {
    FIELD_IS_BOOL = 1 << JSON_BOOL,
    FIELD_IS_NUMBER = 1 << JSON_NUMBER,
    FIELD_IS_STRING = 1 << JSON_STRING,
    FIELD_IS_ARRAY = 1 << JSON_ARRAY,
    FIELD_IS_OBJECT = 1 << JSON_OBJECT
};

struct field {
    const char *name;
    enum field_kind kind;
    uint32_t types;
    double min, max;
    size_t offset;    /* of the value, in the struct that is filled */
    const char *help; /* one sentence; for FIELD_REFUSED what to do instead, or NULL */
};

struct field_list {
    const struct field *fields; /* [count] */
    uint32_t count;
    const char *part_name; /* the field, an object, that has a table of its own; or NULL */
    const struct field_list *part; /* read by the endpoint's parser; published here */
};

#define FIELD_LIST(array) FIELD_LIST_WITH(array, NULL, NULL)
#define FIELD_LIST_WITH(array, name, table)                                                    \
    {                                                                                          \
        .fields = (array), .count = sizeof(array) / sizeof(array)[0], .part_name = (name),     \
        .part = (table)                                                                        \
    }

/* Reads what body has of the fields into target; what is absent or null is left as it is, and
 * what is no field is passed over. ERR_FORMAT: body is no object, or a field has another type;
 * ERR_LIMIT: out of range, or not supported. */
MUST_USE enum status field_read(const struct json *body, const struct field_list *list,
                                void *target, struct error *err);

/* The field that a refusal is about: its name begins the sentence, up to the first ':' or, of
 * something in it, '[' or '.'. NULL: none of these. */
const char *field_of_refusal(const struct field_list *list, const char *sentence);

/* An OpenAPI schema of an object with these fields. */
void field_schema_write(struct json_writer *w, const struct field_list *list);

#endif
