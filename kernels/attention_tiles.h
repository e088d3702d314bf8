/*
 * attention_tiles - a task of attention_cpu over a cache of int8, where the level has whole
 * tiles (attention_int8.h): the rows of an item against its split, a tile after the other, from
 * the queries where they lie to the partials where they go.
 *
 *     instead of   blocks of 24 rows: scores, weights, integers and results of a block each
 *                  went through memory of their own, in passes over all of it
 *     measured     1 thread: prefill of 512 rows at context 1,024 8.0 -> 7.0 ms, decode of 36
 *                  rows over 12 shared chunks 806 -> 718 us (EPYC Zen 4, November 2026, loads
 *                  of bench/attention_bench)
 *     fetch        a tile's queries and partials are asked for one tile before: they lie in L3,
 *                  a row's far from the next one's (prefill 6.95 -> 6.8 ms)
 *     lost         the merge of partials in vectors of AVX2 (nothing: it waits for memory)
 *                  pages of the next item asked for beside each page of scores and of values
 *                  (decode 4 %, a whole load nothing; Xeon of the fifth generation)
 */
#ifndef KERNELS_ATTENTION_TILES_H
#define KERNELS_ATTENTION_TILES_H

#include "kernels/attention.h"
#include "kernels/attention_int8.h"

struct attention_tiles {
    const struct attention_args *args;
    const struct attention_int8_kernels *kernels;
    const struct attention_item *item, *next; /* next: of the thread's next task, or NULL */
    int32_t kv_head, next_head;
    int32_t first, end; /* of the item's (row, head of the group) pairs */
    float *stats;       /* of all partials */
    float *scores;      /* scratch, as struct attention_int8_tile has it */
    uint8_t *integers;
    void *turned; /* scratch: [attention_int8_turned_bytes] of the item's pages */
};

/* Page p of an item. It is asked for: pages lie far apart, and the first rows to need them
 * would wait for each line. */
struct kv_layout_block attention_tiles_page(const struct attention_args *args,
                                            const struct attention_item *item, int32_t kv_head,
                                            int32_t p);

void attention_tiles_run(const struct attention_tiles *tiles);

#endif
