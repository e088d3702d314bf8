/* sample_simt_test - the kernels against the CPU back end, bit for bit, and against the plain
 * twin: rows of all wishes side by side, ties, masks that leave nothing, logits that are not
 * finite, and filters that leave more than the list holds. */
#include "kernels/device_emu.h"
#include "kernels/sample_draw.h"

#include "tests/harness/simt_case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VOCAB_MAX = 49152, ROWS_MAX = 48, WORDS_MAX = (VOCAB_MAX + 31) / 32, SEEN_MAX = 40 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* One call: the rows, and the same with pointers into the device's memory. */
static struct sample_row rows[ROWS_MAX], device_rows[ROWS_MAX];
static float logits[2 * VOCAB_MAX + ROWS_MAX * 4200];
static uint32_t masks[ROWS_MAX][WORDS_MAX];
static struct sample_seen seen[ROWS_MAX][SEEN_MAX];
static struct sample_result results[3][ROWS_MAX]; /* kernel, CPU, twin */
static struct sample_top tops[3][ROWS_MAX][SAMPLE_TOP_MAX];

static float pick(struct simt_case *c, const float *from, size_t count)
{
    return from[simt_case_below(c, (uint32_t)count)];
}

#define PICK(c, ...)                                                                           \
    pick(c, (const float[]){__VA_ARGS__}, COUNT(((const float[]){__VA_ARGS__})))

enum logits_kind {
    MODEL,
    STEPS,
    EQUAL,
    HALF_LEAST,
    ALL_LEAST,
    HUGE_ONES,
    ZEROS,
    NANS,
    INFINITE
};

static float logit_make(struct simt_case *c, enum logits_kind kind)
{
    switch (kind) {
    case MODEL:
    case NANS:
    case INFINITE:
        return 4.0f * simt_case_normal(c);
    case STEPS:
        return roundf(16.0f * simt_case_normal(c)) / 8.0f;
    case EQUAL:
        return 3.0f;
    case HALF_LEAST:
        return simt_case_below(c, 2) == 0 ? -INFINITY : simt_case_normal(c);
    case ALL_LEAST:
        return -INFINITY;
    case HUGE_ONES:
        return 3e38f * simt_case_float(c);
    case ZEROS:
        return simt_case_below(c, 2) == 0 ? -0.0f : 0.0f;
    }
    return 0.0f;
}

static void logits_make(struct simt_case *c, float *row, int32_t vocab, enum logits_kind kind)
{
    for (int32_t t = 0; t < vocab; t++)
        row[t] = logit_make(c, kind);
    if (kind == NANS || kind == INFINITE)
        row[simt_case_below(c, (uint32_t)vocab)] = kind == NANS ? -NAN : INFINITY;
}

/* A mask of kind 0 .. 4: random, few, none, one token, every second. Past the row's end all
 * bits are set. */
static void mask_make(struct simt_case *c, uint32_t *mask, int32_t vocab, uint32_t kind)
{
    const uint32_t chosen = simt_case_below(c, (uint32_t)vocab);
    for (int32_t t = 0; t < (vocab + 31) / 32 * 32; t++) {
        const bool is_allowed = kind == 0   ? simt_case_below(c, 2) == 0
                                : kind == 1 ? simt_case_below(c, 40) == 0
                                : kind == 2 ? false
                                : kind == 3 ? t == (int32_t)chosen
                                            : t % 2 == 0;
        const uint32_t bit = is_allowed || t >= vocab;
        mask[t / 32] = (mask[t / 32] & ~(1u << t % 32)) | bit << t % 32;
    }
}

static int32_t seen_make(struct simt_case *c, struct sample_seen *list, int32_t vocab)
{
    int32_t count = 0;
    token_id token = -1;
    while (count < SEEN_MAX && simt_case_below(c, 12) != 0) {
        token += 1 + (int32_t)simt_case_below(c, (uint32_t)vocab / 16);
        if (token >= vocab)
            break;
        list[count++] = (struct sample_seen){token, (int32_t)simt_case_below(c, 5) - 1,
                                             PICK(c, 0.0f, 0.0f, 2.5f, -100.0f)};
    }
    return count;
}

