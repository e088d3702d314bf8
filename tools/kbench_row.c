/* kbench_row - see kbench_row.h. */
#include "tools/kbench_row.h"

#include "base/file_map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { OLD_BYTES_MAX = 256 << 20, OLD_ROWS_MAX = 1 << 20 };

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

const char *kbench_row_verdict(enum kbench_verdict verdict)
{
    static const char *const NAMES[] = {"", "bit-exact", "near", "WRONG"};
    return NAMES[verdict];
}

/* ---- JSON and CSV: the same columns ---- */

/* A column: a word, or a number; a number that is not known is not written. */
struct column {
    const char *name, *word;
    double number;
    bool is_known;
};

enum { COLUMNS_MAX = 80 };

struct columns {
    struct column items[COLUMNS_MAX];
    int32_t count;
};

static void add_word(struct columns *columns, const char *name, const char *word)
{
    columns->items[columns->count++] =
        (struct column){.name = name, .word = word ? word : "", .is_known = true};
}

static void add_number(struct columns *columns, const char *name, double number, bool is_known)
{
    columns->items[columns->count++] =
        (struct column){.name = name, .number = number, .is_known = is_known};
}

static void add_times(struct columns *columns, const struct kbench_row *row)
{
    const struct kbench_stats *us = &row->timing.us;
    const bool is_timed = us->count > 0;
    const bool has_peak = row->work.unit != KBENCH_UNIT_NONE;
    const double bytes = per_second(row->work.bytes, us->median);
    const double operations = per_second(row->work.operations, us->median);
    add_number(columns, "samples", us->count, is_timed);
    add_number(columns, "launches", row->timing.launches, is_timed);
    add_number(columns, "sets", row->timing.sets, is_timed);
    add_number(columns, "flushed", row->timing.is_flushed, is_timed);
    add_number(columns, "us", us->median, is_timed);
    add_number(columns, "us_p10", us->p10, is_timed);
    add_number(columns, "us_p90", us->p90, is_timed);
    add_number(columns, "spread", us->spread, is_timed);
    add_number(columns, "gb_per_s", bytes * 1e-9, is_timed);
    add_number(columns, "bytes_of_measured", share_of(bytes, row->bandwidth_measured),
               is_timed && row->bandwidth_measured > 0);
    add_number(columns, "bytes_of_named", share_of(bytes, row->bandwidth_named),
               is_timed && row->bandwidth_named > 0);
    add_number(columns, "tera_per_s", operations * 1e-12, is_timed && has_peak);
    add_word(columns, "accumulate", kbench_stats_unit_name(row->work.unit));
    add_number(columns, "operations_of_measured", share_of(operations, row->peak_measured),
               is_timed && row->peak_measured > 0);
    add_number(columns, "operations_of_named", share_of(operations, row->peak_named),
               is_timed && row->peak_named > 0);
    add_number(columns, "roof_us", row->roof.us, row->roof.us > 0);
    add_word(columns, "limit", kbench_stats_limit_name(row->roof.bound, row->work.unit));
    add_number(columns, "sol", us->median > 0 ? row->roof.us / us->median : 0,
               is_timed && row->roof.us > 0);
    add_word(columns, "comparator", row->comparator);
    add_number(columns, "comparator_us", row->comparator_us, row->comparator_us > 0);
    add_number(columns, "model_us", row->projected_us, row->projected_us > 0);
    add_word(columns, "model_limit",
             kbench_stats_limit_name(row->projected_bound, row->work.unit));
    add_number(columns, "slowdown", row->slowdown, row->slowdown > 0);
    add_number(columns, "throttled", row->slowdown > KBENCH_ROW_THROTTLED, row->slowdown > 0);
    add_number(columns, "cliff", row->cliff, row->cliff > 0);
}

static void add_counters(struct columns *columns, const struct kbench_row *row)
{
    const struct device_emu_counters *n = &row->counters;
    const bool is_known = row->has_counters;
    add_number(columns, "conflicts_per_request", per(n->shared_conflicts, n->shared_requests),
               is_known);
    add_number(columns, "sectors_per_request", per(n->global_sectors, n->global_requests),
               is_known);
    add_number(columns, "shared_wavefronts", (double)n->shared_wavefronts, is_known);
    add_number(columns, "global_sectors", (double)n->global_sectors, is_known);
    add_number(columns, "mma_s8", (double)n->mma_s8, is_known);
    add_number(columns, "mma_f16", (double)n->mma_f16, is_known);
    add_number(columns, "barriers", (double)n->barriers, is_known);
    add_number(columns, "shared_bytes", (double)n->shared_bytes, is_known);
    add_number(columns, "findings", (double)row->findings, is_known);
}

