/*
 * masks - see masks.h.
 *
 * A slot's key is the constraint's number, its chunk's, the tokens left and the place, as
 * bytes. The mask of any number of tokens left is made first, and knows how many bytes lead to
 * an end from behind any of its tokens: with as many left it is the one, for all texts that are
 * there. Only nearer to their last token have they masks of their own. A place of more than
 * KEY_MAX bytes (a hundred objects in one another, some in several ways) has a slot for its
 * step and is not found again.
 */
#include "engine/masks.h"

#include <assert.h>
#include <string.h>

enum { KEY_MAX = 8192, SLOTS_MIN = 512, WORD_BITS = 32 };

struct mask_slot {
    uint32_t *mask;
    uint8_t *key;
    uint32_t key_size;    /* 0: it is not looked for */
    uint32_t chain, next; /* next slot + 1 of the same chain */
    uint32_t turn;        /* when it was asked for last */
    uint32_t most;        /* bytes to an end from behind any of its tokens */
    uint32_t fewest;      /* bytes to an end from ahead of them; 0: not looked for yet */
    bool is_exact;        /* most was looked up, not bounded */
    bool was_used;        /* since the hand passed by */
};

/* A key that is being put together. */
struct key {
    uint8_t *bytes;
    uint32_t size; /* past KEY_MAX: it did not fit */
    uint64_t hash;
};

static void add_key(struct key *key, const void *part, size_t size)
{
    if (key->size + size <= KEY_MAX)
        memcpy(key->bytes + key->size, part, size);
    key->size += (uint32_t)size;
}

/* Eight bytes at a time; keys are compared, so it need not be a good one. */
static void end_key(struct key *key)
{
    key->hash = 0;
    if (key->size > KEY_MAX)
        return;
    memset(key->bytes + key->size, 0, sizeof(uint64_t));
    for (uint32_t at = 0; at < key->size; at += sizeof(uint64_t)) {
        uint64_t part;
        memcpy(&part, key->bytes + at, sizeof part);
        key->hash = (key->hash ^ part) * 0x9e3779b97f4a7c15ull;
        key->hash ^= key->hash >> 29;
    }
}

static struct key text_key(const struct masks *masks, const struct mask_walk_ask *ask)
{
    struct key key = {.bytes = masks->key};
    const uint64_t none = 0;
    const struct constraint_text *text = ask->text;
    const struct matcher_text *matcher = &text->matcher;
    add_key(&key, &ask->constraint->id, sizeof ask->constraint->id);
    add_key(&key, &ask->left, sizeof ask->left);
    add_key(&key, text->chunk ? &text->chunk->id : &none, sizeof none);
    add_key(&key, &text->state, sizeof text->state);
    add_key(&key, &matcher->frame_count, sizeof matcher->frame_count);
    add_key(&key, &matcher->way_count, sizeof matcher->way_count);
    add_key(&key, matcher->ways, matcher->way_count * sizeof *matcher->ways);
    add_key(&key, matcher->frames, matcher->frame_count * sizeof *matcher->frames);
    end_key(&key);
    return key;
}

static uint32_t slots_wanted(const struct masks_options *options)
{
    const uint32_t wanted =
        2 * options->rows_max; /* of a row: of any, and of its tokens left */
    return wanted > SLOTS_MIN ? wanted : SLOTS_MIN;
}

size_t masks_bytes(const struct masks_options *options)
{
    const size_t words = (options->vocab + WORD_BITS - 1) / WORD_BITS;
    const size_t slot = sizeof(struct mask_slot) + KEY_MAX + words * sizeof(uint32_t) +
                        4 * sizeof(uint32_t) + 64;
    return mask_walk_bytes(options->bytes, options->vocab) + slots_wanted(options) * slot +
           2 * KEY_MAX;
}

enum status masks_init(struct masks *masks, const struct masks_options *options,
                       struct arena *arena, struct error *err)
{
    struct masks made = {.ends = options->ends, .arena = arena, .turn = 1};
    TRY(mask_walk_init(&made.walk, options->bytes, options->vocab, arena, err));
    made.slot_max = slots_wanted(options);
    made.chain_count = made.slot_max;
    made.slots = ARENA_NEW(arena, struct mask_slot, made.slot_max);
    made.chains = ARENA_NEW(arena, uint32_t, made.chain_count);
    made.key = ARENA_NEW(arena, uint8_t, KEY_MAX + sizeof(uint64_t));
    if (!made.slots || !made.chains || !made.key)
        FAIL(err, ERR_MEMORY, "masks over %u tokens: the arena is full", options->vocab);
    *masks = made;
    return OK;
}

void masks_begin(struct masks *masks)
{
    masks->turn++;
}

