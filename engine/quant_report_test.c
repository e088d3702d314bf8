/*
 * Tests of quant_report: the measured errors against sums made here, the rule on a matrix with
 * an outlier, and that such a matrix is loaded as it is, its partner with it.
 */
#include "engine/quant_report.h"

#include "engine/model.h"
#include "kernels/activation.h"
#include "tests/harness/tiny_model.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    struct text_buf file;
    struct gguf gguf;
    struct device *device;
};

static void fixture_open(struct fixture *f, uint32_t hidden)
{
    const struct device_options options = {
        .kind = DEVICE_CPU, .threads = 2, .simd_max = DEVICE_SIMD_WIDEST};
    struct error err;
    *f = (struct fixture){0};
    tiny_model_write(&f->file, &(struct tiny_model_options){.seed = 5, .hidden = hidden});
    if (gguf_init(&f->gguf, (const uint8_t *)f->file.data, f->file.size, &err) != OK ||
        device_open(&f->device, &options, &err) != OK)
        fail_msg("%s", err.text);
}

static void fixture_close(struct fixture *f)
{
    device_close(f->device);
    gguf_deinit(&f->gguf);
    text_buf_deinit(&f->file);
}

static float *values_of(struct fixture *f, const char *name, const struct gguf_tensor **tensor)
{
    *tensor = gguf_find_tensor(&f->gguf, name);
    assert_non_null(*tensor);
    return (float *)(void *)(f->file.data + ((*tensor)->data - (uint8_t *)f->file.data));
}

static void make(struct fixture *f, struct quant_report *report)
{
    struct error err;
    if (quant_report_make(report, &f->gguf, f->device, &err) != OK)
        fail_msg("%s", err.text);
}

/* ||W - W'|| / ||W|| with W' rotated back: no short cut. The rotation is its own inverse. */
static double error_of(const float *values, int32_t rows, int32_t cols)
{
    float *row = malloc((size_t)cols * sizeof *row);
    int8_t *q = calloc((size_t)cols + 64, 1);
    float scale;
    double lost = 0, all = 0;
    assert_true(row && q && cols % 64 == 0);
    const struct activation one = {.cols = cols, .q8 = q, .scales = &scale, .stride = cols};
    for (int32_t r = 0; r < rows; r++) {
        memcpy(row, values + (int64_t)r * cols, (size_t)cols * sizeof *row);
        activation_quantize(&one, 0, row);
        for (int32_t i = 0; i < cols; i++)
            row[i] = (float)q[i] * scale;
        activation_rotate(row, cols);
        for (int32_t i = 0; i < cols; i++) {
            const double value = (double)values[(int64_t)r * cols + i];
            lost += (value - (double)row[i]) * (value - (double)row[i]);
            all += value * value;
        }
    }
    free(q);
    free(row);
    return sqrt(lost / all);
}

static void errors_are_those_of_the_definition(void **state)
{
    (void)state;
    struct fixture f;
    struct quant_report report;
    const struct gguf_tensor *tensor;
    fixture_open(&f, 64);
    make(&f, &report);
    assert_int_equal(report.count, 2 * 7 + 1); /* two layers and the tied head */
    const char *const names[] = {"blk.0.attn_q.weight", "blk.1.ffn_up.weight",
                                 "token_embd.weight"};
    for (size_t i = 0; i < 3; i++) {
        const float *values = values_of(&f, names[i], &tensor);
        const struct quant_report_matrix *matrix = quant_report_find(&report, tensor);
        const double error =
            error_of(values, (int32_t)tensor->dims[1], (int32_t)tensor->dims[0]);
        assert_non_null(matrix);
        assert_true(fabs(matrix->error - error) < 1e-4 * error);
        assert_true(matrix->row_error >= matrix->error && matrix->row_error < 0.02);
        assert_false(matrix->is_kept);
    }
    (void)values_of(&f, "output_norm.weight", &tensor);
    assert_null(quant_report_find(&report, tensor));
    quant_report_deinit(&report);
    fixture_close(&f);
}

static const struct quant_report_matrix *find(const struct fixture *f,
                                              const struct quant_report *report,
                                              const char *name)
{
    const struct quant_report_matrix *matrix =
        quant_report_find(report, gguf_find_tensor(&f->gguf, name));
    assert_non_null(matrix);
    return matrix;
}

