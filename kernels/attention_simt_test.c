/*
 * attention_simt_test - the kernel against the twin, and against itself.
 *
 * Where every number on the way has few bits the result is exact: with q = 0 all weights are
 * 1, and with codes for keys one weight is 1 and the others are 0. Then the twin's bits are
 * demanded, over every place of keys, values, masks and splits. With noise, halves round: q to
 * 2^-11 of itself, weights too. A score errs by at most 2^-11 sum |q k| scale, about 0.003
 * here, a result by twice that and 2^-10 of the values; roundings do not conspire, so
 * TOLERANCE is a fifth of it.
 *
 * Slots that no token has filled hold NaN: what reads them shows.
 */
#include "kernels/attention.h"
#include "kernels/device_emu.h"
#include "tests/harness/attention_list.h"
#include "tests/harness/simt_activation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEQS = 3, PAGES_MAX = 36, ROWS_MAX = ATTENTION_LIST_ROWS_MAX };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define TOLERANCE    1.5e-3

struct shape {
    enum kv_type type;
    int32_t heads, kv_heads, head_dim, split, window;
    float softcap;
};

/* How keys, values and queries are made. */
enum filling { NOISE, FLAT, CODES, STEEP };

/* Sequences over one cache: the first shared_pages pages of all are the same. */
struct scene {
    struct shape shape;
    enum filling filling;
    struct kv_cache host, device;
    int32_t pages[SEQS][PAGES_MAX];
    int32_t tokens[SEQS]; /* how many are in the cache */
};

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

/* Number i of token `token`: sixteen dims of +-1 that no other token up to 1,024 has nearly. */
static float code(int32_t token, int32_t i)
{
    const uint32_t bit = (uint32_t)token >> (i % 10) & 1;
    return i < 30 ? (float)bit * 2.0f - 1.0f : 0.0f;
}

static float key_number(enum filling filling, int32_t token, uint32_t seed, int32_t i)
{
    return filling == CODES ? code(token, i) : 3.0f * noise(seed, (uint32_t)i);
}

/* Exactly a multiple of 1/64, the first one 127/64, so that int8 keeps it as it is. */
static float value_number(enum filling filling, uint32_t seed, int32_t i)
{
    if (filling == NOISE)
        return noise(seed, (uint32_t)(i + 1000));
    return i == 0 ? 127.0f / 64.0f
                  : (float)((int32_t)(hash(seed + (uint32_t)i * 977u) % 255) - 127) / 64.0f;
}

/* Sums of splits that F32 adds to something else in another order: 2^15 each in the first one,
 * later an eighth, once: a tie that 2^21 swallows, unless another eighth came before. */
static float steep_number(int32_t token, int32_t split, int32_t i)
{
    const float sign = i % 3 == 0 ? -1.0f : 1.0f;
    return token < split ? sign * 0x1p15f : token % split == i % split ? sign * 0.125f : 0.0f;
}

static float query_number(const struct scene *scene, const struct attention_list_row *row,
                          int32_t i)
{
    const int32_t dim = scene->shape.head_dim, head = i / dim;
    const int32_t target = (row->position * 7 + head * 5) % (row->position + 1);
    if (scene->filling == NOISE)
        return noise((uint32_t)(row->seq * 10000 + row->position + 7), (uint32_t)i);
    return scene->filling != CODES ? 0.0f : 8192.0f * code(target, i % dim);
}

static void token_fill(const struct scene *scene, int32_t seq, int32_t token)
{
    const struct kv_cache *cache = &scene->host;
    const int32_t page = scene->pages[seq][token / KV_PAGE_TOKENS];
    float numbers[256];
    for (int32_t head = 0; head < cache->kv_heads; head++) {
        const struct kv_layout_block block = kv_layout_block(cache, page, 1, head);
        const uint32_t seed =
            (uint32_t)((page * KV_PAGE_TOKENS + token % KV_PAGE_TOKENS) * 16 + head + 1);
        for (int32_t i = 0; i < cache->head_dim; i++)
            numbers[i] = key_number(scene->filling, token, seed, i);
        kv_layout_put_key(cache, &block, token % KV_PAGE_TOKENS, numbers);
        for (int32_t i = 0; i < cache->head_dim; i++)
            numbers[i] = scene->filling == STEEP ? steep_number(token, scene->shape.split, i)
                                                 : value_number(scene->filling, seed, i);
        kv_layout_put_value(cache, &block, token % KV_PAGE_TOKENS, numbers);
    }
}

