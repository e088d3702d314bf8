/*
 * attention_int8_tile_avx2 - tiles of attention over a cache of int8 with AVX2.
 *
 *     turn      keys and values of a split, once for all rows of a task
 *     tile      up to 12 rows, 4 or fewer at a time against 16 columns (8 running sums): keys
 *               page by page, values 64 keys at a time
 *     step      4 of the depth: 4 loads of b; per row a broadcast and 2 x (xor, maddubs, madd,
 *               add)
 *     bound by  the four vector ports of such cores
 *     measured  against products one by one, widened weights and passes over 24 rows: prefill
 *               of 512 rows at context 1,024, two threads, 11.9 -> 7.3 ms, decode of 96 rows
 *               over 32 shared chunks 5.7 -> 4.7 ms (medians of three, Zen 3, November 2026,
 *               bench/attention_bench). Of 3 rows products are as fast
 *
 * maddubs multiplies unsigned by signed bytes and adds pairs in 16 bits. a with all bits turned
 * is -a - 1, so with m all bits where b < 0, else none,
 *
 *     a b = (a xor m) |b| + (b < 0 ? |b| : 0)
 *
 * and 2 * 128 * 127 = 32512 cannot saturate. Let T(a) = sum_i (a[i] xor m) |b|. Then the sum is
 * T(a) - T(zero), exactly, whatever byte stands for zero: 0 of queries, which are signed; -128
 * of weights, 0 to 255, whose top bits are turned, so that they fit a signed byte. -T(zero) is
 * computed once, and sums start there.
 */
#include "base/i32.h"
#include "kernels/attention_int8.h"
#include "kernels/attention_tile.h"

#include <immintrin.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum {
    LANES = 8,
    COLS = ATTENTION_INT8_COLS,
    HALVES = COLS / LANES,
    GROUP = KV_LAYOUT_GROUP,
    GROUP_BYTES = COLS * GROUP,
    PAGE_GROUPS = KV_PAGE_TOKENS / GROUP,
    BLOCK_PAGES = ATTENTION_INT8_BLOCK / KV_PAGE_TOKENS,
    ROWS = 4, /* that are multiplied together */
    A_STRIDE = ATTENTION_INT8_TILE_BYTES,
    ZERO_QUERY = 0,
    ZERO_WEIGHT = -128
};

/* Four of the depth. */
struct group {
    __m256i magnitudes[HALVES], masks[HALVES];
};

struct starts {
    __m256i of[HALVES];
};

/* Sixteen columns of a block's values; starts for its first page alone, its first two, .. */
struct values {
    struct starts starts[BLOCK_PAGES];
    struct group groups[BLOCK_PAGES * PAGE_GROUPS];
};

struct turned {
    struct values *values;     /* [blocks][head_dim / 16] */
    struct starts *key_starts; /* [pages] */
    struct group *keys;        /* [pages][head_dim / 4] */
};

static struct turned turned_of(void *memory, int32_t pages, int32_t head_dim)
{
    const size_t values = (size_t)i32_ceil_div(pages, BLOCK_PAGES) * (size_t)(head_dim / COLS);
    struct turned turned = {.values = memory};
    turned.key_starts = (struct starts *)(void *)(turned.values + values);
    turned.keys = (struct group *)(void *)(turned.key_starts + pages);
    return turned;
}

