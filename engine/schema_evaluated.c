/* schema_evaluated - see schema_evaluated.h. */
#include "engine/schema_evaluated.h"

struct reading {
    struct schema_evaluated *evaluated;
    const struct schema_document *document;
    const struct schema_parts *parts;
    struct error *err;
};

static bool holds(const struct reading *reading, const struct json *schema)
{
    bool flag = false;
    if (json_bool(schema, &flag))
        return flag;
    for (uint32_t i = 0; i < reading->parts->count; i++) {
        const struct schema_part *part = &reading->parts->parts[i];
        if (part->kind == SCHEMA_PART_HOLDS && part->at == schema)
            return true;
    }
    return false;
}

static bool has_property(const struct reading *reading, struct text name)
{
    for (uint32_t i = 0; i < reading->parts->count; i++) {
        const struct schema_part *part = &reading->parts->parts[i];
        if (part->kind == SCHEMA_PART_HAS && text_equal(part->name, name))
            return true;
    }
    return false;
}

static enum status put(struct reading *reading, const struct json *schema)
{
    struct schema_evaluated *evaluated = reading->evaluated;
    if (json_type(schema) != JSON_OBJECT || !holds(reading, schema))
        return OK;
    for (uint32_t i = 0; i < evaluated->count; i++)
        if (evaluated->list[i] == schema)
            return OK;
    if (evaluated->count == SCHEMA_EVALUATED_MAX)
        FAIL(reading->err, ERR_LIMIT, "schema: more than %d schemas evaluate one value",
             SCHEMA_EVALUATED_MAX);
    evaluated->list[evaluated->count++] = schema;
    return OK;
}

static enum status put_referred(struct reading *reading, const struct json *schema,
                                const char *key)
{
    struct text ref;
    if (!json_text(json_get(schema, key), &ref))
        return OK;
    TRY(schema_ref_charge(reading->document, reading->document->size, reading->err));
    return put(reading, schema_ref_find(reading->document, schema, ref));
}

/* What schema applies in place. */
static enum status put_inner(struct reading *reading, const struct json *schema)
{
    static const char *const lists[] = {"allOf", "anyOf", "oneOf"};
    const struct json *test = json_get(schema, "if");
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (const struct json *each = json_first(json_get(schema, lists[i])); each;
             each = json_next(each))
            TRY(put(reading, each));
    TRY(put_referred(reading, schema, "$ref"));
    TRY(put_referred(reading, schema, "$dynamicRef"));
    if (test) {
        TRY(put(reading, test));
        TRY(put(reading, json_get(schema, holds(reading, test) ? "then" : "else")));
    }
    const struct json *each = json_first(json_get(schema, "dependentSchemas"));
    for (; each; each = json_next(each))
        if (has_property(reading, json_key(each)))
            TRY(put(reading, each));
    return OK;
}

enum status schema_evaluated_read(struct schema_evaluated *evaluated,
                                  const struct schema_document *document,
                                  const struct schema_parts *parts, const struct json *schema,
                                  struct error *err)
{
    struct reading reading = {evaluated, document, parts, err};
    evaluated->list[0] = schema;
    evaluated->count = 1;
    for (uint32_t i = 0; i < evaluated->count; i++)
        TRY(put_inner(&reading, evaluated->list[i]));
    return OK;
}
