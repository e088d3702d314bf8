/*
 * pull - cohort pull: a model file from a hub or an address into the cache.
 *
 * NAME is one of the table in model_store.c; hf:OWNER/REPO[:FILE] a repository of the hub at
 * HF_ENDPOINT, of whose GGUF files one is chosen when none is named.
 */
#include "base/json.h"
#include "tools/args.h"
#include "tools/cohort.h"
#include "tools/exit_code.h"
#include "tools/hub.h"
#include "tools/model_store.h"
#include "tools/output.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { LIST_BYTES_MAX = 8 << 20, BAR = 30, LINES = 10, REPO_BYTES = 200 };

#define BYTES_MAX ((uint64_t)1 << 40)

struct pull {
    const char *sha256;
    bool json;

    char url[FETCH_URL_BYTES];
    char path[MODEL_STORE_PATH_BYTES];
    struct fetch_result result;
    bool is_terminal, was_there;
    uint64_t shown; /* hundredths or tenths of the file that were told last */
};

/* Whether a repository's or file's name can stand in an address as it is. */
static bool is_plain(struct text name)
{
    for (size_t i = 0; i < name.size; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/",
                    name.data[i]))
            return false;
    return name.size > 0 && text_find(name, TEXT(".."), 0) == SIZE_MAX &&
           !text_starts(name, TEXT("/")) && !text_ends(name, TEXT("/"));
}

/* size: what snprintf would have written of an address. */
static enum status check_size(int size, struct error *err)
{
    if (size < 0 || size >= FETCH_URL_BYTES)
        FAIL(err, ERR_LIMIT, "the address has %d bytes, the limit is %d", size,
             FETCH_URL_BYTES - 1);
    return OK;
}

/* Fills pull->url with where the hub has a file of a repository. */
static enum status set_url(struct pull *pull, const char *repo, struct text file,
                           struct error *err)
{
    const int size = snprintf(pull->url, sizeof pull->url, "%s/%s/resolve/main/%.*s",
                              hub_endpoint(), repo, TEXT_ARG(file));
    return check_size(size, err);
}

/* Of a repository's files: 4 bits with sums in mind first, then 8, then any; whole files. */
static enum status choose_file(const struct json *root, const char *repo, struct text *file,
                               struct error *err)
{
    static const char *const wanted[] = {"Q4_K_M", "q4_k_m", "Q8_0", "q8_0",
                                         "Q4_0",   "q4_0",   ".gguf"};
    for (size_t w = 0; w < sizeof wanted / sizeof wanted[0]; w++)
        for (const struct json *item = json_first(json_get(root, "siblings")); item;
             item = json_next(item))
            if (json_text(json_get(item, "rfilename"), file) &&
                text_ends(*file, TEXT(".gguf")) &&
                text_find(*file, text_of(wanted[w]), 0) != SIZE_MAX &&
                text_find(*file, TEXT("-of-"), 0) == SIZE_MAX && is_plain(*file))
                return OK;
    FAIL(err, ERR_FORMAT, "hf:%s has no GGUF file in one piece", repo);
}

static enum status ask_hub(struct pull *pull, const char *repo, struct error *err)
{
    char url[FETCH_URL_BYTES];
    struct text_buf list = {0};
    struct json *root = NULL;
    struct text file = {0};
    TRY(check_size(snprintf(url, sizeof url, "%s/api/models/%s", hub_endpoint(), repo), err));
    struct fetch_refusal refusal = {0};
    struct fetch_options options = {
        .url = url, .bytes_max = LIST_BYTES_MAX, .refusal = &refusal};
    enum status status = hub_token(url, &options.token, err);
    if (status == OK)
        status = fetch_text(&options, &list, err);
    if (refusal.status != 0)
        hub_explain(url, &refusal, err);
    if (status == OK)
        status = json_parse(text_buf_text(&list), LIST_BYTES_MAX, &root, err);
    if (status == OK)
        status = choose_file(root, repo, &file, err);
    if (status == OK)
        status = set_url(pull, repo, file, err);
    json_free(root);
    text_buf_deinit(&list);
    return status;
}

