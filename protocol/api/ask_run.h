/*
 * ask_run - an ask on its way through the engine: its jobs, and the reply that their events
 * become.
 *
 *     ask --ask_run_init--> run --ask_run_jobs, for each prompt--> jobs for the engine
 *                            ^---ask_run_take---- their events
 *
 * A prompt is one job of all its samples. One that comes back with log-probabilities is scored
 * by a second one; one that nothing is to go on from has no job of its own. Each end of a
 * sample, and of a job that scores, is one end of the run.
 *
 * Owner    ask_run_init allocates, ask_run_deinit frees.
 * Thread   ask_run_jobs for prompts that the engine does not have yet, beside ask_run_take for
 *          those that it has; else one at a time.
 */
#ifndef API_ASK_RUN_H
#define API_ASK_RUN_H

#include "protocol/api/ask.h"
#include "protocol/api/reply.h"

/* In the low half of a job's tag stands the prompt's index; with this it scores the prompt. The
 * high half is the caller's. */
#define ASK_RUN_SCORE_TAG (1U << 31)

struct ask_run {
    const struct engine *engine;
    struct reply reply;
    uint32_t samples; /* of each prompt */
    uint32_t ends_max;
    uint32_t mute_tokens; /* of prompts that nothing is to go on from */
    bool has_failed;
};

/* Room for what comes of it. ERR_LIMIT too many prompts or samples; ERR_MEMORY. */
MUST_USE enum status ask_run_init(struct ask_run *run, const struct engine *engine,
                                  const struct ask *ask, struct error *err);
void ask_run_deinit(struct ask_run *run); /* safe on a zeroed struct */

enum { ASK_RUN_JOBS_MAX = 2 };
/* A prompt's jobs; they borrow from the ask and from ids, until the next prompt's. */
struct ask_run_jobs {
    struct token_list ids; /* zeroed before the first prompt; the caller's to free */
    struct engine_job jobs[ASK_RUN_JOBS_MAX];
    uint32_t ends[ASK_RUN_JOBS_MAX];
    uint32_t count;
};
/* ERR_FORMAT, ERR_LIMIT: what is wrong with the prompt; ERR_MEMORY. */
MUST_USE enum status ask_run_jobs(struct ask_run *run, const struct ask *ask, uint32_t index,
                                  struct ask_run_jobs *made, struct error *err);

/* What an event was. */
struct ask_run_news {
    bool is_end, is_score;
    struct reply_piece piece; /* for a stream, where has_piece; its choice is always set */
    bool has_piece;
};
struct ask_run_news ask_run_take(struct ask_run *run, const struct engine_event *event);
/* All ends are over: the reply's numbers are whole. */
void ask_run_end(struct ask_run *run);

#endif
