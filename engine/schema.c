/*
 * schema - see schema.h.
 *
 * Nodes are made from a list of jobs: a job is a set of parts, or one constant value. A set
 * that has come before gives the same node, which is what ends recursion.
 */
#include "engine/schema.h"

#include "engine/schema_object.h"
#include "engine/schema_parts.h"
#include "engine/schema_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES_MAX = 1024, BRANCHES_MAX = 256 };

/* The values that enum and const leave, and their parts. */
struct values {
    const struct json *list[VALUES_MAX];
    uint32_t count;
    bool any; /* nothing is said: all values */
};

uint16_t schema_build_value(struct schema_build *build, const struct json *value)
{
    if (build->node_count == SCHEMA_NODES_MAX)
        return SCHEMA_NODES_MAX;
    build->jobs[build->node_count].value = value;
    return (uint16_t)build->node_count++;
}

enum status schema_build_parts(struct schema_build *build, const struct schema_parts *parts,
                               uint16_t *node)
{
    *node = 0;
    if (parts->none)
        return OK;
    for (uint32_t i = 1; i < build->node_count; i++)
        if (build->jobs[i].parts && schema_parts_equal(build->jobs[i].parts, parts)) {
            *node = (uint16_t)i;
            return OK;
        }
    struct schema_parts *kept = ARENA_NEW(build->arena, struct schema_parts, 1);
    if (!kept || build->node_count == SCHEMA_NODES_MAX)
        FAIL(build->err, ERR_LIMIT, "schema: more than %d kinds of values", SCHEMA_NODES_MAX);
    *kept = *parts;
    build->jobs[build->node_count].parts = kept;
    *node = (uint16_t)build->node_count++;
    return OK;
}

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
            FAIL(err, ERR_FORMAT, "type: %.*s is none", TEXT_ARG(name));
        *bits |= more;
    }
    bool nullable = false;
    if (type && json_bool(json_get(schema, "nullable"), &nullable) && nullable)
        *bits |= SCHEMA_NULL;
    return OK;
}

static uint8_t value_bit(const struct json *value)
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

static bool scalars_equal(const struct json *a, const struct json *b)
{
    struct text x;
    struct text y;
    double m = 0;
    double n = 0;
    if (json_text(a, &x) && json_text(b, &y))
        return text_equal(x, y);
    if (json_double(a, &m) && json_double(b, &n))
        return m >= n && m <= n;
    return value_bit(a) == value_bit(b) && value_bit(a) <= SCHEMA_TRUE;
}

/* Keeps the values that schema's enum or const has too. */
static enum status keep_values(struct values *values, const struct json *schema,
                               struct error *err)
{
    const struct json *listed = json_get(schema, "enum");
    const struct json *single = json_get(schema, "const");
    if (!listed && !single)
        return OK;
    struct values both = {.count = 0};
    const struct json *value = single ? single : json_first(listed);
    for (; value; value = single ? NULL : json_next(value)) {
        bool keep = values->any;
        for (uint32_t i = 0; !keep && i < values->count; i++)
            keep = scalars_equal(values->list[i], value);
        if (keep && both.count == VALUES_MAX)
            FAIL(err, ERR_LIMIT, "enum: more than %d values", VALUES_MAX);
        if (keep)
            both.list[both.count++] = value;
    }
    *values = both;
    return OK;
}

static uint16_t *copy_nodes(struct arena *arena, const uint16_t *nodes, uint32_t count)
{
    uint16_t *copy = ARENA_NEW(arena, uint16_t, count);
    if (copy)
        memcpy(copy, nodes, count * sizeof *copy);
    return copy;
}

/* Numbers among the values, as they are written. */
static enum status make_numbers(struct schema_build *build, struct schema_node *node,
                                const struct values *values)
{
    struct nfa nfa;
    /* before the nodes, which automaton_make gives back with what came after them */
    struct automaton *made = ARENA_NEW(build->arena, struct automaton, 1);
    if (!made)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    TRY(automaton_nfa(&nfa, build->arena, build->err));
    const uint16_t end = automaton_accept(&nfa, 0);
    for (uint32_t i = 0; i < values->count; i++) {
        char digits[40];
        double number = 0;
        if (!json_double(values->list[i], &number))
            continue;
        int digits_count = 15;
        do
            snprintf(digits, sizeof digits, "%.*g", digits_count, number);
        while (++digits_count < 18 && number != strtod(digits, NULL));
        const uint16_t text = automaton_bytes(&nfa, digits, strlen(digits), end);
        nfa.start = automaton_split(&nfa, nfa.start, text);
    }
    node->number = made;
    return automaton_make(made, &nfa, (struct automaton_want){0}, build->arena, build->err);
}

