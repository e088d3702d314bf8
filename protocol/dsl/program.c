/*
 * program - see program.h.
 *
 * A program has one interp from open to close: what prepare_jobs left in the module's variables
 * is there for transform_outputs, and both share one budget.
 */
#include "protocol/dsl/program.h"

#include "protocol/dsl/builtins.h"
#include "protocol/dsl/compare.h"
#include "protocol/dsl/dict.h"
#include "protocol/dsl/eval.h"
#include "protocol/dsl/list.h"
#include "protocol/dsl/lower.h"
#include "protocol/dsl/provenance.h"
#include "protocol/dsl/record.h"
#include "protocol/dsl/repr.h"
#include "protocol/dsl/str.h"
#include "protocol/dsl/type.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct program {
    struct interp in;
    struct code *module;
    struct value prepare_jobs, transform_outputs;
    uint32_t prepare_slot, transform_slot;
    bool started; /* the module's statements have run */
};

/* A fault as an error, for those who only look at that. */
static enum status fail_fault(const struct dsl_fault *fault, struct error *err)
{
    const enum status status = fault->kind == DSL_BUDGET ? ERR_LIMIT : ERR_FORMAT;
    if (fault->kind == DSL_RAISED)
        FAIL(err, status, "program line %d: %s: %s", fault->line, fault->exception,
             fault->message);
    if (fault->line > 0)
        FAIL(err, status, "program line %d: %s", fault->line, fault->message);
    FAIL(err, status, "program: %s", fault->message);
}

static void copy_cut(char *out, size_t room, struct text text)
{
    struct text cut = text_slice(text, 0, room - 1);
    cut.size = text_utf8_valid(cut);
    if (cut.size > 0)
        memcpy(out, cut.data, cut.size);
    out[cut.size] = '\0';
}

/* Why the interp stopped, into *fault. */
static enum status take_fault(struct interp *in, struct dsl_fault *fault, struct error *err)
{
    *fault = (struct dsl_fault){.kind = DSL_BUDGET, .line = in->line};
    const struct exception *raised = in->raised;
    if (raised && !in->out_of_budget) {
        struct str *message = exception_text(in, raised);
        if (message) {
            fault->kind = DSL_RAISED;
            fault->line = raised->line;
            copy_cut(fault->exception, sizeof fault->exception, text_of(raised->type->name));
            copy_cut(fault->message, sizeof fault->message, str_text(message));
        }
    }
    if (fault->kind == DSL_BUDGET)
        copy_cut(fault->message, sizeof fault->message, text_of(in->budget));
    in->raised = NULL;
    return fail_fault(fault, err);
}

static enum status over_limit(struct interp *in, struct dsl_fault *fault, struct error *err,
                              const char *format, unsigned long long limit)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* literals, three calls below */
    interp_trip(in, format, limit);
#pragma GCC diagnostic pop
    return take_fault(in, fault, err);
}

/* Names that Python has and this language refuses, unless the program binds them itself. */
static bool check_names(const struct scope *globals, struct dsl_fault *fault)
{
    for (uint32_t i = 0; i < globals->symbol_count; i++) {
        const struct scope_symbol *symbol = &globals->symbols[i];
        const char *instead = builtins_refused(str_text(symbol->name));
        if (!instead || (symbol->flags & SCOPE_BOUND))
            continue;
        parse_refuse(fault, symbol->uses ? symbol->uses->line : 0,
                     "`%.*s` is not part of this language: %s",
                     TEXT_ARG(str_text(symbol->name)), instead);
        return false;
    }
    return true;
}

static bool find_slot(const struct scope *globals, const char *name, uint32_t *slot)
{
    for (uint32_t i = 0; i < globals->symbol_count; i++) {
        *slot = i;
        if (str_is(globals->symbols[i].name, name) && globals->symbols[i].flags & SCOPE_BOUND)
            return true;
    }
    return false;
}

