/*
 * unicode_tables - what unicode.c looks up. Made by tools/scripts/dsl_unicode.py.
 */
#ifndef DSL_UNICODE_TABLES_H
#define DSL_UNICODE_TABLES_H

#include <stdint.h>

/* Code points first, first + step .. last map to themselves plus delta. */
struct unicode_tables_run {
    uint32_t first, last;
    int32_t step, delta;
};

/* Upper case of more than one code point; zeros after the last. */
struct unicode_tables_long {
    uint32_t code_point;
    uint32_t upper[3];
};

/* Pairs (first code point, kind) up to the next pair's first; the flags of each kind. */
extern const uint32_t unicode_tables_properties[], unicode_tables_kinds[];
extern const uint32_t unicode_tables_property_count;
extern const struct unicode_tables_run unicode_tables_lower[], unicode_tables_upper[],
    unicode_tables_title[];
extern const uint32_t unicode_tables_lower_count, unicode_tables_upper_count,
    unicode_tables_title_count;
extern const struct unicode_tables_long unicode_tables_long_upper[];
extern const uint32_t unicode_tables_long_upper_count;
#endif
