/*
 * matmul_int8_narrow_avx2 - exact int8 sums with AVX2 for many rows: in 16 bits wherever they
 * are sure to fit.
 *
 *     formula   as matmul_int8_avx2
 *     tile      4 rows x 16 outputs
 *     span      4 steps of 4 inputs. Step: 2 loads of weights, 4 broadcasts of x, 8 x (maddubs,
 *               add in 16 bits); span: 8 x (madd, add in 32 bits)
 *     bound by  instructions: 4 for 32 products, where matmul_int8_avx2 takes 5
 *     measured  EPYC 3rd generation (Zen 3), Nov 2026, this file alone, 256 rows and 2 panels,
 *               the least of 400, in turns with turned panels (see matmul_int8_avx2): depth 576
 *               160 -> 190 GOPS, 1536 160 -> 205, 4096 161 -> 216. Turning x takes half of 2
 *               panels' time. Prefill of 256 rows, shape of 1B, with all else that changed
 *               in attention: 98 -> 132 tokens/s (medians of 3, in turns); of SmolLM2-135M,
 *               with depth 576, nothing that could be told from the neighbours' noise
 *     lost      spans of 3 steps, or of 2; tiles of 2 or 3 rows, all sums in registers; looking
 *               first whether all spans of a panel fit; norms of both lanes apart (6 wide spans
 *               in place of 7 in 100)
 *
 * maddubs multiplies unsigned by signed bytes, adds pairs in 16 bits and saturates. Weights
 * come as w + 128. A lane of 16 bits sums a pair of x of each step of a span: eight products.
 *
 *     saturation   A pair's products fit when what is positive of it is at most 128 together,
 *                  what is negative at least -128: 255 * 128 < 2^15. What a pair has beyond
 *                  that, its excess (of normal numbers one pair in a hundred has one), is taken
 *                  out of x beforehand and multiplied by itself.
 *     the 128      (w + 128) x is 128 x too much: lanes start at -128 times their sum of x.
 *                  They wrap modulo 2^16 and come right, if the sum of w x fits.
 *     fitting      |sum of w x| <= |w| |x|, roots of sums of squares (Cauchy and Schwarz). The
 *                  greatest of 4 rows and of 16 outputs are known beforehand. A span whose
 *                  product of the two is too great is summed pair by pair in 32 bits: of 100
 *                  spans of SmolLM2 7, of normal numbers 4 at depth 576 and 0.4 at 1536.
 *
 * So the sums are exact, whatever x and w are.
 */
#include "kernels/matmul_int8.h"

#include <assert.h>
#include <immintrin.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum {
    PANEL = MATMUL_INT8_PANEL,
    GROUP = MATMUL_INT8_GROUP,
    GROUP_BYTES = PANEL * GROUP, /* of a panel */
    STEPS = 4,
    SPAN = STEPS * GROUP, /* inputs */
    SPAN_BYTES = STEPS * GROUP_BYTES,
    BLOCK_SPANS = 4,
    BLOCK = BLOCK_SPANS * SPAN, /* inputs that are looked at together */
    ROWS = 4,
    HALVES = 2,
    HALF = PANEL / HALVES,
    REGISTER_BYTES = 32,
    OFFSET = 128,
    PAIR_MOST = 128, /* of what is positive of a pair, together */
    PIECES = 6       /* of struct rows */
};

#define FITS 1.0736e9f /* less than 32767^2, by more than what rounds */

static_assert((int)BLOCK == (int)MATMUL_INT8_ALIGN, "a depth is whole blocks");

/* What a pair has too much: a group of x, all but one of it zeros. */
struct excess {
    int32_t group, four;
};

/* Rows of x as they are multiplied. */
struct rows {
    int8_t *x;       /* [rows][depth], without excesses */
    int32_t *narrow; /* [rows][spans]: where the two lanes of 16 bits start */
    float *norms;    /* [rows / 4, up][spans]: the greatest sum of squares of a lane */
    int32_t *wide;   /* [rows]: where the sums start */
    int32_t *first;  /* [rows + 1]: of each row's excesses */
    struct excess *excesses;
};

static size_t lines(size_t bytes)
{
    return (bytes + 63) / 64 * 64;
}

