/* cite - see cite.h. */
#include "protocol/minions/cite.h"

#include "base/bm25.h"

/* The citation of a job's outcome as a span of a document; false when it has none. */
static bool locate(const struct documents *documents, const struct dsl_job *job,
                   const struct job_output *output, struct round_citation *citation)
{
    *citation = (struct round_citation){0};
    if (output->kind != JOB_OUTPUT_ANSWER || output->citation.size == 0)
        return false;
    if (job->document < 0)
        return documents_find(documents, output->citation, &citation->document,
                              &citation->offset, &citation->size);
    citation->document = (uint32_t)job->document;
    citation->offset = job->offset + output->citation_offset;
    citation->size = output->citation.size;
    return true;
}

void cite_add(struct round_result *result, struct round_citation citation)
{
    for (uint32_t i = 0; i < result->citation_count; i++) {
        struct round_citation *other = &result->citations[i];
        if (other->document != citation.document ||
            other->offset >= citation.offset + citation.size ||
            citation.offset >= other->offset + other->size)
            continue;
        if (other->score >= citation.score)
            return;
        for (uint32_t j = i + 1; j < result->citation_count; j++)
            result->citations[j - 1] = result->citations[j];
        result->citation_count--;
        i--;
    }
    uint32_t at = result->citation_count;
    if (at == ROUND_CITATIONS_MAX && result->citations[at - 1].score >= citation.score)
        return;
    if (at == ROUND_CITATIONS_MAX)
        at--;
    else
        result->citation_count++;
    for (; at > 0 && result->citations[at - 1].score < citation.score; at--)
        result->citations[at] = result->citations[at - 1];
    result->citations[at] = citation;
}

enum status cite_outcomes(const struct cite_work *work, struct round_result *result,
                          struct error *err)
{
    struct text_buf query = {0};
    struct bm25_passage *passages = ARENA_NEW(work->arena, struct bm25_passage, work->count);
    double *scores = ARENA_NEW(work->arena, double, work->count);
    if (!passages || !scores)
        FAIL(err, ERR_MEMORY, "round: no room for %u citations", work->count);
    for (uint32_t i = 0; i < work->count; i++)
        passages[i].text = work->outcomes[i].output.citation;
    text_buf_add(&query, work->options->question);
    text_buf_byte(&query, ' ');
    text_buf_add(&query, text_buf_text(&result->answer));
    bm25_rank(&bm25_default, passages, work->count, text_buf_text(&query), scores);
    text_buf_deinit(&query);
    for (uint32_t i = 0; i < work->count; i++) {
        struct round_citation citation;
        if (!locate(work->options->documents, &work->jobs[i], &work->outcomes[i].output,
                    &citation))
            continue;
        citation.score = scores[i];
        cite_add(result, citation);
    }
    return OK;
}
