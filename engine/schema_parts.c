/* schema_parts - see schema_parts.h. */
#include "engine/schema_parts.h"

#include "engine/schema.h"

#include <stddef.h>
#include <string.h>

/* Keywords that restrict a value and are not taken. */
static const char *const refused[] = {"$recursiveRef", "extends", "disallow"};

/* Keywords beside which unevaluated ones ask what others have looked at. */
static const char *const in_place[] = {"$ref",  "$dynamicRef", "allOf",           "anyOf",
                                       "oneOf", "if",          "dependentSchemas"};

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

enum status schema_parts_refuse(const struct schema_document *document,
                                const struct json *schema, const char *keyword,
                                struct error *err)
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

enum status schema_parts_check(const struct schema_document *document,
                               const struct json *schema, struct error *err)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (json_get(schema, refused[i]))
            return schema_parts_refuse(document, schema, refused[i], err);
    if (json_get(schema, "unevaluatedItems") && json_get(schema, "contains"))
        return schema_parts_refuse(document, schema, "unevaluatedItems beside contains", err);
    struct text source = TEXT("");
    const struct json *copied = json_get(schema, "x-copied-from");
    if (copied && !(json_text(copied, &source) && text_equal(source, TEXT("chunk"))))
        return schema_parts_refuse(document, schema, "x-copied-from other than \"chunk\"", err);
    bool in_order;
    const struct json *order = json_get(schema, "x-in-order");
    if (order && !json_bool(order, &in_order))
        return schema_parts_refuse(document, schema, "x-in-order other than a bool", err);
    return OK;
}

static bool has_in_place(const struct json *schema)
{
    for (size_t i = 0; i < sizeof in_place / sizeof *in_place; i++)
        if (json_get(schema, in_place[i]))
            return true;
    return false;
}

bool schema_parts_asks_properties(const struct json *schema)
{
    return json_get(schema, "unevaluatedProperties") &&
           !json_get(schema, "additionalProperties") && has_in_place(schema);
}

bool schema_parts_asks_items(const struct json *schema)
{
    const struct json *items = json_get(schema, "items");
    const bool all = json_type(items) == JSON_ARRAY
                         ? json_get(schema, "additionalItems") != NULL
                         : items != NULL;
    return json_get(schema, "unevaluatedItems") && !all && has_in_place(schema);
}

const struct json *schema_parts_additional(const struct json *schema)
{
    const struct json *more = json_get(schema, "additionalProperties");
    return more ? more : json_get(schema, "unevaluatedProperties");
}

const struct json *schema_parts_prefix(const struct json *schema)
{
    const struct json *items = json_get(schema, "items");
    return json_type(items) == JSON_ARRAY ? items : json_get(schema, "prefixItems");
}

const struct json *schema_parts_rest(const struct json *schema)
{
    const struct json *items = json_get(schema, "items");
    const struct json *rest =
        json_type(items) == JSON_ARRAY ? json_get(schema, "additionalItems") : items;
    return rest ? rest : json_get(schema, "unevaluatedItems");
}

const struct json *schema_parts_member(const struct json *object, struct text name)
{
    if (json_type(object) != JSON_OBJECT)
        return NULL;
    const struct json *child = json_first(object);
    while (child && !text_equal(json_key(child), name))
        child = json_next(child);
    return child;
}

bool schema_parts_is_scalar(const struct json *value)
{
    return json_type(value) != JSON_ARRAY && json_type(value) != JSON_OBJECT;
}

void schema_parts_init(struct schema_parts *parts)
{
    memset(parts, 0, offsetof(struct schema_parts, parts));
}

void schema_parts_copy(struct schema_parts *to, const struct schema_parts *from)
{
    memcpy(to, from, offsetof(struct schema_parts, parts) + from->count * sizeof *from->parts);
}

static int pointer_order(const void *a, const void *b)
{
    return ((uintptr_t)a > (uintptr_t)b) - ((uintptr_t)a < (uintptr_t)b);
}

static int part_order(const struct schema_part *a, const struct schema_part *b)
{
    int order = (a->kind > b->kind) - (a->kind < b->kind);
    order = order ? order : pointer_order(a->at, b->at);
    order = order ? order : pointer_order(a->schema, b->schema);
    order = order ? order : (a->role > b->role) - (a->role < b->role);
    order = order ? order : (a->index > b->index) - (a->index < b->index);
    return order ? order : text_compare(a->name, b->name);
}

