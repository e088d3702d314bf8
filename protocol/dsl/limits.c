/* limits - see limits.h. */
#include "protocol/dsl/limits.h"

#include "protocol/dsl/program.h"
#include "protocol/dsl/sandbox.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WALL_S       0.005 /* a busy loop that long: at every start */
#define REPLY_S      20.0
#define MEMORY_BYTES ((size_t)64 << 20)

#define PREPARE   "def prepare_jobs(context, a=None, b=None):\n    "
#define TRANSFORM "\ndef transform_outputs(jobs):\n    return 'longer than the limit'\n"
#define JOB       "JobManifest(chunk='chunk', task='t', advice='')"

/* A program that must trip one limit, which is set to value; the others are wide. */
struct trap {
    const char *name, *source;
    struct dsl_limits limits;
};

static const struct trap TRAPS[] = {
    {"steps", PREPARE "while True: pass" TRANSFORM, {.steps = 10000}},
    {"bytes", PREPARE "return 'x' * (1 << 25)" TRANSFORM, {.bytes = (size_t)8 << 20}},
    {"depth",
     "def f(n):\n    return f(n + 1)\n" PREPARE "return f(0)" TRANSFORM,
     {.depth = 20}},
    {"source bytes", PREPARE "return []" TRANSFORM, {.source_bytes = 40}},
    {"jobs", PREPARE "return [" JOB "] * 3" TRANSFORM, {.jobs = 2}},
    {"chunk bytes", PREPARE "return [" JOB "] * 3" TRANSFORM, {.chunk_bytes = 14}},
    {"output bytes", PREPARE "return [" JOB "]" TRANSFORM, {.output_bytes = 8}},
};

static struct dsl_limits widen(struct dsl_limits l)
{
    l.steps = l.steps ? l.steps : 100000000;
    l.bytes = l.bytes ? l.bytes : (size_t)16 << 20;
    l.depth = l.depth ? l.depth : 100;
    l.source_bytes = l.source_bytes ? l.source_bytes : 4096;
    l.jobs = l.jobs ? l.jobs : 100;
    l.chunk_bytes = l.chunk_bytes ? l.chunk_bytes : 1 << 20;
    l.output_bytes = l.output_bytes ? l.output_bytes : 1 << 10;
    return l;
}

static bool trips(const struct trap *trap)
{
    const struct dsl_limits limits = widen(trap->limits);
    const struct text document = TEXT("document");
    const struct dsl_options options = {text_of(trap->source), &document, 1, &limits};
    const struct dsl_finished nothing = {0};
    struct program *program = NULL;
    struct dsl_jobs jobs;
    struct dsl_fault fault = {0};
    struct text text;
    enum status status = program_open(&program, &options, &fault, NULL);
    if (status == OK)
        status = program_prepare_jobs(program, NULL, &jobs, &fault, NULL);
    if (status == OK)
        status = program_transform(program, &nothing, &text, &fault, NULL);
    program_close(program);
    return status != OK;
}

/* Says which limit did not hold, or nothing; then runs on until it is killed. */
static void serve_traps(void *self, int socket)
{
    const char *loose = "";
    (void)self;
    for (size_t i = 0; i < sizeof(TRAPS) / sizeof(TRAPS[0]); i++)
        if (!*loose && !trips(&TRAPS[i]))
            loose = TRAPS[i].name;
    if (!sandbox_put(socket, text_of(loose)))
        _exit(1);
    for (volatile unsigned i = 0;; i++)
        continue;
}

static enum status try_traps(struct error *err)
{
    struct sandbox sandbox;
    struct text_buf reply = {0};
    const struct sandbox_options options = {.memory_bytes = MEMORY_BYTES, .serve = serve_traps};
    TRY(sandbox_start(&sandbox, &options, err));
    const enum sandbox_end first = sandbox_receive(&sandbox, 64, REPLY_S, &reply);
    char loose[64] = "";
    if (first == SANDBOX_DONE && reply.size > 0)
        memcpy(loose, reply.data, reply.size < 63 ? reply.size : 63);
    const enum sandbox_end then = sandbox_receive(&sandbox, 64, WALL_S, &reply);
    sandbox_stop(&sandbox);
    text_buf_deinit(&reply);
    if (first != SANDBOX_DONE)
        FAIL(err, ERR_IO, "programs: the process that tries their limits ended early");
    if (loose[0])
        FAIL(err, ERR_IO, "programs: the limit on %s does not hold", loose);
    if (then != SANDBOX_TIMED_OUT)
        FAIL(err, ERR_IO, "programs: the limit on wall time does not hold");
    return OK;
}

/* Makes a harmless call that is not on the list, which it must not come back from. */
static void serve_call(void *self, int socket)
{
    (void)self;
    (void)getppid();
    (void)sandbox_put(socket, TEXT("back"));
    _exit(0);
}

static enum status try_call(struct error *err)
{
    struct sandbox sandbox;
    struct text_buf reply = {0};
    const struct sandbox_options options = {.memory_bytes = MEMORY_BYTES, .serve = serve_call};
    TRY(sandbox_start(&sandbox, &options, err));
    const enum sandbox_end end = sandbox_receive(&sandbox, 64, REPLY_S, &reply);
    sandbox_stop(&sandbox);
    text_buf_deinit(&reply);
    if (end == SANDBOX_DONE && sandbox_is_strict())
        FAIL(err, ERR_IO, "programs: the limit on system calls does not hold");
    return OK;
}

enum status limits_try(struct error *err)
{
    TRY(try_traps(err));
    return try_call(err);
}