static void add_launch(struct columns *columns, const struct kbench_row *row)
{
    const struct kbench_launch *launch = &row->launch;
    const bool is_known = launch->count > 0, is_told = is_known && launch->is_told;
    add_number(columns, "kernels_launched", launch->count, is_known);
    add_word(columns, "largest_launch", launch->name);
    add_number(columns, "blocks", (double)launch->blocks, is_known);
    add_number(columns, "threads", launch->threads, is_known);
    add_number(columns, "registers", launch->registers, is_told);
    add_number(columns, "local_bytes", (double)launch->local_bytes, is_told);
    add_number(columns, "shared_static", (double)launch->static_bytes, is_told);
    add_number(columns, "shared_dynamic", (double)launch->dynamic_bytes, is_known);
    add_number(columns, "occupancy", launch->occupancy, is_told);
    add_number(columns, "occupancy_at_most", launch->occupancy, is_known && !is_told);
    add_word(columns, "launches_told", launch->all);
}

static void add_layer(struct columns *columns, const struct kbench_row *row)
{
    add_word(columns, "phase", row->phase);
    add_number(columns, "calls", row->calls, row->calls > 0);
    add_number(columns, "share", row->share, row->share > 0);
    add_number(columns, "sum_us", row->sum_us, row->sum_us > 0);
}

static struct columns columns_of(const struct kbench_row *row)
{
    struct columns columns = {0};
    const bool is_compared = row->verdict != KBENCH_UNCHECKED;
    add_word(&columns, "device", row->device);
    add_word(&columns, "kernel", row->kernel);
    add_word(&columns, "variant", row->variant);
    add_word(&columns, "model", row->model);
    add_word(&columns, "shape", row->shape);
    add_number(&columns, "m", row->m, true);
    add_word(&columns, "dtype", row->dtype);
    add_word(&columns, "mode", kbench_time_mode_name(row->mode));
    add_number(&columns, "bytes", row->work.bytes, true);
    add_number(&columns, "bytes_unshared", row->work.bytes_unshared,
               row->work.bytes_unshared > 0);
    add_number(&columns, "operations", row->work.operations, row->work.operations > 0);
    add_number(&columns, "intensity", kbench_stats_intensity(&row->work),
               row->work.operations > 0);
    add_times(&columns, row);
    add_word(&columns, "verdict", kbench_row_verdict(row->verdict));
    add_number(&columns, "error_abs", row->check.max_abs, is_compared);
    add_number(&columns, "error_share", row->check.share, is_compared);
    add_counters(&columns, row);
    add_launch(&columns, row);
    add_layer(&columns, row);
    add_word(&columns, "repro", row->repro);
    return columns;
}

void kbench_row_write(const struct kbench_row *row, struct json_writer *w)
{
    const struct columns columns = columns_of(row);
    json_write_object(w);
    json_write_key_text(w, "record", TEXT("row"));
    for (int32_t i = 0; i < columns.count; i++) {
        const struct column *column = &columns.items[i];
        if (!column->is_known)
            continue;
        json_write_key(w, column->name);
        if (column->word)
            json_write_text(w, text_of(column->word));
        else
            json_write_double(w, column->number);
    }
    json_write_object_end(w);
}

void kbench_row_csv_title(FILE *file)
{
    const struct kbench_row none = {.device = "", .kernel = "", .variant = "", .dtype = ""};
    const struct columns columns = columns_of(&none);
    for (int32_t i = 0; i < columns.count; i++)
        (void)fprintf(file, "%s%s", i > 0 ? "," : "", columns.items[i].name);
    (void)fprintf(file, "\n");
}

/* No word here has a quote; some have a comma. */
void kbench_row_csv(const struct kbench_row *row, FILE *file)
{
    const struct columns columns = columns_of(row);
    for (int32_t i = 0; i < columns.count; i++) {
        const struct column *column = &columns.items[i];
        if (i > 0)
            (void)fputc(',', file);
        if (column->is_known && column->word)
            (void)fprintf(file, "\"%s\"", column->word);
        else if (column->is_known)
            (void)fprintf(file, "%.9g", column->number);
    }
    (void)fprintf(file, "\n");
}

/* ---- against an older file ---- */

struct kbench_row_key kbench_row_key(const struct kbench_row *row)
{
    struct kbench_row_key key;
    (void)snprintf(key.text, sizeof key.text, "%s %s %s [%s] M %d %s %s", row->kernel,
                   row->variant, row->model, row->shape, row->m, row->dtype,
                   kbench_time_mode_name(row->mode));
    return key;
}

static struct text word_of(const struct json *object, const char *name)
{
    struct text word = TEXT("");
    (void)json_text(json_get(object, name), &word);
    return word;
}

/* The counters' names in the file; mma is the sum of two. */
static const char *const FIGURES[] = {"us", "shared_wavefronts", "global_sectors", "mma_s8",
                                      "barriers"};

