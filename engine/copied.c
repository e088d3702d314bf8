/*
 * copied - see copied.h.
 *
 * A suffix automaton (Blumer et al. 1985) of the text, in which only the suffixes that begin
 * with a word count, as in Inenaga and Takeda's word suffix trees (2006): the empty suffix is
 * one of them just where a word begins. Two texts are one state when they end at the same
 * places. For that the places of a text must be among those of its ends (what is left when
 * something is taken off its front): so it is because copied_text tells whether a word begins
 * at a byte from that byte and what is before it. (Tried: from the whole character. Then "a "
 * with half a character has places that half the character alone has not.)
 *
 * The state after the first n bytes of the text is n + 1, and its first way, the text's own
 * next byte to state n + 2, is not stored: most states have no other. States past the text are
 * those that had to be told from one of these (clones). At a break the text begins anew, and
 * the state behind it is never come to.
 *
 * Afterwards each state learns from the states whose places are among its own how near an end
 * is. Ways to where there is none are left out.
 */
#include "engine/copied.h"

#include <assert.h>
#include <string.h>

static_assert(2 * COPIED_TEXT_SPELLED_MAX + 2 < 1 << 24, "a way has 24 bits for a state");

/* A state that is being built. */
struct draft_state {
    uint32_t length; /* bytes of its longest text */
    uint32_t link;   /* the state of its longest proper end that is another; 0: none */
    uint32_t way;    /* first of its ways; 0: none */
};

struct draft_way {
    uint32_t to; /* state << 8 | byte */
    uint32_t next;
};

struct build {
    const struct copied_text *text;
    struct draft_state *states;
    uint32_t state_count;
    struct draft_way *ways;
    uint32_t way_count;
    uint32_t room;       /* of states, and of ways */
    uint32_t start[256]; /* the ways of START */
};

static uint8_t own_byte(const struct copied_text *text, uint32_t state)
{
    return state <= text->size ? text->bytes[state - 1] : 0;
}

/* The stored way of state by byte; NULL: it has none. */
static uint32_t *find_way(struct build *build, uint32_t state, uint8_t byte)
{
    for (uint32_t way = build->states[state].way; way; way = build->ways[way].next)
        if ((uint8_t)build->ways[way].to == byte)
            return &build->ways[way].to;
    return NULL;
}

static uint32_t get(struct build *build, uint32_t state, uint8_t byte)
{
    if (state == COPIED_START)
        return build->start[byte];
    if (own_byte(build->text, state) == byte)
        return state + 1;
    const uint32_t *way = find_way(build, state, byte);
    return way ? *way >> 8 : COPIED_DEAD;
}

static void add(struct build *build, uint32_t state, uint8_t byte, uint32_t to)
{
    if (state == COPIED_START) {
        build->start[byte] = to;
        return;
    }
    struct draft_state *from = &build->states[state];
    assert(build->way_count < build->room);
    build->ways[build->way_count] = (struct draft_way){.to = to << 8 | byte, .next = from->way};
    from->way = build->way_count++;
}

/* A state of its own for those texts of another that have at most length bytes. */
static uint32_t clone(struct build *build, uint32_t of, uint32_t length)
{
    assert(build->state_count < build->room);
    const uint32_t made = build->state_count++;
    build->states[made].length = length;
    build->states[made].link = build->states[of].link;
    const uint8_t own = own_byte(build->text, of);
    if (own)
        add(build, made, own, of + 1);
    for (uint32_t way = build->states[of].way; way; way = build->ways[way].next)
        add(build, made, (uint8_t)build->ways[way].to, build->ways[way].to >> 8);
    build->states[of].link = made;
    return made;
}

/* From state on along the links, byte led to `from`: now to `to`. */
static void redirect(struct build *build, uint32_t state, uint8_t byte, uint32_t from,
                     uint32_t to)
{
    for (; state && get(build, state, byte) == from; state = build->states[state].link) {
        if (state == COPIED_START)
            build->start[byte] = to;
        else
            *find_way(build, state, byte) = to << 8 | byte;
    }
}

