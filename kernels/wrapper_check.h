/*
 * wrapper_check - each wrapper of parts/simt.cuh as a kernel of its own, to be held against its
 * meaning in plain C and, on a GPU, against the emulator: what the emulator is trusted for.
 *
 *     in, out  [blocks][64 threads][8] words, random in; words that a kind leaves are 0
 */
#ifndef KERNELS_WRAPPER_CHECK_H
#define KERNELS_WRAPPER_CHECK_H

#include "kernels/device.h"

#ifdef __cplusplus
extern "C" {
#endif

enum wrapper_check_kind {
    WRAPPER_CHECK_BALLOT,
    WRAPPER_CHECK_SHUFFLE,
    WRAPPER_CHECK_REDUCE,
    WRAPPER_CHECK_MEMORY,
    WRAPPER_CHECK_COPY,
    WRAPPER_CHECK_LDMATRIX,
    WRAPPER_CHECK_MMA_S8,
    WRAPPER_CHECK_MMA_F16, /* of small integers over eight: exact in any order */
    WRAPPER_CHECK_FLOAT,
    WRAPPER_CHECK_HALF,
    WRAPPER_CHECK_INTEGER,
    WRAPPER_CHECK_ATOMIC,
    WRAPPER_CHECK_BARRIER,
    WRAPPER_CHECK_APPROXIMATE, /* words 0 and 2 exp2, word 1 reciprocal */
    WRAPPER_CHECK_KINDS
};

enum { WRAPPER_CHECK_THREADS = 64, WRAPPER_CHECK_WORDS = 8 };

/* What the PTX ISA (9.1) promises of ex2.approx.f32 and rcp.approx.f32, over the full range, in
 * units in the last place: from the correctly rounded result, and from the exact one (the
 * correctly rounded one then is no further). All other wrappers are exact, and compared bit for
 * bit. */
enum { WRAPPER_CHECK_EXP2_ULPS = 2, WRAPPER_CHECK_RECIPROCAL_ULPS = 1 };

struct wrapper_check_args {
    enum wrapper_check_kind kind;
    const uint32_t *in; /* aligned to 16 */
    uint32_t *out;      /* zeroed, aligned to 16 */
    int32_t blocks;
};

enum status wrapper_check_ref(struct device *device, const struct wrapper_check_args *args);
enum status wrapper_check_cuda(struct device *device, const struct wrapper_check_args *args);
enum status wrapper_check_emu(struct device *device, const struct wrapper_check_args *args);

const char *wrapper_check_name(enum wrapper_check_kind kind);

/* How many words of two results differ, word_count a multiple of WRAPPER_CHECK_WORDS; NaNs of
 * numbers are alike whatever their payload, and of the approximate kind words of a within the
 * bound of b's. */
int64_t wrapper_check_differences(enum wrapper_check_kind kind, const uint32_t *a,
                                  const uint32_t *b, int64_t word_count);

#ifdef __cplusplus
}
#endif
#endif
