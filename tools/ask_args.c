/* ask_args - see ask.h. */
#include "tools/ask.h"

#include <stdio.h>

enum { RETRIEVED_CHUNKS = 32 };

static enum args_result read_options(struct ask *ask, int argc, char **argv, int *rest)
{
    const struct args_option options[] = {
        {'f', "file", "FILE|FOLDER|-", ARGS_LIST, &ask->files, 0, 0,
         "text, Markdown, code, HTML, CSV, JSON, PDF or DOCX; may be repeated"},
        ENGINE_ARGS(ask->engine_args),
        WORKERS_ARGS(ask->workers_args),
        SUPERVISOR_ARGS(ask->supervisor_args),
        {0, "rounds", "N", ARGS_U32, &ask->rounds, 1, ROUND_MAX,
         "rounds with a remote supervisor at most (default 3)"},
        {0, "protocol", "minions|minion", ARGS_CHOICE, &ask->protocol, 0, 0,
         "minion: one worker talks with the remote supervisor (default minions)"},
        {0, "tasks", "N", ARGS_U32, &ask->wishes.tasks_max, 1, 64,
         "different tasks that a remote supervisor may give in a round (default 4)"},
        {0, "chunk-size", "CHARS", ARGS_U32, &ask->wishes.chunk_size, 100, 1000000,
         "how large chunks are (default: local 4000, remote as it likes)"},
        {0, "retrieve", "none|bm25", ARGS_CHOICE, &ask->retrieve, 0, 0,
         "whether only the chunks that go best with the question are read (default none)"},
        {0, "chunks", "N", ARGS_U32, &ask->wishes.chunks_max, 1, 2048,
         "how many of them (default 32)"},
        {0, "samples", "N", ARGS_U32, &ask->samples, 1, 64,
         "replies to each job of a generating worker (default 1)"},
        {0, "worker", "auto|extract|generate", ARGS_CHOICE, &ask->worker_kind, 0, 0,
         "how the model works (default: extract below 1B parameters)"},
        {0, "dry-run", NULL, ARGS_FLAG, &ask->dry_run, 0, 0,
         "show what would be sent, and send nothing"},
        {0, "record", "FILE", ARGS_TEXT, &ask->supervisor_args.record_path, 0, 0,
         "write each call and reply to it, in place of what it holds, for --remote "
         "replay:FILE"},
        {0, "seed", "N", ARGS_U64, &ask->seed, 0, 0, "of the random stream (default 0)"},
        {0, "resume", "RUN", ARGS_U64, &ask->resume, 0, 0,
         "go on with a run that was cut off, by its number (cohort runs)"},
        {0, "journal", "FILE|none", ARGS_TEXT, &ask->journal_path, 0, 0,
         "where runs are kept (default: runs.db in the state folder)"},
        {0, "progress", "auto|plain|json|none", ARGS_CHOICE, &ask->show_progress, 0, 0,
         "on standard error (default: a line on a terminal, else plain ones, with --json "
         "none)"},
        {0, "json", NULL, ARGS_FLAG, &ask->json, 0, 0, "one JSON object"},
    };
    const struct args_command command = {
        .name = "ask",
        .usage = "[options] -f FILE|FOLDER|- QUESTION...",
        .about = "Answers a question about documents and quotes the places it stands on. "
                 "Without --remote and --workers nothing leaves this machine. What is sent is "
                 "written to egress.jsonl in the state folder first.",
        ARGS_OPTIONS(options),
    };
    return args_parse(&command, argc, argv, rest);
}

/* Takes the question from the words left over; false when something is missing. */
static bool take_question(struct ask *ask, char **words)
{
    const char *missing = NULL;
    if (ask->resume > 0)
        return true; /* the run itself holds them */
    for (size_t i = 0; words[i]; i++)
        text_buf_format(&ask->question, "%s%s", i > 0 ? " " : "", words[i]);
    if (ask->files.count == 0)
        missing = "-f, with a file, a folder or - for standard input,";
    else if (text_trim(text_buf_text(&ask->question)).size == 0)
        missing = "the question";
    else if (supervisor_args_lacks_model(&ask->supervisor_args))
        missing = "--remote-model";
    else if (ask->dry_run && !supervisor_args_is_remote(&ask->supervisor_args) &&
             !ask->workers_args.urls)
        missing = "--remote or --workers";
    else if (ask->supervisor_args.record_path &&
             !supervisor_args_is_remote(&ask->supervisor_args))
        missing = "--remote, whose calls --record keeps,";
    else if (ask->protocol == ROUND_MINION && !supervisor_args_is_remote(&ask->supervisor_args))
        missing = "--remote, whom --protocol minion talks with,";
    if (missing)
        (void)fprintf(stderr, "cohort ask: %s is missing; try cohort ask --help\n", missing);
    return !missing;
}

enum args_result ask_args_parse(struct ask *ask, int argc, char **argv)
{
    int rest = 0;
    supervisor_args_init(&ask->supervisor_args);
    const enum args_result parsed = read_options(ask, argc, argv, &rest);
    if (parsed == ARGS_GO && ask->workers_args.urls && ask->worker_kind == ROUND_EXTRACT) {
        (void)fprintf(stderr, "cohort ask: --worker extract needs scores, which --workers "
                              "cannot give; leave it out\n");
        return ARGS_WRONG;
    }
    if (!ask->retrieve)
        ask->wishes.chunks_max = 0;
    else if (ask->wishes.chunks_max == 0)
        ask->wishes.chunks_max = RETRIEVED_CHUNKS;
    if (parsed == ARGS_GO && !take_question(ask, argv + rest))
        return ARGS_WRONG;
    return parsed;
}
