/*
 * schema_choice - see schema_choice.h.
 *
 * A schema fails when one of its keywords does. What each keyword's failing means:
 *
 *   type, enum, bounds, lengths, pattern, format, counts   a part BREAKS (enum: OUTSIDE)
 *   required                a name is lacking
 *   properties              a listed one is there, and fails
 *   patternProperties, additionalProperties, propertyNames   some property fails
 *   prefixItems, items, contains                             some item does; no item holds
 *   allOf, anyOf, not, $ref                                  one fails; all fail; it holds
 *   oneOf                   all fail, or two hold
 *   if                      it holds and then fails, or it fails and else does
 *   dependencies            the property is there, and what it asks for fails
 */
#include "engine/schema_choice.h"

#include "engine/schema_facts.h"

#include <string.h>

enum { BRANCHES_EXACTLY_MAX = 6 };

struct choice {
    const struct schema_choice_to *to;
    struct schema_parts rest; /* the set without the choice */
    uint32_t way_count;
    struct error *err;
};

static enum status give(struct choice *choice, const struct schema_parts *parts)
{
    bool hopeless = false;
    TRY(schema_facts_hopeless(choice->to->document, parts, &hopeless, choice->err));
    if (hopeless)
        return OK;
    if (choice->way_count++ == SCHEMA_CHOICE_WAYS_MAX)
        FAIL(choice->err, ERR_LIMIT, "schema: a choice of more than %d ways",
             SCHEMA_CHOICE_WAYS_MAX);
    return choice->to->way(choice->to->context, parts);
}

static enum status add(const struct choice *choice, struct schema_parts *parts,
                       enum schema_role role, const struct json *at)
{
    return schema_parts_add(choice->to->document, parts, role, at, choice->err);
}

/* The way on which the value stands so to at. */
static enum status give_role(struct choice *choice, enum schema_role role,
                             const struct json *at)
{
    struct schema_parts with;
    schema_parts_copy(&with, &choice->rest);
    TRY(add(choice, &with, role, at));
    return give(choice, &with);
}

static enum status give_part(struct choice *choice, struct schema_part part)
{
    struct schema_parts with;
    schema_parts_copy(&with, &choice->rest);
    TRY(schema_parts_put(&with, part, choice->err));
    return give(choice, &with);
}

/* One way of first and second, which stand in such roles. */
static enum status give_both(struct choice *choice, enum schema_role first_role,
                             const struct json *first, enum schema_role second_role,
                             const struct json *second)
{
    struct schema_parts with;
    schema_parts_copy(&with, &choice->rest);
    TRY(add(choice, &with, first_role, first));
    if (second)
        TRY(add(choice, &with, second_role, second));
    return give(choice, &with);
}

static enum status give_each(struct choice *choice, enum schema_role role,
                             const struct json *list)
{
    for (const struct json *each = json_first(list); each; each = json_next(each))
        TRY(give_role(choice, role, each));
    return OK;
}

/* Each way in which some branches hold and the others fail: what a branch that holds says of
 * properties counts where unevaluated ones are asked for. */
static enum status take_any_of_exactly(struct choice *choice, const struct json *schema)
{
    const struct json *branches = json_get(schema, "anyOf");
    const size_t count = json_count(branches);
    if (count > BRANCHES_EXACTLY_MAX)
        return schema_parts_refuse(choice->to->document, schema,
                                   "anyOf of so many branches beside unevaluated properties",
                                   choice->err);
    for (uint32_t held = 1; held < 1u << count; held++) {
        struct schema_parts with;
        uint32_t bit = 0;
        schema_parts_copy(&with, &choice->rest);
        for (const struct json *each = json_first(branches); each; each = json_next(each))
            TRY(add(choice, &with, held >> bit++ & 1 ? SCHEMA_HOLDS : SCHEMA_FAILS, each));
        TRY(give(choice, &with));
    }
    return OK;
}

