/* schema_names - see schema_names.h. */
#include "engine/schema_names.h"

#include "engine/regex.h"
#include "engine/schema_choice.h"
#include "engine/schema_facts.h"
#include "engine/schema_text.h"

#include <string.h>

enum { SETS_MAX = 64, DEPTH_MAX = 32 };

/* The automata whose texts, together, are the strings of one schema. */
struct collected {
    struct schema_build *build;
    struct automaton *sets; /* [SETS_MAX] */
    uint16_t *labels;       /* [SETS_MAX] */
    uint32_t count;
    uint16_t label;
    uint32_t depth;
};

uint32_t schema_names_find(const struct schema_names *names, struct text name)
{
    uint32_t at = 0;
    while (at < names->count && !text_equal(names->list[at], name))
        at++;
    return at;
}

static enum status add_name(struct schema_names *names, struct text name, struct error *err)
{
    if (schema_names_find(names, name) < names->count)
        return OK;
    if (names->count == SCHEMA_NAMES_MAX)
        FAIL(err, ERR_LIMIT, "properties: more than %d", SCHEMA_NAMES_MAX);
    names->list[names->count++] = name;
    return OK;
}

static uint32_t find_kind(const struct schema_names *names, struct text pattern,
                          const struct json *schema)
{
    uint32_t at = 0;
    while (at < names->kind_count && (names->schemas[at] != schema ||
                                      (!schema && !text_equal(names->patterns[at], pattern))))
        at++;
    return at;
}

static enum status add_kind(struct schema_names *names, struct text pattern,
                            const struct json *schema, struct error *err)
{
    if (find_kind(names, pattern, schema) < names->kind_count)
        return OK;
    if (names->kind_count == SCHEMA_NAMES_KINDS_MAX)
        FAIL(err, ERR_LIMIT, "patternProperties: more than %d", SCHEMA_NAMES_KINDS_MAX);
    names->patterns[names->kind_count] = pattern;
    names->schemas[names->kind_count++] = schema;
    return OK;
}

bool schema_names_match(const struct schema_names *names, uint32_t mask, struct text pattern)
{
    return mask >> find_kind(names, pattern, NULL) & 1;
}

bool schema_names_is_of(const struct schema_names *names, uint32_t mask,
                        const struct json *schema)
{
    return mask >> find_kind(names, TEXT(""), schema) & 1;
}

static enum status add_members(struct schema_names *names, const struct json *object,
                               struct error *err)
{
    for (const struct json *each = json_first(object); each; each = json_next(each))
        TRY(add_name(names, json_key(each), err));
    return OK;
}

static enum status collect_schema(struct schema_names *names, const struct json *schema,
                                  struct error *err)
{
    struct text name;
    bool more = true;
    TRY(add_members(names, json_get(schema, "properties"), err));
    const struct json *required = json_get(schema, "required");
    const struct json *each = json_type(required) == JSON_ARRAY ? json_first(required) : NULL;
    for (; each; each = json_next(each))
        if (json_text(each, &name))
            TRY(add_name(names, name, err));
    const struct json *patterns = json_get(schema, "patternProperties");
    for (each = json_first(patterns); each; each = json_next(each))
        TRY(add_kind(names, json_key(each), NULL, err));
    if (json_bool(schema_parts_additional(schema), &more) && !more && !json_first(patterns) &&
        !schema_parts_asks_properties(schema))
        names->closed = true;
    const struct json *of = json_get(schema, "propertyNames");
    return of ? add_kind(names, TEXT(""), of, err) : OK;
}

enum status schema_names_collect(struct schema_names *names, const struct schema_parts *parts,
                                 struct error *err)
{
    for (uint32_t i = 0; i < parts->count; i++) {
        const struct schema_part *part = &parts->parts[i];
        switch ((enum schema_part_kind)part->kind) {
        case SCHEMA_PART_HOLDS:
            TRY(collect_schema(names, part->at, err));
            break;
        case SCHEMA_PART_EQUALS:
            TRY(add_members(names, part->at, err));
            names->closed = true;
            break;
        case SCHEMA_PART_HAS:
        case SCHEMA_PART_LACKS:
            TRY(add_name(names, part->name, err));
            break;
        case SCHEMA_PART_PATTERN:
            TRY(add_kind(names, part->name, NULL, err));
            break;
        case SCHEMA_PART_NAMED:
            TRY(add_kind(names, TEXT(""), part->at, err));
            break;
        case SCHEMA_PART_OTHER: /* what its owner lists, so that it is told apart */
            TRY(add_members(names, part->at ? NULL : part->schema, err));
            TRY(add_members(names, part->at ? json_get(part->schema, "properties") : NULL,
                            err));
            for (const struct json *each =
                     json_first(part->at ? json_get(part->schema, "patternProperties") : NULL);
                 each; each = json_next(each))
                TRY(add_kind(names, json_key(each), NULL, err));
            break;
        default:
            break;
        }
    }
    return OK;
}

