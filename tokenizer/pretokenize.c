/* pretokenize - see pretokenize.h. */
#include "tokenizer/pretokenize.h"

#include <assert.h>

static_assert(SPLITTER_STEPS_MAX <= 8, "a step is a bit of a byte");

/* Notes what the bytes of a piece tell of step i. */
static void note_bytes(struct pretokenize *pretokenize, uint32_t i)
{
    struct pretokenize_step *step = &pretokenize->steps[i];
    const uint32_t bit = 1u << i;
    struct split_bytes bytes;
    split_automaton_bytes(&step->automaton, &bytes);
    step->loop = bytes.loop;
    if (step->is_inverted || bytes.is_any)
        pretokenize->always = (uint8_t)(pretokenize->always | bit);
    for (uint32_t byte = 0; byte < 256; byte++) {
        const bool is_ascii = byte < 128;
        const uint32_t bits = (!is_ascii || bytes.begins[byte] ? bit : 0) |
                              (!is_ascii || bytes.ends[byte] ? bit << 8 : 0) |
                              (!is_ascii || bytes.follows[byte] ? bit << 16 : 0) |
                              (!is_ascii || bytes.leaves[byte] ? bit << 24 : 0);
        pretokenize->bytes[byte] |= bits;
    }
}

enum status pretokenize_init(struct pretokenize *pretokenize,
                             const struct tokenizer_split *steps, uint32_t step_count,
                             struct arena *arena, struct error *err)
{
    if (step_count > SPLITTER_STEPS_MAX)
        FAIL(err, ERR_LIMIT, "splitter: %u steps, the limit is %d", step_count,
             SPLITTER_STEPS_MAX);
    *pretokenize = (struct pretokenize){.step_count = step_count};
    for (uint32_t i = 0; i < step_count; i++) {
        struct pretokenize_step *step = &pretokenize->steps[i];
        step->behavior = steps[i].behavior;
        step->is_inverted = steps[i].is_inverted;
        TRY(split_automaton_make(&step->automaton, &steps[i], arena, err));
        note_bytes(pretokenize, i);
    }
    return OK;
}

static void enter(struct pretokenize_level *level, size_t begin, size_t end)
{
    level->at = level->from = begin;
    level->end = end;
    level->match_end = SIZE_MAX;
    level->has_match = level->has_ahead = false;
}

void pretokenize_begin(struct pretokenize_cursor *cursor, const struct pretokenize *pretokenize,
                       struct text text)
{
    cursor->pretokenize = pretokenize;
    cursor->text = text;
    cursor->has_begun = pretokenize->step_count > 0;
    cursor->step = 0;
    if (cursor->has_begun)
        enter(&cursor->levels[0], 0, text.size);
}

/* Past the character at at. */
static size_t past(struct text text, size_t at)
{
    if (at >= text.size)
        return at + 1;
    (void)text_utf8_next(text, &at);
    return at;
}

/* The next match, which may be empty, or what lies before it. */
static bool next_item(const struct pretokenize_step *step, struct pretokenize_level *level,
                      struct text text, struct pretokenize_item *item)
{
    const struct text window = {text.data, level->end};
    struct split_found found;
    if (level->has_match) {
        level->has_match = false;
        level->at = level->match.end;
        *item = level->match;
        return true;
    }
    while (split_automaton_find(&step->automaton, window, level->from, &found)) {
        const bool is_empty = found.end == found.begin;
        level->from = is_empty ? past(window, found.end) : found.end;
        if (is_empty && found.end == level->match_end)
            continue;
        level->match_end = found.end;
        level->match = (struct pretokenize_item){found.begin, found.end, !step->is_inverted};
        level->has_match = found.begin > level->at;
        *item = found.begin > level->at
                    ? (struct pretokenize_item){level->at, found.begin, step->is_inverted}
                    : level->match;
        level->at = item->end;
        return true;
    }
    *item = (struct pretokenize_item){level->at, level->end, step->is_inverted};
    level->at = level->end;
    return item->end > item->begin;
}

static bool take_item(const struct pretokenize_step *step, struct pretokenize_level *level,
                      struct text text, struct pretokenize_item *item)
{
    if (!level->has_ahead)
        return next_item(step, level, text, item);
    level->has_ahead = false;
    *item = level->ahead;
    return true;
}

/* The item after this one is looked at, and joined with it where it is (not) a match. */
static bool join(const struct pretokenize_step *step, struct pretokenize_level *level,
                 struct text text, bool if_match, struct pretokenize_item *item)
{
    level->has_ahead = take_item(step, level, text, &level->ahead);
    if (!level->has_ahead || level->ahead.is_match != if_match)
        return false;
    item->end = level->ahead.end;
    level->has_ahead = false;
    return true;
}

