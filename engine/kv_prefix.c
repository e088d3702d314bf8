/*
 * kv_prefix - see kv_prefix.h.
 *
 * Nodes are found through a hash of (parent, tokens), compared in full. The eviction list is
 * in order of stamp, oldest first. A page let go now is the newest and goes to the end; a
 * parent that becomes a leaf because its last child was evicted has an older stamp and is put
 * in its place by a walk from the front, where it nearly always belongs.
 */
#include "engine/kv_prefix.h"

#include <assert.h>
#include <string.h>

enum { PART_SIBLINGS_MAX = 64 }; /* nodes that kv_prefix_match_part looks at */

static uint32_t bucket_of(const struct kv_prefix *prefix, kv_page parent,
                          const token_id *tokens)
{
    uint64_t hash = (uint64_t)(uint32_t)parent * 0x9e3779b97f4a7c15u;
    for (int i = 0; i < KV_PAGE_TOKENS; i++) {
        hash = (hash ^ (uint32_t)tokens[i]) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    return (uint32_t)hash & (prefix->bucket_count - 1);
}

static struct kv_prefix_node *node_of(const struct kv_prefix *prefix, kv_page page)
{
    assert(page >= 0 && (uint32_t)page < prefix->pool->page_count);
    return &prefix->nodes[page];
}

static bool is_unheld(const struct kv_prefix *prefix, kv_page page)
{
    return prefix->nodes[page].in_tree && !kv_pool_is_shared(prefix->pool, page);
}

static kv_page find_child(const struct kv_prefix *prefix, kv_page parent,
                          const token_id *tokens)
{
    kv_page at = prefix->buckets[bucket_of(prefix, parent, tokens)];
    for (; at != KV_PREFIX_NONE; at = prefix->nodes[at].bucket_after) {
        const struct kv_prefix_node *node = &prefix->nodes[at];
        if (node->parent == parent && !memcmp(node->tokens, tokens, sizeof node->tokens))
            break;
    }
    return at;
}

static void lru_insert_after(struct kv_prefix *prefix, kv_page before, kv_page page)
{
    struct kv_prefix_node *node = node_of(prefix, page);
    kv_page *from_before =
        before == KV_PREFIX_NONE ? &prefix->lru_first : &prefix->nodes[before].lru_after;
    const kv_page after = *from_before;
    node->lru_before = before;
    node->lru_after = after;
    node->in_lru = true;
    *from_before = page;
    if (after == KV_PREFIX_NONE)
        prefix->lru_last = page;
    else
        prefix->nodes[after].lru_before = page;
}

static void lru_insert_by_stamp(struct kv_prefix *prefix, kv_page page)
{
    kv_page before = KV_PREFIX_NONE;
    kv_page after = prefix->lru_first;
    while (after != KV_PREFIX_NONE && prefix->nodes[after].stamp < prefix->nodes[page].stamp) {
        before = after;
        after = prefix->nodes[after].lru_after;
    }
    lru_insert_after(prefix, before, page);
}

static void lru_remove(struct kv_prefix *prefix, kv_page page)
{
    struct kv_prefix_node *node = node_of(prefix, page);
    assert(node->in_lru);
    if (node->lru_before == KV_PREFIX_NONE)
        prefix->lru_first = node->lru_after;
    else
        prefix->nodes[node->lru_before].lru_after = node->lru_after;
    if (node->lru_after == KV_PREFIX_NONE)
        prefix->lru_last = node->lru_before;
    else
        prefix->nodes[node->lru_after].lru_before = node->lru_before;
    node->in_lru = false;
}

static kv_page *first_child_of(struct kv_prefix *prefix, kv_page parent)
{
    return parent == KV_PREFIX_NONE ? &prefix->root_child
                                    : &node_of(prefix, parent)->first_child;
}

static void link_node(struct kv_prefix *prefix, kv_page page)
{
    struct kv_prefix_node *node = node_of(prefix, page);
    kv_page *bucket = &prefix->buckets[bucket_of(prefix, node->parent, node->tokens)];
    kv_page *child = first_child_of(prefix, node->parent);
    node->bucket_after = *bucket;
    *bucket = page;
    node->sibling_before = KV_PREFIX_NONE;
    node->sibling_after = *child;
    if (*child != KV_PREFIX_NONE)
        prefix->nodes[*child].sibling_before = page;
    *child = page;
    node->in_tree = true;
}

/* Takes an unheld leaf out of the tree; its page becomes free. */
static void remove_leaf(struct kv_prefix *prefix, kv_page page)
{
    struct kv_prefix_node *node = node_of(prefix, page);
    assert(is_unheld(prefix, page) && node->first_child == KV_PREFIX_NONE && !node->in_lru);
    kv_page *at = &prefix->buckets[bucket_of(prefix, node->parent, node->tokens)];
    while (*at != page)
        at = &prefix->nodes[*at].bucket_after;
    *at = node->bucket_after;
    if (node->sibling_before == KV_PREFIX_NONE)
        *first_child_of(prefix, node->parent) = node->sibling_after;
    else
        prefix->nodes[node->sibling_before].sibling_after = node->sibling_after;
    if (node->sibling_after != KV_PREFIX_NONE)
        prefix->nodes[node->sibling_after].sibling_before = node->sibling_before;
    node->in_tree = false;
    prefix->unheld_count--;
    kv_pool_drop(prefix->pool, &page, 1);
}

static void evict_one(struct kv_prefix *prefix)
{
    const kv_page page = prefix->lru_first;
    assert(page != KV_PREFIX_NONE);
    const kv_page parent = prefix->nodes[page].parent;
    lru_remove(prefix, page);
    remove_leaf(prefix, page);
    if (parent != KV_PREFIX_NONE && is_unheld(prefix, parent) &&
        prefix->nodes[parent].first_child == KV_PREFIX_NONE)
        lru_insert_by_stamp(prefix, parent);
}

static void release_one(struct kv_prefix *prefix, kv_page page)
{
    struct kv_prefix_node *node = node_of(prefix, page);
    kv_pool_drop(prefix->pool, &page, 1);
    if (!node->in_tree || kv_pool_is_shared(prefix->pool, page))
        return;
    prefix->unheld_count++;
    node->stamp = prefix->clock;
    if (node->filled < KV_PAGE_TOKENS)
        remove_leaf(prefix, page);
    else if (node->first_child == KV_PREFIX_NONE)
        lru_insert_after(prefix, prefix->lru_last, page);
}

enum status kv_prefix_init(struct kv_prefix *prefix, struct kv_pool *pool, struct arena *arena,
                           struct error *err)
{
    uint32_t bucket_count = 16;
    while (bucket_count < pool->page_count)
        bucket_count *= 2;
    struct kv_prefix_node *nodes = ARENA_NEW(arena, struct kv_prefix_node, pool->page_count);
    kv_page *buckets = ARENA_NEW(arena, kv_page, bucket_count);
    if (!nodes || !buckets)
        FAIL(err, ERR_MEMORY, "prefix tree over %u pages: the arena is full", pool->page_count);
    for (uint32_t i = 0; i < bucket_count; i++)
        buckets[i] = KV_PREFIX_NONE;
    *prefix = (struct kv_prefix){
        .pool = pool,
        .nodes = nodes,
        .buckets = buckets,
        .bucket_count = bucket_count,
        .root_child = KV_PREFIX_NONE,
        .lru_first = KV_PREFIX_NONE,
        .lru_last = KV_PREFIX_NONE,
    };
    return OK;
}

uint32_t kv_prefix_available(const struct kv_prefix *prefix)
{
    return prefix->pool->free_count + prefix->unheld_count;
}

uint32_t kv_prefix_match(const struct kv_prefix *prefix, const token_id *tokens,
                         uint32_t pages_max, kv_page *pages)
{
    kv_page parent = KV_PREFIX_NONE;
    uint32_t count = 0;
    while (count < pages_max) {
        parent = find_child(prefix, parent, tokens + (size_t)count * KV_PAGE_TOKENS);
        if (parent == KV_PREFIX_NONE)
            break;
        pages[count++] = parent;
    }
    return count;
}

kv_page kv_prefix_find(const struct kv_prefix *prefix, kv_page parent, const token_id *tokens)
{
    return find_child(prefix, parent, tokens);
}

kv_page kv_prefix_match_part(const struct kv_prefix *prefix, kv_page parent,
                             const token_id *tokens, uint32_t count, uint32_t *common)
{
    assert(count < KV_PAGE_TOKENS);
    kv_page best = KV_PREFIX_NONE;
    *common = 0;
    kv_page at =
        parent == KV_PREFIX_NONE ? prefix->root_child : node_of(prefix, parent)->first_child;
    for (int seen = 0; at != KV_PREFIX_NONE && seen < PART_SIBLINGS_MAX; seen++) {
        uint32_t same = 0;
        while (same < count && prefix->nodes[at].tokens[same] == tokens[same])
            same++;
        if (same > *common) {
            *common = same;
            best = at;
        }
        at = prefix->nodes[at].sibling_after;
    }
    return best;
}

uint32_t kv_prefix_unheld(const struct kv_prefix *prefix, const kv_page *pages, uint32_t count)
{
    uint32_t unheld = 0;
    for (uint32_t i = 0; i < count; i++)
        unheld += is_unheld(prefix, pages[i]);
    return unheld;
}

void kv_prefix_hold(struct kv_prefix *prefix, const kv_page *pages, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (is_unheld(prefix, pages[i])) {
            prefix->unheld_count--;
            if (prefix->nodes[pages[i]].in_lru)
                lru_remove(prefix, pages[i]);
        }
        kv_pool_share(prefix->pool, &pages[i], 1);
    }
}

