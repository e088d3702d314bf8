/* schema_facts - see schema_facts.h. */
#include "engine/schema_facts.h"

#include <math.h>
#include <string.h>

enum {
    DEPTH_MAX = 3, /* of properties that are looked into */
    BOOLEAN = SCHEMA_TRUE | SCHEMA_FALSE
};

static uint8_t type_bits(struct text name, bool *whole)
{
    static const struct {
        const char *name;
        uint8_t bits;
    } types[] = {{"null", SCHEMA_NULL},     {"boolean", SCHEMA_TRUE | SCHEMA_FALSE},
                 {"number", SCHEMA_NUMBER}, {"integer", SCHEMA_NUMBER},
                 {"string", SCHEMA_STRING}, {"array", SCHEMA_ARRAY},
                 {"object", SCHEMA_OBJECT}, {"any", SCHEMA_ANY}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (text_equal(name, text_of(types[i].name))) {
            if (strcmp(types[i].name, "number") == 0 || types[i].bits == SCHEMA_ANY)
                *whole = false;
            return types[i].bits;
        }
    return 0;
}

/* What type says in one schema. */
static enum status read_types(const struct json *schema, uint8_t *bits, bool *whole,
                              struct error *err)
{
    const struct json *type = json_get(schema, "type");
    const struct json *each = json_type(type) == JSON_ARRAY ? json_first(type) : type;
    *bits = type ? 0 : SCHEMA_ANY;
    *whole = type != NULL;
    for (; type && each; each = each == type ? NULL : json_next(each)) {
        struct text name;
        if (!json_text(each, &name))
            FAIL(err, ERR_FORMAT, "type: want a string or a list of strings");
        const uint8_t more = type_bits(name, whole);
        if (more == 0)
            FAIL(err, ERR_FORMAT, "type: \"%.*s\" is no type of JSON", TEXT_ARG(name));
        *bits |= more;
    }
    bool nullable = false;
    if (type && json_bool(json_get(schema, "nullable"), &nullable) && nullable)
        *bits |= SCHEMA_NULL;
    return OK;
}

/* The only type that a keyword says something of; ANY: it is none of those. */
static uint8_t keyword_type(struct text key)
{
    static const struct {
        const char *key;
        uint8_t bits;
    } keywords[] = {{"minimum", SCHEMA_NUMBER},          {"maximum", SCHEMA_NUMBER},
                    {"exclusiveMinimum", SCHEMA_NUMBER}, {"exclusiveMaximum", SCHEMA_NUMBER},
                    {"multipleOf", SCHEMA_NUMBER},       {"divisibleBy", SCHEMA_NUMBER},
                    {"minLength", SCHEMA_STRING},        {"maxLength", SCHEMA_STRING},
                    {"pattern", SCHEMA_STRING},          {"format", SCHEMA_STRING},
                    {"minItems", SCHEMA_ARRAY},          {"maxItems", SCHEMA_ARRAY},
                    {"minProperties", SCHEMA_OBJECT},    {"maxProperties", SCHEMA_OBJECT}};
    for (size_t i = 0; i < sizeof keywords / sizeof *keywords; i++)
        if (text_equal(key, text_of(keywords[i].key)))
            return keywords[i].bits;
    return SCHEMA_ANY;
}

uint8_t schema_facts_bit(const struct json *value)
{
    static const uint8_t bits[] = {[JSON_NULL] = SCHEMA_NULL,
                                   [JSON_NUMBER] = SCHEMA_NUMBER,
                                   [JSON_STRING] = SCHEMA_STRING,
                                   [JSON_ARRAY] = SCHEMA_ARRAY,
                                   [JSON_OBJECT] = SCHEMA_OBJECT};
    bool flag = false;
    if (json_bool(value, &flag))
        return flag ? SCHEMA_TRUE : SCHEMA_FALSE;
    return bits[json_type(value)];
}

bool schema_facts_equal(const struct json *a, const struct json *b)
{
    struct text x;
    struct text y;
    int64_t i = 0;
    int64_t j = 0;
    double m = 0;
    double n = 0;
    if (json_text(a, &x) && json_text(b, &y))
        return text_equal(x, y);
    if (json_i64(a, &i) && json_i64(b, &j))
        return i == j;
    if (json_double(a, &m) && json_double(b, &n))
        return m >= n && m <= n;
    return schema_facts_bit(a) == schema_facts_bit(b) &&
           (schema_facts_bit(a) & (SCHEMA_NULL | BOOLEAN));
}

static enum status read_broken_type(const struct json *schema, struct schema_facts *facts,
                                    struct error *err)
{
    uint8_t bits = 0;
    bool whole = false;
    TRY(read_types(schema, &bits, &whole, err));
    if ((bits & SCHEMA_NUMBER) && whole) {
        facts->fraction = true;
        bits &= (uint8_t)~SCHEMA_NUMBER;
    }
    facts->types &= (uint8_t)~bits;
    return OK;
}

static enum status read_part(const struct schema_part *part, struct schema_facts *facts,
                             struct error *err)
{
    uint8_t bits = SCHEMA_ANY;
    bool whole = false;
    switch ((enum schema_part_kind)part->kind) {
    case SCHEMA_PART_HOLDS:
        TRY(read_types(part->at, &bits, &whole, err));
        facts->whole |= whole && (bits & SCHEMA_NUMBER);
        break;
    case SCHEMA_PART_BREAKS:
        if (text_equal(json_key(part->at), TEXT("type")))
            return read_broken_type(part->schema, facts, err);
        bits = keyword_type(json_key(part->at));
        break;
    case SCHEMA_PART_EQUALS:
        bits = schema_facts_bit(part->at);
        break;
    case SCHEMA_PART_HAS:
    case SCHEMA_PART_LACKS:
    case SCHEMA_PART_PATTERN:
    case SCHEMA_PART_OTHER:
    case SCHEMA_PART_NAMED:
        bits = SCHEMA_OBJECT;
        break;
    case SCHEMA_PART_ITEM:
    case SCHEMA_PART_NO_ITEM:
    case SCHEMA_PART_SHORT:
        bits = SCHEMA_ARRAY;
        break;
    case SCHEMA_PART_SOME: /* contains says nothing of other types; of items that fail does */
        bits = part->role == SCHEMA_HOLDS ? SCHEMA_ANY : SCHEMA_ARRAY;
        break;
    default:
        break;
    }
    facts->types &= bits;
    return OK;
}

/* Whether the part leaves this scalar. */
static bool leaves(const struct schema_part *part, const struct json *value)
{
    bool found = false;
    switch ((enum schema_part_kind)part->kind) {
    case SCHEMA_PART_EQUALS:
        return schema_facts_equal(part->at, value);
    case SCHEMA_PART_DIFFERS:
        return !schema_facts_equal(part->at, value);
    case SCHEMA_PART_AMONG:
    case SCHEMA_PART_OUTSIDE:
        for (const struct json *each = json_first(part->at); each && !found;
             each = json_next(each))
            found = schema_facts_equal(each, value);
        return found == (part->kind == SCHEMA_PART_AMONG);
    default:
        return true;
    }
}

static bool is_left(const struct schema_parts *parts, const struct json *value)
{
    for (uint32_t i = 0; i < parts->count; i++)
        if (!leaves(&parts->parts[i], value))
            return false;
    return true;
}

/* Takes out null, true or false, where it is what must not be. */
static void bar_word(struct schema_facts *facts, const struct json *value)
{
    facts->types &= (uint8_t) ~(schema_facts_bit(value) & (SCHEMA_NULL | BOOLEAN));
}

enum status schema_facts_read(const struct schema_parts *parts, struct schema_facts *facts,
                              struct error *err)
{
    *facts = (struct schema_facts){.types = (uint8_t)(SCHEMA_ANY & ~parts->barred)};
    for (uint32_t i = 0; i < parts->count; i++) {
        const struct schema_part *part = &parts->parts[i];
        TRY(read_part(part, facts, err));
        if (part->kind == SCHEMA_PART_DIFFERS)
            bar_word(facts, part->at);
        if (part->kind != SCHEMA_PART_OUTSIDE)
            continue;
        for (const struct json *each = json_first(part->at); each; each = json_next(each))
            bar_word(facts, each);
    }
    if (facts->whole && facts->fraction)
        facts->types &= (uint8_t)~SCHEMA_NUMBER;
    return OK;
}

enum status schema_facts_values(const struct schema_parts *parts, struct schema_values *values,
                                struct error *err)
{
    values->count = 0;
    values->any = true;
    for (uint32_t i = 0; i < parts->count && values->any; i++) {
        const struct schema_part *part = &parts->parts[i];
        const bool listed = part->kind == SCHEMA_PART_AMONG;
        if (!listed && part->kind != SCHEMA_PART_EQUALS)
            continue;
        values->any = false;
        const struct json *each = listed ? json_first(part->at) : part->at;
        for (; each; each = listed ? json_next(each) : NULL) {
            if (!schema_parts_is_scalar(each) || !is_left(parts, each))
                continue;
            if (values->count == SCHEMA_FACTS_VALUES_MAX)
                FAIL(err, ERR_LIMIT, "enum: more than %d values", SCHEMA_FACTS_VALUES_MAX);
            values->list[values->count++] = each;
        }
    }
    return OK;
}

/* What one keyword says of a count: that it holds, or that it is broken. */
static enum status narrow(const struct schema_part *part, const struct json *keyword,
                          bool least, struct schema_range *range, struct error *err)
{
    double number = 0;
    if (!json_double(keyword, &number) || !(number >= 0) || floor(number) != number)
        FAIL(err, ERR_FORMAT, "%.*s: want a whole number of 0 or more",
             TEXT_ARG(json_key(keyword)));
    const uint32_t count = number > UINT32_MAX - 2 ? SCHEMA_NO_MAX - 1 : (uint32_t)number;
    if (part->kind == SCHEMA_PART_HOLDS && least) {
        range->min = count > range->min ? count : range->min;
    } else if (part->kind == SCHEMA_PART_HOLDS) {
        range->max = count < range->max ? count : range->max;
    } else if (!least) {
        range->min = count + 1 > range->min ? count + 1 : range->min;
    } else if (count > 0) {
        range->max = count - 1 < range->max ? count - 1 : range->max;
    } else { /* nothing has fewer than 0 */
        range->min = 1;
        range->max = 0;
    }
    return OK;
}

enum status schema_facts_range(const struct schema_parts *parts, const char *min_key,
                               const char *max_key, struct schema_range *range,
                               struct error *err)
{
    *range = (struct schema_range){.max = SCHEMA_NO_MAX};
    for (uint32_t i = 0; i < parts->count; i++) {
        const struct schema_part *part = &parts->parts[i];
        const struct json *keywords[2] = {NULL, NULL};
        if (part->kind == SCHEMA_PART_HOLDS) {
            keywords[0] = json_get(part->at, min_key);
            keywords[1] = json_get(part->at, max_key);
        } else if (part->kind == SCHEMA_PART_BREAKS) {
            keywords[0] = text_equal(json_key(part->at), text_of(min_key)) ? part->at : NULL;
            keywords[1] = text_equal(json_key(part->at), text_of(max_key)) ? part->at : NULL;
        }
        for (int k = 0; k < 2; k++)
            if (keywords[k])
                TRY(narrow(part, keywords[k], k == 0, range, err));
    }
    return OK;
}

/* Adds what one part says of the property name. */
static enum status add_property(const struct schema_document *document,
                                const struct schema_part *part, struct text name,
                                struct schema_parts *out, struct error *err)
{
    const struct json *schema = part->at;
    const struct json *own = NULL;
    const struct json *more = NULL;
    switch ((enum schema_part_kind)part->kind) {
    case SCHEMA_PART_HOLDS:
        own = schema_parts_member(json_get(schema, "properties"), name);
        more = json_get(schema, "patternProperties") || schema_parts_asks_properties(schema)
                   ? NULL
                   : schema_parts_additional(schema);
        own = own ? own : more;
        return own ? schema_parts_add(document, out, SCHEMA_HOLDS, own, err) : OK;
    case SCHEMA_PART_EQUALS:
        own = schema_parts_member(schema, name);
        out->none |= !own && json_type(schema) == JSON_OBJECT;
        return own ? schema_parts_add(document, out, SCHEMA_EQUALS, own, err) : OK;
    case SCHEMA_PART_LACKS:
        out->none |= text_equal(part->name, name);
        return OK;
    case SCHEMA_PART_HAS:
        if (!part->at || !text_equal(part->name, name))
            return OK;
        return schema_parts_add(document, out, (enum schema_role)part->role, part->at, err);
    default:
        return OK;
    }
}

/* What must hold of the property name at the least: patternProperties is not looked at. */
static enum status property_parts(const struct schema_document *document,
                                  const struct schema_parts *parts, struct text name,
                                  struct schema_parts *of_property, struct error *err)
{
    schema_parts_init(of_property);
    for (uint32_t i = 0; i < parts->count; i++)
        TRY(add_property(document, &parts->parts[i], name, of_property, err));
    return OK;
}

static bool no_scalar_is_left(const struct schema_parts *parts, uint8_t types)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        const struct schema_part *part = &parts->parts[i];
        const bool listed = part->kind == SCHEMA_PART_AMONG;
        if (!listed && part->kind != SCHEMA_PART_EQUALS)
            continue;
        const struct json *each = listed ? json_first(part->at) : part->at;
        for (; each; each = listed ? json_next(each) : NULL)
            if ((schema_facts_bit(each) & types) &&
                (!schema_parts_is_scalar(each) || is_left(parts, each)))
                return false;
        return true;
    }
    return false;
}

