/* schema_needs - see schema_needs.h. */
#include "engine/schema_needs.h"

#include "engine/schema_facts.h"

enum status schema_needs_add(struct schema_needs *needs, const struct schema_part *part,
                             struct error *err)
{
    if (needs->count == SCHEMA_NEEDS_MAX)
        FAIL(err, ERR_LIMIT, "schema: more than %d things that some property or item must meet",
             SCHEMA_NEEDS_MAX);
    needs->parts[needs->count++] = part;
    return OK;
}

bool schema_needs_by_value(const struct schema_part *part)
{
    bool of_all = false;
    if (!part->at || part->kind == SCHEMA_PART_NAMED)
        return false;
    if (!json_bool(part->at, &of_all))
        return true;
    return part->role == SCHEMA_HOLDS ? !of_all : part->role != SCHEMA_FAILS || of_all;
}

/* Adds what a value that meets the needs of a mask must be. */
static enum status add_met(const struct schema_build *build, const struct schema_needs *needs,
                           uint32_t mask, struct schema_parts *parts)
{
    for (uint32_t n = 0; n < needs->count; n++) {
        const struct schema_part *part = needs->parts[n];
        if ((mask >> n & 1) && part->at && part->kind != SCHEMA_PART_NAMED)
            TRY(schema_parts_add(&build->document, parts, (enum schema_role)part->role,
                                 part->at, build->err));
    }
    return OK;
}

/* Whether the needs of a mask are to be met by items apart: copies of one. */
static bool has_copies(const struct schema_needs *needs, uint32_t mask)
{
    for (uint32_t a = 0; a < needs->count; a++)
        for (uint32_t b = a + 1; b < needs->count; b++)
            if ((mask >> a & 1) && (mask >> b & 1) &&
                needs->parts[a]->kind == SCHEMA_PART_SOME &&
                needs->parts[a]->at == needs->parts[b]->at &&
                needs->parts[a]->role == needs->parts[b]->role &&
                needs->parts[a]->index != needs->parts[b]->index)
                return true;
    return false;
}

enum status schema_needs_options(struct schema_build *build, const struct schema_needs *needs,
                                 uint32_t mask, const struct schema_parts *base,
                                 struct schema_options *options)
{
    struct schema_option list[1 << SCHEMA_NEEDS_MAX];
    uint32_t count = 0;
    for (uint32_t met = mask;; met = (met - 1) & mask) {
        struct schema_parts parts;
        struct schema_option option = {.meets = (uint16_t)met, .takes = needs->takes};
        bool hopeless = base->none || has_copies(needs, met);
        schema_parts_copy(&parts, base);
        TRY(add_met(build, needs, met, &parts));
        if ((met | needs->takes) != 0 && !hopeless)
            TRY(schema_facts_hopeless(&build->document, &parts, &hopeless, build->err));
        if (!hopeless)
            TRY(schema_build_node(build, &parts, &option.node));
        if (option.node != 0)
            list[count++] = option;
        if (met == 0)
            break;
    }
    const uint32_t before = options->total;
    struct schema_option *kept = ARENA_NEW(build->arena, struct schema_option, before + count);
    if (!kept)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    for (uint32_t i = 0; i < before + count; i++)
        kept[i] = i < before ? options->list[i] : list[i - before];
    *options = (struct schema_options){.list = kept, .total = before + count};
    return OK;
}

uint32_t schema_needs_distance(const struct schema_build *build, struct schema_options *options)
{
    uint32_t least = UINT32_MAX;
    options->count = 0;
    for (uint32_t i = 0; i < options->total; i++) {
        const struct schema_option option = options->list[i];
        const uint32_t distance = build->nodes[option.node].distance;
        least = distance < least ? distance : least;
        if (distance == UINT32_MAX)
            continue;
        options->list[i] = options->list[options->count];
        options->list[options->count++] = option;
    }
    return least;
}
