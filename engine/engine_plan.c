/*
 * engine_plan - see engine_plan.h.
 *
 * The KV pool takes what the caller says, else a quarter of the free memory and at most 4 GiB,
 * and never more than all sequences could fill. A step has 512 rows: enough to read the
 * weights once for a chunk of prompt and for all that decode beside it, little enough that a
 * new token comes several times a second on a slow machine.
 *
 * A GPU has its memory to itself: the pool takes three quarters of what the weights leave, and
 * the rest holds a step's buffers. A step has 2,048 rows there, with which the products are
 * bound by arithmetic, and 256 sequences decode side by side.
 */
#include "engine/engine_plan.h"

enum {
    STEP_TOKENS = 512,
    STEP_TOKENS_GPU = 2048,
    STEP_TOKENS_MAX = 16384,
    SEQUENCES = 96,
    SEQUENCES_GPU = 256,
    SEQUENCES_MAX = 4096,
    HEADS_BESIDE = 96,     /* rows of score jobs with logits, beside one per sequence */
    PARTIALS_PER_ROW = 16, /* room for rows at position 2,048 on the average */
    ARENA_SLACK = 1 << 20
};

static const uint64_t POOL_BYTES_MAX = (uint64_t)4 << 30;

/* The kernels of CUDA and EMU multiply in half precision: they take no F32. */
static enum status choose_kv(const struct engine_options *options, enum device_kind kind,
                             enum kv_type *type, struct error *err)
{
    switch (options->kv) {
    case ENGINE_KV_F32:
        *type = KV_F32;
        break;
    case ENGINE_KV_F16:
        *type = KV_F16;
        break;
    case ENGINE_KV_INT8:
        *type = KV_INT8;
        break;
    case ENGINE_KV_AUTO:
        *type = options->precision == ENGINE_INT8 ? KV_INT8
                : kind == DEVICE_CPU              ? KV_F32
                                                  : KV_F16;
        break;
    }
    if (kind != DEVICE_CPU && *type == KV_F32)
        FAIL(err, ERR_LIMIT, "kv: f32 is for the CPU, %s takes f16 or int8",
             device_kind_name(kind));
    return OK;
}

static uint64_t choose_bytes(const struct engine_options *options,
                             const struct engine_plan_place *place)
{
    if (options->kv_bytes > 0)
        return options->kv_bytes;
    if (place->kind == DEVICE_CUDA)
        return place->free_bytes / 4 * 3;
    return place->free_bytes / 4 < POOL_BYTES_MAX ? place->free_bytes / 4 : POOL_BYTES_MAX;
}

static uint32_t pages_of(uint32_t tokens)
{
    return tokens / KV_PAGE_TOKENS + (tokens % KV_PAGE_TOKENS != 0);
}

/* What a sequence may have. A model with LongRoPE has one set of frequencies for texts within
 * its original context and another for longer ones. Cached keys are shared, so an engine has
 * one of them, and unless it is asked for more that of the short ones. */
static enum status choose_context(const struct engine_options *options,
                                  const struct model_config *config, uint32_t *context,
                                  struct error *err)
{
    const int32_t original = config->rope_original;
    *context = (uint32_t)config->context_max;
    if (options->context_max > *context)
        FAIL(err, ERR_LIMIT, "context_max: %u, the model was trained for %u",
             options->context_max, *context);
    if (options->context_max > 0)
        *context = options->context_max;
    else if (config->rope_is_long && original < config->context_max)
        *context = (uint32_t)original;
    return OK;
}

static enum status choose_pages(const struct engine_options *options, uint32_t context,
                                const struct engine_plan_place *place, struct engine_plan *plan,
                                struct error *err)
{
    uint64_t pages = options->kv_pages;
    if (pages == 0) {
        const uint64_t bytes = choose_bytes(options, place);
        pages = bytes / plan->page_bytes;
        const uint64_t useful = (uint64_t)pages_of(context) * plan->sequences_max;
        if (pages > useful)
            pages = useful;
        if (pages == 0)
            FAIL(err, ERR_LIMIT, "KV pool of %llu bytes: one page of %d tokens takes %llu",
                 (unsigned long long)bytes, KV_PAGE_TOKENS,
                 (unsigned long long)plan->page_bytes);
    }
    if (pages > KV_POOL_PAGES_MAX)
        pages = KV_POOL_PAGES_MAX;
    plan->page_count = (uint32_t)pages;
    const uint64_t pool_tokens = pages * KV_PAGE_TOKENS;
    plan->tokens_max = pool_tokens < context ? (uint32_t)pool_tokens : context;
    return OK;
}

