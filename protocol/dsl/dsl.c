/*
 * dsl - see dsl.h.
 *
 * The child serves three requests: it opens the program unasked, then prepares or transforms
 * until the socket closes. A reply is: status, the error's text, the fault, and on OK what was
 * asked for. Documents are not sent: the child is a fork and has them.
 */
#include "protocol/dsl/dsl.h"

#include "base/clock.h"
#include "protocol/dsl/limits.h"
#include "protocol/dsl/message.h"
#include "protocol/dsl/program.h"
#include "protocol/dsl/sandbox.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum request { REQUEST_PREPARE, REQUEST_TRANSFORM, REQUEST_KINDS };

/* Beside the texts that a reply may hold: ids and sizes; and a fault when texts do not fit. */
#define REPLY_SLACK_BYTES ((size_t)1 << 20)
/* Tasks and advices, beside the chunks that have a limit of their own. */
#define ADVICE_BYTES ((size_t)64 << 20)
/* What it is sent: workers' replies, no limit of the program. */
#define REQUEST_BYTES ((size_t)256 << 20)
/* A program that looks at the clock ends itself, with the line; one that does not is killed. */
static const double GRACE_S = 0.03;

struct dsl_program {
    struct dsl_options options; /* documents borrowed */
    struct dsl_limits limits;   /* no zeros */
    struct sandbox sandbox;
    double left_s;                         /* of its wall time */
    struct text_buf prepared, transformed; /* replies: texts given out lie in them */
    struct dsl_job *jobs;                  /* given out */
};

static struct dsl_limits with_defaults(const struct dsl_limits *limits)
{
    struct dsl_limits l = limits ? *limits : (struct dsl_limits){0};
    l.steps = l.steps ? l.steps : 200 * 1000 * 1000;
    l.bytes = l.bytes ? l.bytes : (size_t)512 << 20;
    l.depth = l.depth ? l.depth : 100;
    l.source_bytes = l.source_bytes ? l.source_bytes : 32 << 10;
    l.jobs = l.jobs ? l.jobs : 2048;
    l.chunk_bytes = l.chunk_bytes ? l.chunk_bytes : (size_t)256 << 20;
    l.output_bytes = l.output_bytes ? l.output_bytes : 1 << 20;
    l.wall_s = l.wall_s > 0 ? l.wall_s : 30;
    return l;
}

/* ---- the child ---- */

static void begin_reply(struct text_buf *reply, enum status status, const struct error *why,
                        const struct dsl_fault *fault)
{
    text_buf_clear(reply);
    reply->size_max = 0;
    message_put_u64(reply, (uint64_t)status);
    message_put_text(reply, text_of(status == OK ? "" : why->text));
    message_put_fault(reply, fault);
}

static enum status fail_budget(struct dsl_fault *fault, struct error *err, const char *why)
{
    *fault = (struct dsl_fault){.kind = DSL_BUDGET};
    snprintf(fault->message, sizeof(fault->message), "%s", why);
    FAIL(err, ERR_LIMIT, "program: %s", why);
}

static bool reply_prepare(struct program *program, const struct dsl_finished *past,
                          struct text_buf *reply)
{
    struct dsl_jobs jobs = {0};
    struct dsl_fault fault = {0};
    struct error why = {0};
    const enum status status = program_prepare_jobs(program, past, &jobs, &fault, &why);
    begin_reply(reply, status, &why, &fault);
    if (status != OK)
        return !reply->failed;
    reply->size_max = program_bytes_left(program) + REPLY_SLACK_BYTES;
    message_put_jobs(reply, &jobs);
    if (!reply->failed)
        return true;
    text_buf_deinit(reply);
    (void)fail_budget(&fault, &why, "the texts of its jobs are larger than its memory allows");
    begin_reply(reply, ERR_LIMIT, &why, &fault);
    return !reply->failed;
}

static bool reply_transform(struct program *program, const struct dsl_finished *finished,
                            struct text_buf *reply)
{
    struct text text = {0};
    struct dsl_fault fault = {0};
    struct error why = {0};
    const enum status status = program_transform(program, finished, &text, &fault, &why);
    begin_reply(reply, status, &why, &fault);
    if (status == OK)
        message_put_text(reply, text);
    return !reply->failed;
}