INLINE __m256i products(const struct group *group, int h, __m256i a)
{
    const __m256i pairs =
        _mm256_maddubs_epi16(group->magnitudes[h], _mm256_xor_si256(a, group->masks[h]));
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

/* What lies at b: a group, its starts from what they are. */
INLINE void group_turn(const uint8_t *b, int8_t zero, struct starts *starts,
                       struct group *group)
{
    for (int h = 0; h < HALVES; h++) {
        const __m256i bytes =
            _mm256_loadu_si256((const __m256i *)(const void *)(b + h * LANES * GROUP));
        group->magnitudes[h] = _mm256_abs_epi8(bytes);
        group->masks[h] = _mm256_cmpgt_epi8(_mm256_setzero_si256(), bytes);
        starts->of[h] =
            _mm256_sub_epi32(starts->of[h], products(group, h, _mm256_set1_epi8(zero)));
    }
}

static void keys_turn(const uint8_t *keys, size_t groups, struct starts *starts,
                      struct group *to)
{
    memset(starts, 0, sizeof *starts);
    for (size_t g = 0; g < groups; g++, keys += GROUP_BYTES)
        group_turn(keys, ZERO_QUERY, starts, &to[g]);
}

/* Page p of a block. */
static void values_turn(const uint8_t *values, int32_t p, size_t dim, struct values *to)
{
    for (size_t column = 0; column < dim; column += COLS, to++) {
        struct group *group = to->groups + p * PAGE_GROUPS;
        struct starts starts;
        memset(&starts, 0, sizeof starts);
        if (p > 0)
            starts = to->starts[p - 1];
        for (size_t g = 0; g < PAGE_GROUPS; g++)
            group_turn(values + (g * dim + column) * GROUP, ZERO_WEIGHT, &starts, group++);
        to->starts[p] = starts;
    }
}

void attention_int8_turn_avx2(const struct kv_layout_block *pages, int32_t page_count,
                              int32_t head_dim, void *memory)
{
    const size_t dim = (size_t)head_dim;
    const struct turned turned = turned_of(memory, page_count, head_dim);
    for (int32_t p = 0; p < page_count; p++) {
        keys_turn(pages[p].keys, dim / GROUP, &turned.key_starts[p],
                  turned.keys + (size_t)p * (dim / GROUP));
        values_turn(pages[p].values, p % BLOCK_PAGES, dim,
                    turned.values + (size_t)(p / BLOCK_PAGES) * (dim / COLS));
    }
}

/* Some neighbouring rows of a tile, and what they are multiplied by. */
struct span {
    const struct attention_int8_tile *tile;
    int32_t row, offset; /* the first row, and where its integers begin */
    const struct starts *starts;
    const struct group *groups, *end;
};

struct sums {
    __m256i of[ROWS][HALVES];
};

/* rows is a constant at each call, here and below. The addition is written out: through the
 * intrinsic gcc 12 moves sums between registers at every step. */
INLINE void rows_sum(const struct span *span, int rows, struct sums *sums)
{
    const uint8_t *a = span->tile->integers + (size_t)span->row * A_STRIDE + span->offset;
    for (int r = 0; r < rows; r++) {
        for (int h = 0; h < HALVES; h++)
            sums->of[r][h] = span->starts->of[h];
    }
    for (const struct group *g = span->groups; g < span->end; g++, a += GROUP) {
        const struct group group = *g;
        for (int r = 0; r < rows; r++) {
            int32_t four;
            memcpy(&four, a + (size_t)r * A_STRIDE, sizeof four);
            for (int h = 0; h < HALVES; h++)
                __asm__("vpaddd %1, %0, %0"
                        : "+x"(sums->of[r][h])
                        : "x"(products(&group, h, _mm256_set1_epi32(four))));
        }
    }
}

/* A page's scores. */
INLINE void rows_scores(const struct span *span, const struct attention_int8_row *queries,
                        const __m256 *scales, int32_t page, int rows)
{
    float *scores =
        span->tile->scores + (size_t)span->row * ATTENTION_TILE_STRIDE + page * COLS;
    struct sums sums;
    rows_sum(span, rows, &sums);
    for (int r = 0; r < rows; r++, scores += ATTENTION_TILE_STRIDE) {
        const __m256 scale = _mm256_set1_ps(queries[span->row + r].scale);
        for (int h = 0; h < HALVES; h++) {
            const __m256 result = _mm256_mul_ps(_mm256_cvtepi32_ps(sums.of[r][h]), scale);
            _mm256_storeu_ps(scores + h * LANES, _mm256_mul_ps(result, scales[h]));
        }
    }
}

/* Sixteen columns of results: a block of keys, which adds to those before it. */
INLINE void rows_values(const struct span *span, const struct attention_int8_weights *weights,
                        int32_t block, size_t column, int rows)
{
    struct sums sums;
    rows_sum(span, rows, &sums);
    for (int r = 0; r < rows; r++) {
        const __m256 scale = _mm256_set1_ps(weights->scales[span->row + r][block]);
        float *out = span->tile->queries[span->row + r].out + column;
        for (int h = 0; h < HALVES; h++, out += LANES) {
            const __m256 result = _mm256_mul_ps(_mm256_cvtepi32_ps(sums.of[r][h]), scale);
            _mm256_storeu_ps(out,
                             block > 0 ? _mm256_add_ps(_mm256_loadu_ps(out), result) : result);
        }
    }
}

/* How many rows go together when so many are left: 9 as 3 3 3, not as 4 4 1. */
static int32_t rows_together(int32_t left)
{
    return i32_ceil_div(left, i32_ceil_div(left, ROWS));
}

#define EACH_COUNT(DO) DO(1) DO(2) DO(3) DO(4)
#define SCORES_CASE(count)                                                                     \
    case count:                                                                                \
        rows_scores(&span, queries, scales, p, count);                                         \
        break;
#define VALUES_CASE(count)                                                                     \
    case count:                                                                                \
        rows_values(&span, weights, block, column, count);                                     \
        break;

static void tile_scores(const struct attention_int8_tile *tile, const struct turned *turned,
                        const struct attention_int8_row *queries)
{
    const __m256 factor = _mm256_set1_ps(tile->key_factor);
    const size_t groups = (size_t)tile->head_dim / GROUP;
    struct span span = {.tile = tile, .groups = turned->keys};
    for (int32_t p = 0; p < tile->page_count; p++, span.groups += groups) {
        const float *key_scales = tile->pages[p].key_scales;
        const __m256 scales[] = {_mm256_mul_ps(_mm256_loadu_ps(key_scales), factor),
                                 _mm256_mul_ps(_mm256_loadu_ps(key_scales + LANES), factor)};
        span.starts = &turned->key_starts[p];
        span.end = span.groups + groups;
        for (int32_t rows, left = tile->rows; left > 0; left -= rows) {
            rows = rows_together(left);
            span.row = tile->rows - left;
            switch (rows) {
                EACH_COUNT(SCORES_CASE)
            default:
                break;
            }
        }
    }
}

/* So many pages of a block. */
static void block_values(const struct attention_int8_tile *tile, const struct values *values,
                         const struct attention_int8_weights *weights, int32_t block,
                         int32_t pages)
{
    struct span span = {.tile = tile, .offset = block * ATTENTION_INT8_BLOCK};
    for (size_t column = 0; column < (size_t)tile->head_dim; column += COLS, values++) {
        span.starts = &values->starts[pages - 1];
        span.groups = values->groups;
        span.end = values->groups + pages * PAGE_GROUPS;
        for (int32_t rows, left = tile->rows; left > 0; left -= rows) {
            rows = rows_together(left);
            span.row = tile->rows - left;
            switch (rows) {
                EACH_COUNT(VALUES_CASE)
            default:
                break;
            }
        }
    }
}

void attention_int8_tile_avx2(const struct attention_int8_tile *tile)
{
    const struct turned turned = turned_of(tile->turned, tile->pages_turned, tile->head_dim);
    struct attention_int8_row queries[ATTENTION_INT8_TILE_ROWS_MAX];
    struct attention_int8_weights weights;
    for (int32_t r = 0; r < tile->rows; r++)
        queries[r] = attention_int8_avx2.round(tile->queries[r].query, tile->head_dim,
                                               ATTENTION_INT8_QUERIES,
                                               tile->integers + (size_t)r * A_STRIDE);
    tile_scores(tile, &turned, queries);
    attention_softmax_tile_avx2(tile, &weights);
    for (int32_t p = 0; p < tile->page_count; p += BLOCK_PAGES) {
        const int32_t block = p / BLOCK_PAGES;
        block_values(tile, turned.values + block * (tile->head_dim / COLS), &weights, block,
                     i32_min(BLOCK_PAGES, tile->page_count - p));
    }
}
