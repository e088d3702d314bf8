/* i32 - small arithmetic on counts and indices of our own. What comes from outside goes through
 * checked.h. */
#ifndef BASE_I32_H
#define BASE_I32_H

#include <stdint.h>

static inline int32_t i32_min(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* a / b rounded up, for a >= 0 and b > 0; no sum that could wrap. */
static inline int32_t i32_ceil_div(int32_t a, int32_t b)
{
    return a / b + (a % b != 0);
}

#endif