static enum status make_strings(struct schema_build *build, struct schema_node *node,
                                const struct schema_strings *strings)
{
    bool only = false;
    TRY(schema_text_length(strings, &node->characters_min, &node->characters_max, &only,
                           build->err));
    if (only) {
        node->counted = true;
        node->string = &build->character;
        return OK;
    }
    struct automaton *made = ARENA_NEW(build->arena, struct automaton, 1);
    if (!made)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    node->string = made;
    return schema_text_strings(made, strings, build->arena, build->err);
}

/* Only these values: scalars in the node itself, others as alternatives. */
static enum status make_values(struct schema_build *build, struct schema_node *node,
                               struct schema_strings *strings, const struct values *values)
{
    uint16_t others[VALUES_MAX + 1];
    uint32_t count = 0;
    uint8_t types = 0;
    for (uint32_t i = 0; i < values->count; i++) {
        const uint8_t bit = value_bit(values->list[i]) & node->types;
        types |= bit & (SCHEMA_ANY & ~(SCHEMA_ARRAY | SCHEMA_OBJECT));
        if (bit & (SCHEMA_ARRAY | SCHEMA_OBJECT))
            others[++count] = schema_build_value(build, values->list[i]);
        if (count > 0 && others[count] == SCHEMA_NODES_MAX)
            FAIL(build->err, ERR_LIMIT, "schema: more than %d kinds", SCHEMA_NODES_MAX);
    }
    struct schema_node leaf = {.types = types};
    strings->values = values->list;
    strings->value_count = values->count;
    strings->only_values = true;
    if (types & SCHEMA_STRING)
        TRY(make_strings(build, &leaf, strings));
    if (types & SCHEMA_NUMBER)
        TRY(make_numbers(build, &leaf, values));
    *node = leaf;
    if (count == 0)
        return OK;
    others[0] = schema_build_value(build, NULL);
    if (others[0] == SCHEMA_NODES_MAX)
        FAIL(build->err, ERR_LIMIT, "schema: more than %d kinds", SCHEMA_NODES_MAX);
    build->nodes[others[0]] = leaf;
    build->jobs[others[0]].made = true;
    *node = (struct schema_node){.alternatives = copy_nodes(build->arena, others, count + 1),
                                 .alternative_count = count + 1};
    return OK;
}

/* Whether a value can be of both sets, judged by types and by a property that both require with
 * values that differ. */
static bool may_overlap(const struct schema_parts *a, const struct schema_parts *b)
{
    uint8_t types[2] = {SCHEMA_ANY, SCHEMA_ANY};
    const struct schema_parts *const both[2] = {a, b};
    struct values values[2] = {{.any = true}, {.any = true}};
    for (int s = 0; s < 2; s++)
        for (uint32_t i = 0; i < both[s]->count; i++) {
            uint8_t bits = 0;
            bool whole = false;
            if (read_types(both[s]->parts[i].schema, &bits, &whole, NULL) == OK)
                types[s] &= bits;
            if (keep_values(&values[s], both[s]->parts[i].schema, NULL) != OK)
                return true;
        }
    if ((types[0] & types[1]) == 0)
        return false;
    if (values[0].any || values[1].any)
        return true; /* two kinds of object are not told apart by their properties */
    for (uint32_t i = 0; i < values[0].count; i++)
        for (uint32_t j = 0; j < values[1].count; j++)
            if (scalars_equal(values[0].list[i], values[1].list[j]) ||
                value_bit(values[0].list[i]) >= SCHEMA_ARRAY)
                return true;
    return false;
}

