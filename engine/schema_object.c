/*
 * schema_object - see schema_object.h.
 *
 * An object's names are one automaton. A name that the schema lists ends with its own label,
 * the patterns of patternProperties have a label each, any other text has ANY_NAME. A state in
 * which a name may end goes one way: that of the name, or of the set of patterns it matches.
 */
#include "engine/schema_object.h"

#include "engine/regex.h"

#include <stdlib.h>
#include <string.h>

enum { PATTERNS_MAX = 30, ANY_NAME = 31, WAYS_MAX = SCHEMA_NAMES_MAX + 64 };

struct pattern {
    struct text text;
    const struct json *schema;
    uint32_t part;
};

struct object_build {
    struct schema_build *build;
    const struct schema_parts *parts;
    struct schema_object *object;
    struct text names[SCHEMA_NAMES_MAX];
    struct pattern patterns[PATTERNS_MAX];
    uint32_t pattern_count;
    uint16_t nodes[WAYS_MAX];
    uint32_t masks[WAYS_MAX]; /* of ways past the names */
    uint32_t way_count;
};

static int name_order(const void *a, const void *b)
{
    const struct text *x = a;
    const struct text *y = b;
    const size_t both = x->size < y->size ? x->size : y->size;
    const int order = memcmp(x->data, y->data, both);
    return order ? order : (x->size > y->size) - (x->size < y->size);
}

static const struct json *member(const struct json *object, struct text name)
{
    if (json_type(object) != JSON_OBJECT)
        return NULL;
    const struct json *child = json_first(object);
    while (child && !text_equal(json_key(child), name))
        child = json_next(child);
    return child;
}

static enum status add_name(struct object_build *make, struct text name)
{
    for (uint32_t i = 0; i < make->object->name_count; i++)
        if (text_equal(make->names[i], name))
            return OK;
    if (make->object->name_count == SCHEMA_NAMES_MAX)
        FAIL(make->build->err, ERR_LIMIT, "properties: more than %d", SCHEMA_NAMES_MAX);
    make->names[make->object->name_count++] = name;
    return OK;
}

static enum status collect_part(struct object_build *make, uint32_t part)
{
    const struct json *schema = make->parts->parts[part].schema;
    struct text name;
    const struct json *each = json_first(json_get(schema, "properties"));
    for (; each; each = json_next(each))
        TRY(add_name(make, json_key(each)));
    const struct json *required = json_get(schema, "required");
    each = json_type(required) == JSON_ARRAY ? json_first(required) : NULL;
    for (; each; each = json_next(each))
        if (json_text(each, &name))
            TRY(add_name(make, name));
    each = json_first(json_get(schema, "patternProperties"));
    for (; each; each = json_next(each)) {
        if (make->pattern_count == PATTERNS_MAX)
            FAIL(make->build->err, ERR_LIMIT, "patternProperties: more than %d", PATTERNS_MAX);
        make->patterns[make->pattern_count++] =
            (struct pattern){.text = json_key(each), .schema = each, .part = part};
    }
    return OK;
}

static void require_name(struct object_build *make, const struct json *required)
{
    struct text name;
    if (!json_text(required, &name))
        return;
    for (uint32_t n = 0; n < make->object->name_count; n++)
        if (text_equal(make->names[n], name))
            make->object->required.bits[n / 64] |= 1ull << (n % 64);
}

static enum status collect_names(struct object_build *make)
{
    for (uint32_t i = 0; i < make->parts->count; i++)
        TRY(collect_part(make, i));
    qsort(make->names, make->object->name_count, sizeof *make->names, name_order);
    for (uint32_t i = 0; i < make->parts->count; i++) {
        const struct json *schema = make->parts->parts[i].schema;
        const struct json *required = json_get(schema, "required");
        const struct json *each =
            json_type(required) == JSON_ARRAY ? json_first(required) : NULL;
        for (; each; each = json_next(each))
            require_name(make, each);
        double count = 0;
        if (json_double(json_get(schema, "minProperties"), &count) && count > make->object->min)
            make->object->min = (uint32_t)count;
        if (json_double(json_get(schema, "maxProperties"), &count) && count < make->object->max)
            make->object->max = (uint32_t)count;
    }
    return OK;
}

static bool some_part_is_closed(const struct object_build *make)
{
    for (uint32_t i = 0; i < make->parts->count; i++) {
        const struct json *schema = make->parts->parts[i].schema;
        bool more = true;
        if (json_bool(json_get(schema, "additionalProperties"), &more) && !more &&
            !json_first(json_get(schema, "patternProperties")))
            return true;
    }
    return false;
}

