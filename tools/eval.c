/* eval - cohort eval: accuracy beside cost, for each way of answering. See eval.h. */
#include "tools/eval.h"

#include "protocol/dsl/dsl.h"
#include "protocol/minions/worker_engine.h"
#include "tools/cohort.h"
#include "tools/exit_code.h"
#include "tools/output.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#define ARENA_BYTES ((size_t)8 << 30) /* address space; pages come as touched */

void eval_spent(const struct eval *eval, double *dollars, uint64_t *tokens)
{
    *dollars = 0;
    *tokens = 0;
    for (uint32_t i = 0; i < eval->count; i++)
        for (int way = 0; way < EVAL_WAYS; way++) {
            const struct eval_outcome *outcome = &eval->questions[i].outcomes[way];
            if (!outcome->is_over)
                continue;
            *dollars += outcome->dollars + outcome->judge_dollars;
            *tokens += outcome->prompt_tokens + outcome->output_tokens + outcome->judge_tokens;
        }
}

void eval_say(const char *format, ...)
{
    char line[600];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    (void)fprintf(stderr, "%s\n", line);
}

enum judge_kind eval_judge_kind(const struct eval *eval, const struct eval_question *question)
{
    if (eval->judge != JUDGE_AUTO)
        return (enum judge_kind)eval->judge;
    return judge_choose(&question->expected, supervisor_args_is_remote(&eval->supervisor_args));
}

bool eval_judge(const struct eval *eval, const struct eval_question *question,
                const struct eval_outcome *outcome)
{
    return outcome->judge == JUDGE_NUMERIC ? judge_numeric(&question->expected, outcome->answer,
                                                           (double)eval->tolerance / 100)
                                           : judge_exact(&question->expected, outcome->answer);
}

/* Judges what was answered before by the rule asked for now: that costs nothing, but for a
 * model's verdict. */
static enum status judge_again(struct eval *eval, struct error *err)
{
    for (uint32_t i = 0; i < eval->count; i++)
        for (int way = 0; way < EVAL_WAYS; way++) {
            struct eval_question *question = &eval->questions[i];
            struct eval_outcome *outcome = &question->outcomes[way];
            const enum judge_kind kind = eval_judge_kind(eval, question);
            if (!outcome->is_answered || (kind == JUDGE_MODEL && outcome->judge == kind))
                continue;
            if (kind == JUDGE_MODEL)
                FAIL(err, ERR_FORMAT,
                     "%.120s: the answer to line %u was judged as %s; a model's verdict wants "
                     "another --out",
                     eval->out_path, question->line, judge_word(outcome->judge));
            outcome->judge = kind;
            outcome->is_right = eval_judge(eval, question, outcome);
        }
    return OK;
}

static bool is_worker_wanted(const struct eval *eval)
{
    for (uint32_t i = 0; i < eval->count; i++)
        for (int way = 0; way < EVAL_WAYS; way++)
            if (eval->ways[way] && way != EVAL_REMOTE &&
                !eval->questions[i].outcomes[way].is_over)
                return true;
    return false;
}

static enum status open_all(struct eval *eval, struct error *err)
{
    TRY(dsl_try_limits(err)); /* while this process is small: it forks */
    TRY(arena_init(&eval->arena, ARENA_BYTES, err));
    TRY(eval_questions_read(eval, err));
    TRY(supervisor_args_price(&eval->supervisor_args, "eval", &eval->price, err));
    TRY(eval_results_open(eval, err));
    TRY(judge_again(eval, err));
    if (!is_worker_wanted(eval))
        return OK;
    TRY(engine_args_open(&eval->engine_args, NULL, &eval->engine, err));
    return worker_engine_init(&eval->worker, eval->engine, err);
}

/* A line about a unit on standard error, as it ends. */
static void tell(const struct eval *eval, const struct eval_question *question,
                 enum eval_way way)
{
    const struct eval_outcome *outcome = &question->outcomes[way];
    eval_say("%u/%u %s %s, $%.4f, %.1f s%s%.*s", (uint32_t)(question - eval->questions) + 1,
             eval->count, eval_way_word(way),
             !outcome->is_answered ? "failed"
             : outcome->is_right   ? "right"
                                   : "not right",
             outcome->dollars, outcome->seconds, outcome->is_answered ? "" : ": ",
             outcome->is_answered ? 0 : (int)outcome->error.size, outcome->error.data);
}

static bool is_done(const struct eval *eval, const struct eval_question *question)
{
    for (int way = 0; way < EVAL_WAYS; way++)
        if (eval->ways[way] && !question->outcomes[way].is_over)
            return false;
    return true;
}

/* Its documents cannot be read: no way has an answer. */
static enum status give_up(struct eval *eval, struct eval_question *question,
                           const struct error *why, struct error *err)
{
    for (int way = 0; way < EVAL_WAYS; way++) {
        struct eval_outcome *outcome = &question->outcomes[way];
        if (!eval->ways[way] || outcome->is_over)
            continue;
        outcome->is_over = true;
        outcome->error = text_copy(text_of(why->text), &eval->arena);
        if (!outcome->error.data)
            FAIL(err, ERR_MEMORY, "no memory for a result");
        TRY(eval_results_add(eval, question, (enum eval_way)way, err));
        tell(eval, question, (enum eval_way)way);
    }
    return OK;
}

/* One question, by every way that is left. */
static enum status put(struct eval *eval, struct eval_question *question, struct error *err)
{
    struct documents documents = {0};
    if (is_done(eval, question))
        return OK;
    enum status status = documents_open(&documents, question->paths, question->path_count, err);
    if (status == ERR_FORMAT || status == ERR_LIMIT || status == ERR_IO) {
        const struct error why = *err;
        documents_close(&documents);
        return give_up(eval, question, &why, err);
    }
    output_notes("eval", text_buf_text(&documents.notes));
    for (int way = 0; way < EVAL_WAYS && status == OK; way++) {
        if (!eval->ways[way] || question->outcomes[way].is_over)
            continue;
        status = eval_run(eval, question, (enum eval_way)way, &documents, err);
        if (status == OK)
            tell(eval, question, (enum eval_way)way);
    }
    documents_close(&documents);
    return status;
}

static enum status run(struct eval *eval, struct error *err)
{
    TRY(open_all(eval, err));
    for (uint32_t i = 0; i < eval->count; i++) {
        struct error why = {0};
        const enum status status = put(eval, &eval->questions[i], &why);
        if (status != OK)
            FAIL(err, status, "line %u: %.220s", eval->questions[i].line, why.text);
    }
    return eval_table_print(eval, err);
}

int eval_main(int argc, char **argv)
{
    struct error err = {0};
    struct eval *eval = calloc(1, sizeof *eval);
    if (!eval)
        return EX_OSERR;
    eval->results = -1;
    const enum args_result parsed = eval_args_parse(eval, argc, argv);
    int code = args_exit_code(parsed);
    if (parsed == ARGS_GO && run(eval, &err) != OK) {
        code = exit_code_fail("eval", &err);
        if (eval->results >= 0)
            (void)fprintf(stderr,
                          "cohort eval: what was done is in %s; the same command goes "
                          "on\n",
                          eval->out_path);
    }
    worker_engine_deinit(&eval->worker);
    engine_close(eval->engine);
    if (eval->results >= 0)
        (void)close(eval->results);
    arena_deinit(&eval->arena);
    free(eval);
    return code != EX_OK ? code : exit_code_flush("eval");
}