/* Adds a part; false in *is_new: the set has it. */
static enum status put_part(struct schema_parts *parts, struct schema_part part, bool *is_new,
                            struct error *err)
{
    uint32_t at = 0;
    while (at < parts->count && part_order(&parts->parts[at], &part) < 0)
        at++;
    *is_new = !(at < parts->count && part_order(&parts->parts[at], &part) == 0);
    if (!*is_new)
        return OK;
    if (parts->count == SCHEMA_PARTS_MAX)
        FAIL(err, ERR_LIMIT, "schema: more than %d things hold for one value",
             SCHEMA_PARTS_MAX);
    memmove(parts->parts + at + 1, parts->parts + at,
            (parts->count - at) * sizeof *parts->parts);
    parts->parts[at] = part;
    parts->count++;
    return OK;
}

enum status schema_parts_put(struct schema_parts *parts, struct schema_part part,
                             struct error *err)
{
    bool is_new = false;
    return put_part(parts, part, &is_new, err);
}

void schema_parts_remove(struct schema_parts *parts, uint32_t index)
{
    parts->count--;
    memmove(parts->parts + index, parts->parts + index + 1,
            (parts->count - index) * sizeof *parts->parts);
}

/* $ref and $dynamicRef: the latter where it can only mean one schema. */
enum status schema_parts_refer(const struct schema_parts_from *from, struct schema_parts *parts,
                               const char *key, struct error *err)
{
    struct text ref;
    if (!json_text(json_get(from->schema, key), &ref))
        return OK;
    const size_t hash = text_find(ref, TEXT("#"), 0);
    const struct text name = text_slice(ref, hash == SIZE_MAX ? hash : hash + 1, ref.size);
    if (from->document->inner_ids || key[1] == 'd')
        TRY(schema_ref_charge(from->document, 20 * from->document->size, err));
    if (key[1] == 'd' && schema_ref_dynamic_count(from->document, name) > 1)
        return schema_parts_refuse(from->document, from->schema, key, err);
    const struct json *target = schema_ref_find(from->document, from->schema, ref);
    if (!target)
        FAIL(err, ERR_LIMIT, "schema: %s %.*s is not within the document", key, TEXT_ARG(ref));
    if (parts->depth == SCHEMA_PARTS_DEPTH_MAX)
        FAIL(err, ERR_LIMIT, "schema: %s %.*s refers on more than %d times", key, TEXT_ARG(ref),
             SCHEMA_PARTS_DEPTH_MAX);
    parts->depth++;
    TRY(schema_parts_add(from->document, parts, from->role, target, err));
    parts->depth--;
    return OK;
}

struct schema_parts_count schema_parts_contains(const struct json *schema)
{
    struct schema_parts_count count = {json_get(schema, "contains"), 1, UINT32_MAX};
    double bound = 0;
    if (json_double(json_get(schema, "minContains"), &bound) && bound >= 0)
        count.min = bound < UINT32_MAX - 1 ? (uint32_t)bound : UINT32_MAX - 1;
    if (json_double(json_get(schema, "maxContains"), &bound) && bound >= 0)
        count.max = bound < UINT32_MAX - 1 ? (uint32_t)bound : UINT32_MAX;
    return count;
}

enum status schema_parts_contain(struct schema_parts *parts, struct schema_parts_count count,
                                 struct error *err)
{
    struct schema_part part = {.kind = SCHEMA_PART_SOME, .at = count.at};
    if (count.min > count.max)
        parts->barred |= SCHEMA_ARRAY;
    if (count.min > SCHEMA_PARTS_CONTAIN_MAX)
        FAIL(err, ERR_LIMIT, "minContains: %u, at most %d", count.min,
             SCHEMA_PARTS_CONTAIN_MAX);
    for (; part.index < count.min; part.index++)
        TRY(schema_parts_put(parts, part, err));
    part.kind = SCHEMA_PART_MOST;
    part.index = count.max;
    return count.max < UINT32_MAX ? schema_parts_put(parts, part, err) : OK;
}

