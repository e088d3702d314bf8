/* response_format - see response_format.h. */
#include "protocol/api/response_format.h"

static enum status copy_schema(const struct json *schema, struct arena *arena,
                               struct engine_job *job, struct error *err)
{
    struct text_buf text = {0};
    struct json_writer w = {.out = &text};
    json_write_value(&w, schema);
    job->format = ENGINE_FORMAT_SCHEMA;
    job->format_source = text_copy(text_buf_text(&text), arena);
    const bool failed = text.failed || !job->format_source.data;
    text_buf_deinit(&text);
    if (failed)
        FAIL(err, ERR_MEMORY, "response_format: no room for its schema");
    return OK;
}

enum status response_format_read(const struct json *format, struct arena *arena,
                                 struct engine_job *job, struct error *err)
{
    struct text type;
    if (!format)
        return OK;
    if (!json_text(json_get(format, "type"), &type))
        FAIL(err, ERR_FORMAT, "response_format: want an object with a type");
    if (text_equal(type, TEXT("text")))
        return OK;
    if (text_equal(type, TEXT("json_object"))) {
        job->format = ENGINE_FORMAT_SCHEMA;
        job->format_source = TEXT("{\"type\":\"object\"}");
        return OK;
    }
    if (!text_equal(type, TEXT("json_schema")))
        FAIL(err, ERR_LIMIT,
             "response_format: type \"%.*s\"; text, json_object and json_schema are taken",
             TEXT_ARG(text_slice(type, 0, 40)));
    const struct json *named = json_get(format, "json_schema");
    const struct json *schema = json_get(named, "schema");
    if (json_type(named) != JSON_OBJECT)
        FAIL(err, ERR_FORMAT, "response_format: json_schema: want an object");
    if (!schema)
        FAIL(err, ERR_FORMAT, "response_format: json_schema: it has no schema");
    return copy_schema(schema, arena, job, err);
}
