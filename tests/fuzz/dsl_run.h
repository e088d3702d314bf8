/*
 * dsl_run - a program from open to close for the fuzz targets of the language, under small
 * limits; aborts where what it gives breaks the word of dsl.h.
 */
#ifndef FUZZ_DSL_RUN_H
#define FUZZ_DSL_RUN_H

#include "protocol/dsl/program.h"

#include <stdlib.h>
#include <string.h>

static const struct dsl_limits DSL_RUN_LIMITS = {.steps = 100 * 1000,
                                                 .bytes = (size_t)16 << 20,
                                                 .depth = 40,
                                                 .source_bytes = 32 << 10,
                                                 .jobs = 200,
                                                 .chunk_bytes = 1 << 20,
                                                 .output_bytes = 1 << 16};
static const struct text DSL_RUN_DOCUMENTS[] = {
    TEXT("Page 1 of 2\n\nRevenue was $1,234.5 million (2019). \xc3\x89t\xc3\xa9!\n\n\f"
         "Page 2 of 2\n\ndef f(x):\n    return x\n\nclass C:\n    pass\n"),
    TEXT("")};

static void dsl_run_check(bool holds)
{
    if (!holds)
        abort();
}

static void dsl_run_check_fault(enum status status, const struct dsl_fault *fault)
{
    dsl_run_check(fault->line >= 0 && memchr(fault->message, '\0', sizeof fault->message));
    dsl_run_check(status == OK || fault->message[0] != '\0' || fault->exception[0] != '\0');
    dsl_run_check((fault->kind == DSL_RAISED) == (fault->exception[0] != '\0'));
}

static void dsl_run_check_jobs(const struct dsl_jobs *jobs)
{
    dsl_run_check(jobs->count <= DSL_RUN_LIMITS.jobs);
    for (uint32_t i = 0; i < jobs->count; i++) {
        const struct dsl_job *job = &jobs->list[i];
        dsl_run_check(job->job_id == (int32_t)i && job->chunk_id <= job->job_id);
        if (job->document < 0)
            continue;
        const struct text document = DSL_RUN_DOCUMENTS[job->document];
        dsl_run_check(job->chunk.size <= document.size &&
                      job->offset <= document.size - job->chunk.size);
        dsl_run_check(job->chunk.size == 0 ||
                      memcmp(job->chunk.data, document.data + job->offset, job->chunk.size) ==
                          0);
    }
}

static void dsl_run(struct text source)
{
    static const struct dsl_output OUTPUT = {.sample = TEXT("{}"),
                                             .explanation = TEXT("because"),
                                             .citation = TEXT("Revenue was"),
                                             .answer = TEXT("12.5"),
                                             .has_citation = true,
                                             .has_answer = true};
    const struct dsl_options options = {source, DSL_RUN_DOCUMENTS, 2, &DSL_RUN_LIMITS};
    struct program *program = NULL;
    struct dsl_fault fault = {0};
    struct dsl_jobs jobs = {0};
    struct dsl_output outputs[200];
    struct text text;
    enum status status = program_open(&program, &options, &fault, NULL);
    dsl_run_check_fault(status, &fault);
    if (status != OK)
        return;
    status = program_prepare_jobs(program, NULL, &jobs, &fault, NULL);
    if (status == OK)
        dsl_run_check_jobs(&jobs);
    else
        dsl_run_check_fault(status, &fault);
    for (uint32_t i = 0; i < jobs.count; i++)
        outputs[i] = OUTPUT;
    const struct dsl_finished finished = {jobs.list, outputs, jobs.count};
    status = program_transform(program, &finished, &text, &fault, NULL);
    if (status == OK)
        dsl_run_check(text.size <= DSL_RUN_LIMITS.output_bytes &&
                      text_utf8_valid(text) == text.size);
    else
        dsl_run_check_fault(status, &fault);
    status = program_prepare_jobs(program, &finished, &jobs, &fault, NULL);
    if (status != OK)
        dsl_run_check_fault(status, &fault);
    program_close(program);
}

#endif
