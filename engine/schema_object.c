/*
 * schema_object - see schema_object.h.
 *
 * A state in which a name may end goes one way: that of the name, or of the set of patterns it
 * matches. What holds of a property is the same for all names of a way.
 */
#include "engine/schema_object.h"

#include "engine/schema_evaluated.h"
#include "engine/schema_facts.h"
#include "engine/schema_names.h"
#include "engine/schema_needs.h"
#include "engine/schema_progress.h"

#include <string.h>

enum { WAYS_MAX = SCHEMA_NAMES_MAX + SCHEMA_OTHERS_MAX };

struct object_build {
    struct schema_build *build;
    const struct schema_parts *parts;
    struct schema_object *object;
    struct schema_names names;
    struct schema_needs needs;
    uint32_t masks[WAYS_MAX]; /* of ways past the names */
    bool made[WAYS_MAX];
};

/* The name of a property (NULL: none that is listed), and what it matches. */
struct way_name {
    const struct text *name;
    uint32_t mask;
};

static bool bit(const struct schema_set *set, uint32_t n)
{
    return set->bits[n / 64] >> (n % 64) & 1;
}

static void put_bit(struct schema_set *set, uint32_t n)
{
    set->bits[n / 64] |= 1ull << (n % 64);
}

static void require(struct object_build *make, struct text name)
{
    const uint32_t at = schema_names_find(&make->names, name);
    if (at < make->names.count)
        put_bit(&make->object->required, at);
}

static enum status read_part(struct object_build *make, const struct schema_part *part)
{
    struct text name;
    const struct json *required =
        part->kind == SCHEMA_PART_HOLDS ? json_get(part->at, "required") : NULL;
    const struct json *each = json_type(required) == JSON_ARRAY ? json_first(required) : NULL;
    for (; each; each = json_next(each))
        if (json_text(each, &name))
            require(make, name);
    if (part->kind == SCHEMA_PART_HAS)
        require(make, part->name);
    if (part->kind == SCHEMA_PART_EQUALS)
        for (each = json_first(part->at); each; each = json_next(each))
            require(make, json_key(each));
    if (part->kind == SCHEMA_PART_PATTERN || part->kind == SCHEMA_PART_OTHER ||
        part->kind == SCHEMA_PART_NAMED)
        return schema_needs_add(&make->needs, part, make->build->err);
    return OK;
}

/* Whether schema lists the name, or has a pattern that it matches. */
static bool lists(const struct object_build *make, const struct json *schema,
                  struct way_name way)
{
    if (way.name && schema_parts_member(json_get(schema, "properties"), *way.name))
        return true;
    const struct json *each = json_first(json_get(schema, "patternProperties"));
    for (; each; each = json_next(each))
        if (schema_names_match(&make->names, way.mask, json_key(each)))
            return true;
    return false;
}

/* Whether one that has looked at the object beside schema has looked at the property. */
static enum status is_evaluated(const struct object_build *make, const struct json *schema,
                                struct way_name way, bool *evaluated)
{
    struct schema_evaluated others;
    *evaluated = lists(make, schema, way);
    if (*evaluated || !schema_parts_asks_properties(schema))
        return OK;
    TRY(schema_evaluated_read(&others, &make->build->document, make->parts, schema,
                              make->build->err));
    for (uint32_t i = 1; i < others.count && !*evaluated; i++)
        *evaluated =
            schema_parts_additional(others.list[i]) || lists(make, others.list[i], way);
    return OK;
}

static enum status add_schema(const struct object_build *make, const struct json *schema,
                              struct way_name way, struct schema_parts *out)
{
    const struct schema_document *document = &make->build->document;
    struct error *err = make->build->err;
    const struct json *own =
        way.name ? schema_parts_member(json_get(schema, "properties"), *way.name) : NULL;
    if (own)
        TRY(schema_parts_add(document, out, SCHEMA_HOLDS, own, err));
    const struct json *each = json_first(json_get(schema, "patternProperties"));
    for (; each; each = json_next(each))
        if (schema_names_match(&make->names, way.mask, json_key(each)))
            TRY(schema_parts_add(document, out, SCHEMA_HOLDS, each, err));
    const struct json *of = json_get(schema, "propertyNames");
    out->none |= of && !schema_names_is_of(&make->names, way.mask, of);
    const struct json *more = schema_parts_additional(schema);
    bool evaluated = !more;
    if (more)
        TRY(is_evaluated(make, schema, way, &evaluated));
    return evaluated ? OK : schema_parts_add(document, out, SCHEMA_HOLDS, more, err);
}

