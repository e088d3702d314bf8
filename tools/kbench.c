/*
 * kbench - cohort kbench: every kernel's time beside the machine's limits.
 *
 *     kbench list                      kernels, variants, number formats, shapes
 *     kbench run [KERNEL...]           a row for each kernel x variant x shape x M x mode
 *     kbench layer                     a budget for each shape x M: one layer, kernel by kernel
 *
 * On the emulator the same table has counters and bits in the place of times. The exit code is
 * 1 when a result is wrong, the emulator found something, or a row is slower than --compare's
 * by more than --fail-above; 77 when the device asked for is not there.
 */
#include "tools/args.h"
#include "tools/cohort.h"
#include "tools/exit_code.h"
#include "tools/kbench_layer.h"
#include "tools/kbench_table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

enum { EXIT_FOUND = 1, EXIT_NO_DEVICE = 77, WORD_BYTES = 32, SWEEP_MAX = KBENCH_ARGS_M_MAX };
enum device_choice { CHOICE_AUTO, CHOICE_CUDA, CHOICE_EMU, CHOICE_CPU };

#define SECONDS_DEFAULT 0.15F

struct kbench {
    int device, baseline, project, phase; /* indices of their words */
    const char *m_list, *shape_list, *dtype, *variant, *modes;
    const char *json_path, *csv_path, *compare_path, *fail_above;
    bool is_verified, is_small, has_pair;
    uint64_t seed;
    float seconds;

    struct kbench_args_m m;
    struct kbench_args_shapes shapes;
    double fail_share;
    char **names; /* kernels asked for; none: all */

    struct kbench_measure measure;
    struct kbench_old old;
    FILE *json, *csv;
    struct kbench_row rows[SWEEP_MAX]; /* one sweep over M */
    int32_t row_count, row_total, failures, skipped, compared, unmatched;
    bool is_timed, is_layer;
    const char *model_shown; /* above the rows that come */
};

/* A word of a list with commas. */
struct word {
    char text[WORD_BYTES];
};

/* Word number index of the list; false past the last. "" is one empty word. */
static bool word_at(const char *list, int index, struct word *word)
{
    for (; index > 0; index--) {
        list = strchr(list, ',');
        if (!list)
            return false;
        list++;
    }
    const size_t size = strcspn(list, ",");
    (void)snprintf(word->text, sizeof word->text, "%.*s", (int)size, list);
    return true;
}

static bool has_word(const char *list, const char *wanted)
{
    struct word word;
    for (int i = 0; word_at(list, i, &word); i++)
        if (strcmp(word.text, wanted) == 0)
            return true;
    return false;
}

/* ---- list ---- */

static void print_list(void)
{
    const struct kbench_kernel *kernel;
    const struct model_synthetic_shape *shape;
    for (int32_t i = 0; (kernel = kbench_kernels_at(i)); i++) {
        printf("%-14s %s\n", kernel->name, kernel->about);
        if (kernel->variants[0])
            printf("%-14s   variants %s\n", "", kernel->variants);
        printf("%-14s   formats  %s\n", "", kernel->dtypes);
    }
    printf("\nshapes: ");
    for (size_t i = 0; (shape = model_synthetic_at(i)); i++)
        printf("%s, ", shape->config.name);
    printf("minions30x6\n");
}

/* ---- rows ---- */

static void write_record(struct kbench *k, const struct kbench_row *row)
{
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    if (k->csv && row)
        kbench_row_csv(row, k->csv);
    if (!k->json)
        return;
    if (row)
        kbench_row_write(row, &w);
    else
        kbench_head_write(&k->measure.head, &w);
    (void)fprintf(k->json, "%.*s\n", TEXT_ARG(text_buf_text(&out)));
    text_buf_deinit(&out);
}

/* False, with a sentence, when a figure grew past --fail-above. */
static bool is_kept(struct kbench *k, const struct kbench_row *row)
{
    struct kbench_change change;
    const struct kbench_row_key key = kbench_row_key(row);
    if (!k->compare_path)
        return true;
    if (!kbench_row_change(&k->old, row, &change)) {
        k->unmatched++;
        return true;
    }
    k->compared++;
    if (change.ratio <= 1 + k->fail_share)
        return true;
    (void)fprintf(stderr, "kbench: MORE: %s: %s %g, in %s %g (%+.1f %%)\n  %s\n", key.text,
                  change.figure, change.after, k->compare_path, change.before,
                  100 * (change.ratio - 1), row->repro);
    return false;
}

