/* seq - see seq.h. */
#include "engine/seq.h"

#include "base/checked.h"
#include "kernels/embed.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where the parts of a job's block lie. */
struct block {
    size_t seqs, prompt, outputs, seen, constrained, sums, vector, tables, strings, size;
};

static bool block_part(size_t count, size_t elem_size, size_t *at, size_t *end)
{
    size_t bytes;
    if (!checked_align_size(*end, 8, at) || !checked_mul_size(count, elem_size, &bytes))
        return false;
    return checked_add_size(*at, bytes, end);
}

/* How much of what depends on more than the ask. */
struct sizes {
    uint32_t output_max;
    size_t seen_each;   /* entries that a sample's list has room for */
    size_t vector_size; /* 0: no vector */
};

static bool is_constrained(const struct engine_job *ask)
{
    return ask->format == ENGINE_FORMAT_SCHEMA || ask->format == ENGINE_FORMAT_REGEX;
}

static bool block_layout(const struct engine_job *ask, const struct sizes *sizes,
                         struct block *block)
{
    const size_t stop_bytes = stop_rules_size(ask->stops, ask->stop_count);
    const size_t texts = is_constrained(ask) ? ask->sample_count : 0;
    size_t end = sizeof(struct seq_job);
    size_t outputs, seen;
    if (!checked_mul_size(ask->sample_count, sizes->output_max, &outputs) ||
        !checked_mul_size(ask->sample_count, sizes->seen_each, &seen))
        return false;
    const bool fits =
        block_part(ask->sample_count, sizeof(struct seq), &block->seqs, &end) &&
        block_part(ask->prompt_tokens, sizeof(token_id), &block->prompt, &end) &&
        block_part(outputs, sizeof(token_id), &block->outputs, &end) &&
        block_part(seen, sizeof(struct sample_seen), &block->seen, &end) &&
        block_part(texts, sizeof(struct constraint_text), &block->constrained, &end) &&
        block_part(sizes->vector_size, sizeof(double), &block->sums, &end) &&
        block_part(sizes->vector_size, sizeof(float), &block->vector, &end) &&
        block_part(stop_bytes, sizeof(uint16_t), &block->tables, &end) &&
        block_part(stop_bytes, 1, &block->strings, &end);
    block->size = end;
    return fits;
}

/* Copies what the ask points to into the block. */
static void fill_job(struct seq_job *job, const struct block *block,
                     const struct engine_job *ask)
{
    char *base = (void *)job;
    token_id *prompt = (void *)(base + block->prompt);
    memcpy(prompt, ask->prompt, ask->prompt_tokens * sizeof *prompt);
    job->ask.prompt = prompt;

    struct text stops[ENGINE_STOPS_MAX];
    char *string = base + block->strings;
    for (uint32_t i = 0; i < ask->stop_count; i++) {
        memcpy(string, ask->stops[i].data, ask->stops[i].size);
        stops[i] = (struct text){.data = string, .size = ask->stops[i].size};
        string += ask->stops[i].size;
    }
    stop_rules_init(&job->stops, stops, ask->stop_count, (void *)(base + block->tables));
    job->ask.format_source = TEXT(""); /* job->constraint is what was made of it, */
    job->ask.chunk = TEXT("");         /* and job->chunk of this */
    job->ask.stops = NULL;             /* job->stops has them */
    job->ask.biases = NULL;            /* the sequences' lists have them */
}