/* What the arrays of pool, tree, line, batch and step take, roughly, and then some. */
static size_t arena_size(const struct engine_plan *plan, uint32_t vocab)
{
    const size_t pages = plan->page_count * (sizeof(struct kv_prefix_node) + 64);
    const size_t tables =
        ((size_t)plan->sequences_max + 1) * (plan->tokens_max / KV_PAGE_TOKENS + 65) * 8;
    const size_t batch = plan->limits.rows_max * (size_t)64 +
                         plan->limits.partials_max * ((size_t)160 + plan->limits.split / 4);
    const size_t line = (size_t)ENGINE_QUEUE_MAX * 16 + plan->tokens_max * (size_t)8;
    const size_t texts = (size_t)vocab * (sizeof(struct text) + 1);
    const size_t samples =
        (plan->limits.heads_max + plan->sequences_max) * sizeof(struct sample_row) * 4;
    return pages + tables + batch + line + texts + samples + ARENA_SLACK;
}

/* Rows of a step, and sequences. */
static enum status choose_step(const struct engine_options *options,
                               const struct engine_plan_place *place, struct engine_plan *plan,
                               struct error *err)
{
    const bool is_gpu = place->kind == DEVICE_CUDA;
    if (options->step_tokens > STEP_TOKENS_MAX)
        FAIL(err, ERR_LIMIT, "step_tokens: %u, the limit is %d", options->step_tokens,
             STEP_TOKENS_MAX);
    if (options->sequences_max > SEQUENCES_MAX)
        FAIL(err, ERR_LIMIT, "sequences_max: %u, the limit is %d", options->sequences_max,
             SEQUENCES_MAX);
    plan->limits.split = (uint32_t)place->ops->attention_split;
    plan->limits.rows_max = is_gpu ? STEP_TOKENS_GPU : STEP_TOKENS;
    plan->sequences_max = is_gpu ? SEQUENCES_GPU : SEQUENCES;
    if (options->step_tokens)
        plan->limits.rows_max = options->step_tokens;
    if (options->sequences_max)
        plan->sequences_max = options->sequences_max;
    return OK;
}

/* What a step of such rows may have beside them. */
static void fill_limits(struct engine_plan *plan)
{
    const uint32_t row_partials = plan->tokens_max / plan->limits.split + 1;
    const uint32_t rows = plan->limits.rows_max;
    const uint32_t heads = plan->sequences_max + HEADS_BESIDE;
    plan->limits.partials_max =
        rows * (row_partials < PARTIALS_PER_ROW ? row_partials : PARTIALS_PER_ROW);
    if (plan->limits.partials_max < row_partials)
        plan->limits.partials_max = row_partials;
    plan->limits.heads_max = heads < rows ? heads : rows;
    plan->forward = (struct forward_limits){
        .rows_max = (int32_t)rows,
        .positions_max = (int32_t)plan->tokens_max,
        .head_max = (int32_t)plan->limits.heads_max,
        .partials_max = (int32_t)plan->limits.partials_max,
        .samples_max = (int32_t)(plan->limits.heads_max + plan->sequences_max),
        .copies_max = (int32_t)plan->sequences_max * 2,
        .page_count = (int32_t)plan->page_count,
        .kv_type = plan->kv_type,
    };
}

enum status engine_plan_make(const struct engine_options *options,
                             const struct model_config *config,
                             const struct engine_plan_place *place, struct engine_plan *plan,
                             struct error *err)
{
    uint32_t context;
    *plan = (struct engine_plan){.page_count = 0};
    TRY(choose_step(options, place, plan, err));
    TRY(choose_kv(options, place->kind, &plan->kv_type, err));
    const struct kv_cache cache = {.type = plan->kv_type,
                                   .layers = config->layers,
                                   .kv_heads = config->kv_heads,
                                   .head_dim = config->head_dim,
                                   .page_count = 1};
    plan->page_bytes = kv_layout_page_bytes(&cache);
    TRY(choose_context(options, config, &context, err));
    TRY(choose_pages(options, context, place, plan, err));
    if (plan->tokens_max < 2)
        FAIL(err, ERR_LIMIT, "context of %u tokens: want at least 2", plan->tokens_max);
    fill_limits(plan);
    plan->arena_bytes = arena_size(plan, (uint32_t)config->vocab);
    return OK;
}
