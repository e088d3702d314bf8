/* mask_walk - see mask_walk.h. */
#include "engine/mask_walk.h"

#include "engine/automaton_plain.h"
#include "engine/matcher_fewest.h"
#include "engine/matcher_property.h"
#include "engine/schema_fewest.h"

#include <string.h>

enum { WORD_BITS = 32 };

/* Where the walk is after some bytes of the current branch. */
struct mask_walk_place {
    uint32_t mark; /* of the matcher, when the walk came here */
    bool is_inside;
    uint32_t bound;               /* is_inside: matcher_fewest_bound from where that began */
    struct matcher_inside inside; /* is_inside */
    struct matcher_state ways;    /* otherwise */
};

size_t mask_walk_bytes(const struct text *bytes, uint32_t vocab)
{
    size_t nodes = 0;
    for (uint32_t t = 0; t < vocab; t++)
        nodes += bytes[t].size;
    return nodes * 2 * sizeof(struct vocab_tree_node) + vocab * 5 * sizeof(token_id) +
           (VOCAB_TREE_DEPTH_MAX + 2) * sizeof(struct mask_walk_place) +
           MATCHER_FRAMES_MAX * (sizeof(struct matcher_frame) + 7 * sizeof(uint16_t)) +
           sizeof(struct schema_fewest_names) +
           SCHEMA_FEWEST_NAMES * (size_t)AUTOMATON_STATES_MAX * 2 * sizeof(uint32_t) +
           matcher_property_bytes() + 4096;
}

static uint32_t plain_characters(struct text text)
{
    const uint32_t count = automaton_plain_characters(text);
    return count > MASK_WALK_CHARACTERS_MAX ? 0 : count;
}

static void set(uint32_t *mask, token_id token)
{
    mask[(uint32_t)token / WORD_BITS] |= 1u << (uint32_t)token % WORD_BITS;
}

static void clear(uint32_t *mask, token_id token)
{
    mask[(uint32_t)token / WORD_BITS] &= ~(1u << (uint32_t)token % WORD_BITS);
}

/* The plain tokens, by counting how many have how many characters. */
static void fill_plain(struct mask_walk *walk)
{
    uint32_t *first = walk->plain_first;
    for (uint32_t t = 0; t < walk->vocab; t++) {
        const uint32_t characters = plain_characters(walk->bytes[t]);
        if (characters == 0)
            continue;
        set(walk->plain, (token_id)t);
        first[characters + 1]++;
    }
    for (uint32_t c = 1; c <= MASK_WALK_CHARACTERS_MAX; c++)
        first[c + 1] += first[c];
    uint32_t at[MASK_WALK_CHARACTERS_MAX + 2];
    memcpy(at, first, sizeof at);
    for (uint32_t t = 0; t < walk->vocab; t++) {
        const uint32_t characters = plain_characters(walk->bytes[t]);
        if (characters > 0)
            walk->plain_tokens[at[characters]++] = (token_id)t;
    }
}

enum status mask_walk_init(struct mask_walk *walk, const struct text *bytes, uint32_t vocab,
                           struct arena *arena, struct error *err)
{
    struct mask_walk made = {
        .bytes = bytes, .vocab = vocab, .words = (vocab + WORD_BITS - 1) / WORD_BITS};
    made.plain = ARENA_NEW(arena, uint32_t, made.words);
    made.plain_tokens = ARENA_NEW(arena, token_id, vocab);
    made.path = ARENA_NEW(arena, struct mask_walk_place, VOCAB_TREE_DEPTH_MAX + 1);
    if (!made.plain || !made.plain_tokens || !made.path)
        FAIL(err, ERR_MEMORY, "masks over %u tokens: the arena is full", vocab);
    fill_plain(&made);
    struct vocab_tree_source source = {bytes, vocab, NULL};
    TRY(vocab_tree_init(&made.tree, &source, arena, err));
    source.without = made.plain;
    TRY(vocab_tree_init(&made.special, &source, arena, err));
    TRY(matcher_init(&made.matcher, NULL, arena, err));
    *walk = made;
    return OK;
}

static void set_tokens(const struct vocab_tree *tree, uint32_t node, uint32_t *mask)
{
    for (uint32_t i = tree->nodes[node].tokens; i < tree->nodes[node + 1].tokens; i++)
        set(mask, tree->tokens[i]);
}

static void enter_place(struct matcher *matcher, struct mask_walk_place *place)
{
    place->is_inside = matcher_inside_enter(matcher, &place->ways, &place->inside);
    place->bound = place->is_inside ? matcher_fewest_bound(matcher, &place->inside) : 0;
    place->mark = matcher_mark(matcher);
}

/* False: the byte does not fit there. */
static bool step_place(struct matcher *matcher, const struct mask_walk_place *from,
                       uint8_t byte, struct mask_walk_place *to)
{
    struct matcher_state left;
    const struct matcher_state *ways = &from->ways;
    matcher_rewind(matcher, from->mark);
    if (from->is_inside && byte != '"') {
        to->is_inside = true;
        to->bound = from->bound;
        to->mark = from->mark;
        return matcher_inside_step(matcher, &from->inside, byte, &to->inside);
    }
    if (from->is_inside) {
        matcher_inside_leave(matcher, &from->inside, &left);
        ways = &left;
    }
    if (!matcher_step(matcher, ways, byte, &to->ways))
        return false;
    enter_place(matcher, to);
    return true;
}