static enum status check_disjoint(struct schema_build *build, const struct json *branches)
{
    for (const struct json *a = json_first(branches); a; a = json_next(a))
        for (const struct json *b = json_next(a); b; b = json_next(b)) {
            struct schema_parts left = {.count = 0};
            struct schema_parts right = {.count = 0};
            TRY(schema_parts_add(&build->document, &left, (struct schema_part){.schema = a},
                                 build->err));
            TRY(schema_parts_add(&build->document, &right, (struct schema_part){.schema = b},
                                 build->err));
            if (!left.none && !right.none && may_overlap(&left, &right))
                FAIL(build->err, ERR_LIMIT,
                     "schema: oneOf is not supported where its branches "
                     "may overlap");
        }
    return OK;
}

/* The first part with an anyOf or oneOf not chosen from yet: a node of its branches. */
static enum status make_choice(struct schema_build *build, const struct schema_parts *parts,
                               struct schema_node *node, bool *made)
{
    uint16_t branches[BRANCHES_MAX];
    uint32_t count = 0;
    *made = false;
    for (uint32_t i = 0; i < parts->count && !*made; i++) {
        const struct schema_part part = parts->parts[i];
        const struct json *any = part.any_chosen ? NULL : json_get(part.schema, "anyOf");
        const struct json *one = part.one_chosen ? NULL : json_get(part.schema, "oneOf");
        if (!any && !one)
            continue;
        *made = true;
        if (!any)
            TRY(check_disjoint(build, one));
        const struct json *branch = json_first(any ? any : one);
        for (; branch; branch = json_next(branch)) {
            struct schema_parts with = *parts;
            with.parts[i].any_chosen |= any != NULL;
            with.parts[i].one_chosen |= any == NULL;
            TRY(schema_parts_add(&build->document, &with,
                                 (struct schema_part){.schema = branch}, build->err));
            if (count == BRANCHES_MAX)
                FAIL(build->err, ERR_LIMIT, "anyOf: more than %d branches", BRANCHES_MAX);
            TRY(schema_build_parts(build, &with, &branches[count++]));
        }
    }
    node->alternatives = copy_nodes(build->arena, branches, count);
    node->alternative_count = count;
    return OK;
}

static enum status make_node(struct schema_build *build, const struct schema_parts *parts,
                             struct schema_node *node)
{
    const struct json *schemas[SCHEMA_PARTS_MAX];
    bool whole = false;
    bool chosen = false;
    TRY(make_choice(build, parts, node, &chosen));
    if (chosen)
        return OK;
    struct values values = {.any = true};
    node->types = SCHEMA_ANY;
    for (uint32_t i = 0; i < parts->count; i++) {
        uint8_t bits = 0;
        bool part_whole = false;
        schemas[i] = parts->parts[i].schema;
        TRY(read_types(schemas[i], &bits, &part_whole, build->err));
        TRY(keep_values(&values, schemas[i], build->err));
        node->types &= bits;
        whole |= part_whole && (bits & SCHEMA_NUMBER);
    }
    struct schema_strings strings = {.schemas = schemas, .schema_count = parts->count};
    if (!values.any)
        return make_values(build, node, &strings, &values);
    if (node->types & SCHEMA_STRING)
        TRY(make_strings(build, node, &strings));
    if (node->types & SCHEMA_NUMBER) {
        struct automaton *number = ARENA_NEW(build->arena, struct automaton, 1);
        if (!number)
            FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
        TRY(schema_text_numbers(number, &strings, whole, build->arena, build->err));
        node->number = number;
    }
    if (node->types & SCHEMA_ARRAY)
        TRY(schema_object_array(build, parts, node));
    return node->types & SCHEMA_OBJECT ? schema_object_make(build, parts, node) : OK;
}

/* Fewest bytes of an object's value: its required properties, or as many as it must have. */
static uint64_t object_distance(const struct schema_build *build,
                                const struct schema_object *object)
{
    uint64_t bytes = 2;
    for (uint32_t n = 0; n < object->name_count; n++) {
        if (!(object->required.bits[n / 64] >> (n % 64) & 1))
            continue;
        const uint32_t value = build->nodes[object->way_node[n]].distance;
        if (value == UINT32_MAX)
            return UINT32_MAX;
        bytes += 4 + value;
    }
    return bytes;
}

