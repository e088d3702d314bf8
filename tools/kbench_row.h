/*
 * kbench_row - one measured operation as a line of JSON or CSV; and a run held against the
 * lines of an older one. On the terminal: kbench_table.
 */
#ifndef TOOLS_KBENCH_ROW_H
#define TOOLS_KBENCH_ROW_H

#include "kernels/device_emu.h"
#include "tools/kbench_case.h"
#include "tools/kbench_head.h"
#include "tools/kbench_launch.h"
#include "tools/kbench_time.h"

#include "base/json.h"

#include <stdio.h>

enum kbench_verdict { KBENCH_UNCHECKED, KBENCH_BITS, KBENCH_NEAR, KBENCH_WRONG };

enum { KBENCH_ROW_REPRO = 320 };

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
    struct kbench_launch launch;
    char repro[KBENCH_ROW_REPRO]; /* the command that makes this row alone */
    const char *comparator;       /* NULL: none */
    double comparator_us;
    double projected_us; /* MODEL; 0: not asked for */
    enum kbench_bound projected_bound;
    double slowdown; /* of the clock since the start; 0: not known */
    double cliff;    /* times slower than its neighbours say; 0: not known */
    bool has_counters;
    struct device_emu_counters counters;
    uint64_t findings; /* of the emulator */
    /* Of kbench layer: a step, or all of them one after the other; NULL and 0 in other rows. */
    const char *phase; /* "decode", "prefill" */
    int32_t calls;     /* of the step, in one layer */
    double share;      /* of the layer's time, 0 .. 1 */
    double sum_us;     /* of the whole: what its steps take one by one */
};

/* Slower than this and the row is flagged. */
#define KBENCH_ROW_THROTTLED 1.10
#define KBENCH_ROW_CLIFF     1.15

const char *kbench_row_verdict(enum kbench_verdict verdict); /* "", "bit-exact", .. */
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

/* What two runs are held against each other by. */
enum kbench_figure {
    KBENCH_FIGURE_US,
    KBENCH_FIGURE_WAVEFRONTS, /* of shared memory */
    KBENCH_FIGURE_SECTORS,    /* of device memory */
    KBENCH_FIGURE_MMA,
    KBENCH_FIGURE_BARRIERS,
    KBENCH_FIGURES
};

/* Rows by key, read from lines of kbench_row_write; the last of equal keys counts. */
struct kbench_old {
    struct kbench_old_row {
        struct kbench_row_key key;
        double figures[KBENCH_FIGURES]; /* below 0: not there */
    } * rows;
    int32_t count;
};

/* ERR_IO, ERR_FORMAT with the line's number, ERR_LIMIT, ERR_MEMORY. kbench_row_old_close takes
 * it back whatever the outcome. */
MUST_USE enum status kbench_row_old_open(struct kbench_old *old, const char *path,
                                         struct error *err);
void kbench_row_old_close(struct kbench_old *old);

/* How a row differs from the old one: medians where both have one, else the counter that grew
 * most. */
struct kbench_change {
    double ratio;       /* new over old; HUGE_VAL: of something that was not there at all */
    const char *figure; /* "us", "wavefronts", .. */
    double before, after;
};

/* False: the old file has no such row, or no figure that this one has. */
bool kbench_row_change(const struct kbench_old *old, const struct kbench_row *row,
                       struct kbench_change *change);

#endif