static struct sample_row row_make(struct simt_case *c, int32_t index, int32_t vocab)
{
    const bool is_scored = simt_case_below(c, 9) == 0;
    struct sample_row row = {
        .logits_row = index,
        .target = is_scored ? (token_id)simt_case_below(c, (uint32_t)vocab) : TOKEN_NONE,
        .allowed = simt_case_below(c, 2) == 0 ? masks[index] : NULL,
        .temperature = PICK(c, 0.0f, 0.3f, 1.0f, 1.0f, 5.0f, 1e-30f, 1e30f),
        .top_k = (int32_t)PICK(c, 0.0f, 0.0f, 1.0f, 7.0f, 40.0f, 1e6f),
        .top_p = PICK(c, 1.0f, 1.0f, 0.9f, 0.3f, 0.999f),
        .min_p = PICK(c, 0.0f, 0.0f, 0.1f, 0.7f, 1.0f),
        .typical_p = PICK(c, 0.0f, 0.0f, 1.0f, 0.9f, 0.3f, 0.999f, 1e-6f),
        .seed = (uint64_t)simt_case_below(c, UINT32_MAX) << 32 | (uint32_t)index,
        .job = simt_case_below(c, 1000),
        .sample = simt_case_below(c, 8),
        .position = simt_case_below(c, 100000),
        .seen = seen[index],
        .repetition = PICK(c, 0.0f, 1.0f, 1.3f, 0.5f, 1e-38f),
        .frequency = PICK(c, 0.0f, 0.5f, -0.5f),
        .presence = PICK(c, 0.0f, 0.0f, 1.5f, -2.0f),
        .top_count = (int32_t)PICK(c, 0.0f, 0.0f, 0.0f, 1.0f, 3.0f, SAMPLE_TOP_MAX)};
    mask_make(c, masks[index], vocab, simt_case_below(c, 5));
    row.seen_count = simt_case_below(c, 2) == 0 ? seen_make(c, seen[index], vocab) : 0;
    return row;
}

/* Whatever was computed before leaves the workspace full of numbers. */
static void workspace_spoil(struct simt_case *c)
{
    unsigned char spoilt[4096];
    memset(spoilt, 0xff, sizeof spoilt);
    assert_true(device_workspace_bytes(c->device) >= sizeof spoilt);
    assert_int_equal(
        device_upload(c->device, device_workspace(c->device), spoilt, sizeof spoilt), OK);
}

/* Runs the kernels, and brings results and tops home. What a row points at ends where the
 * device's memory does. */
static void run_device(struct simt_case *c, const struct sample_args *args)
{
    const size_t count = (size_t)args->count;
    const size_t mask_bytes = ((size_t)args->vocab + 31) / 32 * sizeof masks[0][0];
    memcpy(device_rows, rows, count * sizeof rows[0]);
    int32_t logits_rows = 0;
    for (size_t i = 0; i < count; i++) {
        struct sample_row *row = &device_rows[i];
        const size_t seen_bytes = (size_t)row->seen_count * sizeof seen[0][0];
        row->allowed = row->allowed ? simt_case_up(c, masks[i], mask_bytes) : NULL;
        row->seen = row->seen_count > 0 ? simt_case_up(c, seen[i], seen_bytes) : NULL;
        logits_rows = row->logits_row >= logits_rows ? row->logits_row + 1 : logits_rows;
    }
    workspace_spoil(c);
    struct sample_args args_device = *args;
    const size_t logits_count = (size_t)logits_rows * (size_t)args->vocab;
    args_device.logits = simt_case_up(c, logits, logits_count * sizeof logits[0]);
    args_device.rows = simt_case_up(c, device_rows, count * sizeof rows[0]);
    args_device.results = simt_case_up(c, results[0], count * sizeof results[0][0]);
    args_device.tops = args->tops ? simt_case_up(c, tops[0], count * sizeof tops[0][0]) : NULL;
    assert_int_equal(SIMT_CASE_OP(c, sample)(c->device, &args_device), OK);
    simt_case_down(c, results[0], args_device.results, count * sizeof results[0][0]);
    if (args->tops)
        simt_case_down(c, tops[0], args_device.tops, count * sizeof tops[0][0]);
}

static bool same(float found, float expected, float tolerance)
{
    if (isnan(expected) || isnan(found))
        return isnan(expected) && isnan(found);
    return found == expected || fabsf(found - expected) <= tolerance;
}

