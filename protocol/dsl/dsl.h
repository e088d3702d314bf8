/*
 * dsl - the door of the language: a supervisor's program in, jobs or one text out.
 *
 * The language is Python-shaped, parsed by Tree-sitter, lowered through a closed switch to our
 * own tree and run by our own interpreter under budgets that the program cannot catch. No I/O
 * exists in it. A program defines prepare_jobs and transform_outputs.
 *
 *     dsl_open -> dsl_prepare_jobs -> (workers run) -> dsl_transform -> dsl_close
 *
 * All of that happens in a process of its own (sandbox.h): no descriptors but a socket to here,
 * no environment, limits on memory and time, no system calls but those for memory and that
 * socket. What comes back from it is checked like anything from outside.
 *
 * Owner    dsl_open gives, dsl_close takes. All text in results is valid until dsl_close.
 * Thread   one thread at a time.
 */
#ifndef DSL_DSL_H
#define DSL_DSL_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero means: the default (in brackets). */
struct dsl_limits {
    uint64_t steps;      /* [200 million] evaluation steps, bytes moved count too */
    size_t bytes;        /* [512 MiB] of the program's memory, the texts of its jobs too */
    uint32_t depth;      /* [100] calls deep */
    size_t source_bytes; /* [32 KiB] */
    uint32_t jobs;       /* [2048] */
    size_t chunk_bytes;  /* [256 MiB] summed over all jobs */
    size_t output_bytes; /* [1 MiB] of transform_outputs' text */
    double wall_s;       /* [30] for open, prepare_jobs and transform together */
};

enum dsl_fault_kind {
    DSL_REFUSED, /* before execution: a construct that the language has not */
    DSL_RAISED,  /* an exception the program did not catch */
    DSL_BUDGET   /* a limit tripped */
};

/* Why a program did not do it, for the supervisor to repair from. */
struct dsl_fault {
    enum dsl_fault_kind kind;
    int32_t line;       /* 1-based; 0 when there is none */
    char exception[64]; /* DSL_RAISED: its class, such as "ValueError" */
    char message[512];  /* as Python would word it, where Python has such an exception */
};

struct dsl_job {
    struct text chunk, task, advice;
    int32_t chunk_id, task_id; /* index of the distinct text, in order of first use */
    int32_t job_id;            /* position in the list that prepare_jobs gave */
    int32_t document;          /* whose span the chunk is; -1: the program made it up */
    size_t offset;             /* byte offset of the chunk in that document */
};

/* What a worker said, as transform_outputs sees it. */
struct dsl_output {
    struct text sample; /* raw reply */
    struct text explanation, citation, answer;
    bool has_citation, has_answer; /* false: None */
    struct text grade;             /* Job.grade; empty: None */
};

/* Jobs, and what came of each. */
struct dsl_finished {
    const struct dsl_job *jobs;       /* [count] */
    const struct dsl_output *outputs; /* [count] */
    uint32_t count;
};

struct dsl_jobs {
    const struct dsl_job *list; /* [count] */
    uint32_t count;
};

struct dsl_options {
    struct text source;
    const struct text *documents; /* [document_count] UTF-8, borrowed until dsl_close */
    uint32_t document_count;
    const struct dsl_limits *limits; /* NULL: the defaults */
};

struct dsl_program;

/* Finds the program in a model's reply: the last fenced code block that defines prepare_jobs,
 * or the reply itself when it has no fence. */
struct text dsl_find_source(struct text reply);

/* Trips every limit once (limits.h); later calls do nothing. dsl_open calls it, but a program
 * does well to call it at its start, while it is small and forks fast. */
MUST_USE enum status dsl_try_limits(struct error *err);

/* Starts the process, parses and lowers. ERR_FORMAT / ERR_LIMIT with *fault filled when the
 * program is refused; ERR_FORMAT a document is not UTF-8; ERR_IO, ERR_MEMORY the process cannot
 * be had, or its limits do not hold (they are tried once). */
MUST_USE enum status dsl_open(struct dsl_program **program, const struct dsl_options *options,
                              struct dsl_fault *fault, struct error *err);
void dsl_close(struct dsl_program *program); /* NULL is fine */

/* Runs prepare_jobs(context, past jobs, past outputs). past: NULL in the first round. The jobs
 * are valid until dsl_close. ERR_FORMAT / ERR_LIMIT with *fault filled when the program
 * failed. */
MUST_USE enum status dsl_prepare_jobs(struct dsl_program *program,
                                      const struct dsl_finished *past, struct dsl_jobs *jobs,
                                      struct dsl_fault *fault, struct error *err);

/* Runs transform_outputs over jobs with their outputs. Same failures. */
MUST_USE enum status dsl_transform(struct dsl_program *program,
                                   const struct dsl_finished *finished, struct text *text,
                                   struct dsl_fault *fault, struct error *err);

#ifdef __cplusplus
}
#endif
#endif
