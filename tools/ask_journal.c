/*
 * ask_journal - see ask.h.
 *
 * A run keeps its own command line, the folder that it was given in, and the hashes of its
 * documents: {"question", "folder", "argv", "documents": [{"path", "bytes", "sha256"}]}. To go
 * on with it is to read that command line again; whatever an option means, it means it then.
 */
#include "tools/ask.h"

#include "base/json.h"
#include "base/sha256.h"
#include "tools/state_path.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
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
    *ask = (struct ask){
        .journal = now.journal, .run = now.run, .arena = now.arena, .start_s = now.start_s};
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
    char path[STATE_PATH_BYTES];
    if (named && strcmp(named, "none") == 0) {
        if (ask->resume > 0)
            FAIL(err, ERR_FORMAT,
                 "--resume needs the journal that --journal none does without");
        return OK;
    }
    TRY(arena_init(&ask->arena, ARENA_BYTES, err));
    enum status status = named ? OK : state_path("runs.db", path, &why);
    if (status == OK)
        status = journal_open(&ask->journal, named ? named : path, &why);
    if (status == OK)
        return ask->resume > 0 ? resume(ask, err) : OK;
    if (named || ask->resume > 0 || ask_is_remote(ask))
        FAIL(err, status, "%.180s; --journal names another file", why.text);
    /* A free run can be asked again: it goes on without. */
    (void)fprintf(stderr, "cohort ask: no journal is kept: %s\n", why.text);
    return OK;
}

static void write_documents(const struct documents *documents, struct json_writer *w)
{
    json_write_array(w);
    for (uint32_t i = 0; i < documents->count; i++) {
        struct sha256 hash;
        char hex[SHA256_HEX_BYTES];
        sha256_init(&hash);
        sha256_add(&hash, documents->texts[i].data, documents->texts[i].size);
        sha256_hex(&hash, hex);
        json_write_object(w);
        json_write_key_text(w, "path", documents->paths[i]);
        json_write_key_i64(w, "bytes", (int64_t)documents->texts[i].size);
        json_write_key_text(w, "sha256", text_of(hex));
        json_write_object_end(w);
    }
    json_write_array_end(w);
}

static void write_options(const struct ask *ask, int argc, char **argv, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    char folder[STATE_PATH_BYTES];
    json_write_object(&w);
    json_write_key_text(&w, "question", text_buf_text(&ask->question));
    json_write_key_text(&w, "folder", text_of(getcwd(folder, sizeof(folder)) ? folder : "/"));
    json_write_key(&w, "argv");
    json_write_array(&w);
    for (int i = 0; i < argc; i++)
        json_write_text(&w, text_of(argv[i]));
    json_write_array_end(&w);
    json_write_key(&w, "documents");
    write_documents(&ask->documents, &w);
    json_write_object_end(&w);
}

/* The documents must be those that the jobs at hand were done on. */
static enum status check_documents(const struct ask *ask, struct text options,
                                   struct error *err)
{
    struct text_buf now = {0};
    struct json_writer w = {.out = &now};
    json_write_key(&w, "documents");
    write_documents(&ask->documents, &w);
    const bool is_same = !now.failed && text_find(options, text_buf_text(&now), 0) != SIZE_MAX;
    text_buf_deinit(&now);
    if (!is_same)
        FAIL(err, ERR_FORMAT,
             "run %lld: its documents have changed since; ask anew without --resume",
             (long long)ask->run);
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
        return check_documents(ask, run.options, err);
    }
    struct text_buf options = {0};
    write_options(ask, argc, argv, &options);
    enum status status = OK;
    if (options.failed)
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "journal: no memory");
    else
        status = journal_begin(ask->journal, text_buf_text(&options), &ask->run, err);
    text_buf_deinit(&options);
    return status;
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