static enum status add_part(const struct object_build *make, const struct schema_part *part,
                            struct way_name way, struct schema_parts *out)
{
    const struct schema_document *document = &make->build->document;
    const bool same = way.name && text_equal(*way.name, part->name);
    const struct json *own = NULL;
    switch ((enum schema_part_kind)part->kind) {
    case SCHEMA_PART_HOLDS:
        return add_schema(make, part->at, way, out);
    case SCHEMA_PART_EQUALS:
        own = way.name ? schema_parts_member(part->at, *way.name) : NULL;
        out->none |= !own;
        return own ? schema_parts_add(document, out, SCHEMA_EQUALS, own, make->build->err) : OK;
    case SCHEMA_PART_LACKS:
        out->none |= same;
        return OK;
    case SCHEMA_PART_HAS:
        return same && part->at ? schema_parts_add(document, out, (enum schema_role)part->role,
                                                   part->at, make->build->err)
                                : OK;
    default:
        return OK;
    }
}

/* Which needs a property of the way can meet. */
static uint32_t needs_of(const struct object_build *make, struct way_name way)
{
    uint32_t mask = 0;
    for (uint32_t n = 0; n < make->needs.count; n++) {
        const struct schema_part *part = make->needs.parts[n];
        bool meets = false;
        if (part->kind == SCHEMA_PART_PATTERN)
            meets = schema_names_match(&make->names, way.mask, part->name);
        else if (part->kind == SCHEMA_PART_NAMED)
            meets = !schema_names_is_of(&make->names, way.mask, part->at);
        else if (part->at)
            meets = !lists(make, part->schema, way);
        else
            meets = !way.name || !schema_parts_member(part->schema, *way.name);
        mask |= (uint32_t)meets << n;
    }
    return mask;
}

static enum status make_way(struct object_build *make, uint32_t at, struct way_name way)
{
    struct schema_parts base;
    schema_parts_init(&base);
    for (uint32_t i = 0; i < make->parts->count; i++)
        TRY(add_part(make, &make->parts->parts[i], way, &base));
    make->made[at] = true;
    return schema_needs_options(make->build, &make->needs, needs_of(make, way), &base,
                                &make->object->ways[at]);
}

static enum status find_way(struct object_build *make, uint32_t state, uint16_t *way)
{
    struct schema_object *object = make->object;
    const struct automaton *names = &object->names;
    struct way_name of = {.mask = names->mask[state] & ((1u << SCHEMA_NAMES_KINDS_MAX) - 1)};
    uint32_t at = object->name_count;
    if (names->label[state] != AUTOMATON_NEVER) {
        at = names->label[state] - AUTOMATON_MASKED_LABELS;
        of.name = &make->names.list[at];
    } else {
        while (at < object->way_count && make->masks[at] != of.mask)
            at++;
        if (at == WAYS_MAX || at == object->name_count + SCHEMA_OTHERS_MAX)
            FAIL(make->build->err, ERR_LIMIT, "patternProperties: more than %d ways to overlap",
                 SCHEMA_OTHERS_MAX);
        object->way_count = at == object->way_count ? at + 1 : object->way_count;
        make->masks[at] = of.mask;
    }
    *way = (uint16_t)at;
    return make->made[at] ? OK : make_way(make, at, of);
}

/* "x-in-order": only where which names were seen says all of what may still come. */
static enum status read_order(struct object_build *make)
{
    const struct schema_names *names = &make->names;
    for (uint32_t i = 0; i < make->parts->count; i++) {
        const struct schema_part *part = &make->parts->parts[i];
        bool is_asked = false, fits = names->closed && names->kind_count == 0;
        if (part->kind != SCHEMA_PART_HOLDS ||
            !json_bool(json_get(part->at, "x-in-order"), &is_asked) || !is_asked)
            continue;
        const struct json *listed = json_get(part->at, "properties");
        fits = fits && json_count(listed) == names->count && make->needs.count == 0;
        const struct json *at = json_first(listed);
        for (uint32_t n = 0; fits && n < names->count; n++, at = json_next(at))
            fits = text_equal(json_key(at), names->list[n]) && bit(&make->object->required, n);
        if (!fits)
            FAIL(make->build->err, ERR_LIMIT,
                 "schema: x-in-order is not supported but beside properties that are all "
                 "required, with additionalProperties false and nothing else that names any");
        make->object->in_order = true;
    }
    return OK;
}

/* The schema that asks for so many properties, or NULL. */
static const struct json *schema_of_minimum(const struct schema_parts *parts)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        const struct schema_part *part = &parts->parts[i];
        if (part->kind == SCHEMA_PART_HOLDS && json_get(part->at, "minProperties"))
            return part->at;
        if (part->kind == SCHEMA_PART_BREAKS &&
            text_equal(json_key(part->at), TEXT("maxProperties")))
            return part->schema;
    }
    return NULL;
}

/* The needs that are met by a value, of those that a name with that mask can meet which is not
 * listed. */
