/*
 * int8_peak - register loops per SIMD level, in assembly so that no compiler can shorten them.
 *
 * AVX2 has no int8 dot product; five sequences give exact int32 sums, and which is fastest
 * depends on the machine, so each is tried:
 *     sign, maddubs, madd, add   32 products per turn; signed by unsigned bytes
 *     xor, maddubs, madd, add    32 products; signs known beforehand, and what their turning
 *                                leaves of a sum
 *     madd, add                  16 products per turn; operands widened to 16 bits before
 *     sign, maddubs, add, srai, add   32 products; sums kept as low and high halves
 *     4 x (maddubs, add), madd, add   128 products; exact where sums of 16 bits fit, which is
 *                                for the matmul to see to (matmul_int8_narrow_avx2)
 */
#include "bench/int8_peak.h"

#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)

    #define REGISTERS                                                                          \
        "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",        \
            "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc"
    #define TURN(body) "1:\n\t" body "decq %0\n\tjnz 1b\n\t"

    #define BYTES_STEP(turn, t, sum)                                                           \
        turn " %%ymm14, %%ymm13, %%ymm" #t "\n\t"                                              \
             "vpmaddubsw %%ymm" #t ", %%ymm12, %%ymm" #t "\n\t"                                \
             "vpmaddwd %%ymm15, %%ymm" #t ", %%ymm" #t "\n\t"                                  \
             "vpaddd %%ymm" #t ", %%ymm" #sum ", %%ymm" #sum "\n\t"

    #define BYTES_LOOP(turn)                                                                   \
        TURN(BYTES_STEP(turn, 8, 0) BYTES_STEP(turn, 9, 1) BYTES_STEP(turn, 10, 2)             \
                 BYTES_STEP(turn, 11, 3) BYTES_STEP(turn, 8, 4) BYTES_STEP(turn, 9, 5)         \
                     BYTES_STEP(turn, 10, 6) BYTES_STEP(turn, 11, 7))

static void sign_loop(int64_t turns)
{
    __asm__ volatile(BYTES_LOOP("vpsignb") : "+r"(turns) : : REGISTERS);
}

static void xor_loop(int64_t turns)
{
    __asm__ volatile(BYTES_LOOP("vpxor") : "+r"(turns) : : REGISTERS);
}

    #define WIDE_STEP(t, sum)                                                                  \
        "vpmaddwd %%ymm14, %%ymm15, %%ymm" #t "\n\t"                                           \
        "vpaddd %%ymm" #t ", %%ymm" #sum ", %%ymm" #sum "\n\t"

static void wide_loop(int64_t turns)
{
    __asm__ volatile(TURN(WIDE_STEP(8, 0) WIDE_STEP(9, 1) WIDE_STEP(10, 2) WIDE_STEP(11, 3)
                              WIDE_STEP(8, 4) WIDE_STEP(9, 5) WIDE_STEP(10, 6) WIDE_STEP(11, 7))
                     : "+r"(turns)
                     :
                     : REGISTERS);
}

    #define SPLIT_STEP(t, u, low, high)                                                        \
        "vpsignb %%ymm14, %%ymm13, %%ymm" #t "\n\t"                                            \
        "vpmaddubsw %%ymm" #t ", %%ymm12, %%ymm" #t "\n\t"                                     \
        "vpsraw $8, %%ymm" #t ", %%ymm" #u "\n\t"                                              \
        "vpaddw %%ymm" #t ", %%ymm" #low ", %%ymm" #low "\n\t"                                 \
        "vpaddw %%ymm" #u ", %%ymm" #high ", %%ymm" #high "\n\t"

static void split_loop(int64_t turns)
{
    __asm__ volatile(TURN(SPLIT_STEP(8, 9, 0, 1) SPLIT_STEP(10, 11, 2, 3) SPLIT_STEP(8, 9, 4, 5)
                              SPLIT_STEP(10, 11, 6, 7))
                     : "+r"(turns)
                     :
                     : REGISTERS);
}

    #define NARROW_STEP(t, start, lane)                                                        \
        "vpmaddubsw %%ymm14, %%ymm12, %%ymm" #t "\n\t"                                         \
        "vpaddw %%ymm" #t ", %%ymm" #start ", %%ymm" #lane "\n\t"
    #define NARROW_SPAN(t, u, lane, sum)                                                       \
        NARROW_STEP(t, 13, lane)                                                               \
        NARROW_STEP(u, lane, lane)                                                             \
        NARROW_STEP(t, lane, lane)                                                             \
        NARROW_STEP(u, lane, lane)                                                             \
        "vpmaddwd %%ymm15, %%ymm" #lane ", %%ymm" #t "\n\t"                                    \
        "vpaddd %%ymm" #t ", %%ymm" #sum ", %%ymm" #sum "\n\t"

