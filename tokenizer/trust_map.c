/* trust_map - see trust_map.h. */
#include "tokenizer/trust_map.h"

#include <stdlib.h>

static bool reserve(struct trust_map *map, size_t count)
{
    if (count <= map->capacity)
        return true;
    struct special_range *ranges = reallocarray(map->ranges, count, sizeof *ranges);
    if (!ranges)
        return false;
    map->ranges = ranges;
    map->capacity = count;
    return true;
}

/* How far both texts are known to go together. */
struct place {
    size_t text, changed;
};

/* Goes on to offset of the text. False: they do not, or there is no memory to tell: either way
 * nothing more is trusted. */
static bool go_on(struct trust_map *map, const struct normalizer *normalizer,
                  const struct trust_stretch *stretch, size_t offset, struct place *place)
{
    struct text part = text_slice(stretch->text, place->text, offset);
    const struct text rest =
        text_slice(stretch->changed, place->changed, stretch->changed.size);
    if (part.size == 0)
        return true;
    if (!normalizer_apply_part(normalizer, &map->scratch, place->text == 0, &part) ||
        !text_starts(rest, part))
        return false;
    place->text = offset;
    place->changed += part.size;
    return true;
}

static size_t clip(size_t offset, const struct trust_stretch *stretch)
{
    const size_t inside = offset > stretch->begin ? offset - stretch->begin : 0;
    return inside < stretch->text.size ? inside : stretch->text.size;
}

bool trust_map_make(struct trust_map *map, const struct normalizer *normalizer,
                    struct trust_stretch stretch, struct special_trust trust)
{
    struct place place = {0, 0};
    map->count = 0;
    if (!reserve(map, trust.range_count))
        return false;
    for (size_t i = 0; i < trust.range_count; i++) {
        const size_t begin = clip(trust.ranges[i].begin, &stretch);
        const size_t end = clip(trust.ranges[i].end, &stretch);
        if (begin == end)
            continue;
        if (begin == 0 && end == stretch.text.size) {
            map->ranges[map->count++] = (struct special_range){0, stretch.changed.size};
            break;
        }
        if (!go_on(map, normalizer, &stretch, begin, &place))
            break;
        const size_t changed = place.changed;
        if (!go_on(map, normalizer, &stretch, end, &place))
            break;
        map->ranges[map->count++] = (struct special_range){changed, place.changed};
    }
    return true;
}

void trust_map_deinit(struct trust_map *map)
{
    free(map->ranges);
    normalizer_scratch_deinit(&map->scratch);
    *map = (struct trust_map){0};
}
