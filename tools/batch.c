/*
 * batch - cohort batch: an OpenAI batch file in, result lines out.
 *
 * All lines are checked for form before the engine is opened; what is wrong with a request's
 * body becomes its result. Many requests are in flight at once, so that the engine can put
 * those with a common prefix together. Results are appended as they finish, in any order.
 */
#include "base/clock.h"
#include "base/file_map.h"
#include "base/json.h"
#include "engine/engine.h"
#include "protocol/api/batch_file.h"
#include "protocol/api/openai.h"
#include "protocol/api/openai_reply.h"
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

enum { IN_FLIGHT_MAX = 2048, EVENTS = 256, PARSE_BYTES = 64 << 20 };

/* A request that the engine has. */
struct flight {
    struct text_buf custom_id;
    struct reply reply;
    bool is_used;
};

struct batch {
    struct engine_args engine_args;
    struct workers_args workers_args;
    const char *in_path, *out_path;
    struct file_map in;
    struct batch_file_lines lines;
    struct batch_file_output out;
    struct engine *engine;
    struct arena arena; /* of one request's parsing */
    struct flight flights[IN_FLIGHT_MAX];
    uint32_t running;
    uint64_t written, refused, skipped;
};

static void free_flight(struct flight *flight)
{
    reply_deinit(&flight->reply);
    text_buf_deinit(&flight->custom_id);
    *flight = (struct flight){0};
}

/* Form of every line, and that no custom_id comes twice, before anything is computed. */
static enum status check_lines(const struct batch *batch, struct error *err)
{
    struct batch_file_lines lines = {.source = batch->lines.source};
    struct batch_file_request request;
    struct id_set seen = {0};
    struct text line;
    enum status status = OK;
    while (status == OK && batch_file_next_line(&lines, &line)) {
        bool is_new = true;
        status = batch_file_parse(line, lines.number, &request, err);
        if (status == OK)
            status = id_set_add(&seen, request.custom_id, &is_new, err);
        if (status == OK && !is_new)
            status = error_set(err, ERR_FORMAT, __FILE__, __LINE__,
                               "line %zu: custom_id \"%.*s\" comes twice", lines.number,
                               TEXT_ARG(text_slice(request.custom_id, 0, 80)));
        json_free(request.root);
    }
    id_set_deinit(&seen);
    return status;
}

/* What is wrong with a request is its result: status 400, or 500 where it is our fault. */
static enum status write_refusal(struct batch *batch, struct text custom_id, int status_code,
                                 struct text why, struct error *err)
{
    struct text_buf body = {0};
    struct json_writer w = {.out = &body};
    openai_reply_error(&w, &(struct reply_error){.status = status_code, .text = why});
    const struct batch_file_result result = {custom_id, status_code, text_buf_text(&body)};
    const enum status status = batch_file_append(&batch->out, &result, err);
    text_buf_deinit(&body);
    batch->refused++;
    return status;
}

static enum status write_completion(struct batch *batch, struct flight *flight,
                                    struct error *err)
{
    const struct text custom_id = text_buf_text(&flight->custom_id);
    struct text_buf body = {0};
    struct json_writer w = {.out = &body};
    struct reply *reply = &flight->reply;
    (void)snprintf(reply->id, sizeof reply->id, "chatcmpl-%016" PRIx64, id_set_hash(custom_id));
    reply->created = clock_unix_s();
    openai_reply_chat(&w, reply);
    const struct batch_file_result result = {custom_id, 200, text_buf_text(&body)};
    const enum status status = batch_file_append(&batch->out, &result, err);
    text_buf_deinit(&body);
    batch->written++;
    return status;
}

static enum status finish_flight(struct batch *batch, struct flight *flight, struct error *err)
{
    const struct text custom_id = text_buf_text(&flight->custom_id);
    bool failed = false;
    TRY(engine_failure(batch->engine,
                       err)); /* what is left has no line: the next run does it */
    for (uint32_t i = 0; i < flight->reply.choice_count; i++)
        failed |= flight->reply.choices[i].finish == ENGINE_FAILED;
    enum status status;
    if (reply_has_failed(&flight->reply))
        status = error_set(err, ERR_MEMORY, __FILE__, __LINE__, "no memory for an answer");
    else if (failed)
        status = write_refusal(batch, custom_id, 500,
                               TEXT("the model's numbers are not numbers"), err);
    else
        status = write_completion(batch, flight, err);
    free_flight(flight);
    batch->running--;
    return status;
}

static enum status take_event(struct batch *batch, const struct engine_event *event,
                              struct error *err)
{
    struct flight *flight = &batch->flights[event->tag];
    struct reply *reply = &flight->reply;
    struct reply_choice *choice = &reply->choices[event->sample];
    if (event->kind == ENGINE_TOKEN) {
        text_buf_add(&choice->text, event->text);
        if (reply->has_logprobs)
            logprob_list_add(&choice->logprobs, engine_tokenizer(batch->engine), event);
        return OK;
    }
    choice->finish = event->finish;
    reply->prompt_tokens = event->prompt_tokens;
    reply->completion_tokens += event->output_tokens;
    if (event->sample == 0)
        reply->cached_tokens = event->cached_tokens;
    return event->samples_left == 0 ? finish_flight(batch, flight, err) : OK;
}

static enum status poll_events(struct batch *batch, struct error *err)
{
    struct engine_event events[EVENTS];
    const size_t count = engine_poll(batch->engine, events, EVENTS, -1);
    if (count == 0)
        FAIL(err, ERR_DEVICE, "the engine stopped with %u requests unanswered", batch->running);
    for (size_t i = 0; i < count; i++)
        TRY(take_event(batch, &events[i], err));
    return OK;
}

