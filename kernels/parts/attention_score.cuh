/*
 * attention_score - one tile of keys for the rows of attention_rows: its scores.
 *
 *     s = q k^T * factor (* the key's scale), softly capped; out of sight: -infinity
 *     M = max(m, max s)
 */
#ifndef KERNELS_PARTS_ATTENTION_SCORE_CUH
#define KERNELS_PARTS_ATTENTION_SCORE_CUH

#include "kernels/parts/attention_rows.cuh"

/* s[tile] = products of a warp's rows with its part of the tile's keys. */
template <class STAGE, int ROW_WARPS>
SIMT void attention_score_products(const struct attention_rows_state<STAGE, ROW_WARPS> &state,
                                   const struct simt_16 *stage, float (*s)[4])
{
    using shape = attention_rows_shape<STAGE, ROW_WARPS>;
    const int first = simt_warp() % shape::COL_WARPS * shape::TILES;
    for (int tile = 0; tile < shape::TILES; tile++)
        for (int i = 0; i < 4; i++)
            s[tile][i] = 0.0f;
    for (int pair = 0; pair < shape::STEPS / 2; pair++) {
        for (int tile = 0; tile < shape::TILES; tile += STAGE::UNIT_TILES) {
            uint32_t b[STAGE::UNIT_TILES][2][2];
            attention_stage_keys<STAGE>(stage, first + tile, pair, b);
            for (int i = 0; i < 2 * STAGE::UNIT_TILES; i++) {
                const int step = i / STAGE::UNIT_TILES, at = i % STAGE::UNIT_TILES;
                simt_mma_f16(s[tile + at], state.q[2 * pair + step], b[at][step]);
            }
        }
    }
}

/* The first of a lane's two tokens, counted from the tile's first key, in tile `tile` of its
 * warp: what depends on the lane, which is the same for all tiles, and what does not. */
template <class STAGE, int ROW_WARPS> SIMT int32_t attention_score_token()
{
    using shape = attention_rows_shape<STAGE, ROW_WARPS>;
    const int first = simt_warp() % shape::COL_WARPS * shape::TILES; /* even, or TILES is 1 */
    return first / 2 * KV_PAGE_TOKENS +
           attention_stage_token<STAGE>(2 * (simt_lane() % 4), first % 2);
}

template <class STAGE> SIMT int32_t attention_score_tile_token(int tile)
{
    return tile / 2 * KV_PAGE_TOKENS + attention_stage_token<STAGE>(0, tile % 2);
}

/* Scales of the lane's two tokens of a tile: of keys (side 0) or of values (side 1). */
template <class STAGE>
SIMT struct attention_rows_floats attention_score_scales(const struct simt_16 *stage,
                                                         int32_t token, int side)
{
    if (STAGE::TYPE != KV_INT8)
        return {1.0f, 1.0f};
    const float *scales = reinterpret_cast<const float *>(stage + STAGE::SCALES_AT);
    const int32_t page = token / KV_PAGE_TOKENS;
    return *reinterpret_cast<const struct attention_rows_floats *>(
        scales + (page + side) * KV_PAGE_TOKENS + token);
}

/* Soft cap: c tanh x = c - 2 c / (e^2x + 1). */
template <int TILES> SIMT void attention_score_cap(float cap, float (*s)[4])
{
    for (int tile = 0; tile < TILES; tile++)
        for (int i = 0; i < 4; i++)
            s[tile][i] = cap - 2.0f * cap * simt_reciprocal(simt_exp2(s[tile][i]) + 1.0f);
}

/* A product is a score; keys that the row does not see are at -infinity. `begin` is the
 * number, in the split, of the tile's first key. */
template <class STAGE, int ROW_WARPS>
SIMT void attention_score_make(const struct attention_rows_args &args,
                               const struct attention_rows_pair &pair, int32_t begin,
                               const struct simt_16 *stage, float (*s)[4])
{
    using shape = attention_rows_shape<STAGE, ROW_WARPS>;
    const int32_t token = attention_score_token<STAGE, ROW_WARPS>();
    for (int tile = 0; tile < shape::TILES; tile++) {
        const auto scales = attention_score_scales<STAGE>(
            stage, token + attention_score_tile_token<STAGE>(tile), 0);
        for (int i = 0; i < 4; i++)
            s[tile][i] *= (i % 2 == 0 ? scales.low : scales.high) * args.factor;
    }
    if (args.cap > 0.0f)
        attention_score_cap<shape::TILES>(args.cap, s);
    const int32_t ahead[2] = {begin + token - pair.first[0], begin + token - pair.first[1]};
    for (int tile = 0; tile < shape::TILES; tile++) {
        const int32_t skip = attention_score_tile_token<STAGE>(tile);
        for (int i = 0; i < 4; i++) {
            const auto at = static_cast<uint32_t>(ahead[i / 2] + skip + i % 2);
            if (at >= static_cast<uint32_t>(pair.span[i / 2]))
                s[tile][i] = -attention_rows_infinity();
        }
    }
}

/* max[row] = the greater of it and of the row's scores in the whole tile. */
template <class STAGE, int ROW_WARPS>
SIMT void attention_score_maxima(const struct attention_rows_memory &memory,
                                 const float (*s)[4], float max[2])
{
    using shape = attention_rows_shape<STAGE, ROW_WARPS>;
    const int lane = simt_lane(), column = simt_warp() % shape::COL_WARPS;
    const int row = simt_warp() / shape::COL_WARPS * 16 + lane / 4;
    float most[2] = {max[0], max[1]};
    for (int tile = 0; tile < shape::TILES; tile++)
        for (int i = 0; i < 4; i++)
            most[i / 2] = s[tile][i] > most[i / 2] ? s[tile][i] : most[i / 2];
    for (int i = 0; i < 2; i++)
        for (int mask = 1; mask < 4; mask *= 2) {
            const float other = simt_shuffle_xor(most[i], mask);
            most[i] = other > most[i] ? other : most[i];
        }
    if (shape::COL_WARPS > 1) {
        if (lane % 4 < 2)
            memory.maxima[column * shape::ROWS + row + 8 * (lane % 4)] =
                lane % 4 == 0 ? most[0] : most[1];
        simt_barrier();
        for (int i = 0; i < 2 * shape::COL_WARPS; i++) {
            const float other = memory.maxima[i / 2 * shape::ROWS + row + 8 * (i % 2)];
            most[i % 2] = other > most[i % 2] ? other : most[i % 2];
        }
    }
    max[0] = most[0];
    max[1] = most[1];
}

#endif
