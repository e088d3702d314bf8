/* schema_build - see schema_build.h. */
#include "engine/schema_build.h"

#include <stddef.h>

enum { SLOTS = 4 * SCHEMA_NODES_MAX };

enum status schema_build_init(struct schema_build *build, const struct json *root,
                              struct arena *arena, struct error *err)
{
    *build = (struct schema_build){
        .document = schema_ref_document(root),
        .nodes = ARENA_NEW(arena, struct schema_node, SCHEMA_NODES_MAX),
        .parts = ARENA_NEW(arena, const struct schema_parts *, SCHEMA_NODES_MAX),
        .slots = ARENA_NEW(arena, uint16_t, SLOTS),
        .node_count = 1,
        .work = SCHEMA_BUILD_WORK_MAX,
        .arena = arena,
        .err = err};
    build->document.work = &build->work;
    if (!build->nodes || !build->parts || !build->slots)
        FAIL(err, ERR_MEMORY, "schema: no room for %d nodes", SCHEMA_NODES_MAX);
    return OK;
}

enum status schema_build_node(struct schema_build *build, const struct schema_parts *parts,
                              uint16_t *node)
{
    *node = 0;
    if (parts->none)
        return OK;
    uint32_t slot = schema_parts_hash(parts) % SLOTS;
    for (; build->slots[slot]; slot = (slot + 1) % SLOTS)
        if (schema_parts_equal(build->parts[build->slots[slot]], parts)) {
            *node = build->slots[slot];
            return OK;
        }
    /* only the parts that there are; never assigned as a whole */
    const size_t size =
        offsetof(struct schema_parts, parts) + parts->count * sizeof *parts->parts;
    struct schema_parts *kept =
        arena_push(build->arena, 1, size, _Alignof(struct schema_parts));
    if (!kept)
        FAIL(build->err, ERR_MEMORY, "schema: the arena is full");
    if (build->node_count == SCHEMA_NODES_MAX)
        FAIL(build->err, ERR_LIMIT, "schema: more than %d kinds of values", SCHEMA_NODES_MAX);
    schema_parts_copy(kept, parts);
    build->parts[build->node_count] = kept;
    build->slots[slot] = (uint16_t)build->node_count;
    *node = (uint16_t)build->node_count++;
    return OK;
}
