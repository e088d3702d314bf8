/* normalize_table - the generated tables behind normalize.c, in normalize_parts.c and
 * normalize_whole.c (tools/scripts/normalize_tables.py). Code points are packed in 21 bits. */
#ifndef TOKENIZER_NORMALIZE_TABLE_H
#define TOKENIZER_NORMALIZE_TABLE_H

#include <stdint.h>

enum {
    NORMALIZE_TABLE_PARTS = 2061,
    NORMALIZE_TABLE_WHOLE = 941,
    NORMALIZE_TABLE_CLASSES = 571
};

/* Code point, what it is made of: one or two (else 0). In order. */
extern const uint64_t normalize_table_parts[NORMALIZE_TABLE_PARTS];
/* Two code points, what they make together. In order. */
extern const uint64_t normalize_table_whole[NORMALIZE_TABLE_WHOLE];
/* First code point << 8 | canonical combining class, until the next entry. */
extern const uint32_t normalize_table_classes[NORMALIZE_TABLE_CLASSES];

#endif