static bool serve_request(const struct dsl_program *dsl, struct program *program,
                          struct text message, struct text_buf *reply)
{
    struct message_reader reader = {.rest = message};
    struct dsl_finished finished = {0};
    const uint64_t request = message_get_u64(&reader, REQUEST_KINDS - 1);
    const bool has_finished = message_get_u64(&reader, 1) != 0;
    if (reader.is_failed ||
        (has_finished && !message_get_finished(&reader, &dsl->options, &finished)))
        return false;
    return request == REQUEST_PREPARE
               ? reply_prepare(program, has_finished ? &finished : NULL, reply)
               : reply_transform(program, &finished, reply);
}

/* Never comes back; nothing is freed, for the process ends. */
static void serve(void *self, int socket)
{
    const struct dsl_program *dsl = self;
    struct program *program = NULL;
    struct dsl_fault fault = {0};
    struct error why = {0};
    struct text_buf reply = {0};
    const enum status status = program_open(&program, &dsl->options, &fault, &why);
    begin_reply(&reply, status, &why, &fault);
    while (!reply.failed && sandbox_put(socket, text_buf_text(&reply)) && program) {
        text_buf_deinit(&reply);       /* its bytes are the program's again */
        struct text_buf message = {0}; /* kept: the program may hold its texts */
        if (!sandbox_get(socket, &message) ||
            !serve_request(dsl, program, text_buf_text(&message), &reply))
            break;
    }
    _exit(0);
}

/* ---- the parent ---- */

/* Why there is no reply; the process is gone afterwards. */
static enum status fail_end(struct dsl_program *dsl, enum sandbox_end end,
                            struct dsl_fault *fault, struct error *err)
{
    char why[160];
    if (end == SANDBOX_TIMED_OUT)
        snprintf(why, sizeof(why), "it ran for more than %g seconds", dsl->limits.wall_s);
    else if (end == SANDBOX_TOO_LARGE)
        snprintf(why, sizeof(why), "what it gave is larger than its limits allow");
    else
        snprintf(why, sizeof(why), "its process ended: out of memory, or a forbidden call");
    sandbox_stop(&dsl->sandbox);
    return fail_budget(fault, err, why);
}

/* Waits for a reply and reads its head; on OK reader stands before what was asked for. */
static enum status take_reply(struct dsl_program *dsl, struct text_buf *message,
                              struct message_reader *reader, struct dsl_fault *fault,
                              struct error *err)
{
    const size_t given = dsl->limits.chunk_bytes + dsl->limits.output_bytes + ADVICE_BYTES;
    const size_t held = dsl->limits.bytes + 2 * REPLY_SLACK_BYTES;
    const double begin = clock_now_s();
    const enum sandbox_end end = sandbox_receive(&dsl->sandbox, given < held ? given : held,
                                                 dsl->left_s + GRACE_S, message);
    dsl->left_s -= clock_now_s() - begin;
    if (end != SANDBOX_DONE)
        return fail_end(dsl, end, fault, err);
    *reader = (struct message_reader){.rest = text_buf_text(message)};
    const enum status status = (enum status)message_get_u64(reader, ERR_CANCELLED);
    const struct text why = message_get_text(reader);
    message_get_fault(reader, fault);
    if (reader->is_failed)
        return fail_end(dsl, SANDBOX_DIED, fault, err);
    if (status != OK)
        FAIL(err, status, "%.*s", TEXT_ARG(text_slice(why, 0, 230)));
    return OK;
}

static enum status ask(struct dsl_program *dsl, enum request request,
                       const struct dsl_finished *finished, struct dsl_fault *fault,
                       struct error *err)
{
    struct text_buf message = {0};
    if (dsl->sandbox.child <= 0)
        return fail_budget(fault, err, "its process has ended");
    message_put_u64(&message, request);
    message_put_u64(&message, finished != NULL);
    if (finished)
        message_put_finished(&message, finished);
    if (message.failed) {
        text_buf_deinit(&message);
        FAIL(err, ERR_MEMORY, "program: no memory for what it is given");
    }
    const double begin = clock_now_s();
    const enum sandbox_end end =
        sandbox_send(&dsl->sandbox, text_buf_text(&message), dsl->left_s + GRACE_S);
    dsl->left_s -= clock_now_s() - begin;
    text_buf_deinit(&message);
    return end == SANDBOX_DONE ? OK : fail_end(dsl, end, fault, err);
}

