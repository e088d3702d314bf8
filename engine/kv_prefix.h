/*
 * kv_prefix - which tokens the pages of the KV cache hold, so that sequences share them.
 *
 * A tree with one node per page: a node's path from the root spells the tokens before it, its
 * own KV_PAGE_TOKENS tokens stand in it, and tokens are compared, never only hashes. Node n
 * describes page n, so the tree needs no memory but an array as long as the pool.
 *
 * A node is published when its computation is scheduled, not when it is done: jobs of one
 * batch meet in it while it is still being computed. Until then it has an owner, the slot of
 * the sequence that computes it, and `filled` says how many of its tokens are there. When the
 * owner leaves early the node has none, and the next sequence that needs it becomes the owner.
 *
 *     take --publish--> held by sequences and by the tree --release--> held by the tree alone
 *          <--------------------------------- evict (least recently used leaf) -----
 *
 * Always true (kv_prefix_check):
 *     a node's parent is a node; whoever holds a page holds its whole path
 *     an unheld node (only the tree holds its page) is filled, and so are all above it
 *     unheld_count == unheld nodes; the eviction list == unheld nodes without children
 *
 * Owner    the caller owns the struct; its arrays lie in the arena given to kv_prefix_init.
 * Memory   kv_prefix_init allocates, nothing else does.
 * Thread   the engine thread only; no locks.
 */
#ifndef ENGINE_KV_PREFIX_H
#define ENGINE_KV_PREFIX_H

#include "base/token.h"
#include "engine/kv_pool.h"
#include "kernels/kv_layout.h"

enum { KV_PREFIX_NONE = -1 }; /* no page, no owner; as a parent: the root */

struct kv_prefix_node {
    token_id tokens[KV_PAGE_TOKENS];
    kv_page parent, first_child, sibling_before, sibling_after;
    kv_page bucket_after;          /* next node with the same hash */
    kv_page lru_before, lru_after; /* neighbours in the eviction list */
    int32_t owner;                 /* slot that computes it, or KV_PREFIX_NONE */
    uint64_t stamp;                /* when it was last let go; orders the eviction list */
    uint8_t filled;                /* tokens computed, 0 .. KV_PAGE_TOKENS */
    bool in_tree, in_lru;
};

struct kv_prefix {
    struct kv_pool *pool;
    struct kv_prefix_node *nodes; /* [pool->page_count] */
    kv_page *buckets;             /* [bucket_count], a power of two */
    uint32_t bucket_count;
    uint32_t unheld_count;
    kv_page root_child, lru_first, lru_last;
    uint64_t clock;
};

/* An empty tree over the pool, which must outlive it. ERR_MEMORY: the arena is too small. */
MUST_USE enum status kv_prefix_init(struct kv_prefix *prefix, struct kv_pool *pool,
                                    struct arena *arena, struct error *err);

/* Pages that a sequence could get now: free ones, and those that only the tree holds. */
uint32_t kv_prefix_available(const struct kv_prefix *prefix);

/* Finds the path that spells tokens, at most pages_max whole pages of it, writes its pages
 * and returns how many. Nothing is held yet. */
uint32_t kv_prefix_match(const struct kv_prefix *prefix, const token_id *tokens,
                         uint32_t pages_max, kv_page *pages);

/* The node right below parent that spells tokens[KV_PAGE_TOKENS], or KV_PREFIX_NONE. */
kv_page kv_prefix_find(const struct kv_prefix *prefix, kv_page parent, const token_id *tokens);

/* Of the nodes below parent, the one that begins with most of tokens[0 .. count-1],
 * 0 < count < KV_PAGE_TOKENS; writes how many to *common. KV_PREFIX_NONE when no node begins
 * with even the first. Looks at a bounded number of nodes. */
kv_page kv_prefix_match_part(const struct kv_prefix *prefix, kv_page parent,
                             const token_id *tokens, uint32_t count, uint32_t *common);

/* How many of these pages are held by the tree alone: holding them makes them unavailable. */
uint32_t kv_prefix_unheld(const struct kv_prefix *prefix, const kv_page *pages, uint32_t count);

/* Adds a holder to pages that are held already, by sequences or by the tree. */
void kv_prefix_hold(struct kv_prefix *prefix, const kv_page *pages, uint32_t count);

/* Takes count fresh pages, evicting as needed; all or none. */
MUST_USE bool kv_prefix_take(struct kv_prefix *prefix, kv_page *pages, uint32_t count);

/* Puts a page, held by a sequence and not in the tree, under parent as the node of
 * tokens[KV_PAGE_TOKENS]; the tree becomes one more holder. owner is the slot that will compute
 * it, KV_PREFIX_NONE when it is computed whole. The caller holds the path of parent. Returns
 * the page of the node that spells these tokens there: page itself, or the one that was there
 * before, and then page stays outside. */
kv_page kv_prefix_publish(struct kv_prefix *prefix, kv_page parent, const token_id *tokens,
                          kv_page page, int32_t owner);

/* Lets go of a sequence's pages, last first. A node left to the tree alone stays to be found
 * again when it is filled, and leaves the tree otherwise. */
void kv_prefix_release(struct kv_prefix *prefix, const kv_page *pages, uint32_t count);

/* Takes all unheld pages out of the tree. */
void kv_prefix_clear(struct kv_prefix *prefix);

bool kv_prefix_has(const struct kv_prefix *prefix, kv_page page); /* page is in the tree */
uint32_t kv_prefix_filled(const struct kv_prefix *prefix, kv_page page);
int32_t kv_prefix_owner(const struct kv_prefix *prefix, kv_page page);
void kv_prefix_set_owner(struct kv_prefix *prefix, kv_page page, int32_t owner);
/* A full node has no owner any more. */
void kv_prefix_set_filled(struct kv_prefix *prefix, kv_page page, uint32_t filled);

/* Asserts what is always true. O(page_count * depth): for tests and debug builds. */
void kv_prefix_check(const struct kv_prefix *prefix);

#endif