static int32_t excesses_most(int32_t rows, int32_t depth)
{
    return rows * (depth / MATMUL_INT8_X_TURNED_SHARE);
}

static struct rows rows_of(void *memory, int32_t rows, int32_t depth)
{
    const size_t count = (size_t)rows, spans = (size_t)depth / SPAN;
    const size_t sizes[PIECES] = {count * (size_t)depth,
                                  count * spans * sizeof(int32_t),
                                  (count + ROWS - 1) / ROWS * spans * sizeof(float),
                                  count * sizeof(int32_t),
                                  (count + 1) * sizeof(int32_t),
                                  (size_t)excesses_most(rows, depth) * sizeof(struct excess)};
    void *pieces[PIECES];
    size_t bytes = 0;
    for (int i = 0; i < PIECES; bytes += lines(sizes[i++]))
        pieces[i] = (uint8_t *)memory + bytes;
    assert(bytes <= matmul_int8_x_turned_bytes(rows, depth));
    return (struct rows){pieces[0], pieces[1], pieces[2], pieces[3], pieces[4], pieces[5]};
}

INLINE __m256i bytes_load(const void *memory)
{
    return _mm256_loadu_si256(memory);
}

INLINE void bytes_store(void *memory, __m256i bytes)
{
    _mm256_storeu_si256(memory, bytes);
}

/* Sixteen bytes, widened. */
INLINE __m256i words_load(const int8_t *bytes)
{
    return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)bytes));
}

/* x[32] without excesses, and these, each in the place of its pair's first number: that goes to
 * what is left of 128. The result has two bits for each pair that has one. */
INLINE uint32_t pairs_lower(const int8_t *x, int8_t *lowered, int8_t *excesses)
{
    const __m256i bytes = bytes_load(x), zero = _mm256_setzero_si256();
    const __m256i most = _mm256_set1_epi16(PAIR_MOST);
    const __m256i both = _mm256_maddubs_epi16(_mm256_set1_epi8(1), bytes);
    const __m256i over = _mm256_max_epi16(_mm256_sub_epi16(both, most), zero);
    const __m256i under = _mm256_min_epi16(_mm256_add_epi16(both, most), zero);
    const __m256i excess = _mm256_or_si256(over, under);
    const __m256i first = _mm256_and_si256(excess, _mm256_set1_epi16(0xff));
    bytes_store(lowered, _mm256_sub_epi8(bytes, first));
    bytes_store(excesses, first);
    return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi16(excess, zero));
}

/* Where the next excess goes, and where there is no more room. */
struct list {
    struct excess *next, *end;
};

/* The excesses of x[64], from place `at` of a row on, to the list; the result is their sum. */
INLINE int32_t block_lower(const int8_t *x, int8_t *lowered, int32_t at, struct list *list)
{
    int8_t excesses[BLOCK];
    const uint64_t low = pairs_lower(x, lowered, excesses);
    const uint64_t high =
        pairs_lower(x + REGISTER_BYTES, lowered + REGISTER_BYTES, excesses + REGISTER_BYTES);
    int32_t sum = 0;
    for (uint64_t pairs = low | high << REGISTER_BYTES; pairs != 0; pairs &= pairs - 1) {
        const int32_t i = __builtin_ctzll(pairs);
        pairs &= pairs - 1;
        sum += excesses[i];
        if (list->next < list->end)
            *list->next =
                (struct excess){(at + i) / GROUP, (int32_t)((uint32_t)(uint8_t)excesses[i]
                                                            << (at + i) % GROUP * 8)};
        list->next++;
    }
    return sum;
}

/* Each of four registers has for its span's steps the numbers of both lanes. Their sums: lanes
 * 0 and 1 are of the first span, 4 and 5 of the second, 2 and 3, 6 and 7 of the others. */
INLINE __m256i steps_sum(const __m256i *spans)
{
    const __m256i first = _mm256_add_epi32(_mm256_permute2x128_si256(spans[0], spans[1], 0x20),
                                           _mm256_permute2x128_si256(spans[0], spans[1], 0x31));
    const __m256i last = _mm256_add_epi32(_mm256_permute2x128_si256(spans[2], spans[3], 0x20),
                                          _mm256_permute2x128_si256(spans[2], spans[3], 0x31));
    return _mm256_add_epi32(_mm256_unpacklo_epi64(first, last),
                            _mm256_unpackhi_epi64(first, last));
}

