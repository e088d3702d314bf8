/*
 * automaton - see automaton.h.
 *
 * Subset construction: a state is a set of NFA points. A point is a node, doubled: its odd half
 * stands behind an end-of-text assertion, from where only an end is left. Sets are found again
 * by a hash that does not see the order of their points (sorting them took half of the time).
 * States that cannot reach an end are made dead afterwards.
 */
#include "engine/automaton.h"

#include "engine/automaton_plain.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SET_POINTS = 1 << 20, SMALL_STATES = 256, SMALL_POINTS = 1 << 14, HASH_SLOTS = 1 << 14 };

/* What the construction needs; all of it scratch. */
struct subset {
    const struct nfa *nfa;
    struct automaton *made;
    struct automaton_want want;
    uint32_t state_max;
    uint32_t *points; /* the sets, one after another */
    uint32_t point_count, point_max;
    uint32_t *begin; /* [state_max + 1] where the set of a state begins */
    uint16_t *slots; /* [HASH_SLOTS] state of that hash, or 0 */
    uint32_t *seen;  /* [2 * nodes] the round in which a point was added */
    uint32_t *stack; /* [2 * nodes] */
    uint32_t round;
    uint64_t steps; /* still to be taken */
    bool *live;     /* [nodes] an end can be reached, past the text's begin */
};

enum status automaton_nfa(struct nfa *nfa, struct arena *scratch, struct error *err)
{
    const size_t mark = scratch->used;
    *nfa = (struct nfa){.mark = mark,
                        .nodes = ARENA_NEW(scratch, struct nfa_node, AUTOMATON_NODES_MAX)};
    if (!nfa->nodes)
        FAIL(err, ERR_MEMORY, "automaton: no room for %d nodes", AUTOMATON_NODES_MAX);
    nfa->nodes[nfa->count++] = (struct nfa_node){.kind = NFA_RANGE, .first = 1, .last = 0};
    return OK;
}

static uint16_t add_node(struct nfa *nfa, struct nfa_node node)
{
    if (nfa->count == AUTOMATON_NODES_MAX) {
        nfa->failed = true;
        return 0;
    }
    nfa->nodes[nfa->count] = node;
    return (uint16_t)nfa->count++;
}

uint16_t automaton_range(struct nfa *nfa, uint8_t first, uint8_t last, uint16_t after)
{
    return add_node(
        nfa, (struct nfa_node){.kind = NFA_RANGE, .first = first, .last = last, .a = after});
}

uint16_t automaton_split(struct nfa *nfa, uint16_t a, uint16_t b)
{
    return add_node(nfa, (struct nfa_node){.kind = NFA_SPLIT, .a = a, .b = b});
}

uint16_t automaton_node(struct nfa *nfa, enum nfa_kind kind, uint16_t after)
{
    return add_node(nfa, (struct nfa_node){.kind = (uint8_t)kind, .a = after, .b = after});
}

uint16_t automaton_accept(struct nfa *nfa, uint16_t label)
{
    return add_node(nfa, (struct nfa_node){.kind = NFA_ACCEPT, .label = label});
}

uint16_t automaton_bytes(struct nfa *nfa, const char *bytes, size_t size, uint16_t after)
{
    for (size_t i = size; i-- > 0;)
        after = automaton_range(nfa, (uint8_t)bytes[i], (uint8_t)bytes[i], after);
    return after;
}

uint16_t automaton_embed(struct nfa *nfa, const struct automaton *made, uint16_t label)
{
    const uint16_t end = automaton_accept(nfa, label);
    const uint32_t first = nfa->count; /* a head for each state, one after another */
    for (uint32_t state = 0; state < made->state_count; state++)
        (void)automaton_split(nfa, 0,
                              state > AUTOMATON_DEAD && automaton_ends(made, state) ? end : 0);
    for (uint32_t state = AUTOMATON_START; state < made->state_count; state++)
        for (uint32_t byte = 0; byte < 256 && !nfa->failed;) {
            const uint16_t to = automaton_step(made, state, (uint8_t)byte);
            uint32_t last = byte;
            while (last < 255 && automaton_step(made, state, (uint8_t)(last + 1)) == to)
                last++;
            if (to != AUTOMATON_DEAD) {
                const uint16_t way =
                    automaton_range(nfa, (uint8_t)byte, (uint8_t)last, (uint16_t)(first + to));
                struct nfa_node *head = &nfa->nodes[first + state];
                const uint16_t others = automaton_split(nfa, way, head->a);
                head->a = others;
            }
            byte = last + 1;
        }
    return nfa->failed ? 0 : (uint16_t)(first + AUTOMATON_START);
}