/* Adds to parts that the branch other fails, unless it cannot hold beside what holds alone. */
static enum status add_other(const struct choice *choice, const struct schema_parts *alone,
                             const struct json *other, struct schema_parts *parts)
{
    struct schema_parts both;
    bool disjoint = false;
    schema_parts_copy(&both, alone);
    TRY(add(choice, &both, SCHEMA_HOLDS, other));
    TRY(schema_facts_hopeless(choice->to->document, &both, &disjoint, choice->err));
    return disjoint ? OK : add(choice, parts, SCHEMA_FAILS, other);
}

/* One branch holds and the others fail. */
static enum status take_one_of(struct choice *choice, const struct json *branches)
{
    for (const struct json *one = json_first(branches); one; one = json_next(one)) {
        struct schema_parts alone;
        struct schema_parts with;
        schema_parts_copy(&alone, &choice->rest);
        TRY(add(choice, &alone, SCHEMA_HOLDS, one));
        schema_parts_copy(&with, &alone);
        for (const struct json *other = json_first(branches); other; other = json_next(other))
            if (other != one)
                TRY(add_other(choice, &alone, other, &with));
        TRY(give(choice, &with));
    }
    return OK;
}

static enum status take_if(struct choice *choice, const struct json *schema)
{
    const struct json *test = json_get(schema, "if");
    const struct json *then = json_get(schema, "then");
    const struct json *otherwise = json_get(schema, "else");
    if (!then && !otherwise && !choice->to->document->evaluates)
        return give(choice, &choice->rest);
    TRY(give_both(choice, SCHEMA_HOLDS, test, SCHEMA_HOLDS, then));
    return give_both(choice, SCHEMA_FAILS, test, SCHEMA_HOLDS, otherwise);
}

static enum status take_enum(struct choice *choice, struct schema_part part)
{
    const struct json *each = json_first(part.at);
    bool scalars = false;
    for (; each; each = json_next(each)) {
        scalars |= schema_parts_is_scalar(each);
        if (!schema_parts_is_scalar(each))
            TRY(give_role(choice, SCHEMA_EQUALS, each));
    }
    part.kind = SCHEMA_PART_AMONG;
    return scalars ? give_part(choice, part) : OK;
}

/* A property's presence asks for others (a list, or one name), or for a schema to hold. */
static enum status take_depends(struct choice *choice, const struct json *member)
{
    struct schema_part has = {.kind = SCHEMA_PART_HAS, .name = json_key(member)};
    struct schema_part lacks = {.kind = SCHEMA_PART_LACKS, .name = json_key(member)};
    struct schema_parts with;
    struct schema_facts facts;
    struct text name;
    schema_parts_copy(&with, &choice->rest);
    TRY(schema_facts_read(&with, &facts, choice->err));
    if (facts.types != SCHEMA_OBJECT) {
        with.barred |= SCHEMA_OBJECT;
        TRY(give(choice, &with));
    }
    TRY(give_part(choice, lacks));
    schema_parts_copy(&with, &choice->rest);
    TRY(schema_parts_put(&with, has, choice->err));
    if (json_text(member, &name)) {
        has.name = name;
        TRY(schema_parts_put(&with, has, choice->err));
    } else if (json_type(member) != JSON_ARRAY) {
        TRY(add(choice, &with, SCHEMA_HOLDS, member));
    } else {
        const struct json *each = json_first(member);
        for (; each; each = json_next(each)) {
            if (!json_text(each, &has.name))
                FAIL(choice->err, ERR_FORMAT, "dependencies: want names");
            TRY(schema_parts_put(&with, has, choice->err));
        }
    }
    return give(choice, &with);
}