/* Adds the plain tokens of at most so many characters: the whole mask, less those that are
 * longer, or one by one, whichever is fewer. */
static void add_plain(const struct mask_walk *walk, uint32_t characters, uint32_t *mask)
{
    const uint32_t most =
        characters < MASK_WALK_CHARACTERS_MAX ? characters : MASK_WALK_CHARACTERS_MAX;
    const uint32_t fitting = walk->plain_first[most + 1];
    const uint32_t all = walk->plain_first[MASK_WALK_CHARACTERS_MAX + 1];
    if (fitting < all / 2) {
        for (uint32_t i = 0; i < fitting; i++)
            set(mask, walk->plain_tokens[i]);
        return;
    }
    for (uint32_t i = 0; i < walk->words; i++)
        mask[i] |= walk->plain[i];
    for (uint32_t i = fitting; i < all; i++)
        clear(mask, walk->plain_tokens[i]);
}

/* Adds the plain tokens of first to last characters. */
static void add_plain_within(const struct mask_walk *walk, struct matcher_characters within,
                             uint32_t *mask)
{
    if (within.first <= 1) {
        add_plain(walk, within.last, mask);
        return;
    }
    const uint32_t last =
        within.last < MASK_WALK_CHARACTERS_MAX ? within.last : MASK_WALK_CHARACTERS_MAX;
    if (within.first > last)
        return;
    for (uint32_t i = walk->plain_first[within.first]; i < walk->plain_first[last + 1]; i++)
        set(mask, walk->plain_tokens[i]);
}

/* What is asked for, and what came of it so far. */
struct mask_search {
    uint32_t *mask;
    uint32_t left, most;
    bool is_exact;
};

/* Adds the tokens of a node from behind which so many bytes lead to an end. */
static void add_tokens(struct mask_search *search, const struct vocab_tree *tree, uint32_t node,
                       uint32_t fewest)
{
    if (search->left != MASK_WALK_ANY && fewest >= search->left)
        return;
    search->most = fewest > search->most ? fewest : search->most;
    set_tokens(tree, node, search->mask);
}

static bool has_tokens(const struct vocab_tree *tree, uint32_t node)
{
    return tree->nodes[node].tokens < tree->nodes[node + 1].tokens;
}

/* Of strings and names, where the search asks for no less, a bound that is had for nothing.
 * Within names no more is looked up until a text needs it, which most texts never do: each of
 * the names that are possible is asked for what it leaves. */
static uint32_t place_fewest(struct matcher *matcher, const struct mask_walk_place *place,
                             const struct mask_search *search)
{
    const bool is_loose = search->left == MASK_WALK_ANY && !search->is_exact;
    if (!place->is_inside)
        return is_loose ? matcher_fewest_loosely(matcher, &place->ways)
                        : matcher_fewest(matcher, &place->ways);
    if (place->bound < search->left ||
        (is_loose && matcher_place(&place->inside.ways[0]) == MATCHER_IN_NAME))
        return place->bound;
    return matcher_fewest_inside(matcher, &place->inside);
}

/* From walk->path[0] on. */
static void walk_tree(struct mask_walk *walk, const struct vocab_tree *tree,
                      struct mask_search *search)
{
    struct matcher *matcher = &walk->matcher;
    for (uint32_t i = 0; i < tree->node_count;) {
        const struct vocab_tree_node *node = &tree->nodes[i];
        struct mask_walk_place *to = &walk->path[node->depth];
        if (!step_place(matcher, to - 1, node->byte, to)) {
            i = node->end;
            continue;
        }
        if (has_tokens(tree, i))
            add_tokens(search, tree, i, place_fewest(matcher, to, search));
        i++;
    }
}

/* Adds the plain tokens that begin as a node does. */
static void add_under(const struct mask_walk *walk, uint32_t node, uint32_t *mask)
{
    const struct vocab_tree *tree = &walk->tree;
    const uint32_t end = tree->nodes[tree->nodes[node].end].tokens;
    for (uint32_t i = tree->nodes[node].tokens; i < end; i++) {
        const uint32_t token = (uint32_t)tree->tokens[i];
        mask[token / WORD_BITS] |= walk->plain[token / WORD_BITS] & 1u << token % WORD_BITS;
    }
}

/* Adds plain tokens in a string or a name: what is sure to leave too many bytes is passed over
 * with all that begins so, and what is sure not to is added with it. */
