/*
 * emu_warp - what a warp does together: votes, shuffles, ldmatrix, mma.
 *
 * Each lane puts its operands down and joins; the last to come works for all 32. Fragment
 * layouts are those of the PTX ISA, told in kernels/parts/simt_cuda_numbers.cuh; g is
 * lane / 4, t is lane % 4.
 *
 * Numbers: bytes are multiplied and added exactly. Halves are multiplied exactly; their sums
 * are F32, rounded to nearest after each addition, c first and then k = 0 .. 15. The hardware
 * adds the products of a group together and truncates: results differ in the last bits, unless
 * all sums are exact.
 */
#include "kernels/half.h"
#include "tests/emu/emu_block.h"
#include "tests/emu/emu_request.h"
#include "tests/emu/emu_shared.h"
#include "tests/emu/emu_trace.h"

#include <string.h>

enum { ROWS = 16, COLUMNS = 8, DEPTH_F16 = 16, DEPTH_S8 = 32 };

static struct {
    struct emu_16 a[EMU_LANES];
    uint64_t b[EMU_LANES];
    struct emu_floats floats[EMU_LANES]; /* c, and then the result */
    struct emu_16 words[EMU_LANES];
    const void *row[EMU_LANES];
    int wanted[EMU_LANES]; /* the lane to have a value of */
    struct emu_floats shuffled[EMU_LANES];
} operands[EMU_WARPS_MAX];

static inline uint16_t half_of(uint64_t word, int index)
{
    return static_cast<uint16_t>(word >> 16 * index & 0xffff);
}

static inline int8_t byte_of(uint64_t word, int index)
{
    return static_cast<int8_t>(word >> 8 * index & 0xff);
}

/* ---- votes and shuffles ---- */

uint32_t emu_warp_ballot(bool vote, int line)
{
    const struct emu_thread *self = emu_block.running;
    struct emu_warp *warp = self->warp;
    warp->in[self->lane] = vote;
    if (emu_block_join(EMU_BALLOT, line, __builtin_return_address(0))) {
        uint32_t votes = 0;
        for (int lane = 0; lane < EMU_LANES; lane++)
            votes |= static_cast<uint32_t>(warp->in[lane]) << lane;
        for (int lane = 0; lane < EMU_LANES; lane++)
            warp->out[lane] = votes;
        emu_block_part();
    }
    return static_cast<uint32_t>(warp->out[self->lane]);
}

/* Each lane says from which lane it wants the value. */
static inline uint64_t shuffle(uint64_t value, int from, int line, const void *pc)
{
    const struct emu_thread *self = emu_block.running;
    struct emu_warp *warp = self->warp;
    int *wanted = operands[warp->number].wanted;
    warp->in[self->lane] = value;
    wanted[self->lane] = from;
    if (emu_block_join(EMU_SHUFFLE, line, pc)) {
        for (int lane = 0; lane < EMU_LANES; lane++)
            warp->out[lane] = warp->in[wanted[lane]];
        emu_block_part();
    }
    return warp->out[self->lane];
}

/* The lane whose number differs by mask; a lane without one has its own. */
static inline int differing(int lane, int mask)
{
    const int other = lane ^ mask;
    return other < 0 || other >= EMU_LANES ? lane : other;
}

uint64_t emu_warp_shuffle_xor(uint64_t value, int mask, int line)
{
    return shuffle(value, differing(emu_block.running->lane, mask), line,
                   __builtin_return_address(0));
}

struct emu_floats emu_warp_shuffle_floats_xor(struct emu_floats value, int mask, int line)
{
    const struct emu_thread *self = emu_block.running;
    const int warp = self->warp->number;
    operands[warp].floats[self->lane] = value;
    operands[warp].wanted[self->lane] = differing(self->lane, mask);
    if (emu_block_join(EMU_SHUFFLE, line, __builtin_return_address(0))) {
        for (int lane = 0; lane < EMU_LANES; lane++)
            operands[warp].shuffled[lane] = operands[warp].floats[operands[warp].wanted[lane]];
        emu_block_part();
    }
    return operands[warp].shuffled[self->lane];
}

