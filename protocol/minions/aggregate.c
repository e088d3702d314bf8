/* aggregate - see aggregate.h. */
#include "protocol/minions/aggregate.h"

#include "protocol/minions/job_output.h"

#include <stdbool.h>
#include <stdlib.h>

struct entry {
    const struct dsl_job *job;
    const struct dsl_output *output;
    uint32_t position;
};

static int compare(const void *left, const void *right)
{
    const struct entry *a = left, *b = right;
    if (a->job->task_id != b->job->task_id)
        return a->job->task_id < b->job->task_id ? -1 : 1;
    if (a->job->chunk_id != b->job->chunk_id)
        return a->job->chunk_id < b->job->chunk_id ? -1 : 1;
    return a->position < b->position ? -1 : a->position > b->position;
}

static bool is_ungrounded(const struct dsl_output *output)
{
    return text_equal(output->grade, text_of(job_output_grade(JOB_OUTPUT_UNGROUNDED)));
}

/* How many entries from first on are the same job with the same answer, as well grounded, as
 * entries[at]; 0 when an earlier one already stood for it. */
static uint32_t count_same(const struct entry *entries, uint32_t count, uint32_t at)
{
    uint32_t same = 0;
    uint32_t first = at;
    while (first > 0 && entries[first - 1].job->task_id == entries[at].job->task_id &&
           entries[first - 1].job->chunk_id == entries[at].job->chunk_id)
        first--;
    for (uint32_t i = first; i < count; i++) {
        if (entries[i].job->task_id != entries[at].job->task_id ||
            entries[i].job->chunk_id != entries[at].job->chunk_id)
            break;
        if (!text_equal(entries[i].output->answer, entries[at].output->answer) ||
            is_ungrounded(entries[i].output) != is_ungrounded(entries[at].output))
            continue;
        if (i < at)
            return 0;
        same++;
    }
    return same;
}

static void add_entry(struct text_buf *buf, const struct entry *entry, uint32_t same)
{
    text_buf_format(buf, "- (chunk %d", (int)entry->job->chunk_id);
    if (same > 1)
        text_buf_format(buf, ", %u times", same);
    if (is_ungrounded(entry->output))
        text_buf_add(buf, TEXT(", ungrounded"));
    text_buf_format(buf, ") %.*s", TEXT_ARG(entry->output->answer));
    if (entry->output->has_citation)
        text_buf_format(buf, "\n  citation: %.*s", TEXT_ARG(entry->output->citation));
    text_buf_byte(buf, '\n');
}

static void add_all(struct text_buf *buf, const struct entry *entries, uint32_t count,
                    size_t bytes_max)
{
    const size_t start = buf->size;
    int32_t task = -1;
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t same = count_same(entries, count, i);
        if (same == 0)
            continue;
        const size_t before = buf->size;
        if (entries[i].job->task_id != task)
            text_buf_format(buf, "Task: %.*s\n", TEXT_ARG(entries[i].job->task));
        task = entries[i].job->task_id;
        add_entry(buf, &entries[i], same);
        if (buf->failed || buf->size - start <= bytes_max)
            continue;
        buf->size = before; /* whole entries only */
        return;
    }
}

void aggregate_add(struct text_buf *buf, const struct dsl_finished *finished, size_t bytes_max)
{
    const uint32_t count = finished->count;
    struct entry *entries = calloc(count ? count : 1, sizeof(*entries));
    if (!entries) {
        buf->failed = true;
        return;
    }
    uint32_t kept = 0;
    for (uint32_t i = 0; i < count; i++)
        if (finished->outputs[i].has_answer)
            entries[kept++] = (struct entry){&finished->jobs[i], &finished->outputs[i], i};
    qsort(entries, kept, sizeof(*entries), compare);
    add_all(buf, entries, kept, bytes_max);
    if (kept == 0)
        text_buf_add(buf, TEXT("No worker found an answer.\n"));
    free(entries);
}