static bool open_globals(struct interp *in, const struct scope *globals)
{
    in->global_count = globals->symbol_count;
    in->globals = interp_alloc(in, (size_t)in->global_count + 1, sizeof *in->globals);
    in->builtins = interp_alloc(in, (size_t)in->global_count + 1, sizeof *in->builtins);
    if (!in->globals || !in->builtins)
        return false;
    for (uint32_t i = 0; i < in->global_count; i++)
        if (!builtins_find(in, str_text(globals->symbols[i].name), &in->builtins[i]))
            return false;
    return true;
}

/* Source to code; false with the fault filled. */
static bool load(struct program *p, struct text source, struct dsl_fault *fault)
{
    struct interp *in = &p->in;
    struct scope *globals;
    struct str *copy = in->limits.source_bytes >= source.size ? str_copy(in, source) : NULL;
    const struct syntax *syntax = parse_source(in, copy ? str_text(copy) : source, fault);
    if (!syntax)
        return false;
    p->module = lower_module(in, syntax, fault, &globals);
    if (!p->module || !check_names(globals, fault))
        return false;
    if (!find_slot(globals, "prepare_jobs", &p->prepare_slot)) {
        parse_refuse(fault, 0, "the program does not define prepare_jobs(context, ...)");
        return false;
    }
    if (!find_slot(globals, "transform_outputs", &p->transform_slot)) {
        parse_refuse(fault, 0, "the program does not define transform_outputs(jobs)");
        return false;
    }
    if (open_globals(in, globals))
        return true;
    parse_refuse(fault, 0, "%s", in->budget);
    fault->kind = DSL_BUDGET;
    return false;
}

enum status program_open(struct program **program, const struct dsl_options *options,
                         struct dsl_fault *fault, struct error *err)
{
    struct program *p = calloc(1, sizeof *p);
    *fault = (struct dsl_fault){0};
    *program = NULL;
    if (!p)
        FAIL(err, ERR_MEMORY, "no memory for a program");
    const enum status status = interp_init(&p->in, options->limits, err);
    if (status != OK) {
        free(p);
        return status;
    }
    p->in.documents = options->documents;
    p->in.document_count = options->document_count;
    interp_begin(&p->in);
    const bool is_loaded = load(p, options->source, fault);
    interp_end(&p->in);
    if (!is_loaded) {
        program_close(p);
        return fail_fault(fault, err);
    }
    *program = p;
    return OK;
}

void program_close(struct program *program)
{
    if (!program)
        return;
    interp_deinit(&program->in);
    free(program);
}

static bool ensure_started(struct program *p)
{
    if (p->started)
        return true;
    p->started = true;
    return eval_module(&p->in, p->module);
}

static bool call_function(struct program *p, uint32_t slot, const struct value *values,
                          uint32_t count, struct value *out)
{
    struct interp *in = &p->in;
    const struct args args = {.values = values, .count = count};
    in->depth = 0;
    in->nest = 0;
    in->stack_used = 0;
    in->raised = in->handled = NULL;
    const struct value function = in->globals[slot];
    if (function.kind == VALUE_UNSET)
        return exception_raise(in, &exception_name, "a function was deleted by the program");
    return eval_call_value(in, function, &args, out);
}

/* A str of text from outside; None when it is not there. */
static bool set_text(struct interp *in, struct record *record, uint32_t field, struct text text)
{
    struct str *str = str_repair(in, text);
    record->fields[field] = value_str(str);
    return str != NULL;
}

static struct record *manifest_of(struct interp *in, const struct dsl_job *job)
{
    struct record *manifest = record_new(in, &record_job_manifest);
    if (!manifest || !set_text(in, manifest, RECORD_TASK, job->task) ||
        !set_text(in, manifest, RECORD_ADVICE, job->advice))
        return NULL;
    struct str *chunk = provenance_chunk(in, job);
    if (!chunk)
        return NULL;
    manifest->fields[RECORD_CHUNK] = value_str(chunk);
    manifest->fields[RECORD_CHUNK_ID] = value_int(job->chunk_id);
    manifest->fields[RECORD_TASK_ID] = value_int(job->task_id);
    manifest->fields[RECORD_JOB_ID] = value_int(job->job_id);
    return manifest;
}