/* Of row i, what `found` says beside what `expected` says. */
static void compare_row(int32_t i, int found, int expected, float tolerance)
{
    const struct sample_result a = results[found][i], b = results[expected][i];
    if (a.token != b.token || !same(a.logprob, b.logprob, tolerance))
        fail_msg("row %d: token %d at %.9g, not %d at %.9g (temperature %g, top_k %d, top_p %g,"
                 " min_p %g, typical_p %g, seen %d)",
                 i, a.token, (double)a.logprob, b.token, (double)b.logprob,
                 (double)rows[i].temperature, rows[i].top_k, (double)rows[i].top_p,
                 (double)rows[i].min_p, (double)rows[i].typical_p, rows[i].seen_count);
    for (int32_t n = 0; n < rows[i].top_count; n++) {
        assert_int_equal(tops[found][i][n].token, tops[expected][i][n].token);
        assert_true(same(tops[found][i][n].logprob, tops[expected][i][n].logprob, tolerance));
    }
}

/* The kernels beside the CPU: equal. Beside the twin, where it is not too slow: equal tokens,
 * log-probabilities within 2e-6, and within a rounding of numbers beyond 8. */
static void compare(struct simt_case *c, int32_t vocab, int32_t count, bool with_twin)
{
    struct sample_args args = {.logits = logits, .rows = rows, .count = count, .vocab = vocab};
    args.softcap = simt_case_below(c, 3) == 0 ? 4.0f : 0.0f;
    args.tops = tops[0][0];
    run_device(c, &args);
    for (int side = 1; side <= (with_twin ? 2 : 1); side++) {
        args.results = results[side];
        args.tops = tops[side][0];
        assert_int_equal((side == 1 ? sample_cpu : sample_ref)(c->host, &args), OK);
        for (int32_t i = 0; i < count; i++)
            compare_row(i, 0, side,
                        side == 1 ? 0.0f
                                  : 2e-6f * fmaxf(1.0f, fabsf(results[2][i].logprob) / 8.0f));
    }
}

static void mixed_rows(struct simt_case *c)
{
    static const int32_t vocabs[] = {32, 33, 257, 1000};
    for (size_t v = 0; v < COUNT(vocabs); v++) {
        for (int32_t i = 0; i < ROWS_MAX; i++) {
            const uint32_t kind = simt_case_below(c, 2 * (INFINITE + 1));
            logits_make(c, logits + i * vocabs[v], vocabs[v],
                        kind > INFINITE ? MODEL : (enum logits_kind)kind);
            rows[i] = row_make(c, i, vocabs[v]);
        }
        compare(c, vocabs[v], v < 3 ? ROWS_MAX : 12, true);
    }
}

static struct sample_row plain_row(int32_t index)
{
    return (struct sample_row){.logits_row = index % 2,
                               .target = TOKEN_NONE,
                               .temperature = 1.0f,
                               .top_p = 1.0f,
                               .seed = 11,
                               .job = (uint32_t)index,
                               .seen = seen[index]};
}

/* Two slices, the second of a few tokens; rows that do not begin at 16 bytes. The last two rows
 * have a NaN in the second slice, and the greatest logit, so that this slice has its turn in
 * the row's tops. */
static void rows_of_two_slices(struct simt_case *c)
{
    enum { VOCAB = 4131, ROWS = 10 };
    for (int32_t i = 0; i < ROWS; i++) {
        logits_make(c, logits + i * VOCAB, VOCAB, i % 3 == 0 ? STEPS : MODEL);
        rows[i] = i < ROWS - 2 ? row_make(c, i, VOCAB) : plain_row(i);
        rows[i].logits_row = i;
    }
    logits[(ROWS - 2) * VOCAB + VOCAB - 1] = -NAN; /* its bits sort below all numbers */
    logits[(ROWS - 1) * VOCAB + VOCAB - 2] = 40.0f;
    rows[ROWS - 1].temperature = 0.0f;
    rows[ROWS - 1].top_count = 3;
    compare(c, VOCAB, ROWS, false);
    assert_int_equal(results[0][ROWS - 2].token, TOKEN_NONE);
    assert_int_equal(results[0][ROWS - 1].token, VOCAB - 2);
}

/* A model's vocabulary: what one row after the other asks for. The second row of logits is so
 * flat that top_p and typical_p leave more than the list holds. */