/* Of such sums, lanes 0, 4, 2 and 6. */
INLINE __m128i spans_in_order(__m256i sums)
{
    const __m256i order = _mm256_setr_epi32(0, 4, 2, 6, 0, 4, 2, 6);
    return _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(sums, order));
}

/* Of a block's four spans of x: where their lanes start, the greater of norms and theirs. */
INLINE void block_measure(const int8_t *x, int32_t *narrow, float *norms)
{
    __m256i squares[BLOCK_SPANS], numbers[BLOCK_SPANS];
    for (int i = 0; i < BLOCK_SPANS; i++) {
        const __m256i words = words_load(x + i * SPAN);
        squares[i] = _mm256_madd_epi16(words, words);
        numbers[i] = _mm256_madd_epi16(words, _mm256_set1_epi16(-1));
    }
    const __m256i of_lanes = steps_sum(squares);
    const __m256i greatest = _mm256_max_epi32(of_lanes, _mm256_shuffle_epi32(of_lanes, 0xb1));
    const __m128 norm = _mm_cvtepi32_ps(spans_in_order(greatest));
    _mm_storeu_ps(norms, _mm_max_ps(norm, _mm_loadu_ps(norms)));
    const __m256i starts = _mm256_slli_epi32(steps_sum(numbers), 7); /* by OFFSET */
    const __m256i both = _mm256_blend_epi16(starts, _mm256_srli_epi64(starts, 16), 0x22);
    _mm_storeu_si128((__m128i *)(void *)narrow, spans_in_order(both));
}

bool matmul_int8_x_turn_avx2(const struct matmul_int8_tile *block, void *turned)
{
    const struct rows rows = rows_of(turned, block->rows, block->depth);
    const size_t depth = (size_t)block->depth, spans = depth / SPAN;
    struct list list = {rows.excesses,
                        rows.excesses + excesses_most(block->rows, block->depth)};
    memset(rows.norms, 0, (size_t)(block->rows + ROWS - 1) / ROWS * spans * sizeof(float));
    for (int32_t r = 0; r < block->rows; r++) {
        const int8_t *from = block->x + (size_t)r * (size_t)block->stride;
        int8_t *x = rows.x + (size_t)r * depth;
        int32_t *narrow = rows.narrow + (size_t)r * spans, sum = 0;
        float *norms = rows.norms + (size_t)(r / ROWS) * spans;
        rows.first[r] = (int32_t)(list.next - rows.excesses);
        for (int32_t at = 0; at < block->depth; at += BLOCK) {
            sum += block_lower(from + at, x + at, at, &list);
            block_measure(x + at, narrow + at / SPAN, norms + at / SPAN);
        }
        if (list.next > list.end)
            return false;
        rows.wide[r] = -OFFSET * sum;
    }
    rows.first[block->rows] = (int32_t)(list.next - rows.excesses);
    return true;
}

/* A turned panel: its bytes + 128, then for each span the greatest sum of squares of a lane. */
static const float *panel_norms(const int8_t *turned, size_t depth)
{
    return (const float *)(const void *)(turned + depth * PANEL);
}

static float span_turn(const int8_t *w, int8_t *turned)
{
    enum { QUARTERS = 4 }; /* four outputs are eight lanes */
    __m256i sums[QUARTERS];
    memset(sums, 0, sizeof sums);
    for (int step = 0; step < STEPS; step++, w += GROUP_BYTES, turned += GROUP_BYTES) {
        for (int i = 0; i < QUARTERS; i++) {
            const __m256i words = words_load(w + i * GROUP_BYTES / QUARTERS);
            sums[i] = _mm256_add_epi32(sums[i], _mm256_madd_epi16(words, words));
        }
        for (int h = 0; h < HALVES; h++) {
            const __m256i bytes = bytes_load(w + h * REGISTER_BYTES);
            bytes_store(turned + h * REGISTER_BYTES,
                        _mm256_xor_si256(bytes, _mm256_set1_epi8(-OFFSET)));
        }
    }
    const __m256i all = _mm256_max_epi32(_mm256_max_epi32(sums[0], sums[1]),
                                         _mm256_max_epi32(sums[2], sums[3]));
    __m128i most = _mm_max_epi32(_mm256_castsi256_si128(all), _mm256_extracti128_si256(all, 1));
    most = _mm_max_epi32(most, _mm_shuffle_epi32(most, 0x4e));
    most = _mm_max_epi32(most, _mm_shuffle_epi32(most, 0xb1));
    return (float)_mm_cvtsi128_si32(most);
}