/* A number that the file has is at least 0. */
static bool read_figures(const struct json *object, double *figures)
{
    double f16;
    for (int i = 0; i < KBENCH_FIGURES; i++) {
        const struct json *item = json_get(object, FIGURES[i]);
        figures[i] = -1;
        if (item && (!json_double(item, &figures[i]) || !(figures[i] >= 0)))
            return false;
    }
    if (figures[KBENCH_FIGURE_MMA] >= 0 && json_double(json_get(object, "mma_f16"), &f16))
        figures[KBENCH_FIGURE_MMA] += f16;
    return true;
}

static enum status read_row(const struct json *object, struct kbench_old *old)
{
    int64_t m = 0;
    if (!text_equal(word_of(object, "record"), TEXT("row")))
        return OK; /* a head */
    struct kbench_old_row *row = &old->rows[old->count];
    if (!json_i64(json_get(object, "m"), &m) || !read_figures(object, row->figures))
        return ERR_FORMAT;
    old->count++;
    (void)snprintf(
        row->key.text, sizeof row->key.text, "%.*s %.*s %.*s [%.*s] M %lld %.*s %.*s",
        TEXT_ARG(word_of(object, "kernel")), TEXT_ARG(word_of(object, "variant")),
        TEXT_ARG(word_of(object, "model")), TEXT_ARG(word_of(object, "shape")), (long long)m,
        TEXT_ARG(word_of(object, "dtype")), TEXT_ARG(word_of(object, "mode")));
    return OK;
}

static enum status read_line(struct text line, const char *path, int32_t number,
                             struct kbench_old *old, struct error *err)
{
    struct json *root = NULL;
    if (text_trim(line).size == 0)
        return OK;
    enum status status = json_parse(line, 0, &root, err);
    if (status == OK)
        status = read_row(root, old);
    json_free(root);
    if (status != OK)
        FAIL(err, status, "%s: line %d is no row of kbench", path, number);
    return OK;
}

static int32_t count_lines(struct text text)
{
    int32_t count = 1;
    for (size_t i = 0; i < text.size && count < OLD_ROWS_MAX; i++)
        count += text.data[i] == '\n';
    return count;
}

enum status kbench_row_old_open(struct kbench_old *old, const char *path, struct error *err)
{
    struct text_buf file = {0};
    *old = (struct kbench_old){0};
    enum status status = file_map_read(&file, path, OLD_BYTES_MAX, err);
    const struct text all = text_buf_text(&file);
    const int32_t lines = count_lines(all);
    if (status == OK) {
        old->rows = calloc((size_t)lines, sizeof *old->rows);
        if (!old->rows)
            status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "%s: no room for %d rows",
                               path, lines);
    }
    size_t begin = 0;
    for (int32_t number = 1; status == OK && number <= lines && begin <= all.size; number++) {
        const size_t found = text_find(all, TEXT("\n"), begin);
        const size_t end = found < all.size ? found : all.size;
        status = read_line(text_slice(all, begin, end), path, number, old, err);
        begin = end + 1;
    }
    text_buf_deinit(&file);
    return status;
}

void kbench_row_old_close(struct kbench_old *old)
{
    free(old->rows);
    *old = (struct kbench_old){0};
}

static void figures_of(const struct kbench_row *row, double *figures)
{
    const struct device_emu_counters *n = &row->counters;
    const double counted[KBENCH_FIGURES] = {
        -1, (double)n->shared_wavefronts, (double)n->global_sectors,
        (double)(n->mma_s8 + n->mma_f16), (double)n->barriers};
    for (int i = 0; i < KBENCH_FIGURES; i++)
        figures[i] = row->has_counters ? counted[i] : -1;
    if (row->timing.us.count > 0)
        figures[KBENCH_FIGURE_US] = row->timing.us.median;
}

static const struct kbench_old_row *find_old(const struct kbench_old *old,
                                             const struct kbench_row *row)
{
    const struct kbench_row_key key = kbench_row_key(row);
    for (int32_t i = old->count - 1; i >= 0; i--)
        if (strcmp(old->rows[i].key.text, key.text) == 0)
            return &old->rows[i];
    return NULL;
}

bool kbench_row_change(const struct kbench_old *old, const struct kbench_row *row,
                       struct kbench_change *change)
{
    static const char *const NAMES[] = {"us", "wavefronts", "sectors", "mma", "barriers"};
    const struct kbench_old_row *before = find_old(old, row);
    double after[KBENCH_FIGURES];
    bool is_found = false;
    *change = (struct kbench_change){.figure = ""};
    if (!before)
        return false;
    figures_of(row, after);
    for (int i = 0; i < KBENCH_FIGURES; i++) {
        const double was = before->figures[i], is = after[i];
        if (was < 0 || is < 0)
            continue;
        const double ratio = was > 0 ? is / was : is > 0 ? HUGE_VAL : 1;
        if (!is_found || ratio > change->ratio)
            *change = (struct kbench_change){ratio, NAMES[i], was, is};
        is_found = true;
        if (i == KBENCH_FIGURE_US)
            break; /* counters are for rows without times */
    }
    return is_found;
}
