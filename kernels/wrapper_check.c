/* wrapper_check - see wrapper_check.h: what each wrapper means, in plain C, warp by warp. */
#include "kernels/wrapper_check.h"

#include "kernels/half.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { THREADS = WRAPPER_CHECK_THREADS, WORDS = WRAPPER_CHECK_WORDS, WARP = 32 };

struct thread_words {
    uint32_t word[WORDS];
};

static float float_of(uint32_t bits)
{
    return half_from_bits(bits);
}

static uint32_t bits_of(float value)
{
    return half_float_bits(value);
}

static uint32_t small_halves(uint32_t bits)
{
    const float low = ((float)(bits & 15) - 8.0f) / 8.0f;
    const float high = ((float)(bits >> 4 & 15) - 8.0f) / 8.0f;
    return half_from_float(low) | (uint32_t)half_from_float(high) << 16;
}

static float half_of(uint32_t pair, int which)
{
    return half_to_float((uint16_t)(pair >> 16 * which));
}

static void shuffle(const struct thread_words *in, struct thread_words *out, int lane)
{
    for (int i = 0; i < 5; i++)
        out[lane].word[i] = in[lane ^ 1 << i].word[0];
    out[lane].word[5] = in[in[lane].word[2] % WARP].word[1];
    out[lane].word[6] = in[lane >= 1 ? lane - 1 : lane].word[3];
    out[lane].word[7] = in[lane >= 7 ? lane - 7 : lane].word[3];
}

static uint64_t wide(const uint32_t *words)
{
    return words[0] | (uint64_t)words[1] << 32;
}

static void wide_put(uint32_t *words, uint64_t value)
{
    words[0] = (uint32_t)value;
    words[1] = (uint32_t)(value >> 32);
}

static void reduce(const struct thread_words *in, struct thread_words *out, int lane)
{
    uint32_t most = 0, sum = 0;
    uint64_t wide_most = 0, wide_sum = 0;
    for (int i = 0; i < WARP; i++) {
        const uint32_t *word = in[i].word;
        most = word[0] > most ? word[0] : most;
        sum += word[1];
        wide_most = wide(word + 2) > wide_most ? wide(word + 2) : wide_most;
        wide_sum += wide(word + 4);
    }
    out[lane].word[0] = most;
    out[lane].word[1] = sum;
    wide_put(out[lane].word + 2, wide_most);
    wide_put(out[lane].word + 4, wide_sum);
    out[lane].word[6] = in[lane ^ 13].word[6];
    out[lane].word[7] = in[lane ^ 13].word[7];
}

static void copy(const struct thread_words *in, struct thread_words *out, int lane)
{
    const uint32_t *other = in[lane ^ 1].word;
    memcpy(out[lane].word, other, other[0] % 17);
    memcpy(out[lane].word + 4, other + 4, 16);
}

/* Half `column` of row `row` of tile q, rows being lanes' first sixteen bytes. */
static uint32_t tile_half(const struct thread_words *in, int q, int row, int column)
{
    return in[8 * q + row].word[column / 2] >> 16 * (column % 2) & 0xffff;
}

static void ldmatrix(const struct thread_words *in, struct thread_words *out, int lane)
{
    const int g = lane / 4, t = lane % 4;
    for (int q = 0; q < 4; q++) {
        out[lane].word[q] = tile_half(in, q, g, 2 * t) | tile_half(in, q, g, 2 * t + 1) << 16;
        out[lane].word[4 + q] = tile_half(in, q, 2 * t, g) | tile_half(in, q, 2 * t + 1, g)
                                                                 << 16;
    }
}

/* a (row, k) and b (k, column) of an s8 product: four bytes in a register. */
static int32_t s8_a(const struct thread_words *in, int row, int k)
{
    const uint32_t reg = in[row % 8 * 4 + k % 16 / 4].word[row / 8 + 2 * (k / 16)];
    return (int8_t)(reg >> 8 * (k % 4));
}

static int32_t s8_b(const struct thread_words *in, int k, int column)
{
    return (int8_t)(in[column * 4 + k % 16 / 4].word[4 + k / 16] >> 8 * (k % 4));
}

static float f16_a(const struct thread_words *in, int row, int k)
{
    const uint32_t reg = in[row % 8 * 4 + k % 8 / 2].word[row / 8 + 2 * (k / 8)];
    return half_of(small_halves(reg), k % 2);
}

static float f16_b(const struct thread_words *in, int k, int column)
{
    return half_of(small_halves(in[column * 4 + k % 8 / 2].word[4 + k / 8]), k % 2);
}