static struct record *output_of(struct interp *in, const struct dsl_output *output)
{
    struct record *record = record_new(in, &record_job_output);
    if (!record || !set_text(in, record, RECORD_EXPLANATION, output->explanation) ||
        (output->has_citation && !set_text(in, record, RECORD_CITATION, output->citation)) ||
        (output->has_answer && !set_text(in, record, RECORD_ANSWER, output->answer)))
        return NULL;
    return record;
}

/* The arguments of prepare_jobs: documents, then the previous round or two times None. */
static bool prepare_arguments(struct interp *in, const struct dsl_finished *past,
                              struct value values[3])
{
    struct list *context = list_new(in, in->document_count);
    for (uint32_t i = 0; context && i < in->document_count; i++) {
        struct str *document = str_view(in, in->documents[i]);
        if (!document)
            return false;
        document->document = (int32_t)i;
        if (!list_push(in, context, value_str(document)))
            return false;
    }
    if (!context)
        return false;
    values[0] = value_list(context);
    values[1] = values[2] = value_none();
    if (!past)
        return true;
    struct list *manifests = list_new(in, past->count), *replies = list_new(in, past->count);
    for (uint32_t i = 0; manifests && replies && i < past->count; i++) {
        struct record *manifest = manifest_of(in, &past->jobs[i]);
        struct record *output = manifest ? output_of(in, &past->outputs[i]) : NULL;
        if (!output || !list_push(in, manifests, record_value(manifest)) ||
            !list_push(in, replies, record_value(output)))
            return false;
    }
    values[1] = value_list(manifests);
    values[2] = value_list(replies);
    return manifests && replies;
}

/* What prepare_jobs gave, as a list of records; raises TypeError in the program's terms. */
static const struct list *jobs_of(struct interp *in, struct value result)
{
    const struct list *list = list_from(in, result);
    for (uint32_t i = 0; list && i < list->count; i++) {
        const struct value item = list->items[i];
        if (item.kind != VALUE_RECORD || item.as.record->type != &record_job_manifest) {
            exception_raise(in, &exception_type,
                            "prepare_jobs must return a list of JobManifest; item %u is a %s",
                            i, type_name(item));
            return NULL;
        }
        for (uint32_t field = 0; field <= RECORD_ADVICE; field++)
            if (item.as.record->fields[field].kind != VALUE_STR) {
                exception_raise(in, &exception_type, "job %u: %s must be a str, not %s", i,
                                record_field_name(&record_job_manifest, field),
                                type_name(item.as.record->fields[field]));
                return NULL;
            }
    }
    return list;
}

/* The index of a text among the distinct ones, in order of first use. */
static bool text_id(struct interp *in, struct dict *ids, struct value text, int32_t *id)
{
    struct dict_entry *entry;
    if (!dict_find(in, ids, text, &entry))
        return false;
    *id = entry ? (int32_t)entry->value.as.integer : (int32_t)ids->count;
    return entry || dict_set(in, ids, text, value_int(*id));
}

static struct dsl_job *export_jobs(struct interp *in, const struct list *list)
{
    struct dsl_job *jobs = interp_alloc(in, (size_t)list->count + 1, sizeof *jobs);
    struct dict *chunks = dict_new(in), *tasks = dict_new(in);
    if (!jobs || !chunks || !tasks)
        return NULL;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct value *fields = list->items[i].as.record->fields;
        struct dsl_job *job = &jobs[i];
        job->job_id = (int32_t)i;
        job->chunk = str_text(fields[RECORD_CHUNK].as.str);
        job->task = str_text(fields[RECORD_TASK].as.str);
        job->advice = str_text(fields[RECORD_ADVICE].as.str);
        if (!text_id(in, chunks, fields[RECORD_CHUNK], &job->chunk_id) ||
            !text_id(in, tasks, fields[RECORD_TASK], &job->task_id) ||
            !provenance_locate(in, fields[RECORD_CHUNK].as.str, job))
            return NULL;
    }
    return jobs;
}

