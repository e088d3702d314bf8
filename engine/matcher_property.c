/* matcher_property - see matcher_property.h. */
#include "engine/matcher_property.h"

bool matcher_property_fits(const struct schema_object *object,
                           const struct matcher_frame *frame, uint32_t way,
                           struct schema_option option)
{
    struct schema_progress progress = {.seen = frame->seen,
                                       .count = frame->count + 1,
                                       .met = (uint16_t)(frame->met | option.meets)};
    if (way < object->name_count) {
        if (frame->seen.bits[way / 64] >> (way % 64) & 1)
            return false;
        progress.seen.bits[way / 64] |= 1ull << (way % 64);
    }
    return schema_object_can_end(object, &progress);
}

bool matcher_property_way_fits(const struct schema_object *object,
                               const struct matcher_frame *frame, uint32_t way)
{
    const struct schema_options *options = &object->ways[way];
    for (uint32_t i = 0; i < options->count; i++)
        if (matcher_property_fits(object, frame, way, options->list[i]))
            return true;
    return false;
}

bool matcher_property_can_come(const struct schema_object *object,
                               const struct matcher_frame *frame)
{
    const struct schema_ways *reach = &object->reach[frame->state];
    for (uint64_t left = reach->others; left; left &= left - 1)
        if (matcher_property_way_fits(object, frame,
                                      object->name_count + (uint32_t)__builtin_ctzll(left)))
            return true;
    for (uint32_t word = 0; word < SCHEMA_NAMES_MAX / 64; word++)
        for (uint64_t left = reach->names.bits[word] & ~frame->seen.bits[word]; left;
             left &= left - 1)
            if (matcher_property_way_fits(object, frame,
                                          word * 64 + (uint32_t)__builtin_ctzll(left)))
                return true;
    return false;
}
