/*
 * batch - cohort batch: an OpenAI batch file in, result lines out.
 *
 * All lines are checked for form before the engine is opened; what is wrong with a request's
 * body becomes its result. Many requests are in flight at once, so that the engine can put
 * those with a common prefix together. Results are appended as they finish, in any order.
 */
#include "base/file_map.h"
#include "engine/engine.h"
#include "protocol/api/batch_file.h"
#include "protocol/api/batch_jobs.h"
#include "tokenizer/tokenizer.h"
#include "tools/batch_workers.h"
#include "tools/cohort.h"
#include "tools/engine_args.h"
#include "tools/exit_code.h"
#include "tools/state_path.h"
#include "tools/workers_args.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { EVENTS = 256 };

struct batch {
    struct engine_args engine_args;
    struct workers_args workers_args;
    const char *in_path, *out_path;
    struct file_map in;
    struct batch_file_lines lines;
    struct batch_file_output out;
    struct engine *engine;
    struct batch_jobs jobs;
    uint64_t written, refused, skipped;
};

static enum status append(struct batch *batch, struct text custom_id,
                          const struct batch_jobs_answer *answer, struct error *err)
{
    const struct batch_file_result result = {custom_id, answer->status_code,
                                             text_buf_text(&answer->body)};
    *(answer->status_code == 200 ? &batch->written : &batch->refused) += 1;
    return batch_file_append(&batch->out, &result, err);
}

/* Its line; the engine says nothing more of it. */
static enum status finish_job(struct batch *batch, struct batch_job *job, struct error *err)
{
    struct batch_jobs_answer answer = {0};
    enum status status = batch_jobs_word(&batch->jobs, job, &answer, err);
    if (status == OK)
        status = append(batch, text_buf_text(&job->custom_id), &answer, err);
    text_buf_deinit(&answer.body);
    batch_jobs_free(&batch->jobs, job);
    return status;
}

static enum status poll_events(struct batch *batch, struct error *err)
{
    struct engine_event events[EVENTS];
    const size_t count = engine_poll(batch->engine, events, EVENTS, -1);
    if (count == 0)
        FAIL(err, ERR_DEVICE, "the engine stopped with %u requests unanswered",
             batch->jobs.running);
    for (size_t i = 0; i < count; i++) {
        struct batch_job *done = batch_jobs_take(&batch->jobs, &events[i]);
        if (done)
            TRY(finish_job(batch, done, err));
    }
    return OK;
}

/* Submits a request, or writes at once what is to be said. */
static enum status start(struct batch *batch, const struct batch_file_request *request,
                         struct error *err)
{
    struct batch_jobs_answer answer = {0};
    enum status status =
        batch_jobs_start(&batch->jobs, request, batch->lines.number, &answer, err);
    if (status == OK && answer.status_code != 0)
        status = append(batch, request->custom_id, &answer, err);
    text_buf_deinit(&answer.body);
    return status;
}

static enum status start_line(struct batch *batch, struct text line, struct error *err)
{
    struct batch_file_request request;
    enum status status = OK;
    TRY(batch_file_parse(line, batch->lines.number, &request, err));
    if (id_set_has(&batch->out.done, request.custom_id))
        batch->skipped++;
    else
        status = start(batch, &request, err);
    json_free(request.root);
    return status;
}

static enum status run_lines(struct batch *batch, struct error *err)
{
    struct text line;
    TRY(batch_jobs_init(&batch->jobs, batch->engine, NULL, err));
    for (;;) {
        while (batch->jobs.running < BATCH_JOBS_MAX &&
               batch_file_next_line(&batch->lines, &line))
            TRY(start_line(batch, line, err));
        if (batch->jobs.running == 0)
            return OK;
        TRY(poll_events(batch, err));
    }
}

/* Opens everything, in the order in which a mistake costs least. */
static int open_batch(struct batch *batch, struct error *err)
{
    enum status status = file_map_open(&batch->in, batch->in_path, 0, err);
    batch->lines.source = (struct text){(const char *)batch->in.data, batch->in.size};
    struct batch_file_count count; /* all lines are looked at before anything is computed */
    if (status == OK)
        status = batch_file_check(batch->lines.source, TEXT(""), &count, err);
    if (status != OK)
        return exit_code_fail("batch", err);
    status = batch_file_open(&batch->out, batch->out_path, err);
    if (status != OK) {
        const int code = exit_code_fail("batch", err);
        return code == EX_NOINPUT ? EX_CANTCREAT : code;
    }
    if (batch->workers_args.urls)
        return EX_OK;
    if (engine_args_open(&batch->engine_args, NULL, &batch->engine, err) != OK)
        return exit_code_fail("batch", err);
    const struct tokenizer *tokenizer = engine_tokenizer(batch->engine);
    if (tokenizer && (count.chats == 0 || tokenizer_has_chat(tokenizer)))
        return EX_OK;
    (void)fprintf(stderr, "cohort batch: the model has no chat template\n");
    return EX_DATAERR;
}

