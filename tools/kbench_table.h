/*
 * kbench_table - kbench's rows on a terminal: one table for times, another, narrower, for the
 * emulator's counters. All that is known of a row is in its JSON (kbench_row).
 */
#ifndef TOOLS_KBENCH_TABLE_H
#define TOOLS_KBENCH_TABLE_H

#include "tools/kbench_row.h"

/* What the columns are called, and what that means; is_timed: of times, else of counters. */
void kbench_table_title(bool is_timed);

void kbench_table_row(const struct kbench_row *row, bool is_timed);

#endif
