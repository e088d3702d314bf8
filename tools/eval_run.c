/* eval_run - see eval.h. */
#include "tools/eval.h"

#include "base/clock.h"
#include "protocol/minions/job_output.h"
#include "protocol/minions/journal.h"
#include "protocol/minions/round.h"
#include "protocol/minions/whole.h"
#include "tools/run_record.h"

#include <stdio.h>
#include <string.h>

/* A unit on its way. */
struct unit {
    struct eval *eval;
    struct eval_question *question;
    const struct documents *documents;
    enum eval_way way;
    enum judge_kind judge;
    struct eval_outcome *outcome;
    struct journal *journal; /* NULL: none is kept */
    struct supervisor_link supervisor;
    struct ledger ledger;
    struct text_buf answer;
    double start_s;
};

/* ---- its run in the journal ---- */

/* Goes on with the run that the results file names; *is_over: its outcome is in the journal. */
static enum status resume(struct unit *unit, bool *is_known, bool *is_over, struct error *err)
{
    struct eval_outcome *outcome = unit->outcome;
    struct eval_outcome kept;
    struct journal_run run = {0};
    const int64_t number = outcome->run;
    TRY(journal_find_run(unit->journal, number, &run, &unit->eval->arena, is_known, err));
    if (!*is_known)
        return OK;
    *is_over = run.state == JOURNAL_ANSWERED;
    if (*is_over) {
        TRY(eval_results_parse(run.result, &unit->eval->arena, &kept, err));
        if (memcmp(kept.key, outcome->key, EVAL_KEY_BYTES) != 0)
            FAIL(err, ERR_FORMAT, "run %lld of the journal is of another question",
                 (long long)number);
        *outcome = kept;
        return OK;
    }
    outcome->is_resumed = true;
    TRY(journal_resume(unit->journal, number, err));
    return run_record_check(run.options, number, unit->documents, err);
}

static enum status begin(struct unit *unit, bool *is_over, struct error *err)
{
    struct eval *eval = unit->eval;
    const char *path = eval->journal_path;
    bool is_known = false;
    if (path && strcmp(path, "none") == 0)
        return OK;
    TRY(run_record_open(&unit->journal, path, err));
    if (unit->outcome->run > 0)
        TRY(resume(unit, &is_known, is_over, err));
    if (is_known)
        return OK;
    const struct run_record record = {.question = unit->question->question,
                                      .argc = eval->argc,
                                      .argv = eval->argv,
                                      .documents = unit->documents,
                                      .way = eval_way_word(unit->way)};
    TRY(run_record_begin(unit->journal, &record, &unit->outcome->run, err));
    return eval_results_begin(eval, unit->question, unit->way, err);
}

/* ---- asking ---- */

static enum status open_supervisor(struct unit *unit, struct error *err)
{
    const struct eval *eval = unit->eval;
    const struct remote_options more = {.journal = unit->journal};
    double spent_dollars = 0;
    uint64_t spent_tokens = 0;
    eval_spent(eval, &spent_dollars, &spent_tokens);
    const uint64_t tokens = eval->supervisor_args.budget_tokens;
    unit->ledger = (struct ledger){
        .price = eval->price,
        .budget_dollars = (double)eval->supervisor_args.budget - spent_dollars,
        .budget_tokens = tokens > spent_tokens ? tokens - spent_tokens : tokens > 0,
    };
    if (unit->way == EVAL_LOCAL && unit->judge != JUDGE_MODEL)
        return OK;
    return supervisor_args_open(&eval->supervisor_args, &more, &unit->ledger, &unit->supervisor,
                                err);
}

static enum status ask_rounds(struct unit *unit, struct error *err)
{
    const struct eval *eval = unit->eval;
    struct round_progress progress = {0};
    struct round_result result = {0};
    const struct round_options options = {
        .question = unit->question->question,
        .documents = unit->documents,
        .worker = &eval->worker,
        .remote = unit->way == EVAL_LOCAL ? NULL : unit->supervisor.remote,
        .ledger = &unit->ledger,
        .journal = unit->journal,
        .rounds_max = eval->rounds,
        .samples = eval->samples,
        .kind = (enum round_worker)eval->worker_kind,
        .protocol = unit->way == EVAL_MINION ? ROUND_MINION : ROUND_MINIONS,
        .seed = eval->seed,
    };
    const enum status status = round_run(&options, &progress, &result, err);
    if (status == OK)
        text_buf_add(&unit->answer, text_buf_text(&result.answer));
    round_result_deinit(&result);
    return status;
}

