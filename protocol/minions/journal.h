/*
 * journal - what runs did, in one SQLite file: enough to go on after kill -9 at any point.
 *
 *     journal_open -> journal_begin | journal_resume -> (calls, jobs, rounds) -> journal_end
 *                  -> journal_runs, journal_rounds, journal_calls: for people
 *
 * A run is resumed by running it again from its start: the journal is asked first, and what is
 * there is not done twice.
 *
 *   Calls   numbered as they come, and kept with the request's own bytes. The intent is
 *           written before the first byte is sent: a call without an answer may have been
 *           served and paid, so its charge stays in the ledger, and it is sent again. An
 *           answered one never is.
 *   Jobs    found by their content (prompt, target, limits, seed, key), whatever their order.
 *           Each is written when it is over.
 *
 * A committed row outlives the process (WAL, synchronous=NORMAL; a power cut may take the last
 * rows, and leaves the file whole). A file that SQLite finds damaged is ERR_FORMAT, and one of
 * a later format is refused by its number; one of an earlier format is brought to this one.
 *
 * Owner    journal_open gives, journal_close takes. Texts read go into the caller's arena.
 * Thread   one thread at a time. Of two processes one holds a run; the other is told.
 */
#ifndef MINIONS_JOURNAL_H
#define MINIONS_JOURNAL_H

#include "base/arena.h"
#include "base/error.h"
#include "base/text.h"
#include "protocol/minions/worker.h"

#include <stdbool.h>
#include <stdint.h>

enum { JOURNAL_KEY_BYTES = 48 };

struct journal;

enum journal_state { JOURNAL_UNFINISHED, JOURNAL_ANSWERED, JOURNAL_FAILED };

struct journal_run {
    int64_t id;
    enum journal_state state;
    int64_t begun_unix_s, ended_unix_s; /* ended 0: it has not */
    struct text options; /* JSON of whoever began it: question, documents, model */
    struct text result;  /* JSON: answer, citations, ledger; or the error's text */
};

/* A paid call: what was sent, what it used, and the reply, if there was one. */
struct journal_call {
    uint32_t number;     /* from 0, in the order of the run */
    struct text request; /* the body, as sent */
    struct text reply;   /* the model's text */
    bool is_answered, is_cut, is_estimated;
    uint32_t attempts;
    uint64_t sent_bytes, received_bytes, prompt_tokens, output_tokens;
    double dollars;  /* spent, or charged while the answer is not known */
    uint64_t tokens; /* the same */
};

struct journal_round {
    uint32_t number; /* from 1 */
    struct text program, findings;
    uint32_t jobs;
    uint32_t outcomes[8]; /* by enum job_output_kind */
};

/* Opens the file, or makes it (and no folder). ERR_IO, ERR_FORMAT. */
MUST_USE enum status journal_open(struct journal **journal, const char *path,
                                  struct error *err);
void journal_close(struct journal *journal); /* NULL is fine */

/* Begins a run; *run is its number. */
MUST_USE enum status journal_begin(struct journal *journal, struct text options, int64_t *run,
                                   struct error *err);
/* Goes on with one. ERR_FORMAT there is no such run, or it was answered; ERR_LIMIT another
 * process is at it. */
MUST_USE enum status journal_resume(struct journal *journal, int64_t run, struct error *err);
int64_t journal_run_number(const struct journal *journal);
/* What tells the run from every other: its number and when it was begun. */
void journal_key(const struct journal *journal, char key[JOURNAL_KEY_BYTES]);
MUST_USE enum status journal_end(struct journal *journal, enum journal_state state,
                                 struct text result, struct error *err);

/* What is known of a call: false in *is_known when it was never sent. Whether its request is
 * the one that would be sent now is the caller's to compare. */
MUST_USE enum status journal_find_call(struct journal *journal, uint32_t number,
                                       struct journal_call *call, struct arena *arena,
                                       bool *is_known, struct error *err);
/* Writes all of call over what is there: before each attempt, and when it is answered. */
MUST_USE enum status journal_put_call(struct journal *journal, const struct journal_call *call,
                                      struct error *err);

/* Fills what came of the job, if it is known. */
MUST_USE enum status journal_find_job(struct journal *journal, struct worker_job *job,
                                      struct arena *arena, bool *is_known, struct error *err);
MUST_USE enum status journal_put_job(struct journal *journal, const struct worker_job *job,
                                     struct error *err);

MUST_USE enum status journal_put_round(struct journal *journal,
                                       const struct journal_round *round, struct error *err);

/* One run; *is_known false: there is none of that number. */
MUST_USE enum status journal_find_run(struct journal *journal, int64_t id,
                                      struct journal_run *run, struct arena *arena,
                                      bool *is_known, struct error *err);
/* All runs, newest first; all rounds and calls of a run. Lists lie in the arena. */
MUST_USE enum status journal_runs(struct journal *journal, struct arena *arena,
                                  struct journal_run **runs, uint32_t *count,
                                  struct error *err);
MUST_USE enum status journal_rounds(struct journal *journal, int64_t run, struct arena *arena,
                                    struct journal_round **rounds, uint32_t *count,
                                    struct error *err);
MUST_USE enum status journal_calls(struct journal *journal, int64_t run, struct arena *arena,
                                   struct journal_call **calls, uint32_t *count,
                                   struct error *err);

#endif