static enum status run_elsewhere(struct batch *batch, struct error *err)
{
    char path[STATE_PATH_BYTES];
    struct egress egress = {0};
    struct batch_workers_counts counts = {0};
    struct worker_fleet_options options = workers_args_options(&batch->workers_args);
    TRY(state_path("egress.jsonl", path, err));
    TRY(egress_open(&egress, path, err));
    options.egress = &egress; /* of no run: a batch is not in the journal */
    const enum status status =
        batch_workers_run(&batch->lines, &batch->out, &options, &counts, err);
    egress_close(&egress);
    batch->written = counts.written;
    batch->refused = counts.refused;
    batch->skipped = counts.skipped;
    if (counts.bytes.hosts[0])
        (void)fprintf(stderr, "%" PRIu64 " bytes sent to %s\n", counts.bytes.sent,
                      counts.bytes.hosts);
    if (status == OK && counts.failed > 0)
        FAIL(err, ERR_REMOTE,
             "%" PRIu64 " requests failed on several servers and have no line yet (%" PRIu64
             " were answered); the last: %.100s; run it again for them",
             counts.failed, counts.written, counts.reason);
    return status;
}

static int run_batch(struct batch *batch)
{
    struct error err = {0};
    const int code = open_batch(batch, &err);
    if (code != EX_OK)
        return code;
    const enum status status =
        batch->workers_args.urls ? run_elsewhere(batch, &err) : run_lines(batch, &err);
    if (status != OK) {
        const int failed = exit_code_fail("batch", &err);
        return failed == EX_NOINPUT ? EX_IOERR : failed;
    }
    (void)fprintf(stderr,
                  "%" PRIu64 " answered, %" PRIu64 " refused, %" PRIu64 " done before%s\n",
                  batch->written, batch->refused, batch->skipped,
                  batch->out.torn_bytes ? ", a torn line dropped" : "");
    return EX_OK;
}

static void close_batch(struct batch *batch)
{
    engine_close(batch->engine);
    batch_jobs_deinit(&batch->jobs);
    batch_file_close(&batch->out);
    file_map_close(&batch->in);
    free(batch);
}

static enum args_result parse(struct batch *batch, int argc, char **argv)
{
    const struct args_option options[] = {ENGINE_ARGS(batch->engine_args),
                                          WORKERS_ARGS(batch->workers_args)};
    const struct args_command command = {
        .name = "batch",
        .usage = "[options] IN OUT",
        .about = "Answers the requests of an OpenAI batch file (one JSON object a line, of url "
                 "/v1/chat/completions, /v1/completions, /v1/embeddings or /v1/responses) and "
                 "appends one result line each to OUT. Run it again after an interruption: "
                 "requests that have their line in OUT are not done twice.\n"
                 "With --workers, which take chats alone, what is sent to another machine is "
                 "written to egress.jsonl in the state folder first.\n"
                 "Beside OpenAI's fields a request may have top_k, min_p, typical_p, "
                 "repetition_penalty, priority, deadline_ms and chunk.",
        ARGS_OPTIONS(options),
    };
    int rest = 0;
    const enum args_result parsed = args_parse(&command, argc, argv, &rest);
    if (parsed != ARGS_GO)
        return parsed;
    if (!args_words_fit(&command, argc - rest, 2, 2))
        return ARGS_WRONG;
    for (int i = rest; i < argc; i++) {
        if (strcmp(argv[i], "-") == 0) {
            (void)fprintf(stderr, "cohort batch: IN and OUT are files, not `-`\n");
            return ARGS_WRONG;
        }
    }
    batch->in_path = argv[rest];
    batch->out_path = argv[rest + 1];
    return ARGS_GO;
}

int batch_main(int argc, char **argv)
{
    struct batch *batch = calloc(1, sizeof *batch);
    if (!batch)
        return EX_OSERR;
    batch->out.fd = -1;
    const enum args_result parsed = parse(batch, argc, argv);
    int code = args_exit_code(parsed);
    if (parsed == ARGS_GO)
        code = run_batch(batch);
    close_batch(batch);
    return code != EX_OK ? code : exit_code_flush("batch");
}