static enum status of_repo(struct pull *pull, const char *word, struct error *err)
{
    const struct text whole = text_of(word);
    const size_t colon = text_find(whole, TEXT(":"), 0);
    const struct text repo = text_slice(whole, 0, colon == SIZE_MAX ? whole.size : colon);
    const struct text file =
        colon == SIZE_MAX ? TEXT("") : text_slice(whole, colon + 1, whole.size);
    const size_t slash = text_find(repo, TEXT("/"), 0);
    char name[REPO_BYTES];
    if (!is_plain(repo) || slash == SIZE_MAX ||
        text_find(repo, TEXT("/"), slash + 1) != SIZE_MAX || repo.size >= sizeof name ||
        (colon != SIZE_MAX && !is_plain(file)))
        FAIL(err, ERR_FORMAT, "`hf:%.100s`, want hf:OWNER/REPO or hf:OWNER/REPO:FILE", word);
    (void)snprintf(name, sizeof name, "%.*s", TEXT_ARG(repo));
    return file.size == 0 ? ask_hub(pull, name, err) : set_url(pull, name, file, err);
}

/* The address that the word on the command line stands for. */
static enum status find_url(struct pull *pull, const char *word, struct error *err)
{
    const struct model_store_known *known = model_store_find(word);
    if (strncmp(word, "hf:", 3) == 0)
        return of_repo(pull, word + 3, err);
    if (strstr(word, "://"))
        return check_size(snprintf(pull->url, sizeof pull->url, "%s", word), err);
    if (!known)
        FAIL(err, ERR_FORMAT,
             "no model named `%.60s` is known (cohort pull --help lists them); "
             "hf:OWNER/REPO and https://... are taken too",
             word);
    return set_url(pull, known->repo, text_of(known->file), err);
}

/* A bar on a terminal, else a line for each tenth. */
static void show(void *user, uint64_t bytes, uint64_t total)
{
    struct pull *pull = user;
    const uint64_t parts = pull->is_terminal ? 100 : LINES;
    const uint64_t now = total > 0 ? bytes / (total / parts + 1) + 1 : bytes >> 24;
    if (now == pull->shown && bytes != total)
        return;
    pull->shown = now;
    if (!pull->is_terminal) {
        (void)fprintf(stderr, "%" PRIu64 " of %" PRIu64 " MB\n", bytes / 1000000,
                      total / 1000000);
        return;
    }
    const int full = total > 0 ? (int)((double)bytes / (double)total * BAR) : 0;
    (void)fprintf(stderr, "\r[%-*.*s] %" PRIu64 " of %" PRIu64 " MB%s", BAR, full,
                  "##############################", bytes / 1000000, total / 1000000,
                  bytes == total ? "\n" : "");
}

static enum status get(struct pull *pull, const char *word, struct error *err)
{
    char file[MODEL_STORE_NAME_BYTES];
    TRY(find_url(pull, word, err));
    TRY(model_store_file(text_of(pull->url), file, err));
    TRY(model_store_make(err));
    TRY(model_store_path(file, pull->path, sizeof pull->path, err));
    pull->was_there = access(pull->path, F_OK) == 0;
    if (pull->was_there)
        return OK;
    struct fetch_refusal refusal = {0};
    struct fetch_options options = {.url = pull->url,
                                    .path = pull->path,
                                    .sha256 = pull->sha256,
                                    .bytes_max = BYTES_MAX,
                                    .refusal = &refusal,
                                    .progress = show,
                                    .user = pull};
    TRY(hub_token(pull->url, &options.token, err));
    const enum status status = fetch_file(&options, &pull->result, err);
    if (refusal.status != 0)
        hub_explain(pull->url, &refusal, err);
    TRY(status);
    return model_store_note(pull->path, pull->url, pull->result.sha256, err);
}

