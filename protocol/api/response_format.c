/* response_format - see response_format.h. */
#include "protocol/api/response_format.h"

enum status response_format_schema(const struct json *schema, const char *name,
                                   struct arena *arena, struct ask *ask, struct error *err)
{
    struct text_buf text = {0};
    struct json_writer w = {.out = &text};
    json_write_value(&w, schema);
    ask->format_field = name;
    ask->job.format = ENGINE_FORMAT_SCHEMA;
    ask->job.format_source = text_copy(text_buf_text(&text), arena);
    const bool failed = text.failed || !ask->job.format_source.data;
    text_buf_deinit(&text);
    if (failed)
        FAIL(err, ERR_MEMORY, "%s: no room for its schema", name);
    return OK;
}

enum status response_format_read(const struct json *format, const char *name,
                                 struct arena *arena, struct ask *ask, struct error *err)
{
    const struct json *schema = json_get(format, "schema");
    const struct json *named = json_get(format, "json_schema");
    struct text type;
    if (!format)
        return OK;
    if (!json_text(json_get(format, "type"), &type))
        FAIL(err, ERR_FORMAT, "%s: want an object with a type", name);
    if (text_equal(type, TEXT("text")))
        return OK;
    const bool is_object = text_equal(type, TEXT("json_object"));
    if (!is_object && !text_equal(type, TEXT("json_schema")))
        FAIL(err, ERR_LIMIT, "%s: type \"%.*s\"; text, json_object and json_schema are taken",
             name, TEXT_ARG(text_slice(type, 0, 40)));
    if (schema)
        return response_format_schema(schema, name, arena, ask, err);
    if (is_object) {
        ask->format_field = name;
        ask->job.format = ENGINE_FORMAT_SCHEMA;
        ask->job.format_source = TEXT("{\"type\":\"object\"}");
        return OK;
    }
    if (json_type(named) != JSON_OBJECT)
        FAIL(err, ERR_FORMAT, "%s: json_schema: want an object", name);
    if (!json_get(named, "schema"))
        FAIL(err, ERR_FORMAT, "%s: json_schema: it has no schema", name);
    return response_format_schema(json_get(named, "schema"), name, arena, ask, err);
}