/* True when the row fails the run; says why. */
static bool is_failure(struct kbench *k, const struct kbench_row *row)
{
    const struct kbench_row_key key = kbench_row_key(row);
    const bool is_right = row->verdict != KBENCH_WRONG && row->findings == 0;
    if (!is_right)
        (void)fprintf(stderr, "kbench: WRONG: %s\n  %s\n", key.text, row->repro);
    return !is_kept(k, row) || !is_right;
}

/* Into the files, and judged. */
static void take_row(struct kbench *k, const struct kbench_row *row)
{
    write_record(k, row);
    k->failures += is_failure(k, row);
}

/* A comparison with nothing is no pass. */
static void tell_comparison(struct kbench *k)
{
    if (!k->compare_path)
        return;
    printf("# against %s: %d rows, %d that it does not have\n", k->compare_path, k->compared,
           k->unmatched);
    if (k->compared > 0)
        return;
    (void)fprintf(stderr, "kbench: %s has none of these rows\n", k->compare_path);
    k->failures++;
}

static void find_cliffs(struct kbench *k)
{
    double at[SWEEP_MAX], us[SWEEP_MAX];
    for (int32_t i = 0; i < k->row_count; i++) {
        at[i] = k->rows[i].m;
        us[i] = k->rows[i].timing.us.median;
    }
    for (int32_t i = 0; i < k->row_count; i++)
        k->rows[i].cliff = kbench_stats_cliff(at, us, k->row_count, i);
}

/* Rows of one sweep are shown when it is over: cliffs need their neighbours. */
static void end_sweep(struct kbench *k)
{
    find_cliffs(k);
    if (k->row_count > 0 && (!k->model_shown || strcmp(k->model_shown, k->rows[0].model) != 0))
        printf("# %s\n", k->model_shown = k->rows[0].model);
    for (int32_t i = 0; i < k->row_count; i++) {
        kbench_table_row(&k->rows[i], k->is_timed);
        take_row(k, &k->rows[i]);
    }
    k->row_total += k->row_count;
    k->row_count = 0;
}

static const char *const BASELINES[] = {"none", "cublaslt", "sorted", "naive"};

/* The command that makes this row alone: every word is one of our tables', or a number. */
static void write_repro(const struct kbench *k, const struct kbench_row *row, int32_t m,
                        char *repro)
{
    (void)snprintf(repro, KBENCH_ROW_REPRO,
                   "cohort kbench run %s --device %s --shapes %s%s%s --dtype %s --M %d "
                   "--mode %s --seconds %g --seed %llu%s%s%s%s%s%s",
                   row->kernel, device_kind_name(device_kind(k->measure.device)), row->model,
                   row->variant[0] ? " --variant " : "", row->variant, row->dtype, m,
                   kbench_time_mode_name(row->mode), (double)k->seconds,
                   (unsigned long long)k->seed, k->is_verified ? " --verify" : "",
                   k->is_small ? " --small" : "", k->has_pair ? " --as-emulated" : "",
                   k->baseline ? " --baseline " : "", k->baseline ? BASELINES[k->baseline] : "",
                   k->project ? " --project 4090" : "");
}

/* ERR_LIMIT is an answer: this kernel does not take that shape. Anything else ends the run. */
static enum status sweep(struct kbench *k, const struct kbench_row *wanted,
                         const struct kbench_args_shape *shape, struct error *err)
{
    for (int32_t i = 0; i < k->m.count; i++) {
        struct kbench_row *row = &k->rows[k->row_count];
        *row = *wanted;
        row->m = k->m.values[i];
        write_repro(k, row, row->m, row->repro);
        const enum status status = kbench_measure_row(&k->measure, shape, row, err);
        if (status == ERR_LIMIT) {
            (void)fprintf(stderr, "kbench: skipped: %s %s %s %s M %d: %s\n", row->kernel,
                          row->variant, row->model, row->dtype, k->m.values[i], err->text);
            k->skipped++;
            continue;
        }
        TRY(status);
        k->row_count++;
        if (row->m != k->m.values[i])
            break; /* the shape says how many rows: M changes nothing */
    }
    end_sweep(k);
    return OK;
}

static enum status run_modes(struct kbench *k, struct kbench_row *row,
                             const struct kbench_args_shape *shape, struct error *err)
{
    for (int mode = KBENCH_COLD; mode < KBENCH_MODES; mode++) {
        row->mode = (enum kbench_mode)mode;
        if (has_word(k->modes, kbench_time_mode_name(row->mode)))
            TRY(sweep(k, row, shape, err));
    }
    return OK;
}