/* Takes byte `at` of the text; last is the state before it. */
static uint32_t extend(struct build *build, uint32_t at, uint32_t last)
{
    struct draft_state *states = build->states;
    const uint8_t byte = build->text->bytes[at];
    const bool word_begins = build->text->marks[at] & COPIED_TEXT_BEGINS;
    const uint32_t made = at + 2;
    states[made].length = states[last].length + 1;
    states[made].link = COPIED_START;
    uint32_t state = last == at + 1 && last != COPIED_START ? states[last].link : last;
    uint32_t to = COPIED_DEAD;
    while (state && (state != COPIED_START || word_begins)) {
        to = get(build, state, byte);
        if (to)
            break;
        add(build, state, byte, made);
        state = states[state].link;
    }
    if (!to)
        return made;
    if (states[to].length != states[state].length + 1) {
        const uint32_t copy = clone(build, to, states[state].length + 1);
        redirect(build, state, byte, to, copy);
        to = copy;
    }
    states[made].link = to;
    return made;
}

static void build_states(struct build *build)
{
    const struct copied_text *text = build->text;
    build->state_count = text->size + 1;
    build->way_count = 1;
    uint32_t last = COPIED_START;
    for (uint32_t at = 0; at + 1 < text->size; at++)
        last = text->bytes[at] ? extend(build, at, last) : (uint32_t)COPIED_START;
}

/* What each place of the text knows by itself. */
static void fill_places(struct copied *made)
{
    const struct copied_text *text = &made->text;
    uint16_t distance = COPIED_NEVER;
    uint16_t characters = COPIED_NEVER;
    uint32_t left = 0;
    for (uint32_t at = text->size; at-- > 0;) {
        /* Byte `at` leads from place `at`, state at + 1, to place at + 1. */
        const uint8_t marks = at > 0 ? text->marks[at - 1] : 0;
        if (text->bytes[at] == 0) {
            distance = characters = COPIED_NEVER;
            left = 0;
        } else if (distance != COPIED_NEVER) {
            const bool whole = text->marks[at] & COPIED_TEXT_WHOLE;
            distance++;
            characters = (uint16_t)(characters + whole);
            left += whole;
        }
        if (marks & COPIED_TEXT_ENDS)
            distance = characters = 0;
        made->states[at + 1] =
            (struct copied_state){.place = at, .distance = distance, .characters = characters};
        made->left[at] = left;
    }
}

static uint16_t lesser(uint16_t a, uint16_t b)
{
    return a < b ? a : b;
}

/* Of two places, the one with more text behind it; the first of equals, so that what follows
 * the better of two is the better of what follows them. */
static bool is_better(const struct copied *made, uint32_t place, uint32_t than)
{
    const uint32_t a = made->left[place];
    const uint32_t b = made->left[than];
    return a > b || (a == b && place < than);
}

/* Gives a state's knowledge to the one whose texts are ends of its own. */
static void pass_on(struct copied *made, const struct copied_state *state,
                    struct copied_state *to)
{
    if (to->distance == COPIED_NEVER || is_better(made, state->place, to->place))
        to->place = state->place;
    to->distance = lesser(to->distance, state->distance);
    to->characters = lesser(to->characters, state->characters);
}

/* Each state passes on when all have passed on to it: length counts those that have not. */
static void pass_all_on(struct copied *made, struct draft_state *states)
{
    for (uint32_t s = COPIED_START; s < made->state_count; s++)
        states[s].length = 0;
    for (uint32_t s = COPIED_START; s < made->state_count; s++)
        states[states[s].link].length++;
    for (uint32_t s = COPIED_START + 1; s < made->state_count; s++) {
        uint32_t from = s;
        while (from > COPIED_START && states[from].length == 0) {
            const uint32_t to = states[from].link;
            states[from].length = UINT32_MAX; /* done */
            if (to > COPIED_START)
                pass_on(made, &made->states[from], &made->states[to]);
            states[to].length--;
            from = to;
        }
    }
}

/* An end is a word's end, so START asks the states that it leads to. */
static void fill_start(const struct build *build, struct copied *made)
{
    struct copied_state *start = &made->states[COPIED_START];
    *start = (struct copied_state){.distance = COPIED_NEVER, .characters = COPIED_NEVER};
    for (uint32_t byte = 0; byte < 256; byte++) {
        const uint32_t to = build->start[byte];
        const struct copied_state *state = &made->states[to];
        if (!to || state->distance == COPIED_NEVER)
            continue;
        const bool whole = copied_is_whole(made, to);
        const uint32_t place = state->place - 1;
        if (start->distance == COPIED_NEVER || is_better(made, place, start->place))
            start->place = place;
        start->distance = lesser(start->distance, (uint16_t)(state->distance + 1));
        start->characters = lesser(start->characters, (uint16_t)(state->characters + whole));
    }
}

