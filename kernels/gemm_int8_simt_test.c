/* gemm_int8_simt_test - int8 products of the GPU kernels, bit for bit those of the twin and of
 * the threads, in every tile and, through matmul, on awkward shapes; no bank conflict. */
#include "kernels/device_emu.h"
#include "kernels/gemm_int8.h"
#include "kernels/matmul.h"
#include "kernels/weight_simt.h"
#include "tests/harness/simt_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { EXTRA_BIAS = 1, EXTRA_ACCUMULATE = 2, EXTRA_SILU = 4, EXTRA_GELU = 8, BY_ROWS = -1 };

/* The bodies of simt_case_each take no arguments: what they run is here. */
struct shape {
    int32_t rows, in_dim, out_dim;
    int extras; /* EXTRA_ bits */
    int tile;   /* enum gemm_int8_shape, or BY_ROWS: as matmul chooses */
};
static struct shape shape;

struct problem {
    float *values[2]; /* of the weight and of the gate */
    struct weight on_host[2], on_device[2];
    struct activation x_host, x_device;
    float *bias, *start;
    size_t outs;
};

static float *noise_new(struct simt_case *c, size_t count)
{
    float *values = malloc(count * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++)
        values[i] = simt_case_normal(c);
    return values;
}

/* Rows of x, further apart than they need be, and garbage between them. */
static void x_init(struct simt_case *c, struct problem *p)
{
    const int32_t depth = (shape.in_dim + 63) / 64 * 64, stride = depth + 64;
    const size_t rows = (size_t)shape.rows, bytes = rows * (size_t)stride;
    p->x_host =
        (struct activation){.forms = ACTIVATION_INT8, .cols = shape.in_dim, .stride = stride};
    p->x_host.q8 = malloc(bytes);
    p->x_host.scales = malloc(rows * sizeof(float));
    assert_true(p->x_host.q8 != NULL && p->x_host.scales != NULL);
    memset(p->x_host.q8, 77, bytes);
    for (int32_t r = 0; r < shape.rows; r++) {
        int8_t *row = p->x_host.q8 + (size_t)r * (size_t)stride;
        for (int32_t i = 0; i < depth; i++)
            row[i] = i < shape.in_dim ? (int8_t)((int32_t)simt_case_below(c, 255) - 127) : 0;
        p->x_host.scales[r] = 0.001f + 0.001f * simt_case_float(c);
    }
    p->x_device = p->x_host;
    p->x_device.q8 = simt_case_up(c, p->x_host.q8, bytes);
    p->x_device.scales = simt_case_up(c, p->x_host.scales, rows * sizeof(float));
}

static void problem_init(struct simt_case *c, struct problem *p)
{
    const size_t elems = (size_t)shape.in_dim * (size_t)shape.out_dim;
    *p = (struct problem){.outs = (size_t)shape.rows * (size_t)shape.out_dim};
    x_init(c, p);
    for (int i = 0; i < 2; i++) {
        p->values[i] = noise_new(c, elems);
        const struct weight_source source = {"test", WEIGHT_F32, shape.out_dim, shape.in_dim,
                                             p->values[i]};
        assert_int_equal(weight_prepare(c->host, &source, WEIGHT_INT8, &p->on_host[i], NULL),
                         OK);
        assert_int_equal(
            weight_prepare(c->device, &source, WEIGHT_INT8, &p->on_device[i], NULL), OK);
    }
    p->bias = noise_new(c, (size_t)shape.out_dim);
    p->start = noise_new(c, p->outs);
}

static void problem_deinit(struct simt_case *c, struct problem *p)
{
    for (int i = 0; i < 2; i++) {
        free(p->values[i]);
        weight_release(c->host, &p->on_host[i]);
        weight_release(c->device, &p->on_device[i]);
    }
    free(p->x_host.q8);
    free(p->x_host.scales);
    free(p->bias);
    free(p->start);
}