/* The plan's sequences, each as long as its last row wants. */
static struct scene scene_new(struct simt_case *c, struct shape shape, enum filling filling,
                              const struct attention_list_plan *plan, int32_t shared_pages)
{
    struct scene scene = {.shape = shape,
                          .filling = filling,
                          .host = {.type = shape.type,
                                   .order = KV_ORDER_GPU,
                                   .layers = 2,
                                   .kv_heads = shape.kv_heads,
                                   .head_dim = shape.head_dim,
                                   .page_count = SEQS * PAGES_MAX}};
    const size_t bytes = kv_layout_page_bytes(&scene.host) * (SEQS * PAGES_MAX);
    scene.host.data = aligned_alloc(64, bytes);
    assert_non_null(scene.host.data);
    memset(scene.host.data, 0xff, bytes);
    for (int32_t r = 0; r < plan->row_count; r++) {
        int32_t *tokens = &scene.tokens[plan->rows[r].seq];
        *tokens = plan->rows[r].position >= *tokens ? plan->rows[r].position + 1 : *tokens;
    }
    for (int32_t seq = 0; seq < SEQS; seq++) {
        for (int32_t p = 0; p < PAGES_MAX; p++)
            scene.pages[seq][p] =
                ((p < shared_pages ? 0 : seq) * PAGES_MAX + p) * 37 % (SEQS * PAGES_MAX);
        for (int32_t token = 0; token < scene.tokens[seq]; token++)
            token_fill(&scene, seq, token);
    }
    scene.device = scene.host;
    scene.device.data = simt_case_up(c, scene.host.data, bytes);
    return scene;
}

static void work_up(struct simt_case *c, struct attention_work *work,
                    const struct attention_list *list, int32_t rows)
{
    work->items =
        simt_case_up(c, list->items, (size_t)list->work.item_count * sizeof *list->items);
    work->pages = simt_case_up(c, list->pages, (size_t)list->page_count * sizeof(int32_t));
    work->rows = simt_case_up(c, list->rows, (size_t)list->row_count * sizeof(int32_t));
    work->partials_first =
        simt_case_up(c, list->partials_first, (size_t)(rows + 1) * sizeof(int32_t));
}

/* The plan's rows by twin and kernel, or by the kernel alone. */
static struct simt_activation attend(struct simt_case *c, const struct scene *scene,
                                     const struct attention_list_plan *plan, bool with_twin)
{
    const struct shape *shape = &scene->shape;
    const int32_t dim = shape->heads * shape->head_dim, rows = plan->row_count;
    const size_t floats = (size_t)rows * (size_t)dim;
    const struct attention_list_pages pages = {scene->pages[0], PAGES_MAX};
    struct attention_list *list = attention_list_new(plan, &pages, shape->split);
    assert_non_null(list);
    struct attention_work work = list->work;
    struct simt_activation y =
        simt_activation_new(c, rows, dim, ACTIVATION_F32 | ACTIVATION_INT8);
    const size_t partial_bytes =
        (size_t)attention_partial_floats(work.partial_count, shape->heads, shape->head_dim) *
        sizeof(float);
    float *q = malloc(floats * sizeof *q), *partials = malloc(partial_bytes);
    int32_t positions[ROWS_MAX];
    assert_true(q && partials);
    for (int32_t r = 0; r < rows; r++) {
        positions[r] = plan->rows[r].position;
        for (int32_t i = 0; i < dim; i++)
            q[r * dim + i] = positions[r] < 0 ? NAN : query_number(scene, &plan->rows[r], i);
    }
    struct attention_args args = {.q = q,
                                  .positions = positions,
                                  .work = &work,
                                  .cache = &scene->host,
                                  .partials = partials,
                                  .y = &y.host,
                                  .rows = rows,
                                  .heads = shape->heads,
                                  .layer = 1,
                                  .scale = 1.0f / sqrtf((float)shape->head_dim),
                                  .softcap = shape->softcap,
                                  .window = shape->window};
    if (with_twin)
        assert_int_equal(attention_ref(c->host, &args), OK);
    work_up(c, &work, list, rows);
    args.q = simt_case_up(c, q, floats * sizeof *q);
    args.positions = simt_case_up(c, positions, (size_t)rows * sizeof *positions);
    args.cache = &scene->device;
    args.partials = simt_case_up(c, NULL, partial_bytes);
    args.y = &y.device;
    assert_int_equal(SIMT_CASE_OP(c, attention)(c->device, &args), OK);
    free(q);
    free(partials);
    free(list);
    return y;
}