static enum status fail_depends(struct choice *choice, const struct json *depends)
{
    for (const struct json *member = json_first(depends); member; member = json_next(member)) {
        const struct schema_part has = {.kind = SCHEMA_PART_HAS, .name = json_key(member)};
        struct schema_part lacks = {.kind = SCHEMA_PART_LACKS};
        struct choice inner = {
            .to = choice->to, .way_count = choice->way_count, .err = choice->err};
        schema_parts_copy(&inner.rest, &choice->rest);
        TRY(schema_parts_put(&inner.rest, has, choice->err));
        const bool single = json_text(member, &lacks.name);
        const bool list = json_type(member) == JSON_ARRAY;
        if (single)
            TRY(give_part(&inner, lacks));
        for (const struct json *each = json_first(list ? member : NULL); each;
             each = json_next(each))
            if (json_text(each, &lacks.name))
                TRY(give_part(&inner, lacks));
        if (!single && !list)
            TRY(give_role(&inner, SCHEMA_FAILS, member));
        choice->way_count = inner.way_count;
    }
    return OK;
}

static enum status fail_one_of(struct choice *choice, const struct json *branches)
{
    struct schema_parts none;
    schema_parts_copy(&none, &choice->rest);
    for (const struct json *a = json_first(branches); a; a = json_next(a))
        TRY(add(choice, &none, SCHEMA_FAILS, a));
    TRY(give(choice, &none));
    for (const struct json *a = json_first(branches); a; a = json_next(a))
        for (const struct json *b = json_next(a); b; b = json_next(b))
            TRY(give_both(choice, SCHEMA_HOLDS, a, SCHEMA_HOLDS, b));
    return OK;
}

static enum status fail_any_of(struct choice *choice, const struct json *branches)
{
    struct schema_parts with;
    schema_parts_copy(&with, &choice->rest);
    for (const struct json *each = json_first(branches); each; each = json_next(each))
        TRY(add(choice, &with, SCHEMA_FAILS, each));
    return give(choice, &with);
}

static enum status fail_enum(struct choice *choice, const struct json *listed)
{
    struct schema_parts with;
    schema_parts_copy(&with, &choice->rest);
    for (const struct json *each = json_first(listed); each; each = json_next(each))
        if (!schema_parts_is_scalar(each))
            TRY(add(choice, &with, SCHEMA_DIFFERS, each));
    TRY(schema_parts_put(&with, (struct schema_part){.kind = SCHEMA_PART_OUTSIDE, .at = listed},
                         choice->err));
    return give(choice, &with);
}

static enum status fail_if(struct choice *choice, const struct json *schema)
{
    const struct json *test = json_get(schema, "if");
    const struct json *then = json_get(schema, "then");
    const struct json *otherwise = json_get(schema, "else");
    if (then)
        TRY(give_both(choice, SCHEMA_HOLDS, test, SCHEMA_FAILS, then));
    return otherwise ? give_both(choice, SCHEMA_FAILS, test, SCHEMA_FAILS, otherwise) : OK;
}

/* The keywords that say something of an object's properties. */
static enum status fail_object(struct choice *choice, const struct json *schema)
{
    struct schema_part part = {.kind = SCHEMA_PART_LACKS};
    const struct json *required = json_get(schema, "required");
    const struct json *each = json_type(required) == JSON_ARRAY ? json_first(required) : NULL;
    for (; each; each = json_next(each))
        if (json_text(each, &part.name))
            TRY(give_part(choice, part));
    part.role = SCHEMA_FAILS;
    part.kind = SCHEMA_PART_HAS;
    for (part.at = json_first(json_get(schema, "properties")); part.at;
         part.at = json_next(part.at)) {
        part.name = json_key(part.at);
        TRY(give_part(choice, part));
    }
    part.kind = SCHEMA_PART_PATTERN;
    for (part.at = json_first(json_get(schema, "patternProperties")); part.at;
         part.at = json_next(part.at)) {
        part.name = json_key(part.at);
        TRY(give_part(choice, part));
    }
    if (schema_parts_asks_properties(schema))
        return schema_parts_refuse(choice->to->document, schema,
                                   "unevaluatedProperties in a schema that must not hold",
                                   choice->err);
    part.name = TEXT("");
    part.kind = SCHEMA_PART_NAMED;
    part.at = json_get(schema, "propertyNames");
    if (part.at)
        TRY(give_part(choice, part));
    part.kind = SCHEMA_PART_OTHER;
    part.schema = schema;
    part.at = schema_parts_additional(schema);
    if (part.at)
        TRY(give_part(choice, part));
    TRY(fail_depends(choice, json_get(schema, "dependencies")));
    TRY(fail_depends(choice, json_get(schema, "dependentRequired")));
    return fail_depends(choice, json_get(schema, "dependentSchemas"));
}

