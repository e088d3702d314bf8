/* step_fake - see step_fake.h. */
#include "tests/harness/step_fake.h"

#include "kernels/embed.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct step_fake_slot *slot_at(const struct step_fake *fake, int32_t page, int32_t at)
{
    assert(page >= 0 && page < fake->page_count);
    return &fake->slots[(size_t)page * KV_PAGE_TOKENS + (size_t)(at % KV_PAGE_TOKENS)];
}

static void copy_pages(struct step_fake *fake, const struct batch *batch)
{
    for (int32_t i = 0; i < batch->copy_count; i++) {
        for (int32_t j = 0; j < batch->copy_count; j++)
            assert(batch->copy_from[i] != batch->copy_to[j]);
        memcpy(slot_at(fake, batch->copy_to[i], 0), slot_at(fake, batch->copy_from[i], 0),
               KV_PAGE_TOKENS * sizeof *fake->slots);
    }
    fake->copies += (uint64_t)batch->copy_count;
}

static void append_keys(struct step_fake *fake, const struct batch *batch)
{
    for (int32_t r = 0; r < batch->row_count; r++) {
        struct step_fake_slot *slot = slot_at(fake, batch->kv_pages[r], batch->positions[r]);
        slot->token = batch->tokens[r];
        if (slot->token < 0) {
            const int32_t result = EMBED_CHOSEN(slot->token);
            assert(result < fake->result_count && fake->is_unsettled);
            slot->token = fake->chosen[result].token;
            fake->ahead++;
        }
        slot->position = batch->positions[r];
    }
}

/* Each row has each of its splits once. */
static void check_work(const struct batch *batch)
{
    const struct attention_work *work = &batch->work;
    static uint8_t seen[1 << 20];
    assert(work->partial_count <= (int32_t)sizeof seen);
    memset(seen, 0, (size_t)work->partial_count);
    for (int32_t i = 0; i < work->item_count; i++) {
        const struct attention_item *item = &work->items[i];
        assert(item->kv_begin % work->split == 0);
        assert(item->kv_count >= 1 && item->kv_count <= work->split);
        for (int32_t j = 0; j < item->row_count; j++) {
            const int32_t row = work->rows[item->rows_first + j];
            const int32_t sees = batch->positions[row] + 1 - item->kv_begin;
            assert(sees >= 1 && (sees <= item->kv_count || item->kv_count == work->split));
            uint8_t *partial = &seen[work->partials_first[row] + item->kv_begin / work->split];
            assert(*partial == 0);
            *partial = 1;
        }
    }
    assert(work->partial_count == work->partials_first[batch->row_count]);
    for (int32_t i = 0; i < work->partial_count; i++)
        assert(seen[i]);
}

/* The tokens that a row sees, through the work list. */
static uint32_t gather(const struct step_fake *fake, const struct batch *batch, int32_t row,
                       token_id *tokens)
{
    const struct attention_work *work = &batch->work;
    const int32_t count = batch->positions[row] + 1;
    int32_t found = 0;
    for (int32_t i = 0; i < work->item_count; i++) {
        const struct attention_item *item = &work->items[i];
        bool mine = false;
        for (int32_t j = 0; j < item->row_count && !mine; j++)
            mine = work->rows[item->rows_first + j] == row;
        for (int32_t k = 0; mine && k < item->kv_count && item->kv_begin + k < count; k++) {
            const int32_t page = work->pages[item->pages_first + k / KV_PAGE_TOKENS];
            const struct step_fake_slot *slot = slot_at(fake, page, k);
            assert(slot->position == item->kv_begin + k);
            tokens[slot->position] = slot->token;
            found++;
        }
    }
    assert(found == count);
    return (uint32_t)count;
}

bool step_fake_init(struct step_fake *fake, int32_t page_count)
{
    const size_t count = (size_t)page_count * KV_PAGE_TOKENS;
    *fake = (struct step_fake){.page_count = page_count, .checks = true};
    fake->slots = malloc(count * sizeof *fake->slots);
    for (size_t i = 0; fake->slots && i < count; i++)
        fake->slots[i] = (struct step_fake_slot){.token = TOKEN_NONE, .position = -1};
    return fake->slots != NULL;
}