static struct matmul_args args_make(const struct activation *x, const struct weight *weights)
{
    struct matmul_args args = {.x = x, .w = &weights[0], .rows = shape.rows};
    args.accumulate = (shape.extras & EXTRA_ACCUMULATE) != 0;
    if ((shape.extras & (EXTRA_SILU | EXTRA_GELU)) != 0)
        args.gate = &weights[1];
    args.gate_kind = (shape.extras & EXTRA_GELU) != 0 ? SILU_MUL_GELU : SILU_MUL_SILU;
    return args;
}

static float *host_result(struct simt_case *c, const struct problem *p)
{
    struct matmul_args args = args_make(&p->x_host, p->on_host);
    float *y = malloc(p->outs * sizeof *y);
    assert_non_null(y);
    memcpy(y, p->start, p->outs * sizeof *y);
    args.y = y;
    args.bias = (shape.extras & EXTRA_BIAS) != 0 ? p->bias : NULL;
    /* The twin's gate is in double precision: its bits are those of the threads. */
    const enum status status =
        args.gate ? matmul_cpu(c->host, &args) : matmul_ref(c->host, &args);
    assert_int_equal(status, OK);
    return y;
}

static float *device_result(struct simt_case *c, const struct problem *p)
{
    struct matmul_args args = args_make(&p->x_device, p->on_device);
    const size_t bytes = p->outs * sizeof(float);
    args.y = simt_case_up(c, p->start, bytes);
    if ((shape.extras & EXTRA_BIAS) != 0)
        args.bias = simt_case_up(c, p->bias, (size_t)shape.out_dim * sizeof(float));
    enum status status;
    if (shape.tile == BY_ROWS)
        status = SIMT_CASE_OP(c, matmul)(c->device, &args);
    else
        status = SIMT_CASE_OP(c, gemm_int8)(c->device, &args, (enum gemm_int8_shape)shape.tile);
    if (status != OK)
        fail_msg("status %d: %s", (int)status, device_emu_report());
    float *y = malloc(bytes);
    assert_non_null(y);
    simt_case_down(c, y, args.y, bytes);
    return y;
}

/* Runs the shape on the host and on the device; the device's bits are the host's. */
static void run_shape(struct simt_case *c)
{
    struct problem p;
    problem_init(c, &p);
    float *expected = host_result(c, &p), *y = device_result(c, &p);
    for (size_t i = 0; i < p.outs; i++) {
        if (memcmp(y + i, expected + i, sizeof *y) != 0)
            fail_msg("%dx%dx%d, extras %d, tile %d: y[%zu] differs: %a, should be %a; %s",
                     shape.rows, shape.in_dim, shape.out_dim, shape.extras, shape.tile, i,
                     (double)y[i], (double)expected[i], device_emu_report());
    }
    free(expected);
    free(y);
    problem_deinit(c, &p);
}

/* Around each tile's edges, with every kind of ending, under every schedule. */
static void every_tile_equals_the_twin(void **state)
{
    static const struct shape edges[GEMM_INT8_SHAPES][2] = {
        {{1, 64, 33, EXTRA_BIAS, 0}, {17, 1536, 70, EXTRA_SILU, 0}},
        {{15, 576, 31, EXTRA_ACCUMULATE, 0}, {33, 320, 34, EXTRA_GELU, 0}},
        {{64, 288, 33, EXTRA_BIAS | EXTRA_ACCUMULATE, 0}, {65, 192, 18, EXTRA_SILU, 0}},
        {{33, 172, 66, EXTRA_BIAS, 0}, {65, 256, 35, EXTRA_GELU, 0}},
        {{130, 128, 65, EXTRA_ACCUMULATE, 0}, {65, 320, 33, EXTRA_SILU, 0}},
        {{130, 64, 130, EXTRA_BIAS, 0}, {17, 320, 66, EXTRA_GELU, 0}},
        {{129, 100, 257, EXTRA_BIAS | EXTRA_ACCUMULATE, 0}, {16, 384, 130, EXTRA_SILU, 0}},
    };
    for (int tile = 0; tile < GEMM_INT8_SHAPES; tile++) {
        for (int i = 0; i < 2; i++) {
            shape = edges[tile][i];
            shape.tile = tile;
            simt_case_each(*state, run_shape);
        }
    }
}

