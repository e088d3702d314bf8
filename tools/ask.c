/* ask - cohort ask: a question about documents, answered with citations. */
#include "base/clock.h"
#include "base/json.h"
#include "protocol/minions/fold.h"
#include "protocol/minions/round.h"
#include "protocol/minions/worker_engine.h"
#include "tools/cohort.h"
#include "tools/engine_args.h"
#include "tools/exit_code.h"
#include "tools/output.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { SHOWN_CITATIONS = 3, LINE_COLUMNS = 84, PROGRESS_MS = 150 };

struct ask {
    struct engine_args engine_args;
    struct args_list files;
    const char *remote_url, *remote_model;
    uint32_t rounds, samples;
    int worker_kind;
    float budget, price_in, price_out;
    uint64_t seed;
    bool json;

    struct engine *engine;
    struct documents documents;
    struct remote *remote;
    struct text_buf question;
    struct ledger ledger;
    struct worker worker;
    struct round_progress progress;
    struct round_result result;
    double start_s;
};

struct ticker {
    struct ask *ask;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t stop_cond;
    bool stop, is_running;
    int width; /* of the line shown now */
};

static void ticker_show(struct ticker *ticker)
{
    static const char *const phases[] = {"reading", "asking the supervisor", "working",
                                         "answering", "done"};
    struct round_progress *progress = &ticker->ask->progress;
    const int phase = atomic_load(&progress->phase);
    const double seconds = clock_now_s() - ticker->ask->start_s;
    const double tokens = (double)atomic_load(&progress->worker.tokens);
    char line[160];
    const int size =
        snprintf(line, sizeof(line), "%s  jobs %u/%u  %.0f tokens/s  $%.4f  %.0f s",
                 phases[phase], atomic_load(&progress->worker.jobs_done),
                 atomic_load(&progress->worker.jobs_total), seconds > 0 ? tokens / seconds : 0,
                 (double)atomic_load(&progress->micro_dollars) / 1e6, seconds);
    const int pad = ticker->width > size ? ticker->width - size : 0;
    (void)fprintf(stderr, "\r%s%*s", line, pad, "");
    ticker->width = size;
}

static void *ticker_run(void *user)
{
    struct ticker *ticker = user;
    pthread_mutex_lock(&ticker->lock);
    while (!ticker->stop) {
        ticker_show(ticker);
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += PROGRESS_MS * 1000000L;
        if (until.tv_nsec >= 1000000000L) {
            until.tv_nsec -= 1000000000L;
            until.tv_sec++;
        }
        pthread_cond_timedwait(&ticker->stop_cond, &ticker->lock, &until);
    }
    (void)fprintf(stderr, "\r%*s\r", ticker->width, "");
    pthread_mutex_unlock(&ticker->lock);
    return NULL;
}

static void ticker_start(struct ticker *ticker, struct ask *ask)
{
    *ticker = (struct ticker){.ask = ask};
    if (ask->json || !isatty(STDERR_FILENO))
        return;
    pthread_mutex_init(&ticker->lock, NULL);
    pthread_cond_init(&ticker->stop_cond, NULL);
    ticker->is_running = pthread_create(&ticker->thread, NULL, ticker_run, ticker) == 0;
}

static void ticker_stop(struct ticker *ticker)
{
    if (!ticker->is_running)
        return;
    pthread_mutex_lock(&ticker->lock);
    ticker->stop = true;
    pthread_cond_signal(&ticker->stop_cond);
    pthread_mutex_unlock(&ticker->lock);
    pthread_join(ticker->thread, NULL);
    pthread_mutex_destroy(&ticker->lock);
    pthread_cond_destroy(&ticker->stop_cond);
}

/* Prints text folded, in lines of at most LINE_COLUMNS bytes with that indentation. */
static void print_wrapped(struct text text, const char *indent)
{
    struct text_buf folded = {0};
    fold_add(&folded, text);
    struct text rest = text_buf_text(&folded);
    const size_t most = LINE_COLUMNS - strlen(indent);
    while (rest.size > 0) {
        size_t end = rest.size;
        if (end > most) {
            end = most;
            while (end > 0 && rest.data[end] != ' ')
                end--;
            if (end == 0) /* one long word */
                end = text_find(rest, TEXT(" "), 0);
            if (end > rest.size)
                end = rest.size;
        }
        printf("%s%.*s\n", indent, TEXT_ARG(text_slice(rest, 0, end)));
        rest = text_trim(text_slice(rest, end, rest.size));
    }
    text_buf_deinit(&folded);
}