uint64_t emu_warp_shuffle(uint64_t value, int lane, int line)
{
    return shuffle(value, lane & (EMU_LANES - 1), line, __builtin_return_address(0));
}

uint64_t emu_warp_shuffle_up(uint64_t value, int delta, int line)
{
    const int lane = emu_block.running->lane;
    const int from = lane - delta;
    return shuffle(value, from < 0 || from >= EMU_LANES ? lane : from, line,
                   __builtin_return_address(0));
}

uint64_t emu_warp_max(uint64_t value, int line)
{
    const struct emu_thread *self = emu_block.running;
    struct emu_warp *warp = self->warp;
    warp->in[self->lane] = value;
    if (emu_block_join(EMU_MAX, line, __builtin_return_address(0))) {
        uint64_t most = 0;
        for (int lane = 0; lane < EMU_LANES; lane++)
            most = warp->in[lane] > most ? warp->in[lane] : most;
        for (int lane = 0; lane < EMU_LANES; lane++)
            warp->out[lane] = most;
        emu_block_part();
    }
    return warp->out[self->lane];
}

uint64_t emu_warp_sum(uint64_t value, int line)
{
    const struct emu_thread *self = emu_block.running;
    struct emu_warp *warp = self->warp;
    warp->in[self->lane] = value;
    if (emu_block_join(EMU_SUM, line, __builtin_return_address(0))) {
        uint64_t sum = 0;
        for (int lane = 0; lane < EMU_LANES; lane++)
            sum += warp->in[lane];
        for (int lane = 0; lane < EMU_LANES; lane++)
            warp->out[lane] = sum;
        emu_block_part();
    }
    return warp->out[self->lane];
}

/* ---- ldmatrix ---- */

static void ldmatrix_plain(int warp)
{
    for (int lane = 0; lane < EMU_LANES; lane++) {
        uint32_t word[4];
        for (int tile = 0; tile < 4; tile++)
            memcpy(&word[tile],
                   static_cast<const char *>(operands[warp].row[8 * tile + lane / 4]) +
                       4 * (lane % 4),
                   4);
        memcpy(&operands[warp].words[lane], word, sizeof word);
    }
}

static void ldmatrix_transposed(int warp)
{
    uint16_t tiles[4][8][8];
    for (int row = 0; row < EMU_LANES; row++)
        memcpy(tiles[row / 8][row % 8], operands[warp].row[row], 16);
    for (int lane = 0; lane < EMU_LANES; lane++) {
        const int g = lane / 4, t = lane % 4;
        uint16_t half[8];
        for (int tile = 0; tile < 4; tile++) {
            half[2 * tile] = tiles[tile][2 * t][g];
            half[2 * tile + 1] = tiles[tile][2 * t + 1][g];
        }
        memcpy(&operands[warp].words[lane], half, sizeof half);
    }
}

static inline struct emu_16 ldmatrix(const void *row, int line, bool is_transposed,
                                     const void *pc)
{
    const struct emu_thread *self = emu_block.running;
    const int warp = self->warp->number;
    emu_trace_read_shared16(row, pc);
    operands[warp].row[self->lane] = row;
    if (emu_block_join(is_transposed ? EMU_LDMATRIX_TRANSPOSED : EMU_LDMATRIX, line, pc)) {
        if (is_transposed)
            ldmatrix_transposed(warp);
        else
            ldmatrix_plain(warp);
        emu_block_part();
    }
    return operands[warp].words[self->lane];
}

struct emu_16 emu_warp_ldmatrix(const void *row, int line)
{
    return ldmatrix(row, line, false, __builtin_return_address(0));
}

struct emu_16 emu_warp_ldmatrix_transposed(const void *row, int line)
{
    return ldmatrix(row, line, true, __builtin_return_address(0));
}

/* ---- mma ---- */

