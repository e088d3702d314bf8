/* message - see message.h. */
#include "protocol/dsl/message.h"

#include <stdlib.h>
#include <string.h>

enum { COUNT_MAX = 1 << 20, LINES_MAX = 1 << 30 };

void message_put_u64(struct text_buf *message, uint64_t value)
{
    text_buf_add(message, (struct text){(const char *)&value, sizeof(value)});
}

void message_put_text(struct text_buf *message, struct text text)
{
    message_put_u64(message, text.size);
    text_buf_add(message, text);
}

static struct text take(struct message_reader *reader, uint64_t size)
{
    if (reader->is_failed || size > reader->rest.size) {
        reader->is_failed = true;
        return (struct text){"", 0};
    }
    const struct text taken = {reader->rest.data, (size_t)size};
    reader->rest = (struct text){taken.data + size, reader->rest.size - (size_t)size};
    return taken;
}

uint64_t message_get_u64(struct message_reader *reader, uint64_t max)
{
    uint64_t value = 0;
    const struct text bytes = take(reader, sizeof(value));
    if (reader->is_failed)
        return 0;
    memcpy(&value, bytes.data, sizeof(value));
    reader->is_failed = value > max;
    return reader->is_failed ? 0 : value;
}

struct text message_get_text(struct message_reader *reader)
{
    const struct text text = take(reader, message_get_u64(reader, SIZE_MAX));
    reader->is_failed |= text_utf8_valid(text) != text.size;
    return reader->is_failed ? (struct text){"", 0} : text;
}

/* ---- jobs ---- */

/* A chunk: the document it is a span of and where, or document + 1 = 0 and its own bytes. */
static void put_chunk(struct text_buf *message, const struct dsl_job *job)
{
    message_put_u64(message, (uint64_t)((int64_t)job->document + 1));
    if (job->document < 0) {
        message_put_text(message, job->chunk);
        return;
    }
    message_put_u64(message, job->offset);
    message_put_u64(message, job->chunk.size);
}

static void get_chunk(struct message_reader *reader, const struct dsl_options *options,
                      struct dsl_job *job)
{
    job->document = (int32_t)message_get_u64(reader, options->document_count) - 1;
    if (job->document < 0) {
        job->chunk = message_get_text(reader);
        return;
    }
    const struct text document = options->documents[job->document];
    job->offset = (size_t)message_get_u64(reader, document.size);
    const size_t size = (size_t)message_get_u64(reader, document.size - job->offset);
    job->chunk = text_slice(document, job->offset, job->offset + size);
    reader->is_failed |= text_utf8_valid(job->chunk) != job->chunk.size;
}

/* The job's ids; a text whose id was there before is not written again. */
static void put_job(struct text_buf *message, const struct dsl_job *job, int32_t chunks,
                    int32_t tasks)
{
    message_put_u64(message, (uint64_t)job->chunk_id);
    if (job->chunk_id >= chunks)
        put_chunk(message, job);
    message_put_u64(message, (uint64_t)job->task_id);
    if (job->task_id >= tasks)
        message_put_text(message, job->task);
    message_put_text(message, job->advice);
}

void message_put_jobs(struct text_buf *message, const struct dsl_jobs *jobs)
{
    int32_t chunks = 0, tasks = 0;
    message_put_u64(message, jobs->count);
    for (uint32_t i = 0; i < jobs->count; i++) {
        const struct dsl_job *job = &jobs->list[i];
        put_job(message, job, chunks, tasks);
        chunks = job->chunk_id >= chunks ? job->chunk_id + 1 : chunks;
        tasks = job->task_id >= tasks ? job->task_id + 1 : tasks;
    }
}