void step_fake_deinit(struct step_fake *fake)
{
    free(fake->slots);
}

token_id step_fake_next(const token_id *tokens, uint32_t count, uint64_t seed, uint32_t sample)
{
    uint64_t hash = seed * 0x9e3779b97f4a7c15u + sample;
    for (uint32_t i = 0; i < count; i++) {
        hash = (hash ^ (uint32_t)tokens[i]) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 29;
    }
    if (seed == STEP_FAKE_COPIES && count > 1 && hash >> 32 & 7)
        for (uint32_t i = 0; i + 1 < count; i++)
            if (tokens[i] == tokens[count - 1])
                return tokens[i + 1];
    return (token_id)(hash % STEP_FAKE_VOCAB);
}

enum status step_fake_rows(void *context, const struct batch *batch, struct error *err)
{
    struct step_fake *fake = context;
    fake->batch = batch;
    fake->steps++;
    fake->rows += (uint64_t)batch->row_count;
    fake->heads += (uint64_t)batch->head_count;
    if (fake->fail_at > 0 && fake->steps == (uint64_t)fake->fail_at) {
        for (int32_t i = 0; i < fake->page_count * KV_PAGE_TOKENS; i++)
            fake->slots[i].position = -1; /* and everything on it is lost */
        fake->is_unsettled = false;
        FAIL(err, fake->fail_with, "the fake device fails at step %d", fake->fail_at);
    }
    if (fake->checks) {
        copy_pages(fake, batch);
        append_keys(fake, batch);
        check_work(batch);
    }
    return OK;
}

enum status step_fake_samples(void *context, const struct batch *batch, struct error *err)
{
    struct step_fake *fake = context;
    token_id tokens[STEP_FAKE_CONTEXT];
    int32_t gathered = -1;
    uint32_t count = 0;
    (void)err;
    assert(!fake->is_unsettled && batch->sample_count <= STEP_FAKE_RESULTS);
    for (int32_t i = 0; i < batch->sample_count; i++) {
        const struct sample_row *sample = &batch->samples[i];
        assert(sample->logits_row < batch->head_count);
        const int32_t row = batch->head_rows[sample->logits_row];
        if (fake->checks && gathered != row)
            count = gather(fake, batch, row, tokens);
        gathered = row;
        const token_id next = step_fake_next(tokens, count, sample->seed, sample->sample);
        fake->chosen[i].token = sample->target >= 0 ? sample->target : next;
        if (fake->none_of > 0 && next % fake->none_of == 0)
            fake->chosen[i].token = TOKEN_NONE;
        fake->chosen[i].logprob = -(float)((next * 7 + sample->target) % 97) / 16;
        assert(!fake->checks || sample->position == count);
    }
    memcpy(fake->sent, fake->chosen, sizeof fake->sent);
    fake->result_count = batch->sample_count;
    fake->is_unsettled = true;
    return OK;
}

enum status step_fake_results(void *context, struct sample_result *results, struct error *err)
{
    struct step_fake *fake = context;
    (void)err;
    assert(fake->is_unsettled);
    memcpy(results, fake->sent, (size_t)fake->result_count * sizeof *results);
    fake->is_unsettled = false;
    return OK;
}

void step_fake_state(const token_id *tokens, uint32_t count, float hidden[STEP_FAKE_HIDDEN])
{
    hidden[0] = (float)step_fake_next(tokens, count, 7, 3);
    hidden[1] = (float)count;
}

enum status step_fake_hidden(void *context, const float **hidden, struct error *err)
{
    struct step_fake *fake = context;
    token_id tokens[STEP_FAKE_CONTEXT];
    (void)err;
    assert(fake->batch->head_count <= STEP_FAKE_RESULTS);
    for (int32_t i = 0; i < fake->batch->head_count; i++) {
        const uint32_t count = gather(fake, fake->batch, fake->batch->head_rows[i], tokens);
        step_fake_state(tokens, count, fake->hidden[i]);
    }
    *hidden = fake->hidden[0];
    return OK;
}