/* The way of most pieces: a match that begins where the piece does and is one by itself. */
static bool next_match(const struct pretokenize_step *step, struct pretokenize_level *level,
                       struct text text, struct pretokenize_item *item)
{
    if (level->at >= level->end || level->from != level->at || level->has_match ||
        level->has_ahead || step->behavior != TOKENIZER_ISOLATED)
        return false;
    const struct text window = {text.data, level->end};
    const size_t end = split_automaton_match(&step->automaton, window, level->at);
    if (end == SIZE_MAX || end == level->at)
        return false;
    *item = (struct pretokenize_item){level->at, end, true};
    level->at = level->from = level->match_end = end;
    return true;
}

/* The next piece of the piece that a step stands in, its matches joined as it says; false:
 * there is none left in it. */
static bool next_joined(const struct pretokenize_step *step, struct pretokenize_level *level,
                        struct text text, struct pretokenize_item *item)
{
    if (!take_item(step, level, text, item))
        return false;
    if (step->behavior == TOKENIZER_MERGED_PREVIOUS && !item->is_match)
        (void)join(step, level, text, true, item);
    else if (step->behavior == TOKENIZER_MERGED_NEXT && item->is_match)
        (void)join(step, level, text, false, item);
    while (step->behavior == TOKENIZER_CONTIGUOUS &&
           join(step, level, text, item->is_match, item))
        ;
    return true;
}

/* The same, but for what is removed, and for empty pieces: an empty match only cuts. */
static bool next_in(const struct pretokenize_step *step, struct pretokenize_level *level,
                    struct text text, struct pretokenize_item *item)
{
    if (next_match(step, level, text, item))
        return true;
    if (level->at == level->end && !level->has_match && !level->has_ahead)
        return false; /* at the end there are but empty matches, which cut nothing */
    do {
        if (!next_joined(step, level, text, item))
            return false;
    } while (item->begin == item->end ||
             (step->behavior == TOKENIZER_REMOVED && item->is_match));
    return true;
}

/* Whether a step takes a piece as one match: it then stays as it is. leaves: some byte from the
 * third on leaves the step's loop. */
static bool takes_all(const struct pretokenize_step *step, struct text text,
                      struct pretokenize_item item, bool leaves)
{
    const struct text window = {text.data, item.end};
    if (step->behavior != TOKENIZER_ISOLATED)
        return false;
    if (!leaves && item.end - item.begin >= 2 && step->loop != 0 &&
        split_automaton_enter(&step->automaton, text.data + item.begin) == step->loop)
        return true;
    return split_automaton_match(&step->automaton, window, item.begin) == item.end;
}

/* The first step after i that may do something in a piece; step_count: none. */
static uint32_t next_step(const struct pretokenize *p, uint32_t i, struct text text,
                          struct pretokenize_item item)
{
    uint32_t rest = 0;
    const size_t second = item.begin + (item.end - item.begin > 1 ? 1 : 0);
    for (size_t at = second + 1; at < item.end; at++)
        rest |= p->bytes[(uint8_t)text.data[at]];
    const uint32_t first = p->bytes[(uint8_t)text.data[item.begin]];
    const uint32_t last = p->bytes[(uint8_t)text.data[item.end - 1]];
    const uint32_t seen = first | rest | p->bytes[(uint8_t)text.data[second]];
    const uint32_t may = (seen & seen >> 8 & (last >> 8 | seen >> 16)) | p->always;
    for (i++; i < p->step_count; i++) {
        if ((may >> i & 1) && !takes_all(&p->steps[i], text, item, rest >> 24 >> i & 1))
            break;
    }
    return i;
}

bool pretokenize_next(struct pretokenize_cursor *cursor, struct text *piece)
{
    const struct pretokenize *p = cursor->pretokenize;
    struct pretokenize_item item;
    if (p->step_count == 0) {
        const bool is_first = !cursor->has_begun;
        cursor->has_begun = true;
        *piece = cursor->text;
        return is_first && piece->size > 0;
    }
    /* Up to the first step that has a piece left, and down again through those that may cut. */
    uint32_t i = cursor->step;
    for (;;) {
        if (next_in(&p->steps[i], &cursor->levels[i], cursor->text, &item)) {
            const uint32_t next =
                i + 1 < p->step_count ? next_step(p, i, cursor->text, item) : i + 1;
            if (next == p->step_count)
                break;
            enter(&cursor->levels[next], item.begin, item.end);
            cursor->levels[next].above = i;
            i = next;
        } else if (i == 0) {
            return false;
        } else {
            i = cursor->levels[i].above;
        }
    }
    cursor->step = i;
    *piece = text_slice(cursor->text, item.begin, item.end);
    return true;
}
