/*
 * device_simd - which vector units this process may use.
 *
 * AMX is the one that must be asked for: its tiles are 8 KiB more for the system to save when
 * it switches threads, so Linux hands them out per process, on request, and refuses where a
 * signal stack in use has no room for them. The request holds for threads started after it.
 */
#include "kernels/device_backend.h"

#if defined(__x86_64__)
    #include <cpuid.h>
    #include <sys/syscall.h>
    #include <unistd.h>

/* Of arch_prctl: the right to use a part of the register state, by its number in XCR0. */
enum { REQUEST_XSTATE = 0x1023, XSTATE_TILE_DATA = 18, AMX_TILE = 1 << 24, AMX_INT8 = 1 << 25 };

/* cpuid leaf 7, asked by hand: not every compiler's builtin knows the names. */
static bool amx_may_be_used(void)
{
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || (d & AMX_TILE) == 0 || (d & AMX_INT8) == 0)
        return false;
    return syscall(SYS_arch_prctl, REQUEST_XSTATE, XSTATE_TILE_DATA) == 0;
}

enum device_simd device_simd_found(enum device_simd max)
{
    __builtin_cpu_init();
    if (max < DEVICE_SIMD_AVX2 || !__builtin_cpu_supports("avx2") ||
        !__builtin_cpu_supports("fma"))
        return DEVICE_SIMD_SCALAR;
    if (max < DEVICE_SIMD_AVX512_VNNI || !__builtin_cpu_supports("avx512f") ||
        !__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512vl") ||
        !__builtin_cpu_supports("avx512vnni"))
        return DEVICE_SIMD_AVX2;
    if (max < DEVICE_SIMD_AMX_INT8 || !amx_may_be_used())
        return DEVICE_SIMD_AVX512_VNNI;
    return DEVICE_SIMD_AMX_INT8;
}

#elif defined(__aarch64__)
    #include <sys/auxv.h>

/* Linux's bits for a program's use, as its ABI fixes them. */
static const unsigned long HAS_DOT = 1ul << 20, HAS2_I8MM = 1ul << 13;

enum device_simd device_simd_found(enum device_simd max)
{
    if (max < DEVICE_SIMD_NEON)
        return DEVICE_SIMD_SCALAR;
    if (max < DEVICE_SIMD_NEON_DOT || (getauxval(AT_HWCAP) & HAS_DOT) == 0)
        return DEVICE_SIMD_NEON;
    if (max < DEVICE_SIMD_NEON_I8MM || (getauxval(AT_HWCAP2) & HAS2_I8MM) == 0)
        return DEVICE_SIMD_NEON_DOT;
    return DEVICE_SIMD_NEON_I8MM;
}

#else

enum device_simd device_simd_found(enum device_simd max)
{
    (void)max;
    return DEVICE_SIMD_SCALAR;
}

#endif

const char *device_simd_name(enum device_simd simd)
{
    switch (simd) {
    case DEVICE_SIMD_SCALAR:
        return "scalar";
    case DEVICE_SIMD_NEON:
        return "neon";
    case DEVICE_SIMD_NEON_DOT:
        return "neon_dotprod";
    case DEVICE_SIMD_NEON_I8MM:
        return "neon_i8mm";
    case DEVICE_SIMD_AVX2:
        return "avx2";
    case DEVICE_SIMD_AVX512_VNNI:
        return "avx512_vnni";
    case DEVICE_SIMD_AMX_INT8:
        return "amx_int8";
    }
    return "unknown";
}
