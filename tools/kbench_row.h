/*
 * kbench_row - one measured operation as a line: on the terminal, as JSON, as CSV; and two
 * files of such lines held against each other.
 */
#ifndef TOOLS_KBENCH_ROW_H
#define TOOLS_KBENCH_ROW_H

#include "kernels/device_emu.h"
#include "tools/kbench_case.h"
#include "tools/kbench_head.h"
#include "tools/kbench_time.h"

#include "base/json.h"

#include <stdio.h>

enum kbench_verdict { KBENCH_UNCHECKED, KBENCH_BITS, KBENCH_NEAR, KBENCH_WRONG };

struct kbench_row {
    const char *device, *kernel, *variant, *model, *dtype;
    char shape[64];
    int32_t m;
    enum kbench_mode mode;
    struct kbench_timing timing; /* us.count 0: no times, as on the emulator */
    struct kbench_work work;
    struct kbench_roof roof; /* by the measured limits */
    double peak_measured, peak_named, bandwidth_measured, bandwidth_named; /* per s; 0: none */
    enum kbench_verdict verdict;
    struct kbench_check check;
    const char *comparator; /* NULL: none */
    double comparator_us;
    double projected_us; /* MODEL; 0: not asked for */
    double slowdown;     /* of the clock since the start; 0: not known */
    double cliff;        /* times slower than its neighbours say; 0: not known */
    bool has_counters;
    struct device_emu_counters counters;
    uint64_t findings; /* of the emulator */
};

/* Slower than this and the row is flagged. */
#define KBENCH_ROW_THROTTLED 1.10
#define KBENCH_ROW_CLIFF     1.15

void kbench_row_print_title(void);
void kbench_row_print(const struct kbench_row *row);
void kbench_row_write(const struct kbench_row *row, struct json_writer *w);
/* The column names, then rows; numbers that are not known are empty. */
void kbench_row_csv_title(FILE *file);
void kbench_row_csv(const struct kbench_row *row, FILE *file);

/* What identifies a row from run to run: kernel, variant, model, shape, M, dtype, mode. */
enum { KBENCH_ROW_KEY = 256 };
struct kbench_row_key {
    char text[KBENCH_ROW_KEY];
};
struct kbench_row_key kbench_row_key(const struct kbench_row *row);

/* Median times by key, read from lines of kbench_row_write; the last of equal keys counts. */
struct kbench_old {
    struct kbench_old_row {
        struct kbench_row_key key;
        double us;
    } * rows;
    int32_t count;
};

/* ERR_IO, ERR_FORMAT with the line's number, ERR_LIMIT, ERR_MEMORY. kbench_row_old_close takes
 * it back whatever the outcome. */
MUST_USE enum status kbench_row_old_open(struct kbench_old *old, const char *path,
                                         struct error *err);
void kbench_row_old_close(struct kbench_old *old);

/* row's median over the old one's; 0 when the old file has no such row or no time for it. */
double kbench_row_ratio(const struct kbench_old *old, const struct kbench_row *row);

#endif
