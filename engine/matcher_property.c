/* matcher_property - see matcher_property.h. */
#include "engine/matcher_property.h"

#include "engine/schema_progress.h"

#include <string.h>

enum { PLACES = 64, HASHES = 255, ESCAPED = 255 /* in place of a hash */ };

/* What is known of an object with some properties. */
struct place {
    const struct schema_object *object;
    struct schema_set seen;
    uint32_t count;
    uint32_t turn; /* it is of another schema unless this is the table's */
    uint16_t met;
    struct schema_ways known, fits; /* ways looked at, and those of them that fit */
};

struct matcher_properties {
    struct place places[PLACES];
    struct place *last; /* asked for, or NULL */
    uint32_t turn;
};

size_t matcher_property_bytes(void)
{
    return sizeof(struct matcher_properties);
}

struct matcher_properties *matcher_property_new(struct arena *arena)
{
    struct matcher_properties *kept = ARENA_NEW(arena, struct matcher_properties, 1);
    if (kept)
        kept->turn = 1;
    return kept;
}

void matcher_property_forget(struct matcher_properties *kept)
{
    kept->last = NULL;
    kept->turn++;
    if (kept->turn == 0) { /* after 2^32 turns one from long ago could look like new */
        memset(kept->places, 0, sizeof kept->places);
        kept->turn = 1;
    }
}

static bool is_place(const struct place *place, const struct schema_object *object,
                     const struct matcher_frame *frame)
{
    return place->object == object && place->count == frame->count &&
           place->met == frame->met &&
           memcmp(&place->seen, &frame->seen, sizeof place->seen) == 0;
}

static uint32_t place_index(const struct schema_object *object,
                            const struct matcher_frame *frame)
{
    uint64_t hash = (uint64_t)(uintptr_t)object / sizeof *object * 31 + frame->count;
    hash = hash * 131 + frame->met;
    for (uint32_t i = 0; i < SCHEMA_NAMES_MAX / 64; i++)
        hash = (hash ^ frame->seen.bits[i]) * 0x9e3779b97f4a7c15ull;
    return (uint32_t)(hash >> 32) % PLACES;
}

/* Another place of the same hash gives way. */
static struct place *find(struct matcher_properties *kept, const struct schema_object *object,
                          const struct matcher_frame *frame)
{
    if (kept->last && is_place(kept->last, object, frame))
        return kept->last;
    struct place *place = &kept->places[place_index(object, frame)];
    kept->last = place;
    if (place->turn == kept->turn && is_place(place, object, frame))
        return place;
    *place = (struct place){.object = object,
                            .seen = frame->seen,
                            .count = frame->count,
                            .turn = kept->turn,
                            .met = frame->met};
    return place;
}

static bool way_fits(const struct schema_object *object, const struct matcher_frame *frame,
                     uint32_t way)
{
    const struct schema_progress progress = {frame->seen, frame->count, frame->met};
    return schema_progress_can_take(object, &progress, way);
}

/* Looks at a listed name, which stands for all that are alike: but for their order. */
static bool learn_name(struct place *place, const struct matcher_frame *frame, uint32_t name)
{
    const struct schema_object *object = place->object;
    const bool fits = way_fits(object, frame, name);
    for (uint32_t n = 0; n < object->name_count; n++) {
        if (n != name && (object->in_order || object->alike[n] != object->alike[name]))
            continue;
        place->known.names.bits[n / 64] |= 1ull << (n % 64);
        place->fits.names.bits[n / 64] |= (uint64_t)fits << (n % 64);
    }
    return fits;
}

static bool learn_other(struct place *place, const struct matcher_frame *frame, uint32_t n)
{
    const bool fits = way_fits(place->object, frame, place->object->name_count + n);
    place->known.others |= 1ull << n;
    place->fits.others |= (uint64_t)fits << n;
    return fits;
}

static bool option_fits(const struct schema_object *object, const struct matcher_frame *frame,
                        uint32_t way, struct schema_option option)
{
    struct schema_progress progress = {.seen = frame->seen,
                                       .count = frame->count + 1,
                                       .met = (uint16_t)(frame->met | option.meets)};
    if (way < object->name_count) {
        if (frame->seen.bits[way / 64] >> (way % 64) & 1)
            return false;
        progress.seen.bits[way / 64] |= 1ull << (way % 64);
    }
    return schema_progress_is_free(object, way, frame->met, option.meets) &&
           schema_progress_can_end(object, &progress);
}

/* Of a way that is not listed and may meet a need by its value. False: the name may have come
 * before, and the property then make a difference. */
static bool take_other(const struct schema_object *object, uint32_t way,
                       struct schema_option option, struct matcher_frame *named)
{
    const uint32_t room = SCHEMA_NAMES_MAX - object->name_count;
    const uint32_t at = object->name_count + (room > 0 ? named->space % room : 0);
    if (room == 0 || named->space == ESCAPED || (named->seen.bits[at / 64] >> (at % 64) & 1))
        return schema_progress_may_repeat(object, way, named->met, option.meets);
    named->seen.bits[at / 64] |= 1ull << (at % 64);
    return true;
}

bool matcher_property_take(const struct schema_object *object,
                           const struct matcher_frame *frame, uint32_t way,
                           struct schema_option option, struct matcher_frame *named)
{
    if (!option_fits(object, frame, way, option))
        return false;
    *named = *frame;
    if (way < object->name_count)
        named->seen.bits[way / 64] |= 1ull << (way % 64);
    else if (schema_progress_may_meet(object, way) && !take_other(object, way, option, named))
        return false;
    named->space = 0;
    named->met |= option.meets;
    /* a count that nothing asks for any more would only tell frames apart */
    named->count += object->max != SCHEMA_NO_MAX || frame->count < object->min;
    return true;
}

void matcher_property_read(const struct schema_object *object, struct matcher_frame *frame,
                           uint8_t byte)
{
    if (object->by_value == 0 || frame->space == ESCAPED)
        return;
    frame->space = byte == '\\' ? ESCAPED : (uint8_t)((frame->space * 23u + byte) % HASHES);
}

uint64_t matcher_property_others(const struct schema_object *object,
                                 const struct matcher_frame *frame)
{
    uint64_t fitting = 0;
    for (uint64_t left = object->reach[frame->state].others; left; left &= left - 1) {
        const uint32_t n = (uint32_t)__builtin_ctzll(left);
        fitting |= (uint64_t)way_fits(object, frame, object->name_count + n) << n;
    }
    return fitting;
}

bool matcher_property_can_come(struct matcher_properties *kept,
                               const struct schema_object *object,
                               const struct matcher_frame *frame)
{
    const struct schema_ways *reach = &object->reach[frame->state];
    struct place *place = find(kept, object, frame);
    if (reach->others & place->fits.others)
        return true;
    for (uint64_t left = reach->others & ~place->known.others; left; left &= left - 1)
        if (learn_other(place, frame, (uint32_t)__builtin_ctzll(left)))
            return true;
    for (uint32_t word = 0; word < SCHEMA_NAMES_MAX / 64; word++) {
        const uint64_t names = reach->names.bits[word] & ~frame->seen.bits[word];
        if (names & place->fits.names.bits[word])
            return true;
        for (uint64_t left = names; left; left &= left - 1) {
            const uint32_t name = word * 64 + (uint32_t)__builtin_ctzll(left);
            if (place->known.names.bits[word] >> (name % 64) & 1)
                continue;
            if (learn_name(place, frame, name))
                return true;
        }
    }
    return false;
}