static size_t chunk_bytes(const struct list *list)
{
    size_t sum = 0;
    for (uint32_t i = 0; i < list->count; i++)
        sum += list->items[i].as.record->fields[RECORD_CHUNK].as.str->size;
    return sum;
}

size_t program_bytes_left(const struct program *program)
{
    return interp_bytes_left(&program->in);
}

static enum status prepare_jobs(struct program *program, const struct dsl_finished *past,
                                struct dsl_jobs *jobs, struct dsl_fault *fault,
                                struct error *err)
{
    struct interp *in = &program->in;
    struct value values[3], result;
    if (!ensure_started(program) || !prepare_arguments(in, past, values) ||
        !call_function(program, program->prepare_slot, values, 3, &result))
        return take_fault(in, fault, err);
    const struct list *list = jobs_of(in, result);
    if (!list)
        return take_fault(in, fault, err);
    if (list->count > in->limits.jobs)
        return over_limit(in, fault, err, "prepare_jobs gave more than %llu jobs",
                          in->limits.jobs);
    if (chunk_bytes(list) > in->limits.chunk_bytes)
        return over_limit(in, fault, err, "the jobs' chunks sum up to more than %llu bytes",
                          in->limits.chunk_bytes);
    *jobs = (struct dsl_jobs){export_jobs(in, list), list->count};
    return jobs->list ? OK : take_fault(in, fault, err);
}

enum status program_prepare_jobs(struct program *program, const struct dsl_finished *past,
                                 struct dsl_jobs *jobs, struct dsl_fault *fault,
                                 struct error *err)
{
    interp_begin(&program->in);
    const enum status status = prepare_jobs(program, past, jobs, fault, err);
    interp_end(&program->in);
    return status;
}

static bool transform_arguments(struct interp *in, const struct dsl_finished *finished,
                                struct value *out)
{
    const struct dsl_output *outputs = finished->outputs;
    struct list *list = list_new(in, finished->count);
    *out = value_list(list);
    for (uint32_t i = 0; list && i < finished->count; i++) {
        struct record *job = record_new(in, &record_job);
        struct record *manifest = job ? manifest_of(in, &finished->jobs[i]) : NULL;
        struct record *output = manifest ? output_of(in, &outputs[i]) : NULL;
        if (!output || !set_text(in, job, RECORD_SAMPLE, outputs[i].sample))
            return false;
        if (outputs[i].grade.size > 0 && !set_text(in, job, RECORD_GRADE, outputs[i].grade))
            return false;
        job->fields[RECORD_MANIFEST] = record_value(manifest);
        job->fields[RECORD_OUTPUT] = record_value(output);
        if (!list_push(in, list, record_value(job)))
            return false;
    }
    return list != NULL;
}

static enum status transform(struct program *program, const struct dsl_finished *finished,
                             struct text *text, struct dsl_fault *fault, struct error *err)
{
    struct interp *in = &program->in;
    struct value argument, result;
    if (!ensure_started(program) || !transform_arguments(in, finished, &argument) ||
        !call_function(program, program->transform_slot, &argument, 1, &result))
        return take_fault(in, fault, err);
    struct str *str = repr_str(in, result);
    if (!str)
        return take_fault(in, fault, err);
    if (str->size > in->limits.output_bytes)
        return over_limit(in, fault, err, "transform_outputs gave more than %llu bytes",
                          in->limits.output_bytes);
    *text = str_text(str);
    return OK;
}

enum status program_transform(struct program *program, const struct dsl_finished *finished,
                              struct text *text, struct dsl_fault *fault, struct error *err)
{
    interp_begin(&program->in);
    const enum status status = transform(program, finished, text, fault, err);
    interp_end(&program->in);
    return status;
}
