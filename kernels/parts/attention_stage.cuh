/*
 * attention_stage - a tile of keys and values in shared memory, and as matrix fragments.
 *
 * A stage holds KEYS keys (whole pages) of one KV head: the keys, the values, for KV_INT8 the
 * scales. Pieces of 16 bytes lie so that the eight rows of each 8 x 8 tile that ldmatrix reads
 * fall in eight different groups of banks.
 *
 * Bytes need a trick: ldmatrix gives a lane 4 bytes that lie side by side, where mma wants the
 * numbers 2 t, 2 t + 1 and 2 t + 8, 2 t + 9 of 16. A sum has no order by itself, so the numbers
 * take the places instead: lane t's four bytes 4 t .. 4 t + 3 stand where mma has those four.
 *     dims    the query's numbers are loaded in that order too (attention_query.cuh)
 *     tokens  the columns of a score tile are the tokens in that order: column n of tile
 *             `half` of a page is token 4 (n / 2) + n % 2 + 2 half. So what a lane holds of two
 *             score tiles is what mma wants of it as weights of 16 tokens.
 */
#ifndef KERNELS_PARTS_ATTENTION_STAGE_CUH
#define KERNELS_PARTS_ATTENTION_STAGE_CUH

#include "kernels/parts/kv_block.cuh"

enum { ATTENTION_STAGE_THREADS = 128, ATTENTION_STAGE_WARPS = 4 };

/* The sizes of a tile. A piece is 16 bytes. */
template <enum kv_type CACHE, int HEAD_DIM> struct attention_stage {
    static constexpr enum kv_type TYPE = CACHE;
    enum {
        DIM = HEAD_DIM,
        BYTES = CACHE == KV_INT8 ? 1 : 2, /* of a number */
        IN_PIECE = 16 / BYTES,
        KEYS = BYTES * DIM >= 256 && CACHE != KV_INT8 ? 32 : 64,
        PAGES = KEYS / KV_PAGE_TOKENS,
        KEY_PIECES = DIM / IN_PIECE,
        KEY_STRIDE = (KEY_PIECES + 3) / 4 * 4,    /* pieces from key to key */
        VALUE_PIECES = KV_PAGE_TOKENS / IN_PIECE, /* of one dim of a page */
        SCALE_PIECES = CACHE == KV_INT8 ? 8 : 0,  /* of a page */
        VALUES_AT = KEYS * KEY_STRIDE,            /* pieces from the stage's begin */
        SCALES_AT = VALUES_AT + PAGES * DIM * VALUE_PIECES,
        PIECES = SCALES_AT + PAGES * SCALE_PIECES,
        UNIT_TILES = CACHE == KV_INT8 ? 2 : 1, /* tiles of 8 keys that one ldmatrix gives */
        UNIT_PAGES = CACHE == KV_INT8 ? 4 : 2  /* pages of values that one ldmatrix gives */
    };
};

/* Where the pages' blocks begin, and how many of their keys count: the others become zero. */
struct attention_stage_source {
    uint8_t *const *blocks; /* shared memory; for each page with keys that count */
    int32_t keys;           /* at least 1 */
};

SIMT int32_t attention_stage_clamp(int32_t value, int32_t most)
{
    return value < 0 ? 0 : value < most ? value : most;
}

/* Row of a tile of 8 keys in which a token of a page stands. */
template <class STAGE> SIMT int32_t attention_stage_row(int32_t token)
{
    return STAGE::TYPE == KV_INT8 ? (token / 4) * 2 + token % 2 : token % 8;
}

/* The token of a page that stands in a row of its tile `half`. */
template <class STAGE> SIMT int32_t attention_stage_token(int32_t row, int32_t half)
{
    return STAGE::TYPE == KV_INT8 ? row / 2 * 4 + row % 2 + 2 * half : row + 8 * half;
}

/* row is that of the key in its tile. Keys whose stride is an odd multiple of 4 pieces fall in
 * two halves of the banks already. */
template <class STAGE>
SIMT int32_t attention_stage_key_at(int32_t key, int32_t row, int32_t piece)
{
    return key * STAGE::KEY_STRIDE + (piece ^ (STAGE::KEY_STRIDE % 8 == 0 ? row : row / 2));
}

/* half: which of the dim's pieces, with two of them. */
template <class STAGE>
SIMT int32_t attention_stage_value_at(int32_t page, int32_t dim, int32_t half)
{
    const int32_t piece = STAGE::VALUE_PIECES == 2 ? half ^ (dim / 4 % 2) : 0;
    return STAGE::VALUES_AT + (page * STAGE::DIM + dim) * STAGE::VALUE_PIECES + piece;
}

/* The block of a page, or where there is none that of the last: then nothing of it counts. */
template <class STAGE>
SIMT struct kv_block<STAGE::TYPE> attention_stage_block(
    const struct attention_stage_source &source, int32_t page) {
    const int32_t last = (source.keys - 1) / KV_PAGE_TOKENS;
    return kv_block_from<STAGE::TYPE>(source.blocks[page < last ? page : last], STAGE::DIM);
}