/* seen[seen_count] is the job's list, of which each sample has a copy that can grow. */
static struct seq_job *make_job(const struct engine_job *ask, const struct sizes *sizes,
                                const struct sample_seen *seen, uint32_t seen_count)
{
    struct block block;
    if (!block_layout(ask, sizes, &block))
        return NULL;
    char *base = malloc(block.size);
    if (!base)
        return NULL;
    struct seq_job *job = (void *)base;
    *job = (struct seq_job){.ask = *ask, .output_max = sizes->output_max};
    job->vector_size = (uint32_t)sizes->vector_size;
    job->sums = (void *)(base + block.sums);
    job->vector = (void *)(base + block.vector);
    memset(job->sums, 0, sizes->vector_size * sizeof *job->sums);
    job->samples_left = ask->sample_count;
    job->seqs = (void *)(base + block.seqs);
    fill_job(job, &block, ask);
    token_id *outputs = (void *)(base + block.outputs);
    struct sample_seen *lists = (void *)(base + block.seen);
    struct constraint_text *texts = (void *)(base + block.constrained);
    for (uint32_t i = 0; i < ask->sample_count; i++) {
        struct sample_seen *list = lists + i * sizes->seen_each;
        if (seen_count > 0)
            memcpy(list, seen, seen_count * sizeof *list);
        job->seqs[i] = (struct seq){
            .job = job,
            .sample = i,
            .outputs = outputs + (size_t)i * sizes->output_max,
            .seen = {.list = list, .count = seen_count, .grows = seen_is_wanted(ask)},
            .constrained = is_constrained(ask) ? &texts[i] : NULL,
            .forced_trust = DRAFT_FORCED_FIRST,
            .forced_next = TOKEN_NONE,
            .slot = KV_PREFIX_NONE,
            .part_page = KV_PREFIX_NONE,
            .result = SEQ_NO_RESULT,
        };
    }
    return job;
}

struct seq_job *seq_job_new(const struct engine_job *ask, uint64_t id, uint32_t output_max,
                            uint32_t hidden)
{
    struct sample_seen *seen;
    uint32_t seen_count;
    if (!seen_of_job(ask, &seen, &seen_count))
        return NULL;
    const struct sizes sizes = {.output_max = output_max,
                                .seen_each =
                                    seen_count + (seen_is_wanted(ask) ? (size_t)output_max : 0),
                                .vector_size = ask->kind == ENGINE_EMBED ? hidden : 0};
    struct seq_job *job = make_job(ask, &sizes, seen, seen_count);
    free(seen);
    if (!job)
        return NULL;
    job->id = id;
    job->rank = id + (uint64_t)(ENGINE_PRIORITY_MAX - ask->priority) * ENGINE_PRIORITY_JOBS;
    return job;
}

void seq_job_free(struct seq_job *job)
{
    if (job) {
        constraint_table_drop(job->constraint);
        constraint_table_drop(job->chunk);
    }
    free(job);
}

static token_id token_at(const struct seq *seq, uint32_t i)
{
    const struct engine_job *ask = &seq->job->ask;
    if (i < ask->prompt_tokens)
        return ask->prompt[i];
    if (i - ask->prompt_tokens < seq->output_count)
        return seq->outputs[i - ask->prompt_tokens];
    if (seq->result != SEQ_NO_RESULT) {
        assert(i - ask->prompt_tokens == seq->output_count);
        return EMBED_CHOSEN(seq->result);
    }
    assert(i - seq_total(seq) < seq->draft_planned);
    return seq->drafted[i - seq_total(seq)];
}

void seq_tokens(const struct seq *seq, uint32_t first, uint32_t count, token_id *out)
{
    for (uint32_t i = 0; i < count; i++)
        out[i] = token_at(seq, first + i);
}

uint32_t seq_drawn(const struct seq *seq)
{
    return seq->output_count + (seq->result != SEQ_NO_RESULT);
}

struct draft_text seq_draft_text(const struct seq *seq)
{
    return (struct draft_text){.prompt = seq->job->ask.prompt,
                               .outputs = seq->outputs,
                               .prompt_tokens = seq->job->ask.prompt_tokens,
                               .output_count = seq->output_count};
}

uint32_t seq_total(const struct seq *seq)
{
    const struct engine_job *ask = &seq->job->ask;
    switch (ask->kind) {
    case ENGINE_SCORE:
        return ask->prompt_tokens - 1;
    case ENGINE_EMBED:
        return ask->prompt_tokens;
    case ENGINE_GENERATE:
        break;
    }
    return ask->prompt_tokens + seq_drawn(seq);
}

