/*
 * emu_number - exp2 and reciprocal, whose last bits are the hardware's own business.
 *
 * The PTX ISA (9.1) promises of ex2.approx.f32 two units in the last place from the correctly
 * rounded result, of rcp.approx.f32 one from the exact one, both over the full range; with .ftz
 * subnormal numbers, in and out, are zeros of their sign; 2^0 is 1, and infinities, zeros and
 * NaNs are what mathematics has.
 *
 * With options.approximation 0 results are correctly rounded. With another number they are off
 * by as much as is allowed or less, each input in its own way and always in the same: a number
 * is another machine. What is computed must neither depend on which, nor be one thing alone and
 * another in company.
 */
#include "tests/emu/emu_block.h"

#include <math.h>
#include <string.h>

static const uint32_t SIGN = 0x80000000u, INFINITE = 0x7f800000u;

static uint32_t bits_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float flushed(float value)
{
    const bool is_subnormal = (bits_of(value) & INFINITE) == 0;
    return is_subnormal ? float_of(bits_of(value) & SIGN) : value;
}

static bool is_ordinary(float value)
{
    return isfinite(value) && value != 0.0f;
}

/* -most .. most, the same for the same input on the same machine. */
static int32_t error_of(float input, int32_t most)
{
    uint32_t x = bits_of(input) * 0x9e3779b9u ^ emu_block_options.approximation * 0x85ebca6bu;
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    x ^= x >> 16;
    return static_cast<int32_t>(x % static_cast<uint32_t>(2 * most + 1)) - most;
}

/* value's neighbour `steps` away, outwards where positive, though no further than to the next
 * power of two: from there on a step is two of value's units. */
static float moved(float value, int32_t steps)
{
    const uint32_t bits = bits_of(value) + static_cast<uint32_t>(steps);
    const bool is_beyond = steps > 0 && (bits ^ bits_of(value)) & INFINITE;
    return float_of(is_beyond ? bits & (SIGN | INFINITE) : bits);
}

#ifdef __x86_64__
extern "C" {
bool emu_number_fma = __builtin_cpu_supports("fma") != 0;
}
#endif

float emu_number_exp2(float value)
{
    const float power = static_cast<float>(exp2(static_cast<double>(flushed(value))));
    if (emu_block_options.approximation == 0 || flushed(value) == 0.0f || !is_ordinary(power))
        return flushed(power);
    return flushed(moved(power, error_of(value, 2)));
}

/* A unit off at most: of the rounded number's neighbours only the one beyond the exact. */
float emu_number_reciprocal(float value)
{
    const float reciprocal = 1.0f / flushed(value);
    if (emu_block_options.approximation == 0 || !is_ordinary(reciprocal))
        return flushed(reciprocal);
    const double rest = 1.0 - static_cast<double>(reciprocal) * static_cast<double>(value);
    const int32_t error = error_of(value, 1);
    const bool is_outwards = rest > 0.0, is_exact = rest == 0.0;
    return flushed(is_exact || is_outwards == (error > 0) ? moved(reciprocal, error)
                                                          : reciprocal);
}