static void fill_classes(struct automaton *made, const struct nfa *nfa)
{
    bool edge[257] = {false};
    for (uint32_t i = 0; i < nfa->count; i++) {
        if (nfa->nodes[i].kind != NFA_RANGE)
            continue;
        edge[nfa->nodes[i].first] = true;
        edge[nfa->nodes[i].last + 1] = true;
    }
    uint8_t class = 0;
    for (int byte = 0; byte < 256; byte++) {
        class = (uint8_t)(class + (byte > 0 && edge[byte]));
        made->class_of[byte] = class;
    }
    made->class_count = class + 1u;
}

/* Adds point and what it reaches without a byte. Only RANGE and ACCEPT points are kept. */
static void close_point(struct subset *subset, uint32_t point, bool at_begin)
{
    uint32_t depth = 0;
    subset->stack[depth++] = point;
    while (depth > 0) {
        const uint32_t top = subset->stack[--depth];
        subset->steps -= subset->steps > 0;
        if (subset->seen[top] == subset->round || (!at_begin && !subset->live[top / 2]))
            continue;
        subset->seen[top] = subset->round;
        const struct nfa_node *node = &subset->nfa->nodes[top / 2];
        const uint32_t ended = top % 2;
        if (node->kind == NFA_ACCEPT || (node->kind == NFA_RANGE && !ended)) {
            if (subset->point_count < subset->point_max)
                subset->points[subset->point_count++] = top;
        } else if (node->kind == NFA_SPLIT) {
            subset->stack[depth++] = node->b * 2u + ended;
            subset->stack[depth++] = node->a * 2u + ended;
        } else if (node->kind == NFA_END) {
            subset->stack[depth++] = node->a * 2u + 1;
        } else if (node->kind == NFA_BEGIN && at_begin) {
            subset->stack[depth++] = node->a * 2u + ended;
        }
    }
}

/* Whether the state has the points of the set just closed, of which there are as many. */
static bool is_closed_set(const struct subset *subset, uint32_t state)
{
    for (uint32_t i = subset->begin[state]; i < subset->begin[state + 1]; i++)
        if (subset->seen[subset->points[i]] != subset->round)
            return false;
    return true;
}

/* The state of the set that begins at begin[state_count] and goes on to point_count. Gives
 * STATES_MAX when there is no room. */
static uint32_t find_state(struct subset *subset)
{
    struct automaton *made = subset->made;
    const uint32_t at = subset->begin[made->state_count];
    const uint32_t count = subset->point_count - at;
    if (count == 0)
        return AUTOMATON_DEAD;
    if (subset->point_count == subset->point_max) /* the set may not be whole */
        return AUTOMATON_STATES_MAX;
    uint64_t hash = count; /* of a sum: points come in any order */
    for (uint32_t i = at; i < subset->point_count; i++)
        hash += (subset->points[i] + 1ull) * 0x9e3779b97f4a7c15ull ^ subset->points[i] >> 7;
    uint32_t slot = (uint32_t)(hash ^ hash >> 29) % HASH_SLOTS;
    for (; subset->slots[slot]; slot = (slot + 1) % HASH_SLOTS) {
        const uint32_t state = subset->slots[slot];
        const uint32_t size = subset->begin[state + 1] - subset->begin[state];
        if (size == count && is_closed_set(subset, state)) {
            subset->point_count = at;
            return state;
        }
    }
    if (made->state_count == subset->state_max)
        return AUTOMATON_STATES_MAX;
    subset->slots[slot] = (uint16_t)made->state_count;
    subset->begin[made->state_count + 1] = subset->point_count;
    return made->state_count++;
}

static void fill_labels(struct subset *subset, uint32_t state)
{
    struct automaton *made = subset->made;
    made->label[state] = AUTOMATON_NEVER;
    made->distance[state] = AUTOMATON_NEVER;
    bool any = false;
    for (uint32_t i = subset->begin[state]; i < subset->begin[state + 1]; i++) {
        const struct nfa_node *node = &subset->nfa->nodes[subset->points[i] / 2];
        if (node->kind != NFA_ACCEPT)
            continue;
        any = true;
        if (node->label < AUTOMATON_MASKED_LABELS)
            made->mask[state] |= 1u << node->label;
        else if (node->label < made->label[state])
            made->label[state] = node->label;
    }
    const uint32_t mask = made->mask[state];
    if (any && (mask & subset->want.all) == subset->want.all && !(mask & subset->want.none))
        made->distance[state] = 0;
}

