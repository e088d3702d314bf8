/* schema_parts - see schema_parts.h. Parts are kept in the order of their addresses. */
#include "engine/schema_parts.h"

#include <string.h>

/* Keywords that restrict a value and are not taken. */
static const char *const refused[] = {"not",
                                      "if",
                                      "then",
                                      "else",
                                      "dependencies",
                                      "contains",
                                      "multipleOf",
                                      "dependentRequired",
                                      "dependentSchemas",
                                      "propertyNames",
                                      "unevaluatedItems",
                                      "unevaluatedProperties",
                                      "$dynamicRef",
                                      "$recursiveRef",
                                      "minContains",
                                      "maxContains",
                                      "extends",
                                      "disallow",
                                      "divisibleBy"};

/* The path of a value within root, as a JSON pointer. */
static bool put_path(const struct json *at, const struct json *wanted, struct text_buf *path)
{
    if (at == wanted)
        return true;
    const bool named = json_type(at) == JSON_OBJECT;
    size_t index = 0;
    for (const struct json *child = json_first(at); child; child = json_next(child), index++) {
        const size_t size = path->size;
        if (named)
            text_buf_format(path, "/%.*s", TEXT_ARG(json_key(child)));
        else
            text_buf_format(path, "/%zu", index);
        if (put_path(child, wanted, path))
            return true;
        path->size = size;
    }
    return false;
}

static enum status refuse(const struct schema_document *document, const struct json *schema,
                          const char *keyword, struct error *err)
{
    struct text_buf path = {.size_max = 4096};
    put_path(document->root, schema, &path);
    const struct text text = text_buf_text(&path);
    const enum status status =
        error_set(err, ERR_LIMIT, __FILE__, __LINE__, "schema #%.*s: %s is not supported",
                  TEXT_ARG(text), keyword);
    text_buf_deinit(&path);
    return status;
}

static enum status check_keywords(const struct schema_document *document,
                                  const struct json *schema, struct error *err)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (json_get(schema, refused[i]))
            return refuse(document, schema, refused[i], err);
    bool unique = false;
    if (json_bool(json_get(schema, "uniqueItems"), &unique) && unique)
        return refuse(document, schema, "uniqueItems", err);
    return OK;
}

/* One step of a JSON pointer: ~0, ~1 and %XX undone. */
static bool read_step(struct text step, char *out, size_t room)
{
    size_t size = 0;
    for (size_t i = 0; i < step.size; i++) {
        char c = step.data[i];
        if (size + 1 >= room)
            return false;
        if (c == '~' && i + 1 < step.size)
            c = step.data[++i] == '1' ? '/' : '~';
        else if (c == '%' && i + 2 < step.size) {
            static const char digits[] = "0123456789abcdef";
            const char *high = strchr(digits, step.data[i + 1] | 0x20);
            const char *low = strchr(digits, step.data[i + 2] | 0x20);
            if (!high || !low)
                return false;
            c = (char)((high - digits) * 16 + (low - digits));
            i += 2;
        }
        out[size++] = c;
    }
    out[size] = '\0';
    return true;
}

static const struct json *child_of(const struct json *value, const char *name)
{
    if (json_type(value) == JSON_OBJECT)
        return json_get(value, name);
    size_t index = 0;
    for (const char *digit = name; *digit; digit++) {
        if (*digit < '0' || *digit > '9' || index > 100000)
            return NULL;
        index = index * 10 + (size_t)(*digit - '0');
    }
    const struct json *child = json_first(value);
    while (child && index-- > 0)
        child = json_next(child);
    return child;
}

static const struct json *resolve(const struct json *root, struct text pointer)
{
    char name[512];
    const struct json *at = root;
    if (!text_starts(pointer, TEXT("#")))
        return NULL;
    size_t from = 1;
    while (at && from < pointer.size) {
        if (pointer.data[from] != '/')
            return NULL;
        size_t end = text_find(pointer, TEXT("/"), from + 1);
        end = end > pointer.size ? pointer.size : end;
        if (!read_step(text_slice(pointer, from + 1, end), name, sizeof name))
            return NULL;
        at = child_of(at, name);
        from = end;
    }
    return at;
}

static enum status put_part(struct schema_parts *parts, struct schema_part part, bool *is_new,
                            struct error *err)
{
    uint32_t at = 0;
    while (at < parts->count && (uintptr_t)parts->parts[at].schema < (uintptr_t)part.schema)
        at++;
    *is_new = !(at < parts->count && parts->parts[at].schema == part.schema);
    if (!*is_new)
        return OK;
    if (parts->count == SCHEMA_PARTS_MAX)
        FAIL(err, ERR_LIMIT, "schema: more than %d schemas hold for one value",
             SCHEMA_PARTS_MAX);
    memmove(parts->parts + at + 1, parts->parts + at,
            (parts->count - at) * sizeof *parts->parts);
    parts->parts[at] = part;
    parts->count++;
    return OK;
}

static enum status add_referred(const struct schema_document *document,
                                struct schema_parts *parts, const struct json *schema,
                                struct error *err)
{
    struct text pointer;
    if (!json_text(json_get(schema, "$ref"), &pointer))
        return OK;
    const struct json *target = resolve(document->root, pointer);
    if (!target)
        FAIL(err, ERR_LIMIT, "schema: $ref %.*s is not within the document", TEXT_ARG(pointer));
    if (parts->depth == SCHEMA_PARTS_DEPTH_MAX)
        FAIL(err, ERR_LIMIT, "schema: $ref %.*s refers on more than %d times",
             TEXT_ARG(pointer), SCHEMA_PARTS_DEPTH_MAX);
    parts->depth++;
    TRY(schema_parts_add(document, parts, (struct schema_part){.schema = target}, err));
    parts->depth--;
    return OK;
}

enum status schema_parts_add(const struct schema_document *document, struct schema_parts *parts,
                             struct schema_part part, struct error *err)
{
    bool flag = false;
    if (json_bool(part.schema, &flag)) {
        parts->none |= !flag;
        return OK;
    }
    if (json_type(part.schema) != JSON_OBJECT)
        FAIL(err, ERR_FORMAT, "schema: want an object or a boolean");
    const bool alone = document->ref_alone && json_get(part.schema, "$ref");
    if (alone)
        return add_referred(document, parts, part.schema, err);
    TRY(check_keywords(document, part.schema, err));
    bool is_new = false;
    TRY(put_part(parts, part, &is_new, err));
    if (!is_new)
        return OK;
    TRY(add_referred(document, parts, part.schema, err));
    const struct json *all = json_first(json_get(part.schema, "allOf"));
    for (; all; all = json_next(all))
        TRY(schema_parts_add(document, parts, (struct schema_part){.schema = all}, err));
    return OK;
}

bool schema_parts_equal(const struct schema_parts *a, const struct schema_parts *b)
{
    if (a->count != b->count || a->none != b->none)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (a->parts[i].schema != b->parts[i].schema ||
            a->parts[i].any_chosen != b->parts[i].any_chosen ||
            a->parts[i].one_chosen != b->parts[i].one_chosen)
            return false;
    return true;
}
