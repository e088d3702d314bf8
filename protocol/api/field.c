/* field - see field.h. */
#include "protocol/api/field.h"

#include <string.h>

static const char *const TYPE_NAMES[] = {[JSON_BOOL] = "true or false",
                                         [JSON_NUMBER] = "a number",
                                         [JSON_STRING] = "a string",
                                         [JSON_ARRAY] = "a list",
                                         [JSON_OBJECT] = "an object"};
static const char *const SCHEMA_NAMES[] = {[JSON_BOOL] = "boolean",
                                           [JSON_NUMBER] = "number",
                                           [JSON_STRING] = "string",
                                           [JSON_ARRAY] = "array",
                                           [JSON_OBJECT] = "object"};

/* Whether a value says "nothing of that". */
static bool says_nothing(const struct json *value)
{
    bool flag = false;
    double number = 0;
    struct text word = {0};
    if (json_bool(value, &flag))
        return !flag;
    if (json_double(value, &number))
        return number >= 0 && number <= 0;
    if (json_text(value, &word))
        return text_equal(word, TEXT("none"));
    return json_type(value) != JSON_NUMBER && !json_first(value);
}

static enum status read_whole(const struct json *value, const struct field *field, int64_t *out,
                              struct error *err)
{
    if (!json_i64(value, out))
        FAIL(err, ERR_FORMAT, "%s: want a whole number", field->name);
    if ((double)*out < field->min || (double)*out > field->max)
        FAIL(err, ERR_LIMIT, "%s: %lld is not in %.0f to %.0f", field->name, (long long)*out,
             field->min, field->max);
    return OK;
}

static enum status read_real(const struct json *value, const struct field *field, float *out,
                             struct error *err)
{
    double number;
    if (!json_double(value, &number))
        FAIL(err, ERR_FORMAT, "%s: want a number", field->name);
    if (number < field->min || number > field->max)
        FAIL(err, ERR_LIMIT, "%s: %g is not in %g to %g", field->name, number, field->min,
             field->max);
    *out = (float)number;
    return OK;
}

static enum status read_text(const struct json *value, const struct field *field,
                             struct text *out, struct error *err)
{
    if (!json_text(value, out))
        FAIL(err, ERR_FORMAT, "%s: want a string", field->name);
    if (field->max > 0 && (double)out->size > field->max)
        FAIL(err, ERR_LIMIT, "%s: %zu bytes, at most %.0f are taken", field->name, out->size,
             field->max);
    return OK;
}

static enum status check_type(const struct json *value, const struct field *field,
                              struct error *err)
{
    char wanted[96] = "";
    if (field->types == 0 || (field->types >> json_type(value) & 1))
        return OK;
    for (size_t t = JSON_BOOL; t <= JSON_OBJECT; t++) {
        if (!(field->types >> t & 1))
            continue;
        if (wanted[0])
            (void)strncat(wanted, " or ", sizeof wanted - strlen(wanted) - 1);
        (void)strncat(wanted, TYPE_NAMES[t], sizeof wanted - strlen(wanted) - 1);
    }
    FAIL(err, ERR_FORMAT, "%s: want %s", field->name, wanted);
}

static enum status read_one(const struct json *value, const struct field *field, void *to,
                            struct error *err)
{
    int64_t whole = 0;
    switch (field->kind) {
    case FIELD_BOOL:
        if (!json_bool(value, to))
            FAIL(err, ERR_FORMAT, "%s: want true or false", field->name);
        return OK;
    case FIELD_COUNT:
        TRY(read_whole(value, field, &whole, err));
        *(uint32_t *)to = (uint32_t)whole;
        return OK;
    case FIELD_INT:
        TRY(read_whole(value, field, &whole, err));
        *(int32_t *)to = (int32_t)whole;
        return OK;
    case FIELD_SEED:
        if (!json_i64(value, &whole))
            FAIL(err, ERR_FORMAT, "%s: want a whole number of 64 bits", field->name);
        *(uint64_t *)to = (uint64_t)whole;
        return OK;
    case FIELD_REAL:
        return read_real(value, field, to, err);
    case FIELD_TEXT:
        return read_text(value, field, to, err);
    case FIELD_JSON:
        TRY(check_type(value, field, err));
        *(const struct json **)to = value;
        return OK;
    case FIELD_IGNORED:
        return check_type(value, field, err);
    case FIELD_REFUSED:
        if (!says_nothing(value))
            FAIL(err, ERR_LIMIT, "%s: not supported%s%s", field->name, field->help ? "; " : "",
                 field->help ? field->help : "");
        return OK;
    }
    return OK;
}