/* From where an end can be reached without an assertion of the text's begin: what is searched
 * for anywhere and anchored all the same would carry the search along with it. */
static void fill_live(struct subset *subset)
{
    const struct nfa *nfa = subset->nfa;
    bool *live = subset->live;
    for (bool grew = true; grew;) {
        grew = false;
        for (uint32_t i = 0; i < nfa->count; i++) {
            const struct nfa_node *node = &nfa->nodes[i];
            const bool leads =
                node->kind == NFA_SPLIT ? live[node->a] || live[node->b] : live[node->a];
            if (live[i] || (node->kind != NFA_ACCEPT && (node->kind == NFA_BEGIN || !leads)))
                continue;
            live[i] = grew = true;
        }
    }
}

/* Where the bytes' ways out of a state may change: at the ends of its ranges. */
static void mark_edges(const struct subset *subset, uint32_t state, bool edge[257])
{
    memset(edge, 0, 257 * sizeof *edge);
    for (uint32_t i = subset->begin[state]; i < subset->begin[state + 1]; i++) {
        const struct nfa_node *node = &subset->nfa->nodes[subset->points[i] / 2];
        if (node->kind != NFA_RANGE)
            continue;
        edge[node->first] = true;
        edge[node->last + 1] = true;
    }
}

static bool fill_row(struct subset *subset, uint32_t state)
{
    struct automaton *made = subset->made;
    bool edge[257];
    uint32_t to = AUTOMATON_DEAD;
    mark_edges(subset, state, edge);
    for (int byte = 0; byte < 256; byte++) {
        const uint8_t class = made->class_of[byte];
        if (byte > 0 && made->class_of[byte - 1] == class)
            continue;
        subset->round += edge[byte];
        for (uint32_t i = subset->begin[state]; edge[byte] && i < subset->begin[state + 1];
             i++) {
            const struct nfa_node *node = &subset->nfa->nodes[subset->points[i] / 2];
            if (node->kind == NFA_RANGE && node->first <= byte && byte <= node->last)
                close_point(subset, node->a * 2u, false);
        }
        to = edge[byte] ? find_state(subset) : to;
        if (to == AUTOMATON_STATES_MAX || subset->steps == 0)
            return false;
        made->next[state * made->class_count + class] = (uint16_t)to;
    }
    return true;
}

/* Fewest bytes to an end, by rounds; then ways to where there is none are closed. */
static void fill_distances(struct automaton *made)
{
    const size_t entries = (size_t)made->state_count * made->class_count;
    bool changed = true;
    while (changed) {
        changed = false;
        for (size_t i = entries; i-- > 0;) {
            uint16_t *distance = &made->distance[i / made->class_count];
            const uint16_t way = made->distance[made->next[i]];
            if (way == AUTOMATON_NEVER || way + 1 >= *distance)
                continue;
            *distance = (uint16_t)(way + 1);
            changed = true;
        }
    }
    for (size_t i = 0; i < entries; i++)
        if (made->distance[made->next[i]] == AUTOMATON_NEVER)
            made->next[i] = AUTOMATON_DEAD;
    made->farthest = 0;
    for (uint32_t s = AUTOMATON_START; s < made->state_count; s++)
        if (made->distance[s] != AUTOMATON_NEVER && made->distance[s] > made->farthest)
            made->farthest = made->distance[s];
}

static bool new_tables(struct automaton *made, uint32_t states, struct arena *arena)
{
    made->next = ARENA_NEW(arena, uint16_t, (size_t)states * made->class_count);
    made->mask = ARENA_NEW(arena, uint32_t, states);
    made->label = ARENA_NEW(arena, uint16_t, states);
    made->distance = ARENA_NEW(arena, uint16_t, states);
    return made->next && made->mask && made->label && made->distance;
}