static enum status run_kernel(struct kbench *k, const struct kbench_kernel *kernel,
                              const struct kbench_args_shape *shape, struct error *err)
{
    struct word variant, dtype, first;
    (void)word_at(kernel->dtypes, 0, &first);
    for (int v = 0; word_at(kernel->variants, v, &variant); v++) {
        if (k->variant && !has_word(k->variant, variant.text))
            continue;
        for (int d = 0; word_at(kernel->dtypes, d, &dtype); d++) {
            const bool is_wanted =
                !k->dtype ? strcmp(dtype.text, first.text) == 0
                          : has_word(k->dtype, dtype.text) || strcmp(k->dtype, "all") == 0;
            struct kbench_row row = {.kernel = kernel->name,
                                     .variant = variant.text,
                                     .model = shape->name,
                                     .dtype = dtype.text};
            if (is_wanted)
                TRY(run_modes(k, &row, shape, err));
        }
    }
    return OK;
}

static bool is_asked_for(const struct kbench *k, const struct kbench_kernel *kernel)
{
    for (int i = 0; k->names[i]; i++)
        if (strcmp(k->names[i], kernel->name) == 0)
            return true;
    return !k->names[0];
}

/* Shapes of chunks are for attention alone: all else is the model's own. */
static bool suits(const struct kbench_kernel *kernel, const struct kbench_args_shape *shape)
{
    return shape->chunks == 0 || strcmp(kernel->name, "attention") == 0;
}

static enum status run_all(struct kbench *k, struct error *err)
{
    const struct kbench_kernel *kernel;
    for (int32_t i = 0; (kernel = kbench_kernels_at(i)); i++)
        for (int32_t s = 0; s < k->shapes.count; s++)
            if (is_asked_for(k, kernel) && suits(kernel, &k->shapes.items[s]))
                TRY(run_kernel(k, kernel, &k->shapes.items[s], err));
    tell_comparison(k);
    printf("# %d rows, %d skipped, %d failed\n", k->row_total, k->skipped, k->failures);
    return OK;
}

/* ---- layers ---- */

/* The command that makes this layer alone. */
static void write_layer_repro(const struct kbench *k, const struct kbench_row *row, char *repro)
{
    (void)snprintf(repro, KBENCH_ROW_REPRO,
                   "cohort kbench layer --device %s --shapes %s --M %d --phase %s --seconds %g "
                   "--seed %llu%s%s%s",
                   device_kind_name(device_kind(k->measure.device)), row->model, row->m,
                   row->phase, (double)k->seconds, (unsigned long long)k->seed,
                   k->is_verified ? " --verify" : "", k->is_small ? " --small" : "",
                   k->project ? " --project 4090" : "");
}

static enum status run_layer(struct kbench *k, struct kbench_layer *layer, struct error *err)
{
    TRY(kbench_layer_run(layer, &k->measure, err));
    kbench_layer_print(layer);
    write_layer_repro(k, &layer->whole, layer->whole.repro);
    for (int32_t i = 0; i < layer->step_count; i++) {
        memcpy(layer->steps[i].repro, layer->whole.repro, KBENCH_ROW_REPRO);
        take_row(k, &layer->steps[i]);
    }
    take_row(k, &layer->whole);
    k->row_total++;
    return OK;
}

static enum status run_layers(struct kbench *k, struct error *err)
{
    static struct kbench_layer layer; /* rows are large */
    for (int32_t s = 0; s < k->shapes.count; s++) {
        const struct kbench_args_shape *shape = &k->shapes.items[s];
        const bool has_own_rows = shape->chunks > 0 && k->phase == 0;
        for (int32_t i = 0; i < (has_own_rows ? 1 : k->m.count); i++) {
            layer = (struct kbench_layer){
                .shape = shape, .m = k->m.values[i], .is_prefill = k->phase == 1};
            TRY(run_layer(k, &layer, err));
        }
    }
    tell_comparison(k);
    printf("# %d layer%s, %d failed\n", k->row_total, k->row_total == 1 ? "" : "s",
           k->failures);
    return OK;
}

/* ---- the command ---- */

static enum status open_file(const char *path, const char *mode, FILE **file, struct error *err)
{
    if (!path)
        return OK;
    *file = fopen(path, mode);
    if (!*file)
        FAIL(err, ERR_IO, "%s: cannot be written", path);
    return OK;
}