template <class STAGE>
SIMT void attention_stage_copy_keys(const struct attention_stage_source &source, int32_t begin,
                                    struct simt_16 *stage)
{
    const int32_t thread = static_cast<int32_t>(threadIdx.x);
#pragma unroll 1
    for (int32_t i = thread; i < STAGE::VALUES_AT; i += ATTENTION_STAGE_THREADS) {
        const int32_t key = i / STAGE::KEY_STRIDE, piece = i % STAGE::KEY_STRIDE;
        const struct kv_block<STAGE::TYPE> block =
            attention_stage_block<STAGE>(source, (begin + key) / KV_PAGE_TOKENS);
        const int32_t from =
            kv_block_key_index(STAGE::DIM, key % KV_PAGE_TOKENS, piece * STAGE::IN_PIECE);
        const int32_t row = attention_stage_row<STAGE>(key % KV_PAGE_TOKENS);
        if (piece < STAGE::KEY_PIECES)
            simt_copy_async16(stage + attention_stage_key_at<STAGE>(key, row, piece),
                              block.keys + from, begin + key < source.keys ? 16 : 0);
    }
}

template <class STAGE>
SIMT void attention_stage_copy_values(const struct attention_stage_source &source,
                                      int32_t begin, struct simt_16 *stage)
{
    enum { PAGE = STAGE::DIM * STAGE::VALUE_PIECES };
    const int32_t thread = static_cast<int32_t>(threadIdx.x);
#pragma unroll 1
    for (int32_t i = thread; i < STAGE::PAGES * PAGE; i += ATTENTION_STAGE_THREADS) {
        const int32_t page = i / PAGE, dim = i % PAGE / STAGE::VALUE_PIECES;
        const int32_t half = i % STAGE::VALUE_PIECES, token = half * STAGE::IN_PIECE;
        const int32_t key = begin + page * KV_PAGE_TOKENS + token;
        const struct kv_block<STAGE::TYPE> block =
            attention_stage_block<STAGE>(source, begin / KV_PAGE_TOKENS + page);
        const int32_t count = attention_stage_clamp(source.keys - key, STAGE::IN_PIECE);
        simt_copy_async16(stage + attention_stage_value_at<STAGE>(page, dim, half),
                          block.values + kv_block_value_index(token, dim),
                          count * STAGE::BYTES);
    }
}

/* Starts copies of keys begin .. begin + KEYS-1 of the source; begin is a multiple of KEYS. */
template <class STAGE>
SIMT void attention_stage_copy(const struct attention_stage_source &source, int32_t begin,
                               struct simt_16 *stage)
{
    const int32_t i = static_cast<int32_t>(threadIdx.x);
    attention_stage_copy_keys<STAGE>(source, begin, stage);
    attention_stage_copy_values<STAGE>(source, begin, stage);
    if (STAGE::TYPE != KV_INT8 || i >= STAGE::PAGES * STAGE::SCALE_PIECES)
        return;
    const int32_t page = i / 8, token = i % 4 * 4, key = begin + page * KV_PAGE_TOKENS + token;
    const struct kv_block<STAGE::TYPE> block =
        attention_stage_block<STAGE>(source, begin / KV_PAGE_TOKENS + page);
    const float *scales = i % 8 < 4 ? block.key_scales : block.value_scales;
    simt_copy_async16(stage + STAGE::SCALES_AT + i, scales + token,
                      attention_stage_clamp(source.keys - key, 4) * 4);
}

/* Four signed bytes as halves, exactly: 0x64xx is 1024 + xx. */
SIMT void attention_stage_widen(uint32_t bytes, uint32_t halves[2])
{
    const uint32_t above = bytes ^ 0x80808080u; /* + 128: no sign */
    halves[0] = simt_halves_sub(simt_permute(above, 0x64646464u, 0x4140), 0x64806480u);
    halves[1] = simt_halves_sub(simt_permute(above, 0x64646464u, 0x4342), 0x64806480u);
}

/* Keys as the right side of q k^T: b[tile][step] are the depth's steps 2 pair and 2 pair + 1
 * (16 dims each) of UNIT_TILES tiles of 8 keys from `tile` on. */
template <class STAGE>
SIMT void attention_stage_keys(const struct simt_16 *stage, int tile, int pair,
                               uint32_t b[STAGE::UNIT_TILES][2][2])
{
    const int lane = simt_lane(), part = lane / 8, row = lane % 8;
    const int half = STAGE::TYPE == KV_INT8 ? part / 2 : tile % 2;
    const int piece = STAGE::TYPE == KV_INT8 ? 2 * pair + part % 2 : 4 * pair + part;
    const int key = tile / 2 * KV_PAGE_TOKENS + attention_stage_token<STAGE>(row, half);
    uint32_t regs[4];
    simt_ldmatrix_x4(regs, stage + attention_stage_key_at<STAGE>(key, row, piece));
    for (int i = 0; i < 4; i++) {
        if (STAGE::TYPE == KV_INT8)
            attention_stage_widen(regs[i], b[i / 2 % STAGE::UNIT_TILES][i % 2]);
        else
            b[0][i / 2][i % 2] = regs[i];
    }
}

/* Values as the right side of p v: b[page] is 16 tokens x the 8 dims of `dim_tile`, for
 * UNIT_PAGES pages from `page` on. */
template <class STAGE>
SIMT void attention_stage_values(const struct simt_16 *stage, int dim_tile, int page,
                                 uint32_t b[STAGE::UNIT_PAGES][2])
{
    const int lane = simt_lane(), part = lane / 8, dim = dim_tile * 8 + lane % 8;
    const int from = page + (STAGE::TYPE == KV_INT8 ? part : part / 2);
    uint32_t regs[4];
    simt_ldmatrix_x4(regs, stage + attention_stage_value_at<STAGE>(from, dim, part % 2));
    for (int i = 0; i < 4; i++) {
        if (STAGE::TYPE == KV_INT8)
            attention_stage_widen(regs[i], b[i % STAGE::UNIT_PAGES]);
        else
            b[i / 2][i % 2] = regs[i];
    }
}

#endif