/* Adds a way behind those of its state, in the order of bytes. */
static void keep_way(struct copied *made, uint32_t first, uint32_t way)
{
    if (made->states[way >> 8].distance == COPIED_NEVER)
        return;
    uint32_t at = made->way_count++;
    for (; at > first && (uint8_t)made->ways[at - 1] > (uint8_t)way; at--)
        made->ways[at] = made->ways[at - 1];
    made->ways[at] = way;
}

static void keep_ways(const struct build *build, struct copied *made)
{
    for (uint32_t s = 0; s <= made->state_count; s++) {
        const uint32_t first = made->way_count;
        made->states[s].first_way = first;
        for (uint32_t b = 0; b < 256 && s == COPIED_START; b++)
            if (build->start[b])
                keep_way(made, first, build->start[b] << 8 | b);
        if (s == made->state_count)
            break;
        for (uint32_t way = build->states[s].way; way; way = build->ways[way].next)
            keep_way(made, first, build->ways[way].to);
    }
    for (uint32_t at = 0; at + 1 < made->text.size; at++)
        if (made->states[at + 2].distance == COPIED_NEVER)
            made->text.bytes[at] = 0;
}

/* The tables stand behind what they were made with, and take its place. */
static void settle(struct copied *made, const struct build *build, struct arena *arena)
{
    const size_t state_bytes = (made->state_count + 1) * sizeof *made->states;
    const size_t way_bytes = made->way_count * sizeof *made->ways;
    uint8_t *to = (uint8_t *)build->states;
    memmove(to, made->states, state_bytes);
    memmove(to + state_bytes, made->ways, way_bytes);
    made->states = (struct copied_state *)(void *)to;
    made->ways = (uint32_t *)(void *)(to + state_bytes);
    arena_rewind(arena, (size_t)(to + state_bytes + way_bytes - arena->base));
}

enum status copied_make(struct copied *made, struct text chunk, struct arena *arena,
                        struct error *err)
{
    *made = (struct copied){0};
    TRY(copied_text_make(&made->text, chunk, arena, err));
    const size_t size = made->text.size;
    const size_t room = 2 * size + 2; /* SPELLED_MAX keeps states within 24 bits */
    made->left = ARENA_NEW(arena, uint32_t, size);
    struct build build = {.text = &made->text,
                          .room = (uint32_t)room,
                          .states = ARENA_NEW(arena, struct draft_state, room),
                          .ways = ARENA_NEW(arena, struct draft_way, room)};
    if (!made->left || !build.states || !build.ways)
        FAIL(err, ERR_MEMORY, "chunk to copy from: no room to build from %zu bytes", size);
    build_states(&build);
    made->state_count = build.state_count;
    made->states = ARENA_NEW(arena, struct copied_state, build.state_count + 1);
    made->ways = ARENA_NEW(arena, uint32_t, build.way_count + 256);
    if (!made->states || !made->ways)
        FAIL(err, ERR_MEMORY, "chunk to copy from: no room for %u states", build.state_count);
    for (uint32_t s = 0; s < made->state_count; s++)
        made->states[s].distance = made->states[s].characters = COPIED_NEVER;
    fill_places(made);
    pass_all_on(made, build.states);
    fill_start(&build, made);
    keep_ways(&build, made);
    settle(made, &build, arena);
    return OK;
}

uint32_t copied_step(const struct copied *copied, uint32_t state, uint8_t byte)
{
    if (byte == 0)
        return COPIED_DEAD;
    if (state > COPIED_START && own_byte(&copied->text, state) == byte)
        return state + 1;
    uint32_t low = copied->states[state].first_way;
    uint32_t high = copied->states[state + 1].first_way;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const uint32_t way = copied->ways[middle];
        if ((uint8_t)way == byte)
            return way >> 8;
        if ((uint8_t)way < byte)
            low = middle + 1;
        else
            high = middle;
    }
    return COPIED_DEAD;
}

bool copied_reaches(const struct copied *copied, uint32_t state, uint32_t least, uint32_t most)
{
    const struct copied_state *from = &copied->states[state];
    if (from->distance == COPIED_NEVER)
        return false;
    if (least == 0)
        return from->characters <= most;
    if (copied->left[from->place] < least)
        return false;
    if (most == COPIED_NO_MAX)
        return true;
    uint32_t count = 0;
    for (uint32_t at = from->place;; at++) { /* left says that there is such an end */
        const uint8_t marks = copied->text.marks[at];
        count += (marks & COPIED_TEXT_WHOLE) != 0;
        if (count > most)
            return false;
        if (count >= least && marks & COPIED_TEXT_ENDS)
            return true;
    }
}
