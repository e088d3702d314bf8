/* dsl - cohort dsl: runs a supervisor's program without any model, and shows what it makes. */
#include "protocol/dsl/dsl.h"
#include "base/file_map.h"
#include "base/json.h"
#include "protocol/minions/documents.h"
#include "tools/args.h"
#include "tools/cohort.h"
#include "tools/exit_code.h"
#include "tools/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

enum { TEXT_SHOWN = 70, JOBS_SHOWN = 20, REPLY_BYTES_MAX = 1 << 20 };
#define FILE_BYTES_MAX ((size_t)256 << 20)
#define ARENA_BYTES    ((size_t)4 << 30) /* address space; pages come as touched */

struct run {
    struct args_list files;
    const char *outputs_path;
    bool json;

    struct documents documents;
    struct text_buf source, outputs;
    struct arena arena;
    struct dsl_program *program;
    struct dsl_jobs jobs;
    struct text text; /* of transform_outputs */
    bool is_transformed;
    struct dsl_fault fault;
    bool is_faulty;
};

/* ---- running ---- */

/* A worker's reply as JobOutput has it, word for word: no citation is checked here. */
static enum status read_reply(struct run *run, struct text reply, struct dsl_output *output,
                              struct error *err)
{
    struct json *root = NULL;
    TRY(json_parse(reply, REPLY_BYTES_MAX, &root, err));
    *output = (struct dsl_output){.sample = reply};
    (void)json_text(json_get(root, "explanation"), &output->explanation);
    output->has_citation = json_text(json_get(root, "citation"), &output->citation);
    output->has_answer = json_text(json_get(root, "answer"), &output->answer);
    output->explanation = text_copy(output->explanation, &run->arena);
    output->citation = text_copy(output->citation, &run->arena);
    output->answer = text_copy(output->answer, &run->arena);
    json_free(root);
    return OK;
}

/* One line of --outputs: {"job_id": N, "sample": "..."}. */
static enum status read_line(struct run *run, struct text line, struct dsl_job *job,
                             struct dsl_output *output, struct error *err)
{
    struct json *root = NULL;
    struct text sample = {0};
    int64_t id = -1;
    struct error why = {0};
    TRY(json_parse(line, REPLY_BYTES_MAX, &root, err));
    const bool is_read =
        json_i64(json_get(root, "job_id"), &id) && json_text(json_get(root, "sample"), &sample);
    sample = text_copy(sample, &run->arena);
    json_free(root);
    if (!is_read)
        FAIL(err, ERR_FORMAT, "it needs a job_id and a sample");
    if (id < 0 || id >= run->jobs.count)
        FAIL(err, ERR_FORMAT, "job_id is %lld, the program made %u jobs", (long long)id,
             run->jobs.count);
    *job = run->jobs.list[id];
    if (read_reply(run, sample, output, &why) != OK)
        FAIL(err, ERR_FORMAT, "the sample of job %lld is no JobOutput: %.120s", (long long)id,
             why.text);
    return OK;
}

static enum status transform(struct run *run, struct error *err)
{
    const struct text lines = text_buf_text(&run->outputs);
    struct dsl_job *jobs = ARENA_NEW(&run->arena, struct dsl_job, run->jobs.count);
    struct dsl_output *outputs = ARENA_NEW(&run->arena, struct dsl_output, run->jobs.count);
    uint32_t count = 0, number = 0;
    if (!jobs || !outputs)
        FAIL(err, ERR_MEMORY, "no room for %u outputs", run->jobs.count);
    for (size_t at = 0; at < lines.size;) {
        struct error why = {0};
        size_t end = text_find(lines, TEXT("\n"), at);
        const struct text line = text_trim(text_slice(lines, at, end));
        at = end == SIZE_MAX ? lines.size : end + 1;
        number++;
        if (line.size == 0)
            continue;
        if (count == run->jobs.count)
            FAIL(err, ERR_LIMIT, "%.100s: more than one line for each of %u jobs",
                 run->outputs_path, count);
        if (read_line(run, line, &jobs[count], &outputs[count], &why) != OK)
            FAIL(err, ERR_FORMAT, "%.100s line %u: %.120s", run->outputs_path, number,
                 why.text);
        count++;
    }
    run->is_transformed = true;
    const struct dsl_finished finished = {jobs, outputs, count};
    const enum status status =
        dsl_transform(run->program, &finished, &run->text, &run->fault, err);
    run->is_faulty = status != OK;
    return OK;
}