static void tell(const struct pull *pull)
{
    const struct fetch_result *result = &pull->result;
    if (!result->is_verified && !pull->was_there)
        (void)fprintf(stderr,
                      "cohort pull: the server tells no SHA-256 to hold it against; it is %s\n",
                      result->sha256);
    printf("%s\n", pull->path);
}

static enum status write_json(const struct pull *pull, struct error *err)
{
    const struct fetch_result *result = &pull->result;
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    json_write_object(&w);
    json_write_key_text(&w, "path", text_of(pull->path));
    json_write_key_text(&w, "source", text_of(pull->url));
    json_write_key_bool(&w, "was_there", pull->was_there);
    if (!pull->was_there) {
        json_write_key_i64(&w, "bytes", (int64_t)result->bytes);
        json_write_key_i64(&w, "resumed_bytes", (int64_t)result->resumed_bytes);
        json_write_key_text(&w, "sha256", text_of(result->sha256));
        json_write_key_bool(&w, "verified", result->is_verified);
    }
    json_write_object_end(&w);
    return output_line(&out, err);
}

static bool is_sum(const char *word)
{
    return strlen(word) == SHA256_HEX_BYTES - 1 &&
           strspn(word, "0123456789abcdefABCDEF") == SHA256_HEX_BYTES - 1;
}

/* What --help says; the names are those of the table. */
static void write_about(struct text_buf *about)
{
    const struct model_store_known *known;
    text_buf_add(about, TEXT("Gets a GGUF model into the cache, where -m finds it by its name. "
                             "Broken off, it goes on where it was when run again. HF_TOKEN, "
                             "if set, goes to the hub: gated models want one.\nNames:"));
    for (size_t i = 0; (known = model_store_known_at(i)) != NULL; i++)
        text_buf_format(about, " %s", known->name);
}

static enum args_result parse(struct pull *pull, int argc, char **argv, const char **word)
{
    const struct args_option options[] = {
        {0, "sha256", "HEX", ARGS_TEXT, &pull->sha256, 0, 0,
         "the file's SHA-256 (default: what the hub tells)"},
        {0, "json", NULL, ARGS_FLAG, &pull->json, 0, 0, "one JSON object at the end"},
    };
    struct text_buf about = {0};
    write_about(&about);
    const struct args_command command = {
        .name = "pull",
        .usage = "[options] NAME | hf:OWNER/REPO[:FILE] | https://...",
        .about = about.failed ? "" : about.data,
        ARGS_OPTIONS(options),
        .words_min = 1,
        .words_max = 1,
    };
    int rest;
    enum args_result parsed = args_parse_words(&command, argc, argv, &rest);
    if (parsed == ARGS_GO && pull->sha256 && !is_sum(pull->sha256)) {
        (void)fprintf(stderr, "cohort pull: --sha256 %.80s: want 64 hex digits\n",
                      pull->sha256);
        parsed = ARGS_WRONG;
    }
    text_buf_deinit(&about);
    *word = parsed == ARGS_GO ? argv[rest] : NULL;
    return parsed;
}

int pull_main(int argc, char **argv)
{
    struct pull pull = {.is_terminal = isatty(STDERR_FILENO) == 1};
    struct error err = {0};
    const char *word;
    const enum args_result parsed = parse(&pull, argc, argv, &word);
    if (parsed != ARGS_GO)
        return args_exit_code(parsed);
    if (get(&pull, word, &err) != OK) {
        const int code = exit_code_fail("pull", &err);
        return code == EX_NOINPUT ? EX_CANTCREAT : code;
    }
    if (!pull.json)
        tell(&pull);
    else if (write_json(&pull, &err) != OK)
        return exit_code_fail("pull", &err);
    return exit_code_flush("pull");
}