static void long_rows(struct simt_case *c)
{
    logits_make(c, logits, VOCAB_MAX, MODEL);
    logits_make(c, logits + VOCAB_MAX, VOCAB_MAX, STEPS);
    for (int32_t t = 0; t < VOCAB_MAX; t++)
        logits[VOCAB_MAX + t] *= 0.01f;
    for (int32_t i = 0; i < 9; i++)
        rows[i] = plain_row(i);
    rows[0].temperature = 0.0f;
    rows[0].top_count = SAMPLE_TOP_MAX;
    rows[3].top_k = 50;
    rows[3].top_p = 0.9f;
    rows[4].top_p = 0.95f;
    rows[4].seen_count = seen_make(c, seen[4], VOCAB_MAX);
    rows[4].presence = 1.0f;
    rows[5].top_p = 0.6f;
    rows[6].top_k = 30000;
    rows[7].typical_p = 0.6f;
    rows[8].typical_p = 0.3f;
    rows[8].min_p = 0.01f;
    compare(c, VOCAB_MAX, 9, false);
}

/* All logits equal: only the tokens' numbers tell what top_k and top_p keep. The last rows ask
 * for one token, and for more than there are. */
static void ties_of_filters(struct simt_case *c)
{
    logits_make(c, logits, 4500, EQUAL);
    for (int32_t i = 0; i < 8; i++) {
        rows[i] = plain_row(i);
        rows[i].logits_row = 0;
        rows[i].top_k = i < 4 ? 0 : i < 7 ? 1 : 4501;
    }
    rows[0].top_k = 3;
    rows[1].top_p = 0.01f;
    rows[2].top_k = 4400;
    rows[3].top_p = 0.98f;
    compare(c, 4500, 8, false);
    assert_true(results[0][0].token < 3 && results[0][1].token < 46);
    assert_true(results[0][2].token < 4400 && results[0][3].token < 4411);
    for (int32_t i = 4; i < 7; i++)
        assert_int_equal(results[0][i].token, 0);
}

/* The same for typical_p: what top_k, top_p and min_p leave, and of that the first. The last
 * rows have two levels, and the colder, of which there are more, is the typical one. */
static void ties_of_typical_tokens(struct simt_case *c)
{
    logits_make(c, logits, 4500, EQUAL);
    for (int32_t t = 0; t < 4500; t++)
        logits[4500 + t] = t % 100 == 0 ? 5.0f : 2.0f;
    for (int32_t i = 0; i < 8; i++) {
        rows[i] = plain_row(i);
        rows[i].logits_row = i / 6;
        rows[i].typical_p = i == 0 ? 0.01f : i == 1 ? 0.98f : i == 6 ? 0.1f : 0.25f;
    }
    rows[2].top_k = 400;
    rows[3].top_p = 0.1f;
    rows[4].top_k = 2000;
    rows[4].top_p = 0.2f;
    rows[5].min_p = 0.9f;
    rows[7].min_p = 0.9f;
    compare(c, 4500, 8, false);
    const token_id ends[] = {45 + 1, 4410 + 1, 100, 113, 100, 1125, 4500, 4500};
    for (int32_t i = 0; i < 8; i++)
        assert_true(results[0][i].token < ends[i]);
    assert_true(results[0][6].token % 100 != 0 && results[0][7].token % 100 == 0);
}

/* Keys that share their first digit, more than the list holds: those nearer the mean, and in no
 * list before, must come along when the next digit's end is near enough. */
static void lists_of_typical_tokens(struct simt_case *c)
{
    for (int32_t t = 0; t < 8200; t++)
        logits[t] = t % 8 < 3 ? 5.0f : 5.1f - (float)(t % 1000) * 1e-4f;
    for (int32_t i = 0; i < 3; i++) {
        rows[i] = plain_row(i);
        rows[i].logits_row = 0;
        rows[i].typical_p = 0.2f + 0.25f * (float)i;
        rows[i].top_p = i == 2 ? 0.9f : 1.0f;
    }
    compare(c, 8200, 3, false);
}

/* Ten hot tokens among thousands whose masses are below 2^32: their sum is all carries. */
static void carries_of_masses(struct simt_case *c)
{
    for (int32_t t = 0; t < 8200; t++)
        logits[t] = t % 820 == 7 ? 9.0f : 2.0f;
    for (int32_t i = 0; i < 8; i++) {
        rows[i] = plain_row(i);
        rows[i].logits_row = 0;
        rows[i].top_p = 0.5f;
    }
    compare(c, 8200, 8, false);
}

/* A digit's end beyond what the list holds: what is hotter than the digit, and in no list
 * before, must come along when the next digit's end is near enough. */
