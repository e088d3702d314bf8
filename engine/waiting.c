/* waiting - see waiting.h. */
#include "engine/waiting.h"

#include <assert.h>
#include <string.h>

static uint32_t common_tokens(const token_id *a, uint32_t a_count, const token_id *b,
                              uint32_t b_count)
{
    const uint32_t both = a_count < b_count ? a_count : b_count;
    uint32_t i = 0;
    while (i < both && a[i] == b[i])
        i++;
    return i;
}

static int prompt_order(const token_id *a, uint32_t a_count, const token_id *b,
                        uint32_t b_count)
{
    const uint32_t same = common_tokens(a, a_count, b, b_count);
    if (same < a_count && same < b_count)
        return a[same] < b[same] ? -1 : 1;
    return (a_count > b_count) - (a_count < b_count);
}

/* Elder first: by rank, by job, then by sample. */
static bool is_elder(const struct seq *a, const struct seq *b)
{
    if (a->job->rank != b->job->rank)
        return a->job->rank < b->job->rank;
    return a->job->id < b->job->id || (a->job->id == b->job->id && a->sample < b->sample);
}

/* Index of the first waiting sequence that does not stand before (prompt, seq); seq NULL
 * stands before all with that prompt. */
static uint32_t lower_bound(const struct waiting *waiting, const token_id *prompt,
                            uint32_t count, const struct seq *seq)
{
    uint32_t first = 0;
    uint32_t end = waiting->count;
    while (first < end) {
        const uint32_t middle = first + (end - first) / 2;
        const struct seq *at = waiting->sorted[middle];
        const int order =
            prompt_order(at->job->ask.prompt, at->job->ask.prompt_tokens, prompt, count);
        if (order < 0 || (order == 0 && seq && is_elder(at, seq)))
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

static uint32_t common_pages(const struct seq *seq, const token_id *prompt, uint32_t count)
{
    return common_tokens(seq->job->ask.prompt, seq->job->ask.prompt_tokens, prompt, count) /
           KV_PAGE_TOKENS;
}

/* The waiting sequence that shares most pages with prompt, if more than the eldest does. */
static struct seq *find_mate(const struct waiting *waiting, const token_id *prompt,
                             uint32_t count)
{
    struct seq *best = NULL;
    uint32_t best_pages = common_pages(waiting->eldest, prompt, count);
    const uint32_t at = lower_bound(waiting, prompt, count, NULL);
    for (uint32_t i = at > 0 ? at - 1 : 0; i <= at && i < waiting->count; i++) {
        const uint32_t pages = common_pages(waiting->sorted[i], prompt, count);
        if (pages < best_pages || (pages == best_pages && !best) ||
            waiting->sorted[i]->job->ask.priority < waiting->eldest->job->ask.priority)
            continue;
        if (pages > best_pages || is_elder(waiting->sorted[i], best))
            best = waiting->sorted[i];
        best_pages = pages;
    }
    return best;
}

enum status waiting_init(struct waiting *waiting, uint32_t capacity, uint32_t prompt_max,
                         struct arena *arena, struct error *err)
{
    *waiting = (struct waiting){
        .sorted = ARENA_NEW(arena, struct seq *, capacity),
        .capacity = capacity,
        .last = ARENA_NEW(arena, token_id, prompt_max),
        .last_capacity = prompt_max,
        .arrivals = 1,
    };
    if (!waiting->sorted || !waiting->last)
        FAIL(err, ERR_MEMORY, "line of %u jobs: the arena is full", capacity);
    return OK;
}

/* Before whom seq belongs in the line; NULL: at its end. New jobs are mostly the youngest,
 * preempted ones among the eldest, and those of one priority come one after the other. */
static struct seq *find_place(const struct waiting *waiting, const struct seq *seq)
{
    struct seq *after = waiting->last_added;
    if (!waiting->youngest || is_elder(waiting->youngest, seq))
        return NULL;
    if (!after || !is_elder(waiting->eldest, seq))
        after = waiting->eldest;
    while (is_elder(after, seq)) /* ends: the youngest is not elder */
        after = after->line_after;
    while (after->line_before && !is_elder(after->line_before, seq))
        after = after->line_before;
    return after;
}

void waiting_add(struct waiting *waiting, struct seq *seq)
{
    assert(waiting->count < waiting->capacity);
    const struct engine_job *ask = &seq->job->ask;
    const uint32_t at = lower_bound(waiting, ask->prompt, ask->prompt_tokens, seq);
    memmove(waiting->sorted + at + 1, waiting->sorted + at,
            (waiting->count - at) * sizeof *waiting->sorted);
    waiting->sorted[at] = seq;
    waiting->count++;
    waiting->arrivals++;

    struct seq *after = find_place(waiting, seq);
    seq->line_after = after;
    waiting->last_added = seq;
    seq->line_before = after ? after->line_before : waiting->youngest;
    *(seq->line_before ? &seq->line_before->line_after : &waiting->eldest) = seq;
    *(after ? &after->line_before : &waiting->youngest) = seq;
    if (waiting->eldest == seq)
        waiting->overtakes = 0;
}

void waiting_remove(struct waiting *waiting, struct seq *seq)
{
    const struct engine_job *ask = &seq->job->ask;
    const uint32_t at = lower_bound(waiting, ask->prompt, ask->prompt_tokens, seq);
    assert(at < waiting->count && waiting->sorted[at] == seq);
    waiting->count--;
    memmove(waiting->sorted + at, waiting->sorted + at + 1,
            (waiting->count - at) * sizeof *waiting->sorted);
    if (waiting->eldest == seq)
        waiting->overtakes = 0;
    if (waiting->last_added == seq)
        waiting->last_added = seq->line_before ? seq->line_before : seq->line_after;
    *(seq->line_before ? &seq->line_before->line_after : &waiting->eldest) = seq->line_after;
    *(seq->line_after ? &seq->line_after->line_before : &waiting->youngest) = seq->line_before;
    seq->line_before = NULL;
    seq->line_after = NULL;
}

struct seq *waiting_next(struct waiting *waiting, struct seq *const *running,
                         uint32_t running_count)
{
    if (waiting->count == 0 || waiting->overtakes >= WAITING_OVERTAKES_MAX)
        return waiting->eldest;
    struct seq *mate = find_mate(waiting, waiting->last, waiting->last_count);
    for (uint32_t i = 0; i < running_count && !mate; i++) {
        if (running[i]->mates_seen == waiting->arrivals)
            continue;
        const struct engine_job *ask = &running[i]->job->ask;
        mate = find_mate(waiting, ask->prompt, ask->prompt_tokens);
        if (!mate)
            running[i]->mates_seen = waiting->arrivals;
    }
    return mate ? mate : waiting->eldest;
}

void waiting_admit(struct waiting *waiting, struct seq *seq)
{
    const struct engine_job *ask = &seq->job->ask;
    assert(ask->prompt_tokens <= waiting->last_capacity);
    memcpy(waiting->last, ask->prompt, ask->prompt_tokens * sizeof *ask->prompt);
    waiting->last_count = ask->prompt_tokens;
    const bool overtakes = waiting->eldest != seq;
    waiting_remove(waiting, seq);
    if (overtakes)
        waiting->overtakes++;
}

void waiting_check(const struct waiting *waiting)
{
    uint32_t in_line = 0;
    bool has_last_added = false;
    for (const struct seq *seq = waiting->eldest; seq; seq = seq->line_after) {
        assert(seq->slot == KV_PREFIX_NONE);
        assert(!seq->line_after || is_elder(seq, seq->line_after));
        assert(seq->line_after ? seq->line_after->line_before == seq
                               : waiting->youngest == seq);
        has_last_added |= seq == waiting->last_added;
        in_line++;
    }
    assert(in_line == waiting->count && waiting->count <= waiting->capacity);
    assert(has_last_added || (!waiting->last_added && in_line == 0));
    for (uint32_t i = 1; i < waiting->count; i++) {
        const struct seq *seq = waiting->sorted[i - 1], *next = waiting->sorted[i];
        const struct engine_job *a = &seq->job->ask, *b = &next->job->ask;
        const int order =
            prompt_order(a->prompt, a->prompt_tokens, b->prompt, b->prompt_tokens);
        assert(order < 0 || (order == 0 && is_elder(seq, next)));
    }
}