static enum status execute(struct run *run, const char *program, struct error *err)
{
    TRY(arena_init(&run->arena, ARENA_BYTES, err));
    TRY(file_map_read(&run->source, program, FILE_BYTES_MAX, err));
    TRY(documents_open(&run->documents, run->files.items, run->files.count, err));
    output_notes("dsl", text_buf_text(&run->documents.notes));
    if (run->outputs_path)
        TRY(file_map_read(&run->outputs, run->outputs_path, FILE_BYTES_MAX, err));
    const struct dsl_options options = {
        .source = dsl_find_source(text_buf_text(&run->source)),
        .documents = run->documents.texts,
        .document_count = run->documents.count,
    };
    enum status status = dsl_open(&run->program, &options, &run->fault, err);
    if (status == OK)
        status = dsl_prepare_jobs(run->program, NULL, &run->jobs, &run->fault, err);
    run->is_faulty = status != OK && (run->fault.message[0] || run->fault.exception[0]);
    if (status != OK)
        return run->is_faulty ? OK : status;
    return run->outputs_path ? transform(run, err) : OK;
}

/* ---- showing ---- */

static const char *fault_word(const struct dsl_fault *fault)
{
    return fault->kind == DSL_REFUSED  ? "refused"
           : fault->kind == DSL_BUDGET ? "limit"
                                       : "raised";
}

/* The exception as Python writes it: `ValueError: message`, or the message alone. */
static void fault_text(const struct dsl_fault *fault, struct text_buf *out)
{
    text_buf_format(out, "%s%s%s", fault->exception, fault->exception[0] ? ": " : "",
                    fault->message);
}

static void json_fault(const struct run *run, struct json_writer *w)
{
    json_write_key(w, "fault");
    json_write_object(w);
    json_write_key_text(w, "kind", text_of(fault_word(&run->fault)));
    json_write_key_i64(w, "line", run->fault.line);
    json_write_key_text(w, "exception", text_of(run->fault.exception));
    json_write_key_text(w, "message", text_of(run->fault.message));
    json_write_object_end(w);
}

static void json_transform(const struct run *run, struct json_writer *w)
{
    struct text_buf failure = {0};
    if (run->is_faulty)
        fault_text(&run->fault, &failure);
    json_write_key(w, "transform");
    json_write_object(w);
    json_write_key_text(w, "status", run->is_faulty ? TEXT("err") : TEXT("ok"));
    json_write_key_text(w, "text", run->is_faulty ? text_buf_text(&failure) : run->text);
    json_write_object_end(w);
    text_buf_deinit(&failure);
}

static void write_json(const struct run *run, struct text_buf *out)
{
    struct json_writer w = {.out = out};
    json_write_object(&w);
    json_write_key(&w, "jobs");
    json_write_array(&w);
    for (uint32_t i = 0; i < run->jobs.count; i++) {
        const struct dsl_job *job = &run->jobs.list[i];
        json_write_object(&w);
        json_write_key_text(&w, "chunk", job->chunk);
        json_write_key_text(&w, "task", job->task);
        json_write_key_text(&w, "advice", job->advice);
        json_write_key_i64(&w, "chunk_id", job->chunk_id);
        json_write_key_i64(&w, "task_id", job->task_id);
        json_write_object_end(&w);
    }
    json_write_array_end(&w);
    if (run->is_transformed)
        json_transform(run, &w);
    if (run->is_faulty)
        json_fault(run, &w);
    json_write_object_end(&w);
}

/* The beginning of a text on one line. */
static void add_beginning(struct text_buf *out, struct text text)
{
    struct text shown = text_slice(text_trim(text), 0, TEXT_SHOWN);
    const bool is_cut = shown.size < text_trim(text).size;
    shown.size = text_utf8_valid(shown);
    for (size_t i = 0; i < shown.size; i++)
        text_buf_byte(out,
                      shown.data[i] == '\n' || shown.data[i] == '\f' ? ' ' : shown.data[i]);
    text_buf_add(out, is_cut ? TEXT(" ...\n") : TEXT("\n"));
}

static void show_job(const struct run *run, const struct dsl_job *job, struct text_buf *out)
{
    char place[DOCUMENTS_PLACE_MAX] = "made by the program";
    if (job->document >= 0)
        documents_place(&run->documents, (uint32_t)job->document, job->offset, place);
    text_buf_format(out, "job %d: task %d over chunk %d, %zu bytes, %s\n    ", job->job_id,
                    job->task_id, job->chunk_id, job->chunk.size, place);
    add_beginning(out, job->chunk);
}

