/*
 * eval - what the files of `cohort eval` share: questions with known answers, put to the ways
 * of answering and judged.
 *
 *     eval_args -> eval_questions -> eval_results (what is done already)
 *         -> per question and way: eval_run -> eval_results -> eval_table
 *
 * The unit is one question put one way. Each is a run of its own in the journal, begun before
 * its first call, and a line in the results file when it is over. The same command line goes on
 * with a killed evaluation: units with a line are not asked again, and the one that was begun
 * goes on with its run, whose answered calls are not paid twice.
 */
#ifndef TOOLS_EVAL_H
#define TOOLS_EVAL_H

#include "base/arena.h"
#include "base/text.h"
#include "protocol/minions/documents.h"
#include "protocol/minions/judge.h"
#include "protocol/minions/ledger.h"
#include "protocol/minions/worker.h"
#include "tools/engine_args.h"
#include "tools/supervisor_args.h"

#include <stdbool.h>
#include <stdint.h>

enum eval_way {
    EVAL_REMOTE,  /* the documents in the supervisor's prompt */
    EVAL_LOCAL,   /* the rounds with the local supervisor */
    EVAL_MINION,  /* one local worker talks with the remote supervisor */
    EVAL_MINIONS, /* the rounds with the remote one */
    EVAL_WAYS
};

enum { EVAL_KEY_BYTES = 33, EVAL_QUESTIONS_MAX = 100000, EVAL_ID_MAX = 200 };

/* What came of a unit. Texts lie in the arena. */
struct eval_outcome {
    char key[EVAL_KEY_BYTES]; /* of the question's line and all that the way depends on */
    int64_t run;              /* in the journal; 0: none */
    bool is_over, is_answered, is_right;
    bool is_resumed;       /* its seconds are those of its last process */
    enum judge_kind judge; /* JUDGE_AUTO: there was nothing to judge */
    struct text answer, error;
    double dollars, judge_dollars, seconds, model_s;
    uint64_t calls, sent_bytes, received_bytes, prompt_tokens, output_tokens, judge_tokens;
    uint64_t jobs, left_bytes;
};

struct eval_question {
    uint32_t line;
    struct text source;   /* the line itself */
    struct text id;       /* its id, else its number */
    struct text question; /* as it is asked: with the options */
    struct judge_expected expected;
    const char **paths; /* [path_count] */
    uint32_t path_count;
    struct eval_outcome outcomes[EVAL_WAYS];
};

struct eval {
    /* What was asked for. */
    struct engine_args engine_args;
    struct supervisor_args supervisor_args;
    const char *ways_words, *questions_path, *out_path, *journal_path;
    bool ways[EVAL_WAYS];
    int judge;                                /* enum judge_kind */
    float tolerance;                          /* in percent */
    uint32_t remote_context, rounds, samples; /* rounds, samples: 0: the default */
    int worker_kind;
    uint64_t seed;
    bool json, skip_malformed;
    int argc;
    char **argv;

    /* What it became. */
    struct arena arena;
    struct eval_question *questions; /* [count] */
    uint32_t count, malformed;
    struct ledger_price price;
    struct engine *engine;
    struct worker worker;
    int results; /* descriptor; -1: none is written */
};

const char *eval_way_word(enum eval_way way);
/* What the units so far have cost, judging included. */
void eval_spent(const struct eval *eval, double *dollars, uint64_t *tokens);
/* By which rule a question's answers are judged; what it says of one (not JUDGE_MODEL). */
enum judge_kind eval_judge_kind(const struct eval *eval, const struct eval_question *question);
bool eval_judge(const struct eval *eval, const struct eval_question *question,
                const struct eval_outcome *outcome);

/* A line on standard error. Control bytes become question marks: files have a say in it. */
void eval_say(const char *format, ...) PRINTF_LIKE(1, 2);

/* ---- eval_args ---- */

enum args_result eval_args_parse(struct eval *eval, int argc, char **argv);

/* ---- eval_questions: the file of questions ---- */

/* Reads it, and says of each malformed line on standard error what is wrong with it. ERR_FORMAT
 * there are such lines (unless they are skipped), or no questions; ERR_IO, ERR_LIMIT. */
MUST_USE enum status eval_questions_read(struct eval *eval, struct error *err);

/* ---- eval_results: what is done, a line each ---- */

/* Opens or makes the file, drops a torn last line, and fills the outcomes that it knows.
 * ERR_FORMAT a line is none of ours; ERR_CANCELLED another process writes it. */
MUST_USE enum status eval_results_open(struct eval *eval, struct error *err);
/* Notes that a unit's run has begun; then what came of it. On the disk when it returns. */
MUST_USE enum status eval_results_begin(const struct eval *eval,
                                        const struct eval_question *question, enum eval_way way,
                                        struct error *err);
MUST_USE enum status eval_results_add(const struct eval *eval,
                                      const struct eval_question *question, enum eval_way way,
                                      struct error *err);
/* A line without its end: also what the journal keeps as the run's result. */
void eval_results_write(const struct eval_question *question, enum eval_way way,
                        struct text_buf *out);
/* Fills the outcome from such a line; texts go into the arena. */
MUST_USE enum status eval_results_parse(struct text line, struct arena *arena,
                                        struct eval_outcome *outcome, struct error *err);

/* ---- eval_run: one unit ---- */

/* Asks, judges, and fills the outcome. An answer that cannot be had is an outcome too; an error
 * is what stops the evaluation: the budget, a server that answers nothing, a failing device. */
MUST_USE enum status eval_run(struct eval *eval, struct eval_question *question,
                              enum eval_way way, const struct documents *documents,
                              struct error *err);

/* ---- eval_table: what is printed ---- */

MUST_USE enum status eval_table_print(const struct eval *eval, struct error *err);

#endif