static enum status open_device(struct kbench *k, struct error *err)
{
    static const enum device_kind KINDS[] = {DEVICE_CUDA, DEVICE_CUDA, DEVICE_EMU, DEVICE_CPU};
    struct kbench_measure *measure = &k->measure;
    enum status status = kbench_measure_open(measure, KINDS[k->device], err);
    if (status != OK && k->device == CHOICE_AUTO) {
        kbench_measure_close(measure);
        status = kbench_measure_open(measure, DEVICE_EMU, err);
    }
    measure->baseline = (enum kbench_baseline)k->baseline;
    measure->is_verified = k->is_verified;
    measure->is_small = k->is_small;
    /* Where there are no times, a layer's budget is the MODEL's. */
    measure->is_projected =
        k->project > 0 || (k->is_layer && device_kind(measure->device) == DEVICE_EMU);
    measure->seed = k->seed;
    measure->seconds = (double)k->seconds;
    return status == OK && k->has_pair ? kbench_measure_pair(measure, err) : status;
}

static void set_defaults(struct kbench *k)
{
    const bool is_emulated = device_kind(k->measure.device) == DEVICE_EMU;
    if (!k->m_list)
        k->m_list = is_emulated ? "1,17" : "1,16,64,256";
    if (!k->shape_list)
        k->shape_list = "llama-3.1-8b,minions30x6";
    if (!k->modes || is_emulated)
        k->modes = "cold";
}

static enum status check_names(const struct kbench *k, struct error *err)
{
    if (k->is_layer && k->names[0])
        FAIL(err, ERR_FORMAT, "layer: %s: takes no kernels, all are in it", k->names[0]);
    for (int i = 0; k->names[i]; i++)
        if (!kbench_kernels_find(k->names[i]))
            FAIL(err, ERR_FORMAT, "no kernel named %s; try cohort kbench list", k->names[i]);
    return OK;
}

static enum status read_lists(struct kbench *k, struct error *err)
{
    TRY(check_names(k, err));
    k->fail_share = HUGE_VAL;
    TRY(kbench_args_read_m(k->m_list, &k->m, err));
    TRY(kbench_args_read_shapes(k->shape_list, &k->shapes, err));
    if (k->compare_path)
        TRY(kbench_row_old_open(&k->old, k->compare_path, err));
    return k->fail_above ? kbench_args_read_share(k->fail_above, &k->fail_share, err) : OK;
}

static enum status run(struct kbench *k, struct error *err)
{
    set_defaults(k);
    TRY(read_lists(k, err));
    TRY(open_file(k->json_path, "a", &k->json, err));
    TRY(open_file(k->csv_path, "w", &k->csv, err));
    kbench_head_print(&k->measure.head);
    if (k->measure.is_projected)
        kbench_measure_print_projection();
    if (k->csv)
        kbench_row_csv_title(k->csv);
    write_record(k, NULL);
    if (k->is_layer)
        return run_layers(k, err);
    k->is_timed = device_kind(k->measure.device) != DEVICE_EMU;
    kbench_table_title(k->is_timed);
    return run_all(k, err);
}

static int close_files(struct kbench *k)
{
    int code = EX_OK;
    FILE *const files[] = {k->json, k->csv};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (files[i] && (ferror(files[i]) | fclose(files[i])) != 0)
            code = exit_code_fail_output("kbench", "its file");
    }
    return code;
}

