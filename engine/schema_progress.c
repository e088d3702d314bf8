/* schema_progress - see schema_progress.h. */
#include "engine/schema_progress.h"

#include <assert.h>
#include <string.h>

enum { SETS = 1 << SCHEMA_NEEDS_MAX, NEVER = UINT8_MAX };
static_assert(SETS == 32, "a bit for each set of needs");

static bool bit(const struct schema_set *set, uint32_t n)
{
    return set->bits[n / 64] >> (n % 64) & 1;
}

static uint32_t count_bits(const struct schema_set *set, const struct schema_set *without)
{
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof set->bits / sizeof *set->bits; i++)
        count += (uint32_t)__builtin_popcountll(set->bits[i] & ~without->bits[i]);
    return count;
}

/* A property more, ahead of those that fewest tells of: it meets one of the sets of needs. */
static bool add_property(uint32_t sets, uint32_t cost, const uint8_t *fewest, uint8_t *with)
{
    bool fell = false;
    for (; sets; sets &= sets - 1) {
        const uint32_t meets = (uint32_t)__builtin_ctz(sets);
        for (uint32_t met = 0; met < SETS; met++) {
            const uint32_t then = fewest[met | meets];
            if (then == NEVER || then + cost >= with[met])
                continue;
            with[met] = (uint8_t)(then + cost);
            fell = true;
        }
    }
    return fell;
}

/* Of names that are not listed: each as often as it is of use. */
static void fill_others(struct schema_object *object)
{
    memset(object->others, NEVER, sizeof object->others);
    object->others[object->needs] = 0;
    for (bool fell = true; fell;) {
        fell = false;
        for (uint32_t way = object->name_count; way < object->way_count; way++)
            fell |= add_property(object->sets[way], 1, object->others, object->others);
    }
}

/* The first listed name that stands to needs and to being required as this one does. */
static uint32_t first_alike(const struct schema_object *object, uint32_t name)
{
    uint32_t first = 0;
    while (object->sets[first] != object->sets[name] ||
           bit(&object->required, first) != bit(&object->required, name) ||
           bit(&object->reserved, first) != bit(&object->reserved, name))
        first++;
    return first;
}

void schema_progress_fill(struct schema_object *object)
{
    for (uint32_t way = 0; way < object->way_count; way++) {
        const struct schema_options *options = &object->ways[way];
        object->sets[way] = 0;
        for (uint32_t i = 0; i < options->count; i++)
            object->sets[way] |= 1u << options->list[i].meets;
    }
    for (uint32_t name = 0; name < object->name_count; name++)
        object->alike[name] = (uint16_t)first_alike(object, name);
    fill_others(object);
}

uint32_t schema_progress_may_meet(const struct schema_object *object, uint32_t way)
{
    uint32_t meets = 0;
    for (uint32_t sets = object->by_value ? object->sets[way] : 0; sets; sets &= sets - 1)
        meets |= (uint32_t)__builtin_ctz(sets);
    return meets & object->by_value;
}

bool schema_progress_is_free(const struct schema_object *object, uint32_t way, uint32_t met,
                             uint32_t meets)
{
    const uint32_t left = schema_progress_may_meet(object, way) & ~met;
    return way >= object->name_count || !bit(&object->reserved, way) || left == 0 ||
           (meets & left) != 0;
}

bool schema_progress_may_repeat(const struct schema_object *object, uint32_t way, uint32_t met,
                                uint32_t meets)
{
    return way < object->name_count ||
           ((met ^ meets) & schema_progress_may_meet(object, way)) == 0;
}

/* From each set of needs: fewest properties, those that are required for nothing. */
static void fewest_from(const struct schema_object *object, const struct schema_set *seen,
                        uint8_t fewest[SETS])
{
    uint8_t used[SCHEMA_NAMES_MAX] = {0};
    uint8_t with[SETS];
    memcpy(fewest, object->others, SETS);
    for (uint32_t n = 0; n < object->name_count; n++) {
        if ((object->sets[n] & ~1u) == 0 || bit(seen, n) ||
            used[object->alike[n]] == SCHEMA_NEEDS_MAX)
            continue;
        used[object->alike[n]]++;
        memcpy(with, fewest, sizeof with);
        if (add_property(object->sets[n], bit(&object->required, n) ? 0 : 1, fewest, with))
            memcpy(fewest, with, sizeof with);
    }
}

/* Whether those seen are the first of the list: then the others can still come in order. */
static bool is_in_order(const struct schema_progress *progress)
{
    static const struct schema_set none = {.bits = {0}};
    const uint32_t count = count_bits(&progress->seen, &none);
    for (uint32_t n = 0; n < count; n++)
        if (!bit(&progress->seen, n))
            return false;
    return true;
}

/* With so many further properties, those missing among them. */
static bool is_within(const struct schema_object *object,
                      const struct schema_progress *progress, uint32_t fewest)
{
    const uint64_t least =
        (uint64_t)progress->count + fewest + count_bits(&object->required, &progress->seen);
    if (fewest == NEVER || least > object->max || object->min > object->max)
        return false;
    return object->usable.others != 0 ||
           (uint64_t)progress->count + count_bits(&object->usable.names, &progress->seen) >=
               object->min;
}

bool schema_progress_can_end(const struct schema_object *object,
                             const struct schema_progress *progress)
{
    uint8_t fewest[SETS] = {0};
    if (object->in_order && !is_in_order(progress))
        return false;
    if (object->needs != progress->met)
        fewest_from(object, &progress->seen, fewest);
    return is_within(object, progress, fewest[progress->met]);
}

bool schema_progress_can_take(const struct schema_object *object,
                              const struct schema_progress *progress, uint32_t way)
{
    struct schema_progress after = *progress;
    uint8_t fewest[SETS] = {0};
    uint32_t least = NEVER;
    after.count++;
    if (way < object->name_count)
        after.seen.bits[way / 64] |= 1ull << (way % 64);
    if (object->in_order && !is_in_order(&after))
        return false;
    if (object->needs != progress->met)
        fewest_from(object, &after.seen, fewest);
    for (uint32_t sets = object->sets[way]; sets; sets &= sets - 1) {
        const uint32_t meets = (uint32_t)__builtin_ctz(sets);
        const uint32_t then = fewest[progress->met | meets];
        if (then < least && schema_progress_is_free(object, way, progress->met, meets))
            least = then;
    }
    return is_within(object, &after, least);
}
