/* runs - cohort runs: what was asked, what came of it, and what left the machine for it. */
#include "base/json.h"
#include "protocol/minions/journal.h"
#include "tools/args.h"
#include "tools/cohort.h"
#include "tools/exit_code.h"
#include "tools/output.h"
#include "tools/state_path.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

enum { QUESTION_SHOWN = 48, DATE_BYTES = 32 };
#define ARENA_BYTES ((size_t)4 << 30) /* address space; pages come as touched */

struct runs {
    struct journal *journal;
    struct arena arena;
    struct text_buf out;
    bool json, sent;
};

static const char *state_word(const struct journal_run *run)
{
    static const char *const words[] = {"unfinished", "answered", "failed"};
    const size_t state = (size_t)run->state;
    return state < sizeof(words) / sizeof(words[0]) ? words[state] : "unknown";
}

static void write_date(int64_t unix_s, char date[DATE_BYTES])
{
    const time_t time = (time_t)unix_s;
    struct tm tm;
    if (!localtime_r(&time, &tm) || strftime(date, DATE_BYTES, "%Y-%m-%d %H:%M", &tm) == 0)
        date[0] = '\0';
}

/* JSON out of the journal; NULL where it is none. */
static struct json *parsed(struct text text)
{
    struct json *root = NULL;
    return json_parse(text, 0, &root, NULL) == OK ? root : NULL;
}

/* A member as text; empty where there is none. */
static struct text member(const struct json *root, const char *key)
{
    struct text text = {0};
    (void)json_text(json_get(root, key), &text);
    return text;
}

static double dollars_of(const struct json *result)
{
    double dollars = 0;
    (void)json_double(json_get(json_get(result, "ledger"), "dollars"), &dollars);
    return dollars;
}

/* ---- the list ---- */

static void list_line(struct runs *runs, const struct journal_run *run)
{
    struct json *options = parsed(run->options);
    struct json *result = run->state == JOURNAL_ANSWERED ? parsed(run->result) : NULL;
    char date[DATE_BYTES];
    struct text question = member(options, "question");
    const bool is_cut = question.size > QUESTION_SHOWN;
    question = text_slice(question, 0, QUESTION_SHOWN);
    question.size = text_utf8_valid(question);
    write_date(run->begun_unix_s, date);
    text_buf_format(&runs->out, "%5" PRId64 "  %s  %-10s  $%.4f  %.*s%s\n", run->id, date,
                    state_word(run), dollars_of(result), TEXT_ARG(question),
                    is_cut ? " ..." : "");
    json_free(options);
    json_free(result);
}

static void raw_member(struct json_writer *w, const char *key, struct text json)
{
    json_write_key(w, key);
    if (json.size > 0 && json_check(json, NULL) == OK)
        json_write_raw(w, json);
    else
        json_write_text(w, json);
}

static void run_json(struct json_writer *w, const struct journal_run *run)
{
    json_write_key_i64(w, "run", run->id);
    json_write_key_text(w, "state", text_of(state_word(run)));
    json_write_key_i64(w, "begun_unix_s", run->begun_unix_s);
    json_write_key_i64(w, "ended_unix_s", run->ended_unix_s);
    raw_member(w, "options", run->options);
    raw_member(w, "result", run->result);
}

static enum status list(struct runs *runs, struct error *err)
{
    struct journal_run *all = NULL;
    uint32_t count = 0;
    TRY(journal_runs(runs->journal, &runs->arena, &all, &count, err));
    if (!runs->json) {
        for (uint32_t i = 0; i < count; i++)
            list_line(runs, &all[i]);
        if (count == 0)
            text_buf_add(&runs->out, TEXT("no runs yet; cohort ask makes one\n"));
        return output_text(&runs->out, err);
    }
    struct json_writer w = {.out = &runs->out};
    json_write_array(&w);
    for (uint32_t i = 0; i < count; i++) {
        json_write_object(&w);
        run_json(&w, &all[i]);
        json_write_object_end(&w);
    }
    json_write_array_end(&w);
    return output_line(&runs->out, err);
}

/* ---- one run ---- */

