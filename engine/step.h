/*
 * step - the conductor of one step: decide, build the batch, run it, take in the results.
 *
 *     step_turn:  waiting, running --views--> sched_decide --apply, again until RUN-->
 *                 batch_build --rows--> device
 *                 settle: what the step before drew --> tokens, text, events, ends
 *                 --samples--> device
 *
 * A device that works on its own (is_ahead) computes step k while the host plans step k + 1 on
 * the assumption that all go on: where tokens are not known yet, rows name the result that will
 * tell. Only what depends on a token waits for it: text, ends, masks, penalties. Those are done
 * once the rows of step k + 1 are under way. Who turns out to have ended has had one row too
 * many, and nothing is drawn from it. On the CPU results are settled in their own turn.
 *
 * The device is a table of functions, so that all of this is tested without a model. What goes
 * up goes into the outbox, a queue of struct step_event; step never calls back.
 *
 * Owner    the caller owns the struct, the arena, the queue and what device.context points to.
 *          A job is taken by step_submit and given back in its last event.
 * Memory   step_init allocates, nothing else does (text longer than any token may).
 * Thread   the engine thread only, but for step_stats.
 */
#ifndef ENGINE_STEP_H
#define ENGINE_STEP_H

#include "base/queue.h"
#include "engine/batch_build.h"
#include "engine/masks.h"
#include "engine/sched.h"
#include "engine/waiting.h"

#include <pthread.h>

enum { STEP_EVENT_TEXT = 64 };

struct step_event {
    struct engine_event event; /* text is set by the poller, from bytes */
    struct seq_job *job;       /* DONE with samples_left 0: given to the poller to free */
    uint32_t byte_count;
    char bytes[STEP_EVENT_TEXT]; /* whole characters; longer text comes in several events */
    struct engine_top tops[ENGINE_TOPS_MAX]; /* event.tops is set by the poller */
};

/* What runs a step; the functions are those of forward.h. */
struct step_device {
    enum status (*rows)(void *context, const struct batch *batch, struct error *err);
    enum status (*samples)(void *context, const struct batch *batch, struct error *err);
    enum status (*results)(void *context, struct sample_result *results, struct error *err);
    const struct sample_top *(*tops)(const void *context); /* NULL: none are told */
    enum status (*hidden)(void *context, const float **hidden, struct error *err);
    void *context;
    bool is_ahead; /* rows and samples return before their work is done */
};

/* A sequence whose results are on their way. */
struct step_drawn {
    struct seq *seq;
    uint32_t count; /* results, one after the other */
};

struct step_options {
    struct sched_limits limits;
    uint32_t sequences_max;
    uint32_t page_count;
    uint32_t tokens_max;               /* per sequence, prompt and output */
    uint32_t jobs_max;                 /* submitted and not ended */
    const struct tokenizer *tokenizer; /* NULL: events carry no text, no token ends */
    struct masks *masks;               /* for jobs with a constraint; NULL: none comes */
    struct queue *outbox;              /* of struct step_event */
    double (*now_s)(void);             /* for deadlines; NULL: base/clock.h */
    bool has_drafts; /* what copies from its prompt is guessed ahead (draft.h) */
    struct step_device device;
};

struct step {
    struct step_options options;
    struct kv_pool pool;
    struct kv_prefix prefix;
    struct waiting waiting;
    struct batch_build build;
    struct seq **running; /* [running_count] in order of admission; NULL: ended just now */
    uint32_t running_count;
    int32_t *slots_free; /* [slots_free_count] */
    uint32_t slots_free_count;
    int32_t *index_of_slot; /* [sequences_max] place in running */
    kv_page *tables;        /* [sequences_max + 1][table_pages]; the last is scratch */
    uint32_t table_pages;
    struct sched_seq *views; /* [sequences_max] */
    struct sched_rows *rows; /* [sequences_max] */
    struct step_drawn
        *drawn; /* [drawn_count] in order of their results; at most sequences_max */
    uint32_t drawn_count;
    struct sample_result *results;
    double run_s; /* that this turn has waited for the device, or worked for it */
    struct text_buf decoded, shown;
    struct constraint_text ahead;    /* step_shape.c: a text past tokens that are guessed */
    struct engine_stats stats;       /* the engine thread's own */
    struct engine_stats shown_stats; /* a copy under the lock, for other threads */
    pthread_mutex_t stats_lock;
    bool has_lock;
    struct error failure;   /* ERR_DEVICE once the device has failed; written under the lock */
    double next_deadline_s; /* no job is past its deadline before that; 0: none has one */
    uint32_t output_expected; /* tokens, a running mean over samples that ended */
    bool preempted;           /* COHORT_HARD: this turn has had its preemption */
};

/* ERR_LIMIT, ERR_MEMORY; deinit is safe after failure on a zeroed struct. */
MUST_USE enum status step_init(struct step *step, const struct step_options *options,
                               struct arena *arena, struct error *err);
void step_deinit(struct step *step); /* all jobs must have ended */

/* Takes a valid job (see engine_check.h) into the line. */
void step_submit(struct step *step, struct seq_job *job);
/* Ends what of the job still waits or runs; an unknown id is none of our business. */
void step_cancel(struct step *step, uint64_t job_id);
/* Ends the jobs whose events go there. */
void step_cancel_outbox(struct step *step, const struct queue *outbox);
/* Ends everything. */
void step_cancel_all(struct step *step);

/* One step. False: nothing runs and nothing waits. */
bool step_turn(struct step *step);

/* From any thread. Whoever has polled a DONE event finds its work counted. */
void step_stats(struct step *step, struct engine_stats *stats);
/* OK, or ERR_DEVICE and its sentence once a run has failed so: whatever waited or ran has ended
 * with ENGINE_FAILED then, and so does at once what is submitted later. From any thread. */
enum status step_failure(struct step *step, struct error *err);
/* For step_output.c: makes a copy of what is counted so far. */
void step_show_stats(struct step *step);
/* Asserts what is always true of pool, tree, line and sequences. For tests. */
void step_check(const struct step *step);

#endif