/* A row with `same` equal numbers, which the rotation makes one number of sqrt(same) times
 * that: beside it the others, between -noise and noise, have steps too coarse for them. */
static void spoil_row(float *row, int32_t cols, int32_t same, float noise)
{
    for (int32_t i = 0; i < cols; i++) {
        const uint32_t hash = (uint32_t)i * 2654435761u;
        row[i] = noise * ((float)(hash >> 8) * 0x1p-23F - 1.0F) + (i < same ? 1.0F : 0.0F);
    }
}

static void one_bad_row_is_named_and_does_not_decide(void **state)
{
    (void)state;
    struct fixture f;
    struct quant_report report;
    const struct gguf_tensor *tensor;
    fixture_open(&f, 64);
    float *values = values_of(&f, "blk.0.ffn_down.weight", &tensor);
    float *row = values + 7 * tensor->dims[0];
    assert_int_equal(tensor->dims[0], 96);
    spoil_row(row, 96, 32, 0.06F);
    for (int i = 0; i < 96; i++)
        row[i] *= 0.01F; /* small beside the others */
    make(&f, &report);
    const struct quant_report_matrix *matrix = find(&f, &report, "blk.0.ffn_down.weight");
    assert_int_equal(matrix->row, 7);
    assert_true(matrix->row_error > QUANT_REPORT_ERROR_MAX);
    assert_true(matrix->error < 0.01);
    assert_false(matrix->is_kept);
    quant_report_deinit(&report);
    fixture_close(&f);
}

static void numbers_that_are_not_finite_are_kept(void **state)
{
    (void)state;
    struct fixture f;
    struct quant_report report;
    const struct gguf_tensor *tensor;
    fixture_open(&f, 64);
    float *values = values_of(&f, "blk.1.attn_k.weight", &tensor);
    values[5 * tensor->dims[0] + 3] = INFINITY;
    make(&f, &report);
    const struct quant_report_matrix *matrix = find(&f, &report, "blk.1.attn_k.weight");
    assert_true(isnan(matrix->error) && isnan(matrix->row_error));
    assert_int_equal(matrix->row, 5);
    assert_true(matrix->is_kept);
    quant_report_deinit(&report);
    fixture_close(&f);
}

static void what_loses_too_much_is_loaded_as_it_is(void **state)
{
    (void)state;
    struct fixture f;
    struct quant_report report;
    const struct gguf_tensor *tensor;
    struct model *model;
    struct error err;
    char path[32];
    fixture_open(&f, 256);
    float *values = values_of(&f, "blk.0.ffn_up.weight", &tensor);
    for (int64_t r = 0; r < tensor->dims[1]; r++)
        spoil_row(values + r * tensor->dims[0], (int32_t)tensor->dims[0], 64, 0.06F);
    make(&f, &report);
    const double error = find(&f, &report, "blk.0.ffn_up.weight")->error;
    assert_true(error > QUANT_REPORT_ERROR_MAX && error < 0.05);
    assert_true(find(&f, &report, "blk.0.ffn_up.weight")->is_kept);
    assert_true(find(&f, &report, "blk.0.ffn_gate.weight")->is_kept); /* one product */
    assert_false(find(&f, &report, "blk.1.ffn_gate.weight")->is_kept);
    assert_false(find(&f, &report, "blk.0.ffn_down.weight")->is_kept);
    quant_report_deinit(&report);

    const int fd = tiny_model_file(text_buf_text(&f.file), path, sizeof path);
    assert_true(fd >= 0);
    if (model_open(&model, path, MODEL_INT8, f.device, &err) != OK)
        fail_msg("%s", err.text);
    assert_int_equal(model->layers[0].up.form, WEIGHT_STORED);
    assert_int_equal(model->layers[0].gate.form, WEIGHT_STORED);
    assert_int_equal(model->layers[0].down.form, WEIGHT_INT8);
    assert_int_equal(model->layers[1].up.form, WEIGHT_INT8);
    assert_int_equal(model->head.form, WEIGHT_INT8);
    model_close(model, f.device);
    (void)close(fd);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_are_those_of_the_definition),
        cmocka_unit_test(one_bad_row_is_named_and_does_not_decide),
        cmocka_unit_test(numbers_that_are_not_finite_are_kept),
        cmocka_unit_test(what_loses_too_much_is_loaded_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