/* The last `count` positions before `end` of one sequence, and one row of each other. */
static struct attention_list_plan plan_make(int32_t count, int32_t end)
{
    struct attention_list_plan plan = {.item_rows = ROWS_MAX, .is_padded = true};
    for (int32_t p = end - count; p < end; p++)
        plan.rows[plan.row_count++] = (struct attention_list_row){.seq = 0, .position = p};
    for (int32_t seq = 1; seq < SEQS && end > 11 * seq; seq++)
        plan.rows[plan.row_count++] =
            (struct attention_list_row){.seq = seq, .position = end - 11 * seq};
    return plan;
}

/* {shape, rows, end}: shared pages are half of them. */
static const struct twin_case {
    struct shape shape;
    int32_t rows, end;
} twin_cases[] = {
    {{KV_INT8, 2, 2, 64, 256, 0, 0.0f}, 1, 1},     {{KV_F16, 2, 1, 64, 256, 0, 0.0f}, 2, 15},
    {{KV_INT8, 3, 1, 96, 256, 0, 0.0f}, 15, 17},   {{KV_F16, 4, 1, 96, 48, 0, 0.0f}, 5, 129},
    {{KV_INT8, 7, 1, 128, 256, 0, 0.0f}, 3, 255},  {{KV_F16, 8, 1, 128, 256, 0, 0.0f}, 2, 256},
    {{KV_INT8, 2, 1, 256, 64, 0, 0.0f}, 17, 70},   {{KV_F16, 2, 2, 256, 64, 0, 0.0f}, 16, 66},
    {{KV_INT8, 6, 2, 64, 128, 100, 0.0f}, 9, 300}, {{KV_F16, 3, 3, 64, 64, 33, 0.0f}, 33, 200},
    {{KV_INT8, 4, 2, 64, 80, 1, 0.0f}, 7, 161},    {{KV_F16, 4, 2, 128, 64, 70, 0.0f}, 6, 150},
};

/* Runs body over each case whose heads have 64 dims, or more, its buffers freed in between. */
static const struct twin_case *current;
static enum filling filling;

static void cases_each(struct simt_case *c, bool is_wide, void (*body)(struct simt_case *c))
{
    for (size_t i = 0; i < COUNT(twin_cases); i++) {
        current = &twin_cases[i];
        if ((current->shape.head_dim > 64) == is_wide)
            simt_case_each(c, body);
    }
}

static void exact(struct simt_case *c)
{
    const struct attention_list_plan plan = plan_make(current->rows, current->end);
    struct scene scene = scene_new(c, current->shape, filling, &plan, current->end / 32);
    struct simt_activation y = attend(c, &scene, &plan, true);
    simt_activation_same(c, &y);
    simt_activation_free(&y);
    free(scene.host.data);
}

static void flat_weights_are_exact(void **state)
{
    filling = FLAT;
    cases_each(*state, false, exact);
}

static void flat_weights_of_wide_heads_are_exact(void **state)
{
    filling = FLAT;
    cases_each(*state, true, exact);
}

static void chosen_values_are_exact(void **state)
{
    filling = CODES;
    cases_each(*state, false, exact);
}

static void chosen_values_of_wide_heads_are_exact(void **state)
{
    filling = CODES;
    cases_each(*state, true, exact);
}

/* Any other order of the partials gives another last bit. */
static void merged(struct simt_case *c)
{
    const struct attention_list_plan plan = plan_make(3, 4 * 64);
    const struct shape shape = {KV_F16, 2, 1, 64, 64, 0, 0.0f};
    const volatile float first = 0x1p21f, later = 0.125f;
    const float in_order = first + later + later, last_first = later + later + first;
    assert_true(in_order == first && last_first > first);
    struct scene scene = scene_new(c, shape, STEEP, &plan, 0);
    struct simt_activation y = attend(c, &scene, &plan, true);
    assert_true(y.host.f32[1] == 0x1p21f / (float)(plan.rows[0].position + 1));
    simt_activation_same(c, &y);
    simt_activation_free(&y);
    free(scene.host.data);
}

static void partials_are_merged_in_index_order(void **state)
{
    simt_case_each(*state, merged);
}