static struct text citation_text(const struct ask *ask, uint32_t index)
{
    const struct round_citation *citation = &ask->result.citations[index];
    return text_slice(ask->documents.texts[citation->document], citation->offset,
                      citation->offset + citation->size);
}

static void print_result(const struct ask *ask)
{
    const char *no_color = getenv("NO_COLOR");
    const bool color = isatty(STDOUT_FILENO) && (!no_color || !*no_color);
    const char *bold = color ? "\033[1m" : "", *dim = color ? "\033[2m" : "";
    const char *plain = color ? "\033[0m" : "";
    struct text_buf ledger = {0};
    printf("%s", bold);
    print_wrapped(text_buf_text(&ask->result.answer), "");
    printf("%s", plain);
    for (uint32_t i = 0; i < ask->result.citation_count && i < SHOWN_CITATIONS; i++) {
        const struct round_citation *citation = &ask->result.citations[i];
        char place[DOCUMENTS_PLACE_MAX];
        documents_place(&ask->documents, citation->document, citation->offset, place);
        printf("\n[%u] %s\n", i + 1, place);
        print_wrapped(citation_text(ask, i), "    ");
    }
    ledger_print(&ask->ledger, &ledger);
    printf("\n%s%.*s%s", dim, TEXT_ARG(text_buf_text(&ledger)), plain);
    text_buf_deinit(&ledger);
}

static enum status print_json(const struct ask *ask, struct error *err)
{
    struct text_buf out = {0};
    struct json_writer w = {.out = &out};
    json_write_object(&w);
    json_write_key_text(&w, "answer", text_buf_text(&ask->result.answer));
    json_write_key_bool(&w, "is_quoted", ask->result.is_quoted);
    json_write_key(&w, "citations");
    json_write_array(&w);
    for (uint32_t i = 0; i < ask->result.citation_count; i++) {
        const struct round_citation *citation = &ask->result.citations[i];
        char place[DOCUMENTS_PLACE_MAX];
        documents_place(&ask->documents, citation->document, citation->offset, place);
        json_write_object(&w);
        json_write_key_text(&w, "text", citation_text(ask, i));
        json_write_key_text(&w, "document", ask->documents.paths[citation->document]);
        json_write_key_i64(&w, "offset", (int64_t)citation->offset);
        json_write_key_text(&w, "place", text_of(place));
        json_write_key_double(&w, "score", citation->score);
        json_write_object_end(&w);
    }
    json_write_array_end(&w);
    json_write_key_i64(&w, "rounds", ask->result.rounds);
    json_write_key(&w, "ledger");
    ledger_write(&ask->ledger, &w);
    json_write_object_end(&w);
    return output_line(&out, err);
}

static enum status print(const struct ask *ask, struct error *err)
{
    if (ask->json)
        return print_json(ask, err);
    print_result(ask);
    return OK;
}

static bool is_remote(const struct ask *ask)
{
    return ask->remote_url && strcmp(ask->remote_url, "local") != 0;
}

static enum status open_remote(struct ask *ask, struct error *err)
{
    if (!is_remote(ask))
        return OK;
    const struct remote_options options = {.url = ask->remote_url, .model = ask->remote_model};
    return remote_open(&ask->remote, &options, &ask->ledger, err);
}

static enum status answer(struct ask *ask, struct error *err)
{
    ask->ledger = (struct ledger){
        .price = {.in = (double)ask->price_in, .out = (double)ask->price_out},
        .budget_dollars = (double)ask->budget,
    };
    TRY(documents_open(&ask->documents, ask->files.items, ask->files.count, err));
    TRY(open_remote(ask, err));
    TRY(engine_args_open(&ask->engine_args, NULL, &ask->engine, err));
    TRY(worker_engine_init(&ask->worker, ask->engine, err));
    const struct round_options options = {
        .question = text_buf_text(&ask->question),
        .documents = &ask->documents,
        .worker = &ask->worker,
        .remote = ask->remote,
        .ledger = &ask->ledger,
        .rounds_max = ask->rounds,
        .samples = ask->samples,
        .kind = (enum round_worker)ask->worker_kind,
        .seed = ask->seed,
    };
    struct ticker ticker;
    ticker_start(&ticker, ask);
    const enum status status = round_run(&options, &ask->progress, &ask->result, err);
    ticker_stop(&ticker);
    ask->ledger.seconds = clock_now_s() - ask->start_s;
    return status;
}