static void show_jobs(const struct run *run, struct text_buf *out)
{
    int32_t chunks = 0, tasks = 0;
    for (uint32_t i = 0; i < run->jobs.count; i++) {
        const struct dsl_job *job = &run->jobs.list[i];
        chunks = job->chunk_id >= chunks ? job->chunk_id + 1 : chunks;
        tasks = job->task_id >= tasks ? job->task_id + 1 : tasks;
    }
    text_buf_format(out, "%u jobs: %d chunks, %d tasks\n", run->jobs.count, chunks, tasks);
    int32_t seen = 0; /* ids count up in the order of first use */
    for (uint32_t i = 0; i < run->jobs.count; i++) {
        if (run->jobs.list[i].task_id != seen)
            continue;
        text_buf_format(out, "task %d: ", seen++);
        add_beginning(out, run->jobs.list[i].task);
    }
    for (uint32_t i = 0; i < run->jobs.count && i < JOBS_SHOWN; i++)
        show_job(run, &run->jobs.list[i], out);
    if (run->jobs.count > JOBS_SHOWN)
        text_buf_format(out, "... and %u more; --json has them all\n",
                        run->jobs.count - JOBS_SHOWN);
}

static void write_text(const struct run *run, struct text_buf *out)
{
    if (run->program && (!run->is_faulty || run->is_transformed))
        show_jobs(run, out);
    if (run->is_faulty) {
        text_buf_format(out, "%s%s", run->is_transformed ? "transform_outputs: " : "",
                        fault_word(&run->fault));
        if (run->fault.line > 0)
            text_buf_format(out, " at line %d", run->fault.line);
        text_buf_add(out, TEXT(": "));
        fault_text(&run->fault, out);
        text_buf_byte(out, '\n');
    } else if (run->is_transformed) {
        text_buf_add(out, TEXT("transform_outputs:\n"));
        text_buf_add(out, run->text);
        text_buf_byte(out, '\n');
    }
}

static enum status run_and_show(struct run *run, const char *program, struct error *err)
{
    struct text_buf out = {0};
    TRY(execute(run, program, err));
    if (!run->json) {
        write_text(run, &out);
        return output_text(&out, err);
    }
    write_json(run, &out);
    return output_line(&out, err);
}

static void close_run(struct run *run)
{
    dsl_close(run->program);
    documents_close(&run->documents);
    arena_deinit(&run->arena);
    text_buf_deinit(&run->source);
    text_buf_deinit(&run->outputs);
}

int dsl_main(int argc, char **argv)
{
    static struct run run; /* its lists are large */
    const struct args_option options[] = {
        {'f', "file", "FILE|FOLDER|-", ARGS_LIST, &run.files, 0, 0,
         "a document of the program's context; may be repeated"},
        {0, "outputs", "JSONL", ARGS_TEXT, &run.outputs_path, 0, 0,
         "workers' replies, a line each: {\"job_id\": 0, \"sample\": \"{...}\"}"},
        {0, "json", NULL, ARGS_FLAG, &run.json, 0, 0, "one JSON object"},
    };
    const struct args_command command = {
        .name = "dsl",
        .usage = "[options] -f FILE|FOLDER|- PROGRAM",
        .about =
            "Runs a program that a supervisor wrote, without any model: shows the jobs that "
            "its prepare_jobs makes, or why it is refused. With --outputs runs its "
            "transform_outputs too. Exit code 65: the program is refused, or failed.",
        ARGS_OPTIONS(options),
        .words_min = 1,
        .words_max = 1,
    };
    struct error err = {0};
    int rest;
    const enum args_result parsed = args_parse_words(&command, argc, argv, &rest);
    if (parsed != ARGS_GO)
        return args_exit_code(parsed);
    if (run.files.count == 0) {
        (void)fprintf(stderr, "cohort dsl: -f FILE is missing; try cohort dsl --help\n");
        return EX_USAGE;
    }
    const enum status status = run_and_show(&run, argv[rest], &err);
    const bool is_faulty = run.is_faulty;
    close_run(&run);
    if (status != OK)
        return exit_code_fail("dsl", &err);
    const int code = exit_code_flush("dsl");
    return code == EX_OK && is_faulty ? EX_DATAERR : code;
}
