/*
 * gemm_int8 - tiles of an int8 product: how they come in, are multiplied and go out.
 *
 * Slices of 64 inputs, of ROWS rows of x and COLS rows of weights, lie in shared memory as they
 * are: 64 bytes per row. A fragment is the 16 bytes at row g, 16 t: a warp's 32 loads have
 * consecutive addresses, so there is neither padding nor swizzle nor conflict, and x comes the
 * same way as the weights (weight_simt.h tells the order of inputs that this makes).
 */
#ifndef KERNELS_PARTS_GEMM_INT8_CUH
#define KERNELS_PARTS_GEMM_INT8_CUH

#include "kernels/parts/gate.cuh"
#include "kernels/weight_simt.h"

struct gemm_int8 {
    const int8_t *x; /* [rows][stride], zero from in_dim to whole slices */
    const float *x_scales;
    const int8_t *w, *gate; /* in weight_simt's order; gate where the kernel has one */
    const float *w_scales, *gate_scales;
    const float *bias; /* or NULL */
    float *y;          /* [rows][out_dim] */
    int64_t stride;
    int32_t rows, out_dim, slices, panels; /* of the weights, as in weight_simt.h */
    int32_t row_tiles;
    enum silu_mul_kind gate_kind;
    bool accumulate;
    bool is_paired; /* y[r, even o] lies at a multiple of 8 bytes */
};

/* A tile: ROW_WARPS x COL_WARPS warps share its ROWS x COLS sums; SLICES such sets of warps
 * take a slice each. STAGES stages of SLICES slices are in shared memory, all but one of them
 * under way. */
template <int TILE_ROWS, int TILE_COLS, int WARPS_R, int WARPS_C, int WARPS_S, int STAGE_COUNT,
          int BLOCK_COUNT>
struct gemm_int8_tile {
    enum : int {
        ROWS = TILE_ROWS,
        COLS = TILE_COLS, /* rows of weights: half of them the gate's where there is one */
        ROW_WARPS = WARPS_R,
        COL_WARPS = WARPS_C,
        SLICES = WARPS_S,
        STAGES = STAGE_COUNT,
        BLOCKS = BLOCK_COUNT, /* per multiprocessor */
        THREADS = ROW_WARPS * COL_WARPS * SLICES * SIMT_WARP,
        M = ROWS / ROW_WARPS / 16, /* sums of a warp: M x N tiles of 16 x 8 */
        N = COLS / COL_WARPS / 8,
        X_BYTES = SLICES * ROWS * WEIGHT_SIMT_SLICE,
        STAGE_BYTES = X_BYTES + SLICES * COLS * WEIGHT_SIMT_SLICE,
        SHARED_BYTES = STAGES * STAGE_BYTES,
        X_COPIES = X_BYTES / 16 / THREADS, /* of a thread, per stage */
        COPIES = STAGE_BYTES / 16 / THREADS
    };
    static_assert(SHARED_BYTES * BLOCKS <= SIMT_SHARED_MAX, "fits sm_89");
    static_assert(SLICES * ROWS * COLS * 4 <= SHARED_BYTES || SLICES == 1,
                  "partial sums fit where the stages were");
    static_assert(X_BYTES % (16 * THREADS) == 0 && STAGE_BYTES % (16 * THREADS) == 0,
                  "all threads copy as much");
    static_assert(M <= N, "the order in gemm_int8_multiply");
};

enum { GEMM_INT8_PIECE = 16, GEMM_INT8_PIECES = WEIGHT_SIMT_SLICE / GEMM_INT8_PIECE };

/* Where a thread works. */
struct gemm_int8_place {
    int32_t row, out;     /* the tile's first */
    int32_t row_w, col_w; /* the warp's first row of x and row of weights in the tile */
    int slice_w, set_w;   /* its share of the slices; its number among those with that share */
    int lane;
    unsigned char *stages; /* shared by the block */
};

/* The output, from the tile's first, of row `col` of the tile's weights. */
template <class T, bool GATED> SIMT int gemm_int8_out(int col)
{
    constexpr int SPAN = T::N * 8; /* of a warp: its gates, then the rows they gate */
    return GATED ? col / SPAN * (SPAN / 2) + col % (SPAN / 2) : col;
}

template <class T, bool GATED>
SIMT void gemm_int8_find(const struct gemm_int8 &g, struct gemm_int8_place *place)
{
    constexpr int GROUP = 16; /* row tiles that share weights while L2 has them */
    constexpr int OUTS = GATED ? T::COLS / 2 : T::COLS;
    const int out_tiles = (g.out_dim - 1) / OUTS + 1;
    const int tile = static_cast<int>(blockIdx.x);
    const int first = tile / (GROUP * out_tiles) * GROUP;
    const int rest = g.row_tiles - first;
    const int size = rest < GROUP ? rest : GROUP;
    const int in_group = tile % (GROUP * out_tiles);
    const int warp = simt_warp();
    place->row = (first + in_group % size) * T::ROWS;
    place->out = in_group / size * OUTS;
    place->lane = simt_lane();
    place->set_w = warp % (T::ROW_WARPS * T::COL_WARPS);
    place->slice_w = warp / (T::ROW_WARPS * T::COL_WARPS);
    place->row_w = place->set_w / T::COL_WARPS * (T::M * 16);
    place->col_w = place->set_w % T::COL_WARPS * (T::N * 8);
}