/* All that is shown of a run beside its own row. */
struct parts {
    struct journal_run run;
    struct journal_round *rounds;
    struct journal_call *calls;
    uint32_t round_count, call_count;
};

static void indented(struct text_buf *out, struct text text)
{
    for (size_t at = 0; at < text.size;) {
        size_t end = text_find(text, TEXT("\n"), at);
        if (end == SIZE_MAX)
            end = text.size;
        text_buf_format(out, "    %.*s\n", TEXT_ARG(text_slice(text, at, end)));
        at = end + 1;
    }
}

static void show_question(struct text_buf *out, const struct journal_run *run)
{
    struct json *options = parsed(run->options);
    char date[DATE_BYTES];
    write_date(run->begun_unix_s, date);
    text_buf_format(out, "run %" PRId64 ", %s, %s\n", run->id, date, state_word(run));
    text_buf_format(out, "question   %.*s\n", TEXT_ARG(member(options, "question")));
    const struct json *documents = json_get(options, "documents");
    for (const struct json *item = json_first(documents); item; item = json_next(item)) {
        int64_t bytes = 0;
        struct text path = {0};
        (void)json_text(json_get(item, "path"), &path);
        (void)json_i64(json_get(item, "bytes"), &bytes);
        text_buf_format(out, "document   %.*s, %" PRId64 " bytes\n", TEXT_ARG(path), bytes);
    }
    json_free(options);
}

static void show_round(struct text_buf *out, const struct journal_round *round)
{
    static const char *const words[] = {"answered", "without an answer", "truncated",
                                        "unreadable", "ungrounded"};
    text_buf_format(out, "\nround %u: %u jobs", round->number, round->jobs);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (round->outcomes[i] > 0)
            text_buf_format(out, ", %u %s", round->outcomes[i], words[i]);
    text_buf_add(out, TEXT("\n  program\n"));
    indented(out, round->program);
    if (round->findings.size > 0)
        text_buf_add(out, TEXT("  findings\n"));
    indented(out, round->findings);
}

static void show_calls(const struct runs *runs, struct text_buf *out, const struct parts *parts)
{
    if (parts->call_count == 0)
        text_buf_add(out, TEXT("\nnothing left the machine\n"));
    else
        text_buf_add(out, TEXT("\nleft the machine\n"));
    for (uint32_t i = 0; i < parts->call_count; i++) {
        const struct journal_call *call = &parts->calls[i];
        text_buf_format(out,
                        "  call %u: %" PRIu64 " bytes in %u attempts, %" PRIu64
                        " tokens in and %" PRIu64 " out, $%.4f%s\n",
                        call->number + 1, call->sent_bytes, call->attempts, call->prompt_tokens,
                        call->output_tokens, call->dollars,
                        call->is_answered ? "" : "; no answer is known");
        if (!runs->sent)
            continue;
        text_buf_add(out, TEXT("  sent\n"));
        indented(out, call->request);
        text_buf_add(out, TEXT("  received\n"));
        indented(out, call->reply);
    }
}

static void show_answer(struct text_buf *out, const struct journal_run *run)
{
    if (run->state == JOURNAL_FAILED)
        text_buf_format(out, "\nfailed     %.*s\n", TEXT_ARG(run->result));
    struct json *result = run->state == JOURNAL_ANSWERED ? parsed(run->result) : NULL;
    if (!result)
        return;
    text_buf_format(out, "\nanswer     %.*s\n", TEXT_ARG(member(result, "answer")));
    const struct json *citations = json_get(result, "citations");
    for (const struct json *item = json_first(citations); item; item = json_next(item)) {
        struct text place = {0}, text = {0};
        (void)json_text(json_get(item, "place"), &place);
        (void)json_text(json_get(item, "text"), &text);
        text_buf_format(out, "  %.*s\n", TEXT_ARG(place));
        indented(out, text);
    }
    json_free(result);
}

