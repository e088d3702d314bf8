/*
 * portable_avx512 - AVX-512's intrinsics as plain C, for tests that build a kernel's own source
 * a second time: so its results are judged on machines that cannot run it.
 *
 * They are those of SIMD Everywhere (libsimde-dev), where it is installed, and six that its
 * older versions lack. PORTABLE_AVX512 says that they are here. PORTABLE_AVX512_QUICK that they
 * also compile in seconds: clang, and the sanitizers, take minutes for kernels of many rows.
 * PORTABLE_INTRINSICS tells the source that is included next to take what it finds.
 */
#ifndef TESTS_PORTABLE_AVX512_H
#define TESTS_PORTABLE_AVX512_H

#include "base/sanitized.h"
#include "kernels/half.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#define PORTABLE_AVX512       0
#define PORTABLE_AVX512_QUICK 0

#if defined(__has_include)
    #if __has_include(<simde/x86/avx512.h>)
        /* Without AVX-512 its vectors travel in memory: within one file nobody minds. */
        #pragma GCC diagnostic ignored "-Wpsabi"
        #define SIMDE_ENABLE_NATIVE_ALIASES
        #include <simde/x86/avx512.h>
        #define PORTABLE_INTRINSICS
        #undef PORTABLE_AVX512
        #define PORTABLE_AVX512 1
    #endif
#endif

#if PORTABLE_AVX512 && !defined(__clang__) && !SANITIZED
    #undef PORTABLE_AVX512_QUICK
    #define PORTABLE_AVX512_QUICK 1
#endif

#if PORTABLE_AVX512

enum { PORTABLE_AVX512_LANES = 16 };

static inline __m512 portable_avx512_cvtepi32_ps(__m512i integers)
{
    int32_t from[PORTABLE_AVX512_LANES];
    float to[PORTABLE_AVX512_LANES];
    memcpy(from, &integers, sizeof from);
    for (int i = 0; i < PORTABLE_AVX512_LANES; i++)
        to[i] = (float)from[i];
    return _mm512_loadu_ps(to);
}

static inline __m512i portable_avx512_cvtps_epi32(__m512 floats)
{
    float from[PORTABLE_AVX512_LANES];
    int32_t to[PORTABLE_AVX512_LANES];
    memcpy(from, &floats, sizeof from);
    for (int i = 0; i < PORTABLE_AVX512_LANES; i++)
        to[i] = (int32_t)nearbyintf(from[i]);
    return _mm512_loadu_si512(to);
}

static inline __m512 portable_avx512_cvtph_ps(__m256i halves)
{
    uint16_t from[PORTABLE_AVX512_LANES];
    float to[PORTABLE_AVX512_LANES];
    memcpy(from, &halves, sizeof from);
    for (int i = 0; i < PORTABLE_AVX512_LANES; i++)
        to[i] = half_to_float(from[i]);
    return _mm512_loadu_ps(to);
}

static inline __m128i portable_avx512_cvtepi32_epi8(__m512i integers)
{
    int32_t from[PORTABLE_AVX512_LANES];
    int8_t to[PORTABLE_AVX512_LANES];
    memcpy(from, &integers, sizeof from);
    for (int i = 0; i < PORTABLE_AVX512_LANES; i++)
        to[i] = (int8_t)from[i];
    return _mm_loadu_si128((const __m128i *)(const void *)to);
}

static inline int32_t portable_avx512_reduce_max(__m512i integers)
{
    int32_t from[PORTABLE_AVX512_LANES];
    memcpy(from, &integers, sizeof from);
    for (int i = 1; i < PORTABLE_AVX512_LANES; i++)
        from[0] = from[i] > from[0] ? from[i] : from[0];
    return from[0];
}

static inline int32_t portable_avx512_reduce_add(__m512i integers)
{
    int32_t from[PORTABLE_AVX512_LANES];
    memcpy(from, &integers, sizeof from);
    for (int i = 1; i < PORTABLE_AVX512_LANES; i++)
        from[0] += from[i];
    return from[0];
}

/* What a kernel does in every step is called: inlined, its loops over lanes fill a tile of many
 * rows, and the compiler needs ten times as long. */
static __attribute__((noinline, unused)) __m512i portable_avx512_dpbusd(__m512i sums,
                                                                        __m512i bytes,
                                                                        __m512i signed_bytes)
{
    return simde_mm512_dpbusd_epi32(sums, bytes, signed_bytes);
}

static __attribute__((noinline, unused)) __m512 portable_avx512_fmadd(__m512 a, __m512 b,
                                                                      __m512 c)
{
    return simde_mm512_fmadd_ps(a, b, c);
}

    #undef _mm512_dpbusd_epi32
    #undef _mm512_fmadd_ps
    #define _mm512_dpbusd_epi32     portable_avx512_dpbusd
    #define _mm512_fmadd_ps         portable_avx512_fmadd
    #define _mm512_cvtepi32_ps      portable_avx512_cvtepi32_ps
    #define _mm512_cvtps_epi32      portable_avx512_cvtps_epi32
    #define _mm512_cvtph_ps         portable_avx512_cvtph_ps
    #define _mm512_cvtepi32_epi8    portable_avx512_cvtepi32_epi8
    #define _mm512_reduce_max_epi32 portable_avx512_reduce_max
    #define _mm512_reduce_add_epi32 portable_avx512_reduce_add

#endif

#endif