/* As a model meets them: the shapes choose the tile. In lock-step alone. */
static void awkward_shapes_equal_the_twin(void **state)
{
    static const int32_t rows[] = {1, 2, 5, 15, 16, 17, 33, 64, 65, 130};
    static const int32_t in_dims[] = {64, 576, 1536};
    static const int32_t out_dims[] = {1, 48, 97};
    static const int extras[] = {0, EXTRA_BIAS, EXTRA_ACCUMULATE, EXTRA_SILU, EXTRA_GELU};
    int count = 0;
    for (size_t r = 0; r < COUNT(rows); r++) {
        for (size_t i = 0; i < COUNT(in_dims); i++, count++) {
            shape = (struct shape){rows[r], in_dims[i], out_dims[(r + i) % COUNT(out_dims)],
                                   extras[count % (int)COUNT(extras)], BY_ROWS};
            simt_case_once(*state, run_shape);
        }
    }
    shape = (struct shape){3, 4096, 40, EXTRA_BIAS, BY_ROWS};
    simt_case_once(*state, run_shape);
}

/* Sums as large as they get, of both signs, do not wrap; zero scales give zeros. */
static void run_extremes(struct simt_case *c)
{
    enum { ROWS = 2, IN_DIM = 512, OUT_DIM = 3 };
    static int8_t rows[OUT_DIM * IN_DIM], x[ROWS * IN_DIM];
    static const float scales[OUT_DIM] = {0.5f, 0.25f, 0.0f};
    memset(rows, 127, sizeof rows);
    memset(rows + IN_DIM, -127, IN_DIM);
    memset(x, 127, IN_DIM);
    memset(x + IN_DIM, -127, IN_DIM);
    const struct weight_int8_source source = {"test", WEIGHT_F32, OUT_DIM,
                                              IN_DIM, rows,       scales};
    struct weight on_device;
    assert_int_equal(weight_prepare_int8(c->device, &source, &on_device, NULL), OK);
    const float x_scales[ROWS] = {2.0f, 1.0f};
    struct activation activation = {.forms = ACTIVATION_INT8, .cols = IN_DIM, .stride = IN_DIM};
    activation.q8 = simt_case_up(c, x, sizeof x);
    activation.scales = simt_case_up(c, x_scales, sizeof x_scales);
    float y[ROWS * OUT_DIM];
    const struct matmul_args args = {
        .x = &activation, .w = &on_device, .y = simt_case_up(c, NULL, sizeof y), .rows = ROWS};
    assert_int_equal(SIMT_CASE_OP(c, matmul)(c->device, &args), OK);
    simt_case_down(c, y, args.y, sizeof y);
    const float most = (float)(127 * 127 * IN_DIM);
    const float expected[ROWS * OUT_DIM] = {most,         -most * 0.5f, 0.0f,
                                            -most * 0.5f, most * 0.25f, -0.0f};
    assert_memory_equal(y, expected, sizeof y);
    weight_release(c->device, &on_device);
}

static void extremes_do_not_wrap(void **state)
{
    simt_case_once(*state, run_extremes);
}

/* A matrix of several runs of panels lies as weight_simt.h says, with zeros for padding. */
static void weights_lie_in_their_order(void **state)
{
    enum { OUT_DIM = 70, IN_DIM = 65500, PANELS = 3, SLICES = 1024 };
    struct simt_case *c = *state;
    const size_t bytes = (size_t)PANELS * SLICES * WEIGHT_SIMT_SLICE_BYTES;
    int8_t *rows = malloc((size_t)OUT_DIM * IN_DIM), *packed = malloc(bytes);
    assert_true(rows != NULL && packed != NULL);
    for (size_t i = 0; i < (size_t)OUT_DIM * IN_DIM; i++)
        rows[i] = (int8_t)(i % 251 % 127 + 1);
    float scales[OUT_DIM], uploaded[PANELS * WEIGHT_SIMT_PANEL];
    for (int o = 0; o < OUT_DIM; o++)
        scales[o] = (float)o;
    const struct weight_int8_source source = {"test", WEIGHT_F32, OUT_DIM,
                                              IN_DIM, rows,       scales};
    struct weight weight;
    assert_int_equal(weight_prepare_int8(c->device, &source, &weight, NULL), OK);
    assert_int_equal(weight.data_bytes, bytes);
    assert_int_equal(device_download(c->device, packed, weight.data, bytes), OK);
    assert_int_equal(device_download(c->device, uploaded, weight.scales, sizeof uploaded), OK);
    for (size_t i = 0; i < bytes; i++) {
        const size_t slice = i / WEIGHT_SIMT_SLICE_BYTES;
        const size_t out =
            slice / SLICES * WEIGHT_SIMT_PANEL + i / WEIGHT_SIMT_SLICE % WEIGHT_SIMT_PANEL;
        const size_t in = slice % SLICES * WEIGHT_SIMT_SLICE + i % WEIGHT_SIMT_SLICE;
        const int8_t want = out < OUT_DIM && in < IN_DIM ? rows[out * IN_DIM + in] : 0;
        if (packed[i] != want)
            fail_msg("byte %zu is %d, should be %d", i, packed[i], want);
    }
    for (int o = 0; o < PANELS * WEIGHT_SIMT_PANEL; o++)
        assert_true(uploaded[o] == (o < OUT_DIM ? (float)o : 0.0f));
    weight_release(c->device, &weight);
    free(rows);
    free(packed);
}

