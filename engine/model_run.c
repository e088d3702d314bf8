/* model_run - see model_run.h. */
#include "engine/model_run.h"

#include <assert.h>

enum { ARENA_BYTES = 1 << 28 };

static enum status make_pages(struct model_run *run, struct error *err)
{
    const int32_t count = run->sequences * run->pages_each;
    run->pages = ARENA_NEW(&run->arena, int32_t, (size_t)count);
    if (!run->pages)
        FAIL(err, ERR_MEMORY, "model_run: no room for %d page numbers", count);
    for (int32_t i = 0; i < count; i++)
        run->pages[i] = i;
    return OK;
}

enum status model_run_open(struct model_run *run, const struct model_run_options *options,
                           struct error *err)
{
    const struct device_options device = {
        .kind = options->device, .threads = options->threads, .simd_max = options->simd_max};
    *run = (struct model_run){.sequences = options->sequences,
                              .pages_each =
                                  (options->context_max + KV_PAGE_TOKENS - 1) / KV_PAGE_TOKENS};
    TRY(device_open(&run->device, &device, err)); /* a kind that opens has its ops */
    const struct ops *ops = options->ops ? options->ops : ops_of(options->device);
    const int32_t splits = options->context_max / ops->attention_split + 1;
    const int32_t page_count = run->sequences * run->pages_each;
    const struct batch_build_limits limits = {.rows_max = options->rows_max,
                                              .heads_max = options->head_max,
                                              .partials_max = options->rows_max * splits,
                                              .samples_max = options->head_max,
                                              .copies_max = 1,
                                              .page_count = page_count,
                                              .spans_max = options->sequences,
                                              .split = ops->attention_split};
    const struct forward_limits forward = {.rows_max = options->rows_max,
                                           .positions_max = options->context_max,
                                           .head_max = options->head_max,
                                           .partials_max = limits.partials_max,
                                           .samples_max = limits.samples_max,
                                           .copies_max = limits.copies_max,
                                           .page_count = page_count,
                                           .kv_type = options->kv_type};
    TRY(arena_init(&run->arena, ARENA_BYTES, err));
    TRY(make_pages(run, err));
    TRY(batch_build_init(&run->build, &limits, &run->arena, err));
    TRY(model_open(&run->model, options->path, options->precision, run->device, err));
    return forward_init(&run->forward, run->model, ops, run->device, &forward, err);
}

void model_run_close(struct model_run *run)
{
    if (run->forward.device)
        forward_deinit(&run->forward);
    model_close(run->model, run->device);
    arena_deinit(&run->arena);
    device_close(run->device);
    *run = (struct model_run){0};
}

void model_run_share(struct model_run *run, int32_t sequence, int32_t from, int32_t pages)
{
    for (int32_t i = 0; i < pages; i++)
        run->pages[sequence * run->pages_each + i] = run->pages[from * run->pages_each + i];
}

enum status model_run_step(struct model_run *run, const struct model_run_part *parts,
                           int32_t part_count, struct error *err)
{
    struct batch batch;
    int32_t row = 0;
    batch_build_begin(&run->build);
    for (int32_t i = 0; i < part_count; i++) {
        const struct model_run_part *part = &parts[i];
        const int32_t *pages = run->pages + part->sequence * run->pages_each;
        token_id *tokens = batch_build_rows(&run->build, pages, part->first, part->count);
        for (int32_t j = 0; j < part->count; j++) {
            tokens[j] = part->tokens[j];
            const bool is_last = j + 1 == part->count;
            if (part->heads == MODEL_RUN_ALL || (part->heads == MODEL_RUN_LAST && is_last))
                (void)batch_build_head(&run->build, row + j);
        }
        row += part->count;
    }
    batch_build_end(&run->build, &batch);
    return forward_run(&run->forward, &batch, NULL, err);
}

enum status model_run_fetch(struct model_run *run, const float **logits, struct error *err)
{
    *logits = forward_logits(&run->forward);
    if (*logits)
        return OK;
    TRY(device_wait(run->device, err));
    FAIL(err, ERR_MEMORY, "model_run: no room for %d rows of %d logits",
         run->forward.limits.head_max, run->model->config.vocab);
}

const float *model_run_logits(struct model_run *run, int32_t i)
{
    const float *logits;
    const enum status status = model_run_fetch(run, &logits, NULL);
    assert(status == OK);
    (void)status;
    return logits + (int64_t)i * run->model->config.vocab;
}
