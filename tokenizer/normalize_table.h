/* normalize_table - the generated tables behind normalize.c, in normalize_parts.c and its like
 * (tools/scripts/normalize_tables.py). Code points are packed in 21 bits. */
#ifndef TOKENIZER_NORMALIZE_TABLE_H
#define TOKENIZER_NORMALIZE_TABLE_H

#include <stdint.h>

enum {
    NORMALIZE_TABLE_PARTS = 2081,
    NORMALIZE_TABLE_WHOLE = 961,
    NORMALIZE_TABLE_CLASSES = 590,
    NORMALIZE_TABLE_RUNS = 1252,
    NORMALIZE_TABLE_SEQUENCES = 1148,
    NORMALIZE_TABLE_POINTS = 2928,
    NORMALIZE_TABLE_LOWER = 186
};

/* Code point, what it is made of: one or two (else 0). In order. */
extern const uint64_t normalize_table_parts[NORMALIZE_TABLE_PARTS];
/* Two code points, what they make together. In order. */
extern const uint64_t normalize_table_whole[NORMALIZE_TABLE_WHOLE];
/* First code point << 8 | canonical combining class, until the next entry. */
extern const uint32_t normalize_table_classes[NORMALIZE_TABLE_CLASSES];
/* Characters that only look like another: the first, how many in a row, the other. In order. */
extern const uint64_t normalize_table_runs[NORMALIZE_TABLE_RUNS];
/* Those that look like several: the character, where they lie in points, how many. In order. */
extern const uint64_t normalize_table_sequences[NORMALIZE_TABLE_SEQUENCES];
extern const uint32_t normalize_table_points[NORMALIZE_TABLE_POINTS];

/* Letters that have a small one: every step-th from first, count of them, from small on. */
struct normalize_table_small {
    uint32_t first, count, small, step;
};
extern const struct normalize_table_small normalize_table_lower[NORMALIZE_TABLE_LOWER];

#endif