/* Names that lead to some states. */
struct few {
    const struct automaton *made;
    const bool *wanted;
    bool *leads; /* [state_count] on to a state that is wanted */
    struct arena *arena;
    struct text list[SCHEMA_NAMES_FEW];
    uint32_t count, count_max;
    char path[SCHEMA_NAMES_FEW_BYTES];
    uint32_t size; /* of the path, in list_exact */
};

static void fill_leads(const struct few *few)
{
    const struct automaton *made = few->made;
    bool grew = true;
    for (uint32_t s = AUTOMATON_START; s < made->state_count; s++)
        few->leads[s] = few->wanted[s];
    while (grew) {
        grew = false;
        for (size_t i = (size_t)made->state_count * made->class_count; i-- > 0;) {
            bool *here = &few->leads[i / made->class_count];
            if (*here || !few->leads[made->next[i]])
                continue;
            *here = grew = true;
        }
    }
}

static bool keep_path(struct few *few, uint32_t size)
{
    char *name = few->count < few->count_max ? ARENA_NEW(few->arena, char, size + 1u) : NULL;
    if (!name)
        return false;
    memcpy(name, few->path, size);
    few->list[few->count++] = (struct text){name, size};
    return true;
}

/* False: they are too many, too long, or have to be escaped. */
static bool list_paths(struct few *few, uint32_t state, uint32_t size)
{
    if (few->wanted[state] && !keep_path(few, size))
        return false;
    for (int byte = 0; byte < 256; byte++) {
        const uint32_t next = automaton_step(few->made, state, (uint8_t)byte);
        if (!few->leads[next])
            continue;
        if (size == SCHEMA_NAMES_FEW_BYTES || byte == '\\')
            return false;
        few->path[size] = (char)byte;
        if (!list_paths(few, next, size + 1))
            return false;
    }
    return true;
}

/* Whether states lead to one that is wanted by so many bytes exactly: from what is so of one
 * byte less. */
static void fill_exact(const struct few *few, bool *exact, uint32_t size)
{
    const struct automaton *made = few->made;
    const size_t entries = (size_t)made->state_count * made->class_count;
    bool *here = exact + (size_t)size * made->state_count;
    if (size == 0) {
        memcpy(here, few->wanted, made->state_count * sizeof *here);
        return;
    }
    const bool *before = here - made->state_count;
    for (size_t i = made->class_count; i < entries; i++)
        here[i / made->class_count] |= before[made->next[i]];
}

/* The bytes of names, those first that a name has seldom: a text hardly uses such a name. */
static int nth_byte(int n)
{
    const int byte = n <= '~' - ' ' ? '~' - n : 0x80 + n - ('~' - ' ' + 1);
    return byte > UINT8_MAX ? -1 : byte == '\\' || byte == '"' ? 0 : byte;
}

/* Names of exactly so many bytes from state on, until there are count. */
static void list_exact(struct few *few, const bool *exact, uint32_t state, uint32_t left)
{
    const uint32_t size = few->size;
    if (left == 0) {
        (void)keep_path(few, size);
        return;
    }
    for (int n = 0; nth_byte(n) >= 0 && few->count < few->count_max; n++) {
        const uint32_t next = automaton_step(few->made, state, (uint8_t)nth_byte(n));
        if (nth_byte(n) == 0 || next == AUTOMATON_DEAD ||
            !exact[(size_t)(left - 1) * few->made->state_count + next])
            continue;
        few->path[size] = (char)nth_byte(n);
        few->size = size + 1;
        list_exact(few, exact, next, left - 1);
        few->size = size;
    }
}

/* At least a byte longer than the shortest, which somebody may well want to use, or else
 * that. */
static void list_some(struct few *few, bool *exact)
{
    uint32_t shortest = UINT32_MAX;
    for (uint32_t size = 0; size <= SCHEMA_NAMES_FEW_BYTES && few->count < few->count_max;
         size++) {
        fill_exact(few, exact, size);
        if (!exact[(size_t)size * few->made->state_count + AUTOMATON_START])
            continue;
        if (shortest != UINT32_MAX)
            list_exact(few, exact, AUTOMATON_START, size);
        else
            shortest = size;
    }
    if (few->count < few->count_max && shortest != UINT32_MAX)
        list_exact(few, exact, AUTOMATON_START, shortest);
}

static enum status add_few(struct schema_names *names, const struct few *few, struct error *err)
{
    for (uint32_t i = 0; i < few->count; i++)
        TRY(add_name(names, few->list[i], err));
    return OK;
}