static enum status look(const struct schema_document *document,
                        const struct schema_parts *parts, uint32_t depth, bool *hopeless,
                        struct error *err);

/* Whether the property that every object of the set must have can have no value. */
static enum status look_at(const struct schema_document *document,
                           const struct schema_parts *parts, struct text name, uint32_t depth,
                           bool *hopeless)
{
    struct schema_parts property;
    struct error ignored;
    if (property_parts(document, parts, name, &property, &ignored) != OK)
        return OK; /* what is wrong with it is told when it is its turn */
    return look(document, &property, depth + 1, hopeless, &ignored);
}

static enum status look_at_required(const struct schema_document *document,
                                    const struct schema_parts *parts, uint32_t depth,
                                    bool *hopeless)
{
    for (uint32_t i = 0; i < parts->count && !*hopeless; i++) {
        const struct schema_part *part = &parts->parts[i];
        struct text name = part->name;
        const struct json *required =
            part->kind == SCHEMA_PART_HOLDS ? json_get(part->at, "required") : NULL;
        const struct json *each =
            json_type(required) == JSON_ARRAY ? json_first(required) : NULL;
        for (; each && !*hopeless; each = json_next(each))
            if (json_text(each, &name))
                TRY(look_at(document, parts, name, depth, hopeless));
        if (part->kind == SCHEMA_PART_HAS && !*hopeless)
            TRY(look_at(document, parts, name, depth, hopeless));
    }
    return OK;
}

static enum status look(const struct schema_document *document,
                        const struct schema_parts *parts, uint32_t depth, bool *hopeless,
                        struct error *err)
{
    struct schema_facts facts;
    TRY(schema_ref_charge(document, 5 * (parts->count + 1ull), err));
    TRY(schema_facts_read(parts, &facts, err));
    *hopeless = parts->none || facts.types == 0 || no_scalar_is_left(parts, facts.types);
    if (*hopeless || facts.types != SCHEMA_OBJECT || depth == DEPTH_MAX)
        return OK;
    return look_at_required(document, parts, depth, hopeless);
}

enum status schema_facts_hopeless(const struct schema_document *document,
                                  const struct schema_parts *parts, bool *hopeless,
                                  struct error *err)
{
    return look(document, parts, 0, hopeless, err);
}