/* The keywords of schema that leave a choice. */
static enum status add_choices(struct schema_parts *parts, const struct json *schema,
                               struct error *err)
{
    static const struct {
        const char *key;
        enum schema_part_kind kind;
    } choices[] = {
        {"anyOf", SCHEMA_PART_ANY_OF}, {"oneOf", SCHEMA_PART_ONE_OF}, {"if", SCHEMA_PART_IF}};
    static const char *const depends[] = {"dependencies", "dependentRequired",
                                          "dependentSchemas"};
    struct schema_part part = {.schema = schema};
    for (size_t i = 0; i < sizeof choices / sizeof *choices; i++) {
        part.kind = (uint8_t)choices[i].kind;
        if (json_get(schema, choices[i].key))
            TRY(schema_parts_put(parts, part, err));
    }
    part.kind = SCHEMA_PART_DEPENDS;
    for (size_t i = 0; i < sizeof depends / sizeof *depends; i++)
        for (part.at = json_first(json_get(schema, depends[i])); part.at;
             part.at = json_next(part.at))
            TRY(schema_parts_put(parts, part, err));
    part.at = json_get(schema, "enum");
    part.kind = SCHEMA_PART_AMONG;
    for (const struct json *each = json_first(part.at); each; each = json_next(each))
        if (!schema_parts_is_scalar(each))
            part.kind = SCHEMA_PART_ENUM;
    return part.at ? schema_parts_put(parts, part, err) : OK;
}

/* That the schema at holds. */
static enum status add_schema(const struct schema_document *document,
                              struct schema_parts *parts, const struct json *at,
                              struct error *err)
{
    const struct schema_parts_from from = {document, at, SCHEMA_HOLDS};
    const bool alone = document->ref_alone && json_get(at, "$ref");
    if (alone)
        return schema_parts_refer(&from, parts, "$ref", err);
    TRY(schema_parts_check(document, at, err));
    bool is_new = false;
    TRY(put_part(parts, (struct schema_part){.kind = SCHEMA_PART_HOLDS, .schema = at, .at = at},
                 &is_new, err));
    if (!is_new)
        return OK;
    TRY(schema_parts_refer(&from, parts, "$ref", err));
    TRY(schema_parts_refer(&from, parts, "$dynamicRef", err));
    const struct json *each = json_first(json_get(at, "allOf"));
    for (; each; each = json_next(each))
        TRY(schema_parts_add(document, parts, SCHEMA_HOLDS, each, err));
    if (json_get(at, "not"))
        TRY(schema_parts_add(document, parts, SCHEMA_FAILS, json_get(at, "not"), err));
    if (json_get(at, "const"))
        TRY(schema_parts_add(document, parts, SCHEMA_EQUALS, json_get(at, "const"), err));
    if (json_get(at, "contains"))
        TRY(schema_parts_contain(parts, schema_parts_contains(at), err));
    return add_choices(parts, at, err);
}

enum status schema_parts_add(const struct schema_document *document, struct schema_parts *parts,
                             enum schema_role role, const struct json *at, struct error *err)
{
    struct schema_part part = {.schema = at, .at = at};
    bool flag = false;
    TRY(schema_ref_charge(document, 50 + parts->count, err));
    if (role == SCHEMA_EQUALS || role == SCHEMA_DIFFERS) {
        const bool scalar = schema_parts_is_scalar(at);
        part.kind = role == SCHEMA_EQUALS ? SCHEMA_PART_EQUALS
                    : scalar              ? SCHEMA_PART_DIFFERS
                                          : SCHEMA_PART_UNEQUAL;
        return schema_parts_put(parts, part, err);
    }
    if (json_bool(at, &flag)) {
        parts->none |= flag == (role == SCHEMA_FAILS);
        return OK;
    }
    if (json_type(at) != JSON_OBJECT)
        FAIL(err, ERR_FORMAT, "schema: want an object or a boolean");
    if (role == SCHEMA_HOLDS)
        return add_schema(document, parts, at, err);
    part.kind = SCHEMA_PART_FAILS;
    return schema_parts_put(parts, part, err);
}

uint32_t schema_parts_hash(const struct schema_parts *parts)
{
    uint64_t hash = parts->count * 256 + parts->barred;
    for (uint32_t i = 0; i < parts->count; i++) {
        const struct schema_part *part = &parts->parts[i];
        hash = (hash ^ (uintptr_t)part->at) * 0x9e3779b97f4a7c15ull;
        hash = (hash ^ (uintptr_t)part->schema ^ part->name.size) * 0x9e3779b97f4a7c15ull;
        hash = (hash ^ hash >> 29) + part->kind * 1021u + part->role * 31u + part->index;
    }
    return (uint32_t)(hash ^ hash >> 32);
}

bool schema_parts_equal(const struct schema_parts *a, const struct schema_parts *b)
{
    if (a->count != b->count || a->none != b->none || a->barred != b->barred)
        return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (part_order(&a->parts[i], &b->parts[i]) != 0)
            return false;
    return true;
}