static void narrow_loop(int64_t turns)
{
    __asm__ volatile(TURN(NARROW_SPAN(8, 9, 0, 4) NARROW_SPAN(10, 11, 1, 5)
                              NARROW_SPAN(8, 9, 2, 6) NARROW_SPAN(10, 11, 3, 7))
                     : "+r"(turns)
                     :
                     : REGISTERS);
}

    #define VNNI_STEP(sum) "vpdpbusd %%zmm14, %%zmm15, %%zmm" #sum "\n\t"

static void vnni_loop(int64_t turns)
{
    __asm__ volatile(TURN(VNNI_STEP(0) VNNI_STEP(1) VNNI_STEP(2) VNNI_STEP(3) VNNI_STEP(4)
                              VNNI_STEP(5) VNNI_STEP(6) VNNI_STEP(7) VNNI_STEP(8) VNNI_STEP(9)
                                  VNNI_STEP(10) VNNI_STEP(11))
                     : "+r"(turns)
                     :
                     : REGISTERS);
}

static const struct peak_loop avx2_loops[] = {
    {"sign, maddubs, madd, add", sign_loop, 8 * 32 * 2},
    {"xor, maddubs, madd, add", xor_loop, 8 * 32 * 2},
    {"madd, add", wide_loop, 8 * 16 * 2},
    {"sign, maddubs, add, srai, add", split_loop, 4 * 32 * 2},
};
static const struct peak_loop narrow = {"4 x (maddubs, add), madd, add", narrow_loop,
                                        4 * 4 * 32 * 2};
static const struct peak_loop vnni_loops[] = {{"dpbusd", vnni_loop, 12 * 64 * 2}};

    #define AMX_STEP(sum, x, w) "tdpbssd %%tmm" #w ", %%tmm" #x ", %%tmm" #sum "\n\t"

/* Eight tiles of 16 rows of 64 bytes: palette 1, the bytes of a row from byte 16 on, the rows
 * from byte 48 on. */
static _Alignas(64) const uint8_t amx_tiles[64] = {
    [0] = 1,   [16] = 64, [18] = 64, [20] = 64, [22] = 64, [24] = 64,
    [26] = 64, [28] = 64, [30] = 64, [48] = 16, [49] = 16, [50] = 16,
    [51] = 16, [52] = 16, [53] = 16, [54] = 16, [55] = 16};

static void amx_loop(int64_t turns)
{
    __asm__ volatile("ldtilecfg %1\n\t" TURN(AMX_STEP(0, 4, 6) AMX_STEP(1, 4, 7) AMX_STEP(
        2, 5, 6) AMX_STEP(3, 5, 7)) "tilerelease"
                     : "+r"(turns)
                     : "m"(amx_tiles)
                     : "cc");
}

static const struct peak_loop amx_loops[] = {{"tdpbssd", amx_loop, 4 * 16 * 16 * 64 * 2}};

static const struct peak_loop *level_loops(enum device_simd simd, size_t *count)
{
    if (simd == DEVICE_SIMD_AMX_INT8) {
        *count = sizeof amx_loops / sizeof amx_loops[0];
        return amx_loops;
    }
    if (simd == DEVICE_SIMD_AVX512_VNNI) {
        *count = sizeof vnni_loops / sizeof vnni_loops[0];
        return vnni_loops;
    }
    *count = simd == DEVICE_SIMD_AVX2 ? sizeof avx2_loops / sizeof avx2_loops[0] : 0;
    return avx2_loops;
}

#else

static const struct peak_loop *level_loops(enum device_simd simd, size_t *count)
{
    (void)simd;
    *count = 0;
    return NULL;
}

#endif

double int8_peak_any(struct device *device, struct peak_loop *loop)
{
    size_t count;
    const struct peak_loop *loops = level_loops(device_simd(device), &count);
    return peak_loop_best(device, loops, count, loop);
}

double int8_peak_measure(struct device *device, struct peak_loop *loop)
{
    const double any = int8_peak_any(device, loop);
#if defined(__x86_64__)
    struct peak_loop best;
    const double rate =
        device_simd(device) == DEVICE_SIMD_AVX2 ? peak_loop_best(device, &narrow, 1, &best) : 0;
    if (rate > any) {
        *loop = best;
        return rate;
    }
#endif
    return any;
}
