/*
 * ask - what the files of `cohort ask` share: a question on its way through the command.
 *
 *     ask_args_parse -> (ask_journal_begin) -> answer -> ask_print -> (ask_journal_end)
 */
#ifndef TOOLS_ASK_H
#define TOOLS_ASK_H

#include "base/text.h"
#include "protocol/minions/journal.h"
#include "protocol/minions/round.h"
#include "tools/args.h"
#include "tools/engine_args.h"
#include "tools/progress.h"
#include "tools/supervisor_args.h"
#include "tools/workers_args.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum ask_progress {
    ASK_PROGRESS_AUTO,
    ASK_PROGRESS_PLAIN,
    ASK_PROGRESS_JSON,
    ASK_PROGRESS_NONE
};

struct ask {
    /* What was asked for. */
    struct engine_args engine_args;
    struct workers_args workers_args;
    struct args_list files;
    struct supervisor_args supervisor_args;
    uint32_t rounds, samples;
    struct prompts_wishes wishes;
    int worker_kind, retrieve, protocol; /* enum round_worker, bm25 or not, round_protocol */
    uint64_t seed, resume;               /* resume: the run to go on with; 0: a new one */
    const char *journal_path;            /* NULL: where it always is; "none": nothing is kept */
    bool json, dry_run;
    int show_progress; /* enum ask_progress */

    /* What it became. */
    struct engine *engine;
    struct documents documents;
    struct supervisor_link supervisor;
    struct text_buf question;
    struct ledger ledger;
    struct worker worker; /* on the engine, or with --workers elsewhere */
    bool is_elsewhere;
    struct worker_fleet_bytes worker_bytes;
    struct egress worker_egress; /* with --workers */
    struct journal *journal;     /* NULL: none is kept */
    int64_t run;                 /* its number in the journal */
    struct arena arena;          /* texts from the journal */
    struct round_progress progress;
    struct round_result result;
    double start_s;
    int io_code; /* the exit code of an ERR_IO, where the command stands */
};

/* ---- ask_args: the options ---- */

/* Reads options and question; says on standard error what is missing. */
enum args_result ask_args_parse(struct ask *ask, int argc, char **argv);

/* ---- ask_ticker: progress.h's lines on standard error while it runs ---- */

struct ask_ticker {
    struct ask *ask;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop_cond;
    bool stop, is_running, is_terminal, has_shown;
    int width;             /* of the line on the terminal */
    struct progress shown; /* last */
    struct text_buf line;
    struct progress_watch watch;
};

void ask_ticker_start(struct ask_ticker *ticker, struct ask *ask);
void ask_ticker_stop(struct ask_ticker *ticker);

/* ---- ask_print: the result ---- */

MUST_USE enum status ask_print(const struct ask *ask, struct error *err);
/* The result as one JSON object, without a newline. */
void ask_print_json(const struct ask *ask, struct text_buf *out);

/* ---- ask_journal: runs that survive their process ---- */

/* Opens the journal. With --resume, reads the options of that run in place of the command
 * line's. ERR_FORMAT there is no such run; what journal.h says. */
MUST_USE enum status ask_journal_open(struct ask *ask, struct error *err);
/* After the documents are read: writes the run, or checks that it is the same. */
MUST_USE enum status ask_journal_begin(struct ask *ask, int argc, char **argv,
                                       struct error *err);
/* How it ended. */
MUST_USE enum status ask_journal_end(struct ask *ask, enum status ended,
                                     const struct error *why, struct error *err);

#endif
