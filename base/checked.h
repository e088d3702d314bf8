/*
 * checked - arithmetic for numbers that come from files, sockets, models and programs.
 *
 * Nothing from outside is added, multiplied or narrowed with a raw operator: published faults
 * in model loaders came back five times through one unchecked product. Each call answers
 * false, and leaves *out alone, when the true result does not fit.
 */
#ifndef BASE_CHECKED_H
#define BASE_CHECKED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHECKED_CALL static inline __attribute__((warn_unused_result)) bool

CHECKED_CALL checked_add_size(size_t a, size_t b, size_t *out)
{
    size_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *out = sum;
    return true;
}

CHECKED_CALL checked_mul_size(size_t a, size_t b, size_t *out)
{
    size_t product;
    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *out = product;
    return true;
}

CHECKED_CALL checked_add_i64(int64_t a, int64_t b, int64_t *out)
{
    int64_t sum;
    if (__builtin_add_overflow(a, b, &sum))
        return false;
    *out = sum;
    return true;
}

CHECKED_CALL checked_sub_i64(int64_t a, int64_t b, int64_t *out)
{
    int64_t difference;
    if (__builtin_sub_overflow(a, b, &difference))
        return false;
    *out = difference;
    return true;
}

CHECKED_CALL checked_mul_i64(int64_t a, int64_t b, int64_t *out)
{
    int64_t product;
    if (__builtin_mul_overflow(a, b, &product))
        return false;
    *out = product;
    return true;
}

/* size rounded up to a multiple of align, a power of two. */
CHECKED_CALL checked_align_size(size_t size, size_t align, size_t *out)
{
    size_t padded;
    if (align == 0 || (align & (align - 1)) != 0 || !checked_add_size(size, align - 1, &padded))
        return false;
    *out = padded & ~(align - 1);
    return true;
}

/* Narrowing: value as the smaller type, when it fits. */
CHECKED_CALL checked_u64_to_size(uint64_t value, size_t *out)
{
    if (value > SIZE_MAX)
        return false;
    *out = (size_t)value;
    return true;
}

CHECKED_CALL checked_u64_to_u32(uint64_t value, uint32_t *out)
{
    if (value > UINT32_MAX)
        return false;
    *out = (uint32_t)value;
    return true;
}

CHECKED_CALL checked_u64_to_i32(uint64_t value, int32_t *out)
{
    if (value > INT32_MAX)
        return false;
    *out = (int32_t)value;
    return true;
}

CHECKED_CALL checked_i64_to_i32(int64_t value, int32_t *out)
{
    if (value < INT32_MIN || value > INT32_MAX)
        return false;
    *out = (int32_t)value;
    return true;
}

/* Whether [offset, offset + count) lies within a whole of size bytes. */
CHECKED_CALL checked_range(size_t offset, size_t count, size_t size)
{
    return offset <= size && count <= size - offset;
}

#undef CHECKED_CALL
#endif