static void show_json(struct text_buf *out, const struct parts *parts)
{
    struct json_writer w = {.out = out};
    json_write_object(&w);
    run_json(&w, &parts->run);
    json_write_key(&w, "rounds");
    json_write_array(&w);
    for (uint32_t i = 0; i < parts->round_count; i++) {
        json_write_object(&w);
        json_write_key_i64(&w, "round", parts->rounds[i].number);
        json_write_key_i64(&w, "jobs", parts->rounds[i].jobs);
        json_write_key_text(&w, "program", parts->rounds[i].program);
        json_write_key_text(&w, "findings", parts->rounds[i].findings);
        json_write_object_end(&w);
    }
    json_write_array_end(&w);
    json_write_key(&w, "calls");
    json_write_array(&w);
    for (uint32_t i = 0; i < parts->call_count; i++) {
        const struct journal_call *call = &parts->calls[i];
        json_write_object(&w);
        raw_member(&w, "sent", call->request);
        json_write_key_text(&w, "received", call->reply);
        json_write_key_bool(&w, "is_answered", call->is_answered);
        json_write_key_i64(&w, "attempts", call->attempts);
        json_write_key_i64(&w, "sent_bytes", (int64_t)call->sent_bytes);
        json_write_key_double(&w, "dollars", call->dollars);
        json_write_object_end(&w);
    }
    json_write_array_end(&w);
    json_write_object_end(&w);
}

static enum status show(struct runs *runs, const char *number, struct error *err)
{
    struct parts parts = {0};
    bool is_known = false;
    char *end = NULL;
    const int64_t id = strtoll(number, &end, 10);
    if (*end == '\0')
        TRY(journal_find_run(runs->journal, id, &parts.run, &runs->arena, &is_known, err));
    if (!is_known)
        FAIL(err, ERR_FORMAT, "no run has the number `%.40s`; cohort runs lists them", number);
    TRY(journal_rounds(runs->journal, id, &runs->arena, &parts.rounds, &parts.round_count,
                       err));
    TRY(journal_calls(runs->journal, id, &runs->arena, &parts.calls, &parts.call_count, err));
    if (runs->json) {
        show_json(&runs->out, &parts);
        return output_line(&runs->out, err);
    }
    show_question(&runs->out, &parts.run);
    for (uint32_t i = 0; i < parts.round_count; i++)
        show_round(&runs->out, &parts.rounds[i]);
    show_calls(runs, &runs->out, &parts);
    show_answer(&runs->out, &parts.run);
    return output_text(&runs->out, err);
}

static enum status open_and_show(struct runs *runs, const char *path, const char *number,
                                 struct error *err)
{
    char usual[STATE_PATH_BYTES];
    if (!path)
        TRY(state_path("runs.db", usual, err));
    TRY(arena_init(&runs->arena, ARENA_BYTES, err));
    TRY(journal_open(&runs->journal, path ? path : usual, err));
    return number ? show(runs, number, err) : list(runs, err);
}

int runs_main(int argc, char **argv)
{
    struct runs runs = {0};
    const char *path = NULL;
    const struct args_option options[] = {
        {0, "sent", NULL, ARGS_FLAG, &runs.sent, 0, 0,
         "with show: every request and reply, word for word"},
        {0, "journal", "FILE", ARGS_TEXT, &path, 0, 0,
         "where runs are kept (default: runs.db in the state folder)"},
        {0, "json", NULL, ARGS_FLAG, &runs.json, 0, 0, "JSON"},
    };
    const struct args_command command = {
        .name = "runs",
        .usage = "[options] [show RUN]",
        .about =
            "Lists what was asked, newest first. With show: one run, its programs, what the "
            "workers found, and what left the machine.",
        ARGS_OPTIONS(options),
    };
    struct error err = {0};
    int rest;
    const enum args_result asked = args_parse(&command, argc, argv, &rest);
    if (asked != ARGS_GO)
        return args_exit_code(asked);
    const bool shows = argc > rest && strcmp(argv[rest], "show") == 0;
    if (!args_words_fit(&command, argc - rest, shows ? 2 : 0, shows ? 2 : 0))
        return EX_USAGE;
    const enum status status = open_and_show(&runs, path, shows ? argv[rest + 1] : NULL, &err);
    journal_close(runs.journal);
    arena_deinit(&runs.arena);
    text_buf_deinit(&runs.out);
    return status != OK ? exit_code_fail("runs", &err) : exit_code_flush("runs");
}
