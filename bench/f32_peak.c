/* f32_peak - register loops in assembly, so that no compiler can shorten them: twelve running
 * sums, enough to hide the latency of a fused multiply-add anywhere. */
#include "bench/f32_peak.h"

enum { SUMS = 12, OPS = 2 };

#if defined(__x86_64__)

    #define STEP(kind, sum) "vfmadd231ps %%" kind "14, %%" kind "15, %%" kind #sum "\n\t"
    #define TURN(kind)                                                                         \
        "1:\n\t" STEP(kind, 0) STEP(kind, 1) STEP(kind, 2) STEP(kind, 3) STEP(kind, 4)         \
            STEP(kind, 5) STEP(kind, 6) STEP(kind, 7) STEP(kind, 8) STEP(kind, 9)              \
                STEP(kind, 10) STEP(kind, 11) "decq %0\n\tjnz 1b\n\t"
    #define REGISTERS                                                                          \
        "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9",        \
            "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc"

/* Registers begin as zeros, so that no sum slows down on its way to infinity. */
static void avx2_loop(int64_t turns)
{
    __asm__ volatile("vzeroall\n\t" TURN("ymm") : "+r"(turns) : : REGISTERS);
}

static void avx512_loop(int64_t turns)
{
    __asm__ volatile("vzeroall\n\t" TURN("zmm") : "+r"(turns) : : REGISTERS);
}

static const struct peak_loop avx2 = {"fused multiply-adds", avx2_loop, SUMS * 8 * OPS};
static const struct peak_loop avx512 = {"fused multiply-adds", avx512_loop, SUMS * 16 * OPS};

double f32_peak_measure(struct device *device, struct peak_loop *loop)
{
    const enum device_simd simd = device_simd(device);
    const size_t count = simd >= DEVICE_SIMD_AVX2 ? 1 : 0;
    return peak_loop_best(device, simd == DEVICE_SIMD_AVX2 ? &avx2 : &avx512, count, loop);
}

#else

double f32_peak_measure(struct device *device, struct peak_loop *loop)
{
    return peak_loop_best(device, NULL, 0, loop);
}

#endif