/* Hands one request to the engine. A failure is the request's own, not the batch's. */
static enum status submit(struct batch *batch, const struct ask *ask,
                          const struct batch_file_request *request, uint32_t slot,
                          struct error *err)
{
    struct engine_job job = ask->job;
    struct token_list ids = {0};
    uint64_t job_id;
    enum status status =
        tokenizer_encode_chat(engine_tokenizer(batch->engine), ask->prompts[0].messages,
                              ask->prompts[0].message_count, true, &ids, err);
    const uint32_t room = engine_info(batch->engine)->context_max;
    if (ask->prompts[0].chunk.data)
        job.chunk = ask->prompts[0].chunk;
    job.prompt = ids.ids;
    job.prompt_tokens = (uint32_t)ids.count;
    if (job.max_tokens == 0)
        job.max_tokens = ids.count < room ? room - (uint32_t)ids.count : 1;
    /* Without a seed of its own, a request's stream hangs on its name alone: whatever runs
     * beside it, and in whichever run, its text is the same. */
    job.job_key = ask->has_seed ? 0 : (uint32_t)id_set_hash(request->custom_id);
    job.tag = slot;
    if (status == OK)
        status = engine_submit(batch->engine, &job, &job_id, err);
    token_list_deinit(&ids);
    return status;
}

static enum status fill_flight(const struct batch *batch, struct flight *flight,
                               const struct ask *ask, struct text custom_id, struct error *err)
{
    TRY(reply_init(&flight->reply, ask->job.sample_count, err));
    flight->reply.model = text_of(engine_info(batch->engine)->model_name);
    flight->reply.has_logprobs = ask->logprobs;
    flight->is_used = true;
    text_buf_add(&flight->custom_id, custom_id);
    if (flight->custom_id.failed)
        FAIL(err, ERR_MEMORY, "no memory for a request");
    return OK;
}

static uint32_t free_slot(const struct batch *batch)
{
    uint32_t slot = 0;
    while (slot < IN_FLIGHT_MAX && batch->flights[slot].is_used)
        slot++;
    return slot;
}

/* A request that the server would take, but for tools: replies here are texts. */
static enum status read_request(struct batch *batch, const struct json *body, struct ask *ask,
                                struct error *err)
{
    TRY(openai_chat_parse(body, &batch->arena, ask, err));
    if (ask->tools.list)
        FAIL(err, ERR_LIMIT, "tools: not taken in a batch; cohort serve has them");
    return ask_settle(ask, engine_tokenizer(batch->engine), false, &batch->arena, err);
}

/* One line: skipped when done, submitted, or answered at once with what is wrong with it. */
static enum status start_line(struct batch *batch, struct text line, struct error *err)
{
    struct batch_file_request request;
    struct ask ask;
    struct error why = {0};
    const uint32_t slot = free_slot(batch);
    TRY(batch_file_parse(line, batch->lines.number, &request, err));
    enum status status = OK;
    if (id_set_has(&batch->out.done, request.custom_id)) {
        batch->skipped++;
    } else if (read_request(batch, request.body, &ask, &why) != OK) {
        status = write_refusal(batch, request.custom_id, 400, text_of(why.text), err);
    } else if (fill_flight(batch, &batch->flights[slot], &ask, request.custom_id, err) != OK) {
        free_flight(&batch->flights[slot]);
        status = ERR_MEMORY;
    } else if (submit(batch, &ask, &request, slot, &why) != OK) {
        free_flight(&batch->flights[slot]);
        status = engine_failure(batch->engine, err);
        if (status == OK)
            status = write_refusal(batch, request.custom_id, 400, text_of(why.text), err);
    } else {
        batch->running++;
    }
    json_free(request.root);
    arena_rewind(&batch->arena, 0);
    return status;
}

static enum status run_lines(struct batch *batch, struct error *err)
{
    struct text line;
    for (;;) {
        while (batch->running < IN_FLIGHT_MAX && batch_file_next_line(&batch->lines, &line))
            TRY(start_line(batch, line, err));
        if (batch->running == 0)
            return OK;
        TRY(poll_events(batch, err));
    }
}

/* Opens everything, in the order in which a mistake costs least. */
static int open_batch(struct batch *batch, struct error *err)
{
    enum status status = file_map_open(&batch->in, batch->in_path, 0, err);
    batch->lines.source = (struct text){(const char *)batch->in.data, batch->in.size};
    if (status == OK)
        status = check_lines(batch, err);
    if (status == OK)
        status = arena_init(&batch->arena, PARSE_BYTES, err);
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
    if (tokenizer && tokenizer_has_chat(tokenizer))
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
    for (uint32_t i = 0; i < IN_FLIGHT_MAX; i++)
        free_flight(&batch->flights[i]);
    batch_file_close(&batch->out);
    arena_deinit(&batch->arena);
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
        .about =
            "Answers the requests of an OpenAI batch file (one JSON object a line, url\n"
            "/v1/chat/completions) and appends one result line each to OUT. Run it again "
            "after\n"
            "an interruption: requests that have their line in OUT are not done twice.\n"
            "With --workers, what is sent to another machine is written to egress.jsonl in\n"
            "the state folder first. Beside OpenAI's fields a request may have top_k, min_p,\n"
            "typical_p, repetition_penalty, priority, deadline_ms and chunk.",
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