static void close_ask(struct ask *ask)
{
    round_result_deinit(&ask->result);
    worker_engine_deinit(&ask->worker);
    engine_close(ask->engine);
    remote_close(ask->remote);
    documents_close(&ask->documents);
    text_buf_deinit(&ask->question);
    free(ask);
}

static enum args_result parse(struct ask *ask, int argc, char **argv, int *rest)
{
    const struct args_option options[] = {
        {'f', "file", "FILE", ARGS_LIST, &ask->files, 0, 0,
         "a text or Markdown document; may be repeated"},
        ENGINE_ARGS(ask->engine_args),
        {0, "remote", "URL", ARGS_TEXT, &ask->remote_url, 0, 0,
         "supervisor, an OpenAI-compatible endpoint (default: local)"},
        {0, "remote-model", "NAME", ARGS_TEXT, &ask->remote_model, 0, 0,
         "the supervisor's model"},
        {0, "rounds", "N", ARGS_U32, &ask->rounds, 1, ROUND_MAX,
         "rounds with a remote supervisor at most (default 3)"},
        {0, "samples", "N", ARGS_U32, &ask->samples, 1, 64,
         "replies to each job of a generating worker (default 1)"},
        {0, "worker", "auto|extract|generate", ARGS_CHOICE, &ask->worker_kind, 0, 0,
         "how the model works (default: extract below 1B parameters)"},
        {0, "budget", "DOLLARS", ARGS_REAL, &ask->budget, 0, 1000000,
         "no call is sent that may pass it (default 1)"},
        {0, "price-in", "DOLLARS", ARGS_REAL, &ask->price_in, 0, 1000000,
         "per million tokens to the supervisor (default 2.50)"},
        {0, "price-out", "DOLLARS", ARGS_REAL, &ask->price_out, 0, 1000000,
         "per million tokens from it (default 10)"},
        {0, "seed", "N", ARGS_U64, &ask->seed, 0, 0, "of the random stream (default 0)"},
        {0, "json", NULL, ARGS_FLAG, &ask->json, 0, 0, "one JSON object"},
    };
    const struct args_command command = {
        .name = "ask",
        .usage = "[options] -f FILE QUESTION...",
        .about = "Answers a question about documents and quotes the places it stands on. "
                 "Without\n--remote nothing leaves this machine. The key for --remote is "
                 "taken from\nCOHORT_API_KEY or OPENAI_API_KEY.",
        ARGS_OPTIONS(options),
    };
    return args_parse(&command, argc, argv, rest);
}

/* Takes the question from the words left over; false when something is missing. */
static bool take_question(struct ask *ask, char **words)
{
    const char *missing = NULL;
    for (size_t i = 0; words[i]; i++)
        text_buf_format(&ask->question, "%s%s", i > 0 ? " " : "", words[i]);
    if (ask->files.count == 0)
        missing = "-f FILE";
    else if (ask->question.size == 0)
        missing = "the question";
    else if (is_remote(ask) && !ask->remote_model)
        missing = "--remote-model";
    if (missing)
        (void)fprintf(stderr, "cohort ask: %s is missing; try cohort ask --help\n", missing);
    return !missing;
}

int ask_main(int argc, char **argv)
{
    struct error err = {0};
    int rest = 0;
    struct ask *ask = calloc(1, sizeof *ask);
    if (!ask)
        return EX_OSERR;
    ask->start_s = clock_now_s();
    ask->budget = 1;
    ask->price_in = 2.5F;
    ask->price_out = 10;
    const enum args_result parsed = parse(ask, argc, argv, &rest);
    int code = args_exit_code(parsed);
    if (parsed == ARGS_GO && !take_question(ask, argv + rest))
        code = EX_USAGE;
    else if (parsed == ARGS_GO && (answer(ask, &err) != OK || print(ask, &err) != OK))
        code = exit_code_fail("ask", &err);
    close_ask(ask);
    return code != EX_OK ? code : exit_code_flush("ask");
}