static enum status check_documents(const struct dsl_options *options, struct error *err)
{
    for (uint32_t i = 0; i < options->document_count; i++) {
        const size_t valid = text_utf8_valid(options->documents[i]);
        if (valid != options->documents[i].size)
            FAIL(err, ERR_FORMAT, "document %u: byte %zu is not UTF-8", i, valid);
    }
    return OK;
}

static enum status start(struct dsl_program *dsl, struct dsl_fault *fault, struct error *err)
{
    struct text_buf reply = {0};
    struct message_reader reader;
    const struct sandbox_options options = {.memory_bytes = dsl->limits.bytes +
                                                            REPLY_SLACK_BYTES + REQUEST_BYTES,
                                            .serve = serve,
                                            .self = dsl};
    TRY(check_documents(&dsl->options, err));
    dsl->left_s = dsl->limits.wall_s;
    TRY(sandbox_start(&dsl->sandbox, &options, err));
    const enum status status = take_reply(dsl, &reply, &reader, fault, err);
    text_buf_deinit(&reply);
    return status;
}

enum status dsl_try_limits(struct error *err)
{
    static atomic_bool are_tried;
    if (atomic_exchange(&are_tried, true))
        return OK;
    const enum status status = limits_try(err);
    atomic_store(&are_tried, status == OK);
    return status;
}

enum status dsl_open(struct dsl_program **program, const struct dsl_options *options,
                     struct dsl_fault *fault, struct error *err)
{
    struct dsl_fault ignored = {0};
    struct dsl_program *dsl = calloc(1, sizeof(*dsl));
    fault = fault ? fault : &ignored;
    *fault = (struct dsl_fault){0};
    *program = NULL;
    if (!dsl)
        FAIL(err, ERR_MEMORY, "no memory for a program");
    enum status status = dsl_try_limits(err);
    if (status != OK) {
        free(dsl);
        return status;
    }
    dsl->limits = with_defaults(options->limits);
    dsl->options = *options;
    dsl->options.limits = &dsl->limits;
    status = start(dsl, fault, err);
    if (status != OK) {
        dsl_close(dsl);
        return status;
    }
    *program = dsl;
    return OK;
}

void dsl_close(struct dsl_program *program)
{
    if (!program)
        return;
    sandbox_stop(&program->sandbox);
    text_buf_deinit(&program->prepared);
    text_buf_deinit(&program->transformed);
    free(program->jobs);
    free(program);
}

static size_t chunk_bytes(const struct dsl_jobs *jobs)
{
    size_t sum = 0;
    for (uint32_t i = 0; i < jobs->count; i++)
        sum += jobs->list[i].chunk.size;
    return sum;
}

enum status dsl_prepare_jobs(struct dsl_program *program, const struct dsl_finished *past,
                             struct dsl_jobs *jobs, struct dsl_fault *fault, struct error *err)
{
    struct dsl_fault ignored = {0};
    struct message_reader reader;
    struct text_buf reply = {0};
    fault = fault ? fault : &ignored;
    TRY(ask(program, REQUEST_PREPARE, past, fault, err));
    enum status status = take_reply(program, &reply, &reader, fault, err);
    if (status == OK && (!message_get_jobs(&reader, &program->options, jobs) ||
                         chunk_bytes(jobs) > program->limits.chunk_bytes))
        status = fail_end(program, SANDBOX_DIED, fault, err);
    if (status != OK) {
        text_buf_deinit(&reply);
        return status;
    }
    text_buf_deinit(&program->prepared);
    free(program->jobs);
    program->prepared = reply;
    memcpy(&program->jobs, &jobs->list, sizeof(program->jobs)); /* const is the caller's view */
    return OK;
}

enum status dsl_transform(struct dsl_program *program, const struct dsl_finished *finished,
                          struct text *text, struct dsl_fault *fault, struct error *err)
{
    struct dsl_fault ignored = {0};
    struct message_reader reader;
    fault = fault ? fault : &ignored;
    TRY(ask(program, REQUEST_TRANSFORM, finished, fault, err));
    TRY(take_reply(program, &program->transformed, &reader, fault, err));
    *text = message_get_text(&reader);
    return reader.is_failed ? fail_end(program, SANDBOX_DIED, fault, err) : OK;
}