/* Tables of exactly the states there are, at the arena's mark: what was behind it is moved. */
static enum status keep_tables(struct automaton *made, struct arena *arena, size_t mark,
                               struct error *err)
{
    const size_t states = made->state_count;
    const size_t row_bytes = states * made->class_count * sizeof *made->next;
    const size_t bytes = row_bytes + states * (sizeof *made->mask + sizeof *made->label +
                                               sizeof *made->distance);
    uint8_t *copy = malloc(bytes);
    if (!copy)
        FAIL(err, ERR_MEMORY, "automaton of %zu states: no memory for %zu bytes", states,
             bytes);
    uint8_t *at = copy;
    memcpy(at, made->next, row_bytes);
    memcpy(at += row_bytes, made->mask, states * sizeof *made->mask);
    memcpy(at += states * sizeof *made->mask, made->label, states * sizeof *made->label);
    memcpy(at + states * sizeof *made->label, made->distance, states * sizeof *made->distance);
    arena_rewind(arena, mark);
    const bool fits = new_tables(made, made->state_count, arena);
    if (fits) {
        at = copy;
        memcpy(made->next, at, row_bytes);
        memcpy(made->mask, at += row_bytes, states * sizeof *made->mask);
        memcpy(made->label, at += states * sizeof *made->mask, states * sizeof *made->label);
        memcpy(made->distance, at + states * sizeof *made->label,
               states * sizeof *made->distance);
    }
    free(copy);
    if (!fits)
        FAIL(err, ERR_MEMORY, "automaton of %zu states: the arena is full", states);
    return OK;
}

static bool fill_states(struct subset *subset)
{
    struct automaton *made = subset->made;
    made->state_count = 1;
    made->distance[AUTOMATON_DEAD] = made->label[AUTOMATON_DEAD] = AUTOMATON_NEVER;
    subset->round = 1;
    close_point(subset, subset->nfa->start * 2u, true);
    if (find_state(subset) == AUTOMATON_DEAD) { /* nothing is accepted */
        made->state_count = 2;
        made->distance[AUTOMATON_START] = made->label[AUTOMATON_START] = AUTOMATON_NEVER;
        return true;
    }
    for (uint32_t state = AUTOMATON_START; state < made->state_count; state++) {
        fill_labels(subset, state);
        if (!fill_row(subset, state))
            return false;
    }
    fill_distances(made);
    return true;
}

/* One try with so much room; *fits false: it takes more. */
static enum status try_make(struct subset *subset, struct arena *arena, bool *fits,
                            struct error *err)
{
    const struct nfa *nfa = subset->nfa;
    const size_t mark = arena->used;
    subset->points = ARENA_NEW(arena, uint32_t, subset->point_max);
    subset->begin = ARENA_NEW(arena, uint32_t, subset->state_max + 1);
    subset->slots = ARENA_NEW(arena, uint16_t, HASH_SLOTS);
    subset->seen = ARENA_NEW(arena, uint32_t, 2 * (size_t)nfa->count + 2);
    subset->stack = ARENA_NEW(arena, uint32_t, 4 * (size_t)nfa->count + 4);
    subset->live = ARENA_NEW(arena, bool, nfa->count);
    subset->round = subset->point_count = 0;
    if (!subset->points || !subset->begin || !subset->slots || !subset->seen ||
        !subset->stack || !subset->live || !new_tables(subset->made, subset->state_max, arena))
        FAIL(err, ERR_MEMORY, "automaton of %u nodes: the arena is full", nfa->count);
    fill_live(subset);
    *fits = fill_states(subset);
    if (*fits)
        return keep_tables(subset->made, arena, nfa->mark, err);
    arena_rewind(arena, mark);
    return OK;
}

enum status automaton_make(struct automaton *made, const struct nfa *nfa,
                           struct automaton_want want, struct arena *arena, struct error *err)
{
    if (nfa->failed)
        FAIL(err, ERR_LIMIT, "automaton: it takes more than %d nodes", AUTOMATON_NODES_MAX);
    *made = (struct automaton){0};
    fill_classes(made, nfa);
    struct subset subset = {.nfa = nfa, .made = made, .want = want};
    const uint64_t budget =
        nfa->work && *nfa->work < AUTOMATON_STEPS_MAX ? *nfa->work : AUTOMATON_STEPS_MAX;
    bool fits = false;
    subset.steps = budget;
    subset.state_max = SMALL_STATES; /* most are small, and room is zeroed */
    subset.point_max = SMALL_POINTS;
    TRY(try_make(&subset, arena, &fits, err));
    subset.state_max = AUTOMATON_STATES_MAX;
    subset.point_max = SET_POINTS;
    if (!fits && subset.steps > 0)
        TRY(try_make(&subset, arena, &fits, err));
    if (nfa->work)
        *nfa->work -= budget - subset.steps;
    if (subset.steps == 0)
        FAIL(err, ERR_LIMIT, "automaton: it takes too many steps");
    if (!fits)
        FAIL(err, ERR_LIMIT, "automaton: it takes more than %d states or %d points",
             AUTOMATON_STATES_MAX, SET_POINTS);
    return automaton_plain_fill(made, arena, err);
}
