/*
 * wrapper_check - see wrapper_check.h.
 *
 *     formula     out = the wrapper of in, thread by thread, or warp by warp
 *     grid        args.blocks of 64 threads: two warps, so that barriers have one to wait for
 *     shared      4 KB: 64 bytes per thread
 *     bytes       32 in, 32 out per thread; no more than a few microseconds at any size in use
 *     measured    not yet measured on a GPU, and no figure is wanted of it
 */
#include "kernels/wrapper_check.h"

#include "kernels/parts/simt.cuh"

#include <math.h>

namespace
{
enum { WORDS = WRAPPER_CHECK_WORDS, ROW = 16 /* words of shared memory per thread */ };

/* What a thread has: its words, its place in the output, all threads' shared rows. */
struct view {
    const uint32_t *in;
    uint32_t *out;
    uint32_t *shared; /* [threads][ROW] */
};

SIMT float float_of(const struct view &v, int i)
{
    return simt_bits_float(v.in[i]);
}

/* Four bits as one of -1, -7/8 .. 7/8, as a half. */
SIMT uint32_t small_halves(uint32_t bits)
{
    const float low = (static_cast<float>(bits & 15) - 8.0f) / 8.0f;
    const float high = (static_cast<float>(bits >> 4 & 15) - 8.0f) / 8.0f;
    return simt_halves(low, high);
}

SIMT void check_shuffle(const struct view &v)
{
    for (int i = 0; i < 5; i++)
        v.out[i] = simt_shuffle_xor(v.in[0], 1 << i);
    v.out[5] = simt_shuffle(v.in[1], static_cast<int>(v.in[2] % SIMT_WARP));
    v.out[6] = simt_shuffle_up(v.in[3], 1);
    v.out[7] = simt_shuffle_up(v.in[3], 7);
}

SIMT uint64_t wide(const struct view &v, int i)
{
    return v.in[i] | static_cast<uint64_t>(v.in[i + 1]) << 32;
}

SIMT void wide_put(const struct view &v, int i, uint64_t value)
{
    v.out[i] = static_cast<uint32_t>(value);
    v.out[i + 1] = static_cast<uint32_t>(value >> 32);
}

/* Here too: shuffles of several numbers at once. */
SIMT void check_reduce(const struct view &v)
{
    const float value[2] = {float_of(v, 6), float_of(v, 7)};
    float other[2];
    v.out[0] = simt_warp_max(v.in[0]);
    v.out[1] = static_cast<uint32_t>(simt_warp_sum(static_cast<int32_t>(v.in[1])));
    wide_put(v, 2, simt_warp_max(wide(v, 2)));
    wide_put(v, 4, simt_warp_sum(wide(v, 4)));
    simt_shuffle_xor(value, 13, other);
    v.out[6] = simt_float_bits(other[0]);
    v.out[7] = simt_float_bits(other[1]);
}

/* Two groups: the first cut off at some byte. Neighbours read what landed. */
SIMT void check_copy(const struct view &v)
{
    uint32_t *row = v.shared + threadIdx.x * ROW;
    simt_copy_async16(row, v.in, static_cast<int>(v.in[0] % 17));
    simt_copy_commit();
    simt_copy_async16(row + 4, v.in + 4);
    simt_copy_commit();
    simt_copy_wait<1>();
    simt_barrier();
    const uint32_t *other = v.shared + (threadIdx.x ^ 1) * ROW;
    for (int i = 0; i < 4; i++)
        v.out[i] = other[i];
    simt_copy_wait<0>();
    simt_barrier();
    for (int i = 4; i < WORDS; i++)
        v.out[i] = other[i];
}

SIMT void check_ldmatrix(const struct view &v)
{
    uint32_t *row = v.shared + threadIdx.x * ROW;
    uint32_t regs[4];
    simt_store16(row, simt_load16(v.in));
    simt_warp_sync();
    simt_ldmatrix_x4(regs, row);
    for (int i = 0; i < 4; i++)
        v.out[i] = regs[i];
    simt_ldmatrix_x4_transposed(regs, row);
    for (int i = 0; i < 4; i++)
        v.out[4 + i] = regs[i];
}

SIMT void check_mma_s8(const struct view &v)
{
    int32_t c[4];
    for (int i = 0; i < 4; i++)
        c[i] = static_cast<int32_t>(v.in[6] >> i);
    simt_mma_s8(c, v.in, v.in + 4);
    for (int i = 0; i < 4; i++)
        v.out[i] = static_cast<uint32_t>(c[i]);
}

SIMT void check_mma_f16(const struct view &v)
{
    uint32_t a[4], b[2];
    float c[4];
    for (int i = 0; i < 4; i++) {
        a[i] = small_halves(v.in[i]);
        c[i] = static_cast<float>(v.in[6] >> 4 * i & 15);
    }
    for (int i = 0; i < 2; i++)
        b[i] = small_halves(v.in[4 + i]);
    simt_mma_f16(c, a, b);
    for (int i = 0; i < 4; i++)
        v.out[i] = simt_float_bits(c[i]);
}

SIMT void check_float(const struct view &v)
{
    const float a = float_of(v, 0), b = float_of(v, 1), c = float_of(v, 2);
    v.out[0] = simt_float_bits(simt_fma(a, b, c));
    v.out[1] = simt_float_bits(a + b);
    v.out[2] = simt_float_bits(a * b);
    v.out[3] = simt_float_bits(a / b);
    v.out[4] = simt_float_bits(sqrtf(a));
    v.out[5] = simt_float_bits(simt_bits_float(v.in[3]));
    v.out[6] = simt_float_bits(static_cast<float>(static_cast<int32_t>(v.in[4])));
    v.out[7] = simt_float_bits(a * b + c); /* two roundings */
}

SIMT void check_half(const struct view &v)
{
    const float a = float_of(v, 0), b = float_of(v, 1);
    v.out[0] = simt_half_from_float(a);
    v.out[1] = simt_float_bits(simt_half_to_float(static_cast<uint16_t>(v.in[2])));
    v.out[2] = simt_halves(a, b);
    v.out[3] = simt_halves_sub(small_halves(v.in[3]), small_halves(v.in[4]));
    v.out[4] = simt_half_from_float(static_cast<float>(v.in[5] % 200000) * 0x1p-20f);
}

SIMT void check_integer(const struct view &v)
{
    v.out[0] = simt_permute(v.in[0], v.in[1], v.in[2] & 0x7777);
    v.out[1] = simt_mul_high(v.in[0], v.in[1]);
    v.out[2] =
        static_cast<uint32_t>(simt_dot4(v.in[3], v.in[4], static_cast<int32_t>(v.in[5])));
}

/* Sums and greatest numbers of the block, in the first thread's place. */
SIMT void check_atomic(const struct view &v, uint32_t *first)
{
    simt_atomic_add(reinterpret_cast<int32_t *>(first), static_cast<int32_t>(v.in[0]));
    const uint64_t value = static_cast<uint64_t>(v.in[1]) << 32 | v.in[2];
    simt_atomic_max(reinterpret_cast<uint64_t *>(first + 2), value);
}

SIMT void check_barrier(const struct view &v)
{
    v.shared[threadIdx.x * ROW] = v.in[0];
    simt_barrier_of(1, WRAPPER_CHECK_THREADS);
    v.out[0] = v.shared[(threadIdx.x ^ SIMT_WARP) * ROW];
    simt_barrier();
    v.shared[threadIdx.x * ROW] = v.in[1];
    simt_barrier();
    v.out[1] = v.shared[(WRAPPER_CHECK_THREADS - 1 - threadIdx.x) * ROW];
}

/* Exponents from -130 to 130, and any number at all. */
SIMT void check_approximate(const struct view &v)
{
    const float share = static_cast<float>(v.in[0] >> 8) * 0x1p-23f - 1.0f;
    v.out[0] = simt_float_bits(simt_exp2(130.0f * share));
    v.out[1] = simt_float_bits(simt_reciprocal(float_of(v, 1)));
    v.out[2] = simt_float_bits(simt_exp2(float_of(v, 2)));
}

template <int KIND>
SIMT_KERNEL(WRAPPER_CHECK_THREADS, 1)
wrapper_check_kernel(const struct wrapper_check_args args)
{
    struct simt_shared shared = simt_shared_begin();
    const int64_t block = static_cast<int64_t>(blockIdx.x) * WRAPPER_CHECK_THREADS;
    const int64_t at = (block + threadIdx.x) * WORDS;
    const struct view v = {args.in + at, args.out + at,
                           simt_shared_take<uint32_t>(shared, WRAPPER_CHECK_THREADS * ROW)};
    if (KIND == WRAPPER_CHECK_BALLOT)
        v.out[0] = simt_ballot((v.in[0] & 1) != 0);
    if (KIND == WRAPPER_CHECK_SHUFFLE)
        check_shuffle(v);
    if (KIND == WRAPPER_CHECK_REDUCE)
        check_reduce(v);
    if (KIND == WRAPPER_CHECK_MEMORY) {
        simt_store16(v.out, simt_load16(v.in));
        simt_store16(v.out + 4, simt_load16_stream(v.in + 4));
    }
    if (KIND == WRAPPER_CHECK_COPY)
        check_copy(v);
    if (KIND == WRAPPER_CHECK_LDMATRIX)
        check_ldmatrix(v);
    if (KIND == WRAPPER_CHECK_MMA_S8)
        check_mma_s8(v);
    if (KIND == WRAPPER_CHECK_MMA_F16)
        check_mma_f16(v);
    if (KIND == WRAPPER_CHECK_FLOAT)
        check_float(v);
    if (KIND == WRAPPER_CHECK_HALF)
        check_half(v);
    if (KIND == WRAPPER_CHECK_INTEGER)
        check_integer(v);
    if (KIND == WRAPPER_CHECK_ATOMIC)
        check_atomic(v, args.out + block * WORDS);
    if (KIND == WRAPPER_CHECK_BARRIER)
        check_barrier(v);
    if (KIND == WRAPPER_CHECK_APPROXIMATE)
        check_approximate(v);
}

enum { SHARED_BYTES = WRAPPER_CHECK_THREADS * ROW * 4 };

/* The kernel of that kind, counted down to at compile time. */
template <int KIND>
enum status launch(struct device *device, const struct wrapper_check_args *args)
{
    if (args->kind == KIND)
        return SIMT_LAUNCH(device, (wrapper_check_kernel<KIND>),
                           dim3(static_cast<unsigned>(args->blocks)), WRAPPER_CHECK_THREADS,
                           SHARED_BYTES, *args);
    return launch<KIND - 1>(device, args);
}

template <> enum status launch<-1>(struct device *, const struct wrapper_check_args *)
{
    return ERR_LIMIT;
}
} // namespace

enum status SIMT_OP(wrapper_check)(struct device *device, const struct wrapper_check_args *args)
{
    if (args->blocks < 1)
        return ERR_LIMIT;
    return launch<WRAPPER_CHECK_KINDS - 1>(device, args);
}
