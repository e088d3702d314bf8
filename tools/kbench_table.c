/* kbench_table - see kbench_table.h. */
#include "tools/kbench_table.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static double per_second(double amount, double us)
{
    return us > 0 ? amount / us * 1e6 : 0;
}

static double share_of(double rate, double limit)
{
    return limit > 0 ? rate / limit : 0;
}

static double per(uint64_t count, uint64_t requests)
{
    return requests > 0 ? (double)count / (double)requests : 0;
}

/* What is not known is left empty. */
static void print_number(int width, int digits, double value)
{
    if (value > 0)
        printf(" %*.*f", width, digits, value);
    else
        printf(" %*s", width, "");
}

static void print_names(const char *const names[6])
{
    printf("%-13s %-7s %-24s %5s %-5s %-5s", names[0], names[1], names[2], names[3], names[4],
           names[5]);
}

static void print_key(const struct kbench_row *row, bool is_timed)
{
    char m[12];
    (void)snprintf(m, sizeof m, "%d", row->m);
    const char *const words[] = {row->kernel, row->variant,
                                 row->shape,  m,
                                 row->dtype,  is_timed ? kbench_time_mode_name(row->mode) : ""};
    print_names(words);
}

/* ---- times ---- */

static void print_times_title(void)
{
    static const char *const NAMES[] = {"kernel", "variant", "shape", "M", "type", "mode"};
    print_names(NAMES);
    printf(" %9s %5s %7s %5s %5s %7s %5s %5s %6s %-8s %5s %3s %7s %4s %6s  %s\n", "us", "+-%",
           "GB/s", "%meas", "%name", "T/s", "%meas", "%name", "op/B", "limit", "SoL%", "reg",
           "shared", "occ%", "vs", "notes");
}

static void print_times(const struct kbench_row *row)
{
    const double us = row->timing.us.median;
    const double bytes = per_second(row->work.bytes, us);
    const double operations =
        row->work.unit == KBENCH_UNIT_NONE ? 0 : per_second(row->work.operations, us);
    print_number(9, 2, us);
    print_number(5, 1, 100 * row->timing.us.spread);
    print_number(7, 1, bytes * 1e-9);
    print_number(5, 1, 100 * share_of(bytes, row->bandwidth_measured));
    print_number(5, 1, 100 * share_of(bytes, row->bandwidth_named));
    print_number(7, 2, operations * 1e-12);
    print_number(5, 1, 100 * share_of(operations, row->peak_measured));
    print_number(5, 1, 100 * share_of(operations, row->peak_named));
    print_number(6, 1, kbench_stats_intensity(&row->work));
    printf(" %-8s", kbench_stats_limit_name(row->roof.bound, row->work.unit));
    print_number(5, 1, us > 0 ? 100 * row->roof.us / us : 0);
    print_number(3, 0, row->launch.registers);
    print_number(7, 0, (double)(row->launch.static_bytes + row->launch.dynamic_bytes));
    print_number(4, 0, 100 * row->launch.occupancy);
    print_number(6, 3, us > 0 ? row->comparator_us / us : 0);
}

/* ---- counters ---- */

static void print_counters_title(void)
{
    static const char *const NAMES[] = {"kernel", "variant", "shape", "M", "type", ""};
    print_names(NAMES);
    printf(" %6s %9s %8s %7s %7s %7s %7s %4s  %s\n", "op/B", "conflicts", "sectors", "mma",
           "barrier", "threads", "shared", "occ%", "notes");
}

static void print_counters(const struct kbench_row *row)
{
    const struct device_emu_counters *n = &row->counters;
    print_number(6, 1, kbench_stats_intensity(&row->work));
    printf(" %9.2f %8.2f %7" PRIu64 " %7" PRIu64 " %7d %7" PRIu64 " %4.0f",
           per(n->shared_conflicts, n->shared_requests),
           per(n->global_sectors, n->global_requests), n->mma_f16 + n->mma_s8, n->barriers,
           row->launch.threads, n->shared_bytes, 100 * row->launch.occupancy);
}

/* ---- both ---- */

static void print_notes(const struct kbench_row *row)
{
    printf("  %s", kbench_row_verdict(row->verdict));
    if (row->verdict == KBENCH_NEAR || row->verdict == KBENCH_WRONG)
        printf(" (%.2g apart, %.2g of the largest)", row->check.max_abs, row->check.share);
    if (row->comparator)
        printf(" vs %s", row->comparator);
    if (row->projected_us > 0)
        printf(" MODEL 4090 %.1f us, %s", row->projected_us,
               kbench_stats_limit_name(row->projected_bound, row->work.unit));
    if (row->launch.local_bytes > 0)
        printf(" LOCAL %zu B a thread", row->launch.local_bytes);
    if (row->findings > 0)
        printf(" %llu FINDINGS", (unsigned long long)row->findings);
    if (row->slowdown > KBENCH_ROW_THROTTLED)
        printf(" THROTTLED %.2fx", row->slowdown);
    if (row->cliff > KBENCH_ROW_CLIFF)
        printf(" CLIFF %.2fx", row->cliff);
    printf("\n");
}

void kbench_table_title(bool is_timed)
{
    if (is_timed) {
        printf("# %%meas, %%name: of the measured and the named limit; SoL%%: the least time "
               "that the measured\n# limits allow, of the time; limit: which of them that is; "
               "op/B: operations per byte;\n# reg, shared, occ%%: of the largest launch; vs: "
               "the comparator's time over ours\n");
        print_times_title();
        return;
    }
    printf("# conflicts: of shared memory's banks, per request; sectors: of 32 bytes, per "
           "request;\n# occ%%: the most that threads and shared memory allow on sm_89; op/B: "
           "operations per byte\n");
    print_counters_title();
}

void kbench_table_row(const struct kbench_row *row, bool is_timed)
{
    print_key(row, is_timed);
    if (is_timed)
        print_times(row);
    else if (row->has_counters)
        print_counters(row);
    print_notes(row);
    (void)fflush(stdout);
}