static enum args_result parse(struct kbench *k, int argc, char **argv, int *rest)
{
    const struct args_option options[] = {
        {0, "device", "auto|cuda|emu|cpu", ARGS_CHOICE, &k->device, 0, 0,
         "where to run (default: cuda where there is one, else emu)"},
        {0, "M", "LIST", ARGS_TEXT, &k->m_list, 0, 0,
         "rows, such as 1,8,16..64/16 or 1..256*2 (default 1,16,64,256; emulator 1,17)"},
        {0, "shapes", "LIST", ARGS_TEXT, &k->shape_list, 0, 0,
         "see kbench list (default llama-3.1-8b,minions30x6)"},
        {0, "variant", "LIST", ARGS_TEXT, &k->variant, 0, 0, "default: all of them"},
        {0, "dtype", "LIST", ARGS_TEXT, &k->dtype, 0, 0,
         "number formats, or all (default: each kernel's first)"},
        {0, "mode", "LIST", ARGS_TEXT, &k->modes, 0, 0, "cold,warm,graph,batch (default cold)"},
        {0, "seconds", "S", ARGS_REAL, &k->seconds, 0, 60,
         "of timing per row (default 0.15; 0: none)"},
        {0, "verify", NULL, ARGS_FLAG, &k->is_verified, 0, 0, "against the plain twin first"},
        {0, "small", NULL, ARGS_FLAG, &k->is_small, 0, 0,
         "sizes that the twin gets through in no time; always so on the emulator"},
        {0, "as-emulated", NULL, ARGS_FLAG, &k->has_pair, 0, 0,
         "on a GPU: small sizes, and results held against the emulator's"},
        {0, "baseline", "none|cublaslt|sorted|naive", ARGS_CHOICE, &k->baseline, 0, 0,
         "a comparator at the same precision, in the same run"},
        {0, "project", "none|4090", ARGS_CHOICE, &k->project, 0, 0,
         "what the roofline MODEL says of that card"},
        {0, "phase", "decode|prefill", ARGS_CHOICE, &k->phase, 0, 0,
         "of layer: rows are of as many sequences, or of one (default decode)"},
        {0, "json", "FILE", ARGS_TEXT, &k->json_path, 0, 0,
         "append rows, a layer's too, as lines of JSON"},
        {0, "csv", "FILE", ARGS_TEXT, &k->csv_path, 0, 0, "write rows as CSV"},
        {0, "compare", "FILE", ARGS_TEXT, &k->compare_path, 0, 0,
         "an older --json file: medians, or on the emulator its counters"},
        {0, "fail-above", "SHARE", ARGS_TEXT, &k->fail_above, 0, 0,
         "fail when a figure is more than --compare's by that share, such as 3%"},
        {0, "seed", "N", ARGS_U64, &k->seed, 0, 0, "of the random numbers (default 1)"},
    };
    const struct args_command command = {
        .name = "kbench",
        .usage = "list | run [KERNEL...] | layer [options]",
        .about = "Times the kernels beside the machine's limits, or, on the emulator, counts "
                 "what they do.\n"
                 "  list   kernels with their variants and number formats, and shapes\n"
                 "  run    a row for each kernel, variant, shape, M and mode\n"
                 "  layer  for each shape and M: the kernels of one layer, their sum, their "
                 "shares; in files a row for each, and one of kernel layer for all in one go\n"
                 "Kernels: matmul, matmul_stored, attention, embed, rmsnorm, rope, silu_mul, "
                 "gather, kv_copy, sample. bench/README.md tells how to read the tables.\n"
                 "The CPU has times without limits; bench/matmul_bench measures its own.\n"
                 "Exit code: 1 a wrong result, a finding or a figure past --fail-above; 77 no "
                 "such device.",
        ARGS_OPTIONS(options),
    };
    return args_parse(&command, argc, argv, rest);
}

static int run_command(struct kbench *k)
{
    struct error err = {0};
    if (open_device(k, &err) != OK) {
        (void)exit_code_fail("kbench", &err);
        return EXIT_NO_DEVICE;
    }
    const enum status status = run(k, &err);
    int code = status == OK ? EX_OK : exit_code_fail("kbench", &err);
    const int closed = close_files(k);
    if (code == EX_OK)
        code = closed;
    return code == EX_OK && k->failures > 0 ? EXIT_FOUND : code;
}

int kbench_main(int argc, char **argv)
{
    int rest = 0, code;
    struct kbench *k = calloc(1, sizeof *k);
    if (!k)
        return EX_OSERR;
    k->seconds = SECONDS_DEFAULT;
    k->seed = 1;
    const enum args_result parsed = parse(k, argc, argv, &rest);
    const char *verb = parsed == ARGS_GO && argv[rest] ? argv[rest] : "";
    k->names = argv + rest + 1;
    if (parsed != ARGS_GO) {
        code = args_exit_code(parsed);
    } else if (strcmp(verb, "run") == 0 || strcmp(verb, "layer") == 0) {
        k->is_layer = strcmp(verb, "layer") == 0;
        code = run_command(k);
    } else if (strcmp(verb, "list") == 0 && !argv[rest + 1]) {
        print_list();
        code = EX_OK;
    } else {
        (void)fprintf(stderr, "cohort kbench: list, run or layer; try cohort kbench --help\n");
        code = EX_USAGE;
    }
    kbench_measure_close(&k->measure);
    kbench_row_old_close(&k->old);
    free(k);
    return code != EX_OK ? code : exit_code_flush("kbench");
}