static void mma(const struct thread_words *in, struct thread_words *out, int lane, bool is_s8)
{
    for (int i = 0; i < 4; i++) {
        const int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
        uint32_t sum = in[lane].word[6] >> i;
        float sum_f = (float)(in[lane].word[6] >> 4 * i & 15);
        for (int k = 0; k < 32; k++)
            sum += (uint32_t)(s8_a(in, row, k) * s8_b(in, k, column));
        for (int k = 0; k < 16; k++)
            sum_f += f16_a(in, row, k) * f16_b(in, k, column);
        out[lane].word[i] = is_s8 ? sum : bits_of(sum_f);
    }
}

static void floats(const uint32_t *in, uint32_t *out)
{
    const float a = float_of(in[0]), b = float_of(in[1]), c = float_of(in[2]);
    out[0] = bits_of(fmaf(a, b, c));
    out[1] = bits_of(a + b);
    out[2] = bits_of(a * b);
    out[3] = bits_of(a / b);
    out[4] = bits_of(sqrtf(a));
    out[5] = in[3];
    out[6] = bits_of((float)(int32_t)in[4]);
    out[7] = bits_of(a * b + c);
}

static void halves(const uint32_t *in, uint32_t *out)
{
    const uint32_t x = small_halves(in[3]), y = small_halves(in[4]);
    out[0] = half_from_float(float_of(in[0]));
    out[1] = bits_of(half_to_float((uint16_t)in[2]));
    out[2] = half_from_float(float_of(in[0])) | (uint32_t)half_from_float(float_of(in[1]))
                                                    << 16;
    out[3] = half_from_float(half_of(x, 0) - half_of(y, 0)) |
             (uint32_t)half_from_float(half_of(x, 1) - half_of(y, 1)) << 16;
    out[4] = half_from_float((float)(in[5] % 200000) * 0x1p-20f);
}

static void integers(const uint32_t *in, uint32_t *out)
{
    const uint64_t both = (uint64_t)in[1] << 32 | in[0];
    for (int k = 0; k < 4; k++) {
        const uint32_t which = in[2] >> 4 * k & 7;
        out[0] |= (uint32_t)(both >> 8 * which & 0xff) << 8 * k;
        out[2] += (uint32_t)((int8_t)(in[3] >> 8 * k) * (int8_t)(in[4] >> 8 * k));
    }
    out[1] = (uint32_t)((uint64_t)in[0] * in[1] >> 32);
    out[2] += in[5];
}

static void atomics(const struct thread_words *in, struct thread_words *first)
{
    uint64_t most = 0;
    for (int i = 0; i < THREADS; i++) {
        const uint64_t value = (uint64_t)in[i].word[1] << 32 | in[i].word[2];
        first[0].word[0] += in[i].word[0];
        most = value > most ? value : most;
    }
    memcpy(&first[0].word[2], &most, sizeof most);
}

/* A subnormal number is a zero of its sign. */
static float flushed(float value)
{
    return fabsf(value) < FLT_MIN ? copysignf(0.0f, value) : value;
}

static float power_of_two(float exponent)
{
    return flushed((float)exp2((double)flushed(exponent)));
}

/* Correctly rounded. */
static void approximate(const uint32_t *in, uint32_t *out)
{
    const float share = (float)(in[0] >> 8) * 0x1p-23f - 1.0f;
    out[0] = bits_of(power_of_two(130.0f * share));
    out[1] = bits_of(flushed(1.0f / flushed(float_of(in[1]))));
    out[2] = bits_of(power_of_two(float_of(in[2])));
}

/* What thread `at` of a block gets; warp and lane are of its warp. */
static void check_thread(enum wrapper_check_kind kind, const struct thread_words *in,
                         struct thread_words *out, int at)
{
    const int lane = at % WARP, first = at - lane;
    const struct thread_words *warp = in + first;
    uint32_t votes = 0;
    switch (kind) {
    case WRAPPER_CHECK_BALLOT:
        for (int i = 0; i < WARP; i++)
            votes |= (warp[i].word[0] & 1) << i;
        out[at].word[0] = votes;
        break;
    case WRAPPER_CHECK_SHUFFLE:
        shuffle(warp, out + first, lane);
        break;
    case WRAPPER_CHECK_REDUCE:
        reduce(warp, out + first, lane);
        break;
    case WRAPPER_CHECK_MEMORY:
        out[at] = in[at];
        break;
    case WRAPPER_CHECK_COPY:
        copy(warp, out + first, lane);
        break;
    case WRAPPER_CHECK_LDMATRIX:
        ldmatrix(warp, out + first, lane);
        break;
    case WRAPPER_CHECK_MMA_S8:
    case WRAPPER_CHECK_MMA_F16:
        mma(warp, out + first, lane, kind == WRAPPER_CHECK_MMA_S8);
        break;
    case WRAPPER_CHECK_FLOAT:
        floats(in[at].word, out[at].word);
        break;
    case WRAPPER_CHECK_HALF:
        halves(in[at].word, out[at].word);
        break;
    case WRAPPER_CHECK_INTEGER:
        integers(in[at].word, out[at].word);
        break;
    case WRAPPER_CHECK_ATOMIC:
        if (at == 0)
            atomics(in, out);
        break;
    case WRAPPER_CHECK_BARRIER:
        out[at].word[0] = in[at ^ WARP].word[0];
        out[at].word[1] = in[THREADS - 1 - at].word[1];
        break;
    case WRAPPER_CHECK_APPROXIMATE:
        approximate(in[at].word, out[at].word);
        break;
    case WRAPPER_CHECK_KINDS:
        break;
    }
}