static void noise_check(struct simt_case *c, struct shape shape, int32_t rows, int32_t end)
{
    const struct attention_list_plan plan = plan_make(rows, end);
    struct scene scene = scene_new(c, shape, NOISE, &plan, end / 32);
    struct simt_activation y = attend(c, &scene, &plan, true);
    const size_t count = (size_t)(plan.row_count * y.host.cols);
    float *got = malloc(count * sizeof *got);
    double worst = 0.0;
    assert_non_null(got);
    simt_case_down(c, got, y.device.f32, count * sizeof *got);
    for (size_t i = 0; i < count; i++) {
        const double off = fabs((double)got[i] - (double)y.host.f32[i]);
        worst = off <= worst ? worst : off;
    }
    if (!(worst <= TOLERANCE))
        fail_msg("%s, heads %d/%d x %d, split %d, window %d, %d rows before %d: off by %g",
                 kv_layout_type_name(shape.type), shape.heads, shape.kv_heads, shape.head_dim,
                 shape.split, shape.window, rows, end, worst);
    free(got);
    simt_activation_free(&y);
    free(scene.host.data);
}

static void noisy(struct simt_case *c)
{
    struct shape shape = current->shape;
    shape.softcap = current->rows % 2 == 1 ? 2.0f : 0.0f;
    noise_check(c, shape, current->rows, current->end);
}

static void noise_is_near_the_twin(void **state)
{
    cases_each(*state, false, noisy);
}

static void noise_of_wide_heads_is_near_the_twin(void **state)
{
    cases_each(*state, true, noisy);
}

/* Demands of each row of `part`, computed by itself, the bits it has in `all`. */
static void part_check(struct simt_case *c, const struct scene *scene,
                       const struct attention_list_plan *all, const float *expected,
                       const struct attention_list_plan *part)
{
    const size_t dim = (size_t)(scene->shape.heads * scene->shape.head_dim);
    struct simt_activation y = attend(c, scene, part, false);
    float *got = malloc((size_t)part->row_count * dim * sizeof *got);
    assert_non_null(got);
    simt_case_down(c, got, y.device.f32, (size_t)part->row_count * dim * sizeof *got);
    for (int32_t r = 0; r < part->row_count; r++) {
        int32_t at = 0;
        while (memcmp(&all->rows[at], &part->rows[r], sizeof all->rows[at]) != 0)
            at++;
        if (memcmp(got + (size_t)r * dim, expected + (size_t)at * dim, dim * sizeof *got) != 0)
            fail_msg("%s, heads %d/%d x %d, items of %d rows, %d rows in all: sequence %d "
                     "differs at position %d",
                     kv_layout_type_name(scene->shape.type), scene->shape.heads,
                     scene->shape.kv_heads, scene->shape.head_dim, part->item_rows,
                     part->row_count, part->rows[r].seq, part->rows[r].position);
    }
    free(got);
    simt_activation_free(&y);
}

static void company_check(struct simt_case *c, struct shape shape)
{
    const struct attention_list_plan all = plan_make(24, 150);
    struct scene scene = scene_new(c, shape, NOISE, &all, 6);
    struct simt_activation y = attend(c, &scene, &all, false);
    const size_t floats = (size_t)(all.row_count * y.host.cols);
    float *expected = malloc(floats * sizeof *expected);
    assert_non_null(expected);
    simt_case_down(c, expected, y.device.f32, floats * sizeof *expected);
    struct attention_list_plan part = all;
    for (part.item_rows = 1; part.item_rows < 16; part.item_rows *= 3) /* ungrouped first */
        part_check(c, &scene, &all, expected, &part);
    part.item_rows = ROWS_MAX;
    for (int32_t first = 0, length = 3; first < all.row_count; first += length, length += 4) {
        const int32_t left = all.row_count - first; /* chunks of a prefill */
        part.row_count = left < length ? left : length;
        memcpy(part.rows, all.rows + first, (size_t)part.row_count * sizeof *part.rows);
        part_check(c, &scene, &all, expected, &part);
    }
    for (int32_t r = 0; r < all.row_count; r++) /* any order of rows */
        part.rows[r] = all.rows[r * 7 % all.row_count];
    part.row_count = all.row_count;
    part_check(c, &scene, &all, expected, &part);
    free(expected);
    simt_activation_free(&y);
    free(scene.host.data);
}

static const struct shape company_shapes[] = {{KV_INT8, 4, 1, 64, 96, 0, 0.0f},
                                              {KV_F16, 3, 1, 64, 96, 50, 0.0f},
                                              {KV_F16, 2, 1, 128, 64, 0, 0.0f}};
static const struct shape *company_shape;

