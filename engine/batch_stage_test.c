/*
 * batch_stage_test - what goes up comes down again: every array of a batch, masks and lists of
 * tokens seen once each; equal counts lie at equal addresses. On the emulated device, whose
 * memory is not the host's to the kernels.
 */
#include "engine/batch_stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { VOCAB = 100, WORDS = 4, ROWS = 3, ITEMS = 2, SAMPLES = 4 };

static const struct batch_stage_limits limits = {.rows_max = 8,
                                                 .heads_max = 4,
                                                 .samples_max = SAMPLES,
                                                 .copies_max = 2,
                                                 .partials_max = 16,
                                                 .split = 128,
                                                 .vocab = VOCAB};

static const token_id tokens[ROWS] = {7, 8, 9};
static const int32_t positions[ROWS] = {20, 21, 5}, kv_pages[ROWS] = {3, 3, 6};
static const int32_t copies[2] = {1, 2}, heads[2] = {1, 2};
static const int32_t partials_first[ROWS + 1] = {0, 1, 2, 3};
static const int32_t pages[3] = {4, 3, 6}, work_rows[ROWS] = {0, 1, 2};
static const struct attention_item items[ITEMS] = {
    {.pages_first = 0, .kv_count = 22, .rows_first = 0, .row_count = 2},
    {.pages_first = 2, .kv_count = 6, .rows_first = 2, .row_count = 1}};
static const uint32_t masks[2][WORDS] = {{1, 2, 3, 4}, {5, 6, 7, 8}};
static const struct sample_seen seen[2] = {{11, 1, 0.5f}, {12, 4, 0.0f}};

static struct batch batch_of(struct sample_row *samples)
{
    for (int32_t i = 0; i < SAMPLES; i++)
        samples[i] = (struct sample_row){.logits_row = i / 2, .target = -1, .seed = 77};
    samples[0].allowed = samples[2].allowed = masks[0];
    samples[3].allowed = masks[1];
    samples[1].seen = seen;
    samples[1].seen_count = 2;
    return (struct batch){.row_count = ROWS,
                          .tokens = tokens,
                          .positions = positions,
                          .kv_pages = kv_pages,
                          .work = {.items = items,
                                   .pages = pages,
                                   .rows = work_rows,
                                   .partials_first = partials_first,
                                   .split = 128,
                                   .item_count = ITEMS,
                                   .partial_count = 3},
                          .copy_from = &copies[0],
                          .copy_to = &copies[1],
                          .copy_count = 1,
                          .head_rows = heads,
                          .head_count = 2,
                          .samples = samples,
                          .sample_count = SAMPLES};
}

static enum status upload(struct batch_stage *stage, const struct batch *batch,
                          struct batch *up, struct error *err)
{
    TRY(batch_stage_rows(stage, batch, up, err));
    return batch_stage_samples(stage, batch, 0, up, err);
}

static void expect(struct device *device, const void *there, const void *here, size_t bytes)
{
    uint8_t copy[1024];
    assert_ptr_not_equal(there, here);
    assert_true(bytes <= sizeof copy);
    assert_int_equal((uintptr_t)there % 64, 0);
    assert_int_equal(device_download(device, copy, there, bytes), OK);
    assert_memory_equal(copy, here, bytes);
}

/* Ends the test, with a line, where the build has no emulator; any other refusal fails it. */
static struct device *emulated_device(void)
{
    struct device *device = NULL;
    const struct device_options options = {.kind = DEVICE_EMU, .threads = 1};
    const enum status status = device_open(&device, &options, NULL);
    if (status == ERR_LIMIT) {
        print_message("skipped: the emulator is not in this build\n");
        skip();
    }
    assert_int_equal(status, OK);
    return device;
}