void matmul_int8_turn_avx2(const struct matmul_int8_tile *tile, int8_t *turned)
{
    const int8_t *w = tile->panel;
    for (int32_t p = 0; p < tile->panels; p++) {
        int8_t *bytes = turned + (size_t)p * matmul_int8_turned_bytes(tile->depth);
        float *norms = (float *)(void *)(bytes + (size_t)tile->depth * PANEL);
        for (int32_t span = 0; span < tile->depth / SPAN; span++) {
            norms[span] = span_turn(w, bytes);
            w += SPAN_BYTES;
            bytes += SPAN_BYTES;
        }
    }
}

/* Neighbouring rows, at most four, and a panel. */
struct operands {
    const int8_t *x, *w;
    const int32_t *narrow, *wide;
    const float *x_norms, *w_norms;
    size_t depth, spans;
};

struct sums {
    __m256i of[ROWS][HALVES];
};

INLINE __m256i four_broadcast(const void *x)
{
    int32_t four;
    memcpy(&four, x, sizeof four);
    return _mm256_set1_epi32(four);
}

INLINE __m256i pairs_add(__m256i pairs)
{
    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

/* lane = start + the products of a step. Written out: through the intrinsic gcc 12 moves sums
 * between registers at every step. */
INLINE void lane_begin(__m256i *lane, __m256i start, __m256i products)
{
    __asm__("vpaddw %2, %1, %0" : "=x"(*lane) : "x"(start), "x"(products));
}

INLINE void lane_add(__m256i *lane, __m256i products)
{
    __asm__("vpaddw %1, %0, %0" : "+x"(*lane) : "x"(products));
}

/* A span whose lanes fit. rows is a constant at each call, here and below. */
INLINE void span_narrow(const struct operands *o, size_t span, int rows, struct sums *sums)
{
    const int8_t *x = o->x + span * SPAN, *w = o->w + span * SPAN_BYTES;
    struct sums lanes;
    for (int step = 0; step < STEPS; step++, x += GROUP, w += GROUP_BYTES) {
        const __m256i weights[] = {bytes_load(w), bytes_load(w + REGISTER_BYTES)};
        for (int r = 0; r < rows; r++) {
            const __m256i four = four_broadcast(x + (size_t)r * o->depth);
            const __m256i products[] = {_mm256_maddubs_epi16(weights[0], four),
                                        _mm256_maddubs_epi16(weights[1], four)};
            if (step == 0) {
                const __m256i start = four_broadcast(o->narrow + (size_t)r * o->spans + span);
                lane_begin(&lanes.of[r][0], start, products[0]);
                lane_begin(&lanes.of[r][1], start, products[1]);
            } else {
                lane_add(&lanes.of[r][0], products[0]);
                lane_add(&lanes.of[r][1], products[1]);
            }
        }
    }
    for (int r = 0; r < rows; r++)
        for (int h = 0; h < HALVES; h++)
            sums->of[r][h] = _mm256_add_epi32(sums->of[r][h], pairs_add(lanes.of[r][h]));
}

/* Any span: what is left of a pair fits, since 127 * (128 + 128) < 2^15. A function of its own:
 * gcc 12 would make the products of both kinds of span before it knows which it is. */
static __attribute__((noinline)) void span_wide(const struct operands *o, size_t span, int rows,
                                                struct sums *sums)
{
    const int8_t *x = o->x + span * SPAN, *w = o->w + span * SPAN_BYTES;
    for (int step = 0; step < STEPS; step++, x += GROUP, w += GROUP_BYTES) {
        const __m256i weights[] = {bytes_load(w), bytes_load(w + REGISTER_BYTES)};
        for (int r = 0; r < rows; r++) {
            const __m256i four = four_broadcast(x + (size_t)r * o->depth);
            const __m256i offset = _mm256_maddubs_epi16(_mm256_set1_epi8(-OFFSET), four);
            for (int h = 0; h < HALVES; h++) {
                const __m256i products = _mm256_maddubs_epi16(weights[h], four);
                sums->of[r][h] = _mm256_add_epi32(
                    sums->of[r][h], pairs_add(_mm256_sub_epi16(products, offset)));
            }
        }
    }
}

/* A bit for each span of a block that fits. */
INLINE int spans_fit(const float *x_norms, const float *w_norms)
{
    const __m128 products = _mm_mul_ps(_mm_loadu_ps(x_norms), _mm_loadu_ps(w_norms));
    return _mm_movemask_ps(_mm_cmple_ps(products, _mm_set1_ps(FITS)));
}

INLINE void rows_sum(const struct operands *o, int rows, struct sums *sums)
{
    for (int r = 0; r < rows; r++)
        sums->of[r][0] = sums->of[r][1] = _mm256_set1_epi32(o->wide[r]);
    for (size_t span = 0; span < o->spans; span += BLOCK_SPANS) {
        const int fit = spans_fit(o->x_norms + span, o->w_norms + span);
        for (int i = 0; i < BLOCK_SPANS; i++) {
            if ((fit >> i & 1) != 0)
                span_narrow(o, span + (size_t)i, rows, sums);
            else
                span_wide(o, span + (size_t)i, rows, sums);
        }
    }
}

/* Adds the products of a row's excesses, and writes out[16]. */
INLINE void row_store(const struct operands *o, const struct excess *excess,
                      const struct excess *end, __m256i *sums, int32_t *out)
{
    for (; excess < end; excess++) {
        const __m256i four = _mm256_set1_epi32(excess->four);
        const int8_t *w = o->w + (size_t)excess->group * GROUP_BYTES;
        for (int h = 0; h < HALVES; h++, w += REGISTER_BYTES)
            sums[h] =
                _mm256_add_epi32(sums[h], pairs_add(_mm256_maddubs_epi16(bytes_load(w), four)));
    }
    for (int h = 0; h < HALVES; h++)
        bytes_store(out + h * HALF, sums[h]);
}

#define ROWS_CASE(count)                                                                       \
    case count:                                                                                \
        rows_sum(&o, count, &sums);                                                            \
        break;

/* All rows of the tile and one panel. */
static void panel_sum(const struct matmul_int8_tile *tile, const struct rows *rows,
                      struct operands o, int32_t *out)
{
    const int32_t end = tile->rows_before + tile->rows;
    assert(tile->rows_before % ROWS == 0);
    for (int32_t row = tile->rows_before; row < end; row += ROWS) {
        const int32_t count = end - row < ROWS ? end - row : ROWS;
        const int32_t *first = rows->first + row;
        struct sums sums;
        o.x = rows->x + (size_t)row * o.depth;
        o.narrow = rows->narrow + (size_t)row * o.spans;
        o.x_norms = rows->norms + (size_t)(row / ROWS) * o.spans;
        o.wide = rows->wide + row;
        switch (count) {
            ROWS_CASE(1) ROWS_CASE(2) ROWS_CASE(3) default : rows_sum(&o, ROWS, &sums);
            break;
        }
        for (int32_t r = 0; r < count; r++, out += PANEL)
            row_store(&o, rows->excesses + first[r], rows->excesses + first[r + 1], sums.of[r],
                      out);
    }
}

void matmul_int8_narrow_avx2(const struct matmul_int8_tile *tile, int32_t *out)
{
    const size_t depth = (size_t)tile->depth;
    const struct rows rows = rows_of(tile->x_turned, tile->rows_all, tile->depth);
    const int8_t *w = tile->turned;
    for (int32_t p = 0; p < tile->panels; p++) {
        const struct operands o = {
            .w = w, .w_norms = panel_norms(w, depth), .depth = depth, .spans = depth / SPAN};
        panel_sum(tile, &rows, o, out);
        w += matmul_int8_turned_bytes(tile->depth);
        out += (size_t)tile->rows * PANEL;
    }
}