enum status field_read(const struct json *body, const struct field_list *list, void *target,
                       struct error *err)
{
    if (json_type(body) != JSON_OBJECT)
        FAIL(err, ERR_FORMAT, "body: want an object");
    for (uint32_t i = 0; i < list->count; i++) {
        const struct field *field = &list->fields[i];
        const struct json *value = json_get(body, field->name);
        if (json_type(value) != JSON_NULL)
            TRY(read_one(value, field, (char *)target + field->offset, err));
    }
    return OK;
}

const char *field_of_refusal(const struct field_list *list, const char *sentence)
{
    const size_t size = strcspn(sentence, ":[.");
    for (uint32_t i = 0; list && sentence[size] && i < list->count; i++) {
        const char *name = list->fields[i].name;
        if (strlen(name) == size && strncmp(name, sentence, size) == 0)
            return name;
    }
    return NULL;
}

static void write_types(struct json_writer *w, uint32_t types)
{
    json_write_key(w, "type");
    json_write_array(w);
    for (size_t t = JSON_BOOL; t <= JSON_OBJECT; t++)
        if (types >> t & 1)
            json_write_text(w, text_of(SCHEMA_NAMES[t]));
    json_write_text(w, TEXT("null"));
    json_write_array_end(w);
}

/* A field's schema, left open. */
static void begin_field(struct json_writer *w, const struct field *field)
{
    static const char *const types[] = {
        [FIELD_BOOL] = "boolean", [FIELD_COUNT] = "integer", [FIELD_INT] = "integer",
        [FIELD_SEED] = "integer", [FIELD_REAL] = "number",   [FIELD_TEXT] = "string"};
    const bool has_range =
        field->kind == FIELD_COUNT || field->kind == FIELD_INT || field->kind == FIELD_REAL;
    json_write_object(w);
    if (field->kind <= FIELD_TEXT) {
        json_write_key(w, "type");
        json_write_array(w);
        json_write_text(w, text_of(types[field->kind]));
        json_write_text(w, TEXT("null"));
        json_write_array_end(w);
    } else if (field->types != 0) {
        write_types(w, field->types);
    }
    if (has_range) {
        json_write_key_double(w, "minimum", field->min);
        json_write_key_double(w, "maximum", field->max);
    }
    if (field->kind == FIELD_TEXT && field->max > 0)
        json_write_key_i64(w, "maxLength", (int64_t)field->max);
    json_write_key_text(w, "description",
                        field->kind == FIELD_REFUSED   ? TEXT("Not supported.")
                        : field->kind == FIELD_IGNORED ? TEXT("Taken; changes nothing.")
                                                       : text_of(field->help));
}

static void write_part(struct json_writer *w, const struct field_list *part)
{
    json_write_key(w, "properties");
    json_write_object(w);
    for (uint32_t i = 0; i < part->count; i++) {
        json_write_key(w, part->fields[i].name);
        begin_field(w, &part->fields[i]);
        json_write_object_end(w);
    }
    json_write_object_end(w);
}

void field_schema_write(struct json_writer *w, const struct field_list *list)
{
    json_write_object(w);
    json_write_key_text(w, "type", TEXT("object"));
    json_write_key(w, "properties");
    json_write_object(w);
    for (uint32_t i = 0; i < list->count; i++) {
        const char *name = list->fields[i].name;
        json_write_key(w, name);
        begin_field(w, &list->fields[i]);
        if (list->part_name && strcmp(list->part_name, name) == 0)
            write_part(w, list->part);
        json_write_object_end(w);
    }
    json_write_object_end(w);
    json_write_object_end(w);
}
