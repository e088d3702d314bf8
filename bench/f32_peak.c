/* f32_peak - register loops in assembly, so that no compiler can shorten them: twelve running
 * sums, enough to hide the latency of a fused multiply-add anywhere. */
#include "bench/f32_peak.h"

#include "base/clock.h"

#include <stdint.h>

enum { TURNS = 1000000, TRIES = 7, SUMS = 12, OPS = 2 };

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

static double best_s(void (*loop)(int64_t turns))
{
    double best = 0.0;
    for (int i = 0; i < TRIES; i++) {
        const double start_s = clock_cpu_s();
        loop(TURNS);
        const double taken_s = clock_cpu_s() - start_s;
        best = i == 0 || taken_s < best ? taken_s : best;
    }
    return best;
}

double f32_peak_measure(enum device_simd simd)
{
    switch (simd) {
    case DEVICE_SIMD_SCALAR:
    case DEVICE_SIMD_NEON:
    case DEVICE_SIMD_NEON_DOT:
    case DEVICE_SIMD_NEON_I8MM:
        return 0.0;
    case DEVICE_SIMD_AVX2:
        return (double)TURNS * SUMS * 8 * OPS / best_s(avx2_loop);
    case DEVICE_SIMD_AVX512_VNNI:
    case DEVICE_SIMD_AMX_INT8:
        return (double)TURNS * SUMS * 16 * OPS / best_s(avx512_loop);
    }
    return 0.0;
}

#else

double f32_peak_measure(enum device_simd simd)
{
    (void)simd;
    return 0.0;
}

#endif
