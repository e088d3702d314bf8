/* regex_open - see regex_open.h. */
#include "engine/regex_open.h"

/* Copies of a range that are worth it: with fewer the automaton does without counting. */
enum { RANGES_MIN = 1000, CHARACTERS_MAX = 1 << 20 };

struct opening {
    struct arena *arena;
    uint64_t characters; /* of what stands beside the repetition, and of it */
    bool begins, ends;   /* ^ and $ were met */
    bool is_open;        /* the repetition was met */
    bool any;            /* something was */
};

/* Whether all its texts have as many characters. */
static bool is_fixed(const struct regex_part *part, uint64_t *characters)
{
    uint64_t other = 0;
    *characters = part->kind == REGEX_SET;
    switch (part->kind) {
    case REGEX_EMPTY:
    case REGEX_SET:
        return true;
    case REGEX_CAT:
    case REGEX_ALT:
        if (!is_fixed(part->a, characters) || !is_fixed(part->b, &other))
            return false;
        if (part->kind == REGEX_ALT)
            return *characters == other;
        *characters += other;
        return *characters <= CHARACTERS_MAX;
    case REGEX_REPEAT:
        if (part->min != part->max || !is_fixed(part->a, characters))
            return false;
        *characters *= part->min;
        return *characters <= CHARACTERS_MAX;
    case REGEX_BEGIN:
    case REGEX_END:
        return false;
    }
    return false;
}

/* Of a part that is_fixed; each is entered once, however often it is repeated. */
static uint64_t count_ranges(const struct regex_part *part)
{
    if (part->kind == REGEX_CAT || part->kind == REGEX_ALT)
        return count_ranges(part->a) + count_ranges(part->b);
    return part->kind == REGEX_REPEAT ? count_ranges(part->a) : part->count;
}

static bool copy(struct opening *opening, struct regex_part value,
                 const struct regex_part **copied)
{
    struct regex_part *made = ARENA_NEW(opening->arena, struct regex_part, 1);
    if (made)
        *made = value;
    *copied = made;
    return made != NULL;
}

static bool open_repeat(struct opening *opening, const struct regex_part *part,
                        const struct regex_part **open)
{
    struct regex_part endless = *part;
    uint64_t each = 0;
    if (opening->is_open || part->max == REGEX_NO_MAX || !is_fixed(part->a, &each) || each == 0)
        return false;
    if ((part->max - part->min) * count_ranges(part->a) < RANGES_MIN)
        return false;
    opening->is_open = true;
    opening->characters += part->max * each;
    endless.max = REGEX_NO_MAX;
    return copy(opening, endless, open);
}

/* One after another, as they are read. */
static bool open_part(struct opening *opening, const struct regex_part *part,
                      const struct regex_part **open)
{
    uint64_t characters = 0;
    struct regex_part both = *part;
    *open = part;
    if (part->kind == REGEX_BEGIN) {
        opening->begins = !opening->any;
        return opening->begins;
    }
    if (part->kind == REGEX_END) {
        opening->ends = true;
        return true;
    }
    if (part->kind == REGEX_CAT)
        return open_part(opening, part->a, &both.a) && open_part(opening, part->b, &both.b) &&
               copy(opening, both, open);
    opening->any = true;
    if (!opening->begins || opening->ends)
        return false;
    if (part->kind == REGEX_REPEAT && part->min != part->max)
        return open_repeat(opening, part, open);
    const bool fits = is_fixed(part, &characters);
    opening->characters += characters;
    return fits && opening->characters <= CHARACTERS_MAX;
}

bool regex_open(const struct regex_part *part, struct arena *arena,
                const struct regex_part **open, uint32_t *characters)
{
    struct opening opening = {.arena = arena};
    if (!open_part(&opening, part, open) || !opening.is_open || !opening.ends)
        return false;
    *characters = (uint32_t)opening.characters;
    return true;
}