static void mma_f16(int warp)
{
    uint16_t half_a[ROWS][DEPTH_F16], half_b[DEPTH_F16][COLUMNS];
    float a[ROWS][DEPTH_F16], b[DEPTH_F16][COLUMNS];
    for (int lane = 0; lane < EMU_LANES; lane++) {
        const int g = lane / 4, t = lane % 4;
        const struct emu_16 from = operands[warp].a[lane];
        const uint64_t from_b = operands[warp].b[lane];
        for (int i = 0; i < 2; i++) {
            half_a[g][2 * t + i] = half_of(from.low, i);
            half_a[g + 8][2 * t + i] = half_of(from.low, 2 + i);
            half_a[g][2 * t + 8 + i] = half_of(from.high, i);
            half_a[g + 8][2 * t + 8 + i] = half_of(from.high, 2 + i);
            half_b[2 * t + i][g] = half_of(from_b, i);
            half_b[2 * t + 8 + i][g] = half_of(from_b, 2 + i);
        }
    }
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < DEPTH_F16; k++)
            a[i][k] = half_to_float(half_a[i][k]);
    for (int k = 0; k < DEPTH_F16; k++)
        for (int j = 0; j < COLUMNS; j++)
            b[k][j] = half_to_float(half_b[k][j]);
    for (int row = 0; row < ROWS; row++) {
        struct emu_floats *c = &operands[warp].floats[row % 8 * 4];
        const int first = row / 8 * 2;
        float sum[COLUMNS];
        for (int j = 0; j < COLUMNS; j++)
            sum[j] = c[j / 2].value[first + j % 2];
        for (int k = 0; k < DEPTH_F16; k++)
            for (int j = 0; j < COLUMNS; j++)
                sum[j] += a[row][k] * b[k][j];
        for (int j = 0; j < COLUMNS; j++)
            c[j / 2].value[first + j % 2] = sum[j];
    }
}

static void mma_s8(int warp)
{
    int16_t a[ROWS][DEPTH_S8], b[COLUMNS][DEPTH_S8];
    for (int lane = 0; lane < EMU_LANES; lane++) {
        const int g = lane / 4, t = lane % 4;
        const struct emu_16 from = operands[warp].a[lane];
        const uint64_t from_b = operands[warp].b[lane];
        for (int i = 0; i < 4; i++) {
            a[g][4 * t + i] = byte_of(from.low, i);
            a[g + 8][4 * t + i] = byte_of(from.low, 4 + i);
            a[g][16 + 4 * t + i] = byte_of(from.high, i);
            a[g + 8][16 + 4 * t + i] = byte_of(from.high, 4 + i);
            b[g][4 * t + i] = byte_of(from_b, i);
            b[g][16 + 4 * t + i] = byte_of(from_b, 4 + i);
        }
    }
    for (int row = 0; row < ROWS; row++)
        for (int column = 0; column < COLUMNS; column++) {
            int32_t sum = 0;
            for (int k = 0; k < DEPTH_S8; k++)
                sum += a[row][k] * b[column][k];
            uint32_t word[4];
            struct emu_16 *c = &operands[warp].words[row % 8 * 4 + column / 2];
            memcpy(word, c, sizeof word);
            word[row / 8 * 2 + column % 2] += static_cast<uint32_t>(sum);
            memcpy(c, word, sizeof word);
        }
}

struct emu_floats emu_warp_mma_f16(struct emu_floats c, struct emu_16 a, uint64_t b, int line)
{
    const struct emu_thread *self = emu_block.running;
    const int warp = self->warp->number, lane = self->lane;
    operands[warp].a[lane] = a;
    operands[warp].b[lane] = b;
    operands[warp].floats[lane] = c;
    if (emu_block_join(EMU_MMA_F16, line, __builtin_return_address(0))) {
        mma_f16(warp);
        emu_request_mma(EMU_MMA_F16);
        emu_block_part();
    }
    return operands[warp].floats[lane];
}

struct emu_16 emu_warp_mma_s8(struct emu_16 c, struct emu_16 a, uint64_t b, int line)
{
    const struct emu_thread *self = emu_block.running;
    const int warp = self->warp->number, lane = self->lane;
    operands[warp].a[lane] = a;
    operands[warp].b[lane] = b;
    operands[warp].words[lane] = c;
    if (emu_block_join(EMU_MMA_S8, line, __builtin_return_address(0))) {
        mma_s8(warp);
        emu_request_mma(EMU_MMA_S8);
        emu_block_part();
    }
    return operands[warp].words[lane];
}
