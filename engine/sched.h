/*
 * sched - what to do next, as a pure function of what is known.
 *
 * The conductor describes the running sequences and the next waiting one, asks, applies the
 * answer, and asks again until the answer is to run a step (or that there is nothing to do):
 *
 *     PREEMPT victim   pages are short for the decoding sequences: the youngest gives up its
 *     ADMIT            the next waiting sequence: rows are left in the step, and its pages fit
 *     RUN rows[]       a step: each decoding sequence one row, then what of their drafts has
 *                      room, then prefill chunks in order
 *     NOTHING          nothing runs and nothing waits, or all that runs is held
 *
 * Promises, tested: a step's rows, heads and partials keep to the limits; decoding rows come
 * before prefill; a sequence computes no row whose earlier keys are not computed before or in
 * the same step; the eldest is never preempted while another runs, so that all end; pages are
 * kept back at admission for what running sequences are expected to write.
 */
#ifndef ENGINE_SCHED_H
#define ENGINE_SCHED_H

#include <stdbool.h>
#include <stdint.h>

enum { SCHED_NONE = -1 };

struct sched_limits {
    uint32_t rows_max;     /* tokens per step */
    uint32_t heads_max;    /* rows with logits per step */
    uint32_t partials_max; /* attention partials per step: a row at position p has
                              p / split + 1 */
    uint32_t split;        /* keys */
};

/* A running sequence. Token positions; all of [0, ready) is computed. */
struct sched_seq {
    uint64_t age;        /* smaller is elder */
    uint32_t ready;      /* next position to compute */
    uint32_t total;      /* where it ends for now: position total - 1 gives the next token */
    uint32_t heads_from; /* positions from here on want logits */
    int32_t wait_for;    /* index of the sequence that computes [ready, wait_until), or
                            SCHED_NONE: it is its own to compute */
    uint32_t wait_until;
    uint32_t run_until; /* it may compute up to here, counted from ready or wait_until */
    uint32_t draft;     /* a decoding one: guessed tokens that may be computed after its own */
    bool is_held;       /* nothing of it is computed in this step: it is ending, or what comes
                             next depends on results that are on their way */
    bool wants_page;    /* appending needs a fresh page */
    uint32_t page_growth; /* pages it is expected to take yet, for its output */
};

struct sched_waiting {
    bool there;
    uint32_t pages; /* that admitting it makes unavailable */
    uint32_t page_growth;
};

struct sched_state {
    struct sched_limits limits;
    const struct sched_seq *seqs; /* [seq_count] in order of admission */
    uint32_t seq_count;
    uint32_t slots_free;
    uint32_t pages_available;
    struct sched_waiting waiting;
    bool preempt_one; /* preempt the youngest even though pages are there: for tests */
};

enum sched_kind { SCHED_DO_NOTHING, SCHED_DO_PREEMPT, SCHED_DO_ADMIT, SCHED_DO_RUN };

struct sched_rows {
    uint32_t first, count; /* positions; count 0: not in this step */
};

struct sched_decision {
    enum sched_kind kind;
    uint32_t victim;         /* PREEMPT: index of the sequence */
    struct sched_rows *rows; /* RUN: [seq_count], the caller's room */
    uint32_t rows_total, decode_rows;
};

/* Fills *decision; its rows must have room for seq_count. */
void sched_decide(const struct sched_state *state, struct sched_decision *decision);

#endif
