/* model_judge - see model_judge.h. */
#include "tests/harness/model_judge.h"

#include "base/file_map.h"
#include "engine/text_loss.h"

#include <math.h>

enum { ARENA_BYTES = 1 << 24 };

enum status model_judge_ids(const struct json *array, token_id *ids, int32_t max,
                            int32_t *count, struct error *err)
{
    *count = 0;
    if (json_type(array) != JSON_ARRAY || json_count(array) > (size_t)max)
        FAIL(err, ERR_FORMAT, "reference: not an array of at most %d ids", max);
    for (const struct json *one = json_first(array); one; one = json_next(one)) {
        int64_t id;
        if (!json_i64(one, &id) || id < 0 || id > INT32_MAX)
            FAIL(err, ERR_FORMAT, "reference: id %d is not one", *count);
        ids[(*count)++] = (token_id)id;
    }
    return OK;
}

static enum status read_top(const struct json *array, struct model_judge_text *text,
                            struct error *err)
{
    int32_t i = 0;
    for (const struct json *pair = json_first(array); pair; pair = json_next(pair), i++) {
        int64_t id;
        const struct json *first = json_first(pair);
        if (i == MODEL_JUDGE_TOP || !json_i64(first, &id) ||
            !json_double(json_next(first), &text->top_logprobs[i]))
            FAIL(err, ERR_FORMAT, "reference: last_top10[%d] is not [id, log-probability]", i);
        text->top_ids[i] = (token_id)id;
    }
    if (i != MODEL_JUDGE_TOP)
        FAIL(err, ERR_FORMAT, "reference: last_top10 has %d of %d pairs", i, MODEL_JUDGE_TOP);
    return OK;
}

static enum status read_text(const struct json *one, struct model_judge_text *text,
                             struct arena *arena, struct error *err)
{
    const struct json *ids = json_get(one, "ids");
    const int32_t count = (int32_t)json_count(ids);
    int32_t greedy;
    text->ids = ARENA_NEW(arena, token_id, (size_t)count);
    if (!text->ids)
        FAIL(err, ERR_MEMORY, "reference: no room for %d ids", count);
    TRY(model_judge_ids(ids, text->ids, count, &text->count, err));
    TRY(model_judge_ids(json_get(one, "greedy_64"), text->greedy, MODEL_JUDGE_GREEDY, &greedy,
                        err));
    if (text->count < 2 || greedy != MODEL_JUDGE_GREEDY ||
        !json_double(json_get(one, "mean_nll"), &text->mean_nll) ||
        !json_double(json_get(one, "smallest_margin"), &text->smallest_margin))
        FAIL(err, ERR_FORMAT, "reference: a text lacks ids, greedy_64, mean_nll or margin");
    return read_top(json_get(one, "last_top10"), text, err);
}

enum status model_judge_read(struct model_judge_texts *texts, const char *path,
                             struct error *err)
{
    struct text_buf source = {0};
    struct json *root = NULL;
    *texts = (struct model_judge_texts){0};
    enum status status = file_map_read(&source, path, 0, err);
    if (status == OK)
        status = json_parse(text_buf_text(&source), 0, &root, err);
    if (status == OK)
        status = arena_init(&texts->arena, ARENA_BYTES, err);
    for (const struct json *one = json_first(root); one && status == OK; one = json_next(one)) {
        if (texts->count == MODEL_JUDGE_TEXTS_MAX)
            break;
        struct model_judge_text *text = &texts->texts[texts->count++];
        status = read_text(one, text, &texts->arena, err);
        texts->ids_max = text->count > texts->ids_max ? text->count : texts->ids_max;
    }
    json_free(root);
    text_buf_deinit(&source);
    return status;
}

void model_judge_deinit(struct model_judge_texts *texts)
{
    arena_deinit(&texts->arena);
    texts->count = 0;
}

static void finish(const float *last, int32_t vocab, const struct model_judge_text *text,
                   struct model_judge_score *score)
{
    const double log_sum = text_loss_log_sum(last, vocab);
    score->next = text_loss_top(last, vocab);
    for (int32_t i = 0; i < MODEL_JUDGE_TOP; i++) {
        const double ours = (double)last[text->top_ids[i]] - log_sum;
        score->top_difference = fmax(score->top_difference, fabs(ours - text->top_logprobs[i]));
    }
}

enum status model_judge_score(const struct model_judge_runs *runs, int32_t sequence,
                              const struct model_judge_text *text,
                              struct model_judge_score *score, struct error *err)
{
    const struct model_run *run = runs->run;
    const struct text_loss_runs both = {
        .run = runs->run, .other = runs->other, .sequence = sequence};
    struct text_loss loss = {0};
    TRY(text_loss_run(&both, text->ids, text->count, &loss, err));
    *score = (struct model_judge_score){.mean_nll = loss.nll / loss.scored,
                                        .other_mean_nll = loss.other_nll / loss.scored,
                                        .kl_sum = loss.kl};
    const int32_t last = (text->count - 1) % run->forward.limits.rows_max;
    finish(model_run_logits(runs->run, last), run->model->config.vocab, text, score);
    return OK;
}

enum status model_judge_greedy(struct model_run *run, const struct model_judge_texts *texts,
                               token_id *tokens, int32_t length, struct error *err)
{
    struct model_run_part parts[MODEL_JUDGE_TEXTS_MAX];
    for (int32_t step = 1; step < length; step++) {
        for (int32_t i = 0; i < texts->count; i++)
            parts[i] = (struct model_run_part){.sequence = i,
                                               .first = texts->texts[i].count + step - 1,
                                               .count = 1,
                                               .tokens = &tokens[i * length + step - 1],
                                               .heads = MODEL_RUN_LAST};
        TRY(model_run_step(run, parts, texts->count, err));
        for (int32_t i = 0; i < texts->count; i++)
            tokens[i * length + step] =
                text_loss_top(model_run_logits(run, i), run->model->config.vocab);
    }
    return OK;
}