bool seq_is_ending(const struct seq *seq)
{
    return seq->job->ask.kind == ENGINE_GENERATE ? seq_drawn(seq) == seq->job->output_max
                                                 : seq->ready == seq_total(seq);
}

uint32_t seq_heads_from(const struct seq *seq)
{
    const struct engine_job *ask = &seq->job->ask;
    if (ask->kind == ENGINE_SCORE)
        return ask->prompt_tokens - 1 - ask->score_tokens;
    if (ask->kind == ENGINE_EMBED && ask->pooling == ENGINE_POOL_MEAN)
        return 0;
    return seq_total(seq) - 1;
}

static uint32_t pages_for(uint32_t tokens)
{
    return (tokens + KV_PAGE_TOKENS - 1) / KV_PAGE_TOKENS;
}

/* Follows the tree along the sequence's tokens, leaving at least the first position whose
 * logits are wanted to be computed. A page may lie across prompt and output. */
static uint32_t match_pages(const struct seq *seq, const struct kv_prefix *prefix,
                            kv_page *pages)
{
    const uint32_t pages_max = seq_heads_from(seq) / KV_PAGE_TOKENS;
    const uint32_t in_prompt = seq->job->ask.prompt_tokens / KV_PAGE_TOKENS;
    const uint32_t first = pages_max < in_prompt ? pages_max : in_prompt;
    uint32_t count = kv_prefix_match(prefix, seq->job->ask.prompt, first, pages);
    while (count >= in_prompt && count < pages_max) {
        token_id tokens[KV_PAGE_TOKENS];
        seq_tokens(seq, count * KV_PAGE_TOKENS, KV_PAGE_TOKENS, tokens);
        const kv_page parent = count > 0 ? pages[count - 1] : KV_PREFIX_NONE;
        const kv_page child = kv_prefix_find(prefix, parent, tokens);
        if (child == KV_PREFIX_NONE)
            break;
        pages[count++] = child;
    }
    return count;
}

struct seq_need seq_need(const struct seq *seq, const struct kv_prefix *prefix,
                         kv_page *scratch)
{
    const uint32_t found = match_pages(seq, prefix, scratch);
    return (struct seq_need){
        .fresh = pages_for(seq_total(seq)) - found,
        .reviving = kv_prefix_unheld(prefix, scratch, found),
    };
}

/* The tree may have a page that begins as our first own page does: a shared prefix seldom
 * ends where a page does. Its beginning is copied instead of computed. */
static void find_part(struct seq *seq, struct kv_prefix *prefix, uint32_t found, uint32_t spare)
{
    const uint32_t begin = found * KV_PAGE_TOKENS;
    const uint32_t room = seq_heads_from(seq) - begin;
    const uint32_t count = room < KV_PAGE_TOKENS ? room : KV_PAGE_TOKENS - 1;
    token_id tokens[KV_PAGE_TOKENS];
    uint32_t common = 0;
    seq_tokens(seq, begin, count, tokens);
    const kv_page parent = found > 0 ? seq->pages[found - 1] : KV_PREFIX_NONE;
    const kv_page page = kv_prefix_match_part(prefix, parent, tokens, count, &common);
    if (page == KV_PREFIX_NONE ||
        kv_prefix_available(prefix) < spare + kv_prefix_unheld(prefix, &page, 1))
        return;
    kv_prefix_hold(prefix, &page, 1);
    seq->part_page = page;
    seq->part_tokens = common;
    seq->part_index = found;
    seq->part_copied = false;
}

/* Puts pages[first ..] in the tree as far as they are whole and no twin is there: those to be
 * computed under their owner, or (owner KV_PREFIX_NONE) those that are computed. */
static void publish(struct seq *seq, struct kv_prefix *prefix, uint32_t first, int32_t owner)
{
    const uint32_t whole = owner == KV_PREFIX_NONE ? seq->ready : seq_total(seq);
    for (uint32_t i = first; i < whole / KV_PAGE_TOKENS; i++) {
        if (kv_prefix_has(prefix, seq->pages[i]))
            continue;
        token_id tokens[KV_PAGE_TOKENS];
        seq_tokens(seq, i * KV_PAGE_TOKENS, KV_PAGE_TOKENS, tokens);
        const kv_page parent = i > 0 ? seq->pages[i - 1] : KV_PREFIX_NONE;
        if (kv_prefix_publish(prefix, parent, tokens, seq->pages[i], owner) != seq->pages[i])
            return; /* what comes after hangs under the twin, which we do not hold */
    }
}