/* An array of whose items so many are of a schema. */
static enum status give_count(struct choice *choice, struct schema_parts_count count)
{
    struct schema_parts with;
    schema_parts_copy(&with, &choice->rest);
    with.barred |= SCHEMA_ANY & ~SCHEMA_ARRAY;
    TRY(schema_parts_contain(&with, count, choice->err));
    return give(choice, &with);
}

/* Fewer items are of the schema than must be, or more than may be. */
static enum status fail_contains(struct choice *choice, const struct json *schema)
{
    const struct schema_parts_count count = schema_parts_contains(schema);
    const struct schema_part none = {.kind = SCHEMA_PART_NO_ITEM, .at = count.at};
    if (count.min == 1)
        TRY(give_part(choice, none));
    if (count.min > 1)
        TRY(give_count(choice, (struct schema_parts_count){count.at, 0, count.min - 1}));
    if (count.max == UINT32_MAX)
        return OK;
    return give_count(choice, (struct schema_parts_count){count.at, count.max + 1, UINT32_MAX});
}

static enum status fail_array(struct choice *choice, const struct json *schema)
{
    struct schema_part part = {.kind = SCHEMA_PART_ITEM, .role = SCHEMA_FAILS};
    bool unique = false;
    if (schema_parts_asks_items(schema))
        return schema_parts_refuse(choice->to->document, schema,
                                   "unevaluatedItems in a schema that must not hold",
                                   choice->err);
    if (json_bool(json_get(schema, "uniqueItems"), &unique) && unique)
        return schema_parts_refuse(choice->to->document, schema,
                                   "uniqueItems in a schema that must not hold", choice->err);
    for (part.at = json_first(schema_parts_prefix(schema)); part.at;
         part.at = json_next(part.at), part.index++)
        TRY(give_part(choice, part));
    part.at = schema_parts_rest(schema);
    part.kind = SCHEMA_PART_SOME;
    part.schema = schema;
    if (part.at)
        TRY(give_part(choice, part));
    return json_get(schema, "contains") ? fail_contains(choice, schema) : OK;
}

/* The keywords of which a part BREAKS can say that they do not hold. */
static enum status fail_plain(struct choice *choice, const struct json *schema)
{
    static const char *const plain[] = {
        "type",       "minimum",   "maximum",   "exclusiveMinimum", "exclusiveMaximum",
        "multipleOf", "minLength", "maxLength", "divisibleBy",      "pattern",
        "format",     "minItems",  "maxItems",  "minProperties",    "maxProperties"};
    struct schema_part part = {.kind = SCHEMA_PART_BREAKS, .schema = schema};
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        bool flag = false;
        part.at = json_get(schema, plain[i]);
        if (part.at && !json_bool(part.at, &flag)) /* draft 4's exclusiveMinimum: see minimum */
            TRY(give_part(choice, part));
    }
    return OK;
}

