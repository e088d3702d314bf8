/*
 * gemm_int8_finish - the exact sums of a tile to y: scales, bias, gate, residual.
 *
 * Warps that took different slices first add their sums through shared memory, each finishing
 * every SLICES-th tile of 16 x 8. From there on a lane holds two neighbours of row g and
 * two of row g + 8; four lanes write a sector of a row together.
 */
#ifndef KERNELS_PARTS_GEMM_INT8_FINISH_CUH
#define KERNELS_PARTS_GEMM_INT8_FINISH_CUH

#include "kernels/parts/gemm_int8.cuh"

struct alignas(8) gemm_int8_pair {
    float low, high;
};

/* True for the warp, of those that share a tile of sums, that finishes output tile n. */
template <class T> SIMT bool gemm_int8_is_mine(const struct gemm_int8_place &place, int n)
{
    return n % T::SLICES == place.slice_w;
}

/* The place of sums [m][n] of the warp that took `slice` of a stage. */
template <class T>
SIMT unsigned char *gemm_int8_partial(const struct gemm_int8_place &place, int slice, int m,
                                      int n)
{
    const int set = slice * (T::ROW_WARPS * T::COL_WARPS) + place.set_w;
    return place.stages +
           (((set * T::M + m) * T::N + n) * SIMT_WARP + place.lane) * GEMM_INT8_PIECE;
}

/* Adds up what the warps took of different slices, over the stages; OUTS = T::N, or the half
 * of it where a gate's sums come first. */
template <class T, int OUTS>
SIMT void gemm_int8_gather(const struct gemm_int8_place &place, int32_t (*sum)[T::N][4])
{
    simt_copy_wait<0>();
    simt_barrier();
    SIMT_UNROLL
    for (int i = 0; i < T::M * T::N; i++) {
        const int m = i / T::N, n = i % T::N;
        struct simt_16 part;
        for (int c = 0; c < 4; c++)
            part.word[c] = static_cast<uint32_t>(sum[m][n][c]);
        if (!gemm_int8_is_mine<T>(place, n % OUTS))
            simt_store16(gemm_int8_partial<T>(place, place.slice_w, m, n), part);
    }
    simt_barrier();
    SIMT_UNROLL
    for (int i = 0; i < T::M * T::N; i++) {
        const int m = i / T::N, n = i % T::N;
        if (!gemm_int8_is_mine<T>(place, n % OUTS))
            continue;
        for (int slice = 0; slice < T::SLICES; slice++) {
            if (slice == place.slice_w)
                continue;
            const struct simt_16 part = simt_load16(gemm_int8_partial<T>(place, slice, m, n));
            for (int c = 0; c < 4; c++)
                sum[m][n][c] += static_cast<int32_t>(part.word[c]);
        }
    }
}

/* Two neighbours of a row to y; the second may lie past out_dim. */
SIMT void gemm_int8_put(const struct gemm_int8 &g, int row, int out,
                        struct gemm_int8_pair value)
{
    float *y = g.y + static_cast<int64_t>(row) * g.out_dim + out;
    const bool has_high = out + 1 < g.out_dim;
    if (g.bias) {
        value.low += g.bias[out];
        value.high += has_high ? g.bias[out + 1] : 0.0f;
    }
    if (g.is_paired) {
        auto *place = reinterpret_cast<struct gemm_int8_pair *>(y);
        if (g.accumulate)
            value = {place->low + value.low, place->high + value.high};
        *place = value;
        return;
    }
    y[0] = g.accumulate ? y[0] + value.low : value.low;
    if (has_high)
        y[1] = g.accumulate ? y[1] + value.high : value.high;
}

SIMT struct gemm_int8_pair gemm_int8_scaled(const int32_t sum[2], float x_scale,
                                            const float *scales)
{
    const auto scale = *reinterpret_cast<const struct gemm_int8_pair *>(scales);
    return {static_cast<float>(sum[0]) * (x_scale * scale.low),
            static_cast<float>(sum[1]) * (x_scale * scale.high)};
}

template <class T, bool GATED>
SIMT void gemm_int8_finish(const struct gemm_int8 &g, const struct gemm_int8_place &place,
                           int32_t (*sum)[T::N][4])
{
    constexpr int OUTS = GATED ? T::N / 2 : T::N;
    const int first_out = place.out + gemm_int8_out<T, GATED>(place.col_w) + place.lane % 4 * 2;
    const int first_row = place.row + place.row_w + place.lane / 4;
    SIMT_UNROLL
    for (int i = 0; i < T::M * 2 * OUTS; i++) {
        const int m = i / (2 * OUTS), below = i / OUTS % 2, n = i % OUTS;
        const int row = first_row + 16 * m + 8 * below;
        const int out = first_out + 8 * n;
        if (row >= g.rows || out >= g.out_dim || !gemm_int8_is_mine<T>(place, n))
            continue;
        const float x_scale = g.x_scales[row];
        struct gemm_int8_pair value = gemm_int8_scaled(sum[m][GATED ? n + OUTS : n] + 2 * below,
                                                       x_scale, g.w_scales + out);
        if (GATED) {
            const struct gemm_int8_pair gate =
                gemm_int8_scaled(sum[m][n] + 2 * below, x_scale, g.gate_scales + out);
            value = {gate_act_of(g.gate_kind, gate.low) * value.low,
                     gate_act_of(g.gate_kind, gate.high) * value.high};
        }
        gemm_int8_put(g, row, out, value);
    }
}

#endif