static uint32_t by_value_of(const struct object_build *make, uint32_t mask)
{
    const struct way_name way = {.mask = mask & ((1u << SCHEMA_NAMES_KINDS_MAX) - 1)};
    return needs_of(make, way) & make->object->by_value;
}

/* Lists the names that lead to the states of wanted, which may meet needs by their values: all
 * if they are few, and else one for each need that is reserved for it. */
static enum status list_mask(struct object_build *make, const bool *wanted, uint32_t needs)
{
    const struct automaton *names = &make->object->names;
    bool is_few = false;
    TRY(schema_names_list_few(&make->names, names, wanted, make->build, &is_few));
    if (is_few)
        return OK;
    const uint32_t before = make->names.count;
    TRY(schema_names_list_some(&make->names, names, wanted, make->build,
                               (uint32_t)__builtin_popcount(needs)));
    for (uint32_t n = before; n < make->names.count; n++)
        put_bit(&make->object->reserved, n);
    return OK;
}

/* One mask of names that are not listed after another. */
static enum status list_by_value(struct object_build *make)
{
    const struct automaton *names = &make->object->names;
    bool *seen = ARENA_NEW(make->build->arena, bool, names->state_count);
    bool *wanted = ARENA_NEW(make->build->arena, bool, names->state_count);
    if (!seen || !wanted)
        FAIL(make->build->err, ERR_MEMORY, "schema: the arena is full");
    for (uint32_t s = AUTOMATON_START; s < names->state_count; s++) {
        const uint32_t needs = by_value_of(make, names->mask[s]);
        if (seen[s] || !automaton_ends(names, s) || names->label[s] != AUTOMATON_NEVER ||
            needs == 0)
            continue;
        for (uint32_t t = AUTOMATON_START; t < names->state_count; t++) {
            wanted[t] = automaton_ends(names, t) && names->label[t] == AUTOMATON_NEVER &&
                        names->mask[t] == names->mask[s];
            seen[t] = seen[t] || wanted[t];
        }
        TRY(list_mask(make, wanted, needs));
    }
    return OK;
}

/* The automaton of names. Where a value may meet what some property must meet, some names are
 * better listed: then each of them comes once, and whoever has used up others has them left. */
static enum status make_names(struct object_build *make)
{
    struct schema_object *object = make->object;
    object->needs = (uint16_t)((1u << make->needs.count) - 1);
    for (uint32_t n = 0; n < make->needs.count; n++)
        object->by_value |= (uint16_t)(schema_needs_by_value(make->needs.parts[n]) << n);
    TRY(schema_names_make(make->build, &make->names, &object->names));
    const uint32_t before = make->names.count;
    if (object->by_value)
        TRY(list_by_value(make));
    return make->names.count > before
               ? schema_names_make(make->build, &make->names, &object->names)
               : OK;
}

enum status schema_object_make(struct schema_build *build, const struct schema_parts *parts,
                               struct schema_node *node)
{
    struct object_build make = {.build = build, .parts = parts};
    struct schema_range range;
    struct schema_object *object = ARENA_NEW(build->arena, struct schema_object, 1);
    if (!object)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    make.object = object;
    TRY(schema_facts_range(parts, "minProperties", "maxProperties", &range, build->err));
    object->min = range.min;
    object->minimum = schema_of_minimum(parts);
    object->max = range.max;
    TRY(schema_names_collect(&make.names, parts, build->err));
    for (uint32_t i = 0; i < parts->count; i++)
        TRY(read_part(&make, &parts->parts[i]));
    TRY(read_order(&make));
    TRY(make_names(&make));
    const uint32_t states = object->names.state_count;
    object->name_count = object->way_count = make.names.count;
    object->way = ARENA_NEW(build->arena, uint16_t, states);
    object->reach = ARENA_NEW(build->arena, struct schema_ways, states);
    object->settled = ARENA_NEW(build->arena, uint64_t, states);
    object->ways =
        ARENA_NEW(build->arena, struct schema_options, object->name_count + SCHEMA_OTHERS_MAX);
    object->sets = ARENA_NEW(build->arena, uint32_t, object->name_count + SCHEMA_OTHERS_MAX);
    object->alike = ARENA_NEW(build->arena, uint16_t, object->name_count + 1u);
    if (!object->way || !object->reach || !object->settled || !object->ways || !object->sets ||
        !object->alike)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    for (uint32_t state = AUTOMATON_START; state < states; state++)
        if (automaton_ends(&object->names, state))
            TRY(find_way(&make, state, &object->way[state]));
    node->object = object;
    return OK;
}

