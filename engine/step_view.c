/* step_view - see step_view.h. */
#include "engine/step_view.h"

#include "engine/step_draft.h"

/* Pages that a sequence and its forks are expected to take for the rest of their output. */
static uint32_t page_growth(const struct step *step, const struct seq *seq, uint32_t samples)
{
    if (seq->job->ask.kind != ENGINE_GENERATE)
        return 0;
    const uint32_t drawn = seq_drawn(seq);
    uint32_t more =
        step->output_expected > drawn ? step->output_expected - drawn : KV_PAGE_TOKENS;
    if (more > seq->job->output_max - drawn)
        more = seq->job->output_max - drawn;
    const uint32_t total = seq_total(seq);
    const uint32_t held = (total + KV_PAGE_TOKENS - 1) / KV_PAGE_TOKENS;
    const uint32_t wanted = (total + more + KV_PAGE_TOKENS - 1) / KV_PAGE_TOKENS;
    const uint32_t split = samples > 1 && total % KV_PAGE_TOKENS != 0; /* a copy each */
    return (wanted - held + split) * samples;
}

/* Whether its next rows cannot, or should not, be planned before results are in. */
static bool is_held(const struct seq *seq)
{
    return seq_is_ending(seq) || seq->draft_count > 0 || step_draft_is_awaited(seq);
}

struct sched_seq step_view_seq(struct step *step, struct seq *seq)
{
    if (is_held(seq))
        return (struct sched_seq){.age = seq->job->rank,
                                  .ready = seq->ready,
                                  .total = seq_total(seq),
                                  .heads_from = seq_total(seq),
                                  .wait_for = SCHED_NONE,
                                  .run_until = seq->ready,
                                  .is_held = true};
    const struct kv_prefix *prefix = &step->prefix;
    const int32_t wait_slot = seq_catch_up(seq, &step->prefix);
    const enum seq_part part = seq_part(seq, &step->prefix);
    struct sched_seq view = {
        .age = seq->job->rank,
        .ready = seq->ready + (part == SEQ_PART_NOW ? seq->part_tokens : 0),
        .total = seq_total(seq),
        .heads_from = seq_heads_from(seq),
        .wait_for = SCHED_NONE,
        .wants_page = seq_wants_page(seq, prefix),
        .page_growth = page_growth(step, seq, seq->forks + 1),
    };
    if (seq->result == SEQ_NO_RESULT)
        view.draft = step_draft_plan(step, seq);
    if (wait_slot != KV_PREFIX_NONE) {
        view.wait_for = step->index_of_slot[wait_slot];
        view.wait_until = seq_owned_until(seq, prefix, seq->ready / KV_PAGE_TOKENS, wait_slot);
    }
    const uint32_t own = wait_slot == KV_PREFIX_NONE ? seq->ready : view.wait_until;
    view.run_until = view.total;
    if (!view.wants_page)
        view.run_until = seq_owned_until(seq, prefix, own / KV_PAGE_TOKENS, seq->slot);
    const uint32_t part_begin = seq->part_index * KV_PAGE_TOKENS;
    if (part == SEQ_PART_LATER && view.run_until > part_begin)
        view.run_until = part_begin; /* what follows will be copied from another */
    return view;
}

void step_view_all(struct step *step)
{
    for (uint32_t i = 0; i < step->running_count; i++)
        step->views[i] = step_view_seq(step, step->running[i]);
}

struct sched_waiting step_view_waiting(const struct step *step, const struct seq *next)
{
    if (!next)
        return (struct sched_waiting){.there = false};
    kv_page *scratch = step->tables + (size_t)step->options.sequences_max * step->table_pages;
    const struct seq_need need = seq_need(next, &step->prefix, scratch);
    return (struct sched_waiting){
        .there = true,
        .pages = need.fresh + need.reviving,
        .page_growth = page_growth(step, next, 1),
    };
}