static struct mask_slot *find(struct masks *masks, const struct key *key)
{
    if (key->size > KEY_MAX)
        return NULL;
    uint32_t at = masks->chains[key->hash % masks->chain_count];
    for (; at != 0; at = masks->slots[at - 1].next) {
        struct mask_slot *slot = &masks->slots[at - 1];
        if (slot->key_size == key->size && memcmp(slot->key, key->bytes, key->size) == 0)
            return slot;
    }
    return NULL;
}

static void use(const struct masks *masks, struct mask_slot *slot)
{
    slot->turn = masks->turn;
    slot->was_used = true;
}

static void forget(struct masks *masks, uint32_t index)
{
    struct mask_slot *slot = &masks->slots[index];
    if (slot->key_size == 0)
        return;
    uint32_t *link = &masks->chains[slot->chain];
    while (*link != index + 1)
        link = &masks->slots[*link - 1].next;
    *link = slot->next;
    slot->key_size = 0;
}

static bool give_memory(struct masks *masks, struct mask_slot *slot)
{
    if (!slot->key)
        slot->key = ARENA_NEW(masks->arena, uint8_t, KEY_MAX);
    if (!slot->mask)
        slot->mask = ARENA_NEW(masks->arena, uint32_t, masks->walk.words);
    return slot->key && slot->mask;
}

/* A slot that nobody needs in this step. There is one: rows_max of them are given at most. The
 * hand spares what was used since it came by last. */
static uint32_t free_slot(struct masks *masks)
{
    if (masks->slot_count < masks->slot_max) {
        const bool given = give_memory(masks, &masks->slots[masks->slot_count]);
        assert(given); /* masks_bytes */
        (void)given;
        return masks->slot_count++;
    }
    for (uint32_t tries = 0; tries <= 2 * masks->slot_max; tries++) {
        const uint32_t index = masks->hand;
        struct mask_slot *slot = &masks->slots[index];
        masks->hand = (masks->hand + 1) % masks->slot_max;
        if (slot->turn == masks->turn)
            continue;
        if (!slot->was_used) {
            forget(masks, index);
            return index;
        }
        slot->was_used = false;
    }
    assert(false); /* more masks in a step than rows_max */
    return 0;
}

/* An empty mask under that key. */
static struct mask_slot *add(struct masks *masks, const struct key *key)
{
    const uint32_t index = free_slot(masks);
    struct mask_slot *slot = &masks->slots[index];
    memset(slot->mask, 0, masks->walk.words * sizeof *slot->mask);
    use(masks, slot);
    if (key->size > KEY_MAX)
        return slot;
    memcpy(slot->key, key->bytes, key->size);
    slot->key_size = key->size;
    slot->chain = (uint32_t)(key->hash % masks->chain_count);
    slot->next = masks->chains[slot->chain];
    masks->chains[slot->chain] = index + 1;
    return slot;
}

static void add_mask(const struct masks *masks, uint32_t *to, const uint32_t *from)
{
    for (uint32_t i = 0; i < masks->walk.words; i++)
        to[i] |= from[i];
}

static struct mask_slot *slot_of(struct masks *masks, const struct mask_walk_ask *ask)
{
    const struct key key = text_key(masks, ask);
    struct mask_slot *slot = find(masks, &key);
    if (slot) {
        masks->found++;
        use(masks, slot);
        return slot;
    }
    slot = add(masks, &key);
    slot->fewest = 0;
    slot->is_exact = false;
    slot->most = mask_walk_add(&masks->walk, ask, slot->mask);
    if (constraint_is_complete(ask->constraint, ask->text))
        add_mask(masks, slot->mask, masks->ends);
    masks->made++;
    return slot;
}

/* Makes the mask of any number of tokens left once more, to know what is behind its tokens. */
static void look_up(struct masks *masks, const struct mask_walk_ask *ask,
                    struct mask_slot *slot)
{
    struct mask_walk_ask exact = *ask;
    exact.is_exact = true;
    slot->most = mask_walk_add(&masks->walk, &exact, slot->mask);
    slot->is_exact = true;
}

const uint32_t *masks_of(struct masks *masks, const struct constraint *constraint,
                         const struct constraint_text *text, uint32_t left)
{
    struct mask_walk_ask ask = {constraint, text, MASK_WALK_ANY, false};
    struct mask_slot *any = slot_of(masks, &ask);
    if (any->most < left)
        return any->mask;
    if (any->fewest == 0)
        any->fewest = mask_walk_fewest(&masks->walk, constraint, text);
    if (any->fewest > left)
        return any->mask;
    if (any->most == UINT32_MAX && !any->is_exact)
        look_up(masks, &ask, any);
    if (any->most < left)
        return any->mask;
    ask.left = left;
    const struct mask_slot *hurried = slot_of(masks, &ask);
    return masks_is_none(masks, hurried->mask) ? any->mask : hurried->mask;
}

bool masks_is_none(const struct masks *masks, const uint32_t *mask)
{
    for (uint32_t i = 0; i < masks->walk.words; i++)
        if (mask[i])
            return false;
    return true;
}
