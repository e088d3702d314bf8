/*
 * ask_journal - see ask.h.
 *
 * A run keeps its own command line (run_record.h). To go on with it is to read that again;
 * whatever an option means, it means it then.
 */
#include "tools/ask.h"

#include "base/json.h"
#include "tools/run_record.h"
#include "tools/state_path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define ARENA_BYTES ((size_t)1 << 30) /* address space; pages come as touched */
#define OPTIONS_MAX ((size_t)4 << 20)

/* Puts the recorded command line in the place of this one's. */
static enum status take_options(struct ask *ask, const struct json *options, struct error *err)
{
    const struct json *argv = json_get(options, "argv");
    const size_t count = json_count(argv);
    struct text folder = {0}, word = {0};
    char **words = ARENA_NEW(&ask->arena, char *, count + 1);
    if (!words || count == 0 || !json_text(json_get(options, "folder"), &folder))
        FAIL(err, ERR_FORMAT, "run %lld: its command line cannot be read", (long long)ask->run);
    if (!json_text(json_first(argv), &word) || !text_equal(word, TEXT("ask")))
        FAIL(err, ERR_FORMAT, "run %lld: it is of cohort %.*s, which goes on with it itself",
             (long long)ask->run, TEXT_ARG(text_slice(word, 0, 20)));
    int filled = 0;
    for (const struct json *item = json_first(argv); item; item = json_next(item)) {
        if (!json_text(item, &word))
            FAIL(err, ERR_FORMAT, "run %lld: word %d of its command line is no text",
                 (long long)ask->run, filled);
        struct text copy = text_copy(word, &ask->arena);
        memcpy(&words[filled++], &copy.data, sizeof(char *)); /* getopt wants them writable */
        if (!copy.data)
            FAIL(err, ERR_MEMORY, "run %lld: no memory", (long long)ask->run);
    }
    folder = text_copy(folder, &ask->arena);
    if (!folder.data || chdir(folder.data) != 0)
        FAIL(err, ERR_IO, "run %lld: its folder %.100s: %s", (long long)ask->run,
             folder.data ? folder.data : "", strerror(errno));
    const struct ask now = *ask;
    *ask = (struct ask){.journal = now.journal,
                        .run = now.run,
                        .arena = now.arena,
                        .start_s = now.start_s,
                        .io_code = now.io_code};
    if (ask_args_parse(ask, filled, words) != ARGS_GO)
        FAIL(err, ERR_FORMAT, "run %lld: this version does not take its command line",
             (long long)now.run);
    ask->resume = now.resume;
    ask->json |= now.json;
    return OK;
}

static enum status resume(struct ask *ask, struct error *err)
{
    struct journal_run run = {0};
    struct json *options = NULL;
    bool is_known = false;
    ask->run = (int64_t)ask->resume;
    TRY(journal_resume(ask->journal, ask->run, err));
    TRY(journal_find_run(ask->journal, ask->run, &run, &ask->arena, &is_known, err));
    TRY(json_parse(run.options, OPTIONS_MAX, &options, err));
    const enum status status = take_options(ask, options, err);
    json_free(options);
    return status;
}

enum status ask_journal_open(struct ask *ask, struct error *err)
{
    const char *named = ask->journal_path;
    struct error why = {0};
    if (named && strcmp(named, "none") == 0) {
        if (ask->resume > 0)
            FAIL(err, ERR_FORMAT,
                 "--resume needs the journal that --journal none does without");
        return OK;
    }
    TRY(arena_init(&ask->arena, ARENA_BYTES, err));
    ask->io_code = EX_CANTCREAT;
    char usual[STATE_PATH_BYTES];
    const char *advice = "";
    enum status status = named ? OK : state_path("runs.db", usual, &why);
    if (status == OK) {
        advice = "; --journal names another file";
        status = run_record_open(&ask->journal, named ? named : usual, &why);
    }
    if (status != OK &&
        (named || ask->resume > 0 || supervisor_args_is_remote(&ask->supervisor_args)))
        FAIL(err, status, "%.180s%s", why.text, advice);
    ask->io_code = EX_NOINPUT;
    if (status == OK)
        return ask->resume > 0 ? resume(ask, err) : OK;
    /* A free run can be asked again: it goes on without. */
    (void)fprintf(stderr, "cohort ask: no journal is kept: %s\n", why.text);
    return OK;
}

enum status ask_journal_begin(struct ask *ask, int argc, char **argv, struct error *err)
{
    if (!ask->journal)
        return OK;
    if (ask->resume > 0) {
        struct journal_run run = {0};
        bool is_known = false;
        TRY(journal_find_run(ask->journal, ask->run, &run, &ask->arena, &is_known, err));
        return run_record_check(run.options, ask->run, &ask->documents, err);
    }
    const struct run_record record = {.question = text_buf_text(&ask->question),
                                      .argc = argc,
                                      .argv = argv,
                                      .documents = &ask->documents};
    return run_record_begin(ask->journal, &record, &ask->run, err);
}

enum status ask_journal_end(struct ask *ask, enum status ended, const struct error *why,
                            struct error *err)
{
    struct text_buf result = {0};
    if (!ask->journal)
        return OK;
    if (ended == OK)
        ask_print_json(ask, &result);
    else
        text_buf_add(&result, text_of(why->text));
    const enum status status =
        result.failed
            ? error_set(err, ERR_MEMORY, __FILE__, __LINE__, "journal: no memory")
            : journal_end(ask->journal, ended == OK ? JOURNAL_ANSWERED : JOURNAL_FAILED,
                          text_buf_text(&result), err);
    text_buf_deinit(&result);
    return status;
}