uint32_t schema_object_distance(const struct schema_build *build, struct schema_object *object)
{
    static const struct schema_progress none = {.count = 0};
    uint64_t bytes = 2;
    object->usable = (struct schema_ways){.others = 0};
    for (uint32_t way = 0; way < object->way_count; way++) {
        const uint32_t value = schema_needs_distance(build, &object->ways[way]);
        const bool required = way < object->name_count && bit(&object->required, way);
        if (value == UINT32_MAX && required)
            return UINT32_MAX;
        bytes += required ? 4 + (uint64_t)value : 0;
        if (value == UINT32_MAX)
            continue;
        if (way < object->name_count)
            put_bit(&object->usable.names, way);
        else
            object->usable.others |= 1ull << (way - object->name_count);
    }
    schema_progress_fill(object);
    object->open = schema_progress_can_end(object, &none);
    if (!object->open)
        return UINT32_MAX;
    return bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX - 1;
}

static bool add_ways(struct schema_ways *to, const struct schema_ways *from)
{
    const struct schema_ways before = *to;
    for (size_t i = 0; i < sizeof to->names.bits / sizeof *to->names.bits; i++)
        to->names.bits[i] |= from->names.bits[i];
    to->others |= from->others;
    return memcmp(&before, to, sizeof before) != 0;
}

/* Classes of the bytes of plain text, or only of those past ASCII. */
static void list_classes(const struct automaton *names, bool is_ascii, bool classes[256])
{
    memset(classes, 0, 256 * sizeof *classes);
    for (int byte = is_ascii ? ' ' : 0x80; byte < 256; byte++)
        classes[names->class_of[byte]] |= byte != '"' && byte != '\\' && byte != 0x7f;
}

/* What the states behind a state say, by bytes of those classes. */
static uint64_t settled_behind(const struct schema_object *object, uint32_t state,
                               const bool classes[256])
{
    const struct automaton *names = &object->names;
    const uint16_t *row = &names->next[state * names->class_count];
    uint64_t behind = 0;
    for (uint32_t c = 0; c < names->class_count; c++)
        if (classes[c] && row[c] != AUTOMATON_DEAD)
            behind |= object->settled[row[c]];
    return behind;
}

/* Between the bytes of a character no state is plain: there the next are looked at. */
static void fill_settled(struct schema_object *object)
{
    const struct automaton *names = &object->names;
    uint64_t *settled = object->settled;
    bool classes[2][256];
    list_classes(names, false, classes[false]);
    list_classes(names, true, classes[true]);
    for (uint32_t s = AUTOMATON_START; s < names->state_count; s++) {
        const uint32_t other = (uint32_t)object->way[s] - object->name_count;
        const bool fits = automaton_ends(names, s) && object->way[s] >= object->name_count &&
                          (object->usable.others >> other & 1);
        settled[s] = !names->plain[s] ? 0 : fits ? 1ull << other : UINT64_MAX;
    }
    for (bool grew = true; grew;) {
        grew = false;
        for (uint32_t s = names->state_count; s-- > AUTOMATON_START;) {
            const uint64_t before = settled[s];
            if (before != UINT64_MAX)
                settled[s] |= settled_behind(object, s, classes[names->plain[s]]);
            grew |= settled[s] != before;
        }
    }
    for (uint32_t s = AUTOMATON_START; s < names->state_count; s++)
        if (!names->plain[s] || settled[s] == UINT64_MAX)
            settled[s] = 0;
}

static uint32_t count_bits(const struct schema_set *set)
{
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof set->bits / sizeof *set->bits; i++)
        count += (uint32_t)__builtin_popcountll(set->bits[i]);
    return count;
}

/* A name that is not listed may come twice, and is then one property. Of those that count, one
 * beside those required is another for sure; two may be the same. */
static bool counts_twice(const struct schema_object *object)
{
    const uint32_t required = count_bits(&object->required);
    return object->open && object->usable.others != 0 && object->min > required + 1;
}

enum status schema_object_finish(const struct schema_build *build, struct schema_object *object)
{
    const struct automaton *names = &object->names;
    if (counts_twice(object))
        return schema_parts_refuse(&build->document, object->minimum,
                                   "minProperties of two or more, beside those required, where "
                                   "names that are not listed may come,",
                                   build->err);
    object->minimum = NULL;
    for (uint32_t state = AUTOMATON_START; state < names->state_count; state++) {
        if (!automaton_ends(names, state))
            continue;
        const uint16_t way = object->way[state];
        const uint32_t other = way - object->name_count;
        if (way < object->name_count && bit(&object->usable.names, way))
            put_bit(&object->reach[state].names, way);
        else if (way >= object->name_count && (object->usable.others >> other & 1))
            object->reach[state].others |= 1ull << other;
    }
    const size_t entries = (size_t)names->state_count * names->class_count;
    for (bool grew = true; grew;) {
        grew = false;
        for (size_t i = entries; i-- > names->class_count;)
            if (names->next[i] != AUTOMATON_DEAD)
                grew |= add_ways(&object->reach[i / names->class_count],
                                 &object->reach[names->next[i]]);
    }
    fill_settled(object);
    return OK;
}