static void arrays_come_down_as_they_went_up(void **state)
{
    (void)state;
    struct device *device;
    struct batch_stage stage;
    struct sample_row samples[SAMPLES], down[SAMPLES];
    struct batch batch = batch_of(samples), up, again;
    device = emulated_device();
    assert_int_equal(batch_stage_init(&stage, device, &limits, NULL), OK);
    assert_int_equal(stage.bytes, batch_stage_bytes(device, &limits));
    assert_int_equal(upload(&stage, &batch, &up, NULL), OK);
    assert_int_equal(up.row_count, ROWS);
    expect(device, up.tokens, tokens, sizeof tokens);
    expect(device, up.positions, positions, sizeof positions);
    expect(device, up.kv_pages, kv_pages, sizeof kv_pages);
    expect(device, up.work.items, items, sizeof items);
    expect(device, up.work.pages, pages, sizeof pages);
    expect(device, up.work.rows, work_rows, sizeof work_rows);
    expect(device, up.work.partials_first, partials_first, sizeof partials_first);
    expect(device, up.copy_from, &copies[0], sizeof copies[0]);
    expect(device, up.copy_to, &copies[1], sizeof copies[1]);
    expect(device, up.head_rows, heads, sizeof heads);

    assert_int_equal(device_download(device, down, up.samples, sizeof down), OK);
    for (int32_t i = 0; i < SAMPLES; i++)
        assert_int_equal(down[i].seed, 77);
    assert_null(down[1].allowed);
    assert_ptr_equal(down[0].allowed, down[2].allowed);
    expect(device, down[0].allowed, masks[0], sizeof masks[0]);
    expect(device, down[3].allowed, masks[1], sizeof masks[1]);
    expect(device, down[1].seen, seen, sizeof seen);

    /* Other masks, fewer pages and no copies: the arrays stay where they were. */
    struct attention_item fewer[ITEMS] = {items[0], items[1]};
    fewer[1].row_count = 0;
    fewer[1].kv_count = 0;
    batch.work.items = fewer;
    batch.copy_count = 0;
    samples[0].allowed = NULL;
    assert_int_equal(upload(&stage, &batch, &again, NULL), OK);
    assert_memory_equal(&again.work, &up.work, sizeof up.work);
    assert_ptr_equal(again.tokens, up.tokens);
    assert_ptr_equal(again.positions, up.positions);
    assert_ptr_equal(again.kv_pages, up.kv_pages);
    assert_ptr_equal(again.head_rows, up.head_rows);
    assert_ptr_equal(again.samples, up.samples);
    batch_stage_deinit(&stage);
    device_close(device);
}

/* Lists that do not fit together go up one after the other, in their order. */
static void long_lists_go_up_in_turns(void **state)
{
    (void)state;
    enum { MANY = 10000, LONG_VOCAB = 2 * MANY };
    static struct sample_seen many[2][LONG_VOCAB], down[LONG_VOCAB];
    struct device *device;
    struct batch_stage stage;
    struct sample_row samples[SAMPLES], row;
    struct batch_stage_limits wide = limits;
    struct batch batch = batch_of(samples), up;
    device = emulated_device();
    wide.vocab = LONG_VOCAB;
    for (int32_t i = 0; i < LONG_VOCAB; i++)
        for (int32_t list = 0; list < 2; list++)
            many[list][i] = (struct sample_seen){i, i % 7 + list, 0.0f};
    for (int32_t i = 0; i < SAMPLES; i++)
        samples[i].allowed = NULL;
    samples[1].seen = many[0];
    samples[1].seen_count = MANY;
    samples[2].seen = many[1];
    samples[2].seen_count = LONG_VOCAB;
    assert_int_equal(batch_stage_init(&stage, device, &wide, NULL), OK);
    assert_int_equal(batch_stage_samples(&stage, &batch, 0, &up, NULL), OK);
    assert_int_equal(up.sample_count, 2);
    assert_int_equal(batch_stage_samples(&stage, &batch, 2, &up, NULL), OK);
    assert_int_equal(up.sample_count, SAMPLES - 2);
    assert_int_equal(device_download(device, &row, up.samples, sizeof row), OK);
    assert_int_equal(row.logits_row, samples[2].logits_row);
    assert_int_equal(device_download(device, down, row.seen, sizeof down), OK);
    assert_memory_equal(down, many[1], sizeof down);
    batch_stage_deinit(&stage);
    device_close(device);
}

/* Where kernels read the host's memory nothing is copied. */
static void the_host_keeps_its_own(void **state)
{
    (void)state;
    struct device *device;
    struct batch_stage stage;
    struct sample_row samples[SAMPLES];
    struct batch batch = batch_of(samples), up;
    assert_int_equal(device_open(&device, &(struct device_options){.threads = 1}, NULL), OK);
    assert_int_equal(batch_stage_init(&stage, device, &limits, NULL), OK);
    assert_int_equal(stage.bytes, 0);
    assert_int_equal(upload(&stage, &batch, &up, NULL), OK);
    assert_memory_equal(&up, &batch, sizeof up);
    batch_stage_deinit(&stage);
    device_close(device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_come_down_as_they_went_up),
        cmocka_unit_test(long_lists_go_up_in_turns),
        cmocka_unit_test(the_host_keeps_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
