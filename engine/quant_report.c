/*
 * quant_report - see quant_report.h.
 *
 * Why 2 %. SmolLM2-135M with weights rounded to fewer levels than 127 (activations as ever, KV
 * cache in floats), KL from exact over six texts of 128 tokens, Nov 2026:
 *
 *     levels                127      63       31       15
 *     error of the weights  0.77 %   1.55 %   3.15 %   6.52 %   (the first measured)
 *     KL, nats              0.0073   0.0186   0.0663   0.2756
 *
 * That is 0.0035 + 63 error^2 within 2 %: squares of errors add up, and 0.0035 is the share of
 * the activations. If every matrix lost 2 %, KL would be 0.029, about what int8 without the
 * rotation costs (0.033, DESIGN.md D1): the rotation would have bought nothing. A matrix past
 * that alone weighs as much as seven of the ordinary. None of the models at hand has one; their
 * worst is 0.93 % (blk.11.attn_output of SmolLM2-135M).
 *
 * Rows are measured apart, short runs in floats and their sums in double, and added in order:
 * the threads change no bit, so that a file and a load decide alike. Costs 1.4 ns per weight
 * and core (Zen 3) at each load, which a file of int8 rows saves.
 */
#include "engine/quant_report.h"

#include "base/i32.h"
#include "engine/int8_file.h"
#include "kernels/matmul.h"
#include "kernels/matmul_int8.h"
#include "kernels/weight_row.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Vectors of 16 bytes, which every machine has: gcc keeps sums of longer ones in memory. A run
 * is short enough for floats. */
enum { LANES = 4, BYTES = 16, RUN = 64 };
typedef float lanes_f32 __attribute__((vector_size(BYTES)));
typedef float lanes_values __attribute__((vector_size(BYTES), aligned(4), may_alias));
typedef int8_t lanes_i8 __attribute__((vector_size(BYTES), aligned(1), may_alias));
typedef int16_t lanes_i16 __attribute__((vector_size(BYTES)));
typedef int32_t lanes_i32 __attribute__((vector_size(BYTES)));

/* Sums of squares over one row. */
struct row_squares {
    double error, values;
};

struct measure {
    struct device *device;
    struct weight_rows rows;
    struct row_squares *squares; /* [out_dim] */
};

/* The bytes as floats; each is put twice, or four times, and moved down with its sign. */
static void bytes_widen(const int8_t *bytes, lanes_f32 wide[BYTES / LANES])
{
    const lanes_i8 b = *(const lanes_i8 *)bytes;
    const lanes_i16 low = (lanes_i16)__builtin_shufflevector(b, b, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4,
                                                             5, 5, 6, 6, 7, 7);
    const lanes_i16 high = (lanes_i16)__builtin_shufflevector(b, b, 8, 8, 9, 9, 10, 10, 11, 11,
                                                              12, 12, 13, 13, 14, 14, 15, 15);
    const lanes_i32 words[] = {
        (lanes_i32)__builtin_shufflevector(low, low, 0, 0, 1, 1, 2, 2, 3, 3),
        (lanes_i32)__builtin_shufflevector(low, low, 4, 4, 5, 5, 6, 6, 7, 7),
        (lanes_i32)__builtin_shufflevector(high, high, 0, 0, 1, 1, 2, 2, 3, 3),
        (lanes_i32)__builtin_shufflevector(high, high, 4, 4, 5, 5, 6, 6, 7, 7)};
    for (int32_t k = 0; k < BYTES / LANES; k++)
        wide[k] = __builtin_convertvector(words[k] >> 24, lanes_f32);
}

/* Of a padded row: what is zero adds nothing. In steps of the scale, so that no square is too
 * large or too small for a float. */
static struct row_squares squares_of(const float *values, const int8_t *q8, float scale,
                                     int32_t depth)
{
    const float steps = scale > 0.0F ? 1.0F / scale : 0.0F;
    const double square = (double)scale * (double)scale;
    struct row_squares squares = {0};
    for (int32_t first = 0; first < depth; first += RUN) {
        lanes_f32 errors = {0}, all = {0};
        for (int32_t i = first; i < i32_min(first + RUN, depth); i += BYTES) {
            lanes_f32 q[BYTES / LANES];
            bytes_widen(q8 + i, q);
            for (int32_t k = 0; k < BYTES / LANES; k++) {
                const lanes_f32 value = *(const lanes_values *)(values + i + k * LANES) * steps;
                errors += (value - q[k]) * (value - q[k]);
                all += value * value;
            }
        }
        for (int32_t lane = 0; lane < LANES; lane++) {
            squares.error += (double)errors[lane] * square;
            squares.values += (double)all[lane] * square;
        }
    }
    return squares;
}

static void measure_row(void *context, int32_t index, uint32_t worker)
{
    const struct measure *measure = context;
    const int32_t in_dim = measure->rows.in_dim, depth = matmul_int8_depth(in_dim);
    float scale = 0.0F;
    const int8_t *q8 = weight_row_make(&measure->rows, index, measure->device, worker, &scale);
    float *values = device_scratch(measure->device, worker);
    memset(values + in_dim, 0, (size_t)(depth - in_dim) * sizeof *values);
    measure->squares[index] = squares_of(values, q8, scale, depth);
}

static double ratio(const struct row_squares *squares)
{
    const bool is_zero = squares->values >= 0.0 && squares->values <= 0.0;
    return is_zero ? 0.0 : sqrt(squares->error / squares->values);
}