static enum status take_fails(struct choice *choice, const struct json *schema)
{
    static const char *const references[] = {"$ref", "$dynamicRef"};
    const struct schema_document *document = choice->to->document;
    const struct schema_parts_from from = {document, schema, SCHEMA_FAILS};
    const bool alone = document->ref_alone && json_get(schema, "$ref");
    for (size_t r = 0; r < 2; r++) {
        struct schema_parts with;
        struct text ref;
        schema_parts_copy(&with, &choice->rest);
        if (!json_text(json_get(schema, references[r]), &ref))
            continue;
        TRY(schema_parts_refer(&from, &with, references[r], choice->err));
        TRY(give(choice, &with));
    }
    if (alone)
        return OK;
    TRY(schema_parts_check(document, schema, choice->err));
    TRY(fail_plain(choice, schema));
    if (json_get(schema, "enum"))
        TRY(fail_enum(choice, json_get(schema, "enum")));
    if (json_get(schema, "const"))
        TRY(give_role(choice, SCHEMA_DIFFERS, json_get(schema, "const")));
    TRY(fail_object(choice, schema));
    TRY(fail_array(choice, schema));
    TRY(give_each(choice, SCHEMA_FAILS, json_get(schema, "allOf")));
    if (json_get(schema, "anyOf"))
        TRY(fail_any_of(choice, json_get(schema, "anyOf")));
    if (json_get(schema, "oneOf"))
        TRY(fail_one_of(choice, json_get(schema, "oneOf")));
    if (json_get(schema, "not"))
        TRY(give_role(choice, SCHEMA_HOLDS, json_get(schema, "not")));
    return json_get(schema, "if") ? fail_if(choice, schema) : OK;
}

/* The value is not this array or object. */
static enum status take_unequal(struct choice *choice, const struct json *value)
{
    const bool object = json_type(value) == JSON_OBJECT;
    struct schema_part part = {.kind = object ? SCHEMA_PART_LACKS : SCHEMA_PART_ITEM,
                               .role = SCHEMA_DIFFERS};
    struct schema_parts with;
    schema_parts_copy(&with, &choice->rest);
    with.barred |= schema_facts_bit(value);
    TRY(give(choice, &with));
    const struct json *each = json_first(value);
    for (; each; each = json_next(each), part.index += !object) {
        if (object) {
            part.name = json_key(each);
            part.at = NULL;
            part.kind = SCHEMA_PART_LACKS;
            TRY(give_part(choice, part));
        }
        part.at = each;
        part.kind = object ? SCHEMA_PART_HAS : SCHEMA_PART_ITEM;
        TRY(give_part(choice, part));
    }
    if (object)
        return give_part(choice,
                         (struct schema_part){.kind = SCHEMA_PART_OTHER, .schema = value});
    part.at = NULL;
    part.kind = SCHEMA_PART_SHORT;
    TRY(give_part(choice, part));
    part.kind = SCHEMA_PART_ITEM;
    return give_part(choice, part);
}

bool schema_choice_is_left(const struct schema_parts *parts)
{
    return parts->count > 0 && parts->parts[parts->count - 1].kind >= SCHEMA_PART_CHOICES;
}

enum status schema_choice_take(const struct schema_choice_to *to,
                               const struct schema_parts *parts, struct error *err)
{
    struct choice choice = {.to = to, .err = err};
    uint32_t first = 0;
    schema_parts_copy(&choice.rest, parts);
    while (parts->parts[first].kind < SCHEMA_PART_CHOICES)
        first++;
    const struct schema_part part = parts->parts[first];
    schema_parts_remove(&choice.rest, first);
    switch ((enum schema_part_kind)part.kind) {
    case SCHEMA_PART_FAILS:
        return take_fails(&choice, part.at);
    case SCHEMA_PART_UNEQUAL:
        return take_unequal(&choice, part.at);
    case SCHEMA_PART_ANY_OF:
        if (to->document->evaluates)
            return take_any_of_exactly(&choice, part.schema);
        return give_each(&choice, SCHEMA_HOLDS, json_get(part.schema, "anyOf"));
    case SCHEMA_PART_ONE_OF:
        return take_one_of(&choice, json_get(part.schema, "oneOf"));
    case SCHEMA_PART_IF:
        return take_if(&choice, part.schema);
    case SCHEMA_PART_ENUM:
        return take_enum(&choice, part);
    default:
        return take_depends(&choice, part.at);
    }
}