enum status wrapper_check_ref(struct device *device, const struct wrapper_check_args *args)
{
    (void)device;
    for (int32_t block = 0; block < args->blocks; block++) {
        const size_t at = (size_t)block * THREADS * WORDS;
        struct thread_words in[THREADS], out[THREADS];
        memcpy(in, args->in + at, sizeof in);
        memset(out, 0, sizeof out);
        for (int thread = 0; thread < THREADS; thread++)
            check_thread(args->kind, in, out, thread);
        memcpy(args->out + at, out, sizeof out);
    }
    return OK;
}

const char *wrapper_check_name(enum wrapper_check_kind kind)
{
    static const char *const NAMES[WRAPPER_CHECK_KINDS] = {"ballot",
                                                           "shuffles",
                                                           "max, sum, floats",
                                                           "load16, store16",
                                                           "copy_async16",
                                                           "ldmatrix",
                                                           "mma_s8",
                                                           "mma_f16",
                                                           "fma + * / sqrt",
                                                           "halves",
                                                           "integers",
                                                           "atomics",
                                                           "barrier, barrier_of",
                                                           "exp2, reciprocal"};
    return kind < WRAPPER_CHECK_KINDS ? NAMES[kind] : "";
}

static bool is_nan(enum wrapper_check_kind kind, uint32_t word)
{
    return (kind == WRAPPER_CHECK_FLOAT || kind == WRAPPER_CHECK_HALF ||
            kind == WRAPPER_CHECK_APPROXIMATE) &&
           (word & 0x7fffffff) > 0x7f800000;
}

/* The same but for NaNs of halves in either part of the word. */
static bool are_alike_halves(uint32_t a, uint32_t b)
{
    for (int shift = 0; shift <= 16; shift += 16) {
        const uint32_t x = a >> shift & 0xffff, y = b >> shift & 0xffff;
        if (x != y && ((x & 0x7fff) <= 0x7c00 || (y & 0x7fff) <= 0x7c00))
            return false;
    }
    return true;
}

/* How many units in the last place word `at` of a thread's result may be off. */
static uint32_t bound_of(enum wrapper_check_kind kind, int64_t at)
{
    if (kind != WRAPPER_CHECK_APPROXIMATE || at > 2)
        return 0;
    return at == 1 ? WRAPPER_CHECK_RECIPROCAL_ULPS : WRAPPER_CHECK_EXP2_ULPS;
}

/* The magnitude of a number that was perhaps flushed, or too great: 0 is what lies just below
 * the least normal number, infinity what comes after the greatest. */
static double magnitude(uint32_t word)
{
    const uint32_t bits = word & 0x7fffffff;
    return bits == 0            ? 0x1p-126 - 0x1p-149
           : bits == 0x7f800000 ? 0x1p128
                                : (double)float_of(bits);
}

/* Whether `got` is at most `ulps` units in the last place of `wanted` off. */
static bool is_near(uint32_t got, uint32_t wanted, uint32_t ulps)
{
    const int32_t exponent = (int32_t)(wanted >> 23 & 0xff);
    const int32_t finite = exponent == 0 ? 1 : exponent == 255 ? 254 : exponent;
    if (got == wanted)
        return true;
    if ((got ^ wanted) >> 31 != 0 || isnan(float_of(got)) || isnan(float_of(wanted)))
        return false;
    return fabs(magnitude(got) - magnitude(wanted)) <= ldexp((double)ulps, finite - 150);
}

int64_t wrapper_check_differences(enum wrapper_check_kind kind, const uint32_t *a,
                                  const uint32_t *b, int64_t word_count)
{
    int64_t count = 0;
    for (int64_t i = 0; i < word_count; i++) {
        const bool is_same = is_near(a[i], b[i], bound_of(kind, i % WORDS)) ||
                             (is_nan(kind, a[i]) && is_nan(kind, b[i])) ||
                             (kind == WRAPPER_CHECK_HALF && are_alike_halves(a[i], b[i]));
        count += !is_same;
    }
    return count;
}
