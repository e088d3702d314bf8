/* record - see record.h. */
#include "protocol/dsl/record.h"

#include "protocol/dsl/dict.h"
#include "protocol/dsl/interp.h"
#include "protocol/dsl/repr.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/type.h"

#include <stdio.h>

struct field {
    const char *name;
    enum value_kind kind;    /* VALUE_UNSET: anything */
    const struct type *type; /* of a VALUE_RECORD */
    bool required;
    bool may_be_none;
    bool is_hidden;
};

static const struct field MANIFEST[] = {
    {"chunk", VALUE_STR, NULL, true, false, false},
    {"task", VALUE_STR, NULL, true, false, false},
    {"advice", VALUE_STR, NULL, true, false, false},
    {"chunk_id", VALUE_INT, NULL, false, true, false},
    {"task_id", VALUE_INT, NULL, false, true, false},
    {"job_id", VALUE_INT, NULL, false, true, false},
    {NULL, VALUE_UNSET, NULL, false, false, false},
};
static const struct field OUTPUT[] = {
    {"explanation", VALUE_STR, NULL, true, false, false},
    {"citation", VALUE_STR, NULL, true, true, false},
    {"answer", VALUE_STR, NULL, true, true, false},
    {NULL, VALUE_UNSET, NULL, false, false, false},
};
static const struct field JOB[] = {
    {"manifest", VALUE_RECORD, &record_job_manifest, true, false, false},
    {"output", VALUE_RECORD, &record_job_output, true, false, false},
    {"sample", VALUE_STR, NULL, true, false, false},
    {"include", VALUE_BOOL, NULL, false, true, false},
    {"grade", VALUE_STR, NULL, false, true, true},
    {NULL, VALUE_UNSET, NULL, false, false, false},
};

static const struct field *fields_of(const struct type *type)
{
    return type == &record_job_manifest ? MANIFEST : type == &record_job_output ? OUTPUT : JOB;
}

uint32_t record_field_count(const struct type *type)
{
    const struct field *fields = fields_of(type);
    uint32_t count = 0;
    while (fields[count].name && !fields[count].is_hidden)
        count++;
    return count;
}

const char *record_field_name(const struct type *type, uint32_t index)
{
    return fields_of(type)[index].name;
}

int32_t record_field_find(const struct type *type, struct text name)
{
    const struct field *fields = fields_of(type);
    for (int32_t i = 0; fields[i].name; i++)
        if (text_equal(text_of(fields[i].name), name))
            return i;
    return -1;
}

struct record *record_new(struct interp *in, const struct type *type)
{
    struct record *record = INTERP_NEW(in, struct record);
    if (!record)
        return NULL;
    record->type = type;
    for (uint32_t i = 0; i < RECORD_FIELDS_MAX; i++)
        record->fields[i] = value_none();
    return record;
}

static bool dump_fields(struct interp *in, const struct record *record, struct dict *dict)
{
    const struct field *fields = fields_of(record->type);
    const uint32_t count = record_field_count(record->type);
    for (uint32_t i = 0; i < count; i++) {
        struct value value = record->fields[i];
        struct str *name = str_view(in, text_of(fields[i].name));
        if (value.kind == VALUE_RECORD) {
            struct dict *inner = record_dump(in, value.as.record);
            if (!inner)
                return false;
            value = value_dict(inner);
        }
        if (!name || !dict_set(in, dict, value_str(name), value))
            return false;
    }
    return true;
}

struct dict *record_dump(struct interp *in, const struct record *record)
{
    struct dict *dict = dict_new(in);
    if (!dict ||
        !interp_enter(in)) /* fields are set freely: a record in a record in a record */
        return NULL;
    const bool fine = dump_fields(in, record, dict);
    interp_leave(in);
    return fine ? dict : NULL;
}

static bool fits(const struct field *field, struct value value)
{
    if (value.kind == VALUE_NONE)
        return field->may_be_none;
    if (field->kind == VALUE_RECORD)
        return value.kind == VALUE_RECORD && value.as.record->type == field->type;
    return value.kind == field->kind;
}

static bool refuse(struct interp *in, const struct type *type, const struct field *field,
                   struct value value)
{
    if (value.kind == VALUE_UNSET)
        return exception_raise(in, &exception_validation,
                               "1 validation error for %s\n%s\n  Field required", type->name,
                               field->name);
    static const char *const WANTED[] = {
        [VALUE_STR] = "string", [VALUE_INT] = "integer", [VALUE_BOOL] = "boolean"};
    const char *wanted = field->kind == VALUE_RECORD ? field->type->name : WANTED[field->kind];
    struct str *repr = repr_of(in, value);
    if (!repr)
        return false;
    return exception_raise(in, &exception_validation,
                           "1 validation error for %s\n%s\n  Input should be a valid %s "
                           "[input_value=%.*s, input_type=%s]",
                           type->name, field->name, wanted,
                           (int)(repr->size < 60 ? repr->size : 60), repr->data,
                           type_name(value));
}

static bool construct(struct interp *in, const struct args *args, struct value *out)
{
    const struct type *type = args->self.as.type;
    const struct field *fields = fields_of(type);
    struct record *record = record_new(in, type);
    if (!record)
        return false;
    if (args->count > 0)
        return exception_raise(in, &exception_type,
                               "BaseModel.__init__() takes 1 positional argument but %u were "
                               "given",
                               args->count + 1);
    for (uint32_t i = 0; i < record_field_count(type); i++) {
        struct value value = {.kind = VALUE_UNSET};
        for (uint32_t j = 0; j < args->named_count; j++)
            if (str_is(args->names[j], fields[i].name))
                value = args->named[j];
        if (value.kind == VALUE_UNSET && !fields[i].required)
            continue;
        if (!fits(&fields[i], value))
            return refuse(in, type, &fields[i], value);
        record->fields[i] = value;
    }
    *out = record_value(record);
    return true;
}

const struct type record_job_manifest = {"JobManifest", &type_object, VALUE_RECORD, construct};
const struct type record_job_output = {"JobOutput", &type_object, VALUE_RECORD, construct};
const struct type record_job = {"Job", &type_object, VALUE_RECORD, construct};