static uint64_t array_distance(const struct schema_build *build, const struct schema_node *node)
{
    uint64_t bytes = 2;
    for (uint32_t i = 0; i < node->items_min; i++) {
        const uint16_t item = i < node->prefix_count ? node->prefix[i] : node->items;
        if (build->nodes[item].distance == UINT32_MAX || node->items_max < node->items_min)
            return UINT32_MAX;
        bytes += 1 + build->nodes[item].distance;
        if (bytes > UINT32_MAX)
            return UINT32_MAX;
    }
    return bytes;
}

static uint32_t node_distance(const struct schema_build *build, const struct schema_node *node)
{
    uint64_t least = UINT32_MAX;
    for (uint32_t i = 0; i < node->alternative_count; i++)
        if (build->nodes[node->alternatives[i]].distance < least)
            least = build->nodes[node->alternatives[i]].distance;
    if (node->types & (SCHEMA_NULL | SCHEMA_TRUE | SCHEMA_FALSE))
        least = node->types & (SCHEMA_NULL | SCHEMA_TRUE) ? 4 : 5;
    if (node->types & SCHEMA_NUMBER && node->number->distance[AUTOMATON_START] < least)
        least = node->number->distance[AUTOMATON_START];
    if (node->types & SCHEMA_STRING) {
        uint64_t string =
            node->counted ? node->characters_min : node->string->distance[AUTOMATON_START];
        if ((node->counted && node->characters_max < node->characters_min) ||
            (!node->counted && string == AUTOMATON_NEVER))
            string = UINT32_MAX;
        least = string + 2 < least ? string + 2 : least;
    }
    const uint64_t array =
        node->types & SCHEMA_ARRAY ? array_distance(build, node) : UINT32_MAX;
    const uint64_t object =
        node->types & SCHEMA_OBJECT ? object_distance(build, node->object) : UINT32_MAX;
    least = array < least ? array : least;
    return (uint32_t)(object < least ? object : least);
}

static void finish(struct schema_build *build)
{
    for (uint32_t i = 0; i < build->node_count; i++)
        build->nodes[i].distance = UINT32_MAX;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t i = 1; i < build->node_count; i++) {
            const uint32_t distance = node_distance(build, &build->nodes[i]);
            changed |= distance != build->nodes[i].distance;
            build->nodes[i].distance = distance;
        }
    }
    for (uint32_t i = 1; i < build->node_count; i++)
        if (build->nodes[i].object)
            schema_object_finish(build, build->nodes[i].object);
}

enum status schema_compile(struct schema *schema, const struct json *source,
                           struct arena *arena, struct error *err)
{
    struct text dialect = TEXT("");
    json_text(json_get(source, "$schema"), &dialect);
    struct schema_build build = {
        .document = {.root = source,
                     .ref_alone = text_find(dialect, TEXT("draft-0"), 0) != SIZE_MAX},
        .nodes = ARENA_NEW(arena, struct schema_node, SCHEMA_NODES_MAX),
        .jobs = ARENA_NEW(arena, struct schema_job, SCHEMA_NODES_MAX),
        .node_count = 1,
        .arena = arena,
        .err = err};
    if (!build.nodes || !build.jobs)
        FAIL(err, ERR_MEMORY, "schema: no room for %d nodes", SCHEMA_NODES_MAX);
    TRY(schema_text_character(&build.character, arena, err));
    struct automaton *character = ARENA_NEW(arena, struct automaton, 1);
    struct schema_parts parts = {.count = 0};
    TRY(schema_parts_add(&build.document, &parts, (struct schema_part){.schema = source}, err));
    TRY(schema_build_parts(&build, &parts, &schema->root));
    for (uint32_t i = 1; i < build.node_count; i++) {
        if (build.jobs[i].made)
            continue;
        if (build.jobs[i].parts)
            TRY(make_node(&build, build.jobs[i].parts, &build.nodes[i]));
        else
            TRY(schema_object_value(&build, build.jobs[i].value, &build.nodes[i]));
    }
    finish(&build);
    if (!character)
        FAIL(err, ERR_MEMORY, "schema: the arena is full");
    *character = build.character;
    for (uint32_t i = 1; i < build.node_count; i++)
        if (build.nodes[i].counted)
            build.nodes[i].string = character;
    if (build.nodes[schema->root].distance == UINT32_MAX)
        FAIL(err, ERR_LIMIT, "schema: no value is valid");
    schema->nodes = build.nodes;
    schema->node_count = build.node_count;
    return OK;
}