bool kv_prefix_take(struct kv_prefix *prefix, kv_page *pages, uint32_t count)
{
    if (count > kv_prefix_available(prefix))
        return false;
    while (prefix->pool->free_count < count)
        evict_one(prefix);
    const bool taken = kv_pool_take(prefix->pool, pages, count);
    assert(taken);
    return taken;
}

kv_page kv_prefix_publish(struct kv_prefix *prefix, kv_page parent, const token_id *tokens,
                          kv_page page, int32_t owner)
{
    const kv_page twin = find_child(prefix, parent, tokens);
    if (twin != KV_PREFIX_NONE)
        return twin;
    struct kv_prefix_node *node = node_of(prefix, page);
    assert(!node->in_tree);
    assert(parent == KV_PREFIX_NONE || !is_unheld(prefix, parent));
    *node = (struct kv_prefix_node){
        .parent = parent,
        .first_child = KV_PREFIX_NONE,
        .owner = owner,
        .filled = owner == KV_PREFIX_NONE ? KV_PAGE_TOKENS : 0,
    };
    memcpy(node->tokens, tokens, sizeof node->tokens);
    kv_pool_share(prefix->pool, &page, 1);
    link_node(prefix, page);
    return page;
}

void kv_prefix_release(struct kv_prefix *prefix, const kv_page *pages, uint32_t count)
{
    prefix->clock++;
    for (uint32_t i = count; i-- > 0;)
        release_one(prefix, pages[i]);
}

