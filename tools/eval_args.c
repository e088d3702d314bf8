/* eval_args - see eval.h. */
#include "tools/eval.h"

#include "protocol/minions/round.h"
#include "protocol/minions/whole.h"

#include <stdio.h>
#include <string.h>

#define CONTEXT_DEFAULT 128000

static enum args_result read_options(struct eval *eval, int argc, char **argv, int *rest)
{
    const struct args_option options[] = {
        {0, "ways", "WAY[,WAY...]", ARGS_TEXT, &eval->ways_words, 0, 0,
         "of remote, local, minion, minions (default: all there is a supervisor for)"},
        {0, "judge", "auto|exact|numeric|model", ARGS_CHOICE, &eval->judge, 0, 0,
         "how answers are judged (default: by what is expected)"},
        {0, "tolerance", "PERCENT", ARGS_REAL, &eval->tolerance, 0, 100,
         "by which a number may differ (default 1)"},
        {'o', "out", "FILE", ARGS_TEXT, &eval->out_path, 0, 0,
         "add a line to it for each answer; what it has is not asked again"},
        {0, "skip-malformed", NULL, ARGS_FLAG, &eval->skip_malformed, 0, 0,
         "ask the rest when lines are malformed"},
        ENGINE_ARGS(eval->engine_args),
        SUPERVISOR_ARGS(eval->supervisor_args),
        {0, "remote-context", "N", ARGS_U32, &eval->remote_context, WHOLE_CONTEXT_MIN, 1 << 24,
         "tokens that the supervisor's model takes (default 128000)"},
        {0, "rounds", "N", ARGS_U32, &eval->rounds, 1, ROUND_MAX,
         "rounds with a remote supervisor at most (default 3)"},
        {0, "samples", "N", ARGS_U32, &eval->samples, 1, 64,
         "replies to each job of a generating worker (default 1)"},
        {0, "worker", "auto|extract|generate", ARGS_CHOICE, &eval->worker_kind, 0, 0,
         "how the model works (default: extract below 1B parameters)"},
        {0, "seed", "N", ARGS_U64, &eval->seed, 0, 0, "of the random stream (default 0)"},
        {0, "journal", "FILE|none", ARGS_TEXT, &eval->journal_path, 0, 0,
         "where runs are kept (default: runs.db in the state folder)"},
        {0, "json", NULL, ARGS_FLAG, &eval->json, 0, 0, "one JSON object"},
    };
    const struct args_command command = {
        .name = "eval",
        .usage = "[options] QUESTIONS.jsonl",
        .about =
            "Puts questions with known answers to each way of answering, judges, and tells "
            "accuracy beside cost. A line each: {\"question\", \"documents\": [paths from the "
            "file's folder], \"answer\"}, with \"options\" for multiple choice, \"id\" where "
            "wanted.\n"
            "Ways: remote sends the documents themselves to the supervisor, minion and minions "
            "what ask sends by that protocol, local nothing.\n"
            "Judges: exact (after folding; yes or no, options), numeric (within the "
            "tolerance), model (the supervisor's verdict where the text is not equal: paid, "
            "and told apart); auto takes exact for options and yes or no, numeric for numbers, "
            "else model where there is a supervisor.",
        ARGS_OPTIONS(options),
        .words_min = 1,
        .words_max = 1,
    };
    return args_parse_words(&command, argc, argv, rest);
}

const char *eval_way_word(enum eval_way way)
{
    static const char *const words[] = {"remote", "local", "minion", "minions"};
    return words[way];
}

/* Reads --ways; false when a word of it is none. */
static bool take_ways(struct eval *eval)
{
    const bool is_remote = supervisor_args_is_remote(&eval->supervisor_args);
    struct text rest = text_of(eval->ways_words);
    if (!eval->ways_words) {
        eval->ways[EVAL_LOCAL] = true;
        eval->ways[EVAL_REMOTE] = eval->ways[EVAL_MINION] = is_remote;
        eval->ways[EVAL_MINIONS] = is_remote;
        return true;
    }
    for (bool is_last = false; !is_last;) {
        const size_t comma = text_find(rest, TEXT(","), 0);
        is_last = comma == SIZE_MAX;
        const struct text word = text_slice(rest, 0, is_last ? rest.size : comma);
        int way = 0;
        while (way < EVAL_WAYS && !text_equal(word, text_of(eval_way_word((enum eval_way)way))))
            way++;
        if (way == EVAL_WAYS) {
            (void)fprintf(stderr,
                          "cohort eval: --ways %.*s: no such way; there are remote, local, "
                          "minion and minions\n",
                          TEXT_ARG(word));
            return false;
        }
        eval->ways[way] = true;
        rest = text_slice(rest, is_last ? rest.size : comma + 1, rest.size);
    }
    return true;
}

/* What the options lack together; NULL when nothing. */
static const char *missing(const struct eval *eval)
{
    const bool is_remote = supervisor_args_is_remote(&eval->supervisor_args);
    if ((eval->ways[EVAL_REMOTE] || eval->ways[EVAL_MINION] || eval->ways[EVAL_MINIONS]) &&
        !is_remote)
        return "--remote, which those ways ask,";
    if (eval->judge == JUDGE_MODEL && !is_remote)
        return "--remote, which judges,";
    if (supervisor_args_lacks_model(&eval->supervisor_args))
        return "--remote-model";
    return NULL;
}

enum args_result eval_args_parse(struct eval *eval, int argc, char **argv)
{
    int rest = 0;
    supervisor_args_init(&eval->supervisor_args);
    eval->tolerance = (float)(JUDGE_TOLERANCE * 100);
    eval->remote_context = CONTEXT_DEFAULT;
    eval->argc = argc;
    eval->argv = argv;
    const enum args_result parsed = read_options(eval, argc, argv, &rest);
    if (parsed != ARGS_GO)
        return parsed;
    eval->questions_path = argv[rest];
    if (!take_ways(eval))
        return ARGS_WRONG;
    const char *lacks = missing(eval);
    const char *url = eval->supervisor_args.url;
    if (lacks)
        (void)fprintf(stderr, "cohort eval: %s is missing; try cohort eval --help\n", lacks);
    else if (url && text_starts(text_of(url), TEXT("replay:")))
        (void)fprintf(stderr,
                      "cohort eval: --remote %.40s: replies of a record have no price "
                      "and no place to go on from; name an endpoint\n",
                      url);
    else
        return ARGS_GO;
    return ARGS_WRONG;
}
