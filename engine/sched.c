/* sched - see sched.h. */
#include "engine/sched.h"

#include <assert.h>

/* What is left of a step's limits. */
struct room {
    uint32_t rows, heads, partials;
    uint32_t split;
};

static uint32_t min_u32(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static bool is_decoding(const struct sched_seq *seq)
{
    return !seq->is_held && seq->wait_for == SCHED_NONE && seq->ready + 1 == seq->total &&
           seq->run_until == seq->total;
}

/* Of count rows from first on, how many fit, and takes their room. */
static uint32_t take_rows(struct room *room, const struct sched_seq *seq, uint32_t first,
                          uint32_t count)
{
    uint32_t fit = min_u32(count, room->rows);
    const uint32_t before_heads = seq->heads_from > first ? seq->heads_from - first : 0;
    if (fit > before_heads)
        fit = before_heads + min_u32(fit - before_heads, room->heads);

    uint32_t done = 0; /* rows up to the end of each split have the same number of partials */
    while (done < fit) {
        const uint32_t at = first + done;
        const uint32_t each = at / room->split + 1;
        const uint32_t in_split = min_u32(fit - done, each * room->split - at);
        const uint32_t taken = min_u32(in_split, room->partials / each);
        room->partials -= taken * each;
        done += taken;
        if (taken < in_split)
            break;
    }
    room->rows -= done;
    room->heads -= done > before_heads ? done - before_heads : 0;
    return done;
}

static void share_decoding(const struct sched_state *state, struct room *room,
                           struct sched_decision *decision)
{
    for (uint32_t i = 0; i < state->seq_count; i++) {
        const struct sched_seq *seq = &state->seqs[i];
        decision->rows[i] = (struct sched_rows){.first = seq->ready};
        if (is_decoding(seq))
            decision->rows[i].count = take_rows(room, seq, seq->ready, 1);
        decision->decode_rows += decision->rows[i].count;
    }
}

/* Guessed rows take what one row for each has left; of a draft its beginning is of use too. */
static void share_drafts(const struct sched_state *state, struct room *room,
                         struct sched_decision *decision)
{
    for (uint32_t i = 0; i < state->seq_count; i++) {
        const struct sched_seq *seq = &state->seqs[i];
        struct sched_rows *rows = &decision->rows[i];
        if (seq->draft == 0 || rows->count == 0 || !is_decoding(seq))
            continue;
        const uint32_t taken = take_rows(room, seq, seq->total, seq->draft);
        rows->count += taken;
        decision->decode_rows += taken;
    }
}

static void share_prefill(const struct sched_state *state, struct room *room,
                          struct sched_decision *decision)
{
    for (uint32_t i = 0; i < state->seq_count; i++) {
        const struct sched_seq *seq = &state->seqs[i];
        struct sched_rows *rows = &decision->rows[i];
        if (seq->is_held || is_decoding(seq))
            continue;
        if (seq->wait_for != SCHED_NONE) {
            const struct sched_rows *other = &decision->rows[seq->wait_for];
            if (other->first + other->count < seq->wait_until)
                continue; /* those keys are not there in this step */
            rows->first = seq->wait_until;
        }
        if (rows->first < seq->run_until)
            rows->count = take_rows(room, seq, rows->first, seq->run_until - rows->first);
    }
}

static uint32_t youngest(const struct sched_state *state)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < state->seq_count; i++)
        if (state->seqs[i].age >= state->seqs[best].age)
            best = i;
    return best;
}

/* Whether the next waiting sequence's pages fit beside what the running ones want now and are
 * expected to want. Alone, it needs to fit just so. */
static bool waiting_fits(const struct sched_state *state, uint32_t pages_wanted)
{
    if (!state->waiting.there || state->slots_free == 0)
        return false;
    uint64_t pages = (uint64_t)state->waiting.pages + pages_wanted;
    if (state->seq_count > 0)
        pages += state->waiting.page_growth;
    for (uint32_t i = 0; i < state->seq_count; i++)
        pages += state->seqs[i].page_growth;
    return pages <= state->pages_available;
}

void sched_decide(const struct sched_state *state, struct sched_decision *decision)
{
    decision->kind = SCHED_DO_NOTHING;
    decision->rows_total = 0;
    decision->decode_rows = 0;
    uint32_t pages_wanted = 0;
    uint32_t held = 0;
    for (uint32_t i = 0; i < state->seq_count; i++) {
        pages_wanted += state->seqs[i].wants_page;
        held += state->seqs[i].is_held;
    }
    if (state->seq_count > 1 && (pages_wanted > state->pages_available || state->preempt_one)) {
        decision->kind = SCHED_DO_PREEMPT;
        decision->victim = youngest(state);
        return;
    }

    struct room room = {
        .rows = state->limits.rows_max,
        .heads = state->limits.heads_max,
        .partials = state->limits.partials_max,
        .split = state->limits.split,
    };
    share_decoding(state, &room, decision);
    share_drafts(state, &room, decision);
    share_prefill(state, &room, decision);
    decision->rows_total = state->limits.rows_max - room.rows;
    if (room.rows > 0 && waiting_fits(state, pages_wanted)) {
        decision->kind = SCHED_DO_ADMIT;
        return;
    }
    if (decision->rows_total > 0)
        decision->kind = SCHED_DO_RUN;
    else
        assert(state->seq_count == held && (held > 0 || !state->waiting.there));
}