/* The inner loops: every request of shared memory is as wide as the banks allow. */
static void no_bank_conflicts(void **state)
{
    struct simt_case *c = *state;
    if (!simt_case_counts(c))
        skip();
    for (int tile = 0; tile < GEMM_INT8_SHAPES; tile++) {
        shape = (struct shape){130, 320, 66, tile % 2 == 0 ? EXTRA_SILU : EXTRA_BIAS, tile};
        simt_case_once(c, run_shape);
        struct device_emu_counters counters;
        assert_true(device_emu_count("gemm_int8_kernel", &counters));
        assert_true(counters.shared_requests > 0 && counters.mma_s8 > 0);
        if (counters.shared_conflicts != 0)
            fail_msg("tile %s: %llu bank conflicts", gemm_int8_name((enum gemm_int8_shape)tile),
                     (unsigned long long)counters.shared_conflicts);
        print_message("%-8s %6llu shared requests, %6llu wavefronts, %6llu global requests, "
                      "%6llu sectors, %5llu barriers, %5llu mma\n",
                      gemm_int8_name((enum gemm_int8_shape)tile),
                      (unsigned long long)counters.shared_requests,
                      (unsigned long long)counters.shared_wavefronts,
                      (unsigned long long)counters.global_requests,
                      (unsigned long long)counters.global_sectors,
                      (unsigned long long)counters.barriers,
                      (unsigned long long)counters.mma_s8);
    }
}

static void small_batches_get_small_tiles(void **state)
{
    (void)state;
    assert_int_equal(gemm_int8_choose(1, 4096, 128), GEMM_INT8_16X32);
    assert_int_equal(gemm_int8_choose(16, 4096, 128), GEMM_INT8_16X32);
    assert_int_equal(gemm_int8_choose(17, 4096, 128), GEMM_INT8_32X32);
    assert_int_equal(gemm_int8_choose(64, 4096, 128), GEMM_INT8_64X32);
    assert_int_equal(gemm_int8_choose(64, 28672, 128), GEMM_INT8_64X64);
    assert_int_equal(gemm_int8_choose(128, 4096, 128), GEMM_INT8_64X64);
    assert_int_equal(gemm_int8_choose(256, 4096, 128), GEMM_INT8_128X64);
    assert_int_equal(gemm_int8_choose(512, 4096, 128), GEMM_INT8_128X128);
    assert_int_equal(gemm_int8_choose(2048, 4096, 128), GEMM_INT8_128X256);
    assert_int_equal(gemm_int8_choose(8192, 128256, 132), GEMM_INT8_128X256);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tile_equals_the_twin),
        cmocka_unit_test(awkward_shapes_equal_the_twin),
        cmocka_unit_test(extremes_do_not_wrap),
        cmocka_unit_test(weights_lie_in_their_order),
        cmocka_unit_test(no_bank_conflicts),
        cmocka_unit_test(small_batches_get_small_tiles),
    };
    return simt_case_main(argc, argv, tests, COUNT(tests));
}
