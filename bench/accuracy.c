/*
 * accuracy - how far a model's results are from a float64 reference, and int8 from exact.
 *
 *     accuracy MODEL reference_float64.json [--precision exact|int8] [--kv f32|f16|int8]
 *              [--threads n]
 *
 * One line per text, then totals: mean negative log-likelihood, the greatest difference among
 * the ten log-probabilities after the text, the first of 64 greedy tokens that differs (with
 * the reference's smallest margin between first and second logit on the way), and with
 * --precision int8 the mean Kullback-Leibler divergence from exact over all positions.
 */
#include "base/clock.h"
#include "tests/harness/model_judge.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_ROWS = 128 };

struct totals {
    double nll, reference_nll, other_nll, kl, worst_top, worst_nll;
    int32_t positions, greedy_same, greedy_due, greedy_missed;
};

static int usage(void)
{
    (void)fprintf(stderr, "usage: accuracy MODEL REFERENCE [--precision exact|int8] "
                          "[--kv f32|f16|int8] [--threads N]\n");
    return 64;
}

/* Reads one --name value pair; false when it is not one. */
static bool read_option(const char *name, const char *value, struct model_run_options *options)
{
    static const char *const KV[] = {"f32", "f16", "int8"};
    if (strcmp(name, "--threads") == 0) {
        options->threads = (uint32_t)strtoul(value, NULL, 10);
        return true;
    }
    if (strcmp(name, "--precision") == 0) {
        options->precision = strcmp(value, "int8") == 0 ? MODEL_INT8 : MODEL_EXACT;
        return strcmp(value, "int8") == 0 || strcmp(value, "exact") == 0;
    }
    for (int i = 0; i < 3 && strcmp(name, "--kv") == 0; i++) {
        if (strcmp(value, KV[i]) == 0) {
            options->kv_type = (enum kv_type)i;
            return true;
        }
    }
    return false;
}

/* Index of the first difference, MODEL_JUDGE_GREEDY when there is none. */
static int32_t first_difference(const token_id *a, const token_id *b)
{
    int32_t i = 0;
    while (i < MODEL_JUDGE_GREEDY && a[i] == b[i])
        i++;
    return i;
}

static void report_greedy(const struct model_judge_texts *texts, const token_id *tokens,
                          struct totals *totals)
{
    for (int32_t i = 0; i < texts->count; i++) {
        const struct model_judge_text *text = &texts->texts[i];
        const int32_t same = first_difference(&tokens[i * MODEL_JUDGE_GREEDY], text->greedy);
        const bool is_due = text->smallest_margin >= 0.02;
        totals->greedy_same += same == MODEL_JUDGE_GREEDY;
        totals->greedy_due += is_due;
        totals->greedy_missed += is_due && same != MODEL_JUDGE_GREEDY;
        (void)printf("text %2d  greedy %2d of %d, smallest margin %.5f%s\n", i, same,
                     MODEL_JUDGE_GREEDY, text->smallest_margin,
                     is_due && same != MODEL_JUDGE_GREEDY ? "  MISSED" : "");
    }
}

static void report_text(int32_t index, const struct model_judge_text *text,
                        const struct model_judge_score *score, struct totals *totals)
{
    const double nll_difference = score->mean_nll - text->mean_nll;
    totals->positions += text->count;
    totals->nll += score->mean_nll * (text->count - 1);
    totals->other_nll += score->other_mean_nll * (text->count - 1);
    totals->reference_nll += text->mean_nll * (text->count - 1);
    totals->kl += score->kl_sum;
    totals->worst_top = fmax(totals->worst_top, score->top_difference);
    totals->worst_nll = fmax(totals->worst_nll, fabs(nll_difference));
    (void)printf(
        "text %2d  ids %3d  nll %.6f (reference %+.6f)  top ten within %.5f  KL %.6f\n", index,
        text->count, score->mean_nll, nll_difference, score->top_difference,
        score->kl_sum / text->count);
    (void)fflush(stdout);
}

static enum status measure(const struct model_judge_runs *runs,
                           const struct model_judge_texts *texts, struct totals *totals,
                           struct error *err)
{
    token_id tokens[MODEL_JUDGE_TEXTS_MAX * MODEL_JUDGE_GREEDY];
    for (int32_t i = 0; i < texts->count; i++) {
        struct model_judge_score score;
        TRY(model_judge_score(runs, i, &texts->texts[i], &score, err));
        report_text(i, &texts->texts[i], &score, totals);
        tokens[i * MODEL_JUDGE_GREEDY] = score.next;
    }
    TRY(model_judge_greedy(runs->run, texts, tokens, MODEL_JUDGE_GREEDY, err));
    report_greedy(texts, tokens, totals);
    return OK;
}

static void report_totals(const struct totals *totals, const struct model_judge_texts *texts,
                          bool has_other)
{
    const double count = totals->positions - texts->count;
    (void)printf("total    %d texts, %d positions\n", texts->count, totals->positions);
    (void)printf("  mean nll %.6f, reference %.6f; worst text differs by %.6f\n",
                 totals->nll / count, totals->reference_nll / count, totals->worst_nll);
    (void)printf("  top ten within %.5f\n", totals->worst_top);
    (void)printf("  greedy identical in %d of %d texts; of %d with margin >= 0.02, %d missed\n",
                 totals->greedy_same, texts->count, totals->greedy_due, totals->greedy_missed);
    if (has_other)
        (void)printf("  mean KL from exact %.6f; mean nll changes by %+.6f\n",
                     totals->kl / totals->positions, (totals->nll - totals->other_nll) / count);
}

static enum status run_all(struct model_run_options *options, const char *reference,
                           struct error *err)
{
    struct model_judge_texts texts;
    struct model_run run = {0}, exact = {0};
    struct totals totals = {0};
    const bool has_other = options->precision == MODEL_INT8;
    const double begin = clock_now_s();
    enum status status = model_judge_read(&texts, reference, err);
    options->sequences = texts.count;
    options->context_max = texts.ids_max + MODEL_JUDGE_GREEDY;
    if (status == OK)
        status = model_run_open(&run, options, err);
    if (status == OK && has_other) {
        struct model_run_options other = *options;
        other.precision = MODEL_EXACT;
        other.kv_type = KV_F32;
        status = model_run_open(&exact, &other, err);
    }
    const struct model_judge_runs runs = {&run, has_other ? &exact : NULL};
    if (status == OK)
        status = measure(&runs, &texts, &totals, err);
    if (status == OK) {
        report_totals(&totals, &texts, has_other);
        (void)printf("  %u threads, %s, %.1f s\n", device_threads(run.device),
                     device_simd_name(device_simd(run.device)), clock_now_s() - begin);
    }
    model_run_close(&exact);
    model_run_close(&run);
    model_judge_deinit(&texts);
    return status;
}

int main(int argc, char **argv)
{
    struct error err;
    struct model_run_options options = {
        .simd_max = DEVICE_SIMD_WIDEST, .rows_max = STEP_ROWS, .head_max = STEP_ROWS};
    if (argc < 3 || argc % 2 == 0)
        return usage();
    options.path = argv[1];
    for (int i = 3; i < argc; i += 2) {
        if (!read_option(argv[i], argv[i + 1], &options))
            return usage();
    }
    if (run_all(&options, argv[2], &err) == OK)
        return 0;
    (void)fprintf(stderr, "accuracy: %s\n", err.text);
    return 1;
}