static void add_rows(const struct measure *measure, struct quant_report_matrix *matrix)
{
    struct row_squares all = {0};
    for (int32_t i = 0; i < measure->rows.out_dim; i++) {
        const struct row_squares *row = &measure->squares[i];
        const double error = ratio(row);
        all.error += row->error;
        all.values += row->values;
        if (error > matrix->row_error || (isnan(error) && !isnan(matrix->row_error))) {
            matrix->row_error = error;
            matrix->row = i;
        }
    }
    matrix->error = ratio(&all);
    matrix->is_kept = !(matrix->error <= QUANT_REPORT_ERROR_MAX);
}

static enum status measure_matrix(struct quant_report_matrix *matrix, struct device *device,
                                  struct error *err)
{
    const struct gguf_tensor *tensor = matrix->tensor;
    const int64_t in_dim = tensor->dims[0], out_dim = tensor->dims[1];
    if (!weight_type_is_supported(tensor->type))
        FAIL(err, ERR_LIMIT, "tensor %s: type %s is not supported", matrix->name.text,
             weight_type_name(tensor->type));
    if (in_dim > MATMUL_IN_DIM_MAX || out_dim > INT32_MAX)
        FAIL(err, ERR_LIMIT, "tensor %s: %lld x %lld, at most %d x %d", matrix->name.text,
             (long long)in_dim, (long long)out_dim, MATMUL_IN_DIM_MAX, INT32_MAX);
    const size_t scratch = weight_row_scratch_bytes((int32_t)in_dim);
    if (scratch > device_scratch_bytes(device))
        FAIL(err, ERR_LIMIT, "tensor %s: needs %zu bytes of scratch, the device has %zu",
             matrix->name.text, scratch, device_scratch_bytes(device));
    struct measure measure = {.device = device,
                              .rows = {.name = matrix->name.text,
                                       .type = tensor->type,
                                       .out_dim = (int32_t)out_dim,
                                       .in_dim = (int32_t)in_dim,
                                       .blocks = tensor->data,
                                       .row_bytes = tensor->size / (size_t)out_dim}};
    measure.squares = calloc((size_t)out_dim, sizeof measure.squares[0]);
    if (!measure.squares)
        FAIL(err, ERR_MEMORY, "tensor %s: no room to measure %d rows", matrix->name.text,
             measure.rows.out_dim);
    device_parallel(device, measure.rows.out_dim, measure_row, &measure);
    add_rows(&measure, matrix);
    free(measure.squares);
    return OK;
}

static struct quant_report_matrix *find(const struct quant_report *report,
                                        const struct gguf_tensor *tensor)
{
    uint32_t begin = 0, end = report->count; /* both tables have the order of their names */
    while (begin < end) {
        const uint32_t middle = begin + (end - begin) / 2;
        if (report->matrices[middle].tensor == tensor)
            return &report->matrices[middle];
        if (report->matrices[middle].tensor < tensor)
            begin = middle + 1;
        else
            end = middle;
    }
    return NULL;
}

/* What ffn_gate or ffn_up has decided holds for both. */
static void keep_together(const struct quant_report *report, const struct gguf *gguf)
{
    const struct text suffix = TEXT("ffn_gate.weight");
    for (uint32_t i = 0; i < report->count; i++) {
        char name[GGUF_NAME_BYTES_MAX + 1];
        struct quant_report_matrix *gate = &report->matrices[i];
        struct text stem = gate->tensor->name;
        if (!text_ends(stem, suffix))
            continue;
        stem.size -= suffix.size;
        (void)snprintf(name, sizeof name, "%.*sffn_up.weight", TEXT_ARG(stem));
        struct quant_report_matrix *up = find(report, gguf_find_tensor(gguf, name));
        if (up)
            up->is_kept = gate->is_kept = up->is_kept || gate->is_kept;
    }
}

bool quant_report_is_matrix(const struct gguf *gguf, const struct gguf_tensor *tensor)
{
    if (tensor->dim_count != 2)
        return false;
    if (text_equal(tensor->name, TEXT("token_embd.weight")))
        return !gguf_find_tensor(gguf, "output.weight");
    return text_equal(tensor->name, TEXT("output.weight")) ||
           (text_starts(tensor->name, TEXT("blk.")) &&
            text_ends(tensor->name, TEXT(".weight")));
}

enum status quant_report_make(struct quant_report *report, const struct gguf *gguf,
                              struct device *device, struct error *err)
{
    *report = (struct quant_report){0};
    if (gguf_find(gguf, INT8_FILE_KEY))
        return OK;
    report->matrices = calloc((size_t)gguf->tensor_count + 1, sizeof report->matrices[0]);
    if (!report->matrices)
        FAIL(err, ERR_MEMORY, "report: no room for %u matrices", gguf->tensor_count);
    enum status status = OK;
    for (uint32_t i = 0; i < gguf->tensor_count && status == OK; i++) {
        struct quant_report_matrix *matrix = &report->matrices[report->count];
        const struct gguf_tensor *tensor = &gguf->tensors[i];
        if (!quant_report_is_matrix(gguf, tensor) || tensor->type == WEIGHT_I8)
            continue;
        matrix->tensor = tensor;
        matrix->name = gguf_label(tensor->name);
        report->count++;
        status = measure_matrix(matrix, device, err);
    }
    if (status == OK)
        keep_together(report, gguf);
    else
        quant_report_deinit(report);
    return status;
}

void quant_report_deinit(struct quant_report *report)
{
    free(report->matrices);
    *report = (struct quant_report){0};
}

const struct quant_report_matrix *quant_report_find(const struct quant_report *report,
                                                    const struct gguf_tensor *tensor)
{
    return find(report, tensor);
}
