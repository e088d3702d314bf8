/*
 * attention_weight - one tile of keys for the rows of attention_rows: weights and values.
 *
 *     a = 2^(m - M),  p = 2^(s - M),  l = l a + sum p,  o = o a + p v      p as halves
 *
 * M is the maximum so far, m the one before. While a row has seen nothing M stands at 0 here,
 * and m is -infinity: a = 0.
 */
#ifndef KERNELS_PARTS_ATTENTION_WEIGHT_CUH
#define KERNELS_PARTS_ATTENTION_WEIGHT_CUH

#include "kernels/parts/attention_score.cuh"

/* Scores become weights, summed by groups of columns; the state moves to the new maxima. */
template <class STAGE, int ROW_WARPS>
SIMT void attention_weight_make(const struct attention_rows_memory &memory, float (*s)[4],
                                float (*groups)[2],
                                struct attention_rows_state<STAGE, ROW_WARPS> &state)
{
    using shape = attention_rows_shape<STAGE, ROW_WARPS>;
    enum { GROUP_TILES = shape::TILES / shape::GROUPS };
    float max[2] = {state.max[0], state.max[1]}, base[2], fade[2];
    attention_score_maxima<STAGE, ROW_WARPS>(memory, s, max);
    for (int row = 0; row < 2; row++) {
        base[row] = max[row] == -attention_rows_infinity() ? 0.0f : max[row];
        fade[row] = simt_exp2(state.max[row] - base[row]);
        state.max[row] = max[row];
    }
    for (int group = 0; group < shape::GROUPS; group++) {
        groups[group][0] = groups[group][1] = 0.0f;
        for (int tile = group * GROUP_TILES; tile < (group + 1) * GROUP_TILES; tile++)
            for (int i = 0; i < 4; i++) {
                s[tile][i] = simt_exp2(s[tile][i] - base[i / 2]);
                groups[group][i / 2] += s[tile][i];
            }
    }
    state.sum[0] *= fade[0];
    state.sum[1] *= fade[1];
    for (int tile = 0; tile < shape::DIM_TILES; tile++)
        for (int i = 0; i < 4; i++)
            state.out[tile][i] *= fade[i / 2];
}

/* Where a lane's sum of group `group` of a row is for the other warps. */
template <int ROWS> SIMT int32_t attention_weight_sum_at(int32_t group, int32_t row)
{
    return (group * ROWS + row) * 4 + simt_lane() % 4;
}

/* Gives the groups' sums to the other columns of warps; they are there after a barrier. */
template <class STAGE, int ROW_WARPS>
SIMT void attention_weight_sums_give(const struct attention_rows_memory &memory,
                                     const float (*groups)[2])
{
    using shape = attention_rows_shape<STAGE, ROW_WARPS>;
    const int first = simt_warp() % shape::COL_WARPS * shape::GROUPS;
    const int row = simt_warp() / shape::COL_WARPS * 16 + simt_lane() / 4;
    for (int i = 0; i < 2 * shape::GROUPS && shape::COL_WARPS > 1; i++)
        memory.sums[attention_weight_sum_at<shape::ROWS>(first + i / 2, row + i % 2 * 8)] =
            groups[i / 2][i % 2];
}

/* Adds the sums of all groups to the state's, in one order. */
template <class STAGE, int ROW_WARPS>
SIMT void attention_weight_sums_take(const struct attention_rows_memory &memory,
                                     const float (*groups)[2],
                                     struct attention_rows_state<STAGE, ROW_WARPS> &state)
{
    using shape = attention_rows_shape<STAGE, ROW_WARPS>;
    const int row = simt_warp() / shape::COL_WARPS * 16 + simt_lane() / 4;
    float all[ATTENTION_ROWS_GROUPS][2];
    for (int i = 0; i < 2 * ATTENTION_ROWS_GROUPS; i++)
        all[i / 2][i % 2] =
            shape::COL_WARPS == 1
                ? groups[i / 2 % shape::GROUPS][i % 2]
                : memory.sums[attention_weight_sum_at<shape::ROWS>(i / 2, row + i % 2 * 8)];
    for (int i = 0; i < 2; i++)
        state.sum[i] += (all[0][i] + all[1][i]) + (all[2][i] + all[3][i]);
}

/* Weights, times the scale of the value they are for, as the left side of p v. With several
 * columns of warps there is a barrier in it. */
template <class STAGE, int ROW_WARPS>
SIMT void attention_weight_pack(const struct attention_rows_memory &memory,
                                const struct simt_16 *stage, const float (*s)[4],
                                uint32_t p[STAGE::PAGES][4])
{
    using shape = attention_rows_shape<STAGE, ROW_WARPS>;
    enum { MASK = shape::PIECES == 8 ? 7 : 3, SHIFT = shape::PIECES == 8 ? 0 : 1 };
    const int lane = simt_lane(), first = simt_warp() % shape::COL_WARPS * shape::TILES;
    const int row = simt_warp() / shape::COL_WARPS * 16;
    const int32_t token = attention_score_token<STAGE, ROW_WARPS>();
    auto words = reinterpret_cast<uint32_t *>(memory.weights);
    for (int tile = 0; tile < shape::TILES; tile++) {
        struct attention_rows_floats lift = attention_score_scales<STAGE>(
            stage, token + attention_score_tile_token<STAGE>(tile), 1);
        if (STAGE::TYPE == KV_INT8)
            lift = {lift.low * ATTENTION_ROWS_LIFT, lift.high * ATTENTION_ROWS_LIFT};
        for (int i = 0; i < 2; i++) {
            const uint32_t word =
                simt_halves(s[tile][2 * i] * lift.low, s[tile][2 * i + 1] * lift.high);
            const int at = row + lane / 4 + 8 * i;
            if (shape::COL_WARPS == 1)
                p[tile / 2 % STAGE::PAGES][tile % 2 * 2 + i] = word;
            else
                words[(at * shape::PIECES + ((first + tile) ^ (at >> SHIFT & MASK))) * 4 +
                      lane % 4] = word;
        }
    }
    if (shape::COL_WARPS == 1)
        return;
    simt_barrier();
    const int at = row + lane % 16;
    for (int page = 0; page < STAGE::PAGES; page++)
        simt_ldmatrix_x4(p[page], memory.weights + at * shape::PIECES +
                                      ((2 * page + lane / 16) ^ (at >> SHIFT & MASK)));
}

template <class STAGE, int ROW_WARPS>
SIMT void attention_weight_values(const struct simt_16 *stage, const uint32_t (*p)[4],
                                  struct attention_rows_state<STAGE, ROW_WARPS> &state)
{
    using shape = attention_rows_shape<STAGE, ROW_WARPS>;
    const int first = simt_warp() % shape::COL_WARPS * shape::DIM_TILES;
    for (int tile = 0; tile < shape::DIM_TILES; tile++) {
        if (STAGE::DIM > 128 && tile % 4 == 0)
            simt_warp_sync(); /* or the compiler loads more fragments ahead than fit */
        for (int page = 0; page < STAGE::PAGES; page += STAGE::UNIT_PAGES) {
            uint32_t b[STAGE::UNIT_PAGES][2];
            attention_stage_values<STAGE>(stage, first + tile, page, b);
            for (int i = 0; i < STAGE::UNIT_PAGES; i++)
                simt_mma_f16(state.out[tile], p[page + i], b[i]);
        }
    }
}

#endif