/* Reads jobs in the order of message_put_jobs: an id is one that was there, or the next. */
static void get_jobs(struct message_reader *reader, const struct dsl_options *options,
                     struct dsl_job *list, uint32_t count)
{
    uint32_t *first_chunk = calloc((size_t)2 * count + 2, sizeof(*first_chunk));
    uint32_t *first_task = first_chunk ? first_chunk + count + 1 : NULL;
    uint32_t chunks = 0, tasks = 0;
    reader->is_failed |= !first_chunk;
    for (uint32_t i = 0; i < count && !reader->is_failed; i++) {
        struct dsl_job *job = &list[i];
        job->job_id = (int32_t)i;
        job->chunk_id = (int32_t)message_get_u64(reader, chunks);
        if ((uint32_t)job->chunk_id == chunks) {
            first_chunk[chunks++] = i;
            get_chunk(reader, options, job);
        } else {
            const struct dsl_job *same = &list[first_chunk[job->chunk_id]];
            job->chunk = same->chunk;
            job->document = same->document;
            job->offset = same->offset;
        }
        job->task_id = (int32_t)message_get_u64(reader, tasks);
        if ((uint32_t)job->task_id == tasks) {
            first_task[tasks++] = i;
            job->task = message_get_text(reader);
        } else {
            job->task = list[first_task[job->task_id]].task;
        }
        job->advice = message_get_text(reader);
    }
    free(first_chunk);
}

bool message_get_jobs(struct message_reader *reader, const struct dsl_options *options,
                      struct dsl_jobs *jobs)
{
    const uint32_t count = (uint32_t)message_get_u64(reader, options->limits->jobs);
    struct dsl_job *list = calloc((size_t)count + 1, sizeof(*list));
    reader->is_failed |= !list;
    if (!reader->is_failed)
        get_jobs(reader, options, list, count);
    if (reader->is_failed) {
        free(list);
        return false;
    }
    *jobs = (struct dsl_jobs){list, count};
    return true;
}

/* ---- jobs with what came of them: any of those that were made, in any order ---- */

static void put_output(struct text_buf *message, const struct dsl_output *output)
{
    message_put_text(message, output->sample);
    message_put_text(message, output->explanation);
    message_put_u64(message, output->has_citation);
    message_put_text(message, output->citation);
    message_put_u64(message, output->has_answer);
    message_put_text(message, output->answer);
    message_put_text(message, output->grade);
}

/* A reply is a worker's: it may be no UTF-8, and is repaired where it becomes a str. */
static struct text get_raw(struct message_reader *reader)
{
    return take(reader, message_get_u64(reader, SIZE_MAX));
}

static void get_output(struct message_reader *reader, struct dsl_output *output)
{
    output->sample = get_raw(reader);
    output->explanation = get_raw(reader);
    output->has_citation = message_get_u64(reader, 1) != 0;
    output->citation = get_raw(reader);
    output->has_answer = message_get_u64(reader, 1) != 0;
    output->answer = get_raw(reader);
    output->grade = get_raw(reader);
}

/* Per id below count, the last job with it and one more; 0: none. */
struct shared {
    uint32_t *chunks, *tasks; /* [count] in one piece; NULL: nothing is shared */
    uint32_t count;
};

static bool is_same(struct text a, struct text b)
{
    return a.data == b.data && a.size == b.size;
}

/* The number of an earlier job whose text is this very one, plus one; 0: there is none. Ids
 * need not be right: where the text is another it is written out. */
static uint32_t find_same(uint32_t *last, uint32_t count, int32_t id, uint32_t number)
{
    if (!last || id < 0 || (uint32_t)id >= count)
        return 0;
    const uint32_t found = last[id];
    last[id] = number + 1;
    return found;
}

static void put_shared(struct text_buf *message, const struct dsl_finished *finished,
                       const struct shared *shared, uint32_t number)
{
    const struct dsl_job *list = finished->jobs, *job = &list[number];
    uint32_t same = find_same(shared->chunks, shared->count, job->chunk_id, number);
    if (same > 0 && (job->document >= 0 || list[same - 1].document >= 0 ||
                     !is_same(list[same - 1].chunk, job->chunk)))
        same = 0;
    message_put_u64(message, same);
    if (same == 0)
        put_chunk(message, job);
    same = find_same(shared->tasks, shared->count, job->task_id, number);
    if (same > 0 && !is_same(list[same - 1].task, job->task))
        same = 0;
    message_put_u64(message, same);
    if (same == 0)
        message_put_text(message, job->task);
}