enum status schema_names_list_few(struct schema_names *names, const struct automaton *made,
                                  const bool *wanted, const struct schema_build *build,
                                  bool *listed)
{
    struct few few = {.made = made,
                      .wanted = wanted,
                      .arena = build->arena,
                      .count_max = SCHEMA_NAMES_FEW,
                      .leads = ARENA_NEW(build->arena, bool, made->state_count)};
    if (!few.leads)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    TRY(schema_ref_charge(&build->document,
                          (uint64_t)made->state_count * made->class_count / 16, build->err));
    fill_leads(&few);
    *listed = list_paths(&few, AUTOMATON_START, 0);
    return *listed ? add_few(names, &few, build->err) : OK;
}

enum status schema_names_list_some(struct schema_names *names, const struct automaton *made,
                                   const bool *wanted, const struct schema_build *build,
                                   uint32_t count)
{
    bool *exact =
        ARENA_NEW(build->arena, bool, (SCHEMA_NAMES_FEW_BYTES + 1) * (size_t)made->state_count);
    struct few few = {
        .made = made, .wanted = wanted, .arena = build->arena, .count_max = count};
    if (!exact)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    TRY(schema_ref_charge(&build->document, (uint64_t)made->state_count * made->class_count,
                          build->err));
    list_some(&few, exact);
    return add_few(names, &few, build->err);
}

/* The strings of a set, by what its choices come to. */
static enum status collect_strings(void *context, const struct schema_parts *parts)
{
    struct collected *all = context;
    struct schema_build *build = all->build;
    struct schema_facts facts;
    if (schema_choice_is_left(parts)) {
        const struct schema_choice_to to = {&build->document, collect_strings, context};
        if (all->depth == DEPTH_MAX)
            FAIL(build->err, ERR_LIMIT, "propertyNames: more than %d choices within another",
                 DEPTH_MAX);
        all->depth++;
        TRY(schema_choice_take(&to, parts, build->err));
        all->depth--;
        return OK;
    }
    TRY(schema_facts_read(parts, &facts, build->err));
    if (parts->none || !(facts.types & SCHEMA_STRING))
        return OK;
    if (all->count == SETS_MAX)
        FAIL(build->err, ERR_LIMIT, "propertyNames: more than %d choices", SETS_MAX);
    struct schema_values values;
    TRY(schema_facts_values(parts, &values, build->err));
    all->labels[all->count] = all->label;
    const struct schema_strings strings = {.parts = parts, .values = &values};
    return schema_text_strings(build, &strings, &all->sets[all->count++]);
}

static enum status collect_kinds(const struct schema_names *names, struct collected *all)
{
    struct schema_build *build = all->build;
    for (uint32_t k = 0; k < names->kind_count; k++) {
        struct schema_parts parts;
        if (!names->schemas[k])
            continue;
        schema_parts_init(&parts);
        all->label = (uint16_t)k;
        TRY(schema_parts_add(&build->document, &parts, SCHEMA_HOLDS, names->schemas[k],
                             build->err));
        TRY(collect_strings(all, &parts));
    }
    return OK;
}

enum status schema_names_make(struct schema_build *build, const struct schema_names *names,
                              struct automaton *made)
{
    struct nfa nfa;
    uint16_t start = 0;
    struct collected all = {.build = build,
                            .sets = ARENA_NEW(build->arena, struct automaton, SETS_MAX),
                            .labels = ARENA_NEW(build->arena, uint16_t, SETS_MAX)};
    if (!all.sets || !all.labels)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    TRY(collect_kinds(names, &all));
    TRY(automaton_nfa(&nfa, build->arena, build->err));
    nfa.work = &build->work;
    struct regex_target target = {.nfa = &nfa,
                                  .scratch = build->arena,
                                  .options = {.bytes = REGEX_JSON, .span = REGEX_SEARCH}};
    for (uint32_t i = 0; i < names->count; i++) {
        target.after = automaton_accept(&nfa, (uint16_t)(AUTOMATON_MASKED_LABELS + i));
        nfa.start = automaton_split(&nfa, nfa.start, regex_literal(&target, names->list[i]));
    }
    for (uint32_t k = 0; k <= names->kind_count; k++) {
        const bool any = k == names->kind_count;
        if (any ? names->closed : names->schemas[k] != NULL)
            continue;
        target.after = automaton_accept(&nfa, (uint16_t)(any ? SCHEMA_NAMES_ANY : k));
        TRY(regex_add(&target, any ? TEXT("") : names->patterns[k], &start, build->err));
        nfa.start = automaton_split(&nfa, nfa.start, start);
    }
    for (uint32_t i = 0; i < all.count; i++)
        nfa.start = automaton_split(&nfa, nfa.start,
                                    automaton_embed(&nfa, &all.sets[i], all.labels[i]));
    return automaton_make(made, &nfa, (struct automaton_want){0}, build->arena, build->err);
}
