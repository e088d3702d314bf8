/* attention_cpu_test - attention against its plain twin over awkward shapes, and the bits of a
 * row alone, in company, under any cut of the work, with one thread and with two. */
#include "kernels/attention.h"
#include "tests/harness/attention_list.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
    SEQS = 4,       /* sequences of a scene */
    PAGES_MAX = 40, /* of one sequence */
    ROWS_MAX = ATTENTION_LIST_ROWS_MAX
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct shape {
    enum kv_type type;
    int32_t heads, kv_heads, head_dim;
    int32_t window;
    float softcap;
};

/* Sequences over one cache: the first shared_pages pages of all are the same. */
struct scene {
    struct shape shape;
    struct kv_cache cache;
    int32_t pages[SEQS][PAGES_MAX];
};

typedef enum status attention_function(struct device *, const struct attention_args *);

static uint32_t hash(uint32_t x)
{
    x = (x ^ (x >> 16)) * 0x7feb352du;
    x = (x ^ (x >> 15)) * 0x846ca68bu;
    return x ^ (x >> 16);
}

static float noise(uint32_t a, uint32_t b)
{
    return (float)(hash(hash(a) + b) >> 8) * 0x1p-23f - 1.0f;
}

static struct device *device_new(uint32_t threads, enum device_simd simd)
{
    struct device *device;
    const struct device_options options = {.threads = threads, .simd_max = simd};
    assert_int_equal(device_open(&device, &options, NULL), OK);
    return device;
}

/* Fills every slot of every page; keys are large enough for a softmax that is not flat. */
static void cache_fill(const struct kv_cache *cache)
{
    float *row = malloc((size_t)cache->head_dim * sizeof *row);
    assert_non_null(row);
    uint32_t seed = 1;
    for (int32_t page = 0; page < cache->page_count; page++) {
        for (int32_t head = 0; head < cache->kv_heads; head++) {
            const struct kv_layout_block block = kv_layout_block(cache, page, 1, head);
            for (int32_t slot = 0; slot < KV_PAGE_TOKENS; slot++, seed++) {
                for (int32_t i = 0; i < cache->head_dim; i++)
                    row[i] = 3.0f * noise(seed, (uint32_t)i);
                kv_layout_put_key(cache, &block, slot, row);
                for (int32_t i = 0; i < cache->head_dim; i++)
                    row[i] = noise(seed, (uint32_t)(i + 1000));
                kv_layout_put_value(cache, &block, slot, row);
            }
        }
    }
    free(row);
}

static void scene_init(struct scene *scene, struct shape shape, int32_t shared_pages)
{
    *scene = (struct scene){.shape = shape,
                            .cache = {.type = shape.type,
                                      .layers = 2,
                                      .kv_heads = shape.kv_heads,
                                      .head_dim = shape.head_dim,
                                      .page_count = SEQS * PAGES_MAX}};
    const size_t bytes = kv_layout_page_bytes(&scene->cache) * (SEQS * PAGES_MAX);
    scene->cache.data = aligned_alloc(64, bytes);
    assert_non_null(scene->cache.data);
    memset(scene->cache.data, 0, bytes);
    cache_fill(&scene->cache);
    for (int32_t seq = 0; seq < SEQS; seq++) {
        for (int32_t p = 0; p < PAGES_MAX; p++) {
            const int32_t owner = p < shared_pages ? 0 : seq;
            scene->pages[seq][p] = (owner * PAGES_MAX + p) * 37 % (SEQS * PAGES_MAX);
        }
    }
}

static void scene_deinit(struct scene *scene)
{
    free(scene->cache.data);
}

static struct attention_list *list_new(const struct scene *scene,
                                       const struct attention_list_plan *plan)
{
    const struct attention_list_pages pages = {scene->pages[0], PAGES_MAX};
    struct attention_list *list = attention_list_new(plan, &pages, ATTENTION_SPLIT);
    assert_non_null(list);
    return list;
}

/* The plan's rows by one function: [row_count][heads * head_dim], and checks that the int8
 * form is what activation_quantize makes of the F32 form. */