void seq_admit(struct seq *seq, struct kv_prefix *prefix, int32_t slot, kv_page *pages,
               uint32_t spare)
{
    assert(seq->slot == KV_PREFIX_NONE && seq->part_page == KV_PREFIX_NONE);
    seq->slot = slot;
    seq->pages = pages;
    seq->ready = 0;
    seq->page_count = pages_for(seq_total(seq));
    const uint32_t found = match_pages(seq, prefix, pages);
    kv_prefix_hold(prefix, pages, found);
    const bool taken = kv_prefix_take(prefix, pages + found, seq->page_count - found);
    assert(taken);
    (void)taken;
    find_part(seq, prefix, found, spare);
    publish(seq, prefix, found, slot);
}

int32_t seq_catch_up(struct seq *seq, struct kv_prefix *prefix)
{
    while (seq->ready / KV_PAGE_TOKENS < seq->page_count) {
        const kv_page page = seq->pages[seq->ready / KV_PAGE_TOKENS];
        if (!kv_prefix_has(prefix, page))
            break;
        const uint32_t begin = seq->ready - seq->ready % KV_PAGE_TOKENS;
        const uint32_t filled = begin + kv_prefix_filled(prefix, page);
        if (filled > seq->ready)
            seq->ready = filled;
        if (filled == begin + KV_PAGE_TOKENS)
            continue;
        if (kv_prefix_owner(prefix, page) == KV_PREFIX_NONE)
            kv_prefix_set_owner(prefix, page, seq->slot);
        if (kv_prefix_owner(prefix, page) != seq->slot)
            return kv_prefix_owner(prefix, page);
        break;
    }
    return KV_PREFIX_NONE;
}

uint32_t seq_owned_until(const struct seq *seq, const struct kv_prefix *prefix,
                         uint32_t first_page, int32_t owner)
{
    uint32_t i = first_page;
    for (; i < seq->page_count; i++) {
        const kv_page page = seq->pages[i];
        const bool outside = !kv_prefix_has(prefix, page);
        if (outside ? owner != seq->slot : kv_prefix_owner(prefix, page) != owner)
            break;
    }
    const uint32_t until = i * KV_PAGE_TOKENS;
    return until < seq_total(seq) ? until : seq_total(seq);
}

bool seq_wants_page(const struct seq *seq, const struct kv_prefix *prefix)
{
    const uint32_t at = seq->ready / KV_PAGE_TOKENS;
    if (at >= seq->page_count)
        return true;
    const kv_page page = seq->pages[at];
    return !kv_prefix_has(prefix, page) && kv_pool_is_shared(prefix->pool, page);
}

bool seq_make_room(struct seq *seq, struct kv_prefix *prefix, struct seq_copy *copy)
{
    *copy = (struct seq_copy){.from = KV_PREFIX_NONE, .to = KV_PREFIX_NONE};
    if (!seq_wants_page(seq, prefix))
        return true;
    kv_page fresh;
    if (!kv_prefix_take(prefix, &fresh, 1))
        return false;
    const uint32_t at = seq->ready / KV_PAGE_TOKENS;
    if (at < seq->page_count) {
        *copy = (struct seq_copy){.from = seq->pages[at], .to = fresh};
        kv_prefix_release(prefix, &seq->pages[at], 1); /* others hold it still */
    } else {
        seq->page_count = at + 1;
    }
    seq->pages[at] = fresh;
    return true;
}