static enum status make_names(struct object_build *make)
{
    struct schema_build *build = make->build;
    struct nfa nfa;
    uint16_t start = 0;
    TRY(automaton_nfa(&nfa, build->arena, build->err));
    struct regex_target target = {.nfa = &nfa,
                                  .scratch = build->arena,
                                  .options = {.bytes = REGEX_JSON, .span = REGEX_SEARCH}};
    for (uint32_t i = 0; i < make->object->name_count; i++) {
        target.after = automaton_accept(&nfa, (uint16_t)(AUTOMATON_MASKED_LABELS + i));
        nfa.start = automaton_split(&nfa, nfa.start, regex_literal(&target, make->names[i]));
    }
    for (uint32_t i = 0; i < make->pattern_count; i++) {
        target.after = automaton_accept(&nfa, (uint16_t)i);
        TRY(regex_add(&target, make->patterns[i].text, &start, build->err));
        nfa.start = automaton_split(&nfa, nfa.start, start);
    }
    if (!some_part_is_closed(make)) {
        target.after = automaton_accept(&nfa, ANY_NAME);
        TRY(regex_add(&target, TEXT(""), &start, build->err));
        nfa.start = automaton_split(&nfa, nfa.start, start);
    }
    return automaton_make(&make->object->names, &nfa, (struct automaton_want){0}, build->arena,
                          build->err);
}

/* The set of schemas for a property of this name (or of none listed) that matches patterns. */
static enum status way_parts(struct object_build *make, const struct text *name, uint32_t mask,
                             struct schema_parts *out)
{
    const struct schema_document *document = &make->build->document;
    for (uint32_t i = 0; i < make->parts->count; i++) {
        const struct json *schema = make->parts->parts[i].schema;
        const struct json *own = name ? member(json_get(schema, "properties"), *name) : NULL;
        bool found = own != NULL;
        if (own)
            TRY(schema_parts_add(document, out, (struct schema_part){.schema = own},
                                 make->build->err));
        for (uint32_t p = 0; p < make->pattern_count; p++) {
            if (make->patterns[p].part != i || !(mask >> p & 1))
                continue;
            found = true;
            TRY(schema_parts_add(document, out,
                                 (struct schema_part){.schema = make->patterns[p].schema},
                                 make->build->err));
        }
        const struct json *more = json_get(schema, "additionalProperties");
        if (!found && more)
            TRY(schema_parts_add(document, out, (struct schema_part){.schema = more},
                                 make->build->err));
    }
    return OK;
}

static enum status find_way(struct object_build *make, uint32_t state, uint16_t *way)
{
    const struct automaton *names = &make->object->names;
    const uint32_t name_count = make->object->name_count;
    const uint32_t mask = names->mask[state] & ((1u << PATTERNS_MAX) - 1);
    const struct text *name = NULL;
    uint32_t at = name_count;
    if (names->label[state] != AUTOMATON_NEVER) {
        at = names->label[state] - AUTOMATON_MASKED_LABELS;
        name = &make->names[at];
    } else {
        while (at < make->way_count && make->masks[at] != mask)
            at++;
        *way = (uint16_t)at;
        if (at < make->way_count)
            return OK;
        if (at == WAYS_MAX)
            FAIL(make->build->err, ERR_LIMIT, "patternProperties: too many overlap");
        make->masks[make->way_count++] = mask;
    }
    *way = (uint16_t)at;
    struct schema_parts parts = {.count = 0};
    TRY(way_parts(make, name, mask, &parts));
    return schema_build_parts(make->build, &parts, &make->nodes[at]);
}

enum status schema_object_make(struct schema_build *build, const struct schema_parts *parts,
                               struct schema_node *node)
{
    struct object_build make = {.build = build, .parts = parts};
    make.object = ARENA_NEW(build->arena, struct schema_object, 1);
    if (!make.object)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    make.object->max = SCHEMA_NO_MAX;
    TRY(collect_names(&make));
    TRY(make_names(&make));
    struct schema_object *object = make.object;
    const uint32_t states = object->names.state_count;
    make.way_count = object->name_count;
    object->way = ARENA_NEW(build->arena, uint16_t, states);
    object->low = ARENA_NEW(build->arena, uint16_t, states);
    object->high = ARENA_NEW(build->arena, uint16_t, states);
    object->reaches_other = ARENA_NEW(build->arena, bool, states);
    object->way_node = ARENA_NEW(build->arena, uint16_t, WAYS_MAX);
    if (!object->way || !object->low || !object->high || !object->reaches_other ||
        !object->way_node)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    for (uint32_t state = AUTOMATON_START; state < states; state++)
        if (automaton_ends(&object->names, state))
            TRY(find_way(&make, state, &object->way[state]));
    memcpy(object->way_node, make.nodes, make.way_count * sizeof *make.nodes);
    node->object = object;
    return OK;
}