void message_put_finished(struct text_buf *message, const struct dsl_finished *finished)
{
    struct shared shared = {.count = finished->count};
    shared.chunks = calloc((size_t)2 * shared.count + 1, sizeof(*shared.chunks));
    shared.tasks = shared.chunks ? shared.chunks + shared.count : NULL;
    message_put_u64(message, finished->count);
    for (uint32_t i = 0; i < finished->count; i++) {
        const struct dsl_job *job = &finished->jobs[i];
        message_put_u64(message, (uint64_t)job->chunk_id);
        message_put_u64(message, (uint64_t)job->task_id);
        message_put_u64(message, (uint64_t)job->job_id);
        put_shared(message, finished, &shared, i);
        message_put_text(message, job->advice);
        put_output(message, &finished->outputs[i]);
    }
    free(shared.chunks);
}

static void get_shared(struct message_reader *reader, const struct dsl_options *options,
                       struct dsl_job *jobs, uint32_t number)
{
    struct dsl_job *job = &jobs[number];
    uint64_t same = message_get_u64(reader, number);
    if (same > 0) {
        job->chunk = jobs[same - 1].chunk;
        job->document = jobs[same - 1].document;
        job->offset = jobs[same - 1].offset;
    } else {
        get_chunk(reader, options, job);
    }
    same = message_get_u64(reader, number);
    job->task = same > 0 ? jobs[same - 1].task : get_raw(reader);
}

bool message_get_finished(struct message_reader *reader, const struct dsl_options *options,
                          struct dsl_finished *finished)
{
    const uint32_t count = (uint32_t)message_get_u64(reader, COUNT_MAX);
    char *memory =
        calloc((size_t)count + 1, sizeof(struct dsl_job) + sizeof(struct dsl_output));
    struct dsl_job *jobs = (void *)memory;
    struct dsl_output *outputs = memory ? (void *)(jobs + count + 1) : NULL;
    reader->is_failed |= !memory;
    for (uint32_t i = 0; i < count && !reader->is_failed; i++) {
        jobs[i].chunk_id = (int32_t)message_get_u64(reader, INT32_MAX);
        jobs[i].task_id = (int32_t)message_get_u64(reader, INT32_MAX);
        jobs[i].job_id = (int32_t)message_get_u64(reader, INT32_MAX);
        get_shared(reader, options, jobs, i);
        jobs[i].advice = get_raw(reader);
        get_output(reader, &outputs[i]);
    }
    if (reader->is_failed) {
        free(memory);
        return false;
    }
    *finished = (struct dsl_finished){jobs, outputs, count};
    return true;
}

/* ---- faults ---- */

void message_put_fault(struct text_buf *message, const struct dsl_fault *fault)
{
    message_put_u64(message, (uint64_t)fault->kind);
    message_put_u64(message, (uint64_t)(fault->line > 0 ? fault->line : 0));
    message_put_text(message, text_of(fault->exception));
    message_put_text(message, text_of(fault->message));
}

static void take_words(struct message_reader *reader, char *words, size_t room)
{
    const struct text text = message_get_text(reader);
    reader->is_failed |= text.size >= room;
    if (reader->is_failed)
        return;
    memcpy(words, text.data, text.size);
    words[text.size] = '\0';
}

void message_get_fault(struct message_reader *reader, struct dsl_fault *fault)
{
    *fault = (struct dsl_fault){0};
    fault->kind = (enum dsl_fault_kind)message_get_u64(reader, DSL_BUDGET);
    fault->line = (int32_t)message_get_u64(reader, LINES_MAX);
    take_words(reader, fault->exception, sizeof(fault->exception));
    take_words(reader, fault->message, sizeof(fault->message));
}