static enum status ask(struct unit *unit, struct error *err)
{
    if (unit->way != EVAL_REMOTE)
        return ask_rounds(unit, err);
    const struct whole_options options = {.question = unit->question->question,
                                          .documents = unit->documents,
                                          .context_tokens = unit->eval->remote_context};
    return whole_answer(unit->supervisor.remote, &options, &unit->answer,
                        &unit->outcome->left_bytes, err);
}

/* What the answer took, before anything is judged. */
static void take_ledger(const struct ledger *ledger, struct eval_outcome *outcome)
{
    outcome->dollars = ledger->dollars;
    outcome->calls = ledger->calls;
    outcome->sent_bytes = ledger->sent_bytes;
    outcome->received_bytes = ledger->received_bytes;
    outcome->prompt_tokens = ledger->remote_prompt_tokens;
    outcome->output_tokens = ledger->remote_output_tokens;
    outcome->jobs = ledger->jobs;
    outcome->model_s = ledger->times.model_s;
}

static enum status judge(struct unit *unit, struct error *err)
{
    struct eval_outcome *outcome = unit->outcome;
    const struct ledger before = unit->ledger;
    outcome->judge = unit->judge;
    outcome->is_right = false;
    if (unit->judge != JUDGE_MODEL) {
        outcome->is_right = eval_judge(unit->eval, unit->question, outcome);
        return OK;
    }
    const enum status status =
        judge_by_model(unit->supervisor.remote, &unit->question->expected, outcome->answer,
                       &outcome->is_right, err);
    outcome->judge_dollars = unit->ledger.dollars - before.dollars;
    outcome->judge_tokens = unit->ledger.tokens - before.tokens;
    return status;
}

/* Asks and judges; the outcome then holds the answer and what it took. */
static enum status answer(struct unit *unit, struct error *err)
{
    struct eval_outcome *outcome = unit->outcome;
    TRY(open_supervisor(unit, err));
    const enum status status = ask(unit, err);
    take_ledger(&unit->ledger, outcome);
    outcome->seconds = clock_now_s() - unit->start_s;
    TRY(status);
    outcome->answer = text_copy(text_buf_text(&unit->answer), &unit->eval->arena);
    if (unit->answer.failed || !outcome->answer.data)
        FAIL(err, ERR_MEMORY, "no memory for an answer");
    return judge(unit, err);
}

/* ---- how it ends ---- */

/* Whether the failure is the question's own, and the next one may fare better. */
static bool is_own(const struct unit *unit, enum status status)
{
    if (status == ERR_FORMAT)
        return true;
    if (status == ERR_LIMIT)
        return !unit->ledger.is_spent;
    return status == ERR_REMOTE && unit->ledger.remote_output_tokens > 0;
}

static enum status end(struct unit *unit, enum status status, struct error *why,
                       struct error *err)
{
    struct eval_outcome *outcome = unit->outcome;
    struct text_buf result = {0};
    outcome->is_answered = status == OK;
    outcome->is_over = outcome->is_answered || is_own(unit, status);
    outcome->error = text_copy(text_of(why->text), &unit->eval->arena);
    if (outcome->is_answered)
        eval_results_write(unit->question, unit->way, &result);
    else
        text_buf_add(&result, text_of(why->text));
    enum status kept = OK;
    if (unit->journal)
        kept = journal_end(unit->journal, status == OK ? JOURNAL_ANSWERED : JOURNAL_FAILED,
                           text_buf_text(&result), err);
    if (kept == OK && (result.failed || !outcome->error.data))
        kept = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "no memory for a result");
    text_buf_deinit(&result);
    TRY(kept);
    if (!outcome->is_over)
        FAIL(err, status, "%.230s", why->text);
    return eval_results_add(unit->eval, unit->question, unit->way, err);
}

enum status eval_run(struct eval *eval, struct eval_question *question, enum eval_way way,
                     const struct documents *documents, struct error *err)
{
    struct error why = {0};
    bool is_over = false;
    struct unit unit = {
        .eval = eval,
        .question = question,
        .documents = documents,
        .way = way,
        .judge = eval_judge_kind(eval, question),
        .outcome = &question->outcomes[way],
        .start_s = clock_now_s(),
    };
    enum status status = begin(&unit, &is_over, err);
    if (status == OK && is_over) {
        status = eval_results_add(eval, question, way, err);
    } else if (status == OK) {
        const enum status answered = answer(&unit, &why);
        status = end(&unit, answered, &why, err);
    }
    supervisor_args_close(&unit.supervisor);
    journal_close(unit.journal);
    text_buf_deinit(&unit.answer);
    return status;
}