/* The schema of item index in one part; NULL: it says nothing. */
static const struct json *item_schema(const struct json *schema, uint32_t index)
{
    const struct json *items = json_get(schema, "items");
    const struct json *prefix = json_get(schema, "prefixItems");
    const struct json *rest = items;
    if (json_type(items) == JSON_ARRAY) {
        prefix = items;
        rest = json_get(schema, "additionalItems");
    }
    const struct json *item = json_first(prefix);
    while (item && index > 0) {
        item = json_next(item);
        index--;
    }
    return item ? item : rest;
}

enum status schema_object_array(struct schema_build *build, const struct schema_parts *parts,
                                struct schema_node *node)
{
    uint32_t count = 0;
    node->items_max = SCHEMA_NO_MAX;
    for (uint32_t i = 0; i < parts->count; i++) {
        const struct json *schema = parts->parts[i].schema;
        const struct json *items = json_get(schema, "items");
        const struct json *prefix =
            json_type(items) == JSON_ARRAY ? items : json_get(schema, "prefixItems");
        const size_t size = json_count(prefix);
        double bound = 0;
        count = size > count ? (uint32_t)size : count;
        if (json_double(json_get(schema, "minItems"), &bound) && bound > node->items_min)
            node->items_min = (uint32_t)bound;
        if (json_double(json_get(schema, "maxItems"), &bound) && bound < node->items_max)
            node->items_max = (uint32_t)bound;
    }
    uint16_t *nodes = ARENA_NEW(build->arena, uint16_t, count + 1);
    if (!nodes)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    for (uint32_t index = 0; index <= count; index++) {
        struct schema_parts of_item = {.count = 0};
        for (uint32_t i = 0; i < parts->count; i++) {
            const struct json *item = item_schema(parts->parts[i].schema, index);
            if (item)
                TRY(schema_parts_add(&build->document, &of_item,
                                     (struct schema_part){.schema = item}, build->err));
        }
        TRY(schema_build_parts(build, &of_item, &nodes[index]));
    }
    node->prefix = nodes;
    node->prefix_count = count;
    node->items = nodes[count];
    return OK;
}

enum status schema_object_value(struct schema_build *build, const struct json *value,
                                struct schema_node *node)
{
    (void)node;
    FAIL(build->err, ERR_LIMIT, "enum: %s among the values is not supported",
         json_type(value) == JSON_OBJECT ? "an object" : "an array");
}

/* Widens what a state reaches; true when it grew. */
static bool reach(struct schema_object *object, uint32_t from, uint32_t to)
{
    bool grew = false;
    if (object->high[to] > object->low[to]) {
        const bool empty = object->high[from] <= object->low[from];
        if (empty || object->low[to] < object->low[from]) {
            object->low[from] = object->low[to];
            grew = true;
        }
        if (empty || object->high[to] > object->high[from]) {
            object->high[from] = object->high[to];
            grew = true;
        }
    }
    if (object->reaches_other[to] && !object->reaches_other[from]) {
        object->reaches_other[from] = true;
        grew = true;
    }
    return grew;
}

void schema_object_finish(const struct schema_build *build, struct schema_object *object)
{
    const struct automaton *names = &object->names;
    for (uint32_t state = AUTOMATON_START; state < names->state_count; state++) {
        if (!automaton_ends(names, state))
            continue;
        const uint16_t way = object->way[state];
        const bool open = build->nodes[object->way_node[way]].distance != UINT32_MAX;
        if (way < object->name_count && open) {
            object->low[state] = way;
            object->high[state] = (uint16_t)(way + 1);
        } else if (way < object->name_count) {
            object->forbidden.bits[way / 64] |= 1ull << (way % 64);
        } else {
            object->reaches_other[state] = open;
        }
    }
    const size_t entries = (size_t)names->state_count * names->class_count;
    for (bool grew = true; grew;) {
        grew = false;
        for (size_t i = entries; i-- > names->class_count;)
            if (names->next[i] != AUTOMATON_DEAD)
                grew |= reach(object, (uint32_t)(i / names->class_count), names->next[i]);
    }
}