void kv_prefix_clear(struct kv_prefix *prefix)
{
    while (prefix->lru_first != KV_PREFIX_NONE)
        evict_one(prefix);
}

bool kv_prefix_has(const struct kv_prefix *prefix, kv_page page)
{
    return node_of(prefix, page)->in_tree;
}

uint32_t kv_prefix_filled(const struct kv_prefix *prefix, kv_page page)
{
    assert(node_of(prefix, page)->in_tree);
    return node_of(prefix, page)->filled;
}

int32_t kv_prefix_owner(const struct kv_prefix *prefix, kv_page page)
{
    assert(node_of(prefix, page)->in_tree);
    return node_of(prefix, page)->owner;
}

void kv_prefix_set_owner(struct kv_prefix *prefix, kv_page page, int32_t owner)
{
    assert(node_of(prefix, page)->in_tree);
    node_of(prefix, page)->owner = owner;
}

void kv_prefix_set_filled(struct kv_prefix *prefix, kv_page page, uint32_t filled)
{
    struct kv_prefix_node *node = node_of(prefix, page);
    assert(node->in_tree && filled <= KV_PAGE_TOKENS);
    node->filled = (uint8_t)filled;
    if (filled == KV_PAGE_TOKENS)
        node->owner = KV_PREFIX_NONE;
}

void kv_prefix_check(const struct kv_prefix *prefix)
{
    uint32_t unheld = 0;
    uint32_t leaves = 0;
    for (uint32_t i = 0; i < prefix->pool->page_count; i++) {
        const kv_page page = (kv_page)i;
        const struct kv_prefix_node *node = &prefix->nodes[page];
        assert(node->in_tree || !node->in_lru);
        if (!node->in_tree)
            continue;
        const bool alone = is_unheld(prefix, page);
        assert(prefix->pool->holders[page] > 0);
        assert(find_child(prefix, node->parent, node->tokens) == page);
        assert(node->parent == KV_PREFIX_NONE || prefix->nodes[node->parent].in_tree);
        if (!alone && node->parent != KV_PREFIX_NONE)
            assert(!is_unheld(prefix, node->parent)); /* who holds a page holds its path */
        assert(!alone || node->filled == KV_PAGE_TOKENS);
        assert(node->in_lru == (alone && node->first_child == KV_PREFIX_NONE));
        unheld += alone;
        leaves += node->in_lru;
    }
    assert(unheld == prefix->unheld_count);
    uint64_t stamp = 0;
    for (kv_page at = prefix->lru_first; at != KV_PREFIX_NONE; leaves--) {
        assert(prefix->nodes[at].stamp >= stamp);
        stamp = prefix->nodes[at].stamp;
        at = prefix->nodes[at].lru_after;
    }
    assert(leaves == 0);
}
