/*
 * attention - softmax(q k^T * scale) v over a paged KV cache, run from a work list.
 *
 * The host cuts every sequence's keys at absolute positions, multiples of work.split. In
 * each split, query rows whose pages are the same (they share a prefix there) form one item,
 * so that a shared chunk's keys are read once for all rows under it. An item gives each of its
 * (row, head) one partial: maximum m, sum l of exp(s - m), and the unnormalised vector
 * sum exp(s - m) v. Partials of a row are merged in split order:
 *
 *     (m, l, o) + (m', l', o') = (M, l e^(m-M) + l' e^(m'-M), o e^(m-M) + o' e^(m'-M)), M = max
 *
 * Which rows share an item changes nothing in a partial, and cuts do not depend on the batch:
 * the result of a row is the same bits alone and in company, whole or chunked prefill.
 *
 * The list is in kv order by item; items are independent; heavy items come first.
 */
#ifndef KERNELS_ATTENTION_H
#define KERNELS_ATTENTION_H

#include "kernels/activation.h"
#include "kernels/device.h"
#include "kernels/kv_layout.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Keys per split, and the most on any back end; multiples of KV_PAGE_TOKENS. Longer splits mean
 * fewer partials to write and merge, shorter ones more items to share. On two cores of an EPYC
 * (Zen 4, T3, November 2026) attention with 256 takes 12 % less time than with 128, with 512
 * another 6 % less; the kernel's card tells why GPUs stay with 256, and the CPU stays with
 * them. A back end's own length is in struct ops. */
enum { ATTENTION_SPLIT = 256, ATTENTION_SPLIT_MAX = 1024 };

struct attention_item {
    int32_t pages_first; /* index in work.pages of this split's first page */
    int32_t kv_begin;    /* absolute position of its first key, multiple of split */
    int32_t kv_count;    /* keys in it that any row sees, 1 .. split */
    int32_t rows_first;  /* index in work.rows of its first query row */
    int32_t row_count;   /* 0: the item is padding */
};

struct attention_work {
    const struct attention_item *items; /* [item_count] */
    const int32_t *pages;               /* page numbers, ceil(kv_count / 16) per item */
    const int32_t *rows;                /* batch rows, row_count per item */
    const int32_t *partials_first;      /* [batch rows + 1]: row r's partials are numbered
                                           partials_first[r] + kv_begin / split */
    int32_t split;                      /* keys per split, at most ATTENTION_SPLIT_MAX */
    int32_t item_count;
    int32_t partial_count; /* = partials_first[batch rows] */
};

struct attention_args {
    const float *q;           /* [rows, heads * head_dim], rope applied */
    const int32_t *positions; /* [rows]: row r sees keys at positions 0 .. positions[r];
                                 below 0: the row is padding, y's is left alone */
    const struct attention_work *work;
    const struct kv_cache *cache;
    float *partials;      /* scratch, attention_partial_floats() */
    struct activation *y; /* [rows, heads * head_dim], in each form it asks for */
    int32_t rows, heads, layer;
    float scale;   /* usually 1 / sqrt(head_dim) */
    float softcap; /* c > 0: scores become c tanh(score / c); 0: off */
    int32_t
        window; /* > 0: row r sees only positions > positions[r] - window; 0: all. Splits that
                       a row sees nothing of still have a partial: m = -infinity, l = 0 */
};

/* Floats that args.partials needs: per partial and head, head_dim + 2. A back end's own order
 * and units inside. */
int64_t attention_partial_floats(int32_t partial_count, int32_t heads, int32_t head_dim);

/* The twin takes any split and either order of the cache, attention_cpu ATTENTION_SPLIT and
 * KV_ORDER_CPU (asserted). attention_cuda and attention_emu take any split up to the most and
 * KV_ORDER_GPU; ERR_LIMIT: a cache of KV_F32, a head_dim that is not 64, 96, 128 or 256, a row
 * that does not fit in a block's shared memory. */
enum status attention_ref(struct device *device, const struct attention_args *args);
enum status attention_cpu(struct device *device, const struct attention_args *args);
enum status attention_cuda(struct device *device, const struct attention_args *args);
enum status attention_emu(struct device *device, const struct attention_args *args);

#ifdef __cplusplus
}
#endif
#endif