enum seq_part seq_part(struct seq *seq, struct kv_prefix *prefix)
{
    if (seq->part_page == KV_PREFIX_NONE || seq->part_copied)
        return SEQ_PART_NONE;
    const uint32_t begin = seq->part_index * KV_PAGE_TOKENS;
    const bool there = kv_prefix_filled(prefix, seq->part_page) >= seq->part_tokens;
    const bool coming = kv_prefix_owner(prefix, seq->part_page) != KV_PREFIX_NONE;
    if (seq->ready > begin || (!there && !coming)) {
        seq_part_done(seq, prefix); /* nobody computes it any more, or it is too late */
        return SEQ_PART_NONE;
    }
    return there && seq->ready == begin ? SEQ_PART_NOW : SEQ_PART_LATER;
}

struct seq_copy seq_part_copy(struct seq *seq)
{
    seq->part_copied = true;
    seq->ready += seq->part_tokens;
    return (struct seq_copy){.from = seq->part_page, .to = seq->pages[seq->part_index]};
}

void seq_part_done(struct seq *seq, struct kv_prefix *prefix)
{
    if (seq->part_page == KV_PREFIX_NONE)
        return;
    kv_prefix_release(prefix, &seq->part_page, 1);
    seq->part_page = KV_PREFIX_NONE;
}

void seq_computed(struct seq *seq, struct kv_prefix *prefix, uint32_t until)
{
    while (seq->ready < until) {
        const uint32_t at = seq->ready / KV_PAGE_TOKENS;
        const uint32_t end = (at + 1) * KV_PAGE_TOKENS;
        seq->ready = end < until ? end : until;
        if (kv_prefix_has(prefix, seq->pages[at]))
            kv_prefix_set_filled(prefix, seq->pages[at], seq->ready - at * KV_PAGE_TOKENS);
    }
}

void seq_fork(struct seq *fork, const struct seq *leader, struct kv_prefix *prefix,
              int32_t slot, kv_page *pages)
{
    assert(fork->slot == KV_PREFIX_NONE && leader->part_page == KV_PREFIX_NONE);
    memcpy(pages, leader->pages, leader->page_count * sizeof *pages);
    kv_prefix_hold(prefix, pages, leader->page_count);
    fork->slot = slot;
    fork->pages = pages;
    fork->page_count = leader->page_count;
    fork->ready = leader->ready;
    fork->head_row = leader->head_row;
    fork->head_first = leader->head_first;
    fork->head_count = leader->head_count;
}

void seq_embed_add(struct seq *seq, const float *hidden)
{
    for (uint32_t i = 0; i < seq->job->vector_size; i++)
        seq->job->sums[i] += (double)hidden[i];
}

bool seq_embed_end(struct seq *seq)
{
    const struct seq_job *job = seq->job;
    const uint32_t count = job->ask.prompt_tokens - seq_heads_from(seq);
    bool is_sound = true;
    for (uint32_t i = 0; i < job->vector_size; i++) {
        job->vector[i] = (float)(job->sums[i] / count);
        is_sound = is_sound && isfinite(job->vector[i]);
    }
    return is_sound;
}

void seq_forget(struct seq *seq)
{
    seq->score = 0.0;
    seq->scored_count = 0;
    memset(seq->job->sums, 0, seq->job->vector_size * sizeof *seq->job->sums);
}

void seq_release(struct seq *seq, struct kv_prefix *prefix)
{
    seq_part_done(seq, prefix);
    seq->result = SEQ_NO_RESULT;
    seq->head_count = 0;
    seq->draft_planned = seq->draft_count = 0;
    if (seq->ready > seq_total(seq))
        seq->ready = seq_total(seq);
    for (uint32_t i = 0; i < seq->page_count; i++)
        if (kv_prefix_has(prefix, seq->pages[i]) &&
            kv_prefix_owner(prefix, seq->pages[i]) == seq->slot)
            kv_prefix_set_owner(prefix, seq->pages[i], KV_PREFIX_NONE);
    publish(seq, prefix, 0, KV_PREFIX_NONE);
    kv_prefix_release(prefix, seq->pages, seq->page_count);
    seq->slot = KV_PREFIX_NONE;
    seq->pages = NULL;
    seq->page_count = 0;
    seq->ready = 0;
}
