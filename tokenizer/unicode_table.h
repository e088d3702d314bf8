/* unicode_table - the generated table behind unicode.c (tools/scripts/unicode_tables.py). */
#ifndef TOKENIZER_UNICODE_TABLE_H
#define TOKENIZER_UNICODE_TABLE_H

#include <stdint.h>

enum { UNICODE_TABLE_RANGES = 4103, UNICODE_TABLE_PAGES = 513 };

/* First code point << 8 | category, in order. */
extern const uint32_t unicode_table_ranges[UNICODE_TABLE_RANGES];
/* The range in which each page of 256 code points begins. */
extern const uint16_t unicode_table_pages[UNICODE_TABLE_PAGES];

#endif