static void lists_of_second_digits(struct simt_case *c)
{
    for (int32_t t = 0; t < 8200; t++)
        logits[t] = t % 8 < 3 ? 5.0f : 1.0f - (float)(t % 1000) * 1e-4f;
    for (int32_t i = 0; i < 3; i++) {
        rows[i] = plain_row(i);
        rows[i].logits_row = 0;
        rows[i].top_k = 3500 + i;
    }
    compare(c, 8200, 3, false);
}

/* Candidates that just fill the list, and one more. */
static void lists_full_to_the_brim(struct simt_case *c)
{
    for (int32_t vocab = 4096; vocab <= 4097; vocab++) {
        logits_make(c, logits, vocab, MODEL);
        rows[0] = plain_row(0);
        rows[0].top_k = vocab;
        compare(c, vocab, 1, false);
    }
}

/* Bytes of the sectors that a kernel has touched since the last clear. */
static uint64_t bytes_read(const char *kernel)
{
    struct device_emu_counters counters;
    assert_true(device_emu_count(kernel, &counters));
    return 32 * counters.global_sectors;
}

/* How often the card says that a row is read: greedy once; by top_k twice, by typical_p three
 * times, but for slices without a candidate the last time. A tenth above is for all that is not
 * logits. */
static void reads_are_counted(struct simt_case *c)
{
    const uint64_t row_bytes = VOCAB_MAX * sizeof(float);
    if (!simt_case_counts(c))
        return;
    logits_make(c, logits, VOCAB_MAX, MODEL);
    rows[0] = plain_row(0);
    rows[0].temperature = 0.0f;
    compare(c, VOCAB_MAX, 1, false);
    const uint64_t greedy = bytes_read("slices") + bytes_read("draws") + bytes_read("answers");
    assert_in_range(greedy, row_bytes, row_bytes + row_bytes / 10);
    rows[0].temperature = 1.0f;
    rows[0].top_k = 50;
    compare(c, VOCAB_MAX, 1, false);
    assert_in_range(bytes_read("filters"), row_bytes, 2 * (row_bytes + row_bytes / 10));
    rows[0].top_k = 0;
    rows[0].typical_p = 0.2f;
    device_emu_clear();
    compare(c, VOCAB_MAX, 1, false);
    assert_in_range(bytes_read("filters"), 2 * row_bytes, 3 * (row_bytes + row_bytes / 10));
}

static void refusals(struct simt_case *c)
{
    struct sample_args args = {.count = 1, .vocab = 0};
    assert_int_equal(SIMT_CASE_OP(c, sample)(c->device, &args), ERR_LIMIT);
    args.vocab = SAMPLE_VOCAB_MAX + 1;
    assert_int_equal(SIMT_CASE_OP(c, sample)(c->device, &args), ERR_LIMIT);
    args.vocab = SAMPLE_VOCAB_MAX;
    args.count = 1 << 24; /* more than any workspace */
    assert_int_equal(SIMT_CASE_OP(c, sample)(c->device, &args), ERR_LIMIT);
    args.count = 0;
    assert_int_equal(SIMT_CASE_OP(c, sample)(c->device, &args), OK);
}

static void mixed_rows_are_the_cpus(void **state)
{
    simt_case_each(*state, mixed_rows);
}

static void slices_join(void **state)
{
    simt_case_each(*state, rows_of_two_slices);
}

static void long_rows_are_the_cpus(void **state)
{
    simt_case_each(*state, long_rows);
}

static void filters_break_ties_by_number(void **state)
{
    simt_case_each(*state, ties_of_filters);
    simt_case_each(*state, ties_of_typical_tokens);
}

static void filters_keep_at_their_limits(void **state)
{
    simt_case_each(*state, carries_of_masses);
    simt_case_each(*state, lists_of_second_digits);
    simt_case_each(*state, lists_of_typical_tokens);
    simt_case_each(*state, lists_full_to_the_brim);
}

static void rows_are_read_as_often_as_the_card_says(void **state)
{
    simt_case_each(*state, reads_are_counted);
}

static void what_is_too_much_is_refused(void **state)
{
    simt_case_each(*state, refusals);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixed_rows_are_the_cpus),
        cmocka_unit_test(slices_join),
        cmocka_unit_test(long_rows_are_the_cpus),
        cmocka_unit_test(filters_break_ties_by_number),
        cmocka_unit_test(filters_keep_at_their_limits),
        cmocka_unit_test(rows_are_read_as_often_as_the_card_says),
        cmocka_unit_test(what_is_too_much_is_refused),
    };
    return simt_case_main(argc, argv, tests, COUNT(tests));
}