static void company(struct simt_case *c)
{
    company_check(c, *company_shape);
}

static void a_row_is_the_same_alone_and_in_company(void **state)
{
    for (size_t i = 0; i < COUNT(company_shapes); i++) {
        company_shape = &company_shapes[i];
        simt_case_each(*state, company);
    }
}

static void padded(struct simt_case *c)
{
    struct attention_list_plan plan = plan_make(3, 40);
    plan.rows[plan.row_count++] = (struct attention_list_row){.seq = 0, .position = -1};
    plan.rows[plan.row_count++] = (struct attention_list_row){.seq = 0, .position = -1};
    const struct shape shape = {KV_F16, 4, 2, 64, 256, 0, 0.0f};
    struct scene scene = scene_new(c, shape, FLAT, &plan, 1);
    struct simt_activation y = attend(c, &scene, &plan, true);
    simt_activation_same(c, &y); /* the pattern, where rows only pad */
    simt_activation_free(&y);
    free(scene.host.data);
}

static void padding_writes_nothing(void **state)
{
    simt_case_each(*state, padded);
}

/* Keys, values and weights lie so that no two rows of a fragment share a bank. */
static const struct shape *budget_shape;

static void budget(struct simt_case *c)
{
    struct device_emu_counters counters;
    const int32_t rows[] = {1, 7, 20}; /* each class of tiles */
    const bool is_counted = simt_case_counts(c);
    for (size_t i = 0; is_counted && i < COUNT(rows); i++) {
        device_emu_clear();
        noise_check(c, *budget_shape, rows[i], 128);
        assert_true(device_emu_count("attention_partials", &counters));
        assert_true(counters.shared_requests > 0);
        assert_int_equal(counters.shared_conflicts, 0);
    }
}

static void no_bank_conflicts(void **state)
{
    const struct shape shapes[] = {
        {KV_INT8, 4, 1, 64, 128, 0, 0.0f},  {KV_F16, 8, 1, 64, 128, 0, 0.0f},
        {KV_INT8, 4, 1, 96, 128, 0, 0.0f},  {KV_F16, 4, 1, 96, 128, 0, 0.0f},
        {KV_INT8, 4, 1, 128, 128, 0, 0.0f}, {KV_F16, 4, 1, 128, 128, 0, 0.0f},
        {KV_INT8, 4, 1, 256, 128, 0, 0.0f}, {KV_F16, 4, 1, 256, 128, 0, 0.0f}};
    for (size_t i = 0; i < COUNT(shapes); i++) {
        budget_shape = &shapes[i];
        simt_case_each(*state, budget);
    }
}

static void refuses(struct simt_case *c)
{
    const struct attention_list_plan plan = plan_make(1, 5);
    struct scene scene =
        scene_new(c, (struct shape){KV_F16, 1, 1, 64, 128, 0, 0.0f}, FLAT, &plan, 1);
    const struct attention_work work = {.split = 128, .item_count = 1, .partial_count = 1};
    struct attention_args args = {.work = &work, .cache = &scene.device, .rows = 1, .heads = 1};
    scene.device.head_dim = 80;
    assert_int_equal(SIMT_CASE_OP(c, attention)(c->device, &args), ERR_LIMIT);
    scene.device.head_dim = 64;
    scene.device.type = KV_F32;
    assert_int_equal(SIMT_CASE_OP(c, attention)(c->device, &args), ERR_LIMIT);
    scene.device.type = KV_F16;
    args.heads = 1000;
    assert_int_equal(SIMT_CASE_OP(c, attention)(c->device, &args), ERR_LIMIT);
    free(scene.host.data);
}

static void what_it_cannot_do_is_refused(void **state)
{
    simt_case_each(*state, refuses);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flat_weights_are_exact),
        cmocka_unit_test(flat_weights_of_wide_heads_are_exact),
        cmocka_unit_test(chosen_values_are_exact),
        cmocka_unit_test(chosen_values_of_wide_heads_are_exact),
        cmocka_unit_test(partials_are_merged_in_index_order),
        cmocka_unit_test(noise_is_near_the_twin),
        cmocka_unit_test(noise_of_wide_heads_is_near_the_twin),
        cmocka_unit_test(a_row_is_the_same_alone_and_in_company),
        cmocka_unit_test(padding_writes_nothing),
        cmocka_unit_test(no_bank_conflicts),
        cmocka_unit_test(what_it_cannot_do_is_refused),
    };
    return simt_case_main(argc, argv, tests, COUNT(tests));
}
