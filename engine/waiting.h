/*
 * waiting - the sequences that wait to be admitted, and which of them comes next.
 *
 * Jobs of one batch come in whatever order somebody's loops made; those with a common prefix
 * belong together (a cohort), so that the prefix is computed once and let go after its last
 * job. Waiting sequences are kept in the order of their prompts, where a cohort is a run of
 * neighbours, and in a line, by rank. Next is
 *
 *     1. of those that share more whole pages with the one admitted last than the eldest does,
 *        the one that shares most;
 *     2. such a mate of a running sequence, looked for when something new has arrived;
 *     3. the eldest.
 *
 * Eldest by rank, that is by arrival, moved by the job's priority (seq.h): who comes later with
 * a greater priority passes those that came not much earlier, and everybody's turn comes. Rules
 * 1 and 2 take nobody of less priority than the eldest.
 *
 * The eldest is passed over WAITING_OVERTAKES_MAX times at most, then it is next: nobody
 * starves, and cohorts come in the order of their first arrivals.
 *
 * Memory   waiting_init allocates, nothing else does.
 * Thread   the engine thread only.
 */
#ifndef ENGINE_WAITING_H
#define ENGINE_WAITING_H

#include "base/arena.h"
#include "engine/seq.h"

enum { WAITING_OVERTAKES_MAX = 1024 };

struct waiting {
    struct seq **sorted; /* [count] by prompt, then as in the line */
    uint32_t count, capacity;
    struct seq *eldest, *youngest; /* ends of the line: by rank, then job, then sample */
    struct seq *last_added;        /* NULL, or in the line: where to look for a place first */
    token_id *last;                /* [last_count] prompt of the one admitted last */
    uint32_t last_count, last_capacity;
    uint64_t arrivals;  /* sequences added so far: has something come since? */
    uint32_t overtakes; /* in a row, of the eldest */
};

/* Room for capacity sequences with prompts of prompt_max tokens. ERR_MEMORY: arena full. */
MUST_USE enum status waiting_init(struct waiting *waiting, uint32_t capacity,
                                  uint32_t prompt_max, struct arena *arena, struct error *err);

/* Adds a sequence; there must be room. */
void waiting_add(struct waiting *waiting, struct seq *seq);
void waiting_remove(struct waiting *waiting, struct seq *seq);

/* The next to admit, or NULL. running[running_count] are those with a slot. */
struct seq *waiting_next(struct waiting *waiting, struct seq *const *running,
                         uint32_t running_count);

/* Removes seq, which waiting_next gave, because it is admitted. */
void waiting_admit(struct waiting *waiting, struct seq *seq);

/* Asserts what is always true. O(count * prompt): for tests. */
void waiting_check(const struct waiting *waiting);

#endif