static float *attend(struct device *device, attention_function *function,
                     const struct scene *scene, const struct attention_list_plan *plan)
{
    const struct shape *shape = &scene->shape;
    const size_t dim = (size_t)(shape->heads * shape->head_dim);
    const size_t rows = (size_t)plan->row_count, stride = (dim + 63) / 64 * 64;
    struct attention_list *list = list_new(scene, plan);
    int32_t positions[ROWS_MAX];
    float *q = malloc(rows * dim * sizeof *q), *row = malloc(dim * sizeof *row);
    float *partials = malloc((size_t)attention_partial_floats(list->work.partial_count,
                                                              shape->heads, shape->head_dim) *
                             sizeof *partials);
    struct activation y = {.forms = ACTIVATION_F32 | ACTIVATION_INT8,
                           .cols = (int32_t)dim,
                           .f32 = malloc(rows * dim * sizeof(float)),
                           .q8 = malloc(rows * stride),
                           .scales = malloc(rows * sizeof(float)),
                           .stride = (int32_t)stride};
    struct activation expected = {.cols = y.cols, .q8 = malloc(stride), .stride = y.stride};
    float scale = 0.0f;
    expected.scales = &scale;
    assert_true(q && row && partials && y.f32 && y.q8 && y.scales && expected.q8);
    for (size_t r = 0; r < rows; r++) {
        const struct attention_list_row *which = &plan->rows[r];
        positions[r] = which->position;
        for (size_t i = 0; i < dim; i++)
            q[r * dim + i] =
                noise((uint32_t)(which->seq * 10000 + which->position + 7), (uint32_t)i);
    }
    const struct attention_args args = {.q = q,
                                        .positions = positions,
                                        .work = &list->work,
                                        .cache = &scene->cache,
                                        .partials = partials,
                                        .y = &y,
                                        .rows = plan->row_count,
                                        .heads = shape->heads,
                                        .layer = 1,
                                        .scale = 1.0f / sqrtf((float)shape->head_dim),
                                        .softcap = shape->softcap,
                                        .window = shape->window};
    assert_int_equal(function(device, &args), OK);
    for (size_t r = 0; r < rows; r++) {
        memcpy(row, y.f32 + r * dim, dim * sizeof *row);
        activation_quantize(&expected, 0, row);
        assert_memory_equal(expected.q8, y.q8 + r * stride, stride);
        assert_memory_equal(&scale, y.scales + r, sizeof scale);
    }
    free(q);
    free(row);
    free(partials);
    free(y.q8);
    free(y.scales);
    free(expected.q8);
    free(list);
    return y.f32;
}

/* The last `count` positions before `end` of one sequence, and one row of each other. */
static struct attention_list_plan plan_make(int32_t count, int32_t end, int32_t item_rows)
{
    struct attention_list_plan plan = {.item_rows = item_rows};
    for (int32_t p = end - count; p < end; p++)
        plan.rows[plan.row_count++] = (struct attention_list_row){.seq = 0, .position = p};
    for (int32_t seq = 1; seq < SEQS; seq++)
        plan.rows[plan.row_count++] =
            (struct attention_list_row){.seq = seq, .position = end - 11 * seq};
    return plan;
}

/* How far a result may be off: at most, and as the root of the mean square.
 *
 * Values are below 1 and so is their mean; weights err as their scores do, by some roundings of
 * a sum of head_dim products. Over a cache of int8 both sides round queries and weights to
 * bytes: a weight between two of them may go up here and down there, a step of 1/255 of the
 * greatest, once in some thousand rows. */
struct bounds {
    double worst, root_mean_square;
};

static const struct bounds bounds_of_floats = {4e-6, 4e-6}, bounds_of_int8 = {4e-3, 2e-5};

static void twin_check(struct device *device, struct shape shape, int32_t rows, int32_t end)
{
    struct scene scene;
    scene_init(&scene, shape, 16);
    const struct attention_list_plan plan = plan_make(rows, end, ROWS_MAX);
    float *expected = attend(device, attention_ref, &scene, &plan);
    float *y = attend(device, attention_cpu, &scene, &plan);
    const size_t count = (size_t)(plan.row_count * shape.heads * shape.head_dim);
    const struct bounds *bounds = shape.type == KV_INT8 ? &bounds_of_int8 : &bounds_of_floats;
    double worst = 0.0, squares = 0.0;
    for (size_t i = 0; i < count; i++) {
        const double off = fabs((double)y[i] - (double)expected[i]);
        worst = off <= worst ? worst : off;
        squares += off * off;
    }
    const double root_mean_square = sqrt(squares / (double)count);
    if (!(worst <= bounds->worst && root_mean_square <= bounds->root_mean_square))
        fail_msg("%s, heads %d/%d x %d, window %d, %d rows before %d, %s: off by %g, root mean "
                 "square %g",
                 kv_layout_type_name(shape.type), shape.heads, shape.kv_heads, shape.head_dim,
                 shape.window, rows, end, device_simd_name(device_simd(device)), worst,
                 root_mean_square);
    free(y);
    free(expected);
    scene_deinit(&scene);
}

