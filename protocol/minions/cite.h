/*
 * cite - which places of the documents an answer stands on.
 *
 * What workers cited is verbatim in their chunks; here it becomes spans of documents, ranked by
 * how well they go with the question and the answer, the best of them kept.
 */
#ifndef MINIONS_CITE_H
#define MINIONS_CITE_H

#include "protocol/minions/jobs.h"
#include "protocol/minions/round.h"

/* Jobs that generating workers did. */
struct cite_work {
    const struct round_options *options;
    const struct dsl_job *jobs;          /* [count] */
    const struct jobs_outcome *outcomes; /* [count] */
    uint32_t count;
    struct arena *arena;
};

/* Adds a citation unless a better one overlaps it; keeps the best, sorted. */
void cite_add(struct round_result *result, struct round_citation citation);

/* Adds what the workers cited, once result->answer is there where it can be. ERR_MEMORY. */
MUST_USE enum status cite_outcomes(const struct cite_work *work, struct round_result *result,
                                   struct error *err);

#endif