/* Copy i of x, of this thread's in a step. */
template <class T>
SIMT void gemm_int8_copy_x(const struct gemm_int8 &g, const struct gemm_int8_place &place,
                           int step, int i, unsigned char *stage)
{
    const int piece = i * T::THREADS + static_cast<int>(threadIdx.x);
    const int slice = step * T::SLICES + piece / (T::ROWS * GEMM_INT8_PIECES);
    const int row = place.row + piece / GEMM_INT8_PIECES % T::ROWS;
    if (slice >= g.slices)
        return;
    const int8_t *from = g.x + (row < g.rows ? row : 0) * g.stride + slice * WEIGHT_SIMT_SLICE +
                         piece % GEMM_INT8_PIECES * GEMM_INT8_PIECE;
    simt_copy_async16(stage + piece * GEMM_INT8_PIECE, from, row < g.rows ? 16 : 0);
}

/* Copy i of the weights. Those of panels past the last are not stored: any will do. */
template <class T, bool GATED>
SIMT void gemm_int8_copy_w(const struct gemm_int8 &g, const struct gemm_int8_place &place,
                           int step, int i, unsigned char *stage)
{
    const int piece = i * T::THREADS + static_cast<int>(threadIdx.x);
    const int slice = step * T::SLICES + piece / (T::COLS * GEMM_INT8_PIECES);
    const int col = piece / GEMM_INT8_PIECES % T::COLS;
    if (slice >= g.slices)
        return;
    const int out = place.out + gemm_int8_out<T, GATED>(col);
    const int wanted = out / WEIGHT_SIMT_PANEL;
    const int64_t panel = wanted < g.panels ? wanted : g.panels - 1;
    const bool is_gate = GATED && col % (T::N * 8) < T::N * 4;
    const int8_t *from = (is_gate ? g.gate : g.w) +
                         (panel * g.slices + slice) * WEIGHT_SIMT_SLICE_BYTES +
                         out % WEIGHT_SIMT_PANEL * WEIGHT_SIMT_SLICE +
                         piece % GEMM_INT8_PIECES * GEMM_INT8_PIECE;
    simt_copy_async16(stage + T::X_BYTES + piece * GEMM_INT8_PIECE, from);
}

/* Begins copies begin .. end - 1, of T::COPIES, of a step into its stage. */
template <class T, bool GATED>
SIMT void gemm_int8_copy(const struct gemm_int8 &g, const struct gemm_int8_place &place,
                         int step, int begin, int end)
{
    unsigned char *stage = place.stages + step % T::STAGES * T::STAGE_BYTES;
    SIMT_UNROLL
    for (int i = begin; i < end; i++) {
        if (i < T::X_COPIES)
            gemm_int8_copy_x<T>(g, place, step, i, stage);
        else
            gemm_int8_copy_w<T, GATED>(g, place, step, i - T::X_COPIES, stage);
    }
}

/* sum += a b of 16 rows by 8 rows of weights: half of their 64 inputs. */
SIMT void gemm_int8_mma(const struct simt_16 a[2], const struct simt_16 &b, int half,
                        int32_t sum[4])
{
    const uint32_t rows[4] = {a[0].word[2 * half], a[1].word[2 * half], a[0].word[2 * half + 1],
                              a[1].word[2 * half + 1]};
    const uint32_t cols[2] = {b.word[2 * half], b.word[2 * half + 1]};
    simt_mma_s8(sum, rows, cols);
}

/* sum += the warp's rows of a step's slice times its rows of weights, while the copies of the
 * step that takes the last one's place begin. Each fragment is multiplied by all that came
 * before it: after a barrier all warps load at once, and so the first products wait for two
 * loads and not for all of x's. */
template <class T, bool GATED>
SIMT void gemm_int8_multiply(const struct gemm_int8 &g, const struct gemm_int8_place &place,
                             int step, int32_t (*sum)[T::N][4])
{
    constexpr int EIGHT = 8 * WEIGHT_SIMT_SLICE, NEXT = T::STAGES - 1;
    const unsigned char *stage =
        place.stages + step % T::STAGES * T::STAGE_BYTES + place.lane * GEMM_INT8_PIECE;
    const unsigned char *x =
        stage + (place.slice_w * T::ROWS + place.row_w) * WEIGHT_SIMT_SLICE;
    const unsigned char *w =
        stage + T::X_BYTES + (place.slice_w * T::COLS + place.col_w) * WEIGHT_SIMT_SLICE;
    struct simt_16 a[T::M][2], b[T::N];
    SIMT_UNROLL
    for (int n = 0; n < T::N; n++) {
        b[n] = simt_load16(w + n * EIGHT);
        if (n < T::M) {
            a[n][0] = simt_load16(x + 2 * n * EIGHT);
            a[n][1] = simt_load16(x + (2 * n + 1) * EIGHT);
        }
        SIMT_UNROLL
        for (int half = 0; half < 2; half++) { /* so that two products of a sum lie apart */
            SIMT_UNROLL
            for (int m = 0; m < T::M && m < n; m++)
                gemm_int8_mma(a[m], b[n], half, sum[m][n]);
            SIMT_UNROLL
            for (int i = 0; n < T::M && i <= n; i++)
                gemm_int8_mma(a[n], b[i], half, sum[n][i]);
        }
        gemm_int8_copy<T, GATED>(g, place, step + NEXT, n * T::COPIES / T::N,
                                 (n + 1) * T::COPIES / T::N);
    }
}

#endif