static void attention_follows_the_twin(void **state)
{
    (void)state;
    const int32_t groups[][2] = {{2, 2}, {2, 1}, {9, 3}, {4, 1}, {7, 1}, {16, 2}};
    const int32_t head_dims[] = {64, 96, 128, 8, 20};
    const int32_t row_counts[] = {1, 15, 16, 17, 33};
    const int32_t ends[] = {34, 47, 128, 129, 333};
    const int32_t windows[] = {0, 0, 0, 1, 100, 130, 0};
    const enum device_simd levels[] = {DEVICE_SIMD_SCALAR, DEVICE_SIMD_AVX512_VNNI};
    for (size_t level = 0; level < COUNT(levels); level++) {
        struct device *device = device_new(2, levels[level]);
        for (size_t i = 0; i < COUNT(groups) * COUNT(head_dims); i++) {
            const size_t g = i % COUNT(groups), d = i % COUNT(head_dims);
            const struct shape shape = {.type = (enum kv_type)(i % 3),
                                        .heads = groups[g][0],
                                        .kv_heads = groups[g][1],
                                        .head_dim = head_dims[d],
                                        .window = windows[i % COUNT(windows)],
                                        .softcap = i % 5 == 1 ? 1.5f : 0.0f};
            twin_check(device, shape, row_counts[(i + i / 5) % COUNT(row_counts)],
                       ends[(i + i / 7) % COUNT(ends)]);
        }
        /* The last row alone sees the last page, which no other sequence shares. */
        twin_check(device, (struct shape){KV_INT8, 9, 3, 64, 0, 0.0f}, 33, 273);
        device_close(device);
    }
}

/* Asserts that each row of `part`, computed by itself, has the bits it has in `all`. */
static void part_check(const struct scene *scene, const struct attention_list_plan *all,
                       const float *expected, const struct attention_list_plan *part,
                       uint32_t threads)
{
    const size_t dim = (size_t)(scene->shape.heads * scene->shape.head_dim);
    struct device *device = device_new(threads, DEVICE_SIMD_AVX512_VNNI);
    float *y = attend(device, attention_cpu, scene, part);
    for (int32_t r = 0; r < part->row_count; r++) {
        int32_t at = 0;
        while (all->rows[at].seq != part->rows[r].seq ||
               all->rows[at].position != part->rows[r].position)
            at++;
        if (memcmp(y + (size_t)r * dim, expected + (size_t)at * dim, dim * sizeof *y) != 0)
            fail_msg("%s, heads %d/%d x %d, %u threads, items of %d rows, %d rows in all: "
                     "sequence %d differs at position %d",
                     kv_layout_type_name(scene->shape.type), scene->shape.heads,
                     scene->shape.kv_heads, scene->shape.head_dim, threads, part->item_rows,
                     part->row_count, part->rows[r].seq, part->rows[r].position);
    }
    free(y);
    device_close(device);
}

