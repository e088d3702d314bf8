/*
 * progress - where a run of rounds stands, in one line for whoever waits.
 *
 *     on a terminal   one line, written over and over
 *     elsewhere       a line when phase or round changes, and one every PROGRESS_EVERY_S while
 *                     workers work; with --progress json each is one JSON object:
 *                     {"event": "progress", "phase", "round", "jobs_done", "jobs_total",
 *                     "tokens_per_s", "dollars", "saved_dollars", "seconds"}
 */
#ifndef TOOLS_PROGRESS_H
#define TOOLS_PROGRESS_H

#include "base/text.h"
#include "protocol/minions/round.h"

#include <stdbool.h>
#include <stdint.h>

enum { PROGRESS_EVERY_S = 5 };

struct progress {
    enum round_phase phase;
    uint32_t round; /* 0: none yet */
    uint32_t jobs_done, jobs_total;
    double tokens_per_s; /* while workers work; 0: not known yet */
    double dollars;
    double remote_only_dollars; /* what one call with all documents would cost */
    double seconds;             /* since the start */
};

/* A run that is watched, and what is known of it from one look to the next. */
struct progress_watch {
    const struct round_progress *run;
    double start_s, remote_only_dollars;
    double looked_s;  /* from the start to the last look; 0: there was none */
    double working_s; /* between looks, while workers work */
};

/* Before the run, for it writes to its ledger. start_s: clock_now_s when it was asked for. */
void progress_watch_init(struct progress_watch *watch, const struct round_progress *run,
                         const struct ledger *ledger, const struct documents *documents,
                         double start_s);
/* Where the run stands; now_s: clock_now_s. */
struct progress progress_look(struct progress_watch *watch, double now_s);

enum progress_style { PROGRESS_PLAIN, PROGRESS_JSON };

/* Appends the line, without a newline. */
void progress_line(const struct progress *progress, enum progress_style style,
                   struct text_buf *line);

/* Whether, after last was shown, now should be where there is no terminal. */
bool progress_is_due(const struct progress *last, const struct progress *now);

#endif
