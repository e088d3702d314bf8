/* model_synthetic_test - the same weights each time, in every tensor that the loader wants. */
#include "engine/model_synthetic.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void shapes_agree_with_themselves(void **state)
{
    (void)state;
    size_t count = 0;
    for (const struct model_synthetic_shape *shape; (shape = model_synthetic_at(count));
         count++) {
        const struct model_config *c = &shape->config;
        assert_ptr_equal(model_synthetic_find(text_of(c->name)), shape);
        assert_int_equal(c->hidden % 32, 0); /* Q8_0 blocks */
        assert_int_equal(c->ffn % 32, 0);
        assert_int_equal(c->heads % c->kv_heads, 0);
        assert_int_equal(c->rope_dim, c->head_dim);
        assert_true(fabs((double)c->attention_scale - 1.0 / sqrt(c->head_dim)) < 1e-6);
    }
    assert_true(count >= 4);
    assert_null(model_synthetic_find(TEXT("llama-3.1-8")));
}

static void tensors_lie_in_the_pool(void **state)
{
    (void)state;
    const struct model_synthetic_shape *shape = model_synthetic_find(TEXT("tiny"));
    struct model_synthetic one, two;
    assert_int_equal(model_synthetic_make(&one, shape, NULL), OK);
    assert_int_equal(model_synthetic_make(&two, shape, NULL), OK);
    assert_int_equal(one.gguf.tensor_count, 2 + 9 * shape->config.layers);
    for (uint32_t i = 0; i < one.gguf.tensor_count; i++) {
        const struct gguf_tensor *tensor = &one.gguf.tensors[i];
        assert_ptr_equal(gguf_find_tensor(&one.gguf, tensor->name.data), tensor);
        assert_memory_equal(tensor->data, two.gguf.tensors[i].data, tensor->size);
        if (tensor->dim_count == 2)
            assert_true((size_t)(tensor->data - one.pool) + tensor->size <= one.pool_bytes);
    }
    model_synthetic_deinit(&one);
    model_synthetic_deinit(&two);
    model_synthetic_deinit(&two);
}

static void weights_have_the_deviation_said(void **state)
{
    (void)state;
    const struct model_synthetic_shape *shape = model_synthetic_find(TEXT("tiny"));
    struct model_synthetic made;
    assert_int_equal(model_synthetic_make(&made, shape, NULL), OK);
    const struct gguf_tensor *up = gguf_find_tensor(&made.gguf, "blk.1.ffn_up.weight");
    assert_non_null(up);
    const int64_t count = up->dims[0] * up->dims[1];
    float *values = malloc((size_t)count * sizeof *values);
    double sum = 0;
    assert_non_null(values);
    weight_dequantize(up->type, up->data, values, count);
    for (int64_t i = 0; i < count; i++)
        sum += (double)values[i] * (double)values[i];
    const double wanted = 1.0 / shape->config.hidden;
    assert_true(fabs(sum / (double)count - wanted) < 0.03 * wanted);
    free(values);
    model_synthetic_deinit(&made);
}

static void a_model_opens_by_name(void **state)
{
    (void)state;
    const struct device_options options = {.threads = 1};
    struct device *device;
    struct model *model;
    struct error err;
    assert_int_equal(device_open(&device, &options, &err), OK);
    assert_int_equal(model_open(&model, "synthetic:tiny", MODEL_INT8, device, &err), OK);
    assert_string_equal(model->config.name, "tiny");
    assert_null(model->tokenizer);
    assert_int_equal(model->head.form, WEIGHT_INT8);
    assert_int_equal(model->layers[1].down.in_dim, model->config.ffn);
    model_close(model, device);
    assert_int_equal(model_open(&model, "synthetic:huge", MODEL_INT8, device, &err), ERR_LIMIT);
    assert_non_null(strstr(err.text, "huge"));
    device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shapes_agree_with_themselves),
        cmocka_unit_test(tensors_lie_in_the_pool),
        cmocka_unit_test(weights_have_the_deviation_said),
        cmocka_unit_test(a_model_opens_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