static void company_check(struct shape shape)
{
    struct scene scene;
    scene_init(&scene, shape, 16);
    const struct attention_list_plan all = plan_make(340, 341, ROWS_MAX);
    struct device *device = device_new(2, DEVICE_SIMD_AVX512_VNNI);
    float *expected = attend(device, attention_cpu, &scene, &all);
    device_close(device);
    for (uint32_t threads = 1; threads <= 2; threads++) {
        struct attention_list_plan part = all;
        const int32_t item_rows[] = {1, 2, 5, 16, 100};
        for (size_t i = 0; i < COUNT(item_rows); i++) {
            part.item_rows = item_rows[i];
            part_check(&scene, &all, expected, &part, threads);
        }
        /* Prefill by chunks of odd lengths, then the other sequences' rows alone. */
        for (int32_t first = 0, length = 1; first < all.row_count; first += length++) {
            part.item_rows = ROWS_MAX;
            part.row_count = all.row_count - first < length ? all.row_count - first : length;
            memcpy(part.rows, all.rows + first, (size_t)part.row_count * sizeof *part.rows);
            part_check(&scene, &all, expected, &part, threads);
        }
        for (int32_t r = 0; r < all.row_count; r++) /* any order of rows */
            part.rows[r] = all.rows[r * 7 % all.row_count];
        part.row_count = all.row_count;
        part_check(&scene, &all, expected, &part, threads);
    }
    free(expected);
    scene_deinit(&scene);
}

static void a_row_is_the_same_alone_and_in_company(void **state)
{
    (void)state;
    const struct shape shapes[] = {{KV_F32, 9, 3, 64, 0, 0.0f},
                                   {KV_F16, 7, 1, 8, 0, 0.0f},
                                   {KV_INT8, 9, 3, 64, 90, 20.0f},
                                   {KV_INT8, 2, 2, 20, 0, 0.0f}};
    for (size_t i = 0; i < COUNT(shapes); i++)
        company_check(shapes[i]);
}

/* NaN into the slots behind each sequence's last token, as a job that failed leaves them. */
static void spoil(const struct scene *scene, const struct attention_list_plan *plan)
{
    const struct kv_cache *cache = &scene->cache;
    float nan[64];
    for (int i = 0; i < 64; i++)
        nan[i] = NAN;
    for (int32_t seq = 0; seq < SEQS; seq++) {
        int32_t last = 0;
        for (int32_t r = 0; r < plan->row_count; r++)
            last = plan->rows[r].seq == seq && plan->rows[r].position > last
                       ? plan->rows[r].position
                       : last;
        for (int32_t at = last + 1; at < PAGES_MAX * KV_PAGE_TOKENS; at++) {
            for (int32_t head = 0; head < cache->kv_heads; head++) {
                const struct kv_layout_block block =
                    kv_layout_block(cache, scene->pages[seq][at / KV_PAGE_TOKENS], 1, head);
                kv_layout_put_key(cache, &block, at % KV_PAGE_TOKENS, nan);
                kv_layout_put_value(cache, &block, at % KV_PAGE_TOKENS, nan);
            }
        }
    }
}

static void slots_behind_a_sequence_do_not_matter(void **state)
{
    (void)state;
    const enum device_simd levels[] = {DEVICE_SIMD_SCALAR, DEVICE_SIMD_AVX2,
                                       DEVICE_SIMD_AVX512_VNNI};
    for (size_t i = 0; i < COUNT(levels) * 6; i++) {
        struct scene scene;
        scene_init(&scene,
                   (struct shape){(enum kv_type)(i % 3), 4, 2, 64, 0, i % 2 ? 5.0f : 0.0f}, 0);
        struct device *device = device_new(1, levels[i / 6]);
        const struct attention_list_plan plan = plan_make(21, 341, ROWS_MAX);
        float *expected = attend(device, attention_cpu, &scene, &plan);
        spoil(&scene, &plan);
        float *y = attend(device, attention_cpu, &scene, &plan);
        assert_memory_equal(y, expected, (size_t)(plan.row_count * 4 * 64) * sizeof *y);
        free(y);
        free(expected);
        device_close(device);
        scene_deinit(&scene);
    }
}

static void a_small_scratch_is_refused(void **state)
{
    (void)state;
    struct device *device;
    const struct device_options options = {.threads = 1, .scratch_bytes = 4096};
    assert_int_equal(device_open(&device, &options, NULL), OK);
    const struct kv_cache cache = {.kv_heads = 1, .head_dim = 64};
    const struct attention_work work = {.split = ATTENTION_SPLIT};
    const struct attention_args args = {.work = &work, .cache = &cache, .heads = 1};
    assert_int_equal(attention_cpu(device, &args), ERR_LIMIT);
    device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attention_follows_the_twin),
        cmocka_unit_test(a_row_is_the_same_alone_and_in_company),
        cmocka_unit_test(slots_behind_a_sequence_do_not_matter),
        cmocka_unit_test(a_small_scratch_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