static void walk_plain(struct mask_walk *walk, struct mask_search *search)
{
    struct matcher *matcher = &walk->matcher;
    const struct vocab_tree *tree = &walk->tree;
    for (uint32_t i = 0; i < tree->node_count;) {
        const struct vocab_tree_node *node = &tree->nodes[i];
        struct mask_walk_place *to = &walk->path[node->depth];
        if (node->byte == '"' || !step_place(matcher, to - 1, node->byte, to) ||
            !matcher_fewest_keep(matcher, &to->inside, search->left)) {
            i = node->end;
        } else if (matcher_fewest_settled(matcher, &to->inside) < search->left) {
            add_under(walk, i, search->mask);
            i = node->end;
        } else {
            if (has_tokens(tree, i))
                add_tokens(search, tree, i, place_fewest(matcher, to, search));
            i++;
        }
    }
}

/* Adds plain tokens in a string or a name that may leave too many bytes: by their characters,
 * or one by one where that does not tell. */
static void add_hurried(struct mask_walk *walk, struct mask_search *search)
{
    const struct matcher_inside *inside = &walk->path[0].inside;
    bool is_known = true;
    if (matcher_fewest_floor(&walk->matcher, inside) >= search->left)
        return;
    for (uint32_t i = 0; i < inside->count; i++) {
        struct matcher_characters within;
        if (matcher_fewest_plain(&walk->matcher, &inside->ways[i], search->left, &within))
            add_plain_within(walk, within, search->mask);
        else
            is_known = false;
    }
    if (!is_known)
        walk_plain(walk, search);
}

/* Adds plain tokens in a string or a name that leave as few bytes as asked. Returns the tree
 * with those that are left. */
static const struct vocab_tree *add_inside(struct mask_walk *walk, struct mask_search *search)
{
    const struct mask_walk_place *place = &walk->path[0];
    bool exact;
    if (search->left != MASK_WALK_ANY && place->bound >= search->left) {
        add_hurried(walk, search);
        return &walk->special;
    }
    const uint32_t characters = matcher_inside_plain(&walk->matcher, &place->inside, &exact);
    search->most = characters > 0 ? place->bound : 0;
    add_plain(walk, characters, search->mask);
    return exact ? &walk->special : &walk->tree;
}

static void walk_schema(struct mask_walk *walk, const struct mask_walk_ask *ask,
                        struct mask_search *search)
{
    struct mask_walk_place *first = &walk->path[0];
    const struct vocab_tree *tree = &walk->tree;
    constraint_resume(ask->constraint, ask->text, &walk->matcher, &first->ways);
    enter_place(&walk->matcher, first);
    if (first->is_inside)
        tree = add_inside(walk, search);
    walk_tree(walk, tree, search);
}

/* One more than to where the text may end, for the token that ends it if it could go on. */
static uint32_t state_fewest(const struct automaton *automaton, uint32_t state)
{
    bool goes_on = automaton->distance[state] > 0;
    for (uint32_t c = 0; c < automaton->class_count && !goes_on; c++)
        goes_on = automaton->next[state * automaton->class_count + c] != AUTOMATON_DEAD;
    return goes_on ? automaton->distance[state] + 1u : 0;
}

static void walk_regex(const struct mask_walk *walk, const struct mask_walk_ask *ask,
                       struct mask_search *search)
{
    const struct automaton *automaton = &ask->constraint->automaton;
    const struct vocab_tree *tree = &walk->tree;
    uint32_t states[VOCAB_TREE_DEPTH_MAX + 1] = {ask->text->state};
    if (automaton->plain && automaton->plain[states[0]]) {
        const uint32_t most = automaton->farthest + 1u;
        const bool is_any = search->left == MASK_WALK_ANY || most < search->left;
        search->most = is_any ? most : 0;
        if (is_any || automaton->plain_farthest + 1u < search->left)
            add_plain(walk, UINT32_MAX, search->mask);
        if (is_any || automaton->plain_farthest + 1u < search->left ||
            automaton->plain_nearest + 1u >= search->left)
            tree = &walk->special;
    }
    for (uint32_t i = 0; i < tree->node_count;) {
        const struct vocab_tree_node *node = &tree->nodes[i];
        const uint32_t next = automaton_step(automaton, states[node->depth - 1], node->byte);
        if (next == AUTOMATON_DEAD) {
            i = node->end;
            continue;
        }
        states[node->depth] = next;
        if (has_tokens(tree, i))
            add_tokens(search, tree, i, state_fewest(automaton, next));
        i++;
    }
}

uint32_t mask_walk_add(struct mask_walk *walk, const struct mask_walk_ask *ask, uint32_t *mask)
{
    struct mask_search search = {.mask = mask, .left = ask->left, .is_exact = ask->is_exact};
    if (ask->constraint->kind == CONSTRAINT_REGEX)
        walk_regex(walk, ask, &search);
    else
        walk_schema(walk, ask, &search);
    return search.most;
}

uint32_t mask_walk_fewest(struct mask_walk *walk, const struct constraint *constraint,
                          const struct constraint_text *text)
{
    struct matcher_state state;
    if (constraint->kind == CONSTRAINT_REGEX)
        return state_fewest(&constraint->automaton, text->state);
    constraint_resume(constraint, text, &walk->matcher, &state);
    return matcher_fewest(&walk->matcher, &state);
}
